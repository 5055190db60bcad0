"""Reading what a model sent: bytes from a stranger, held against the schema, the questions and the catalogue."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NamedTuple, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kamioi_web.mapping import screening
from kamioi_web.mapping.proposals import Answer, Question

DEEPEST = 20
LONGEST_TICKER = 20
MOST_TOKENS = 10_000_000  # in one call; a larger figure is nonsense
NESTING = re.compile(r'"(?:[^"\\]+|\\.)*"?|[\[{]|[\]}]', re.DOTALL)
FENCE = re.compile(r"\A\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*\Z", re.DOTALL)
UNKNOWN = "The model named {ticker}, which is not in the catalogue."
LEFT_OUT = "The model left this name out."


class Bad(Exception):
    """The answer as a whole cannot be used; the text says why. `used` is what it cost, where it says so."""

    def __init__(self, reason: str, used: "Used | None" = None) -> None:
        super().__init__(reason)
        self.used = used


class Used(NamedTuple):
    """The tokens that an answer says it used."""

    tokens_in: int
    tokens_out: int


class Reply(NamedTuple):
    """What the model said of the names: an answer, or why there is none and never will be.

    `again` are the names that it may still answer, with what was wrong this time; `used`, where the endpoint says so.
    """

    answers: dict[str, Answer | str]
    again: dict[str, str]
    used: Used | None


class Row(BaseModel):
    """What a model says of one name."""

    model_config = ConfigDict(strict=True, extra="ignore")

    id: int
    ticker: Annotated[str, Field(max_length=LONGEST_TICKER)] | None
    confidence: float = Field(ge=0, le=1, allow_inf_nan=False)
    reason: str = ""


class _Message(BaseModel):
    content: str


class _Choice(BaseModel):
    message: _Message


class _Envelope(BaseModel):
    """The part of OpenAI's chat protocol that is read."""

    choices: list[_Choice] = Field(min_length=1)


class _Content(BaseModel):
    answers: list[Any]


def read(body: bytes, questions: Sequence[Question], catalogue: Mapping[str, str], model: str, prompt: str) -> Reply:
    """What the model said of each question, and nothing that was not asked; Bad when it cannot be read at all."""
    outer = parse(body)
    used = _used(outer)
    try:
        text = _Envelope.model_validate(outer).choices[0].message.content
        rows = _Content.model_validate(parse(_without_fence(text).encode("utf-8", "replace"))).answers
    except ValidationError as error:
        raise Bad("The model's answer has not the shape that was asked for.", used) from error
    except Bad as error:
        raise Bad(str(error), used) from error
    found = _rows_by_id(rows, len(questions))
    if not any(isinstance(row, Row) for row in found.values()):
        raise Bad("The model's answer has none of the names that were asked for.", used)
    answers: dict[str, Answer | str] = {}
    again: dict[str, str] = {}
    for id, question in enumerate(questions, start=1):
        row = found.get(id, LEFT_OUT)
        if isinstance(row, str):
            again[question.name] = row
        else:
            answers[question.name] = _answer(row, question, catalogue, model, prompt)
    return Reply(screening.hold_back_alike(questions, answers, catalogue), again, used)


def parse(body: bytes) -> Any:
    """JSON of few levels and of finite numbers; Bad for anything else."""
    try:
        text = body.decode("utf-8")
        if depth(text) > DEEPEST:
            raise Bad("The model's answer is nested too deeply.")
        return json.loads(text, parse_constant=_refuse)
    except ValueError as error:
        raise Bad("The model's answer is not JSON.") from error


def depth(text: str) -> int:
    """The deepest level of brackets outside of strings, found without recursion."""
    level = deepest = 0
    for found in NESTING.finditer(text):
        if found[0] in "[{":
            level += 1
            deepest = max(deepest, level)
        elif found[0] in "]}":
            level -= 1
    return deepest


def plain_text(text: str, longest: int = screening.LONGEST_REASON) -> str:
    """One line of printable characters: nothing that a database refuses or that turns a page around."""
    printable = "".join(letter if letter.isprintable() else " " for letter in text[: 4 * longest])
    return " ".join(printable.split())[:longest]


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _without_fence(text: str) -> str:
    """Models that were not held to a schema like to wrap JSON as Markdown does."""
    fenced = FENCE.match(text)
    return fenced[1] if fenced else text


def _rows_by_id(rows: list[Any], count: int) -> dict[int, Row | str]:
    """The row of each id that was asked, or what is wrong with it; two answers to one question are none."""
    found: dict[int, Row | str] = {}
    ids = [row.get("id") for row in rows if isinstance(row, dict)]
    times = Counter(id for id in ids if type(id) is int)  # True is 1 otherwise
    for row in rows:
        id = row.get("id") if isinstance(row, dict) else None
        if type(id) is int and 1 <= id <= count:
            found[id] = _row(row) if times[id] == 1 else "The model gave this name more than one answer."
    return found


def _row(row: dict[str, Any]) -> Row | str:
    try:
        return Row.model_validate(row)
    except ValidationError as error:
        fields = ", ".join(sorted({str(one["loc"][0]) for one in error.errors() if one["loc"]}))
        return f"The model's answer for this name cannot be used ({fields})."


def _answer(row: Row, question: Question, catalogue: Mapping[str, str], model: str, prompt: str) -> Answer | str:
    ticker = _ticker(row.ticker)
    if ticker is not None and ticker not in catalogue:
        return UNKNOWN.format(ticker=plain_text(ticker, LONGEST_TICKER))
    company = catalogue[ticker] if ticker is not None else None
    given = Answer(question.name, ticker, company, row.confidence, plain_text(row.reason), model, prompt)
    return screening.hold_back_hostile(given)


def _ticker(text: str | None) -> str | None:
    written = (text or "").strip().upper()
    return None if written in ("", "NONE", "NULL", "N/A") else written


def _used(outer: Any) -> Used | None:
    usage = outer.get("usage") if isinstance(outer, dict) else None
    if not isinstance(usage, dict):
        return None
    counts = [usage.get(name) for name in ("prompt_tokens", "completion_tokens")]
    tokens = [count for count in counts if type(count) is int and 0 <= count <= MOST_TOKENS]
    return Used(*tokens) if len(tokens) == len(counts) else None
