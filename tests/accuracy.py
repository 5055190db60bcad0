"""How often the mapping is right on labelled descriptors; `python -m tests.accuracy` prints figures and mistakes."""

import csv
import gzip
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from kamioi_web.catalogue import instruments
from kamioi_web.mapping.decide import decide
from kamioi_web.mapping.pipeline import Pipeline
from kamioi_web.mapping.proposals import Proposal
from kamioi_web.settings import Settings


class Judged(NamedTuple):
    """A label beside what the pipeline made of its string, which is not kept; a ticker of None stands for nobody's."""

    sha256: str
    label: str | None
    stratum: str
    ticker: str | None
    accepted: bool
    step: str

    @property
    def right(self) -> bool:
        return self.accepted and self.ticker == self.label


def labels() -> list[dict[str, str]]:
    """Rows of sha256, label (a ticker, NONE or UNSURE) and stratum."""
    return list(csv.DictReader(Path(__file__).with_name("labels.csv").read_text(encoding="utf-8").splitlines()))


def descriptors(data: Path) -> dict[str, str]:
    """Every distinct merchant string below `data`/transactions, by its SHA-256."""
    found = {text for path in (data / "transactions").glob("*.csv*") for text in _merchants(path)}
    return {hashlib.sha256(text.encode()).hexdigest(): text for text in found}


def _merchants(path: Path) -> Iterator[str]:
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield next(row[name] for name in ("merchant_name", "Creditor", "vendor") if name in row)


def accepts(pipeline: Pipeline, proposal: Proposal) -> bool:
    """Whether the proposal stands without a person, at the threshold that is set when nobody sets one."""
    return decide(proposal, Settings.model_fields["map_threshold"].default, pipeline.instruments) == "approved"


def judge(strings: dict[str, str]) -> list[Judged]:
    """The labelled ones of `strings` as the built-in pipeline answers them; what is labelled UNSURE is left out."""
    pipeline, judged = Pipeline.built_in(), []
    for sha256, label, stratum in (row.values() for row in labels() if row["label"] != "UNSURE"):
        proposal, owner = pipeline.propose(strings[sha256]), None if label == "NONE" else label
        judged.append(Judged(sha256, owner, stratum, proposal.ticker, accepts(pipeline, proposal), proposal.step))
    return judged


def precision(judged: Iterable[Judged]) -> tuple[int, int]:
    """How many of those accepted with a ticker are right, and how many these are."""
    answered = [one.right for one in judged if one.accepted and one.ticker]
    return sum(answered), len(answered)


def recall(judged: Iterable[Judged]) -> tuple[int, int]:
    """How many of those whose label is a ticker of the catalogue are accepted with it, and how many these are."""
    known = {instrument.ticker for instrument in instruments()}
    found = [one.right for one in judged if one.label in known]
    return sum(found), len(found)


def mistakes(judged: Iterable[Judged]) -> list[Judged]:
    """What was accepted with the wrong answer, or not accepted though it has a ticker."""
    return [one for one in judged if not one.right and (one.accepted or one.label)]


def figures(judged: list[Judged], group: Callable[[Judged], str]) -> str:
    """A line for each group: precision, recall, and the number of descriptors."""
    groups = {name: [one for one in judged if group(one) == name] for name in sorted(set(map(group, judged)))}
    line = "{:20} precision {:3}/{:3}  recall {:3}/{:3}  of {:3}".format
    return "\n".join(line(name, *precision(some), *recall(some), len(some)) for name, some in groups.items())


def main() -> None:
    """Print the figures, then each mistake with its string."""
    strings = descriptors(Path(os.environ.get("KAMIOI_SHARED", Path(__file__).parents[2] / "shared"), "data"))
    judged = judge(strings)
    for group in (lambda _: "all", lambda one: one.stratum, lambda one: one.step):
        print(figures(judged, group), end="\n\n")
    for one in mistakes(judged):
        print(f"{strings[one.sha256]!r} is {one.label}, {'accepted' if one.accepted else 'left'} as {one.ticker}")


if __name__ == "__main__":
    main()
