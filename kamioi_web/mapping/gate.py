"""What stands before every call of a model, for all workers together: the day's budget, and a breaker.

A call counts with the most that it may use before it is made, and is put right after it. So many workers at once keep
to the budget, and what a killed worker had under way stays counted: it may have been paid for.
"""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from kamioi_web.db import Database
from kamioi_web.dialects import dialect_of
from kamioi_web.mapping.model_errors import Failure, Limited, OverBudget
from kamioi_web.mapping.replies import Used
from kamioi_web.mapping.tables import model_breakers, model_days
from kamioi_web.settings import Settings

MOST_FAILURES = 5  # in a row, of all workers together
OPEN = timedelta(seconds=30)
d, b = model_days.c, model_breakers.c
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time, as the gate is told it."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Call:
    """A call that may be made: what it was counted with, on which day, and the tokens of that."""

    day: str
    names: int
    tokens_in: int
    tokens_out: int


class Gate:
    """The budget, and the breaker of the model that the settings name, kept in the database."""

    def __init__(self, database: Database, settings: Settings, clock: Clock = utc_now) -> None:
        self.database, self.settings, self.clock = database, settings, clock
        self.model = settings.llm_model or ""
        self._turn = threading.Lock()

    @contextmanager
    def writing(self) -> Generator[Connection]:
        """A transaction, for which the threads of this worker line up: SQLite would let them sleep instead."""
        with self._turn, self.database.writing() as connection:
            yield connection

    def enter(self, names: int, tokens_in: int, tokens_out: int) -> Call:
        """Count a call with the most that it may use. OverBudget or Limited when it must not be made now."""
        now = self.clock()
        call = Call(now.date().isoformat(), names, tokens_in, tokens_out)
        with self.writing() as connection:
            dialect_of(connection).lock(connection, "model gate")
            self._assert_in_budget(connection, call, now)
            self._assert_closed(connection, now)
            self._add(connection, call.day, calls=1, names=names, **self._cost(tokens_in, tokens_out))
        return call

    def settle(self, connection: Connection, call: Call, used: Used) -> None:
        """Put right what an answered call cost, in the caller's transaction; the breaker is closed."""
        self._correct(connection, call, used)
        healthy = {"failures": 0, "open_until": None, "reason": None}
        connection.execute(update(model_breakers).where(b.model == self.model, b.failures > 0).values(healthy))

    def fail(self, call: Call, failure: Failure, used: Used | None = None, rest: float | None = None) -> None:
        """Count a failed call, with what it cost as far as that is known; `rest` are seconds that all are to wait."""
        with self.writing() as connection:
            dialect_of(connection).lock(connection, "model gate")
            if used or not failure.paid:
                self._correct(connection, call, used or Used(0, 0))
            self._add(connection, call.day, failures=1)
            self._count_failure(connection, failure.reason, rest)

    def withdraw(self, call: Call) -> None:
        """Take back what a call was counted with that was refused for its form only."""
        with self.writing() as connection:
            self._correct(connection, call, Used(0, 0))
            self._add(connection, call.day, names=-call.names)

    def _assert_in_budget(self, connection: Connection, call: Call, now: datetime) -> None:
        sums = select(func.sum(d.tokens_in + d.tokens_out), func.sum(d.micro_cents)).where(d.day == call.day)
        tokens, micro_cents = (int(value or 0) for value in connection.execute(sums).one())
        more = self._cost(call.tokens_in, call.tokens_out)
        resumes = datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=1)
        if tokens + call.tokens_in + call.tokens_out > self.settings.llm_daily_tokens:
            raise OverBudget(_used_up("tokens", "TOKENS"), resumes)
        if more["micro_cents"] and micro_cents + more["micro_cents"] > self.settings.llm_daily_cents * 1_000_000:
            raise OverBudget(_used_up("money", "CENTS"), resumes)

    def _assert_closed(self, connection: Connection, now: datetime) -> None:
        """Half open, the breaker lets one call through; the next one waits for how that ends, or for a rest more."""
        found = connection.execute(select(model_breakers).where(b.model == self.model)).first()
        if found is None or found.open_until is None:
            return
        if found.open_until > now:
            raise Limited(f"The model is left alone for now. {found.reason}", found.open_until)
        connection.execute(update(model_breakers).where(b.model == self.model).values(open_until=now + OPEN))

    def _count_failure(self, connection: Connection, reason: str, rest: float | None) -> None:
        known = connection.scalar(select(b.failures).where(b.model == self.model))
        if known is None:
            connection.execute(insert(model_breakers).values(model=self.model, failures=0))
        failures = (known or 0) + 1
        values: dict[str, Any] = {"failures": failures, "reason": reason}
        wait = timedelta(seconds=rest) if rest else OPEN if failures >= MOST_FAILURES else None
        if wait:
            values["open_until"] = self.clock() + wait
        connection.execute(update(model_breakers).where(b.model == self.model).values(values))

    def _cost(self, tokens_in: int, tokens_out: int) -> dict[str, int]:
        """A price in cents per million tokens is one in millionths of a cent per token."""
        price = tokens_in * self.settings.llm_cents_in + tokens_out * self.settings.llm_cents_out
        return {"tokens_in": tokens_in, "tokens_out": tokens_out, "micro_cents": ceil(price)}

    def _correct(self, connection: Connection, call: Call, used: Used) -> None:
        counted, real = self._cost(call.tokens_in, call.tokens_out), self._cost(*used)
        self._add(connection, call.day, **{name: real[name] - counted[name] for name in counted})

    def _add(self, connection: Connection, day: str, **amounts: int) -> None:
        """Add to the day's row; it is made under the lock that `enter` holds."""
        mine = (d.day == day, d.model == self.model)
        added = update(model_days).where(*mine).values({name: d[name] + amount for name, amount in amounts.items()})
        if connection.execute(added).rowcount == 0:
            empty = dict.fromkeys((column.name for column in model_days.c if not column.primary_key), 0)
            connection.execute(insert(model_days).values(empty | amounts | {"day": day, "model": self.model}))


def _used_up(what: str, setting: str) -> str:
    return f"The model's budget of {what} for today is used up (KAMIOI_LLM_DAILY_{setting} raises it)."
