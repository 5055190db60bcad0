"""What the figures were measured on."""

import os
import platform
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.benchmarks.postgres import find_programs


def describe() -> dict[str, Any]:
    """Cores, versions and load."""
    return {
        "cores": f"{os.cpu_count()} of {_processor()}",
        "memory": f"{_memory():.0f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "python": sys.version.split()[0],
        "sqlite": sqlite3.sqlite_version,
        "postgresql": _postgres_version(),
        "load": " ".join(f"{load:.2f}" for load in os.getloadavg()),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _memory() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9


def _postgres_version() -> str:
    programs = find_programs()
    program = programs / "postgres" if programs else shutil.which("postgres")
    if not program:
        return "not installed"
    told = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=False).stdout.split()
    return f"{told[2]}, shared_buffers 512 MB, autovacuum on, fsync off" if len(told) > 2 else "unknown"
