"""kamioi-web import: transactions, mappings, instruments, a legacy database."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from kamioi_web import migrations
from kamioi_web.cli_progress import progress_lines
from kamioi_web.db import Database
from kamioi_web.errors import KamioiError
from kamioi_web.importing.instruments import import_instruments
from kamioi_web.importing.legacy import import_legacy
from kamioi_web.importing.mappings import import_mappings
from kamioi_web.importing.model import ImportOptions, ImportReport
from kamioi_web.importing.transactions import import_transactions
from kamioi_web.money import money
from kamioi_web.settings import settings

Files = tuple[Path, ...]
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("import")
def imports() -> None:
    """Read files into the database. The same file twice changes nothing; a killed import goes on where it was."""


def _options(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(
        (
            click.argument("files", nargs=-1, required=True, type=FILE),
            click.option("--preset", help="The layout of the file; found by itself for known ones."),
            click.option(
                "--map", "mapping", multiple=True, metavar="COLUMN=FIELD", help="Which column is which field."
            ),
            click.option("--currency", help="Of rows that name none, such as USD."),
            click.option("--account", help="The user of rows that name none."),
            click.option("--dry-run", is_flag=True, help="Show what would be stored; store nothing."),
            click.option("--rejects", type=click.Path(path_type=Path), help="Where refused rows go."),
            click.option(
                "--dayfirst/--monthfirst", default=None, help="How 03/04/2024 reads, where the file cannot tell."
            ),
            click.option("--encoding", help="Of the file; detected by itself."),
            click.option("--delimiter", help="Of the file; detected by itself."),
            click.option("--allow-changed", is_flag=True, help="Go on although an earlier version of it was imported."),
        )
    ):
        command = option(command)
    return command


@imports.command("transactions")
@_options
def transactions(files: Files, mapping: tuple[str, ...], **given: Any) -> None:
    """Bank and card statements as CSV or TSV, plain or .gz."""
    _run(files, import_transactions, ImportOptions(mapping=_pairs(mapping), **given))


@imports.command("mappings")
@_options
def mappings(files: Files, mapping: tuple[str, ...], **given: Any) -> None:
    """Merchants with their tickers as CSV or TSV. A worker applies them to the transactions that are not completed."""
    _run(files, import_mappings, ImportOptions(mapping=_pairs(mapping), **given))


@imports.command("instruments")
@click.argument("files", nargs=-1, required=True, type=FILE)
def instruments(files: Files) -> None:
    """Listed shares: the lists of NYSE, NASDAQ and the SEC as CSV. Give them together; the exchanges' word counts."""
    with closing(_database()) as database, database.writing() as connection:
        report = import_instruments(connection, files)
    click.echo(
        f"{report.read:,} rows read, {report.added:,} instruments added, {report.changed:,} changed, "
        f"{report.known:,} known"
    )
    for reason, count in report.left_out.most_common():
        click.echo(f"{count:,} left out: {reason}")
    if report.of_unknown_exchange:
        click.echo(
            f"{report.of_unknown_exchange:,} of those added are on no exchange's list that was read; names of theirs "
            "go to the review. Import nyse_listed.csv and nasdaq_listed.csv too."
        )


@imports.command("legacy")
@click.argument("source")
@click.option("--rejects", type=click.Path(path_type=Path), help="Where refused rows go.")
def legacy(source: str, rejects: Path | None) -> None:
    """Users, transactions, mappings and allocations of a legacy database: a SQLite file (or .gz) or a URL."""
    with closing(_database()) as database, progress_lines(None, "rows") as progress:
        report = import_legacy(database, source, lambda step: progress(step.done), rejects)
    for line in report.lines():
        click.echo(line)


def _run(files: Files, read: Callable[..., ImportReport], options: ImportOptions) -> None:
    failed = 0
    with closing(_database()) as database:
        for path in files:
            click.echo(f"{path.name}")
            try:
                with progress_lines(None, "rows") as progress:
                    report = read(database, path, options, lambda step, say=progress: say(step.rows_read))
            except KamioiError as error:
                failed += 1
                click.echo(f"  not imported: {error}", err=True)
                continue
            _tell(report, options)
    if failed:
        raise KamioiError(f"{failed} of {len(files)} files were not imported.")


def _database() -> Database:
    database = Database(settings())
    migrations.migrate(database)
    return database


def _pairs(mapping: tuple[str, ...]) -> dict[str, str]:
    for text in mapping:
        if "=" not in text:
            raise click.UsageError(f"--map takes COLUMN=FIELD, such as --map Creditor=merchant; got {text!r}.")
    return {column: name for column, _, name in (text.rpartition("=") for text in mapping)}


def _tell(report: ImportReport, options: ImportOptions) -> None:
    for line in report.decided:
        click.echo(f"  {line}")
    for row in report.sample if options.dry_run else []:
        click.echo("  " + ", ".join(f"{name} {value}" for name, value in row.items()))
    for warning in report.warnings:
        click.echo(f"  note: {warning}")
    rate = report.rows_read / report.seconds if report.seconds else 0
    verb = "would be added" if options.dry_run else "added"
    click.echo(
        f"  {report.rows_read:,} rows read, {report.rows_added:,} {verb}, {report.rows_known:,} known, "
        f"{report.rows_rejected:,} rejected, {report.rows_blank:,} blank, {rate:,.0f} rows/s"
    )
    for currency, cents in sorted(report.sums.items()):
        click.echo(f"  sum {money(cents, currency)}")
    for reason, count in sorted(report.reasons.items(), key=lambda item: -item[1]):
        click.echo(f"  {count:,} rejected: {reason}")
    if report.rejects_path and report.rows_rejected:
        click.echo(f"  the rejected rows are in {report.rejects_path}")
