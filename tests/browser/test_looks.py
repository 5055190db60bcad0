"""What every page must be: accessible, no wider than the window, and silent. Leaves pictures in tests/shots."""

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize
from sqlalchemy import select

from browser.site import Site
from kamioi_web.schema import llm_mappings

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

SHOTS = Path(__file__).parents[1] / "shots"
WIDTHS = (360, 390, 720, 1024, 1440, 2560)
FIXED = "() => document.querySelectorAll('.htmx-request').length === 0"


def detail_path(site: Site) -> str:
    """A page of one transaction."""
    return f"/transactions/{site.rows()[40].id}"


def mapping_path(site: Site, status: str) -> str:
    """The page of a mapping that has come to that."""
    chosen = select(llm_mappings.c.id).where(llm_mappings.c.status == status).order_by(llm_mappings.c.id).limit(1)
    with site.database.reading() as connection:
        return f"/llm-center/{connection.scalar(chosen)}"


PLACES: dict[str, Callable[[Site], str]] = {
    "overview": lambda site: "/",
    "list": lambda site: "/transactions",
    "page": lambda site: "/transactions?page=50",
    "filtered": lambda site: "/transactions?status=failed&status=rejected&since=2025-01-01",
    "searched": lambda site: "/transactions?amount_max=-0.01",
    "detail": detail_path,
    "search": lambda site: "/search?q=coffee",
    "search-error": lambda site: "/search?q=status:&in=transactions",
    "users": lambda site: "/users",
    "users filtered": lambda site: "/users?account_type=family&status=closed",
    "user": lambda site: "/users/12",
    "mappings": lambda site: "/llm-center",
    "mappings waiting": lambda site: "/llm-center?status=pending&confidence_max=0.8",
    "mapping": lambda site: mapping_path(site, "approved"),
    "mapping rejected": lambda site: mapping_path(site, "rejected"),
    "merchants": lambda site: "/merchants",
    "merchants searched": lambda site: "/merchants?search=store",
    "merchant": lambda site: "/merchants/1",
    "settings": lambda site: "/settings",
    "api": lambda site: "/api",
    "error": lambda site: "/transactions?since=2024-02-31",
    "empty": lambda site: "/transactions?status=failed&since=2019-01-01&until=2019-01-31",
}
WITH_AXE = ("overview", "list", "detail", "search", "search-error", "users", "user", "mappings", "mappings waiting",
            "mapping", "mapping rejected", "merchants", "merchant", "settings", "api", "error", "empty")  # fmt: skip


def violations(page: Page) -> list[str]:
    """What axe finds wrong, and where."""
    found = Axe().run(page).response["violations"]
    return [f"{one['id']} ({len(one['nodes'])}): {one['nodes'][0]['target']}" for one in found]


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than its window."""
    return page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")


def picture(page: Page, name: str) -> None:
    """Keep a picture for people to look at."""
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png")


def size(width: int) -> ViewportSize:
    """A window of that width."""
    return {"width": width, "height": 844 if width < 500 else 900}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_accessible_in_light_and_dark(site: Site, open_page: Callable[..., Page], scheme: str, width: int) -> None:
    page = open_page(site, "/login", failing=True, viewport=size(width), color_scheme=scheme)
    found: dict[str, list[str]] = {}
    for name, path in PLACES.items():
        page.goto(site.url + path(site))
        page.wait_for_function(FIXED)
        picture(page, f"{name}-{width}-{scheme}")
        if name in WITH_AXE:
            found[name] = violations(page)
    page.goto(site.url + "/transactions")
    page.locator("#filter summary").click()
    picture(page, f"filter-{width}-{scheme}")
    found["filter"] = violations(page)
    page.context.clear_cookies()
    page.goto(site.url + "/login")
    picture(page, f"login-{width}-{scheme}")
    found["login"] = violations(page)
    assert not {name: what for name, what in found.items() if what}


NARROWED = ("overview", "list", "detail", "search", "search-error", "mappings", "mapping", "merchants", "merchant",
            "settings", "api", "error", "empty", "searched", "login")  # fmt: skip


@pytest.mark.parametrize("name", NARROWED)
def test_nothing_is_wider_than_the_window(site: Site, open_page: Callable[..., Page], name: str) -> None:
    page = open_page(site, "/login", failing=True)
    if name == "login":
        page.context.clear_cookies()
    page.goto(site.url + (PLACES[name](site) if name in PLACES else "/login"))
    too_wide = {}
    for width in WIDTHS:
        page.set_viewport_size(size(width))
        too_wide[width] = overflow(page)
    assert not {width: pixels for width, pixels in too_wide.items() if pixels > 0}


@pytest.mark.parametrize("width", [360, 1440, 2560])
def test_an_open_panel_stays_in_the_window(site: Site, open_page: Callable[..., Page], width: int) -> None:
    page = open_page(site, viewport=size(width))
    for panel in ("#filter", "#columns", "#jump"):
        page.locator(f"{panel} > summary").click()
        box = page.locator(f"{panel} .panel").bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= width, panel
        assert box["y"] >= 0 and box["y"] + box["height"] <= size(width)["height"], panel
        assert overflow(page) <= 0
        page.keyboard.press("Escape")


def test_the_note_under_the_timeline_covers_nothing(site: Site, open_page: Callable[..., Page]) -> None:
    for width in (390, 1440):
        page = open_page(site, PLACES["searched"](site), viewport=size(width))
        page.wait_for_selector(".timeline-note")
        note = page.locator(".timeline-note").bounding_box()
        box = page.locator("#timeline").bounding_box()
        assert note and box and note["y"] + note["height"] <= box["y"] + box["height"] + 1, width
        bottom = page.evaluate(
            "() => Math.max(...[...document.querySelectorAll('.bars rect, .bars text')]"
            ".map(mark => mark.getBoundingClientRect().bottom))"
        )
        assert bottom <= note["y"] + 1, width


def test_pictures_without_javascript(site: Site, open_page: Callable[..., Page]) -> None:
    for width in (390, 1440):
        page = open_page(site, java_script_enabled=False, viewport=size(width))
        assert overflow(page) <= 0
        picture(page, f"list-{width}-without-javascript")
