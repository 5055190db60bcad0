"""The list of mappings: its filters, tabs and totals, its JSON twin, and the pages of single mappings."""

import html
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from helpers import add_directory, get, ids_in, random_rows, scroll, statements_of, stored, total_in, url
from mapping_rows import add_mappings, add_more, stored_mappings
from review_helpers import carry_out, mapping, propose, rows_of
from sqlalchemy import insert, update
from test_bulk import post

from kamioi_web import totals
from kamioi_web.db import Database
from kamioi_web.money import money
from kamioi_web.paging import scan
from kamioi_web.queries import merchants as merchant_queries
from kamioi_web.schema import llm_mappings, merchants

EXACT = (
    "",
    "status=pending",
    "status=approved",
    "status=pending&status=rejected",
    "status=approved&status=superseded",
    "source=llm",
    "source=rule&source=admin&status=approved",
    "ticker=SBUX",
    "ticker=SBUX&ticker=BRK.B&status=approved",
    "since=2024-02-01&until=2024-03-10",
    "since=2024-03-01&status=pending&source=upload",
)
OTHERS = (
    "ticker=AAPL&source=llm",
    "category=Dining&category=Fuel%20%26%20Co",
    "confidence_min=0.9",
    "confidence_max=0.5&status=pending",
    "confidence_min=0.899&confidence_max=0.935",
    "merchant=shop%20beta",
    "merchant=alpha&status=pending",
    "merchant_id=2",
    "merchant_id=1&status=approved&confidence_min=0.5",
    "decided_by=ann%40example.com",
    "decided_by=bo%40example.com&ticker=SBUX&until=2024-02-28",
    "merchant=nobody",
)


@pytest.fixture
def filled(database: Database) -> Database:
    """400 mappings of 30 merchants."""
    add_mappings(database)
    return database


def tree_of(answer: str) -> Any:
    return BeautifulSoup(answer.replace("<td", "</td><td").replace("<tr ", "</td></tr><tr "), "html.parser")


def test_each_filter_shows_its_mappings_newest_first(client: FlaskClient, filled: Database) -> None:
    for query in (*EXACT, *OTHERS):
        there = [row.id for row in stored_mappings(filled, query)]
        page = get(client, url("/llm-center", query)).text
        assert ids_in(page) == there[:100], query
        name, total = total_in(page)
        if query in EXACT or len(there) <= 100:
            assert (name, total) == ("data-total", len(there)), query
        else:
            assert total <= len(there), query
        answer = get(client, url("/api/admin/llm-center/mappings", query, limit=50)).get_json()
        assert [one["id"] for one in answer["data"]["mappings"]] == there[:50], query


def test_a_share_is_read_as_a_fraction_and_as_per_cent(client: FlaskClient, filled: Database) -> None:
    for share in ("0.935", ".935", "93.5", "93.5%", "93.5 %"):
        page = get(client, url("/llm-center", confidence_min=share)).text
        there = stored_mappings(filled, "confidence_min=0.935")
        assert ids_in(page) == [row.id for row in there[:100]], share
        chip = tree_of(page).select_one(".chips .chip")
        assert chip.b.text == "93.5 % to any"
    whole = stored_mappings(filled, "confidence_min=1")
    assert ids_in(get(client, "/llm-center?confidence_min=1").text) == [row.id for row in whole[:100]]


