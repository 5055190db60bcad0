"""The dashboard served by gunicorn in processes of its own, and a load put on it."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kamioi_web.auth import cookies
from kamioi_web.db import Database
from tests.benchmarks.measure import children, process_seconds
from tests.benchmarks.stores import Stored, settings_for
from tests.benchmarks.target import begin_session

ROOT = Path(__file__).parents[2]
CODE = """
import sys
from kamioi_web import serving, settings
serving.serve(settings.Settings(_env_file=None), "127.0.0.1", int(sys.argv[1]), int(sys.argv[2]))
"""


@dataclass(frozen=True)
class Served:
    """A running server: its port, its main process, and the cookie of an admin."""

    stored: Stored
    port: int
    process: int
    cookie: str

    @property
    def workers(self) -> list[int]:
        return children(self.process)

    def cpu_seconds(self) -> float:
        """What all its processes have used so far, the database's among them."""
        ours = [self.process, *self.workers]
        server = self.stored.server
        backends = children(server.process) if server else []
        return sum(process_seconds(process) for process in (*ours, *backends))


@contextmanager
def served(stored: Stored, workers: int) -> Generator[Served]:
    """gunicorn over that database until the end of the block."""
    with closing(Database(settings_for(stored.url))) as database:
        token = begin_session(database)
    port = _free_port()
    environment = os.environ | {
        "KAMIOI_DATABASE_URL": stored.url,
        "KAMIOI_SECRET_KEY": "a key that only the figures use, nothing else",
        "PYTHONPATH": str(ROOT),
    }
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-c", CODE, str(port), str(workers)]
        process = subprocess.Popen(words, env=environment, cwd=folder)
        try:
            _wait(port, process)
            yield Served(stored, port, process.pid, f"{cookies.SESSION}={token}")
        finally:
            process.terminate()
            process.wait(40)


def load(served: Served, paths: Sequence[str], connections: int, processes: int, **limit: float) -> dict[str, Any]:
    """Put a load on it from several processes, for some `seconds` or a `count` of requests a connection."""
    job = {"port": served.port, "cookie": served.cookie, "paths": [*paths], "connections": connections // processes}
    words = [sys.executable, "-m", "tests.benchmarks.load", json.dumps(job | limit)]
    before, began = served.cpu_seconds(), time.monotonic()
    askers = [subprocess.Popen(words, stdout=subprocess.PIPE, cwd=ROOT, text=True) for _ in range(processes)]
    found = [json.loads(asker.communicate()[0]) for asker in askers]
    spent = sorted(ms for one in found for ms in one["spent"])
    seconds = max(one["seconds"] for one in found)
    return {
        "requests": len(spent), "seconds": seconds, "spent": spent, "errors": sum(one["errors"] for one in found),
        "cores": (served.cpu_seconds() - before) / (time.monotonic() - began),
        "client_cores": sum(one["cpu"] for one in found) / seconds,
        "bytes": sum(one["bytes"] for one in found),
    }  # fmt: skip


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _wait(port: int, process: subprocess.Popen[Any]) -> None:
    for _ in range(300):
        assert process.poll() is None, "the server ended at once"
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).read()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise TimeoutError("the server did not come up")
