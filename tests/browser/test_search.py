"""The search box and the palette in a browser: keyboard, screen reader, a narrow screen, and without scripts."""

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from browser.site import Site
from kamioi_web.schema import merchants, transactions, users

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

OPTION = "#suggestions [role=option]"
HOSTILE = (
    "%_*",
    '"',
    "a AND b",
    "NEAR(",
    "\\",
    "\u202eevil\u202c",
    "<img src=x onerror=alert(1)>",
    "status:",
    "東京",
    "x" * 450,
)


def a_merchant(site: Site) -> str:
    """The longest word of a merchant's name, which is not in the address of anything else."""
    with site.database.reading() as connection:
        names = connection.scalars(select(merchants.c.name).order_by(func.length(merchants.c.name).desc()).limit(50))
        words = (word for name in names for word in re.findall(r"[A-Za-z]{8,}", name))
        return next(words).lower()


def selected(page: Page) -> str:
    """The option that the box names as the current one, as a screen reader follows it."""
    return page.evaluate(
        "() => { const box = document.activeElement;"
        " const option = document.getElementById(box.getAttribute('aria-activedescendant'));"
        " return option ? option.querySelector('b').textContent : ''; }"
    )


def no_violations(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert not [f"{one['id']}: {one['nodes'][0]['target']}" for one in found]


def test_suggestions_by_keyboard(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site)
    page.keyboard.press("/")
    page.keyboard.type("status:fa")
    expect(page.locator(OPTION)).to_have_count(1)
    box = page.locator("#search")
    expect(box).to_have_attribute("aria-expanded", "true")
    expect(page.locator("#live")).to_have_text("1 suggestion")
    assert selected(page) == ""
    page.keyboard.press("ArrowDown")
    assert selected(page) == "status:failed"
    no_violations(page)
    page.keyboard.press("Enter")
    expect(box).to_have_value("status:failed ")
    expect(box).to_be_focused()
    page.keyboard.type("kind:pur")
    expect(page.locator(f"{OPTION} b")).to_have_text(["kind:purchase"])
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    page.wait_for_url("**/transactions?status=failed&kind=purchase")


def test_escape_closes_first_and_leaves_then(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site)
    page.keyboard.press("/")
    page.keyboard.type("sta")
    expect(page.locator(OPTION).first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#suggestions")).to_be_hidden()
    expect(page.locator("#search")).to_have_value("sta")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#suggestions")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator("#search")).not_to_be_focused()
    page.keyboard.press("/")
    page.keyboard.type("t")
    expect(page.locator("#suggestions")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.locator("#suggestions")).to_be_hidden()


def test_a_suggestion_is_a_link_for_the_mouse(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site)
    word = a_merchant(site)
    page.locator("#search").press_sequentially(word)
    option = page.locator(f"{OPTION}[href*='/merchants/']").first
    expect(option).to_be_visible()
    href = option.get_attribute("href")
    option.click()
    page.wait_for_url(f"**{href}")
    page.locator("#search").fill("status:pe")
    page.locator(OPTION, has_text="status:pending").click()
    expect(page.locator("#search")).to_have_value("status:pending ")


def test_a_misspelt_word_leads_to_the_right_one(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site, "/settings")
    word = a_merchant(site)
    wrong = word[:4] + word[5:]
    page.locator("#search").fill(wrong)
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=*")
    expect(page.locator("#search")).to_have_value(wrong)
    page.locator(".corrections a").first.click()
    expect(page.locator("#search")).to_have_value(word)
    expect(page.locator("#found-merchants")).to_be_visible()


def test_the_box_works_on_every_page(site: Site, open_page: Callable[..., Page]) -> None:
    with site.database.reading() as connection:
        number = connection.scalar(select(users.c.account_number).limit(1))
        id = connection.scalar(select(transactions.c.id).where(transactions.c.id > 9_000).limit(1))
    page = open_page(site, "/settings")
    for path in ("/settings", "/users", f"/transactions/{id}", "/search"):
        page.goto(site.url + path)
        page.keyboard.press("/")
        page.keyboard.type(f"{number}")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r"/users/\d+$"))
    page.goto(f"{site.url}/transactions?status=failed")
    page.locator("#search").fill(f"id:{id}")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/transactions/{id}")


