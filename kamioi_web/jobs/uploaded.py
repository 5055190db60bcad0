"""The files that were uploaded to be imported: their rows in the database."""

from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select

from kamioi_web.errors import NotFound
from kamioi_web.jobs.tables import uploads
from kamioi_web.sql_types import AnyRow

u = uploads.c


def add(connection: Connection, admin_id: int, file_name: str, path: str, size: int, sha256: str) -> int:
    """Note a file that lies at `path` under the folder of files, and return its id."""
    told = {"file_name": file_name, "path": path, "bytes": size, "sha256": sha256}
    values = told | {"admin_id": admin_id, "created_at": datetime.now(UTC)}
    return connection.execute(insert(uploads).values(values).returning(u.id)).scalar_one()


def find(connection: Connection, id: int) -> AnyRow:
    """One upload; NotFound when there is none, or none any more."""
    found = connection.execute(select(uploads).where(u.id == id)).first() if id < 2**63 else None
    if found is None:
        raise NotFound(f"There is no upload {str(id)[:40]}. Uploads are kept for 7 days; upload the file again.")
    return found
