"""Requests per second and the memory of a worker, with gunicorn as it is run in earnest."""

from collections.abc import Sequence
from contextlib import closing

from tests.benchmarks.measure import memory_of, ratio
from tests.benchmarks.places import Case, find_cases, names
from tests.benchmarks.report import Report
from tests.benchmarks.serving import load, served
from tests.benchmarks.stores import Stored
from tests.benchmarks.target import Target

WORKERS, CONNECTIONS, PROCESSES = 2, 8, 2
MIX = ("first page", "rows fragment", "50 % by cursor", "99 % by page number", "failed, one month", "a user",
       "merchant has a common word", "JSON page", "summary, nothing kept", "timeline, nothing kept")  # fmt: skip
COLUMNS = (
    "page",
    "requests/s",
    "a core",
    "p50 ms",
    "p95 ms",
    "p99 ms",
    "server cores",
    "client cores",
    "kB each",
    "errors",
)


def measure_load(report: Report, stored: Sequence[Stored], seconds: float) -> None:
    """A first page, a fragment and a deep page, each asked for as fast as eight connections can."""
    for one in stored:
        cases = _cases(one)
        rows = []
        with served(one, WORKERS) as server:
            load(server, [case.path for case in cases.values()], CONNECTIONS, PROCESSES, seconds=min(2, seconds))
            for name in ("first page", "rows fragment", "99 % by cursor"):
                found = load(server, [cases[name].path], CONNECTIONS, PROCESSES, seconds=seconds)
                rate, spent = found["requests"] / found["seconds"], found["spent"]
                a_core = ratio(rate, found["cores"])
                size = found["bytes"] / max(1, found["requests"]) / 1000
                parts = [spent[int(len(spent) * share)] for share in (0.5, 0.95, 0.99)]
                rows.append((name, rate, a_core, *parts, found["cores"], found["client_cores"], size, found["errors"]))
                report.goal(f"{one.name}: {name}, requests a second and core", a_core, least=200)
        notes = [f"{WORKERS} workers, {CONNECTIONS} connections from {PROCESSES} processes on the same machine, gzip. "
                 "A core: divided by the CPU seconds that the server and its database used."]  # fmt: skip
        report.table(f"Served, {one.name}", COLUMNS, rows, notes)


def measure_memory(report: Report, stored: Sequence[Stored], marks: Sequence[int]) -> None:
    """The memory of one worker after so many pages of every kind."""
    for one in stored:
        cases = _cases(one)
        paths = [cases[name].path for name in MIX]
        rows, done = [], 0
        with served(one, 1) as server:
            for mark in marks:
                load(server, paths, 4, 1, count=(mark - done) // 4)
                done = mark
                memory = memory_of(server.workers[0])
                rows.append((mark, memory["own"], memory["files"], memory["all"]))
        notes = ["Own: what the worker allocated. Files: pages of programs and of the mapped database, shared."]
        report.table(f"Memory of a worker, {one.name}", ("pages", "own MB", "files MB", "all MB"), rows, notes)
        early = next(row for row in rows if row[0] >= marks[-1] // 5)
        name = f"{one.name}: a worker's own memory after {rows[-1][0]:,} pages to that after {early[0]:,}"
        report.goal(name, ratio(rows[-1][1], early[1]), most=1.1)


def _cases(stored: Stored) -> dict[str, Case]:
    with closing(Target(stored)) as target:
        return names(find_cases(target))
