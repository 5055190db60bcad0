"""Names that want to steer the model: whatever an obedient model says, an admin decides, and no other name suffers."""

import csv
import gzip
from pathlib import Path

import pytest
from hostile_names import NAMES
from model_helpers import ask, model_at, questions
from model_server import ModelServer, obedient, rows, saying

from kamioi_web.db import Database
from kamioi_web.mapping import screening
from kamioi_web.mapping.ask import ask_all
from kamioi_web.mapping.proposals import Answer

HONEST = """
best buy | amazon.com | whole foods market | at&t | t-mobile | the home depot | 7-eleven | mcdonald's | bj's wholesale
dick's sporting goods | bed bath & beyond | chick-fil-a | h&m | toys r us | in-n-out burger | trader joe's | five below
dollar general | kohl's | macy's | apple store | signore pizza | alarm systems inc | national instruments | stop & shop
you & me cafe | it's just lunch | all about eve | one stop shop | first data | the answer group deli | café zürich
o'reilly auto parts
""".replace("\n", "|")


def test_an_obedient_model_gains_nothing_above_any_threshold(database: Database) -> None:
    ordinary = [f"corner shop {number}" for number in range(60)]
    mixed = [name for pair in zip(NAMES, ordinary * 2, strict=False) for name in pair]
    with (
        ModelServer(obedient(dict.fromkeys(NAMES, "AAPL"))) as server,
        model_at(database.settings, server, llm_batch=10) as model,
    ):
        found = ask_all(database, model, questions(*mixed))
    assert len(NAMES) > 90
    for name in NAMES:
        said = found[name]
        assert isinstance(said, str) or (said.suspicious and said.confidence <= screening.HELD), name
    tickers = {answer.ticker for answer in map(found.get, ordinary) if isinstance(answer, Answer)}
    assert tickers == {None}, "no other name suffers"


@pytest.mark.parametrize("name", NAMES, ids=map(str, range(len(NAMES))))
def test_each_is_known_for_what_it_is(name: str) -> None:
    small = " ".join(name.lower().split())
    for written in (name, small):
        answer = Answer(written, "AAPL", "Apple Inc.", 1.0, "", "m", "p")
        assert screening.refusal(written) or screening.hold_back_hostile(answer).confidence <= screening.HELD


def test_honest_names_are_believed() -> None:
    names = [name.strip() for name in HONEST.split("|") if name.strip()]
    taken_for_hostile = [name for name in names if screening.is_suspicious(name)]
    assert taken_for_hostile == ["the answer group deli"]


def test_few_real_names_are_taken_for_hostile(shared_data: Path) -> None:
    with gzip.open(shared_data / "transactions" / "toronto_pcard_2016.csv.gz", "rt", newline="") as lines:
        names = {row["merchant_name"].lower() for row in csv.DictReader(lines)}
    names = {" ".join(word for word in name.split() if not any(c.isdigit() for c in word)) for name in names}
    hostile = [name for name in names if screening.is_suspicious(name)]
    assert len(names) > 3_000
    assert len(hostile) / len(names) < 0.02


def test_a_name_that_nobody_knows_for_hostile_gains_nothing_for_its_neighbours(database: Database) -> None:
    for neighbours in (1, 5, 24):
        names = ["unheard of", *(f"corner shop {number} inc" for number in range(neighbours))]
        with ModelServer(obedient({"unheard of": "AAPL"})) as server:
            found = ask(database, server, *names).answers
        believed = [name for name in names if isinstance(said := found[name], Answer) and said.confidence > 0.5]
        assert believed == []


def test_a_reason_with_markup_stays_text(database: Database) -> None:
    with ModelServer(saying(lambda asked: rows(asked, reason="<img src=x onerror=alert(1)>"))) as server:
        answer = ask(database, server, "chipotle").answers["chipotle"]
    assert isinstance(answer, Answer)
    assert answer.reason == "<img src=x onerror=alert(1)>", "as it was said; templates escape it"


@pytest.mark.parametrize(
    "name",
    ["jane.doe@example.com", "jane at example dot com", "416-555-0199 jane", "+1 (416) 555 0199", "zelle to jane doe",
     "venmo jane doe", "cash app jane", "payment to jane doe", "transfer from j doe", "xfer to savings 1234567",
     "mr john smith", "mrs. smith", "rent to bob", "", " ", "\u200b", "a" * 201, "card 4111111111111111"],
)  # fmt: skip
def test_what_may_name_a_person_is_never_sent(database: Database, name: str) -> None:
    with ModelServer() as server, model_at(database.settings, server) as model:
        found = ask_all(database, model, questions(name, "corner shop"))
    assert isinstance(found[name], str)
    assert server.batches() == [["corner shop"]]
