"""The job that counts the rows of a filter exactly, and sums their money, where no totals tell: in one snapshot."""

from collections import Counter
from typing import Any

from sqlalchemy import Connection

from kamioi_web import totals
from kamioi_web.dialects import dialect_of
from kamioi_web.jobs.of_list import filters_of, plan_of, table_of
from kamioi_web.jobs.running import Job
from kamioi_web.jobs.telling import Telling
from kamioi_web.paging.keyset import Plan, sums
from kamioi_web.paging.whole import STATEMENT_SECONDS, windows

MONEY = ("amount_cents", "round_up_cents", "fee_cents")


def run(job: Job) -> dict[str, Any]:
    """Count them; `n` are the rows, `sums` their cents by currency, `at` is the moment at which it was so."""
    listing = table_of(job.parameters).subject.LISTING
    has_money = "currency" in listing.table.c
    keys, measures = (("currency",), MONEY) if has_money else ((), ())
    found: dict[str, Counter[str]] = {}
    with job.database.snapshot(STATEMENT_SECONDS) as (connection, at):
        plan = plan_of(connection, job)
        tell, searched = Telling(job, _entries(connection, job, plan)), 0
        for window, size in windows(connection, listing, plan):
            for row in sums(connection, listing, plan, window, keys, measures):
                code, values = (row[0], row[1:]) if has_money else ("", row)
                found.setdefault(code, Counter()).update(dict(zip(("n", *measures), values, strict=True)))
            searched += size
            tell(min(searched, tell.rows_total) if tell.rows_total is not None else searched)
    n = sum(part["n"] for part in found.values())
    job.note(tell.rows_total if tell.rows_total is not None else n, tell.rows_total)
    return {"n": n, "at": at.isoformat()} | ({"sums": found} if has_money else {})


def _entries(connection: Connection, job: Job, plan: Plan) -> int | None:
    """How many index entries there are to be looked at; None where no totals tell: of a part of the list."""
    if len(plan.streams) != 1 or plan.streams[0].clauses:
        return None
    dialect_of(connection).limit_reads(connection, STATEMENT_SECONDS)
    table = table_of(job.parameters)
    dates = [pair for pair in job.parameters["filter"] if pair[0] in ("since", "until")]
    part = table.subject.slice_of(filters_of(connection, table, dates))
    return sum(row[0] for row in totals.read(connection, part, ())) if part else None
