"""Which company a name is taken for: on word boundaries, the longest first, and nobody's where it is nobody's."""

import pytest
from sqlalchemy import insert

from kamioi_web.db import Database
from kamioi_web.mapping.aliases import Alias
from kamioi_web.mapping.decide import decide
from kamioi_web.mapping.match import Matcher
from kamioi_web.mapping.pipeline import Pipeline
from kamioi_web.mapping.proposals import Cleaned, Proposal
from kamioi_web.schema import aliases, instruments
from kamioi_web.settings import Settings

THRESHOLD = Settings(_env_file=None).map_threshold
MATCHER = Matcher(
    [
        Alias("hyatt", "H", "Hyatt Hotels", "brand"),
        Alias("hyatt house of pizza", None, "a private firm", "brand"),
        Alias("courtyard by marriott", "MAR", "Marriott International", "brand"),
        Alias("home depot", "HD", "Home Depot", "brand"),
        Alias("walmart", "WMT", "Walmart", "brand"),
        Alias("the source", "BCE", "BCE", "whole"),
        Alias("gap", "GAP", "Gap", "whole"),
        Alias("delta", "DAL", "Delta Air Lines", "start"),
        Alias("tesco", None, "Tesco", "brand"),
        Alias("thefork", "TRIP", "Tripadvisor", "brand"),
        Alias("paypal", "PYPL", "PayPal", "agent"),
        Alias("applied industrial technologies", "AIT", "Applied Industrial Technologies", "title", 0.91),
    ]
)


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return Pipeline.built_in()


@pytest.mark.parametrize(
    ("name", "ticker"),
    [
        ("hyatt", "H"),
        ("grand hyatt regency", "H"),
        ("hyattsville diner", None),
        ("hyatt house of pizza", None),
        ("gap", "GAP"),
        ("the gap", "GAP"),
        ("gap online store", "GAP"),
        ("gap year travel", None),
        ("mind the gap", None),
        ("the source", "BCE"),
        ("delta hotel bar", "DAL"),
        ("river delta", None),
        ("paypal gap", "GAP"),
        ("paypal", None),
        ("wal mart 30", "WMT"),
        ("homedepot", "HD"),
        ("thefork booking", "TRIP"),
        ("the fork theater", None),
        ("applied industrial technologies", "AIT"),
        ("applied industrial technologies cafe", None),
    ],
)
def test_an_alias_counts_on_word_boundaries_as_its_kind_allows(name: str, ticker: str | None) -> None:
    found = MATCHER.find(name)
    assert (found.alias.ticker if found else None) == ticker


def test_of_two_aliases_at_one_place_the_longer_counts() -> None:
    found = MATCHER.find("hyatt house of pizza 12")
    assert found is not None and found.alias.company == "a private firm"


def test_a_stump_counts_only_where_the_descriptor_may_have_been_cut(pipeline: Pipeline) -> None:
    assert pipeline.propose("COURTYARD BY MARRIO").ticker == "MAR"
    assert pipeline.propose("YE OLD COURTYARD BY MARRIO").ticker == "MAR"
    assert pipeline.propose("THE COURTYARD BY MARRI DAYTON OH").ticker == "MAR"  # cut at 22, then the town
    assert pipeline.propose("SQ *HOME DEPO").ticker is None  # no file cuts there
    assert MATCHER.find("courtyard by marrio") is None
    assert MATCHER.find_cut("courtyard by mar") is None  # too little is left of it


def test_two_names_in_one_go_to_the_review() -> None:
    found = MATCHER.find("tesco hyatt")
    assert found is not None and found.confidence < THRESHOLD and "tesco" in found.why + found.alias.alias


def test_alternatives_are_only_proposed() -> None:
    assert MATCHER.find("hyat regency") is None
    first, *rest = MATCHER.alternatives("hyat regency")
    assert (first.ticker, len(rest) <= 2) == ("H", True)
    assert all(0 < one.confidence < 0.7 for one in (first, *rest))
    assert [one.ticker for one in MATCHER.alternatives("paypal")].count("PYPL") == 0


@pytest.mark.parametrize(
    ("descriptor", "ticker"),
    [
        ("HYATT REGENCY CHICAGO", "H"),
        ("HYATT PLACE TULSA OK", "H"),
        ("APPLEBEE'S 712345 DAYTON OH", "DIN"),
        ("applebees neighborhood grill", "DIN"),
        ("AT&T BILL PAYMENT", "T"),
        ("SQ *STARBUCKS 123", "SBUX"),
        ("THE HOME DEPOT #7080", "HD"),
        ("COURTYARD BY MARRIOTT1154", "MAR"),
        ("AMZN MKTP US*2K4AB1", "AMZN"),
        ("PAYPAL *WALMART", "WMT"),
        ("DELTA    0065829211563", "DAL"),
    ],
)
def test_a_brand_belongs_to_its_listed_owner(pipeline: Pipeline, descriptor: str, ticker: str) -> None:
    proposal = pipeline.propose(descriptor)
    assert proposal.ticker == ticker
    assert decide(proposal, THRESHOLD, pipeline.instruments) == "approved"


