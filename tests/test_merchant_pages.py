"""The pages of one mapping and of one merchant, and the same as JSON."""

import html
import re
import sqlite3
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from helpers import add_directory, get, ids_in, random_rows, statements_of, stored, total_in, url
from mapping_rows import add_mappings, add_more, stored_mappings
from sqlalchemy import insert, select, update

from kamioi_web.db import Database
from kamioi_web.importing.legacy import import_legacy
from kamioi_web.importing.mappings import import_mappings
from kamioi_web.importing.model import ImportOptions
from kamioi_web.money import money
from kamioi_web.schema import audit_events, imports, llm_mappings, merchants, raw_values


@pytest.fixture
def filled(database: Database, make_transactions: Callable[..., None]) -> Database:
    """400 mappings and 600 transactions of 30 merchants."""
    add_mappings(database)
    make_transactions(random_rows(600))
    return database


def tree_of(answer: str) -> Any:
    return BeautifulSoup(answer.replace("<td", "</td><td").replace("<tr ", "</td></tr><tr "), "html.parser")


def pairs_of(page: Any) -> dict[str, str]:
    return {row.dt.text: " ".join(row.dd.text.split()) for row in page.select(".pairs > div")}


def test_a_mapping_tells_everything_about_itself(client: FlaskClient, filled: Database) -> None:
    with filled.writing() as connection:
        chosen = stored_mappings(filled, "status=approved&ticker=SBUX")[0]
        values = {"rationale": "It is\nplain.", "model": "small-1", "source_ref": "upload:7", "version": 3}
        connection.execute(update(llm_mappings).where(llm_mappings.c.id == chosen.id).values(values))
    row = next(one for one in stored_mappings(filled) if one.id == chosen.id)
    page = tree_of(get(client, f"/llm-center/{row.id}").text)
    said = pairs_of(page)
    assert page.h1.text == row.merchant
    assert said["Company"] == "SBUX SBUX & Co"
    assert said["Category"] == (row.category or "–")
    assert said["Confidence"].removesuffix(" %") in f"{row.confidence * 100:.1f}"
    assert "small-1" in said["Source"]
    assert "upload:7" in said["Source"]
    assert said["Version"] == "3"
    assert (row.email or "") in said["Decided"]
    assert page.select_one(".reason").text == "It is\nplain."
    assert page.select_one(".detail-sum .status").text == "approved"
    answer = get(client, f"/api/admin/llm-center/mapping/{row.id}").get_json()["mapping"]
    assert answer == get(client, f"/llm-center/{row.id}.json").get_json()["mapping"]
    with filled.reading() as connection:
        in_force = connection.scalar(select(merchants.c.mapping_id).where(merchants.c.id == row.merchant_id))
    assert answer["in_force"] == (in_force == row.id) == (said["In force"] == "yes")
    assert (answer["rationale"], answer["version"], answer["merchant_id"]) == ("It is\nplain.", 3, row.merchant_id)


def test_every_other_decision_about_the_merchant_stands_there_newest_first(
    client: FlaskClient, filled: Database
) -> None:
    every = Counter(row.merchant_id for row in stored_mappings(filled))
    few, many = min(every, key=lambda id: every[id]), max(every, key=lambda id: every[id])
    add_more(filled, 1_500, 8)  # so that one merchant has more than a page shows
    for merchant in (few, many):
        rows = stored_mappings(filled, f"merchant_id={merchant}")
        for row in (rows[0], rows[-1]):
            page = tree_of(get(client, f"/llm-center/{row.id}").text)
            others = [other for other in rows if other.id != row.id]
            shown = [int(re.findall(r"/llm-center/(\d+)", link["href"])[0]) for link in page.select(".decisions p > a")]
            assert shown == [other.id for other in others[:50]]
            more = page.select_one(f'a[href="/llm-center?merchant_id={merchant}"]')
            assert (more is not None) == (len(others) > 50)
            answer = get(client, f"/llm-center/{row.id}.json").get_json()["mapping"]
            assert [other["id"] for other in answer["others"]] == [other.id for other in others[:50]]
    assert len(stored_mappings(filled, f"merchant_id={many}")) > 51


