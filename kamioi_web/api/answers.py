"""What the API answers, as types: the functions that make an answer are checked against them, and the document of the
API is made of them. Money stands twice: as a number, as the old clients read it, and as exact cents."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from kamioi_web.schema import ACCOUNT_TYPES, ROLES, SOURCES, STATUSES, USER_STATUSES


def _word(words: tuple[str, ...], **more: Any) -> Any:
    return Field(json_schema_extra={"enum": [*words]}, examples=[words[0]], **more)


Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2024-03-14T09:49:13.123456Z"])]
Place = Annotated[
    str, Field(description="Its place in the list: what “cursor” takes.", examples=["2024-03-14T09:49:13.123456Z~42"])
]
Money = Annotated[float, Field(description="In units of the currency.", examples=[12.5])]
Cents = Annotated[int, Field(description="The same in hundredths, exact.", examples=[1250])]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["USD"])]
AccountType = Annotated[str, _word(ACCOUNT_TYPES)]
Dashboard = Annotated[str, _word(("user", "family", "business"), description="The account type in old words.")]
Count = Annotated[int, Field(ge=0, examples=[3])]
Succeeded = Annotated[Literal[True], Field(examples=[True])]


class Identified(TypedDict):
    """An id twice: as a number while every client can hold it, else null, and always as text."""

    id: Annotated[int | None, Field(description="null past 2^53", examples=[42])]
    id_text: Annotated[str, Field(examples=["42"])]


class Error(TypedDict):
    """What went wrong, and what to do about it."""

    success: Literal[False]
    error: Annotated[str, Field(description="What kind of mistake.", examples=["That request cannot be understood"])]
    detail: Annotated[
        str,
        Field(
            description="What is wrong and what is taken instead.",
            examples=["“faild” is not a status. It is one of: pending, mapped, completed, failed, rejected."],
        ),
    ]
    request_id: Annotated[str, Field(description="To find it in the log by.", examples=["5f0c3b1e9a7d2468"])]
    parameter: NotRequired[Annotated[str, Field(description="What is wrong, where one thing is.", examples=["status"])]]


class Pagination(TypedDict):
    """Where this page is. Null where the filter's total is not kept, or where a cursor was given instead of a page."""

    page: Annotated[int | None, Field(examples=[1])]
    limit: Annotated[int, Field(ge=1, examples=[50])]
    total: Annotated[int | None, Field(examples=[1204338])]
    totalPages: Annotated[int | None, Field(examples=[24087])]
    pages: Annotated[int | None, Field(description="The same as totalPages.", examples=[24087])]
    has_next: Annotated[bool, Field(examples=[True])]
    has_prev: Annotated[bool, Field(examples=[False])]
    next_cursor: Annotated[
        str | None,
        Field(description="Give it as “cursor” for the next page; null at the end.", examples=[
            "2024-03-14T09:49:13.123456Z~42"]),
    ]  # fmt: skip


class Meta(TypedDict):
    """The same in other old words, and what there is to say about it."""

    page: Annotated[int | None, Field(examples=[1])]
    per_page: Annotated[int, Field(ge=1, examples=[50])]
    total: Annotated[int | None, Field(examples=[1204338])]
    total_pages: Annotated[int | None, Field(examples=[24087])]
    has_next: Annotated[bool, Field(examples=[True])]
    has_prev: Annotated[bool, Field(examples=[False])]
    exact: Annotated[bool, Field(description="Whether the total is kept for this filter.", examples=[True])]
    searched_to: Annotated[
        str | None,
        Field(description="Where a search that no index serves stopped for now: go on with it as “cursor”.", examples=[
            None]),
    ]  # fmt: skip
    notes: Annotated[list[str], Field(description="What was taken otherwise than it was given.", examples=[[]])]


class Done(TypedDict):
    """It was done."""

    success: Succeeded


class Permissions(TypedDict):
    """The roles that a role includes."""

    viewer: bool
    reviewer: bool
    operator: bool
    owner: bool


class AdminUser(Identified):
    """An admin, in the shape that the old clients read."""

    email: Annotated[str, Field(examples=["ana@example.com"])]
    name: Annotated[str, Field(examples=["ana"])]
    role: Annotated[str, _word(ROLES)]
    dashboard: Literal["admin"]
    permissions: Permissions


class Login(TypedDict):
    """A token and whose it is."""

    success: Succeeded
    token: Annotated[str, Field(description="Send it as “Authorization: Bearer …”.", examples=["kam_…"])]
    expires_at: Moment
    user: AdminUser


class Me(TypedDict):
    """Whose session or token it is."""

    success: Succeeded
    user: AdminUser


