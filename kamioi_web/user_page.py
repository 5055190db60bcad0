"""The page of one user, and the same as JSON."""

from datetime import date
from typing import Any

from flask import Blueprint, jsonify, render_template, request
from sqlalchemy import Connection

from kamioi_web import charts, detail
from kamioi_web.api.objects import Holding, UserAnswer, UserTotal
from kamioi_web.charts import Figure, Label, Line
from kamioi_web.figures import Sums
from kamioi_web.list_request import parse_list, with_query
from kamioi_web.money import brief_money, decimal, money
from kamioi_web.pages import TRANSACTIONS, USERS
from kamioi_web.paging.cursor import Cursor
from kamioi_web.queries import user_cells, user_detail, users
from kamioi_web.queries.user_detail import Group
from kamioi_web.request_context import database_connection
from kamioi_web.schema import STATUSES
from kamioi_web.text import STATUS_LABELS, day_text, iso_text, moment_text, month_text, number_text

EMBEDDED = 20  # of the user's transactions
MOST_HOLDINGS = 100


def register(pages: Blueprint) -> None:
    """Give one user its URLs."""
    pages.add_url_rule(f"{USERS.href}/<int:id>", endpoint="user", view_func=show)
    pages.add_url_rule(f"{USERS.href}/<int:id>.json", endpoint="user/json", view_func=show_json)


def show(id: int) -> str:
    """Everything about one user; the filter in the URL decides who is beside them."""
    asked = parse_list(USERS.href, users.PARAMETERS, request.args.to_dict(flat=False), ("at",))
    connection = database_connection()
    row = users.find(connection, id)
    kept = Sums([tuple(part) for part in user_detail.sums(connection, id)])
    groups, reached = user_detail.groups(connection, id)
    place = Cursor(row.created_at, row.id)
    return render_template(
        "users_detail.html",
        user=_shown(row),
        tiles=_tiles(kept, row),
        charts=_charts(groups, kept.currency, row),
        holdings=_holdings(connection, groups, kept.currency, row),
        reached=day_text(reached.at.date().isoformat()) if reached else "",
        transactions=TRANSACTIONS.embed({"user": [row.account_number]}, EMBEDDED),
        history=[*detail.events_of(connection, "user", id), detail.event(row.created_at, "", "joined", [])],
        steps=detail.steps(USERS, asked, place),
        json_href=f"{USERS.href}/{id}.json",
    )


def show_json(id: int) -> Any:
    """One user as the list's JSON gives them, with their totals by status and what they hold."""
    parse_list(USERS.href, (), request.args.to_dict(flat=False), ("at",))
    connection = database_connection()
    row = users.find(connection, id)
    groups, reached = user_detail.groups(connection, id)
    by_status: list[UserTotal] = [
        {"status": status, "currency": currency, "n": n, "amount_cents": amount, "round_up_cents": round_up}
        for status, currency, n, amount, round_up, _ in map(tuple, user_detail.sums(connection, id))
    ]
    held: list[Holding] = [
        {"ticker": ticker, "currency": currency, "n": n, "invested": decimal(cents), "invested_cents": cents}
        for (ticker, currency), (n, cents) in _held(groups).items()
    ]
    found: UserAnswer = {
        "success": True,
        "user": {
            **user_cells.as_json(row, users.beside(connection, [row])),
            "totals": by_status,
            "portfolio": held,
            "portfolio_since": iso_text(reached.at) if reached else None,
        },
    }
    return jsonify(found)


def _shown(row: Any) -> dict[str, Any]:
    place = ", ".join(part for part in (row.city, row.state) if part)
    return {
        "id": row.id,
        "name": row.name,
        "account_number": row.account_number,
        "email": row.email or "",
        "account_type": row.account_type,
        "status": row.status,
        "round_up": money(row.round_up_cents, "USD"),
        "place": place,
        "joined_iso": iso_text(row.created_at),
        "joined": moment_text(row.created_at),
    }


