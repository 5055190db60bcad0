"""How much a database looks at for one page: the page's statements run again, counted by the database itself."""

import json
from collections.abc import Iterator
from typing import Any

from tests.benchmarks.target import Statement, Target


def touched_by(target: Target, statements: list[Statement]) -> dict[str, int]:
    """SQLite: steps of its virtual machine. PostgreSQL: rows read from tables and indexes, and 8 kB buffers."""
    if target.stored.kind == "sqlite":
        return {"steps": sum(_steps(target.raw, *statement) for statement in statements)}
    found = [_explained(target, *statement) for statement in statements]
    return {"rows": sum(rows for rows, _ in found), "buffers": sum(buffers for _, buffers in found)}


def touched_text(counts: dict[str, int]) -> str:
    """The counts for a table."""
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


def plan_of(target: Target, connection: Any, statement: Statement) -> str:
    """How the database would run a statement, without its guesses of costs."""
    text, given = statement
    if target.stored.kind == "sqlite":
        return "\n".join(row[3] for row in connection.execute("EXPLAIN QUERY PLAN " + text, given))
    return "\n".join(row[0] for row in connection.execute("EXPLAIN (COSTS OFF) " + text, given))


def _steps(connection: Any, statement: str, given: Any) -> int:
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    connection.set_progress_handler(count, 1)
    try:
        connection.execute(statement, given).fetchall()
    finally:
        connection.set_progress_handler(None, 0)
    return steps


def _explained(target: Target, statement: str, given: Any) -> tuple[int, int]:
    found = target.raw.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + statement, given).fetchone()[0]
    plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
    rows = sum(_rows_looked_at(node) for node in _nodes(plan) if "Scan" in node["Node Type"] and "Plans" not in node)
    return round(rows), plan.get("Shared Hit Blocks", 0) + plan.get("Shared Read Blocks", 0)


def _rows_looked_at(node: dict[str, Any]) -> float:
    thrown_away = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return (node["Actual Rows"] + thrown_away) * node["Actual Loops"]


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)
