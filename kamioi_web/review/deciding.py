"""Deciding mappings: once each, however many reviewers there are, with everything that follows in one transaction.

A decision is taken only while its mapping is as the reviewer saw it: the statement asks for the version. What was
before stays with it, so that it can be taken back exactly. A mapping that was decided can be decided anew.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from kamioi_web import audit
from kamioi_web.dialects import dialect_of
from kamioi_web.errors import KamioiError, NotFound
from kamioi_web.review import counts
from kamioi_web.review.tables import decisions
from kamioi_web.schema import admins, from_micros, llm_mappings, merchants, to_micros
from kamioi_web.sql_types import AnyRow
from kamioi_web.text import moment_text

m, d = llm_mappings.c, decisions.c
CARRIED = ("ticker", "company", "category", "mapping_id")  # what a merchant has of the mapping in force
PAST = {"approve": "approved", "change": "changed", "reject": "rejected"}
TOLD = {"approved": "approved", "rejected": "rejected", "superseded": "replaced"}


class Decided(KamioiError):
    """Somebody else was first; says who and when, and `mapping` is as it stands now."""

    status = 409

    def __init__(self, words: str, mapping: AnyRow) -> None:
        super().__init__(words)
        self.mapping = mapping


@dataclass(frozen=True)
class Answer:
    """What a merchant is mapped to: a ticker, or None for nobody that is listed."""

    ticker: str | None
    company: str | None
    category: str | None


@dataclass(frozen=True)
class Wish:
    """What a reviewer wants of the proposal that they saw in this version: `answer` instead of the one proposed."""

    mapping_id: int
    version: int
    action: str  # approve, change, reject
    answer: Answer | None = None


def record_plainly(
    connection: Connection, action: str, admin_id: int, subject: str, subject_id: int, **detail: object
) -> None:
    """Tell the audit log where there is no request."""
    audit.record(connection, action, admin_id, subject, subject_id, detail)


def decide(
    connection: Connection,
    admin_id: int,
    wish: Wish,
    record: Callable[..., None] = record_plainly,
    order_job: int | None = None,
) -> AnyRow:
    """Carry out a wish and return its row of `decisions`; Decided when the proposal is another by now.

    `record` tells the audit log; that of a request adds where it came from. `order_job` is the job that decides many.
    """
    merchant = _lock_merchant_of(connection, wish.mapping_id)
    mapping = _take(connection, admin_id, wish)
    before = _before(mapping, merchant)
    if wish.action != "reject":
        made = _made(connection, admin_id, mapping, wish)
        before |= {"made": made.id if made.id != mapping.id else None, "left": made.id}
        before["closed"] = _close_others(connection, mapping.merchant_id, made.id)
        carry(connection, mapping.merchant_id, made.id, Answer(made.ticker, made.company, made.category))
    elif merchant.mapping_id == mapping.id:
        before["left"] = None
        carry(connection, mapping.merchant_id, None, Answer(None, None, None))
    if mapping.status == "pending":
        counts.add(connection, admin_id, mapping, wish.action, 1)
    values = {"admin_id": admin_id, "action": wish.action, "mapping_id": mapping.id, "before": before}
    values |= {"merchant_id": mapping.merchant_id, "at": dialect_of(connection).later(0), "order_job": order_job}
    row = connection.execute(insert(decisions).values(values).returning(decisions)).one()
    record(connection, f"mapping.{PAST[wish.action]}", admin_id, "mapping", mapping.id, **_told(mapping, wish))
    return row


def undo(connection: Connection, admin_id: int, decision_id: int) -> AnyRow:
    """Take a decision back: the proposal waits again and the merchant is what it was; Decided when it cannot be."""
    row = connection.execute(select(decisions).where(d.id == decision_id).with_for_update()).first()
    if row is None or row.admin_id != admin_id:
        raise NotFound(f"There is no decision {decision_id} of yours.")
    merchant = _lock_merchant_of(connection, row.mapping_id)
    mapping = connection.execute(select(llm_mappings).where(m.id == row.mapping_id).with_for_update()).one()
    if row.undone_at is not None:
        raise Decided("This decision was taken back already.", mapping)
    if merchant.mapping_id != row.before["left"]:
        raise Decided("This merchant was mapped again since, so the decision stands as it is.", mapping)
    _put_back(connection, row, merchant)
    if row.before["status"] == "pending":
        counts.add(connection, admin_id, mapping, row.action, -1, row.at)
    connection.execute(update(decisions).where(d.id == row.id).values(undone_at=dialect_of(connection).later(0)))
    audit.record(connection, "mapping.undone", admin_id, "mapping", mapping.id, {"decision": row.action})
    return row


def last_of(connection: Connection, admin_id: int) -> AnyRow | None:
    """The newest decision of an admin that stands, if it is among their newest hundred."""
    newest = select(decisions).where(d.admin_id == admin_id, d.order_job.is_(None)).order_by(d.id.desc()).limit(100)
    return next((row for row in connection.execute(newest) if row.undone_at is None), None)


def carry(connection: Connection, merchant_id: int, mapping_id: int | None, answer: Answer) -> None:
    """Put a mapping in force for its merchant."""
    values = {"ticker": answer.ticker, "company": answer.company, "mapping_id": mapping_id}
    if answer.category:
        values["category"] = answer.category
    connection.execute(update(merchants).where(merchants.c.id == merchant_id).values(values))


def _lock_merchant_of(connection: Connection, mapping_id: int) -> AnyRow:
    """The merchant of a mapping, locked before any of its mappings: two who decide about one merchant take turns."""
    of = select(m.merchant_id).where(m.id == mapping_id).scalar_subquery()
    found = connection.execute(select(merchants).where(merchants.c.id == of).with_for_update()).first()
    if found is None:
        raise NotFound(f"There is no mapping {mapping_id}.")
    return found


def _take(connection: Connection, admin_id: int, wish: Wish) -> AnyRow:
    """Make the proposal ours to decide, and return it as it was."""
    mapping = connection.execute(select(llm_mappings).where(m.id == wish.mapping_id).with_for_update()).one()
    values: dict[str, Any] = {
        "status": "approved" if wish.action == "approve" else "rejected",
        "decided_by": admin_id,
        "decided_at": dialect_of(connection).later(0),
        "version": m.version + 1,
        "claimed_by": None,
        "claimed_until": None,
    }
    here = (m.id == wish.mapping_id, m.version == wish.version)
    if not connection.execute(update(llm_mappings).where(*here).values(values)).rowcount:
        raise Decided(why(connection, mapping), mapping)
    return mapping


def why(connection: Connection, mapping: AnyRow) -> str:
    """Who was first, and when."""
    if mapping.status == "pending":
        return "This proposal was changed since you opened it. Look at it again, then decide."
    by = connection.scalar(select(admins.c.email).where(admins.c.id == mapping.decided_by))
    when = f" at {moment_text(mapping.decided_at)}" if mapping.decided_at else ""
    return f"Already {TOLD[mapping.status]}{f' by {by}' if by else ''}{when}. Your decision changed nothing."


def _made(connection: Connection, admin_id: int, mapping: AnyRow, wish: Wish) -> AnyRow:
    """The mapping that comes into force: the proposal itself, or the reviewer's own answer."""
    if wish.action == "approve" or wish.answer is None:
        return mapping
    now = dialect_of(connection).later(0)
    values: dict[str, Any] = {
        "merchant_id": mapping.merchant_id,
        "ticker": wish.answer.ticker,
        "company": wish.answer.company,
        "category": wish.answer.category or mapping.category,
        "confidence": 1.0,
        "status": "approved",
        "source": "admin",
        "cleaned": mapping.cleaned,
        "decided_by": admin_id,
        "decided_at": now,
        "version": 1,
        "created_at": now,
        "waiting_cents": 0,
    }
    return connection.execute(insert(llm_mappings).values(values).returning(llm_mappings)).one()


