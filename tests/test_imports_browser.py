"""Files imported in the browser: uploaded, looked at, run as a job; on both databases."""

import csv
import gzip
import io
import re
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from helpers import get
from job_helpers import carry_out, job_of
from sqlalchemy import func, select, update

from kamioi_web import migrations, totals
from kamioi_web.db import Database
from kamioi_web.importing.model import ImportOptions
from kamioi_web.importing.reading import Source
from kamioi_web.importing.transactions import import_transactions
from kamioi_web.jobs import importing, store
from kamioi_web.jobs.running import Job, LostLease
from kamioi_web.jobs.tables import jobs, uploads
from kamioi_web.schema import audit_events, imports, llm_mappings, merchants, transactions
from kamioi_web.settings import Settings

SMALL = b"Date,Merchant,Amount\n2024-03-01,SHOP ONE,1.50\n2024-03-13,SHOP TWO,-2.00\nnever,SHOP,3\n"


@pytest.fixture
def client(make_client: Callable[..., FlaskClient]) -> FlaskClient:
    return make_client("operator")


def form_of(client: FlaskClient, address: str = "/imports/new") -> dict[str, str]:
    """The hidden fields of the POST form of a page."""
    page = BeautifulSoup(get(client, address).text, "html.parser")
    form = page.select_one("main form[method=post]")
    assert form, page.text
    return {str(field["name"]): str(field.get("value", "")) for field in form.select("input[type=hidden]")}


def send(client: FlaskClient, data: bytes, name: str = "file.csv", kind: str = "transactions", **fields: str) -> Any:
    """Upload a file; the answer."""
    form = form_of(client) | {"kind": kind} | fields
    return client.post("/imports/uploads", data=form | {"file": (io.BytesIO(data), name)})


def upload(client: FlaskClient, data: bytes, name: str = "file.csv", kind: str = "transactions") -> str:
    """Upload a file; the address of its preview."""
    answer = send(client, data, name, kind)
    assert answer.status_code == 303, answer.text
    return answer.location


def text_of(answer: Any) -> str:
    return BeautifulSoup(answer.text, "html.parser").get_text(" ", strip=True)


def run_href(address: str) -> str:
    return address.partition("?")[0] + "/run"


def order(client: FlaskClient, address: str, do: str = "run") -> int:
    """Press a button of the preview; the job's id."""
    answer = client.post(run_href(address), data=form_of(client, address) | {"do": do})
    assert answer.status_code == 303, answer.text
    return int(answer.location.rsplit("/", 1)[1])


def kept_files(settings: Settings, folder: str = "uploads") -> list[Path]:
    return sorted((settings.files_folder / folder).glob("*"))


def rows_of(database: Database) -> list[Any]:
    """Every transaction as the file tells it, in an order of its own."""
    t = transactions.c
    columns = (t.posted_at, t.amount_cents, t.currency, t.category, t.source_ref, t.round_up_cents, merchants.c.name)
    with database.reading(60) as connection:
        rows = connection.execute(select(*columns).join(merchants, merchants.c.id == t.merchant_id)).fetchall()
    return sorted(map(tuple, rows))


