"""Words that say nothing about whose a name is: towns, states, legal forms, and what shops call themselves."""

import csv
from functools import cache

from kamioi_web.catalogue import HERE, towns

NO_TOWNS = frozenset({"mobile"})  # in Alabama, but on statements nearly always a telephone
MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec"


@cache
def _lists() -> dict[str, frozenset[str]]:
    with (HERE / "statement_words.csv").open(encoding="utf-8", newline="") as lines:
        return {row["list"]: frozenset(row["words"].split()) for row in csv.DictReader(lines)}


LEGAL_FORMS = _lists()["legal form"]
STATES = _lists()["state"]  # of the US and Canada, as two letters
WORDS_TOO = _lists()["state that is a word too"]  # only behind a town are they states
COUNTRIES = _lists()["country"]
JOINING = _lists()["joining"]  # what follows one of these belongs to the name: bank of montreal
GENERIC = _lists()["generic"]  # what may stand behind a name without changing whose it is
BARE = _lists()["bare"]  # alone no name: hotel toronto stays whole


@cache
def places() -> frozenset[str]:
    """Towns and provinces, in small letters, a name of several words with one space between them."""
    with (HERE / "places.csv").open(encoding="utf-8", newline="") as lines:
        known = {row["place"] for row in csv.DictReader(lines)}
    return frozenset(known | {town.city.lower() for town in towns()}) - NO_TOWNS


@cache
def words_of_places() -> frozenset[str]:
    """Every word of a town's or a state's name."""
    return STATES | frozenset(word for place in places() for word in place.split())


@cache
def last_words_of_places() -> frozenset[str]:
    """The words that towns end with: a quick way to see that a name does not end with a town."""
    return frozenset(place.split()[-1] for place in places())


@cache
def ends_of_tails() -> frozenset[str]:
    """Every word that what is taken off the end of a name can end with, numbers aside."""
    return LEGAL_FORMS | STATES | COUNTRIES | last_words_of_places()