def _close_others(connection: Connection, merchant_id: int, in_force: int) -> list[list[Any]]:
    """Every other mapping of the merchant that is approved or waits gives way; [id, status] of each as it was."""
    others = (m.merchant_id == merchant_id, m.id != in_force, m.status.in_(("approved", "pending")))
    closed = [[row.id, row.status] for row in connection.execute(select(m.id, m.status).where(*others).order_by(m.id))]
    if closed:
        replaced = {"status": "superseded", "version": m.version + 1, "claimed_by": None, "claimed_until": None}
        connection.execute(update(llm_mappings).where(m.id.in_([id for id, _ in closed])).values(replaced))
    return closed


def _put_back(connection: Connection, row: AnyRow, merchant: AnyRow) -> None:
    at = row.before["decided_at"]
    was = {"status": row.before["status"], "decided_by": row.before["decided_by"], "version": m.version + 1}
    was["decided_at"] = None if at is None else from_micros(at)
    connection.execute(update(llm_mappings).where(m.id == row.mapping_id).values(was))
    if row.before["made"]:
        gone = {"status": "superseded", "version": m.version + 1}
        connection.execute(update(llm_mappings).where(m.id == row.before["made"]).values(gone))
    for id, status in row.before["closed"]:
        back = {"status": status, "version": m.version + 1}
        connection.execute(update(llm_mappings).where(m.id == id, m.status == "superseded").values(back))
    connection.execute(update(merchants).where(merchants.c.id == merchant.id).values(row.before["merchant"]))


def _before(mapping: AnyRow, merchant: AnyRow) -> dict[str, Any]:
    """What undo puts back; `left` is the mapping that the merchant has after the decision."""
    return {
        "status": mapping.status,
        "decided_by": mapping.decided_by,
        "decided_at": None if mapping.decided_at is None else to_micros(mapping.decided_at),
        "merchant": {name: getattr(merchant, name) for name in CARRIED},
        "left": merchant.mapping_id,
        "made": None,
        "closed": [],
    }


def _told(mapping: AnyRow, wish: Wish) -> dict[str, Any]:
    """What the audit log says of it."""
    answer = wish.answer
    to = {"to": answer.ticker or "none"} if answer and wish.action == "change" else {}
    return {"proposed": mapping.ticker or "none", "confidence": mapping.confidence, "version": wish.version} | to


def applied_by(connection: Connection, rows: Sequence[AnyRow], job_id: int) -> None:
    """Note the job that brings these decisions about."""
    ids = [row.id for row in rows]
    connection.execute(update(decisions).where(d.id.in_(ids)).values(job_id=job_id))
