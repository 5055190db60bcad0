"""The jobs that nobody asks for: checking the totals, and forgetting what is kept for a time only."""

import shutil
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, delete, select, tuple_

from kamioi_web import totals
from kamioi_web.jobs import store
from kamioi_web.jobs.running import Job
from kamioi_web.jobs.tables import job_changes, jobs, sent_forms, uploads

SENT_HOURS = 24
UPLOAD_DAYS = 7
SAID_MOST = 20
ROWS = 1_000
OLD_JOBS = 100


def check(job: Job) -> dict[str, Any]:
    """Recount every total; the differences are told, and how many there are is the result."""
    wrong = 0
    for difference in totals.check(job.database):
        wrong += 1
        if wrong <= SAID_MOST:
            job.say(difference)
        job.check()
    if wrong:
        job.say("Run kamioi-web totals rebuild.")
    return {"differences": wrong}


def clean(job: Job) -> dict[str, Any]:
    """Forget old keys of forms, old files, and what undo kept of changes that are too old to be undone."""
    now, settings = datetime.now(UTC), job.database.settings
    found = {
        "forms": _delete(job, sent_forms, sent_forms.c.created_at < now - timedelta(hours=SENT_HOURS)),
        "uploads": _forget_uploads(job, now - timedelta(days=UPLOAD_DAYS)),
        "left over": _remove_files(job, "uploads", now - timedelta(days=UPLOAD_DAYS)),
        "rejects": _remove_files(job, "rejects", now - timedelta(days=UPLOAD_DAYS)),
        "exports": _remove_files(job, "exports", now - timedelta(days=settings.export_days)),
        "mistakes": _remove_files(job, "quality", now - timedelta(days=settings.export_days)),
        "changes": _forget_changes(job, now - timedelta(days=settings.undo_days)),
    }
    return {name: n for name, n in found.items() if n}


def _delete(job: Job, table: Table, where: ColumnElement[bool]) -> int:
    """Delete rows, a thousand in a transaction; how many they were."""
    keys, count = tuple(table.primary_key), 0
    while True:
        with job.chunk() as chunk:
            some = select(*keys).where(where).limit(ROWS)
            gone = chunk.connection.execute(delete(table).where(tuple_(*keys).in_(some))).rowcount
            count += gone
        if gone < ROWS:
            return count


def _forget_uploads(job: Job, before: datetime) -> int:
    with job.database.reading() as connection:
        names = connection.scalars(select(uploads.c.path).where(uploads.c.created_at < before)).all()
    for name in names:
        (job.database.settings.files_folder / name).unlink(missing_ok=True)
    return _delete(job, uploads, uploads.c.created_at < before)


def _remove_files(job: Job, name: str, before: datetime) -> int:
    """Remove the old files of a folder; how many they were."""
    folder, count = job.database.settings.files_folder / name, 0
    for path in folder.glob("*") if folder.is_dir() else ():
        if datetime.fromtimestamp(path.stat().st_mtime, UTC) < before:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
            count += 1
    return count


def _forget_changes(job: Job, before: datetime) -> int:
    """A few jobs at a time, the oldest first; the next clean-up goes on."""
    old = select(jobs.c.id).where(store.finished_before(before))
    kept = select(job_changes.c.job_id).where(job_changes.c.job_id == jobs.c.id).exists()
    with job.database.reading(seconds=30) as connection:
        ids = connection.scalars(old.where(kept).order_by(jobs.c.created_at).limit(OLD_JOBS)).all()
    return sum(_delete(job, job_changes, job_changes.c.job_id == id) for id in ids)
