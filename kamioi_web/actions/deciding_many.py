"""Deciding many mappings, asking the model about many, removing duplicates: what it comes to, and the order."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, g, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection

from kamioi_web import extents
from kamioi_web.auth.guard import require_role
from kamioi_web.errors import BadRequest
from kamioi_web.extents import Extent
from kamioi_web.jobs.asking import HOW_TO_SET_UP
from kamioi_web.jobs.deciding import FROM
from kamioi_web.jobs.store import Order
from kamioi_web.list_request import ListRequest, parse_list, single, with_query
from kamioi_web.pages import MAPPINGS
from kamioi_web.queries import mappings as subject
from kamioi_web.request_context import settings_of
from kamioi_web.sent_forms import FIELD, once, order
from kamioi_web.text import number_text

blueprint = Blueprint("deciding_many", __name__)
HREF = f"{MAPPINGS.href}/bulk"
ROLE = "operator"
QUEUE = "mapping"
DOES = {
    "approve": "Approve {}",
    "reject": "Reject {}",
    "ask": "Ask the model about {}",
    "duplicates": "Remove the duplicates among {}",
}
BECOMES = {"approve": "approved", "reject": "rejected"}
NOT_ASKED = ("csrf_token", FIELD, "typed")
NO_MODEL = f"No model is set up, so none can be asked. {HOW_TO_SET_UP} Everything else works without one."


@dataclass(frozen=True)
class Asked:
    """What is asked for: what becomes of all mappings under the filter of `list`."""

    list: ListRequest
    do: str

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """All of it, as fields of a form."""
        return [*self.list.pairs, ("do", self.do)]

    def title(self, extent: Extent) -> str:
        return DOES[self.do].format(extent.of("mapping", "mappings"))


@blueprint.get(HREF)
@require_role(ROLE)
def show() -> ResponseReturnValue:
    """How many mappings that is, some of them, and what becomes of them; nothing is changed by looking."""
    values = request.args.to_dict(flat=False)
    asked = parse(values)
    if any(not text.strip() for texts in values.values() for text in texts):
        return redirect(with_query(HREF, asked.pairs))  # a form sends its empty fields too
    return _page(asked)


@blueprint.post(HREF)
@require_role(ROLE)
@once
def change(connection: Connection) -> ResponseReturnValue:
    """Order it for the mappings that there are now, and show the job."""
    asked = parse({name: texts for name, texts in request.form.to_dict(flat=False).items() if name not in NOT_ASKED})
    if asked.do == "ask" and not settings_of().llm_url:
        return _page(asked, 409)
    view = MAPPINGS.view_of(asked.list)
    extent = extents.extent_of(view)
    if wrong := extents.typed_wrong(extent, request.form.get("typed", "")):
        return _page(asked, 400, wrong)
    rows = extents.frozen(MAPPINGS, view)
    if rows is None:
        raise BadRequest("No mapping matches by now, so there is nothing to change.", "filter")
    return redirect(f"/jobs/{order(connection, order_of(asked, extent, rows))}", 303)


def parse(values: dict[str, list[str]]) -> Asked:
    """Read what is asked for; BadRequest names what cannot be taken."""
    asked = parse_list(MAPPINGS.href, subject.PARAMETERS, values, ("do",))
    do = single(values, "do")
    if do not in DOES:
        raise BadRequest(f"“do” is one of: {', '.join(DOES)}; not “{do[:20]}”.", "do")
    return Asked(asked, do)


def order_of(asked: Asked, extent: Extent, rows: dict[str, Any]) -> Order:
    """The job that does it."""
    parameters: dict[str, Any] = {"selection": rows}
    kind = asked.do
    if asked.do in BECOMES:
        kind, parameters["action"] = "decide", asked.do
    total = extent.n if extent.exact else None
    return Order(kind, QUEUE, asked.title(extent), parameters, g.admin.id, total)


def _page(asked: Asked, status: int = 200, error: str = "") -> tuple[str, int]:
    extent = extents.extent_of(MAPPINGS.view_of(asked.list))
    page = {
        "title": asked.title(extent),
        "n": extent.n,
        "instead": NO_MODEL if asked.do == "ask" and not settings_of().llm_url else "",
        "effects": EFFECTS.get(asked.do) or [*_counted(asked.do, extent.by_status), *FOLLOWS[asked.do]],
        "to_type": extent.to_type,
        "error": error,
        "pairs": asked.pairs,
        "action": HREF,
    }
    return extents.ask(MAPPINGS, asked.list, page, status=status)


def _counted(do: str, by_status: dict[str, int]) -> list[str]:
    """What becomes of those of each status; in general where they are not counted."""
    to = BECOMES[do]
    if not by_status:
        return [f"Those that are {' or '.join(FROM[do])} become {to}; the others stay as they are."]
    return [
        f"{number_text(n)} {status} {f'become {to}' if status in FROM[do] else 'stay as they are'}."
        for status, n in sorted(by_status.items(), key=lambda item: -item[1])
    ]


EFFECTS = {
    "ask": [
        "The model is asked about the merchants of those that are pending; mappings that are decided stay as they are.",
        "Its answer becomes the proposal. One that is sure, listed, and not against the rules stands at once and is "
        "applied to the merchant’s open transactions.",
        "A name that this model was asked before, with the same prompt, is answered from what is kept and costs "
        "nothing.",
    ],
    "duplicates": [
        "Of mappings of one merchant with the same ticker and the same category, pending or approved, one is kept: the "
        "one in force, or else the newest.",
        "The others become superseded; none is deleted. Merchants and transactions stay as they are.",
    ],
}
FOLLOWS = {
    "approve": [
        "Those without an answer stay as they are; of several of one merchant one is approved, the others give way.",
        "The merchants’ transactions that are pending, in review or mapped get the ticker, and their round-ups are "
        "allocated; for a merchant that is nobody’s they are completed and their round-ups released.",
        "Completed, failed and rejected transactions stay as they are.",
    ],
    "reject": [
        "Where a mapping in force is rejected, its merchant has none, and the transactions that are mapped and not "
        "completed wait again, their round-ups taken back.",
        "Completed, failed and rejected transactions stay as they are.",
    ],
}
