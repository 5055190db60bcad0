"""Real processes for the fault tests: workers, servers of the site and of Redis, and waiting for what they do."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from job_helpers import job_of
from sqlalchemy.exc import DBAPIError

from kamioi_web.db import Database
from kamioi_web.errors import KamioiError

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0  # seconds until a test says that nothing happens any more; far more than anything takes


def environment(database: Database, **more: str) -> dict[str, str]:
    """The settings of a process that works on this database."""
    return os.environ | {"KAMIOI_DATABASE_URL": database.settings.database_url, "KAMIOI_SECRET_KEY": "k" * 40} | more


class Process:
    """A command of the project in a process of its own; what it says goes into a file."""

    def __init__(self, log: Path, words: list[str], env: dict[str, str], cwd: Path = ROOT) -> None:
        self.log = log
        with log.open("ab") as said:
            self.process = subprocess.Popen(words, env=env, cwd=cwd, stdout=said, stderr=said)

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        self.process.wait(30)

    def said(self) -> str:
        return self.log.read_text(errors="replace")


class Forked:
    """A worker that the nursery began."""

    def __init__(self, number: int, log: Path) -> None:
        self.number, self.log = number, log

    def send(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.number, number)

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        wait_until(lambda: not self.runs(), "the worker is gone")

    def runs(self) -> bool:
        return Path(f"/proc/{self.number}").exists()

    def said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


class Nursery:
    """Begins workers without the time that it takes to import everything."""

    def __init__(self) -> None:
        words = [sys.executable, "-m", "faults.nursery"]
        pipe = subprocess.PIPE
        self.process: Any = subprocess.Popen(words, cwd=ROOT / "tests", text=True, stdin=pipe, stdout=pipe)

    def begin(self, database: Database, log: Path, **settings: str) -> Forked:
        env = {"KAMIOI_DATABASE_URL": database.settings.database_url, "KAMIOI_SECRET_KEY": "k" * 40} | settings
        self.process.stdin.write(json.dumps({"env": env, "log": str(log)}) + "\n")
        self.process.stdin.flush()
        return Forked(int(self.process.stdout.readline()), log)

    @contextmanager
    def worker(self, database: Database, log: Path, **settings: str) -> Generator[Forked]:
        """A worker; it is killed at the end if it still runs."""
        one = self.begin(database, log, **settings)
        try:
            yield one
        finally:
            one.kill()

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(30)


def wait_until(happened: Callable[[], Any], what: str) -> Any:
    """Look again and again until it has happened; a database that is away for a moment has nothing to tell."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            if found := happened():
                return found
        except (KamioiError, DBAPIError):
            pass
        time.sleep(0.05)
    raise AssertionError(f"waited {PATIENCE:.0f} s in vain until {what}")


def wait_for_end(database: Database, id: int) -> Any:
    """The job when it is over."""
    return wait_until(lambda: (row := job_of(database, id)).finished_at and row, f"job {id} is over")


def wait_for_rows(database: Database, id: int, more_than: int) -> Any:
    """The job when it has come further than so many rows."""
    return wait_until(
        lambda: (row := job_of(database, id)) and (row.rows_done > more_than or row.finished_at) and row,
        f"job {id} gets beyond {more_than} rows",
    )
