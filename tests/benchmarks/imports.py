"""Importing real files and generating rows: how fast, and in how much memory."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from kamioi_web import migrations
from kamioi_web.db import Database
from kamioi_web.importing.model import ImportOptions
from kamioi_web.importing.transactions import import_transactions
from kamioi_web.schema import transactions
from kamioi_web.totals import Slice, read
from tests.benchmarks.measure import peak_of_this
from tests.benchmarks.postgres import Server
from tests.benchmarks.report import Report
from tests.benchmarks.stores import fill, make_empty, settings_for

ROOT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("KAMIOI_SHARED", ROOT.parent / "shared"))
FILES = "data/transactions/toronto_pcard_*.csv.gz"
NAME = "kamioi_bench"
COLUMNS = ("work", "rows", "seconds", "rows/s", "cpu s", "peak MB", "totals")


def measure(report: Report, folder: Path, servers: dict[str, Server | None], generated: int, most: int | None) -> None:
    """The Toronto files into fresh databases, reading them without storing, and `generated` rows made anew."""
    files = sorted(SHARED.glob(FILES))[:most]
    if not files:
        report.say(f"no files {FILES} in {SHARED}: nothing is imported")
    rows = []
    for kind, server in servers.items():
        if files:
            report.say(f"reading and importing {len(files)} files, {kind}")
            rows.append((f"read only, {kind}", *_child("parse", make_empty(folder, kind, NAME, server), files)))
            rows.append((f"import, {kind}", *_child("import", make_empty(folder, kind, NAME, server), files)))
            rows.append((f"import again, {kind}", *_child("import", _url(folder, kind, server), files)))
            if kind == "sqlite":
                report.goal("sqlite: rows imported a second", rows[-2][3], least=50_000)
        report.say(f"generating {generated:,} rows, {kind}")
        rows.append(
            (f"generate, {kind}", *_child("generate", make_empty(folder, kind, NAME, server), [Path(str(generated))]))
        )
        make_empty(folder, kind, NAME, server)  # leaves an empty one in its place
    report.table("Importing and generating", COLUMNS, rows)


def _url(folder: Path, kind: str, server: Server | None) -> str:
    return server.url(NAME) if server else f"sqlite:///{folder / NAME}.db"


def _child(work: str, url: str, words: Sequence[Path]) -> tuple[Any, ...]:
    """Run one work in a process of its own, so that its memory is its own."""
    command = [sys.executable, "-m", "tests.benchmarks.imports", work, url, *map(str, words)]
    done = subprocess.run(command, stdout=subprocess.PIPE, cwd=ROOT, text=True, check=True)
    found = json.loads(done.stdout)
    speed = found["rows"] / found["seconds"]
    return (found["rows"], found["seconds"], speed, found["cpu"], found["peak"], found["totals"])


def _import(url: str, files: list[str], dry_run: bool) -> int:
    with closing(Database(settings_for(url))) as database, tempfile.TemporaryDirectory() as folder:
        rows = 0
        for name in files:
            options = ImportOptions(dry_run=dry_run, rejects=Path(folder) / f"{Path(name).name}.rejects.csv")
            rows += import_transactions(database, Path(name), options, lambda progress: None).rows_read
        return rows


def _generate(url: str, rows: int) -> int:
    fill(url, rows)
    return rows


def main(work: str, url: str, *words: str) -> None:
    """One work on a database that has its tables; prints what it took as JSON."""
    works: dict[str, Callable[[], int]] = {
        "parse": lambda: _import(url, [*words], True),
        "import": lambda: _import(url, [*words], False),
        "generate": lambda: _generate(url, int(words[0])),
    }
    with closing(Database(settings_for(url))) as database:
        migrations.migrate(database)
        began, cpu = time.perf_counter(), time.process_time()
        rows = works[work]()
        found = {"rows": rows, "seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}
        print(json.dumps(found | {"peak": peak_of_this(), "totals": _compare(database)}))


def _compare(database: Database) -> str:
    """The rows that the totals speak of, and those that there are."""
    with database.reading(120) as connection:
        counted = connection.scalar(select(func.count()).select_from(transactions))
        kept = sum(row.n for row in read(connection, Slice("ever"), ("status",)))
    return f"{kept:,} of {counted:,}"


if __name__ == "__main__":
    main(*sys.argv[1:])
