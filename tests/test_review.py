"""Deciding proposals: the most money first, one winner, effects exactly once, and taking them back exactly."""

import os
import re
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from helpers import add_directory, get, random_rows
from job_helpers import everything
from plans import look
from review_helpers import admin_ids, carry_out, mapping, merchant, propose, rows_of, weigh_all
from sqlalchemy import func, select, update
from test_bulk import post

from kamioi_web import totals
from kamioi_web.db import Database
from kamioi_web.jobs.applying import OPEN
from kamioi_web.jobs.tables import jobs
from kamioi_web.review import deciding, queue
from kamioi_web.review.deciding import Answer, Decided, Wish
from kamioi_web.review.tables import decision_counts, decisions
from kamioi_web.schema import allocations, merchants

REVIEW = "/llm-center/review"
ROWS = 500
RACES = int(os.environ.get("KAMIOI_RACES", "20"))


@pytest.fixture
def proposals(database: Database, make_transactions: Callable[..., None]) -> dict[int, int]:
    """{merchant: its proposal} of ten merchants with transactions."""
    add_directory(database)
    make_transactions([row | ({"ticker": None} if row["status"] in ("pending", "needs_review") else {})
                       for row in random_rows(ROWS)])  # fmt: skip
    made = {id: propose(database, id, "SBUX", "Starbucks") for id in range(1, 11)}
    weigh_all(database)
    return made


def shown(page: str) -> list[int]:
    """The proposals of the queue, in its order."""
    return [int(str(row["data-id"])) for row in BeautifulSoup(page, "html.parser").select("#review-queue tr[data-id]")]


def decision(page: str, id: int, **fields: str) -> dict[str, str]:
    """The fields of a proposal's form as the page has them, and those that a reviewer sets."""
    form = BeautifulSoup(page, "html.parser").select_one(f"#decide-{id}")
    assert form is not None
    kept = {str(field["name"]): str(field.get("value", "")) for field in form.select("input[type=hidden]")}
    kept |= {str(field["name"]): str(field["value"]) for field in form.select("input[type=radio][checked]")}
    return {name: value for name, value in (kept | fields).items() if name != "csrf_token"}


def waits_for(database: Database, id: int) -> int:
    return sum(row.amount_cents for row in rows_of(database, id) if row.status in ("pending", "needs_review"))


def test_the_most_money_comes_first_and_each_place_leads_to_the_next(
    database: Database, proposals: dict[int, int], make_client: Callable[..., FlaskClient]
) -> None:
    client, seen, path = make_client("reviewer"), [], REVIEW
    while True:
        page = get(client, path).text
        if not shown(page):
            break
        seen.append(shown(page)[0])
        path = str(BeautifulSoup(page, "html.parser").select("[data-review-key=s]")[0]["href"])
    by_money = sorted(proposals.items(), key=lambda item: (-waits_for(database, item[0]), -item[1]))
    assert seen == [id for _, id in by_money]
    assert "That was the last one" in page


def test_approving_applies_to_the_open_transactions_once(
    database: Database, proposals: dict[int, int], make_client: Callable[..., FlaskClient]
) -> None:
    client, id = make_client("reviewer"), proposals[1]
    before = rows_of(database, 1)
    page = get(client, f"{REVIEW}?id={id}").text
    fields = decision(page, id, do="approve")
    for _ in range(2):  # a double click
        answer = post(client, f"/llm-center/{id}/decide", fields)
        assert answer.location == f"{REVIEW}?after={fields['spot']}"
    assert (merchant(database, 1).ticker, merchant(database, 1).mapping_id) == ("SBUX", id)
    assert mapping(database, id).status == "approved" and mapping(database, id).decided_by
    assert carry_out(database) == 1
    for was, now in zip(before, rows_of(database, 1), strict=True):
        if was.status in OPEN:
            assert (now.status, now.ticker, now.round_up_cents) == ("mapped", "SBUX", was.round_up_cents)
        else:
            assert now == was
    assert_allocated(database, 1)
    assert list(totals.check(database)) == []


def assert_allocated(database: Database, merchant_id: int) -> None:
    """Every mapped or completed row of a merchant has its round-up at its ticker, and no other row has any."""
    rows = {row.id: row for row in rows_of(database, merchant_id)}
    with database.reading() as connection:
        found = connection.execute(select(allocations).where(allocations.c.transaction_id.in_(rows))).all()
    wanted = {
        id for id, row in rows.items() if row.ticker and row.status in ("mapped", "completed") and row.round_up_cents
    }
    assert {share.transaction_id for share in found} == wanted
    assert all(share.amount_cents == rows[share.transaction_id].round_up_cents for share in found)


