"""Where each user shops: favourites, the shops around, and subscriptions."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random

from kamioi_web.generate.amounts import tiers
from kamioi_web.generate.days import Day
from kamioi_web.generate.directory import Merchant
from kamioi_web.generate.people import User
from kamioi_web.generate.plan import Plan
from kamioi_web.generate.rhythm import demand, moments

FAVOURITES = 24
LOCAL_SHARE = 0.68
LOCAL_DECK, NATIONAL_DECK = 512, 4_096
SUBSCRIPTION_ROWS = 0.07  # of all rows
SUBSCRIBED_MONTHS = 22  # an average one, over three years
ACTIVITY = ((1, 2, 4, 8, 16), (24, 34, 26, 12, 4))  # how often people buy, and how many do


@dataclass(frozen=True, slots=True)
class Subscription:
    """A payment that comes back each month; user and merchant are places, not ids."""

    user: int
    merchant: int
    cents: int
    moment: int


class Crowd:
    """Users by how often they buy, in the order of joining: a prefix of the deck is who was there on a day."""

    def __init__(self, people: Sequence[User], rng: Random) -> None:
        often = rng.choices(ACTIVITY[0], ACTIVITY[1], k=len(people))
        self._joined = [user[9] for user in people]
        self.everyone, self._ends = _deck(often)
        self.staying, self._staying_ends = _deck(
            [times if user[5] == "active" else 0 for times, user in zip(often, people, strict=True)]
        )

    def on(self, day: Day) -> tuple[list[int], int]:
        """The deck to draw from on a day, and how much of it had joined before."""
        there = bisect_left(self._joined, day.start)
        if day.late and there and self._staying_ends[there - 1]:
            return self.staying, self._staying_ends[there - 1]
        return self.everyone, self._ends[max(there, 1) - 1]


class Places:
    """Merchants near each state's people and those that sell everywhere, drawn by weight and season."""

    def __init__(self, book: Sequence[Merchant], rng: Random) -> None:
        self._book = book
        self._rng = rng
        self._near: dict[str | None, list[int]] = defaultdict(list)
        for place, merchant in enumerate(book):
            if merchant.profile != "subscription":
                self._near[merchant.state].append(place)
        self._all = [place for group in self._near.values() for place in group] or list(range(len(book)))

    def decks(self, states: Sequence[str], month: int | None, weekend: bool) -> tuple[list[list[int]], list[int]]:
        """A deck a state, and one for everywhere; without a month, the year's average."""
        near = [self._deck(self._near.get(state) or self._all, LOCAL_DECK, month, weekend) for state in states]
        return near, self._deck(self._near.get(None) or self._all, NATIONAL_DECK, month, weekend)

    def _deck(self, places: list[int], size: int, month: int | None, weekend: bool) -> list[int]:
        book = self._book
        weights = [
            book[place].weight * (demand(book[place].profile, month, weekend) if month else 1.0) for place in places
        ]
        if not any(weights):
            return places
        return self._rng.choices(places, cum_weights=list(accumulate(weights)), k=size)


def favourites(homes: Sequence[int], near: list[list[int]], everywhere: list[int], rng: Random) -> list[int]:
    """FAVOURITES places for each user, the dearest first, one user after another."""
    local = int(LOCAL_DECK * LOCAL_SHARE)
    mixed = [deck[:local] + everywhere[: LOCAL_DECK - local] for deck in near]
    return [place for home in homes for place in rng.choices(mixed[home], k=FAVOURITES)]


def subscriptions(
    plan: Plan, book: Sequence[Merchant], people: Sequence[User], rng: Random
) -> dict[int, list[Subscription]]:
    """Who pays what every month, by the day of the month."""
    sellers = [place for place, merchant in enumerate(book) if merchant.profile == "subscription"]
    count = min(2 * len(people), int(plan.rows * SUBSCRIPTION_ROWS / SUBSCRIBED_MONTHS))
    due: dict[int, list[Subscription]] = defaultdict(list)
    if not sellers:
        return due
    drawn = rng.choices(sellers, [book[place].weight for place in sellers], k=count)
    times = moments("subscription", False)
    takers = rng.sample(range(len(people)), len(people))
    for number, place in enumerate(drawn):
        user = takers[number % len(takers)]
        cents = rng.choice(tiers(book[place].median_cents))
        due[rng.randrange(1, 29)].append(Subscription(user, place, cents, rng.choice(times)))
    return due


def _deck(often: Sequence[int]) -> tuple[list[int], list[int]]:
    return [user for user, times in enumerate(often) for _ in range(times)], list(accumulate(often))
