"""Importing a legacy database: its figures to the cent, both dialects, nothing twice, nothing dropped silently."""

import csv
import gzip
import json
import re
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import func, select, true

from kamioi_web import grains
from kamioi_web.errors import KamioiError
from kamioi_web.importing import legacy, legacy_values
from kamioi_web.importing.legacy import import_legacy
from kamioi_web.importing.legacy_run import Run
from kamioi_web.schema import (
    allocations,
    from_micros,
    imports,
    llm_mappings,
    merchants,
    raw_values,
    totals_now,
    transactions,
    users,
)

STORED = (users, merchants, transactions, allocations, llm_mappings, raw_values)

# The other dialect: role, DECIMAL money, ticker_symbol, admin_approved -1/0/1, allocations to goals, no types.
CLEAN = """
CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR(255), name VARCHAR(255), role VARCHAR(20),
  account_type VARCHAR(20), account_number VARCHAR(20), round_up_amount DECIMAL(10,2), created_at TIMESTAMP);
INSERT INTO users VALUES
  (1, 'Ana@Example.test', 'Ana', 'individual', NULL, 'I1234567', 2.5, '2025-01-05 10:00:00'),
  (2, 'ben@example.test', 'Ben', 'family', 'individual', NULL, NULL, '2025-01-05 10:00:00'),
  (3, 'ana@example.test', 'Ana again', 'business', 'business', 'B7654321', 1, NULL),
  (4, 'cy@example.test', 'Cy', 'admin', NULL, 'I1234567', 1, '2025-01-05 10:00:00');
CREATE TABLE transactions (id INTEGER PRIMARY KEY, user_id INTEGER, date TIMESTAMP, merchant VARCHAR(255),
  amount DECIMAL(12,3), category VARCHAR(50), description TEXT, round_up DECIMAL(10,2), fee DECIMAL(10,2),
  total_debit DECIMAL(10,2), ticker VARCHAR(10), status VARCHAR(20), created_at TIMESTAMP);
INSERT INTO transactions VALUES
  (1, 1, '2025-07-01 12:00:00', 'STARBUCKS #1', 12.34, 'Food', 'x', 2.5, 0, 14.84, 'sbux', 'Completed',
    '2025-07-01 16:00:00'),
  (2, 2, '2025-01-01 12:00:00', 'Shell', -3, NULL, NULL, NULL, 0.25, -2.75, 'RETAIL', 'mapped', NULL),
  (3, 3, '2025-07-01 12:00:00', NULL, 5, 'Food', 'Corner shop', 1, 0, 99, NULL, 'invested', NULL),
  (4, 1, NULL, '', 0.1, 'unknown', ' purchase', 1, 0, NULL, 'KO', 'Flagged', '2025-07-02 00:00:00'),
  (5, 1, '2025-07-01 12:00:00', 'Odd cents', 12.345, 'Food', NULL, 1, 0, 1, NULL, 'pending', NULL),
  (6, 9, '2025-07-01 12:00:00', 'Nobody', 1, 'Food', NULL, 1, 0, 2, NULL, 'pending', NULL),
  (7, 1, '1969-07-01 12:00:00', 'Too early', 1, 'Food', NULL, 1, 0, 2, NULL, 'pending', NULL),
  (8, 1, '2025-07-01 12:00:00', 'No amount', NULL, 'Food', NULL, 1, 0, 2, NULL, 'pending', NULL),
  (9, 4, '2025-07-01 12:00:00', '=2+2', 1, 'Food', NULL, 1, 0, 2, 'MSFT', 'weird', NULL);
CREATE TABLE llm_mappings (id INTEGER PRIMARY KEY, merchant_name VARCHAR(500), category TEXT, notes TEXT,
  ticker_symbol VARCHAR(10), confidence DECIMAL(8,4), status VARCHAR(20), admin_approved INTEGER, company_name TEXT,
  user_id VARCHAR(100), created_at TIMESTAMP);
INSERT INTO llm_mappings VALUES
  (1, 'STARBUCKS #1', 'Food', 'coffee', 'SBUX', 0.95, 'approved', 1, 'Starbucks', '2', '2025-01-01 00:00:00'),
  (2, 'STARBUCKS #1', 'Drinks', NULL, 'SBUX', 95, 'auto-approved', 0, 'Starbucks Corporation', '2',
    '2025-02-01 00:00:00'),
  (3, 'Shell', 'Fuel', NULL, 'SHEL', 0.5, 'pending', 1, NULL, '2', '2025-01-01 00:00:00'),
  (4, 'Shell', 'Fuel', NULL, 'SHEL', 0.5, 'pending', -1, NULL, '2', '2025-01-01 00:00:00'),
  (5, 'Shell', 'Fuel', NULL, NULL, 0.5, NULL, 1, NULL, '2', '2024-01-01 00:00:00'),
  (6, 'Shell', 'Fuel', NULL, 'SHEL', 950, 'approved', 1, NULL, '2', '2025-01-01 00:00:00');
CREATE TABLE round_up_allocations (id INTEGER PRIMARY KEY, user_id INTEGER, goal_id INTEGER, amount DECIMAL(10,2),
  transaction_id INTEGER, allocated_at TIMESTAMP);
INSERT INTO round_up_allocations VALUES (1, 1, 7, 2.5, 1, '2025-07-02 00:00:00'), (2, 1, 8, 0.5, 4, NULL),
  (3, 1, 7, 0.25, 4, NULL), (4, 3, 7, 1, 3, NULL), (5, 1, 7, -1, 1, NULL), (6, 1, 7, 1, 5, NULL),
  (7, 1, 7, 1, NULL, NULL);
"""


