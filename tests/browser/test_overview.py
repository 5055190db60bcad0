"""The overview in a browser: panels that load, refresh and fail by themselves, and nothing that moves meanwhile."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from browser.site import Site
from browser.test_looks import size, violations
from kamioi_web import overview_page
from kamioi_web.errors import Busy

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PANELS = [panel.name for panel in overview_page.PANELS]
TICK = "() => document.body.dispatchEvent(new CustomEvent('kamioi:tick'))"
SHIFT = """() => {
  window.moved = 0;
  const note = list => list.getEntries().forEach(entry => { window.moved += entry.value; });
  new PerformanceObserver(note).observe({type: 'layout-shift', buffered: true});
}"""


@pytest.mark.parametrize("width", [390, 1440])
def test_panels_load_by_themselves_and_nothing_moves(
    site: Site, open_page: Callable[..., Page], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setattr(overview_page, "BUDGET_SECONDS", 0)
    page = open_page(site, "/", viewport=size(width))
    page.evaluate(SHIFT)
    expect(page.locator(".overview section.panel-box:not(.pending)")).to_have_count(len(PANELS))
    assert page.evaluate("() => window.moved") < 0.01
    figure = page.locator("#hours-transactions").inner_text()
    for _ in range(3):
        with page.expect_response("**/overview/hours"):
            page.evaluate(TICK)
    expect(page.locator("#hours-transactions")).to_have_text(figure)
    assert page.evaluate("() => window.moved") < 0.01


def test_a_refresh_keeps_the_focus_and_leaves_an_open_table_alone(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site, "/")
    page.locator("#days .behind summary").click()
    page.locator("#attention-2").focus()
    page.evaluate("() => { document.getElementById('attention').dataset.old = 'yes'; }")
    page.evaluate(TICK)
    expect(page.locator("#attention[data-old]")).to_have_count(0)
    expect(page.locator("#attention-2")).to_be_focused()
    expect(page.locator("#days .behind[open]")).to_have_count(1)


def test_a_panel_that_fails_offers_to_try_again(
    site: Site, open_page: Callable[..., Page], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(connection: Any, now: Any) -> None:
        raise Busy("Every database connection is in use. Try again in a moment.")

    whole = overview_page.PANELS
    monkeypatch.setattr(overview_page, "PANELS", tuple(
        replace(panel, read=broken) if panel.name == "hours" else panel for panel in whole))  # fmt: skip
    page = open_page(site, "/", failing=True)
    box = page.locator(".slot-hours .problem-box")
    expect(box).to_contain_text("Every database connection is in use")
    expect(page.locator(".overview section")).to_have_count(len(PANELS) - 1)
    assert not violations(page)
    with page.expect_response("**/overview/hours"):
        box.get_by_role("button", name="Retry").click()
    expect(box).to_be_visible()
    monkeypatch.setattr(overview_page, "PANELS", whole)
    box.get_by_role("button", name="Retry").click()
    expect(page.locator("#hours-transactions")).to_be_visible()


def test_every_panel_is_there_without_javascript(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site, "/", java_script_enabled=False)
    expect(page.locator(".overview section:not(.pending)")).to_have_count(len(PANELS))
    page.locator("#attention-1").click()
    page.wait_for_url("**/transactions?status=failed&since=*")
