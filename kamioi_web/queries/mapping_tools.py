"""What stands above the list of mappings: how many proposals wait, and how many merchants came that were not mapped."""

from typing import Any

from sqlalchemy import Connection, func, select

from kamioi_web.queries import review
from kamioi_web.review import marks
from kamioi_web.schema import merchants
from kamioi_web.text import number_text

MOST_COUNTED = 999


def tools(view: Any) -> dict[str, str]:
    """The numbers of the tools, as they are shown; "" for none. Kept for some seconds."""
    kept, connection = view.figures.aggregates, view.connection
    waiting = kept.get("proposals waiting", lambda: review.waiting(connection)).value
    new = kept.get("merchants new", lambda: new_merchants(connection)).value
    return {"waiting": number_text(waiting) if waiting else "", "new": _most(new) if new else ""}


def new_merchants(connection: Connection) -> int:
    """How many merchants came since their mapping was ordered last, counted no further than one above MOST_COUNTED."""
    above = select(merchants.c.id).where(merchants.c.id > marks.read(connection, marks.MAPPED)).limit(MOST_COUNTED + 1)
    return connection.scalar(select(func.count()).select_from(above.subquery())) or 0


def _most(n: int) -> str:
    return number_text(n) if n <= MOST_COUNTED else f"{MOST_COUNTED}+"
