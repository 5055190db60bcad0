"""The pages that are measured: what they are called and their paths, found in the database itself."""

import html
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from kamioi_web.paging.cursor import Cursor
from tests.benchmarks.target import Target

FIRST = "first page"
FRAGMENT = "rows fragment"
UNCACHED = {"first page, nothing kept", "summary, nothing kept", "timeline, nothing kept"}
SCANNED = {"a rare amount", "a rare amount, further on"}
DEPTHS = ("50 %", "99 %")


@dataclass(frozen=True)
class Case:
    """A path with its name; `uncached` when the aggregates are cleared before each request."""

    name: str
    path: str

    @property
    def uncached(self) -> bool:
        return self.name in UNCACHED

    @property
    def whole(self) -> bool:
        """Whether this is a whole page, with head, filters and total."""
        return not self.uncached and self.name not in (FRAGMENT, "JSON page", "a rare amount, further on")


def find_cases(target: Target) -> list[Case]:
    """All cases of that database; the same names for every one."""
    home = "/transactions"
    after = cursor_at(target, 99)
    cases = [
        Case(FIRST, home),
        Case("first page, nothing kept", home),
        Case(FRAGMENT, f"{home}/rows?after={after}&from=101"),
        *(case for share in DEPTHS for case in _deep(target, share)),
        *_filtered(target),
        Case("summary, nothing kept", f"{home}/summary"),
        Case("timeline, nothing kept", f"{home}/timeline"),
        Case("JSON page", f"{home}.json?limit=100"),
    ]
    wrong = [(case.path, status) for case in cases if (status := target.ask(case.path).status) != 200]
    assert not wrong, f"{target.name} answers {wrong}"
    return cases


def cursor_at(target: Target, row: int) -> str:
    """The cursor of that row of the whole list, counted from 0 and found without the project's help."""
    at, id = target.read(
        "SELECT posted_at, id FROM transactions ORDER BY posted_at DESC, id DESC LIMIT 1 OFFSET ?", row
    )[0]
    return str(Cursor(target.moment(at), id))


def _deep(target: Target, share: str) -> list[Case]:
    row = target.stored.rows * int(share.removesuffix(" %")) // 100
    cursor = cursor_at(target, row)
    ways = {"cursor": f"at={cursor}", "page number": f"page={row // 100 + 1}", "date": f"date={cursor[:10]}"}
    return [Case(f"{share} by {way}", f"/transactions?{query}") for way, query in ways.items()]


def _filtered(target: Target) -> list[Case]:
    month = Cursor.parse(cursor_at(target, target.stored.rows // 2), "at").at.replace(day=1)
    last = (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    merchant, words = _frequent_merchant(target)
    amount = rare_amount(target)
    rare = f"amount_min={amount}&amount_max={amount}"
    halfway = cursor_at(target, target.stored.rows // 2)
    queries = {
        "failed, one month": f"status=failed&since={month:%Y-%m-%d}&until={last:%Y-%m-%d}",
        "status completed": "status=completed",
        "a user": f"user={_busiest_user(target)}",
        "a merchant": f"merchant_id={merchant}",
        "merchant has its descriptor": f"merchant={quote(words)}",
        "merchant has a common word": f"merchant={quote(words.split()[0])}",
        "a rare amount": rare,
    }
    cases = [Case(name, f"/transactions?{query}") for name, query in queries.items()]
    return [*cases, Case("a rare amount, further on", f"/transactions/rows?after={halfway}&{rare}")]


def _busiest_user(target: Target) -> str:
    return target.read(
        "SELECT u.account_number FROM totals t JOIN users u ON u.id = t.subject WHERE t.grain = 'user' "
        "GROUP BY u.account_number ORDER BY sum(t.n) DESC LIMIT 1"
    )[0][0]


def _frequent_merchant(target: Target) -> tuple[int, str]:
    return target.read(
        "SELECT m.id, m.descriptor FROM totals t JOIN merchants m ON m.id = t.subject WHERE t.grain = 'merchant' "
        "GROUP BY m.id, m.descriptor ORDER BY sum(t.n) DESC LIMIT 1"
    )[0]


def rare_amount(target: Target) -> str:
    """An amount that about ten rows have."""
    cents = target.read(
        "SELECT amount_cents FROM transactions WHERE amount_cents > 0 GROUP BY amount_cents "
        "ORDER BY abs(count(*) - 10), amount_cents LIMIT 1"
    )[0][0]
    return f"{cents // 100}.{cents % 100:02d}"


def requests_to_the_end(target: Target, path: str, most: int = 3_000) -> tuple[int, int]:
    """How many requests a scroll from that page to the end of the list takes, and the rows that it shows."""
    shown = 0
    for number in range(1, most + 1):
        text = target.ask(path).text
        shown += text.count('<tr id="transaction-')
        following = next_rows(text)
        if following is None:
            return number, shown
        path = following
    return most, shown


def next_rows(text: str) -> str | None:
    """Where the sentinel below the rows reads on."""
    links = (html.unescape(link) for link in re.findall(r'<tbody class="more[^"]*" hx-get="([^"]+)"', text))
    return next((link for link in links if re.search(r"[?&]after=", link)), None)


def names(cases: list[Case]) -> dict[str, Any]:
    """The cases by their names."""
    return {case.name: case for case in cases}
