"""What happened, by whom: rows that the database lets nobody change."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert

from kamioi_web.schema import audit_events


def record(
    connection: Connection,
    action: str,
    admin_id: int | None = None,
    subject: str | None = None,
    subject_id: int | None = None,
    detail: dict[str, Any] | None = None,
    address: str | None = None,
    request_id: str | None = None,
) -> None:
    """Add one event to the audit log, in the transaction of what it tells. Never put a secret into `detail`."""
    values = {"action": action, "admin_id": admin_id, "subject": subject, "subject_id": subject_id}
    context = {"detail": detail or {}, "address": address, "request_id": request_id}
    connection.execute(insert(audit_events).values(at=datetime.now(UTC), **values, **context))
