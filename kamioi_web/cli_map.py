"""kamioi-web map: descriptors in, a CSV of proposals out."""

import csv
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import click

from kamioi_web.cli_progress import progress_lines
from kamioi_web.errors import KamioiError
from kamioi_web.exporting.csv_file import safe
from kamioi_web.mapping.descriptors import Descriptors
from kamioi_web.mapping.pipeline import Pipeline
from kamioi_web.mapping.proposals import Proposal

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
    descriptors = Descriptors(file, column)
    proposals = Pipeline.built_in().propose_many(descriptors)
    if ask:
        proposals = with_answers(proposals)
    with progress_lines(descriptors.size, "bytes") as progress:
        _write(_told(proposals, descriptors, progress))
    for note in descriptors.notes():
        click.echo(f"kamioi-web: {note}", err=True)


def with_answers(proposals: Iterable[Proposal]) -> Iterator[Proposal]:
    """The proposals, those without an answer by the model's. KamioiError when no model is set up."""
    raise KamioiError("no model is set up: set KAMIOI_LLM_URL.")


def _told(proposals: Iterable[Proposal], descriptors: Descriptors, progress: Callable[[int], None]) -> Iterator[list]:
    for count, proposal in enumerate(proposals):
        if not count % EVERY:
            progress(descriptors.bytes_read)
        yield row_of(proposal)
    progress(descriptors.size)


def row_of(proposal: Proposal) -> list[str]:
    """A proposal as a row of the CSV; no text in it acts as a formula."""
    answered = proposal.step not in ("nothing", "guess")
    ticker, company = (proposal.ticker or "NONE", proposal.company or "") if answered else ("", "")
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
