"""The search box read: operators, quotes, what is cut off, and text that only looks like an operator."""

from datetime import date, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kamioi_web import filters, money
from kamioi_web.errors import BadRequest
from kamioi_web.pages import MAPPINGS, MERCHANTS, PAGES, TRANSACTIONS, USERS
from kamioi_web.search.narrowing import narrowed, takes
from kamioi_web.search.operators import Asked, operators_of, read
from kamioi_web.search.terms import UNSEEN, quoted, split

TODAY = date(2024, 3, 14)
EVERYWHERE = frozenset().union(*(operators_of(page.subject.PARAMETERS) for page in PAGES))
VALUES = {"category": [("Groceries", 9), ("Fuel & Co", 3)], "status": [("failed", 2)]}


def asked(typed: str) -> Asked:
    return read(typed, EVERYWHERE, TODAY)


def link(typed: str, kept: tuple[tuple[str, str], ...] = ()) -> str:
    """The query of the transactions that a text asks for, as people read it."""
    return unquote(urlsplit(narrowed(TRANSACTIONS, asked(typed), kept, VALUES)).query)


@pytest.mark.parametrize(
    ("typed", "query"),
    {
        "amount:>100": "amount_min=100.01",
        "amount:>=100": "amount_min=100.00",
        "amount:<=5.50": "amount_max=5.50",
        "amount:<0": "amount_max=-0.01",
        "amount:10..20": "amount_min=10.00&amount_max=20.00",
        "amount:-20..-10.5": "amount_min=-20.00&amount_max=-10.50",
        "amount:..20": "amount_max=20.00",
        "amount:10..": "amount_min=10.00",
        "amount:12.50": "amount_min=12.50&amount_max=12.50",
        "amount:=−3": "amount_min=-3.00&amount_max=-3.00",
        "amount:$1,234.50": "amount_min=1234.50&amount_max=1234.50",
        "amount:>5 amount:<10 amount:>7": "amount_min=7.01&amount_max=9.99",
        "date:2024": "since=2024-01-01&until=2024-12-31",
        "date:2024-02": "since=2024-02-01&until=2024-02-29",
        "date:2024-03-14": "since=2024-03-14&until=2024-03-14",
        "date:2024-01..2024-06": "since=2024-01-01&until=2024-06-30",
        "date:>2024-02": "since=2024-03-01",
        "date:<2024": "until=2023-12-31",
        "date:today": "since=2024-03-14&until=2024-03-14",
        "date:yesterday": "since=2024-03-13&until=2024-03-13",
        "date:7d": "since=2024-03-08&until=2024-03-14",
        "since:2024-02 until:2024-03": "since=2024-02-01&until=2024-03-31",
        "from:2024-02-10": "since=2024-02-10",
        "date:2024 until:2024-06": "since=2024-01-01&until=2024-06-30",
        "status:failed": "status=failed",
        "STATUS:Failed,rejected": "status=failed&status=rejected",
        "status:failed status:failed": "status=failed",
        'status:"in review"': "status=needs_review",
        "status:needs-review": "status=needs_review",
        "ticker:sbux": "ticker=SBUX",
        "category:groceries": "category=Groceries",
        'category:"fuel & co",Travel': "category=Fuel & Co&category=Travel",
        "account:family": "account_type=family",
        "kind:refund": "kind=refund",
        "is:refund": "kind=refund",
        "source:bank": "source=bank",
        "currency:cad": "currency=CAD",
        "user:I1000042": "user=I1000042",
        'merchant:"whole foods"': "merchant=whole foods",
        'merchant:"whole foods" market': "merchant=whole foods market",
        "starbucks seattle status:failed": "status=failed&merchant=starbucks seattle",
        '"amount:>5"': "merchant=amount:>5",
        "Foo:Bar": "merchant=Foo:Bar",
        "https://x.example/?a=b": "merchant=https://x.example/?a=b",
        '6" sub': 'merchant=6" sub',
        '"whole foods': "merchant=whole foods",
        'say "" nothing': "merchant=say nothing",
        "-status:failed": "merchant=-status:failed",
        "100%_*^ (NEAR) AND OR": "merchant=100%_*^ (NEAR) AND OR",
        "\u202estarbucks\u202c\u200b": "merchant=starbucks",
        "sta\u200brbucks": "merchant=starbucks",
        " \t\u3000starbucks\n": "merchant=starbucks",
        "": "",
    }.items(),
)
def test_what_is_typed_becomes_filters_of_the_list(typed: str, query: str) -> None:
    assert link(typed) == query


@pytest.mark.parametrize(
    ("typed", "says"),
    {
        "status:": "wants a value",
        "status: failed": "wants a value",
        'status:""': "wants a value",
        'merchant:"': "wants a value",
        "status:,": "wants a value",
        "amount:>": "cut off",
        "amount:..": "has no end",
        "amount:20..10": "ends before it begins",
        "amount:ten": "not an amount",
        "amount:1e5": "not an amount",
        "amount:>>5": "not an amount",
        "confidence:150": "not a share",
        "date:2024-02-30": "not a date",
        "date:2024-13": "not a date",
        "date:2024-00": "not a date",
        "date:2024-03-00": "not a date",
        "date:1969": "not a date",
        "date:soon": "not a date",
        "date:2024-06..2024-01": "ends before it begins",
        "status:nonsense": "It is one of: pending",
        "ticker:not-a-ticker": "not a ticker",
        "currency:dollars": "not a currency",
        "user:a user:b": "takes one value",
        "id:abc": "1, 2, 3",
        "id:99999999999999999999": "1, 2, 3",
        "starbucks\x00": "control character",
        "x" * 10_000: "10,000 characters",
        "y" * 300: "300 characters",
    }.items(),
)
def test_what_cannot_be_understood_is_said(typed: str, says: str) -> None:
    with pytest.raises(BadRequest, match=says):
        link(typed)


