"""What the API changes: one transaction's status, many by a job, what a job is to do, what a merchant is mapped to."""

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from flask import g, jsonify, request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Connection, select

from kamioi_web import bulk as asking
from kamioi_web import extents, filters, mapping_page
from kamioi_web.actions import jobs as job_actions
from kamioi_web.actions import review as review_actions
from kamioi_web.actions.bulk import order_of
from kamioi_web.api.objects import JobAnswer, StatusAnswer
from kamioi_web.errors import BadRequest, NotFound
from kamioi_web.jobs import changing
from kamioi_web.jobs.changing import Change
from kamioi_web.jobs.store import Refusal
from kamioi_web.pages import TRANSACTIONS
from kamioi_web.queries import job_cells, job_list, mapping_detail
from kamioi_web.queries import review as review_queries
from kamioi_web.review.deciding import Answer, Decided, Wish, why
from kamioi_web.schema import STATUSES, transactions
from kamioi_web.sent_forms import once, order
from kamioi_web.text import identifier

Body = TypeVar("Body", bound=BaseModel)
Status = Annotated[str, Field(json_schema_extra={"enum": [*STATUSES]}, examples=["pending"])]


Version = Annotated[
    int | None,
    Field(
        ge=1, le=2**63 - 1, description="As it was read: if it is another by now, 409 tells who was first, and when."
    ),
]


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


class Decision(BaseModel):
    """Which version of the mapping is meant; may be left out, body and all, for one that still waits."""

    model_config = ConfigDict(strict=True, extra="forbid")

    version: Version = None


class NewAnswer(BaseModel):
    """What the merchant is mapped to instead: a ticker of the catalogue, or null for nobody that is listed."""

    model_config = ConfigDict(strict=True, extra="forbid")

    ticker: Annotated[str | None, Field(pattern=f"^{filters.TICKER}$", examples=["SBUX"])]
    category: Annotated[
        str | None,
        Field(max_length=100, pattern=r"^[^\x00-\x1f]*$", description="The mapping's own, where it is left out."),
    ] = None
    version: Version = None
    company_name: Annotated[str | None, Field(description="The catalogue's counts; what is sent is not kept.")] = None
    merchant_name: Annotated[str | None, Field(description="The merchant's stays; what is sent is not kept.")] = None


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


def decide(action: str) -> Callable[..., Any]:
    """The view that approves or rejects a mapping as it is proposed."""

    @once
    def view(connection: Connection, id: int) -> Any:
        return _decided(connection, id, action, _read(Decision, optional=True).version, None)

    return view


@once
def update_mapping(connection: Connection, id: int) -> Any:
    """Put another answer in force instead of a mapping."""
    body = _read(NewAnswer)
    ticker = filters.ticker(body.ticker, "ticker") if body.ticker is not None else None
    company = review_queries.company_of(connection, ticker) if ticker else None
    if ticker and company is None:
        raise NotFound(f"{ticker} is not in the catalogue, and only what is listed can be bought.")
    category = filters.words(body.category or "", "category") or None
    return _decided(connection, id, "change", body.version, Answer(ticker, company, category))


def _decided(connection: Connection, id: int, action: str, version: int | None, answer: Answer | None) -> Any:
    """Carry it out as the reviewers' page does; without a version, only a mapping that waits is decided."""
    row = mapping_detail.find(connection, id)
    if version is None and row.status != "pending":
        raise Decided(why(connection, row), row)
    if action == "approve" and not row.confidence:
        raise Refusal("This mapping has no answer that could be approved. Update it with one, or reject it.")
    wish = Wish(id, row.version if version is None else version, action, answer)
    decided = review_actions.carry_out(connection, wish)
    return jsonify(mapping_page.answer_of(connection, decided.before["made"] or id))


def _job(connection: Connection, id: int, status: int) -> Any:
    answer: JobAnswer = {"success": True, "job": job_cells.as_json(job_list.find(connection, id))}
    return jsonify(answer), status


def _read(kind: type[Body], optional: bool = False) -> Body:
    try:
        return kind.model_validate({} if optional and not request.get_data() else request.get_json(silent=True))
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else next(iter(kind.model_fields))
        fields = ", ".join(kind.model_fields)
        raise BadRequest(f"“{name[:40]}”: {first['msg']}. Send a JSON object with {fields}.", name[:40]) from error
