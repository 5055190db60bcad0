"""The job that asks a model about mappings that wait: those named, or all that match a filter of the list."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select

from kamioi_web.errors import KamioiError
from kamioi_web.jobs import mapping_images
from kamioi_web.jobs.mapping import order_apply
from kamioi_web.jobs.mapping_images import Image
from kamioi_web.jobs.running import Chunk, Ended, Job
from kamioi_web.jobs.selection import Selection
from kamioi_web.mapping import storing
from kamioi_web.mapping.ask import ask_all
from kamioi_web.mapping.clean import clean
from kamioi_web.mapping.decide import decide
from kamioi_web.mapping.model import Model
from kamioi_web.mapping.model_errors import Later
from kamioi_web.mapping.pipeline import Pipeline
from kamioi_web.mapping.proposals import Answer, Candidate, Proposal, Question
from kamioi_web.schema import instruments, llm_mappings, merchants
from kamioi_web.sql_types import AnyRow

A_CHUNK = 500
LONGEST_REST = 300.0  # seconds after which a job that waits for the model looks again
m, k, i = llm_mappings.c, merchants.c, instruments.c
HOW_TO_SET_UP = (
    "Set KAMIOI_LLM_URL and KAMIOI_LLM_MODEL, and KAMIOI_LLM_KEY where the endpoint asks for a key, then start Kamioi "
    "Web and its workers again."
)
NO_MODEL = f"No model is set up, so nothing was asked. {HOW_TO_SET_UP}"


def run(job: Job) -> dict[str, Any]:
    """Ask about every mapping that still waits; of those `answered`, `approved` stand at once, the others wait on."""
    if not job.database.settings.llm_url:
        raise KamioiError(NO_MODEL)
    with job.database.reading(seconds=30) as connection:
        pipeline = Pipeline.of(connection)
        catalogue = {row.ticker: row.company for row in connection.execute(select(i.ticker, i.company))}
        selection = Selection(connection, _kept(job))
    with Model(job.database.settings, catalogue) as model:
        more = True
        while more:
            with job.database.reading(seconds=30) as connection:
                places, resume = selection.next(connection, job.checkpoint, A_CHUNK)
                rows = waiting(connection, [id for id, _ in places])
            answers = _ask(job, model, pipeline, rows)
            with job.chunk() as chunk:
                _store(chunk, job, pipeline, rows, answers)
                chunk.checkpoint, chunk.rows = resume, len(places)
            more = resume is not None
    return job.result


def waiting(connection: Connection, ids: Sequence[int]) -> Sequence[AnyRow]:
    """Those of the mappings that wait, with the descriptors of their merchants."""
    joined = llm_mappings.join(merchants, k.id == m.merchant_id)
    query = select(llm_mappings, k.descriptor).select_from(joined).where(m.id.in_(ids), m.status == "pending")
    return connection.execute(query.order_by(m.id)).fetchall()


def _kept(job: Job) -> dict[str, Any]:
    """The mappings of a job as a selection reads them."""
    if "selection" in job.parameters:
        return job.parameters["selection"]
    return {"page": "mappings", "rows": [[id, 0] for id in job.parameters["ids"]]}


def _ask(job: Job, model: Model, pipeline: Pipeline, rows: Sequence[AnyRow]) -> dict[str, Answer | str]:
    """What the model says of their cleaned names."""
    questions = {_name(row): Question(_name(row), _candidates(pipeline, row)) for row in rows if _name(row)}
    return ask(job, model, list(questions.values()))


def ask(job: Job, model: Model, questions: Sequence[Question]) -> dict[str, Answer | str]:
    """{name: answer, or why there is none}; a model that is to be left alone for now lets the job wait."""
    try:
        return ask_all(job.database, model, questions, job.check)
    except Later as later:
        seconds = (later.resumes_at - datetime.now(UTC)).total_seconds()
        job.say(str(later))
        raise Ended("waiting", min(max(1.0, seconds), LONGEST_REST)) from later


def _name(row: AnyRow) -> str:
    return row.cleaned or clean(row.descriptor).name


def _candidates(pipeline: Pipeline, row: AnyRow) -> tuple[Candidate, ...]:
    if row.alternatives is None:
        return pipeline.alternatives(pipeline.propose(row.descriptor))
    return tuple(Candidate(**one) for one in row.alternatives)


def _store(
    chunk: Chunk, job: Job, pipeline: Pipeline, rows: Sequence[AnyRow], answers: dict[str, Answer | str]
) -> None:
    """The answers become the proposals; the sure ones are put in force and applied."""
    mapped: dict[int, tuple[int, Answer]] = {}
    images: list[Image] = []
    for row in rows:
        said = answers.get(_name(row))
        if not isinstance(said, Answer):
            continue
        status = _decide(job, pipeline, row, said)
        became = storing.answer(chunk.connection, row, said, status)
        if became is not None:
            images.append(Image(row, became))
            if status == "approved":
                mapped[row.merchant_id] = (row.id, said)
    _put_in_force(chunk.connection, job, images, mapped)
    answered, known = len(images), job.result
    unanswered = known.get("unanswered", 0) + len(rows) - answered
    counts = {"approved": known.get("approved", 0) + len(mapped), "answered": known.get("answered", 0) + answered}
    job.result = known | counts | {"unanswered": unanswered, "changed": counts["answered"]}


def _put_in_force(
    connection: Connection, job: Job, images: Sequence[Image], mapped: dict[int, tuple[int, Answer]]
) -> None:
    """Put the sure ones in force, have them applied, and keep what was before, for undo."""
    if mapped:
        names = ("ticker", "company", "mapping_id")
        query = select(k.id, *(k[name] for name in names)).where(k.id.in_(mapped)).order_by(k.id).with_for_update()
        before = {row.id: {name: getattr(row, name) for name in names} for row in connection.execute(query)}
        storing.put_in_force(connection, mapped)
        applied_by = order_apply(connection, job.admin_id, list(mapped), "that the model made")
        for image in images:
            if image.after["status"] == "approved":
                image.applied_by = applied_by
                was = before[image.row.merchant_id]
                image.merchant = was if was["mapping_id"] is None else {}
    mapping_images.keep(connection, job.id, images)


def _decide(job: Job, pipeline: Pipeline, row: AnyRow, said: Answer) -> str:
    return decide_answer(job.database.settings.map_threshold, pipeline, pipeline.propose(row.descriptor), said)


def decide_answer(threshold: float, pipeline: Pipeline, rules: Proposal, said: Answer) -> str:
    """A model's answer stands by itself only where it is sure, in the catalogue, and the rules say nothing else.

    An answer to a name that may have told the model what to say never does, whatever the threshold is.
    """
    if said.suspicious or (rules.confidence and rules.ticker != said.ticker):
        return "pending"
    return decide(as_proposal(rules, said), threshold, pipeline.instruments)


def as_proposal(rules: Proposal, said: Answer) -> Proposal:
    """The proposal of the rules with the model's answer in its place."""
    return Proposal(
        rules.descriptor, rules.cleaned, said.ticker, said.company, None, said.confidence, "model", said.reason
    )
