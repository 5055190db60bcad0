"""The transactions page, its fragments, its JSON twin and the page of one transaction."""

import html
import re
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from bs4 import BeautifulSoup
from conftest import micros
from flask.testing import FlaskClient
from helpers import (
    FILTERS,
    add_directory,
    cursor_of,
    get,
    ids_in,
    random_rows,
    sentinel,
    stored,
    total_in,
    url,
)
from hypothesis import HealthCheck, given, settings, strategies
from sqlalchemy import insert, update

from kamioi_web.db import Database
from kamioi_web.schema import allocations, merchants, transactions, users

EXACT = [query for query in FILTERS if not re.search(r"amount|source|merchant_id=1&user", query)]
HOSTILE = [
    '<script>alert("1")</script>',
    "\"' onmouseover='x",
    '=HYPERLINK("http://x")',
    "\u202eevil\u2066",
    "&amp;</td>",
]


@pytest.fixture
def filled(database: Database, make_transactions: Callable[..., None]) -> None:
    """900 random rows in the database."""
    add_directory(database)
    make_transactions(random_rows(900))


def soup(text: str) -> Any:
    closed = text.replace("<td", "</td><td").replace("<tr ", "</td></tr><tr ")  # the rows leave end tags out
    return BeautifulSoup(closed, "html.parser")


@pytest.mark.usefixtures("filled")
def test_each_filter_states_its_total_and_shows_its_newest_rows(client: FlaskClient, database: Database) -> None:
    for query in FILTERS:
        there = stored(database, query)
        page = get(client, url("/transactions", query)).text
        name, total = total_in(page)
        if query in EXACT:
            assert (name, total) == ("data-total", len(there)), query
        elif name == "data-total":
            assert total == len(there), query
        else:
            assert total <= len(there), query
        assert ids_in(page) == [row.id for row in there[:100]], query


