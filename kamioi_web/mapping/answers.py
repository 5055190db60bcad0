"""The answers of models in the database: those known, a lease on the names that are being asked, and what came of it.

A lease is a row with an owner. So no two workers ask the same name at once, and a worker that is killed keeps its names
from the others only until the lease ends. Leases are compared on the database's own clock.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    false,
    func,
    not_,
    or_,
    select,
    update,
)

from kamioi_web.dialects import dialect_of
from kamioi_web.mapping.proposals import Answer
from kamioi_web.mapping.tables import model_answers

AT_ONCE = 500  # names that one statement looks up
GIVEN_UP = timedelta(days=1)  # for so long a name that has no answer after all tries is not asked again
LOCK = "model names"
NEW: BindParameter[Any] = bindparam("new")
KEY = [column.name for column in model_answers.primary_key]
a = model_answers.c


class Known(NamedTuple):
    """What the database holds of a name: an answer, or why there is none and how often it was tried."""

    answer: dict[str, Any] | None
    reason: str | None
    tries: int
    being_asked: bool = False


@dataclass(frozen=True)
class Answers:
    """The answers of one model to one version of the prompt."""

    model: str
    prompt: str
    most_tries: int

    def find(self, connection: Connection, names: Sequence[str]) -> dict[str, Known]:
        """What is known of these names, AT_ONCE of them at most. A name that was given up long ago is new again."""
        later = dialect_of(connection).later
        wanted = (self._of(names), or_(a.tries < self.most_tries, a.asked_at > later(-GIVEN_UP.total_seconds())))
        leased = func.coalesce(a.leased_until > later(0), false()).label("leased")
        rows = connection.execute(select(a.name, a.answer, a.reason, a.tries, leased).where(*wanted))
        return {row.name: Known(row.answer, row.reason, row.tries, bool(row.leased)) for row in rows}

    def lease(self, connection: Connection, names: Sequence[str], owner: str, seconds: float) -> set[str]:
        """Take the names that nobody else is asking and that have no answer yet; which those are."""
        dialect = dialect_of(connection)
        dialect.lock(connection, LOCK)
        now = connection.execute(select(dialect.later(0))).scalar_one()
        taken = {"owner": owner, "leased_until": now + timedelta(seconds=seconds), "asked_at": now}
        spent = a.tries >= self.most_tries
        free = and_(a.answer.is_(None), or_(a.leased_until.is_(None), a.leased_until <= now))
        fresh = or_(not_(spent), a.asked_at <= now - GIVEN_UP)
        again = taken | {"tries": case((spent, 0), else_=a.tries)}
        new = dialect.insert(model_answers)
        new = new.on_conflict_do_update(index_elements=KEY, set_=again, where=and_(free, fresh))
        rows = [{"name": name, "model": self.model, "prompt": self.prompt, "tries": 0} | taken for name in names]
        return set(connection.scalars(new.returning(a.name), rows))

    def save(self, connection: Connection, answers: Mapping[str, Answer | str], again: Mapping[str, str]) -> None:
        """Keep what came of a call: answers, names that will have none, and a try more for those asked `again`."""
        dialect_of(connection).lock(connection, LOCK)
        given = {name: answer for name, answer in answers.items() if isinstance(answer, Answer)}
        none = {name: reason for name, reason in answers.items() if isinstance(reason, str)}
        self._keep(connection, {name: _kept(answer) for name, answer in given.items()}, answer=NEW, reason=None)
        self._keep(connection, none, reason=NEW, tries=self.most_tries)
        self._keep(connection, again, reason=NEW, tries=a.tries + 1)

    def _keep(self, connection: Connection, new: Mapping[str, Any], **values: Any) -> None:
        """End the lease of these names with these values, where NEW stands for each one's own."""
        over = {"owner": None, "leased_until": None, "asked_at": dialect_of(connection).later(0)}
        mine = update(model_answers).where(a.name == bindparam("of"), *self._mine(), a.answer.is_(None))
        if new:
            rows = [{"of": name, NEW.key: value} for name, value in new.items()]
            connection.execute(mine.values(over | values), rows)

    def release(self, connection: Connection, names: Iterable[str], owner: str) -> None:
        """Give up the lease on names that were not asked after all."""
        free = {"owner": None, "leased_until": None}
        connection.execute(update(model_answers).where(self._of(names), a.owner == owner).values(free))

    def _mine(self) -> tuple[ColumnElement[bool], ...]:
        return a.model == self.model, a.prompt == self.prompt

    def _of(self, names: Iterable[str]) -> ColumnElement[bool]:
        return and_(a.name.in_(list(names)), *self._mine())


def _kept(answer: Answer) -> dict[str, Any]:
    names = ("ticker", "confidence", "reason", "suspicious")
    return {name: getattr(answer, name) for name in names}
