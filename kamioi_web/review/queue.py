"""The review queue: proposals that wait, the ones with the most money waiting first, and who looks at which.

A place in the queue is `cents~id`, the weight and the id of a proposal; what comes behind it is read by key. A claim
keeps others away from a proposal for some minutes; it is a courtesy, for only the version decides who was first.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Connection, literal, literal_column, or_, select, tuple_, update

from kamioi_web.dialects import dialect_of
from kamioi_web.errors import BadRequest
from kamioi_web.paging.cursor import MAX_ID
from kamioi_web.schema import llm_mappings, merchants
from kamioi_web.sql_types import AnyRow, AnySelect

CLAIM_SECONDS = 300
m = llm_mappings.c


class Spot(NamedTuple):
    """A place in the queue."""

    cents: int
    id: int

    def __str__(self) -> str:
        return f"{self.cents}~{self.id}"

    @classmethod
    def parse(cls, text: str, name: str) -> "Spot":
        """Read it strictly; BadRequest names the parameter."""
        cents, mark, id = text.partition("~")
        if mark and id.isascii() and id.isdigit() and cents.removeprefix("-").isdigit() and cents.isascii():
            spot = cls(int(cents), int(id))
            if abs(spot.cents) <= MAX_ID and spot.id <= MAX_ID:
                return spot
        raise BadRequest(f"“{name}” is a place in the queue, such as 4891100~17; not “{text[:40]}”.", name)


def spot_of(row: AnyRow) -> Spot:
    """Where a proposal stands."""
    return Spot(row.waiting_cents, row.id)


def behind(connection: Connection, spot: Spot | None, admin_id: int, most: int) -> Sequence[AnyRow]:
    """The next proposals behind a place that nobody else looks at, with their merchants; from the top without one.

    Index: llm_mappings_review. Passed over are only those that others have claimed, a few for each reviewer.
    """
    query = _whole().where(_waits(), _free(connection, admin_id))
    if spot is not None:
        place = tuple_(literal(spot.cents, BigInteger), literal(spot.id, BigInteger))
        query = query.where(m.waiting_cents <= spot.cents, tuple_(m.waiting_cents, m.id) < place)
    return connection.execute(query.order_by(m.waiting_cents.desc(), m.id.desc()).limit(most)).fetchall()


def find(connection: Connection, id: int) -> AnyRow | None:
    """One proposal with its merchant, whoever looks at it and whatever became of it."""
    return connection.execute(_whole().where(m.id == id)).first() if id <= MAX_ID else None


def claim(connection: Connection, admin_id: int, ids: Sequence[int]) -> set[int]:
    """Keep these proposals for a reviewer for some minutes; which of them are theirs now."""
    until = dialect_of(connection).later(CLAIM_SECONDS)
    here = (m.id.in_(sorted(ids)), m.status == "pending", _free(connection, admin_id))
    kept = update(llm_mappings).where(*here).values(claimed_by=admin_id, claimed_until=until)
    return set(connection.scalars(kept.returning(m.id)))


def release(connection: Connection, admin_id: int, ids: Sequence[int]) -> None:
    """Give back what a reviewer has skipped."""
    here = (m.id.in_(sorted(ids)), m.claimed_by == admin_id)
    connection.execute(update(llm_mappings).where(*here).values(claimed_by=None, claimed_until=None))


def _waits() -> ColumnElement[bool]:
    """To the letter as the partial index says it."""
    return m.status == literal_column("'pending'")


def _free(connection: Connection, admin_id: int) -> ColumnElement[bool]:
    now = dialect_of(connection).later(0)
    return or_(m.claimed_until.is_(None), m.claimed_until < now, m.claimed_by == admin_id)


def _whole() -> AnySelect:
    carried = (merchants.c.ticker.label("now_ticker"), merchants.c.mapping_id.label("in_force"))
    named = (merchants.c.name.label("merchant"), merchants.c.descriptor, *carried)
    joined = llm_mappings.outerjoin(merchants, merchants.c.id == m.merchant_id)
    return select(llm_mappings, *named).select_from(joined)
