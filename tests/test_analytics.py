"""The Analytics page: every figure leads to rows that come to it, one address holds the view, panels fail alone."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import pytest
from bs4 import BeautifulSoup
from conftest import micros
from flask.testing import FlaskClient
from helpers import add_directory, get, random_rows, statements_of, stored, total_in, url
from sqlalchemy import text as sql

from kamioi_web import analytics_page, analytics_tables, totals
from kamioi_web.db import Database
from kamioi_web.errors import TooSlow

PANELS = ("tiles", "trend", "funnel", "failures", "accounts", "categories", "tickers", "merchants")
ADDRESSES = (
    "since=2024-02-01&until=2024-08-31",
    "since=2024-02-11&until=2024-09-05&by=week",
    "since=2024-08-20&until=2024-08-26&currency=CAD",
    "since=2024-02-29&until=2024-02-29",
    "since=2024-02-11&until=2024-09-05&by=month&category=Fuel%20%26%20Co&category=Travel",
    "since=2024-01-01&until=2025-12-31&account_type=family&account_type=business",
    "since=2019-01-01&until=2019-03-31",
)
MONEY = re.compile(r"(−?)(?:CA)?\$([\d,]+)\.(\d\d)")


@pytest.fixture
def filled(database: Database, make_transactions: Callable[..., None]) -> Database:
    """900 random rows in two currencies; on PostgreSQL the last hundred are in the unfolded tail."""
    add_directory(database)
    make_transactions(random_rows(800))
    with database.writing() as connection:
        totals.fold(connection)
    make_transactions(random_rows(100, seed=2))
    return database


def soup(text: str) -> Any:
    return BeautifulSoup(text, "html.parser")


def page_of(client: FlaskClient, query: str = "") -> Any:
    return soup(get(client, url("/analytics", query)).text)


def first_number(words: str) -> int:
    found = re.match(r"[\d,]+", words)
    assert found, words
    return int(found[0].replace(",", ""))


def first_cents(words: str) -> int:
    found = MONEY.match(words)
    assert found, words
    size = int(found[2].replace(",", "")) * 100 + int(found[3])
    return -size if found[1] else size


def figures_in(page: Any) -> Iterator[tuple[str, str, int]]:
    """(address of the rows, what of them is summed, the sum) of every linked figure of a page."""
    for link in page.select('main a[href^="/transactions"]'):
        words, title = link.text.strip(), link.get("title", "")
        tile = link.find_parent(class_="tile")
        name = tile.select_one(".tile-label").text if tile else ""
        measure = {"Round-ups": "Round-ups", "Invested": "Invested", "Fees": "Fees"}.get(name, "Volume")
        if MONEY.match(words):
            yield link["href"], measure, first_cents(words)
        elif words.endswith(" %") and MONEY.match(title):  # a change: the figure that it is a change from
            yield link["href"], measure, first_cents(title)
        elif name == "Failed" and link.find_parent("strong"):
            yield link["href"], "n", first_number(tile.select_one(".tile-note").text)
        elif re.search(r" (pt|%|days?)$", words) and " of " not in words:  # what it is reckoned from is in the title
            yield link["href"], "n", first_number(title)
        else:
            yield link["href"], "n", first_number(words)


def sums_of(rows: list[Any]) -> dict[str, int]:
    return {
        "n": len(rows),
        "Volume": sum(row.amount_cents for row in rows),
        "Round-ups": sum(row.round_up_cents for row in rows),
        "Invested": sum(row.round_up_cents for row in rows if row.status == "completed"),
        "Fees": sum(row.fee_cents for row in rows),
    }


def sums_on(client: FlaskClient, address: str) -> dict[str, int]:
    """What the list of transactions says of itself: its exact total and its tiles."""
    answer = get(client, address).text
    name, total = total_in(answer)
    assert name == "data-total", address
    page = soup(answer).select_one("#summary")
    tiles = {tile.select_one(".tile-label").text: tile.strong.text for tile in page.select(".tile") if tile.strong}
    pairs = {pair.dt.text: pair.dd.text for pair in page.select(".tile-pairs div")}
    amounts = {name: first_cents((tiles | pairs)[name]) for name in ("Volume", "Round-ups", "Invested", "Fees")}
    return {"n": total, **amounts}


@pytest.mark.parametrize("query", ADDRESSES)
def test_every_figure_leads_to_rows_that_come_to_it(filled: Database, client: FlaskClient, query: str) -> None:
    found = list(figures_in(page_of(client, query)))
    assert len(found) >= (20 if "2019" in query else 40)
    known: dict[str, dict[str, int]] = {}
    for address, measure, value in found:
        if address not in known:
            known[address] = sums_of(stored(filled, address.partition("?")[2]))
        assert known[address][measure] == value, (address, measure)


@pytest.mark.parametrize("query", ["since=2024-02-11&until=2024-09-05&by=month", ADDRESSES[4]])
@pytest.mark.usefixtures("filled")
def test_the_list_behind_a_figure_states_the_same_total(client: FlaskClient, query: str) -> None:
    known: dict[str, dict[str, int]] = {}
    for address, measure, value in figures_in(page_of(client, query)):
        if address not in known:
            known[address] = sums_on(client, address)
        assert known[address][measure] == value, (address, measure)
    kinds = Counter(key for address in known for key, _ in parse_qsl(address.partition("?")[2]))
    wanted = {"since", "until", "currency", "status", "kind", "category", "account_type"}
    assert wanted <= set(kinds) and ("category" in query or {"ticker", "merchant_id"} <= set(kinds))


@pytest.mark.usefixtures("filled")
def test_every_amount_and_number_of_the_tables_is_a_link(client: FlaskClient) -> None:
    page = page_of(client, "since=2024-02-11&until=2024-09-05")
    for cell in page.select(".figures td.number, .bars-list dd:not(.bar-line)"):
        words = cell.text.strip()
        if words not in ("–", "") and "age" not in words and not re.fullmatch(r"[\d,]+ days?", words):
            assert cell.find("a"), words


@pytest.mark.usefixtures("filled")
def test_the_parts_of_a_panel_add_up_to_the_tile(client: FlaskClient) -> None:
    for query in ADDRESSES[:4]:
        page = page_of(client, query)
        volume = first_cents(page.select_one("#panel-tiles strong").text.strip())
        for panel in ("accounts", "categories"):
            rows = page.select(f"#panel-{panel} .figures tbody tr")
            assert sum(first_cents(row.select("td")[0].text.strip()) for row in rows) == volume
        points = page.select("#panel-trend .figures tbody tr")
        assert sum(first_cents(row.select("td")[0].text.strip()) for row in points if row.select("td")[0].a) == volume


def rows_of(page: Any, panel: str) -> list[tuple[str, int, int]]:
    """(name, cents, n) of a panel's rows."""
    rows = page.select(f"#panel-{panel} .figures tbody tr")
    cells = [[cell.text.strip() for cell in row.select("th, td")] for row in rows]
    return [(row[0], first_cents(row[1]), first_number(row[2])) for row in cells]


