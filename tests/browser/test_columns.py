"""Columns and density: at once, kept per admin, with and without JavaScript."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from browser.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_hidden_column_stays_hidden(site: Site, open_page: Callable[..., Page]) -> None:
    cookie = site.begin_session()
    page = open_page(site, cookie=cookie)
    user = page.locator("td.c-user").first
    expect(user).to_be_visible()
    page.locator("#columns summary").click()
    with page.expect_response("**/preferences") as answer:
        page.locator("#preferences [value=user]").uncheck()
    assert answer.value.status == 204
    expect(user).to_be_hidden()
    page.reload()
    expect(user).to_be_hidden()
    expect(open_page(site, cookie=cookie).locator("td.c-user").first).to_be_hidden()
    expect(open_page(site).locator("td.c-user").first).to_be_visible()  # another admin's is as it was


def test_rows_closer_together(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site)
    height = "() => document.querySelector('tr[data-c]').getBoundingClientRect().height"
    before = page.evaluate(height)
    with page.expect_response("**/preferences") as answer:
        page.locator("#density").click()
    assert answer.value.status == 204
    assert page.evaluate(height) < before
    expect(page.locator("#density")).to_contain_text("Comfortable")
    page.reload()
    assert page.evaluate(height) < before


def test_without_javascript_the_form_keeps_them(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site, "/transactions?status=completed", java_script_enabled=False)
    page.locator("#columns summary").click()
    page.locator("#preferences [value=user]").uncheck()
    page.locator("#preferences .actions button").click()
    page.wait_for_url(re.compile(r"/transactions\?status=completed$"))
    expect(page.locator("td.c-user").first).to_be_hidden()
    expect(page.locator("td.c-amount").first).to_be_visible()
    page.locator("#density").click()
    expect(page.locator("#list")).to_have_class(re.compile(r"\bcompact\b"))
    expect(page.locator("td.c-user").first).to_be_hidden()
