"""Aggregates are computed once however many ask, serve the stale value meanwhile, and outlive their Redis."""

import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import skip_or_fail
from flask import Flask
from flask_caching import Cache

from kamioi_web.cache import Aggregates


def keep(fresh_seconds: float, **config: object) -> Aggregates:
    return Aggregates(Cache(Flask("cached"), config={"CACHE_TYPE": "SimpleCache", **config}), fresh_seconds)


def test_twenty_who_ask_at_once_cost_one_computation() -> None:
    aggregates, calls, together = keep(60), [], threading.Barrier(20)

    def compute() -> int:
        calls.append(1)
        return 42

    def ask(_: int) -> int:
        together.wait(10)
        return aggregates.get("sum", compute).value

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(ask, range(20))) == [42] * 20
    assert len(calls) == 1


def test_the_stale_value_serves_while_one_computes() -> None:
    aggregates, computing, go_on = keep(0), threading.Event(), threading.Event()
    aggregates.get("sum", lambda: "old")

    def slow() -> str:
        computing.set()
        assert go_on.wait(10)
        return "new"

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(aggregates.get, "sum", slow)
        assert computing.wait(10)
        assert aggregates.get("sum", lambda: pytest.fail("computed twice")).value == "old"
        go_on.set()
        assert first.result(10).value == "new"


def test_a_failed_computation_is_not_kept() -> None:
    aggregates = keep(60)
    with pytest.raises(ZeroDivisionError):
        aggregates.get("sum", lambda: 1 // 0)
    assert aggregates.get("sum", lambda: 7).value == 7


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """The URL of a private Redis, and what kills it."""
    program = shutil.which("redis-server")
    if program is None:
        skip_or_fail("Redis is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    for line in process.stdout:
        if "Ready to accept connections" in line:
            break

    def kill() -> None:
        process.kill()
        process.wait(10)

    yield f"redis://127.0.0.1:{port}/0", kill
    kill()


def test_processes_share_through_redis_and_go_on_without_it(redis_server: tuple[str, Callable[[], None]]) -> None:
    url, kill = redis_server
    limits = {"socket_timeout": 0.25, "socket_connect_timeout": 0.25}
    config = {"CACHE_TYPE": "RedisCache", "CACHE_REDIS_URL": url, "CACHE_OPTIONS": limits}
    one, other = keep(60, **config), keep(60, **config)
    assert one.get("sum", lambda: 1).value == 1
    assert other.get("sum", lambda: pytest.fail("not shared")).value == 1
    kill()
    assert other.get("sum", lambda: pytest.fail("forgotten")).value == 1
    assert other.get("another", lambda: 2).value == 2
