"""What is measured of every list, of search, of analytics and of the overview: paths found in the database itself."""

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from kamioi_web.paging.cursor import Cursor
from tests.benchmarks.target import Target

MISS = "zqxjkv wvuq"
COMMON = "pizza"
OPERATOR = "an operator"
TYPED = {"a brand": "starb", "a typo": "strabucks", "a common word": COMMON, "a miss": MISS, "two letters": "wa",
         "a name": "garcia", OPERATOR: "status:fai"}  # fmt: skip
ANALYTICS = ("tiles", "trend", "funnel", "failures", "accounts", "categories", "tickers", "merchants")
OVERVIEW = ("attention", "days", "hours", "transactions", "events")
DEPTHS = (50, 99)
ROWS_A_PAGE = 100
# What no index serves is looked for until the time is spent, so these grow to that and no further.
SCANNED = ("common word", "common word, rare status", "a brand", "a brand, pending", "an action that is not there",
           "source rule", "low confidence")  # fmt: skip
SCAN_MS = 60


@dataclass(frozen=True)
class Case:
    """A path of a page; `most_ms` is what one request may take, `uncached` that nothing is kept from one before."""

    page: str
    name: str
    path: str
    uncached: bool = False
    most_ms: float | None = None

    @property
    def scanned(self) -> bool:
        return self.name in SCANNED and self.most_ms is None


@dataclass(frozen=True)
class Listed:
    """A list: its address, its table with its time, and filters that are measured, by name."""

    page: str
    href: str
    table: str
    at: str
    filters: dict[str, str]


def find_cases(target: Target) -> list[Case]:
    """All cases of that database; the same pages and names for every one."""
    cases = [case for one in _lists(target) for case in _of_list(target, one)]
    return [*cases, *_elsewhere(target)]


def _lists(target: Target) -> tuple[Listed, ...]:
    shop, brand = _middle(target, "merchants", "descriptor"), "Starbucks"
    person = _middle(target, "users", "email")
    busiest = _most(target, "merchant")
    return (
        Listed("Transactions", "/transactions", "transactions", "posted_at", {
            "status failed": "status=failed",
            "category, dense": "category=Groceries",
            "search hit": f"merchant={quote(shop)}", "search miss": f"merchant={quote(MISS)}",
            "common word": f"merchant={COMMON}", "a brand": f"merchant={brand}",
        }),
        Listed("Users", "/users", "users", "created_at", {
            "status closed": "status=closed",
            "account type, dense": "account_type=individual",
            "search hit": f"search={quote(person)}", "search miss": f"search={quote(MISS)}",
            "common word": "search=garc",
            "common word, rare status": "search=example.com&status=closed",
        }),
        Listed("Mappings", "/llm-center", "llm_mappings", "created_at", {
            "tab pending": "status=pending", "tab rejected": "status=rejected", "tab approved": "status=approved",
            "one ticker": "ticker=SBUX", "source rule": "source=rule", "low confidence": "confidence_max=0.32",
            "one merchant": f"merchant_id={busiest}",
            "search hit": f"merchant={quote(shop)}", "search miss": f"merchant={quote(MISS)}",
            "common word": f"merchant={COMMON}", "a brand": f"merchant={brand}",
            "a brand, pending": f"merchant={brand}&status=pending",
        }),
        Listed("Merchants", "/merchants", "merchants", "first_seen", {
            "unmapped": "status=unmapped", "mapped": "status=mapped", "one ticker": "ticker=SBUX",
            "search hit": f"search={quote(shop)}", "search miss": f"search={quote(MISS)}",
            "common word": f"search={COMMON}",
        }),
        Listed("Audit", "/audit", "audit_events", "at", {
            "one action": "action=mapping.rejected", "an action that is not there": "action=nothing.such",
            "an admin": "admin=decider-3%40example.com",
        }),
    )  # fmt: skip


def _of_list(target: Target, one: Listed) -> list[Case]:
    cases = [
        Case(one.page, "first page", one.href),
        Case(one.page, "first page, nothing kept", one.href, uncached=True),
        Case(one.page, "rows fragment", f"{one.href}/rows?after={cursor_at(target, one, 99)}&from=101"),
        Case(one.page, "JSON", f"{one.href}.json?limit=100"),
    ]
    rows = target.read(f"SELECT count(*) FROM {one.table}")[0][0]
    for share in DEPTHS:
        row = rows * share // 100
        cases += [
            Case(one.page, f"{share} % by page number", f"{one.href}?page={row // ROWS_A_PAGE + 1}"),
            Case(one.page, f"{share} % by cursor", f"{one.href}?at={cursor_at(target, one, row)}"),
        ]
    return [*cases, *(Case(one.page, name, f"{one.href}?{query}") for name, query in one.filters.items())]


def _elsewhere(target: Target) -> list[Case]:
    last = Cursor.parse(cursor_at(target, _lists(target)[0], 0), "at").at.date()
    years = f"since={last - timedelta(days=3 * 365 - 1)}&until={last}"
    month = last.replace(day=1)
    months = f"since={month.replace(year=month.year - 3)}&until={month - timedelta(days=1)}"
    shop = _most(target, "merchant")
    return [
        *(Case("Suggestions", name, f"/search/suggest?q={quote(text)}", most_ms=30) for name, text in TYPED.items()),
        *(Case("Search", name, f"/search?q={quote(text)}") for name, text in TYPED.items() if name != OPERATOR),
        Case("Analytics", "three years", f"/analytics?{years}", uncached=True, most_ms=50),
        Case("Analytics", "three years, as its button asks", f"/analytics?{months}", uncached=True, most_ms=50),
        *(Case("Analytics", f"three years, {one}", f"/analytics/{one}?{years}", uncached=True) for one in ANALYTICS),
        Case("Analytics", "as it opens", "/analytics", uncached=True),
        Case("Overview", "all of it", "/", uncached=True),
        *(Case("Overview", name, f"/overview/{name}", uncached=True) for name in OVERVIEW),
        Case("Details", "the busiest user", f"/users/{_most(target, 'user')}"),
        Case("Details", "the busiest merchant", f"/merchants/{shop}"),
        Case("Details", "a mapping of it", f"/llm-center/{_mapping_of(target, shop)}"),
    ]


def cursor_at(target: Target, one: Listed, row: int) -> str:
    """The cursor of that row of the whole list, counted from 0 and found without the project's help."""
    statement = f"SELECT {one.at}, id FROM {one.table} ORDER BY {one.at} DESC, id DESC LIMIT 1 OFFSET ?"
    at, id = target.read(statement, row)[0]
    return str(Cursor(target.moment(at), id))


def _middle(target: Target, table: str, column: str) -> str:
    middle = target.read(f"SELECT max(id) / 2 FROM {table}")[0][0]
    return target.read(f"SELECT {column} FROM {table} WHERE id = ?", middle)[0][0]


def _most(target: Target, grain: str) -> int:
    statement = "SELECT subject FROM totals WHERE grain = ? GROUP BY subject ORDER BY sum(n) DESC, subject LIMIT 1"
    return target.read(statement, grain)[0][0]


def _mapping_of(target: Target, merchant: int) -> int:
    return target.read("SELECT max(id) FROM llm_mappings WHERE merchant_id = ?", merchant)[0][0]
