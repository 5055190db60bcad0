"""Files of mappings: both header styles, what a row does, twice the same, bad rows."""

import csv
from pathlib import Path

import pytest
from sqlalchemy import select

from kamioi_web.errors import KamioiError
from kamioi_web.importing.mappings import import_mappings, read_confidence, read_ticker
from kamioi_web.importing.model import ImportOptions, Reject
from kamioi_web.schema import llm_mappings, merchants


@pytest.fixture(autouse=True)
def _in_own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def load(database, path, **options):
    return import_mappings(database, Path(path), ImportOptions(**options), lambda progress: None)


def in_force(database):
    m = merchants.c
    with database.reading() as connection:
        query = select(m.descriptor, m.ticker, m.company, m.category, llm_mappings.c.status, llm_mappings.c.confidence)
        query = query.join(llm_mappings, llm_mappings.c.id == m.mapping_id).order_by(m.descriptor)
        return [tuple(row) for row in connection.execute(query)]


@pytest.mark.parametrize(
    ("name", "shares"), [("test_bulk_upload.csv", [1.0] * 3), ("test_upload.csv", [0.98, 0.95, 0.92])]
)
def test_the_legacy_examples(database, shared_data, name, shares):
    path = shared_data / "legacy" / name
    report = load(database, path)
    assert (report.rows_added, report.rows_rejected) == (3, 0)
    wanted = [
        ("Apple Store", "AAPL", "Apple Inc.", "Technology"),
        ("Starbucks", "SBUX", "Starbucks Corporation", "Food & Drink"),
        ("Target", "TGT", "Target Corporation", "Shopping"),
    ]  # fmt: skip
    assert in_force(database) == [(*row, "approved", share) for row, share in zip(wanted, shares, strict=True)]
    assert load(database, path).rows_added == 0
    with database.reading() as connection:
        assert {row.source for row in connection.execute(select(llm_mappings))} == {"upload"}


@pytest.mark.parametrize(
    "header",
    ["Merchant Name,Ticker Symbol,Category,Confidence,Company Name,Notes",
     "merchant_name,ticker_symbol,cat,conf,company,notes",
     "merchant,symbol,type,score,company,Notes",
     "name,stock,category,confidence,Company,notes"],
)  # fmt: skip
def test_every_header_style(database, header):
    Path("m.csv").write_text(f"{header}\nShell,shel,Fuel,93 %,Shell plc,by hand\n")
    assert load(database, "m.csv").rows_added == 1
    assert in_force(database) == [("Shell", "SHEL", "Shell plc", "Fuel", "approved", 0.93)]


def test_a_later_mapping_supersedes_the_earlier(database):
    Path("a.csv").write_text("merchant,ticker,conf\nESSO,XOM,0.9\nSHELL,SHEL,\nESSO,IMO,0.8\nESSO,IMO,0.8\n")
    report = load(database, "a.csv")
    assert (report.rows_added, report.rows_known) == (3, 1)
    Path("b.csv").write_text("merchant,ticker\nSHELL,\n")
    load(database, "b.csv")
    assert [row[:2] for row in in_force(database)] == [("ESSO", "IMO"), ("SHELL", None)]
    with database.reading() as connection:
        query = select(llm_mappings.c.ticker, llm_mappings.c.status).order_by(llm_mappings.c.id)
        rows = [tuple(row) for row in connection.execute(query)]
    assert rows == [("XOM", "superseded"), ("SHEL", "superseded"), ("IMO", "approved"), (None, "approved")]


def test_an_edited_file_of_mappings_is_taken(database):
    rows = [f"SHOP {number},AAPL\n" for number in range(40)]
    Path("m.csv").write_text("merchant,ticker\n" + "".join(rows))
    load(database, "m.csv")
    rows[30] = "SHOP 30,MSFT\n"
    Path("m.csv").write_text("merchant,ticker\n" + "".join(rows))
    assert load(database, "m.csv").rows_added == 1
    assert dict(row[:2] for row in in_force(database))["SHOP 30"] == "MSFT"


def test_bad_rows_are_rejected(database):
    Path("m.csv").write_text(
        "merchant,ticker,conf\nA,not a ticker,1\n,AAPL,1\nB,AAPL,130\nC,AAPL,high\nD,BRK.B,93%\n\n"
    )
    report = load(database, "m.csv")
    assert (report.rows_added, report.rows_rejected, report.rows_blank) == (1, 4, 1)
    with report.rejects_path.open(newline="") as file:
        reasons = [row[1] for row in csv.reader(file)][1:]
    assert [reason.split(":")[0] for reason in reasons] == ["ticker", "no merchant", "confidence", "confidence"]


def test_a_file_without_tickers_is_explained(database):
    Path("m.csv").write_text("merchant,colour\nA,red\n")
    with pytest.raises(KamioiError, match="ticker"):
        load(database, "m.csv")


def test_confidences_and_tickers():
    shares = {
        "93%": 0.93,
        "93 %": 0.93,
        "93": 0.93,
        "0.93": 0.93,
        "0,93": 0.93,
        "": 1.0,
        "1": 1.0,
        "100": 1.0,
        "0": 0.0,
        ".5": 0.5,
    }
    assert {text: read_confidence(text) for text in shares} == shares
    assert [read_ticker(text) for text in ("brk.b", "BF-B", " aapl ", "", "T")] == ["BRK.B", "BF-B", "AAPL", None, "T"]
    for text in ("TOOLONGX", "1A", "A.", "A B", "ÄÖ", "=A"):
        with pytest.raises(Reject):
            read_ticker(text)
