"""schema.py says what sql/ makes: the same tables, columns, types, nullability and primary keys, on both databases."""

import pytest
from sqlalchemy import BigInteger, Boolean, Float, Table, inspect, text
from sqlalchemy.exc import DBAPIError

from kamioi_web import schema
from kamioi_web.db import Database
from kamioi_web.jobs import tables
from kamioi_web.mapping import tables as mapping_tables  # noqa: F401 - declares them
from kamioi_web.review import tables as review_tables
from kamioi_web.schema import Moment, metadata, totals_now

OWN = {"migrations", "totals_delta", "totals_mode", "transactions_default"}  # used by name, in SQL only
CHOICES = {
    ("transactions", "status"): schema.STATUSES,
    ("transactions", "account_type"): schema.ACCOUNT_TYPES,
    ("transactions", "source"): schema.SOURCES,
    ("admins", "role"): schema.ROLES,
    ("imports", "kind"): schema.IMPORT_KINDS,
    ("imports", "state"): schema.IMPORT_STATES,
    ("api_tokens", "scope"): schema.SCOPES,
    ("jobs", "state"): tables.STATES,
    ("decisions", "action"): review_tables.ACTIONS,
}


def test_every_table_is_described_and_every_description_exists(database: Database) -> None:
    with database.reading() as connection:
        made = {
            name
            for name in inspect(connection).get_table_names()
            if not name.startswith(("merchants_text", "users_text"))
        }
    partitions = {name for name in made if name.startswith("transactions_20")}
    assert made - OWN - partitions == set(metadata.tables)


def test_columns_are_as_the_sql_makes_them(database: Database) -> None:
    for table in metadata.tables.values():
        assert_as_made(database, table)


def assert_as_made(database: Database, table: Table) -> None:
    with database.reading() as connection:
        inspector = inspect(connection)
        made = {column["name"]: column for column in inspector.get_columns(table.name)}
        key = set(inspector.get_pk_constraint(table.name)["constrained_columns"])
    assert list(made) == [column.name for column in table.c], "the order matters to INSERT .. SELECT"
    for column in table.c:
        real = made[column.name]
        # A rowid alias of SQLite is never null, whatever it says.
        assert column.nullable == (real["nullable"] and column.name not in key), column.name
        assert kind_made(database, real["type"]) == kind_wanted(database, column.type), column.name
    partitioned = {"posted_at"} if table.name == "transactions" and database.dialect.partitions else set()
    assert key == {column.name for column in table.primary_key} | partitioned


def kind_made(database: Database, type: object) -> str:
    name = str(type).split()[0].split("(")[0]
    return {"BIGINT": "integer", "INTEGER": "integer", "REAL": "float", "DOUBLE": "float", "TIMESTAMP": "moment"}.get(
        name, name.lower()
    )


def kind_wanted(database: Database, type: object) -> str:
    on_sqlite = database.dialect.name == "sqlite"
    if isinstance(type, Moment):
        return "integer" if on_sqlite else "moment"
    if isinstance(type, Boolean):
        return "integer" if on_sqlite else "boolean"
    return "integer" if isinstance(type, BigInteger) else "float" if isinstance(type, Float) else "text"


def test_the_view_of_totals_has_the_columns_of_the_totals(database: Database) -> None:
    with database.reading() as connection:
        made = [column["name"] for column in inspect(connection).get_columns("totals_now")]
    assert made == [column.name for column in totals_now.c]


def test_the_database_takes_the_words_that_the_code_knows_and_no_others(database: Database) -> None:
    for place, values in CHOICES.items():
        assert_takes_only(database, place, values)


def assert_takes_only(database: Database, place: tuple[str, str], values: tuple[str, ...]) -> None:
    table, column = place
    plain = {
        "transactions": "user_id, merchant_id, amount_cents, currency, category, source_ref, created_at, posted_at, "
        "status, account_type, source",
        "admins": "email, password_hash, created_at, role",
        "imports": "kind, file_name, fingerprint, settings, state, checkpoint, started_at",
        "jobs": "kind, queue, title, parameters, due_at, created_at, state",
        "decisions": "at, admin_id, mapping_id, merchant_id, before, action",
        "api_tokens": "token_hash, prefix, admin_id, name, created_at, expires_at, scope",
    }[table]
    for number, word in enumerate((*values, "nonsense", values[0].upper(), "")):
        given = {name: f"{place} {number}" if name in UNIQUE else 1 for name in plain.split(", ")}
        given |= {"currency": "USD", "category": "Dining", "password_hash": "none", "status": "failed",
                  "account_type": "family", "source": "bank", "kind": "legacy", "state": "done",
                  "at": MOMENT, "posted_at": MOMENT, "created_at": MOMENT, "started_at": MOMENT}  # fmt: skip
        given = {name: given[name] for name in plain.split(", ")} | {column: word}
        marks = ", ".join(f"{MOMENT_SQL[database.dialect.name]}" if is_moment(name) else f":{name}" for name in given)
        statement = text(f"INSERT INTO {table} ({', '.join(given)}) VALUES ({marks})")
        bound = {name: value for name, value in given.items() if not is_moment(name)}
        if word in values:
            with database.writing() as connection:
                connection.execute(statement, bound)
        else:
            with pytest.raises(DBAPIError, match=r"(?i)check"), database.writing() as connection:
                connection.execute(statement, bound)


def is_moment(name: str) -> bool:
    return name == "at" or name.endswith("_at")


UNIQUE = ("source_ref", "email", "token_hash", "fingerprint")
MOMENT = "1710406800000000"
MOMENT_SQL = {"sqlite": MOMENT, "postgresql": "'2024-03-14Z'::timestamptz"}


def test_audit_events_cannot_be_changed(database: Database) -> None:
    with database.writing() as connection:
        at = MOMENT_SQL[database.dialect.name]
        connection.execute(text(f"INSERT INTO audit_events (at, action) VALUES ({at}, 'tested')"))
    for statement in ("UPDATE audit_events SET action = 'hidden'", "DELETE FROM audit_events"):
        with pytest.raises(DBAPIError, match="append-only"), database.writing() as connection:
            connection.execute(text(statement))
