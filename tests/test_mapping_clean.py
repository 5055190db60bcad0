"""A descriptor without what belongs to the payment, the branch or the place."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kamioi_web.mapping.clean import LONGEST, as_alias, clean


@pytest.mark.parametrize(
    ("descriptor", "name"),
    [
        ("SQ *BLUE BOTTLE COFFEE", "blue bottle coffee"),
        ("SQ     *SQ *FIBRAMULCH", "fibramulch"),
        ("INT*IN *AXIS GEAR COMP", "axis gear comp"),
        ("TST* THE RUSTY SPOON - DAYTON", "the rusty spoon"),
        ("paypal legsgalorel", "legsgalorel"),
        ("PAYPAL *A1 POSTERS", "a1 posters"),
        ("sp  cartridgebuy", "cartridgebuy"),
        ("amzprebeat", "prebeat"),
        ("UPS*000000964015145", "ups"),
        ("WPY*CIRCLE CRATES AND", "circle crates and"),
        ("BF*CONTAINERSTORE", "containerstore"),
        ("STARBUCKS STORE 04411 DAYTON OH", "starbucks store"),
        ("MCDONALD'S F12345 FORT WORTH TX", "mcdonalds"),
        ("TIM HORTON S #5545", "tim hortons"),
        ("WAL-MART # 3111", "wal mart"),
        ("THE HOME DEPOT #7080", "the home depot"),
        ("tesco stores 2345", "tesco stores"),
        ("43033820 COSTA COFFEE", "costa coffee"),
        ("courtyard by marriott1154", "courtyard by marriott"),
        ("COSTCO WHOLESALE W524", "costco wholesale"),
        ("7-ELEVEN 35123", "7 eleven"),
        ("LIFE360 855-328-9121 CA", "life360"),
        ("LYFT *RIDE TUE", "lyft ride tue"),
        ("TM *BLUE JAYS", "ticketmaster blue jays"),
        ("TARGET.COM * 888-366-1570 MN", "target"),
        ("NIKE.COM 866-408-8383 OR", "nike"),
        ("MINT MOBILE 800-748-4977 CA", "mint mobile"),
        ("MURPHY8621ATWALMART HOUSTON TX", "murphy"),
        ("super 8", "super 8"),
        ("tesco stores 23", "tesco stores"),
        ("MOTEL 6 #1234", "motel 6"),
        ("AT&T 800-331-0500 TX", "at t"),
        ("EXPEDIA 7235763162101", "expedia"),
        ("AMZN MKTP CA*2K4AB1GH2", "amzn mktp ca"),
        ("kindle svcsms8kd1ql4", "kindle svcs"),
        ("amazon.co.ukmt3oq7ga4 am", "amazon am"),
        ("FACEBK *3X6TLHS2E2", "facebk"),
        ("www.britishgas.co.", "britishgas"),
        ("WWW.CAKECRAFTSHOP.C", "cakecraftshop"),
        ("https://www.lego.com/en-us", "lego"),
        ("STAPLES.CA", "staples"),
        ("itunes.com/bill", "itunes"),
        ("VIA RAIL//MRZ705/02JUL", "via rail"),
        ("UBER CA AUG24 GZEAZ HE", "uber ca gzeaz he"),
        ("AMERICAN 0010657024982", "american airlines"),
        ("DELTA    0065829211563", "delta air lines"),
        ("SEARS TORONTO-REXDALE", "sears"),
        ("KOTYCK BROS LIMITED", "kotyck bros"),
        ("HILTON NEW YORK NY US", "hilton"),
        ("AIR CANADA", "air canada"),
        ("Café Nero", "cafe nero"),
        ("BANK OF MONTREAL", "bank of montreal"),
        ("TORONTO", "toronto"),
        ("HOTEL TORONTO", "hotel toronto"),
        ("moto hilton park s/w", "moto hilton park s w"),
        ("12345", "12345"),
        ("***", ""),
        ("", ""),
    ],
)
def test_the_name_is_what_is_left(descriptor: str, name: str) -> None:
    assert clean(descriptor).name == name


def test_the_cuts_say_what_was_taken_off() -> None:
    assert clean("SQ *JOES DINER 800-555-1234 TULSA OK").cuts == (
        "prefix of a payment agent SQ * taken off",
        "phone number 800-555-1234 taken off",
        "place tulsa ok taken off",
    )
    assert clean("HOME HARDWARE #2210").cuts == ("number #2210 taken off",)
    assert clean("starbucks").cuts == ()


@given(st.text(max_size=80))
def test_whatever_comes_a_name_is_words_with_single_spaces(descriptor: str) -> None:
    name = clean(descriptor).name
    assert name == " ".join(name.split()) == name.lower()
    assert re.fullmatch(r"(?:[^\W_]+(?: [^\W_]+)*)?", name), name
    assert bool(name) == any(part for part in as_alias(descriptor))


@given(st.text(alphabet="aq *#.-/'s01é", max_size=60))
def test_nothing_that_names_something_is_cleaned_away(descriptor: str) -> None:
    assert bool(clean(descriptor).name) == any(character.isalnum() for character in descriptor)


@pytest.mark.parametrize("text", ["a" * 100_000, "1-" * 50_000, "www." * 30_000, "SQ *" * 30_000, ". " * 50_000])
def test_a_hostile_length_costs_no_more_than_a_long_name(text: str) -> None:
    assert len(clean(text).name) <= LONGEST
    assert clean(text) == clean(text[:LONGEST])