def test_filters_that_were_there_stay_unless_they_are_asked_for_anew() -> None:
    kept = (("status", "failed"), ("merchant", "shell"), ("since", "2024-01-01"), ("until", "2024-01-31"))
    assert link("", kept) == "status=failed&since=2024-01-01&until=2024-01-31"
    assert link("uber status:pending", kept) == "status=pending&merchant=uber&since=2024-01-01&until=2024-01-31"
    assert link("since:2024-03", kept) == "status=failed&since=2024-03-01"
    assert link("ticker:SBUX", (("merchant_id", "3"), ("ticker", "AAPL"))) == "ticker=SBUX"


def test_each_list_takes_its_own_operators() -> None:
    assert takes(USERS, asked("account:family date:2024")) and not takes(USERS, asked("amount:>5"))
    assert narrowed(USERS, asked("ada account:family"), (), {}) == "/users?search=ada&account_type=family"
    assert narrowed(USERS, asked("user:ada"), (), {}) == "/users?search=ada"
    assert narrowed(MERCHANTS, asked("merchant:shell oil status:unmapped"), (), {}) == (
        "/merchants?search=shell%20oil&status=unmapped"
    )
    assert takes(MAPPINGS, asked("confidence:>0.9")) and not takes(TRANSACTIONS, asked("confidence:>0.9"))
    assert narrowed(MAPPINGS, asked("shell confidence:80..95 status:pending"), (), {}) == (
        "/llm-center?status=pending&confidence_min=0.8&confidence_max=0.95&merchant=shell"
    )
    with pytest.raises(BadRequest, match=r"“ticker:” is no filter of Users.*account_type:"):
        narrowed(USERS, asked("ticker:SBUX"), (), {})


def test_an_id_is_a_number() -> None:
    assert asked("id:123") == Asked(id=123)
    assert asked("transaction:9223372036854775807").id == 2**63 - 1


@given(st.text(max_size=60))
@example('status:"')
@example("amount:>\u202e")
@example('"' * 20)
@example("a:b:c:status:failed")
def test_whatever_is_typed_is_understood_or_refused_in_words(typed: str) -> None:
    try:
        address = narrowed(TRANSACTIONS, asked(typed), (), VALUES)
    except BadRequest as error:
        assert str(error).endswith(".")
        return
    query = parse_qs(urlsplit(address).query, keep_blank_values=True, strict_parsing=bool(urlsplit(address).query))
    filters.parse_filters(TRANSACTIONS.subject.PARAMETERS, query)
    filters.refuse_unknown(query, {parameter.name for parameter in TRANSACTIONS.subject.PARAMETERS})


@given(st.text(max_size=60).filter(lambda text: ":" not in text and '"' not in text))
def test_text_without_a_colon_stays_text_to_the_letter(typed: str) -> None:
    if any(ord(letter) < 32 and not letter.isspace() for letter in typed):
        return
    assert asked(typed) == Asked(words=" ".join(UNSEEN.sub("", typed).split()))


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters='"'), max_size=12), max_size=5))
def test_quoted_values_come_back_as_they_were(values: list[str]) -> None:
    values = [clean for value in values if (clean := UNSEEN.sub("", value).strip())]
    terms = list(split("status:" + ",".join(quoted(value) for value in values), {"status"}))
    assert terms[0].operator == "status" and len(terms) == 1
    assert terms[0].values == values


@given(st.integers(-(10**12), 10**12), st.integers(-(10**12), 10**12))
def test_amounts_bound_what_they_say(first: int, second: int) -> None:
    low, high = sorted((first, second))
    pairs = dict(asked(f"amount:{money.plain(low)}..{money.plain(high)}").pairs)
    assert (money.parse(pairs["amount_min"], ""), money.parse(pairs["amount_max"], "")) == (low, high)
    above = dict(asked(f"amount:>{money.plain(low)}").pairs)
    assert above == {"amount_min": money.plain(low + 1)}


@given(st.dates(date(1971, 1, 1), date(2198, 12, 31)))
def test_a_day_a_month_and_a_year_hold_their_days(day: date) -> None:
    for length in (4, 7, 10):
        pairs = dict(asked(f"date:{day.isoformat()[:length]}").pairs)
        first, last = (filters.day(pairs[name], name) for name in ("since", "until"))
        assert first <= day <= last
        assert first.isoformat()[:length] == last.isoformat()[:length] == day.isoformat()[:length]
        before, after = first - timedelta(days=1), last + timedelta(days=1)
        assert day.isoformat()[:length] not in (before.isoformat()[:length], after.isoformat()[:length])
