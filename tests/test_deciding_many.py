"""Many mappings at once: shown before it is asked, decided, asked, freed of duplicates; taken back without a trace."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from helpers import add_directory, get, ids_in, random_rows, total_in
from job_helpers import everything, job_of
from mapping_rows import add_mappings, stored_mappings
from model_server import ModelServer
from review_helpers import carry_out, mapping, merchant, propose, weigh_all
from sqlalchemy import func, select, update
from test_bulk import job_id, post

from kamioi_web import totals
from kamioi_web.db import Database
from kamioi_web.jobs.applying import OPEN
from kamioi_web.jobs.tables import jobs
from kamioi_web.review import deciding
from kamioi_web.review.deciding import Wish
from kamioi_web.schema import llm_mappings, merchants

BULK = "/llm-center/bulk"
RUN = "/llm-center/run"
SAID = ("ticker", "company", "category", "confidence", "status", "source", "model", "rationale", "steps", "decided_by",
        "decided_at")  # fmt: skip


@pytest.fixture
def proposals(database: Database, make_transactions: Callable[..., None]) -> dict[int, int]:
    """{merchant: its proposal} of ten merchants with transactions."""
    add_directory(database)
    make_transactions([row | ({"ticker": None} if row["status"] in ("pending", "needs_review") else {})
                       for row in random_rows(600)])  # fmt: skip
    made = {id: propose(database, id, "SBUX", "Starbucks") for id in range(1, 11)}
    weigh_all(database)
    return made


def state(database: Database) -> tuple[Any, ...]:
    """Transactions, allocations, mappings but for their versions, merchants: what an undo must put back."""
    m = llm_mappings.c
    with database.reading(60) as connection:
        said = connection.execute(select(m.id, *(m[name] for name in SAID)).order_by(m.id)).fetchall()
        mapped = connection.execute(select(merchants).order_by(merchants.c.id)).fetchall()
    return everything(database), said, mapped


def text_of(answer: Any) -> str:
    return " ".join(BeautifulSoup(answer.text, "html.parser").get_text(" ").split())


def undo(client: FlaskClient, database: Database, id: int) -> Any:
    """Press Undo on the job's page, and carry everything out; the undo as it ended."""
    assert f'formaction="/jobs/{id}/undo"' in get(client, f"/jobs/{id}").text
    back = job_id(post(client, f"/jobs/{id}/undo"))
    carry_out(database)
    return job_of(database, back)


def test_what_it_comes_to_is_shown_and_nothing_is_changed_by_looking(
    database: Database, make_client: Callable[..., FlaskClient]
) -> None:
    add_mappings(database)
    client, rows = make_client("operator"), stored_mappings(database, "source=llm")
    n = {status: sum(row.status == status for row in rows) for status in ("pending", "rejected", "approved")}
    page = get(client, f"{BULK}?source=llm&do=approve")
    assert f"Approve {len(rows)} mappings?" in text_of(page)
    assert f"{n['pending']} pending become approved." in text_of(page)
    assert f"{n['approved']} approved stay as they are." in text_of(page)
    assert ids_in(page.text) == [row.id for row in rows[:10]]
    few = text_of(get(client, f"{BULK}?confidence_max=0.3&do=reject"))
    assert "Those that are pending or approved become rejected" in few
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(jobs)) == 0


@pytest.mark.parametrize("do", ["approve", "reject"])
def test_many_are_decided_and_put_back_without_a_trace(
    database: Database, proposals: dict[int, int], make_client: Callable[..., FlaskClient], do: str
) -> None:
    client = make_client("operator")
    with database.writing() as connection:  # so that there is something in force to be rejected
        deciding.decide(connection, 1, Wish(proposals[1], 1, "approve"))
    before = state(database)
    id = job_id(post(client, BULK, {"do": do}))
    carry_out(database)
    changed = 9 if do == "approve" else 10
    assert job_of(database, id).result == {"changed": changed}
    wanted = {"approve": "approved", "reject": "rejected"}[do]
    assert {mapping(database, one).status for one in proposals.values()} == {wanted}
    assert {merchant(database, one).ticker for one in proposals} == {"SBUX" if do == "approve" else None}
    if do == "approve":
        rows = [row for row in everything(database)[0] if row[2] in range(2, 11)]
        assert not [row for row in rows if row[9] in OPEN and row[9] != "mapped"]
    ended = undo(client, database, id)
    assert ended.state == "done" and ended.result == {"changed": changed, "left": 0, "final": True}
    assert state(database) == before
    assert "/undo" not in get(client, f"/jobs/{ended.id}").text
    assert list(totals.check(database)) == []


