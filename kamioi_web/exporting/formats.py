"""The formats that a file can have, and which of them this installation can write."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from kamioi_web.errors import KamioiError
from kamioi_web.exporting.fields import Field

Rows = Sequence[list[Any]]  # of values as Field.value gives them; a writer may change them


class Writer(Protocol):
    """An open file. `close` finishes it; `abandon` lets go of it, whatever state it is in."""

    notes: list[str]  # what a reader of the file should know

    def write(self, rows: Rows) -> None: ...
    def close(self) -> None: ...
    def abandon(self) -> None: ...


@dataclass(frozen=True)
class Format:
    """A format: its name, its media type, and the module that writes it, which is loaded when it is needed."""

    name: str
    label: str
    about: str
    media: str
    module: str
    needs: str = ""  # a package that may not be installed

    @property
    def is_here(self) -> bool:
        return not self.needs or find_spec(self.needs) is not None

    def open(self, path: Path, fields: Sequence[Field], title: str, made: datetime) -> Writer:
        """Begin a file. `title` and `made` tell of it where the format has a place for that."""
        if not self.is_here:
            raise KamioiError(f"{self.label} files need a package: pip install 'kamioi-web[{self.name}]'.")
        begin: Callable[..., Writer] = import_module(f"kamioi_web.exporting.{self.module}").open_file
        return begin(path, fields, title, made)


FORMATS = {
    one.name: one
    for one in (
        Format("csv", "CSV", "for any program", "text/csv; charset=utf-8", "csv_file"),
        Format("xlsx", "Excel", "1,048,575 rows a sheet",
               "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx_file"),
        Format("parquet", "Parquet", "with types, for analysis", "application/vnd.apache.parquet", "parquet_file",
               needs="pyarrow"),
    )
}  # fmt: skip


def offered() -> list[Format]:
    """The formats that can be written here."""
    return [one for one in FORMATS.values() if one.is_here]
