"""Scrolling in a real browser while rows come in: rows in the page, rows missed, long tasks, shifts, time to paint."""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from playwright.sync_api import Error, Page, sync_playwright

from tests.benchmarks.report import Report
from tests.benchmarks.serving import ROOT, Served, served
from tests.benchmarks.stores import Stored
from tests.benchmarks.target import connect

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]  # fmt: skip
WHEEL, PAUSE_MS, STUCK_SECONDS = 1_200, 30, 30
LONG_TASK_MS = 100


def measure(report: Report, stored: Stored, rows: int) -> None:
    """Scroll so many rows of a copy of that database, from the newest on."""
    if not Path(CHROMIUM).exists():
        report.say(f"no {CHROMIUM}: the browser's figures are left out")
        return
    wanted = min(rows, stored.rows * 9 // 10)
    report.say(f"scrolling {wanted:,} rows of {stored.name} in {CHROMIUM}, while a writer inserts")
    with _copy(stored) as copied, served(copied, 2) as server, _writer(copied) as writer:
        found, seconds = _scroll(server, wanted)
        expected = _expected(copied, found["ids"])
        inserted = writer.stop()
    _report(report, stored, found, expected, seconds, inserted)


def _report(
    report: Report, stored: Stored, found: dict[str, Any], expected: list[int], seconds: float, inserted: int
) -> None:
    ids = found["ids"]
    twice, missed = len(ids) - len(set(ids)), len(set(expected) - set(ids))
    long = [ms for ms in found["tasks"] if ms > LONG_TASK_MS]
    painted = found["painted"]
    figures = {
        "rows scrolled": len(ids), "seconds": seconds, "rows the writer inserted meanwhile": inserted,
        "most rows in the page": found["most"], "rows missed": missed, "rows twice": twice,
        "rows in another order": sum(a != b for a, b in zip(ids, expected, strict=False)),
        "times the reader was moved by 90 rows or more": found["jumps"],
        "tasks above 50 ms": len(found["tasks"]), "tasks above 100 ms": len(long),
        "longest task, ms": max(found["tasks"], default=0.0), "layout shift (CLS)": round(found["shift"], 4),
        "chunks": len(painted), "request to painted chunk, median ms": statistics.median(painted) if painted else None,
        "request to painted chunk, least ms": min(painted, default=None),
        "request to painted chunk, most ms": max(painted, default=None),
        "errors in the page": len(found["errors"]),
    }  # fmt: skip
    shifts = sorted(found["shifts"], reverse=True)[:5]
    notes = [f"shift {value:.3f} at {at} ms: {what}" for value, at, what in shifts]
    report.table(f"Browser, {stored.name}", ("figure", "value"), [*figures.items()], notes + found["errors"][:5])
    report.goal("browser: most rows in the page", float(found["most"]), most=1_700)
    report.goal("browser: rows missed or twice", float(missed + twice), most=0)
    report.goal("browser: times the reader was moved", float(found["jumps"]), most=0)
    report.goal("browser: tasks above 100 ms", float(len(long)), most=0)
    report.goal("browser: layout shift", found["shift"], most=0.01)


def _scroll(server: Served, wanted: int) -> tuple[dict[str, Any], float]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = chromium.new_context(viewport={"width": 1440, "height": 900}).new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)[:200]))
        page.on(
            "response", lambda answer: errors.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None
        )
        page.add_init_script(path=Path(__file__).parent / "browser_watch.js")
        name, _, value = server.cookie.partition("=")
        page.context.add_cookies([{"name": name, "value": value, "url": f"http://127.0.0.1:{server.port}"}])
        page.goto(f"http://127.0.0.1:{server.port}/transactions")
        page.wait_for_load_state("networkidle")
        began = time.monotonic()
        _wheel(page, wanted)
        seconds = time.monotonic() - began
        found = page.evaluate("window.watched")
        chromium.close()
    return found | {"errors": errors}, seconds


def _wheel(page: Page, wanted: int) -> None:
    """Turn the wheel until so many rows have come, or none has for a while."""
    page.mouse.move(700, 600)
    seen, since = 0, time.monotonic()
    while seen < wanted and time.monotonic() - since < STUCK_SECONDS:
        page.mouse.wheel(0, WHEEL)
        page.wait_for_timeout(PAUSE_MS)
        try:
            now = page.evaluate("window.watched.ids.length")
        except Error:  # the page is going elsewhere, which it should not
            now = seen
        if now > seen:
            seen, since = now, time.monotonic()


def _expected(stored: Stored, ids: list[int]) -> list[int]:
    """The database's own order, from the first row that was seen."""
    statement = (
        "SELECT id FROM transactions WHERE (posted_at, id) <= (SELECT posted_at, id FROM transactions WHERE id = ?) "
        "ORDER BY posted_at DESC, id DESC LIMIT ?"
    )
    if not ids:
        return []
    with closing(connect(stored.url)) as connection:
        return [row[0] for row in connection.execute(statement, (ids[0], len(ids)))]


@contextmanager
def _copy(stored: Stored) -> Generator[Stored]:
    with tempfile.TemporaryDirectory(prefix="kamioi-bench-") as folder:
        with closing(connect(stored.url)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        copied = shutil.copy(stored.path, Path(folder) / "kamioi.db")
        yield replace(stored, url=f"sqlite:///{copied}")


class Writer:
    """The process that inserts."""

    def __init__(self, url: str) -> None:
        words = [sys.executable, "-m", "tests.benchmarks.writer", url]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, cwd=ROOT, text=True)

    def stop(self) -> int:
        """End it and return how many rows it inserted."""
        self.process.terminate()
        said = self.process.communicate()[0].split()
        return int(said[-1]) if said else 0


@contextmanager
def _writer(stored: Stored) -> Generator[Writer]:
    writer = Writer(stored.url)
    try:
        yield writer
    finally:
        if writer.process.poll() is None:
            writer.stop()
