"""The days of a plan, and how many rows fall on each."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from random import Random

from kamioi_web.generate.chance import chance
from kamioi_web.generate.plan import YEARLY_GROWTH, Plan, micros
from kamioi_web.generate.rhythm import DAY, JITTER

WEEK = (0.93, 0.94, 0.97, 1.0, 1.13, 1.16, 0.92)
MONTHS = (0.95, 0.93, 0.98, 0.98, 1.0, 1.01, 1.03, 1.02, 0.97, 1.0, 1.05, 1.2)
OPEN_DAYS = 4  # a row younger than this may still be on its way


@dataclass(frozen=True)
class Day:
    """One UTC day: its start and usable length in microseconds, and its rows."""

    date: datetime
    start: int
    length: int
    rows: int
    weekend: bool
    recent: bool
    late: bool


def days(plan: Plan, left_days: int) -> list[Day]:
    """Every day of the plan, oldest first; their rows add up to the plan's. `late` marks the last `left_days`."""
    rng = chance("days", plan.seed)
    count = -(-(plan.until_micros - plan.since_micros) // DAY)
    dates = [plan.since + timedelta(days=number) for number in range(count)]
    lengths = [min(DAY, plan.until_micros - micros(date)) for date in dates]
    weights = [_weight(number, date, lengths[number], rng) for number, date in enumerate(dates)]
    allotted = _allot(plan.rows, weights)
    return [
        Day(
            date,
            micros(date),
            length,
            rows,
            date.weekday() >= 5,
            micros(date) + length > plan.until_micros - OPEN_DAYS * DAY,
            micros(date) > plan.until_micros - left_days * DAY,
        )
        for date, length, rows in zip(dates, lengths, allotted, strict=True)
    ]


def _weight(number: int, date: datetime, length: int, rng: Random) -> float:
    noise = rng.uniform(0.93, 1.07)
    if length < 2 * JITTER:
        return 0.0
    return YEARLY_GROWTH ** (number / 365) * WEEK[date.weekday()] * MONTHS[date.month - 1] * noise * length / DAY


def _allot(rows: int, weights: list[float]) -> list[int]:
    """Whole rows by weight: each border is rounded, so the parts add up to the whole."""
    borders = list(accumulate(weights))
    ends = [round(rows * border / borders[-1]) for border in borders]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]
