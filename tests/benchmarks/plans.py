"""Whether statistics change a plan: every statement of every page explained as it is, analysed, and without any."""

import re
import sqlite3
from collections.abc import Callable
from typing import Any

from tests.benchmarks.places import Case
from tests.benchmarks.report import Report
from tests.benchmarks.target import Statement, Target, connect
from tests.benchmarks.touched import plan_of

TABLES = "('transactions', 'merchants', 'users', 'totals', 'totals_delta', 'admins', 'admin_sessions')"
# The tables themselves, their partitions and the indexes of both, as if nothing had ever looked at them.
FORGET = f"""
WITH RECURSIVE mine AS (
  SELECT oid FROM pg_class WHERE relname IN {TABLES}
  UNION SELECT inhrelid FROM pg_inherits JOIN mine ON inhparent = mine.oid),
every AS (SELECT oid FROM mine UNION SELECT indexrelid FROM pg_index JOIN mine ON indrelid = mine.oid),
gone AS (DELETE FROM pg_statistic WHERE starelid IN (SELECT oid FROM every))
UPDATE pg_class SET reltuples = -1, relpages = 0, relallvisible = 0 WHERE oid IN (SELECT oid FROM every)
"""


def compare(report: Report, target: Target, cases: list[Case]) -> None:
    """Report each statement that reads its tables another way in one of the three; nothing stays in the database."""
    pages: dict[str, list[str]] = {}
    examples: dict[str, Statement] = {}
    for case in cases:
        for statement in target.statements(case.path, kept=False):
            pages.setdefault(statement[0], []).append(case.name)
            examples[statement[0]] = statement
    report.say(f"{target.name}: explaining {len(examples)} statements, then ANALYZE, then without statistics")
    plans = _three(target, list(examples.values()))
    rows = [
        (f"{pages[text][0]} and {len(set(pages[text])) - 1} more", table, *(some.get(table, "–") for some in ways))
        for text, ways in ((text, [accesses(plan[text]) for plan in plans]) for text in examples)
        for table in sorted(set().union(*ways))
        if len({some.get(table) for some in ways}) > 1
    ]
    same = sum(len({plan[text] for plan in plans}) == 1 for text in examples)
    notes = [
        f"{same} of {len(examples)} statements have the same plan to the letter; a partitioned table is one table."
    ]
    columns = ("page", "table", "as it is", "analysed", "without statistics")
    report.table(f"Plans that statistics change, {target.name}", columns, rows, notes)
    changed = [row for row in rows if row[1] == "transactions" and len(set(map(_indexes, row[2:]))) > 1]
    report.goal(f"{target.name}: statements that use other indexes of transactions", float(len(changed)), most=0)


Plans = dict[str, str]
PARTITION = re.compile(r"_(\d{4}_\d\d|default)(_\d+)?(?=_|\b)")
POSTGRES = re.compile(r"(Seq|Index Only|Index|Bitmap Heap|Bitmap Index) Scan(?: Backward)?(?: using (\w+))? on (\w+)")
SQLITE = re.compile(r"(SCAN|SEARCH) (\w+)(?: USING (?:COVERING )?(?:INDEX )?(\w+(?: PRIMARY KEY)?))?")


def accesses(plan: str) -> dict[str, str]:
    """{table: the ways in which the plan reaches it}."""
    found: dict[str, set[str]] = {}
    table = ""
    for line in PARTITION.sub("", plan).splitlines():
        if match := SQLITE.search(line):
            found.setdefault(match[2], set()).add(f"{match[1]} {match[3] or ''}".strip())
        elif (match := POSTGRES.search(line)) and match[1] == "Bitmap Index":
            found[table].add(f"Bitmap {match[3]}")
        elif match:
            table = match[3]
            ways = found.setdefault(table, set())
            if match[1] != "Bitmap Heap":  # its index follows on the next line
                ways.add(f"{match[1]} {match[2] or 'Scan'}")
    return {table: ", ".join(sorted(ways)) for table, ways in found.items()}


def _indexes(ways: str) -> frozenset[str]:
    return frozenset(way.split()[-1] for way in ways.split(", "))


def _three(target: Target, statements: list[Statement]) -> list[Plans]:
    connection = connect(target.stored.url)
    forget = _forget_sqlite if target.stored.kind == "sqlite" else _forget_postgres
    steps: list[Callable[[Any], Any]] = [lambda _: None, lambda connection: connection.execute("ANALYZE"), forget]
    connection.execute("BEGIN")
    try:
        return [_explained(target, connection, statements, step) for step in steps]
    finally:
        connection.execute("ROLLBACK")
        connection.close()


def _explained(target: Target, connection: Any, statements: list[Statement], step: Callable[[Any], Any]) -> Plans:
    step(connection)
    return {statement[0]: plan_of(target, connection, statement) for statement in statements}


def _forget_sqlite(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM sqlite_stat1")
    connection.execute("ANALYZE sqlite_schema")  # reads the statistics, of which there are none, into this connection


def _forget_postgres(connection: Any) -> None:
    connection.execute(FORGET)
