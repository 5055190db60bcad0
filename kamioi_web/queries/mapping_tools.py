"""What stands above the list of mappings: how many merchants came that were not mapped yet."""

from typing import Any

from sqlalchemy import Connection, func, select

from kamioi_web.review.marks import MAPPED
from kamioi_web.review.tables import marks
from kamioi_web.schema import merchants
from kamioi_web.text import number_text

MOST_COUNTED = 999


def tools(view: Any) -> dict[str, str]:
    """The number of new merchants as it is shown, "" for none; kept for some seconds."""
    new = view.figures.aggregates.get("merchants new", lambda: new_merchants(view.connection)).value
    return {"new": f"{MOST_COUNTED}+" if new > MOST_COUNTED else number_text(new) if new else ""}


def new_merchants(connection: Connection) -> int:
    """How many of the merchants that came since their mapping was ordered last have none, of the first thousand."""
    k = merchants.c
    mark = select(marks.c.value).where(marks.c.name == MAPPED).scalar_subquery()
    query = select(k.id, k.mapping_id).where(k.id > func.coalesce(mark, 0)).order_by(k.id)
    return sum(row.mapping_id is None for row in connection.execute(query.limit(MOST_COUNTED + 1)))
