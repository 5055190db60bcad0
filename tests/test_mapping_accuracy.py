"""The mapping against descriptors as they are: a sample of real ones with labels, and the mistakes of the old one.

The sample: every distinct merchant string of ../shared/data/transactions by city (Toronto, Birmingham, Barnet, Oxford,
Oklahoma) and by how often it occurs there (1, 2-4, 5-19, 20-99, 100 times and more); from each of these strata the same
number within a city (48, 42, 11, 11, 12, or all that there are) by Python's random.Random(20260517).sample from the
sorted strings that no earlier stratum had taken, then as many again by half with random.Random(20260518).
Each was judged by hand before any answer of the pipeline was seen, with the category and the cost centre of its
transactions: the US exchange ticker (by the lists of August 2026) of the brand's listed owner, NONE, or UNSURE where a
fair judge could not tell (left out of the score). A branch abroad counts for the brand's owner, what is bought on
Amazon's market place for Amazon. labels.csv keeps the SHA-256 of each string; the strings stay where they are.
A wrong label is put right by what the merchant is, never by what the pipeline says of it.
"""

import csv

import pytest
from accuracy import Judged, accepts, descriptors, figures, judge, labels, mistakes, precision, recall

from kamioi_web.mapping.pipeline import Pipeline

HYATT = ("HYATT", "HYATT REGENCY CHICAGO", "Hyatt Place 0412 Austin TX", "GRAND HYATT SAN FRANC", "hyatt hotels #00231")
APPLEBEES = ("APPLEBEE'S", "APPLEBEES 8412", "APPLEBEES NEIGHBORHOOD GRILL", "Applebee's #0731 Dallas TX")
NOBODYS = (
    *("SEATTLE COFFEE", "SQ *SEATTLE COFFEE CO", "Seattle Coffee #12 Seattle WA", "PAYPAL *SEATTLECOFF"),
    *("VISALIA DINER", "TST* VISALIA DINER", "Visalia Diner Visalia CA", "SQ *VISALIA DINER 0042"),
    *("UNITED WAY", "UNITED WAY DONATION", "PAYPAL *UNITEDWAY", "United Way of King County WA"),
    *("SQUARESPACE", "SQSP* SQUARESPACE", "SQUARESPACE.COM 646-580-3456 NY", "PAYPAL *SQUARESPACE"),
    *("SUBWAY", "SUBWAY 00123456", "Subway #4711-0 Dallas TX", "SUBWAY RESTAURANT 331 QPS"),
    *("TARGETED LEARNING", "TARGETED LEARNING INC", "Targeted Learning 800-555-0199", "PAYPAL *TARGETEDLEA"),
    *("APPLEWOOD", "APPLEWOOD 0231", "SQ *APPLEWOOD", "Applewood Farm Shop"),
    *("SHELL HARBOUR COUNCIL", "SHELLHARBOUR CITY COUNCIL", "Shell Harbour Council Rates", "SHELL HARBOUR COUNCI"),
    *("GAP YEAR TRAVEL", "GAP YEAR TRAVEL LTD", "PAYPAL *GAP YEAR TRAV", "www.gapyeartravel.com"),
)


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return Pipeline.built_in()


@pytest.fixture(scope="module")
def strings(shared_data) -> dict[str, str]:
    return descriptors(shared_data)


@pytest.fixture(scope="module")
def hashes(strings) -> set[str]:
    """What a failing test may show in place of the strings."""
    return set(strings)


@pytest.fixture(scope="module")
def judged(strings) -> list[Judged]:
    return judge(strings)


def report(judged: list[Judged]) -> str:
    wrong = [f"{one.sha256} {one.label}, not {one.ticker} ({one.step})" for one in mistakes(judged)]
    return "\n".join([figures(judged, lambda _: "all"), figures(judged, lambda one: one.stratum), *wrong])


def test_what_is_accepted_with_a_ticker_is_right_in_95_of_100(judged):
    right, answered = precision(judged)
    assert right >= 0.95 * answered > 0, report(judged)


def test_of_those_that_have_a_ticker_70_in_100_are_found(judged):
    found, owned = recall(judged)
    assert found >= 0.70 * owned > 0, report(judged)


def test_every_label_has_its_string_and_its_ticker_is_listed(hashes, shared_data):
    rows = labels()
    assert {row["sha256"] for row in rows} - hashes == set()
    with (shared_data / "reference" / "us_listed_symbols.csv").open(encoding="utf-8", newline="") as file:
        listed = {row["symbol"] for row in csv.DictReader(file)}
    assert {row["label"] for row in rows} - listed == {"NONE", "UNSURE"}
    assert sum(row["label"] == "UNSURE" for row in rows) < 0.08 * len(rows)


@pytest.mark.parametrize(
    ("descriptor", "ticker"), [*((text, "H") for text in HYATT), *((text, "DIN") for text in APPLEBEES)]
)
def test_a_brand_is_its_owners_and_not_a_part_of_its_name(pipeline, descriptor, ticker):
    proposal = pipeline.propose(descriptor)
    assert (proposal.ticker, accepts(pipeline, proposal)) == (ticker, True), proposal


@pytest.mark.parametrize("descriptor", NOBODYS)
def test_a_name_that_holds_a_brand_is_nobodys(pipeline, descriptor):
    proposal = pipeline.propose(descriptor)
    assert proposal.ticker is None or not accepts(pipeline, proposal), proposal
