"""The files that are known by their header. A preset is data: add one here and it works."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Preset:
    """Columns are named as columns.plain() spells them. Several columns for one field: the first that is not blank.

    When `amount` and `currency` name as many columns, they go in pairs. `signature` are the columns that tell
    the file from others.
    """

    name: str
    title: str
    signature: frozenset[str]
    fields: dict[str, tuple[str, ...]]
    currency: str
    account_type: str = "business"
    dayfirst: bool | None = None
    note: str = field(default="", compare=False)


def _preset(name: str, title: str, signature: str, currency: str, fields: dict[str, str], **more: object) -> Preset:
    columns = {name: tuple(column.strip() for column in text.split("|")) for name, text in fields.items()}
    return Preset(name, title, frozenset(part.strip() for part in signature.split("|")), columns, currency, **more)  # ty: ignore[invalid-argument-type]


PRESETS = (
    _preset(
        "toronto",
        "City of Toronto",
        "division | transaction date | posting date | merchant name | amount | currency | mcc | gl account",
        "CAD",
        {
            "account": "division",
            "date": "transaction date | posting date",
            "merchant": "merchant name",
            "amount": "amount",
            "currency": "currency",
            "mcc": "mcc",
        },
    ),
    _preset(
        "toronto-published",
        "City of Toronto",
        "division | transaction date | card posting dt | merchant name | transaction amt | merchant type",
        "CAD",
        {
            "account": "division",
            "date": "transaction date | card posting dt",
            "merchant": "merchant name",
            "amount": "transaction amt",
            "currency": "transaction currency | trx currency | tr currency",
            "mcc": "merchant type",
        },
        dayfirst=False,
    ),
    _preset(
        "birmingham",
        "Birmingham City Council",
        "transaction date | merchant name | original gross amount | billing gross amount | directorate",
        "GBP",
        {
            "account": "directorate",
            "date": "transaction date",
            "merchant": "merchant name",
            "amount": "billing gross amount | original gross amount",
            "currency": "billing currency | original currency",
            "mcc": "mcc",
        },
        note="The billed amount; where it is blank, the original amount in the original currency.",
    ),
    _preset(
        "barnet-2014",
        "London Borough of Barnet",
        "service area | account description | creditor | transaction date | jv reference | jv value",
        "GBP",
        {
            "account": "service area",
            "date": "transaction date | jv date",
            "merchant": "creditor",
            "amount": "jv value",
            "category": "account description",
        },
        dayfirst=True,
    ),
    _preset(
        "barnet",
        "London Borough of Barnet",
        "service area | account description | creditor | journal date | journal reference | total",
        "GBP",
        {
            "account": "service area",
            "date": "journal date",
            "merchant": "creditor",
            "amount": "total",
            "category": "account description",
        },
        dayfirst=True,
    ),
    _preset(
        "oxford",
        "Oxford City Council",
        "transaction date | merchant name | amount gbp | expense description | source month",
        "GBP",
        {
            "date": "transaction date",
            "merchant": "merchant name",
            "amount": "amount gbp",
            "category": "expense description",
        },
        dayfirst=True,
    ),
    _preset(
        "oklahoma",
        "Oklahoma State University",
        "transaction date | vendor | amount usd | identical charges that day",
        "USD",
        {
            "date": "transaction date",
            "merchant": "vendor",
            "amount": "amount usd",
            "copies": "identical charges that day",
            "category": "mcc description",
        },
        note="One row stands for as many equal charges as its count says.",
    ),
    _preset(
        "statement",
        "Bank statement",
        "date | description | amount | category | reference",
        "USD",
        {
            "date": "date",
            "merchant": "description",
            "amount": "amount",
            "category": "category",
            "reference": "reference",
        },
        account_type="individual",
    ),
    _preset(
        "statement-with-merchant",
        "Bank statement",
        "date | merchant | category | amount | description",
        "USD",
        {"date": "date", "merchant": "merchant", "amount": "amount", "category": "category"},
        account_type="individual",
    ),
)
