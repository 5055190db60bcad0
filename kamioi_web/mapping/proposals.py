"""What the steps of the pipeline hand on to each other."""

from typing import NamedTuple


class Cleaned(NamedTuple):
    """A descriptor without what belongs to the payment: `name` in small letters; `cuts` say what was taken off."""

    name: str
    cuts: tuple[str, ...]


class Candidate(NamedTuple):
    """A company that it may be; a ticker of None stands for nobody that is listed in the US."""

    ticker: str | None
    company: str | None
    confidence: float
    reason: str


class Proposal(NamedTuple):
    """What one descriptor is taken for, how surely from 0 to 1, by which step, and what else it might be.

    `step` is known, match, guess (never more than a proposal), model, or nothing (no step had an answer).
    """

    descriptor: str
    cleaned: Cleaned
    ticker: str | None
    company: str | None
    category: str | None
    confidence: float
    step: str
    reason: str
    alternatives: tuple[Candidate, ...] = ()

    @property
    def is_answer(self) -> bool:
        """Whether a step had an answer, be it nobody; a guess is none."""
        return self.step not in ("guess", "nothing")


class Question(NamedTuple):
    """What a model is asked: a cleaned name, and the companies that the catalogue thinks of."""

    name: str
    candidates: tuple[Candidate, ...] = ()


class Answer(NamedTuple):
    """What a model said of a name, after it was held against the schema and the catalogue."""

    name: str
    ticker: str | None
    company: str | None
    confidence: float
    reason: str
    model: str
    prompt: str  # the version of the prompt
    suspicious: bool = False  # the name may have told the model what to say: for a person to decide, whatever it said
