"""What the search box offers while one types: the rest of an operator, its values with their rows, what is found."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection

from kamioi_web.auth.sessions import Admin
from kamioi_web.pages import PAGES, TRANSACTIONS
from kamioi_web.queries import search
from kamioi_web.search import results
from kamioi_web.search.operators import ALIASES, ENDS, EXAMPLES
from kamioi_web.search.results import Row, Section
from kamioi_web.search.terms import UNSEEN, Term, quoted, split
from kamioi_web.table_page import TablePage
from kamioi_web.text import LABELS, number_text

MOST = 6  # rows of one kind
CANDIDATES = 60
WRITTEN = {"account_type": "account"}  # how an operator is written where its own name is long
Value = tuple[str, int, str]  # a value, its rows, and what it is


@dataclass(frozen=True)
class Typed:
    """What stands in the box: the term that is being typed, what stands before it, and all plain words if none else."""

    before: str
    term: Term
    words: str


def suggest(
    connection: Connection, admin: Admin, text: str, table: TablePage | None, operators: Collection[str]
) -> list[Section]:
    """Sections of what the text may become; rows with `fill` go on in the box, the others lead somewhere."""
    typed = _read(text, operators)
    if not text.strip():
        found = [_pages(admin), Section("views", "Saved views", results.views(connection, admin)[:MOST])]
        return [section for section in (*found, _examples(operators)) if section.rows]
    if typed.term.operator:
        found = [Section("values", "Values", _values(connection, typed, table)[:MOST])]
    else:
        found = [
            Section("values", "Filters", _filters(connection, typed, table, operators)[:MOST]),
            *(_holding(connection, admin, typed.words) if typed.words else ()),
        ]
    return [section for section in found if section.rows]


def _read(text: str, operators: Collection[str]) -> Typed:
    text = UNSEEN.sub("", text)
    terms = [*split(text, operators)]
    term = terms[-1] if terms and terms[-1].end == len(text) else Term("", "", len(text), len(text))
    plain = all(not one.operator for one in terms)
    return Typed(text[: term.begin], term, " ".join(one.text for one in terms) if plain else "")


def _holding(connection: Connection, admin: Admin, text: str) -> list[Section]:
    """Merchants, users, companies, pages and views that hold the text, and likelier spellings."""
    found = results.sections(connection, admin, text, {}, MOST, CANDIDATES)
    hits = next((len(section.rows) for section in found if section.name == "merchants"), 0)
    better = results.corrections(connection, text, hits, "/search", (("q", text),))
    return [Section("corrections", "Did you mean", better), *found]


def _filters(connection: Connection, typed: Typed, table: TablePage | None, operators: Collection[str]) -> list[Row]:
    """Operators that begin with what is typed, and values that do."""
    begun = typed.term.text.casefold()
    if not begun:
        return []
    rows = [
        Row(f"{_written(name)}:", "", note=", ".join(EXAMPLES[name][:2]), fill=f"{typed.before}{_written(name)}:")
        for name in EXAMPLES
        if name in operators and _written(name).startswith(begun)
    ]
    counts = (table or TRANSACTIONS).counts(connection)
    values = [(name, value, n) for name, found in counts.items() for value, n in found if n]
    begins = [one for one in values if len(begun) > 1 and _label(one[1]).casefold().startswith(begun)]
    return [*rows, *(_value(typed.before, _written(name), [value], n) for name, value, n in begins)]


def _values(connection: Connection, typed: Typed, table: TablePage | None) -> list[Row]:
    """Values of the operator that is being typed, with the rows of each where they are kept."""
    operator, values = typed.term.operator, typed.term.values
    begun = "" if typed.term.value.endswith(",") or not values else values[-1]
    earlier = values[:-1] if begun else values
    name = ALIASES.get(operator, operator)
    known = LOOKED_UP[name](connection, begun) if name in LOOKED_UP else _kept(connection, name, begun, table)
    return [_value(typed.before, operator, [*earlier, value], n, note) for value, n, note in known]


def _kept(connection: Connection, name: str, begun: str, table: TablePage | None) -> list[Value]:
    """The values that a list knows, those that begin with the text before those that hold it."""
    text = begun.casefold()
    found = [value for value in _known(connection, name, table) if text in _label(value[0]).casefold()]
    return sorted(found, key=lambda value: not _label(value[0]).casefold().startswith(text))


def _known(connection: Connection, name: str, table: TablePage | None) -> list[Value]:
    if name in ENDS["date"] or name == "date":
        now = datetime.now(UTC)
        return [("today", 0, ""), ("yesterday", 0, ""), ("7d", 0, "the last 7 days"), ("30d", 0, "the last 30 days"),
                (f"{now:%Y-%m}", 0, "this month"), (f"{now:%Y}", 0, "this year")]  # fmt: skip
    for page in (*([table] if table else ()), *PAGES):
        if taken := next((one for one in page.subject.PARAMETERS if one.name == name), None):
            counts = dict(page.counts(connection).get(name, ()))
            possible = taken.read.takes.get("enum", ())
            return [(value, counts.get(value, 0), "") for value in dict.fromkeys([*counts, *possible])]
    return [(example.partition(":")[2], 0, "") for example in EXAMPLES.get(name, ())]


def _users(connection: Connection, begun: str) -> list[Value]:
    found, done = search.users_holding(connection, begun, MOST) if begun else (search.Found([], False), {})
    return [(row.account_number, done[row.id].n if row.id in done else 0, row.name) for row in found.rows]


def _merchants(connection: Connection, begun: str) -> list[Value]:
    """Names of merchants, each once, with the transactions of those that were found."""
    if not begun:
        return []
    found, sums = search.merchants_holding(connection, begun, CANDIDATES, CANDIDATES)
    counts: dict[str, int] = {}
    for row in found.rows:
        counts[row.name] = counts.get(row.name, 0) + sums.get(row.id, search.Sum()).n
    return [(name, n if found.complete else 0, "") for name, n in counts.items()]


def _tickers(connection: Connection, begun: str) -> list[Value]:
    found, sums = search.companies_holding(connection, begun, MOST) if begun else (search.Found([], False), {})
    return [(row.ticker, sums.get(row.ticker, search.Sum()).n, row.company) for row in found.rows]


LOOKED_UP = {"user": _users, "merchant": _merchants, "ticker": _tickers}


def _value(before: str, operator: str, values: Sequence[str], n: int, note: str = "") -> Row:
    """A row that completes an operator with these values."""
    written = f"{operator}:{','.join(quoted(_label(value)) for value in values)}"
    return Row(written, "", note=note, figure=number_text(n) if n else "", fill=f"{before}{written} ")


def _label(value: str) -> str:
    return LABELS.get(value, value)


def _written(name: str) -> str:
    return WRITTEN.get(name, name)


def _pages(admin: Admin) -> Section:
    return Section("pages", "Pages", results.pages(admin))


def _examples(operators: Collection[str]) -> Section:
    """The operators, for those who have not typed anything yet."""
    rows = [
        Row(f"{_written(name)}:", "", note=", ".join(examples[:2]), fill=f"{_written(name)}:")
        for name, examples in EXAMPLES.items()
        if name in operators
    ]
    return Section("operators", "Operators", rows)
