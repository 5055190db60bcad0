"""The overview: its figures against a recount of the rows, its panels by themselves; on both databases."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from conftest import micros
from flask.testing import FlaskClient
from helpers import add_directory, get, ids_in, statements_of, total_in
from sqlalchemy import insert, select, text, update
from test_plans import assert_frugal

from kamioi_web import overview_page
from kamioi_web.db import Database
from kamioi_web.overview_parts import change
from kamioi_web.queries import overview
from kamioi_web.schema import ROLES, audit_events, imports, llm_mappings, merchants, transactions, users

NOW = datetime(2024, 3, 14, 9, 49, 13, tzinfo=UTC)
HOUR = timedelta(hours=1)
UNTIL = NOW.replace(minute=0, second=0)
HOSTILE = ['<script>alert("1")</script>', "\"' onmouseover='x", "\u202eevil\u2066", "&amp;</li>"]
PANELS = [panel.name for panel in overview_page.PANELS]


@pytest.fixture(autouse=True)
def time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a slow machine, too, the first answer holds every panel."""
    monkeypatch.setattr(overview_page, "BUDGET_SECONDS", 600)


@pytest.fixture
def filled(database: Database, make_transactions: Callable[..., None]) -> None:
    """600 transactions of 90 days up to two hours after NOW, most of them in its last two days, some on full hours."""
    chance = random.Random(11)
    add_directory(database)
    rows = []
    for number in range(600):
        back = chance.choice((3, 3, 48, 50, 24 * 40, 24 * 90)) * chance.random()
        at = NOW + 2 * HOUR - timedelta(hours=back)
        at = at.replace(minute=0, second=0, microsecond=0) if chance.random() < 0.2 else at
        rows.append({
            "user_id": 1 + number % 12, "merchant_id": 1 + number % 30, "posted_at": micros(at.isoformat()),
            "amount_cents": chance.choice((-500, 1, 1250, 99_999)), "currency": chance.choice(("USD", "USD", "CAD")),
            "round_up_cents": chance.choice((0, 37, 100)), "fee_cents": chance.choice((0, 25)),
            "status": chance.choice(("completed", "completed", "mapped", "failed", "pending", "needs_review")),
        })  # fmt: skip
    make_transactions(rows)
    with database.writing() as connection:
        connection.execute(update(users).where(users.c.id > 5).values(created_at=NOW - 30 * HOUR))
        connection.execute(update(users).where(users.c.id > 9).values(created_at=UNTIL - HOUR))
        connection.execute(insert(llm_mappings), [_mapping(number, chance) for number in range(40)])


def _mapping(number: int, chance: random.Random) -> dict[str, Any]:
    status = chance.choice(("pending", "approved", "rejected"))
    return {"merchant_id": 1 + number % 30, "ticker": None, "confidence": 0.5, "status": status, "source": "llm",
            "version": 1, "created_at": NOW - chance.choice((1, 12, 30, 60)) * HOUR}  # fmt: skip


