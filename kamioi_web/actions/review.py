"""What a reviewer does: decide a mapping, take a decision back, keep proposals for themselves while they look."""

from flask import Blueprint, g, jsonify, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection, select

from kamioi_web import filters
from kamioi_web.auth.guard import require_role
from kamioi_web.errors import BadRequest
from kamioi_web.pages import MAPPINGS
from kamioi_web.queries import review as queries
from kamioi_web.request_context import record_event
from kamioi_web.review import deciding, effects, queue
from kamioi_web.review.deciding import Answer, Wish
from kamioi_web.review.queue import Spot
from kamioi_web.schema import llm_mappings, merchants
from kamioi_web.sent_forms import once, order
from kamioi_web.sql_types import AnyRow

blueprint = Blueprint("review", __name__)
ROLE = "reviewer"
HREF = f"{MAPPINGS.href}/review"
NONE = "none"
DOES = ("approve", "none", "change", "reject")
MOST_CLAIMED = 10
AHEAD = 2  # the proposal that comes next, and the one behind it


@blueprint.post(f"{MAPPINGS.href}/<int:id>/decide")
@require_role(ROLE)
@once
def decide(connection: Connection, id: int) -> ResponseReturnValue:
    """Decide it, order what follows, and go on to the next proposal, or back to the mapping."""
    decided = carry_out(connection, read_wish(connection, id, request.form.to_dict()))
    if request.form.get("back") == "mapping":
        made = decided.before["made"] or decided.mapping_id
        return redirect(f"{MAPPINGS.href}/{made}", 303)
    spot = Spot.parse(request.form.get("spot", ""), "spot")
    ahead = queue.behind(connection, spot, g.admin.id, AHEAD)
    queue.claim(connection, g.admin.id, [row.id for row in ahead])
    return redirect(f"{HREF}?after={spot}", 303)


@blueprint.post(f"{HREF}/undo")
@require_role(ROLE)
@once
def undo(connection: Connection) -> ResponseReturnValue:
    """Take one's decision back and show its proposal again."""
    decided = deciding.undo(connection, g.admin.id, filters.number(request.form.get("decision", ""), "decision"))
    back = effects.stop(connection, decided)
    if back is not None:
        effects.note_undo(connection, decided.job_id, order(connection, back))
    queue.claim(connection, g.admin.id, [decided.mapping_id])
    return redirect(f"{HREF}?id={decided.mapping_id}", 303)


@blueprint.post(f"{HREF}/claim")
@require_role(ROLE)
@once
def claim(connection: Connection) -> ResponseReturnValue:
    """Keep the proposals that one looks at; those that another reviewer has are named."""
    ids = [filters.number(text, "id") for text in request.form.getlist("id")[:MOST_CLAIMED]]
    kept = queue.claim(connection, g.admin.id, ids)
    return jsonify({"kept": sorted(kept), "taken": [id for id in ids if id not in kept]})


def read_wish(connection: Connection, id: int, form: dict[str, str]) -> Wish:
    """What a form asks for; BadRequest names the field."""
    version = filters.number(form.get("version", ""), "version")
    do = form.get("do", "")
    if do not in DOES:
        raise BadRequest(f"“do” is one of: {', '.join(DOES)}; not “{do[:20]}”.", "do")
    if do == "reject":
        return Wish(id, version, "reject")
    answer = _answer(connection, do, form)
    m = llm_mappings.c
    proposed = connection.execute(select(m.ticker, m.confidence).where(m.id == id)).first()
    same = proposed is not None and proposed.confidence > 0 and answer.ticker == proposed.ticker and not answer.category
    return Wish(id, version, "approve") if same else Wish(id, version, "change", answer)


def carry_out(connection: Connection, wish: Wish) -> AnyRow:
    """Decide, and order the job that applies it; the row of the decision."""
    decided = deciding.decide(connection, g.admin.id, wish, record_event)
    merchant = connection.execute(select(merchants).where(merchants.c.id == decided.merchant_id)).one()
    n = sum(row.n for row in queries.open_sums(connection, decided.merchant_id))
    job = effects.order_of(decided, merchant.name, merchant.ticker or "nobody’s", n)
    if job is not None:
        deciding.applied_by(connection, [decided], order(connection, job))
    return decided


def _answer(connection: Connection, do: str, form: dict[str, str]) -> Answer:
    """What is to be in force: the choice among what is proposed, nobody, or what was typed."""
    text = {"approve": form.get("pick", ""), "none": NONE}.get(do, form.get("ticker", "")).strip()
    category = _category(form) if do == "change" else None
    if text.lower() == NONE:
        return Answer(None, None, category)
    if not text:
        raise BadRequest("Type the ticker of the company, or choose None.", "ticker" if do == "change" else "pick")
    ticker = filters.ticker(text, "ticker")
    company = queries.company_of(connection, ticker)
    if company is None:
        raise BadRequest(
            f"{ticker} is not in the catalogue, and only what is listed can be bought. Check the ticker, or have an "
            "operator run kamioi-web import instruments.",
            "ticker",
        )
    return Answer(ticker, company, category)


def _category(form: dict[str, str]) -> str | None:
    text = form.get("category", "").strip()
    if len(text) > 100:
        raise BadRequest("A category has at most 100 letters.", "category")
    return filters.words(text, "category") or None