def _tiles(kept: Sums, row: Any) -> list[dict[str, str]]:
    """What they did, in the currency of most of it; each figure leads to its rows."""
    currency = kept.currency
    tiles = [
        {"label": "Transactions", "value": number_text(kept.n), "href": _rows(row)},
        {
            "label": "Spent",
            "value": money(kept.add(3, None, currency), currency),
            "href": _rows(row, currency=currency),
        },
    ]
    invested = money(kept.add(4, "completed", currency), currency)
    tiles.append({"label": "Invested", "value": invested, "href": _rows(row, status="completed", currency=currency)})
    for status in STATUSES:
        if status not in ("completed", "rejected") and (n := kept.add(2, status)):
            label = STATUS_LABELS[status].capitalize()
            tiles.append({"label": label, "value": number_text(n), "href": _rows(row, status=status)})
    return tiles


def _rows(row: Any, **filters: str) -> str:
    return with_query(TRANSACTIONS.href, [("user", row.account_number), *filters.items()])


def _charts(groups: list[Group], currency: str, row: Any) -> list[dict[str, Any]]:
    """Spent and invested by month, each on a scale of its own, without a gap from the first month to the last."""
    ours = [group for group in groups if group.currency == currency]
    found = [group.month for group in ours]
    months = range(min(found), max(found) + 1) if found else range(0)
    spent, invested = dict.fromkeys(months, 0), dict.fromkeys(months, 0)
    for group in ours:
        spent[group.month] += group.amount_cents
        invested[group.month] += group.round_up_cents if group.status == "completed" else 0
    return [_chart("Spent", spent, currency, row), _chart("Invested", invested, currency, row, status="completed")]


def _chart(name: str, by_month: dict[int, int], currency: str, row: Any, **kept: str) -> dict[str, Any]:
    labels = [Label(month_text(month), month_text(month)) for month in by_month]
    figures = [_figure(cents, currency, row, month, kept) for month, cents in by_month.items()]
    lines = [Line(name, figures)]
    return charts.line(name.lower(), f"{name} by month", labels, lines, lambda cents: brief_money(cents, currency))


def _figure(cents: int, currency: str, row: Any, month: int, kept: dict[str, str]) -> Figure:
    first, last = _days(month)
    return Figure(cents, money(cents, currency), _rows(row, since=first, until=last, currency=currency, **kept))


def _days(month: int) -> tuple[str, str]:
    first = date(1970 + month // 12, month % 12 + 1, 1)
    after = date(1970 + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    return first.isoformat(), date.fromordinal(after.toordinal() - 1).isoformat()


def _held(groups: list[Group]) -> dict[tuple[str, str], tuple[int, int]]:
    """{(ticker, currency): (transactions, cents)} of the round-ups that were invested, the largest first."""
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for group in groups:
        if group.ticker and group.status == "completed":
            n, cents = found.get((group.ticker, group.currency), (0, 0))
            found[group.ticker, group.currency] = n + group.n, cents + group.round_up_cents
    return dict(sorted(found.items(), key=lambda item: (-item[1][1], item[0])))


def _holdings(connection: Connection, groups: list[Group], currency: str, row: Any) -> list[dict[str, Any]]:
    held = {ticker: sums for (ticker, code), sums in _held(groups).items() if code == currency}
    names = user_detail.companies(connection, list(held)[:MOST_HOLDINGS])
    total = sum(cents for _, cents in held.values()) or 1
    return [
        {
            "ticker": ticker,
            "company": names.get(ticker, ""),
            "n": number_text(n),
            "invested": money(cents, currency),
            "share": cents / total,
            "percent": f"{cents * 100 / total:.1f} %",
            "href": _rows(row, ticker=ticker, status="completed", currency=currency),
        }
        for ticker, (n, cents) in list(held.items())[:MOST_HOLDINGS]
    ]
