"""The catalogue is sound, and generated transactions look like life."""

import csv
import os
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select

from kamioi_web import catalogue, generate, totals
from kamioi_web.catalogue.descriptors import render, shop_descriptor, shop_name
from kamioi_web.generate.rhythm import PROFILES
from kamioi_web.generate.store import store
from kamioi_web.schema import llm_mappings
from kamioi_web.schema import merchants as tables

SHARED = Path(os.environ.get("KAMIOI_SHARED", Path(__file__).parents[2] / "shared"))
UNTIL = datetime(2026, 10, 14, 15, 30, 12, 345_678, tzinfo=UTC)
DAY = 86_400_000_000
USER, MERCHANT, POSTED, AMOUNT, CURRENCY, ROUND_UP, FEE, CATEGORY, STATUS, TICKER = range(10)
SOURCE, REF, CREATED = 11, 12, 13


@pytest.fixture(scope="module")
def plan():
    return generate.plan(40_000, seed=7, until=UNTIL)


@pytest.fixture(scope="module")
def sightings():
    return generate.Sightings()


@pytest.fixture(scope="module")
def rows(plan, sightings):
    return [row for batch in generate.transactions(plan, 7_000, sightings) for row in batch]


@pytest.fixture(scope="module")
def merchants(plan):
    return {row[0]: row for row in generate.merchants(plan)}


