"""Patterns of the catalogue, filled in: STARBUCKS STORE {store:5} {CITY} {ST} -> STARBUCKS STORE 04411 DAYTON OH."""

import re
from random import Random

from kamioi_web.catalogue import Shop, Town, words

PLACEHOLDER = re.compile(r"\{(\w+)(?::(\d+))?\}")
LETTERS_AND_DIGITS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
AREA_CODES = ("800", "888", "877", "866", "855", "844")
STYLES = {
    "plain": ("{NAME} {store:4} {CITY} {ST}", "{NAME} {CITY} {ST}"),
    "square": ("SQ *{NAME}", "SQ *{NAME} {CITY} {ST}", "GOSQ.COM {NAME}"),
    "toast": ("TST* {NAME}", "TST* {NAME} - {CITY}", "TST* {NAME} {CITY} {ST}"),
    "clover": ("CLV*{NAME} {CITY} {ST}", "{NAME} {CITY} {ST}"),
    "paypal": ("PAYPAL *{JOINED}", "PAYPAL *{JOINED} {phone} CA", "PP*{JOINED}"),
    "shopify": ("SP {NAME}", "SP * {NAME} {CITY} {ST}"),
}


def has_place(pattern: str) -> bool:
    """Whether a descriptor of this pattern stands in a town."""
    return "{CITY}" in pattern or "{ST}" in pattern


def render(pattern: str, town: Town, rng: Random, **known: str) -> str:
    """The pattern with every placeholder filled in; `known` values go first, an unknown placeholder raises."""

    def fill(match: re.Match[str]) -> str:
        word, length = match.group(1), int(match.group(2) or 0)
        return known[word] if word in known else _value(word, length, town, rng)

    return PLACEHOLDER.sub(fill, pattern)


def shop_name(shop: Shop, town: Town, rng: Random) -> str:
    """The name over the door, such as Joe's Pizza."""
    return render(shop.name, town, rng)


def shop_descriptor(shop: Shop, name: str, town: Town, rng: Random) -> str:
    """The shop as its card terminal writes it, such as TST* THE RUSTY SPOON."""
    pattern = rng.choice(STYLES[rng.choice(shop.styles)])
    upper = name.upper()
    joined = re.sub(r"[^A-Z0-9]", "", upper)[:19]
    return render(pattern, town, rng, NAME=upper, JOINED=joined)


def _value(word: str, length: int, town: Town, rng: Random) -> str:
    if word in ("store", "digits"):
        return _digits(rng, length)
    if word == "code":
        return "".join(rng.choices(LETTERS_AND_DIGITS, k=length))
    if word in LISTS:
        return rng.choice(words()[LISTS[word]])
    if word in CHOICES:
        return rng.choice(CHOICES[word])
    return MADE_WORDS[word](town, rng)


def _digits(rng: Random, length: int) -> str:
    return str(rng.randrange(10**length)).zfill(length)


def _phone(town: Town, rng: Random) -> str:
    return f"{rng.choice(AREA_CODES)}-{rng.randrange(200, 1000)}-{rng.randrange(10_000):04}"


def _handle(town: Town, rng: Random) -> str:
    adjective, noun = rng.choice(words()["adjectives"]), rng.choice(words()["nouns"])
    return (adjective[:5] + noun).upper() + rng.choice(("", "", "CO", "SHOP", "CRAFTS", "7"))


LISTS = {
    "Surname": "surnames",
    "Adj": "adjectives",
    "Noun": "nouns",
    "Noun2": "nouns",
    "Street": "streets",
    "Hispanic": "hispanic",
    "Viet": "viet",
}
CHOICES = {
    "weekday": ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"),
    "AP": ("AM", "PM"),
}
MADE_WORDS = {
    "CITY": lambda town, rng: town.city,
    "ST": lambda town, rng: town.state,
    "City": lambda town, rng: town.city.title(),
    "State": lambda town, rng: town.state,
    "CODE3": lambda town, rng: "".join(rng.choices(LETTERS_AND_DIGITS[:24], k=3)),
    "CODE5": lambda town, rng: "".join(rng.choices(LETTERS_AND_DIGITS, k=5)),
    "n": lambda town, rng: str(rng.randrange(1, 60)),
    "hour": lambda town, rng: str(rng.randrange(1, 13)),
    "date": lambda town, rng: f"{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}",
    "phone": _phone,
    "HANDLE": _handle,
    "Handle": _handle,
}
