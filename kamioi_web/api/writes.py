"""What the API changes: the status of one transaction, many transactions by a job, and what a job is to do."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from flask import g, jsonify, request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Connection, select

from kamioi_web import bulk as asking
from kamioi_web import extents
from kamioi_web.actions import jobs as job_actions
from kamioi_web.actions.bulk import order_of
from kamioi_web.api.objects import JobAnswer, StatusAnswer
from kamioi_web.errors import BadRequest, NotFound
from kamioi_web.jobs import changing
from kamioi_web.jobs.changing import Change
from kamioi_web.pages import TRANSACTIONS
from kamioi_web.queries import job_cells, job_list
from kamioi_web.schema import STATUSES, transactions
from kamioi_web.sent_forms import once, order
from kamioi_web.text import identifier

Body = TypeVar("Body", bound=BaseModel)
Status = Annotated[str, Field(json_schema_extra={"enum": [*STATUSES]}, examples=["pending"])]


class NewStatus(BaseModel):
    """The status that a transaction is to have."""

    model_config = ConfigDict(strict=True, extra="forbid")

    status: Status


class BulkChange(BaseModel):
    """What becomes of all transactions under a filter, which is written as in a list's address."""

    model_config = ConfigDict(strict=True, extra="forbid")

    filter: Annotated[dict[str, list[str]], Field(examples=[{"status": ["failed"]}])]
    do: Literal["status", "category", "mapping"]
    to: Annotated[str, Field(description="The new status or category; nothing for mappings.")] = ""
    confirm: Annotated[int | None, Field(description="The number of rows, where it is above 1,000.")] = None


@once
def set_status(connection: Connection, id: int) -> Any:
    """Give one transaction another status; what it already has is no error and no change."""
    wanted = _read(NewStatus).status
    if wanted not in STATUSES:
        raise BadRequest(f"“{wanted[:40]}” is not a status. It is one of: {', '.join(STATUSES)}.", "status")
    here = transactions.c.id == id
    posted_at = connection.scalar(select(transactions.c.posted_at).where(here)) if id < 2**63 else None
    rows = changing.locked(connection, [(id, posted_at)]) if posted_at else ()
    if not rows:
        raise NotFound(f"There is no transaction {id}.")
    changes = [Change(rows[0], {"status": wanted})] if rows[0].status != wanted else []
    changing.write(connection, None, g.admin.id, changes)
    answer: StatusAnswer = {"success": True, "transaction": {**identifier(id), "status": wanted}}
    return jsonify(answer)


@once
def change_many(connection: Connection) -> Any:
    """Order a change of all transactions under a filter; the job tells how far it is."""
    body = _read(BulkChange)
    own: dict[str, list[str]] = {"do": [body.do], f"{body.do}_to": [body.to], "scope": ["all"]}
    wanted = asking.parse(body.filter | {name: texts for name, texts in own.items() if name in asking.OWN})
    view = TRANSACTIONS.view_of(wanted.asked)
    extent = asking.extent_of(wanted, view)
    if wrong := extents.typed_wrong(extent, "" if body.confirm is None else str(body.confirm)):
        raise BadRequest(wrong, "confirm")
    rows = asking.frozen(wanted, view)
    if rows is None:
        raise BadRequest("No transaction matches, so there is nothing to change.", "filter")
    return _job(connection, order(connection, order_of(wanted, extent, rows)), 202)


def steering(wish: str) -> Callable[..., Any]:
    """The view that has a job do that: pause, resume, cancel or retry."""

    @once
    def steer(connection: Connection, id: int) -> Any:
        job_actions.wish_for(connection, id, wish)
        return _job(connection, id, 200)

    return steer


@once
def undo(connection: Connection, id: int) -> Any:
    """Order the undo of a job."""
    return _job(connection, job_actions.order_undo(connection, id), 202)


def _job(connection: Connection, id: int, status: int) -> Any:
    answer: JobAnswer = {"success": True, "job": job_cells.as_json(job_list.find(connection, id))}
    return jsonify(answer), status


def _read(kind: type[Body]) -> Body:
    try:
        return kind.model_validate(request.get_json(silent=True))
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else next(iter(kind.model_fields))
        fields = ", ".join(kind.model_fields)
        raise BadRequest(f"“{name[:40]}”: {first['msg']}. Send a JSON object with {fields}.", name[:40]) from error
