"""A browser, and the dashboard served to it: over a database filled once, or over a copy that a test may change."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import skip_or_fail
from playwright.sync_api import Browser, Page, expect, sync_playwright

from browser.site import CHROMIUM, CHROMIUM_ARGUMENTS, SESSION, Site, serve
from kamioi_web.db import Database
from kamioi_web.generate import plan
from kamioi_web.generate.store import store
from kamioi_web.settings import Settings

ROWS = 12_000
TIMEOUT_MS = 20_000
expect.set_options(timeout=TIMEOUT_MS)
COMMON: dict[str, Any] = {"secret_key": "a key for the tests", "cache_seconds": 0, "_env_file": None}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, started once."""
    if not Path(CHROMIUM).exists():
        skip_or_fail(f"there is no {CHROMIUM}")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def filled(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with generated transactions, for reading only."""
    path = tmp_path_factory.mktemp("filled") / "kamioi.db"
    shutil.copy(sqlite_template, path)
    fill(Settings(database_url=f"sqlite:///{path}", **COMMON), ROWS)
    return path


def fill(settings: Settings, rows: int) -> None:
    """Put generated transactions into a migrated database."""
    database = Database(settings)
    store(database, plan(rows), lambda done: None)
    database.close()  # the last connection to leave moves SQLite's log into the file, which is then copied alone


@pytest.fixture(scope="session")
def site(filled: Path) -> Iterator[Site]:
    """The dashboard over the shared database, which no test changes."""
    with serve(Settings(database_url=f"sqlite:///{filled}", **COMMON)) as served:
        yield served


@pytest.fixture(scope="session")
def hasty_site(filled: Path) -> Iterator[Site]:
    """The same with so little time for a scan that it takes several requests."""
    with serve(Settings(database_url=f"sqlite:///{filled}", scan_ms=1, **COMMON)) as served:
        yield served


@pytest.fixture
def own_site(filled: Path, tmp_path: Path) -> Iterator[Site]:
    """The dashboard over a copy that the test may change."""
    shutil.copy(filled, tmp_path / "kamioi.db")
    with serve(Settings(database_url=f"sqlite:///{tmp_path / 'kamioi.db'}", **COMMON)) as served:
        yield served


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """open_page(site, path, ...context options): a page of an admin of its own.

    What a page says on its console, and what its policy blocks, fails the test. `failing=True` lets answers with an
    error status pass: the browser writes those to the console too.
    """
    contexts: list[Any] = []
    said: list[str] = []

    def open(site: Site, path: str = "/transactions", failing: bool = False, cookie: str = "", **options: Any) -> Page:
        given: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}} | options
        context = browser.new_context(**given)
        contexts.append(context)
        context.set_default_timeout(TIMEOUT_MS)
        context.add_cookies([{"name": SESSION, "value": cookie or site.begin_session(), "url": site.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: said.append(f"{page.url}: {error}"))
        page.on("console", lambda message: _note(message, said, failing))
        page.goto(site.url + path)
        return page

    yield open
    for context in contexts:
        context.close()
    assert not said


def _note(message: Any, said: list[str], failing: bool) -> None:
    if message.type not in ("error", "warning"):
        return
    if not (failing and re.match("Failed to load resource|htmx: htmx:error: Failed to fetch", message.text)):
        said.append(f"{message.location.get('url')}: {message.text}")
