"""What the tests of the model share: a clock that only moves when told, a catalogue, and a model at a server."""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from model_server import ModelServer
from sqlalchemy import select

from kamioi_web.db import Database
from kamioi_web.mapping.ask import ask_all
from kamioi_web.mapping.gate import Gate
from kamioi_web.mapping.model import Asked, Model
from kamioi_web.mapping.model_errors import Limited
from kamioi_web.mapping.proposals import Question
from kamioi_web.mapping.tables import model_answers, model_breakers, model_days
from kamioi_web.settings import Settings

NAMES = ("sbux", "chipotle", "corner shop")
CATALOGUE = {"SBUX": "Starbucks Corporation", "AAPL": "Apple Inc.", "CMG": "Chipotle Mexican Grill, Inc.", "T": "AT&T"}


class Clock:
    """A clock of which a sleep is the only thing that moves it; `slept` are the sleeps."""

    def __init__(self) -> None:
        self.now = datetime(2025, 3, 14, 12, tzinfo=UTC)
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)
        threading.Event().wait(0.002)  # lets other threads have their turn

    def go_to(self, moment: datetime) -> None:
        self.now = max(self.now, moment)


def settings_at(settings: Settings, server: ModelServer, **changes: Any) -> Settings:
    """Settings with this server as the model's endpoint, and limits that suit a test."""
    own = {"llm_url": server.url, "llm_model": "scripted", "llm_seconds": 5.0}
    return settings.model_copy(update=own | changes)


def model_at(settings: Settings, server: ModelServer, clock: Clock | None = None, **changes: Any) -> Model:
    """A model at this server."""
    time = clock or Clock()
    return Model(settings_at(settings, server, **changes), CATALOGUE, time, time.sleep)


def questions(*names: str) -> list[Question]:
    """A question for each name."""
    return [Question(name) for name in names]


def ordinary(count: int) -> list[Question]:
    """So many names, each once, in which nothing is suspicious."""
    return questions(*(f"corner shop {number}" for number in range(count)))


def spent(database: Database) -> Any:
    """The one row of what the model cost."""
    with database.reading() as connection:
        return connection.execute(select(model_days)).one()


def breaker(database: Database) -> Any:
    """The one row of the breaker."""
    with database.reading() as connection:
        return connection.execute(select(model_breakers)).one()


def kept(database: Database) -> Sequence[Any]:
    """What is kept of every name, by name."""
    with database.reading() as connection:
        return connection.execute(select(model_answers).order_by(model_answers.c.name)).fetchall()


def ask(database: Database, server: ModelServer, *names: str, clock: Clock | None = None, **changes: Any) -> Asked:
    """Ask once, with nothing kept from the time before but what the database keeps, and settle what came of it."""
    time = clock or Clock()
    with model_at(database.settings, server, time, **changes) as asked:
        before = Gate(database, asked.settings, time)
        answered = asked.ask(questions(*(names or NAMES)), before)
        with database.writing() as connection:
            before.settle(connection, answered.call, answered.used)
        return answered


def breaker_failures(database: Database) -> int:
    """Failures in a row; none were ever counted when there is no row."""
    with database.reading() as connection:
        return connection.scalar(select(model_breakers.c.failures)) or 0


def ask_until_done(database: Database, one: Model, names: Any, clock: Clock) -> dict[str, Any]:
    """As a job does it: told to wait, it comes back then."""
    for _ in range(300):
        try:
            return ask_all(database, one, names)
        except Limited as later:
            clock.go_to(later.resumes_at)
    raise AssertionError("it never ends")
