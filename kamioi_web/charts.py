"""Charts drawn on the server: where the points, ticks and labels of a line or of bars lie.

A page makes a chart from figures that it has formatted and linked already,

    chart = charts.line("volume", "Money through by month", labels, [
        charts.Line("this period", [Figure(cents, money(cents, "USD"), href), ...]),
        charts.Line("period before", [...], dashed=True),
    ], lambda cents: brief_money(cents, "USD"))

and draws it with the macros of components/chart.html: `{{ line(chart) }}` is the picture with its legend,
`{{ behind(chart, "Month") }}` the table of the same figures, each a link to its rows, `{{ bars(charts.bars([...])) }}`
bars under each other and `{{ share(0.36) }}` one bar alone, as in the cell of a table. The picture is one SVG of
percentages, so it fits any width without a script; lines differ by dashes and marks as well as by colour.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

MOST_TICKS = 6
MOST_LABELS = 7
MOST_MARKS = 40  # more points than these touch each other
ROUNDING = 1e-9  # what a division of floats may be off by
SIZE = 1000  # the units that a line is drawn in, across and down


@dataclass(frozen=True)
class Figure:
    """A value, how it reads, the address of the rows behind it ('' where there is none), and a word to the pointer."""

    value: float
    text: str
    href: str = ""
    title: str = ""


NOTHING = Figure(0, "–")


@dataclass(frozen=True)
class Line:
    """One line of a chart: a figure for each point, None where there is nothing to draw."""

    label: str
    figures: Sequence[Figure | None]
    dashed: bool = False


@dataclass(frozen=True)
class Label:
    """A point on the axis: in short below the picture, in full in the table and where the pointer rests."""

    short: str
    full: str


def line(
    name: str,
    title: str,
    labels: Sequence[Label],
    lines: Sequence[Line],
    tick_text: Callable[[float], str],
    least_step: float = 1,
) -> dict[str, Any]:
    """A line chart for the macros; the longest line says how many points there are.

    `name` is unique in the page; `tick_text` writes the round values beside the picture, at least `least_step` apart.
    """
    count = max((len(one.figures) for one in lines), default=0)
    drawn = [figure.value for one in lines for figure in one.figures if figure is not None]
    steps = ticks(min(drawn, default=0), max(drawn, default=0), least_step)
    low, high = steps[0], steps[-1]
    across = [_across(at, count) for at in range(count)]

    def down(value: float) -> float:
        return round(100 * (high - value) / (high - low), 2)

    return {
        "name": name,
        "title": title,
        "description": describe(labels, lines),
        "grid": [{"y": down(step), "text": tick_text(step), "zero": step == 0} for step in steps],
        "lines": [_drawn(one, across, down) for one in lines],
        "labels": _labels(labels, across),
        "hits": [_hit(at, across, labels, lines) for at in range(count)],
        "head": [one.label for one in lines],
        "rows": [{"label": _full(labels, at), "cells": _cells(lines, at)} for at in range(count)],
    }


def bars(figures: Sequence[tuple[str, Figure]]) -> list[dict[str, Any]]:
    """Bars under each other, as shares of the largest: (label, figure) of each, in the order given."""
    most = max((abs(figure.value) for _, figure in figures), default=0)
    return [
        {"label": label, "text": figure.text, "href": figure.href, "share": abs(figure.value) / most if most else 0.0}
        for label, figure in figures
    ]


def ticks(low: float, high: float, least_step: float = 1) -> list[float]:
    """Round steps of 1, 2 or 5 times a power of ten, at most MOST_TICKS, that hold `low`, 0 and `high`."""
    low, high = min(low, 0), max(high, 0)
    size = max(high - low, least_step)
    power = 10.0 ** (math.floor(math.log10(size)) - 1)
    steps = (max(power * times, least_step) for times in (1, 2, 5, 10, 20, 50, 100))
    for step in steps:
        slack = ROUNDING if step < 1 else 0
        first, last = math.floor(low / step + slack), math.ceil(max(high, size + low) / step - slack)
        if last - first < MOST_TICKS:
            break
    return [round(number * step, 6) for number in range(first, last + 1)]


def describe(labels: Sequence[Label], lines: Sequence[Line]) -> str:
    """A chart in words, for those who do not see it: the ends, the highest and the lowest point of each line."""
    found = []
    for one in lines:
        there = [(figure.value, at, figure) for at, figure in enumerate(one.figures) if figure is not None]
        if not there:
            found.append(f"{one.label}: nothing.")
            continue
        (_, first, begin), (_, last, end) = there[0], there[-1]
        _, lowest, least = min(there, key=lambda item: (item[0], item[1]))
        _, highest, most = max(there, key=lambda item: (item[0], -item[1]))
        found.append(
            f"{one.label}: from {begin.text} ({_full(labels, first)}) to {end.text} ({_full(labels, last)}); "
            f"highest {most.text} ({_full(labels, highest)}), lowest {least.text} ({_full(labels, lowest)})."
        )
    return " ".join(found)


def _across(at: int, count: int) -> float:
    return 50.0 if count == 1 else round(100 * at / (count - 1), 2)


def _drawn(one: Line, across: Sequence[float], down: Callable[[float], float]) -> dict[str, Any]:
    """The path in SIZE units, begun anew after each gap, and the marks in percent."""
    path, going = [], False
    for x, figure in zip(across, one.figures, strict=False):
        if figure is not None:
            path.append(f"{'L' if going else 'M'}{x * SIZE / 100:g} {down(figure.value) * SIZE / 100:g}")
        going = figure is not None
    there = [(x, figure) for x, figure in zip(across, one.figures, strict=False) if figure is not None]
    marked = there if len(across) <= MOST_MARKS else there if len(there) == 1 else []
    marks = [{"x": x, "y": down(figure.value)} for x, figure in marked]
    return {"label": one.label, "dashed": one.dashed, "path": "".join(path), "marks": marks}


def _labels(labels: Sequence[Label], across: Sequence[float]) -> list[dict[str, Any]]:
    """At most MOST_LABELS of them, evenly; every second one may give way where it is narrow."""
    shown = range(0, len(across), -(-len(across) // MOST_LABELS) or 1)
    return [
        {
            "x": across[at],
            "text": labels[at].short,
            "anchor": "end" if across[at] == 100 else "middle",
            "odd": number % 2 == 1,
        }
        for number, at in enumerate(shown)
        if at < len(labels)
    ]


def _hit(at: int, across: Sequence[float], labels: Sequence[Label], lines: Sequence[Line]) -> dict[str, Any]:
    """The strip of the picture where the pointer means this point, and what it then says."""
    low = (across[at - 1] + across[at]) / 2 if at else 0.0
    high = (across[at] + across[at + 1]) / 2 if at + 1 < len(across) else 100.0
    says = [f"{one.label}: {cell.text}" for one, cell in zip(lines, _cells(lines, at), strict=True)]
    return {"x": round(low, 2), "width": round(high - low, 2), "title": "\n".join([_full(labels, at), *says])}


def _cells(lines: Sequence[Line], at: int) -> list[Figure]:
    figures = [one.figures[at] if at < len(one.figures) else None for one in lines]
    return [figure or NOTHING for figure in figures]


def _full(labels: Sequence[Label], at: int) -> str:
    """The label of a point; a line may have a point more than there are labels."""
    return labels[at].full if at < len(labels) else "after the end of the period"
