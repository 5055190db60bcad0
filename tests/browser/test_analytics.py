"""Analytics in a browser: accessible, still while it loads, no wider than the window, and whole without JavaScript."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route

from browser.site import Site
from browser.test_looks import overflow, picture, size, violations

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

SHIFT = (
    "new PerformanceObserver(list => { for (const entry of list.getEntries()) if (!entry.hadRecentInput) "
    "window.shift = (window.shift || 0) + entry.value; }).observe({type: 'layout-shift', buffered: true})"
)
OUTSIDE = """() => [...document.querySelectorAll('.pane .plot :is(text, path, circle)')].filter(mark => {
  const box = mark.getBoundingClientRect(), pane = mark.closest('.pane').getBoundingClientRect();
  return box.width && (box.left < pane.left || box.right > pane.right || box.bottom > pane.bottom);
}).length"""
PERIODS = {
    "as it opens": "/analytics",
    "by day": "/analytics?since=2026-01-01&until=2026-01-31&by=day",
    "filtered": "/analytics?since=2025-01-11&until=2026-01-20&account_type=family",
    "one day": "/analytics?since=2026-01-15&until=2026-01-15",
    "nothing": "/analytics?since=2019-01-01&until=2019-01-31",
    "coarser": "/analytics?since=2014-01-01&until=2025-12-31&by=day",
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_accessible_and_still(site: Site, open_page: Callable[..., Page], scheme: str, width: int) -> None:
    page = open_page(site, "/login", failing=True, viewport=size(width), color_scheme=scheme)
    page.add_init_script(SHIFT)
    every = width == 1440 and scheme == "light"
    for name, path in [*PERIODS.items()][: None if every else 1]:
        page.goto(site.url + path)
        picture(page, f"analytics-{name.replace(' ', '-')}-{width}-{scheme}")
        assert violations(page) == [], name
        assert page.evaluate("() => window.shift || 0") < 0.01, name
        assert overflow(page) <= 0, name
    page.goto(site.url + "/analytics")
    for panel in ("#period", "#filter"):
        page.locator(f"{panel} > summary").click()
        assert violations(page) == [], panel
        page.keyboard.press("Escape")
    page.locator("#panel-trend .behind summary").click()
    assert violations(page) == []


def test_nothing_is_wider_than_the_window(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site, "/analytics")
    for details in page.locator(".behind summary").all():
        details.click()
    for width in (360, 390, 720, 960, 1024, 1160, 1440, 2560):
        page.set_viewport_size(size(width))
        assert overflow(page) <= 0, width
    for width in (360, 1440):
        page.set_viewport_size(size(width))
        for panel in ("#period", "#filter"):
            page.locator(f"{panel} > summary").click()
            box = page.locator(f"{panel} .panel").bounding_box()
            assert box and box["x"] >= 0 and box["x"] + box["width"] <= width, (panel, width)
            assert box["y"] >= 0 and box["y"] + box["height"] <= size(width)["height"], (panel, width)
            page.keyboard.press("Escape")


def test_charts_stay_inside_their_panels(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site, "/analytics")
    for width in (360, 1440):
        page.set_viewport_size(size(width))
        assert page.evaluate(OUTSIDE) == 0, width


def test_a_panel_is_read_anew_in_its_place(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site, "/analytics")
    page.evaluate("() => document.querySelector('#panel-funnel').dataset.old = 'yes'")
    page.locator("#panel-funnel a.again").click()
    page.wait_for_selector("#panel-funnel:not([data-old])")
    assert page.locator("#panel-funnel").count() == 1
    assert page.locator(".pane-funnel > #panel-funnel").count() == 1
    assert page.url == site.url + "/analytics"


def test_an_answer_that_is_not_ours_leaves_the_panel(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site, "/analytics", failing=True)

    def refuse(route: Route) -> None:
        route.fulfill(status=502, body="<h1>Bad gateway</h1>")

    page.route("**/analytics/funnel*", refuse)
    with page.expect_response("**/analytics/funnel*"):
        page.locator("#panel-funnel a.again").click()
    page.wait_for_function("() => document.querySelectorAll('.htmx-request').length === 0")
    assert "Bad gateway" not in page.inner_text("body")
    assert page.locator("#panel-funnel .bars-list").count() == 1


def test_the_link_is_copied(site: Site, open_page: Callable[..., Page]) -> None:
    path = "/analytics?since=2026-01-01&until=2026-01-31&by=day"
    page = open_page(site, path, permissions=["clipboard-read", "clipboard-write"])
    page.locator("#copy-link").click()
    page.wait_for_function("() => document.getElementById('live').textContent === 'Link copied'")
    assert page.evaluate("() => navigator.clipboard.readText()") == site.url + path


@pytest.mark.parametrize("javascript", [True, False])
def test_a_period_of_ones_own(site: Site, open_page: Callable[..., Page], javascript: bool) -> None:
    page = open_page(site, "/analytics?by=month&currency=USD", java_script_enabled=javascript)
    page.locator("#period > summary").click()
    page.fill("#period [name=since]", "2025-02-03")
    page.fill("#period [name=until]", "2025-05-06")
    page.locator("#period button").click()
    page.wait_for_url("**/analytics?by=month&currency=USD&since=2025-02-03&until=2025-05-06")
    assert "3 Feb – 6 May 2025" in page.inner_text(".words")
    page.locator("#panel-trend .behind summary").click()
    assert page.locator("#panel-trend tbody tr").count() == 4
    page.locator("#panel-trend tbody a").first.click()
    page.wait_for_url("**/transactions?since=2025-02-03&until=2025-02-28&currency=USD")
