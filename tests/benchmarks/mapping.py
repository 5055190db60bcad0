"""Cleaning and matching a million distinct descriptors: how many a second on one core, and the memory that takes."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random

from kamioi_web.catalogue import brands, shops, towns
from kamioi_web.catalogue.descriptors import render, shop_descriptor, shop_name
from kamioi_web.mapping.descriptors import Descriptors
from kamioi_web.mapping.pipeline import Pipeline
from tests.benchmarks.measure import memory_of
from tests.benchmarks.report import Report
from tests.conftest import SHARED

ROOT = Path(__file__).parents[2]
LEAST_A_SECOND, MOST_MB = 20_000, 500
AT_ONCE = 10_000


def measure(report: Report, count: int) -> None:
    """So many descriptors, each another, in a process of its own."""
    report.say(f"{count:,} descriptors cleaned and matched")
    command = [sys.executable, "-m", "tests.benchmarks.mapping", str(count)]
    done = subprocess.run(command, stdout=subprocess.PIPE, cwd=ROOT, text=True, check=True)
    found = json.loads(done.stdout)
    speed = found["count"] / found["cpu"]
    steps = ", ".join(f"{step} {n / found['count']:.1%}" for step, n in sorted(found["steps"].items()))
    columns = ("from", "descriptors", "cpu s", "a second", "MB at most", "steps")
    rows = [(found["from"], found["count"], found["cpu"], speed, found["peak"], steps)]
    report.table("Descriptors to tickers, without a model, one core", columns, rows)
    report.goal("descriptors cleaned and matched in a second of one core", speed, least=LEAST_A_SECOND)
    report.goal("MB while descriptors are matched", found["peak"], most=MOST_MB)


def descriptors() -> tuple[str, Iterator[str]]:
    """Where they come from, and distinct ones without end: the real ones, then their like with other numbers."""
    real = sorted((SHARED / "data" / "transactions").glob("*.csv*"))
    rng = Random(1)
    return ("real files", _varied(_real(real), rng)) if real else ("the catalogue's patterns", _made(rng))


def _real(paths: list[Path]) -> list[str]:
    return sorted({text for path in paths for text in Descriptors(path)})


def _varied(real: list[str], rng: Random) -> Iterator[str]:
    yield from real
    number = 0
    while True:
        for text in real:
            number += 1
            digits = iter(f"{rng.randrange(10**9):09}{number:08}"[::-1])
            other = "".join(next(digits, "7") if sign.isdigit() else sign for sign in text)
            enough = sum(map(str.isdigit, text)) >= 8
            yield other if enough else f"{text[:17]} {number:07}"


def _made(rng: Random) -> Iterator[str]:
    places = towns()
    while True:
        for brand in brands():
            town = rng.choice(places)
            yield f"{render(rng.choice(brand.patterns), town, rng)} {rng.randrange(10**9)}"
            shop = rng.choice(shops())
            yield f"{shop_descriptor(shop, shop_name(shop, town, rng), town, rng)} {rng.randrange(10**9)}"


def main(count: int) -> None:
    """Match them in this process, making them aside; prints what it took as JSON."""
    origin, endless = descriptors()
    pipeline = Pipeline.built_in()
    steps: Counter[str] = Counter()
    cpu, peak, left = 0.0, 0.0, count
    while left:
        some = list(islice(endless, min(left, AT_ONCE)))
        left -= len(some)
        began = time.process_time()
        steps.update(proposal.step for proposal in pipeline.propose_many(some))
        cpu += time.process_time() - began
        peak = max(peak, memory_of(os.getpid())["all"])
    print(json.dumps({"from": origin, "count": count, "cpu": cpu, "peak": peak, "steps": steps}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
