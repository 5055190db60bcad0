"""A private PostgreSQL server whose data stays in a folder between runs."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

OPTIONS = "-c listen_addresses='' -c fsync=off -c shared_buffers=512MB -c max_connections=60 -c autovacuum=on"


@dataclass(frozen=True)
class Server:
    """A running server: where its socket is, and the process that its backends are children of."""

    sockets: Path
    process: int

    def url(self, database: str) -> str:
        return f"postgresql://kamioi@/{database}?host={self.sockets}"

    def make(self, database: str) -> str:
        """An empty database with that name, in place of one that is there already; returns its URL."""
        self.drop(database)
        self._run(f'CREATE DATABASE "{database}"')
        return self.url(database)

    def drop(self, database: str) -> None:
        self._run(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def _run(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)  # ty: ignore[no-matching-overload]


def find_programs() -> Path | None:
    """The folder of PostgreSQL's programs; None when it is not installed."""
    found = shutil.which("pg_ctl")
    versions = Path("/usr/lib/postgresql").glob("*/bin/pg_ctl")
    newest = max(versions, key=lambda path: float(path.parts[-3]), default=None)
    return Path(found).parent if found else newest.parent if newest else None


@contextmanager
def running(folder: Path) -> Generator[Server]:
    """The server over `folder`, which is made when it is not there; it stops at the end, the data stays."""
    programs = find_programs()
    assert programs, "PostgreSQL is not installed"
    sockets = Path(tempfile.mkdtemp(prefix="kamioi-bench-pg-"))  # a socket's path must be short
    _prepare(folder, sockets)
    control = (str(programs / "pg_ctl"), "-D", str(folder / "data"))
    if not (folder / "data" / "PG_VERSION").exists():
        _run(sockets, *control, "-o", "-A trust -U kamioi -E UTF8 --locale C", "initdb")
    with suppress(subprocess.CalledProcessError):  # what a killed run left behind
        _run(sockets, *control, "-m", "fast", "stop")
    _run(sockets, *control, "-w", "-t", "120", "-l", str(folder / "log"), "-o", f"-k {sockets} {OPTIONS}", "start")
    try:
        yield Server(sockets, int((folder / "data" / "postmaster.pid").read_text().split()[0]))
    finally:
        _run(sockets, *control, "-m", "fast", "stop")
        shutil.rmtree(sockets, ignore_errors=True)


def restart(folder: Path, server: Server, mode: str) -> None:
    """Stop the server, `fast` or `immediate` as if its machine had lost power, and start it again."""
    programs = find_programs()
    assert programs
    control = (str(programs / "pg_ctl"), "-D", str(folder / "data"), "-w", "-t", "120", "-m", mode)
    _run(server.sockets, *control, "-l", str(folder / "log"), "-o", f"-k {server.sockets} {OPTIONS}", "restart")


def _prepare(folder: Path, sockets: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        shutil.chown(sockets, "postgres")


def _run(folder: Path, *words: str) -> None:
    owner = "postgres" if os.geteuid() == 0 else None
    # Files, not pipes: the server that pg_ctl starts would hold a pipe open.
    with tempfile.TemporaryFile() as said:
        done = subprocess.run(words, stdout=said, stderr=said, timeout=300, cwd=folder, check=False, user=owner)
        if done.returncode:
            said.seek(0)
            raise subprocess.CalledProcessError(done.returncode, words, said.read().decode(errors="replace"))
