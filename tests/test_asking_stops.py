"""What ends the asking before its end: a budget, a limit, a wish to stop; what was paid for is kept each time."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from model_helpers import Clock, ask_until_done, kept, model_at, ordinary, spent
from model_server import (
    Behaviour,
    Exchange,
    ModelServer,
    envelope,
    honest,
    sending,
    status,
)

from kamioi_web.db import Database
from kamioi_web.mapping import ask
from kamioi_web.mapping.ask import ask_all
from kamioi_web.mapping.model_errors import Later, Limited, NotSetUp, OverBudget


@pytest.mark.parametrize("limit", [{"llm_daily_tokens": 12_000}, {"llm_daily_cents": 0.3, "llm_cents_out": 100}])
def test_two_workers_together_keep_to_the_budget(database: Database, limit: dict[str, Any]) -> None:
    own: dict[str, Any] = {"llm_answer_tokens": 500, "llm_batch": 2} | limit
    together = threading.Barrier(2)

    def work(first: int) -> None:
        together.wait(20)
        with model_at(database.settings, server, **own) as one, pytest.raises(OverBudget, match="raises it"):
            ask_all(database, one, ordinary(400)[first::2])

    with ModelServer() as server, ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))
    used = spent(database)
    assert used.calls == server.calls > 5
    assert used.tokens_in + used.tokens_out == 150 * server.calls <= 12_000
    assert len([row for row in kept(database) if row.answer]) == 2 * server.calls, "all that was paid for is kept"
    assert not [row for row in kept(database) if row.owner], "what was not asked is free for others"


def test_a_stop_keeps_what_was_paid_for_and_the_next_run_asks_the_rest(database: Database) -> None:
    class Enough(Exception):
        pass

    def check() -> None:
        if server.calls >= 3:
            raise Enough

    asked = ordinary(200)
    with ModelServer() as server, model_at(database.settings, server, llm_batch=10, llm_parallel=1) as one:
        with pytest.raises(Enough):
            ask_all(database, one, asked, check)
        answered = len([row for row in kept(database) if row.answer])
        assert answered == sum(server.names.values())
        assert 30 <= answered < 200
        found = ask_all(database, one, asked)
    assert set(server.names.values()) == {1}
    assert len(found) == 200


def test_a_stop_does_not_wait_for_tries_to_come(database: Database) -> None:
    pausing, enough = threading.Event(), threading.Event()

    class Enough(Exception):
        pass

    def check() -> None:
        if pausing.is_set():
            enough.set()
            raise Enough

    def sleep(seconds: float) -> None:
        pausing.set()
        enough.wait(20)
        threading.Event().wait(0.1)  # the stop has a moment to be told

    with ModelServer(status(500)) as server, model_at(database.settings, server, llm_parallel=1) as one:
        one.sleep = sleep
        with pytest.raises(Enough):
            ask_all(database, one, ordinary(25), check)
    assert server.calls == 1
    assert not [row for row in kept(database) if row.owner]


def test_a_wish_to_stop_is_not_hidden_by_what_fails_meanwhile(database: Database) -> None:
    class Enough(Exception):
        pass

    def check() -> None:
        if server.calls:
            raise Enough

    def behave(exchange: Exchange) -> None:
        exchange.server.closing.wait(0.5)
        status(401)(exchange)

    with ModelServer(behave) as server, model_at(database.settings, server) as one, pytest.raises(Enough):
        ask_all(database, one, ordinary(100), check)
    assert not [row for row in kept(database) if row.owner]


@pytest.mark.parametrize(
    ("behave", "error"), [(status(401), NotSetUp), (status(429, Retry_After="90"), Limited), (status(402), Limited)]
)
def test_what_only_time_or_a_person_can_mend_ends_the_run_at_once(
    database: Database, behave: Behaviour, error: type[Exception]
) -> None:
    with (
        ModelServer(behave) as server,
        model_at(database.settings, server, llm_parallel=1) as one,
        pytest.raises(error),
    ):
        ask_all(database, one, ordinary(500))
    assert server.calls <= 1 + ask.AHEAD
    assert not [row for row in kept(database) if row.owner or row.answer]


def test_a_budget_says_when_it_goes_on(database: Database) -> None:
    poor = {"llm_daily_tokens": 1}
    says = pytest.raises(Later, match="It goes on at 2025-03-15 00:00:00 UTC")
    with ModelServer() as server, model_at(database.settings, server, None, **poor) as one, says:
        ask_all(database, one, ordinary(1))


def test_usage_of_answers_that_cannot_be_used_is_paid_for(database: Database) -> None:
    clock = Clock()
    bad = sending(envelope("no", {"prompt_tokens": 9, "completion_tokens": 1}))
    with ModelServer(honest, [bad]) as server, model_at(database.settings, server, clock) as one:
        ask_until_done(database, one, ordinary(2), clock)
    used = spent(database)
    assert (used.calls, used.tokens_in, used.tokens_out) == (server.calls, 109, 51)
