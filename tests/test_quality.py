"""The quality page: figures on labelled files and over time, each against a count made here; bad files; who may."""

import csv
import gzip
import io
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from helpers import get
from job_helpers import job_of
from model_server import ModelServer, ticker_of
from review_helpers import carry_out
from sqlalchemy import func, insert, select, update
from test_imports_browser import form_of, text_of

from kamioi_web.db import Database
from kamioi_web.jobs.tables import jobs
from kamioi_web.mapping.decide import decide
from kamioi_web.mapping.pipeline import Pipeline
from kamioi_web.mapping.proposals import Proposal
from kamioi_web.mapping.tables import model_breakers, model_days
from kamioi_web.review import counts
from kamioi_web.review.tables import decision_counts
from kamioi_web.schema import audit_events, llm_mappings, merchants
from kamioi_web.settings import Settings

PAGE = "/llm-center/quality"
HOSTILE = "<script>alert(1)</script> =cmd|' /C calc'!A0"
ROWS = [
    ("STARBUCKS STORE 10423 SEATTLE WA", "SBUX"),
    ("AMZN Mktp US*2K4LL", "AMZN"),
    ("HYATT REGENCY CHICAGO IL", "T"),  # labelled wrongly: a mistake to be told
    ("APPLEBEES 8821", "DIN"),
    ("VISALIA DINER", "NONE"),
    ("WAL-MART #1234", "WMT"),
    ("BERKSHIRE HATHAWAY", "BRK-B"),
    ("CORNER SHOP OF NOBODY", "ZZZX"),  # no such ticker in the catalogue
    ("TARGET 00012345", "NONE"),
    ("QWERTZUIOP VENTURES", "KO"),
    ("SEATTLE COFFEE", "none"),
    ("WHO KNOWS", "UNSURE"),
    (HOSTILE, "MSFT"),
    ("=HYPERLINK(1)", "MSFT"),
    ("", "NONE"),
]


@pytest.fixture
def client(make_client: Callable[..., FlaskClient]) -> FlaskClient:
    return make_client("reviewer")


def file_of(rows: Iterable[tuple[str, str]], head: str = "descriptor,ticker") -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return f"{head}\n{out.getvalue()}".encode()


def send(client: FlaskClient, data: bytes, name: str = "labels.csv", **fields: str) -> Any:
    """Upload a labelled file; the answer."""
    return client.post(PAGE, data=form_of(client, PAGE) | fields | {"file": (io.BytesIO(data), name)})


def measure(client: FlaskClient, database: Database, data: bytes, name: str = "labels.csv", **fields: str) -> Any:
    """Upload a labelled file and carry out its job; the job."""
    answer = send(client, data, name, **fields)
    assert answer.status_code == 303, text_of(answer)
    carry_out(database)
    return job_of(database, int(answer.location.rsplit("/", 1)[1]))


def expected(database: Database) -> list[tuple[str | None, Proposal, bool]]:
    """(label, proposal, whether it stands) of ROWS, as the steps answer one by one."""
    with database.reading() as connection:
        pipeline = Pipeline.of(connection)
    found = []
    for text, label in ROWS:
        if label != "UNSURE":
            said = pipeline.propose(text)
            owner = None if label.upper() == "NONE" else label.replace("-", ".")
            found.append((owner, said, decide(said, 0.9, pipeline.instruments) == "approved"))
    return found


def test_a_run_says_what_an_independent_count_says_and_maps_nothing(client: FlaskClient, database: Database) -> None:
    job = measure(client, database, gzip.compress(file_of(ROWS)), "labels.csv.gz")
    assert job.state == "done", job.error
    result, judged = job.result, expected(database)
    answers = [(label, said) for label, said, stands in judged if stands and said.ticker]
    right = sum(label == said.ticker for label, said in answers)
    assert (result["whole"]["answers_right"], result["whole"]["answers"]) == (right, len(answers))
    assert 0 < right < len(answers)
    known = [one for one in judged if one[0] not in (None, "ZZZX")]
    found = sum(stands and label == said.ticker for label, said, stands in known)
    assert (result["known"]["answers_right"], result["known"]["rows"]) == (found, len(known))
    assert (result["outside"]["rows"], result["tickers"]) == (1, [["ZZZX", 1]])
    assert (result["whole"]["rows"], result["unsure"]) == (len(ROWS) - 1, 1)
    steps = Counter(said.step for _, said, _ in judged)
    assert {step: part["rows"] for step, part in result["sources"].items()} == steps
    assert _bands(judged) == {
        tenth: (part["rows"], pytest.approx(part["confidence"]), part["right"])
        for tenth, part in result["bands"].items()
    }
    mistakes = sum(
        bool(stands and label != said.ticker) or bool(label and not stands) for label, said, stands in judged
    )
    assert sum(result["mistakes"].values()) == len(result["listed"]) == mistakes
    with database.reading() as connection:
        told = connection.scalars(select(audit_events.c.detail).where(audit_events.c.action == "job.done")).one()
        assert told["result"] == {"rows": len(ROWS) - 1, "answers": len(answers), "right": right}
        assert connection.scalar(select(func.count()).select_from(llm_mappings)) == 0
        assert connection.scalar(select(func.count()).select_from(merchants)) == 0


