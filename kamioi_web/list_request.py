"""What the URL of a list asks for: its filters, the place to open at, and the links that keep them."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from kamioi_web.errors import BadRequest
from kamioi_web.filters import Parameter, day, number, parse_filters, refuse_unknown
from kamioi_web.paging.cursor import Cursor

Pairs = tuple[tuple[str, str], ...]
PLACES = ("at", "after", "before", "page", "row", "date")


@dataclass(frozen=True)
class ListRequest:
    """A parsed URL: `given` are the filters' values, `pairs` their text as it stands in links.

    `whole` is what the list's own URL must say to show all rows, where it would else open an admin's default view.
    """

    href: str
    given: Mapping[str, Any]
    pairs: Pairs
    at: Cursor | None = None  # open with this row first; after and before open beyond it
    after: Cursor | None = None
    before: Cursor | None = None
    page: int | None = None
    row: int | None = None
    date: datetime.date | None = None
    whole: Pairs = ()

    @property
    def all_href(self) -> str:
        """The list without filters."""
        return self.link(without=tuple(name for name, _ in self.pairs))

    def link(self, *extra: tuple[str, object], without: tuple[str, ...] = (), under: str = "") -> str:
        """The list's URL (or one under it) with these filters, some left out and some added."""
        kept = [pair for pair in self.pairs if pair[0] not in without]
        asked = [*kept, *((name, str(value)) for name, value in extra)]
        return with_query(self.href + under, asked or (() if under else self.whole))


def parse_list(
    href: str, parameters: Sequence[Parameter], values: Mapping[str, list[str]], also: Sequence[str] = ()
) -> ListRequest:
    """Read a list's URL; `also` names parameters that the caller reads itself. BadRequest says what is wrong."""
    refuse_unknown(values, [parameter.name for parameter in parameters] + [*also])
    given = parse_filters(parameters, values)
    pairs = tuple((p.name, text.strip()) for p in parameters for text in values.get(p.name, []) if text.strip())
    places = [name for name in PLACES if name in also and "".join(values.get(name, [])).strip()]
    if len(places) > 1:
        raise BadRequest(f"“{places[0]}” and “{places[1]}” both name a place to open at; give one.", places[1])
    found = {name: _place(name, single(values, name)) for name in places}
    return ListRequest(href, given, pairs, **found)


def single(values: Mapping[str, list[str]], name: str) -> str:
    """The one value of a parameter, '' when it is not given; BadRequest when it is given twice."""
    texts = values.get(name, [])
    if len(texts) > 1:
        raise BadRequest(f"“{name}” is given {len(texts)} times; it takes one value.", name)
    return texts[0].strip() if texts else ""


def with_query(href: str, pairs: Sequence[tuple[str, str]]) -> str:
    """A URL with these parameters; cursors and dates stay readable in it."""
    query = urlencode(pairs, quote_via=quote, safe=":~,")
    return f"{href}?{query}" if query else href


def _place(name: str, text: str) -> Any:
    if name in ("at", "after", "before"):
        return Cursor.parse(text, name)
    return day(text, name) if name == "date" else number(text, name)
