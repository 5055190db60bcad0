"""The project's own catalogue: real listed companies, their brands, and how those look on a card statement."""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent

ALIAS_KINDS: tuple[str, ...] = ("brand", "whole", "start", "agent")

CATEGORIES: tuple[str, ...] = (
    "Food & Dining",
    "Groceries",
    "Shopping",
    "Gas & Fuel",
    "Transportation",
    "Travel",
    "Entertainment",
    "Technology",
    "Healthcare",
    "Home Improvement",
    "Utilities",
    "Insurance & Financial",
    "Education",
    "Fitness & Beauty",
    "Pets",
    "Automotive",
    "Telecom",
    "Business Services",
    "Government & Charity",
    "Uncategorized",
)


@dataclass(frozen=True)
class Instrument:
    """A listed share that round-ups can buy."""

    ticker: str
    company: str
    exchange: str


@dataclass(frozen=True)
class Brand:
    """A name on card statements; ticker, company and exchange are None where nobody listed owns it."""

    ticker: str | None
    company: str | None
    exchange: str | None
    brand: str
    category: str
    profile: str
    weight: float
    median_cents: int
    spread: float
    patterns: tuple[str, ...]


@dataclass(frozen=True)
class Alias:
    """A form of a brand as a cleaned name shows it; ticker is None where the brand is known to be nobody's US listing.

    `company` is the owner, blank where it is not known. `kind` says where the words count: brand (anywhere, on the
    borders of words), start (at the beginning of the name), whole (the name itself, or followed only by generic words,
    towns and numbers), agent (someone who only passes the money on: never the answer).
    """

    alias: str
    ticker: str | None
    company: str
    kind: str


@dataclass(frozen=True)
class Shop:
    """A kind of local shop: a pattern for its name, and the ways its descriptor is written."""

    name: str
    category: str
    profile: str
    weight: float
    median_cents: int
    spread: float
    styles: tuple[str, ...]


@dataclass(frozen=True)
class Town:
    """A place where people live and shops stand."""

    city: str
    state: str
    weight: float


@cache
def instruments() -> tuple[Instrument, ...]:
    """Every listed company of the catalogue, once, by ticker."""
    return tuple(Instrument(**row) for row in _rows("companies.csv"))


@cache
def brands() -> tuple[Brand, ...]:
    """Every brand with its owner, in the order of the file."""
    owners = {instrument.ticker: instrument for instrument in instruments()}
    return tuple(_brand(row, owners.get(row["ticker"])) for row in _rows("brands.csv"))


@cache
def aliases() -> tuple[Alias, ...]:
    """Every form of every brand, by alias; raises ValueError where an alias names a ticker that companies.csv lacks."""
    known = {instrument.ticker for instrument in instruments()}
    return tuple(_alias(row, known) for row in _rows("aliases.csv"))


@cache
def shops() -> tuple[Shop, ...]:
    """Every kind of local shop."""
    return tuple(
        Shop(
            row["name"],
            row["category"],
            row["profile"],
            float(row["weight"]),
            int(row["median_cents"]),
            float(row["spread"]),
            tuple(row["styles"].split()),
        )
        for row in _rows("shops.csv")
    )


@cache
def towns() -> tuple[Town, ...]:
    """Every town, with a weight that grows with the people in it."""
    return tuple(Town(row["city"], row["state"], float(row["weight"])) for row in _rows("towns.csv"))


@cache
def words() -> dict[str, tuple[str, ...]]:
    """Words that names of local shops and people's handles are made of, by list: surnames, adjectives, nouns ..."""
    lists: dict[str, list[str]] = {}
    for row in _rows("words.csv"):
        lists.setdefault(row["list"], []).append(row["word"])
    return {name: tuple(members) for name, members in lists.items()}


def _brand(row: dict[str, str], owner: Instrument | None) -> Brand:
    if row["ticker"] and owner is None:
        raise ValueError(f"brands.csv: {row['brand']} belongs to {row['ticker']}, which companies.csv lacks")
    return Brand(
        owner.ticker if owner else None,
        owner.company if owner else None,
        owner.exchange if owner else None,
        row["brand"],
        row["category"],
        row["profile"],
        float(row["weight"]),
        int(row["median_cents"]),
        float(row["spread"]),
        tuple(row["patterns"].split(" | ")),
    )


def _alias(row: dict[str, str], known: set[str]) -> Alias:
    if row["ticker"] and row["ticker"] not in known:
        raise ValueError(f"aliases.csv: {row['alias']} belongs to {row['ticker']}, which companies.csv lacks")
    return Alias(row["alias"], row["ticker"] or None, row["company"], row["kind"])


def _rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