def test_nobody_releases_the_round_ups(
    database: Database, proposals: dict[int, int], make_client: Callable[..., FlaskClient]
) -> None:
    client, id, before = make_client("reviewer"), proposals[2], rows_of(database, 2)
    post(client, f"/llm-center/{id}/decide", decision(get(client, f"{REVIEW}?id={id}").text, id, do="none"))
    carry_out(database)
    opened = {row.id for row in before if row.status in OPEN}
    now = [row for row in rows_of(database, 2) if row.id in opened]
    assert opened and {(row.status, row.ticker, row.round_up_cents) for row in now} == {("completed", None, 0)}
    assert mapping(database, id).status == "rejected" and merchant(database, 2).mapping_id not in (None, id)
    assert list(totals.check(database)) == []


@pytest.mark.parametrize("do", ["approve", "none", "change", "reject"])
def test_taking_a_decision_back_leaves_no_trace_in_the_data(
    database: Database, proposals: dict[int, int], make_client: Callable[..., FlaskClient], do: str
) -> None:
    client, id = make_client("reviewer"), proposals[1]
    before, was = everything(database), (merchant(database, 1), mapping(database, id))
    post(client, f"/llm-center/{id}/decide", decision(get(client, f"{REVIEW}?id={id}").text, id, do=do, ticker="mcd"))
    carry_out(database)
    undo = BeautifulSoup(get(client, REVIEW).text, "html.parser").select_one("#undo input[name=decision]")
    assert undo is not None
    answer = post(client, f"{REVIEW}/undo", {"decision": str(undo["value"])})
    assert answer.location == f"{REVIEW}?id={id}"
    carry_out(database)
    assert everything(database) == before
    assert merchant(database, 1) == was[0]
    assert mapping(database, id).status == "pending" and mapping(database, id).decided_by is None
    assert shown(get(client, answer.location).text)[0] == id
    post(client, f"{REVIEW}/undo", {"decision": str(undo["value"])}, status=409)
    assert list(totals.check(database)) == []


def test_undo_overtakes_the_job_that_has_not_begun(
    database: Database, proposals: dict[int, int], make_client: Callable[..., FlaskClient]
) -> None:
    client, id, before = make_client("reviewer"), proposals[1], everything(database)
    post(client, f"/llm-center/{id}/decide", decision(get(client, f"{REVIEW}?id={id}").text, id, do="approve"))
    undo = BeautifulSoup(get(client, REVIEW).text, "html.parser").select_one("#undo input[name=decision]")
    assert undo is not None
    post(client, f"{REVIEW}/undo", {"decision": str(undo["value"])})
    assert carry_out(database) == 0 and everything(database) == before
    with database.reading() as connection:
        assert connection.scalars(select(jobs.c.state)).all() == ["cancelled"]


def test_what_was_decided_can_be_decided_anew_and_completed_rows_stay(
    database: Database, proposals: dict[int, int], make_client: Callable[..., FlaskClient]
) -> None:
    client, id = make_client("reviewer"), proposals[1]
    post(client, f"/llm-center/{id}/decide", decision(get(client, f"{REVIEW}?id={id}").text, id, do="approve"))
    carry_out(database)
    before = rows_of(database, 1)
    fields = {"version": str(mapping(database, id).version), "do": "reject", "back": "mapping"}
    assert post(client, f"/llm-center/{id}/decide", fields).location == f"/llm-center/{id}"
    carry_out(database)
    assert merchant(database, 1).ticker is None and merchant(database, 1).mapping_id is None
    for was, now in zip(before, rows_of(database, 1), strict=True):
        wanted = ("pending", None) if was.status == "mapped" else (was.status, was.ticker)
        assert (now.status, now.ticker) == wanted
    assert_allocated(database, 1)


def test_the_second_reviewer_is_told_who_was_first_and_when(
    database: Database, proposals: dict[int, int], make_client: Callable[..., FlaskClient]
) -> None:
    first, second, id = make_client("reviewer"), make_client("reviewer"), proposals[1]
    fields = decision(get(first, f"{REVIEW}?id={id}").text, id)
    post(first, f"/llm-center/{id}/decide", fields | {"do": "approve"})
    answer = post(second, f"/llm-center/{id}/decide", fields | {"do": "reject", "once": "another"}, status=409)
    told = BeautifulSoup(answer.text, "html.parser").get_text(" ")
    who = next(email for email, one in admin_ids(database).items() if one == mapping(database, id).decided_by)
    assert re.search(rf"Already approved by {re.escape(who)} at \d+ \w+ \d{{4}}.* UTC", told)
    assert mapping(database, id).status == "approved"


def test_claims_keep_two_reviewers_apart(proposals: dict[int, int], make_client: Callable[..., FlaskClient]) -> None:
    first, second = make_client("reviewer"), make_client("reviewer")
    top = shown(get(first, REVIEW).text)[:2]
    claim = post(first, f"{REVIEW}/claim", [("id", str(id)) for id in top], status=200).json
    assert claim == {"kept": sorted(top), "taken": []}
    assert not set(top) & set(shown(get(second, REVIEW).text))
    assert shown(get(first, REVIEW).text)[:2] == top
    taken = post(second, f"{REVIEW}/claim", [("id", str(top[0]))], status=200).json
    assert taken == {"kept": [], "taken": [top[0]]}


