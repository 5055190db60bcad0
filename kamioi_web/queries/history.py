"""What happened to one thing: what admins did to it, and what an import read it from."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from kamioi_web.schema import admins, audit_events, imports, raw_values
from kamioi_web.sql_types import AnyRow


def events(connection: Connection, subject: str, id: int) -> Sequence[AnyRow]:
    """What was done to it, newest first, at most 100: at, who, action, detail. Index: audit_events_of."""
    e = audit_events.c
    query = (
        select(e.at, admins.c.email, e.action, e.detail)
        .select_from(audit_events.outerjoin(admins, admins.c.id == e.admin_id))
        .where(e.subject == subject, e.subject_id == id)
        .order_by(e.at.desc(), e.id.desc())
        .limit(100)
    )
    return connection.execute(query).fetchall()


def raw(connection: Connection, subject: str, id: int) -> Sequence[AnyRow]:
    """The values that an import normalised, as they were: when, file, line, fields."""
    r = raw_values.c
    query = (
        select(imports.c.started_at, imports.c.file_name, r.line, r.fields)
        .select_from(raw_values.join(imports, imports.c.id == r.import_id))
        .where(r.subject == subject, r.subject_id == id)
        .limit(20)
    )
    return connection.execute(query).fetchall()