def test_what_stands_behind_the_merchant_is_shown_on_both_pages(client: FlaskClient, filled: Database) -> None:
    everything = stored(filled)
    for row in stored_mappings(filled)[:5]:
        behind = [one for one in everything if one.merchant_id == row.merchant_id]
        currency = Counter(one.currency for one in behind).most_common(1)[0][0]
        cents = sum(one.amount_cents for one in behind if one.currency == currency)
        waiting = [one for one in behind if one.status in ("pending", "needs_review")]
        for path in (f"/llm-center/{row.id}", f"/merchants/{row.merchant_id}"):
            page = tree_of(get(client, path).text)
            tiles = {tile.select_one(".tile-label").text: tile for tile in page.select(".tile")}
            assert tiles["Transactions"].strong.text == f"{len(behind):,}"
            assert tiles["Money"].strong.text == money(cents, currency)
            assert tiles["Waiting"].strong.text.split()[0] == f"{len(waiting):,}"
            assert total_in(get(client, tiles["Waiting"].a["href"]).text)[1] == len(waiting)
            shown = [int(tr["data-id"]) for tr in page.select("tr[id^=transaction-]")]
            assert shown == [one.id for one in behind[:20]]
            assert f"All {len(behind)} transactions" in page.text


def test_a_merchant_has_its_totals_by_status_and_by_month(client: FlaskClient, filled: Database) -> None:
    behind = [row for row in stored(filled) if row.merchant_id == 1]
    page = tree_of(get(client, "/merchants/1").text)
    answer = get(client, "/api/admin/merchants/1").get_json()["merchant"]
    sums: dict[tuple[str, str], list[int]] = {}
    for row in behind:
        kept = sums.setdefault((row.status, row.currency), [0, 0, 0])
        sums[row.status, row.currency] = [kept[0] + 1, kept[1] + row.amount_cents, kept[2] + row.round_up_cents]
    told = {
        (one["status"], one["currency"]): [one["n"], one["amount_cents"], one["round_up_cents"]]
        for one in answer["totals"]
    }
    assert told == sums
    rows = page.select('section[aria-labelledby="statuses-box"] tbody tr')
    assert len(rows) == len(sums)
    for row in rows:
        status = row.select_one(".status")["class"][1].removeprefix("s-")
        n = int(row.a.text.replace(",", ""))
        assert n in {values[0] for (one, _), values in sums.items() if one == status}
        assert total_in(get(client, row.a["href"]).text) == ("data-total", n)
    months: dict[str, int] = {}
    for row in behind:
        if row.currency == answer["currency"]:
            months[f"{row.posted_at:%b %Y}"] = months.get(f"{row.posted_at:%b %Y}", 0) + row.amount_cents
    table = page.select('section[aria-labelledby="months-box"] tbody tr')
    shown = {row.th.text: row.a.text for row in table}
    assert {name: shown[name] for name in months} == {n: money(c, answer["currency"]) for n, c in months.items()}
    gaps = set(shown) - set(months)
    assert {shown[name] for name in gaps} <= {money(0, answer["currency"])}
    first = table[0].a["href"]
    assert total_in(get(client, first).text)[1] > 0


def test_a_merchant_shows_the_mapping_in_force_and_all_its_mappings(client: FlaskClient, filled: Database) -> None:
    with filled.reading() as connection:
        rows = connection.execute(select(merchants)).fetchall()
    for row in rows:
        page = tree_of(get(client, f"/merchants/{row.id}").text)
        all_of_it = [one.id for one in stored_mappings(filled, f"merchant_id={row.id}")]
        assert [int(tr["data-id"]) for tr in page.select("tr[id^=mapping-]")] == all_of_it[:20]
        answer = get(client, f"/merchants/{row.id}.json").get_json()["merchant"]
        assert (answer["mapping"] or {}).get("id") == row.mapping_id
        said = pairs_of(page)
        if row.mapping_id is None:
            assert (said["Mapping"], said["Company"]) == ("none in force", "not known yet")
            continue
        assert page.select_one(f'.pairs a[href="/llm-center/{row.mapping_id}"]')
        assert said["Company"].startswith(row.ticker or "no listed company")
        if row.ticker:
            alike = [one.id for one in rows if one.ticker == row.ticker]
            assert {int(tr["data-id"]) for tr in page.select("tr[id^=merchant-]")} == set(alike)


def test_the_neighbours_are_those_of_the_filter(client: FlaskClient, filled: Database) -> None:
    for query in ("", "status=pending", "ticker=SBUX&confidence_min=0.5", "merchant=alpha"):
        there = stored_mappings(filled, query)
        page = tree_of(get(client, url(f"/llm-center/{there[2].id}", query)).text)
        for name, row in (("prev", there[1]), ("next", there[3])):
            link = page.select_one(f"a[rel={name}]")["href"]
            assert link.startswith(f"/llm-center/{row.id}?")
            get(client, link)
        back = page.select_one("a[data-key=back]")["href"]
        assert ids_in(get(client, back).text)[0] == there[2].id
    ends = stored_mappings(filled, "status=rejected")
    assert not tree_of(get(client, f"/llm-center/{ends[0].id}?status=rejected").text).select("a[rel=prev]")
    assert not tree_of(get(client, f"/llm-center/{ends[-1].id}?status=rejected").text).select("a[rel=next]")
    third = tree_of(get(client, "/merchants?ticker=SBUX").text).select("tr[data-id] .c-name a")[1]["href"]
    assert len(tree_of(get(client, third).text).select("a[rel=prev], a[rel=next]")) == 2


