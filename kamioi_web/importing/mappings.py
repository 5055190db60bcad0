"""Importing mappings: a merchant's name and its ticker, decided by whoever uploads them."""

import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, or_, select, update

from kamioi_web.db import Database
from kamioi_web.dialects import dialect_of
from kamioi_web.importing.columns import MAPPINGS, Columns
from kamioi_web.importing.detect import describe, find_layout
from kamioi_web.importing.model import ImportOptions, ImportReport, Progress, Reject
from kamioi_web.importing.names import readable
from kamioi_web.importing.purchases import read_category, read_descriptor
from kamioi_web.importing.rows import SEPARATOR, Row, RowReader, digest
from kamioi_web.importing.run import Job, run
from kamioi_web.jobs.mapping import order_apply
from kamioi_web.loading import find_or_add_merchants
from kamioi_web.review import weights
from kamioi_web.schema import llm_mappings, merchants, to_micros

AT_ONCE = 500
TICKER = re.compile(r"[A-Z][A-Z0-9]{0,5}([.-][A-Z]{1,2})?", re.ASCII)
SHARE = re.compile(r"(\d{1,3}(?:[.,]\d{1,6})?|[.,]\d{1,6})\s*(%)?", re.ASCII)
COLUMNS = (
    "merchant_id", "ticker", "company", "category", "confidence", "status", "source", "source_ref", "rationale",
    "decided_at", "version", "created_at",
)  # fmt: skip
TEXT_LIMIT = 1_000


class MappingItem(NamedTuple):
    """One row of a mapping file; a ticker of None says that the merchant belongs to no listed company."""

    descriptor: str
    ticker: str | None
    company: str | None
    category: str | None
    confidence: float
    notes: str | None
    reference: str


def import_mappings(
    database: Database, path: Path, options: ImportOptions, progress: Callable[[Progress], None]
) -> ImportReport:
    """Import a file of mappings; each is approved and becomes the one in force, the later of two for one merchant.

    A row that was imported before, from whatever file, changes nothing.
    """
    return run(database, plan_mappings(path, options), options, progress)


def plan_mappings(path: Path, options: ImportOptions) -> Job:
    """How this file is read. KamioiError when it cannot be understood."""
    layout = find_layout(path, MAPPINGS, options)
    rows = MappingReader(layout.columns)
    reader = RowReader(layout.header, lambda row, chain: rows.read(row, chain)[0], rows.read)
    settings = {"columns": {field: list(places) for field, places in layout.columns.items()}}
    store = MappingStore(options.admin_id)
    return Job("mappings", path, layout, reader, store, settings, describe(layout), chained=False)


