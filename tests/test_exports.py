"""Exports: every row of one moment, once and exact, in each format; what goes wrong leaves nothing half behind."""

import errno
import hashlib
import os
import subprocess
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import contract
import pytest
from bs4 import BeautifulSoup
from export_files import (
    FORMATS,
    READERS,
    carry_out,
    exported,
    folder_of,
    job_of,
    names,
    order,
    path_of,
    read_csv,
    read_xlsx,
    send,
)  # fmt: skip
from flask.testing import FlaskClient
from helpers import add_directory, get, random_rows, stored
from sqlalchemy import delete, update
from test_login import change, events

from kamioi_web.db import Database
from kamioi_web.exporting import csv_file, formats, xlsx_file
from kamioi_web.jobs import export
from kamioi_web.jobs.failures import FULL
from kamioi_web.jobs.tables import jobs
from kamioi_web.jobs.working import work
from kamioi_web.pages import PAGES
from kamioi_web.schema import from_micros, merchants, transactions
from kamioi_web.settings import Settings
from kamioi_web.table_page import TablePage

QUERIES = (
    "",
    "status=failed&status=pending",
    "amount_min=10&amount_max=20",
    "source=manual&source=import",
    "merchant=shop%20beta",
    "ticker=SBUX&ticker=BRK.B&until=2024-08-31",
    "user=I1&status=completed",
    "currency=CAD&kind=refund",
    "since=2190-01-01",
)
HEADINGS = ["posted_at", "merchant", "description", "account_number", "category", "amount", "currency", "round_up",
            "ticker", "status", "id"]  # fmt: skip
