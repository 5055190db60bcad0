"""Charts: round ticks, points in proportion, a table of the same figures, words for a screen reader."""

import math
import re
from itertools import pairwise
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from hypothesis import given, strategies

from kamioi_web import charts, create_app
from kamioi_web.charts import Figure, Label, Line
from kamioi_web.settings import Settings

VALUES = strategies.integers(-(10**15), 10**15)


def figures(*values: float | None) -> list[Figure | None]:
    return [None if value is None else Figure(value, f"{value} pieces", f"/rows?v={value}") for value in values]


def labels(count: int) -> list[Label]:
    return [Label(f"d{number}", f"day {number}") for number in range(count)]


def chart(*lines: Line) -> dict[str, Any]:
    count = max((len(one.figures) for one in lines), default=0)
    return charts.line("pieces", "Pieces by day", labels(count), lines, str)


@pytest.fixture
def macros(tmp_path: Any) -> Any:
    """The macros of components/chart.html; they need a template environment, not a database."""
    app: Flask = create_app(Settings(database_url=f"sqlite:///{tmp_path / 'none.db'}", _env_file=None))
    return app.jinja_env.get_template("components/chart.html").module


def soup(text: str) -> Any:
    return BeautifulSoup(text, "html.parser")


@given(VALUES, VALUES)
def test_ticks_are_round_even_and_hold_every_value(one: int, other: int) -> None:
    low, high = min(one, other), max(one, other)
    steps = charts.ticks(low, high)
    assert 2 <= len(steps) <= charts.MOST_TICKS
    assert steps[0] <= min(low, 0) and steps[-1] >= max(high, 0) and 0 in steps
    size = steps[1] - steps[0]
    assert size >= 1 and all(math.isclose(b - a, size) for a, b in pairwise(steps))
    assert re.fullmatch(r"[125]0*", f"{size:.0f}")


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        (0, 0, [0, 1]),
        (0, 4, [0, 1, 2, 3, 4]),
        (3, 9, [0, 2, 4, 6, 8, 10]),
        (-5, 12, [-5, 0, 5, 10, 15]),
        (0, 1000, [0, 200, 400, 600, 800, 1000]),
    ],
)
def test_ticks_by_example(low: int, high: int, wanted: list[int]) -> None:
    assert charts.ticks(low, high) == wanted


def test_ticks_of_shares_may_be_finer_than_one() -> None:
    assert charts.ticks(0, 0.3, least_step=0.01) == [0, 0.1, 0.2, 0.3]
    assert charts.ticks(0, 0, least_step=0.01) == [0, 0.01]


def test_points_lie_in_proportion() -> None:
    drawn = chart(Line("now", figures(0, 50, 100)), Line("before", figures(100, 0), dashed=True))
    now, before = drawn["lines"]
    assert now["path"] == "M0 1000L500 500L1000 0"
    assert before["path"] == "M0 0L500 1000"
    assert [(mark["x"], mark["y"]) for mark in now["marks"]] == [(0, 100), (50, 50), (100, 0)]
    assert (now["dashed"], before["dashed"]) == (False, True)


def test_a_gap_is_not_bridged_and_one_point_is_seen() -> None:
    (gap,) = chart(Line("now", figures(10, None, 10, 0)))["lines"]
    assert gap["path"] == "M0 0M666.7 0L1000 1000"
    many = chart(Line("now", figures(*[None] * 60, 5)))["lines"]
    assert len(many[0]["marks"]) == 1
    (alone,) = chart(Line("now", figures(7)))["lines"]
    assert [mark["x"] for mark in alone["marks"]] == [50]


@pytest.mark.parametrize("count", [1, 2, 6, 7, 8, 31, 365, 400])
def test_labels_are_few_and_even_and_strips_cover_the_picture(count: int) -> None:
    drawn = chart(Line("now", figures(*range(count))))
    assert 1 <= len(drawn["labels"]) <= charts.MOST_LABELS
    assert drawn["labels"][0]["text"] == "d0"
    edges = [(hit["x"], hit["x"] + hit["width"]) for hit in drawn["hits"]]
    assert len(edges) == count and edges[0][0] == 0 and edges[-1][1] == pytest.approx(100, abs=0.02)
    assert all(a[1] == pytest.approx(b[0], abs=0.02) for a, b in pairwise(edges))


def test_the_words_name_the_ends_and_the_extremes() -> None:
    words = chart(Line("now", figures(5, 9, 1, 2)), Line("before", [], dashed=True))["description"]
    assert words == (
        "now: from 5 pieces (day 0) to 2 pieces (day 3); highest 9 pieces (day 1), lowest 1 pieces (day 2). "
        "before: nothing."
    )


def test_the_picture_has_a_name_and_words_and_the_table_every_figure_with_its_link(macros: Any) -> None:
    drawn = chart(Line("<now>", figures(5, 9)), Line("before", figures(4, 8, 2), dashed=True))
    picture = soup(macros.line(drawn)).svg
    assert picture["role"] == "img"
    named = [picture.find(id=id).text for id in picture["aria-labelledby"].split()]
    assert named == ["Pieces by day", drawn["description"]]
    assert picture.find("a") is None  # what is inside an image cannot be reached by key
    assert len(picture.select("path.solid, path.dashed")) == 2
    table = soup(macros.behind(drawn, "Day")).table
    assert [cell.text for cell in table.select("thead th")] == ["Day", "<now>", "before"]
    rows = [[cell.text.strip() for cell in row.find_all(["th", "td"])] for row in table.select("tbody tr")]
    assert rows == [
        ["day 0", "5 pieces", "4 pieces"],
        ["day 1", "9 pieces", "8 pieces"],
        ["day 2", "–", "2 pieces"],
    ]
    assert [link["href"] for link in table.select("a")] == [f"/rows?v={n}" for n in (5, 4, 9, 8, 2)]


def test_an_empty_chart_says_so(macros: Any) -> None:
    drawn = charts.line("none", "None", [], [Line("now", [])], str)
    assert "nothing to draw" in macros.line(drawn)
    assert macros.behind(drawn).strip() == ""


def test_bars_are_shares_of_the_largest(macros: Any) -> None:
    rows = charts.bars([("A & B", Figure(200, "200", "/a")), ("C", Figure(50, "50")), ("D", Figure(0, "0"))])
    assert [row["share"] for row in rows] == [1, 0.25, 0]
    drawn = soup(macros.bars(rows))
    assert [rect["width"] for rect in drawn.select("rect:not(.whole)")] == ["100.0%", "25.0%"]
    assert drawn.dt.text == "A & B" and [link["href"] for link in drawn.select("a")] == ["/a"]
    assert [row["share"] for row in charts.bars([("A", Figure(0, "0"))])] == [0]
