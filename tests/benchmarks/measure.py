"""Timing calls: CPU and wall time of each, those that are compared taking turns."""

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WARM_UP = 3
TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Timed:
    """A call that is measured, and its samples in ms. `before` runs ahead of each, unmeasured.

    CPU is this process's and, where the database is a server, that of the `backend` process that serves it.
    """

    name: str
    call: Callable[[], Any]
    backend: int | None = None
    before: Callable[[], Any] | None = None
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    def sample(self, keep: bool = True) -> None:
        """Measure one call."""
        if self.before:
            self.before()
        there = backend_seconds(self.backend)
        wall, cpu = time.perf_counter(), time.process_time()
        self.call()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        if keep:
            self.cpu.append((cpu + backend_seconds(self.backend) - there) * 1000)
            self.wall.append(wall * 1000)

    @property
    def cpu_median(self) -> float:
        return statistics.median(self.cpu)

    @property
    def cpu_least(self) -> float:
        return min(self.cpu)

    @property
    def wall_median(self) -> float:
        return statistics.median(self.wall)


def take_turns(calls: Sequence[Timed], rounds: int) -> None:
    """A B A B …: every call once a round, so that whatever else the machine does falls on all of them."""
    for number in range(rounds + WARM_UP):
        for timed in calls:
            timed.sample(keep=number >= WARM_UP)


def ratio(of: float | None, to: float | None) -> float | None:
    """How many times the one is the other."""
    return None if of is None or not to else of / to


def backend_seconds(process: int | None) -> float:
    """CPU seconds of a process with one thread, such as a PostgreSQL backend, as finely as the system counts."""
    if process is None:
        return 0.0
    try:
        return int(Path(f"/proc/{process}/schedstat").read_text().split()[0]) / 1e9
    except OSError:
        return process_seconds(process)


def process_seconds(process: int) -> float:
    """CPU seconds of a process and all its threads, in hundredths; 0 when it is gone."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICK


def children(process: int) -> list[int]:
    """The processes that this one started."""
    try:
        return [int(text) for text in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []


def memory_of(process: int) -> dict[str, float]:
    """MB in memory: in all, the process's own, and of mapped files (which the kernel takes back when it likes)."""
    text = Path(f"/proc/{process}/status").read_text()
    found = dict(line.split(":", 1) for line in text.splitlines())
    names = {"all": "VmRSS", "own": "RssAnon", "files": "RssFile"}
    return {name: int(found[key].split()[0]) / 1024 for name, key in names.items()}


def peak_of_this() -> float:
    """The most MB that this process ever had in memory. Not getrusage's: that begins with the parent's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
