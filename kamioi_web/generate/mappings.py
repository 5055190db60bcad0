"""How the merchants of a plan came to their companies: what rules, a model and people said, and what is undecided."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from random import Random
from typing import Any, NamedTuple

from kamioi_web.catalogue import Brand, brands
from kamioi_web.generate.chance import chance
from kamioi_web.generate.directory import Merchant, Sightings, directory
from kamioi_web.generate.plan import Plan
from kamioi_web.generate.rhythm import DAY, SECOND

MAPPING_COLUMNS = ("id", "merchant_id", "ticker", "company", "category", "confidence", "status", "source", "model",
                   "rationale", "decided_by", "decided_at", "version", "created_at")  # fmt: skip
THRESHOLD = 0.90  # from which a proposal of the model is approved by itself
SOURCES, SHARES = ("llm", "rule", "upload", "admin"), (0.60, 0.26, 0.09, 0.05)  # of what is in force
DOUBTED = 0.14  # of the model's: below the threshold, and approved by an admin
EARLIER = 0.12  # of the merchants: something was decided before what is in force
WRONG = 0.55  # of those: another company's, and rejected
NOBODY_DECIDED, LOCAL_DECIDED = 0.7, 0.18  # of the merchants that belong to no listed company
QUEUED_DAYS = 9  # that an undecided proposal has waited, on the average
MODELS = ("llama-3.1-8b-instruct", "llama-3.3-70b-instruct")


class Decision(NamedTuple):
    """One mapping without its place: times in microseconds since 1970; not `by_people`, it was decided by itself."""

    merchant: int
    ticker: str | None
    company: str | None
    category: str | None
    confidence: float
    status: str
    source: str
    rationale: str | None
    by_people: bool
    decided_at: int | None
    version: int
    created_at: int


def mappings(plan: Plan, sightings: Sightings, first_id: int = 1, admins: Sequence[int] = ()) -> list[tuple]:
    """Rows of MAPPING_COLUMNS of the merchants that were seen, oldest first, their ids from `first_id` on.

    Decisions of people are those of `admins` in turn, or of nobody who is known.
    """
    rng = chance("mappings", plan.seed)
    made = [
        one
        for number, merchant in enumerate(directory(plan), start=1)
        if number in sightings.first
        for one in _decisions(number, merchant, sightings.first[number], plan.until_micros, rng)
    ]
    made.sort(key=lambda one: (one.created_at, one.merchant, one.version))
    return [_row(id, one, admins, plan) for id, one in enumerate(made, start=first_id)]


def in_force(rows: Sequence[tuple]) -> dict[int, int]:
    """{merchant: the id of its approved mapping} of rows of MAPPING_COLUMNS."""
    return {row[1]: row[0] for row in rows if row[6] == "approved"}


def _row(id: int, one: Decision, admins: Sequence[int], plan: Plan) -> tuple[Any, ...]:
    half = (plan.since_micros + plan.until_micros) // 2
    model = MODELS[one.created_at > half] if one.source == "llm" else None
    decider = admins[id % len(admins)] if admins and one.by_people and one.decided_at is not None else None
    return (
        id, one.merchant, one.ticker, one.company, one.category, one.confidence, one.status, one.source, model,
        one.rationale, decider, one.decided_at, one.version, one.created_at,
    )  # fmt: skip


def _decisions(number: int, merchant: Merchant, seen: int, until: int, rng: Random) -> Iterator[Decision]:
    """What was said about one merchant, none for most local shops."""
    created = seen + int((until - seen) * rng.random())
    if merchant.ticker is not None:
        if rng.random() < EARLIER:
            later = created + int((until - created) * rng.random())
            earlier = _rejected if rng.random() < WRONG else _superseded
            yield earlier(number, merchant, created, later, rng)
            created = later
        yield _approved(number, merchant, created, until, rng)
    elif merchant.listed:
        created = max(seen, until - int(rng.expovariate(1 / QUEUED_DAYS) * DAY))
        if rng.random() < 2 * EARLIER:
            before = max(seen, created - int(rng.uniform(2, 60) * DAY))
            yield _rejected(number, merchant, before, created, rng)
        yield _proposed(number, merchant, created, rng)
    elif rng.random() < (NOBODY_DECIDED if merchant.name in _owners() else LOCAL_DECIDED):
        yield _none(number, merchant, created, until, rng)


def _approved(number: int, merchant: Merchant, created: int, until: int, rng: Random) -> Decision:
    source = rng.choices(SOURCES, SHARES)[0]
    doubted = source == "llm" and rng.random() < DOUBTED
    by_people = doubted or source in ("admin", "upload")
    wait = int(rng.expovariate(1 / 1.5) * DAY) if doubted else rng.randrange(SECOND, 9 * SECOND)
    confidence = {"llm": _sure(rng), "rule": rng.choice((0.95, 0.97, 0.99)), "upload": 1.0, "admin": 1.0}[source]
    confidence = round(rng.uniform(0.62, THRESHOLD - 0.01), 2) if doubted else confidence
    said = (merchant.ticker, merchant.company, merchant.category, confidence, "approved", source)
    reason = _reason(source, merchant, rng)
    return Decision(number, *said, reason, by_people, min(created + wait, until), 1, created)


def _sure(rng: Random) -> float:
    return round(THRESHOLD + (1 - THRESHOLD) * rng.betavariate(3, 1.6) * 0.98, 2)


def _rejected(number: int, merchant: Merchant, created: int, ended: int, rng: Random) -> Decision:
    """An earlier proposal, of another company."""
    other = rng.choice(_listed())
    said = (other.ticker, other.company, other.category, round(rng.uniform(0.35, 0.88), 2), "rejected", "llm")
    reason = f"“{merchant.descriptor[:24]}” resembles {other.brand}."
    return Decision(number, *said, reason, True, ended, 2, created)


def _superseded(number: int, merchant: Merchant, created: int, ended: int, rng: Random) -> Decision:
    """An earlier approval of the same company, before its category was known."""
    said = (merchant.ticker, merchant.company, "Uncategorized", round(rng.uniform(0.9, 0.96), 2), "superseded", "rule")
    reason = f"The name {merchant.name} is known; its category was not yet."
    return Decision(number, *said, reason, False, min(created + 4 * SECOND, ended), 2, created)


def _proposed(number: int, merchant: Merchant, created: int, rng: Random) -> Decision:
    brand = _owners()[merchant.name]
    doubt = rng.choice(
        (
            f"Reads as {brand.brand}, but the descriptor is short and other merchants use the same letters.",
            f"Probably {brand.brand}, owned by {brand.company}; the store number has a form not seen before.",
            f"{brand.brand} fits. A local business of the same name is possible.",
            f"The descriptor may be a payment agent's; what is left of it reads as {brand.brand}.",
        )
    )
    confidence = round(min(max(rng.betavariate(6, 2.6) * THRESHOLD, 0.31), THRESHOLD - 0.01), 2)
    said = (brand.ticker, brand.company, brand.category, confidence, "pending", "llm")
    return Decision(number, *said, doubt, False, None, 1, created)


def _none(number: int, merchant: Merchant, created: int, until: int, rng: Random) -> Decision:
    """An answer too: this merchant belongs to no listed company."""
    known = merchant.name in _owners()
    source = rng.choices(("llm", "rule", "admin"), (0.5, 0.4, 0.1) if known else (0.9, 0.0, 0.1))[0]
    wait = rng.randrange(SECOND, 9 * SECOND) if source != "admin" else int(rng.expovariate(1 / 1.5) * DAY)
    reason = f"{merchant.name} has no listed owner." if known else "A local business; no listed company owns it."
    confidence = {"llm": _sure(rng), "rule": 0.97, "admin": 1.0}[source]
    said = (None, None, merchant.category, confidence, "approved", source)
    return Decision(number, *said, reason, source == "admin", min(created + wait, until), 1, created)


def _reason(source: str, merchant: Merchant, rng: Random) -> str | None:
    if source == "rule":
        return f"The alias “{merchant.name.lower()}” is left when store number and place are taken off."
    if source == "llm":
        return rng.choice(
            (
                f"The descriptor names {merchant.name}, a brand of {merchant.company}.",
                f"“{merchant.name}” is operated by {merchant.company}, listed as {merchant.ticker}.",
                f"Store number and place point to {merchant.name}; its owner is {merchant.company}.",
            )
        )
    return "Checked against the company's own list of brands." if source == "admin" else None


@lru_cache(maxsize=1)
def _owners() -> dict[str, Brand]:
    return {brand.brand: brand for brand in brands()}


@lru_cache(maxsize=1)
def _listed() -> tuple[Brand, ...]:
    return tuple(brand for brand in brands() if brand.ticker)
