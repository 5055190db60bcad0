"""CSV as RFC 4180 has it, in UTF-8 with a byte order mark, so that Excel reads it; no text in it acts as a formula."""

import csv
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from kamioi_web.exporting.fields import Field
from kamioi_web.exporting.formats import Rows
from kamioi_web.money import plain

ACTING = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for the beginning of a formula
BUFFER = 1 << 20


def open_file(path: Path, fields: Sequence[Field], title: str, made: datetime) -> "CsvFile":
    """Begin a file with its line of headings."""
    return CsvFile(path, fields)


class CsvFile:
    """A CSV file that is being written."""

    def __init__(self, path: Path, fields: Sequence[Field]) -> None:
        self.notes: list[str] = []
        self.file = path.open("w", BUFFER, encoding="utf-8-sig", newline="")
        self.rows = csv.writer(self.file, lineterminator="\r\n")
        self.texts = [_text_of(field) for field in fields]
        self.rows.writerow([field.header for field in fields])

    def write(self, rows: Rows) -> None:
        """Add rows."""
        texts = self.texts
        self.rows.writerows([text(value) for text, value in zip(texts, row, strict=True)] for row in rows)

    def close(self) -> None:
        """Finish the file."""
        self.file.close()

    def abandon(self) -> None:
        """Let go of the file; where the disk is full, closing it fails once more."""
        with suppress(OSError):
            self.file.close()


def _text_of(field: Field) -> Callable[[Any], str]:
    if field.kind == "money":
        return lambda cents: "" if cents is None else plain(cents)
    return _safe if field.kind == "text" else lambda value: "" if value is None else str(value)


def _safe(text: Any) -> str:
    """The text, behind an apostrophe where it would act; OWASP's advice against CSV injection."""
    text = "" if text is None else str(text)
    return f"'{text}" if text.startswith(ACTING) else text
