"""Merchants: finding them by words, so that a search reads their own index streams and not the transactions."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, func, or_, select

from kamioi_web.dialects import Dialect, dialect_of
from kamioi_web.errors import BadRequest, NotFound
from kamioi_web.schema import merchants, totals_now
from kamioi_web.sql_types import AnyRow, AnySelect

m = merchants.c
MERGED = 50  # merchants whose streams one list merges; more are looked for by the bounded scan
NAMED = 2_000  # merchants that a scan compares each row with; of more, the row's own merchant is looked at
SHORTEST = 3  # letters that the text index needs; fewer are taken as a beginning


def find(connection: Connection, id: int) -> AnyRow:
    """One merchant by its id."""
    found = connection.execute(select(merchants).where(m.id == id)).first()
    if found is None:
        raise NotFound(f"There is no merchant {id}.")
    return found


def matching(connection: Connection, words: str, most: int = MERGED) -> tuple[int, ...] | None:
    """The ids of the merchants whose descriptor or name holds these words; None when they are more than `most`."""
    ids = connection.scalars(ids_matching(dialect_of(connection), words).limit(most + 1)).all()
    return tuple(sorted(ids)) if len(ids) <= most else None


def ids_matching(dialect: Dialect, words: str) -> AnySelect:
    """A query of the ids of all merchants that hold these words."""
    return dialect.merchant_ids(words) if len(words) >= SHORTEST else select(m.id).where(_starting(words))


def _starting(words: str) -> ColumnElement[bool]:
    starts = {words, words.upper(), words.lower(), words.title()}
    return or_(*(m.descriptor.between(start, start + "\U0010ffff") for start in sorted(starts)))


def holding(dialect: Dialect, words: str) -> ColumnElement[bool]:
    """Whether a merchant holds these words: of a merchant at hand, one by one, where `ids_matching` finds them all."""
    return dialect.holds(words, m.descriptor, m.name) if len(words) >= SHORTEST else _starting(words)


def named(connection: Connection, given: Mapping[str, Any]) -> dict[str, Any]:
    """What the filters `merchant` and `merchant_id` of a list stand for: `merchant`, its words; `merchant_ids`, those
    to merge; `merchants_named`, all of them where they are too many to merge and few enough to name."""
    if "merchant_id" in given and "merchant" in given:
        raise BadRequest("“merchant” and “merchant_id” both name a merchant; give one of them.", "merchant_id")
    if "merchant_id" in given:
        return {"merchant_ids": (find(connection, given["merchant_id"]).id,)}
    if "merchant" not in given:
        return {}
    ids = matching(connection, given["merchant"], NAMED)
    few = ids is not None and len(ids) <= MERGED
    return {"merchant": given["merchant"], "merchant_ids" if few else "merchants_named": ids}


def among(dialect: Dialect, column: ColumnElement[int], words: str, ids: tuple[int, ...] | None) -> ColumnElement[bool]:
    """Whether a row's merchant holds these words, at a cost for each row that does not grow with the merchants.

    Reading them all from the text index would be done anew for each window of a scan.
    """
    if ids is not None:  # written out: so many parameters would take longer than the window
        return column.in_(bindparam(None, ids, expanding=True, literal_execute=True))
    return select(holding(dialect, words)).where(m.id == column).scalar_subquery()


@dataclass(frozen=True)
class Trade:
    """The transactions of one merchant and, in the currency of most of them, their cents."""

    n: int
    currency: str
    currencies: int
    cents: int


NO_TRADE = Trade(0, "USD", 0, 0)


def trade_of(connection: Connection, ids: Collection[int]) -> dict[int, Trade]:
    """{merchant id: its transactions and their money}, from the per-merchant totals in one statement."""
    c = totals_now.c
    sums = [func.sum(c[name]).cast(c.n.type) for name in ("n", "amount_cents")]
    query = select(c.subject, c.currency, *sums).where(c.grain == "merchant", c.subject.in_(sorted(set(ids))))
    found: dict[int, list[AnyRow]] = {}
    for row in connection.execute(query.group_by(c.subject, c.currency)):
        found.setdefault(row[0], []).append(row)
    return {merchant: _trade(parts) for merchant, parts in found.items()}


def _trade(parts: Sequence[AnyRow]) -> Trade:
    """From rows of merchant, currency, n and amount."""
    there = [part for part in parts if part[2]]
    if not there:
        return NO_TRADE
    _, currency, _, cents = max(there, key=lambda part: (part[2], part[1]))
    return Trade(sum(part[2] for part in there), currency, len(there), cents)
