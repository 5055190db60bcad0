"""Filters, search, searches that take several requests, and what is shown when nothing or nobody answers."""

import re
from collections.abc import Callable
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, Route, expect

from browser.site import Site, ids_of, wheel

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

RARE = "amount_min=400&amount_max=401"


def test_the_form_filters_by_status_and_dates_and_chips_take_it_back(
    site: Site, open_page: Callable[..., Page]
) -> None:
    page = open_page(site)
    page.locator("#filter summary").click()
    page.locator("#filter-form [name=status][value=completed]").check()
    page.fill("#filter-form [name=since]", "2025-03-01")
    page.fill("#filter-form [name=until]", "2025-03-31")
    page.locator("#filter-form button.primary").click()
    page.wait_for_url("**status=completed*")
    assert page.url.endswith("?status=completed&since=2025-03-01&until=2025-03-31")  # empty fields stay out
    march = [row for row in site.rows() if row.posted_at.strftime("%Y-%m") == "2025-03"]
    wanted = [row.id for row in march if row.status == "completed"]
    assert ids_of(page)[: len(wanted)] == wanted[:100]
    expect(page.locator("#count")).to_contain_text(f"{len(wanted):,}")
    chips = page.locator(".chips .chip.on")
    expect(chips).to_have_count(2)
    chips.filter(has_text="completed").click()
    page.wait_for_url(re.compile(r"/transactions\?since=2025-03-01&until=2025-03-31$"))
    expect(page.locator("#count")).to_contain_text(f"{len(march):,}")
    page.locator(".filters > .chip.plain").click()
    page.wait_for_url(re.compile(r"/transactions$"))
    expect(page.locator(".chips .chip.on")).to_have_count(0)


def test_refunds_are_a_kind(site: Site, open_page: Callable[..., Page]) -> None:
    refunds = [row.id for row in site.rows() if row.amount_cents < 0]
    page = open_page(site)
    page.locator("#filter summary").click()
    page.locator("#filter-form [name=kind][value=refund]").check()
    page.locator("#filter-form button.primary").click()
    page.wait_for_url("**kind=refund*")
    page.wait_for_function("n => document.querySelectorAll('tr[data-c]').length >= n", arg=min(20, len(refunds)))
    found = ids_of(page)
    assert refunds and found == refunds[: len(found)]
    assert page.locator("td.c-amount:not(.refund)").count() == 0


def test_the_search_box_finds_a_merchant(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site)
    name = page.locator("td.c-merchant a").first.inner_text()
    page.fill("#search", name.lower())
    page.keyboard.press("Enter")
    page.wait_for_url("**merchant=*")
    expect(page.locator("#search")).to_have_value(name.lower())
    page.wait_for_function("() => document.querySelectorAll('tr[data-c]').length > 0")
    for text in page.locator("td.c-merchant").all_inner_texts()[:20]:
        assert name.lower() in text.lower()


def test_a_search_in_several_requests_says_how_far_it_is_stops_and_goes_on(
    hasty_site: Site, open_page: Callable[..., Page]
) -> None:
    wanted = [row.id for row in hasty_site.rows() if 40_000 <= row.amount_cents <= 40_100]
    page = open_page(hasty_site, "/login", viewport={"width": 1440, "height": 900})
    held: list[Route] = []
    page.route("**/transactions/rows?*", lambda route: held.append(route))  # noqa: PLW0108 - playwright marks it
    page.goto(f"{hasty_site.url}/transactions?{RARE}")
    line = page.locator(".searched-line")
    expect(line).to_contain_text(re.compile(r"Searched back to \d+ \w+ \d{4}: .* rows, \d+ found here"))
    expect(line.locator("progress")).to_have_attribute("value", re.compile(r"^0\.\d"))
    stop = line.get_by_role("button", name="Stop")
    stop.click()
    expect(stop).to_have_count(0)
    page.unroute("**/transactions/rows?*")
    expect(line).to_have_count(1)  # what was under way when it was stopped does not come in
    line.get_by_role("link", name="Continue").click()
    expect(page.locator("tbody.end")).to_have_count(1)
    assert ids_of(page) == wanted


def test_a_finished_search_that_found_nothing_says_so(hasty_site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(hasty_site, "/transactions?amount_min=9999999")
    expect(page.locator("tbody.end")).to_contain_text("Nothing matches.")
    assert ids_of(page) == []
    expect(page.locator(".searched-line")).to_have_count(0)


def test_nothing_found_names_the_filters_that_could_go(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site, "/transactions?status=failed&since=2019-01-01&until=2019-01-31")
    empty = page.locator(".end.empty")
    expect(empty).to_contain_text("No transactions match.")
    empty.get_by_role("link", name=re.compile("Remove Status")).click()
    page.wait_for_url(re.compile(r"/transactions\?since=2019-01-01&until=2019-01-31$"))


@pytest.mark.parametrize("query", ["since=2024-02-31", "colour=red", "at=" + quote("2024~x"), "page=999999"])
def test_what_cannot_be_understood_gets_a_page_with_a_way_back(
    site: Site, open_page: Callable[..., Page], query: str
) -> None:
    page = open_page(site, f"/transactions?{query}", failing=True)
    expect(page.locator(".status-code")).to_have_text(re.compile("^40[04]$"))
    page.get_by_role("link", name="Back to Transactions").click()
    page.wait_for_url(re.compile(r"/transactions$"))
    assert len(ids_of(page)) >= 100


@pytest.mark.parametrize("how", ["server error", "proxy's page", "connection cut"])
def test_rows_that_do_not_come_leave_the_others_and_can_be_asked_for_again(
    site: Site, open_page: Callable[..., Page], how: str
) -> None:
    page = open_page(site, "/transactions?at=2025-06-01T00:00:00Z~1", failing=True)
    page.wait_for_function("() => document.querySelectorAll('tr[data-c]').length >= 200")
    before = ids_of(page)

    def fail(route: Route) -> None:
        if how == "connection cut":
            route.abort("connectionreset")
        else:
            route.fulfill(status=500 if how == "server error" else 200, body="<html><body>Bad gateway</body></html>")

    page.route("**/transactions/rows?*", fail)
    problem = page.locator("#list > .problem").last
    for _ in range(60):
        wheel(page, 800)
        if problem.count():
            break
    expect(problem).to_contain_text("Retry")
    shown = ids_of(page)
    assert shown[-100:] == before[-100:] and page.locator("body").inner_text().count("Bad gateway") == 0
    page.unroute("**/transactions/rows?*")
    problem.get_by_role("link", name="Retry").click()
    page.wait_for_function("n => document.querySelectorAll('tr[data-c]').length > n", arg=len(shown))
    everything = [row.id for row in site.rows()]
    start = everything.index(ids_of(page)[0])
    assert ids_of(page) == everything[start : start + len(ids_of(page))]
