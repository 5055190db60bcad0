"""Proposals become mappings: the sure ones stand at once, the others wait for a reviewer."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, insert, select, update

from kamioi_web.dialects import dialect_of
from kamioi_web.mapping.proposals import Answer, Candidate, Proposal
from kamioi_web.review import weights
from kamioi_web.schema import llm_mappings, merchants
from kamioi_web.sql_types import AnyRow

m = llm_mappings.c


class Made(NamedTuple):
    """A proposal for a merchant, what else it may be, and whether it stands without a person."""

    merchant_id: int
    proposal: Proposal
    alternatives: tuple[Candidate, ...]
    status: str


def add(connection: Connection, made: Sequence[Made]) -> list[int]:
    """Store proposals for merchants that have none, in the caller's transaction; the merchants that are mapped now.

    A merchant that somebody else has mapped meanwhile is left alone.
    """
    taken = _with_mappings(connection, [one.merchant_id for one in made])
    fresh = [one for one in made if one.merchant_id not in taken]
    if not fresh:
        return []
    ids = list(dialect_of(connection).reserve_ids(connection, llm_mappings, len(fresh)))
    now = datetime.now(UTC)
    connection.execute(insert(llm_mappings), [_row(id, one, now) for id, one in zip(ids, fresh, strict=True)])
    approved = [(id, one) for id, one in zip(ids, fresh, strict=True) if one.status == "approved"]
    put_in_force(connection, {one.merchant_id: (id, one.proposal) for id, one in approved})
    weights.weigh(connection, [one.merchant_id for one in fresh if one.status == "pending"])
    return [one.merchant_id for _, one in approved]


def answer(connection: Connection, mapping: AnyRow, said: Answer, status: str) -> dict[str, Any] | None:
    """Make what a model said the proposal of a mapping that waits; what it became, or None where it waits no more."""
    steps = [*(mapping.steps or []), step_of(said)]
    values: dict[str, Any] = {
        "ticker": said.ticker,
        "company": said.company,
        "confidence": said.confidence,
        "source": "llm",
        "model": said.model,
        "rationale": said.reason,
        "steps": steps,
        "status": status,
        "version": mapping.version + 1,
    }
    if status == "approved":
        values["decided_at"] = datetime.now(UTC)
    here = (m.id == mapping.id, m.version == mapping.version, m.status == "pending")
    return values if connection.execute(update(llm_mappings).where(*here).values(values)).rowcount else None


def put_in_force(connection: Connection, chosen: Mapping[int, tuple[int, Proposal | Answer]]) -> None:
    """{merchant: (mapping, what it says)} for merchants that have no mapping in force."""
    if not chosen:
        return
    here = (merchants.c.id == bindparam("merchant"), merchants.c.mapping_id.is_(None))
    names = ("mapping_id", "ticker", "company")
    carry = update(merchants).where(*here).values({name: bindparam(f"new_{name}") for name in names})
    values = [
        {"merchant": merchant, "new_mapping_id": id, "new_ticker": said.ticker, "new_company": said.company}
        for merchant, (id, said) in sorted(chosen.items())
    ]
    connection.execute(carry, values)
    categories = [
        {"merchant": merchant, "new_category": said.category}
        for merchant, (_, said) in sorted(chosen.items())
        if isinstance(said, Proposal) and said.category
    ]
    if categories:
        of = merchants.c.id == bindparam("merchant")
        connection.execute(update(merchants).where(of).values(category=bindparam("new_category")), categories)


def step_of(said: Answer) -> str:
    """What a model said, in a line."""
    answer = f"{said.ticker} ({said.company})" if said.ticker else "nobody that is listed in the US"
    return f"Model {said.model} said {answer} with {said.confidence:.2f}: {said.reason}"


def steps_of(proposal: Proposal) -> list[str]:
    """What each step did, in words."""
    return [*proposal.cleaned.cuts, proposal.reason]


def as_json(candidates: Sequence[Candidate]) -> list[dict[str, Any]]:
    """Alternatives as a mapping keeps them."""
    return [one._asdict() for one in candidates]


def _with_mappings(connection: Connection, merchant_ids: Sequence[int]) -> set[int]:
    return set(connection.scalars(select(m.merchant_id).where(m.merchant_id.in_(merchant_ids))))


def _row(id: int, one: Made, now: datetime) -> dict[str, Any]:
    proposal = one.proposal
    return {
        "id": id,
        "merchant_id": one.merchant_id,
        "ticker": proposal.ticker,
        "company": proposal.company,
        "category": proposal.category,
        "confidence": proposal.confidence,
        "status": one.status,
        "source": "rule",
        "rationale": proposal.reason,
        "decided_at": now if one.status == "approved" else None,
        "version": 1,
        "created_at": now,
        "cleaned": proposal.cleaned.name,
        "steps": steps_of(proposal),
        "alternatives": as_json(one.alternatives),
        "waiting_cents": 0,
    }
