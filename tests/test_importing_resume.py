"""An import that is killed goes on where it was, and in the end everything is there once."""

import csv
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select

from kamioi_web import totals
from kamioi_web.errors import Busy
from kamioi_web.importing.model import ImportOptions
from kamioi_web.importing.transactions import import_transactions
from kamioi_web.schema import imports, transactions

PROGRAM = """
import sys
from pathlib import Path
from kamioi_web.db import Database
from kamioi_web.importing.model import ImportOptions
from kamioi_web.importing.transactions import import_transactions
from kamioi_web.settings import Settings
url, path = sys.argv[1:]
database = Database(Settings(database_url=url, secret_key="a key", _env_file=None))
import_transactions(database, Path(path), ImportOptions(batch_rows=1500), lambda p: print(p.rows_read, flush=True))
"""
ROWS = 24_000


@pytest.fixture(autouse=True)
def _in_own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def path(tmp_path):
    """A file in which every 50th row is bad."""
    file = tmp_path / "long.csv"
    with file.open("w") as lines:
        lines.write("Date,Merchant,Amount\n")
        for number in range(ROWS):
            date = "never" if number % 50 == 49 else f"2024-{number % 12 + 1:02}-{number % 28 + 1:02}"
            lines.write(f"{date},SHOP {number % 700} and more words to fill the line {'x' * 60},{number}.05\n")
    return file


def load(database, path, **options):
    return import_transactions(database, path, ImportOptions(**options), lambda progress: None)


def start(settings, path):
    words = [sys.executable, "-c", PROGRAM, settings.database_url, str(path)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def kill_after(process, batches):
    """Kill for real, a random moment after so many batches; returns whether it was still at work."""
    for _ in range(batches):
        assert process.stdout.readline()
    time.sleep(random.random() * 0.08)
    process.kill()
    return process.wait(timeout=30) != 0


def test_killed_and_taken_up_again(database, settings, path):
    killed = [kill_after(start(settings, path), batches) for batches in (2, 1, 3)]
    assert all(killed)
    with database.reading() as connection:
        before = connection.execute(select(imports)).one()
        stored = connection.scalar(select(func.count()).select_from(transactions))
    assert before.state == "running" and before.rows_added == stored and 6_000 <= stored < ROWS
    report = load(database, path)
    good = [number for number in range(ROWS) if number % 50 != 49]
    assert (report.rows_added, report.rows_known) == (len(good) - stored, stored)
    assert report.sums == {"USD": sum(number * 100 + 5 for number in good)}
    with database.reading() as connection:
        rows = connection.execute(select(func.count(), func.sum(transactions.c.amount_cents))).one()
        after = connection.execute(select(imports)).one()
    assert (rows[0], int(rows[1])) == (len(good), report.sums["USD"])
    assert (after.state, after.rows_added, after.rows_known) == ("done", len(good), 0)
    assert after.rows_rejected == report.rows_rejected == ROWS // 50
    with Path("long.csv.rejects.csv").open(newline="") as file:
        lines = [row[0] for row in csv.reader(file)]
    assert lines == ["line", *(str(number + 2) for number in range(ROWS) if number % 50 == 49)]
    assert list(totals.check(database)) == []


class Stop(Exception):
    pass


def stop_after(rows):
    def progress(seen):
        if seen.rows_read >= rows:
            raise Stop

    return progress


def test_a_lost_rejects_file_is_written_again(database, path):
    with pytest.raises(Stop):
        import_transactions(database, path, ImportOptions(batch_rows=1500), stop_after(6_000))
    Path("long.csv.rejects.csv").unlink()
    report = load(database, path)
    assert report.rows_added + report.rows_known == ROWS - ROWS // 50
    assert len(Path("long.csv.rejects.csv").read_text().splitlines()) == ROWS // 50 + 1


def test_two_imports_of_one_file_at_once_do_not_mix(database, path):
    def meanwhile(progress):
        if progress.rows_read < 12_000:
            load(database, path)

    with pytest.raises(Busy, match="another process"):
        import_transactions(database, path, ImportOptions(batch_rows=4_000, rejects=Path("own.csv")), meanwhile)
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(transactions)) == ROWS - ROWS // 50
        assert connection.execute(select(imports)).one().state == "done"
