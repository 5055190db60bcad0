"""Asking a model that answers after 300 ms about many names: calls, names asked twice, seconds, memory."""

import json
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import closing, contextmanager
from math import ceil
from pathlib import Path
from typing import Any

from kamioi_web import migrations
from kamioi_web.db import Database
from kamioi_web.mapping.ask import ask_all
from kamioi_web.mapping.model import Model
from kamioi_web.mapping.proposals import Answer, Question
from tests.benchmarks.measure import peak_of_this
from tests.benchmarks.postgres import Server
from tests.benchmarks.report import Report
from tests.benchmarks.stores import make_empty, settings_for
from tests.model_server import ModelServer, slow

ROOT = Path(__file__).parents[2]
NAME = "kamioi_model"
SECONDS = 0.3
COLUMNS = ("database", "names", "calls", "fewest", "twice", "at once", "seconds", "shortest", "cpu s", "again s", "MB")


def measure(report: Report, folder: Path, servers: dict[str, Server | None], names: int) -> None:
    """One worker, with the settings as they are, into a fresh database; then the same names again."""
    rows = []
    for kind, server in servers.items():
        report.say(f"asking about {names:,} names, {kind}")
        found = _child(make_empty(folder, kind, NAME, server), names)
        rows.append((kind, *found))
        report.goal(f"{kind}: calls beyond the fewest", found[1] - found[2], most=0)
        report.goal(f"{kind}: names asked twice", found[3], most=0)
        report.goal(f"{kind}: times the seconds that the calls take", found[5] / found[6], most=1.25)
        make_empty(folder, kind, NAME, server)
    report.table("A model that takes 300 ms a call", COLUMNS, rows)


def _child(url: str, names: int) -> tuple[Any, ...]:
    """Ask in a process of its own, so that its memory and its time are its own."""
    command = [sys.executable, "-m", "tests.benchmarks.model", "ask", url, str(names)]
    with _served() as (address, told):
        done = subprocess.run([*command, address], stdout=subprocess.PIPE, cwd=ROOT, text=True, check=True)
        asked, served = json.loads(done.stdout), told()
    fewest = ceil(names / asked["batch"])
    shortest = fewest * SECONDS / asked["parallel"]
    counts = (served["calls"], fewest, served["twice"], served["at_once"])
    return (names, *counts, asked["seconds"], shortest, asked["cpu"], asked["again"], asked["peak"])


@contextmanager
def _served() -> Generator[tuple[str, Any]]:
    """A server in a process of its own: its address, and a way to end it and hear what it counted."""
    command = [sys.executable, "-m", "tests.benchmarks.model", "serve"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True) as process:
        assert process.stdin
        assert process.stdout
        yield process.stdout.readline().strip(), lambda: json.loads(process.communicate()[0])


def _serve() -> None:
    with ModelServer(slow(SECONDS)) as server:
        print(server.url, flush=True)
        sys.stdin.read()
    twice = sum(count > 1 for count in server.names.values())
    print(json.dumps({"calls": server.calls, "twice": twice, "at_once": server.open_most}))


def _ask(url: str, names: int, address: str) -> None:
    settings = settings_for(url, llm_url=address, llm_model="scripted", llm_daily_tokens=10**12)
    questions = [Question(f"corner shop {number}") for number in range(names)]
    with closing(Database(settings)) as database, Model(settings, {}) as model:
        migrations.migrate(database)
        began, cpu = time.perf_counter(), time.process_time()
        found = ask_all(database, model, questions)
        seconds, used = time.perf_counter() - began, time.process_time() - cpu
        assert all(isinstance(answer, Answer) for answer in found.values())
        began = time.perf_counter()
        assert ask_all(database, model, questions) == found
        again = time.perf_counter() - began
    sizes = {"batch": settings.llm_batch, "parallel": settings.llm_parallel, "peak": peak_of_this()}
    print(json.dumps(sizes | {"seconds": seconds, "cpu": used, "again": again}))


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        _serve()
    else:
        _ask(sys.argv[2], int(sys.argv[3]), sys.argv[4])
