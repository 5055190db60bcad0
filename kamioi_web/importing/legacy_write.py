"""Writing the users and transactions of a legacy database, a batch in one transaction, each row once.

A user keeps its id where that is free. One whose e-mail stands here already is that customer; a second account with
an e-mail that differs only in case keeps its transactions and loses the e-mail, which its raw values keep.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, bindparam, case, func, insert, or_, select, update

from kamioi_web import loading
from kamioi_web.dialects import dialect_of
from kamioi_web.importing import legacy_rows
from kamioi_web.importing.legacy_rows import Normal
from kamioi_web.importing.legacy_run import Run, find_users
from kamioi_web.importing.legacy_source import Row, greatest_id
from kamioi_web.importing.legacy_values import line_of
from kamioi_web.importing.names import readable
from kamioi_web.schema import from_micros, merchants, raw_values, transactions, users

NUMBER_PREFIXES = {"individual": "I", "family": "F", "business": "B"}


def write_users(run: Run, connection: Connection, rows: list[Row]) -> None:
    """Add the customers that are not here yet."""
    people = run.normalise("users", rows, legacy_rows.user)
    linked = find_users(run, connection, [person.line for person in people])
    fresh = [person for person in people if person.line not in linked]
    register = _Register(run, connection, fresh)
    links = [(register.place(person), person) for person in fresh]
    if register.added:
        connection.execute(insert(users), register.added)
        dialect_of(connection).restart_ids(connection, "users")
    run.keep_raw(connection, "user", links)
    run.moved |= {person.line: id for id, person in links if person.line != id}
    run.counts("users").added += len(register.added)
    run.counts("users").known += len(people) - len(register.added)


class _Register:
    """The users of the moment, by all that must be unique."""

    def __init__(self, run: Run, connection: Connection, people: list[Normal]) -> None:
        self.run = run
        self.added: list[dict[str, Any]] = []
        wanted = [
            users.c.id.in_([person.line for person in people]),
            users.c.email.in_([person.values["email"] for person in people if person.values["email"]]),
            users.c.account_number.in_([_number(person) for person in people]),
        ]
        found = connection.execute(select(users.c.id, users.c.email, users.c.account_number).where(or_(*wanted))).all()
        self.ids = {row.id for row in found}
        self.by_email = {row.email: row.id for row in found if row.email}
        self.by_number = {row.account_number: row.id for row in found}
        self.nameless = {row.id for row in found if not row.email}
        r = raw_values.c
        claims = select(r.subject_id).where(r.subject == "user", r.import_id == run.import_id)
        self.claimed = set(connection.scalars(claims.where(r.subject_id.in_(self.ids))))
        greatest = connection.scalar(select(func.max(users.c.id))) or 0
        self.next = max(greatest, greatest_id(run.source, "users")) + 1

    def place(self, person: Normal) -> int:
        """The id of this person here, who is added when there is no such customer yet."""
        known = self._known(person)
        if known is None:
            known = self._add(person)
        self.claimed.add(known)
        return known

    def _known(self, person: Normal) -> int | None:
        email = person.values["email"]
        same = self.by_email.get(email)
        if same is not None and same not in self.claimed:
            return same
        if same is not None:
            person.raw["email"] = person.row["email"]
            person.values["email"] = None
            self.run.report.warn(f"User {person.row['id']} has no e-mail now: user {same} has {email} already.")
        other = self.by_number.get(_number(person))
        recognised = other in self.nameless and other not in self.claimed and person.values["email"] is None
        return other if recognised else None

    def _add(self, person: Normal) -> int:
        id = person.line if 0 < person.line < 2**62 and person.line not in self.ids else self.next
        self.next += id == self.next
        number = _number(person)
        if number != person.values["account_number"] or number in self.by_number:
            person.raw["account_number"] = person.row.get("account_number")
        number = f"{number}-{id}" if number in self.by_number else number
        at = person.values["created_at"]
        created_at = from_micros(self.run.started if at is None else at)
        self.added.append({**person.values, "id": id, "account_number": number, "created_at": created_at})
        self.ids.add(id)
        self.by_number[number] = id
        if person.values["email"]:
            self.by_email[person.values["email"]] = id
        return id


def write_transactions(run: Run, connection: Connection, rows: list[Row]) -> None:
    """Add the transactions that are not here yet, each with its owner's account type."""
    counts = run.counts("transactions")
    found = run.normalise("transactions", rows, legacy_rows.transaction)
    owners = find_users(run, connection, {line_of(normal.values["user_id"]) for normal in found})
    kept = []
    for normal in found:
        if line_of(normal.values["user_id"]) in owners:
            kept.append(normal)
        else:
            run.reject("transactions", normal.row, f"there is no user {normal.values['user_id']}")
    known = merchants_of(connection, kept, "posted_at")
    first = dialect_of(connection).reserve_ids(connection, transactions, 1)[0]
    stored = {}
    for normal in kept:
        full = _complete(normal, owners, known)
        stored[full["user_id"], normal.ref] = (normal, tuple(full[name] for name in loading.TRANSACTION_COLUMNS))
        counts.cents.update({name: full[f"{name}_cents"] for name in ("amount", "round_up", "fee")})
    added = loading.load_transactions(connection, [row for _, row in stored.values()], allocate=False)
    counts.added += added
    counts.known += len(kept) - added
    run.keep_raw(connection, "transaction", _just_added(connection, first, stored))


