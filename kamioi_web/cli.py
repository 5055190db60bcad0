"""The command line: kamioi-web."""

import sys
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from sqlalchemy.exc import DBAPIError

from kamioi_web import doctor as checks
from kamioi_web import generate as generator
from kamioi_web import migrations, serving
from kamioi_web import totals as totals_module
from kamioi_web.auth import admins
from kamioi_web.cli_import import imports
from kamioi_web.cli_map import map_file
from kamioi_web.cli_progress import progress_lines
from kamioi_web.db import Database
from kamioi_web.errors import KamioiError
from kamioi_web.generate.store import store
from kamioi_web.jobs.tables import QUEUES
from kamioi_web.jobs.worker import Worker
from kamioi_web.schema import ROLES
from kamioi_web.search import vocabulary
from kamioi_web.settings import settings


@click.group()
@click.version_option(package_name="kamioi-web")
def commands() -> None:
    """The admin dashboard of Kamioi. Settings come from KAMIOI_* variables or a .env file."""


def main() -> None:
    """Run a command: 0 is done, 1 failed with the reason on stderr, 2 wrong usage."""
    try:
        commands(standalone_mode=False)
    except click.exceptions.Exit as end:
        sys.exit(end.exit_code)
    except click.UsageError as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped. What was committed is kept; run the command again to go on.", err=True)
        sys.exit(1)
    except DBAPIError as error:
        click.echo(
            f"kamioi-web: the database says: {error.orig}. Is KAMIOI_DATABASE_URL right, and migrated?", err=True
        )
        sys.exit(1)
    except (KamioiError, click.ClickException, ValueError) as error:
        click.echo(f"kamioi-web: {error}", err=True)
        sys.exit(1)


@contextmanager
def open_database() -> Any:
    """The database of the settings, closed afterwards."""
    database = Database(settings())
    try:
        yield database
    finally:
        database.close()


@commands.command()
@click.option("--months-ahead", default=3, show_default=True, help="Monthly partitions to make ahead (PostgreSQL).")
def migrate(months_ahead: int) -> None:
    """Create or update the tables, triggers and indexes; safe to run again."""
    with open_database() as database:
        done = migrations.migrate(database)
        made = migrations.add_months_ahead(database, datetime.now(UTC), months_ahead)
        words = vocabulary.add_missing(database)
    for name in [*done, *made]:
        click.echo(f"made {name}")
    if words:
        click.echo(f"{words:,} words of merchants' names can be searched")
    click.echo("The database is up to date.")


@commands.command()
def doctor() -> None:
    """Say what is missing or unsafe and how to mend it; exit 1 when something is."""
    with open_database() as database:
        findings = checks.examine(database)
    for finding in findings:
        click.echo(f"{finding.what}\n    {finding.mend}")
    if findings:
        raise KamioiError(f"{len(findings)} thing(s) to mend.")
    click.echo("Nothing to mend.")


@commands.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--workers", default=2, show_default=True, help="Processes; each has 8 threads.")
def serve(host: str, port: int, workers: int) -> None:
    """Serve the dashboard with gunicorn."""
    serving.serve(settings(), host, port, workers)


@commands.command()
@click.option("--queue", "queues", multiple=True, type=click.Choice(QUEUES), help="May be repeated. Default: all.")
@click.option("--threads", default=2, show_default=True, type=click.IntRange(1, 32), help="Jobs at once in a queue.")
@click.option("--with-parent", is_flag=True, help="End when the process that started this one ends.")
def worker(queues: tuple[str, ...], threads: int, with_parent: bool) -> None:
    """Carry out jobs: bulk changes, exports, imports. As many workers as you like; stop them at any time."""
    Worker(settings(), queues or QUEUES, threads).run(with_parent)


@commands.command()
@click.option("--every", default=5.0, show_default=True, help="Seconds between two rounds.")
@click.option("--once", is_flag=True, help="One round, then end.")
@click.option("--with-parent", is_flag=True, help="End when the process that started this one ends.")
def scheduler(every: float, once: bool, with_parent: bool) -> None:
    """Fold the tail of the totals, make partitions ahead and order what is done each hour and night. One is enough."""
    with open_database() as database:
        serving.keep_up(database, every, once, with_parent)


@commands.command()
@click.option("--rows", default=100_000, show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--data", type=click.Path(path_type=Path), default=Path("demo"), show_default=True)
def demo(rows: int, port: int, data: Path) -> None:
    """Make sample data in DATA/kamioi.db when there is none, and serve it with a login made for this run."""
    serving.demo(rows, port, data)


@commands.command()
@click.option("--rows", required=True, type=click.IntRange(1))
@click.option("--users", type=click.IntRange(1), help="Default: one for 150 rows.")
@click.option("--seed", default=1, show_default=True)
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Last day; the same seed and day give the same rows.")
def generate(rows: int, users: int | None, seed: int, until: datetime | None) -> None:
    """Fill the database with realistic transactions: the same seed, the same rows."""
    end = {"until": until.replace(tzinfo=UTC)} if until else {}
    plan = generator.plan(rows, users, seed, **end)
    with open_database() as database, progress_lines(rows, "rows") as progress:
        added = store(database, plan, progress)
    click.echo(f"{added:,} rows added, {rows - added:,} were there already.")


@commands.group()
def admin() -> None:
    """Accounts of admins."""


@admin.command("create")
@click.argument("email")
@click.option("--role", type=click.Choice(ROLES), required=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def create_admin(email: str, role: str, password_stdin: bool) -> None:
    """Make an account; asks for the password twice, or reads it from standard input."""
    ask: Callable[[], str] = lambda: click.prompt("Password", hide_input=True, confirmation_prompt=True)  # noqa: E731
    password = sys.stdin.readline().rstrip("\n") if password_stdin else ask()
    with open_database() as database, database.writing() as connection:
        admins.create_admin(connection, email, password, role)
    click.echo(f"{email} can log in as {role}.")


@commands.group()
def totals() -> None:
    """The exact totals that are kept beside the transactions."""


@totals.command("check")
def check_totals() -> None:
    """Recount the transactions a month at a time and report every difference; exit 1 when there is one."""
    with open_database() as database:
        wrong = 0
        for difference in totals_module.check(database):
            wrong += 1
            click.echo(difference)
    if wrong:
        raise KamioiError(f"{wrong} total(s) differ. Run kamioi-web totals rebuild.")
    click.echo("Every total equals a recount.")


@totals.command("rebuild")
def rebuild_totals() -> None:
    """Recount everything and put the totals right, in one transaction."""
    with open_database() as database:
        totals_module.rebuild(database)
    click.echo("The totals were rebuilt.")


@totals.command("fold")
def fold_totals() -> None:
    """Move the unfolded tail into the totals (PostgreSQL; the scheduler does it by itself)."""
    with open_database() as database, database.writing() as connection:
        moved = totals_module.fold(connection)
    click.echo("Another process is folding." if moved < 0 else f"{moved:,} rows folded.")


commands.add_command(imports)
commands.add_command(map_file)

if __name__ == "__main__":
    main()