def test_pages_places_and_the_scroll_show_every_mapping_once(
    make_client: Callable[..., FlaskClient], filled: Database
) -> None:
    client = make_client(chunk_rows=30)
    for query in ("", "status=pending", "ticker=SBUX", "status=approved&source=llm", "confidence_min=0.9"):
        there = [row.id for row in stored_mappings(filled, query)]
        first = get(client, url("/llm-center", query)).text
        assert ids_in(first) + scroll(client, first, "older") == there, query
        oldest = html.unescape(re.findall(r'href="([^"]+)" rel="last"', first)[0])
        end = get(client, oldest).text
        back = ids_in(end)[::-1] + scroll(client, end, "newer")
        assert back == there[::-1], query
        if "confidence" in query:
            continue
        for page in (2, len(there) // 60 + 1, -(-len(there) // 30)):
            wanted = there[(page - 1) * 30 : page * 30]
            assert ids_in(get(client, url("/llm-center", query, page=page)).text) == wanted, (query, page)
        before = [row.id for row in stored_mappings(filled, f"{query}&until=2024-03-01")]
        dated = get(client, url("/llm-center", query, date="2024-03-01")).text
        assert ids_in(dated) == before[:30], query


def test_tabs_count_exactly_and_keep_the_other_filters(client: FlaskClient, filled: Database) -> None:
    for query in ("", "source=llm", "status=pending&since=2024-02-01&source=llm&source=rule", "ticker=SBUX"):
        page = tree_of(get(client, url("/llm-center", query)).text)
        tabs = {tab.contents[0].strip(): tab for tab in page.select(".tabs a")}
        assert list(tabs) == ["Pending", "Approved", "Rejected", "All"]
        rest = "&".join(part for part in query.split("&") if part and not part.startswith("status="))
        counts = Counter(row.status for row in stored_mappings(filled, rest))
        for label, tab in tabs.items():
            n = counts.total() if label == "All" else counts[label.lower()]
            assert tab.small.text == f"{n:,}", (query, label)
            there = url("/llm-center", rest, **({} if label == "All" else {"status": label.lower()}))
            assert total_in(get(client, tab["href"]).text) == total_in(get(client, there).text) == ("data-total", n)
        current = [label for label, tab in tabs.items() if tab.get("aria-current") == "page"]
        assert current == (["Pending"] if "status" in query else ["All"])
    uncounted = tree_of(get(client, "/llm-center?category=Dining&status=rejected").text)
    assert [tab.get("aria-current") for tab in uncounted.select(".tabs a")] == [None, None, "page", None]
    assert not uncounted.select(".tabs small")
    assert not tree_of(get(client, "/llm-center?status=superseded").text).select(".tabs [aria-current]")


def test_a_total_is_exact_where_the_index_could_be_read_to_its_end(
    make_client: Callable[..., FlaskClient], filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = [row.id for row in stored_mappings(filled, "decided_by=ann%40example.com")]
    client, hasty = make_client(chunk_rows=10), make_client(chunk_rows=10, scan_ms=0)
    address = url("/llm-center", "decided_by=ann%40example.com")
    assert total_in(get(client, address).text) == ("data-total", len(there))
    assert f"the list has {len(there)} rows" in get(client, f"{address}&page=200", 404).text
    monkeypatch.setattr(scan, "FIRST_WINDOW", 20)
    assert total_in(get(hasty, address).text) == ("data-total-at-least", 10)
    assert ids_in(get(hasty, f"{address}&page=5").text) == there[40:50]
    assert "not kept for this filter" in get(hasty, f"{address}&page=200", 400).text


def test_a_decision_moves_a_mapping_from_one_tab_to_another(client: FlaskClient, filled: Database) -> None:
    waiting = len(stored_mappings(filled, "status=pending"))
    chosen = stored_mappings(filled, "status=pending")[3].id
    with filled.writing() as connection:
        connection.execute(update(llm_mappings).where(llm_mappings.c.id == chosen).values(status="rejected"))
    page = get(client, "/llm-center?status=pending").text
    assert total_in(page) == ("data-total", waiting - 1)
    assert chosen not in ids_in(page)
    assert chosen in ids_in(get(client, "/llm-center?status=rejected").text)
    assert list(totals.check(filled)) == []


def test_the_money_behind_a_merchant_is_that_of_its_transactions(
    client: FlaskClient, filled: Database, make_transactions: Callable[..., None]
) -> None:
    make_transactions(random_rows(600))
    rows = stored(filled)
    page = tree_of(get(client, "/llm-center").text)
    for one in get(client, "/api/admin/llm-center/mappings").get_json()["data"]["mappings"]:
        behind = [row for row in rows if row.merchant_id == one["merchant_id"]]
        cents = sum(row.amount_cents for row in behind if row.currency == one["currency"])
        assert (one["transaction_count"], one["amount_cents"]) == (len(behind), cents)
        row = page.select_one(f"#mapping-{one['id']}")
        if not behind:
            assert row.select_one(".c-n").text.strip() == row.select_one(".c-money").text.strip() == "–"
            continue
        assert row.select_one(".c-money").text.split(" +")[0].strip() == money(cents, one["currency"])
        link = row.select_one(".c-n a")
        assert link.text == f"{len(behind):,}"
        assert total_in(get(client, link["href"]).text) == ("data-total", len(behind))


def test_a_row_says_who_decided_and_when(client: FlaskClient, filled: Database) -> None:
    page = tree_of(get(client, "/llm-center").text)
    words = {"llm": "model"}
    for row in stored_mappings(filled)[:100]:
        cell = page.select_one(f"#mapping-{row.id} .c-decided").text.strip()
        if row.status == "pending":
            assert cell == "–"
        else:
            who = row.email or words.get(row.source, row.source)
            assert cell == f"{who} {row.decided_at.day} {row.decided_at:%b %Y}"


def test_a_word_of_many_merchants_finds_the_same_whichever_way(
    make_client: Callable[..., FlaskClient], filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client(chunk_rows=40)
    for merged, named in ((50, 2_000), (0, 2_000), (0, 0)):
        monkeypatch.setattr(merchant_queries, "MERGED", merged)
        monkeypatch.setattr(merchant_queries, "NAMED", named)
        for words in ("alpha", "shop", "beta shop"):
            there = [row.id for row in stored_mappings(filled, f"merchant={words}")]
            page = get(client, url("/llm-center", merchant=words)).text
            assert ids_in(page) + scroll(client, page, "older") == there, (words, merged)


def test_hostile_text_is_only_text(client: FlaskClient, database: Database) -> None:
    add_directory(database)
    evil = "<script>alert('1')</script>"
    with database.writing() as connection:
        connection.execute(update(merchants).where(merchants.c.id == 1).values(name=evil, descriptor=f"{evil}2"))
        values = {"merchant_id": 1, "confidence": 0.5, "status": "pending", "source": "llm", "version": 1,
                  "created_at": datetime(2024, 3, 1, tzinfo=UTC)}  # fmt: skip
        values |= dict.fromkeys(("company", "category", "ticker", "model", "rationale", "source_ref"), evil)
        connection.execute(insert(llm_mappings).values(**values))
    page = get(client, "/llm-center").text
    assert "<script>alert" not in page
    row = tree_of(page).select_one("tr[data-id]")
    for name in ("company", "category", "ticker"):
        assert row.select_one(f".c-{name}").text.strip() == evil
    assert row.select_one(".c-name a").text == evil
    answer = get(client, "/llm-center.json")
    assert answer.get_json()["data"]["mappings"][0]["rationale"] == evil


def test_bad_parameters_are_named(client: FlaskClient) -> None:
    for query, words in (
        ("status=open", "pending, approved, rejected, superseded"),
        ("source=guess", "llm, rule, admin, upload, legacy"),
        ("ticker=%3C", "A ticker looks like"),
        ("confidence_min=high", "confidence_min"),
        ("confidence_min=-1", "confidence_min"),
        ("confidence_max=101", "confidence_max"),
        ("confidence_max=1e-3", "confidence_max"),
        ("confidence_max=0.5&confidence_max=0.6", "confidence_max"),
        ("merchant_id=x", "merchant_id"),
        ("merchant_id=1&merchant=x", "merchant_id"),
        ("since=2024-02-30", "since"),
        ("user=I1", "This page takes"),
        ("page=0", "page"),
        ("at=2024", "place"),
        (f"category={'x' * 201}", "category"),
    ):
        assert words in get(client, f"/llm-center?{query}", 400).text, query
        if "at=" not in query:
            assert words in get(client, f"/api/admin/llm-center/mappings?{query}", 400).get_json()["detail"], query
    assert "There is no admin" in get(client, "/llm-center?decided_by=nobody%40example.com", 404).text
    assert "There is no merchant" in get(client, "/llm-center?merchant_id=5", 404).text


def test_an_empty_list_and_no_match_say_so(client: FlaskClient, database: Database) -> None:
    assert "There are no mappings yet." in get(client, "/llm-center").text
    add_mappings(database, 5)
    page = get(client, "/llm-center?status=pending&since=2030-01-01").text
    assert "No mappings match." in page
    assert 'href="/llm-center?status=pending"' in page


def test_the_number_of_statements_does_not_grow(
    database: Database, make_client: Callable[..., FlaskClient], make_transactions: Callable[..., None]
) -> None:
    counts: dict[str, list[int]] = {}
    client = make_client(chunk_rows=10)
    for size in (200, 600):
        add_more(database, size, size) if counts else add_mappings(database, size)
        make_transactions(random_rows(size, size))
        for query in ("", "status=pending", "ticker=SBUX", "merchant=alpha", "confidence_min=0.9", "source=llm&page=3"):
            with statements_of(client.application.extensions["database"].reader) as seen:
                get(client, url("/llm-center", query))
            counts.setdefault(query, []).append(len(seen))
            for statement, _ in seen:
                assert "count(" not in statement.lower(), statement
                assert " FROM transactions" not in statement, statement
    for query, numbers in counts.items():
        assert max(numbers) <= 24, (query, numbers)
        assert max(numbers) - min(numbers) <= 2, (query, numbers)


@pytest.fixture
def proposed(database: Database, make_transactions: Callable[..., None]) -> int:
    """A proposal for a merchant with transactions."""
    add_directory(database)
    make_transactions([row | {"merchant_id": row["merchant_id"] % 3 + 1} for row in random_rows(200)])
    return propose(database, 1, "SBUX", "Starbucks")


def fields_of(page: str, **fields: str) -> dict[str, str]:
    """What the form of the mapping's page sends."""
    form = BeautifulSoup(page, "html.parser").select_one("#decide")
    assert form is not None
    kept = {str(field["name"]): str(field["value"]) for field in form.select("input[type=hidden]")}
    kept |= {str(field["name"]): str(field["value"]) for field in form.select("input[type=radio][checked]")}
    return {name: value for name, value in (kept | fields).items() if name != "csrf_token"}


def test_the_page_tells_how_it_came_about_and_decides_it(
    database: Database, proposed: int, make_client: Callable[..., FlaskClient]
) -> None:
    client, here = make_client("reviewer"), f"/llm-center/{proposed}"
    page = get(client, here).text
    words = " ".join(BeautifulSoup(page, "html.parser").get_text(" ").split())
    assert "Cleaned to" in words and "It reads like that." in words and "Reads alike." in words
    assert f'href="/llm-center/review?id={proposed}"' in page and "Not completed yet: " in words
    answer = post(client, f"{here}/decide", fields_of(page, do="approve"))
    assert answer.location == here
    carry_out(database)
    assert mapping(database, proposed).status == "approved"


def test_what_stands_can_be_changed_or_rejected_on_its_page(
    database: Database, proposed: int, make_client: Callable[..., FlaskClient]
) -> None:
    client, here = make_client("reviewer"), f"/llm-center/{proposed}"
    post(client, f"{here}/decide", fields_of(get(client, here).text, do="approve"))
    carry_out(database)
    page = get(client, here).text
    assert "Decide it anew" in page and "Completed, failed and rejected transactions stay as they are." in page
    assert 'value="AMZN"' in page and 'name="pick" value="SBUX"' not in page and "review?id=" not in page
    before = rows_of(database, 1)
    stale = fields_of(page, do="reject", once="later")
    made = post(client, f"{here}/decide", fields_of(page, do="change", ticker="mcd", category="Fast food")).location
    assert made != here and "Fast food" in get(client, made).text
    carry_out(database)
    for was, now in zip(before, rows_of(database, 1), strict=True):
        opened = was.status in ("pending", "needs_review", "mapped")
        assert now == was if not opened else (now.ticker, now.category) == ("MCD", "Fast food")
    assert "Already rejected by" in html.unescape(post(client, f"{here}/decide", stale, status=409).text)
    post(client, f"{made}/decide", fields_of(get(client, made).text, do="reject"))
    carry_out(database)
    assert {row.status for row in rows_of(database, 1) if row.ticker is None} >= {"pending"}
    assert list(totals.check(database)) == []


def test_a_viewer_sees_how_it_came_about_and_no_buttons(proposed: int, make_client: Callable[..., FlaskClient]) -> None:
    page = get(make_client("viewer"), f"/llm-center/{proposed}").text
    assert "How it came about" in page and "takes the role reviewer" in page and 'name="do"' not in page