def test_what_cannot_be_understood_stays_in_the_box(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site, "/transactions?status=failed", failing=True)
    page.locator("#search").fill("coffee amount:>")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("cut off")
    expect(page.locator("#search")).to_have_value("coffee amount:>")
    expect(page.locator("#search")).to_have_attribute("aria-invalid", "true")
    page.locator("#search").fill("amount:>5")
    page.keyboard.press("Enter")
    page.wait_for_url("**/transactions?status=failed&amount_min=5.01")


@pytest.mark.parametrize("scripts", [True, False])
def test_whatever_is_typed_is_text(site: Site, open_page: Callable[..., Page], scripts: bool) -> None:
    page = open_page(site, "/search", failing=True, java_script_enabled=scripts)
    for typed in HOSTILE:
        page.locator("#search").fill(typed)
        if scripts:
            page.wait_for_function("() => !document.querySelector('.htmx-request')")
        page.locator("#search").press("Enter")
        page.wait_for_url(re.compile(r"/search\?q="))
        assert page.locator("#search").input_value() == typed
        assert page.locator("img").count() == 0


def test_the_palette_goes_to_pages_and_back_to_what_was_opened(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site, "/transactions")
    page.locator("tr[data-c] .c-merchant a").nth(3).click()
    page.wait_for_url(re.compile(r"/transactions/\d+"))
    path, title = page.evaluate("() => [location.pathname, document.querySelector('.detail h1').textContent.trim()]")
    page.goto(f"{site.url}/users")
    page.keyboard.press("Control+k")
    palette = page.locator("#palette")
    expect(palette).to_be_visible()
    expect(palette.locator("input")).to_be_focused()
    expect(palette.locator(".recent [role=option] b")).to_have_text([title])
    no_violations(page)
    page.keyboard.press("ArrowDown")
    assert selected(page) == title
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{path}")
    page.keyboard.press("Control+k")
    expect(palette.locator(".recent")).to_have_count(0)  # this page is where one is
    page.keyboard.type("audit")
    expect(palette.locator("[role=option] b")).to_have_text(["Audit log"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/audit")
    page.keyboard.press("Control+k")
    page.keyboard.press("Escape")
    expect(palette).to_be_hidden()
    page.keyboard.press("Control+k")
    page.keyboard.type("status:failed")
    page.keyboard.press("Enter")
    page.wait_for_url("**/transactions?status=failed")


def test_what_was_opened_is_forgotten_on_logging_out(own_site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(own_site, "/users")
    page.locator("tr[data-c] a").first.click()
    page.wait_for_url(re.compile(r"/users/\d+"))
    kept = "() => Object.keys(localStorage).filter(key => key.startsWith('recent-'))"
    assert len(page.evaluate(kept)) == 1
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login*")
    assert page.evaluate(kept) == []


def test_on_a_narrow_screen(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site, "/transactions", viewport={"width": 360, "height": 740})
    page.locator("#search").press_sequentially("sta")
    expect(page.locator(OPTION).first).to_be_visible()
    box = page.locator("#suggestions").bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= 360
    covered = page.evaluate(
        "() => { const box = document.querySelector('#suggestions [role=option]').getBoundingClientRect();"
        " return document.elementFromPoint(box.x + 20, box.y + 10).closest('#suggestions') === null; }"
    )
    assert not covered
    page.locator("#menu").check()
    page.locator("#open-palette").click()
    expect(page.locator("#palette-list [role=option]").first).to_be_visible()
    box = page.locator("#palette").bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= 360 and box["y"] + box["height"] <= 740
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360


def test_without_scripts_the_palette_is_a_page(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site, "/users", java_script_enabled=False)
    page.locator("#open-palette").click()
    page.wait_for_url("**/search")
    expect(page.locator(".found").get_by_role("link", name="Audit log")).to_be_visible()
    page.locator(".presets").get_by_role("link", name="status:failed", exact=True).click()
    page.wait_for_url("**/transactions?status=failed")
    page.locator("#search").fill("shell")
    page.locator("#search").press("Enter")
    page.wait_for_url("**/transactions?status=failed&merchant=shell")
    page.goto(f"{site.url}/search")
    page.locator("#search").fill(a_merchant(site))
    page.locator("#search").press("Enter")
    page.locator("#found-merchants + ul .figure").first.click()
    page.wait_for_url(re.compile(r"/transactions\?merchant_id=\d+$"))
