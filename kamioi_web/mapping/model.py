"""A model at an OpenAI-compatible endpoint: one batch of names a call, tried again a few times where that may help."""

import json
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple, NoReturn, Self

from kamioi_web.mapping import prompt, replies
from kamioi_web.mapping.endpoint import LONGEST_REST, Endpoint, Response, seconds_to_wait
from kamioi_web.mapping.gate import Call, Clock, Gate, utc_now
from kamioi_web.mapping.model_errors import Failure, Limited, NotSetUp, Stopped, Unusable
from kamioi_web.mapping.proposals import Answer, Question
from kamioi_web.mapping.replies import Used
from kamioi_web.settings import Settings

TRIES = 4
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0  # seconds; a wait is any time up to that, so that many do not come back at once
LONGEST_WAIT = 10.0  # that one call waits because it was asked to; beyond it, everyone waits
BYTES_PER_TOKEN = 2  # fewer than any tokenizer needs for such text, so that no call costs more than was set aside
WRONG_SETTINGS = (401, 403, 404, 405, 410)
PASSING = (408, 409, 425, 429)


class Asked(NamedTuple):
    """What came of one call (see replies.Reply), and what is to be settled for it."""

    answers: dict[str, Answer | str]
    again: dict[str, str]
    call: Call
    used: Used


class Model:
    """What answers questions; `catalogue` is {ticker: company}, and no other ticker is ever an answer.

    Threads may share one. Close it after use.
    """

    prompt = prompt.VERSION

    def __init__(
        self,
        settings: Settings,
        catalogue: Mapping[str, str],
        clock: Clock = utc_now,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.endpoint = Endpoint(settings)
        self.settings, self.catalogue, self.clock, self.sleep = settings, catalogue, clock, sleep
        self.name: str = settings.llm_model or ""
        self.plain = False  # whether the endpoint refused the shape that answers should have
        self._chance = random.Random()  # noqa: S311 - nothing secret

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connections to the endpoint."""
        self.endpoint.close()

    def ask(self, questions: Sequence[Question], gate: Gate, stop: threading.Event | None = None) -> Asked:
        """Ask about at most `llm_batch` names in one call, which the caller settles at the gate with what it keeps.

        Unusable when it failed too often; Limited and OverBudget when it may be asked again later; NotSetUp when the
        settings are wrong; Stopped when `stop` was set before a try.
        """
        failure = Failure("The model was not asked.")
        for number in range(TRIES):
            if stop is not None and stop.is_set():
                raise Stopped
            try:
                return self._try(questions, gate)
            except Failure as error:
                failure = error
                if number + 1 < TRIES:
                    self._wait(number, error.after)
            except Limited:
                if number == 0:
                    raise
                break  # it is this batch that fails, as far as anyone knows; the next one meets the same gate
        raise Unusable(failure.reason) from failure

    def known_answer(self, name: str, kept: Mapping[str, Any]) -> Answer | str:
        """An answer of this model as it was kept; the catalogue may have lost its ticker since."""
        ticker = kept["ticker"]
        if ticker is not None and ticker not in self.catalogue:
            return replies.UNKNOWN.format(ticker=ticker)
        company = self.catalogue[ticker] if ticker is not None else None
        said = (kept["confidence"], kept["reason"], self.name, self.prompt, kept["suspicious"])
        return Answer(name, ticker, company, *said)

    def _try(self, questions: Sequence[Question], gate: Gate) -> Asked:
        plain = self.plain
        response, call = self._post(questions, gate, plain)
        if response.status == 400 and not plain:
            gate.withdraw(call)
            response, call = self._post(questions, gate, plain=True)
            self.plain = response.status == 200
        if response.status != 200:
            self._refuse(gate, call, response)
        return self._read(response.body, questions, gate, call)

    def _post(self, questions: Sequence[Question], gate: Gate, plain: bool) -> tuple[Response, Call]:
        content = prompt.body(self.name, questions, self.settings.llm_answer_tokens, plain)
        call = gate.enter(len(questions), _most_tokens(content), self.settings.llm_answer_tokens)
        try:
            return self.endpoint.post(content), call
        except Failure as failure:
            gate.fail(call, failure)
            raise

    def _refuse(self, gate: Gate, call: Call, response: Response) -> NoReturn:
        """Say what an answer means that is none: the settings are wrong, the batch is, or it is not the time."""
        status = response.status
        after = seconds_to_wait(response.after, self.clock())
        failure = Failure(_words(status), after=after)
        rest = LONGEST_REST if status == 402 else after if (after or 0) > LONGEST_WAIT else None
        gate.fail(call, failure, rest=rest)
        if rest:
            raise Limited(failure.reason, self.clock() + timedelta(seconds=rest))
        if status < 400 or status in WRONG_SETTINGS:
            raise NotSetUp(failure.reason)
        if status < 500 and status not in PASSING:
            raise Unusable(failure.reason)
        raise failure

    def _read(self, body: bytes, questions: Sequence[Question], gate: Gate, call: Call) -> Asked:
        try:
            reply = replies.read(body, questions, self.catalogue, self.name, self.prompt)
        except replies.Bad as bad:
            gate.fail(call, Failure(str(bad), paid=True), bad.used)
            raise Unusable(str(bad)) from bad
        used = reply.used or Used(call.tokens_in, len(body) // BYTES_PER_TOKEN)
        return Asked(reply.answers, reply.again, call, used)

    def _wait(self, number: int, after: float | None) -> None:
        """Full jitter, on top of what the endpoint asked for."""
        self.sleep((after or 0) + self._chance.uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2**number)))


def _most_tokens(content: dict[str, Any]) -> int:
    return len(json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")) // BYTES_PER_TOKEN


def _words(status: int) -> str:
    """What a status means for the one who set the model up. The body may hold anything, so it is not shown."""
    if status in (401, 403):
        return f"The model refused the key (status {status}). Check KAMIOI_LLM_KEY."
    if status == 402:
        return "The account at the model's endpoint has no money left. Top it up."
    if status < 400 or status in WRONG_SETTINGS:
        return f"There is no model at that address (status {status}). Check KAMIOI_LLM_URL and KAMIOI_LLM_MODEL."
    if status == 429:
        return "The model's endpoint limits how often it is asked."
    return f"The model answered with status {status}."
