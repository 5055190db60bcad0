"""The command line as a person uses it: what it prints, how it ends, and the demo from an empty folder."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest

from kamioi_web.settings import Settings

PROGRAM = [sys.executable, "-m", "kamioi_web.cli"]


def run(*words: str, url: str, given: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"KAMIOI_DATABASE_URL": url}
    words = (*PROGRAM, *words)
    return subprocess.run(
        words, check=False, env=environment, input=given, capture_output=True, text=True, timeout=120, cwd=cwd
    )


def test_a_first_hour(settings: Settings, tmp_path: Path) -> None:
    url = settings.database_url
    file = tmp_path / "card.csv"
    file.write_text("Date,Description,Amount\n2024-03-01,STARBUCKS 123,4.50\n2024-02-31,NOWHERE,1.00\n")
    assert "up to date" in run("migrate", url=url).stdout
    dry = run("import", "transactions", str(file), "--currency", "USD", "--dry-run", url=url, cwd=tmp_path)
    assert "1 would be added" in dry.stdout and "STARBUCKS 123" in dry.stdout
    done = run("import", "transactions", str(file), "--currency", "USD", url=url, cwd=tmp_path)
    assert done.returncode == 0
    assert "1 added" in done.stdout and "1 rejected" in done.stdout
    again = run("import", "transactions", str(file), "--currency", "USD", url=url, cwd=tmp_path)
    assert "0 added" in again.stdout
    made = run(
        "admin", "create", "me@example.com", "--role", "owner", "--password-stdin", url=url, given="a fine long one\n"
    )
    assert "can log in as owner" in made.stdout
    assert "equals a recount" in run("totals", "check", url=url).stdout


def test_generate_gives_the_same_rows_for_the_same_seed(settings: Settings) -> None:
    words = ("generate", "--rows", "2000", "--users", "20", "--seed", "7")
    assert "2,000 rows added" in run(*words, url=settings.database_url).stdout
    assert "0 rows added, 2,000 were there already" in run(*words, url=settings.database_url).stdout
    refused = run("generate", "--rows", "2000", "--users", "20", "--seed", "8", url=settings.database_url)
    assert refused.returncode == 1 and "empty database" in refused.stderr
    assert "equals a recount" in run("totals", "check", url=settings.database_url).stdout


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("nonsense",), 2, "No such command"),
        (("generate",), 2, "--rows"),
        (("import", "transactions", "/nowhere.csv"), 2, "does not exist"),
        (("admin", "create", "me@example.com", "--role", "king"), 2, "king"),
        (("admin", "create", "not an address", "--role", "owner", "--password-stdin"), 1, "not an e-mail address"),
    ],
)
def test_wrong_use_ends_with_its_status_and_a_reason(
    tmp_path: Path, words: tuple[str, ...], status: int, said: str
) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    run("migrate", url=url)
    ended = run(*words, url=url, given="a fine long one\n")
    assert (ended.returncode, said in ended.stderr) == (status, True), ended.stderr
    assert "Traceback" not in ended.stderr


def test_production_without_a_secret_key_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAMIOI_ENVIRONMENT", "production")
    ended = run("serve", url=f"sqlite:///{tmp_path / 'new.db'}")
    assert ended.returncode == 1
    assert "KAMIOI_SECRET_KEY" in ended.stderr and "Traceback" not in ended.stderr


def test_a_database_that_cannot_be_opened_is_said_plainly() -> None:
    ended = run("totals", "check", url="sqlite:////nowhere/at/all.db")
    assert ended.returncode == 1
    assert "KAMIOI_DATABASE_URL" in ended.stderr and "Traceback" not in ended.stderr


def test_the_demo_starts_from_an_empty_folder_and_prints_a_login(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [*PROGRAM, "demo", "--rows", "2000", "--port", str(port), "--data", str(tmp_path / "demo")]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(6)]
        address = re.search(r"http://127\.0\.0\.1:\d+", "".join(lines))
        assert address and re.search(r"password +\w{5}-\w{5}", "".join(lines))
        page = _get_when_up(f"{address[0]}/login", process)
        assert "csrf_token" in page
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def _get_when_up(url: str, process: subprocess.Popen[str]) -> str:
    """The page, asked for again while the server binds its port."""
    never = threading.Event()
    for attempt in range(200):
        try:
            return urllib.request.urlopen(url, timeout=5).read().decode()
        except OSError:
            if process.poll() is not None or attempt == 199:
                raise
            never.wait(0.1)
    raise AssertionError
