"""One mapping: itself with its merchant and who decided, and what else was decided about that merchant."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from kamioi_web.errors import NotFound
from kamioi_web.paging.cursor import MAX_ID
from kamioi_web.schema import admins, llm_mappings, merchants
from kamioi_web.sql_types import AnyRow, AnySelect

m = llm_mappings.c
MOST = 50  # other decisions that one page shows


def find(connection: Connection, id: int) -> AnyRow:
    """A mapping with its merchant, the mapping in force there (`in_force`) and the `decider`'s e-mail; or NotFound."""
    found = connection.execute(_whole().where(m.id == id)).first() if id <= MAX_ID else None
    if found is None:
        raise NotFound(f"There is no mapping {str(id)[:40]}.")
    return found


def others(connection: Connection, mapping: AnyRow) -> Sequence[AnyRow]:
    """The other mappings of its merchant, newest first, at most MOST and one. Index: llm_mappings_of_merchant."""
    query = _whole().where(m.merchant_id == mapping.merchant_id, m.id != mapping.id)
    return connection.execute(query.order_by(m.created_at.desc(), m.id.desc()).limit(MOST + 1)).fetchall()


def _whole() -> AnySelect:
    merchant = (merchants.c.name.label("merchant"), merchants.c.descriptor, merchants.c.mapping_id.label("in_force"))
    joined = llm_mappings.outerjoin(merchants, merchants.c.id == m.merchant_id)
    joined = joined.outerjoin(admins, admins.c.id == m.decided_by)
    return select(llm_mappings, *merchant, admins.c.email.label("decider")).select_from(joined)