@pytest.mark.parametrize(("panel", "key"), [("tickers", "ticker"), ("categories", "category")])
def test_the_rest_leads_to_the_parts_that_make_it(
    filled: Database, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, panel: str, key: str
) -> None:
    monkeypatch.setattr(analytics_page, "SHOWN", 2)
    monkeypatch.setattr(analytics_tables, "SHOWN", 2)
    few = page_of(client, "since=2024-02-11&until=2024-09-05")
    *shown, rest = rows_of(few, panel)
    assert len(shown) == 2 and re.fullmatch(r"The other \d", rest[0])
    links = {link["href"] for link in few.select(f"#panel-{panel} tbody tr:last-child a")}
    (link,) = links
    assert link == f"/analytics?since=2024-02-11&until=2024-09-05&all={key}#panel-{panel}"
    whole = soup(get(client, link).text)
    every = rows_of(whole, panel)
    assert every[:2] == shown and len(every) - 2 == first_number(rest[0].removeprefix("The other "))
    assert tuple(sum(column) for column in zip(*(row[1:] for row in every[2:]), strict=True)) == rest[1:]
    back = whole.select_one(f"#panel-{panel} .pane-note a")["href"]
    assert back == f"/analytics?since=2024-02-11&until=2024-09-05#panel-{panel}"


@pytest.mark.usefixtures("filled")
def test_merchants_name_the_months_that_they_are_of(client: FlaskClient) -> None:
    notes = page_of(client, "since=2024-02-11&until=2024-03-05").select("#panel-merchants .pane-note")
    assert [note.text for note in notes] == ["Merchants are totalled by month: these are of 1 Feb – 31 Mar 2024."]
    assert page_of(client, "since=2024-02-01&until=2024-03-31").select("#panel-merchants .pane-note") == []


