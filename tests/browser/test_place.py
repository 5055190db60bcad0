"""The address follows the reader, and leads back: reload, Back, Forward, a link in another browser."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from browser.site import Site, cursor_of, ids_of, settle, top_row, wheel

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

CLOSE = 4  # pixels


def is_at(page: Page, cursor: str) -> None:
    """Check that this row is the first in sight, with its top at the edge of the sticky parts."""
    row = top_row(page)
    assert row["cursor"] == cursor
    assert abs(row["covered"]) <= CLOSE


def scrolled(page: Page, turns: int = 8) -> str:
    """Scroll down, put the first row in sight at the edge, and return its cursor."""
    wheel(page, 600, turns)
    settle(page)
    page.evaluate("pixels => scrollBy(0, -pixels)", top_row(page)["covered"])
    return settle(page)["cursor"]


def test_reload_opens_at_the_same_row(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site)
    cursor = scrolled(page)
    assert page.url.endswith(f"?at={cursor}")
    page.reload()
    is_at(page, cursor)
    assert page.url.endswith(f"?at={cursor}")


def test_back_from_a_detail_page_returns_to_the_row_and_forward_leaves_again(
    site: Site, open_page: Callable[..., Page]
) -> None:
    page = open_page(site)
    cursor = scrolled(page)
    page.locator(f'tr[data-c="{cursor}"] .c-merchant a').click()
    page.wait_for_url("**/transactions/*")
    detail = page.url
    page.go_back()
    page.wait_for_url("**/transactions?at=*")
    is_at(page, cursor)
    page.go_forward()
    page.wait_for_url(detail)
    page.locator("[data-key=back]").click()
    page.wait_for_url("**/transactions?at=*")
    is_at(page, cursor)


def test_a_pasted_link_opens_at_its_row(site: Site, open_page: Callable[..., Page]) -> None:
    row = site.rows()[5_000]
    page = open_page(site, f"/transactions?at={cursor_of(row)}")
    is_at(page, cursor_of(row))
    marked = page.locator("tr[aria-current]")
    assert marked.get_attribute("data-id") == str(row.id)
    wheel(page, -200)  # there is something above, too
    page.wait_for_function("() => document.querySelectorAll('tr[data-c]').length >= 200")
    everything = [row.id for row in site.rows()]
    start = everything.index(ids_of(page)[0])
    assert ids_of(page) == everything[start : start + len(ids_of(page))]


@pytest.mark.parametrize(("place", "number"), [("page=70", 6_901), ("row=6950", 6_950), ("page=1", 1)])
def test_a_page_by_number_opens_at_its_first_row(
    site: Site, open_page: Callable[..., Page], place: str, number: int
) -> None:
    page = open_page(site, f"/transactions?{place}")
    row = site.rows()[number - 1]
    if number > 1:
        is_at(page, cursor_of(row))
    else:
        assert page.evaluate("scrollY") == 0 and top_row(page)["id"] == row.id
    expect(page.locator("#position")).to_have_text(re.compile(rf"^Rows {number:,} – "))
    expect(page.locator("#page-number")).to_have_text(f"Page {(number - 1) // 100 + 1}")


def test_a_date_opens_at_the_last_row_of_that_day(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site)
    page.locator("#jump summary").click()
    page.fill("#jump-date [name=date]", "2025-05-10")
    page.locator("#jump-date button").click()
    page.wait_for_url("**date=2025-05-10*")
    row = next(row for row in site.rows() if row.posted_at.date().isoformat() <= "2025-05-10")
    is_at(page, cursor_of(row))


def test_back_and_forward_over_a_change_of_filter(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site)
    everything = [row.id for row in site.rows()]
    failed = [row.id for row in site.rows() if row.status == "failed"]
    page.locator("#filter summary").click()
    page.locator("#filter-form [name=status][value=failed]").check()
    page.locator("#filter-form button.primary").click()
    page.wait_for_url("**status=failed*")
    assert ids_of(page)[:100] == failed[:100]
    page.go_back()
    page.wait_for_url(re.compile(r"/transactions$"))
    assert ids_of(page)[:100] == everything[:100]
    page.go_forward()
    page.wait_for_url("**status=failed*")
    assert ids_of(page)[:100] == failed[:100]


def test_scrolling_leaves_no_trail_in_the_history(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site)
    entries = page.evaluate("history.length")
    scrolled(page, 12)
    assert page.evaluate("history.length") == entries
