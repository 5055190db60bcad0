"""A file imported in a browser, from the button to the rows, with JavaScript and without."""

import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from browser.site import Site
from browser.test_looks import overflow, size, violations
from kamioi_web.jobs.working import work
from kamioi_web.schema import transactions

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
FILE = b"When,Merchant,Amount\n13/04/2024,CORNER <b>SHOP</b>,12.50\n14/04/2024,TEA HOUSE,-3.00\nnever,BAD ROW,1\n"


@pytest.fixture
def statement(tmp_path: Path) -> Path:
    path = tmp_path / "statement.csv"
    path.write_bytes(FILE)
    return path


@pytest.mark.parametrize("scripts", [True, False])
def test_from_the_button_to_the_rows(
    own_site: Site, open_page: Callable[..., Page], statement: Path, scripts: bool
) -> None:
    page = open_page(own_site, "/imports", java_script_enabled=scripts)
    page.get_by_role("link", name="Import a file").click()
    page.get_by_label("File, CSV or TSV").set_input_files(statement)
    page.get_by_role("button", name="Upload and look").click()
    expect(page.get_by_role("alert")).to_contain_text("No column could be told to be: date")
    page.get_by_label("date (needed)").select_option("When")
    page.get_by_role("button", name="Look again").click()
    expect(page.get_by_role("cell", name="CORNER <b>SHOP</b>", exact=True).first).to_be_visible()
    expect(page.get_by_role("cell", name="14 Apr 2024 00:00")).to_be_visible()
    page.get_by_role("button", name="Import", exact=True).click()
    page.wait_for_url(re.compile(r"/jobs/\d+$"))
    work(own_site.database, "default", "the test", threading.Event())
    if not scripts:
        page.reload()
    expect(page.locator("#job [role=status]")).to_have_text("done")
    expect(page.get_by_role("row", name="Added")).to_contain_text("2")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the rejected rows").click()
    assert download.value.suggested_filename == "statement.csv.rejects.csv"
    assert "BAD ROW" in Path(download.value.path()).read_text()
    page.get_by_role("link", name="Imported transactions").click()
    assert [row.amount_cents for row in own_site.rows(transactions.c.source == "import")] == [-300, 1250]
    page.wait_for_url(re.compile("source=import"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_the_pages_are_accessible_and_fit(
    own_site: Site, open_page: Callable[..., Page], statement: Path, width: int, scheme: str
) -> None:
    page = open_page(own_site, "/imports/new", viewport=size(width), color_scheme=scheme)
    assert not violations(page) and overflow(page) <= 0
    page.get_by_label("File, CSV or TSV").set_input_files(statement)
    page.get_by_role("button", name="Upload and look").click()
    page.get_by_label("date (needed)").select_option("When")
    page.get_by_role("button", name="Look again").click()
    expect(page.get_by_role("heading", name="The first that are rejected")).to_be_visible()
    assert not violations(page) and overflow(page) <= 0
    page.get_by_role("button", name="Import", exact=True).click()
    work(own_site.database, "default", "the test", threading.Event())
    page.wait_for_url(re.compile(r"/jobs/\d+$"))
    page.reload()
    expect(page.get_by_role("row", name="Added")).to_contain_text("2")
    assert not violations(page) and overflow(page) <= 0
