"""Merchants: finding them by words, so that a search reads their own index streams and not the transactions."""

from sqlalchemy import Connection, or_, select

from kamioi_web.dialects import Dialect, dialect_of
from kamioi_web.errors import NotFound
from kamioi_web.schema import merchants
from kamioi_web.sql_types import AnyRow, AnySelect

MERGED = 50  # merchants whose streams one list merges; more are looked for by the bounded scan
SHORTEST = 3  # letters that the text index needs; fewer are taken as a beginning


def find(connection: Connection, id: int) -> AnyRow:
    """One merchant by its id."""
    found = connection.execute(select(merchants).where(merchants.c.id == id)).first()
    if found is None:
        raise NotFound(f"There is no merchant {id}.")
    return found


def matching(connection: Connection, words: str) -> tuple[int, ...] | None:
    """The ids of the merchants whose descriptor or name holds these words; None when they are more than 50."""
    ids = connection.scalars(ids_matching(dialect_of(connection), words).limit(MERGED + 1)).all()
    return tuple(sorted(ids)) if len(ids) <= MERGED else None


def ids_matching(dialect: Dialect, words: str) -> AnySelect:
    """A query of the ids of all merchants that hold these words."""
    query = select(merchants.c.id)
    if len(words) >= SHORTEST:
        return query.where(dialect.merchant_has(words))
    starts = {words, words.upper(), words.lower(), words.title()}
    return query.where(or_(*(merchants.c.descriptor.between(start, start + "\U0010ffff") for start in sorted(starts))))
