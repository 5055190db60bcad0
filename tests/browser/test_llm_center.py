"""A morning in the LLM Center: what waits, one after the other, and back; by mouse and by keys."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page
from sqlalchemy import select

from browser.site import Site, ids_of, wheel
from kamioi_web.schema import llm_mappings

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def stored(site: Site, *where) -> list[int]:
    m = llm_mappings.c
    with site.database.reading() as connection:
        return list(connection.scalars(select(m.id).where(*where).order_by(m.created_at.desc(), m.id.desc())))


def test_tabs_narrow_the_list_and_the_scroll_shows_all_of_it(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site, "/llm-center?source=llm")
    page.get_by_role("link", name="Approved").click()
    page.wait_for_url("**/llm-center?**status=approved**")
    assert page.locator(".tabs [aria-current=page]").inner_text().startswith("Approved")
    there = stored(site, llm_mappings.c.status == "approved", llm_mappings.c.source == "llm")
    assert len(there) > 200
    for _ in range(40):
        if page.locator("tbody.end").count():
            break
        wheel(page, 3_000)
        page.wait_for_function("() => document.querySelectorAll('.htmx-request').length === 0")
    assert ids_of(page) == there


def test_keys_go_from_one_that_waits_to_the_next_and_back(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site, "/llm-center?status=pending")
    there = stored(site, llm_mappings.c.status == "pending")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/llm-center/{there[1]}?**")
    page.keyboard.press("j")
    page.wait_for_url(f"**/llm-center/{there[2]}?**")
    page.keyboard.press("k")
    page.wait_for_url(f"**/llm-center/{there[1]}?**")
    page.keyboard.press("u")
    page.wait_for_url("**/llm-center?status=pending&at=**")
    assert ids_of(page)[0] in there[:2]  # newer rows may have come above the one that it opened at


def test_the_whole_way_without_javascript(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site, "/llm-center", java_script_enabled=False)
    page.locator(".tabs a").first.click()
    page.locator("tr[data-id] .c-name a").first.click()
    page.get_by_role("link", name="Older").click()
    page.locator(".pairs a").first.click()
    assert "/merchants/" in page.url
    page.locator("tr[id^=mapping-] .c-name a").first.click()
    assert "/llm-center/" in page.url
