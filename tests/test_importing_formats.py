"""Amounts, dates, categories and names, one text at a time."""

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kamioi_web.importing.amounts import decimal_of, parse_amount
from kamioi_web.importing.categories import CATEGORIES, category_of
from kamioi_web.importing.dates import parse_date
from kamioi_web.importing.model import Reject
from kamioi_web.importing.names import readable
from kamioi_web.schema import from_micros, to_micros

AMOUNTS = {
    "1,184.00": 118400, "$256.65": 25665, "(12.00)": -1200, "1.234,56": 123456, "-12.00": -1200, "12.00-": -1200,
    "−12.00": -1200, "1 234,56": 123456, "1\u00a0234,56": 123456, "1\u202f234\u202f567,89": 123456789, "£5": 500,
    "€ 7,50": 750, "1'234.50": 123450, "-$1,234.50": -123450, "$-1,234.50": -123450, "($1,234.50)": -123450,
    ".63": 63, "5.": 500, "2": 200, "-0": 0, "-0.00": 0, "+3.10": 310, "12.5": 1250, "1.500": 150, "0.100": 10,
    "12,50": 1250, "12.00 CR": -1200, "12.00 DR": 1200, "1,23,456.00": 12345600, "9999999999999.99": 999999999999999,
    "1,234": 123400, " 12.00 ": 1200, "C$1.00": 100, "US$ 1.00": 100,
}  # fmt: skip
NO_AMOUNTS = [
    "", " ", "-", "NaN", "nan", "inf", "1e309", "1e3", "１２.00", "٣.00", "12.345", "1.234", "12.00.00", "--5",
    "(-5.00)", "(5.00", "5.00)", "5-5", "10000000000000.00", "9" * 400, "0x10", "1_000", "12 34", "twelve", "=1+1",
    "£5 EUR", "1,2,3.00", "\x001.00", "12.00\x00",
]  # fmt: skip


@pytest.mark.parametrize(("text", "cents"), AMOUNTS.items())
def test_an_amount_is_read_to_the_cent(text, cents):
    assert parse_amount(text)[0] == cents


@pytest.mark.parametrize("text", NO_AMOUNTS)
def test_what_is_no_amount_is_rejected(text):
    with pytest.raises(Reject):
        parse_amount(text)


def test_an_amount_may_name_its_currency():
    assert parse_amount("CAD 12.00") == (1200, "CAD")
    assert parse_amount("-12.00 EUR") == (-1200, "EUR")
    assert parse_amount("£12.00") == (1200, "GBP")
    assert parse_amount("C$12.00") == (1200, "CAD")
    assert parse_amount("$12.00") == (1200, "$")


def test_what_a_number_leaves_open_follows_the_file():
    assert decimal_of("1,234") is None and decimal_of("1.234,5") == "," and decimal_of("12,3") == ","
    assert parse_amount("1,234", ".")[0] == 123400
    assert parse_amount("1.234", ",")[0] == 123400
    for text, decimal in (("1,234", ","), ("1.234", ".")):
        with pytest.raises(Reject, match="two decimals"):
            parse_amount(text, decimal)


@given(st.integers(-(10**15) + 1, 10**15 - 1), st.sampled_from([".", ","]), st.booleans(), st.sampled_from("-−(e"))
def test_any_written_amount_comes_back(cents, decimal, grouped, minus):
    digits = f"{abs(cents) // 100:,}" if grouped else str(abs(cents) // 100)
    text = f"{digits}.{abs(cents) % 100:02}"
    if decimal == ",":
        text = text.translate(str.maketrans(",.", ".,"))
    if cents < 0:
        text = {"-": f"-{text}", "−": f"−{text}", "(": f"({text})", "e": f"{text}-"}[minus]
    assert parse_amount(text, decimal)[0] == cents


@given(st.text(max_size=20))
def test_any_text_is_an_amount_or_rejected(text):
    try:
        cents, _ = parse_amount(text)
    except Reject:
        return
    assert abs(cents) < 10**15


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**12), max_value=10**12))
def test_amounts_agree_with_decimal(value):
    assert parse_amount(f"{value:.2f}")[0] == int(value * 100)
    assert Decimal(parse_amount(f"{value:.2f}")[0]) == value * 100


