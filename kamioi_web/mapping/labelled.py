"""The rows of a labelled file: a descriptor, and what a person says that it is."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from kamioi_web.errors import KamioiError
from kamioi_web.filters import TICKER
from kamioi_web.importing.columns import Kind, by_alias
from kamioi_web.importing.detect import Layout, find_header
from kamioi_web.importing.model import ImportOptions
from kamioi_web.importing.reading import Source
from kamioi_web.importing.records import Block, read_records
from kamioi_web.mapping.descriptors import DESCRIPTORS

NONE, UNSURE = "NONE", "UNSURE"
LOOK_BYTES = 2_000_000  # of a file that is only looked at
LONGEST_SHOWN = 60  # characters of what a file says, in a message about it
MOST_SHOWN = 20  # columns, in a message about them
FIELDS = Kind(
    "labelled files",
    {
        "descriptor": ("descriptor", *DESCRIPTORS.aliases["merchant"]),
        "ticker": ("ticker", "label", "ticker symbol", "symbol", "expected", "answer"),
    },
    ("descriptor", "ticker"),
)
TAKES = "A label is a ticker such as SBUX, NONE where nobody listed in the US stands behind the name, or UNSURE."
HEADINGS = "The first line names the columns: “descriptor” for the texts, “ticker” for the labels."


class Labelled(NamedTuple):
    """A descriptor, the line where it stands, and its label; a ticker of None stands for nobody's."""

    line: int
    descriptor: str
    ticker: str | None


class LabelledFile:
    """Iterates over the labelled rows of a file, a block of it in memory at a time.

    `unsure` counts rows that are labelled UNSURE, `unread` those that could not be read. KamioiError, under the file's
    own `name`, when its columns cannot be told, a label is none, or there is no row. With `look` only its first rows.
    """

    def __init__(self, path: Path, name: str, look: bool = False) -> None:
        self.path, self.name = path, name
        self.unsure = self.unread = self.rows = 0
        try:
            self.layout = self._layout()
        except KamioiError as error:
            raise KamioiError(str(error).replace(str(path), name)) from error
        self.source = Source(path, self.layout.encoding, LOOK_BYTES if look else None)

    def notes(self) -> list[str]:
        """What the person should know once everything was read."""
        unread = f"{self.unread:,} line(s) could not be read and were left out." if self.unread else None
        return [note for note in (unread, self.source.damage) if note]

    def __iter__(self) -> Iterator[Labelled]:
        for block in read_records(self.source.parts(), self.layout.delimiter, len(self.layout.header)):
            yield from self._labelled(block)
        if not self.rows:
            raise KamioiError(f"{self.name} has no labelled row. {HEADINGS} Each line below holds one of each.")

    def _labelled(self, block: Block) -> Iterator[Labelled]:
        (text_at, *_), (label_at, *_) = self.layout.columns["descriptor"], self.layout.columns["ticker"]
        for line, row in zip(block.lines, block.rows, strict=True):
            if line <= self.layout.header_line or not any(map(str.strip, row)):
                continue
            self.rows += 1
            if block.problem or len(row) <= max(text_at, label_at):
                self.unread += 1
                continue
            label = row[label_at].strip().upper()
            if label == UNSURE:
                self.unsure += 1
            else:
                yield Labelled(line, row[text_at], self._ticker(label, line))

    def _ticker(self, label: str, line: int) -> str | None:
        if label == NONE:
            return None
        if re.fullmatch(TICKER, label, re.ASCII):
            return label
        says = f"is labelled “{shown(label)}”, which is no ticker" if label else "has no label"
        raise KamioiError(f"Line {line:,} of {self.name} {says}. {TAKES} Correct the line and upload the file again.")

    def _layout(self) -> Layout:
        found = find_header(self.path, FIELDS, ImportOptions())
        columns = by_alias(FIELDS, found.header)
        if lacking := FIELDS.lacks(columns):
            raise KamioiError(self._cannot_tell(lacking, found))
        return Layout(found.encoding, found.delimiter, found.header, found.header_line, None, columns)

    def _cannot_tell(self, lacking: list[str], found: Layout) -> str:
        what = {"descriptor": "no column of descriptors", "ticker": "no column of labels"}
        named = ", ".join(f"“{shown(name)}”" for name in found.header[:MOST_SHOWN])
        has = " and ".join(what[name] for name in lacking)
        return f"{self.name} has {has} that could be told by its name. Its columns are: {named}. {HEADINGS}"


def shown(text: str) -> str:
    """What a file says, short and without what cannot be seen."""
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return plain if len(plain) <= LONGEST_SHOWN else plain[:LONGEST_SHOWN] + "…"