@pytest.mark.usefixtures("filled")
def test_an_answer_that_is_not_proven_says_so(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    real = analytics_page.top_merchants
    monkeypatch.setattr(analytics_page, "top_merchants", lambda *given: replace(real(*given), proven=False))
    page = page_of(client, "since=2024-02-01&until=2024-03-31")
    assert "others might belong here" in page.select_one("#panel-merchants .pane-note").text


@pytest.mark.usefixtures("filled")
def test_what_is_not_split_by_a_filter_says_so_and_offers_the_way_back(client: FlaskClient) -> None:
    page = page_of(client, "since=2024-02-01&until=2024-03-31&category=Travel")
    for panel in ("tickers", "merchants"):
        assert "not kept by category" in page.select_one(f"#panel-{panel}").text
        link = page.select_one(f"#panel-{panel} .pane-note a")
        assert link["href"] == "/analytics?since=2024-02-01&until=2024-03-31"


# The address and what stands around the panels.


@pytest.mark.usefixtures("filled")
def test_it_opens_with_the_last_twelve_whole_months(client: FlaskClient) -> None:
    page = page_of(client)
    newest = max(row["posted_at"] for row in random_rows(800) + random_rows(100, seed=2))
    assert micros("2025-09-01T00:00:00") <= newest < micros("2025-09-30T00:00:00")
    words = "The last 12 whole months, 1 Sep 2024 – 31 Aug 2025, compared with 1 Sep 2023 – 31 Aug 2024"
    assert page.select_one(".head .words").text == words
    assert [chip.text for chip in page.select(".by .on")] == ["Month"]
    assert page.select_one("nav a[aria-current=page]")["href"] == "/analytics"


@pytest.mark.usefixtures("filled")
def test_links_keep_the_rest_of_the_address(client: FlaskClient) -> None:
    query = "since=2024-03-01&until=2024-03-31&currency=USD&category=Travel"
    page = page_of(client, query)
    kept = {"currency": "USD", "category": "Travel"}
    ways = {link["rel"][0]: dict(parse_qsl(link["href"].partition("?")[2])) for link in page.select("a.step")}
    assert ways["prev"] == {"since": "2024-02-01", "until": "2024-02-29"} | kept
    assert ways["next"] == {"since": "2024-04-01", "until": "2024-04-30"} | kept
    steps = {link.text: dict(parse_qsl(link["href"].partition("?")[2])) for link in page.select(".by a")}
    assert steps["Week"] == dict(parse_qsl(query)) | {"by": "week"}
    presets = {link.contents[0]: dict(parse_qsl(link["href"].partition("?")[2])) for link in
               page.select(".presets-list a")}  # fmt: skip
    assert list(presets) == ["7 days", "30 days", "This month", "Last month", "Quarter", "Year", "3 years", "All"]
    assert all(kept.items() <= preset.items() and {"since", "until"} <= set(preset) for preset in presets.values())
    form = {field["name"]: field["value"] for field in page.select("#period form input")}
    assert form == dict(parse_qsl(query))
    (chip,) = page.select(".chips .chip")
    assert chip["href"] == "/analytics?since=2024-03-01&until=2024-03-31&currency=USD"
    currencies = {link.text: link["href"] for link in page.select(".currencies a")}
    assert currencies["CAD"] == "/analytics?since=2024-03-01&until=2024-03-31&category=Travel&currency=CAD"


@pytest.mark.usefixtures("filled")
def test_no_way_leads_past_the_newest_row_or_before_1970(client: FlaskClient) -> None:
    last = page_of(client, "since=2026-01-01&until=2026-12-31").select("a.step")
    assert [link["rel"][0] for link in last] == ["prev"]
    first = page_of(client, "since=1970-01-01&until=1970-03-31")
    assert [link["rel"][0] for link in first.select("a.step")] == ["next"]
    assert first.select_one(".head .words").text == "1 Jan – 31 Mar 1970"


@pytest.mark.usefixtures("filled")
def test_a_form_with_empty_fields_leads_to_the_plain_address(client: FlaskClient) -> None:
    answer = get(client, "/analytics?since=2024-03-01&until=2024-03-31&category=&account_type=family", 302)
    assert answer.headers["Location"] == "/analytics?since=2024-03-01&until=2024-03-31&account_type=family"


@pytest.mark.usefixtures("filled")
def test_too_many_points_are_a_coarser_step_and_said_so(client: FlaskClient) -> None:
    page = page_of(client, "since=2016-01-01&until=2025-12-31&by=day")
    note = page.select_one(".analytics-note").text
    assert note == "By day would be 3,653 points; at most 400 are drawn, so this is by month."
    assert [chip.text for chip in page.select(".by .on")] == ["Month"]
    ages = page_of(client, "since=1970-01-01&until=2199-12-31&by=day")
    assert ages.select_one(".analytics-note").text.endswith("so this is by year.")
    assert len(ages.select("#panel-trend tbody tr")) == 230


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("since=2024-03-02&until=2024-03-01", "“since” (2024-03-02) is after “until” (2024-03-01)"),
        ("since=2024-02-30", "“2024-02-30” is not a date that “since” takes"),
        ("until=0001-01-01", "is not a date that “until” takes"),
        ("until=2200-01-01", "is not a date that “until” takes"),
        ("since=2024-01-01&since=2024-01-02", "“since” is given 2 times"),
        ("by=fortnight", "“fortnight” is nothing that “by” takes. It is one of: day, week, month"),
        ("by=year", "“year” is nothing that “by” takes"),
        ("currency=dollars", "“dollars” is not a currency"),
        ("account_type=admin", "“admin” is not"),
        ("all=merchant", "“merchant” is not"),
        ("category=" + "x" * 201, "“category” is 201 characters long"),
        ("category=%00", "“category” holds a control character"),
        ("page=2", "There is no parameter “page” here"),
    ],
)
@pytest.mark.parametrize("path", ["/analytics", "/analytics/trend"])
def test_what_an_address_cannot_say_is_named(client: FlaskClient, path: str, query: str, words: str) -> None:
    answer = get(client, f"{path}?{query}", 400)
    assert words in soup(answer.text).text


