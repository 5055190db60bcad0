"""Parquet, with the types that the values have: int64, decimal, timestamp in UTC."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow.parquet import ParquetWriter

from kamioi_web.exporting.fields import Field
from kamioi_web.exporting.formats import Rows

GROUP = 6_000  # rows of a row group
TYPES = {
    "text": pa.string(),
    "json": pa.string(),
    "whole": pa.int64(),
    "share": pa.float64(),
    "money": pa.decimal128(20, 2),
    "moment": pa.timestamp("us", "UTC"),
}
READ: dict[str, Callable[[Any], Any]] = {
    "money": lambda cents: Decimal(cents).scaleb(-2),
    "moment": datetime.fromisoformat,
}


def open_file(path: Path, fields: Sequence[Field], title: str, made: datetime) -> "ParquetFile":
    """Begin a file with its schema."""
    return ParquetFile(path, fields)


class ParquetFile:
    """A Parquet file that is being written, one row group after the other."""

    def __init__(self, path: Path, fields: Sequence[Field]) -> None:
        self.notes: list[str] = []
        pa.set_memory_pool(pa.system_memory_pool())  # which gives back what it no longer needs
        self.fields, self.kept = fields, []
        self.schema = pa.schema([(field.header, TYPES[field.kind]) for field in fields])
        self.file = path.open("wb")
        self.writer = ParquetWriter(self.file, self.schema, compression="zstd")

    def write(self, rows: Rows) -> None:
        """Add rows; a group is written when it is full."""
        self.kept += rows
        if len(self.kept) >= GROUP:
            self._write_group()

    def _write_group(self) -> None:
        columns = zip(*self.kept, strict=True)
        arrays = [_array(field, values) for field, values in zip(self.fields, columns, strict=True)]
        self.writer.write_batch(pa.record_batch(arrays, schema=self.schema))
        self.kept = []

    def close(self) -> None:
        """Write what is left, and the end of the file."""
        if self.kept:
            self._write_group()
        self.writer.close()
        self.file.close()

    def abandon(self) -> None:
        """Let go of the file; where the disk is full, closing it fails once more."""
        for each in (self.writer, self.file):
            with suppress(OSError, pa.ArrowException):
                each.close()


def _array(field: Field, values: Sequence[Any]) -> pa.Array:
    read = READ.get(field.kind)
    found = [None if value is None else read(value) for value in values] if read else values
    return pa.array(found, TYPES[field.kind])
