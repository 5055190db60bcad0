"""What every list, search, analytics and the overview cost, and how that grows from one size to the next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.lists_cases import SCAN_MS, Case, find_cases
from tests.benchmarks.measure import Timed, ratio, take_turns
from tests.benchmarks.report import Report
from tests.benchmarks.stores import Stored
from tests.benchmarks.target import Target
from tests.benchmarks.touched import touched_by, touched_text

GROWTH = 1.3
COLUMNS = ("page", "case", "cpu ms", "least", "wall ms", "statements", "touched")
GROWN = ("page", "case", "cpu ms before", "after", "ratio", "of least", "touched")


@dataclass
class Measured:
    """One case of one database, and what its statements look at."""

    target: Target
    case: Case
    timed: Timed
    statements: int = 0
    touched: dict[str, int] | None = None


def measure(report: Report, stored: Sequence[Stored], rounds: int) -> None:
    """Every case in turns on all databases; what a page does not answer is left out with a line that says so."""
    targets = [Target(one) for one in stored]
    try:
        report.say("lists: looking for the places to measure")
        found = [one for same in _cases(targets) for one in _measure(report, targets, same, rounds)]
        for target in targets:
            _report_one(report, target, [one for one in found if one.target is target])
        for kind in dict.fromkeys(target.stored.kind for target in targets):
            same = sorted((t for t in targets if t.stored.kind == kind), key=lambda target: target.stored.rows)
            if len(same) > 1:
                _compare(report, same[0], same[-1], found)
    finally:
        for target in targets:
            target.close()


def _cases(targets: Sequence[Target]) -> list[tuple[Case, ...]]:
    return list(zip(*(find_cases(target) for target in targets), strict=True))


def _measure(report: Report, targets: Sequence[Target], same: tuple[Case, ...], rounds: int) -> list[Measured]:
    answers = {target.ask(case.path).status for target, case in zip(targets, same, strict=True)}
    if answers != {200}:
        report.say(f"{same[0].page}, {same[0].name}: answers {sorted(answers)}, left out ({same[0].path})")
        return []
    found = [Measured(target, case, _timed(target, case)) for target, case in zip(targets, same, strict=True)]
    take_turns([one.timed for one in found], rounds)
    for one in found:
        statements = one.target.statements(one.case.path, kept=not one.case.uncached)
        one.statements, one.touched = len(statements), touched_by(one.target, statements)
    return found


def _timed(target: Target, case: Case) -> Timed:
    app, _ = target.backends()
    return Timed(case.name, lambda: target.ask(case.path), app, target.forget if case.uncached else None)


def _report_one(report: Report, target: Target, found: list[Measured]) -> None:
    rows = [
        (one.case.page, one.case.name, one.timed.cpu_median, one.timed.cpu_least, one.timed.wall_median,
         one.statements, touched_text(one.touched or {}))
        for one in found
    ]  # fmt: skip
    report.table(f"Lists, {target.name} mappings", COLUMNS, rows)
    for one in found:
        most = SCAN_MS if one.case.scanned else one.case.most_ms
        name = f"{target.name}: {one.case.page.lower()}, {one.case.name}, wall ms"
        if most:
            report.goal(name, one.timed.wall_median, most=most)


def _compare(report: Report, small: Target, large: Target, found: list[Measured]) -> None:
    of = {(one.target.name, one.case.page, one.case.name): one for one in found}
    rows: list[tuple[Any, ...]] = []
    for page, case in dict.fromkeys((one.case.page, one.case.name) for one in found):
        a, b = of[small.name, page, case], of[large.name, page, case]
        grown = ratio(sum((b.touched or {}).values()), sum((a.touched or {}).values()))
        least = ratio(b.timed.cpu_least, a.timed.cpu_least)
        medians = (a.timed.cpu_median, b.timed.cpu_median)
        rows.append((page, case, *medians, ratio(medians[1], medians[0]), least, grown))
    report.table(f"Lists, {large.name} against {small.name}", GROWN, rows)
    bounded = {(one.case.page, one.case.name) for one in found if one.case.scanned}
    for page in dict.fromkeys(row[0] for row in rows):
        some = [row for row in rows if row[0] == page and row[:2] not in bounded]
        worst = max(some, key=lambda row: row[4] or 0)
        report.goal(f"{large.name} to {small.name}: {page}, worst ({worst[1]})", worst[4], most=GROWTH)
