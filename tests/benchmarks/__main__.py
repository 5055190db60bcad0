"""python -m tests.benchmarks: the figures of the project in one report."""

import argparse
import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.benchmarks import (
    browser,
    exports,
    imports,
    jobs,
    lists,
    lists_store,
    machine,
    mapping,
    model,
    pages,
    postgres,
    serve,
    stores,
    sums,
)
from tests.benchmarks.populace import Size
from tests.benchmarks.report import Report
from tests.benchmarks.stores import Stored

SUBJECTS = ("pages", "lists", "totals", "serve", "memory", "import", "exports", "jobs", "mapping", "model", "browser")
KINDS = ("sqlite", "postgresql")


def read_options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "--rows", default=os.environ.get("BENCH_ROWS", "1000000"), help="sizes, such as 1000000,10000000"
    )
    parser.add_argument("--lists", default=os.environ.get("BENCH_LISTS", "150000,1500000"),
                        help="sizes of the lists, in mappings, such as 1500000,15000000")  # fmt: skip
    parser.add_argument("--databases", default=",".join(KINDS))
    parser.add_argument("--only", default=",".join(SUBJECTS), help=f"some of {','.join(SUBJECTS)}")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "kamioi-bench",
                        help="where the generated databases are kept between runs")  # fmt: skip
    parser.add_argument("--json", type=Path, default=Path(__file__).parent / "last.json", help="the report as JSON")
    parser.add_argument("--rounds", type=int, default=40, help="samples of each page")
    parser.add_argument("--seconds", type=float, default=10, help="of load on each served page")
    parser.add_argument("--scroll", type=int, default=20_000, help="rows that the browser scrolls")
    parser.add_argument("--quick", action="store_true", help="few samples: to see that everything runs")
    parser.add_argument("--fresh", action="store_true", help="generate the databases anew")
    options = parser.parse_args()
    options.rows, options.lists = _sizes(options.rows), _sizes(options.lists)
    options.databases = [_one_of(name, KINDS, parser) for name in options.databases.split(",")]
    options.only = [_one_of(name, SUBJECTS, parser) for name in options.only.split(",")]
    if options.quick:
        options.rounds, options.seconds, options.scroll = 8, 2, 3_000
    return options


def main() -> None:
    """Make what is missing, measure, report."""
    options = read_options()
    options.folder = options.folder.resolve()
    options.folder.mkdir(parents=True, exist_ok=True)
    report = Report(machine.describe())
    if "postgresql" in options.databases and postgres.find_programs() is None:
        report.say("PostgreSQL is not installed: its figures are left out")
        options.databases.remove("postgresql")
    with ExitStack() as stack:
        servers: dict[str, postgres.Server | None] = dict.fromkeys(options.databases)
        if "postgresql" in servers:
            servers["postgresql"] = stack.enter_context(postgres.running(options.folder / "postgresql"))
        run(report, options, servers)
    report.finish(options.json)


def run(report: Report, options: argparse.Namespace, servers: dict[str, postgres.Server | None]) -> None:
    """Every subject that was asked for, in an order in which none spoils the next."""
    stored = []
    if set(options.only) - {"import", "lists", "mapping", "model"}:
        stored = [
            stores.open_stored(options.folder, kind, rows, servers[kind], options.fresh, report.say)
            for rows in options.rows
            for kind in options.databases
        ]
        made = [(one.name, one.seconds, one.rows / one.seconds) for one in stored]
        report.table("Generated, in this run or an earlier one", ("database", "seconds", "rows/s"), made)
    if "pages" in options.only:
        pages.measure(report, stored, options.rounds)
    if "lists" in options.only:
        _measure_lists(report, options, servers)
    if "serve" in options.only:
        serve.measure_load(report, stored, options.seconds)
    if "memory" in options.only:
        serve.measure_memory(report, stored, (100, 500, 1_000) if options.quick else (500, 2_000, 5_000, 10_000))
    if "totals" in options.only:
        sums.measure(report, stored, 3 if options.quick else 7)
    if "exports" in options.only:
        exports.measure(report, stored)
    if "jobs" in options.only:
        jobs.measure(report, stored)
    if "mapping" in options.only:
        mapping.measure(report, 50_000 if options.quick else 1_000_000)
    if "model" in options.only:
        model.measure(report, options.folder, servers, 2_000 if options.quick else 100_000)
    if "browser" in options.only:
        _browse(report, stored, options)
    if "import" in options.only:
        generated, files = (20_000, 1) if options.quick else (options.rows[0], None)
        imports.measure(report, options.folder, servers, generated, files)


def _measure_lists(report: Report, options: argparse.Namespace, servers: dict[str, postgres.Server | None]) -> None:
    stored = [
        lists_store.open_lists(options.folder, kind, Size(mappings), servers[kind], options.fresh, report.say)
        for mappings in options.lists
        for kind in options.databases
    ]
    report.table(
        "Lists loaded, in this run or an earlier one",
        ("database", "seconds"),
        [(one.name, one.seconds) for one in stored],
    )
    lists.measure(report, stored, options.rounds)


def _browse(report: Report, stored: list[Stored], options: argparse.Namespace) -> None:
    lite = [one for one in stored if one.kind == "sqlite"]
    if lite:
        browser.measure(report, lite[0], options.scroll)
    else:
        report.say("the browser's figures need --databases sqlite")


def _sizes(text: str) -> list[int]:
    return sorted({int(size) for size in text.replace("_", "").split(",")})


def _one_of(name: str, known: tuple[str, ...], parser: argparse.ArgumentParser) -> str:
    if name not in known:
        parser.error(f"{name} is not one of {', '.join(known)}")
    return name


if __name__ == "__main__":
    main()
