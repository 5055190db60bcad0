"""The file of rows that were not taken: line number, reason, and the fields as they were."""

import csv
import io
import os
from pathlib import Path
from typing import BinaryIO

CELL_LIMIT = 100_000  # characters; what any CSV reader takes
SHOWN = 10
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Rejects:
    """A CSV file that begins to exist with its first row; what a killed run wrote after `size` is cut off."""

    def __init__(self, path: Path | None, size: int = 0) -> None:
        self.path = path
        self.size = size
        self.first: list[tuple[int, str, list[str]]] = []  # (line, reason, fields) of the first few
        self._file: BinaryIO | None = None

    def complete(self) -> bool:
        """Whether the file still holds what was written before."""
        return self.path is None or self.size == 0 or (self.path.is_file() and self.path.stat().st_size >= self.size)

    def add(self, line: int, reason: str, fields: list[str]) -> None:
        """Write one row. Cells that a spreadsheet would run as a formula get a ' in front; huge ones are cut."""
        if len(self.first) < SHOWN:
            self.first.append((line, reason, fields))
        if self.path is None:
            return
        file = self._open()
        if self.size == 0:
            self._write(file, ["line", "reason", "fields"])
        self._write(file, [str(line), reason, *map(_safe, fields)])

    def sync(self) -> None:
        """Make what was written survive a power cut."""
        if self._file:
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self, ours: bool = False) -> None:
        """Close; with `ours`, an earlier run of this import began the file, so what it wrote too much goes."""
        if ours and self.path is not None and self.path.is_file() and self.path.stat().st_size > self.size:
            self._open()
        if self._file:
            self._file.close()

    def _open(self) -> BinaryIO:
        if self._file is None:
            assert self.path is not None
            file = self.path.open("r+b" if self.path.exists() and self.size else "wb")
            file.truncate(self.size)
            file.seek(self.size)
            self._file = file
        return self._file

    def _write(self, file: BinaryIO, row: list[str]) -> None:
        text = io.StringIO(newline="")
        csv.writer(text).writerow(row)
        data = text.getvalue().encode("utf-8", "backslashreplace")
        file.write(data)
        self.size += len(data)


def _safe(cell: str) -> str:
    cell = cell[:CELL_LIMIT]
    return "'" + cell if cell.startswith(FORMULA) else cell
