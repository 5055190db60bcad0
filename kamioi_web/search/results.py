"""What a text is found in, as sections of links: each row leads to its object, each figure to the rows behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from kamioi_web.auth.sessions import Admin
from kamioi_web.list_request import Pairs, with_query
from kamioi_web.money import money
from kamioi_web.navigation import NAV
from kamioi_web.pages import PAGES, TRANSACTIONS, USERS
from kamioi_web.queries import saved_views, search, search_words
from kamioi_web.queries import users as user_queries
from kamioi_web.saved_views import address
from kamioi_web.search.narrowing import Values
from kamioi_web.table_page import TablePage
from kamioi_web.text import STATUS_LABELS, number_text

SHOWN = 20  # merchants; of the rest half as many
CANDIDATES = 200  # merchants that hold the text, of which the best are shown
VALUES = ("status", "category", "account_type", "kind")  # parameters whose values are worth finding
TABLES = {page.name: page for page in PAGES}


@dataclass(frozen=True)
class Row:
    """One thing that was found: a link, what stands beside it, and a figure with the rows behind it."""

    title: str
    href: str
    code: str = ""
    note: str = ""
    figure: str = ""
    figure_href: str = ""
    money: str = ""
    fill: str = ""  # what choosing it puts into the box, where it leads nowhere yet


@dataclass(frozen=True)
class Section:
    """Rows of one kind, and the link to all of them."""

    name: str
    title: str
    rows: Sequence[Row]
    more: Row | None = None


def sections(
    connection: Connection, admin: Admin, text: str, values: Values, most: int = SHOWN, candidates: int = CANDIDATES
) -> list[Section]:
    """Everything that holds a text, the empty sections left out; `values` are those of the transactions' filters."""
    few = max(1, most // 2)
    found = (
        _transaction(connection, text),
        _merchants(connection, text, most, candidates),
        _users(connection, text, few),
        _companies(connection, text, few),
        _values(text, values, few),
        Section("pages", "Pages", pages(admin, text)[:few]),
        Section("views", "Saved views", views(connection, admin, text)[:few]),
    )
    return [section for section in found if section.rows]


def pages(admin: Admin, text: str = "") -> list[Row]:
    """The pages that an admin may open whose title holds the text."""
    links = (link for link in NAV if admin.may(link.role) and text.casefold() in link.title.casefold())
    return [Row(link.title, link.href) for link in links]


def views(connection: Connection, admin: Admin, text: str = "") -> list[Row]:
    """The saved views that an admin may open whose name holds the text, the own ones first."""
    return [
        Row(view.name, address(table, view.query), note=_kind_of_view(table, view.admin_id != admin.id))
        for view in saved_views.visible(connection, admin.id)
        if text.casefold() in view.name.casefold() and (table := TABLES.get(view.page)) and admin.may(table.role)
    ]


def corrections(connection: Connection, text: str, hits: int, address: str, pairs: Pairs, most: int = 3) -> list[Row]:
    """Links to the same search with a likelier word: the parameter at the end of `pairs` takes the text."""
    name = pairs[-1][0]
    return [
        Row(other, with_query(address, [*pairs[:-1], (name, other)]), figure=_merchants_text(n))
        for other, n in search_words.corrections(connection, text, hits, most)
    ]


def of_users(connection: Connection, ids: Sequence[int], href: Any) -> list[Row]:
    """Users to choose from; `href` makes each row's link from its account number."""
    rows = [user_queries.find(connection, id) for id in ids]
    return [Row(row.name, href(row.account_number), row.account_number, row.email or "") for row in rows]


def _kind_of_view(table: TablePage, others: bool) -> str:
    return f"{table.title}, shared" if others else table.title


def _transaction(connection: Connection, text: str) -> Section:
    known = text.isascii() and text.isdigit() and search.has_transaction(connection, int(text))
    rows = [Row(f"Transaction {int(text)}", f"{TRANSACTIONS.href}/{int(text)}")] if known else []
    return Section("transaction", "Transaction", rows)


def _merchants(connection: Connection, text: str, most: int, candidates: int) -> Section:
    found, sums = search.merchants_holding(connection, text, most, candidates)
    rows = [_merchant(row, sums.get(row.id, search.Sum())) for row in found.rows]
    href = with_query(TRANSACTIONS.href, [("merchant", text)])
    n = sum(one.n for one in sums.values())
    of_all = f"All {_transactions_text(n)}" if found.complete else "The transactions of all of them"
    return Section("merchants", "Merchants", rows, Row(of_all, href))


def _merchant(row: Any, known: search.Sum) -> Row:
    rows_href = f"{TRANSACTIONS.href}?merchant_id={row.id}"
    href = f"{TABLES['merchants'].href}/{row.id}" if "merchants" in TABLES else rows_href
    return Row(row.name, href, row.descriptor, row.ticker or "", *_sum(known, rows_href))


def _users(connection: Connection, text: str, most: int) -> Section:
    found, done = search.users_holding(connection, text, most)
    rows = []
    for row in found.rows:
        did = done.get(row.id, user_queries.NOTHING)
        known = search.Sum(did.n, did.currency, did.spent_cents)
        their = with_query(TRANSACTIONS.href, [("user", row.account_number)])
        rows.append(Row(row.name, f"{USERS.href}/{row.id}", row.account_number, row.email or "", *_sum(known, their)))
    more = Row("All of them", with_query(USERS.href, [("search", text)])) if found.more else None
    return Section("users", "Users", rows, more)


def _companies(connection: Connection, text: str, most: int) -> Section:
    found, sums = search.companies_holding(connection, text, most)
    rows = []
    for row in found.rows:
        href = with_query(TRANSACTIONS.href, [("ticker", row.ticker)])
        rows.append(Row(row.company, href, row.ticker, "", *_sum(sums.get(row.ticker, search.Sum()), href)))
    return Section("companies", "Companies", rows)


def _values(text: str, values: Values, most: int) -> Section:
    """Values of the transactions' filters that hold the text, with their rows."""
    rows = []
    for name in VALUES:
        for value, n in values.get(name, ()):
            label = STATUS_LABELS.get(value, value)
            if text.casefold() in label.casefold():
                href = with_query(TRANSACTIONS.href, [(name, value)])
                rows.append(Row(label, href, "", name.replace("_type", ""), *_figure(n, href)))
    return Section("values", "Transactions by", rows[:most])


def _figure(n: int, href: str) -> tuple[str, str]:
    return (_transactions_text(n), href) if n else ("", "")


def _sum(known: search.Sum, href: str) -> tuple[str, str, str]:
    return (*_figure(known.n, href), money(known.amount_cents, known.currency) if known.n else "")


def _transactions_text(n: int) -> str:
    return f"{number_text(n)} {'transaction' if n == 1 else 'transactions'}"


def _merchants_text(n: int | None) -> str:
    if n is None:
        return "more than 50 merchants"
    return f"{number_text(n)} {'merchant' if n == 1 else 'merchants'}"
