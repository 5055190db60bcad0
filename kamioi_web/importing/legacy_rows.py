"""Rows of a legacy database in the words of this one, with a note of every value whose meaning was normalised."""

from datetime import UTC
from typing import Any

from kamioi_web.importing import legacy_statuses as statuses
from kamioi_web.importing import legacy_values as values
from kamioi_web.importing.legacy_source import Row
from kamioi_web.importing.legacy_values import Unusable
from kamioi_web.schema import ACCOUNT_TYPES

NO_MERCHANT = "(no merchant)"
NO_CATEGORY = "Uncategorized"
LONGEST = 2_000  # bytes; an index on PostgreSQL holds no more than about 2,700

SOURCES = ("bank", "receipt", "manual")
NO_CATEGORIES = ("", "unknown")


class Normal:
    """One row as it will be stored: its values, the raw ones that changed, and what to count them as."""

    def __init__(self, row: Row) -> None:
        if row.get("id") is None:
            raise Unusable("the row has no id")
        self.row = row
        self.line = values.line_of(row["id"])
        self.ref = f"legacy:{row['id']}"
        self.values: dict[str, Any] = {}
        self.raw: dict[str, Any] = {}
        self.changes: list[str] = []

    def changed(self, name: str, into: str | None = None) -> None:
        """Keep the raw value of a column, and count it by its old and new value where `into` says the new one."""
        self.raw[name] = self.row.get(name)
        old = values.words(self.row.get(name))[:40] or "(empty)"
        self.changes.append(f"{name} {old} -> {into}" if into is not None else name)


def user(row: Row) -> Normal:
    """A customer. An account type that is none of ours becomes individual."""
    normal = Normal(row)
    email = values.words(row.get("email"))
    if email != email.lower():
        normal.changed("email")
    normal.values = {
        "email": email.lower() or None,
        "account_number": values.words(row.get("account_number")) or None,
        "name": values.words(row.get("name")) or email or f"User {row['id']}",
        "account_type": _account_type(normal),
        "status": "inactive" if values.flag(row.get("is_active")) == 0 else "active",
        "round_up_cents": _round_up_setting(normal),
        "city": values.words(row.get("city")) or None,
        "state": values.words(row.get("state")) or None,
        "created_at": _created_at(normal, None),
    }
    if normal.line >= 2**62:
        normal.changed("id")
    return normal


def transaction(row: Row) -> Normal:
    """A purchase or refund. Its owner is still the legacy user_id."""
    normal = Normal(row)
    posted_at = _posted_at(normal)
    ticker = _ticker(normal)
    normal.values = {
        "user_id": row.get("user_id"),
        "descriptor": _descriptor(normal),
        "posted_at": posted_at,
        "amount_cents": values.cents(row.get("amount"), "amount"),
        "round_up_cents": _not_negative(normal, "round_up"),
        "fee_cents": _cents_or_none(normal, "fee"),
        "category": _category(normal),
        "status": _transaction_status(normal, ticker),
        "ticker": ticker,
        "source": _source(normal),
        "created_at": _created_at(normal, posted_at),
    }
    _check_total_debit(normal)
    return normal


def mapping(row: Row) -> Normal:
    """What a merchant was mapped to. One that a user's transaction gave rise to keeps both in its raw values."""
    normal = Normal(row)
    if not values.words(row.get("merchant_name")):
        raise Unusable("merchant_name is empty")
    confidence = values.confidence(row.get("confidence"))
    if row.get("confidence") is None or confidence != row["confidence"]:
        normal.changed("confidence")
    created_at = _created_at(normal, None)
    normal.values = {
        "descriptor": _fits(values.verbatim(row["merchant_name"]), "merchant_name"),
        "ticker": _ticker(normal),
        "company": values.words(row.get("company_name")) or None,
        "category": values.words(row.get("category")) or None,
        "confidence": confidence,
        "status": _mapping_status(normal),
        "model": values.words(row.get("ai_model_version")) or None,
        "rationale": values.words(row.get("ai_reasoning")) or values.words(row.get("notes")) or None,
        "decided_at": _or_none(row.get("processed_at")),
        "created_at": created_at,
    }
    if row.get("transaction_id") is not None:
        normal.raw |= {"transaction_id": row["transaction_id"], "user_id": row.get("user_id")}
    return normal


def allocation(row: Row) -> Normal:
    """A share of a round-up; in the dialect that allocates to goals the ticker is that of the transaction."""
    normal = Normal({**row, "id": row["id"] if row.get("id") is not None else row.get("transaction_id")})
    if row.get("transaction_id") is None:
        raise Unusable("the row names no transaction")
    column = "allocation_amount" if "allocation_amount" in row else "amount"
    share = values.cents(row.get(column), column)
    if share < 0:
        raise Unusable(f"{column} is negative: {row[column]}")
    symbol = row.get("stock_symbol")
    if symbol is not None and values.ticker(symbol) is None:
        raise Unusable(f"stock_symbol is no ticker: {str(symbol)[:80]!r}")
    created_at = _or_none(row.get("created_at") or row.get("allocated_at"))
    ref = f"legacy:{str(row['transaction_id']).strip()}"
    normal.values = {"ref": ref, "ticker": values.ticker(symbol), "amount_cents": share, "created_at": created_at}
    return normal


