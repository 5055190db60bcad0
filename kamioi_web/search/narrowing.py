"""A list narrowed by what the search box asks for: the address with its filters, or what cannot be understood."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from kamioi_web.errors import BadRequest
from kamioi_web.filters import Parameter, parse_filters
from kamioi_web.list_request import Pairs, with_query
from kamioi_web.search.operators import ALIASES, BOX, ENDS, Asked, operators_of
from kamioi_web.text import LABELS

if TYPE_CHECKING:
    from kamioi_web.table_page import TablePage

SYNONYMS = {label.replace(" ", "_"): value for value, label in LABELS.items()} | {"review": "needs_review"}
Values = Mapping[str, Sequence[tuple[str, int]]]  # the values that a list holds under a parameter, with their rows


def takes(table: "TablePage", asked: Asked) -> bool:
    """Whether that list has every filter that is asked for."""
    own = {parameter.name for parameter in table.subject.PARAMETERS}
    return all(name in own for name in _by_parameter(table, asked))


def narrowed(table: "TablePage", asked: Asked, kept: Pairs, values: Values) -> str:
    """The list's address with its `kept` filters and what is asked for; words replace the words that were there.

    `values` spell a value as the list holds it, whatever its case. BadRequest for what the list cannot filter by.
    """
    parameters = {parameter.name: parameter for parameter in table.subject.PARAMETERS}
    given = _by_parameter(table, asked)
    for name in given:
        if name not in parameters:
            raise BadRequest(f"“{name}:” is no filter of {table.title}. There are: {_offered(table)}.", BOX)
    spelt = [(n, _spelt(parameters[n], text, values.get(n, ()))) for n, texts in given.items() for text in texts]
    replaced = {table.cells.SEARCH[0], f"{table.cells.SEARCH[0]}_id", *given}
    replaced.update(end for ends in ENDS.values() if replaced.intersection(ends) for end in ends)
    pairs = [*(pair for pair in kept if pair[0] not in replaced), *spelt]
    collected: dict[str, list[str]] = {}
    for name, text in pairs:
        collected.setdefault(name, []).append(text)
    parse_filters(table.subject.PARAMETERS, collected)
    return with_query(table.href, [(name, text) for name in parameters for text in collected.get(name, [])])


def _by_parameter(table: "TablePage", asked: Asked) -> dict[str, list[str]]:
    """{parameter: texts}; plain words and the operator of the same parameter make one text."""
    found: dict[str, list[str]] = {}
    looked_for, among = table.cells.SEARCH
    for name, text in asked.pairs:  # user:ann looks for ann in a list that looks for its words in users
        found.setdefault(looked_for if f"{name}s" == among else name, []).append(text)
    words = [*found.pop(looked_for, []), asked.words]
    if text := " ".join(word for word in words if word):
        found[looked_for] = [text]
    return found


def _spelt(parameter: Parameter, text: str, known: Iterable[tuple[str, int]]) -> str:
    """The text as the list writes it: groceries is Groceries, In-Review is needs_review, sbux is SBUX."""
    same = {value.casefold(): value for value, _ in known}
    written = same.get(text.casefold(), text)
    small = text.casefold().replace("-", "_").replace(" ", "_")
    for spelling in (written, small, SYNONYMS.get(small, small)):
        try:
            value = parameter.read(spelling, parameter.name)
        except BadRequest:
            continue
        return value if isinstance(value, str) else spelling
    parameter.read(written, parameter.name)  # says what is wrong with it
    return written


def _offered(table: "TablePage") -> str:
    names = operators_of(table.subject.PARAMETERS) - {*ALIASES, "id"}
    return ", ".join(f"{name}:" for name in sorted(names))
