"""What the tests share: a migrated database of each kind, an app on it, and ways to fill it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import insert, text

from kamioi_web import create_app, loading, migrations
from kamioi_web.auth import cookies, sessions
from kamioi_web.db import Database
from kamioi_web.schema import admins, to_micros
from kamioi_web.settings import Settings

SHARED = Path(os.environ.get("KAMIOI_SHARED", Path(__file__).parents[2] / "shared"))
IN_CI = os.environ.get("CI") == "true"


def skip_or_fail(reason: str) -> NoReturn:
    """Skip on a laptop; in CI, where everything can be had, a missing piece is a failure."""
    if IN_CI:
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real sample data that stands beside the project."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"no sample data at {SHARED / 'data'}")
    return SHARED / "data"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a private PostgreSQL server, without a database name; it ends with the tests."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    found = str(programs[-1]) if programs else shutil.which("pg_ctl")
    if found is None:
        skip_or_fail("PostgreSQL is not installed")
    folder = Path(tempfile.mkdtemp(prefix="kamioi-pg-", dir=_folder_in_memory()))
    owner = "postgres" if os.geteuid() == 0 else None  # the server refuses to run as root
    if owner:
        shutil.chown(folder, owner)

    def run(*words: str) -> None:
        subprocess.run(words, check=True, capture_output=True, timeout=60, cwd=folder, user=owner)

    run(found, "-D", str(folder / "data"), "-o", "-A trust -U kamioi -E UTF8 --locale C", "initdb")
    options = f"-k {folder} -c listen_addresses='' -c fsync=off -c shared_buffers=256MB -c max_connections=60"
    run(found, "-D", str(folder / "data"), "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield f"postgresql://kamioi@/DATABASE?host={folder}"
    finally:
        run(found, "-D", str(folder / "data"), "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _folder_in_memory() -> str | None:
    """Where a database is made in half the time, if there is room."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2_000_000_000
    return str(memory) if roomy else None


@pytest.fixture(scope="session", autouse=True)
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Every test makes its own app; the templates are compiled once for all of them."""
    cache = FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": cache}


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    """The URL of the server on which a migrated database named `ready` waits to be copied."""
    admin = Settings(database_url=postgres_server.replace("DATABASE", "postgres"))
    _run_alone(admin, "CREATE DATABASE ready")
    database = Database(Settings(database_url=postgres_server.replace("DATABASE", "ready")))
    migrations.migrate(database)
    database.close()
    return postgres_server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "ready.db"
    database = Database(Settings(database_url=f"sqlite:///{path}"))
    migrations.migrate(database)
    with database.writer.connect() as connection:
        raw: Any = connection.connection.dbapi_connection
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings of an empty, migrated database; the test runs once on each kind."""
    common: dict[str, Any] = {"secret_key": "a key for the tests", "cache_seconds": 0, "_env_file": None}
    common |= {"files": tmp_path / "files", "rows_seconds": 20, "widget_seconds": 20}  # machines of tests may pause
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "kamioi.db")
        yield Settings(database_url=f"sqlite:///{tmp_path / 'kamioi.db'}", **common)
        return
    server = request.getfixturevalue("postgres_template")
    name = f"test_{os.getpid()}_{abs(hash(request.node.nodeid)) % 10**10}"
    admin = Settings(database_url=server.replace("DATABASE", "postgres"))
    _run_alone(admin, f"CREATE DATABASE {name} TEMPLATE ready STRATEGY FILE_COPY")
    try:
        yield Settings(database_url=server.replace("DATABASE", name), **common)
    finally:
        _run_alone(admin, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """An empty, migrated database; the test runs once on SQLite and once on PostgreSQL."""
    opened = Database(settings)
    yield opened
    opened.close()


def _run_alone(settings: Settings, statement: str) -> None:
    database = Database(settings)
    with database.writer.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(statement))
    database.close()


def micros(moment: str) -> int:
    """Microseconds of a moment written as ISO 8601, UTC when it names no zone."""
    parsed = datetime.fromisoformat(moment)
    return to_micros(parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC))


@pytest.fixture
def make_transactions(database: Database) -> Callable[..., None]:
    """make_transactions([{...}, ...]): load rows, each a dict of what differs from a plain purchase."""

    def make(rows: list[dict[str, Any]]) -> None:
        with database.writing() as connection:
            loading.load_transactions(connection, whole_rows(rows))

    return make


def whole_rows(rows: list[dict[str, Any]]) -> list[tuple]:
    """Rows as they are loaded, from dicts of what differs from a plain purchase."""
    plain = {
        "user_id": 1, "merchant_id": 1, "posted_at": micros("2024-03-14T09:00:00"), "amount_cents": 1250,
        "currency": "USD", "round_up_cents": 100, "fee_cents": 0, "category": "Shopping", "status": "completed",
        "ticker": None, "account_type": "individual", "source": "bank", "created_at": micros("2024-03-14T10:00:00"),
    }  # fmt: skip
    numbered = ({"source_ref": f"row-{number}", **plain, **row} for number, row in enumerate(rows))
    return [tuple(full[name] for name in loading.TRANSACTION_COLUMNS) for full in numbered]


@pytest.fixture
def make_client(settings: Settings, database: Database) -> Iterator[Callable[..., FlaskClient]]:
    """make_client("viewer", chunk_rows=10): a browser, logged in with that role, to an app with these settings."""
    apps: list[Flask] = []

    def make(role: str = "owner", **changes: Any) -> FlaskClient:
        app = create_app(settings.model_copy(update=changes))
        apps.append(app)
        client = app.test_client()
        client.set_cookie(cookies.SESSION, _begin_session(database, role))
        return client

    yield make
    for app in apps:
        app.extensions["database"].close()
        if "database_without_waiting" in app.extensions:
            app.extensions["database_without_waiting"].close()


@pytest.fixture
def client(make_client: Callable[..., FlaskClient]) -> FlaskClient:
    """A browser that is logged in."""
    return make_client()


@pytest.fixture
def app(client: FlaskClient) -> Flask:
    """The dashboard that `client` looks at."""
    return client.application


def _begin_session(database: Database, role: str) -> str:
    """A session put in directly: hashing a password takes longer than most tests."""
    now = datetime.now(UTC)
    values = {"email": f"tester-{now.timestamp()}@example.com", "password_hash": "none", "role": role}
    with database.writing() as connection:
        added = insert(admins).values(**values, active=True, preferences={}, created_at=now).returning(admins.c.id)
        return sessions.create_session(connection, connection.execute(added).scalar_one(), now, 7)
