"""The search box's answers: straight to the one thing that is meant, a list narrowed, or a page of what was found."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, g, make_response, redirect, render_template, request
from sqlalchemy import Connection

from kamioi_web.errors import BadRequest, NotFound
from kamioi_web.list_request import Pairs, parse_list, single, with_query
from kamioi_web.pages import PAGES, TRANSACTIONS, USERS
from kamioi_web.queries import merchants as merchant_queries
from kamioi_web.queries import search
from kamioi_web.queries import users as user_queries
from kamioi_web.request_context import database_connection
from kamioi_web.saved_views import parse, whole_list
from kamioi_web.search import results, suggestions
from kamioi_web.search.narrowing import narrowed, takes
from kamioi_web.search.operators import BOX, EXAMPLES, Asked, operators_of, read, refuse
from kamioi_web.search.results import Row, Section
from kamioi_web.table_page import TablePage

HREF = "/search"
MOST_CHOICES = 11  # users to choose from
OPERATORS = frozenset().union(*(operators_of(page.subject.PARAMETERS) for page in PAGES))


@dataclass(frozen=True)
class Box:
    """What was typed, the list whose box it was typed into, and the filters that list had."""

    typed: str
    table: TablePage | None = None
    kept: Pairs = ()

    def link(self, typed: str) -> str:
        """The search for another text from the same box."""
        return with_query(HREF, [*self.pairs, (BOX, typed)])

    @property
    def pairs(self) -> list[tuple[str, str]]:
        return [("in", self.table.name), *self.kept] if self.table else []


def register(pages: Blueprint) -> None:
    """Give the search its URLs."""
    pages.add_url_rule(HREF, endpoint="search", view_func=show)
    pages.add_url_rule(f"{HREF}/suggest", endpoint="search/suggest", view_func=suggest)


def show() -> Any:
    """Where the text leads, or a page of what it is found in."""
    box = _read_box(request.args.to_dict(flat=False))
    try:
        asked = read(box.typed, OPERATORS)
        found = _destination(database_connection(), asked, box)
    except (BadRequest, NotFound) as error:
        return _page(box, message=str(error)), 400
    if isinstance(found, Section):
        return _page(box, [found])
    if found:
        return redirect(found, 303)
    return _found(database_connection(), asked.words, box) if asked.words else _page(box)


def suggest() -> Response:
    """What the text may become: options of the list below the box."""
    box = _read_box(request.args.to_dict(flat=False))
    connection, hint, sections = database_connection(), "", []
    try:
        refuse(box.typed)
        sections = suggestions.suggest(connection, g.admin, box.typed, box.table, _operators_of(box.table))
        if not sections:
            read(box.typed, OPERATORS)
    except BadRequest as error:
        hint = str(error)
    response = make_response(render_template("search_suggestions.html", sections=sections, hint=hint))
    response.headers["X-Fragment"] = "1"
    return response


def _operators_of(table: TablePage | None) -> Collection[str]:
    return operators_of(table.subject.PARAMETERS) if table else OPERATORS


def _read_box(values: Mapping[str, list[str]]) -> Box:
    given = {name: texts for name, texts in values.items() if name not in (BOX, "in")}
    single(values, BOX)
    typed, name = "".join(values.get(BOX, [])), single(values, "in")
    table = next((page for page in _tables() if page.name == name), None)
    if name and table is None:
        names = ", ".join(page.name for page in _tables())
        raise BadRequest(f"There is no list “{name[:40]}”. “in” takes one of: {names}.", "in")
    asked = parse_list(table.href if table else HREF, table.subject.PARAMETERS if table else (), given)
    return Box(typed, table, asked.pairs)


def _tables() -> list[TablePage]:
    return [page for page in PAGES if g.admin.may(page.role)]


def _destination(connection: Connection, asked: Asked, box: Box) -> str | Section | None:
    """The page of the one thing or of the list that is meant, users to choose from, or None: the results page."""
    if asked.id is not None:
        return _by_id(connection, asked, box.table)
    objects = _objects(connection, asked, box.table)
    if objects:
        return objects[0] if len(objects) == 1 else None
    if box.table is None and not asked.pairs:
        return None
    table = box.table or next((page for page in _tables() if takes(page, asked)), None)
    if table is None:
        names = ", ".join(dict.fromkeys(f"“{name}:”" for name, _ in asked.pairs))
        raise BadRequest(f"No list can be narrowed by all of these: {names}.", BOX)
    return _narrowed(connection, table, asked, box.kept)


def _by_id(connection: Connection, asked: Asked, table: TablePage | None) -> str:
    """The page of a row of that list; outside of lists, of a transaction."""
    if asked.words or asked.pairs:
        raise BadRequest("“id:” names one thing, so it stands alone. Take the rest away.", BOX)
    assert asked.id is not None
    if table in (None, TRANSACTIONS) and not search.has_transaction(connection, asked.id):
        raise NotFound(f"There is no transaction {asked.id}.")
    return f"{(table or TRANSACTIONS).href}/{asked.id}"


def _objects(connection: Connection, asked: Asked, table: TablePage | None) -> list[str]:
    """The pages of everything whose id, number or e-mail the text is; more than one where it may mean several."""
    text = asked.words
    among_admins = table is not None and table.cells.SEARCH[1] == "admins"  # whose e-mails are no users'
    if asked.pairs or not text or " " in text or among_admins:
        return []
    people = [f"{USERS.href}/{id}" for id in user_queries.exactly(connection, text)]
    if table is USERS:
        return people if len(people) == 1 else []  # the list shows those who share a number
    if not (text.isascii() and text.isdigit()):
        return people
    bought = [f"{TRANSACTIONS.href}/{int(text)}"] if search.has_transaction(connection, int(text)) else []
    found = [*bought, *people]
    named = found and merchant_queries.matching(connection, text, 0) is None
    return [*found, with_query(TRANSACTIONS.href, [("merchant", text)])] if named else found


def _narrowed(connection: Connection, table: TablePage, asked: Asked, kept: Pairs) -> str | Section:
    """The list's address, its user named by number; or the users to choose from when several are meant."""
    values = table.counts(connection) if asked.pairs else {}
    if not asked.words and not asked.pairs and not kept:
        return with_query(table.href, whole_list(table.name))
    name = next((text for key, text in asked.pairs if key == "user"), "")
    if not name or "user" not in {parameter.name for parameter in table.subject.PARAMETERS}:
        href = narrowed(table, asked, kept, values)
        table.subject.resolve(connection, parse(table, urlsplit(href).query).given)  # says what does not exist
        return href

    def of(number: str) -> str:
        pairs = tuple((key, number if (key, text) == ("user", name) else text) for key, text in asked.pairs)
        return narrowed(table, replace(asked, pairs=pairs), kept, values)

    ids = user_queries.first_matching(connection, name, MOST_CHOICES)
    if not ids:
        raise NotFound(f"There is no user “{name[:60]}”. Give an account number such as I1000042, an e-mail or a name.")
    choices = results.of_users(connection, ids, of)
    return choices[0].href if len(choices) == 1 else Section("users", f"Which user is “{name[:60]}”?", choices)


