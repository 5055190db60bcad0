"""XLSX, a row in memory at a time: texts as texts, never as formulas or links, and numbers that stay exact."""

import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.worksheet import Worksheet

from kamioi_web.exporting.fields import Field
from kamioi_web.exporting.formats import Rows
from kamioi_web.money import plain
from kamioi_web.text import SAFE_INTEGER

ROWS = 1_048_575  # of a sheet, below its headings
LONGEST = 32_767  # characters of a cell
EXACT_CENTS = 10**15  # what has more digits, a spreadsheet rounds
Put = Callable[[Any, int, int, Any], int]  # sheet, row, column, value; -2 where the text was too long


class Sheet(Worksheet):
    """A sheet without rich texts: xlsxwriter takes any text that stands between <r> and </r> for one, unescaped."""

    def _xml_rich_inline_string(self, string: str, attributes: Any = ()) -> None:
        self._xml_inline_string(string, False, attributes)


def open_file(path: Path, fields: Sequence[Field], title: str, made: datetime) -> "XlsxFile":
    """Begin a workbook with its first sheet."""
    return XlsxFile(path, fields, title, made)


class XlsxFile:
    """A workbook that is being written. Its parts lie in a folder beside it until they are packed together."""

    def __init__(self, path: Path, fields: Sequence[Field], title: str, made: datetime) -> None:
        self.notes: list[str] = []
        self.fields, self.title, self.cut = fields, title, 0
        self.parts = path.with_name(f"{path.name}.d")
        self.parts.mkdir(exist_ok=True)
        options = {"constant_memory": True, "use_zip64": True, "tmpdir": str(self.parts), "strings_to_urls": False}
        self.book = Workbook(str(path), options)
        self.book.set_properties({"title": title, "created": made.replace(tzinfo=None)})
        self.money = self.book.add_format({"num_format": "0.00"})
        self.bold = self.book.add_format({"bold": True})
        self.puts = [self._put_of(field) for field in fields]
        self._add_sheet()

    def _add_sheet(self) -> None:
        number = len(self.book.worksheets())
        self.sheet = self.book.add_worksheet(f"Rows {number + 1}" if number else "Rows", Sheet)
        self.sheet.set_column(0, len(self.fields) - 1, 20)
        self.sheet.freeze_panes(1, 0)
        for column, field in enumerate(self.fields):
            self.sheet.write_string(0, column, field.header, self.bold)
        self.row = 0

    def write(self, rows: Rows) -> None:
        """Add rows, and a sheet where one is full."""
        puts = [*enumerate(self.puts)]
        for row in rows:
            if self.row == ROWS:
                self._add_sheet()
            self.row += 1
            for column, put in puts:
                if (value := row[column]) is not None and put(self.sheet, self.row, column, value) == -2:
                    self.cut += 1

    def _put_of(self, field: Field) -> Put:
        if field.kind == "money":
            return self._put_money
        puts: dict[str, Any] = {"whole": _put_whole, "share": _put_share}
        return puts.get(field.kind, Worksheet.write_string)

    def _put_money(self, sheet: "Sheet", row: int, column: int, cents: int) -> int:
        if abs(cents) >= EXACT_CENTS:
            return sheet.write_string(row, column, plain(cents))
        return sheet.write_number(row, column, Decimal(cents).scaleb(-2), self.money)  # ty: ignore[invalid-argument-type]

    def close(self) -> None:
        """Pack the parts together."""
        try:
            self.book.close()
        except FileCreateError as error:
            raise error.args[0] from error  # what the disk said
        shutil.rmtree(self.parts, ignore_errors=True)
        if self.cut:
            self.notes.append(f"{self.cut:,} texts are longer than the {LONGEST:,} characters of a cell and were cut.")

    def abandon(self) -> None:
        """Let go of the files; where the disk is full, closing them fails once more."""
        for sheet in self.book.worksheets():
            file: Any = sheet.row_data_fh
            with suppress(OSError):
                file.close()
        shutil.rmtree(self.parts, ignore_errors=True)


def _put_whole(sheet: Worksheet, row: int, column: int, value: int) -> int:
    if abs(value) > SAFE_INTEGER:
        return sheet.write_string(row, column, str(value))
    return sheet.write_number(row, column, value)


def _put_share(sheet: Worksheet, row: int, column: int, value: float) -> int:
    shortest: Any = Decimal(repr(value))  # xlsxwriter would write 0.935 as 0.9350000000000001
    return sheet.write_number(row, column, shortest)