def _bands(judged: list[tuple[str | None, Proposal, bool]]) -> dict[str, tuple[int, float, int]]:
    found: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for label, said, _ in judged:
        if said.confidence:
            found[str(min(9, int(said.confidence * 10)))].append((said.confidence, said.ticker == label))
    return {tenth: (len(some), sum(c for c, _ in some), sum(r for _, r in some)) for tenth, some in found.items()}


def test_the_page_draws_a_run_and_what_people_wrote_comes_out_escaped(client: FlaskClient, database: Database) -> None:
    job = measure(client, database, file_of(ROWS), "<b>labels</b>.csv")
    href = f"{PAGE}?job={job.id}"
    assert href in get(client, f"/jobs/{job.id}").text
    answer = get(client, href)
    assert "<script>alert" not in answer.text
    assert "<b>labels" not in answer.text
    page = BeautifulSoup(answer.text, "html.parser")
    listed = [row.get_text() for row in page.select(".quality-mistakes tbody th")]
    assert any(text.startswith("<script>alert(1)") for text in listed)
    whole = job.result["whole"]
    words = page.select_one("#run")
    assert words and f"{whole['answers_right']} of {whole['answers']}" in words.get_text()
    assert "ZZZX" in words.get_text()


def test_all_mistakes_are_in_a_file_in_which_nothing_acts_as_a_formula(client: FlaskClient, database: Database) -> None:
    many = [(f"=NOBODY KNOWS {number}", "KO") for number in range(250)]
    job = measure(client, database, file_of([*ROWS, *many]))
    assert len(job.result["listed"]) == 200
    answer = get(client, f"{PAGE}/{job.id}/mistakes")
    rows = list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert len(rows) == sum(job.result["mistakes"].values()) > 250
    assert not [text for row in rows for text in row.values() if text.startswith(("=", "+", "-", "@"))]
    assert {row["label"] for row in rows if row["descriptor"].startswith("'=NOBODY")} == {"KO"}


BAD_FILES = [
    (b"", "is empty"),
    (b"\n\n", "holds no text"),
    (b"shop,ticker\nA,SBUX\n", "no column of descriptors"),
    (b"descriptor,company\nA,SBUX\n", "no column of labels"),
    (b"descriptor,ticker\n", "no labelled row"),
    (b"descriptor,ticker\nA,SBUX\nB,Not a ticker\n", "Line 3 of labels.csv is labelled “NOT A TICKER”"),
    (b"descriptor,ticker\nA,\n", "Line 2 of labels.csv has no label"),
    (b"PK\x03\x04 and more", "a zip archive or a spreadsheet"),
    (bytes(range(256)) * 20, "no column"),
]


def test_bad_files_are_refused_in_words(client: FlaskClient, settings: Settings) -> None:
    for data, says in BAD_FILES:
        answer = send(client, data)
        error = BeautifulSoup(answer.text, "html.parser").select_one("#quality-error")
        assert answer.status_code == 400
        assert error and says in error.get_text()
        assert str(settings.files_folder) not in answer.text
    assert not list((settings.files_folder / "uploads").glob("*"))


def test_a_label_that_is_wrong_far_down_ends_the_job_in_words(client: FlaskClient, database: Database) -> None:
    job = measure(client, database, file_of([*[("SHOP", "NONE")] * 5_000, ("SHOP", "??")]))
    assert job.state == "failed"
    assert "Line 5,002 of labels.csv is labelled “??”" in job.error
    assert "no figures" in get(client, f"{PAGE}?job={job.id}").text


def test_the_model_is_asked_about_what_the_rules_leave(
    make_client: Callable[..., FlaskClient], settings: Settings, database: Database
) -> None:
    with ModelServer() as server:
        changes = {"llm_url": server.url, "llm_model": "scripted"}
        client = make_client("reviewer", **changes)
        asking = Database(settings.model_copy(update=changes))
        rows = [("SBUXQ HOLDINGS", "SBUX"), ("CMGX THINGS", "NONE"), ("STARBUCKS 12", "SBUX")]
        try:
            job = measure(client, asking, file_of(rows), ask="yes")
        finally:
            asking.close()
    assert job.state == "done", job.error
    assert all(ticker_of(name) for name in server.names), server.names
    assert len(server.names) == job.result["asked"] == 2
    assert job.result["sources"]["model"]["rows"] == 2
    assert job.result["sources"]["model"]["right"] == 1
    assert "scripted" in get(client, f"{PAGE}?job={job.id}").text


def test_without_a_model_nobody_can_ask_it(client: FlaskClient, database: Database) -> None:
    assert 'name="ask"' not in get(client, PAGE).text
    answer = send(client, file_of(ROWS), ask="yes")
    assert answer.status_code == 400
    assert "No model is set up" in text_of(answer)


