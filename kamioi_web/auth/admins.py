"""Accounts of admins."""

import re
import secrets
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from kamioi_web import audit
from kamioi_web.auth import passwords
from kamioi_web.errors import KamioiError
from kamioi_web.schema import ROLES, admin_sessions, admins

EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+")
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # without those that are mistaken for one another


class Account(NamedTuple):
    """What a login needs of an admin."""

    id: int
    password_hash: str
    active: bool
    role: str


def normalise(email: str) -> str:
    """The one spelling under which an e-mail address is kept and looked up."""
    return email.strip().lower()


def create_admin(connection: Connection, email: str, password: str, role: str) -> int:
    """Make an account and return its id; KamioiError says what is wrong with the e-mail, the password or the role."""
    email = normalise(email)
    if not EMAIL.fullmatch(email) or len(email) > 254:
        raise KamioiError(f"{email!r} is not an e-mail address.")
    if role not in ROLES:
        raise KamioiError(f"{role!r} is not a role. The roles are {', '.join(ROLES)}.")
    passwords.check_rules(password, email)
    values = {"email": email, "password_hash": passwords.hash_password(password), "role": role, "active": True}
    statement = insert(admins).values(**values, preferences={}, created_at=datetime.now(UTC)).returning(admins.c.id)
    try:
        admin_id = connection.execute(statement).scalar_one()
    except IntegrityError as error:
        raise KamioiError(f"There is already an admin {email}.") from error
    audit.record(connection, "admin.created", subject="admin", subject_id=admin_id, detail={"role": role})
    return admin_id


def set_password(connection: Connection, email: str, password: str, role: str) -> int:
    """Give an admin a new password, making the account when there is none; its sessions end."""
    found = find_account(connection, normalise(email))
    if found is None:
        return create_admin(connection, email, password, role)
    save_hash(connection, found.id, passwords.hash_password(password))
    connection.execute(delete(admin_sessions).where(admin_sessions.c.admin_id == found.id))
    audit.record(connection, "password.changed", subject="admin", subject_id=found.id)
    return found.id


def find_account(connection: Connection, email: str) -> Account | None:
    """The account under a normalised e-mail address."""
    if not EMAIL.fullmatch(email):
        return None
    query = select(admins.c.id, admins.c.password_hash, admins.c.active, admins.c.role)
    row = connection.execute(query.where(admins.c.email == email)).first()
    return Account(*row) if row else None


def save_hash(connection: Connection, admin_id: int, password_hash: str) -> None:
    """Keep a newer hash of the same password."""
    connection.execute(update(admins).where(admins.c.id == admin_id).values(password_hash=password_hash))


def random_password() -> str:
    """A password to hand out: twenty letters and digits in groups of five, about 99 bits."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(5)) for _ in range(4))