def _found(connection: Connection, text: str, box: Box) -> str:
    """The page of everything that holds a text, and of likelier spellings."""
    sections = results.sections(connection, g.admin, text, TRANSACTIONS.counts(connection))
    merchants = next((section.rows for section in sections if section.name == "merchants"), ())
    better = results.corrections(connection, text, len(merchants), HREF, (*box.pairs, (BOX, text)))
    return _page(box, sections, corrections=better, nothing=text if not sections else "")


def _page(box: Box, sections: Sequence[Section] = (), **more: Any) -> str:
    shown = "".join(letter for letter in box.typed if ord(letter) >= 32 or letter.isspace())
    explained = "message" in more or not sections
    return render_template(
        "search.html",
        search_box={"in": box.table.name if box.table else "", "kept": box.kept, "value": shown},
        back=box.table and Row(f"Back to {box.table.title}", with_query(box.table.href, box.kept)),
        sections=[*sections, *(_offered() if explained else ())],
        operators=_operators(box) if explained else (),
        **more,
    )


def _offered() -> list[Section]:
    """The pages and saved views, which the palette offers where scripts run."""
    pages, views = results.pages(g.admin), results.views(database_connection(), g.admin)
    found = (Section("pages", "Pages", pages), Section("views", "Saved views", views))
    return [section for section in found if section.rows]


def _operators(box: Box) -> list[Row]:
    """The operators with examples that can be followed."""
    offered = _operators_of(box.table)
    examples = [example for name, examples in EXAMPLES.items() if name in offered for example in examples]
    return [Row(example, box.link(example)) for example in examples if not example.startswith("id:")]