def race(database: Database, id: int, version: int) -> Counter[str]:
    """Two reviewers decide the same at once, each otherwise; how it went."""
    gate, outcomes = threading.Barrier(2), Counter[str]()

    def decide(admin: int, wish: Wish) -> None:
        gate.wait()
        try:
            with database.writing() as connection:
                deciding.decide(connection, admin, wish)
            outcomes[wish.action] += 1
        except Decided:
            outcomes["refused"] += 1

    wishes = (Wish(id, version, "approve"), Wish(id, version, "change", Answer("MCD", "McDonald's", None)))
    threads = [threading.Thread(target=decide, args=(admin, wish)) for admin, wish in enumerate(wishes, start=1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_of_many_races_one_reviewer_wins_each(database: Database, proposals: dict[int, int]) -> None:
    merchant_id, id = next(iter(proposals.items()))
    for _ in range(RACES):
        outcomes = race(database, id, mapping(database, id).version)
        assert outcomes["refused"] == 1 and outcomes.total() == 2
        winner = 1 if outcomes["approve"] else 2
        assert merchant(database, merchant_id).ticker == ("SBUX" if winner == 1 else "MCD")
        with database.writing() as connection:
            last = deciding.last_of(connection, winner)
            assert last is not None and deciding.last_of(connection, 3 - winner) is None
            deciding.undo(connection, winner, last.id)
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(decisions)) == RACES
        assert connection.scalar(select(func.sum(decision_counts.c.n))) == 0


BAD_FORMS = (
    ({"do": "change", "ticker": "NOSUCH"}, "NOSUCH is not in the catalogue"),
    ({"do": "change", "ticker": "no ticker!"}, "is not a ticker"),
    ({"do": "change", "ticker": ""}, "Type the ticker"),
    ({"do": "explode"}, "is one of"),
    ({"version": "x"}, "version"),
    ({"spot": "somewhere"}, "a place in the queue"),
    ({"do": "change", "ticker": "MCD", "category": "x" * 101}, "at most 100 letters"),
)
BAD_ADDRESSES = ("after=1", "after=x~1", f"after=1~{10**20}", "id=0", "id=99999", "what=1")


def test_a_bad_form_is_told_what_is_wrong_and_changes_nothing(
    database: Database, proposals: dict[int, int], make_client: Callable[..., FlaskClient]
) -> None:
    client, id = make_client("reviewer"), proposals[1]
    good = decision(get(client, f"{REVIEW}?id={id}").text, id, do="approve")
    for fields, said in BAD_FORMS:
        answer = post(client, f"/llm-center/{id}/decide", good | fields, status=400)
        assert said in BeautifulSoup(answer.text, "html.parser").get_text(" ")
    assert mapping(database, id).status == "pending" and merchant(database, 1).mapping_id is None
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(jobs)) == 0


def test_a_bad_address_names_the_parameter(client: FlaskClient) -> None:
    for query in BAD_ADDRESSES:
        assert query.partition("=")[0] in get(client, f"{REVIEW}?{query}", 400).text


def test_a_viewer_looks_and_does_not_decide(proposals: dict[int, int], make_client: Callable[..., FlaskClient]) -> None:
    viewer, id = make_client("viewer"), proposals[1]
    page = get(viewer, f"{REVIEW}?id={id}").text
    assert "takes the role reviewer" in page and "data-review-key" not in page
    post(viewer, f"/llm-center/{id}/decide", decision(page, id, do="approve"), status=403)


def test_hostile_names_are_text(database: Database, make_client: Callable[..., FlaskClient]) -> None:
    add_directory(database)
    with database.writing() as connection:
        connection.execute(update(merchants).where(merchants.c.id == 1).values(
            name="<script>alert(1)</script>", descriptor='"><img src=x onerror=alert(1)>'))  # fmt: skip
    propose(database, 1, "SBUX", "Starbucks")
    page = get(make_client("reviewer"), REVIEW).text
    assert "<script>alert" not in page and "<img" not in page


def test_a_place_is_read_by_its_index(
    database: Database, proposals: dict[int, int], make_client: Callable[..., FlaskClient]
) -> None:
    with database.reading() as connection:
        row: Any = queue.find(connection, proposals[5])
    seen = look(make_client("reviewer"), f"{REVIEW}?after={queue.spot_of(row)}")
    walks = [(statement, values) for statement, values in seen if "waiting_cents <=" in statement]
    assert len(walks) == 1
    with database.reading() as connection:
        assert "llm_mappings_review" in database.dialect.explain(connection, *walks[0])
    assert len(seen) < 30
