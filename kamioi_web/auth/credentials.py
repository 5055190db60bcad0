"""Whether an e-mail address and a password open the door: the same limits and events wherever they are given."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from math import ceil

from flask import request
from sqlalchemy import Connection

from kamioi_web.auth import admins, limits, passwords
from kamioi_web.auth.admins import Account
from kamioi_web.auth.limits import Attempt
from kamioi_web.db import Database
from kamioi_web.errors import KamioiError
from kamioi_web.request_context import record_event

WRONG = "The e-mail address or the password is not right."


class WrongLogin(KamioiError):
    """There is no such account, its password is another, or it is disabled: always in the same words."""

    status = 401


class TooManyLogins(KamioiError):
    """So many logins have failed that the next may be tried later only."""

    status = 429

    def __init__(self, seconds: int) -> None:
        minutes = ceil(seconds / 60)
        wait = "1 minute" if minutes == 1 else f"{minutes} minutes"
        super().__init__(f"Too many logins have failed. Try again in {wait}.")
        self.headers = {"Retry-After": str(seconds)}


def check(database: Database, email: str, password: str) -> Account:
    """The account of a normalised e-mail address whose password this is; else WrongLogin or TooManyLogins."""
    with database.writing() as connection:
        attempt = limits.begin_attempt(connection, email, request.remote_addr or "unknown", datetime.now(UTC))
    if attempt.wait_seconds:
        raise TooManyLogins(attempt.wait_seconds)
    with database.reading() as connection:
        account = admins.find_account(connection, email)
    right = passwords.verify(account.password_hash if account else None, password)
    if account is None or not right or not account.active:
        _record_failure(database, account, attempt, right)
        raise WrongLogin(WRONG)
    return account


@contextmanager
def entering(database: Database, account: Account, email: str, password: str) -> Generator[Connection]:
    """The transaction in which a session or a token is made for the account whose password was checked."""
    renewed = passwords.hash_password(password) if passwords.needs_rehash(account.password_hash) else None
    with database.writing() as connection:
        limits.clear(connection, email)
        if renewed:
            admins.save_hash(connection, account.id, renewed)
        yield connection
        record_event(connection, "login.success", by=account.id)


def _record_failure(database: Database, account: Account | None, attempt: Attempt, right: bool) -> None:
    reason = "unknown" if account is None else "disabled" if right else "password"
    about = ("admin", account.id) if account else (None, None)
    with database.writing() as connection:
        record_event(connection, "login.failure", None, *about, reason=reason)
        if attempt.last:  # recorded as the limit is reached, not at each refusal: the log cannot be flooded
            record_event(connection, "login.limited", None, *about)
