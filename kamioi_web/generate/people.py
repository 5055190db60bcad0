"""The account holders: who they are, where they live, and since when."""

import math
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate
from random import Random

from kamioi_web.catalogue import Town, towns
from kamioi_web.generate.chance import chance
from kamioi_web.generate.names import ORIGINS, TRADES
from kamioi_web.generate.plan import YEARLY_GROWTH, Plan
from kamioi_web.generate.rhythm import DAY

User = tuple[int, str, str, str, str, str, int, str, str, int]

LETTERS = {"individual": "I", "family": "F", "business": "B"}
ROUND_UPS = (100, 50, 200, 500)
YEAR = 365 * DAY
LEFT_DAYS = 90  # those who left bought nothing in the last so many days


def users(plan: Plan) -> Iterator[User]:
    """Rows of users, by id and by joining: id, account_number, email, name, account_type, status, round_up_cents, city,
    state, created_at in microseconds."""
    yield from _users(plan)


@lru_cache(maxsize=1)
def _users(plan: Plan) -> tuple[User, ...]:
    rng = chance("users", plan.seed)
    names = _Names(rng)
    weights = list(accumulate(town.weight for town in towns()))
    return tuple(
        _user(plan, number, joined, names, rng, rng.choices(towns(), cum_weights=weights)[0])
        for number, joined in enumerate(_joining(plan, rng), start=1)
    )


def _user(plan: Plan, number: int, joined: int, names: "_Names", rng: Random, town: Town) -> User:
    account_type = rng.choices(("individual", "family", "business"), (78, 13, 9))[0]
    name, email = names.draw(account_type)
    status = rng.choices(("active", "inactive", "closed"), (93, 5, 2))[0]
    # Nobody leaves before having been there for a while.
    if joined > plan.until_micros - 2 * LEFT_DAYS * DAY:
        status = "active"
    round_up = rng.choices(ROUND_UPS, (80, 9, 8, 3))[0]
    account_number = LETTERS[account_type] + str(1_000_000 + number)
    return (number, account_number, email, name, account_type, status, round_up, town.city.title(), town.state, joined)


def _joining(plan: Plan, rng: Random) -> list[int]:
    """When each user joined, oldest first: the book grows like its trade, and some were there before it opens."""
    start, end = plan.since_micros, plan.until_micros
    growth = math.log(YEARLY_GROWTH) / YEAR
    at_start = math.exp(-growth * (end - start))
    joined = []
    for number in range(plan.users):
        share = max(rng.random(), 1e-6)
        before_end = -math.log(share) / growth
        early = number == 0 or share < at_start
        joined.append(start - rng.randrange(1, YEAR) if early else end - int(before_end))
    return sorted(joined)


class _Names:
    """Draws names, and e-mail addresses that nobody else has."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._shares = [share for share, _, _ in ORIGINS]
        self._origins = [(first.split(), last.split()) for _, first, last in ORIGINS]
        self._taken: dict[str, int] = {}

    def draw(self, account_type: str) -> tuple[str, str]:
        """A name and an address for a new account of this type."""
        rng = self._rng
        firsts, lasts = rng.choices(self._origins, self._shares)[0]
        first, last = rng.choice(firsts), rng.choice(lasts)
        name = f"{first} {last}"
        if account_type == "family":
            name = f"{first} & {rng.choice(firsts)} {last}"
        elif account_type == "business":
            name = f"{last} {rng.choice(TRADES)}"
        return name, self._address(first, last)

    def _address(self, first: str, last: str) -> str:
        rng = self._rng
        plain = _ascii(rng.choice((f"{first}.{last}", f"{first[0]}{last}", f"{first}{last}", f"{last}.{first}")))
        host = "example.com" if rng.random() < 0.7 else "example.org"
        stem = plain.lower()
        self._taken[stem] = seen = self._taken.get(stem, 0) + 1
        # An underscore keeps the second john1 apart from the first john11.
        return f"{stem}@{host}" if seen == 1 else f"{stem}_{seen}@{host}"


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.replace("ø", "o").replace("Ø", "O"))
    return plain.encode("ascii", "ignore").decode().replace(" ", "")