def test_what_does_not_exist_yet_is_said_to_be_so(client: FlaskClient) -> None:
    text = text_of(get(client, PAGE))
    for words in ("no decision yet", "nothing asked yet", "No decision yet in the last 30 days",
                  "No file was measured yet", "none is set up"):  # fmt: skip
        assert words in text
    assert "0 %" not in text


def test_agreement_is_what_was_decided_of_each_source_and_band(client: FlaskClient, database: Database) -> None:
    today, made = datetime.now(UTC).date(), []
    for age, source, tenth, action, n in [
        (0, "rule", 7, "approve", 6), (0, "rule", 7, "change", 2), (6, "rule", 8, "approve", 1),
        (7, "rule", 8, "reject", 4), (20, "llm", 9, "approve", 5), (80, "llm", 9, "reject", 5),
        (90, "llm", 9, "approve", 100), (1, "rule", counts.NO_PROPOSAL, "change", 50),
    ]:  # fmt: skip
        day = counts.day_of(today - timedelta(days=age))
        made.append({"day": day, "admin_id": 1, "source": source, "tenth": tenth, "action": action, "n": n})
    with database.writing() as connection:
        connection.execute(insert(decision_counts), made)
    page = BeautifulSoup(get(client, PAGE).text, "html.parser")
    rows = {
        row.th.get_text(): [" ".join(cell.get_text(" ", strip=True).split()) for cell in row.select("td")]
        for row in page.select("[aria-labelledby=agreement-title] tbody tr")
        if row.th
    }
    assert rows["rule"] == ["77.7 % of 9", "53.8 % of 13", "53.8 % of 13"]
    assert rows["model"] == ["no decision yet", "100 % of 5", "50 % of 10"]
    assert rows["70–80 %"] == ["75 % of 8"] * 3
    assert rows["80–90 %"] == ["100 % of 1", "20 % of 5", "20 % of 5"]
    assert rows["all"] == ["77.7 % of 9", "66.6 % of 18", "52.1 % of 23"]
    assert "50 decisions in 90 days" in page.get_text()
    assert [cell.get_text() for cell in page.select(".behind tbody tr td")][-2:] == ["50", "8"]


def test_a_decision_without_a_proposal_is_counted_apart(database: Database) -> None:
    with database.writing() as connection:
        for confidence in (0.0, 0.05, 1.0):
            counts.add(connection, 1, proposed(confidence), "change", 1)
        today = datetime.now(UTC).date()
        fared = {tenth: n for _, tenth, _, n in counts.fared(connection, today, today)}
    assert fared == {counts.NO_PROPOSAL: 1, 0: 1, 9: 1}


def proposed(confidence: float) -> Any:
    """What counts read of a mapping."""
    return SimpleNamespace(source="rule", confidence=confidence)


def test_the_model_tells_its_cost_and_until_when_it_is_left_alone(
    make_client: Callable[..., FlaskClient], database: Database
) -> None:
    now = datetime.now(UTC)
    day = {"model": "scripted", "calls": 4, "failures": 1, "names": 80, "tokens_in": 900, "tokens_out": 100}
    old = (now - timedelta(days=30)).date().isoformat()
    with database.writing() as connection:
        rows = [day | {"day": now.date().isoformat(), "micro_cents": 4_000_000}]
        connection.execute(insert(model_days), [*rows, day | {"day": old, "micro_cents": 10**9}])
    client = make_client("viewer", llm_url="http://127.0.0.1:9/v1", llm_model="scripted")
    text = text_of(get(client, PAGE))
    assert "50.00 cents" in text
    assert "is asked" in text
    until = now + timedelta(hours=1)
    with database.writing() as connection:
        connection.execute(insert(model_breakers).values(model="scripted", failures=5, open_until=until, reason="So."))
    assert f"left alone until {until:%-d %b %Y %H:%M:%S} UTC. So." in text_of(get(client, PAGE))


def test_everyone_may_look_and_reviewers_may_measure(
    make_client: Callable[..., FlaskClient], client: FlaskClient, database: Database
) -> None:
    job = measure(client, database, file_of(ROWS))
    viewer = make_client("viewer")
    page = get(viewer, f"{PAGE}?job={job.id}").text
    assert "Mistakes" in page
    assert "Upload and measure" not in page
    assert get(viewer, f"{PAGE}/{job.id}/mistakes", 403)
    assert viewer.post(PAGE, data={"file": (io.BytesIO(file_of(ROWS)), "labels.csv")}).status_code == 403
    assert get(client, f"{PAGE}?job=99", 404)
    assert get(client, f"{PAGE}?jobs=1", 400)
    with database.writing() as connection:
        connection.execute(update(jobs).where(jobs.c.id == job.id).values(kind="check"))
    assert get(client, f"{PAGE}?job={job.id}", 404)
