"""The users that imported rows belong to."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from kamioi_web.dialects import dialect_of
from kamioi_web.schema import users

INITIALS = {"individual": "I", "family": "F", "business": "B"}
FIRST_NUMBER = 1_000_000
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
ACCOUNT_NUMBER = re.compile(r"[IFB][0-9]{7,12}")
NAMES_AT_ONCE = 500


class User(NamedTuple):
    """What a row takes from its user."""

    id: int
    account_type: str
    round_up_cents: int


def find_or_add_users(
    connection: Connection, names: Iterable[str], account_type: str, created_at: datetime
) -> dict[str, User]:
    """The user of each name: by e-mail or account number when it looks like one, else by name and account type."""
    wanted = list(dict.fromkeys(names))
    found = _find(connection, wanted, account_type)
    missing = [name for name in wanted if name not in found]
    if missing:
        dialect_of(connection).lock(connection, "users")  # another import may be adding the same ones
        found |= _find(connection, missing, account_type)
        found |= {name: _add(connection, name, account_type, created_at) for name in missing if name not in found}
    return found


def _find(connection: Connection, names: Sequence[str], account_type: str) -> dict[str, User]:
    emails = [name for name in names if EMAIL.fullmatch(name)]
    numbers = [name for name in names if ACCOUNT_NUMBER.fullmatch(name)]
    rest = [name for name in names if name not in {*emails, *numbers}]
    by_email = _matching(connection, func.lower(users.c.email), [name.lower() for name in emails])
    found = {name: by_email[name.lower()] for name in emails if name.lower() in by_email}
    found |= _matching(connection, users.c.account_number, numbers)
    return found | _matching(connection, users.c.name, rest, users.c.account_type == account_type)


def _matching(
    connection: Connection, column: ColumnElement[Any], values: Sequence[str], *where: ColumnElement[bool]
) -> dict[str, User]:
    found: dict[str, User] = {}
    for start in range(0, len(values), NAMES_AT_ONCE):
        some = column.in_(values[start : start + NAMES_AT_ONCE])
        query = select(column, users.c.id, users.c.account_type, users.c.round_up_cents).where(some, *where)
        for value, *user in connection.execute(query.order_by(users.c.id.desc())):
            found[value] = User(*user)  # of several with one name, the oldest
    return found


def _add(connection: Connection, name: str, account_type: str, created_at: datetime) -> User:
    values = {
        "account_number": f"new-{uuid4().hex}",  # the real one follows from the id
        "email": name.lower() if EMAIL.fullmatch(name) else None,
        "name": name,
        "account_type": account_type,
        "status": "active",
        "round_up_cents": 100,
        "created_at": created_at,
    }
    user_id = connection.execute(insert(users).values(values).returning(users.c.id)).scalar_one()
    number = f"{INITIALS[account_type]}{FIRST_NUMBER + user_id}"
    connection.execute(update(users).where(users.c.id == user_id).values(account_number=number))
    return User(user_id, account_type, 100)
