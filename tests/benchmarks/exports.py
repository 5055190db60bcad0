"""Exporting a whole list: rows a second and the worker's memory, for each format, in a process of its own."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from kamioi_web.db import Database
from kamioi_web.exporting.formats import offered
from kamioi_web.jobs import store
from kamioi_web.jobs.store import Order
from kamioi_web.jobs.working import work
from kamioi_web.queries.transaction_cells import COLUMNS
from tests.benchmarks.measure import memory_of
from tests.benchmarks.report import Report
from tests.benchmarks.stores import Stored, settings_for

ROOT = Path(__file__).parents[2]
MOST_MB = 150


def measure(report: Report, stored: Sequence[Stored]) -> None:
    """Every transaction with every column, and a count of all of them."""
    rows = []
    for one in stored:
        for format in [*(each.name for each in offered()), "count"]:
            report.say(f"{format} of {one.name}")
            found = _child(one.url, format)
            size, speed = found["bytes"] / 1e6, found["rows"] / found["seconds"]
            memory = (found["before"], found["peak"])
            rows.append((one.name, format, found["rows"], found["seconds"], speed, found["cpu"], size, *memory))
            report.goal(f"{one.name}: {format}: MB of the worker", found["peak"], most=MOST_MB)
    columns = ("database", "format", "rows", "seconds", "rows/s", "cpu s", "MB", "MB before", "MB at most")
    report.table("Exports and an exact count of a whole list", columns, rows)


def _child(url: str, format: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.exports", url, format]
    done = subprocess.run(command, stdout=subprocess.PIPE, cwd=ROOT, text=True, check=True)
    return json.loads(done.stdout)


def main(url: str, format: str) -> None:
    """One job in this process; prints what it took as JSON."""
    folder = Path(tempfile.mkdtemp(prefix="kamioi-exports-"))
    try:
        with closing(Database(settings_for(url, files=folder))) as database:
            with database.writing() as connection:
                id = store.add(connection, _order(format))
            began, cpu, sizes = time.perf_counter(), time.process_time(), [_own()]
            over = threading.Event()
            threading.Thread(target=_watch, args=(sizes, over), daemon=True).start()
            work(database, "default" if format == "count" else "export", "a benchmark", threading.Event())
            over.set()
            seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
            with database.reading() as connection:
                job = store.find(connection, id)
        assert job.state == "done", job.error
        rows = job.result["n"] if format == "count" else job.result["rows"]
        found = {"rows": rows, "bytes": job.result.get("bytes", 0), "seconds": seconds, "cpu": cpu}
        print(json.dumps(found | {"before": sizes[0], "peak": max(sizes)}))
    finally:
        shutil.rmtree(folder)


def _own() -> float:
    """The MB that are this process's own: SQLite's file, which is mapped, is the kernel's to take back."""
    return memory_of(os.getpid())["own"]


def _watch(sizes: list[float], over: threading.Event) -> None:
    while not over.wait(0.05):
        sizes.append(_own())


def _order(format: str) -> Order:
    about: dict[str, Any] = {"page": "transactions", "filter": []}
    if format == "count":
        return Order("count", "default", "Count", about)
    file = {"columns": [*COLUMNS], "format": format, "name": f"all.{format}", "at": "2026-01-01T00:00:00+00:00"}
    return Order("export", "export", "Export", about | file)


if __name__ == "__main__":
    main(*sys.argv[1:])
