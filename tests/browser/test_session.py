"""Logging in through the form, logging out, and what Back shows after that."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from browser.site import FRAME, Site, ids_of
from kamioi_web.auth import admins

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
PASSWORD = "a-long-password-for-one-test"


def test_logging_in_leads_to_the_page_that_was_asked_for(own_site: Site, open_page: Callable[..., Page]) -> None:
    with own_site.database.writing() as connection:
        admins.create_admin(connection, "someone@example.com", PASSWORD, "viewer")
    page = open_page(own_site, "/transactions?status=failed", cookie="none", failing=True)
    page.wait_for_url("**/login?next=**")
    page.fill("[name=email]", "someone@example.com")
    page.fill("[name=password]", "not the password at all")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not right")
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/transactions\?status=failed$"))
    assert ids_of(page)


def test_after_logging_out_back_shows_the_login(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site)
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login**")
    page.go_back()
    page.wait_for_url("**/login**")
    assert page.locator("tr[data-c]").count() == 0


def test_a_session_that_ended_leads_to_the_login_instead_of_rows(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site, failing=True)
    page.context.clear_cookies()
    page.mouse.move(700, 500)
    page.mouse.wheel(0, 4_000)
    page.wait_for_url("**/login?next=**")


def test_a_page_from_the_browsers_memory_asks_whether_the_session_goes_on(
    site: Site, open_page: Callable[..., Page]
) -> None:
    # Playwright switches that memory off, so the event is sent by hand.
    restored = "() => dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))"
    page = open_page(site)
    page.evaluate("() => { window.isTheSame = true; }")
    with page.expect_response("**/login"):
        page.evaluate(restored)
    page.evaluate(FRAME)
    assert page.evaluate("() => window.isTheSame") is True
    page.context.clear_cookies()
    page.evaluate(restored)
    page.wait_for_url("**/login?next=**")