@pytest.mark.usefixtures("filled")
def test_pages_rows_and_dates_open_at_their_place(make_client: Callable[..., FlaskClient], database: Database) -> None:
    client = make_client(chunk_rows=30)
    for query in ("", "status=failed", "category=Dining", "ticker=SBUX", "user=I1", "currency=CAD"):
        there = [row.id for row in stored(database, query)]
        pages = -(-len(there) // 30)
        for page in {1, 2, pages // 2 + 1, pages}:
            wanted = there[(page - 1) * 30 : page * 30]
            assert ids_in(get(client, url("/transactions", query, page=page)).text) == wanted, (query, page)
        for row in (1, 7, len(there)):
            assert ids_in(get(client, url("/transactions", query, row=row)).text)[0] == there[row - 1]
        beyond = get(client, url("/transactions", query, page=pages + 1), 404)
        assert f"the list has {len(there):,} rows on {pages:,} pages" in beyond.text
        assert 'href="/transactions"' in beyond.text
        get(client, url("/transactions", query, page=2**63 - 1), 404)
        get(client, url("/transactions", query, row=len(there) + 1), 404)
        before = [row.id for row in stored(database, f"{query}&until=2024-08-25")]
        assert ids_in(get(client, url("/transactions", query, date="2024-08-25")).text) == before[:30]


@pytest.mark.usefixtures("filled")
def test_the_ends_of_the_list_are_reached_by_links(make_client: Callable[..., FlaskClient], database: Database) -> None:
    client = make_client(chunk_rows=30)
    for query in FILTERS:
        there = [row.id for row in stored(database, query)]
        page = get(client, url("/transactions", query)).text
        oldest = html.unescape(re.findall(r'href="([^"]+)" rel="last"', page)[0])
        end = get(client, oldest).text
        found = ids_in(end) or ids_in(get(client, sentinel(end, "newer") or "/nowhere").text)
        assert found[-1] == there[-1], query
        newest = html.unescape(re.findall(r'href="([^"]+)" rel="first"', end)[0])
        assert ids_in(get(client, newest).text) == there[:30], query


@pytest.mark.usefixtures("filled")
def test_links_without_javascript_walk_the_whole_list_both_ways(
    make_client: Callable[..., FlaskClient], database: Database
) -> None:
    client = make_client(chunk_rows=30)
    for query in ("", "status=failed", "category=Dining"):
        there = [row.id for row in stored(database, query)]
        address: str | None = url("/transactions", query)
        seen: list[int] = []
        last = ""
        while address:
            last = get(client, address).text
            seen += [id for id in ids_in(last) if id not in seen[-1:]]
            address = plain_link(last, "older")
        assert seen == there, query
        back: list[int] = ids_in(last)
        for _ in range(60):
            address = plain_link(last, "newer")
            if address is None:
                break
            last = get(client, address).text
            back = [id for id in ids_in(last) if id not in back] + back
        assert back == there, query


def plain_link(page: str, side: str) -> str | None:
    """The address of the link inside a sentinel."""
    parameter = {"older": "after=", "newer": "before="}[side]
    for body in soup(page).select("tbody.more"):
        if parameter in body.get("hx-get", ""):
            return body.find("a")["href"]
    return None


@pytest.mark.usefixtures("filled")
def test_chips_name_the_filters_and_remove_them(client: FlaskClient) -> None:
    query = "status=failed&status=rejected&merchant=shop&since=2024-02-01&amount_min=5"
    page = soup(get(client, url("/transactions", query)).text)
    chips = {chip.contents[0].strip(): (chip.b.text, chip["href"]) for chip in page.select(".chips .chip")}
    assert {name: value for name, (value, _) in chips.items()} == {
        "Status": "failed, rejected",
        "Merchant": "shop",
        "Posted": "from 1 Feb 2024",
        "Amount": "5 to any",
    }
    for name, removed in {
        "Status": "status",
        "Merchant": "merchant",
        "Posted": "since",
        "Amount": "amount_min",
    }.items():
        left = "&".join(part for part in query.split("&") if not part.startswith(removed + "="))
        assert chips[name][1] == f"/transactions?{left}"
        get(client, chips[name][1])
    assert {link["href"] for link in page.find_all("a", string="Clear all")} == {"/transactions"}


@pytest.mark.usefixtures("filled")
def test_changing_the_filter_keeps_what_it_does_not_name(client: FlaskClient) -> None:
    page = soup(get(client, "/transactions?merchant_id=3&currency=USD&status=failed").text)
    form = page.select_one("#filter-form")
    assert {(field["name"], field["value"]) for field in form.select("input[type=hidden]")} == {
        ("merchant_id", "3"),
        ("currency", "USD"),
    }
    assert [box["value"] for box in form.select("input[name=status][checked]")] == ["failed"]


@pytest.mark.usefixtures("filled")
def test_a_merchant_by_name_and_one_by_number_narrow_together_or_not_at_all(client: FlaskClient) -> None:
    answer = client.get("/transactions?merchant_id=3&merchant=no-such-shop")
    assert answer.status_code == 400 or ids_in(answer.text) == []


def test_an_empty_database_says_so(client: FlaskClient) -> None:
    page = get(client, "/transactions").text
    assert total_in(page) == ("data-total", 0)
    assert "There are no transactions yet." in page
    for query in (*FILTERS, "date=2024-03-14", "at=2024-03-14T00:00:00Z~5", "page=1"):
        if "user" in query or "merchant_id" in query:
            get(client, url("/transactions", query), 404)
            continue
        assert ids_in(get(client, url("/transactions", query)).text) == []
    get(client, "/transactions?page=2", 404)
    for part in ("/summary", "/timeline", "/rows?after=2024-03-14T00:00:00Z~5"):
        get(client, f"/transactions{part}", htmx=True)
    assert get(client, "/api/admin/transactions").json["transactions"] == []


@pytest.mark.usefixtures("filled")
def test_an_empty_result_suggests_what_to_remove(client: FlaskClient) -> None:
    for query in (
        "status=failed&since=2030-01-01",
        "since=2024-03-05&until=2024-03-01",
        "merchant=nobody&status=failed",
    ):
        page = soup(get(client, url("/transactions", query)).text)
        empty = page.select_one("tbody.empty")
        assert "No transactions match." in empty.text
        assert len(empty.select("a")) == len(page.select(".chips .chip"))
        for link in empty.select("a"):
            get(client, link["href"])


@pytest.mark.usefixtures("filled")
def test_a_place_older_than_every_row_is_no_empty_list(client: FlaskClient, database: Database) -> None:
    for query in ("", "status=failed", "source=manual"):
        page = get(client, url("/transactions", query, at="1990-01-01T00:00:00Z~5")).text
        assert "No transactions match" not in page
        assert "There are no transactions yet" not in page
        assert ids_in(get(client, sentinel(page, "newer") or "/nowhere").text)[-1] == stored(database, query)[-1].id


def test_hostile_text_is_only_text(
    client: FlaskClient, database: Database, make_transactions: Callable[..., None]
) -> None:
    made = micros("2023-01-01T00:00:00")
    columns = ["id", "descriptor", "name", "first_seen", "last_seen"]
    rows = [(number, text, f"{text} {number}", made, made) for number, text in enumerate(HOSTILE, 1)]
    people = [(1, "I<b>1\"'", "a@b.c", "<i>name</i>", "individual", "active", 100, made)]
    named = ["id", "account_number", "email", "name", "account_type", "status", "round_up_cents", "created_at"]
    with database.writing() as connection:
        database.dialect.bulk_insert(connection, merchants, columns, rows)
        database.dialect.bulk_insert(connection, users, named, people)
    category = '<b title="x">Fuel</b>'
    make_transactions([{"merchant_id": number, "category": category} for number, *_ in rows])
    page = get(client, "/transactions").text
    tree = soup(page)
    for number, text in enumerate(HOSTILE, 1):
        row = tree.select_one(f"#transaction-{number}")
        assert row.select_one(".c-merchant a").text == f"{text} {number}"
        assert row.select_one(".c-merchant code").text == text
        assert row.select_one(".c-category").text.strip() == category
        detail = get(client, html.unescape(row.select_one(".c-merchant a")["href"])).text
        assert soup(detail).h1.text == f"{text} {number}"
        assert "<script>alert" not in detail + page
        searched = get(client, url("/transactions", merchant=text)).text
        assert soup(searched).select_one("#search")["value"] == text
        assert "<script>alert" not in searched
        assert number in ids_in(searched)
    link = tree.select_one("#transaction-1 .c-user a")["href"]
    assert ids_in(get(client, link).text) == [5, 4, 3, 2, 1], "the link to a user leads to the user"
    assert not re.findall(r"<(\w+)[^>]*\son\w+=", page)
    assert get(client, "/api/admin/transactions").headers["Content-Type"] == "application/json"


def test_the_link_to_a_user_survives_signs_that_mean_something_in_addresses(
    client: FlaskClient, database: Database, make_transactions: Callable[..., None]
) -> None:
    add_directory(database)
    make_transactions([{"user_id": 1}])
    with database.writing() as connection:
        connection.execute(update(users).where(users.c.id == 1).values(account_number="R&D #1+2"))
    page = soup(get(client, "/transactions").text)
    assert ids_in(get(client, page.select_one("#transaction-1 .c-user a")["href"]).text) == [1]
    detail = soup(get(client, "/transactions/1").text)
    assert ids_in(get(client, detail.select_one(".pairs a")["href"]).text) == [1]


def test_whoever_is_not_logged_in_is_sent_to_the_login(client: FlaskClient) -> None:
    client = client.application.test_client()
    for path in ("/transactions", "/transactions?status=failed&page=3", "/transactions/5"):
        answer = client.get(path)
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith("/login?next=/transactions")
        assert "<table" not in answer.text
    for part in ("/rows?after=2024-03-14T00:00:00Z~5", "/summary", "/timeline", "/newer"):
        answer = client.get(f"/transactions{part}", headers={"HX-Request": "true"})
        assert answer.status_code == 401
        assert answer.headers["HX-Redirect"].startswith("/login")
    for path in ("/api/admin/transactions", "/transactions.json", "/transactions/5.json", "/api/admin/transactions/5"):
        answer = get(client, path, 401)
        assert answer.json["success"] is False


WORDS = strategies.one_of(
    strategies.text(max_size=30),
    strategies.sampled_from(
        [
            "",
            " ",
            "0",
            "-1",
            "1",
            "2",
            "²",
            "--5",
            "1e9",
            "9" * 18,
            "9" * 30,
            "9223372036854775807",
            "9223372036854775808",
            "failed",
            "completed",
            "all",
            "%",
            "_",
            "'",
            '"',
            "\\",
            "\x00",
            "\ud800",
            "ab",
            "shop",
            "I1",
            "a@b.c",
            "SBUX",
            "brk.b",
            "USD",
            "usd",
            "2024-02-29",
            "2024-02-31",
            "0000-00-00",
            "2199-12-31",
            "9999-12-31",
            "1970-01-01",
            "12.50",
            "-0.01",
            "1,000",
            "$5",
            "1.234",
            "２",
            "2024-03-14T09:49:13Z~5",
            "9999-12-31T23:59:59.999999Z~9223372036854775807",
            "1970-01-01T00:00:00Z~0",
            "x" * 201,
            "week",
            "user",
            "family",
            "manual",
        ]
    ),
)
NAMES = strategies.sampled_from(
    [
        "status",
        "account_type",
        "category",
        "ticker",
        "merchant",
        "merchant_id",
        "user",
        "since",
        "until",
        "amount_min",
        "amount_max",
        "source",
        "currency",
        "at",
        "page",
        "row",
        "date",
        "after",
        "before",
        "from",
        "limit",
        "per_page",
        "search",
        "cursor",
        "dashboard",
        "dateFilter",
        "nonsense",
        "<b>",
        "status[]",
        "",
    ]
)
PATHS = strategies.sampled_from(
    [
        "/transactions",
        "/transactions",
        "/transactions/rows",
        "/transactions/summary",
        "/transactions/timeline",
        "/transactions/newer",
        "/transactions.json",
        "/api/admin/transactions",
        "/transactions/1",
        "/transactions/1.json",
    ]
)


@given(path=PATHS, pairs=strategies.lists(strategies.tuples(NAMES, WORDS), max_size=4), htmx=strategies.booleans())
@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def check_any_query(client: FlaskClient, path: str, pairs: list[tuple[str, str]], htmx: bool) -> None:
    query = "&".join(f"{quote(name)}={quote(value, errors='surrogatepass')}" for name, value in pairs)
    answer = client.get(f"{path}?{query}", headers={"HX-Request": "true"} if htmx else {})
    assert answer.status_code in (200, 302, 400, 404), (path, query, answer.status_code)
    if answer.status_code == 302:
        assert "=&" not in answer.headers["Location"]
        assert client.get(answer.headers["Location"]).status_code in (200, 400, 404)


@pytest.mark.usefixtures("filled")
def test_any_query_is_answered_or_refused_in_words(client: FlaskClient) -> None:
    check_any_query(client)


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    "query",
    [
        "nonsense=1",
        "status=nonsense",
        "status=Failed",
        "since=2024-02-31",
        "since=14.03.2024",
        "page=0",
        "page=-1",
        "page=1.5",
        "page=1&page=2",
        "page=1&row=1",
        "at=2024-03-14T09:49:13Z~5&date=2024-03-14",
        "row=9223372036854775808",
        "ticker=TOOLONGTICKER",
        "currency=DOLLARS",
        "amount_min=ten",
        "amount_min=1&amount_min=2",
        "merchant=a%00b",
        "merchant=" + "x" * 201,
        "&".join(["status=failed"] * 21),
        "merchant_id=0",
        "user=a&user=b",
    ],
)
def test_what_cannot_be_understood_is_refused_by_name(client: FlaskClient, query: str) -> None:
    name = query.partition("=")[0]
    page = get(client, f"/transactions?{query}", 400)
    takes = ("date in the calendar", "is not an amount")  # those two say what they take
    assert name in page.text or name.replace("_", " ") in page.text or any(words in page.text for words in takes)
    assert 'href="/transactions"' in page.text
    assert not ids_in(page.text)
    if name not in ("page", "row", "at"):
        row = get(client, f"/transactions/rows?after=2024-03-14T09:49:13Z~5&{query}", 400, htmx=True)
        assert row.text.lstrip().startswith("<tbody")
    if name not in ("row", "at"):
        assert get(client, f"/api/admin/transactions?{query}", 400).json["success"] is False


@pytest.mark.usefixtures("filled")
def test_who_does_not_exist_is_not_found(client: FlaskClient) -> None:
    for query in ("user=nobody", "user=nobody@example.com", "merchant_id=999999"):
        get(client, f"/transactions?{query}", 404)
        assert get(client, f"/api/admin/transactions?{query}", 404).json["success"] is False
    for id in ("0", "999999", str(2**63 - 1), str(2**63), "9" * 40):
        assert 'href="/transactions"' in get(client, f"/transactions/{id}", 404).text
        assert get(client, f"/transactions/{id}.json", 404).json["success"] is False
        get(client, f"/api/admin/transactions/{id}", 404)
    for id in ("x", "-1", "1.5", "1%00", "%F0%9F%A4%96"):
        get(client, f"/transactions/{id}", 404)


@pytest.mark.usefixtures("filled")
def test_a_form_with_empty_fields_leads_to_the_short_address(client: FlaskClient) -> None:
    answer = get(client, "/transactions?status=failed&merchant=&user=&since=&page=2", 302)
    assert answer.headers["Location"] == "/transactions?status=failed&page=2"


# The JSON twin.


@pytest.mark.usefixtures("filled")
def test_json_gives_the_rows_of_the_page(client: FlaskClient, database: Database) -> None:
    for query in FILTERS:
        there = stored(database, query)
        answer = get(client, url("/api/admin/transactions", query, limit=100)).json
        assert [row["id"] for row in answer["transactions"]] == ids_in(get(client, url("/transactions", query)).text)
        assert answer["total"] == (len(there) if query in EXACT else None), query
        assert answer["meta"]["exact"] == (query in EXACT)
    one, row = answer["transactions"][0], there[0]
    assert one["id_text"] == str(row.id)
    assert one["cursor"] == cursor_of(row)
    assert one["amount_cents"] == row.amount_cents
    assert one["total_debit_cents"] == row.amount_cents + row.round_up_cents + row.fee_cents
    assert (one["merchant"], one["description"], one["account_number"]) == (
        row.merchant,
        row.descriptor,
        row.account_number,
    )


@pytest.mark.usefixtures("filled")
def test_json_is_walked_by_cursor_and_by_page(client: FlaskClient, database: Database) -> None:
    for query in ("", "status=failed&status=rejected", "source=manual", "user=I1"):
        wanted = [row.id for row in stored(database, query)]
        by_cursor: list[int] = []
        cursor: str | None = ""
        while cursor is not None:
            extra = {"cursor": cursor} if cursor else {}
            answer = get(client, url("/api/admin/transactions", query, limit=70, **extra)).json
            by_cursor += [row["id"] for row in answer["transactions"]]
            cursor = answer["pagination"]["next_cursor"]
        assert by_cursor == wanted
        if answer["total"] is None:
            continue
        pages = answer["pagination"]["totalPages"]
        assert pages == -(-len(wanted) // 70)
        by_page = [
            get(client, url("/transactions.json", query, limit=70, page=page)).json for page in range(1, pages + 2)
        ]
        assert [row["id"] for page in by_page for row in page["transactions"]] == wanted
        assert by_page[-1]["transactions"] == []
        assert [page["meta"]["has_next"] for page in by_page] == [True] * (pages - 1) + [False] * 2


@pytest.mark.usefixtures("filled")
def test_json_limits_are_clamped_and_say_so(client: FlaskClient) -> None:
    for given_limit, taken in (("1000", 100), ("0", 1), ("-5", 1), ("9" * 30, 100)):
        answer = get(client, url("/api/admin/transactions", limit=given_limit)).json
        assert len(answer["transactions"]) == answer["pagination"]["limit"] == taken
        assert "goes from 1 to 100" in answer["meta"]["notes"][0]
    assert get(client, "/api/admin/transactions").json["meta"]["notes"] == []
    assert len(get(client, "/api/admin/transactions?per_page=7").json["transactions"]) == 7
    for query in (
        "limit=ten",
        "limit=²",
        "limit=--5",
        "limit=1.5",
        "limit=5&limit=6",
        "limit=5&per_page=6",
        "cursor=2024-03-14T09:49:13Z~5&page=2",
        "dateFilter=decade",
        "dateFilter=week&since=2024-01-01",
        "dashboard=user&account_type=family",
        "dashboard=nobody",
    ):
        get(client, f"/api/admin/transactions?{query}", 400)


@pytest.mark.usefixtures("filled")
def test_json_takes_the_words_of_the_old_clients(client: FlaskClient, database: Database) -> None:
    pairs = {
        "status=all&dashboard=all&dateFilter=all&search=": "",
        "dashboard=user": "account_type=individual",
        "dashboard=family&status=failed": "account_type=family&status=failed",
        "search=shop%20beta": "merchant=shop%20beta",
        "dateFilter=": "",
    }
    for old, query in pairs.items():
        answer = get(client, f"/api/admin/transactions?{old}&limit=100").json
        assert [row["id"] for row in answer["transactions"]] == [row.id for row in stored(database, query)[:100]], old


@pytest.mark.usefixtures("filled")
def test_json_stats_are_the_sums_of_the_filter(client: FlaskClient, database: Database) -> None:
    for query in (
        "",
        "status=failed&status=mapped&status=completed",
        "account_type=family",
        "user=I1",
        "currency=CAD",
        "since=2024-02-01&until=2024-09-30",
        "since=2024-02-01&until=2024-09-30&category=Dining",
    ):
        rows = stored(database, query)
        stats = get(client, url("/api/admin/transactions", query, limit=1)).json["stats"]
        currency = Counter(row.currency for row in rows).most_common(1)[0][0]
        ours = [row for row in rows if row.currency == currency]
        assert stats["totalTransactions"] == len(rows)
        assert stats["currency"] == currency
        for name, kept in {
            "totalRoundUps": ours,
            "availableToInvest": [r for r in ours if r.status == "mapped"],
            "totalInvested": [r for r in ours if r.status == "completed"],
        }.items():
            cents = sum(row.round_up_cents for row in kept)
            assert stats[name] == cents / 100
        types = Counter(row.account_type for row in rows)
        if "user" not in query:
            assert stats["userTransactions"] == types["individual"]
            assert stats["familyTransactions"] == types["family"]
            assert stats["businessTransactions"] == types["business"]


# The fragments around the rows.


@pytest.mark.usefixtures("filled")
def test_the_summary_adds_up_one_currency(client: FlaskClient, database: Database) -> None:
    for query in ("", "currency=CAD", "status=failed", "user=I2", "source=manual", "amount_max=-0.01"):
        rows = stored(database, query)
        answer = get(client, url("/transactions/summary", query), htmx=True)
        assert answer.headers["X-Fragment"] == "1"
        tiles = {
            tile.select_one(".tile-label").text: tile.strong.text
            for tile in soup(answer.text).select(".tile")
            if tile.strong
        }
        currency = "CAD" if "CAD" in query else Counter(row.currency for row in rows).most_common(1)[0][0]
        ours = [row for row in rows if row.currency == currency]
        assert tiles == {
            "Volume": shown(sum(row.amount_cents for row in ours), currency),
            "Invested": shown(sum(row.round_up_cents for row in ours if row.status == "completed"), currency),
            "Pending": f"{sum(row.status == 'pending' for row in rows):,}",
            "Failed": f"{sum(row.status == 'failed' for row in rows):,}",
        }, query
        pairs = [(pair.dt.text, pair.dd.text) for pair in soup(answer.text).select(".tile-pairs div")]
        assert pairs == [
            ("Round-ups", shown(sum(row.round_up_cents for row in ours), currency)),
            ("Fees", shown(sum(row.fee_cents for row in ours), currency)),
        ], query
        links = soup(answer.text).select(".currencies a")
        assert {link.text for link in links} == ({row.currency for row in rows} if "CAD" not in query else set())


def shown(cents: int, currency: str) -> str:
    sign, size = ("−" if cents < 0 else ""), abs(cents)
    return f"{sign}{'CA$' if currency == 'CAD' else '$'}{size // 100:,}.{size % 100:02d}"


@pytest.mark.usefixtures("filled")
def test_the_timeline_is_the_histogram_of_the_filter(client: FlaskClient, database: Database) -> None:
    for query in ("", "status=failed", "category=Dining", "since=2024-02-01&until=2024-03-10", "currency=CAD"):
        rows = stored(database, query)
        tree = soup(get(client, url("/transactions/timeline", query), htmx=True).text)
        # The link of a bar opens at its last day.
        bars = {re.findall(r"date=([\d-]+)", bar["href"])[0]: bar for bar in tree.select("svg a")}
        numbers = {day: int(bar.title.text.rpartition(": ")[2].replace(",", "")) for day, bar in bars.items()}
        days = list(bars)
        assert 1 < len(days) <= 90
        assert days == sorted(days, reverse=True)
        assert sum(numbers.values()) == len(rows)
        for day, older in zip(days, [*days[1:], ""], strict=True):
            inside = [row for row in rows if older < row.posted_at.date().isoformat() <= day]
            assert numbers[day] == len(inside) or query == "category=Dining", (query, day)  # that is kept by month
            if inside and day in days[::9]:
                assert ids_in(get(client, bars[day]["href"]).text)[0] == inside[0].id


@pytest.mark.usefixtures("filled")
def test_newer_rows_are_counted(client: FlaskClient, database: Database) -> None:
    for query in ("", "status=failed", "merchant=shop%20beta"):
        page = get(client, url("/transactions", query)).text
        link = html.unescape(re.findall(r'id="newer" hx-get="([^"]+)"', page)[0])
        assert "newer" not in soup(get(client, link, htmx=True).text).text
        newest = stored(database, query)[0]
        values = {name: getattr(newest, name) for name in newest._fields if name in transactions.c and name != "id"}
        later = [values["posted_at"], values["posted_at"], values["posted_at"].replace(year=2027)]
        with database.writing() as connection:
            for number, at in enumerate(later):
                changes = {"posted_at": at, "source_ref": f"{query}-{number}", "merchant_id": 3, "status": "failed"}
                connection.execute(insert(transactions).values(**values | changes))
            elsewhere = {"posted_at": values["posted_at"].replace(year=2020), "source_ref": f"{query}-old"}
            connection.execute(insert(transactions).values(**values | elsewhere))
        notice = soup(get(client, link, htmx=True).text)
        assert notice.text.strip().startswith("3 newer rows")
        assert len(ids_in(get(client, notice.a["href"]).text)) > 3


# One transaction.


@pytest.mark.usefixtures("filled")
def test_detail_walks_the_filtered_list(client: FlaskClient, database: Database) -> None:
    for query in ("", "status=failed", "amount_min=100&source=bank"):
        there = stored(database, query)[:12]
        page = get(client, url("/transactions", query)).text
        address = html.unescape(re.findall(r'c-merchant"><a href="([^"]+)"', page)[0])
        seen = []
        for row in there:
            tree = soup(get(client, address).text)
            seen.append(int(re.findall(r"/transactions/(\d+)", address)[0]))
            assert bool(tree.select_one("a[rel=prev]")) == (row is not there[0])
            back = tree.select_one("a[data-key=back]")["href"]
            assert ids_in(get(client, back).text)[0] == row.id
            address = tree.select_one("a[rel=next]")["href"]
        assert seen == [row.id for row in there]
        newer = soup(get(client, address).text).select_one("a[rel=prev]")["href"]
        assert f"/{there[-1].id}?" in newer


@pytest.mark.usefixtures("filled")
def test_detail_shows_the_shares_of_the_round_up(client: FlaskClient, database: Database) -> None:
    row = next(row for row in stored(database, "status=failed") if row.ticker is None)
    with database.writing() as connection:
        connection.execute(update(transactions).where(transactions.c.id == row.id).values(round_up_cents=100))
        for ticker, cents in (("AAPL", 34), ("SBUX", 33), ("MSFT", 33)):
            share = {"transaction_id": row.id, "user_id": row.user_id, "ticker": ticker, "amount_cents": cents}
            connection.execute(insert(allocations).values(**share, created_at=row.created_at))
    for address in (f"/transactions/{row.id}", f"/transactions/{row.id}?at={cursor_of(row)}"):
        tree = soup(get(client, address).text)
        cells = [[cell.text for cell in line.select("td")] for line in tree.select(".plain-table tbody tr")]
        sign = "CA$" if row.currency == "CAD" else "$"
        assert cells == [
            ["AAPL", "34 %", f"{sign}0.34"],
            ["MSFT", "33 %", f"{sign}0.33"],
            ["SBUX", "33 %", f"{sign}0.33"],
        ]
        assert tree.select_one("tfoot td").text == f"{sign}1.00"
    shares = get(client, f"/transactions/{row.id}.json").json["transaction"]["allocations"]
    assert sum(share["allocation_cents"] for share in shares) == 100


@pytest.mark.usefixtures("filled")
def test_a_load_gives_each_round_up_to_its_ticker(client: FlaskClient, database: Database) -> None:
    for row in stored(database)[::40]:
        shares = get(client, f"/transactions/{row.id}.json?at={cursor_of(row)}").json["transaction"]["allocations"]
        invested = row.ticker is not None and row.status in ("mapped", "completed") and row.round_up_cents > 0
        assert sum(share["allocation_cents"] for share in shares) == (row.round_up_cents if invested else 0)


@pytest.mark.usefixtures("filled")
def test_a_detail_link_with_a_time_that_is_no_longer_right_still_leads_there(
    client: FlaskClient, database: Database
) -> None:
    row = stored(database)[5]
    moved = row.posted_at.replace(year=2023)
    with database.writing() as connection:
        connection.execute(update(transactions).where(transactions.c.id == row.id).values(posted_at=moved))
    tree = soup(get(client, f"/transactions/{row.id}?at={cursor_of(row)}").text)
    assert tree.select_one("time")["datetime"] == moved.isoformat().replace("+00:00", "Z")