DATES = {
    "2024-02-29": "2024-02-29T00:00", "2024-02-29T13:05:06": "2024-02-29T13:05:06",
    "2024-02-29 13:05:06.123456": "2024-02-29T13:05:06.123456", "2024-02-29T13:05:06Z": "2024-02-29T13:05:06",
    "2024-03-01T00:30:00+01:00": "2024-02-29T23:30", "2024-02-29T20:00-0500": "2024-03-01T01:00",
    "05-18-2011": "2011-05-18T00:00", "05/18/2011": "2011-05-18T00:00", "5/1/2011": "2011-05-01T00:00",
    "2011/05/18": "2011-05-18T00:00", "18-May-2011": "2011-05-18T00:00", "18 September 2011": "2011-09-18T00:00",
    "18.05.2011": "2011-05-18T00:00", "01.05.2011": "2011-05-01T00:00", "May 18, 2011": "2011-05-18T00:00",
    "20110518": "2011-05-18T00:00", "05/18/2011 1:05 PM": "2011-05-18T13:05", "12/31/2100": "2100-12-31T00:00",
    "1970-01-01": "1970-01-01T00:00",
}  # fmt: skip


@pytest.mark.parametrize(("text", "moment"), DATES.items())
def test_a_date_is_read(text, moment):
    assert from_micros(parse_date(text)) == datetime.fromisoformat(moment).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2024-02-31", "no such day"), ("2023-02-29", "no such day"), ("31/31/2024", "no such day"),
        ("18/05/2011", "no such day"), ("1969-12-31", "before 1970"), ("1970-01-01T00:00+02:00", "before 1970"),
        ("2101-01-01", "after 2100"), ("9999-12-31T23:59:60", "after 2100"), ("2024-01-01T23:59:60", "time of day"),
        ("2024-01-01T25:00", "time of day"), ("", "no date"), ("yesterday", "not written"), ("01/02/24", "not written"),
        ("２０２４-01-01", "not written"), ("12-Foo-2024", "no such month"), ("2024-01-01Tnoon", "its time"),
        ("45321", "not written"), ("2024-01-01\x00", "not written"),
    ],
)  # fmt: skip
def test_what_is_no_date_is_rejected_with_the_reason(text, reason):
    with pytest.raises(Reject, match=reason):
        parse_date(text)


def test_the_day_comes_first_where_the_file_says_so():
    assert parse_date("03/04/2014", dayfirst=True) == parse_date("2014-04-03")
    assert parse_date("03/04/2014", dayfirst=False) == parse_date("2014-03-04")
    assert parse_date("03.04.2014", dayfirst=False) == parse_date("2014-04-03")


@given(st.datetimes(datetime(1970, 1, 2), datetime(2100, 12, 30)), st.integers(-14 * 60, 14 * 60))
def test_any_iso_moment_comes_back(moment, minutes):
    zone = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    expected = to_micros(moment.replace(tzinfo=UTC) - timedelta(minutes=minutes))
    assert parse_date(moment.isoformat(sep=" ") + zone) == expected


@given(st.text(max_size=25))
def test_any_text_is_a_date_or_rejected(text):
    try:
        micros = parse_date(text)
    except Reject:
        return
    assert 0 <= micros < to_micros(datetime(2101, 1, 2, tzinfo=UTC))


def test_merchant_category_codes():
    wanted = {
        "5411": "Groceries", "5812": "Food & Dining", "5541": "Gas & Fuel", "4511": "Travel", "3640": "Travel",
        "5912": "Healthcare", "742": "Pets", "0742": "Pets", "4900": "Utilities", "8220": "Education",
        "5734": "Technology", "7299": "Business Services", "8398": "Government & Charity", "5200": "Home Improvement",
    }  # fmt: skip
    assert {code: category_of(code) for code in wanted} == wanted
    assert [category_of(text) for text in ("", "x", "12345", "５４１１")] == [None] * 4
    assert {category_of(f"{code:04}") for code in range(10_000)} - {None} <= set(CATEGORIES)


@pytest.mark.parametrize(
    ("descriptor", "name"),
    [
        ("METRO #720", "Metro"), ("NOFRILLS  VITO'S #3936", "Nofrills Vito's"),
        ("amazon.com purchase", "Amazon.com Purchase"),
        ("ULTRAMAR #32774", "Ultramar"), ("Whole Foods", "Whole Foods"), ("7-11", "7-11"), ("SHELL", "Shell"),
    ],
)  # fmt: skip
def test_a_readable_name(descriptor, name):
    assert readable(descriptor) == name


@pytest.mark.parametrize("text", ["a " + "1" * 998 + "!", " ".join("1" * 500), "#" * 1000, "# 1 " * 250, "A" * 1000])
def test_a_long_descriptor_has_a_name_at_once(text):
    started = time.monotonic()
    assert readable(text)
    assert time.monotonic() - started < 0.5