@pytest.fixture
def at_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of the overview stands at NOW."""
    monkeypatch.setattr(overview_page, "_now", lambda: NOW)


def rows_of(database: Database, table: Any = transactions) -> list[Any]:
    with database.reading(60) as connection:
        return list(connection.execute(select(table)).fetchall())


def soup(answer: str) -> Any:
    return BeautifulSoup(answer, "html.parser")


def panel(client: FlaskClient, name: str, status: int = 200) -> Any:
    return soup(get(client, f"/overview/{name}", status, htmx=True).text)


def main_currency(rows: list[Any]) -> str:
    codes = [row.currency for row in rows]
    return max(set(codes), key=lambda code: (codes.count(code), code))


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("now", [NOW, UNTIL, UNTIL - timedelta(microseconds=1), NOW + timedelta(days=400)])
def test_the_last_day_is_a_recount_of_whole_hours(database: Database, now: datetime) -> None:
    with database.reading() as connection:
        found = overview.last_day(connection, now)
    end = now.replace(minute=0, second=0, microsecond=0)
    assert found.until == end
    everything = [row for row in rows_of(database) if end - 48 * HOUR <= row.posted_at < end]
    assert found.currency == (main_currency(everything) if everything else "USD")
    for sums, low, high in ((found.now, end - 24 * HOUR, end), (found.before, end - 48 * HOUR, end - 24 * HOUR)):
        there = [row for row in everything if low <= row.posted_at < high]
        ours = [row for row in there if row.currency == found.currency]
        assert sums == overview.Sums(
            len(there),
            sum(row.amount_cents for row in ours),
            sum(row.round_up_cents for row in ours if row.status == "completed"),
            sum(row.status == "failed" for row in there),
            sum(low <= row.created_at < high for row in rows_of(database, users)),
            sum(low <= row.created_at < high for row in rows_of(database, llm_mappings)),
        )
    assert now > NOW or (found.now.transactions and found.before.transactions and found.before.users)


@pytest.mark.usefixtures("filled")
def test_what_waits_is_a_recount_of_the_rows(database: Database) -> None:
    with database.reading() as connection:
        found = overview.attention(connection, NOW)
    rows = rows_of(database)
    week = [row for row in rows if NOW.date() - timedelta(days=6) <= row.posted_at.date() <= NOW.date()]
    assert found.failed == sum(row.status == "failed" for row in week) > 0
    waiting = [row for row in rows if row.status in ("needs_review", "pending")]
    assert found.in_review + found.pending == len(waiting)
    money = {code: sum(row.amount_cents for row in waiting if row.currency == code) for code in ("USD", "CAD")}
    assert dict(found.waiting) == money and found.waiting[0][0] == main_currency(waiting)
    assert found.mappings == sum(row.status == "pending" for row in rows_of(database, llm_mappings)) > 0
    oldest = min((row.posted_at, row.id) for row in waiting if row.status == "pending")
    assert found.oldest and (found.oldest.posted_at, found.oldest.id) == oldest
    with database.writing() as connection:
        connection.execute(update(transactions).values(status="completed"))
        connection.execute(update(llm_mappings).values(status="approved"))
    with database.reading() as connection:
        found = overview.attention(connection, NOW)
    assert (found.failed, found.in_review, found.pending, found.waiting, found.mappings) == (0, 0, 0, (), 0)
    assert found.oldest is None and found.unfinished == ()


@pytest.mark.usefixtures("filled")
def test_the_days_of_the_chart_are_whole_and_today_is_left_out(database: Database) -> None:
    with database.reading() as connection:
        found = overview.by_day(connection, NOW)
    days = [row.posted_at.date() for row in rows_of(database)]
    assert found.since == NOW.date() - timedelta(days=30)
    for counts, first in ((found.now, found.since), (found.before, found.since - timedelta(days=30))):
        assert list(counts) == [days.count(first + timedelta(days=at)) for at in range(30)]
    assert sum(found.now) and sum(found.before)


@pytest.mark.usefixtures("filled", "at_now")
def test_every_figure_of_what_waits_leads_to_its_rows(database: Database, client: FlaskClient) -> None:
    tiles = panel(client, "attention").select(".tile")
    texts = {tile.select_one(".tile-label").text: tile.strong.find(string=True).strip() for tile in tiles}
    links = {tile.a.text: tile.a["href"] for tile in tiles}
    for label in ("Failed in 7 days", "Waiting for review", "Pending mappings"):
        assert total_in(get(client, links[label]).text) == ("data-total", int(texts[label].replace(",", ""))), label
    oldest = min((row.posted_at, row.id) for row in rows_of(database) if row.status == "pending")
    assert links["Oldest pending"].startswith(f"/transactions/{oldest[1]}?")
    get(client, links["Oldest pending"])
    volume = soup(get(client, links["Waiting for review"]).text).select_one(".tile strong").text
    waiting = tiles[1].strong.small.text
    assert waiting.startswith(volume) and " + CA$" in waiting


@pytest.mark.usefixtures("filled", "at_now")
def test_a_figure_of_the_last_day_opens_its_list_where_those_hours_end(database: Database, client: FlaskClient) -> None:
    shown = panel(client, "hours")
    assert "up to 09:00 UTC" in shown.text
    lists = {"transactions": transactions, "failed": transactions, "users": users, "mappings": llm_mappings}
    for name, table in lists.items():
        address = shown.select_one(f"#hours-{name}")["href"]
        at = {transactions: "posted_at"}.get(table, "created_at")
        there = [row for row in rows_of(database, table) if getattr(row, at) < UNTIL]
        there = [row for row in there if name != "failed" or row.status == "failed"]
        newest = max(there, key=lambda row: (getattr(row, at), row.id))
        assert ids_in(get(client, address).text)[0] == newest.id, name
        day = [row for row in there if getattr(row, at) >= UNTIL - 24 * HOUR]
        assert shown.select_one(f"#hours-{name}").text == f"{len(day):,}"
    assert shown.select_one("#hours-volume_cents").text[0] in "$−C"


@pytest.mark.usefixtures("filled", "at_now")
def test_every_day_of_the_chart_leads_to_its_rows(client: FlaskClient) -> None:
    shown = panel(client, "days")
    cells = [cell for cell in shown.select(".behind td a") if cell.text != "0"][::7]
    assert len(cells) > 3
    for cell in cells:
        assert total_in(get(client, cell["href"]).text) == ("data-total", int(cell.text)), cell["href"]
    whole = shown.select_one(".panel-sum a")
    assert total_in(get(client, whole["href"]).text)[1] == int(whole.strong.text)
    assert len(shown.select(".behind tbody tr")) == 30 and not shown.section.has_attr("hx-get")


@pytest.mark.usefixtures("filled")
def test_news_are_the_newest_of_each_kind(database: Database, client: FlaskClient) -> None:
    _imports(database, ["done", "running", "done"])
    there = sorted(rows_of(database), key=lambda row: (row.posted_at, row.id), reverse=True)
    news = panel(client, "transactions")
    assert [link["id"] for link in news.select("li > a")] == [f"recent-{row.id}" for row in there[: overview.ROWS]]
    assert get(client, news.select_one("li > a")["href"])
    files = panel(client, "imports").select("li")
    assert [row.a.text for row in files] == ["file 2.csv", "file 1.csv", "file 0.csv"]
    assert get(client, files[1].a["href"]).text.count("file 1.csv") >= 2
    assert [row.select_one(".status").text for row in files] == ["done", "not finished", "done"]
    assert "5 added, 1 rejected" in files[0].text
    unfinished = panel(client, "attention").select(".unfinished li")
    assert [row.a["href"] for row in unfinished] == [files[1].a["href"]]
    assert unfinished[0].text.startswith("file 1.csv begun 14 Mar 2024")
    _imports(database, ["running"] * 9, "more")
    last = panel(client, "attention").select(".unfinished li")[-1]
    assert total_in(get(client, last.a["href"]).text)[1] == 10
    with database.writing() as connection:
        rows = [{"at": NOW + number * HOUR, "action": f"test.{number}", "detail": {}} for number in range(20)]
        connection.execute(insert(audit_events), rows)
    events = panel(client, "events").select("li")
    assert [row.a.text for row in events] == [f"test.{number}" for number in range(19, 11, -1)]
    assert {row.select_one(".who-did").text for row in events} == {"system"}


def _imports(database: Database, states: list[str], mark: str = "") -> None:
    rows = [
        {"kind": "transactions", "file_name": f"file {number}.csv", "fingerprint": f"{mark}{number}", "settings": {},
         "state": state, "checkpoint": "", "rows_added": 5, "rows_known": 0, "rows_rejected": 1, "started_at": NOW,
         "finished_at": NOW if state == "done" else None}
        for number, state in enumerate(states)
    ]  # fmt: skip
    with database.writing() as connection:
        connection.execute(insert(imports), rows)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.usefixtures("filled")
def test_events_are_for_those_who_may_see_the_audit_log(make_client: Callable[..., FlaskClient], role: str) -> None:
    client, allowed = make_client(role), role in ("operator", "owner")
    page = soup(get(client, "/").text)
    expected = [name for name in PANELS if allowed or name != "events"]
    assert [section["id"] for section in page.select(".overview section")] == expected
    assert bool(page.select("main a[href^='/audit']")) == allowed
    panel(client, "events", 200 if allowed else 403)


@pytest.mark.usefixtures("filled")
def test_one_panel_that_fails_leaves_the_others_their_place(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(connection: Any, now: datetime) -> None:
        connection.execute(text("SELECT * FROM a_table_that_is_not_there"))

    for number, name in enumerate(PANELS):
        changed = list(overview_page.PANELS)
        changed[number] = replace(changed[number], read=broken)
        with monkeypatch.context() as patch:
            patch.setattr(overview_page, "PANELS", tuple(changed))
            page = soup(get(client, "/").text)
            assert [section["id"] for section in page.select(".overview section")] == [n for n in PANELS if n != name]
            problem = page.select_one(f".slot-{name} .problem-box")
            assert problem.button["hx-get"] == f"/overview/{name}" and "Retry" in problem.text
            alone = get(client, f"/overview/{name}", 503, htmx=True)
            assert alone.headers["X-Fragment"] == "1" and "problem-box" in alone.text and "<html" not in alone.text
        assert panel(client, name).section["id"] == name, "Retry brings it back"


@pytest.mark.usefixtures("filled")
def test_a_fault_in_showing_a_panel_is_as_well_kept_apart(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = (replace(overview_page.PANELS[0], show=lambda found: {"tiles": 1 // 0}), *overview_page.PANELS[1:])
    monkeypatch.setattr(overview_page, "PANELS", changed)
    page = soup(get(client, "/").text)
    assert "Something went wrong here" in page.select_one(".slot-attention .problem-box").text
    assert len(page.select(".overview section")) == len(PANELS) - 1


@pytest.mark.usefixtures("filled")
def test_panels_that_are_not_ready_load_by_themselves_and_say_so_without_javascript(
    make_client: Callable[..., FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client(cache_seconds=60)
    monkeypatch.setattr(overview_page, "BUDGET_SECONDS", 0)
    boxes = soup(get(client, "/").text).select(".overview section.pending")
    assert [(box["hx-get"], box["hx-trigger"].split(",")[0]) for box in boxes] == [
        (f"/overview/{name}", "load") for name in PANELS
    ]
    assert all(box.noscript.a["href"] == "" and box.h2 for box in boxes)
    for name in PANELS[:2]:
        panel(client, name)
    kept = soup(get(client, "/").text)
    assert [box["id"] for box in kept.select(".overview section:not(.pending)")] == PANELS[:2], "what is kept is shown"


@pytest.mark.usefixtures("filled")
def test_figures_are_kept_for_some_seconds_and_tell_their_age(make_client: Callable[..., FlaskClient]) -> None:
    client = make_client(cache_seconds=60)
    first = get(client, "/").text
    with statements_of(client.application.extensions["database"].reader) as seen:
        second = soup(get(client, "/").text)
        panel(client, "hours")
    assert not [words for words, _ in seen if "totals" in words or "FROM transactions" in words]
    assert all(age.text.endswith(" s old") for age in second.select(".panel-age")), "and each says how old it is"
    assert len(second.select(".panel-age")) == len(PANELS) == len(soup(first).select(".panel-age"))


def test_the_statements_are_as_many_for_any_number_of_rows_and_count_none(
    client: FlaskClient, database: Database, make_transactions: Callable[..., None]
) -> None:
    add_directory(database)
    lengths = []
    for rows in (30, 900):
        make_transactions([
            {"source_ref": f"{rows}-{number}", "posted_at": micros("2024-03-14T00:00:00") + number * 10**9,
             "status": "pending" if number % 3 else "failed"} for number in range(rows)])  # fmt: skip
        with statements_of(client.application.extensions["database"].reader) as seen:
            get(client, "/")
        lengths.append(len(seen))
        for words, values in seen:
            assert_frugal(words, values)
    assert lengths[0] == lengths[1] <= 30


@pytest.mark.usefixtures("filled")
def test_every_link_of_the_page_leads_somewhere(client: FlaskClient) -> None:
    links = {str(link["href"]) for link in soup(get(client, "/").text).select("main a[href], nav a[href]")}
    followed = [link for link in sorted(links) if not link.startswith("#")]
    assert len(followed) > 60
    for link in followed:
        get(client, link)


def test_an_empty_database_says_so(client: FlaskClient) -> None:
    page = soup(get(client, "/").text)
    assert not page.select(".problem-box")
    told = page.select_one("main").text
    for words in ("nothing waits", "nothing is pending", "There are no transactions yet.", "Nothing was imported yet."):
        assert words in told, words


def test_hostile_names_are_only_text(
    client: FlaskClient, database: Database, make_transactions: Callable[..., None]
) -> None:
    add_directory(database)
    make_transactions([{"merchant_id": number + 1, "status": "pending"} for number in range(len(HOSTILE))])
    _imports(database, ["running"] * len(HOSTILE))
    with database.writing() as connection:
        for number, evil in enumerate(HOSTILE):
            connection.execute(update(merchants).where(merchants.c.id == number + 1).values(name=evil))
            connection.execute(update(imports).where(imports.c.fingerprint == str(number)).values(file_name=evil))
            connection.execute(
                insert(audit_events), [{"at": NOW, "action": evil, "subject": evil, "subject_id": 1, "detail": {}}]
            )
    page = soup(get(client, "/").text)
    assert not page.select("main script, main [onmouseover]")
    for name in ("transactions", "imports", "events"):
        for evil in HOSTILE:
            assert evil in page.select_one(f"#{name}").text, (name, evil)


def test_it_is_where_a_login_lands_and_first_in_the_navigation(client: FlaskClient) -> None:
    page = soup(get(client, "/").text)
    first = page.select_one("nav a")
    assert (first.text.strip(), first["href"], first["aria-current"]) == ("Overview", "/", "page")
    assert page.select_one(".brand")["href"] == "/"
    stranger = client.application.test_client()
    assert stranger.get("/").headers["Location"] == "/login"
    assert stranger.get("/overview/hours", headers={"HX-Request": "true"}).status_code == 401
    assert "no panel “nothing”" in get(client, "/overview/nothing", 404).text
    for address in ("/?colour=red", "/overview/hours?colour=red"):
        assert "There is no parameter “colour” here" in get(client, address, 400).text
    assert client.post("/").status_code in (400, 405)


@pytest.mark.parametrize(
    ("now", "before", "words"),
    [(112, 100, "+12 %"), (97, 100, "−3 %"), (5, 5, "±0 %"), (0, 0, "±0 %"), (7, 0, "new"), (0, 7, "−100 %"),
     (1001, 1000, "+<1 %"), (999, 1000, "−<1 %"), (50, -100, "+150 %"), (123_456, 10, "+1,234,460 %")],
)  # fmt: skip
def test_a_change_reads_as_percent(now: int, before: int, words: str) -> None:
    assert change(now, before) == words
