"""One call of a model at a real server that misbehaves: what comes of it, what it costs, and what a person is told."""

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from model_helpers import CATALOGUE, NAMES, Clock, ask, breaker_failures, model_at, questions
from model_server import ModelServer, refusing_shape, rows, saying
from pydantic import SecretStr
from unreadable_answers import UNREADABLE

from kamioi_web.db import Database
from kamioi_web.mapping.gate import Gate
from kamioi_web.mapping.model import Model
from kamioi_web.mapping.model_errors import Unusable
from kamioi_web.mapping.proposals import Answer, Candidate, Question
from kamioi_web.settings import Settings


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """A server that answers rightly until it is told otherwise."""
    with ModelServer() as running:
        yield running


@pytest.fixture(scope="module")
def one_database(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One database for all tests of what it has nothing to do with."""
    path = tmp_path_factory.mktemp("unreadable") / "kamioi.db"
    shutil.copy(sqlite_template, path)
    with closing(Database(Settings(database_url=f"sqlite:///{path}", _env_file=None))) as opened:
        yield opened


# What is asked and answered


def test_an_answer_has_the_company_of_the_catalogue_and_says_where_it_is_from(
    database: Database, server: ModelServer
) -> None:
    found = ask(database, server).answers
    company = CATALOGUE["SBUX"]
    assert found["sbux"] == Answer("sbux", "SBUX", company, 0.97, "it is known", "scripted", Model.prompt)
    assert found["corner shop"] == Answer("corner shop", None, None, 0.97, "it is known", "scripted", Model.prompt)


def test_the_names_go_out_as_data_with_their_candidates(database: Database, server: ModelServer) -> None:
    asked = Question("taco bell", (Candidate("YUM", "Yum! Brands", 0.8, "alias"), Candidate(None, None, 0.1, "")))
    with model_at(database.settings, server, llm_key=SecretStr("sk-very-secret")) as one:
        one.ask([asked], Gate(database, one.settings, one.clock))
    system, user = server.requests[0]["messages"]
    assert "taco bell" not in system["content"]
    assert user["content"] == (
        '{"merchants": [{"id": 1, "name": "taco bell", "candidates": ["YUM: Yum! Brands", "null: nobody listed"]}]}'
    )
    assert server.requests[0]["response_format"]["type"] == "json_schema"
    assert server.headers[0]["Authorization"] == "Bearer sk-very-secret"
    assert "sk-very-secret" not in repr(one.settings)


def test_an_endpoint_that_refuses_the_shape_is_asked_plainly_from_then_on(
    database: Database, server: ModelServer
) -> None:
    server.then = refusing_shape
    with model_at(database.settings, server) as one:
        before = Gate(database, one.settings, one.clock)
        for _ in range(2):
            assert one.ask(questions("sbux"), before).answers
    assert [("response_format" in request) for request in server.requests] == [True, False, False]
    assert breaker_failures(database) == 0


def test_an_answer_in_a_fence_is_read_too(database: Database, server: ModelServer) -> None:
    server.then = saying(lambda asked: "```json\n" + json.dumps({"answers": rows(asked)}) + "\n```")
    assert ask(database, server).answers.keys() == set(NAMES)


# Rows that are not what was asked for


@pytest.mark.parametrize(
    "changes",
    [
        {"id": 0}, {"id": 99}, {"id": -1}, {"id": "1"}, {"id": 1.0}, {"id": True}, {"id": None}, {"id": [1]},
        {"id": 10**400}, {"confidence": 1.01}, {"confidence": -0.01}, {"confidence": "0.9"}, {"confidence": None},
        {"confidence": True}, {"confidence": [0.9]}, {"confidence": 10**400}, {"ticker": 7}, {"ticker": ["SBUX"]},
        {"ticker": {"a": 1}}, {"ticker": "S" * 21}, {"reason": None}, {"reason": {"a": 1}},
    ],
    ids=str,
)  # fmt: skip
def test_a_bad_row_costs_its_own_name_the_answer_and_no_other(
    one_database: Database, server: ModelServer, changes: dict[str, object]
) -> None:
    server.then = saying(lambda asked: [rows(asked)[0] | changes, *rows(asked)[1:]])
    found = ask(one_database, server)
    assert found.answers.keys() == {"chipotle", "corner shop"}
    assert found.again.keys() == {"sbux"}


def test_a_row_that_was_not_asked_for_is_refused_and_a_missing_one_stays_open(
    one_database: Database, server: ModelServer
) -> None:
    extra = {"id": 4, "name": "sbux", "ticker": "AAPL", "confidence": 1.0, "reason": "extra"}
    server.then = saying(lambda asked: [extra, *rows(asked)[:2]])
    found = ask(one_database, server)
    assert found.answers.keys() == {"sbux", "chipotle"}
    assert found.again == {"corner shop": "The model left this name out."}


def test_two_answers_to_one_question_are_none(one_database: Database, server: ModelServer) -> None:
    server.then = saying(lambda asked: [*rows(asked), rows(asked)[0] | {"ticker": "AAPL"}])
    assert ask(one_database, server).again == {"sbux": "The model gave this name more than one answer."}


@pytest.mark.parametrize("ticker", ["RETAIL", "SBUXX", "S BUX", "SBUX\u0000", "ſbux", "<script>", "../etc/passwd"])
def test_a_ticker_that_the_catalogue_lacks_is_never_an_answer(
    one_database: Database, server: ModelServer, ticker: str
) -> None:
    server.then = saying(lambda asked: rows(asked, ticker=ticker))
    said = set(ask(one_database, server).answers.values())
    if ticker == "ſbux":  # its capital letters are those of the ticker
        assert all(isinstance(answer, Answer) or "catalogue" in answer for answer in said)
    else:
        assert all(isinstance(reason, str) and "not in the catalogue" in reason for reason in said)


@pytest.mark.parametrize("ticker", [None, "", "none", "NULL", " N/A "])
def test_no_ticker_may_be_written_in_several_ways(
    one_database: Database, server: ModelServer, ticker: str | None
) -> None:
    server.then = saying(lambda asked: rows(asked, ticker=ticker))
    assert [answer.ticker for answer in ask(one_database, server).answers.values() if isinstance(answer, Answer)] == [
        None
    ] * 3


def test_a_reason_is_one_short_line_of_printable_characters(one_database: Database, server: ModelServer) -> None:
    server.then = saying(lambda asked: rows(asked, reason="a\x00b\ud800\u202ec\n\n" + "<b>" * 5_000))
    answer = ask(one_database, server, "chipotle").answers["chipotle"]
    assert isinstance(answer, Answer)
    assert answer.reason.startswith("a b c <b>")
    assert len(answer.reason) == 300


def test_a_ticker_in_the_name_itself_or_one_given_to_all_is_left_to_people(
    one_database: Database, server: ModelServer
) -> None:
    server.then = saying(lambda asked: rows(asked, ticker="AAPL", confidence=1))
    few = ask(one_database, server, "joes diner aapl", "apple store", "aapl").answers
    assert {name: answer.confidence for name, answer in few.items() if isinstance(answer, Answer)} == {
        "joes diner aapl": 0.5, "apple store": 1, "aapl": 1,
    }  # fmt: skip
    many = ask(one_database, server, *(f"shop {number}" for number in range(10)), "apple store").answers
    sure = [name for name, answer in many.items() if isinstance(answer, Answer) and answer.confidence > 0.5]
    assert sure == ["apple store"]


@pytest.fixture(scope="module")
def unreadable() -> Iterator[ModelServer]:
    """One server for all of them."""
    with ModelServer() as running:
        yield running


@pytest.mark.parametrize("number", range(len(UNREADABLE)))
def test_what_cannot_be_read_is_refused_whole(one_database: Database, unreadable: ModelServer, number: int) -> None:
    unreadable.then, clock = UNREADABLE[number], Clock()
    clock.now += number * timedelta(minutes=5)  # each after the breaker's rest
    with pytest.raises(Unusable, match=r"^The (model|connection)") as raised:
        ask(one_database, unreadable, "sbux", clock=clock)
    assert len(str(raised.value)) < 120
