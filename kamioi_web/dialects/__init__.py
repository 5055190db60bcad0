"""What differs between SQLite and PostgreSQL. Only these modules and the files in sql/ know."""

from sqlalchemy import Connection

from kamioi_web.dialects.postgres import Postgres
from kamioi_web.dialects.sqlite import Sqlite

Dialect = Sqlite | Postgres
DIALECTS: dict[str, Dialect] = {"sqlite": Sqlite(), "postgresql": Postgres()}


def dialect_of(connection: Connection) -> Dialect:
    """What this connection's database does its own way."""
    return DIALECTS[connection.dialect.name]
