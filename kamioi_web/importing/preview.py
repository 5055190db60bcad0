"""A look at the first records of a file as they would be stored, which costs the same however large the file is."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kamioi_web.db import Database
from kamioi_web.errors import KamioiError
from kamioi_web.importing import choices, ledger
from kamioi_web.importing.choices import Choice
from kamioi_web.importing.detect import Layout, find_header
from kamioi_web.importing.model import LOOK_BYTES, ImportReport
from kamioi_web.importing.reading import GZIP
from kamioi_web.importing.run import Job, fingerprint, run

RECORDS = 2_000
COLUMNS_OFFERED = 200
LONGEST_NAME = 200
CUT_OFF = "The file does not end with a line end; if it was cut off there, its last row may be incomplete."
GONE = "This file is no longer here: uploads are kept for 7 days. Upload it again."


@dataclass
class Preview:
    """What was found out about a file. `error` says why it cannot be imported as chosen; `layout` may be known yet."""

    layout: Layout | None = None
    decided: list[tuple[str, str]] = field(default_factory=list)  # (label, words)
    report: ImportReport | None = None
    warnings: list[str] = field(default_factory=list)
    error: str | None = None

    def columns(self) -> list[str]:
        """The columns as they can be chosen; those that share a name with their number."""
        header = self.layout.header if self.layout else ()
        names = [" ".join(name.split()) for name in header]
        numbered = [
            f"{name}#{names[: place + 1].count(name)}" if names.count(name) > 1 else name
            for place, name in enumerate(names[:COLUMNS_OFFERED])
        ]
        return [name for name in numbered if name and not name.startswith("#") and len(name) <= LONGEST_NAME]

    def found(self, name: str) -> str:
        """The columns that were taken for a field, '' for none."""
        if self.layout is None:
            return ""
        return " or ".join(" ".join(self.layout.header[place].split()) for place in self.layout.columns.get(name, ()))


def look(database: Database, path: Path, name: str, choice: Choice) -> Preview:
    """Find out how the file is read as chosen, and what its first records come to; nothing is stored."""
    preview = Preview()
    if not path.is_file():
        preview.error = GONE
        return preview
    options = choice.options(name, dry_run=True, look=RECORDS)
    try:
        preview.layout = find_header(path, choice.what.fields, options)
        if words := choices.clash(choice):
            raise KamioiError(words)
        job = choice.what.plan(path, options)
        preview.layout, preview.decided = job.layout, [_labelled(line) for line in job.decided]
        preview.report = report = run(database, job, options, lambda progress: None)
    except KamioiError as error:
        preview.error = in_words(error, path, name)
        return preview
    preview.warnings = [*_before(database, job), *map(choices.in_pages, _warnings(report, path))]
    return preview


def problem(path: Path, name: str, choice: Choice) -> str | None:
    """Why the file cannot be imported as chosen, as far as its first records tell; None where it can."""
    if not path.is_file():
        return GONE
    if words := choices.clash(choice):
        return words
    try:
        choice.what.plan(path, choice.options(name, look=RECORDS))
    except KamioiError as error:
        return in_words(error, path, name)
    return None


def in_words(error: KamioiError, path: Path, name: str) -> str:
    """What the importer says of the file, under the name that its owner gave it."""
    return choices.in_pages(str(error).replace(str(path), name))


def _labelled(line: str) -> tuple[str, str]:
    found = re.match(r"([A-Z][a-z]{3,9}): (.*)", line, re.DOTALL)
    return (found[1], choices.in_pages(found[2])) if found else ("Rows", choices.in_pages(line))


def _before(database: Database, job: Job) -> Iterator[str]:
    """Whether the same file was imported before, read in the same way."""
    with database.reading() as connection:
        entry = ledger.find(connection, job.kind, fingerprint(job, LOOK_BYTES))
    if entry and entry.finished_at:
        yield f"This file was imported on {entry.finished_at:%Y-%m-%d}. Rows that are known add nothing."
    elif entry:
        yield "An import of this file was begun and is not finished; this one goes on where it stopped."


def _warnings(report: ImportReport, path: Path) -> Iterator[str]:
    told = [words for words in report.warnings if not words.startswith("The last line")]
    yield from told if report.whole else [words for words in told if not words.startswith("The gzip")]
    if _is_cut_off(path):
        yield CUT_OFF


def _is_packed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == GZIP


def _is_cut_off(path: Path) -> bool:
    """Whether a plain file ends inside a line."""
    if _is_packed(path):
        return False
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4))
        return not file.read().rstrip(b"\0").endswith((b"\n", b"\r"))
