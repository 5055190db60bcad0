"""Migrations: once each, never changed, taking turns; indexes and partitions that can be made again."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import _run_alone
from helpers import random_rows
from sqlalchemy import inspect, select, text

from kamioi_web import doctor, loading, migrations, totals
from kamioi_web.db import Database
from kamioi_web.errors import KamioiError
from kamioi_web.schema import from_micros, transactions
from kamioi_web.settings import Settings


def described(database: Database) -> dict[str, list[tuple]]:
    """Every table with its columns and indexes."""
    with database.reading(60) as connection:
        inspector = inspect(connection)
        return {
            name: [tuple(map(str, column.values())) for column in inspector.get_columns(name)]
            + sorted((index["name"], tuple(index["column_names"])) for index in inspector.get_indexes(name))
            for name in inspector.get_table_names()
        }


def test_migrating_again_changes_nothing(database: Database, make_transactions: Callable[..., None]) -> None:
    make_transactions(random_rows(20))
    before = described(database)
    assert migrations.migrate(database) == []
    assert described(database) == before
    assert list(totals.check(database)) == []


def test_a_migration_that_was_changed_afterwards_is_refused(
    database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "sql"
    folder.mkdir()
    for path in migrations.FOLDER.glob("*.sql"):
        (folder / path.name).write_text(path.read_text())
    monkeypatch.setattr(migrations, "FOLDER", folder)
    assert migrations.migrate(database) == []
    first = migrations.steps(database.dialect.name)[0]
    first.write_text(first.read_text() + "-- a comment\n")
    with pytest.raises(KamioiError, match=f"{first.name} was changed after it was applied"):
        migrations.migrate(database)


def test_a_migration_that_fails_leaves_nothing_behind(
    database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "sql"
    folder.mkdir()
    for path in migrations.FOLDER.glob("*.sql"):
        (folder / path.name).write_text(path.read_text())
    broken = folder / "0099_broken.sql"
    broken.write_text("CREATE TABLE half (id integer);\nCREATE TABLE half (id integer);\n")
    monkeypatch.setattr(migrations, "FOLDER", folder)
    with pytest.raises(Exception, match="half"):
        migrations.migrate(database)
    with database.reading() as connection:
        assert "half" not in inspect(connection).get_table_names()
        assert migrations.pending(connection, database.dialect.name) == ["0099_broken.sql"]
    broken.write_text("CREATE TABLE half (id integer);\n")
    assert migrations.migrate(database) == ["0099_broken.sql"]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a database in which nothing was ever made."""
    if request.param == "sqlite":
        yield Settings(database_url=f"sqlite:///{tmp_path / 'new.db'}", _env_file=None)
        return
    server = request.getfixturevalue("postgres_server")
    admin = Settings(database_url=server.replace("DATABASE", "postgres"))
    name = f"new_{abs(hash(request.node.nodeid)) % 10**10}"
    _run_alone(admin, f"CREATE DATABASE {name}")
    try:
        yield Settings(database_url=server.replace("DATABASE", name), _env_file=None)
    finally:
        _run_alone(admin, f"DROP DATABASE {name} WITH (FORCE)")


def test_two_that_migrate_at_once_take_turns(empty: Settings) -> None:
    databases, done, problems = [Database(empty), Database(empty)], [], []
    start = threading.Barrier(2)

    def run(database: Database) -> None:
        start.wait()
        try:
            done.extend(migrations.migrate(database))
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=run, args=(database,)) for database in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert problems == []
    assert sorted(done) == [path.name for path in migrations.steps(databases[0].dialect.name)]
    with databases[0].reading() as connection:
        assert migrations.pending(connection, databases[0].dialect.name) == []
    said = [finding.what for finding in doctor.examine(databases[0])]
    assert [what for what in said if "partition" not in what and "fsync" not in what] == []
    for database in databases:
        database.close()


def test_an_empty_database_lacks_every_migration(empty: Settings) -> None:
    database = Database(empty)
    with database.reading() as connection:
        names = migrations.pending(connection, database.dialect.name)
    assert names == [path.name for path in migrations.steps(database.dialect.name)]
    assert [finding.mend for finding in doctor.examine(database)] == ["Run kamioi-web migrate."]
    database.close()


