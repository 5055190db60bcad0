"""Changing rows in a browser: ticked and all that match, shown first, done in the background, undone; with and without
JavaScript."""

import re
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

import pytest
from job_helpers import carry_out
from playwright.sync_api import Page, expect

from browser.site import Site
from browser.test_looks import overflow, violations
from kamioi_web.schema import transactions

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

JOB = re.compile(r"/jobs/\d+$")


@contextmanager
def working(site: Site) -> Generator[None]:
    """Somebody carries out the jobs of the site."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(0.1):
            carry_out(site.database)

    thread = threading.Thread(target=work)
    thread.start()
    yield
    over.set()
    thread.join()


@pytest.mark.parametrize("scripts", [True, False])
def test_ticked_rows_are_changed_and_put_back(own_site: Site, open_page: Callable[..., Page], scripts: bool) -> None:
    page = open_page(own_site, "/transactions?status=completed", java_script_enabled=scripts)
    rows = own_site.rows(transactions.c.status == "completed")[:3]
    for row in rows:
        page.locator(f"#transaction-{row.id} input[name=tick]").check()
    if scripts:
        expect(page.locator("#ticked")).to_have_text("3 ticked")
    page.locator("#bulk-box > summary").click()
    page.select_option("#bulk [name=status_to]", "failed")
    page.locator("#bulk button[value=rows]").click()
    expect(page.locator("h1")).to_have_text("Change the status of 3 transactions to failed?")
    assert violations(page) == [] if scripts else True
    page.locator("main form button.primary").click()
    page.wait_for_url(JOB)
    with working(own_site):
        if scripts:
            expect(page.locator("#job .status")).to_have_text("done")  # by itself
            expect(page).to_have_title(re.compile("^done · Change the status"))
        wait_for_done(page, scripts)
        assert {row.status for row in own_site.rows(transactions.c.id.in_([row.id for row in rows]))} == {"failed"}
        page.locator("#job button", has_text="Undo").click()
        page.wait_for_url(lambda url: JOB.search(url) is not None)
        wait_for_done(page, scripts)
    assert {row.status for row in own_site.rows(transactions.c.id.in_([row.id for row in rows]))} == {"completed"}


def wait_for_done(page: Page, scripts: bool) -> None:
    """A page with a script follows the job by itself; without one it is read again."""
    for _ in range(0 if scripts else 100):
        if page.locator("#job .status").inner_text() == "done":
            return
        page.wait_for_timeout(100)
        page.reload()
    expect(page.locator("#job .status")).to_have_text("done")


def test_all_that_match_take_their_number(own_site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(own_site, failing=True)
    n = len(own_site.rows())
    page.locator("#bulk-box > summary").click()
    page.check("#bulk [name=do][value=category]")
    page.fill("#bulk [name=category_to]", "Other")
    page.locator("#bulk button[value=all]").click()
    page.fill("[name=typed]", "1")
    page.locator("main form button.primary").click()
    expect(page.locator("[role=alert]")).to_contain_text(f"is not {n}")
    page.fill("[name=typed]", f"{n:,}")
    page.locator("main form button.primary").click()
    page.wait_for_url(JOB)
    with working(own_site):
        wait_for_done(page, True)
    assert {row.category for row in own_site.rows()} == {"Other"}


def test_every_loaded_row_is_ticked_at_once_and_a_stretch_with_shift(
    own_site: Site, open_page: Callable[..., Page]
) -> None:
    page = open_page(own_site)
    page.check("#select-all")
    expect(page.locator("#ticked")).to_have_text("100 ticked")
    page.uncheck("#select-all")
    expect(page.locator("#ticked")).to_be_hidden()
    boxes = page.locator("input[name=tick]")
    boxes.nth(1).click()
    boxes.nth(5).click(modifiers=["Shift"])
    expect(page.locator("#ticked")).to_have_text("5 ticked")
    assert page.url.endswith("/transactions")  # ticking a row does not open it


@pytest.mark.parametrize("width", [390, 1440])
def test_the_pages_fit(own_site: Site, open_page: Callable[..., Page], width: int) -> None:
    for path in ("/transactions/bulk?status=failed&do=status&status_to=pending&scope=all", "/jobs"):
        page = open_page(own_site, path, viewport={"width": width, "height": 844})
        assert overflow(page) <= 0 and violations(page) == []
