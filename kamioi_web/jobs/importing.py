"""The job that imports an uploaded file: the command's own code, under the lease of the job.

The importer's ledger says how far it is; each of its transactions carries the lease and how many rows this job has
added, so that a job whose worker was killed goes on at the last batch and tells the right figures.
"""

import secrets
import shutil
import time
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from kamioi_web.errors import KamioiError
from kamioi_web.importing import choices, preview
from kamioi_web.importing.model import ImportOptions, ImportReport, Progress
from kamioi_web.importing.run import run as run_import
from kamioi_web.jobs import uploaded
from kamioi_web.jobs.running import Job
from kamioi_web.settings import Settings
from kamioi_web.sql_types import AnyRow

FOLDER = "rejects"
TOLD_EVERY = 0.5  # seconds


def run(job: Job) -> dict[str, Any]:
    """Import the file, or only say what an import would come to."""
    with job.database.reading() as connection:
        upload = uploaded.find(connection, job.parameters["upload_id"])
    path, dry = job.database.settings.files_folder / upload.path, job.parameters["dry_run"]
    if not path.is_file():
        raise KamioiError(preview.GONE)
    choice = choices.parse({name: [text] for name, text in job.parameters["choice"]})
    rejects = None if dry else own_rejects(job)
    before = (job.checkpoint or {}).get("added", 0)
    options = choice.options(
        upload.file_name,
        dry_run=dry,
        rejects=rejects,
        guard=partial(_guard, job, before),
        check=job.check,
        admin_id=job.admin_id,
    )
    report = _carried_out(job, choice, path, upload.file_name, options)
    return job.result | _result(report, before, dry)


def rejects_of(settings: Settings, row: AnyRow) -> Path | None:
    """The file of what a job has rejected, if there is one."""
    path = settings.files_folder / FOLDER / row.result.get("rejects_file", "none")
    return path if path.is_file() else None


def own_rejects(job: Job) -> Path:
    """A file that only the holder of this lease writes: a worker that was thought dead may still write to its own."""
    folder = job.database.settings.files_folder / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    before, ours = job.result.get("rejects_file", ""), f"job-{job.id}.{job.fence}."
    if before.startswith(ours):  # tried again under the same lease
        return folder / before
    own = folder / f"{ours}{secrets.token_hex(4)}.csv"
    if before and (folder / before).is_file():
        _copy(folder / before, own)
    job.result = job.result | {"rejects_file": own.name}
    job.note(job.rows_done)
    if before:
        (folder / before).unlink(missing_ok=True)
    return own


def _copy(source: Path, target: Path) -> None:
    """Copy a file whole or not at all."""
    try:
        shutil.copyfile(source, target)
    except OSError:
        target.unlink(missing_ok=True)
        raise


def _carried_out(job: Job, choice: choices.Choice, path: Path, name: str, options: ImportOptions) -> ImportReport:
    try:
        return run_import(job.database, choice.what.plan(path, options), options, Teller(job).tell)
    except KamioiError as error:
        if type(error) is not KamioiError:  # busy, or too slow: that passes
            raise
        raise KamioiError(preview.in_words(error, path, name)) from error


def _guard(job: Job, before: int, connection: Connection, added: int) -> None:
    """End a transaction of the importer: only with the lease, and with what the job has added by then."""
    job.guard(connection, checkpoint={"added": before + added}, failures=0, error=None)


class Teller:
    """Tells the job's progress, not more often than anyone looks."""

    def __init__(self, job: Job) -> None:
        self.job, self.told = job, 0.0

    def tell(self, progress: Progress) -> None:
        """After each batch."""
        now = time.monotonic()
        if now - self.told < TOLD_EVERY:
            self.job.check()
            return
        self.told = now
        self.job.result = self.job.result | {"bytes": progress.bytes_read, "bytes_total": progress.bytes_total}
        self.job.note(progress.rows_read)


def _result(report: ImportReport, before: int, dry: bool) -> dict[str, Any]:
    return {
        "dry_run": dry,
        "read": report.rows_read,
        "added": report.rows_added + before,
        "known": max(0, report.rows_known - before),
        "rejected": report.rows_rejected,
        "blank": report.rows_blank,
        "sums": report.sums,
        "reasons": report.reasons,
        "warnings": [choices.in_pages(words) for words in report.warnings],
        "import_id": report.import_id,
    }
