"""How users are shown: the cells of a row, the columns, the filter form, the tiles and the JSON."""

from collections.abc import Mapping, Sequence
from typing import Any

from kamioi_web.api.objects import User, UserStats
from kamioi_web.cells import Chip, Counts, choices, dates, escaped, text_field
from kamioi_web.cells import chips as shared_chips
from kamioi_web.exporting.fields import ID, Export, cents, moment, whole, words
from kamioi_web.figures import Figures, Sums
from kamioi_web.list_request import ListRequest
from kamioi_web.money import decimal, money
from kamioi_web.paging.cursor import Cursor
from kamioi_web.queries.users import NOTHING, Activity
from kamioi_web.schema import ACCOUNT_TYPES, USER_STATUSES
from kamioi_web.text import day_text, identifier, iso_text, number_text

COLUMNS = {
    "created": "Joined",
    "name": "Name",
    "email": "E-mail",
    "account_type": "Account",
    "n": "Transactions",
    "spent": "Spent",
    "invested": "Invested",
    "seen": "Last seen",
    "status": "Status",
    "id": "Id",
}
HIDDEN = ("id",)  # until an admin chooses it
FIXED = ("created", "name")
EXPORT: Export = {
    "created": (moment("created_at"),),
    "name": (words("name"), words("account_number")),
    "email": (words("email"),),
    "account_type": (words("account_type"),),
    "n": (whole("transaction_count"),),
    "spent": (cents("total_spent"), words("currency")),
    "invested": (cents("total_invested"), words("currency")),
    "seen": (moment("last_activity"),),
    "status": (words("status"),),
    "id": (ID,),
}
SEARCH = ("search", "users")

Beside = Mapping[int, Activity]


def present(rows: Sequence[Any], query: str, start: int | None, beside: Beside) -> list[tuple]:
    """Rows of the list as the fields that users.html writes, escaped where people wrote them."""
    tail = escaped(query)
    first = start + 1 if start else 0  # the head of the table is row 1
    return [_cells(row, tail, first + at if first else 0, beside.get(row.id, NOTHING)) for at, row in enumerate(rows)]


def _cells(row: Any, tail: str, number: int, did: Activity) -> tuple:
    cursor = str(Cursor(row.created_at, row.id))
    more = f" <small>+{did.currencies - 1}</small>" if did.currencies > 1 else ""
    return (
        row.id, cursor, number, f"/users/{row.id}?at={cursor}{tail}", day_text(cursor[:10]), escaped(row.name),
        escaped(row.account_number), escaped(row.email), row.account_type, number_text(did.n),
        money(did.spent_cents, did.currency) + more if did.n else "–",
        money(did.invested_cents, did.currency) + more if did.n else "–",
        day_text(did.last_seen.date().isoformat()) if did.last_seen else "–", row.status,
    )  # fmt: skip


def as_json(row: Any, beside: Beside) -> User:
    """One row as the JSON API gives it."""
    did = beside.get(row.id, NOTHING)
    return {
        **identifier(row.id),
        "cursor": str(Cursor(row.created_at, row.id)),
        "account_number": row.account_number,
        "name": row.name,
        "email": row.email,
        "account_type": row.account_type,
        "status": row.status,
        "city": row.city,
        "state": row.state,
        "created_at": iso_text(row.created_at),
        "round_up_amount": decimal(row.round_up_cents),
        "round_up_cents": row.round_up_cents,
        "transaction_count": did.n,
        "currency": did.currency,
        "total_spent": decimal(did.spent_cents),
        "total_spent_cents": did.spent_cents,
        "total_invested": decimal(did.invested_cents),
        "total_invested_cents": did.invested_cents,
        "last_activity": iso_text(did.last_seen) if did.last_seen else None,
    }


def stats(figures: Figures) -> UserStats | None:
    """The figures of the filter, exact from the totals; None where the totals do not cover it."""
    if not figures.covered:
        return None
    sums, types = figures.sums().value, figures.split("account_type") or {}
    return {
        "totalUsers": sums.n,
        "activeUsers": sums.add(2, "active"),
        "individualUsers": types.get("individual", 0),
        "familyUsers": types.get("family", 0),
        "businessUsers": types.get("business", 0),
    }


def tiles(figures: Figures, request: ListRequest, sums: Sums, currency: str) -> list[dict[str, Any]]:
    """The tiles above the list: users by account type, and those who left."""
    types = figures.split("account_type") or {}
    found = [{"label": "Users", "value": number_text(sums.n)}]
    for name in ACCOUNT_TYPES:
        href = request.link(("account_type", name), without=("account_type",))
        found.append({"label": name.capitalize(), "value": number_text(types.get(name, 0)), "href": href})
    return found


def fields(request: ListRequest, counts: Counts) -> list[dict[str, Any]]:
    """The filter form. `counts` has the values there are and their users."""
    return [
        choices(request, "account_type", "Account", ACCOUNT_TYPES, counts),
        choices(request, "status", "Status", USER_STATUSES, counts),
        text_field(request, "search", "Name, e-mail or number", "Any part of it",
                   help="Three letters or more find any part; fewer, the beginning of an account number."),
        dates(request, "Joined"),
    ]  # fmt: skip


def chips(request: ListRequest) -> list[Chip]:
    """(label, value, the parameters that it stands for) of every filter in use."""
    return shared_chips(request, {"account_type": "Account", "status": "Status", "search": "Search"}, "Joined")
