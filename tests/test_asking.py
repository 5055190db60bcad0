"""Asking about many names: each once, whoever else asks; kept at once; bad ones found; stopped and gone on with."""

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from typing import Any

from model_helpers import CATALOGUE, Clock, ask_until_done, model_at, ordinary, questions, settings_at, spent
from model_server import (
    Behaviour,
    Exchange,
    ModelServer,
    cut_off,
    honest,
    reset,
    rows,
    saying,
    sending,
    status,
)
from sqlalchemy import update

from kamioi_web.db import Database
from kamioi_web.mapping.answers import Answers
from kamioi_web.mapping.ask import ask_all, ask_directly
from kamioi_web.mapping.proposals import Answer
from kamioi_web.mapping.tables import model_answers
from kamioi_web.schema import EPOCH

BREAKAGES: list[Behaviour] = [
    status(500), status(503), status(429), reset, cut_off, sending(b"<html>"), sending(b"{"),
    saying(lambda _: "[" * 100_000), saying(lambda asked: rows(asked, confidence="high")),
    saying(lambda asked: rows(asked)[1:]), saying(lambda asked: rows(asked, id=99)),
]  # fmt: skip


def test_every_name_is_asked_once_in_as_few_calls_as_there_can_be(database: Database) -> None:
    asked = [*ordinary(230), *ordinary(230)]
    with ModelServer() as server, model_at(database.settings, server) as one:
        first = ask_all(database, one, asked)
        again = ask_all(database, one, asked)
    assert server.calls == ceil(230 / 25)
    assert set(server.names.values()) == {1}
    assert again == first
    assert list(first) == [question.name for question in ordinary(230)]
    assert all(isinstance(answer, Answer) for answer in first.values())
    found = spent(database)
    assert (found.calls, found.names, found.tokens_in, found.tokens_out) == (10, 230, 1000, 500)


def test_nothing_to_ask_makes_no_call(database: Database) -> None:
    with ModelServer() as server, model_at(database.settings, server) as one:
        assert ask_all(database, one, []) == {}
    assert server.calls == 0


def test_another_model_or_prompt_has_answers_of_its_own(database: Database) -> None:
    with ModelServer() as server:
        for name, prompt in (("one", "a"), ("two", "a"), ("two", "b"), ("one", "a")):
            with model_at(database.settings, server, llm_model=name) as one:
                one.prompt = prompt
                answer = ask_all(database, one, questions("sbux"))["sbux"]
            assert isinstance(answer, Answer)
            assert (answer.model, answer.prompt) == (name, prompt)
        assert server.calls == 3


def test_several_calls_are_under_way_at_once_and_never_more(database: Database) -> None:
    together = threading.Barrier(4)

    def behave(exchange: Exchange) -> None:
        together.wait(20)  # broken, and a failure, unless four are here at once
        honest(exchange)

    with ModelServer(behave) as server, model_at(database.settings, server, llm_seconds=30, llm_batch=5) as one:
        found = ask_all(database, one, ordinary(40))
    assert all(isinstance(answer, Answer) for answer in found.values())
    assert (server.calls, server.open_most) == (8, 4)


def test_two_workers_at_once_ask_no_name_twice(database: Database) -> None:
    asked, together = ordinary(300), threading.Barrier(2)

    def work(number: int) -> dict[str, Any]:
        own = Database(database.settings)  # as another process has it
        together.wait(20)
        try:
            with model_at(database.settings, server) as one:
                return ask_all(own, one, asked[::-1] if number else asked)
        finally:
            own.close()

    with ModelServer() as server, ThreadPoolExecutor(2) as pool:
        first, second = pool.map(work, range(2))
    assert first == second
    assert set(first) == {question.name for question in asked}
    assert set(server.names.values()) == {1}


def test_names_of_a_worker_that_was_killed_are_asked_after_its_lease(database: Database) -> None:
    with ModelServer() as server, model_at(database.settings, server) as one:
        dead = Answers(one.name, one.prompt, 6)
        with database.writing() as connection:
            assert dead.lease(connection, ["corner shop 0", "corner shop 1"], "dead", 3600) == {
                "corner shop 0",
                "corner shop 1",
            }
        looks = []

        def check() -> None:
            looks.append(server.names["corner shop 0"])
            if len(looks) == 20:
                with database.writing() as connection:
                    connection.execute(update(model_answers).values(leased_until=EPOCH))

        found = ask_all(database, one, ordinary(5), check)
    assert looks[:20] == [0] * 20, "while the lease lasts, nobody else asks"
    assert server.names == Counter({f"corner shop {number}": 1 for number in range(5)})
    assert len([answer for answer in found.values() if isinstance(answer, Answer)]) == 5


