"""Asking a model about many names: those known are looked up, the rest goes out in batches, several at a time.

Every answer is kept with its cost as soon as it is there. So whoever asks again, after a stop or a crash or from
another machine, pays only for what was not answered yet.
"""

import tempfile
import threading
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from kamioi_web.catalogue import instruments
from kamioi_web.db import Database
from kamioi_web.errors import Busy
from kamioi_web.mapping import screening
from kamioi_web.mapping.answers import AT_ONCE, Answers, Known
from kamioi_web.mapping.gate import Gate
from kamioi_web.mapping.model import LONGEST_PAUSE, LONGEST_WAIT, TRIES, Asked, Model
from kamioi_web.mapping.model_errors import Later, Stopped, Unusable
from kamioi_web.mapping.proposals import Answer, Question
from kamioi_web.mapping.tables import model_answers, model_breakers, model_days
from kamioi_web.schema import metadata
from kamioi_web.settings import Settings

GLANCE = 0.2  # seconds between two looks at whether the work is to stop, and at names that another worker is asking
AHEAD = 2  # batches that are got ready, or put away, while as many calls as may be are under way
SPARE = 30.0  # seconds of a lease beyond the longest that a batch can take
PATIENCE = 60.0  # seconds that a command waits for a model that is left alone for the moment
Answered = dict[str, Answer | str]


def _go_on() -> None:
    """What is checked where nobody wants to stop."""


def ask_all(
    database: Database, model: Model, questions: Sequence[Question], check: Callable[[], object] = _go_on
) -> Answered:
    """{name: the answer, or why there is none} for every question, each name asked once whoever else asks it.

    `check` is called several times a second and may raise to stop. Then, as with Limited, OverBudget and NotSetUp, what
    is under way is brought to its end and kept, and the error goes on to the caller, who asks for the same again later.
    """
    return _Asking(database, model, check).all(questions)


def ask_directly(
    settings: Settings, questions: Sequence[Question], catalogue: Mapping[str, str] | None = None
) -> Answered:
    """The same without a database: what is known, and the budget, are those of this run alone.

    `catalogue` is {ticker: company}, the project's own when there is none. Names that could not be asked say why.
    """
    known = {one.ticker: one.company for one in instruments()} if catalogue is None else catalogue
    with tempfile.TemporaryDirectory(prefix="kamioi-model-") as folder, Model(settings, known) as model:
        own = settings.model_copy(update={"database_url": f"sqlite:///{Path(folder) / 'model.db'}"})
        with closing(Database(own)) as database:
            metadata.create_all(database.writer, [model_answers, model_days, model_breakers])
            return _ask_patiently(database, model, questions)


def _ask_patiently(database: Database, model: Model, questions: Sequence[Question]) -> Answered:
    """Wait for what passes soon; for the rest, say for each name that it was not asked and why."""
    waits = 0
    while True:
        asking = _Asking(database, model, _go_on)
        try:
            return asking.all(questions)
        except Later as later:
            seconds = (later.resumes_at - model.clock()).total_seconds()
            waits += 1
            if seconds > PATIENCE or waits > TRIES:
                return {question.name: asking.found.get(question.name, str(later)) for question in questions}
            model.sleep(max(0.0, seconds))


class _Outcome(NamedTuple):
    """What came of a batch: answers, names to ask again with what was wrong, and names that another worker has."""

    answers: Answered
    again: dict[str, str]
    elsewhere: list[str]


