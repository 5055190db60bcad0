"""How proposals fared: exact counts by day, admin, who proposed and how surely, kept with each decision."""

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, func, select, text

from kamioi_web.review.tables import decision_counts
from kamioi_web.schema import EPOCH
from kamioi_web.sql_types import AnyRow

NO_PROPOSAL = -1  # the tenth of a decision for which there was nothing to agree with
c = decision_counts.c
ADD = text(
    "INSERT INTO decision_counts (day, admin_id, source, tenth, action, n) "
    "VALUES (:day, :admin_id, :source, :tenth, :action, :n) "
    "ON CONFLICT (day, admin_id, source, tenth, action) DO UPDATE SET n = decision_counts.n + excluded.n"
)


def add(
    connection: Connection, admin_id: int, mapping: AnyRow, action: str, n: int, at: datetime | None = None
) -> None:
    """Count a decision about a proposal, or with -1 one that is taken back, on the day on which it was taken."""
    day = day_of((at or datetime.now(UTC)).date())
    named = {"day": day, "admin_id": admin_id, "source": mapping.source, "tenth": tenth_of(mapping.confidence)}
    connection.execute(ADD, named | {"action": action, "n": n})


def of_day(connection: Connection, day: date) -> dict[int, int]:
    """{admin: decisions} of a day."""
    query = select(c.admin_id, func.sum(c.n)).where(c.day == day_of(day)).group_by(c.admin_id)
    return {admin: int(n) for admin, n in map(tuple, connection.execute(query))}


def fared(connection: Connection, since: date, until: date) -> list[tuple[str, int, str, int]]:
    """(source, tenth of confidence, action, decisions) of a stretch of days, both ends included."""
    days = c.day.between(day_of(since), day_of(until))
    query = select(c.source, c.tenth, c.action, func.sum(c.n)).where(days).group_by(c.source, c.tenth, c.action)
    return [(source, tenth, action, int(n)) for source, tenth, action, n in map(tuple, connection.execute(query))]


def by_day(connection: Connection, since: date, until: date) -> dict[date, int]:
    """{day: decisions} of those days of a stretch that have any, both ends included."""
    days = c.day.between(day_of(since), day_of(until))
    rows = connection.execute(select(c.day, func.sum(c.n)).where(days).group_by(c.day))
    return {EPOCH.date() + timedelta(days=day): int(n) for day, n in map(tuple, rows)}


def tenth_of(confidence: float) -> int:
    """0 to 9; a confidence of 1 belongs to the highest, and of 0 is NO_PROPOSAL."""
    return min(9, int(confidence * 10)) if confidence > 0 else NO_PROPOSAL


def day_of(day: date) -> int:
    """Days since 1970."""
    return (day - EPOCH.date()).days