class Transaction(Identified):
    """One transaction. The names are those that the old clients read, some of them twice."""

    cursor: Place
    date: Annotated[Moment, Field(description="When it was posted.")]
    created_at: Annotated[Moment, Field(description="When it came in.")]
    user_id: int
    userId: Annotated[int, Field(description="The same as user_id.")]
    user_name: str | None
    user_email: str | None
    user_role: Annotated[AccountType, Field(description="The same as account_type.")]
    account_number: Annotated[str | None, Field(examples=["I1000042"])]
    account_type: Annotated[AccountType, Field(description="The owner's when it was posted.")]
    dashboard: Dashboard
    merchant_id: int
    merchant: Annotated[str | None, Field(examples=["Starbucks"])]
    description: Annotated[str | None, Field(description="As the bank wrote it.", examples=["STARBUCKS STORE 01234"])]
    category: Annotated[str, Field(examples=["Dining"])]
    status: Annotated[str, _word(STATUSES)]
    ticker: Annotated[str | None, Field(examples=["SBUX"])]
    source: Annotated[str, _word(SOURCES)]
    currency: Currency
    amount: Annotated[Money, Field(description="Refunds are below zero.")]
    amount_cents: Cents
    round_up: Money
    roundUp: Annotated[Money, Field(description="The same as round_up.")]
    round_up_cents: Cents
    fee: Money
    fee_cents: Cents
    total_debit: Annotated[Money, Field(description="Amount, round-up and fee together.")]
    total_debit_cents: Cents
    shares: Annotated[None, Field(description="Not kept; null, for clients that look for it.")]
    stock_price: Annotated[None, Field(description="Not kept.")]
    stockPrice: Annotated[None, Field(description="Not kept.")]


class TransactionStats(TypedDict):
    """The figures of the filter, from the totals. Money is in `currency`, the one with the most rows."""

    totalTransactions: Count
    currency: Currency
    totalRoundUps: Money
    availableToInvest: Annotated[Money, Field(description="Round-ups of mapped transactions.")]
    totalInvested: Annotated[Money, Field(description="Round-ups of completed transactions.")]
    userTransactions: Annotated[int | None, Field(description="Of individual accounts.")]
    familyTransactions: int | None
    businessTransactions: int | None


class Allocation(TypedDict):
    """A share of the round-up."""

    stock_symbol: Annotated[str, Field(examples=["SBUX"])]
    allocation_amount: Money
    allocation_cents: Cents
    allocation_percentage: Annotated[float, Field(ge=0, le=100, examples=[50.0])]


class WholeTransaction(Transaction):
    """One transaction and where its round-up went."""

    allocations: list[Allocation]


class TransactionAnswer(TypedDict):
    """One transaction."""

    success: Succeeded
    transaction: WholeTransaction


class User(Identified):
    """One user, with what they did in the currency of most of it."""

    cursor: Place
    account_number: Annotated[str, Field(examples=["I1000042"])]
    name: Annotated[str, Field(examples=["Ana Young"])]
    email: Annotated[str | None, Field(examples=["ana@example.com"])]
    account_type: AccountType
    status: Annotated[str, _word(USER_STATUSES)]
    city: str | None
    state: str | None
    created_at: Moment
    round_up_amount: Money
    round_up_cents: Cents
    transaction_count: Count
    currency: Currency
    total_spent: Money
    total_spent_cents: Cents
    total_invested: Money
    total_invested_cents: Cents
    last_activity: Annotated[Moment | None, Field(description="Null for one who never bought anything.")]


class UserStats(TypedDict):
    """The users of the filter, from the totals."""

    totalUsers: Count
    activeUsers: Count
    individualUsers: Count
    familyUsers: Count
    businessUsers: Count


class UserTotal(TypedDict):
    """A user's transactions of one status in one currency."""

    status: Annotated[str, _word(STATUSES)]
    currency: Currency
    n: Count
    amount_cents: Cents
    round_up_cents: Cents


class Holding(TypedDict):
    """What a user's completed round-ups bought of one ticker."""

    ticker: Annotated[str, Field(examples=["SBUX"])]
    currency: Currency
    n: Count
    invested: Money
    invested_cents: Cents


class WholeUser(User):
    """One user with their totals and what they hold."""

    totals: list[UserTotal]
    portfolio: list[Holding]
    portfolio_since: Annotated[
        Moment | None, Field(description="Where reading the portfolio stopped; null when it is whole.")
    ]


class UserAnswer(TypedDict):
    """One user."""

    success: Succeeded
    user: WholeUser
