"""Doctor names what is missing or unsafe, how to mend it, and nothing else."""

from datetime import UTC, datetime

import pytest
from helpers import add_directory
from pydantic import SecretStr
from sqlalchemy import text

from kamioi_web import doctor, migrations
from kamioi_web.db import Database
from kamioi_web.search import vocabulary
from kamioi_web.settings import Settings


def found(database: Database) -> str:
    """What doctor says, without what is true of any server made for tests."""
    return " ".join(
        f"{finding.what} {finding.mend}" for finding in doctor.examine(database) if "fsync" not in finding.what
    )


@pytest.fixture
def healthy(database: Database) -> Database:
    """A database in which all is as it should be."""
    migrations.add_months_ahead(database, datetime.now(UTC), 2)
    assert found(database) == ""
    return database


def test_this_months_partition_is_missed(database: Database) -> None:
    missing = "This month's partition transactions_" in found(database)
    assert missing == database.dialect.partitions


@pytest.mark.parametrize("name", ["totals_insert", "totals_update", "totals_delete"])
def test_a_trigger_that_is_gone_is_named(healthy: Database, name: str) -> None:
    drop = {"sqlite": f"DROP TRIGGER {name}", "postgresql": f"DROP TRIGGER {name} ON transactions"}
    with healthy.writing() as connection:
        connection.execute(text(drop[healthy.dialect.name]))
    assert f"The trigger {name} is missing" in found(healthy)
    assert "totals check" in found(healthy)


def test_a_trigger_that_is_switched_off_is_named(healthy: Database) -> None:
    off = {
        "sqlite": "UPDATE totals_mode SET bulk = 1",
        "postgresql": "ALTER TABLE transactions DISABLE TRIGGER totals_update",
    }
    with healthy.writing() as connection:
        connection.execute(text(off[healthy.dialect.name]))
    wanted = {"sqlite": "totals_mode.bulk is set", "postgresql": "The trigger totals_update is missing or disabled"}
    assert wanted[healthy.dialect.name] in found(healthy)


def test_an_index_that_is_gone_is_named(healthy: Database) -> None:
    for name, table in migrations.index_names().items():
        with healthy.writing() as connection:
            connection.execute(text(f"DROP INDEX {name}"))
        said = found(healthy)
        assert said.count("is missing") == 1
        assert f"The index {name} on {table} is missing" in said
        migrations.migrate(healthy)
    assert found(healthy) == ""


def test_a_migration_that_waits_is_named(healthy: Database) -> None:
    with healthy.writing() as connection:
        connection.execute(text("DELETE FROM migrations WHERE name LIKE '0002%'"))
    assert "Not yet applied: 0002_totals" in found(healthy)


def test_a_long_tail_is_named(healthy: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    if healthy.dialect.name == "sqlite":
        pytest.skip("SQLite keeps no tail")
    monkeypatch.setattr(doctor, "LONGEST_TAIL", 1)
    with healthy.writing() as connection:
        connection.execute(
            text("INSERT INTO totals_delta SELECT 'day', 0, '', 1, 'failed', '', '', '', 'USD', 0, 0, 0, 0, 0")
        )
    assert "Nobody folds the totals" in found(healthy)


def test_settings_that_are_unsafe_in_production_are_named(healthy: Database, settings: Settings) -> None:
    unsafe = settings.model_copy(update={"environment": "production", "secret_key": SecretStr("short")})
    healthy.settings = unsafe
    said = found(healthy)
    assert "No safe KAMIOI_SECRET_KEY" in said
    assert "No KAMIOI_REDIS_URL" in said
    assert ("Production runs on SQLite" in said) == (healthy.dialect.name == "sqlite")
    safe = {"secret_key": SecretStr("x" * 40), "redis_url": "redis://localhost"}
    healthy.settings = unsafe.model_copy(update=safe)
    assert "KAMIOI_SECRET_KEY" not in found(healthy)
    assert "KAMIOI_REDIS_URL" not in found(healthy)


def test_merchants_without_words_are_named(healthy: Database) -> None:
    add_directory(healthy)
    assert "words of merchants' names are missing" in found(healthy)
    assert "kamioi-web migrate" in found(healthy)
    vocabulary.add_missing(healthy)
    assert found(healthy) == ""
