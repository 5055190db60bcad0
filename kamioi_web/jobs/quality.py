"""The job that measures the mapping on a labelled file: the steps of the pipeline, and nothing is mapped by it.

It has no checkpoint: a job that was stopped, or that waited for the model, begins anew. The rules are quick, and what
the model has answered is known.
"""

import csv
import os
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

from sqlalchemy import select

from kamioi_web.errors import KamioiError
from kamioi_web.exporting.csv_file import safe
from kamioi_web.importing.preview import GONE
from kamioi_web.jobs import asking, uploaded
from kamioi_web.jobs.running import Job
from kamioi_web.jobs.telling import Telling
from kamioi_web.mapping.decide import decide
from kamioi_web.mapping.labelled import NONE, Labelled, LabelledFile
from kamioi_web.mapping.measure import MISTAKES, Judged, Measured
from kamioi_web.mapping.model import Model
from kamioi_web.mapping.pipeline import Pipeline
from kamioi_web.mapping.proposals import Answer, Proposal, Question
from kamioi_web.schema import instruments
from kamioi_web.settings import Settings
from kamioi_web.sql_types import AnyRow

FOLDER = "quality"
A_BLOCK = 1_000  # rows whose names are asked together
HEADER = ("line", "descriptor", "label", "answer", "company", "confidence", "source", "stands", "mistake", "reason")
Said = tuple[Proposal, bool]  # and whether it stands without a person


def run(job: Job) -> dict[str, Any]:
    """Measure; the figures and the first mistakes are the result, all mistakes are in its file."""
    settings = job.database.settings
    if job.parameters["ask"] and not settings.llm_url:
        raise KamioiError(asking.NO_MODEL)
    with job.database.reading(seconds=30) as connection:
        upload = uploaded.find(connection, job.parameters["upload_id"])
        pipeline = Pipeline.of(connection)
        companies = {row.ticker: row.company for row in connection.execute(select(instruments))}
    path = settings.files_folder / upload.path
    if not path.is_file():
        raise KamioiError(GONE)
    file = LabelledFile(path, upload.file_name)
    with Model(settings, companies) if job.parameters["ask"] else nullcontext() as model:
        return _measured(job, file, Answering(job, pipeline, model))


def mistakes_of(settings: Settings, row: AnyRow) -> Path | None:
    """The file of a run's mistakes, while it is kept."""
    name = row.result.get("file")
    path = settings.files_folder / FOLDER / Path(name).name if name else None
    return path if path and path.is_file() else None


@dataclass
class Answering:
    """What the steps make of descriptors; with a model, what the rules leave is asked."""

    job: Job
    pipeline: Pipeline
    model: Model | None
    asked: int = 0  # rows
    unanswered: int = 0

    @property
    def threshold(self) -> float:
        return self.job.database.settings.map_threshold

    def answer(self, descriptors: Iterable[str]) -> list[Said]:
        """A proposal for each."""
        found = [self._by_rules(proposal) for proposal in self.pipeline.propose_many(descriptors)]
        if self.model is None:
            return found
        left = [proposal for proposal, stands in found if not stands and proposal.cleaned.name]
        questions = {one.cleaned.name: Question(one.cleaned.name, self.pipeline.alternatives(one)) for one in left}
        answers = asking.ask(self.job, self.model, list(questions.values())) if questions else {}
        return [said if said[1] else self._by_model(said[0], answers.get(said[0].cleaned.name)) for said in found]

    def _by_rules(self, proposal: Proposal) -> Said:
        return proposal, decide(proposal, self.threshold, self.pipeline.instruments) == "approved"

    def _by_model(self, proposal: Proposal, said: Answer | str | None) -> Said:
        self.asked += said is not None
        if not isinstance(said, Answer):
            self.unanswered += said is not None
            return proposal, False
        status = asking.decide_answer(self.threshold, self.pipeline, proposal, said)
        return asking.as_proposal(proposal, said), status == "approved"


def _measured(job: Job, file: LabelledFile, answering: Answering) -> dict[str, Any]:
    folder = job.database.settings.files_folder / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{job.id}-{job.fence}-mistakes.csv"  # of this lease alone
    measured = Measured(answering.pipeline.instruments)
    with _part_of(path) as (part, out):
        rows = csv.writer(out, lineterminator="\r\n")
        rows.writerow(HEADER)
        rows.writerows(_row(one) for one in _judged(job, file, answering, measured) if one.mistake)
        out.flush()
        os.fsync(out.fileno())
        job.note(file.rows)  # only who still holds the lease goes on
        os.replace(part, path)
    about = {"unsure": file.unsure, "unread": file.unread, "notes": file.notes(), "threshold": answering.threshold}
    model = {"model": answering.model.name, "asked": answering.asked, "unanswered": answering.unanswered} if (
        answering.model
    ) else {}  # fmt: skip
    whole = measured.whole
    job.brief = {"rows": whole.rows, "answers": whole.answers, "right": whole.answers_right}
    return measured.result() | about | model | {"file": path.name}


def _judged(job: Job, file: LabelledFile, answering: Answering, measured: Measured) -> Iterator[Judged]:
    tell = Telling(job, None)
    for block in _blocks(file):
        said = answering.answer(one.descriptor for one in block)
        for labelled, (proposal, stands) in zip(block, said, strict=True):
            yield measured.add(labelled, proposal, stands)
        tell(file.rows)


def _blocks(file: LabelledFile) -> Iterator[Sequence[Labelled]]:
    rows = iter(file)
    while block := list(islice(rows, A_BLOCK)):
        yield block


def _row(one: Judged) -> list[str]:
    """A mistake as a row of the file; no text in it acts as a formula."""
    label, said = one.labelled, one.proposal
    answer = "" if said.confidence <= 0 else said.ticker or NONE
    texts = (label.descriptor, label.ticker or NONE, answer, said.company or "")
    stands = "yes" if one.stands else "no"
    rest = (f"{said.confidence:.2f}", said.step, stands, MISTAKES[one.mistake], safe(said.reason))
    return [str(label.line), *map(safe, texts), *rest]


@contextmanager
def _part_of(path: Path) -> Generator[tuple[Path, IO[str]]]:
    """A file under another name while it is written; what is left under it at the end is removed."""
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("w", encoding="utf-8-sig", newline="", errors="replace") as out:
            yield part, out
    finally:
        part.unlink(missing_ok=True)
