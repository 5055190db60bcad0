"""The transactions of a plan, oldest first.

A row costs a few microseconds because everything slow is drawn before: decks of users and shops, pools of moments and
prices, and endless rings of fates, sources and delays whose lengths have no common divisor.
"""

from collections.abc import Iterator, Sequence
from itertools import chain, count, cycle, product
from random import Random

from kamioi_web.generate.amounts import POOL_AMOUNTS
from kamioi_web.generate.chance import chance
from kamioi_web.generate.days import Day, days
from kamioi_web.generate.directory import Merchant, Sightings, directory
from kamioi_web.generate.habits import FAVOURITES, LOCAL_SHARE, Crowd, Places, Subscription, favourites, subscriptions
from kamioi_web.generate.people import LEFT_DAYS, users
from kamioi_web.generate.plan import Plan
from kamioi_web.generate.rhythm import DAY, JITTER, NAMES, POOL_MOMENTS, SECOND, demand, moments

BASE_36 = "0123456789abcdefghijklmnopqrstuvwxyz"
FAVOURITE_SHARE = 0.8
DEMAND_CEILING = 1.8
SUBSCRIPTIONS_A_DAY = 0.4  # at most, of a day's rows
ORDINARY, LAGGING, FAILED, REJECTED = range(4)
FATE_SHARES = {False: (0.9645, 0.03, 0.004, 0.0015), True: (0.5545, 0.44, 0.004, 0.0015)}
SOURCES, SOURCE_SHARES = ("bank", "receipt", "manual"), (92, 5, 3)
Outcome = tuple[str, str | None]
Visit = tuple[float, int, int, int]  # moment of the day, user, merchant (places, not ids), cents


def transactions(plan: Plan, batch: int = 20_000, sightings: Sightings | None = None) -> Iterator[list[tuple]]:
    """Batches of rows, oldest first, plan.rows in all: user_id, merchant_id, posted_at, amount_cents, currency,
    round_up_cents, fee_cents, category, status, ticker, account_type, source, source_ref, created_at.

    Times are microseconds since 1970. `sightings`, when given, learns when each merchant was first and last seen.
    """
    waiting: list[tuple] = []
    for rows in _Ledger(plan).days():
        if sightings is not None:
            sightings.note(rows)
        waiting += rows
        while len(waiting) >= batch:
            yield waiting[:batch]
            del waiting[:batch]
    if waiting:
        yield waiting


