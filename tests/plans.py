"""How a request reads: its statements, and how each database would carry them out."""

import json
import re
from collections.abc import Iterator
from typing import Any

from flask.testing import FlaskClient
from helpers import get, statements_of

from kamioi_web import migrations
from kamioi_web.db import Database
from kamioi_web.filters import parse_filters

DEAR = ("seqscan", "bitmapscan", "sort")
Statements = list[tuple[str, Any]]


def look(client: FlaskClient, address: str) -> Statements:
    """What a request reads, without the session's look-up and the limits."""
    with statements_of(client.application.extensions["database"].reader) as seen:
        get(client, address)
    return [
        (statement, values)
        for statement, values in seen
        if "FROM admin_sessions" not in statement and "SET" not in statement[:3]
    ]


def on_rows(seen: Statements, table: str = "transactions") -> Statements:
    """Those that read a table."""
    return [(statement, values) for statement, values in seen if re.search(rf"FROM {table}\b", statement)]


def plan_of(database: Database, subject: Any, values: dict[str, list[str]]) -> Any:
    """The plan that a list's query module makes of a filter."""
    with database.reading() as connection:
        return subject.plan(connection, subject.resolve(connection, parse_filters(subject.PARAMETERS, values)))


def assert_frugal(statement: str, values: Any, order: tuple[str, ...] = ("posted_at", "id")) -> None:
    """No count, and no offset but the skip of index entries."""
    assert "COUNT(" not in statement.upper(), statement
    if "OFFSET" in statement and not (isinstance(values, tuple) and offset_of(statement, values) == 0):
        columns = re.findall(r"\w+\.(\w+) AS|SELECT \w+\.(\w+), \w+\.(\w+)", statement)
        assert {name for found in columns for name in found if name} <= set(order), statement


def offset_of(statement: str, values: tuple[Any, ...]) -> int:
    """The offset that SQLite is given; SQLAlchemy writes one of 0 beside every limit."""
    return values[statement.partition("OFFSET ?")[0].count("?")]


def bounded(statement: str, table: str = "transactions") -> bool:
    """Whether the statement on the rows has a bound that its index should serve."""
    return "WHERE" in statement.partition(f"FROM {table}")[2].partition("ORDER BY")[0]


def sqlite_plan(database: Database, statement: str, values: Any) -> Iterator[list[str]]:
    """The lines of a plan that are carried out together: those with the same parent."""
    with database.reading() as connection:
        lines = connection.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, values).fetchall()
    for parent in {line[1] for line in lines}:
        yield [line[3] for line in lines if line[1] == parent]


def postgres_plan(database: Database, statement: str, values: Any, dear: tuple[str, ...] = DEAR) -> dict[str, Any]:
    """The plan as PostgreSQL tells it; what is `dear` where tables are large is made dear here too."""
    with database.reading() as connection:
        for way in dear:
            connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
        found: Any = connection.exec_driver_sql("EXPLAIN (FORMAT JSON) " + statement, values).scalar()
    return (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]


def nodes(plan: dict[str, Any], table: str = "transactions") -> Iterator[tuple[dict[str, Any], bool]]:
    """Every node of a plan, and whether all that it takes in of the table comes from below a limit."""
    yield plan, all(_limited(child, table) for child in plan.get("Plans", []))
    for child in plan.get("Plans", []):
        yield from nodes(child, table)


def _limited(plan: dict[str, Any], table: str) -> bool:
    if plan["Node Type"] == "Limit":
        return True
    if table in plan.get("Relation Name", ""):
        return False
    return all(_limited(child, table) for child in plan.get("Plans", []))


def index_columns() -> dict[str, str]:
    """{index: its columns joined with underscores}, as PostgreSQL names the indexes of partitions."""
    script = (migrations.FOLDER / "database_indexes.sql").read_text()
    found = re.findall(r"INDEX IF NOT EXISTS (\w+) ON \w+ \(([\w, ]+)\)", script)
    return {name: columns.replace(", ", "_") for name, columns in found}