def test_what_was_decided_anew_since_is_left_and_named(
    database: Database, proposals: dict[int, int], make_client: Callable[..., FlaskClient]
) -> None:
    client = make_client("operator")
    before = state(database)
    id = job_id(post(client, BULK, {"do": "approve"}))
    carry_out(database)
    again = proposals[3]
    fields = {"version": str(mapping(database, again).version), "do": "change", "ticker": "MCD", "back": "mapping"}
    post(client, f"/llm-center/{again}/decide", fields)
    carry_out(database)
    decided = [row for row in everything(database)[0] if row[2] == 3]
    ended = undo(client, database, id)
    assert ended.result == {"changed": 9, "left": 1, "final": True}
    page = get(client, f"/jobs/{ended.id}").text
    assert f'href="/llm-center/{again}?at=' in page and "mapped again since" in page
    assert merchant(database, 3).ticker == "MCD"
    now = everything(database)[0]
    assert [row for row in now if row[2] == 3] == decided
    assert [row for row in now if row[2] != 3] == [row for row in before[0][0] if row[2] != 3]
    assert list(totals.check(database)) == []


@pytest.fixture
def model() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


def test_the_model_is_asked_about_those_that_wait_and_its_answers_are_put_back(
    database: Database, proposals: dict[int, int], make_client: Callable[..., FlaskClient], model: ModelServer
) -> None:
    with database.writing() as connection:  # names that the scripted model knows
        for number, name in ((1, "sbux barista"), (2, "aapl place")):
            here = llm_mappings.c.merchant_id == number
            connection.execute(update(llm_mappings).where(here).values(cleaned=name))
        deciding.decide(connection, 1, Wish(proposals[5], 1, "approve"))
    before = state(database)
    set_up = {"llm_url": model.url, "llm_model": "small-1"}
    database.settings = database.settings.model_copy(update=set_up)
    client = make_client("operator", **set_up)
    assert "10 mappings?" in text_of(get(client, f"{BULK}?do=ask"))
    id = job_id(post(client, BULK, {"do": "ask"}))
    carry_out(database)
    done = job_of(database, id)
    assert done.state == "done" and done.result["changed"] == 9 and model.names["sbux barista"] == 1
    assert (mapping(database, proposals[1]).source, mapping(database, proposals[1]).ticker) == ("llm", "SBUX")
    assert mapping(database, proposals[5]).source == "rule"
    approved = [one for one in proposals if merchant(database, one).mapping_id and one != 5]
    assert len(approved) == done.result["approved"] > 0
    assert undo(client, database, id).result == {"changed": 9, "left": 0, "final": True}
    assert state(database) == before
    assert list(totals.check(database)) == []


def test_without_a_model_the_page_says_how_to_set_one_up(
    database: Database, proposals: dict[int, int], make_client: Callable[..., FlaskClient]
) -> None:
    client = make_client("operator")
    page = get(client, f"{BULK}?do=ask")
    assert "No model is set up" in page.text and "KAMIOI_LLM_URL" in page.text and f'action="{BULK}"' not in page.text
    assert "No model is set up" in post(client, BULK, {"do": "ask"}, status=409).text
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(jobs)) == 0