def test_one_bad_name_costs_no_other_its_answer(database: Database) -> None:
    def behave(exchange: Exchange) -> None:
        bad = any(one["name"] == "corner shop 77" for one in exchange.merchants)
        (sending(b"{{{") if bad else honest)(exchange)

    clock = Clock()
    with ModelServer(behave) as server, model_at(database.settings, server, clock) as one:
        found = ask_until_done(database, one, ordinary(100), clock)
        calls = server.calls
        again = ask_all(database, one, ordinary(100))
    assert [name for name, answer in found.items() if isinstance(answer, str)] == ["corner shop 77"]
    assert found["corner shop 77"] == "The model's answer is not JSON."
    assert again == found
    assert server.calls == calls, "what was given up is left alone for a day"


def test_a_name_that_was_given_up_is_asked_again_after_a_day(database: Database) -> None:
    invented = saying(lambda asked: rows(asked, ticker="NOPE"))
    with ModelServer(invented) as server, model_at(database.settings, server) as one:
        assert "NOPE, which is not in the catalogue" in str(ask_all(database, one, questions("chipotle")))
        server.then = honest
        assert "NOPE" in str(ask_all(database, one, questions("chipotle")))
        with database.writing() as connection:
            connection.execute(update(model_answers).values(asked_at=EPOCH))
        answer = ask_all(database, one, questions("chipotle"))["chipotle"]
    assert isinstance(answer, Answer)
    assert server.calls == 2


def test_with_a_third_of_all_calls_failing_every_name_ends_answered(database: Database) -> None:
    chance, clock = random.Random(7), Clock()

    def behave(exchange: Exchange) -> None:
        (chance.choice(BREAKAGES) if chance.random() < 0.3 else honest)(exchange)

    with ModelServer(behave) as server, model_at(database.settings, server, clock, llm_batch=10) as one:
        found = ask_until_done(database, one, ordinary(400), clock)
    assert len(found) == 400
    assert all(isinstance(answer, Answer) or answer for answer in found.values())
    assert len([answer for answer in found.values() if isinstance(answer, Answer)]) >= 396
    assert server.calls < 3 * 40


def test_a_server_that_only_talks_nonsense_ends_every_name_with_a_reason(database: Database) -> None:
    clock = Clock()
    with ModelServer(sending(b"<html>")) as server, model_at(database.settings, server, clock) as one:
        found = ask_until_done(database, one, ordinary(4), clock)
    assert set(found.values()) == {"The model's answer is not JSON."}
    assert server.calls < 30


def test_a_ticker_that_has_left_the_catalogue_is_no_answer_any_more(database: Database) -> None:
    with ModelServer() as server, model_at(database.settings, server) as one:
        ask_all(database, one, questions("chipotle", "cmg"))
        one.catalogue = {"AAPL": "Apple Inc."}
        assert ask_all(database, one, questions("cmg"))["cmg"] == (
            "The model named CMG, which is not in the catalogue."
        )


def test_what_a_model_writes_is_kept_whatever_it_is(database: Database) -> None:
    said = "\x00\ud800 '; DROP TABLE model_answers; -- \u202e"
    writing = saying(lambda asked: rows(asked, reason=said))
    with ModelServer(writing) as server, model_at(database.settings, server) as one:
        first = ask_all(database, one, questions("o'hara \x00 bar", "caf\ud800", "ordinary"))
        assert {first["o'hara \x00 bar"], first["caf\ud800"]} == {
            "The model was not asked: the name holds characters that are not text."
        }
        assert ask_all(database, one, questions("ordinary"))["ordinary"] == first["ordinary"]
    assert server.batches() == [["ordinary"]]


def test_what_is_asked_directly_needs_no_database_and_waits_for_little(settings: Any) -> None:
    with ModelServer(first=[status(500)]) as server:
        own = settings_at(settings, server).model_copy(update={"database_url": "sqlite:////nowhere/at/all.db"})
        found = ask_directly(own, [*questions("cmg", "jane@example.com"), *ordinary(30)], CATALOGUE)
        assert isinstance(found["cmg"], Answer)
        assert isinstance(found["jane@example.com"], str)
        assert (len(found), server.calls) == (32, 3)  # two batches, and once more the one that failed
        poor = own.model_copy(update={"llm_daily_tokens": 10_000})
        some = ask_directly(poor, ordinary(1_000), CATALOGUE)
    reasons = {answer for answer in some.values() if isinstance(answer, str)}
    assert len(reasons) == 1
    assert "LLM_DAILY_TOKENS" in reasons.pop()
    assert any(isinstance(answer, Answer) for answer in some.values())