def count(database: Database, table: Any) -> int:
    with database.reading() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def lines(n: int, bad: int = 0) -> bytes:
    """A file of n rows of which every `bad`th cannot be taken."""
    rows = (
        f"{'never' if bad and i % bad == 0 else f'2024-{i % 12 + 1:02}-{i % 28 + 1:02}'},SHOP {i % 50},{i}.05\n"
        for i in range(1, n + 1)
    )
    return b"Date,Merchant,Amount\n" + "".join(rows).encode()


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of 500 rows, and progress told after each."""
    plain = importing.choices.Choice.options
    monkeypatch.setattr(
        importing.choices.Choice, "options", lambda self, name, **more: plain(self, name, batch_rows=500, **more)
    )
    monkeypatch.setattr("kamioi_web.importing.reading.CHUNK_BYTES", 16_000)
    monkeypatch.setattr(importing, "TOLD_EVERY", 0)


def own_database(tmp_path: Path) -> Database:
    """A database beside, for the command to fill."""
    made = Database(Settings(database_url=f"sqlite:///{tmp_path / 'other.db'}", secret_key="a key", _env_file=None))
    migrations.migrate(made)
    return made


def test_a_real_file_comes_in_as_the_command_would_take_it(
    client: FlaskClient, database: Database, shared_data: Path, tmp_path: Path
) -> None:
    source = shared_data / "transactions" / "oxford_gpc_2017.csv"
    broken = source.read_bytes() + b"never,SHOP,1,what,2017-01\n"
    (tmp_path / "oxford.csv").write_bytes(broken)
    address = upload(client, broken, "oxford.csv")
    seen = text_of(get(client, address))
    assert "oxford, Oxford City Council" in seen and "The first rows as they would be stored" in seen
    assert count(database, transactions) == 0
    id = order(client, address)
    assert carry_out(database) == 1

    other = own_database(tmp_path)
    report = import_transactions(
        other, tmp_path / "oxford.csv", ImportOptions(rejects=tmp_path / "rejects.csv"), lambda progress: None
    )
    result = job_of(database, id).result
    assert job_of(database, id).state == "done"
    assert (result["read"], result["added"], result["rejected"]) == (
        report.rows_read, report.rows_added, report.rows_rejected,
    )  # fmt: skip
    assert result["sums"] == report.sums and result["reasons"] == report.reasons and report.rows_rejected
    assert rows_of(database) == rows_of(other)
    answer = get(client, f"/jobs/{id}/rejects")
    assert answer.data == (tmp_path / "rejects.csv").read_bytes()
    assert "oxford.csv.rejects.csv" in answer.headers["Content-Disposition"]
    assert answer.headers["Cache-Control"] == "no-store"
    page = get(client, f"/jobs/{id}").text
    assert f"/imports/{result['import_id']}" in page and f"/jobs/{id}/rejects" in page
    other.close()


def test_an_upload_is_kept_for_its_owner_and_is_told(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    upload(client, SMALL, "..\\..\\a/b\x01\u202e.csv")
    (path,) = kept_files(settings)
    assert path.read_bytes() == SMALL and path.stat().st_mode & 0o777 == 0o600
    with database.reading() as connection:
        row = connection.execute(select(uploads)).one()
        event = connection.execute(select(audit_events).where(audit_events.c.action == "import.uploaded")).one()
    assert (row.file_name, row.bytes, row.path) == ("b.csv", len(SMALL), f"uploads/{path.name}")
    assert event.detail == {"file": "b.csv", "bytes": len(SMALL), "sha256": row.sha256}


def test_a_form_sent_twice_keeps_one_file_and_orders_one_job(
    client: FlaskClient, database: Database, settings: Settings
) -> None:
    form = form_of(client)
    answers = [
        client.post("/imports/uploads", data=form | {"kind": "transactions", "file": (io.BytesIO(SMALL), "a.csv")})
        for _ in range(2)
    ]
    assert answers[0].location == answers[1].location and len(kept_files(settings)) == 1
    longer = client.post(
        "/imports/uploads", data=form | {"kind": "transactions", "file": (io.BytesIO(SMALL + b"\n"), "a.csv")}
    )
    assert longer.status_code == 422 and len(kept_files(settings)) == 1
    address = answers[0].location
    fields = form_of(client, address) | {"do": "run"}
    ordered = [client.post(run_href(address), data=fields) for _ in range(2)]
    assert ordered[0].location == ordered[1].location and count(database, jobs) == 1


@pytest.mark.parametrize("role", ["viewer", "reviewer"])
def test_lesser_roles_are_refused_and_leave_nothing(
    make_client: Callable[..., FlaskClient], settings: Settings, role: str
) -> None:
    address = upload(make_client("operator"), SMALL)
    client = make_client(role)
    assert "Import a file" not in get(client, "/imports").text
    for path in ("/imports/new", address):
        assert "takes the role operator" in get(client, path, 403).text
    answer = client.post("/imports/uploads", data={"kind": "transactions", "file": (io.BytesIO(SMALL), "a.csv")})
    assert answer.status_code == 403 and len(kept_files(settings)) == 1
    assert client.post(run_href(address), data={"do": "run"}).status_code in (400, 403)


def test_nobody_and_a_form_without_its_token_leave_nothing(client: FlaskClient, settings: Settings) -> None:
    stranger = client.application.test_client()
    for asker, status in ((stranger, 303), (client, 400)):
        answer = asker.post("/imports/uploads", data={"kind": "transactions", "file": (io.BytesIO(SMALL), "a.csv")})
        assert answer.status_code == status and not kept_files(settings)


def test_the_file_of_another_admin_takes_an_owner(make_client: Callable[..., FlaskClient]) -> None:
    address = upload(make_client("operator"), SMALL)
    other = make_client("operator")
    assert "another admin" in text_of(get(other, address, 403))
    fields = form_of(other) | {"do": "run", "kind": "transactions"}
    assert other.post(run_href(address), data=fields).status_code == 403
    assert "SHOP ONE" in text_of(get(make_client("owner"), address))
    get(other, "/imports/uploads/99", 404)


@pytest.mark.parametrize(
    ("data", "name", "words"), [(b"", "", "Choose a file first"), (b"", "empty.csv", "empty.csv is empty")]
)
def test_no_file_and_an_empty_one(client: FlaskClient, settings: Settings, data: bytes, name: str, words: str) -> None:
    answer = send(client, data, name)
    assert answer.status_code == 400 and words in text_of(answer) and not kept_files(settings)
    assert "Import a file" in answer.text  # the form again
    answer = client.post("/imports/uploads", data=form_of(client) | {"kind": "transactions"})
    assert answer.status_code == 400 and "Choose a file first" in text_of(answer)
    assert send(client, SMALL, kind="parquet").status_code == 400 and not kept_files(settings)


def test_too_large(make_client: Callable[..., FlaskClient], settings: Settings) -> None:
    client = make_client("operator", upload_mb=1)
    for size in (1_000_001, 1_300_000):  # above the limit of the file, and above that of the request
        answer = send(client, b"x" * size)
        assert answer.status_code == 413 and "1 MB" in text_of(answer) and "KAMIOI_UPLOAD_MB" in text_of(answer)
        assert not kept_files(settings)
    assert send(client, b"x" * 1_000_000).status_code == 303


@pytest.mark.parametrize("whole", [True, False])
def test_an_upload_that_is_cut_off_leaves_nothing(client: FlaskClient, settings: Settings, whole: bool) -> None:
    fields = form_of(client) | {"kind": "transactions"}
    parts = [f'--edge\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()]
    parts.append('--edge\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nDate,Mer')
    body = "".join(parts).encode()
    answer = client.post(
        "/imports/uploads",
        input_stream=io.BytesIO(body),
        content_type="multipart/form-data; boundary=edge",
        content_length=len(body) if whole else len(body) + 500,
    )
    assert answer.status_code == 400 and "ended early" in text_of(answer) and not kept_files(settings)


def test_a_full_disk_keeps_no_half_of_a_file(
    client: FlaskClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full")
    monkeypatch.setattr(
        "kamioi_web.uploads.os.fdopen", lambda opened, mode, buffering: full.open("wb", buffering=buffering)
    )
    answer = send(client, SMALL)
    assert answer.status_code == 507 and "disk of the server is full" in text_of(answer) and not kept_files(settings)


def test_a_large_upload_takes_no_memory(client: FlaskClient, settings: Settings, tmp_path: Path) -> None:
    fields = form_of(client) | {"kind": "transactions"}
    parts = [f'--edge\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in fields.items()]
    parts.append('--edge\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n')
    with (tmp_path / "body").open("w+b") as body:
        body.write("".join(parts).encode())
        for _ in range(50):
            body.write(b"2024-03-01,SHOP ONE,1.50\n" * 40_000)
        body.write(b"\r\n--edge--\r\n")
        size = body.tell()
        body.seek(0)
        tracemalloc.start()
        answer = client.post(
            "/imports/uploads",
            input_stream=body,
            content_type="multipart/form-data; boundary=edge",
            content_length=size,
        )
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert answer.status_code == 303 and [path.stat().st_size for path in kept_files(settings)] == [50_000_000]
    assert peak < 8_000_000


BAD = {
    "binary": (b"PK\x03\x04" + bytes(range(256)) * 40, "bad.csv is a zip archive or a spreadsheet"),
    "noise": (bytes(range(256)) * 400, "No column could be told to be"),
    "nothing but NULs": (b"\0" * 5_000, ""),
    "no such columns": (b"a,b,c\n1,2,3\n", "Choose which is which under Columns"),
    "one long line": (b"Date,Merchant,Amount\n" + b"x" * 1_200_000 + b"\n2024-03-01,SHOP,1.00\n", "is longer than"),
    "cut off in a quote": (SMALL + b'2024-03-02,"SHOP th', "its last row may be incomplete"),
    "NULs": (SMALL + b"2024-03-02,SHOP\0NINE,4.00\n", "The first that are rejected"),
    "UTF-16": (SMALL.decode().encode("utf-16"), "UTF-16"),
    "formulas": (SMALL + b'2024-03-02,"=HYPERLINK(""http://x"")",4.00\n', "=HYPERLINK"),
    "markup": (SMALL + b"2024-03-02,<script>alert(1)</script>,4.00\n", "<script>alert(1)</script>"),
    "a huge cell": (SMALL + b"2024-03-02," + b"y" * 65_536 + b",4.00\n", "merchant:"),
}


@pytest.mark.parametrize("filler", [b"\n", b'"a,b\n', b'2024-01-01,"a\n\n', b",,,,,,,,\n"])
def test_a_look_reads_little_of_a_strange_file(client: FlaskClient, filler: bytes) -> None:
    read: list[int] = []
    plain = Source.parts

    def parts(self: Any) -> Any:
        for part in plain(self):
            read.append(len(part.lines))
            yield part

    address = upload(client, b"Date,Merchant,Amount\n" + filler * (3_000_000 // len(filler)))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Source, "parts", parts)
        get(client, address)
    assert sum(read) <= 3 * 4_000  # for the formats, for the rows, and for what sets the file apart


@pytest.mark.parametrize("case", BAD)
def test_each_bad_file_gets_clear_words(client: FlaskClient, database: Database, case: str) -> None:
    data, words = BAD[case]
    address = upload(client, data, "bad.csv")
    answer = get(client, address)
    assert words in text_of(answer), text_of(answer)[:3_000]
    assert "--map" not in answer.text and "<script>alert" not in answer.text and "files/uploads" not in answer.text
    assert len(answer.text) < 200_000
    if not BeautifulSoup(answer.text, "html.parser").select("#import-error"):
        id = order(client, address)
        carry_out(database)
        assert job_of(database, id).state == "done"


def test_what_was_chosen_stays_in_the_form_and_counts(client: FlaskClient, database: Database) -> None:
    data = "When;Who;Paid;Back\n03/04/2024;SHOP ONE;1,50;\n05/04/2024;SHOP TWO;;2,00\n".encode("cp1252")
    address = upload(client, data, "odd.csv")
    assert "No column could be told to be: date, merchant, amount" in text_of(get(client, address))
    chosen = "&column_date=When&column_merchant=Who&column_debit=Paid&column_credit=Back&dates=day&currency=GBP"
    address += chosen + "&account=Petty+cash"
    page = BeautifulSoup(get(client, address).text, "html.parser")
    picked = {option.parent["name"]: option["value"] for option in page.select("option[selected]") if option.parent}
    assert picked["column_debit"] == "Paid" and picked["dates"] == "day"
    assert [field["value"] for field in page.select("form[method=get] input[name=account]")] == ["Petty cash"]
    assert "3 Apr 2024" in page.text and "£1.50" in page.text
    twice = text_of(get(client, address.replace("column_merchant=Who", "column_merchant=When")))
    assert "“When” is chosen for date and for merchant" in twice
    order(client, address)
    carry_out(database)
    assert [(row[0].day, row[0].month, row[1], row[2]) for row in rows_of(database)] == [
        (3, 4, 150, "GBP"), (5, 4, -200, "GBP"),
    ]  # fmt: skip


def test_a_choice_that_cannot_be_is_named(client: FlaskClient) -> None:
    address = upload(client, SMALL)
    for query in ("&encoding=rot13", "&delimiter=x", "&kind=legacy", "&nothing=1", "&dates=year", "&preset=mine"):
        name = query[1:].split("=")[0]
        told = text_of(get(client, address.replace("kind=transactions", "") + query, 400))
        assert f"“{name}”" in told, told
    answer = get(client, address + "&preset=toronto&column_date=Nowhere&currency=9")
    assert 'does not fit the preset "toronto"' in text_of(answer)
    for query in ("&column_date=Nowhere", "&currency=9", "&encoding=utf-16", "&delimiter=tab", "&kind=mappings"):
        assert BeautifulSoup(
            get(client, address.replace("?kind=transactions", "?") + query).text, "html.parser"
        ).select("#import-error"), query


def test_mappings_and_packed_files(client: FlaskClient, database: Database) -> None:
    id = order(client, upload(client, b"Merchant,Ticker,Confidence\nSHOP ONE,SBUX,93%\n", "m.csv", "mappings"))
    carry_out(database)
    assert job_of(database, id).result["added"] == 1 and count(database, llm_mappings) == 1
    assert "/llm-center?source=upload" in get(client, f"/jobs/{id}").text
    address = upload(client, gzip.compress(lines(3_000)), "long.csv.gz")
    assert "The first 3,000 rows: 3,000 can be stored" in text_of(get(client, address))
    order(client, address)
    carry_out(database)
    assert count(database, transactions) == 3_000


def test_a_dry_run_tells_the_whole_and_stores_nothing(client: FlaskClient, database: Database) -> None:
    id = order(client, upload(client, lines(5_000, bad=100)), "dry")
    carry_out(database)
    result = job_of(database, id).result
    assert (result["read"], result["added"], result["rejected"]) == (5_000, 4_950, 50)
    assert count(database, transactions) == count(database, imports) == count(database, merchants) == 0
    page = text_of(get(client, f"/jobs/{id}"))
    assert "Would be added 4,950" in page and "nothing was stored" in page


def test_the_same_file_again_is_told_and_adds_nothing(client: FlaskClient, database: Database) -> None:
    order(client, upload(client, SMALL))
    carry_out(database)
    address = upload(client, SMALL, "other name.csv")
    assert "This file was imported on" in text_of(get(client, address))
    id = order(client, address)
    carry_out(database)
    result = job_of(database, id).result
    assert (result["added"], result["known"]) == (0, 2) and count(database, transactions) == 2


def claimed(database: Database, owner: str) -> Job:
    """The next job, claimed as a worker does it."""
    with database.writing() as connection:
        row = store.claim(connection, "default", ("import",), owner)
    assert row
    return Job(database, row, threading.Event())


def lose_lease(database: Database) -> None:
    with database.writing() as connection:
        connection.execute(update(jobs).values(lease_until=select(jobs.c.created_at).scalar_subquery()))


def test_a_lost_lease_in_the_middle_stores_each_row_once(
    client: FlaskClient, database: Database, settings: Settings, small_batches: None
) -> None:
    """The worker is thought dead after some batches; another takes over; then the first wakes up and may not write."""
    id = order(client, upload(client, lines(6_000, bad=100)))
    zombie = claimed(database, "first")
    commits: list[int] = []
    plain = zombie.guard

    def guard(connection: Any, **kept: Any) -> None:
        if len(commits) == 4:
            raise LostLease  # as if it had been killed here, inside its transaction
        commits.append(1)
        plain(connection, **kept)

    zombie.guard = guard
    with pytest.raises(LostLease):
        importing.run(zombie)
    stored = count(database, transactions)
    assert 0 < stored < 6_000 and (job_of(database, id).checkpoint or {})["added"] == stored
    lose_lease(database)
    second = claimed(database, "second")
    zombie.guard = plain
    with pytest.raises(LostLease):
        importing.run(zombie)
    assert count(database, transactions) == stored
    result = importing.run(second)
    assert (result["read"], result["added"], result["known"], result["rejected"]) == (6_000, 5_940, 0, 60)
    assert result["sums"] == {"USD": sum(i * 100 + 5 for i in range(1, 6_001) if i % 100)}
    assert count(database, transactions) == 5_940 and list(totals.check(database)) == []
    path = importing.rejects_of(settings, job_of(database, id))
    assert path
    with path.open(newline="") as file:
        assert [row[0] for row in csv.reader(file)] == ["line", *(str(i + 1) for i in range(100, 6_001, 100))]


def test_cancelled_in_the_middle_and_then_gone_on(
    client: FlaskClient, database: Database, small_batches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = order(client, upload(client, lines(6_000)))
    plain = importing.Teller.tell

    def tell(self: Any, progress: Any) -> None:
        if progress.rows_added >= 2_000 and job_of(database, id).wish == "":
            with database.writing() as connection:
                store.cancel(connection, id)
        plain(self, progress)

    with monkeypatch.context() as patched:
        patched.setattr(importing.Teller, "tell", tell)
        carry_out(database)
    stored = count(database, transactions)
    assert job_of(database, id).state == "cancelled" and 2_000 <= stored < 6_000
    page = get(client, f"/jobs/{id}")
    assert f"{stored:,} rows are stored so far" in text_of(page) and "Go on after all" in page.text
    client.post(f"/jobs/{id}/retry", data=form_of(client, f"/jobs/{id}"))
    carry_out(database)
    assert job_of(database, id).result["added"] == count(database, transactions) == 6_000


def test_a_full_disk_fails_in_words_and_goes_on(
    client: FlaskClient, database: Database, settings: Settings, small_batches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = order(client, upload(client, lines(3_000, bad=100)))
    calls: list[int] = []

    def full(self: Any) -> None:
        calls.append(1)
        if len(calls) > 2:
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("kamioi_web.importing.rejects.Rejects.sync", full)
        carry_out(database)
    assert job_of(database, id).state == "failed" and "The disk is full" in text_of(get(client, f"/jobs/{id}"))
    client.post(f"/jobs/{id}/retry", data=form_of(client, f"/jobs/{id}"))
    carry_out(database)
    assert job_of(database, id).result["added"] == count(database, transactions) == 2_970
    assert len(kept_files(settings, "rejects")) == 1
    answer = get(client, f"/jobs/{id}/rejects").text
    assert len(answer.splitlines()) == 31


def test_the_rejected_rows_are_for_operators_and_for_who_ordered(
    client: FlaskClient, make_client: Callable[..., FlaskClient], database: Database
) -> None:
    id = order(client, upload(client, SMALL))
    get(client, f"/jobs/{id}/rejects", 404)
    carry_out(database)
    get(make_client("viewer"), f"/jobs/{id}/rejects", 403)
    assert "/rejects" not in get(make_client("viewer"), f"/jobs/{id}").text
    assert re.search("4,.*never", get(client, f"/jobs/{id}/rejects").text)


def test_a_file_that_is_gone(client: FlaskClient, database: Database, settings: Settings) -> None:
    address = upload(client, SMALL)
    id = order(client, address)
    for path in kept_files(settings):
        path.unlink()
    carry_out(database)
    assert "Upload it again" in (job_of(database, id).error or "")
    assert "Upload it again" in text_of(get(client, address))
