"""Scrolling thousands of rows both ways while others write: every row once, in order, and few in the page."""

import random
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from conftest import _run_alone
from playwright.sync_api import Page

from browser.conftest import COMMON, fill
from browser.site import FRAME, Site, serve, wheel
from kamioi_web.settings import Settings

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

MOST_ROWS, CHUNK = 1_500, 100
# Collects the chunks as they come, and the most rows that were in the page after any of them.
WATCH = """() => {
  window.seen = {chunks: [], most: 0};
  const known = new WeakSet(), list = document.getElementById('list');
  window.look = () => {
    for (const chunk of list.querySelectorAll(':scope > .chunk')) {
      if (known.has(chunk)) continue;
      known.add(chunk);
      window.seen.chunks.push([...chunk.rows].map(row => Number(row.dataset.id)));
    }
    window.seen.most = Math.max(window.seen.most, list.querySelectorAll('tr[data-c]').length);
  };
  window.look();
  new MutationObserver(window.look).observe(list, {childList: true});
}"""
IS_TOP = "() => scrollY === 0 && !document.querySelector('#list > thead + .more')"
TURNS = 1_500


@pytest.fixture
def postgres_site(postgres_template: str) -> Generator[Site]:
    """The dashboard on PostgreSQL."""
    admin = Settings(database_url=postgres_template.replace("DATABASE", "postgres"), _env_file=None)
    _run_alone(admin, "CREATE DATABASE browser TEMPLATE ready")
    settings = Settings(database_url=postgres_template.replace("DATABASE", "browser"), **COMMON)
    try:
        fill(settings, 4_500)
        with serve(settings) as site:
            yield site
    finally:
        _run_alone(admin, "DROP DATABASE browser WITH (FORCE)")


@pytest.mark.parametrize(("where", "wanted"), [("own_site", 3_000), ("postgres_site", 2_000)])
def test_every_row_once_and_in_order_both_ways(
    where: str, wanted: int, request: pytest.FixtureRequest, open_page: Callable[..., Page]
) -> None:
    site: Site = request.getfixturevalue(where)
    before = site.rows()
    page = open_page(site)
    page.evaluate(WATCH)
    with _writer(site, before):
        down = _read(page, 2_400, f"() => window.seen.chunks.flat().length >= {wanted}")
        page.evaluate("() => { window.seen.chunks = []; }")
        up = _read(page, -2_400, IS_TOP)
    after = {row.id: (row.posted_at, row.id) for row in site.rows()}
    assert page.evaluate("() => window.seen.most") <= MOST_ROWS + CHUNK
    _check([id for chunk in down for id in chunk], before, after)
    first = page.locator("tr[data-c]").first.get_attribute("data-id")
    climbed = [id for chunk in up for id in reversed(chunk)]
    assert climbed[-1] == int(first or 0)
    _check(climbed[::-1], before, after)
    assert len(down) * CHUNK >= wanted and len(up) >= 5


def _check(seen: list[int], before: list[Any], after: dict[int, Any]) -> None:
    """Nothing twice, in order, and nothing missed of what was there before the reader came."""
    assert len(seen) == len(set(seen))
    keys = [after[id] for id in seen]
    assert keys == sorted(keys, reverse=True)
    between = {row.id for row in before if keys[-1] <= (row.posted_at, row.id) <= keys[0]}
    assert between <= set(seen)


def _read(page: Page, pixels: int, until: str) -> list[list[int]]:
    """Turn the wheel until that holds; the chunks that came."""
    for _ in range(TURNS):
        wheel(page, pixels)
        if page.evaluate(until):
            page.evaluate(FRAME)
            return page.evaluate("() => window.seen.chunks")
    raise AssertionError(f"still not after {TURNS} turns of the wheel: {until}")


@contextmanager
def _writer(site: Site, rows: list[Any]) -> Generator[None]:
    """Inserts rows newer than all and rows anywhere between, until the test has read enough."""
    done, chance, failed = threading.Event(), random.Random(1), []

    def write() -> None:
        newest = rows[0].posted_at
        try:
            while not done.wait(0.05):
                newest += timedelta(seconds=1)
                old = chance.choice(rows).posted_at + timedelta(microseconds=1)
                site.add(newest, old, chance.choice(rows).posted_at)
        except Exception as error:  # shown by the test, which the thread cannot fail
            failed.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
    assert not failed