def test_the_history_has_what_admins_did_and_what_an_import_read(client: FlaskClient, filled: Database) -> None:
    row = stored_mappings(filled, "status=approved&decided_by=ann%40example.com")[0]
    at = datetime(2025, 5, 1, tzinfo=UTC)
    with filled.writing() as connection:
        detail = {"from": "pending", "note": "<i>sure</i>"}
        values = {"action": "mapping.approved", "subject": "mapping", "subject_id": row.id, "detail": detail}
        connection.execute(insert(audit_events).values(at=at, admin_id=901, **values))
        connection.execute(insert(audit_events).values(
            at=at, action="merchant.renamed", subject="merchant", subject_id=row.merchant_id, detail={}))  # fmt: skip
        connection.execute(insert(imports).values(
            id=5, kind="legacy", file_name="old.db", fingerprint="f", settings={}, state="done", checkpoint="",
            rows_added=1, rows_known=0, rows_rejected=0, started_at=at))  # fmt: skip
        raw = {"subject": "mapping", "subject_id": row.id, "import_id": 5, "line": 12}
        connection.execute(insert(raw_values).values(**raw, fields={"confidence": "93.5 pct"}))
    page = get(client, f"/llm-center/{row.id}").text
    events = [" ".join(item.text.split()) for item in tree_of(page).select(".history:not(.decisions) li")]
    assert "mapping approved · ann@example.com" in events[0]
    assert "&lt;i&gt;sure&lt;/i&gt;" in page
    assert "old.db, line 12" in events[1]
    assert "93.5 pct" in events[1]
    assert "approved · ann@example.com" in events[2]
    assert "proposed" in events[3]
    assert "merchant renamed" in get(client, f"/merchants/{row.merchant_id}").text
    log = get(client, "/audit").text
    for link in (f"/llm-center/{row.id}", f"/merchants/{row.merchant_id}"):
        assert f'href="{link}"' in log


def test_hostile_text_is_only_text_and_a_strange_ticker_no_mistake(
    client: FlaskClient, database: Database, make_transactions: Callable[..., None]
) -> None:
    add_directory(database)
    make_transactions([{"merchant_id": 1}])
    evil = "<script>alert('1')</script>"
    texts = dict.fromkeys(("company", "category", "ticker"), evil)
    at = datetime(2024, 3, 1, tzinfo=UTC)
    with database.writing() as connection:
        connection.execute(update(merchants).where(merchants.c.id == 1).values(
            name=evil, descriptor=f"{evil}2", mapping_id=1, **texts))  # fmt: skip
        plain = {"merchant_id": 1, "confidence": 0.5, "source": "llm", "version": 1, "created_at": at}
        more = dict.fromkeys(("model", "rationale"), evil)
        for id, status in ((1, "approved"), (2, "rejected")):
            connection.execute(insert(llm_mappings).values(id=id, status=status, **plain, **texts, **more))
    for path in ("/llm-center/1", "/llm-center/2", "/merchants/1", "/transactions/1"):
        page = get(client, path).text
        assert "<script>alert" not in page
        assert tree_of(page).h1.text == evil
        assert not re.findall(r"<(\w+)[^>]*\son\w+=", page)


def test_an_uploaded_file_of_mappings_is_shown(client: FlaskClient, database: Database, tmp_path: Path) -> None:
    path = tmp_path / "mappings.csv"
    path.write_text(
        "merchant_name,category,ticker,company_name,confidence\n"
        "Starbucks,Food & Drink,SBUX,Starbucks Corporation,93 %\n"
        "Corner <Shop>,Food & Drink,,,\n"
    )
    import_mappings(database, path, ImportOptions(), lambda progress: None)
    answer = get(client, "/llm-center.json?source=upload").get_json()["data"]["mappings"]
    told = {one["merchant_name"]: (one["ticker"], one["confidence"], one["status"]) for one in answer}
    assert told == {"Starbucks": ("SBUX", 0.93, "approved"), "Corner <Shop>": (None, 1.0, "approved")}
    assert "upload" in pairs_of(tree_of(get(client, f"/llm-center/{answer[0]['id']}").text))["Decided"]
    statuses = {one["merchant_name"]: one["status"] for one in get(client, "/merchants.json").get_json()["merchants"]}
    assert statuses == {"Starbucks": "mapped", "Corner <Shop>": "nobody"}


