"""Importing transactions: which column is what, each row to an item, a batch of items to the database."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection

from kamioi_web import allocation
from kamioi_web.db import Database
from kamioi_web.errors import KamioiError
from kamioi_web.importing.accounts import INITIALS, User, find_or_add_users
from kamioi_web.importing.categories import UNCATEGORIZED
from kamioi_web.importing.columns import TRANSACTIONS
from kamioi_web.importing.detect import Layout, describe, find_layout
from kamioi_web.importing.formats import Formats, find_formats
from kamioi_web.importing.model import ImportOptions, ImportReport, Progress
from kamioi_web.importing.names import readable
from kamioi_web.importing.purchases import Item, PurchaseReader
from kamioi_web.importing.rows import Cache, RowReader
from kamioi_web.importing.run import Job, run
from kamioi_web.loading import TRANSACTION_COLUMNS, find_or_add_merchants, load_transactions
from kamioi_web.review import weights
from kamioi_web.schema import from_micros, to_micros

NO_PRESET = "Imported transactions"
KNOWN_BY = {
    True: "Rows are known again by what they and all rows before them say, so a file may grow at its end.",
    False: "Rows are known again by their reference; two rows of an account with one date and reference are one.",
}
USERS_KEPT = 50_000
STATUS = TRANSACTION_COLUMNS.index("status")


def import_transactions(
    database: Database, path: Path, options: ImportOptions, progress: Callable[[Progress], None]
) -> ImportReport:
    """Import the transactions of a CSV or TSV file, plain or gzip. KamioiError when it cannot be understood.

    Batches are committed one by one with a checkpoint: run again after a stop, it goes on; run again on the same
    file, it stores nothing; run again on the file grown at its end, it stores the new rows.
    """
    return run(database, plan_transactions(path, options), options, progress)


def plan_transactions(path: Path, options: ImportOptions) -> Job:
    """How this file is read, found out from its first rows. KamioiError when it cannot be understood."""
    layout = find_layout(path, TRANSACTIONS, options)
    formats = find_formats(path, layout, options)
    defaults = _defaults(layout, formats, options)
    purchases = PurchaseReader(layout.columns, formats, defaults.currency, defaults.account)
    reader = RowReader(layout.header, purchases.quick(), purchases.read)
    chained = "reference" not in layout.columns
    decided = [*describe(layout), *formats.told, *defaults.told(layout), KNOWN_BY[chained]]
    settings = {
        "columns": {field: list(places) for field, places in layout.columns.items()},
        "preset": layout.preset.name if layout.preset else None,
        "currency": defaults.currency,
        "account": defaults.account,
        "account_type": defaults.account_type,
        "dayfirst": options.dayfirst,
    }
    store = TransactionStore(defaults.account_type)
    return Job("transactions", path, layout, reader, store, settings, decided, chained)


class Defaults(NamedTuple):
    """What a row has when it does not say."""

    currency: str
    account: str
    account_type: str

    def told(self, layout: Layout) -> list[str]:
        """The defaults in words."""
        unnamed = "rows without one" if "account" in layout.columns else "all rows"
        blank = "where the file names none" if "currency" in layout.columns else "for all rows"
        return [
            f"Currency: {self.currency} {blank}.",
            f'Accounts: {self.account_type}; {unnamed} belong to "{self.account}".',
        ]


def _defaults(layout: Layout, formats: Formats, options: ImportOptions) -> Defaults:
    preset = layout.preset
    account_type = options.account_type or (preset.account_type if preset else "individual")
    if account_type not in INITIALS:
        raise KamioiError(f'There is no account type "{account_type}". Known ones: {", ".join(INITIALS)}.')
    currency = options.currency or (preset.currency if preset else None) or formats.currency or "USD"
    code = currency.strip().upper()
    if not (len(code) == 3 and code.isascii() and code.isalpha()):
        raise KamioiError(f'A currency is three letters, as in USD, not "{currency}".')
    account = " ".join((options.account or (preset.title if preset else NO_PRESET)).split())
    return Defaults(code, account, account_type)


class TransactionStore:
    """Stores batches of items as transactions."""

    def __init__(self, account_type: str) -> None:
        self.account_type = account_type
        self.created_at = datetime.now(UTC)
        self.users: dict[str, User] = {}
        self.names = Cache(readable)

    def save(self, connection: Connection, items: list[Item]) -> int:
        """Store them and return how many were new."""
        users = self._users(connection, items)
        merchants = find_or_add_merchants(connection, self._merchants(items))
        now = to_micros(self.created_at)
        rows = []
        for account, descriptor, posted, cents, currency, category, reference, round_up, fee in items:
            user_id, account_type, own_round_up = users[account]
            merchant_id, ticker, usual, mapping = merchants[descriptor]
            status = "mapped" if ticker else "completed" if mapping else "pending"
            if status == "completed":
                round_up = 0  # noqa: PLW2901 - nobody's share can be bought for it
            elif round_up is None:
                round_up = allocation.round_up(cents, own_round_up)  # noqa: PLW2901
            rows.append(
                (user_id, merchant_id, posted, cents, currency, round_up, fee, category or usual or UNCATEGORIZED,
                 status, ticker, account_type, "import", reference, now)
            )  # fmt: skip
        added = load_transactions(connection, rows)
        weights.weigh(connection, {row[1] for row in rows if row[STATUS] == "pending"})
        return added

    def sums(self, items: list[Item]) -> Counter[str]:
        """Their sums by currency."""
        sums: Counter[str] = Counter()
        for item in items:
            sums[item[4]] += item[3]
        return sums

    def show(self, item: Item) -> dict[str, Any]:
        """One item as it would be stored, without the ids that only the database can tell."""
        account, descriptor, posted, cents, currency, category, reference, _, fee = item
        return {
            "posted_at": from_micros(posted),
            "descriptor": descriptor,
            "name": readable(descriptor),
            "amount_cents": cents,
            "currency": currency,
            "category": category or UNCATEGORIZED,
            "account": account,
            "account_type": self.account_type,
            "fee_cents": fee,
            "source_ref": reference,
        }

    def _users(self, connection: Connection, items: list[Item]) -> dict[str, User]:
        missing = {item[0] for item in items} - self.users.keys()
        if missing:
            if len(self.users) + len(missing) > USERS_KEPT:
                self.users = {}
                missing = {item[0] for item in items}
            self.users |= find_or_add_users(connection, sorted(missing), self.account_type, self.created_at)
        return self.users

    def _merchants(self, items: list[Item]) -> dict[str, tuple[str, int, int]]:
        """{descriptor: (name, first seen, last seen)} of these items."""
        first: dict[str, int] = {}
        last: dict[str, int] = {}
        for item in items:
            descriptor, posted = item[1], item[2]
            if posted < first.setdefault(descriptor, posted):
                first[descriptor] = posted
            if posted > last.setdefault(descriptor, posted):
                last[descriptor] = posted
        names = self.names
        return {descriptor: (names[descriptor], first[descriptor], last[descriptor]) for descriptor in first}
