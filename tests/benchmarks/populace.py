"""Rows of every list at any size that look like life and cost a few microseconds: the same size, the same rows."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate, cycle
from random import Random
from typing import NamedTuple

from kamioi_web import generate, loading
from kamioi_web.catalogue import brands, instruments, shops, towns
from kamioi_web.catalogue.descriptors import render, shop_descriptor, shop_name
from kamioi_web.generate.chance import chance
from kamioi_web.generate.people import users as people

LISTED, NOBODY = 0.46, 0.12  # of all descriptors; the rest are local shops that nobody listed owns
HOUR, DAY = 3_600_000_000, 86_400_000_000
GROWTH = (
    0.8  # rows come in faster and faster: the share of the time that is over is the share of the rows to this power
)
ADMINS = 6
ACTIONS = (
    "login",
    "mapping.approved",
    "mapping.approved",
    "mapping.rejected",
    "export.started",
    "login.failed",
    "logout",
)
USER_COLUMNS = ("id", "account_number", "email", "name", "account_type", "status", "round_up_cents", "city", "state",
                "created_at")  # fmt: skip
MAPPING_COLUMNS = ("id", "merchant_id", "ticker", "company", "category", "confidence", "status", "source", "source_ref",
                   "model", "rationale", "decided_by", "decided_at", "created_at")  # fmt: skip
TRANSACTION_COLUMNS = ("id", *loading.TRANSACTION_COLUMNS)
MERCHANT_COLUMNS = (
    "id",
    "descriptor",
    "name",
    "ticker",
    "company",
    "category",
    "mapping_id",
    "first_seen",
    "last_seen",
)
AUDIT_COLUMNS = ("id", "at", "admin_id", "action", "subject", "subject_id", "detail", "address")


@dataclass(frozen=True)
class Size:
    """How many rows each list has: to 15 mappings a user, a merchant, an audit event and 10 transactions."""

    mappings: int

    @property
    def few(self) -> int:
        """Users, merchants and audit events, each."""
        return max(1, self.mappings // 15)

    @property
    def transactions(self) -> int:
        return self.few * 10

    @property
    def plan(self) -> generate.Plan:
        return replace(generate.plan(self.transactions, users=self.few), merchants=self.few)


class Merchant(NamedTuple):
    """One descriptor, and the company that truly owns it."""

    descriptor: str
    name: str
    ticker: str | None
    company: str | None
    category: str


class State:
    """What the rows of one list leave for another: when merchants were seen, which mapping is in force."""

    def __init__(self, size: Size) -> None:
        self.first = [0] * size.few
        self.last = [0] * size.few
        self.mapping: list[int | None] = [None] * size.few


def users(size: Size) -> Iterator[tuple]:
    """Rows of USER_COLUMNS."""
    yield from people(size.plan)


@lru_cache(maxsize=1)
def book(size: Size) -> tuple[Merchant, ...]:
    """All merchants: stores of brands with their numbers and towns, and local shops."""
    rng = chance("merchants of the lists")
    taken: set[str] = set()
    shares = list(accumulate(town.weight for town in towns()))
    homes = cycle(rng.choices(towns(), cum_weights=shares, k=99_991))
    made = []
    listed, nobody = _drawn(True, rng), _drawn(False, rng)
    kinds = cycle(rng.choices(shops(), [kind.weight for kind in shops()], k=9_973))
    for number in range(size.few):
        share, town = rng.random(), next(homes)
        if share < LISTED + NOBODY:
            brand = next(listed if share < LISTED else nobody)
            phone = f"800-{rng.randrange(200, 1000)}-{rng.randrange(10_000):04}"
            text = render(rng.choice(brand.patterns), town, rng, phone=phone)
            one = Merchant(text, brand.brand, brand.ticker, brand.company, brand.category)
        else:
            kind = next(kinds)
            name = shop_name(kind, town, rng)
            one = Merchant(shop_descriptor(kind, name, town, rng), name, None, None, kind.category)
        if one.descriptor in taken:
            one = one._replace(descriptor=f"{one.descriptor} #{number:07}")
        taken.add(one.descriptor)
        made.append(one)
    return tuple(made)


def _drawn(listed: bool, rng: Random) -> cycle:
    some = [brand for brand in brands() if bool(brand.ticker) == listed]
    return cycle(rng.choices(some, [brand.weight for brand in some], k=9_973))


def merchants(size: Size, state: State) -> Iterator[tuple]:
    """Rows of MERCHANT_COLUMNS, after the mappings and the transactions have left their state."""
    rng, plan = chance("first seen"), size.plan
    for place, one in enumerate(book(size)):
        mapping = state.mapping[place]
        first = state.first[place] or plan.since_micros + int((plan.until_micros - plan.since_micros) * rng.random())
        mapped = (one.ticker, one.company) if mapping else (None, None)
        category = one.category if mapping else "Uncategorized"
        yield (place + 1, one.descriptor, one.name, *mapped, category, mapping, first, state.last[place] or first)


def mappings(size: Size, state: State) -> Iterator[tuple]:
    """Rows of MAPPING_COLUMNS: few of most merchants, a few hundred of the busiest."""
    rng, merchants = chance("mappings"), book(size)
    random = rng.random
    statuses = cycle(rng.choices(("approved", "pending", "rejected", "superseded"), (75, 17, 6, 2), k=9_973))
    sources = cycle(rng.choices(("llm", "legacy", "admin", "upload", "rule"), (78, 14, 5, 2, 1), k=9_967))
    wrong = cycle(rng.sample(instruments(), len(instruments())))
    for id, at in _moments(size, size.mappings, rng):
        place = int(random() * random() * len(merchants))
        one, status, source = merchants[place], next(statuses), next(sources)
        ticker, company = one.ticker, one.company
        if status == "rejected":
            ticker, company = (other := next(wrong)).ticker, other.company
        elif status == "approved":
            state.mapping[place] = id
        confidence = round({"approved": 0.9, "pending": 0.5}.get(status, 0.3) + random() * 0.1, 3)
        decided = (1 + id % ADMINS, at + int(random() * 3 * DAY)) if status != "pending" else (None, None)
        asked = ("small-2", f"{one.name} is {company or 'no listed company'}.") if source == "llm" else (None, None)
        reference = f"legacy:{id:010}" if source == "legacy" else None
        yield (
            id,
            place + 1,
            ticker,
            company,
            one.category,
            confidence,
            status,
            source,
            reference,
            *asked,
            *decided,
            at,
        )


def transactions(size: Size, state: State) -> Iterator[tuple]:
    """Rows of TRANSACTION_COLUMNS."""
    rng, merchants, owners = chance("transactions of the lists"), book(size), list(people(size.plan))
    random = rng.random
    prices = cycle([max(99, int(rng.lognormvariate(7.6, 0.9))) * (-1 if random() < 0.015 else 1) for _ in range(9_973)])
    fates = {
        mapped: cycle(rng.choices(("completed", second, "pending", "failed", "rejected"), shares, k=9_967))
        for mapped, second, shares in (
            (True, "mapped", (72, 24, 3, 0.7, 0.3)),
            (False, "needs_review", (80, 4, 15, 0.7, 0.3)),
        )
    }
    sources = cycle(rng.choices(("bank", "receipt", "manual"), (92, 5, 3), k=9_949))
    for id, at in _moments(size, size.transactions, rng):
        place, owner = int(random() * random() * len(merchants)), owners[int(random() ** 1.5 * len(owners))]
        one, cents = merchants[place], next(prices)
        status = next(fates[one.ticker is not None])
        ticker = one.ticker if status in ("mapped", "completed") else None
        state.first[place] = min(state.first[place] or at, at)
        state.last[place] = max(state.last[place], at)
        yield (id, owner[0], place + 1, at, cents, "USD", owner[6] if cents > 0 else 0, 0, one.category, status, ticker,
               owner[4], next(sources), f"{id:x}", at + HOUR)  # fmt: skip


def audit_events(size: Size) -> Iterator[tuple]:
    """Rows of AUDIT_COLUMNS."""
    rng = chance("audit of the lists")
    actions = cycle(rng.choices(ACTIONS, k=9_973))
    for id, at in _moments(size, size.few, rng):
        action = next(actions)
        subject = ("mapping", rng.randrange(1, size.mappings)) if action.startswith("mapping") else (None, None)
        yield (id, at, 1 + id % ADMINS, action, *subject, "{}", f"203.0.113.{id % 250}")


def _moments(size: Size, rows: int, rng: Random) -> Iterator[tuple[int, int]]:
    """(1, micros), (2, micros) … over three years, more and more a day, most of them at noon."""
    start, span = size.plan.since_micros, size.plan.until_micros - size.plan.since_micros - DAY
    random = rng.random
    for number in range(1, rows + 1):
        day = (start + int(span * (number / rows) ** GROWTH)) // DAY
        yield number, day * DAY + int((6 + (random() + random()) * 9) * HOUR)
