"""A model whose server fails, hangs or asks to be left alone; the breaker and the budget that all workers share."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from model_helpers import CATALOGUE, NAMES, Clock, ask, breaker, settings_at, spent
from model_server import (
    Behaviour,
    ModelServer,
    cut_off,
    drip,
    drip_head,
    envelope,
    hang,
    honest,
    reset,
    rows,
    status,
)
from pydantic import SecretStr, ValidationError

from kamioi_web.db import Database
from kamioi_web.mapping import endpoint, gate, model
from kamioi_web.mapping.gate import Gate
from kamioi_web.mapping.model import Model
from kamioi_web.mapping.model_errors import Limited, NotSetUp, OverBudget, Unusable
from kamioi_web.settings import Settings


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """A server that answers rightly until it is told otherwise."""
    with ModelServer() as running:
        yield running


# Servers that hang, drip, fail or break off


@pytest.mark.parametrize("behave", [hang, drip, drip_head])
def test_the_time_of_a_call_is_limited_as_a_whole(database: Database, server: ModelServer, behave: Behaviour) -> None:
    server.then = behave
    with pytest.raises(Unusable, match=r"no whole answer within 0\.15 seconds"):
        ask(database, server, llm_seconds=0.15)
    assert server.calls == model.TRIES
    assert spent(database).tokens_out == model.TRIES * 4_000, "it may have been paid for"


@pytest.mark.parametrize("behave", [hang, drip, reset, cut_off, status(500), status(503), status(429), status(408)])
def test_what_passes_is_tried_again(database: Database, server: ModelServer, behave: Behaviour) -> None:
    server.first, clock = [behave, behave], Clock()
    assert ask(database, server, clock=clock, llm_seconds=0.3).answers.keys() == {*NAMES}
    assert server.calls == 3
    assert len(clock.slept) == 2
    assert breaker(database).failures == 0


def test_nobody_listening_is_said_in_words(database: Database) -> None:
    with ModelServer() as gone:
        pass
    with pytest.raises(Unusable, match="cannot be reached"):
        ask(database, gone)
    assert spent(database).tokens_in == 0


def test_pauses_are_of_any_length_up_to_a_limit_that_doubles(database: Database, server: ModelServer) -> None:
    server.then, clock = status(500), Clock()
    for _ in range(8):
        with pytest.raises(Unusable):
            ask(database, server, clock=clock)
        clock.now += gate.OPEN
    first, second = clock.slept[::3], clock.slept[1::3]
    assert all(0 <= pause <= model.FIRST_PAUSE for pause in first[:1])
    assert max(second[:1]) <= 2 * model.FIRST_PAUSE
    assert len(set(clock.slept)) == len(clock.slept), "by chance, so that many do not come back together"


# Being told to wait


@pytest.mark.parametrize("after", ["7", "Fri, 14 Mar 2025 12:00:07 GMT"])
def test_a_short_wait_is_waited_for(database: Database, server: ModelServer, after: str) -> None:
    server.first, clock = [status(429, Retry_After=after)], Clock()
    assert ask(database, server, clock=clock).answers
    assert 7 <= clock.slept[0] <= 7 + model.FIRST_PAUSE


@pytest.mark.parametrize("after", ["nonsense", "-5", "1e9", "٣", "", "Fri, 99 Mar 2025 12:00:07 GMT"])
def test_a_wait_that_makes_no_sense_is_none(database: Database, server: ModelServer, after: str) -> None:
    server.first, clock = [status(429, Retry_After=after.encode().decode("latin-1"))], Clock()
    assert ask(database, server, clock=clock).answers
    assert clock.slept[0] <= model.FIRST_PAUSE


@pytest.mark.parametrize(
    ("after", "rest"),
    [("60", timedelta(minutes=1)), ("999999999999999999", timedelta(hours=1)),
     ("Fri, 14 Mar 2025 12:20:00 GMT", timedelta(minutes=20))],
)  # fmt: skip
def test_a_long_wait_holds_for_all_workers_and_says_until_when(
    database: Database, server: ModelServer, after: str, rest: timedelta
) -> None:
    server.first, clock = [status(429, Retry_After=after)], Clock()
    until = clock.now + rest
    for _ in range(2):
        with pytest.raises(Limited, match=f"It goes on at {until:%Y-%m-%d %H:%M:%S} UTC") as raised:
            ask(database, server, clock=clock)
        assert raised.value.resumes_at == until
    assert (server.calls, clock.slept) == (1, [])
    clock.go_to(until)
    assert ask(database, server, clock=clock).answers


def test_an_account_without_money_is_left_alone_for_an_hour(database: Database, server: ModelServer) -> None:
    server.then, clock = status(402), Clock()
    with pytest.raises(Limited, match="no money left") as raised:
        ask(database, server, clock=clock)
    assert raised.value.resumes_at == clock.now + timedelta(hours=1)


# Settings that are wrong


def test_without_an_address_or_a_name_there_is_no_model(settings: Settings) -> None:
    for changes in ({}, {"llm_url": ""}, {"llm_url": "https://host/v1"}, {"llm_model": "m"}):
        with pytest.raises(NotSetUp, match="KAMIOI_LLM_URL"):
            Model(settings.model_copy(update=changes), CATALOGUE)


@pytest.mark.parametrize("url", ["ftp://host", "host/v1", "file:///etc/passwd", "javascript:alert(1)"])
def test_an_address_is_one_of_the_web(url: str) -> None:
    with pytest.raises(ValidationError):
        Settings(llm_url=url, _env_file=None)


@pytest.mark.parametrize(("code", "setting"), [(401, "KEY"), (403, "KEY"), (404, "URL"), (405, "MODEL"), (302, "URL")])
def test_wrong_settings_are_named_and_nothing_is_tried_again(
    database: Database, server: ModelServer, code: int, setting: str
) -> None:
    server.then = status(code, Location="http://127.0.0.1:9/")
    with pytest.raises(NotSetUp, match=f"KAMIOI_LLM_{setting}") as raised:
        ask(database, server, llm_key=SecretStr("sk-secret"))
    assert "sk-secret" not in str(raised.value)
    assert "<script>" not in str(raised.value)
    assert server.calls == 1
    assert spent(database).tokens_in == 0


@pytest.mark.parametrize("code", [400, 413, 422])
def test_a_batch_that_is_refused_is_not_tried_again_as_it_is(
    database: Database, server: ModelServer, code: int
) -> None:
    server.then = status(code)
    with pytest.raises(Unusable, match=str(code)):
        ask(database, server)
    assert server.calls == (2 if code == 400 else 1), "once more without the shape, which some do not know"


# The breaker


def test_five_failures_in_a_row_stop_all_workers_for_a_while_then_one_tries(
    database: Database, server: ModelServer
) -> None:
    server.then, clock = status(500), Clock()
    for expected in (Unusable, Unusable, Limited):
        with pytest.raises(expected):
            ask(database, server, clock=clock)
    assert server.calls == gate.MOST_FAILURES
    clock.go_to(breaker(database).open_until)
    with pytest.raises(Unusable, match="500"):
        ask(database, server, clock=clock)  # half open: one call is let through, and opens it again
    assert server.calls == gate.MOST_FAILURES + 1
    with pytest.raises(Limited, match="status 500"):
        ask(database, server, clock=clock)
    server.then = honest
    clock.go_to(breaker(database).open_until)
    assert ask(database, server, clock=clock).answers
    assert (breaker(database).failures, breaker(database).open_until) == (0, None)


def test_while_one_worker_tries_the_others_wait(database: Database, server: ModelServer) -> None:
    server.then, clock = status(500), Clock()
    for _ in range(2):
        with pytest.raises(Unusable):
            ask(database, server, clock=clock)
    clock.go_to(breaker(database).open_until)
    one, other = (Gate(database, settings_at(database.settings, server), clock) for _ in range(2))
    one.enter(1, 10, 10)
    with pytest.raises(Limited):
        other.enter(1, 10, 10)
    clock.now += gate.OPEN  # the first was killed: after a rest the next one may
    other.enter(1, 10, 10)


# The budget


def test_a_call_that_might_go_beyond_the_budget_is_not_made(database: Database, server: ModelServer) -> None:
    limits: dict[str, Any] = {"llm_answer_tokens": 100, "llm_daily_tokens": 3_000}
    clock = Clock()
    answered = 0
    with pytest.raises(OverBudget, match="LLM_DAILY_TOKENS") as raised:
        for _ in range(100):
            ask(database, server, clock=clock, **limits)
            answered += 1
    assert answered == server.calls > 3
    assert spent(database).tokens_in + spent(database).tokens_out == 150 * answered <= 3_000
    assert raised.value.resumes_at == clock.now.replace(hour=0) + timedelta(days=1)
    clock.go_to(raised.value.resumes_at)
    assert ask(database, server, clock=clock, **limits).answers


def test_money_is_counted_to_the_millionth_of_a_cent(database: Database, server: ModelServer) -> None:
    prices: dict[str, Any] = {
        "llm_cents_in": 14.5,
        "llm_cents_out": 28,
        "llm_daily_cents": 0.5,
        "llm_answer_tokens": 1_000,
    }
    ask(database, server, **prices)
    assert spent(database).micro_cents == 100 * 14.5 + 50 * 28
    with pytest.raises(OverBudget, match="LLM_DAILY_CENTS"):
        for _ in range(200):
            ask(database, server, **prices)
    assert spent(database).micro_cents <= 500_000


@pytest.mark.parametrize(
    "usage", [{}, [], "much", {"prompt_tokens": -5, "completion_tokens": 1}, {"prompt_tokens": 1e3},
              {"prompt_tokens": True, "completion_tokens": True}, {"prompt_tokens": 10**30, "completion_tokens": 1}],
)  # fmt: skip
def test_a_cost_that_makes_no_sense_is_estimated(database: Database, server: ModelServer, usage: object) -> None:
    server.then = lambda exchange: exchange.send(envelope(json.dumps({"answers": rows(exchange.merchants)}), usage))
    ask(database, server)
    assert spent(database).tokens_in > 500
    assert 20 < spent(database).tokens_out < 1_000


def test_what_the_endpoint_does_not_charge_for_is_not_counted(database: Database, server: ModelServer) -> None:
    server.first = [status(500), status(429)]
    ask(database, server)
    found = spent(database)
    assert (found.calls, found.failures, found.tokens_in, found.tokens_out) == (3, 2, 100, 50)


def test_a_wait_in_the_header_is_read_as_seconds() -> None:
    now = Clock().now
    assert endpoint.seconds_to_wait(None, now) is None
    assert endpoint.seconds_to_wait("Fri, 14 Mar 2025 11:00:00 GMT", now) == 0
