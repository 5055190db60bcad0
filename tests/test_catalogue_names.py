"""The catalogue of names is sound: forms of brands are clean and named once, and their owners are listed."""

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

from kamioi_web import catalogue

CLEAN = re.compile(r"[a-z0-9]+( [a-z0-9]+)*")
EXCHANGES = {"NYSE": "NYSE", "NASDAQ": "NASDAQ", "AMEX": "NYSE American"}


def _owners() -> dict[str, tuple[str | None, str]]:
    return {one.alias: (one.ticker, one.kind) for one in catalogue.aliases()}


def test_every_ticker_is_a_company_of_the_catalogue():
    companies = {one.ticker: one.company for one in catalogue.instruments()}
    for alias in catalogue.aliases():
        assert alias.ticker is None or companies[alias.ticker] == alias.company, alias


def test_an_alias_of_an_unknown_ticker_is_refused(monkeypatch):
    rows = catalogue._rows
    strange = {"alias": "acme", "ticker": "ACMEX", "company": "Acme", "kind": "brand"}
    monkeypatch.setattr(catalogue, "_rows", lambda name: [strange] if name == "aliases.csv" else rows(name))
    with pytest.raises(ValueError, match=r"acme belongs to ACMEX, which companies.csv lacks"):
        catalogue.aliases.__wrapped__()


def test_no_alias_stands_twice_and_all_are_in_order():
    names = [one.alias for one in catalogue.aliases()]
    assert [name for name, times in Counter(names).items() if times > 1] == []
    assert names == sorted(names)


def test_all_aliases_are_in_cleaned_form():
    assert [one.alias for one in catalogue.aliases() if not CLEAN.fullmatch(one.alias)] == []


def test_every_kind_is_known_and_agents_are_never_an_answer():
    assert {one.kind for one in catalogue.aliases()} == set(catalogue.ALIAS_KINDS)
    assert [one for one in catalogue.aliases() if one.kind == "agent" and one.ticker] == []


def test_companies_stand_in_order_of_their_ticker():
    tickers = [one.ticker for one in catalogue.instruments()]
    assert tickers == sorted(set(tickers))
    assert len(tickers) > 600


def test_companies_have_the_exchange_of_the_published_lists(shared_data: Path):
    path = shared_data / "reference" / "us_listed_symbols.csv"
    if not path.exists():
        pytest.skip(f"no list of symbols at {path}")
    with path.open(encoding="utf-8", newline="") as lines:
        listed = {row["symbol"].replace("/", "."): EXCHANGES[row["exchange"]] for row in csv.DictReader(lines)}
    assert [one for one in catalogue.instruments() if listed.get(one.ticker, one.exchange) != one.exchange] == []


@pytest.mark.parametrize(
    ("alias", "ticker"),
    [
        ("hyatt", "H"),
        ("at t", "T"),
        ("applebees", "DIN"),
        ("apple", "AAPL"),
        ("amzn mktp", "AMZN"),
        ("wal mart", "WMT"),
        ("tim hortons", "QSR"),
        ("petro canada", "SU"),
        ("holiday inn", "IHG"),
        ("mailchimp", "INTU"),
        ("subway", None),
        ("squarespace", None),
        ("tesco", None),
        ("cdn tire", None),
        ("shoppers drug mart", None),
        ("premier inn", None),
    ],
)
def test_owners_that_are_easily_mistaken(alias, ticker):
    assert _owners()[alias][0] == ticker


@pytest.mark.parametrize("word", ["gap", "target", "apple", "boots", "orange", "next", "chase", "visa", "subway"])
def test_a_common_word_counts_only_as_the_whole_name(word):
    assert _owners().get(word, (None, "whole"))[1] == "whole"


@pytest.mark.parametrize("agent", ["paypal", "sq", "square", "stripe", "sumup", "izettle", "worldpay", "sagepay", "eb"])
def test_payment_agents_are_marked(agent):
    assert _owners()[agent] == (None, "agent")
