"""kamioi-web map: descriptors in, a CSV of proposals out."""

import csv
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import click

from kamioi_web.cli_progress import progress_lines
from kamioi_web.exporting.csv_file import safe
from kamioi_web.mapping.ask import ask_directly
from kamioi_web.mapping.descriptors import Descriptors
from kamioi_web.mapping.pipeline import Pipeline
from kamioi_web.mapping.proposals import Answer, Proposal, Question
from kamioi_web.settings import settings

HEADER = ("descriptor", "cleaned", "ticker", "company", "confidence", "step", "reason")
EVERY = 1_000  # rows between two words on progress


@click.command("map")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--ask", is_flag=True, help="Ask the model (KAMIOI_LLM_URL) about what the rules cannot tell.")
@click.option("--column", metavar="NAME", help="The column with the descriptors; found by itself for common names.")
def map_file(file: Path, ask: bool, column: str | None) -> None:
    """Say which listed company stands behind each descriptor of FILE (CSV, .gz, or .txt with one a line).

    Writes CSV to standard output. The ticker NONE says that nobody listed in the US is behind the name, a blank one
    that no step had an answer.
    """
    pipeline, descriptors = Pipeline.built_in(), Descriptors(file, column)
    answers = _ask(pipeline, Descriptors(file, column)) if ask else {}
    with progress_lines(descriptors.size, "bytes") as progress:
        proposals = _told(pipeline.propose_many(descriptors), descriptors, progress)
        _write(row_of(with_answer(proposal, answers)) for proposal in proposals)
    for note in descriptors.notes():
        click.echo(f"kamioi-web: {note}", err=True)


def _ask(pipeline: Pipeline, descriptors: Descriptors) -> Mapping[str, Answer | str]:
    """What a model says of each name that the rules have no answer for; the file is read once for that alone."""
    open_ones = {one.cleaned.name: one for one in pipeline.propose_many(descriptors) if not one.is_answer}
    questions = [Question(name, pipeline.alternatives(one)) for name, one in open_ones.items() if name]
    click.echo(f"Asking the model about {len(questions):,} names.", err=True)
    return ask_directly(settings(), questions)


def with_answer(proposal: Proposal, answers: Mapping[str, Answer | str]) -> Proposal:
    """The proposal, or where it is no answer the model's; a suspicious answer stays a guess for a person to look at."""
    said = None if proposal.is_answer else answers.get(proposal.cleaned.name)
    if said is None:
        return proposal
    if isinstance(said, str):
        return proposal._replace(reason=f"{proposal.reason}; the model: {said}")
    step = "guess" if said.suspicious else "model"
    reason = f"{said.model} says: {said.reason}"
    return proposal._replace(
        ticker=said.ticker, company=said.company, confidence=said.confidence, step=step, reason=reason
    )


def _told(
    proposals: Iterable[Proposal], descriptors: Descriptors, progress: Callable[[int], None]
) -> Iterator[Proposal]:
    for count, proposal in enumerate(proposals):
        if not count % EVERY:
            progress(descriptors.bytes_read)
        yield proposal
    progress(descriptors.size)


def row_of(proposal: Proposal) -> list[str]:
    """A proposal as a row of the CSV; no text in it acts as a formula."""
    ticker, company = (proposal.ticker or "NONE", proposal.company or "") if proposal.is_answer else ("", "")
    texts = (proposal.descriptor, proposal.cleaned.name, ticker, company)
    return [*map(safe, texts), f"{proposal.confidence:.2f}", proposal.step, safe(proposal.reason)]


def _write(rows: Iterable[list[str]]) -> None:
    """Write the CSV in UTF-8; whoever reads it may stop early, as head does."""
    out = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="", write_through=False)
    try:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(rows)
        out.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    finally:
        out.detach()
