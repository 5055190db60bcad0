"""How well labelled descriptors are mapped: precision, recall, by source, by confidence, and the mistakes.

A proposal that stands without a person is an answer; precision and recall are of answers. Whether a confidence can be
believed is asked of every proposal, also of those that wait for a person; a confidence of 0 is no proposal.
"""

from collections import Counter, defaultdict
from collections.abc import Container
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kamioi_web.mapping.labelled import NONE, Labelled, shown
from kamioi_web.mapping.proposals import Proposal
from kamioi_web.review.counts import tenth_of

LISTED = 200  # mistakes in the result
NAMED = 50  # tickers outside the catalogue in the result
MOST_TICKERS = 10_000  # that are counted one by one
MISTAKES = {
    "other": "another company",
    "given": "a company, though it is nobody’s",
    "denied": "nobody’s, though it is a company’s",
    "left": "left to a person",
    "outside": "not in the catalogue",
}


class Judged(NamedTuple):
    """A label beside what was made of its descriptor; `stands` says whether that is so without a person."""

    labelled: Labelled
    known: bool  # whether the label is a ticker of the catalogue
    proposal: Proposal
    stands: bool

    @property
    def right(self) -> bool:
        """Whether it was proposed as it is labelled, however surely."""
        return self.proposal.confidence > 0 and self.proposal.ticker == self.labelled.ticker

    @property
    def mistake(self) -> str:
        """One of MISTAKES; '' for what is right, and for nobody's that is left to a person."""
        label = self.labelled.ticker
        if self.stands and not self.right:
            return "other" if label and self.proposal.ticker else "given" if self.proposal.ticker else "denied"
        if self.stands or label is None:
            return ""
        return "left" if self.known else "outside"


@dataclass
class Part:
    """Some of the rows: how many, proposed right, standing, standing and right; and of these, those with a ticker."""

    rows: int = 0
    right: int = 0
    stand: int = 0
    stand_right: int = 0
    answers: int = 0
    answers_right: int = 0
    confidence: float = 0.0  # the sum

    def add(self, one: Judged) -> None:
        """Count a row."""
        answer = one.stands and one.proposal.ticker is not None
        self.rows += 1
        self.right += one.right
        self.stand += one.stands
        self.stand_right += one.stands and one.right
        self.answers += answer
        self.answers_right += answer and one.right
        self.confidence += one.proposal.confidence

    def kept(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return vars(self) | {"confidence": round(self.confidence, 6)}


@dataclass
class Measured:
    """The figures as row after row is added. `catalogue` are the tickers that may be proposed."""

    catalogue: Container[str]
    whole: Part = field(default_factory=Part)
    known: Part = field(default_factory=Part)  # labelled with a ticker of the catalogue
    outside: Part = field(default_factory=Part)  # with another ticker
    nobody: Part = field(default_factory=Part)
    sources: dict[str, Part] = field(default_factory=lambda: defaultdict(Part))
    bands: dict[int, Part] = field(default_factory=lambda: defaultdict(Part))
    tickers: Counter[str] = field(default_factory=Counter)  # outside the catalogue
    mistakes: Counter[str] = field(default_factory=Counter)
    listed: dict[bool, list[list[Any]]] = field(default_factory=lambda: {True: [], False: []})  # by whether it stands

    def add(self, labelled: Labelled, proposal: Proposal, stands: bool) -> Judged:
        """Judge a row and count it."""
        labelled = labelled._replace(ticker=self._spelled(labelled.ticker))
        one = Judged(labelled, bool(labelled.ticker) and labelled.ticker in self.catalogue, proposal, stands)
        self.whole.add(one)
        (self.nobody if labelled.ticker is None else self.known if one.known else self.outside).add(one)
        self.sources[proposal.step].add(one)
        if proposal.confidence > 0:
            self.bands[tenth_of(proposal.confidence)].add(one)
        if labelled.ticker and not one.known and (labelled.ticker in self.tickers or len(self.tickers) < MOST_TICKERS):
            self.tickers[labelled.ticker] += 1
        if one.mistake:
            self._note(one)
        return one

    def result(self) -> dict[str, Any]:
        """Everything as JSON keeps it."""
        parts = {name: getattr(self, name).kept() for name in ("whole", "known", "outside", "nobody")}
        return parts | {
            "sources": {name: part.kept() for name, part in self.sources.items()},
            "bands": {str(tenth): part.kept() for tenth, part in sorted(self.bands.items())},
            "tickers": self.tickers.most_common(NAMED),
            "tickers_more": max(0, len(self.tickers) - NAMED),
            "mistakes": dict(self.mistakes),
            "listed": [*self.listed[True], *self.listed[False]][:LISTED],
        }

    def _note(self, one: Judged) -> None:
        self.mistakes[one.mistake] += 1
        listed = self.listed[one.stands]
        if len(listed) < LISTED:
            label, said = one.labelled, one.proposal
            answer = "" if said.confidence <= 0 else said.ticker or NONE
            text = shown(label.descriptor)
            listed.append([label.line, text, label.ticker or NONE, answer, said.confidence, said.step, one.mistake])

    def _spelled(self, ticker: str | None) -> str | None:
        """BRK-B as the catalogue spells it."""
        if ticker and ticker not in self.catalogue:
            for other in (ticker.replace("-", "."), ticker.replace(".", "-")):
                if other in self.catalogue:
                    return other
        return ticker
