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
        texts: dict[str, Callable[[Any], str]] = {"money": plain, "text": safe, "json": safe}
        self.texts = [(at, texts[field.kind]) for at, field in enumerate(fields) if field.kind in texts]
        self.rows.writerow([field.header for field in fields])

    def write(self, rows: Rows) -> None:
        """Add rows."""
        texts = self.texts
        for row in rows:
            for at, text in texts:
                if row[at] is not None:
                    row[at] = text(row[at])
        self.rows.writerows(rows)

    def close(self) -> None:
        """Finish the file."""
        self.file.close()

    def abandon(self) -> None:
        """Let go of the file; where the disk is full, closing it fails once more."""
        with suppress(OSError):
            self.file.close()


def safe(text: str) -> str:
    """The text, behind an apostrophe where it would act; OWASP's advice against CSV injection."""
    return f"'{text}" if text.startswith(ACTING) else text
