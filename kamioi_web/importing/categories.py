"""Merchant category codes (ISO 18245) to the project's categories."""

from bisect import bisect_right

UNCATEGORIZED = "Uncategorized"
CATEGORIES = (
    "Food & Dining", "Groceries", "Shopping", "Gas & Fuel", "Transportation", "Travel", "Entertainment", "Technology",
    "Healthcare", "Home Improvement", "Utilities", "Insurance & Financial", "Education", "Fitness & Beauty", "Pets",
    "Automotive", "Telecom", "Business Services", "Government & Charity", UNCATEGORIZED,
)  # fmt: skip

# Each category holds from its code up to the next code in the table.
_STARTS = """
0 Uncategorized | 742 Pets | 743 Business Services | 780 Home Improvement | 781 Business Services
1520 Home Improvement | 1800 Business Services | 3000 Travel | 4000 Transportation | 4119 Healthcare
4120 Transportation | 4214 Business Services | 4300 Travel | 4784 Transportation | 4812 Telecom | 4816 Technology
4817 Telecom | 4829 Insurance & Financial | 4830 Telecom | 4900 Utilities | 5000 Business Services | 5013 Automotive
5014 Business Services | 5039 Home Improvement | 5040 Business Services | 5045 Technology | 5046 Business Services
5047 Healthcare | 5048 Business Services | 5065 Home Improvement | 5085 Business Services | 5094 Shopping
5111 Business Services | 5122 Healthcare | 5131 Shopping | 5169 Business Services | 5172 Gas & Fuel | 5173 Shopping
5198 Home Improvement | 5199 Shopping | 5200 Home Improvement | 5299 Shopping | 5411 Groceries | 5500 Automotive
5541 Gas & Fuel | 5543 Automotive | 5552 Gas & Fuel | 5553 Automotive | 5600 Shopping | 5712 Home Improvement
5732 Technology | 5733 Entertainment | 5734 Technology | 5735 Entertainment | 5811 Food & Dining | 5815 Entertainment
5817 Technology | 5832 Shopping | 5912 Healthcare | 5913 Shopping | 5921 Groceries | 5922 Shopping | 5975 Healthcare
5977 Fitness & Beauty | 5978 Shopping | 5983 Gas & Fuel | 5984 Shopping | 5995 Pets | 5996 Shopping
6000 Insurance & Financial | 6513 Business Services | 6514 Insurance & Financial | 7011 Travel
7200 Business Services | 7230 Fitness & Beauty | 7231 Business Services | 7276 Insurance & Financial
7277 Business Services | 7297 Fitness & Beauty | 7299 Business Services | 7342 Home Improvement
7343 Business Services | 7372 Technology | 7380 Business Services | 7512 Travel | 7523 Transportation
7531 Automotive | 7600 Home Improvement | 7800 Entertainment | 7997 Fitness & Beauty | 7998 Entertainment
8000 Healthcare | 8100 Business Services | 8200 Education | 8398 Government & Charity | 8675 Automotive
8676 Government & Charity | 8700 Business Services | 9000 Government & Charity | 9402 Business Services
9403 Government & Charity
"""
_TABLE = [(int(code), name) for code, _, name in (
    entry.strip().partition(" ") for line in _STARTS.strip().splitlines() for entry in line.split("|")
)]  # fmt: skip
_CODES = [code for code, _ in _TABLE]


def category_of(mcc: str) -> str | None:
    """The category of a merchant category code of up to four digits; None when it is not one."""
    code = mcc.strip()
    if not (code.isascii() and code.isdigit() and len(code) <= 4):
        return None
    name = _TABLE[bisect_right(_CODES, int(code)) - 1][1]
    return None if name == UNCATEGORIZED else name