def _account_type(normal: Normal) -> str:
    # One dialect keeps it in role and defaults it to individual; the other keeps access rights there.
    named = [values.key(normal.row.get(name)) for name in ("account_type", "role")]
    known = [name for name in named if name in ACCOUNT_TYPES]
    special = [name for name in known if name != "individual"]
    chosen = (special or known or ["individual"])[0]
    for name, value in zip(("account_type", "role"), named, strict=True):
        says = value and (not known or value in ACCOUNT_TYPES or name == "account_type")
        if value != chosen and (says or not any(named)) and name in normal.row:
            normal.changed(name, chosen)
    return chosen


def _round_up_setting(normal: Normal) -> int:
    if normal.row.get("round_up_amount") is None:
        return 100
    try:
        setting = values.cents(normal.row["round_up_amount"], "round_up_amount")
    except Unusable:
        setting = -1
    if setting >= 0:
        return setting
    normal.changed("round_up_amount")
    return 100


def _posted_at(normal: Normal) -> int:
    name = "date" if values.words(normal.row.get("date")) else "created_at"
    spaced = values.EASTERN if name == "date" else UTC
    micros, exact = values.moment(normal.row.get(name), name, spaced)
    if not exact or name != "date":
        normal.changed(name)
    return micros


def _created_at(normal: Normal, fallback: int | None) -> int | None:
    if not values.words(normal.row.get("created_at")):
        return fallback
    try:
        micros, exact = values.moment(normal.row["created_at"], "created_at", UTC)
    except Unusable:
        micros, exact = fallback, False
    if not exact:
        normal.changed("created_at")
    return micros


def _or_none(value: Any) -> int | None:
    try:
        return values.moment(value, "moment", UTC)[0]
    except Unusable:
        return None


def _descriptor(normal: Normal) -> str:
    merchant, description = (values.verbatim(normal.row.get(name)) for name in ("merchant", "description"))
    if merchant.strip():
        return _fits(merchant, "merchant")
    # The legacy system wrote '<merchant> purchase' there, so that alone says nothing.
    chosen = description if description.strip() not in ("", "purchase") else NO_MERCHANT
    normal.changed("merchant")
    normal.raw["description"] = normal.row.get("description")
    return _fits(chosen, "description")


def _fits(text: str, name: str) -> str:
    if len(text.encode()) > LONGEST:
        raise Unusable(f"{name} is longer than {LONGEST} bytes")
    return text


def _cents_or_none(normal: Normal, name: str) -> int:
    if normal.row.get(name) is not None:
        return values.cents(normal.row[name], name)
    if name in normal.row:
        normal.changed(name)
    return 0


def _not_negative(normal: Normal, name: str) -> int:
    found = _cents_or_none(normal, name)
    if found < 0:
        raise Unusable(f"{name} is negative: {normal.row[name]}")
    return found


def _category(normal: Normal) -> str:
    category = values.words(normal.row.get("category"))
    if category.lower() not in NO_CATEGORIES and len(category) <= 100:
        return category
    normal.changed("category")
    return NO_CATEGORY


def _ticker(normal: Normal) -> str | None:
    for name in ("ticker", "ticker_symbol"):
        written = values.words(normal.row.get(name))
        if written:
            ticker = values.ticker(written)
            if ticker != written:
                normal.changed(name)
            return ticker
    return None


def _transaction_status(normal: Normal, ticker: str | None) -> str:
    status = statuses.of_transaction(normal.row.get("status"), ticker)
    if status != normal.row.get("status"):
        normal.changed("status", status)
    return status


def _mapping_status(normal: Normal) -> str:
    status, disagrees = statuses.of_mapping(normal.row.get("status"), normal.row.get("admin_approved"))
    if status != normal.row.get("status"):
        normal.changed("status", status)
    if disagrees:
        normal.changed("admin_approved")
    return status


def _source(normal: Normal) -> str:
    if "transaction_type" not in normal.row:
        return "import"
    kind = values.key(normal.row["transaction_type"])
    source = kind if kind in SOURCES else "import"
    if source != normal.row["transaction_type"]:
        normal.changed("transaction_type", source)
    return source


def _check_total_debit(normal: Normal) -> None:
    if normal.row.get("total_debit") is None:
        return
    try:
        total = values.cents(normal.row["total_debit"], "total_debit")
    except Unusable:
        total = None
    if total != sum(normal.values[name] for name in ("amount_cents", "round_up_cents", "fee_cents")):
        normal.changed("total_debit")
