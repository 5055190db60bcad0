"""Periods: the one before, the steps that divide one, the whole months in it, and those that have names."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, strategies

from kamioi_web.periods import (
    FIRST,
    LAST,
    MOST_POINTS,
    STEPS,
    Period,
    day_number,
    day_of,
    label,
    named,
    usual,
    whole_months_to,
)

DATES = strategies.dates(FIRST, LAST)
PERIODS = strategies.tuples(DATES, DATES).map(lambda ends: Period(min(ends), max(ends)))
DAY = timedelta(days=1)


def period(since: str, until: str) -> Period:
    return Period(date.fromisoformat(since), date.fromisoformat(until))


@pytest.mark.parametrize(
    ("since", "until", "before"),
    [
        ("2024-01-01", "2024-06-30", ("2023-07-01", "2023-12-31")),
        ("2024-02-01", "2024-02-29", ("2024-01-01", "2024-01-31")),
        ("2024-02-29", "2024-02-29", ("2024-02-28", "2024-02-28")),
        ("2024-03-05", "2024-03-11", ("2024-02-27", "2024-03-04")),
        ("2023-01-01", "2023-12-31", ("2022-01-01", "2022-12-31")),
    ],
)
def test_the_period_before_is_as_long(since: str, until: str, before: tuple[str, str]) -> None:
    found = period(since, until).before()
    assert found == period(*before)
    assert found and found.after() == period(since, until)


@given(PERIODS)
def test_before_and_after_touch_and_stay_within_what_an_address_holds(one: Period) -> None:
    before, after = one.before(), one.after()
    for found in (before, after):
        assert found is None or (found.since >= FIRST and found.until <= LAST)
        assert found is None or (found.months == one.months if one.whole_months else found.days == one.days)
    assert before is None or before.until + DAY == one.since
    assert after is None or one.until + DAY == after.since


@given(PERIODS)
def test_whole_months_and_edges_make_the_period(one: Period) -> None:
    inside, edges = one.pieces()
    parts = sorted([*edges, *([inside] if inside else [])], key=lambda part: part.since)
    assert parts[0].since == one.since and parts[-1].until == one.until
    assert all(a.until + DAY == b.since for a, b in pairwise(parts))
    assert inside is None or inside.whole_months
    assert all(edge.days < 62 and not edge.whole_months for edge in edges)


@given(PERIODS, strategies.sampled_from(STEPS))
def test_steps_divide_the_period(one: Period, by: str) -> None:
    if one.points(by) > 1_000:
        return
    steps = one.steps(by)
    assert len(steps) == one.points(by)
    assert steps[0].since == one.since and steps[-1].until == one.until
    assert all(a.until + DAY == b.since for a, b in pairwise(steps))


@given(PERIODS, strategies.sampled_from([None, *STEPS[:3]]))
def test_no_period_has_too_many_points_and_a_coarser_step_is_told(one: Period, asked: str | None) -> None:
    by, note = one.step_by(asked)
    assert one.points(by) <= MOST_POINTS
    assert bool(note) == (asked is not None and by != asked)
    if note:
        assert f"By {asked} would be" in note and note.endswith(f"this is by {by}.")


def test_ten_years_by_day_are_shown_by_month() -> None:
    by, note = period("2014-01-01", "2023-12-31").step_by("day")
    assert by == "month"
    assert note == "By day would be 3,652 points; at most 400 are drawn, so this is by month."


@pytest.mark.parametrize(("days", "by"), [(1, "day"), (62, "day"), (63, "week"), (190, "week"), (191, "month")])
def test_a_step_that_nobody_asked_for_fits_the_length(days: int, by: str) -> None:
    assert Period(date(2024, 1, 1), date(2024, 1, 1) + timedelta(days=days - 1)).step_by(None) == (by, "")


@pytest.mark.parametrize(
    ("since", "until", "text"),
    [
        ("2024-03-14", "2024-03-14", "14 Mar 2024"),
        ("2024-03-01", "2024-03-07", "1 – 7 Mar 2024"),
        ("2024-01-01", "2024-06-30", "1 Jan – 30 Jun 2024"),
        ("2023-12-25", "2024-01-07", "25 Dec 2023 – 7 Jan 2024"),
    ],
)
def test_a_period_in_words(since: str, until: str, text: str) -> None:
    assert period(since, until).text == text


@pytest.mark.parametrize(
    ("since", "until", "by", "short", "full"),
    [
        ("2024-03-14", "2024-03-14", "day", "14 Mar", "14 Mar 2024"),
        ("2024-03-14", "2024-03-20", "week", "14 Mar", "14 – 20 Mar 2024"),
        ("2024-03-01", "2024-03-31", "month", "Mar 24", "Mar 2024"),
        ("2024-03-14", "2024-03-31", "month", "Mar 24", "14 – 31 Mar 2024"),
        ("2024-01-01", "2024-12-31", "year", "2024", "1 Jan – 31 Dec 2024"),
    ],
)
def test_a_step_on_an_axis(since: str, until: str, by: str, short: str, full: str) -> None:
    found = label(period(since, until), by)
    assert (found.short, found.full) == (short, full)


def test_the_usual_period_is_the_last_twelve_whole_months() -> None:
    assert usual(date(2020, 1, 1), date(2024, 6, 29)) == period("2023-06-01", "2024-05-31")
    assert usual(date(2020, 1, 1), date(2024, 6, 30)) == period("2023-07-01", "2024-06-30")
    assert usual(date(2024, 6, 3), date(2024, 6, 29)) == period("2024-06-01", "2024-06-29")


def test_periods_with_names_count_back_from_the_newest_day() -> None:
    found = named(date(2021, 5, 17), date(2024, 3, 14))
    assert found == {
        "7 days": period("2024-03-08", "2024-03-14"),
        "30 days": period("2024-02-14", "2024-03-14"),
        "This month": period("2024-03-01", "2024-03-14"),
        "Last month": period("2024-02-01", "2024-02-29"),
        "Quarter": period("2023-12-01", "2024-02-29"),
        "Year": period("2023-03-01", "2024-02-29"),
        "3 years": period("2021-03-01", "2024-02-29"),
        "All": period("2021-05-01", "2024-03-14"),
    }


@given(DATES, DATES)
def test_named_periods_exist_for_any_data(one: date, other: date) -> None:
    oldest, newest = min(one, other), max(one, other)
    for found in (*named(oldest, newest).values(), usual(oldest, newest), whole_months_to(newest, 12)):
        assert FIRST <= found.since <= found.until <= LAST


def test_days_that_no_address_holds_count_as_its_first_or_last() -> None:
    assert (day_of(-1), day_of(0), day_of(10**6)) == (FIRST, FIRST, LAST)
    assert day_of(day_number(date(2024, 2, 29))) == date(2024, 2, 29)