@pytest.mark.parametrize(
    "descriptor",
    [
        "SEATTLE COFFEE",
        "VISALIA DINER",
        "UNITED WAY",
        "UNITED WAY DONATION",
        "SQUARESPACE",
        "SUBWAY",
        "SUBWAY 12345",
        "TARGETED LEARNING",
        "APPLEWOOD",
        "APPLEWOOD FARM SHOP",
        "SHELL HARBOUR COUNCIL",
        "GAP YEAR TRAVEL",
        "BATTERY WORLD",
        "PAYPAL *JOESHANDMADE",
        "SQ *",
        "",
        "123456",
    ],
)
def test_what_is_nobodys_gets_no_ticker(pipeline: Pipeline, descriptor: str) -> None:
    assert pipeline.propose(descriptor).ticker is None


def test_a_proposal_says_how_it_came_about(pipeline: Pipeline) -> None:
    listed = pipeline.propose("TST* STARBUCKS 04411")
    assert listed.cleaned == Cleaned(
        "starbucks", ("prefix of a payment agent TST* taken off", "number 04411 taken off")
    )
    assert (listed.step, listed.category) == ("known", "Food & Dining")
    assert listed.reason.startswith('the name is the alias "starbucks" of Starbucks') and "(SBUX)" in listed.reason
    foreign = pipeline.propose("CANADIAN TIRE #0123")
    assert (foreign.step, foreign.ticker) == ("known", None)
    assert foreign.reason.endswith('"canadian tire" of Canadian Tire Corporation, which is not listed in the US')
    unknown = pipeline.propose("KOTYCK BROS LIMITED")
    assert (unknown.step, unknown.confidence) == ("nothing", 0)
    assert unknown.reason == 'no name of the catalogue stands in "kotyck bros"'


def test_many_are_proposed_in_their_order_and_one_at_a_time(pipeline: Pipeline) -> None:
    taken: list[str] = []

    def given() -> object:
        for name in ("STARBUCKS", "NOBODY AT ALL", "HYATT"):
            taken.append(name)
            yield name

    proposals = pipeline.propose_many(given())  # ty: ignore[invalid-argument-type]
    assert next(proposals).ticker == "SBUX" and taken == ["STARBUCKS"]
    assert [proposal.ticker for proposal in proposals] == [None, "H"]


def test_alternatives_of_a_proposal_leave_out_what_is_proposed(pipeline: Pipeline) -> None:
    proposal = pipeline.propose("HYATT REGENCY")
    assert proposal.alternatives == ()
    assert proposal.ticker not in [one.ticker for one in pipeline.alternatives(proposal)]
    assert "SBUX" in [one.ticker for one in pipeline.alternatives(pipeline.propose("STARBUKS OXFORD ST"))]
    assert "SHEL" in [one.ticker for one in pipeline.alternatives(pipeline.propose("OLD SHELL ROAD DINER"))]


def test_the_tables_add_to_the_catalogue(database: Database) -> None:
    listed = [
        ("ZQXA", "Zyxquorum Dynamics Inc.", "NYSE"),
        ("UNLI", "Wobbleford Analytics Corp", "unknown"),
        ("SUMM", "Summit Financial Group", "NASDAQ"),
    ]
    with database.writing() as connection:
        connection.execute(insert(instruments), [dict(zip(instruments.c.keys(), row, strict=True)) for row in listed])
        own = [("Joe's Grand Café", "ZQXA"), ("home depot", None), ("nowhere", "GONE")]
        connection.execute(insert(aliases), [{"alias": alias, "ticker": ticker} for alias, ticker in own])
    with database.reading(10) as connection:
        pipeline = Pipeline.of(connection)
    said = {name: pipeline.propose(name) for name in ("JOES GRAND CAFE", "HOME DEPOT", "NOWHERE", "HYATT")}
    assert [one.ticker for one in said.values()] == ["ZQXA", None, None, "H"]
    title = pipeline.propose("ZYXQUORUM DYNAMICS INC")
    assert (title.ticker, decide(title, THRESHOLD, pipeline.instruments)) == ("ZQXA", "approved")
    assert title.confidence < said["JOES GRAND CAFE"].confidence
    for doubtful in ("WOBBLEFORD ANALYTICS", "SUMMIT FINANCIAL"):  # on no known exchange; words of many names
        proposal = pipeline.propose(doubtful)
        assert (proposal.step, decide(proposal, THRESHOLD, pipeline.instruments)) == ("guess", "pending")


@pytest.mark.parametrize(
    ("ticker", "confidence", "step", "decision"),
    [
        ("HD", 0.9, "match", "approved"),
        ("HD", 0.899, "match", "pending"),
        ("HD", 1.0, "model", "approved"),
        ("FAKE", 0.99, "model", "pending"),
        (None, 0.95, "known", "approved"),
        (None, 0.95, "model", "approved"),
        (None, 0.0, "nothing", "pending"),
        ("HD", 0.95, "guess", "pending"),
        ("HD", float("nan"), "model", "pending"),
        ("HD", float("inf"), "model", "pending"),
        ("HD", 93.0, "model", "pending"),
    ],
)
def test_only_a_sure_answer_of_the_catalogue_stands_alone(
    ticker: str | None, confidence: float, step: str, decision: str
) -> None:
    proposal = Proposal("X", Cleaned("x", ()), ticker, None, None, confidence, step, "")
    assert decide(proposal, THRESHOLD, {"HD"}) == decision
