"""The descriptors of a file, one by one: a column of a CSV, or a text with one a line; plain or gzip."""

from collections.abc import Iterator
from pathlib import Path

from kamioi_web.errors import KamioiError
from kamioi_web.importing.columns import TRANSACTIONS, Kind, by_alias, plain, preset_for
from kamioi_web.importing.detect import Layout, find_encoding, find_header, find_layout
from kamioi_web.importing.model import ImportOptions
from kamioi_web.importing.presets import PRESETS
from kamioi_web.importing.reading import Source, first_bytes
from kamioi_web.importing.records import read_records

SAMPLE_BYTES = 1 << 18
FURTHER_NAMES = (
    "raw", "raw descriptor", "statement descriptor", "card descriptor", "merchant descriptor", "merchant string",
    "transaction", "statement", "text", "string",
)  # fmt: skip
DESCRIPTORS = Kind(
    "descriptors", {"merchant": TRANSACTIONS.aliases["merchant"] + FURTHER_NAMES}, ("merchant",), PRESETS
)


class Descriptors:
    """Iterates over the descriptors of a file, a block of it in memory at a time."""

    def __init__(self, path: Path, column: str | None = None) -> None:
        """KamioiError when the file cannot be read or its column cannot be told."""
        self.layout = None if _is_list(path) and column is None else _layout(path, column)
        encoding = self.layout.encoding if self.layout else find_encoding(first_bytes(path, SAMPLE_BYTES))
        self.source = Source(path, encoding)
        self.size = path.stat().st_size
        self.left_out = 0  # records that could not be read

    @property
    def bytes_read(self) -> int:
        """Of the file as it lies on the disk."""
        return self.source.bytes_read

    def notes(self) -> list[str]:
        """What the person should know once everything was read."""
        left_out = f"{self.left_out:,} line(s) could not be read and were left out." if self.left_out else None
        return [note for note in (left_out, self.source.damage) if note]

    def __iter__(self) -> Iterator[str]:
        return self._cells(self.layout) if self.layout else self._lines()

    def _lines(self) -> Iterator[str]:
        first = True
        for part in self.source.parts():
            for line in part.lines:
                text = line.strip()
                if text and not (first and _is_heading(text)):
                    yield text
                first = False

    def _cells(self, layout: Layout) -> Iterator[str]:
        (place, *_), width = layout.columns["merchant"], len(layout.header)
        for block in read_records(self.source.parts(), layout.delimiter, width):
            for line, row in zip(block.lines, block.rows, strict=True):
                if line <= layout.header_line or not any(map(str.strip, row)):
                    continue
                if block.problem or len(row) <= place:
                    self.left_out += 1
                else:
                    yield row[place]


def _is_list(path: Path) -> bool:
    """Whether it is a text with one descriptor a line: by its name, or because no line has a second column."""
    if path.name.lower().removesuffix(".gz").endswith(".txt"):
        return True
    header = find_header(path, DESCRIPTORS, ImportOptions()).header
    return len(header) == 1 and not _is_heading(header[0])


def _is_heading(text: str) -> bool:
    return plain(text) in DESCRIPTORS.aliases["merchant"]


def _layout(path: Path, column: str | None) -> Layout:
    options = ImportOptions(mapping={column: "merchant"} if column else {})
    header = find_header(path, DESCRIPTORS, options).header
    if column or preset_for(DESCRIPTORS, header) or by_alias(DESCRIPTORS, header):
        return find_layout(path, DESCRIPTORS, options)
    names = ", ".join(f'"{" ".join(name.split())}"' for name in header[:60])
    raise KamioiError(
        f"It cannot be told which column of {path.name} holds the descriptors. Its columns: {names}. "
        "Say which with --column NAME; a text with one descriptor a line must be named .txt."
    )