def test_the_file_of_indexes_alone_restores_them(database: Database, make_transactions: Callable[..., None]) -> None:
    make_transactions(random_rows(30))
    before = described(database)
    names = migrations.index_names()
    assert len(names) >= 12
    with database.writing() as connection:
        for table in set(names.values()):
            migrations.drop_indexes(connection, table)
    missing = " ".join(finding.what for finding in doctor.examine(database))
    assert [name for name in names if f"The index {name} on" not in missing] == []
    script = (migrations.FOLDER / "database_indexes.sql").read_text()
    for _ in range(2):
        with database.writing() as connection:
            database.dialect.run_script(connection, script)
    assert "The index" not in " ".join(finding.what for finding in doctor.examine(database))
    assert described(database) == before


def test_a_new_month_takes_its_rows_out_of_the_default_partition(
    database: Database, make_transactions: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not database.dialect.partitions:
        pytest.skip("SQLite keeps every month in one table")
    monkeypatch.setattr(loading, "add_months", lambda *_: [])
    rows = random_rows(200)
    make_transactions(rows)
    before = stored(database)
    assert in_default(database) == len(rows)
    assert "transactions_default holds rows" in " ".join(finding.what for finding in doctor.examine(database))
    months = {from_micros(row["posted_at"]).replace(day=1) for row in rows}
    with database.writing() as connection:
        made = database.dialect.add_months(connection, months)
        assert database.dialect.add_months(connection, months) == []
    assert len(made) == len({(month.year, month.month) for month in months})
    assert in_default(database) == 0
    assert "transactions_default" not in " ".join(finding.what for finding in doctor.examine(database))
    assert stored(database) == before
    assert list(totals.check(database)) == []
    with database.writing() as connection:  # and each partition has the indexes of its table
        inspector = inspect(connection)
        assert {len(inspector.get_indexes(name)) for name in made} == {6}
        connection.execute(transactions.update().values(status="failed"))
    assert list(totals.check(database)) == []


def stored(database: Database) -> list[tuple]:
    with database.reading() as connection:
        return [tuple(row) for row in connection.execute(select(transactions).order_by(transactions.c.id))]


def in_default(database: Database) -> int:
    with database.reading() as connection:
        return connection.scalar(text("SELECT count(*) FROM transactions_default"))


def test_months_are_made_ahead_without_gaps(database: Database) -> None:
    made = migrations.add_months_ahead(database, datetime(2030, 11, 30, 23, 59, tzinfo=UTC), 14)
    if not database.dialect.partitions:
        assert made == []
        return
    wanted = [f"transactions_{2030 + month // 12}_{month % 12 + 1:02d}" for month in range(10, 25)]
    assert made == wanted
    assert migrations.add_months_ahead(database, datetime(2030, 11, 1, tzinfo=UTC), 14) == []


def test_partitions_begin_at_midnight_in_utc_wherever_the_server_is(database: Database) -> None:
    if not database.dialect.partitions:
        pytest.skip("SQLite keeps every month in one table")
    with database.writing() as connection:
        connection.execute(text("SET LOCAL timezone = 'America/New_York'"))
        made = database.dialect.add_months(
            connection, [datetime(2031, 3, 1, tzinfo=UTC), datetime(2031, 4, 30, 23, tzinfo=UTC)]
        )
        connection.execute(text("SET LOCAL timezone = 'UTC'"))
        bounds = connection.scalars(
            text("SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname LIKE 'transactions_2031%' "
                 "AND relkind = 'r' ORDER BY 1")
        ).all()  # fmt: skip
    assert made == ["transactions_2031_03", "transactions_2031_04"]
    assert bounds == [
        "FOR VALUES FROM ('2031-03-01 00:00:00+00') TO ('2031-04-01 00:00:00+00')",
        "FOR VALUES FROM ('2031-04-01 00:00:00+00') TO ('2031-05-01 00:00:00+00')",
    ]
