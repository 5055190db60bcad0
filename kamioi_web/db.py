"""Connections with limits: one pool that only reads, one that writes, and plain words for what goes wrong."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg
from sqlalchemy import Connection, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from kamioi_web.dialects import DIALECTS
from kamioi_web.errors import Busy, KamioiError, TooSlow
from kamioi_web.settings import Settings


class Database:
    """The database that the settings name: one pool that only reads, one that writes."""

    def __init__(self, settings: Settings) -> None:
        name = make_url(settings.database_url).get_backend_name()
        if name not in DIALECTS:
            raise KamioiError(f"KAMIOI_DATABASE_URL must begin with sqlite:/// or postgresql://, not {name}://")
        self.settings = settings
        self.dialect = DIALECTS[name]
        self.reader = self.dialect.engine(settings, read_only=True)
        self.writer = self.dialect.engine(settings, read_only=False)

    @contextmanager
    def reading(self, seconds: float | None = None) -> Generator[Connection]:
        """A connection that cannot write, and whose statements stop after so many seconds in all."""
        with in_plain_words(), self.reader.connect() as connection:
            self.dialect.limit_reads(connection, seconds or self.settings.rows_seconds)
            yield connection

    @contextmanager
    def snapshot(self, seconds: float) -> Generator[tuple[Connection, datetime]]:
        """One reading transaction, and its time: every statement sees the database as it was then.

        Its first statements stop after so many seconds; who goes on sets the limit anew. While it lasts PostgreSQL
        keeps dead rows and SQLite does not shorten its log, so it is for jobs only.
        """
        with in_plain_words(), self.reader.connect() as connection:
            self.dialect.limit_reads(connection, seconds)
            self.dialect.begin_snapshot(connection)
            yield connection, connection.execute(select(self.dialect.later(0))).scalar_one().astimezone(UTC)

    @contextmanager
    def writing(self) -> Generator[Connection]:
        """One transaction: committed at the end, or undone when anything in it fails."""
        with in_plain_words(), self.writer.begin() as connection:
            yield connection

    def close(self) -> None:
        self.reader.dispose()
        self.writer.dispose()


@contextmanager
def in_plain_words() -> Generator[None]:
    """Turn what a person can act on into errors that say so; the rest stays as it is."""
    try:
        yield
    except PoolTimeout as error:
        raise Busy("Every database connection is in use. Try again in a moment.") from error
    except DBAPIError as error:
        raise _plain(error) or error from error


def _plain(error: DBAPIError) -> KamioiError | None:
    if isinstance(error.orig, psycopg.errors.QueryCanceled) or "interrupted" in str(error.orig):
        return TooSlow("The database took too long, so the statement was stopped. Try again, or narrow the filter.")
    if isinstance(error.orig, psycopg.errors.LockNotAvailable) or "database is locked" in str(error.orig):
        return Busy("The database is busy with another change. Nothing was changed; try again in a moment.")
    return None
