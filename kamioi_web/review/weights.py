"""How much money waits for each proposal: the order of the review queue.

A weight is set when a proposal is made and whenever an import adds to its merchant; the page itself shows the exact
sum, read from the totals at that moment.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, func, select, update

from kamioi_web.schema import llm_mappings, totals_now
from kamioi_web.sql_types import AnySelect

MAPPING = "mapping"  # the lock that batches of imports share, so that a decision knows when it has come through
WAITING = ("pending", "needs_review")  # transactions that wait for their merchant to be mapped
OPEN = (*WAITING, "mapped")  # those that a mapping may still change
AT_ONCE = 500
m, s = llm_mappings.c, totals_now.c


def weigh(connection: Connection, merchant_ids: Collection[int]) -> None:
    """Set the weight of every proposal for these merchants to what waits for it now."""
    ids = sorted(merchant_ids)
    for start in range(0, len(ids), AT_ONCE):
        some = m.merchant_id.in_(ids[start : start + AT_ONCE])
        waiting = func.coalesce(_waiting().scalar_subquery(), 0)
        connection.execute(update(llm_mappings).where(some, m.status == "pending").values(waiting_cents=waiting))


def with_open(connection: Connection, merchant_ids: Sequence[int]) -> Sequence[int]:
    """Those of these merchants that have transactions which a mapping may still change, in order."""
    here = (s.grain == "merchant", s.subject.in_(merchant_ids), s.ticker == "", s.status.in_(OPEN))
    found = select(s.subject).where(*here).group_by(s.subject).having(func.sum(s.n) > 0)
    return connection.scalars(found.order_by(s.subject)).all()


def weigh_all(connection: Connection) -> None:
    """Set the weight of every proposal, after many came at once."""
    waiting = func.coalesce(_waiting().scalar_subquery(), 0)
    connection.execute(update(llm_mappings).where(m.status == "pending").values(waiting_cents=waiting))


def _waiting() -> AnySelect:
    here = (s.grain == "merchant", s.subject == m.merchant_id, s.ticker == "", s.status.in_(WAITING))
    return select(func.sum(s.amount_cents)).where(*here).correlate(llm_mappings)
