"""The same page where scripts do not run."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from browser.site import Site, cursor_of, ids_of

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def open_plain(open_page: Callable[..., Page]) -> Callable[..., Page]:
    """open_page with scripts off."""
    return lambda site, path="/transactions", **options: open_page(site, path, java_script_enabled=False, **options)


def test_the_first_answer_holds_everything(site: Site, open_plain: Callable[..., Page]) -> None:
    page = open_plain(site)
    rows = site.rows()
    assert ids_of(page) == [row.id for row in rows[:100]]
    expect(page.locator("#count")).to_contain_text(f"{len(rows):,}")
    assert page.locator("#summary .tile strong").count() >= 3
    assert page.locator("#timeline .bars a").count() >= 20
    expect(page.locator("#position")).to_have_text(f"Rows 1 – 100 of {len(rows):,}")


def test_links_lead_through_the_list(site: Site, open_plain: Callable[..., Page]) -> None:
    page = open_plain(site)
    ids = [row.id for row in site.rows()]
    page.get_by_role("link", name="Next 100").click()
    expect(page.locator(f"#transaction-{ids[100]}")).to_be_attached()
    assert ids_of(page) == ids[100:200]
    page.get_by_role("link", name="Next 100").click()
    expect(page.locator(f"#transaction-{ids[200]}")).to_be_attached()
    assert ids_of(page) == ids[200:300]
    page.get_by_role("link", name="Newer 100").click()
    expect(page.locator(f"#transaction-{ids[100]}")).to_be_attached()
    assert ids_of(page) == ids[100:200]
    page.locator("#oldest").click()
    expect(page.locator(f"#transaction-{ids[-1]}")).to_be_attached()
    assert ids_of(page) == ids[-100:]
    page.locator("#newest").click()
    page.wait_for_url(re.compile(r"/transactions$"))


def test_forms_filter_and_go_to_a_page_or_a_date(site: Site, open_plain: Callable[..., Page]) -> None:
    page = open_plain(site)
    rows = site.rows()
    page.locator("#jump summary").click()
    page.fill("#jump [name=page]", "30")
    page.locator("#jump form").nth(1).get_by_role("button").click()
    page.wait_for_url("**page=30*")
    assert ids_of(page) == [row.id for row in rows[2_900:3_000]]
    page.locator("#jump summary").click()
    page.fill("#jump [name=date]", "2025-05-10")
    page.locator("#jump-date button").click()
    page.wait_for_url("**date=2025-05-10*")
    first = next(row for row in rows if row.posted_at.date().isoformat() <= "2025-05-10")
    assert page.locator("tr[data-c]").first.get_attribute("data-c") == cursor_of(first)
    page.locator("#filter summary").click()
    page.locator("#filter-form [name=status][value=failed]").check()
    page.locator("#filter-form button.primary").click()
    page.wait_for_url(re.compile(r"status=failed$"))  # what was left empty is taken out of the address
    failed = [row.id for row in rows if row.status == "failed"]
    assert ids_of(page) == failed[:100]
    page.locator(".chips .chip.on").click()
    page.wait_for_url(re.compile(r"/transactions$"))


def test_a_bar_of_the_timeline_is_a_link(site: Site, open_plain: Callable[..., Page]) -> None:
    page = open_plain(site)
    bar = page.locator("#timeline .bars a").nth(12)
    href = bar.get_attribute("href") or ""
    bar.click()
    page.wait_for_url(f"**{href}")
    day = href.partition("date=")[2]
    assert (page.locator("tr[data-c]").first.get_attribute("data-c") or "")[:10] <= day


def test_detail_its_neighbours_and_logging_out(site: Site, open_plain: Callable[..., Page]) -> None:
    page = open_plain(site)
    ids = [row.id for row in site.rows()]
    page.locator(f"#transaction-{ids[3]} .c-merchant a").click()
    page.wait_for_url(f"**/transactions/{ids[3]}?*")
    expect(page.locator(".detail-sum strong")).to_be_visible()
    page.locator("[data-key=older]").click()
    page.wait_for_url(f"**/transactions/{ids[4]}?*")
    page.locator("[data-key=newer]").click()
    page.wait_for_url(f"**/transactions/{ids[3]}?*")
    page.locator("[data-key=back]").click()
    page.wait_for_url("**/transactions?at=*")
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login*")
    page.goto(f"{site.url}/transactions")
    page.wait_for_url("**/login?next=**")
