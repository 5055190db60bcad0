"""Ordering exports as a browser does, and reading the files back with readers that are not the project's."""

import csv
import io
import re
import threading
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from flask.testing import FlaskClient
from helpers import get
from pyarrow import parquet
from sqlalchemy import select
from test_login import token_of

from kamioi_web.db import Database
from kamioi_web.jobs.tables import jobs
from kamioi_web.jobs.working import work

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
FORMATS = ("csv", "xlsx", "parquet")


def send(client: FlaskClient, address: str, **fields: object) -> Any:
    """A form as a page sends it."""
    return client.post(address, data={"csrf_token": token_of(get(client, "/settings"))} | fields)


def order(client: FlaskClient, query: str = "", format: str = "csv", page: str = "transactions") -> int:
    """Order an export; the number of its job."""
    answer = send(client, "/exports", page=page, query=query, format=format)
    assert answer.status_code == 303, answer.text
    return int(answer.headers["Location"].rpartition("/")[2])


def carry_out(database: Database, queue: str = "export") -> int:
    """Do what is due in that queue, as a worker would; how many jobs that were."""
    return work(database, queue, "a test", threading.Event())


def job_of(database: Database, id: int) -> Any:
    with database.reading() as connection:
        return connection.execute(select(jobs).where(jobs.c.id == id)).one()


def folder_of(database: Database) -> Path:
    return database.settings.files_folder / "exports"


def names(database: Database) -> list[str]:
    """Everything that lies in the folder of exports."""
    return sorted(path.name for path in folder_of(database).rglob("*"))


def path_of(database: Database, id: int) -> Path:
    """The file of a job that is done."""
    job = job_of(database, id)
    assert job.state == "done", (job.state, job.error)
    return folder_of(database) / job.result["file"]


def exported(client: FlaskClient, database: Database, query: str, format: str, page: str = "transactions") -> list[Any]:
    """The rows of a new export, headings first, as its reader gives them."""
    id = order(client, query, format, page)
    carry_out(database)
    return READERS[format](path_of(database, id).read_bytes())


def read_csv(content: bytes) -> list[list[str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))


def read_xlsx(content: bytes) -> list[list[Any]]:
    """The rows of all sheets, the headings once: texts as str, numbers as Decimal, blanks as None."""
    found: list[list[Any]] = []
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        assert book.testzip() is None
        sheets = [name for name in book.namelist() if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", name)]
        for number in range(1, len(sheets) + 1):
            rows = _sheet(book.read(f"xl/worksheets/sheet{number}.xml"))
            found += rows if number == 1 else rows[1:]
    return found


def _sheet(content: bytes) -> list[list[Any]]:
    rows = [row for _, row in ElementTree.iterparse(io.BytesIO(content)) if row.tag == f"{MAIN}row"]
    width = len(rows[0])
    return [_row(row, width) for row in rows]


def _row(row: Any, width: int) -> list[Any]:
    found: list[Any] = [None] * width
    for cell in row:
        column = 0
        for letter in re.sub(r"\d", "", cell.get("r")):
            column = column * 26 + ord(letter) - 64
        found[column - 1] = _cell(cell)
    return found


def _cell(cell: Any) -> Any:
    assert cell.find(f"{MAIN}f") is None, "a formula"
    if cell.get("t") == "inlineStr":
        text = "".join(part.text or "" for part in cell.iter(f"{MAIN}t"))
        return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda match: chr(int(match[1], 16)), text)
    assert cell.get("t") is None, cell.get("t")
    return Decimal(cell.findtext(f"{MAIN}v"))


def read_parquet(content: bytes) -> list[list[Any]]:
    table = parquet.read_table(io.BytesIO(content))
    columns = [column.to_pylist() for column in table.columns]
    return [table.column_names, *map(list, zip(*columns, strict=True))]


READERS: dict[str, Any] = {"csv": read_csv, "xlsx": read_xlsx, "parquet": read_parquet}
