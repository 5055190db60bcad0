"""Putting back the transactions that a job has changed: exactly those that nobody has changed since, the rest named."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, func, select

from kamioi_web.jobs import changing, unapplying
from kamioi_web.jobs.changing import ACTION, SUBJECT, Change
from kamioi_web.jobs.running import Job, Pace
from kamioi_web.jobs.walking import CHANGED, GONE, Left, walk_back
from kamioi_web.schema import audit_events
from kamioi_web.sql_types import AnyRow


def take_back(job: Job) -> dict[str, Any]:
    """Put the rows back; `changed` were put back, `left` are kept as they are, with the reason beside each."""
    walk_back(job, Pace(), SUBJECT, partial(_put_back, job))
    unapplying.apply_what_stands(job)
    return job.result


def _put_back(job: Job, connection: Connection, kept: Sequence[AnyRow]) -> tuple[int, Left]:
    there = {row.id: row for row in changing.locked(connection, [(one.subject_id, one.at) for one in kept])}
    newest = _newest_changes(connection, kept)
    changes: list[Change] = []
    left: Left = []
    for one in kept:
        row, since = there.get(one.subject_id), newest.get(one.subject_id)
        why = _why_not(one, row, since)
        if why or row is None:
            left.append((one.subject_id, one.at, why))
        else:
            changes.append(_back(row, one.before))
    return changing.write(connection, job.id, job.admin_id, changes), left


def _back(row: AnyRow, before: dict[str, Any]) -> Change:
    fields = {name: value for name, value in before.items() if name != "shares"}
    return Change(row, fields, shares=before.get("shares"))


def _why_not(kept: AnyRow, row: AnyRow | None, newest: Any) -> str:
    """Why a row stays as it is; '' when nobody has changed it since."""
    if row is None:
        return GONE
    now = {name: getattr(row, name) for name in kept.after if name != "shares"}
    then = {name: value for name, value in kept.after.items() if name != "shares"}
    return CHANGED if now != then or (newest and newest > kept.changed_at) else ""


def _newest_changes(connection: Connection, kept: Sequence[AnyRow]) -> dict[int, Any]:
    """When each of the rows was changed last, of those that were changed after the first of them here."""
    e = audit_events.c
    ids, since = [one.subject_id for one in kept], min(one.changed_at for one in kept)
    here = (e.subject == SUBJECT, e.subject_id.in_(ids), e.at > since, e.action == ACTION)
    found = connection.execute(select(e.subject_id, func.max(e.at)).where(*here).group_by(e.subject_id))
    return {id: at for id, at in map(tuple, found)}  # noqa: C416 - a row is no pair to dict