def test_only_those_who_are_logged_in_see_it(client: FlaskClient) -> None:
    stranger = client.application.test_client()
    assert stranger.get("/analytics").status_code == 303
    assert stranger.get("/analytics/trend", headers={"HX-Request": "true"}).status_code == 401


# Panels.


@pytest.mark.usefixtures("filled")
def test_the_page_holds_every_panel_and_each_has_an_address(client: FlaskClient) -> None:
    query = "since=2024-02-11&until=2024-09-05&currency=CAD"
    page = page_of(client, query)
    for name in PANELS:
        there = page.select_one(f"#panel-{name}")
        answer = get(client, f"/analytics/{name}?{query}", htmx=True)
        assert answer.headers["X-Fragment"] == "1"
        alone = soup(answer.text)
        assert [child.name for child in alone.find_all(recursive=False)] == ["section"]
        assert bare(alone) == bare(there), name
        age = there.select_one(".again time")
        assert re.fullmatch(r"\d+ s", age.text) and age["datetime"].endswith("Z")
    get(client, "/analytics/nothing", 404, htmx=True)


def bare(panel: Any) -> list[str]:
    """The words of a panel without its age."""
    return [words for words in panel.stripped_strings if not re.fullmatch(r"\d+ s", words)]


@pytest.mark.usefixtures("filled")
def test_a_panel_that_fails_leaves_the_others(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise TooSlow("The database took too long.")

    with monkeypatch.context() as broken:
        broken.setattr(analytics_page, "top_merchants", fail)
        page = page_of(client, "since=2024-02-11&until=2024-09-05")
        box = page.select_one(".pane-merchants .problem-box")
        assert "Top merchants: The database took too long." in box.text
        retry = box.select_one("a")
        assert retry["href"] == "/analytics?since=2024-02-11&until=2024-09-05"
        assert retry["hx-get"] == "/analytics/merchants?since=2024-02-11&until=2024-09-05"
        assert [name for name in PANELS if not page.select(f"#panel-{name}")] == ["merchants"]
        again = get(client, retry["hx-get"], 503, htmx=True)
        assert again.headers["X-Fragment"] == "1" and "problem-box" in again.text
    assert 'id="panel-merchants"' in get(client, retry["hx-get"], htmx=True).text


@pytest.mark.usefixtures("filled")
def test_a_read_that_several_panels_need_fails_once(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def fail(*given: Any) -> None:
        calls.append(given)
        raise TooSlow("The database took too long.")

    monkeypatch.setattr(analytics_page, "flows", fail)
    page = page_of(client, "since=2024-02-11&until=2024-09-05")
    assert len(calls) == 1
    assert [name for name in PANELS if page.select(f"#panel-{name}")] == ["trend", "failures", "tickers", "merchants"]
    assert len(page.select(".problem-box")) == 4


def test_a_statement_that_is_stopped_takes_no_other_panel_with_it(
    filled: Database, make_client: Callable[..., FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real statement runs into the limit, which on PostgreSQL ends its transaction."""
    if filled.dialect.name != "postgresql":
        pytest.skip("SQLite's limit needs no transaction to be given up")

    def sleep(connection: Any, *_: Any) -> None:
        connection.execute(sql("SELECT pg_sleep(5)"))

    monkeypatch.setattr(analytics_page, "waiting", sleep)
    page = page_of(make_client(widget_seconds=1), "since=2024-02-11&until=2024-09-05")
    assert [name for name in PANELS if not page.select(f"#panel-{name}")] == ["funnel"]
    assert "the statement was stopped" in page.select_one(".pane-funnel .problem-box").text


@pytest.mark.usefixtures("filled")
def test_figures_are_kept_for_some_seconds_and_say_how_old_they_are(
    make_client: Callable[..., FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client(cache_seconds=60)
    query = "since=2024-02-11&until=2024-09-05"
    page_of(client, query)
    with statements_of(client.application.extensions["database"].reader) as seen:
        again = page_of(client, f"{query}&by=week")  # shown another way, the same sums
    assert not [statement for statement, _ in seen if "'merchant_month'" in statement]
    now = analytics_page.analytics_parts.Aged.age.fget
    monkeypatch.setattr("kamioi_web.cache.Aged.age", property(lambda aged: now(aged) + 7_300))
    assert page_of(client, query).select_one("#panel-tiles time").text == "2 h"
    assert re.fullmatch(r"\d+ s", again.select_one("#panel-tiles time").text)


def test_it_reads_no_rows_and_as_many_statements_at_any_size(
    database: Database, client: FlaskClient, make_transactions: Callable[..., None]
) -> None:
    add_directory(database)
    counts = []
    for seed in (1, 2, 3):
        make_transactions(random_rows(150, seed=seed))
        with statements_of(client.application.extensions["database"].reader) as seen:
            page_of(client, "since=2024-01-20&until=2025-08-25")
        reads = [statement for statement, _ in seen if statement.lstrip().startswith(("SELECT", "WITH"))]
        assert not [statement for statement in reads if re.search(r"FROM transactions\b", statement)]
        counts.append(len(reads))
    assert len(set(counts)) == 1 and counts[0] <= 30


# Unusual data.


def test_an_empty_database(client: FlaskClient) -> None:
    page = page_of(client)
    assert "There are no transactions yet." in page.text
    assert [strong.text.strip() for strong in page.select("#panel-tiles strong")] == ["$0.00"] * 5 + ["0.00 %"]
    assert page.select(".presets-list a") == [] and page.select(".currencies a") == []
    assert "There is nothing in this period." in page.select_one("#panel-categories").text


def test_one_row_of_this_month(client: FlaskClient, database: Database, make_transactions: Callable[..., None]) -> None:
    add_directory(database)
    make_transactions([{"posted_at": micros("2024-03-14T23:59:59"), "amount_cents": 1250}])
    page = page_of(client)
    assert page.select_one(".words").text == "1 – 14 Mar 2024, compared with 16 – 29 Feb 2024"
    assert page.select_one("#panel-tiles strong").text.strip() == "$12.50"
    assert [row[0] for row in rows_of(page, "merchants")] == ["Shop Alpha 01"]


def test_hostile_names_are_text_and_names_that_no_address_says_are_no_links(
    client: FlaskClient, database: Database, make_transactions: Callable[..., None]
) -> None:
    add_directory(database)
    names = ['<script>alert("1")</script>', "\u202eevil", "", " padded ", "a&b=c#d"]
    make_transactions([{"category": name, "source_ref": str(at)} for at, name in enumerate(names)])
    answer = get(client, "/analytics?since=2024-03-01&until=2024-03-31").text
    assert "<script>alert" not in answer
    page = soup(answer)
    rows = page.select("#panel-categories tbody tr")
    found = {row.th.get_text(): [link["href"] for link in row.select('td a[href^="/transactions"]')] for row in rows}
    assert {name for name, links in found.items() if links} == {names[0], names[1], names[4]}
    assert set(found) == {names[0], names[1], "(none)", " padded ", names[4]}
    for links in found.values():
        for link in links:
            assert total_in(get(client, link).text) == ("data-total", 1)
