"""Putting a generated book into a database: users, transactions in bulk, the merchants that were seen, the totals."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from sqlalchemy import Connection, Table, func, select

from kamioi_web import loading, migrations, totals
from kamioi_web.db import Database
from kamioi_web.dialects import dialect_of
from kamioi_web.errors import KamioiError
from kamioi_web.generate import Plan, Sightings, mappings, merchants, transactions, users
from kamioi_web.generate.mappings import MAPPING_COLUMNS, in_force
from kamioi_web.review import marks, weights
from kamioi_web.schema import admins as admins_table
from kamioi_web.schema import llm_mappings
from kamioi_web.schema import merchants as merchants_table
from kamioi_web.schema import transactions as transactions_table
from kamioi_web.schema import users as users_table
from kamioi_web.search import vocabulary

BATCH = 50_000
USER_COLUMNS = ("id", "account_number", "email", "name", "account_type", "status", "round_up_cents", "city", "state",
                "created_at")  # fmt: skip
MERCHANT_COLUMNS = ("id", "descriptor", "name", "ticker", "company", "category", "first_seen", "last_seen",
                    "mapping_id")  # fmt: skip


def store(database: Database, plan: Plan, progress: Callable[[int], None]) -> int:
    """Make the plan's rows and return how many were new; `progress` gets the rows done so far.

    The same plan again changes nothing. KamioiError when the database holds users that this plan did not make.
    """
    migrations.migrate(database)
    with database.writing() as connection:
        _refuse_strangers(connection, plan)
        _insert(connection, users_table, USER_COLUMNS, users(plan))
        if connection.scalar(select(transactions_table.c.id).limit(1)) is None:
            migrations.drop_indexes(connection, "transactions")  # built at once at the end, in a third of the time
    sightings = Sightings()
    added = done = 0
    for rows in transactions(plan, BATCH, sightings):
        with database.writing() as connection:
            added += loading.load_transactions(connection, rows)
        done += len(rows)
        progress(done)
    with database.writing() as connection:
        _store_merchants(connection, plan, sightings)
        totals.fold(connection)
    migrations.migrate(database)
    _finish(database)
    return added


def _store_merchants(connection: Connection, plan: Plan, sightings: Sightings) -> None:
    """The merchants that were seen and what was decided about them, unless they are here already."""
    admins = connection.scalars(
        select(admins_table.c.id).where(admins_table.c.active).order_by(admins_table.c.id)
    ).all()
    last = connection.scalar(select(func.max(llm_mappings.c.id))) or 0
    decided = mappings(plan, sightings, last + 1, admins)
    chosen = in_force(decided)
    rows = ((*row, chosen.get(row[0])) for row in merchants(plan, sightings))
    if _insert(connection, merchants_table, MERCHANT_COLUMNS, rows):
        _insert(connection, llm_mappings, MAPPING_COLUMNS, decided)
        vocabulary.rebuild(connection)
        weights.weigh_all(connection)
        marks.raise_to(connection, marks.MAPPED, marks.newest_merchant(connection))


def _finish(database: Database) -> None:
    """Statistics for the planner, and ids that go on after ours."""
    with database.writing() as connection:
        for table in ("users", "merchants", "llm_mappings"):
            dialect_of(connection).restart_ids(connection, table)
        dialect_of(connection).after_load(connection)


def _insert(connection: Connection, table: Table, columns: tuple[str, ...], rows: Iterable[tuple]) -> int:
    return sum(dialect_of(connection).bulk_insert(connection, table, columns, some) for some in _batches(rows))


def _batches(rows: Iterable[tuple]) -> Iterator[list[tuple]]:
    remaining = iter(rows)
    while some := list(islice(remaining, BATCH)):
        yield some


def _refuse_strangers(connection: Connection, plan: Plan) -> None:
    first = next(users(plan), None)
    there = connection.scalar(select(func.min(users_table.c.id)))
    known = first and connection.scalar(select(users_table.c.email).where(users_table.c.id == first[0]))
    if there is not None and known != (first and first[2]):
        raise KamioiError(
            "This database holds users that generate did not make with these settings. "
            "Use an empty database (KAMIOI_DATABASE_URL), or the same --rows, --users and --seed as before."
        )
