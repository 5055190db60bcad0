"""How often a login may fail. Counted in the database, so that it holds for all processes and without Redis."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil

from sqlalchemy import Column, Connection, delete, insert, select

from kamioi_web.dialects import dialect_of
from kamioi_web.schema import login_attempts

ACCOUNT_LIMIT, ACCOUNT_WINDOW = 10, timedelta(minutes=5)
ADDRESS_LIMIT, ADDRESS_WINDOW = 20, timedelta(hours=1)
CLEANED_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Attempt:
    """Whether a login may be tried: not before `wait_seconds` are over; `last` when its failure reaches the limit."""

    wait_seconds: int
    last: bool = False


def begin_attempt(connection: Connection, email: str, address: str, now: datetime) -> Attempt:
    """Count a login as failed before its password is looked at; `clear` takes that back when it is right.

    Counting first keeps many guesses at once within the limit. A refused attempt is not counted: refusals end.
    """
    dialect_of(connection).lock(connection, "login")
    account, network = account_key(email), address_key(address)
    by_account = _recent(connection, login_attempts.c.account, account, now - ACCOUNT_WINDOW, ACCOUNT_LIMIT)
    by_address = _recent(connection, login_attempts.c.address, network, now - ADDRESS_WINDOW, ADDRESS_LIMIT)
    waits = [by_account[-1] + ACCOUNT_WINDOW - now] if len(by_account) == ACCOUNT_LIMIT else []
    waits += [by_address[-1] + ADDRESS_WINDOW - now] if len(by_address) == ADDRESS_LIMIT else []
    if waits:
        return Attempt(max(1, ceil(max(waits).total_seconds())))
    connection.execute(insert(login_attempts).values(account=account, address=network, at=now))
    _clean(connection, now)
    return Attempt(0, last=len(by_account) + 1 == ACCOUNT_LIMIT or len(by_address) + 1 == ADDRESS_LIMIT)


def clear(connection: Connection, email: str) -> None:
    """Forget the account's failed logins, because its password was given."""
    connection.execute(delete(login_attempts).where(login_attempts.c.account == account_key(email)))


def account_key(email: str) -> str:
    """What stands for an e-mail address in the table; addresses that nobody has are kept no other way."""
    return hashlib.sha256(email.encode("utf-8", "replace")).hexdigest()


def address_key(address: str) -> str:
    """An address as it is counted: an IPv6 client has a whole /64 to choose from, so that counts as one."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ip_network((parsed, 64), strict=False))


def _recent(connection: Connection, column: Column[str], key: str, since: datetime, limit: int) -> list[datetime]:
    at = login_attempts.c.at
    return list(connection.scalars(select(at).where(column == key, at > since).order_by(at.desc()).limit(limit)))


def _clean(connection: Connection, now: datetime) -> None:
    """Remove what no window reaches any more, oldest first, a bounded number at a time."""
    oldest = select(login_attempts.c.id).order_by(login_attempts.c.id).limit(CLEANED_AT_ONCE).scalar_subquery()
    connection.execute(
        delete(login_attempts).where(login_attempts.c.id.in_(oldest), login_attempts.c.at < now - ADDRESS_WINDOW)
    )
