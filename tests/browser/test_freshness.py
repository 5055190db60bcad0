"""What changes while the page is open: newer rows, and the timeline that follows the reader."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from browser.site import Site, ids_of, settle, top_row, wheel

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
TICK = "() => document.body.dispatchEvent(new CustomEvent('kamioi:tick'))"


def test_newer_rows_are_announced_and_shown_when_wanted(own_site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(own_site)
    before = ids_of(page)
    newest = own_site.rows()[0].posted_at
    own_site.add(*(newest + timedelta(seconds=1 + number) for number in range(3)))
    with page.expect_response("**/transactions/newer?*"):
        page.evaluate(TICK)
    notice = page.locator("#newer")
    expect(notice).to_contain_text("3 newer rows")
    assert ids_of(page)[: len(before)] == before  # nothing moves by itself
    notice.get_by_role("link", name="show").click()
    expect(notice).to_be_empty()
    assert ids_of(page)[:103] == [row.id for row in own_site.rows()[: len(ids_of(page))]][:103]


def test_the_timeline_goes_where_it_is_clicked(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site)
    bar = page.locator("#timeline .bars a").nth(20)
    box = bar.locator("rect").bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url("**date=*")
    assert page.url.endswith(bar_date(page, 20))
    assert top_row(page)["cursor"][:10] <= bar_date(page, 20)


def bar_date(page: Page, index: int) -> str:
    """The day that a bar leads to."""
    href = page.locator("#timeline .bars a").nth(index).get_attribute("href") or ""
    return href.partition("date=")[2]


def test_the_timeline_by_keys(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site)
    slider = page.get_by_role("slider")
    slider.focus()
    for key, place in (
        ("ArrowDown", 2),
        ("PageDown", 14),
        ("ArrowUp", 13),
        ("End", None),
        ("Home", 1),
        ("PageDown", 13),
    ):
        page.keyboard.press(key)
        wanted = place or page.locator("#timeline .bars a").count()
        expect(slider).to_have_attribute("aria-valuenow", str(wanted))
    expect(slider).to_have_attribute("aria-valuetext", re.compile(r"\d{4}: [\d,]+"))
    day = bar_date(page, 12)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**date={day}")
    assert top_row(page)["cursor"][:10] <= day


def test_the_timeline_follows_the_reader(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site)
    expect(page.get_by_role("slider")).to_have_attribute("aria-valuenow", "1")
    wheel(page, 1_500, 25)
    day = settle(page)["cursor"][:10]
    page.wait_for_function("() => Number(document.querySelector('.slider').ariaValueNow) > 1")
    number = int(page.get_by_role("slider").get_attribute("aria-valuenow") or 0)
    assert bar_date(page, number - 1) >= day