class _Ledger:
    """Everything that is drawn once for a plan, and the making of its days."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._rng = rng = chance("transactions", plan.seed)
        people = tuple(users(plan))
        book = directory(plan)
        self._round_ups = [user[6] for user in people]
        self._account_types = [user[4] for user in people]
        self._states = sorted({user[8] for user in people})
        numbers = {state: number for number, state in enumerate(self._states)}
        self._homes = [numbers[user[8]] for user in people]
        self._crowd = Crowd(people, rng)
        self._places = Places(book, rng)
        self._favourites = favourites(self._homes, *self._places.decks(self._states, None, False), rng)
        self._joined = [user[9] for user in people]
        self._stays = [user[5] == "active" for user in people]
        self._due = subscriptions(plan, book, people, rng)
        self._prices = [merchant.prices for merchant in book]
        self._clocks = [NAMES.index(merchant.profile) for merchant in book]
        self._categories = [merchant.category for merchant in book]
        self._outcomes = {recent: [_outcomes(merchant, recent) for merchant in book] for recent in (False, True)}
        self._decks: dict[bool, tuple[list[list[int]], list[int]]] = {}
        self._rings = _Rings(rng)

    def days(self) -> Iterator[list[tuple]]:
        """One list of rows a day, each in order of time."""
        month = None
        for day in days(self._plan, LEFT_DAYS):
            if day.date.month != month:
                month = day.date.month
                self._decks = {end: self._places.decks(self._states, month, end) for end in (False, True)}
            if day.rows:
                yield self._rows(day)

    def _rows(self, day: Day) -> list[tuple]:
        visits = self._paid_monthly(day)
        visits += self._visits(day, day.rows - len(visits))
        visits.sort()
        outcomes, categories = self._outcomes[day.recent], self._categories
        round_ups, account_types = self._round_ups, self._account_types
        start, until, rings = day.start, self._plan.until_micros, self._rings
        return [
            (
                user + 1,
                place + 1,
                posted := start + int(moment),
                cents,
                "USD",
                round_ups[user] if cents > 0 else 0,
                0,
                categories[place],
                status,
                ticker,
                account_types[user],
                source,
                reference,
                created if (created := posted + delay) < until else until,
            )
            # The visits come first: zip stops there and leaves the rings where they are.
            for (moment, user, place, cents), fate, source, delay, reference in zip(
                visits, rings.fates[day.recent], rings.sources, rings.delays, rings.references, strict=False
            )
            for status, ticker in (outcomes[place][fate],)
        ]

    def _visits(self, day: Day, number: int) -> list[Visit]:
        """Purchases in no order, without subscriptions."""
        random, clocks, prices = self._rng.random, self._clocks, self._prices
        pools = [_within(moments(name, day.weekend), day.length) for name in NAMES]
        deck, reach = self._crowd.on(day)
        shoppers = [deck[int(random() * reach)] for _ in range(number)]
        return [
            (
                pools[clocks[place]][int(random() * POOL_MOMENTS)] + random() * JITTER,
                user,
                place,
                prices[place][int(random() * POOL_AMOUNTS)],
            )
            for user, place in zip(shoppers, self._choices(day, shoppers), strict=True)
        ]

    def _choices(self, day: Day, shoppers: list[int]) -> list[int]:
        """Where each shopper goes: mostly a favourite, when the season and the day suit it, or else somewhere near."""
        random, clocks, liked, homes = self._rng.random, self._clocks, self._favourites, self._homes
        near, everywhere = self._decks[day.weekend]
        # A favourite out of season stays one: the chance that it suits today is its demand, at most one.
        suits = [FAVOURITE_SHARE * demand(name, day.date.month, day.weekend) / DEMAND_CEILING for name in NAMES]
        places = []
        for user in shoppers:
            place = liked[user * FAVOURITES + int(random() * random() * FAVOURITES)]
            if random() > suits[clocks[place]]:
                deck = near[homes[user]] if random() < LOCAL_SHARE else everywhere
                place = deck[int(random() * len(deck))]
            places.append(place)
        return places

    def _paid_monthly(self, day: Day) -> list[Visit]:
        """The subscriptions due on a day, of those who had joined and have not left."""
        latest = day.length - JITTER
        due = [
            (one.moment + self._rng.random() * JITTER, one.user, one.merchant, one.cents)
            for one in self._due.get(day.date.day, ())
            if self._pays(one, day) and one.moment < latest
        ]
        return due[: int(day.rows * SUBSCRIPTIONS_A_DAY)]

    def _pays(self, one: Subscription, day: Day) -> bool:
        return self._joined[one.user] < day.start and (self._stays[one.user] or not day.late)


class _Rings:
    """Endless supplies that a row takes one of each from."""

    def __init__(self, rng: Random) -> None:
        self.fates = {recent: cycle(rng.choices(range(4), shares, k=16_381)) for recent, shares in FATE_SHARES.items()}
        self.sources = cycle(rng.choices(SOURCES, SOURCE_SHARES, k=16_369))
        self.delays = cycle([_delay(rng) for _ in range(16_363)])
        self.references = _references()


def _delay(rng: Random) -> int:
    """From a few seconds to half a day, mostly minutes."""
    return int(min(max(rng.lognormvariate(6.5, 1.4), 2.0), 43_200.0) * SECOND) + rng.randrange(SECOND)


def _references() -> Iterator[str]:
    """The ordinals of the rows in base 36, four digits or more: 0000, 0001, ..."""
    tail = ["".join(digits) for digits in product(BASE_36, repeat=4)]
    heads = chain([""], (_base_36(number) for number in count(1)))
    return (head + end for head in heads for end in tail)


def _base_36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = BASE_36[digit] + digits
    return digits


def _within(pool: Sequence[int], length: int) -> Sequence[int]:
    """The moments of a day that is cut short: those before the cut, or any before it where nothing is left."""
    if length == DAY:
        return pool
    latest = length - JITTER
    return [moment if moment < latest else moment % latest for moment in pool]


def _outcomes(merchant: Merchant, recent: bool) -> tuple[Outcome, Outcome, Outcome, Outcome]:
    """Status and ticker of a row by its fate: ordinary, lagging, failed, rejected."""
    ticker = merchant.ticker
    ordinary: Outcome = ("pending" if recent else "completed", None)
    lagging = ordinary
    if ticker is not None:
        ordinary = ordinary if recent else ("completed", ticker)
        lagging = ("mapped", ticker)
    elif merchant.listed:
        lagging = ("needs_review", None)
        ordinary = ordinary if recent else lagging
    return ordinary, lagging, ("failed", ticker), ("rejected", None)
