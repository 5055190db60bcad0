"""Running the dashboard: gunicorn, the upkeep of the totals, and the demo."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from gunicorn.app.base import BaseApplication
from sqlalchemy import select

from kamioi_web import create_app, generate, migrations, totals
from kamioi_web.auth import admins
from kamioi_web.cli_progress import progress_lines
from kamioi_web.db import Database
from kamioi_web.generate.store import store
from kamioi_web.jobs import schedule
from kamioi_web.jobs.bell import Bell
from kamioi_web.jobs.worker import GRACE_SECONDS
from kamioi_web.schema import transactions
from kamioi_web.security import load_secret_key
from kamioi_web.settings import Settings

MONTHS_AHEAD = 3


class Gunicorn(BaseApplication):
    """gunicorn, set up from here instead of from its own command line."""

    def __init__(self, settings: Settings, options: dict[str, Any]) -> None:
        self.kamioi_settings = settings
        self.options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.options.items():
            self.cfg.set(name, value)  # ty: ignore[missing-union-attribute]

    def load(self) -> Any:
        return create_app(self.kamioi_settings)


def serve(settings: Settings, host: str, port: int, workers: int) -> None:
    """Serve until told to stop. Each worker opens its own connections after it has started."""
    load_secret_key(settings)  # an unsafe setting is refused here, in plain words, and not by each worker
    options = {
        "bind": f"{host}:{port}",
        "workers": workers,
        "worker_class": "gthread",
        "threads": 8,
        "limit_request_line": 8190,  # a search of 400 letters of any script, among the filters of its list
        "timeout": 60,  # only for a worker that hangs; requests have their own limit
        "graceful_timeout": 30,
        "keepalive": 5,
        "max_requests": 20_000,
        "max_requests_jitter": 2_000,
        "control_socket_disable": True,
        "loglevel": "warning",
    }
    Gunicorn(settings, options).run()


def keep_up(database: Database, every: float, once: bool, with_parent: bool = False) -> None:
    """Fold the totals' tail, make next months' partitions, and order the jobs that are due, until told to stop."""
    stop, bell, parent = threading.Event(), Bell(database.settings), os.getppid()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    while True:
        with database.writing() as connection:
            totals.fold(connection)
        migrations.add_months_ahead(database, datetime.now(UTC), MONTHS_AHEAD)
        schedule.order_due(database, bell)
        if once or stop.wait(every) or (with_parent and os.getppid() != parent):
            return


def demo(rows: int, port: int, folder: Path) -> None:
    """Sample data in the folder when there is none yet, a login for this run, and the dashboard."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = Settings(database_url=f"sqlite:///{(folder / 'kamioi.db').resolve()}")
    database = Database(settings)
    migrations.migrate(database)
    email, password = "admin@example.com", admins.random_password()
    with database.writing() as connection:
        admins.set_password(connection, email, password, "owner")  # first, so that sample decisions have an admin
    _fill(database, rows)
    database.close()
    click.echo(
        f"\n  Kamioi Web   http://127.0.0.1:{port}/transactions\n  e-mail       {email}\n  password     {password}\n"
    )
    click.echo("  The password is for this run. Ctrl-C ends it.\n")
    sys.stdout.flush()
    with beside("worker", settings), beside("scheduler", settings):
        serve(settings, "127.0.0.1", port, 2)


@contextmanager
def beside(command: str, settings: Settings) -> Generator[subprocess.Popen[bytes]]:
    """A command of ours as a process that ends when this one does."""
    words = [sys.executable, "-m", "kamioi_web.cli", command, "--with-parent"]
    process = subprocess.Popen(words, env=os.environ | {"KAMIOI_DATABASE_URL": settings.database_url})  # noqa: S603
    try:
        yield process
    finally:
        process.terminate()
        process.wait(GRACE_SECONDS)


def _fill(database: Database, rows: int) -> None:
    with database.reading() as connection:
        if connection.scalar(select(transactions.c.id).limit(1)) is not None:
            return
    today = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    click.echo(f"Making {rows:,} sample transactions …", err=True)
    with progress_lines(rows, "rows") as progress:
        store(database, generate.plan(rows, until=today), progress)
