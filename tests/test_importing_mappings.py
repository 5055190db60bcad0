"""Files of mappings: both header styles, what a row does, twice the same, bad rows."""

import csv
from pathlib import Path

import pytest
from helpers import add_directory, random_rows
from job_helpers import carry_out as carry_out_imports
from job_helpers import everything, job_of
from review_helpers import carry_out, propose
from sqlalchemy import select, update
from test_imports_browser import order, upload

from kamioi_web import totals
from kamioi_web.errors import KamioiError
from kamioi_web.importing.mappings import import_mappings, read_confidence, read_ticker
from kamioi_web.importing.model import ImportOptions, Reject
from kamioi_web.jobs.tables import jobs
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


OPEN = ("pending", "needs_review", "mapped")


@pytest.fixture
def waiting(database, make_transactions):
    """Merchants named as in the legacy examples, with transactions of every status and a proposal that waits."""
    add_directory(database)
    names = {1: "Starbucks", 2: "Apple Store", 3: "Target"}
    with database.writing() as connection:
        for id, name in names.items():
            connection.execute(update(merchants).where(merchants.c.id == id).values(descriptor=name, name=name))
    make_transactions([row | {"merchant_id": row["merchant_id"] % 5 + 1} for row in random_rows(400)])
    propose(database, 1, "MCD", "McDonald's")
    return names


def assert_applied(database, before):
    """The open rows of the uploaded merchants have their tickers and shares; all others are as they were."""
    tickers = {1: "SBUX", 2: "AAPL", 3: "TGT"}
    now = everything(database)[0]
    for was, row in zip(before, now, strict=True):
        merchant_id, status = was[2], was[9]
        if status in OPEN and merchant_id in tickers:
            assert (row[9], row[10]) == ("mapped", tickers[merchant_id])
        else:
            assert row == was
    assert list(totals.check(database)) == []


def apply_jobs(database):
    with database.reading() as connection:
        return connection.execute(select(jobs).where(jobs.c.kind == "apply").order_by(jobs.c.id)).fetchall()


@pytest.mark.parametrize("name", ["test_bulk_upload.csv", "test_upload.csv"])
def test_an_upload_is_applied_to_what_is_open(database, waiting, shared_data, name):
    before = everything(database)[0]
    load(database, shared_data / "legacy" / name)
    assert [job.parameters["merchant_ids"] for job in apply_jobs(database)] == [[1, 2, 3]]
    assert carry_out(database) == 1
    assert_applied(database, before)
    with database.reading() as connection:
        query = select(llm_mappings.c.source, llm_mappings.c.status).where(llm_mappings.c.merchant_id == 1)
        assert dict(map(tuple, connection.execute(query))) == {"rule": "superseded", "upload": "approved"}
    load(database, shared_data / "legacy" / name)
    assert len(apply_jobs(database)) == 1


def test_an_upload_in_the_browser_is_applied_too(database, waiting, shared_data, make_client):
    client, before = make_client("operator"), everything(database)[0]
    data = (shared_data / "legacy" / "test_upload.csv").read_bytes()
    address = upload(client, data, "test_upload.csv", "mappings")
    id = order(client, address)
    carry_out_imports(database)
    assert job_of(database, id).result["added"] == 3
    assert [job.admin_id for job in apply_jobs(database)] == [job_of(database, id).admin_id]
    carry_out(database)
    assert_applied(database, before)


def test_merchants_are_applied_five_hundred_at_a_time_and_only_those_with_open_rows(database, make_transactions):
    add_directory(database)
    Path("first.csv").write_text("merchant,ticker\n" + "".join(f"PLACE {n},\n" for n in range(700)))
    load(database, "first.csv")
    assert apply_jobs(database) == []
    with database.reading() as connection:
        here = merchants.c.descriptor.like("PLACE %")
        ids = connection.scalars(select(merchants.c.id).where(here).order_by(merchants.c.id)).all()
    make_transactions([{"merchant_id": id, "status": "pending"} for id in ids[:600]])
    Path("second.csv").write_text("merchant,ticker\n" + "".join(f"PLACE {n},SBUX\n" for n in range(700)))
    load(database, "second.csv")
    assert [len(job.parameters["merchant_ids"]) for job in apply_jobs(database)] == [500, 100]
