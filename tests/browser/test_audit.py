"""The audit log in a browser: how it looks, and from event to event by keyboard."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from browser.site import Site, ids_of
from browser.test_looks import overflow, size, violations
from kamioi_web import audit

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def logged(own_site: Site) -> Site:
    """A dashboard on which 150 things were done."""
    with own_site.database.writing() as connection:
        for number in range(150):
            detail = {"from": "failed", "note": "a long text " * 30, "number": number}
            audit.record(
                connection, "transaction.status", None, "transaction", number, detail, "192.0.2.1", f"{number}"
            )
    return own_site


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_the_log_and_an_event_are_accessible_and_fit(
    logged: Site, open_page: Callable[..., Page], width: int, scheme: str
) -> None:
    page = open_page(logged, "/audit", viewport=size(width), color_scheme=scheme)
    expect(page.locator("tr[data-c]").first).to_be_visible()
    assert not violations(page) and overflow(page) <= 0
    page.locator("tr[data-c] a").first.click()
    page.wait_for_url(re.compile(r"/audit/\d+\?at="))
    assert not violations(page) and overflow(page) <= 0


def test_from_event_to_event_by_keyboard(logged: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(logged, "/audit?action=transaction.status")
    ids = ids_of(page)
    for key in ("j", "j", "Enter"):
        page.keyboard.press(key)
    page.wait_for_url(re.compile(rf"/audit/{ids[1]}\?"))
    page.keyboard.press("j")
    page.wait_for_url(re.compile(rf"/audit/{ids[2]}\?action=transaction.status&at="))
    page.keyboard.press("u")
    page.wait_for_url(re.compile(r"/audit\?action=transaction.status&at="))
    expect(page.locator("tr[aria-current]")).to_have_attribute("data-id", str(ids[2]))
