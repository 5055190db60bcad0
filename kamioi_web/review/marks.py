"""How far something that goes through a table has come."""

from sqlalchemy import Connection, func, select, text

from kamioi_web.review.tables import marks
from kamioi_web.schema import merchants

MAPPED = "mapped"  # the highest merchant whose mapping was ordered
RAISE = text(
    "INSERT INTO marks (name, value) VALUES (:name, :value) "
    "ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE marks.value < excluded.value"
)


def read(connection: Connection, name: str) -> int:
    """The mark of that name; 0 before the first."""
    return connection.scalar(select(marks.c.value).where(marks.c.name == name)) or 0


def raise_to(connection: Connection, name: str, value: int) -> None:
    """Move a mark on; it never goes back."""
    connection.execute(RAISE, {"name": name, "value": value})


def newest_merchant(connection: Connection) -> int:
    """The highest merchant there is; 0 when there is none."""
    return connection.scalar(select(func.max(merchants.c.id))) or 0
