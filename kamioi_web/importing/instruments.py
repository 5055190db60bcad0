"""Importing instruments: which shares are listed in the US, from the lists of the exchanges and of the SEC."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, insert, select, update

from kamioi_web import catalogue
from kamioi_web.dialects import dialect_of
from kamioi_web.errors import KamioiError
from kamioi_web.importing.columns import INSTRUMENTS, plain
from kamioi_web.importing.detect import Layout, find_layout
from kamioi_web.importing.mappings import TICKER
from kamioi_web.importing.model import ImportOptions
from kamioi_web.importing.reading import Source
from kamioi_web.importing.records import read_records
from kamioi_web.schema import UNKNOWN_EXCHANGE, instruments

MOST = 200_000  # rows; all the shares of the world are fewer
EXCHANGES = {"AMEX": "NYSE American", "NYSE MKT": "NYSE American", "NYSEAMERICAN": "NYSE American"}
NAME_LIMIT = 200
OVER_THE_COUNTER = re.compile(r"[A-Z]{4}[FY]")  # foreign shares and receipts that no exchange lists
NOT_A_SHARE = re.compile(
    r"\betfs?\b|\betn\b|\bwarrants?\b|\brights?$|\bunits?, each|\bunits?$|\bpreferred (?:stock|shares?|securit)|"
    r"\bpreference|\bnotes? due|\bsenior notes|\bsubordinated|\bdebentures?|%|\bfund\b",
    re.IGNORECASE,
)
SHARE_CLASS = re.compile(
    r"[\s,–-]*(?:\((?:the|de)\)|\bcommon$|"
    r"\b(?:new )?(?:series [a-z] |class [a-z] )*(?:(?:common|ordinary|capital) (?:stock|sh|units)|american deposit).*|"
    r"\bclass [a-z]\b.*|\bdepositary shares.*)\s*$",
    re.IGNORECASE,
)


class Listing(NamedTuple):
    """A share as a list names it; the exchange is UNKNOWN_EXCHANGE where the list does not say."""

    ticker: str
    company: str
    exchange: str


@dataclass
class InstrumentsReport:
    """What an import of instruments did; `left_out` counts rows by reason."""

    read: int = 0
    added: int = 0
    changed: int = 0
    known: int = 0
    of_unknown_exchange: int = 0
    left_out: Counter[str] = field(default_factory=Counter)


def import_instruments(connection: Connection, paths: Iterable[Path]) -> InstrumentsReport:
    """Add and correct the shares that these files list. The same files again change nothing.

    The project's own catalogue goes before the list of an exchange, and that before a list without exchanges (the
    SEC's), in whatever order they come. KamioiError when a file cannot be understood.
    """
    report, found = InstrumentsReport(), {}
    own = {one.ticker: Listing(one.ticker, one.company, one.exchange) for one in catalogue.instruments()}
    for path in paths:
        for listing in read_listings(path, report):
            _take(found, own.get(listing.ticker, listing))
    dialect_of(connection).lock(connection, "instruments")
    known = set(connection.scalars(select(instruments.c.ticker)))
    _store(connection, _listed(known, found, report), report)
    return report


def read_listings(path: Path, report: InstrumentsReport) -> Iterator[Listing]:
    """The shares in a file; what is not a share of a company is counted in the report and left out."""
    layout = find_layout(path, INSTRUMENTS, ImportOptions())
    places = {name: of[0] for name, of in layout.columns.items()}
    default = _exchange_of(layout)
    for row in _rows(path, layout):
        report.read += 1
        ticker = re.sub(r"[/ -]", ".", row[places["ticker"]].strip().upper())
        name = " ".join(row[places["company"]].split())
        reason = _why_not(ticker, name)
        if reason:
            report.left_out[reason] += 1
            continue
        said = row[places["exchange"]].strip().upper() if "exchange" in places else ""
        yield Listing(ticker, _company(name), EXCHANGES.get(said, said) or default)


def _exchange_of(layout: Layout) -> str:
    """The exchange whose list this is, by the columns that only its list has."""
    names = {plain(name) for name in layout.header}
    if "act symbol" in names:
        return "NYSE"
    return "NASDAQ" if names == {"symbol", "security name"} else UNKNOWN_EXCHANGE


def _rows(path: Path, layout: Layout) -> Iterator[list[str]]:
    count, width = 0, len(layout.header)
    for block in read_records(Source(path, layout.encoding).parts(), layout.delimiter, width):
        for line, row in zip(block.lines, block.rows, strict=True):
            if line > layout.header_line and len(row) == width and not block.problem:
                count += 1
                if count > MOST:
                    raise KamioiError(f"{path.name} has more than {MOST:,} rows; it is no list of shares.")
                yield row


def _why_not(ticker: str, name: str) -> str | None:
    if not name or not TICKER.fullmatch(ticker):
        return "no company, or a ticker that is not one of a share"
    return "a fund, a preferred share, a warrant, a unit or a note" if NOT_A_SHARE.search(name) else None


def _company(name: str) -> str:
    shorter = SHARE_CLASS.sub("", SHARE_CLASS.sub("", name))  # twice: "Home Depot, Inc. (The) Common Stock"
    return shorter[:NAME_LIMIT].strip(" ,") or name[:NAME_LIMIT]


def _take(found: dict[str, Listing], listing: Listing) -> None:
    before = found.get(listing.ticker)
    if before is None or _rank(listing.exchange) > _rank(before.exchange):
        found[listing.ticker] = listing


def _rank(exchange: str) -> int:
    """How exactly a list says where a share is listed; the NYSE's list also holds those of NYSE American."""
    return {UNKNOWN_EXCHANGE: 0, "NYSE": 1}.get(exchange, 2)


def _listed(known: set[str], found: dict[str, Listing], report: InstrumentsReport) -> list[Listing]:
    """Those that an exchange lists, as far as the lists that were read can tell."""
    exchanges = {listing.exchange for listing in found.values()}
    all_told = {"NYSE", "NASDAQ"} <= exchanges
    kept = []
    for listing in found.values():
        unlisted = listing.exchange == UNKNOWN_EXCHANGE and listing.ticker not in known
        if unlisted and (all_told or OVER_THE_COUNTER.fullmatch(listing.ticker)):
            report.left_out["on no exchange's list: traded over the counter, or no share"] += 1
        else:
            kept.append(listing)
    return kept


def _store(connection: Connection, listings: list[Listing], report: InstrumentsReport) -> None:
    i = instruments.c
    stored = {row[0]: Listing(*row) for row in connection.execute(select(i.ticker, i.company, i.exchange))}
    new = [listing for listing in listings if listing.ticker not in stored]
    better = [one for one in listings if one.ticker in stored and _says_more(one, stored[one.ticker])]
    if new:
        connection.execute(insert(instruments), [listing._asdict() for listing in new])
    if better:
        change = update(instruments).where(i.ticker == bindparam("of")).values(
            company=bindparam("named"), exchange=bindparam("at")
        )  # fmt: skip
        connection.execute(change, [{"of": one.ticker, "named": one.company, "at": one.exchange} for one in better])
    report.added, report.changed = len(new), len(better)
    report.known = len(listings) - len(new) - len(better)
    report.of_unknown_exchange = sum(one.exchange == UNKNOWN_EXCHANGE for one in new)


def _says_more(listing: Listing, stored: Listing) -> bool:
    """Whether it differs from what is stored; a list without exchanges corrects only what came from such a list."""
    if listing.exchange == UNKNOWN_EXCHANGE != stored.exchange:
        return False
    return listing != stored
