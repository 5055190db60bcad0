"""Listed shares from the files of the exchanges and of the SEC: what counts, and that it may be done again."""

from pathlib import Path

import pytest
from sqlalchemy import select

from kamioi_web import catalogue
from kamioi_web.db import Database
from kamioi_web.errors import KamioiError
from kamioi_web.importing.instruments import InstrumentsReport, import_instruments
from kamioi_web.schema import instruments

SEC = """cik,ticker,title
1,ZQAA,Apple Inc.
2,ZQB-B,BERKSHIRE HATHAWAY INC
3,NSRGY,Nestle S.A.
4,TSCDF,TESCO PLC
5,ZQAAY,RYANAIR HOLDINGS PLC
6,ODDT,Oddity Tech Ltd
"""
NASDAQ = """Symbol,Security Name
ZQAA,Apple Inc. - Common Stock
ZQAAY,Ryanair Holdings plc - American Depositary Shares
AACBR,Artius II Acquisition Inc. - Rights
AAAP,Pacer Barings CLO Market Flex ETF
"""
NYSE = """ACT Symbol,Company Name
ZQB.B,Berkshire Hathaway Inc. New Common Stock
BAC$L,Bank of America 7.25% Preferred Stock Series L
ZQHD,"Home Depot, Inc. (The) Common Stock"
ZQAM,AIM ImmunoTech Inc. Common Stock
"""
US = """exchange,symbol,name,country
NYSE,ZQB/B,Berkshire Hathaway Inc.,United States
AMEX,ZQAM,AIM ImmunoTech Inc. Common Stock,United States
"""


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    texts = {"sec": SEC, "nasdaq": NASDAQ, "nyse": NYSE, "us": US}
    for name, text in texts.items():
        (tmp_path / f"{name}.csv").write_text(text)
    return {name: tmp_path / f"{name}.csv" for name in texts}


def load(database: Database, *paths: Path) -> InstrumentsReport:
    with database.writing() as connection:
        return import_instruments(connection, paths)


def stored(database: Database) -> dict[str, tuple[str, str]]:
    """{ticker: (company, exchange)} beside the project's own."""
    own = {one.ticker for one in catalogue.instruments()}
    with database.reading(10) as connection:
        rows = connection.execute(select(instruments)).fetchall()
    return {row.ticker: (row.company, row.exchange) for row in rows if row.ticker not in own}


ALL = {
    "ZQAA": ("Apple Inc.", "NASDAQ"),
    "ZQAM": ("AIM ImmunoTech Inc.", "NYSE American"),
    "ZQB.B": ("Berkshire Hathaway Inc.", "NYSE"),
    "ZQHD": ("Home Depot, Inc.", "NYSE"),
    "ZQAAY": ("Ryanair Holdings plc", "NASDAQ"),
}


@pytest.mark.parametrize("order", [("sec", "nasdaq", "nyse", "us"), ("us", "nyse", "nasdaq", "sec")])
def test_only_shares_that_an_exchange_lists_are_taken(
    database: Database, files: dict[str, Path], order: tuple[str, ...]
) -> None:
    report = load(database, *(files[name] for name in order))
    assert stored(database) == ALL
    assert (report.read, report.added, report.changed, report.of_unknown_exchange) == (16, 5, 0, 0)
    assert sum(report.left_out.values()) == 6  # NSRGY, TSCDF, ODDT; the right, the fund, the preferred share
    again = load(database, *(files[name] for name in order))
    assert (again.added, again.changed, again.known) == (0, 0, 5)
    assert stored(database) == ALL


def test_the_secs_list_alone_leaves_the_exchange_open_until_an_exchange_says(
    database: Database, files: dict[str, Path]
) -> None:
    report = load(database, files["sec"])
    assert (report.added, report.of_unknown_exchange) == (3, 3)  # neither NSRGY, TSCDF nor ZQAAY: five letters, F or Y
    assert stored(database)["ZQAA"] == ("Apple Inc.", "unknown")
    assert load(database, files["nasdaq"]).changed == 1
    assert load(database, files["sec"]).changed == 0
    assert stored(database)["ZQAA"] == ("Apple Inc.", "NASDAQ")
    assert stored(database)["ZQAAY"] == ("Ryanair Holdings plc", "NASDAQ")


def test_a_file_that_is_no_list_of_shares_changes_nothing(
    database: Database, tmp_path: Path, files: dict[str, Path]
) -> None:
    other = tmp_path / "other.csv"
    other.write_text("Date,Amount\n2024-01-01,5\n")
    with pytest.raises(KamioiError, match="ticker"):
        load(database, files["nyse"], other)
    assert stored(database) == {}


def test_the_projects_own_names_stay(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("Symbol,Security Name\nSBUX,STARBUCKS CORP NEW\nZQNEW,New Corp\n")
    report = load(database, file)
    assert (report.added, report.changed, report.known) == (1, 0, 1)
    with database.reading(10) as connection:
        name = connection.scalar(select(instruments.c.company).where(instruments.c.ticker == "SBUX"))
    assert name == "Starbucks"


def test_the_published_lists(database: Database, shared_data: Path) -> None:
    names = ("sec_company_tickers.csv", "us_listed_symbols.csv", "nasdaq_listed.csv", "nyse_listed.csv")
    paths = [shared_data / "reference" / name for name in names]
    report = load(database, *paths)
    found = stored(database)
    assert report.added == len(found) > 3_000
    assert {exchange for _, exchange in found.values()} == {"NASDAQ", "NYSE", "NYSE American"}
    assert not {"NSRGY", "TSCDY", "SPY"} & set(found)
    again = load(database, *paths)
    assert (again.added, again.changed, again.known) == (0, 0, report.added + report.known)
