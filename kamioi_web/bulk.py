"""A bulk change as it is asked for: which transactions, what becomes of them, and what that will come to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kamioi_web import extents
from kamioi_web.errors import BadRequest
from kamioi_web.extents import Extent
from kamioi_web.filters import words
from kamioi_web.jobs import selection
from kamioi_web.list_request import ListRequest, parse_list, single
from kamioi_web.pages import TRANSACTIONS
from kamioi_web.paging.cursor import Cursor
from kamioi_web.queries import transactions as subject
from kamioi_web.schema import STATUSES
from kamioi_web.table_page import View
from kamioi_web.text import STATUS_LABELS

HREF = TRANSACTIONS.bulk
DOES = {
    "status": "Change the status",
    "category": "Change the category",
    "mapping": "Apply the merchants’ mappings again",
}
SCOPES = ("rows", "all")
OWN = ("do", "status_to", "category_to", "scope", "tick")
MOST_TICKED = 150
Values = Mapping[str, list[str]]


@dataclass(frozen=True)
class Bulk:
    """What is asked for: `ticked` rows, or all under the filter of `asked`; `change` as the job keeps it."""

    asked: ListRequest
    change: dict[str, str]
    ticked: tuple[Cursor, ...]

    @property
    def title(self) -> str:
        """What the job will be called, but for the number."""
        to = self.change.get("to", "")
        return {
            "status": f"Change the status of {{}} to {STATUS_LABELS.get(to, to)}",
            "category": f"Change the category of {{}} to {to}",
            "mapping": "Apply the mappings again to {}",
        }[self.change["do"]]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """All of it, as fields of a form."""
        do = self.change["do"]
        own = [("do", do), *([(f"{do}_to", self.change["to"])] if "to" in self.change else [])]
        rows = [("tick", str(place)) for place in self.ticked]
        return [*self.asked.pairs, *own, ("scope", "rows" if self.ticked else "all"), *rows]


def parse(values: Values, also: tuple[str, ...] = ()) -> Bulk:
    """Read what is asked for; BadRequest names what cannot be taken."""
    asked = parse_list(TRANSACTIONS.href, subject.PARAMETERS, values, (*OWN, *also))
    scope = single(values, "scope") or "all"
    if scope not in SCOPES:
        raise BadRequest(f"“scope” is rows or all, not “{scope[:20]}”.", "scope")
    if scope == "all":
        return Bulk(asked, _change(values), ())
    ticked = tuple(dict.fromkeys(Cursor.parse(text, "tick") for text in values.get("tick", [])))
    if not ticked:
        raise BadRequest("No row is ticked. Go back and tick some, or change all that match.", "tick")
    if len(ticked) > MOST_TICKED:
        raise BadRequest(
            f"{len(ticked)} rows are ticked; at most {MOST_TICKED} can be. For more, narrow the list with "
            "filters and change all that match.",
            "tick",
        )
    return Bulk(asked, _change(values), ticked)


def extent_of(bulk: Bulk, view: View) -> Extent:
    """How many rows there are now."""
    return Extent(len(bulk.ticked), True, {}) if bulk.ticked else extents.extent_of(view)


def frozen(bulk: Bulk, view: View) -> dict[str, Any] | None:
    """The rows as a job keeps them, as they are now; None when there is none."""
    if bulk.ticked:
        return selection.of_places([(place.id, place.at) for place in bulk.ticked])
    return extents.frozen(TRANSACTIONS, view)


def _change(values: Values) -> dict[str, str]:
    do = single(values, "do")
    if do not in DOES:
        raise BadRequest(f"“do” is one of: {', '.join(DOES)}; not “{do[:20]}”.", "do")
    if do == "mapping":
        return {"do": do}
    to = single(values, f"{do}_to")
    if do == "status" and to not in STATUSES:
        raise BadRequest(f"“{to[:40]}” is not a status. Choose one of: {', '.join(STATUSES)}.", "status_to")
    if do == "category" and not 0 < len(to) <= 100:
        raise BadRequest("Type the new category, at most 100 letters.", "category_to")
    return {"do": do, "to": words(to, f"{do}_to")}