@pytest.fixture(scope="session")
def clean_postgres(postgres_server: str) -> str:
    """The URL of a PostgreSQL database in the other dialect."""
    with psycopg.connect(postgres_server.replace("DATABASE", "postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE clean")
    url = postgres_server.replace("DATABASE", "clean")
    with psycopg.connect(url) as connection:
        connection.execute(CLEAN.encode())
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def clean(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A source in the other dialect, as a file and as a server."""
    if request.param == "postgresql":
        return request.getfixturevalue("clean_postgres")
    path = tmp_path / "clean.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(CLEAN)
    return str(path)


def quiet(_: legacy.LegacyProgress) -> None:
    """Show nothing."""


def ask(database, query) -> list[Any]:
    with database.reading(seconds=30) as connection:
        return list(connection.execute(query).all())


def counts(database) -> dict[str, int]:
    return {table.name: ask(database, select(func.count()).select_from(table))[0][0] for table in STORED}


def by(database, column) -> dict[Any, int]:
    return dict(ask(database, select(column, func.count()).group_by(column)))


def raw_of(database, subject: str, line: int) -> dict[str, Any]:
    r = raw_values.c
    return ask(database, select(r.fields).where(r.subject == subject, r.line == line))[0][0]


def check_totals(database) -> None:
    """Every grain equals a recount of the transactions."""
    keys = [column.name for column in totals_now.primary_key]
    for grain in grains.GRAINS.values():
        sums = [func.sum(totals_now.c[name]) for name in grains.MEASURES]
        kept = select(*(totals_now.c[key] for key in keys), *sums).where(totals_now.c.grain == grain.name)
        rows = ask(database, kept.group_by(*(totals_now.c[key] for key in keys)))
        found = {tuple(row) for row in rows if any(row[len(keys) :])}
        with database.reading(seconds=30) as connection:
            counted = connection.execute(grains.recount(database.dialect, grain, true()))
            expected = {tuple(row)[: len(keys) + len(grains.MEASURES)] for row in counted}
        assert found == expected, grain.name


def check_sample_transactions(database) -> None:
    t = transactions.c
    sums = select(func.sum(t.amount_cents), func.sum(t.round_up_cents), func.sum(t.fee_cents))
    assert tuple(map(int, ask(database, sums)[0])) == (34_625_255, 1_443_500, 123_700)
    assert 34_625_255 + 1_443_500 + 123_700 == 36_192_455  # total debit, which no row disagrees with
    assert by(database, t.status) == {
        "completed": 2426,
        "failed": 54,
        "mapped": 4398 + 67 + 135,
        "needs_review": 271,
        "pending": 2468 - 67 + 248,
    }
    assert by(database, t.source) == {"bank": 6021, "manual": 2020, "receipt": 1959}
    assert ask(database, select(func.count()).where(t.amount_cents < 0)) == [(749,)]
    assert ask(database, select(func.count(t.merchant_id.distinct()))) == [(3208,)]
    empty = select(func.count()).join_from(transactions, merchants, merchants.c.id == t.merchant_id)
    assert ask(database, empty.where(merchants.c.descriptor == "(no merchant)")) == [(4,)]
    assert by(database, users.c.account_type) == {"individual": 796, "family": 117, "business": 87}
    assert by(database, t.category)["Uncategorized"] == 477 + 508 + 24
    lengths = select(func.max(func.length(merchants.c.descriptor)))
    assert ask(database, lengths) == [(240,)]
    shapes = Counter(
        _shape(row[0]["date"]) for row in ask(database, select(raw_values.c.fields).where(of("transaction")))
    )
    assert shapes == {"9-9-9 9:9:9": 7008, "9-9-9T9:9:9.9": 1310, "9-9-9": 1472, "9/9/9": 210}


def check_sample_mappings(database) -> None:
    m = llm_mappings.c
    statuses = by(database, m.status)
    assert statuses["approved"] + statuses["superseded"] == 14_800 + 420
    assert (statuses["pending"], statuses["rejected"]) == (3583 + 401, 796)
    assert ask(database, select(func.count()).where(m.ticker.is_(None))) == [(810,)]
    assert ask(database, select(func.min(m.confidence), func.max(m.confidence))) == [(0, 0.98)]
    in_force = select(func.count(), func.count(m.merchant_id.distinct())).where(m.status == "approved")
    same = ask(database, in_force)[0]
    assert same[0] == same[1]
    joined = select(func.count()).join_from(merchants, llm_mappings, m.id == merchants.c.mapping_id)
    agree = joined.where(m.status == "approved", m.merchant_id == merchants.c.id)
    assert ask(database, agree) == [(same[0],)]


def check_sample_allocations(database) -> None:
    a, t = allocations.c, transactions.c
    shares = select(func.count(a.transaction_id.distinct()), func.sum(a.amount_cents))
    assert tuple(map(int, ask(database, shares)[0])) == (1383, 201_700)
    uneven = select(a.transaction_id).join(transactions, t.id == a.transaction_id).group_by(a.transaction_id)
    assert ask(database, uneven.having(func.sum(a.amount_cents) != func.max(t.round_up_cents))) == []


def test_every_figure_of_the_sample(database, shared_data, tmp_path):
    source = str(shared_data / "legacy" / "legacy_10k.db.gz")
    seen: list[legacy.LegacyProgress] = []
    report = import_legacy(database, source, seen.append, tmp_path / "rejects.csv")

    tables = {table: (c.read, c.added, c.known, c.rejected) for table, c in report.tables.items()}
    assert tables == {
        "users": (1000, 1000, 0, 0),
        "transactions": (10_000, 10_000, 0, 0),
        "llm_mappings": (20_000, 20_000, 0, 0),
        "round_up_allocations": (3607, 3607, 0, 0),
    }
    assert report.rejects is None and report.warnings == []
    assert (seen[-1].table, seen[-1].done, seen[-1].total) == ("round_up_allocations", 3607, 3607)
    changes = report.tables["transactions"].changes
    assert changes["status pending -> mapped"] == 67 and changes["status staged -> mapped"] == 135
    assert "total_debit" not in changes
    assert report.tables["llm_mappings"].changes["confidence"] == 3184

    check_sample_transactions(database)
    check_sample_mappings(database)
    check_sample_allocations(database)
    check_totals(database)

    before = counts(database)
    again = import_legacy(database, source, quiet, tmp_path / "rejects.csv")
    assert counts(database) == before
    assert (again.total("added"), again.total("known"), again.resumed) == (0, 34_607, False)
    check_totals(database)


def of(subject: str):
    return raw_values.c.subject == subject


def _shape(text: str) -> str:
    digits = "".join("9" if c.isdigit() else c for c in text)
    while "99" in digits:
        digits = digits.replace("99", "9")
    return digits


KILLED = """
import os, signal, sys
from pathlib import Path
from kamioi_web.db import Database
from kamioi_web.importing import legacy, legacy_run
from kamioi_web.settings import Settings
url, source, rejects, save_to_die_in = sys.argv[1:]
plain, left = legacy_run.Run.save, [int(save_to_die_in)]
def save(*words, **named):
    plain(*words, **named)
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
legacy_run.Run.save = save
legacy.import_legacy(Database(Settings(database_url=url)), source, lambda _: None, Path(rejects))
"""


def test_a_killed_import_goes_on_where_it_was(database, shared_data, tmp_path):
    source = str(shared_data / "legacy" / "legacy_10k.db.gz")
    words = [sys.executable, "-c", KILLED, database.settings.database_url, source, str(tmp_path / "rejects.csv")]
    in_the_second_batch_of_transactions = "3"
    words.append(in_the_second_batch_of_transactions)
    killed = subprocess.run(words, timeout=60, check=False, cwd=Path(legacy.__file__).parents[2])
    assert killed.returncode == -signal.SIGKILL
    assert counts(database)["transactions"] == 5000
    report = import_legacy(database, source, quiet, tmp_path / "rejects.csv")
    assert report.resumed
    assert [report.tables[table].added for table in ("users", "transactions", "llm_mappings")] == [1000, 10_000, 20_000]
    assert report.total("known") == 0
    t, a = transactions.c, allocations.c
    assert int(ask(database, select(func.sum(t.amount_cents)))[0][0]) == 34_625_255
    assert int(ask(database, select(func.sum(a.amount_cents)))[0][0]) == 201_700
    done = ask(database, select(imports.c.state, imports.c.rows_added))
    assert done == [("done", 34_607)]
    check_totals(database)


def test_the_other_dialect(database, clean, tmp_path):
    report = import_legacy(database, clean, quiet, tmp_path / "rejects.csv")
    u = users.c
    assert ask(database, select(u.id, u.email, u.account_number, u.account_type, u.round_up_cents).order_by(u.id)) == [
        (1, "ana@example.test", "I1234567", "individual", 250),
        (2, "ben@example.test", "F1000002", "family", 100),
        (3, None, "B7654321", "business", 100),
        (4, "cy@example.test", "I1234567-4", "individual", 100),
    ]
    assert raw_of(database, "user", 3)["email"] == "ana@example.test"
    assert any("user 1 has ana@example.test" in warning for warning in report.warnings)

    t, m = transactions.c, merchants.c
    stored = select(
        m.descriptor, t.posted_at, t.amount_cents, t.round_up_cents, t.status, t.ticker, t.account_type, t.category
    )
    rows = ask(database, stored.join_from(transactions, merchants, m.id == t.merchant_id).order_by(t.source_ref))
    assert rows == [
        ("STARBUCKS #1", at(2025, 7, 1, 16), 1234, 250, "completed", "SBUX", "individual", "Food"),
        ("Shell", at(2025, 1, 1, 17), -300, 0, "pending", None, "family", "Uncategorized"),
        ("Corner shop", at(2025, 7, 1, 16), 500, 100, "completed", None, "business", "Food"),
        ("(no merchant)", at(2025, 7, 2, 0), 10, 100, "failed", "KO", "individual", "Uncategorized"),
        ("=2+2", at(2025, 7, 1, 16), 100, 100, "needs_review", "MSFT", "individual", "Food"),
    ]
    assert by(database, t.source) == {"import": 5}
    assert raw_of(database, "transaction", 3)["total_debit"] is not None
    assert raw_of(database, "transaction", 9)["status"] == "weird"
    assert raw_of(database, "transaction", 2)["ticker"] == "RETAIL"

    g = llm_mappings.c
    mappings = ask(database, select(g.source_ref, g.status, g.confidence, g.ticker).order_by(g.source_ref))
    assert mappings == [
        ("legacy:1", "superseded", 0.95, "SBUX"),
        ("legacy:2", "approved", 0.95, "SBUX"),
        ("legacy:3", "pending", 0.5, "SHEL"),
        ("legacy:4", "rejected", 0.5, "SHEL"),
        ("legacy:5", "approved", 0.5, None),
    ]
    chosen = select(m.company, m.category, m.first_seen).where(m.descriptor == "STARBUCKS #1")
    assert ask(database, chosen) == [("Starbucks Corporation", "Drinks", at(2025, 1, 1, 0))]
    a = allocations.c
    shares = select(a.user_id, a.ticker, a.amount_cents).order_by(a.amount_cents)
    assert ask(database, shares) == [(1, "KO", 75), (1, "SBUX", 250)]
    assert any("add up to 75 cents, its round-up is 100" in warning for warning in report.warnings)
    check_totals(database)

    assert reasons(tmp_path / "rejects.csv") == [
        ("transactions", "5", "amount is not whole cents: 12.345"),
        ("transactions", "7", "date lies outside 1970 to 2099: 1969-07-01 12:00:00"),
        ("transactions", "8", "amount is empty"),
        ("transactions", "6", "there is no user 9"),
        ("llm_mappings", "6", "confidence lies outside 0 to 1 and 0 to 100: 950"),
        ("round_up_allocations", "7", "the row names no transaction"),
        ("round_up_allocations", "5", "amount is negative: -1"),
        ("round_up_allocations", "4", "neither it nor its transaction has a ticker"),
        ("round_up_allocations", "6", "its transaction was not imported"),
    ]
    for table in report.tables.values():
        assert table.read == table.added + table.known + table.rejected
    before = counts(database)
    assert import_legacy(database, clean, quiet, tmp_path / "rejects.csv").total("added") == 0
    assert counts(database) == before


def at(*words: int) -> datetime:
    return datetime(*words, tzinfo=UTC)


def reasons(path: Path) -> list[tuple[str, str, str]]:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(json.loads(row["raw"]) for row in rows)
    return [(row["table"], row["legacy_id"], re.sub(r"\.0+$", "", row["reason"])) for row in rows]


def test_rejects_hold_each_row_once_after_an_interruption(database, clean, tmp_path, monkeypatch):
    path = tmp_path / "rejects.csv"
    monkeypatch.setattr(legacy, "BATCH", 2)
    plain, left = Run.save, [0]

    def save(*words: Any, **named: Any) -> None:
        plain(*words, **named)
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt

    for nth in (5, 3, 4):
        left[0] = nth
        monkeypatch.setattr(Run, "save", save)
        with pytest.raises(KeyboardInterrupt):
            import_legacy(database, clean, quiet, path)
    monkeypatch.setattr(Run, "save", plain)
    report = import_legacy(database, clean, quiet, path)
    assert report.resumed and report.total("known") == 0
    assert len(reasons(path)) == report.total("rejected") == 9
    assert [report.tables[table].added for table in report.tables] == [4, 5, 5, 3]
    check_totals(database)


def test_a_source_that_grew_adds_only_what_is_new(database, tmp_path):
    path = tmp_path / "clean.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(CLEAN)
    import_legacy(database, str(path), quiet, tmp_path / "rejects.csv")
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO users VALUES (5, 'dee@example.test', 'Dee', 'individual', NULL, NULL, 1, NULL)")
        connection.execute(
            "INSERT INTO transactions VALUES (10, 5, '2025-11-02 01:30:00', 'Shell', 7, 'Fuel', NULL, 1, 0, 8, "
            "'SHEL', 'pending', NULL)"
        )
    report = import_legacy(database, str(path), quiet, tmp_path / "rejects.csv")
    assert (report.tables["users"].added, report.tables["transactions"].added, report.total("added")) == (1, 1, 2)
    t = transactions.c
    latest = select(t.user_id, t.posted_at, t.status).order_by(t.posted_at.desc()).limit(1)
    assert ask(database, latest) == [(5, at(2025, 11, 2, 5, 30), "mapped")]  # the first of the two 01:30


def test_users_who_are_here_already_keep_their_ids(database, tmp_path, make_users: Callable[..., None]):
    make_users([{"id": 1, "email": "someone@example.test"}, {"id": 40, "email": "ben@example.test"}])
    path = tmp_path / "clean.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(CLEAN)
    for _ in range(2):
        import_legacy(database, str(path), quiet, tmp_path / "rejects.csv")
        t = transactions.c
        owners = dict(ask(database, select(t.source_ref, t.user_id)))
        assert owners == {"legacy:1": 41, "legacy:2": 40, "legacy:3": 3, "legacy:4": 41, "legacy:9": 4}
    with database.writing() as connection:  # the next id of the database is free
        new = {**PERSON, "account_number": "I99", "email": "new@example.test"}
        assert connection.execute(users.insert().returning(users.c.id), new).scalar_one() > 41


PERSON = {
    "account_type": "individual",
    "name": "P",
    "status": "active",
    "round_up_cents": 100,
    "created_at": at(2025, 1, 1),
}


@pytest.fixture
def make_users(database) -> Callable[..., None]:
    def make(rows: list[dict[str, Any]]) -> None:
        with database.writing() as connection:
            connection.execute(users.insert(), [{**PERSON, "account_number": f"X{row['id']}", **row} for row in rows])

    return make


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"no database at all", "file is not a database"),
        (b"", "none of the tables"),
        (gzip.compress(b"x" * 5000, mtime=0)[:-20], "cannot be opened"),
    ],
)
def test_what_is_no_legacy_database_is_refused(database, tmp_path, content, says):
    path = tmp_path / ("bad.db.gz" if content[:2] == b"\x1f\x8b" else "bad.db")
    path.write_bytes(content)
    with pytest.raises(KamioiError, match=says):
        import_legacy(database, str(path), quiet)
    with pytest.raises(KamioiError, match="cannot be opened"):
        import_legacy(database, str(tmp_path / "missing.db"), quiet)
    assert not (tmp_path / "missing.db").exists()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (12.34, 1234),
        (-0.1, -10),
        (0.1 + 0.2, 30),
        (151132.87000000008, 15113287),
        (1e9, 100_000_000_000),
        (Decimal("12.30"), 1230),
        ("7.5", 750),
    ],
)
def test_dollars_become_cents_exactly(value, expected):
    assert legacy_values.cents(value, "amount") == expected


@pytest.mark.parametrize("value", [None, 12.345, float("nan"), float("inf"), 1e300, "1,184.00", "", "abc"])
def test_what_is_not_cents_is_refused(value):
    with pytest.raises(legacy_values.Unusable, match="amount"):
        legacy_values.cents(value, "amount")


@pytest.mark.parametrize(
    ("value", "expected", "exact"),
    [
        ("2025-01-15 10:00:00", "2025-01-15T15:00:00Z", False),
        ("2025-07-15T10:00:00.123456", "2025-07-15T14:00:00.123456Z", False),
        ("2025-07-15", "2025-07-15T00:00:00Z", False),
        ("07/15/2025", "2025-07-15T00:00:00Z", False),
        ("2025-07-15T10:00:00+02:00", "2025-07-15T08:00:00Z", True),
        ("2025-07-15 10:00:00+00", "2025-07-15T10:00:00Z", True),
        ("2025-03-09 02:30:00", "2025-03-09T07:30:00Z", False),  # an hour that spring skips
    ],
)
def test_moments_in_their_shapes(value, expected, exact):
    micros, said = legacy_values.moment(value, "date", legacy_values.EASTERN)
    assert (from_micros(micros), said) == (datetime.fromisoformat(expected), exact)


@pytest.mark.parametrize(
    "value", [None, "", "today", "2024-02-31", "13/13/2024", "1720000000", "2024", "9999-12-31 23:00:00"]
)
def test_moments_that_are_refused(value):
    with pytest.raises(legacy_values.Unusable, match="date"):
        legacy_values.moment(value, "date", legacy_values.EASTERN)


def test_tickers_confidence_and_ids():
    assert [legacy_values.ticker(t) for t in ("brk.b", " KO ", "FOOD", "not one", "12", None, "")] == [
        "BRK.B",
        "KO",
    ] + [None] * 5
    assert [legacy_values.confidence(c) for c in (0.93, 93.0, "93%", 1, None)] == [0.93, 0.93, 0.93, 1, 0]
    assert [legacy_values.flag(f) for f in (True, "t", -1, 0, "0", None)] == [1, 1, -1, 0, 0, None]
    assert legacy_values.line_of("12") == legacy_values.line_of(12) == 12
    assert legacy_values.line_of("3f2a") == legacy_values.line_of("3f2a") > 2**62


WORDS = """
CREATE TABLE users (id TEXT PRIMARY KEY, email TEXT);
INSERT INTO users VALUES ('u-1', 'ana@example.test'), ('u-2', NULL), (NULL, 'lost@example.test');
CREATE TABLE transactions (id TEXT PRIMARY KEY, user_id TEXT, date TEXT, merchant TEXT, amount REAL, round_up REAL, ticker TEXT,
  status TEXT);
INSERT INTO transactions VALUES ('t-a', 'u-1', '03/14/2024', 'Shop' || char(0), 1.5, 1.0, 'KO', 'completed'),
  ('t-b', 'u-2', '2024-03-14', replace(hex(zeroblob(1500)), '00', 'ab'), 1.5, 1.0, 'KO', 'completed');
CREATE TABLE round_up_allocations (id TEXT PRIMARY KEY, transaction_id TEXT, stock_symbol TEXT, allocation_amount DECIMAL(10,2));
INSERT INTO round_up_allocations VALUES ('x', 't-a', 'PEP', 0.25), ('y', 't-a', 'KO', 0.5), ('z', 't-a', 'PEP', 0.25),
  ('w', 't-b', 'KO', 1);
"""  # noqa: E501


def test_ids_that_are_words_and_tables_that_are_missing(database, tmp_path, monkeypatch):
    path = tmp_path / "words.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(WORDS)
    monkeypatch.setattr(legacy, "BATCH", 1)
    for added in ((2, 1, 3), (0, 0, 0)):
        report = import_legacy(database, str(path), quiet, tmp_path / "rejects.csv")
        assert tuple(counts.added for counts in report.tables.values()) == added
    a, m = allocations.c, merchants.c
    assert ask(database, select(a.ticker, a.amount_cents).order_by(a.ticker)) == [("KO", 50), ("PEP", 50)]
    assert ask(database, select(m.descriptor)) == [("Shop\ufffd",)]
    numbers = ask(database, select(users.c.id, users.c.account_number, users.c.name).order_by(users.c.id))
    assert [(row[0], row[2]) for row in numbers] == [(1, "ana@example.test"), (2, "User u-2")]
    assert any("no table llm_mappings" in warning for warning in report.warnings)
    assert {(row[0], row[2]) for row in reasons(tmp_path / "rejects.csv")} == {
        ("users", "the row has no id"),
        ("transactions", "merchant is longer than 2000 bytes"),
        ("round_up_allocations", "its transaction was not imported"),
    }
    check_totals(database)
