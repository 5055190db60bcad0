"""How much to generate, and for which stretch of time."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

DEFAULT_UNTIL = datetime(2026, 11, 1, tzinfo=UTC)
YEARS = 3
YEARLY_GROWTH = 1.35


@dataclass(frozen=True)
class Plan:
    """What one run of the generator makes: the same plan gives the same rows."""

    rows: int
    users: int
    seed: int
    since: datetime
    until: datetime
    merchants: int

    @property
    def since_micros(self) -> int:
        """The first moment, in microseconds since 1970."""
        return micros(self.since)

    @property
    def until_micros(self) -> int:
        """The moment that nothing comes after, in microseconds since 1970."""
        return micros(self.until)


def plan(rows: int, users: int | None = None, seed: int = 1, until: datetime = DEFAULT_UNTIL) -> Plan:
    """A plan of three years that end at `until` (aware), with as many users and merchants as such a book would have."""
    if until.tzinfo is None:
        raise ValueError("until must carry a time zone")
    if rows < 0 or (users is not None and users < 1):
        raise ValueError("rows must be 0 or more, users 1 or more")
    until = until.astimezone(UTC)
    midnight = until.replace(hour=0, minute=0, second=0, microsecond=0)
    chosen = users if users is not None else min(max(rows // 150, 20), 200_000)
    merchants = min(max(round(3_000 * (rows / 100_000) ** 0.5625), 60), 400_000)
    return Plan(rows, chosen, seed, midnight - timedelta(days=365 * YEARS), until, merchants)


def micros(moment: datetime) -> int:
    """Microseconds since 1970 of an aware moment."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
