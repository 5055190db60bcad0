"""Stretches of whole UTC days: the one before, the ones that divide it, and those that people ask for by name."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from kamioi_web.charts import Label
from kamioi_web.schema import EPOCH

DAY = timedelta(days=1)
FIRST, LAST = EPOCH.date(), date(2199, 12, 31)  # what a date in an address may be (filters.day)
STEPS = ("day", "week", "month", "year")
MOST_POINTS = 400  # of one line; more could not be told apart, and their table would be most of the page
FEW_DAYS, SOME_DAYS = 62, 190  # up to these a chart goes by day, by week; a longer one by month


@dataclass(frozen=True)
class Period:
    """The days from `since` to `until`, both included."""

    since: date
    until: date

    @property
    def days(self) -> int:
        return (self.until - self.since).days + 1

    @property
    def months(self) -> int:
        """The months that it touches."""
        return month_number(self.until) - month_number(self.since) + 1

    @property
    def whole_months(self) -> bool:
        return self.since.day == 1 and (self.until + DAY).day == 1

    @property
    def text(self) -> str:
        """1 – 7 Jan 2024, 1 Jan – 30 Jun 2024 or 14 Mar 2024."""
        since, until = self.since, self.until
        if since == until:
            return _day(since)
        if since.year != until.year:
            return f"{_day(since)} – {_day(until)}"
        return f"{since.day}{'' if since.month == until.month else f' {since:%b}'} – {_day(until)}"

    def touched_months(self) -> "Period":
        """The whole months that it touches."""
        return Period(first_of(month_number(self.since)), first_of(month_number(self.until) + 1) - DAY)

    def before(self) -> "Period | None":
        """The period of the same length before: as many months when these are whole months, else as many days."""
        return self._moved(-1)

    def after(self) -> "Period | None":
        """The period of the same length after it."""
        return self._moved(1)

    def _moved(self, times: int) -> "Period | None":
        """None where that would leave the dates that an address may hold."""
        if self.whole_months:
            first = month_number(self.since) + times * self.months
            low, high = month_number(FIRST), month_number(LAST) + 1
            if first < low or first + self.months > high:
                return None
            return Period(first_of(first), first_of(first + self.months) - DAY)
        room = (self.since - FIRST).days if times < 0 else (LAST - self.until).days
        if room < self.days:
            return None
        by = timedelta(days=times * self.days)
        return Period(self.since + by, self.until + by)

    def pieces(self) -> tuple["Period | None", tuple["Period", ...]]:
        """The whole months inside, if any, and the days at the edges that are none."""
        first = month_number(self.since) + (self.since.day > 1)
        end = month_number(self.until + DAY)
        if first >= end:
            return None, (self,)
        inside = Period(first_of(first), first_of(end) - DAY)
        edges = (Period(self.since, inside.since - DAY), Period(inside.until + DAY, self.until))
        return inside, tuple(edge for edge in edges if edge.since <= edge.until)

    def steps(self, by: str) -> list["Period"]:
        """The parts of it by day, week of seven days from its first, calendar month or calendar year."""
        return list(self._steps(NEXT[by]))

    def _steps(self, following: Callable[[date], date]) -> Iterator["Period"]:
        start = self.since
        while start <= self.until:
            end = min(following(start) - DAY, self.until)
            yield Period(start, end)
            start = end + DAY

    def points(self, by: str) -> int:
        """How many steps there are, without making them."""
        years = self.until.year - self.since.year + 1
        return {"day": self.days, "week": -(-self.days // 7), "month": self.months, "year": years}[by]

    def step_by(self, asked: str | None) -> tuple[str, str]:
        """What to step by, and in words why it is not what was asked for."""
        by = asked or ("day" if self.days <= FEW_DAYS else "week" if self.days <= SOME_DAYS else "month")
        coarse = next(step for step in STEPS[STEPS.index(by) :] if step == "year" or self.points(step) <= MOST_POINTS)
        if coarse == by or asked is None:
            return coarse, ""
        many = f"By {by} would be {self.points(by):,} points; at most {MOST_POINTS} are drawn"
        return coarse, f"{many}, so this is by {coarse}."


def label(step: Period, by: str) -> Label:
    """A step on an axis: in short, and in full; whole months and years by their names."""
    since = step.since
    full = f"{since:%b %Y}" if by == "month" and step.whole_months else step.text
    short = {"day": f"{since.day} {since:%b}", "week": f"{since.day} {since:%b}", "month": f"{since:%b %y}"}
    return Label(short.get(by, str(since.year)), full)


def month_number(day: date) -> int:
    """The month of a day, counted from January 1970."""
    return (day.year - 1970) * 12 + day.month - 1


def day_number(day: date) -> int:
    """A day, counted from the first of 1970."""
    return (day - FIRST).days


def day_of(bucket: int) -> date:
    """The day so many days after 1970; what no address can hold counts as the first or the last that one can."""
    return FIRST + timedelta(days=min(max(bucket, 0), (LAST - FIRST).days))


def first_of(month: int) -> date:
    """The first day of a month counted from January 1970."""
    return date(1970 + month // 12, month % 12 + 1, 1)


def whole_months_to(newest: date, count: int) -> Period:
    """The last so many whole months, the newest day's own only when that day ends it."""
    end = month_number(newest + DAY)
    return Period(first_of(max(0, end - count)), first_of(max(1, end)) - DAY)


def usual(oldest: date, newest: date) -> Period:
    """What a page opens at: the last twelve whole months, or everything while there is no whole month yet."""
    found = whole_months_to(newest, 12)
    return found if oldest <= found.until else Period(oldest.replace(day=1), newest)


def named(oldest: date, newest: date) -> dict[str, Period]:
    """The periods that people ask for by name, counted back from the newest day."""
    return {
        "7 days": Period(max(FIRST, newest - 6 * DAY), newest),
        "30 days": Period(max(FIRST, newest - 29 * DAY), newest),
        "This month": Period(newest.replace(day=1), newest),
        "Last month": whole_months_to(newest.replace(day=1) - DAY, 1),
        "Quarter": whole_months_to(newest, 3),
        "Year": whole_months_to(newest, 12),
        "3 years": whole_months_to(newest, 36),
        "All": Period(oldest.replace(day=1), newest),
    }


def _day(day: date) -> str:
    return f"{day.day} {day:%b} {day.year}"


def _next_year(day: date) -> date:
    return date(day.year + 1, 1, 1)


NEXT: dict[str, Callable[[date], date]] = {
    "day": lambda day: day + DAY,
    "week": lambda day: day + 7 * DAY,
    "month": lambda day: first_of(month_number(day) + 1),
    "year": _next_year,
}
