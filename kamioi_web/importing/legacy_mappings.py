"""Writing the mappings of a legacy database, and putting the newest approved one of each merchant in force."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, func, or_, select, update

from kamioi_web.dialects import dialect_of
from kamioi_web.importing import legacy_rows
from kamioi_web.importing.legacy_rows import Normal
from kamioi_web.importing.legacy_run import Run
from kamioi_web.importing.legacy_source import Row
from kamioi_web.importing.legacy_write import merchants_of
from kamioi_web.schema import llm_mappings, merchants

MAPPING_COLUMNS = (
    "merchant_id",
    "ticker",
    "company",
    "category",
    "confidence",
    "status",
    "source",
    "source_ref",
    "model",
    "rationale",
    "decided_at",
    "version",
    "created_at",
)
MERCHANTS_AT_ONCE = 5_000


def write_mappings(run: Run, connection: Connection, rows: list[Row]) -> None:
    """Add the mappings that are not here yet, and the merchants that they speak of."""
    counts = run.counts("llm_mappings")
    found = run.normalise("llm_mappings", rows, legacy_rows.mapping)
    known = _known(connection, [normal.ref for normal in found])
    fresh = {}
    for normal in found:
        if normal.ref not in known:
            fresh[normal.ref] = normal
        elif known[normal.ref] == normal.values["descriptor"]:
            counts.known += 1
        else:
            run.reject(
                "llm_mappings", normal.row, f"another legacy database gave this id to {known[normal.ref][:80]!r}"
            )
    for normal in fresh.values():
        if normal.values["created_at"] is None:
            normal.values["created_at"] = run.started
    ids = _add(connection, list(fresh.values()))
    counts.added += len(ids)
    run.keep_raw(connection, "mapping", [(ids[ref], normal) for ref, normal in fresh.items() if normal.raw])


def put_in_force(connection: Connection, after: int) -> int | None:
    """Settle the next merchants after an id: newest approved legacy mapping in force, older ones superseded.

    A mapping from elsewhere that is in force stays so. Returns the last merchant settled, None when there is none.
    """
    m = llm_mappings.c
    mine = select(m.merchant_id).where(m.source == "legacy", m.merchant_id > after).group_by(m.merchant_id)
    mine = mine.order_by(m.merchant_id).limit(MERCHANTS_AT_ONCE)
    settled = list(connection.scalars(mine))
    if not settled:
        return None
    approved = (m.source == "legacy", m.status == "approved", m.merchant_id.between(settled[0], settled[-1]))
    _choose(connection, approved)
    in_force = select(merchants.c.mapping_id).where(merchants.c.id == m.merchant_id).scalar_subquery()
    older = update(llm_mappings).where(*approved, m.id != func.coalesce(in_force, 0))
    connection.execute(older.values(status="superseded"))
    return settled[-1]


def _choose(connection: Connection, approved: tuple[ColumnElement[bool], ...]) -> None:
    m = llm_mappings.c
    rank = func.row_number().over(partition_by=m.merchant_id, order_by=(m.created_at.desc(), m.id.desc()))
    chosen = ("id", "merchant_id", "ticker", "company", "category")
    newest = select(*(m[name] for name in chosen), rank.label("rank")).where(*approved).subquery()
    old = llm_mappings.alias("old")
    legacy = select(old.c.id).where(old.c.id == merchants.c.mapping_id, old.c.source == "legacy").exists()
    replaceable = or_(merchants.c.mapping_id.is_(None), legacy)
    change = update(merchants).where(merchants.c.id == newest.c.merchant_id, newest.c.rank == 1, replaceable)
    connection.execute(
        change.values(
            mapping_id=newest.c.id, ticker=newest.c.ticker, company=newest.c.company, category=newest.c.category
        )
    )


def _known(connection: Connection, refs: list[str]) -> dict[str, str]:
    query = select(llm_mappings.c.source_ref, merchants.c.descriptor)
    query = query.join(merchants, merchants.c.id == llm_mappings.c.merchant_id)
    return dict(connection.execute(query.where(llm_mappings.c.source_ref.in_(refs))).all())


def _add(connection: Connection, fresh: list[Normal]) -> dict[str, int]:
    if not fresh:
        return {}
    known = merchants_of(connection, fresh, "created_at")
    rows = (_as_tuple(normal, known[normal.values["descriptor"]][0]) for normal in fresh)
    dialect_of(connection).bulk_insert(connection, llm_mappings, MAPPING_COLUMNS, rows)
    m = llm_mappings.c
    query = select(m.source_ref, m.id).where(m.source_ref.in_([normal.ref for normal in fresh]))
    return dict(connection.execute(query).all())


def _as_tuple(normal: Normal, merchant_id: int) -> tuple:
    full: dict[str, Any] = {
        **normal.values,
        "merchant_id": merchant_id,
        "source": "legacy",
        "source_ref": normal.ref,
        "version": 1,
    }
    return tuple(full[name] for name in MAPPING_COLUMNS)
