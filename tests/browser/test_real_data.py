"""A first visit: import a city's card transactions, and find a supplier's refunds in one month."""

import csv
import gzip
import shutil
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from browser.conftest import COMMON
from browser.site import serve
from kamioi_web.db import Database
from kamioi_web.importing.model import ImportOptions
from kamioi_web.importing.transactions import import_transactions
from kamioi_web.settings import Settings

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
SUPPLIER = "home depot"


def refunds(path: Path) -> Counter[tuple[str, Decimal]]:
    """(day, amount) of the supplier's refunds in March 2016, as the file has them."""
    found: Counter[tuple[str, Decimal]] = Counter()
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            amount = Decimal(row["amount"].replace(",", ""))
            named = SUPPLIER in row["merchant_name"].lower()
            if named and amount < 0 and row["transaction_date"].startswith("2016-03"):
                found[row["transaction_date"], amount] += 1
    return found


def test_the_refunds_of_a_supplier(
    shared_data: Path, sqlite_template: Path, tmp_path: Path, open_page: Callable[..., Page]
) -> None:
    source = shared_data / "transactions" / "toronto_pcard_2016.csv.gz"
    shutil.copy(sqlite_template, tmp_path / "kamioi.db")
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'kamioi.db'}", **COMMON)
    database = Database(settings)
    report = import_transactions(database, source, ImportOptions(rejects=tmp_path / "rejects.csv"), lambda done: None)
    database.close()
    with serve(settings) as site:
        page = open_page(site)
        expect(page.locator("#count")).to_contain_text(f"{report.rows_added:,}")
        page.fill("#search", SUPPLIER)
        page.keyboard.press("Enter")
        page.wait_for_url("**merchant=*")
        page.locator("#filter summary").click()
        page.fill("#filter-form [name=since]", "2016-03-01")
        page.fill("#filter-form [name=until]", "2016-03-31")
        page.locator("#filter-form [name=kind][value=refund]").check()
        page.locator("#filter-form button.primary").click()
        page.wait_for_url("**since=2016-03-01*")
        expect(page.locator("tbody.end")).to_be_visible()
        found = Counter(map(_read, page.locator("tr[data-c]").all()))
    wanted = refunds(source)
    assert wanted and found == wanted


def _read(row: Locator) -> tuple[str, Decimal]:
    day = (row.get_attribute("data-c") or "")[:10]
    text = row.locator(".c-amount").inner_text()
    return day, Decimal("".join(letter for letter in text.replace("−", "-") if letter in "-.0123456789"))