class MappingReader:
    """Reads records whose columns are known."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns

    def read(self, row: Row, chain: str) -> list[MappingItem]:
        """The mapping in this record, its reference a digest of what it says."""
        descriptor = read_descriptor(self._text(row, "merchant"))
        ticker = read_ticker(self._text(row, "ticker"))
        company, notes = (_bounded(self._text(row, field), field) for field in ("company", "notes"))
        category = read_category(self._text(row, "category"))
        confidence = read_confidence(self._text(row, "confidence"))
        said = (descriptor, ticker, company, category, f"{confidence:.6f}", notes)
        reference = f"upload:{digest(SEPARATOR.join(part or '' for part in said))}"
        return [MappingItem(descriptor, ticker, company, category, confidence, notes, reference)]

    def _text(self, row: Row, field: str) -> str:
        return next((row[place] for place in self.columns.get(field, ()) if row[place].strip()), "")


def read_ticker(text: str) -> str | None:
    """A ticker in capitals; None when blank."""
    ticker = text.strip().upper()
    if ticker and not TICKER.fullmatch(ticker):
        raise Reject("ticker: does not look like one")
    return ticker or None


def read_confidence(text: str) -> float:
    """From 0 to 1: 93 %, 93 and 0.93 are the same; 1 when blank. A plain 1 is the whole, not one per cent."""
    if not text.strip():
        return 1.0
    found = SHARE.fullmatch(text.strip())
    if not found:
        raise Reject("confidence: not a share that can be read")
    value = float(found[1].replace(",", "."))
    share = value / 100 if found[2] or value > 1 else value
    if share > 1:
        raise Reject("confidence: above 100 %")
    return round(share, 6)


class MappingStore:
    """Stores batches of mappings, puts them in force, and has their merchants' open transactions changed by jobs."""

    def __init__(self, admin_id: int | None = None) -> None:
        self.now, self.admin_id = datetime.now(UTC), admin_id

    def save(self, connection: Connection, items: list[MappingItem]) -> int:
        """Store them and return how many were new."""
        # Imports of transactions that have read the merchants are waited for, so that what is open is seen here.
        dialect_of(connection).lock(connection, weights.MAPPING)
        dialect_of(connection).lock(connection, "mappings")
        known = _ids(connection, [item.reference for item in items])
        fresh = {item.reference: item for item in items if item.reference not in known}
        if not fresh:
            return 0
        now = to_micros(self.now)
        seen = {item.descriptor: (readable(item.descriptor), now, now) for item in fresh.values()}
        found = find_or_add_merchants(connection, seen)
        rows = [_row(found[item.descriptor][0], item, now) for item in fresh.values()]
        added = dialect_of(connection).bulk_insert(connection, llm_mappings, COLUMNS, rows)
        in_force = {found[item.descriptor][0]: item for item in fresh.values()}
        ids = _ids(connection, list(fresh))
        _put_in_force(connection, {merchant: (ids[item.reference], item) for merchant, item in in_force.items()})
        self._order_apply(connection, sorted(in_force))
        return added

    def _order_apply(self, connection: Connection, merchant_ids: list[int]) -> None:
        """In the transaction of the batch, for those that have open transactions."""
        opened: list[int] = []
        for start in range(0, len(merchant_ids), AT_ONCE):
            opened += weights.with_open(connection, merchant_ids[start : start + AT_ONCE])
        for start in range(0, len(opened), AT_ONCE):
            order_apply(connection, self.admin_id, opened[start : start + AT_ONCE], "that were uploaded")

    def sums(self, items: list[MappingItem]) -> Counter[str]:
        """Mappings have no amounts."""
        return Counter()

    def show(self, item: MappingItem) -> dict[str, Any]:
        """One of them as it would be stored."""
        return item._asdict()


def _row(merchant_id: int, item: MappingItem, now: int) -> tuple[Any, ...]:
    return (
        merchant_id, item.ticker, item.company, item.category, item.confidence, "approved", "upload", item.reference,
        item.notes, now, 1, now,
    )  # fmt: skip


def _ids(connection: Connection, references: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for start in range(0, len(references), AT_ONCE):
        some = llm_mappings.c.source_ref.in_(references[start : start + AT_ONCE])
        query = select(llm_mappings.c.source_ref, llm_mappings.c.id).where(some)
        found |= {row.source_ref: row.id for row in connection.execute(query)}
    return found


def _put_in_force(connection: Connection, chosen: dict[int, tuple[int, MappingItem]]) -> None:
    """{merchant: (mapping, item)}: that mapping is the merchant's; others that are approved or wait are superseded."""
    t = llm_mappings.c
    others = (
        (t.merchant_id == bindparam("merchant"))
        & (t.id != bindparam("mapping"))
        & or_(t.status == "approved", t.status == "pending")
    )
    gone = {"status": "superseded", "version": t.version + 1, "claimed_by": None, "claimed_until": None}
    supersede = update(llm_mappings).where(others).values(gone)
    pairs = [{"merchant": merchant, "mapping": mapping} for merchant, (mapping, _) in chosen.items()]
    connection.execute(supersede, pairs)
    set_mapping = (
        update(merchants)
        .where(merchants.c.id == bindparam("merchant"))
        .values({name: bindparam(f"new_{name}") for name in ("mapping_id", "ticker", "company", "category")})
    )
    values = [
        {"merchant": merchant, "new_mapping_id": mapping, "new_ticker": item.ticker, "new_company": item.company,
         "new_category": item.category}
        for merchant, (mapping, item) in chosen.items()
    ]  # fmt: skip
    connection.execute(set_mapping, values)


def _bounded(text: str, field: str) -> str | None:
    value = text.strip()
    if len(value) > TEXT_LIMIT or "\0" in value:
        raise Reject(f"{field}: longer than {TEXT_LIMIT:,} characters, or with a NUL in it")
    return value or None
