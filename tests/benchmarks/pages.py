"""What pages cost: against the floor, against the first page, and against the same page of a smaller database."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.benchmarks import floor, plans
from tests.benchmarks.measure import Timed, ratio, take_turns
from tests.benchmarks.places import FIRST, FRAGMENT, SCANNED, Case, find_cases, requests_to_the_end
from tests.benchmarks.report import Report
from tests.benchmarks.stores import Stored
from tests.benchmarks.target import Target
from tests.benchmarks.touched import touched_by, touched_text

COLUMNS = (
    "page",
    "cpu ms",
    "least",
    "wall ms",
    "floor",
    "x floor",
    "least x",
    "x first",
    "touched",
    "kB",
    "gzip",
    "br",
    "zstd",
)


@dataclass
class Measured:
    """One case of one database: the page and the floor that took turns with it."""

    target: Target
    case: Case
    page: Timed
    floor: Timed

    @property
    def to_floor(self) -> float | None:
        return ratio(self.page.cpu_median, self.floor.cpu_median)

    @property
    def least_to_floor(self) -> float | None:
        return ratio(self.page.cpu_least, self.floor.cpu_least)


def measure(report: Report, stored: Sequence[Stored], rounds: int) -> None:
    """All pages of all databases, those of one name next to each other."""
    targets = [Target(one) for one in stored]
    try:
        report.say("looking for the places to measure")
        found = _measure(targets, rounds, report.say)
        for target in targets:
            _report_one(report, target, [one for one in found if one.target is target])
        _compare_sizes(report, targets, found)
        for target in targets:
            _report_search(report, target, found)
            plans.compare(report, target, [one.case for one in found if one.target is target])
    finally:
        for target in targets:
            target.close()


def _measure(targets: Sequence[Target], rounds: int, say: Callable[[str], None]) -> list[Measured]:
    cases = [find_cases(target) for target in targets]
    floors = [floor.floor_of(target) for target in targets]
    found = []
    for same in zip(*cases, strict=True):
        say(f"measuring {same[0].name}")
        some = [_timed(target, case, floor) for target, case, floor in zip(targets, same, floors, strict=True)]
        take_turns([timed for one in some for timed in (one.floor, one.page)], rounds)
        found += some
    return found


def _timed(target: Target, case: Case, write_floor: Callable[[], Any]) -> Measured:
    target.ask(case.path)  # so that the backend is there
    app, raw = target.backends()
    before = target.forget if case.uncached else None
    page = Timed(case.name, lambda: target.ask(case.path), app, before)
    return Measured(target, case, page, Timed("floor", write_floor, raw))


def _report_one(report: Report, target: Target, found: list[Measured]) -> None:
    first = next(one.page for one in found if one.case.name == FIRST)
    rows = [_row(target, one, first) for one in found]
    notes = [
        "cpu ms: median, of this process and the database; floor: bare driver and template, in turns with the page.",
        "touched: SQLite's machine steps, or PostgreSQL's rows and buffers; figures are kept unless the page says not.",
    ]
    report.table(f"Pages, {target.name}", COLUMNS, rows, notes)
    _goals(report, target, {one.case.name: one for one in found}, first)


def _row(target: Target, one: Measured, first: Timed) -> tuple[Any, ...]:
    page, path = one.page, one.case.path
    sizes = [len(target.ask(path, encoding).body) / 1000 for encoding in ("", "gzip", "br", "zstd")]
    touched = touched_text(touched_by(target, target.statements(path, not one.case.uncached)))
    to_first = ratio(page.cpu_median, first.cpu_median)
    return (
        one.case.name, page.cpu_median, page.cpu_least, page.wall_median, one.floor.cpu_median, one.to_floor,
        one.least_to_floor, to_first, touched, *sizes,
    )  # fmt: skip


def _goals(report: Report, target: Target, found: dict[str, Measured], first: Timed) -> None:
    name = target.name
    report.goal(f"{name}: first page to the floor", found[FIRST].to_floor, most=2)
    report.goal(f"{name}: rows fragment to the floor", found[FRAGMENT].to_floor, most=1.5)
    deep = [one.page for case, one in found.items() if case[:4] in ("50 %", "99 %")]
    dearest = max(deep, key=lambda page: page.cpu_median)
    report.goal(f"{name}: dearest depth ({dearest.name}) to the first page",
                ratio(dearest.cpu_median, first.cpu_median), most=1.3)  # fmt: skip
    scans = [one.page.wall_median for case, one in found.items() if case in SCANNED]
    report.goal(f"{name}: one request for a rare amount, wall ms", max(scans), most=60)
    for case in ("summary, nothing kept", "timeline, nothing kept"):
        report.goal(f"{name}: {case}, wall ms", found[case].page.wall_median, most=15)
    page = found[FIRST].case.path
    report.goal(f"{name}: first page, kB", len(target.ask(page).body) / 1000, most=120)
    report.goal(f"{name}: first page, kB with gzip", len(target.ask(page, "gzip").body) / 1000, most=12)


def _compare_sizes(report: Report, targets: Sequence[Target], found: list[Measured]) -> None:
    for kind in dict.fromkeys(target.stored.kind for target in targets):
        same = sorted((t for t in targets if t.stored.kind == kind), key=lambda target: target.stored.rows)
        if len(same) > 1:
            _compare_two(report, same[0], same[-1], found)


def _compare_two(report: Report, small: Target, large: Target, found: list[Measured]) -> None:
    pages = {(one.target.name, one.case.name): one.page for one in found}
    rows = []
    for case in dict.fromkeys(one.case.name for one in found):
        a, b = pages[small.name, case], pages[large.name, case]
        least = ratio(b.cpu_least, a.cpu_least)
        rows.append((case, a.cpu_median, b.cpu_median, ratio(b.cpu_median, a.cpu_median), least))
    columns = ("page, cpu ms", small.name, large.name, "ratio", "ratio of least")
    report.table(f"{large.name} against {small.name}", columns, rows)
    report.goal(f"{large.name} to {small.name}, first page", rows[0][3], most=1.2)
    worst = max((row for row in rows if row[0] not in SCANNED), key=lambda row: row[3] or 0)
    report.goal(f"{large.name} to {small.name}, worst ({worst[0]})", worst[3], most=1.2)


def _report_search(report: Report, target: Target, found: list[Measured]) -> None:
    path = next(one.case.path for one in found if one.target is target and one.case.name == "a rare amount")
    requests, shown = requests_to_the_end(target, path)
    report.say(f"{target.name}: a rare amount takes {requests} requests to the end of the list and shows {shown} rows")