HOSTILE = [
    "=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "=HYPERLINK(\"http://example.com\",\"x\")", "http://example.com",
    'He said "no", twice', "two\r\nlines\nand\rthree", "\u202eevil\u2066", "<r><t>rich</t></r>", "<r>&</r>", "_x0041_",
    "'quoted", "  blanks  ", "1e5", "\x0bcontrol\x1f", "naïve €😀", ",;\t|", "", "]]>", "x" * 300,
]  # fmt: skip


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """The same, with a folder of this test's own for the files."""
    return settings.model_copy(update={"files": tmp_path / "files"})


@pytest.fixture
def filled(database: Database, make_transactions: Callable[..., None]) -> None:
    """600 random rows in the database."""
    add_directory(database)
    make_transactions(random_rows(600))


@contextmanager
def between(monkeypatch: pytest.MonkeyPatch, do: Callable[[], None]) -> Generator[list[int]]:
    """Inside, exports take 50 rows at a time, and `do` runs once, after the second chunk; the sizes of the chunks."""
    chunks: list[int] = []
    whole = csv_file.CsvFile.write

    def write(self: csv_file.CsvFile, rows: Any) -> None:
        whole(self, rows)
        chunks.append(len(rows))
        if len(chunks) == 2:
            do()

    with monkeypatch.context() as patched:
        patched.setattr(export, "ROWS", 50)
        patched.setattr(csv_file.CsvFile, "write", write)
        yield chunks


def amount(cents: int) -> Decimal:
    return Decimal(cents) / 100


def iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def as_values(row: Any) -> list[Any]:
    """What a row of the list should be in a file, in the columns that are shown at first."""
    return [row.posted_at, row.merchant, row.descriptor, row.account_number, row.category, amount(row.amount_cents),
            row.currency, amount(row.round_up_cents), row.ticker, row.status, row.id]  # fmt: skip


def as_format(values: list[Any], format: str) -> list[Any]:
    """The same as the reader of a format gives it."""
    if format == "parquet":
        return values
    if format == "csv":
        return ["" if value is None else _text(value) for value in values]
    return [iso(value) if isinstance(value, datetime) else Decimal(value) if isinstance(value, int) else value
            for value in values]  # fmt: skip


def _text(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    return iso(value) if isinstance(value, datetime) else str(value)


# What is in the files.


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("format", FORMATS)
def test_a_file_has_the_rows_of_the_filter_in_order(client: FlaskClient, database: Database, format: str) -> None:
    for query in QUERIES:
        rows = stored(database, query)
        expected = [HEADINGS, *(as_format(as_values(row), format) for row in rows)]
        assert exported(client, database, query, format) == expected, query


@pytest.mark.usefixtures("filled")
def test_small_chunks_and_windows_lose_nothing(
    client: FlaskClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "ROWS", 17)
    monkeypatch.setattr(database.dialect, "scan_rows", 40)
    for query in QUERIES:
        found = exported(client, database, query, "csv")
        assert [int(row[-1]) for row in found[1:]] == [row.id for row in stored(database, query)], query


def everything_of(client: FlaskClient, page: TablePage) -> list[dict[str, Any]]:
    """The rows of a list as the API gives them, all pages."""
    found: list[dict[str, Any]] = []
    while True:
        answer = get(client, f"{page.api_path}?limit={page.largest}&page={len(found) // page.largest + 1}").json
        inside = answer["data"] if page.under_data else answer
        found += inside[page.name]
        if len(inside[page.name]) < page.largest:
            return found


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_every_list_can_be_exported_with_all_its_columns(
    client: FlaskClient, database: Database, make_transactions: Callable[..., None], page: TablePage
) -> None:
    contract.fill(database, make_transactions)
    assert list(page.cells.EXPORT) == list(page.cells.COLUMNS)
    fields = export.fields_of(page, list(page.cells.COLUMNS))
    assert len({field.header for field in fields}) == len(fields)
    order(client, "status=failed")
    send(client, "/preferences", page=page.name, column=list(page.cells.COLUMNS))
    for format in FORMATS:
        id = order(client, "", format, page.name)
        carry_out(database)
        found = READERS[format](path_of(database, id).read_bytes())
        at = job_of(database, id).result["at"].replace("+00:00", "Z")
        rows = everything_of(client, page)
        if page.name == "audit":  # where the end of the job is one more
            rows = [row for row in rows if row["at"] < at]
        assert found[0] == [field.header for field in fields]
        assert len(found) == len(rows) + 1 > 1
        for row, values in zip(rows, found[1:], strict=True):
            if row.get("cursor", "").endswith(f"~{id}") and page.name == "jobs":  # it is done by now
                continue
            wanted = [field.value(row[field.key]) for field in fields]
            assert [_plain(value) for value in values] == [
                _plain(amount(value) if field.kind == "money" else value)
                for field, value in zip(fields, wanted, strict=True)
            ]


def _plain(value: Any) -> Any:
    """One value however it is read: numbers by what they are, texts as they are, nothing as nothing."""
    if isinstance(value, datetime):
        return iso(value)
    if value in (None, ""):
        return None
    try:
        return Decimal(str(value))
    except ArithmeticError:
        return str(value)


def test_only_the_columns_that_are_shown_are_in_the_file(client: FlaskClient, database: Database) -> None:
    send(client, "/preferences", page="transactions", column=["posted", "merchant", "amount", "source"])
    assert exported(client, database, "", "csv") == [
        ["posted_at", "merchant", "description", "amount", "currency", "source"]
    ]


@pytest.mark.usefixtures("filled")
def test_what_people_wrote_comes_out_whole_and_does_nothing(client: FlaskClient, database: Database) -> None:
    with database.writing() as connection:
        for id, text in enumerate(HOSTILE, 1):
            connection.execute(update(merchants).where(merchants.c.id == id).values(name=text))
    written = [row.merchant for row in stored(database)]
    assert len(set(written) & set(HOSTILE)) == len(HOSTILE)
    assert [row[1] for row in exported(client, database, "", "parquet")[1:]] == written
    id = order(client, "", "xlsx")
    carry_out(database)
    content = path_of(database, id).read_bytes()
    assert [row[1] for row in read_xlsx(content)[1:]] == written
    assert b"hyperlink" not in content.lower()
    acting = ("=", "+", "-", "@", "\t", "\r")
    safe = [f"'{text}" if text.startswith(acting) else text for text in written]
    rows = exported(client, database, "", "csv")[1:]
    assert [row[1] for row in rows] == safe
    assert any(row[5].startswith("-") for row in rows), "a number below zero stays a number"


def test_csv_is_as_rfc_4180_says(client: FlaskClient, database: Database, make_transactions: Any) -> None:
    add_directory(database)
    make_transactions([{"merchant_id": 1, "category": 'a "b", c'}])
    id = order(client)
    carry_out(database)
    head, line, end = path_of(database, id).read_bytes().decode("utf-8-sig").split("\r\n")
    assert head == ",".join(HEADINGS)
    assert ',"a ""b"", c",12.50,USD,1.00,,completed,' in line and end == ""


def test_numbers_that_a_spreadsheet_would_round_are_texts(
    client: FlaskClient, database: Database, make_transactions: Any
) -> None:
    add_directory(database)
    cents = [1, -1, 10**15 - 1, 10**15, -(10**15), 123_456_789_012_345, 29, 57, 1_00]
    make_transactions([{"amount_cents": each} for each in cents])
    change(database, update(transactions).where(transactions.c.amount_cents == 1).values(id=2**60))
    found = {str(row[5]): row[-1] for row in exported(client, database, "", "xlsx")[1:]}
    assert set(map(Decimal, found)) == {amount(each) for each in cents}
    rows = exported(client, database, "", "xlsx")[1:]
    as_texts = {Decimal(row[5]) for row in rows if isinstance(row[5], str)}
    assert as_texts == {amount(10**15), amount(-(10**15))}
    assert str(2**60) in [row[-1] for row in rows]
    assert {row[5] for row in exported(client, database, "", "parquet")[1:]} == {amount(each) for each in cents}


@pytest.mark.usefixtures("filled")
def test_a_full_sheet_is_followed_by_another(
    client: FlaskClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xlsx_file, "ROWS", 250)
    found = exported(client, database, "", "xlsx")
    assert [int(row[-1]) for row in found[1:]] == [row.id for row in stored(database)]


# One moment.


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("query", ["", "amount_min=0", "status=failed&status=completed"])
def test_what_is_written_meanwhile_is_nowhere_in_the_file(
    client: FlaskClient, database: Database, make_transactions: Any, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stored(database, query)

    def write() -> None:
        make_transactions(random_rows(200, seed=2))
        with database.writing() as connection:
            ids = [row.id for row in before]
            t = transactions.c
            connection.execute(
                update(transactions).where(t.id.in_(ids[:300:2])).values(category="new", status="mapped")
            )
            connection.execute(delete(transactions).where(t.id.in_(ids[-20:])))
            connection.execute(update(merchants).values(name="renamed"))

    with between(monkeypatch, write) as chunks:
        found = exported(client, database, query, "csv")
    assert len(chunks) > 2
    assert found[1:] == [as_format(as_values(row), "csv") for row in before]


# Ordering, downloading.


@pytest.mark.usefixtures("filled")
def test_the_popover_orders_what_it_says(client: FlaskClient, database: Database) -> None:
    page = BeautifulSoup(get(client, "/transactions?status=failed").text, "html.parser")
    form: Any = page.select_one("#export form")
    rows = stored(database, "status=failed")
    assert f"All {len(rows)}, with" in " ".join(form.text.split())
    shown = [span.text for span in form.select("[data-column]") if not span.has_attr("hidden")]
    assert shown == ["Posted", "Merchant", "User", "Category", "Amount", "Round-up", "Ticker", "Status", "Id"]
    assert [choice["value"] for choice in form.select("[type=radio]")] == list(FORMATS)
    fields = {field["name"]: field["value"] for field in form.select("[type=hidden]")}
    answer = client.post(form["action"], data=fields | {"format": "csv"})
    assert answer.status_code == 303
    id = int(answer.headers["Location"].rpartition("/")[2])
    assert job_of(database, id).rows_total == len(rows)
    waiting = get(client, f"/jobs/{id}").text
    assert "Download" not in waiting and "Pause" not in waiting and "Cancel" in waiting
    carry_out(database)
    job, done = job_of(database, id), BeautifulSoup(get(client, f"/jobs/{id}").text, "html.parser")
    link: Any = done.select_one("#job a[download]")
    assert link["href"] == f"/jobs/{id}/file"
    content = get(client, link["href"]).data
    assert read_csv(content) == [HEADINGS, *(as_format(as_values(row), "csv") for row in rows)]
    assert job.result["sha256"] == hashlib.sha256(content).hexdigest() and job.result["sha256"] in done.text
    assert (job.result["bytes"], job.result["rows"]) == (len(content), len(rows))
    assert f"{len(rows)} rows, " in done.text and "kept until" in done.text
    assert [row["href"] for row in done.select("#job a.chip")] == ["/transactions?status=failed"]
    told = [(action, detail) for action, _, subject, detail in events(database) if subject == id]
    assert [action for action, _ in told] == ["job.ordered", "export.finished", "job.done"]
    about = told[1][1]
    assert about["filter"] == [["status", "failed"]] and about["page"] == "transactions" and about["format"] == "csv"
    assert (about["rows"], about["sha256"]) == (len(rows), job.result["sha256"])


@pytest.mark.usefixtures("filled")
def test_a_download_goes_on_where_it_was_cut_off(client: FlaskClient, database: Database) -> None:
    id = order(client)
    carry_out(database)
    address, zipped = f"/jobs/{id}/file", {"Accept-Encoding": "br, gzip"}
    whole = get(client, address, headers=zipped)
    assert "Content-Encoding" not in whole.headers and whole.headers["Cache-Control"] == "private, no-store"
    assert whole.headers["Accept-Ranges"] == "bytes"
    today = job_of(database, id).created_at.date().isoformat()
    assert whole.headers["Content-Disposition"] == f"attachment; filename=transactions-{today}.csv"
    resume = zipped | {"If-Range": whole.headers["ETag"]}
    first = get(client, address, 206, headers=resume | {"Range": "bytes=0-9999"})
    rest = get(client, address, 206, headers=resume | {"Range": "bytes=10000-"})
    assert first.headers["Content-Range"] == f"bytes 0-9999/{len(whole.data)}"
    assert first.data + rest.data == whole.data
    assert hashlib.sha256(first.data + rest.data).hexdigest() == job_of(database, id).result["sha256"]
    get(client, address, 200, headers={"Range": "bytes=10-", "If-Range": '"another"'})


def test_each_file_is_for_who_ordered_it_and_for_operators(make_client: Any, database: Database) -> None:
    ann, bo, operator, viewer = (make_client(role) for role in ("reviewer", "reviewer", "operator", "viewer"))
    id = order(ann)
    get(ann, f"/jobs/{id}/file", 404)
    carry_out(database)
    get(ann, f"/jobs/{id}/file")
    get(operator, f"/jobs/{id}/file")
    for other in (bo, viewer):
        assert "or an operator" in get(other, f"/jobs/{id}/file", 403).text
        assert "Download" not in get(other, f"/jobs/{id}").text
    get(ann, "/jobs/99999/file", 404)
    of_log = order(operator, page="audit")
    carry_out(database)
    get(ann, f"/jobs/{of_log}/file", 403)
    get(operator, f"/jobs/{of_log}/file")


def test_a_file_that_is_no_longer_kept_is_said_to_be(client: FlaskClient, database: Database) -> None:
    id = order(client)
    carry_out(database)
    path_of(database, id).unlink()
    assert "no longer kept" in get(client, f"/jobs/{id}/file", 410).text
    page = get(client, f"/jobs/{id}").text
    assert "no longer kept" in page and "Download" not in page


def test_viewers_cannot_order_and_are_not_offered_to(make_client: Any, database: Database) -> None:
    viewer = make_client("viewer")
    assert 'id="export"' not in get(viewer, "/transactions").text
    assert send(viewer, "/exports", page="transactions", format="csv").status_code == 403
    reviewer = make_client("reviewer")
    assert send(reviewer, "/exports", page="audit", format="csv").status_code == 403
    assert carry_out(database) == 0


def test_a_form_that_is_sent_twice_makes_one_job(client: FlaskClient, database: Database) -> None:
    fields = {"page": "users", "format": "xlsx", "once": "the same key"}
    first, second = (send(client, "/exports", **fields) for _ in range(2))
    assert first.status_code == second.status_code == 303
    assert first.headers["Location"] == second.headers["Location"]
    assert carry_out(database) == 1


def test_what_is_wrong_is_named(client: FlaskClient, database: Database) -> None:
    good = {"page": "transactions", "format": "csv"}
    for bad, words in (
        ({"format": "pdf"}, "csv, xlsx, parquet"),
        ({"format": ""}, "csv, xlsx, parquet"),
        ({"page": "nothing"}, "The lists are"),
        ({"query": "status=strange"}, "strange"),
        ({"query": "at=2024-03-14T09:49:13Z~1"}, "There is no parameter"),
        ({"query": "x=" + "y" * 9_000}, "characters long"),
    ):
        answer = send(client, "/exports", **(good | bad))
        assert (answer.status_code, words in answer.text) == (400, True), (bad, answer.text)
    assert send(client, "/exports", **good, query="user=I999").status_code == 404
    assert carry_out(database) == 0


def test_parquet_is_offered_only_where_it_can_be_written(
    client: FlaskClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ordered = order(client, "", "parquet")
    monkeypatch.setattr(formats, "find_spec", lambda name: None)
    assert 'value="parquet"' not in get(client, "/users").text
    assert send(client, "/exports", page="users", format="parquet").status_code == 400
    carry_out(database)
    job = job_of(database, ordered)
    assert job.state == "failed" and "pip install" in job.error


# What goes wrong.


@pytest.mark.usefixtures("filled")
def test_a_worker_that_lost_its_lease_leaves_nothing_and_the_next_writes_the_same(
    client: FlaskClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = order(client)
    carry_out(database)
    id = order(client)
    seen: list[str] = []

    def take_over() -> None:
        seen.extend(name for name in names(database) if name.startswith(f"{id}-"))
        change(database, update(jobs).where(jobs.c.id == id).values(fence=jobs.c.fence + 1, lease_until=from_micros(0)))

    with between(monkeypatch, take_over):
        assert work(database, "export", "a test", threading.Event()) == 2
    assert [name.rpartition(".")[2] for name in seen] == ["part"]
    assert sorted(names(database)) == sorted(job_of(database, each).result["file"] for each in (undisturbed, id))
    assert job_of(database, id).result["sha256"] == job_of(database, undisturbed).result["sha256"]
    assert [action for action, _, subject, _ in events(database) if subject == id].count("export.finished") == 1


@pytest.mark.usefixtures("filled")
def test_what_a_killed_worker_left_is_removed(client: FlaskClient, database: Database) -> None:
    id, other = order(client, "", "xlsx"), order(client)
    folder = folder_of(database)
    left = folder / f"{id}-1-transactions.xlsx.part"
    left.with_name(f"{left.name}.d").mkdir(parents=True)
    (left.with_name(f"{left.name}.d") / "sheet").write_text("half")
    left.write_text("half")
    carry_out(database)
    assert sorted(names(database)) == sorted(job_of(database, each).result["file"] for each in (id, other))


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(("wish", "state"), [("cancel", "cancelled"), ("pause", "paused"), ("stop", "waiting")])
def test_an_export_that_is_stopped_leaves_nothing_and_begins_anew(
    client: FlaskClient, database: Database, monkeypatch: pytest.MonkeyPatch, wish: str, state: str
) -> None:
    id, stop = order(client), threading.Event()
    monkeypatch.setattr("kamioi_web.jobs.telling.SECONDS", 0)

    def end() -> None:
        stop.set() if wish == "stop" else send(client, f"/jobs/{id}/{wish}")

    with between(monkeypatch, end) as chunks:
        work(database, "export", "a test", stop)
    assert len(chunks) == 2
    job = job_of(database, id)
    assert (job.state, job.checkpoint, names(database)) == (state, None, [])
    if wish != "stop":
        send(client, f"/jobs/{id}/{'retry' if wish == 'cancel' else 'resume'}")
    carry_out(database)
    rows = read_csv(path_of(database, id).read_bytes())
    assert [int(row[-1]) for row in rows[1:]] == [row.id for row in stored(database)]
    assert job_of(database, id).rows_done == len(rows) - 1


@contextmanager
def full_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Inside, the folder is a disk of 32 kB; where none can be mounted, each write of a file says that it is full."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", str(folder)]
    if os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0:
        try:
            yield
        finally:
            subprocess.run(["umount", "-l", str(folder)], check=True)
        return

    def write(self: Any, rows: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        for module in ("csv_file.CsvFile", "xlsx_file.XlsxFile", "parquet_file.ParquetFile"):
            patched.setattr(f"kamioi_web.exporting.{module}.write", write)
        yield


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("format", FORMATS)
def test_a_full_disk_is_said_in_words_and_leaves_no_part(
    client: FlaskClient, database: Database, make_transactions: Any, format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_transactions(random_rows(4_000, seed=3))
    id = order(client, "", format)
    with full_disk(folder_of(database), monkeypatch):
        carry_out(database)
        job = job_of(database, id)
        assert (job.state, job.error) == ("failed", FULL)
        assert names(database) == []
    assert "The disk is full" in get(client, f"/jobs/{id}").text
    send(client, f"/jobs/{id}/retry")
    carry_out(database)
    assert len(READERS[format](path_of(database, id).read_bytes())) == 4_601