def test_the_mappings_of_a_legacy_database_are_shown(client: FlaskClient, database: Database, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "old.db") as old:
        old.executescript(
            """
            CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT, name TEXT, account_type TEXT);
            CREATE TABLE transactions (id INTEGER PRIMARY KEY, user_id INTEGER, date TEXT, merchant TEXT, amount REAL);
            CREATE TABLE llm_mappings (id INTEGER PRIMARY KEY, merchant_name TEXT, ticker TEXT, category TEXT,
              confidence REAL, status TEXT, admin_approved INTEGER, company_name TEXT, user_id TEXT, created_at TEXT);
            INSERT INTO llm_mappings VALUES
              (1, 'STARBUCKS #1', 'SBUX', 'Food', 0.8, 'approved', 1, 'Starbucks', '2', '2025-01-01 00:00:00'),
              (2, 'STARBUCKS #1', 'SBUX', 'Drinks', 95, 'auto-approved', 1, 'Starbucks', '2', '2025-02-01 00:00:00'),
              (3, 'Shell', NULL, 'Fuel', 0.5, 'pending-approval', 0, 'Shell plc', '2', '2025-01-01 00:00:00');
            """
        )
    old.close()
    import_legacy(database, str(tmp_path / "old.db"), lambda progress: None)
    page = tree_of(get(client, "/llm-center").text)
    rows = [[" ".join(cell.text.split()) for cell in row.select(".c-ticker, .c-confidence, .c-decided, .c-status")]
            for row in page.select("tr[data-id]")]  # fmt: skip
    assert rows == [
        ["SBUX", "95 %", "legacy", "approved"],
        ["–", "50 %", "–", "pending"],
        ["SBUX", "80 %", "legacy", "superseded"],
    ]
    tabs = [tab.small.text for tab in page.select(".tabs a")]
    assert tabs == ["1", "1", "0", "3"]
    detail = tree_of(get(client, page.select("tr[data-id] .c-name a")[1]["href"]).text)
    assert pairs_of(detail)["Company"] == "Shell plc"
    assert "pending-approval" in detail.select(".history li")[0].text  # as it was before the import


def test_what_is_not_there_and_bad_parameters_are_named(client: FlaskClient, filled: Database) -> None:
    for id in (999_999, 2**63 - 1, 2**63, 10**30):
        assert "There is no mapping" in get(client, f"/llm-center/{id}", 404).text
        assert "There is no merchant" in get(client, f"/merchants/{id}", 404).text
    for path, words in (("/llm-center/999999.json", "mapping"), ("/api/admin/merchants/999999", "merchant")):
        assert words in get(client, path, 404).get_json()["detail"]
    id = stored_mappings(filled)[0].id
    for path, words in (
        (f"/llm-center/{id}?status=open", "status"),
        (f"/llm-center/{id}?user=1", "user"),
        (f"/llm-center/{id}?at=now", "place"),
        ("/merchants/1?merchant_id=3", "merchant_id"),
        (f"/llm-center/{id}.json?status=pending", "status"),
    ):
        assert words in get(client, path, 400).text


def test_the_transaction_leads_to_its_merchant_and_that_to_its_mappings(client: FlaskClient, filled: Database) -> None:
    row = stored(filled)[0]
    page = get(client, f"/transactions/{row.id}").text
    link = f"/merchants/{row.merchant_id}"
    assert f'href="{link}"' in page
    merchant = get(client, link).text
    mapping = html.unescape(re.findall(r'<a href="(/llm-center/\d+\?at=[^"]+)"', merchant)[0])
    assert f'href="{link}"' in get(client, mapping).text


def test_the_pages_take_the_same_statements_however_much_there_is(
    database: Database, client: FlaskClient, make_transactions: Callable[..., None]
) -> None:
    counts: dict[str, list[int]] = {"/llm-center": [], "/merchants": []}
    add_mappings(database, 100)
    for size in (100, 900):
        add_more(database, size, size)
        make_transactions(random_rows(size, size))
        row = stored_mappings(database, "merchant_id=1&ticker=SBUX")[0]
        for path, id in (("/llm-center", row.id), ("/merchants", 1)):
            with statements_of(client.application.extensions["database"].reader) as seen:
                get(client, f"{path}/{id}")
            counts[path].append(len(seen))
            assert not [statement for statement, _ in seen if "count(" in statement.lower()]
    for numbers in counts.values():
        assert max(numbers) - min(numbers) <= 2, counts
        assert max(numbers) <= 28, counts
