"""Saved views in a browser: saved, opened by default, left again, and the way back; with JavaScript and without."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from browser.site import Site, settle, wheel
from browser.test_looks import overflow, size, violations

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

FAILED = "status=failed&status=rejected"
AT_DEFAULT = re.compile(rf"/transactions\?{FAILED}$")


def save_default(page: Page, site: Site, name: str = "Went wrong") -> None:
    """Save the failed transactions as the view that the list opens with."""
    page.goto(f"{site.url}/transactions?{FAILED}")
    page.locator("#save-view > summary").click()
    page.fill("#save-view [name=name]", name)
    page.check("#save-view [name=default]")
    page.locator("#save-view button[type=submit]").click()
    page.wait_for_url(AT_DEFAULT)


@pytest.mark.parametrize("scripts", [True, False])
def test_saved_opened_by_default_left_and_back(own_site: Site, open_page: Callable[..., Page], scripts: bool) -> None:
    page = open_page(own_site, java_script_enabled=scripts)
    expect(page.locator("#views")).to_have_count(0)
    save_default(page, own_site)
    expect(page.locator("#views > summary")).to_have_text("Went wrong")
    page.locator("nav a", has_text="Transactions").click()
    page.wait_for_url(AT_DEFAULT)
    page.locator(".filters > .chip.plain").click()
    page.wait_for_url(re.compile(r"/transactions\?view=all$"))
    expect(page.locator("#count")).to_contain_text(f"{len(own_site.rows()):,}")
    page.go_back()
    page.wait_for_url(AT_DEFAULT)
    page.locator(".chips .chip.on").first.click()
    page.wait_for_url(re.compile(r"view=all$"))
    page.locator("#views > summary").click()
    page.locator("#views a", has_text="Went wrong").click()
    page.wait_for_url(AT_DEFAULT)
    page.locator("#views > summary").click()
    page.get_by_role("button", name="Undo default Went wrong").click()
    page.wait_for_url(AT_DEFAULT)
    page.goto(f"{own_site.url}/transactions")
    expect(page.locator("#count")).to_contain_text(f"{len(own_site.rows()):,}")
    page.locator("#views > summary").click()
    page.get_by_role("button", name="Delete Went wrong").click()
    expect(page.locator("#views")).to_have_count(0)


def test_an_empty_form_and_a_scroll_to_the_top_lead_to_the_whole_list(
    own_site: Site, open_page: Callable[..., Page]
) -> None:
    page = open_page(own_site)
    save_default(page, own_site)
    page.locator("#filter summary").click()
    for status in ("failed", "rejected"):
        page.uncheck(f"#filter-form [value={status}]")
    page.locator("#filter-form button.primary").click()
    page.wait_for_url(re.compile(r"/transactions\?view=all$"))
    page.goto(f"{own_site.url}/transactions?page=2")
    wheel(page, 400)
    settle(page)
    page.keyboard.press("Home")
    page.wait_for_url(re.compile(r"/transactions\?view=all$"))
    wheel(page, 900)
    settle(page)
    wheel(page, -3_000)
    page.wait_for_url(re.compile(r"/transactions\?view=all$"))
    page.reload()
    expect(page.locator("#count")).to_contain_text(f"{len(own_site.rows()):,}")


def test_the_link_is_copied_with_the_filters_and_the_place(own_site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(own_site, f"/transactions?{FAILED}", permissions=["clipboard-read", "clipboard-write"])
    first = page.locator("tr[data-c]").first.get_attribute("data-c")
    page.locator("#copy-link").click()
    expect(page.locator("#live")).to_have_text("Link copied")
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert copied == f"{own_site.url}/transactions?{FAILED}&at={first}"
    without = open_page(own_site, f"/transactions?{FAILED}", java_script_enabled=False)
    expect(without.locator("#copy-link")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_the_panels_are_accessible_and_stay_in_the_window(
    own_site: Site, open_page: Callable[..., Page], width: int, scheme: str
) -> None:
    page = open_page(own_site, viewport=size(width), color_scheme=scheme)
    save_default(page, own_site, "A name that is rather long for a chip <b>and</b> for a list of views")
    for panel in ("#views", "#save-view"):
        page.locator(f"{panel} > summary").click()
        box = page.locator(f"{panel} .panel").bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= width, panel
        assert box["y"] >= 0 and box["y"] + box["height"] <= size(width)["height"], panel
        assert overflow(page) <= 0
        top = page.evaluate(
            "panel => { const box = document.querySelector(panel).getBoundingClientRect();"
            " return document.querySelector(panel).contains(document.elementFromPoint(box.x + 20, box.bottom - 6)); }",
            f"{panel} .panel",
        )
        assert top, f"{panel} is covered"
        assert not violations(page)
        page.keyboard.press("Escape")
        expect(page.locator(f"{panel} .panel")).to_be_hidden()
    page.goto(f"{own_site.url}/settings")
    assert not violations(page) and overflow(page) <= 0