class _Asking:
    """One run over a list of questions."""

    def __init__(self, database: Database, model: Model, check: Callable[[], object]) -> None:
        self.database, self.model, self.check = database, model, check
        self.batch = model.settings.llm_batch
        self.at_once = model.settings.llm_parallel + AHEAD
        self.answers = Answers(model.name, model.prompt, self.batch.bit_length() + 1)
        self.gate = Gate(database, model.settings, model.clock)
        self.owner = uuid.uuid4().hex
        self.lease_seconds = TRIES * (2 * model.settings.llm_seconds + LONGEST_WAIT + LONGEST_PAUSE) + SPARE
        self.stop = threading.Event()
        self.found: Answered = {}
        self.questions: dict[str, Question] = {}
        self.waiting: dict[tuple[int, int], deque[str]] = {}  # by what may go out together
        self.tries: dict[str, int] = {}
        self.elsewhere: list[str] = []  # names that another worker is asking

    def all(self, questions: Sequence[Question]) -> Answered:
        """Everything that was asked for, in its order."""
        for question in questions:
            refusal = screening.refusal(question.name)
            if refusal:
                self.found[question.name] = refusal
            else:
                self.questions.setdefault(question.name, question)
        self._sort_in(list(self.questions))
        with ThreadPoolExecutor(self.at_once, thread_name_prefix="asking") as pool:
            self._work(pool)
        return {question.name: self.found[question.name] for question in questions}

    def _work(self, pool: ThreadPoolExecutor) -> None:
        running: set[Future[_Outcome]] = set()
        try:
            while running or self.elsewhere or any(self.waiting.values()):
                self.check()
                while len(running) < self.at_once and (batch := self._next_batch()):
                    running.add(pool.submit(self._ask, batch))
                if not running:
                    self.model.sleep(GLANCE)
                    self._look_elsewhere()
                done, running = wait(running, GLANCE, FIRST_COMPLETED)
                self._note_all(done)
                for error in [future.exception() for future in done]:
                    if error is not None and not isinstance(error, Stopped):
                        raise error
        finally:
            self.stop.set()
            self._note_all(wait(running).done)

    def _note_all(self, done: set[Future[_Outcome]]) -> None:
        for future in done:
            if future.exception() is None:
                self._note(future.result())

    def _note(self, outcome: _Outcome) -> None:
        self.found |= outcome.answers
        self.elsewhere += outcome.elsewhere
        for name, reason in outcome.again.items():
            self._sort_one_in(name, Known(None, reason, self.tries[name] + 1))

    def _look_elsewhere(self) -> None:
        names, self.elsewhere = self.elsewhere, []
        self._sort_in(names)

    def _sort_in(self, names: Sequence[str]) -> None:
        """Take what is known of these names, and line up the others."""
        for start in range(0, len(names), AT_ONCE):
            some = names[start : start + AT_ONCE]
            with self.database.reading() as connection:
                known = self.answers.find(connection, some)
            for name in some:
                self._sort_one_in(name, known.get(name, Known(None, None, 0)))

    def _sort_one_in(self, name: str, known: Known) -> None:
        if known.answer is not None:
            self.found[name] = self.model.known_answer(name, known.answer)
        elif known.tries >= self.answers.most_tries:
            self.found[name] = known.reason or "The model has no answer."
        elif known.being_asked:
            self.elsewhere.append(name)
        else:
            self.tries[name] = known.tries
            self._line_up(name, known.tries)

    def _line_up(self, name: str, tries: int) -> None:
        """After each failure a name goes out in company half as large, so that a bad one is alone in the end.

        Names that look odd go out with their like only: what they make of a call touches no ordinary name.
        """
        key = (screening.oddity(name, self.model.catalogue), max(1, self.batch >> tries))
        self.waiting.setdefault(key, deque()).append(name)

    def _next_batch(self) -> list[str]:
        for (_, size), names in self.waiting.items():
            if names:
                return [names.popleft() for _ in range(min(size, len(names)))]
        return []

    def _ask(self, names: list[str]) -> _Outcome:
        """One batch, from the lease to what is kept of it; carried out by a thread of the pool."""
        with self.gate.writing() as connection:
            leased = self.answers.lease(connection, names, self.owner, self.lease_seconds)
        mine = [name for name in names if name in leased]
        elsewhere = [name for name in names if name not in leased]
        return self._ask_leased(mine, elsewhere) if mine else _Outcome({}, {}, elsewhere)

    def _ask_leased(self, names: list[str], elsewhere: list[str]) -> _Outcome:
        asked = None
        try:
            asked = self.model.ask([self.questions[name] for name in names], self.gate, self.stop)
            outcome = _Outcome(asked.answers, asked.again, elsewhere)
        except Unusable as error:
            outcome = _Outcome({}, dict.fromkeys(names, str(error)), elsewhere)
        except BaseException:
            self.stop.set()
            self._release(names)
            raise
        self._keep(asked, outcome)
        return outcome

    def _keep(self, asked: Asked | None, outcome: _Outcome) -> None:
        """What was paid for is worth waiting for a database that is busy."""
        for number in range(TRIES):
            try:
                with self.gate.writing() as connection:
                    if asked:
                        self.gate.settle(connection, asked.call, asked.used)
                    self.answers.save(connection, outcome.answers, outcome.again)
                return
            except Busy:
                if number + 1 == TRIES:
                    raise

    def _release(self, names: list[str]) -> None:
        with suppress(Busy), self.gate.writing() as connection:  # else the lease ends by itself
            self.answers.release(connection, names, self.owner)
