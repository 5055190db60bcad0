"""The merchants of a plan: brands with their stores, and a long tail of local shops that belong to nobody."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from random import Random

from kamioi_web.catalogue import Brand, Shop, Town, brands, shops, towns
from kamioi_web.catalogue.descriptors import has_place, render, shop_descriptor, shop_name
from kamioi_web.generate.amounts import amounts
from kamioi_web.generate.chance import chance
from kamioi_web.generate.plan import Plan

LISTED_DESCRIPTORS, NOBODY_DESCRIPTORS = 0.46, 0.12  # of all descriptors; the rest are local shops
LISTED_TRADE, NOBODY_TRADE, LOCAL_TRADE = 0.62, 0.15, 0.23  # of all rows
IN_REVIEW = 0.08  # of the descriptors of listed brands: not mapped yet
TRIES = 4
AFAR = 0.3
FIXED_STATE = re.compile(r" ([A-Z]{2})$")


@dataclass(frozen=True, slots=True)
class Merchant:
    """One descriptor; state is None where it sells everywhere, prices are its possible amounts in cents."""

    descriptor: str
    name: str
    ticker: str | None
    company: str | None
    category: str
    listed: bool
    profile: str
    state: str | None
    weight: float
    median_cents: int
    prices: tuple[int, ...]


class Sightings:
    """When each merchant of a run was first and last seen, filled while its transactions are made."""

    def __init__(self) -> None:
        self.first: dict[int, int] = {}
        self.last: dict[int, int] = {}

    def note(self, rows: list[tuple]) -> None:
        """Take in one day's transactions, oldest first."""
        self.last.update((row[1], row[2]) for row in rows)
        for row in rows:
            if row[1] not in self.first:
                self.first[row[1]] = row[2]


def merchants(plan: Plan, sightings: Sightings | None = None) -> Iterator[tuple]:
    """Rows of merchants: id, descriptor, name, ticker, company, category, first_seen, last_seen in microseconds.

    With the sightings of a finished run the times are exact and merchants that sold nothing are left out; without, they
    are the bounds of the plan.
    """
    for number, one in enumerate(directory(plan), start=1):
        first, last = plan.since_micros, plan.until_micros
        if sightings is not None:
            if number not in sightings.first:
                continue
            first, last = sightings.first[number], sightings.last[number]
        yield (number, one.descriptor, one.name, one.ticker, one.company, one.category, first, last)


@lru_cache(maxsize=1)
def directory(plan: Plan) -> tuple[Merchant, ...]:
    """All merchants of the plan; their ids are their places, from 1."""
    rng = chance("merchants", plan.seed)
    taken: set[str] = set()
    listed = [brand for brand in brands() if brand.ticker]
    nobody = [brand for brand in brands() if not brand.ticker]
    made = _stores(listed, round(plan.merchants * LISTED_DESCRIPTORS), LISTED_TRADE, taken, rng)
    made += _stores(nobody, round(plan.merchants * NOBODY_DESCRIPTORS), NOBODY_TRADE, taken, rng)
    made += _local_shops(plan.merchants - len(made), taken, rng)
    rng.shuffle(made)
    return tuple(made)


def _stores(group: list[Brand], count: int, trade: float, taken: set[str], rng: Random) -> list[Merchant]:
    """Descriptors of these brands: the best known first, the more of each the more it sells."""
    ranked = sorted(group, key=lambda brand: (-brand.weight, brand.brand))[:count]
    total = sum(brand.weight for brand in ranked)
    spare = count - len(ranked)
    found = []
    for brand in ranked:
        found += _stores_of(brand, 1 + int(spare * brand.weight / total), trade * brand.weight / total, taken, rng)
    return found


def _stores_of(brand: Brand, wanted: int, trade: float, taken: set[str], rng: Random) -> list[Merchant]:
    known = {"phone": f"{rng.choice((800, 888, 877, 866))}-{rng.randrange(200, 1000)}-{rng.randrange(10_000):04}"}
    prices = amounts(brand.brand, brand.profile, brand.median_cents, brand.spread)
    in_town = any(has_place(pattern) for pattern in brand.patterns)
    found: list[Merchant] = []
    misses = 0
    while len(found) < wanted and misses < TRIES:
        pattern = rng.choice(brand.patterns)
        town, state = _place(pattern, brand.profile, rng)
        descriptor = render(pattern, town, rng, **known)
        if descriptor in taken:
            misses += 1
            continue
        taken.add(descriptor)
        # What a chain sells from afar is less than what its stores sell.
        share = AFAR if in_town and not has_place(pattern) else 1.0
        found.append(_store(brand, descriptor, state, share * trade / wanted * rng.lognormvariate(0, 0.5), prices, rng))
    return found


def _store(
    brand: Brand, descriptor: str, state: str | None, weight: float, prices: tuple[int, ...], rng: Random
) -> Merchant:
    mapped = brand.ticker is not None and rng.random() >= IN_REVIEW
    unknown = brand.ticker is not None and not mapped
    return Merchant(
        descriptor,
        brand.brand,
        brand.ticker if mapped else None,
        brand.company if mapped else None,
        # A category comes with the mapping.
        "Uncategorized" if unknown else brand.category,
        brand.ticker is not None,
        brand.profile,
        state,
        weight,
        brand.median_cents,
        prices,
    )


def _local_shops(count: int, taken: set[str], rng: Random) -> list[Merchant]:
    kinds = shops()
    shares = list(accumulate(kind.weight for kind in kinds))
    share = LOCAL_TRADE / max(count, 1)
    return [_local_shop(kind, share, taken, rng) for kind in rng.choices(kinds, cum_weights=shares, k=count)]


def _local_shop(kind: Shop, weight: float, taken: set[str], rng: Random) -> Merchant:
    town, _ = _place("{CITY}", kind.profile, rng)
    name = shop_name(kind, town, rng)
    descriptor = shop_descriptor(kind, name, town, rng)
    while descriptor in taken:
        descriptor = f"{descriptor.split(' #')[0]} #{rng.randrange(2, 100_000)}"
    taken.add(descriptor)
    return Merchant(
        descriptor,
        name,
        None,
        None,
        kind.category,
        False,
        kind.profile,
        None if kind.profile in ("travel", "online") else town.state,
        weight * rng.lognormvariate(0, 0.9),
        kind.median_cents,
        amounts(kind.name, kind.profile, kind.median_cents, kind.spread),
    )


def _place(pattern: str, profile: str, rng: Random) -> tuple[Town, str | None]:
    """A town for a descriptor, and the state whose people go there: None for travel and what sells everywhere."""
    fixed = FIXED_STATE.search(pattern)
    within = [town for town in towns() if fixed and town.state == fixed.group(1)]
    local = has_place(pattern) or (profile == "utility" and bool(within))
    town = rng.choice(within) if within else rng.choices(towns(), cum_weights=_town_shares())[0]
    return town, town.state if local and profile != "travel" else None


@lru_cache(maxsize=1)
def _town_shares() -> list[float]:
    return list(accumulate(town.weight for town in towns()))