def _when(row):
    return datetime.fromtimestamp(row[POSTED] // 1_000_000, UTC)


# The catalogue


def test_brands_and_companies_are_named_once():
    names = [brand.brand for brand in catalogue.brands()]
    tickers = [one.ticker for one in catalogue.instruments()]
    assert len(names) == len(set(names)) > 400
    assert len(tickers) == len(set(tickers)) > 300


def test_listed_brands_have_an_owner_and_the_others_none():
    for brand in catalogue.brands():
        owner = (brand.ticker, brand.company, brand.exchange)
        assert all(owner) or owner == (None, None, None), brand
    assert {brand.ticker for brand in catalogue.brands()} - {None} <= {one.ticker for one in catalogue.instruments()}


def test_brands_and_shops_use_known_categories_and_profiles():
    for one in (*catalogue.brands(), *catalogue.shops()):
        assert one.category in catalogue.CATEGORIES
        assert one.profile in PROFILES
        assert one.median_cents > 0 <= one.spread
        assert one.weight > 0


def test_patterns_render_without_placeholders_left():
    rng, town = Random(1), catalogue.towns()[0]
    for pattern in (pattern for brand in catalogue.brands() for pattern in brand.patterns):
        text = render(pattern, town, rng)
        assert text == text.strip()
        assert not set(text) & set("{}|")
    for shop in catalogue.shops():
        text = shop_descriptor(shop, shop_name(shop, town, rng), town, rng)
        assert not set(text) & set("{}|")


def test_tickers_are_listed():
    path = SHARED / "data" / "reference" / "us_listed_symbols.csv"
    if not path.exists():
        pytest.skip(f"no list of symbols at {path}; KAMIOI_SHARED names its folder")
    with path.open(encoding="utf-8", newline="") as lines:
        listed = {row["symbol"].replace("/", "."): row["exchange"] for row in csv.DictReader(lines)}
    assert [one for one in catalogue.instruments() if one.ticker not in listed] == []
    exchanges = {"NYSE": "NYSE", "NASDAQ": "NASDAQ", "NYSE American": "AMEX"}
    assert [one for one in catalogue.instruments() if exchanges[one.exchange] != listed[one.ticker]] == []


# Users and merchants


def test_users_are_distinct_and_named_by_their_account(plan):
    people = list(generate.users(plan))
    assert len(people) == plan.users
    for place in (0, 1, 2):
        assert len({user[place] for user in people}) == plan.users
    assert {user[1][0] + user[4][0].upper() for user in people} <= {"II", "FF", "BB"}
    assert [user[9] for user in people] == sorted(user[9] for user in people)
    assert all(user[2].isascii() and user[2].endswith(("@example.com", "@example.org")) for user in people)
    assert Counter(user[6] for user in people).most_common(1)[0][0] == 100


def test_merchants_are_distinct_and_mapped_ones_have_a_company(plan, merchants):
    assert len(merchants) == plan.merchants == len({row[1] for row in merchants.values()})
    assert all((row[3] is None) == (row[4] is None) for row in merchants.values())
    assert 0.3 < sum(row[3] is not None for row in merchants.values()) / plan.merchants < 0.6


def test_sightings_give_the_exact_times(plan, rows, sightings):
    seen = defaultdict(list)
    for row in rows:
        seen[row[MERCHANT]].append(row[POSTED])
    told = {row[0]: row[6:] for row in generate.merchants(plan, sightings)}
    assert told == {number: (times[0], times[-1]) for number, times in seen.items()}


# Transactions


@pytest.mark.parametrize("count", [0, 1, 19, 1_234])
def test_as_many_rows_as_asked(count):
    plan = generate.plan(count, until=UNTIL)
    assert sum(map(len, generate.transactions(plan, 500))) == count


def test_same_plan_same_rows_and_another_seed_others():
    def make(seed):
        plan = generate.plan(800, seed=seed, until=UNTIL)
        return list(generate.users(plan)), list(generate.merchants(plan)), list(generate.transactions(plan))

    first = make(3)
    assert make(4) != first
    assert make(3) == first


def test_rows_come_oldest_first_inside_the_plan(plan, rows):
    times = [row[POSTED] for row in rows]
    assert len(rows) == plan.rows
    assert times == sorted(times)
    assert plan.since_micros <= times[0] <= times[-1] <= plan.until_micros
    assert all(row[POSTED] <= row[CREATED] <= plan.until_micros for row in rows)
    assert len({time % 60_000_000 for time in times}) > 0.95 * len(times)


def test_nobody_buys_before_joining(plan, rows):
    joined = {user[0]: user[9] for user in generate.users(plan)}
    assert all(row[POSTED] >= joined[row[USER]] for row in rows)


def test_references_are_unique(rows):
    assert len({(row[USER], row[SOURCE], row[REF]) for row in rows}) == len(rows)
    assert max(len(row[REF]) for row in rows) <= 8


def test_trade_grows_and_people_join(rows):
    years = [rows[0][POSTED] + number * 365 * DAY for number in range(3)]
    first, last = (sum(start <= row[POSTED] < start + 365 * DAY for row in rows) for start in (years[0], years[2]))
    assert 1.5 < last / first < 2.2
    assert len({row[USER] for row in rows[:2_000]}) < len({row[USER] for row in rows[-2_000:]})


def test_coffee_in_the_morning_dinner_in_the_evening(rows, merchants):
    profiles = {brand.brand: brand.profile for brand in catalogue.brands()}
    hours = defaultdict(Counter)
    for row in rows:
        hours[profiles.get(merchants[row[MERCHANT]][2])][_when(row).hour] += 1
    assert sum(hours["coffee"][hour] for hour in range(5, 12)) > 0.6 * hours["coffee"].total()
    assert sum(hours["dinner"][hour] for hour in range(17, 23)) > 0.5 * hours["dinner"].total()
    assert sum(hours["online"][hour] for hour in (20, 21, 22, 23)) > 0.2 * hours["online"].total()


def test_weekends_and_seasons(rows):
    shares = defaultdict(Counter)
    for row in rows:
        shares[row[CATEGORY]][_when(row).month] += 1
    week = Counter((row[CATEGORY], _when(row).weekday() >= 5) for row in rows)
    home, office = (week[one, True] / week[one, False] for one in ("Home Improvement", "Business Services"))
    assert home > 1.3 * office
    assert shares["Shopping"][12] > 1.3 * shares["Shopping"][2]
    assert shares["Travel"][7] > 1.3 * shares["Travel"][1]
    assert shares["Utilities"][1] > shares["Utilities"][5]


def test_refunds_are_few_and_round_nothing_up(plan, rows):
    refunds = [row for row in rows if row[AMOUNT] < 0]
    assert 0.008 < len(refunds) / len(rows) < 0.025
    assert all(row[ROUND_UP] == 0 for row in refunds)
    fixed = {user[0]: user[6] for user in generate.users(plan)}
    assert all(row[ROUND_UP] == fixed[row[USER]] for row in rows if row[AMOUNT] > 0)
    assert all((row[CURRENCY], row[FEE]) == ("USD", 0) and row[AMOUNT] for row in rows)


def test_people_have_favourites_and_subscriptions(rows, merchants):
    busiest = Counter(row[USER] for row in rows).most_common(1)[0][0]
    visits = Counter(row[MERCHANT] for row in rows if row[USER] == busiest)
    assert visits.most_common(1)[0][1] > 0.04 * visits.total()
    profiles = {brand.brand: brand.profile for brand in catalogue.brands()}
    paid = Counter(
        (row[USER], row[MERCHANT], row[AMOUNT])
        for row in rows
        if profiles.get(merchants[row[MERCHANT]][2]) == "subscription"
    )
    assert 0.03 < paid.total() / len(rows) < 0.12
    assert paid.most_common(1)[0][1] >= 30


def test_statuses_follow_age_and_mapping(plan, rows, merchants):
    old = [row for row in rows if row[POSTED] < plan.until_micros - 6 * DAY]
    recent = [row for row in rows if row[POSTED] > plan.until_micros - 2 * DAY]
    for row in rows:
        owner = merchants[row[MERCHANT]][3]
        assert row[TICKER] is None or (row[TICKER] == owner and row[STATUS] in ("mapped", "completed", "failed"))
        assert row[STATUS] != "mapped" or row[TICKER]
    shares = Counter(row[STATUS] for row in old)
    assert "pending" not in shares
    assert shares["completed"] > 0.88 * len(old)
    assert 0.001 < shares["failed"] / len(old) < 0.008
    assert 0 < shares["rejected"] / len(old) < 0.004
    assert 0.01 < shares["needs_review"] / len(old) < 0.09
    assert not [row for row in recent if row[STATUS] == "completed"]


def test_sources_and_categories(rows):
    sources = Counter(row[SOURCE] for row in rows)
    assert 0.89 < sources["bank"] / len(rows) < 0.95
    assert set(sources) == {"bank", "receipt", "manual"}
    assert {row[CATEGORY] for row in rows} == set(catalogue.CATEGORIES)


# Mappings

ID, OF, TICKER_OF, COMPANY, CATEGORY_OF, CONFIDENCE, STATE, MADE_BY, MODEL, REASON, DECIDER, DECIDED, _, MADE = range(
    14
)


@pytest.fixture(scope="module")
def mappings(plan, rows, sightings):
    assert rows  # which filled the sightings
    return generate.mappings(plan, sightings, 1, [7, 8])


def test_what_is_in_force_is_what_the_merchant_carries(mappings, merchants, sightings):
    approved = {row[OF]: row for row in mappings if row[STATE] == "approved"}
    assert len(approved) == sum(row[STATE] == "approved" for row in mappings)
    for number, merchant in merchants.items():
        chosen = approved.get(number)
        if number in sightings.first and merchant[3] is not None:
            assert chosen and chosen[TICKER_OF : CATEGORY_OF + 1] == merchant[3:6]
        elif chosen:
            assert (chosen[TICKER_OF], chosen[COMPANY]) == (None, None)
    assert sum(row[TICKER_OF] is None for row in approved.values()) > 50


def test_what_is_undecided_is_doubtful_and_speaks_of_a_listed_company(mappings, merchants):
    owners = {brand.brand: brand.ticker for brand in catalogue.brands()}
    waiting = [row for row in mappings if row[STATE] == "pending"]
    assert waiting
    for row in waiting:
        assert merchants[row[OF]][3] is None
        assert row[TICKER_OF] == owners[merchants[row[OF]][2]] is not None
        assert 0.3 < row[CONFIDENCE] < 0.9
        assert row[REASON]
        assert row[DECIDED] is row[DECIDER] is None


def test_mappings_are_dated_inside_the_plan_and_after_the_merchant(plan, mappings, sightings):
    assert [row[ID] for row in mappings] == list(range(1, len(mappings) + 1))
    assert [row[MADE] for row in mappings] == sorted(row[MADE] for row in mappings)
    for row in mappings:
        assert sightings.first[row[OF]] <= row[MADE] <= plan.until_micros
        assert row[DECIDED] is None or row[MADE] <= row[DECIDED] <= plan.until_micros
        assert 0 <= row[CONFIDENCE] <= 1
        assert (row[MODEL] is not None) == (row[MADE_BY] == "llm")
    assert {row[STATE] for row in mappings} == {"pending", "approved", "rejected", "superseded"}
    assert {row[MADE_BY] for row in mappings} == {"llm", "rule", "upload", "admin"}
    assert {row[DECIDER] for row in mappings} == {None, 7, 8}


def test_a_store_keeps_what_was_decided_once(database):
    made = generate.plan(1_500, seed=5, until=UNTIL)
    counted = []
    for _ in range(2):
        store(database, made, lambda done: None)
        with database.reading(60) as connection:
            kept = connection.execute(
                select(llm_mappings.c.id, llm_mappings.c.merchant_id).where(llm_mappings.c.status == "approved")
            ).all()
            carried = connection.execute(select(tables.c.mapping_id, tables.c.id).where(tables.c.mapping_id > 0)).all()
        assert sorted(map(tuple, kept)) == sorted(map(tuple, carried))
        counted.append(len(kept))
    assert counted[0] == counted[1] > 0
    assert list(totals.check(database)) == []
