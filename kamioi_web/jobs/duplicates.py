"""The job that removes duplicates: of a merchant's mappings that say the same, one stays and the others are superseded.

The one in force stays, or else the newest; nothing is deleted. Only mappings of the selection are superseded, whereas
the one that stays may lie outside of it.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select, update

from kamioi_web import audit
from kamioi_web.jobs import mapping_images
from kamioi_web.jobs.mapping_images import SUBJECT, Image
from kamioi_web.jobs.running import Chunk, Job, Pace
from kamioi_web.jobs.walking import walk
from kamioi_web.schema import llm_mappings, merchants
from kamioi_web.sql_types import AnyRow

STANDING = ("approved", "pending")
m, k = llm_mappings.c, merchants.c


def run(job: Job) -> dict[str, Any]:
    """Supersede the duplicates of the selection; `changed` were."""
    return walk(
        job,
        Pace(rows=100, least=20, most=500),
        lambda chunk, _, places: _supersede(chunk, job, [id for id, _ in places]),
    )


def _supersede(chunk: Chunk, job: Job, ids: Sequence[int]) -> int:
    connection, wanted = chunk.connection, set(ids)
    gone = [(row, stays) for row, stays in _duplicates(connection, ids) if row.id in wanted]
    if gone:
        values = {"status": "superseded", "version": m.version + 1, "claimed_by": None, "claimed_until": None}
        connection.execute(update(llm_mappings).where(m.id.in_([row.id for row, _ in gone])).values(values))
    images = [Image(row, {"status": "superseded", "version": row.version + 1}) for row, _ in gone]
    mapping_images.keep(connection, job.id, images)
    for row, stays in gone:
        told = {"job": job.id, "says the same as": stays.id}
        audit.record(connection, "mapping.superseded", job.admin_id, SUBJECT, row.id, told)
    return len(gone)


def _duplicates(connection: Connection, ids: Sequence[int]) -> list[tuple[AnyRow, AnyRow]]:
    """(the one that gives way, the one that stays) among all mappings of the merchants of these."""
    of = select(m.merchant_id).where(m.id.in_(ids))
    query = select(llm_mappings).where(m.merchant_id.in_(of), m.status.in_(STANDING)).order_by(m.id).with_for_update()
    alike: dict[tuple[Any, ...], list[AnyRow]] = defaultdict(list)
    for row in connection.execute(query):
        alike[row.merchant_id, row.ticker, row.category].append(row)
    several = [rows for rows in alike.values() if len(rows) > 1]
    in_force = select(k.mapping_id).where(k.id.in_({rows[0].merchant_id for rows in several}))
    first = set(connection.scalars(in_force)) if several else set()
    found = []
    for rows in several:
        stays = max(rows, key=lambda row: (row.id in first, row.created_at, row.id))
        found += [(row, stays) for row in rows if row.id != stays.id]
    return found