def merchants_of(connection: Connection, found: list[Normal], moment: str) -> dict[str, tuple]:
    """The merchants of these rows as find_or_add_merchants gives them; what they were seen at is widened."""
    seen: dict[str, tuple[str, int, int]] = {}
    for normal in found:
        descriptor, at = normal.values["descriptor"], normal.values[moment]
        name, low, high = seen.get(descriptor, (readable(descriptor), at, at))
        seen[descriptor] = (name, min(low, at), max(high, at))
    known = loading.find_or_add_merchants(connection, seen)
    wider = [{"merchant": known[d][0], "low": from_micros(seen[d][1]), "high": from_micros(seen[d][2])} for d in seen]
    if wider:
        connection.execute(_widen(), sorted(wider, key=lambda row: row["merchant"]))  # one order: no deadlocks
    return known


def _complete(normal: Normal, owners: dict[int, tuple[int, str]], known: dict[str, tuple]) -> dict[str, Any]:
    user_id, account_type = owners[line_of(normal.values["user_id"])]
    return {
        **normal.values,
        "user_id": user_id,
        "account_type": account_type,
        "merchant_id": known[normal.values["descriptor"]][0],
        "currency": "USD",
        "source_ref": normal.ref,
    }


def _just_added(connection: Connection, first: int, stored: dict[tuple[int, str], Any]) -> Iterable[tuple[int, Normal]]:
    t = transactions.c
    query = select(t.id, t.user_id, t.source_ref).where(t.id >= first, t.source_ref.like("legacy:%"))
    for id, user_id, ref in connection.execute(query).all():
        if (user_id, ref) in stored:
            normal = stored[user_id, ref][0]
            if normal.raw:
                yield id, normal


def _widen():
    low, high = bindparam("low", type_=merchants.c.first_seen.type), bindparam("high", type_=merchants.c.last_seen.type)
    m = merchants.c
    earlier, later = (
        case((m.first_seen > low, low), else_=m.first_seen),
        case((m.last_seen < high, high), else_=m.last_seen),
    )
    outside = or_(m.first_seen > low, m.last_seen < high)
    return update(merchants).where(m.id == bindparam("merchant"), outside).values(first_seen=earlier, last_seen=later)


def _number(person: Normal) -> str:
    made = f"{NUMBER_PREFIXES[person.values['account_type']]}{1_000_000 + person.line}"
    return person.values["account_number"] or made
