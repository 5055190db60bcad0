"""Reviewing in a browser: with the keyboard, with the mouse, on a phone, without JavaScript."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from review_helpers import carry_out, mapping
from sqlalchemy import select

from browser.site import Site
from browser.test_looks import overflow, violations
from kamioi_web.schema import llm_mappings, transactions

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

REVIEW = "/llm-center/review"
CARD = ".review-card:not([hidden])"


def waiting(site: Site) -> list[int]:
    """The proposals in the order of the queue."""
    m = llm_mappings.c
    with site.database.reading() as connection:
        query = select(m.id).where(m.status == "pending").order_by(m.waiting_cents.desc(), m.id.desc())
        return list(connection.scalars(query))


def current(page: Page) -> int:
    return int(page.locator(CARD).get_attribute("data-id") or 0)


def statuses(site: Site, ids: list[int]) -> list[str]:
    return [mapping(site.database, id).status for id in ids]


def answered(page: Page, key: str) -> None:
    """Press a key, and wait until the server has answered and the page has taken the answer over."""
    with page.expect_response(lambda response: "/decide" in response.url or response.url.endswith("/undo")):
        page.keyboard.press(key)


def test_every_key_does_what_it_says(own_site: Site, open_page: Callable[..., Page]) -> None:
    queue = waiting(own_site)
    page = open_page(own_site, REVIEW)
    expect(page.locator(CARD)).to_have_attribute("data-id", str(queue[0]))
    for at, key in enumerate("arn"):
        answered(page, key)
        expect(page.locator(CARD)).to_have_attribute("data-id", str(queue[at + 1]))
    expect(page.locator("#review-today .again")).to_contain_text("you 3")
    assert statuses(own_site, queue[:3]) == ["approved", "rejected", "rejected"]
    page.keyboard.press("s")
    expect(page.locator(CARD)).to_have_attribute("data-id", str(queue[4]))
    answered(page, "u")  # takes the last decision back
    expect(page.locator(CARD)).to_have_attribute("data-id", str(queue[2]))
    assert statuses(own_site, [queue[2]]) == ["pending"]
    page.keyboard.press("e")
    page.keyboard.type("mcd")
    with page.expect_response(lambda response: "/decide" in response.url):
        page.keyboard.press("Enter")
    expect(page.locator(CARD)).not_to_have_attribute("data-id", str(queue[2]))
    expect(page.locator("#undo")).to_contain_text("is MCD")
    assert carry_out(own_site.database) > 0
    assert any(row.ticker == "MCD" for row in own_site.rows(transactions.c.status == "mapped"))


def test_the_next_one_is_there_before_the_server_answers(own_site: Site, open_page: Callable[..., Page]) -> None:
    queue = waiting(own_site)
    page = open_page(own_site, REVIEW)
    held: list[Any] = []
    page.route("**/decide", lambda route: held.append(route), times=1)  # noqa: PLW0108 - playwright inspects it
    page.keyboard.press("a")
    expect(page.locator(CARD)).to_have_attribute("data-id", str(queue[1]))
    assert statuses(own_site, queue[:1]) == ["pending"]
    page.keyboard.press("a")
    expect(page.locator(CARD)).to_have_count(0)
    held[0].continue_()
    expect(page.locator(CARD)).to_have_attribute("data-id", str(queue[2]))
    expect(page.locator("#review-today .again")).to_contain_text("you 2")
    assert statuses(own_site, queue[:2]) == ["approved", "approved"]


def test_what_could_not_be_sent_is_shown_again(own_site: Site, open_page: Callable[..., Page]) -> None:
    queue = waiting(own_site)
    page = open_page(own_site, REVIEW, failing=True)
    page.route("**/decide", lambda route: route.abort())
    page.keyboard.press("a")
    expect(page.locator("#review-note")).to_contain_text("cannot be reached, so nothing was decided")
    expect(page.locator(CARD)).to_have_attribute("data-id", str(queue[0]))
    page.unroute("**/decide")
    answered(page, "a")
    expect(page.locator(CARD)).to_have_attribute("data-id", str(queue[1]))
    assert statuses(own_site, queue[:1]) == ["approved"]


def test_the_second_of_two_is_told_and_goes_on(own_site: Site, open_page: Callable[..., Page]) -> None:
    queue = waiting(own_site)
    first, second = open_page(own_site, REVIEW), open_page(own_site, REVIEW, failing=True)
    second.goto(own_site.url + f"{REVIEW}?id={queue[0]}")
    answered(first, "a")
    expect(first.locator(CARD)).to_have_attribute("data-id", str(queue[1]))
    answered(second, "r")
    expect(second.locator("#review-note")).to_contain_text("Already approved by tester-")
    assert statuses(own_site, queue[:1]) == ["approved"]


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_reads_well(site: Site, open_page: Callable[..., Page], width: int, scheme: str) -> None:
    page = open_page(site, REVIEW, viewport={"width": width, "height": 800}, color_scheme=scheme)
    assert overflow(page) == 0
    assert violations(page) == []


def test_it_works_without_javascript(own_site: Site, open_page: Callable[..., Page]) -> None:
    queue = waiting(own_site)
    page = open_page(own_site, REVIEW, java_script_enabled=False)
    page.locator(f"{CARD} button[value=approve]").click()
    expect(page.locator(CARD)).to_have_attribute("data-id", str(queue[1]))
    page.locator(f"{CARD} [data-review-key=e]").click()
    page.locator(f"{CARD} [name=ticker]").fill("MCD")
    page.locator(f"{CARD} [name=ticker]").press("Enter")
    expect(page.locator("#undo")).to_contain_text("is MCD")
    page.locator("#undo button").click()
    expect(page.locator(CARD)).to_have_attribute("data-id", str(queue[1]))
    assert statuses(own_site, queue[:2]) == ["approved", "pending"]
