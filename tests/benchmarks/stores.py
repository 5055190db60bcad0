"""The generated databases that everything is measured on. They are made once and kept in a folder."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kamioi_web import generate, migrations
from kamioi_web.db import Database
from kamioi_web.generate.store import store
from kamioi_web.settings import Settings
from tests.benchmarks.postgres import Server


@dataclass(frozen=True)
class Stored:
    """One database: its kind, its rows, where it is, and how many seconds it took to generate."""

    kind: str
    rows: int
    url: str
    seconds: float
    server: Server | None = None

    @property
    def name(self) -> str:
        return f"{self.kind} {short(self.rows)}"

    @property
    def path(self) -> Path:
        """The file of a SQLite database."""
        return Path(self.url.removeprefix("sqlite:///"))


def short(rows: int) -> str:
    """1M, 100k."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if rows >= size and rows % size == 0:
            return f"{rows // size}{letter}"
    return str(rows)


def settings_for(url: str, **changes: object) -> Settings:
    """The settings of the app over that database; nothing comes from a .env file."""
    given = {"database_url": url, "secret_key": "a key that only the figures use, nothing else", "_env_file": None}
    return Settings(**(given | changes))  # ty: ignore[invalid-argument-type]


def open_stored(
    folder: Path, kind: str, rows: int, server: Server | None, fresh: bool, say: Callable[[str], None]
) -> Stored:
    """The database of that kind and size, made now when it is not there or the tables have changed since."""
    mark = folder / f"{kind}-{rows}.json"
    digest = _digest()
    if mark.exists() and not fresh:
        kept = json.loads(mark.read_text())
        if kept["digest"] == digest:
            return Stored(kind, rows, _url(folder, kind, rows, server), kept["seconds"], server)
    mark.unlink(missing_ok=True)
    url = make_empty(folder, kind, _name(rows), server)
    say(f"making {rows:,} rows in {kind}")
    seconds = fill(url, rows)
    mark.write_text(json.dumps({"digest": digest, "seconds": seconds}))
    return Stored(kind, rows, url, seconds, server)


def make_empty(folder: Path, kind: str, name: str, server: Server | None) -> str:
    """The URL of a database with that name in which there is nothing, not even tables."""
    if server and kind == "postgresql":
        return server.make(name)
    for file in folder.glob(f"{name}.db*"):
        file.unlink()
    return f"sqlite:///{folder / name}.db"


def fill(url: str, rows: int) -> float:
    """Generate so many rows and return the seconds that took, indexes, totals and statistics included."""
    database = Database(settings_for(url))
    began = time.perf_counter()
    store(database, generate.plan(rows), lambda done: None)
    seconds = time.perf_counter() - began
    database.close()
    return seconds


def _name(rows: int) -> str:
    return f"kamioi_{rows}"


def _url(folder: Path, kind: str, rows: int, server: Server | None) -> str:
    return server.url(_name(rows)) if server and kind == "postgresql" else f"sqlite:///{folder / _name(rows)}.db"


def _digest() -> str:
    texts = [path.read_bytes() for path in sorted(migrations.FOLDER.glob("*.sql"))]
    return hashlib.sha256(b"\0".join(texts)).hexdigest()