def test_duplicates_give_way_to_the_one_in_force_or_the_newest(
    database: Database, make_client: Callable[..., FlaskClient]
) -> None:
    add_mappings(database, 300)
    client, before = make_client("operator"), state(database)
    rows = stored_mappings(database)
    groups: dict[Any, list[Any]] = {}
    for row in rows:  # newest first
        if row.status in ("approved", "pending"):
            groups.setdefault((row.merchant_id, row.ticker, row.category), []).append(row)
    in_force = {row.mapping_id for row in before[2]}
    stay = {next((one.id for one in group if one.id in in_force), group[0].id) for group in groups.values()}
    gone = {row.id for group in groups.values() for row in group} - stay
    picked = {row.id for row in stored_mappings(database, "source=llm")} & gone
    assert picked and gone - picked
    narrow = job_id(post(client, BULK, {"do": "duplicates", "source": "llm"}))
    carry_out(database)
    wide = job_id(post(client, BULK, {"do": "duplicates"}))
    carry_out(database)
    assert [job_of(database, id).result["changed"] for id in (narrow, wide)] == [len(picked), len(gone - picked)]
    now = {row.id: row.status for row in stored_mappings(database)}
    assert now == {row.id: "superseded" if row.id in gone else row.status for row in rows}
    assert total_in(get(client, "/llm-center").text) == ("data-total", 300)
    touched = sorted(gone - picked)[0]
    with database.writing() as connection:
        deciding.decide(connection, 1, Wish(touched, mapping(database, touched).version, "reject"))
    assert undo(client, database, wide).result == {"changed": len(gone - picked) - 1, "left": 1, "final": True}
    assert undo(client, database, narrow).result == {"changed": len(picked), "left": 0, "final": True}
    after = {row.id: row.status for row in stored_mappings(database)}
    assert after == {row.id: "rejected" if row.id == touched else row.status for row in rows}
    assert list(totals.check(database)) == []


def test_more_than_a_thousand_take_the_number_and_wrong_things_are_named(
    database: Database, make_client: Callable[..., FlaskClient]
) -> None:
    add_mappings(database, 1_001)
    client = make_client("operator")
    assert "Type 1001 to go on" in get(client, f"{BULK}?do=reject").text
    assert "Type 1001" in post(client, BULK, {"do": "reject", "typed": "1000"}, 400).text.replace("is not", "Type")
    id = job_id(post(client, BULK, {"do": "reject", "typed": "1,001"}))
    assert job_of(database, id).rows_total == 1_001 and job_of(database, id).queue == "mapping"
    for query, said in (("do=explode", "“do” is one of"), ("do=approve&status=x", "“x” is not a status"),
                        ("do=approve&colour=red", "There is no parameter “colour”")):  # fmt: skip
        assert said in get(client, f"{BULK}?{query}", 400).text
    post(client, BULK, {"do": "approve", "status": "pending", "since": "2030-01-01"}, status=400)


def test_lesser_roles_have_none_of_it(database: Database, make_client: Callable[..., FlaskClient]) -> None:
    add_mappings(database, 5)
    reviewer, operator = make_client("reviewer"), make_client("operator")
    page = get(reviewer, "/llm-center").text
    assert "/llm-center/review" in page and BULK not in page and f'action="{RUN}"' not in page
    get(reviewer, f"{BULK}?do=approve", 403)
    post(reviewer, BULK, {"do": "approve"}, status=403)
    post(reviewer, RUN, {"do": "new"}, status=403)
    page = get(operator, "/llm-center?source=llm").text
    assert f'action="{BULK}"' in page and '<input type="hidden" name="source" value="llm">' in page


def test_new_merchants_are_mapped_on_order_and_nothing_is_said_to_be_nothing(
    database: Database, make_client: Callable[..., FlaskClient]
) -> None:
    add_directory(database)
    client = make_client("operator")
    assert "Map 30 new" in text_of(get(client, "/llm-center"))
    id = job_id(post(client, RUN, {"do": "new"}))
    assert job_of(database, id).kind == "map" and job_of(database, id).admin_id
    answer = post(client, RUN, {"do": "new", "once": "another"})
    assert "there was nothing to map" in get(client, answer.location).text
    carry_out(database)
    assert {mapping(database, one).status for one in range(1, 31)} == {"pending"}
    page = text_of(get(client, "/llm-center"))
    assert "Map all without a proposal" in page and "Review queue 30" in page
    assert "Every merchant has a mapping" in get(client, post(client, RUN, {"do": "all"}).location).text
    assert ">LLM Center<b>30</b>" in get(client, "/").text
