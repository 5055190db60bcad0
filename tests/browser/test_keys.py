"""The list and the detail page by keyboard."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from browser.site import Site, settle, wheel

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def current(page: Page) -> int:
    """Which row is current, counted from 0; -1 when none."""
    return page.evaluate("() => [...document.querySelectorAll('tr[data-c]')].findIndex(row => row.ariaCurrent)")


def test_moving_and_opening(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site)
    for key, row in (("j", 0), ("j", 1), ("ArrowDown", 2), ("k", 1), ("ArrowUp", 0), ("j", 1)):
        page.keyboard.press(key)
        assert current(page) == row, key
    focused = page.evaluate("() => document.activeElement.closest('tr').dataset.id")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(rf"/transactions/{focused}\?"))
    ids = [row.id for row in site.rows()]
    page.keyboard.press("j")
    page.wait_for_url(re.compile(rf"/transactions/{ids[2]}\?"))
    page.keyboard.press("k")
    page.wait_for_url(re.compile(rf"/transactions/{ids[1]}\?"))
    page.keyboard.press("Escape")
    page.wait_for_url(re.compile(r"/transactions\?at="))
    assert page.locator("tr[aria-current]").get_attribute("data-id") == str(ids[1])


def test_a_row_far_down_is_brought_into_sight(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site)
    for _ in range(40):
        page.keyboard.press("j")
    assert current(page) == 39
    row, bar = page.locator("tr[aria-current]").bounding_box(), page.locator("#bar").bounding_box()
    assert row and bar and row["y"] + row["height"] <= bar["y"] + 1


def test_going_elsewhere(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site)
    page.keyboard.press("g")
    expect(page.locator("#jump-date [name=date]")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator("#jump")).not_to_have_attribute("open", "")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("jkg?/")
    expect(page.locator("#search")).to_have_value("jkg?/")  # letters are letters while typing
    assert current(page) == -1
    page.keyboard.press("Escape")
    expect(page.locator("#search")).not_to_be_focused()
    page.keyboard.press("End")
    page.wait_for_url(re.compile(r"\?(row|at|before)="))
    oldest = site.rows()[-1].id
    expect(page.locator(f"#transaction-{oldest}")).to_be_attached()
    page.keyboard.press("Home")
    page.wait_for_url(re.compile(r"/transactions$"))
    assert page.locator("tr[data-c]").first.get_attribute("data-id") == str(site.rows()[0].id)


def test_home_on_the_first_rows_scrolls_up(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site)
    wheel(page, 600, 3)
    settle(page)
    page.keyboard.press("Home")
    page.wait_for_function("() => scrollY === 0")
    page.wait_for_function("() => location.search === ''")
    assert current(page) == 0


def test_help_and_single_keys_switched_off(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site)
    page.keyboard.press("?")
    dialog = page.locator("#keys")
    expect(dialog).to_be_visible()
    page.keyboard.press("j")
    assert current(page) == -1
    page.locator("#single-keys").uncheck()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("j")
    page.keyboard.press("g")
    assert current(page) == -1
    expect(page.locator("#jump")).not_to_have_attribute("open", "")
    page.keyboard.press("ArrowDown")
    assert current(page) == 0
    page.reload()
    page.keyboard.press("j")
    assert current(page) == -1


def test_a_day_back_and_forward(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site, "/transactions?date=2025-05-10")
    page.keyboard.press("[")
    page.wait_for_url("**date=2025-05-09*")
    page.keyboard.press("]")
    page.wait_for_url("**date=2025-05-10*")
