"""Holding answers of the API against its own document, over some of everything."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from helpers import random_rows, stored
from jsonschema import FormatChecker
from jsonschema.validators import Draft202012Validator
from mapping_rows import add_mappings
from sqlalchemy import insert

from kamioi_web import audit
from kamioi_web.api import document
from kamioi_web.api.endpoints import ENDPOINTS
from kamioi_web.db import Database
from kamioi_web.jobs import store
from kamioi_web.jobs.store import Order
from kamioi_web.schema import allocations, imports, transactions

BIG = 2**60  # an id that a JSON number cannot hold exactly
FORMATS = FormatChecker(["date-time"])


@lru_cache(maxsize=1)
def the_document() -> dict[str, Any]:
    """The document as the API gives it."""
    return document.make(ENDPOINTS)


def schema_of(path: str, method: str = "get", status: int = 200) -> dict[str, Any] | None:
    """What the document says of that answer; None when it says nothing."""
    asked = path.partition("?")[0]
    for known, operations in the_document()["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[0-9]+", known), asked) and method in operations:
            answer = operations[method]["responses"].get(str(status), {})
            if "$ref" in answer:
                answer = the_document()["components"]["responses"][answer["$ref"].rpartition("/")[2]]
            return answer.get("content", {}).get("application/json", {}).get("schema")
    return None


def assert_as_described(path: str, answer: Any, method: str = "get") -> Any:
    """Fail unless the document tells of this answer and the answer is as it tells; gives the answer's content."""
    schema = schema_of(path, method, answer.status_code)
    assert schema, f"the document tells of no {answer.status_code} at {method} {path}"
    assert answer.content_type == "application/json"
    whole = {"components": the_document()["components"], **schema}
    errors = [
        f"{error.json_path}: {error.message}"
        for error in Draft202012Validator(whole, format_checker=FORMATS).iter_errors(answer.json)
    ]
    assert not errors, (path, errors[:5])
    return answer.json


def fill(database: Database, make_transactions: Callable[..., None]) -> None:
    """300 random rows, one more with an id that JSON numbers cannot hold, and some of every other list."""
    add_mappings(database, 60)  # and the users and merchants
    make_transactions(random_rows(300))
    row, columns = stored(database)[0], [column.name for column in transactions.c]
    values = {name: getattr(row, name) for name in columns if name != "id"}
    with database.writing() as connection:
        connection.execute(insert(transactions).values(**values | {"source_ref": "big"}, id=BIG))
        for ticker, cents in (("SBUX", 67), ("AAPL", 33)):
            share = {"transaction_id": BIG, "user_id": row.user_id, "ticker": ticker, "amount_cents": cents}
            connection.execute(insert(allocations).values(**share, created_at=row.created_at))
        connection.execute(insert(imports).values(
            kind="transactions", file_name="<b>.csv", fingerprint="1", settings={"currency": "USD"}, state="running",
            checkpoint="", rows_added=3, rows_known=0, rows_rejected=1, started_at=row.created_at))  # fmt: skip
        job = store.add(connection, Order("bulk", "default", "<b>", {"selection": {}, "change": {}}, rows_total=5))
        store.say(connection, job, "told")
        audit.record(connection, "tested", subject="transaction", subject_id=BIG, detail={"why": "to see it"})
