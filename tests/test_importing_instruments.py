"""Listed shares from the files of the exchanges and of the SEC: what counts, and that it may be done again."""

from pathlib import Path

import pytest
from sqlalchemy import select

from kamioi_web.db import Database
from kamioi_web.errors import KamioiError
from kamioi_web.importing.instruments import InstrumentsReport, import_instruments
from kamioi_web.schema import instruments

SEC = """cik,ticker,title
1,AAPL,Apple Inc.
2,BRK-B,BERKSHIRE HATHAWAY INC
3,NSRGY,Nestle S.A.
4,TSCDF,TESCO PLC
5,RYAAY,RYANAIR HOLDINGS PLC
6,ODDT,Oddity Tech Ltd
"""
NASDAQ = """Symbol,Security Name
AAPL,Apple Inc. - Common Stock
RYAAY,Ryanair Holdings plc - American Depositary Shares
AACBR,Artius II Acquisition Inc. - Rights
AAAP,Pacer Barings CLO Market Flex ETF
"""
NYSE = """ACT Symbol,Company Name
BRK.B,Berkshire Hathaway Inc. New Common Stock
BAC$L,Bank of America 7.25% Preferred Stock Series L
HD,"Home Depot, Inc. (The) Common Stock"
AIM,AIM ImmunoTech Inc. Common Stock
"""
US = """exchange,symbol,name,country
NYSE,BRK/B,Berkshire Hathaway Inc.,United States
AMEX,AIM,AIM ImmunoTech Inc. Common Stock,United States
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
    with database.reading(10) as connection:
        return {row.ticker: (row.company, row.exchange) for row in connection.execute(select(instruments))}


ALL = {
    "AAPL": ("Apple Inc.", "NASDAQ"),
    "AIM": ("AIM ImmunoTech Inc.", "NYSE American"),
    "BRK.B": ("Berkshire Hathaway Inc.", "NYSE"),
    "HD": ("Home Depot, Inc.", "NYSE"),
    "RYAAY": ("Ryanair Holdings plc", "NASDAQ"),
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
    assert (report.added, report.of_unknown_exchange) == (3, 3)  # neither NSRGY, TSCDF nor RYAAY: five letters, F or Y
    assert stored(database)["AAPL"] == ("Apple Inc.", "unknown")
    assert load(database, files["nasdaq"]).changed == 1
    assert load(database, files["sec"]).changed == 0
    assert stored(database)["AAPL"] == ("Apple Inc.", "NASDAQ")
    assert stored(database)["RYAAY"] == ("Ryanair Holdings plc", "NASDAQ")


def test_a_file_that_is_no_list_of_shares_changes_nothing(
    database: Database, tmp_path: Path, files: dict[str, Path]
) -> None:
    other = tmp_path / "other.csv"
    other.write_text("Date,Amount\n2024-01-01,5\n")
    with pytest.raises(KamioiError, match="ticker"):
        load(database, files["nyse"], other)
    assert stored(database) == {}


def test_the_published_lists(database: Database, shared_data: Path) -> None:
    names = ("sec_company_tickers.csv", "us_listed_symbols.csv", "nasdaq_listed.csv", "nyse_listed.csv")
    paths = [shared_data / "reference" / name for name in names]
    report = load(database, *paths)
    found = stored(database)
    assert report.added == len(found) > 5_000
    assert {exchange for _, exchange in found.values()} == {"NASDAQ", "NYSE", "NYSE American"}
    assert {"AAPL", "BRK.B", "SHEL", "RYAAY"} <= set(found)
    assert not {"NSRGY", "TSCDY", "SPY"} & set(found)
    assert load(database, *paths).known == len(found)
