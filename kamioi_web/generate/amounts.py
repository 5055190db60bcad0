"""Plausible prices in cents: pools that rows pick from, because a draw a row would cost more than the row."""

from functools import cache
from random import Random

from kamioi_web.generate.chance import chance
from kamioi_web.generate.rhythm import PROFILES

POOL_AMOUNTS = 512
REFUND_SHARE = 0.04  # of the rows of shops that take things back; about 1.5 % of all rows
TIERS = (1.0, 1.0, 1.0, 0.6, 1.6)
# The kinds of ending and how often each comes: .99, .00, .49 or .95, the rest as it falls.
ENDINGS = {
    "exact": (0.06, 0.06, 0.04),
    "meal": (0.03, 0.16, 0.02),
    "retail": (0.24, 0.08, 0.10),
    "price": (0.52, 0.12, 0.14),
    "fuel": (0.0, 0.14, 0.0),
    "whole": (0.04, 0.62, 0.04),
}


@cache
def amounts(key: str, profile: str, median_cents: int, spread: float) -> tuple[int, ...]:
    """What purchases at one brand cost; refunds are negative and each gives back a price of the pool."""
    rng = chance(f"amounts {key}")
    kind = PROFILES[profile]
    prices = [_priced(median_cents * rng.lognormvariate(0, spread), kind.ending, rng) for _ in range(POOL_AMOUNTS)]
    if kind.refunds:
        for place in range(int(POOL_AMOUNTS * REFUND_SHARE)):
            prices[place] = -rng.choice(prices[POOL_AMOUNTS // 2 :])
    return tuple(prices)


@cache
def tiers(median_cents: int) -> tuple[int, ...]:
    """The plans that a subscription sells; who has one pays the same each month."""
    return tuple(_tier(median_cents, tier) for tier in TIERS)


def _tier(median_cents: int, tier: float) -> int:
    ending = median_cents % 100
    return max(99, median_cents if tier == 1.0 else int(median_cents * tier) // 100 * 100 + ending)


def _priced(cents: float, ending: str, rng: Random) -> int:
    exact = max(75, round(cents))
    dollars = exact // 100 * 100
    ninety_nine, whole, other = ENDINGS[ending]
    draw = rng.random()
    if draw < ninety_nine:
        return dollars + 99
    if draw < ninety_nine + whole:
        return max(100, dollars if dollars < 3000 else dollars // 500 * 500)
    if draw < ninety_nine + whole + other:
        return dollars + rng.choice((49, 95))
    return exact
