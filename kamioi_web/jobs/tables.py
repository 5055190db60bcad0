"""The tables of background work as SQLAlchemy Core sees them; sql/0005_jobs is the truth."""

from sqlalchemy import BigInteger, Column, Table, Text

from kamioi_web.schema import JsonText, Moment, metadata

STATES = ("waiting", "running", "paused", "done", "failed", "cancelled")
OPEN_STATES = ("waiting", "running", "paused")  # the partial index jobs_open holds these
QUEUES = ("default", "mapping", "export")  # each has workers of its own, so that none waits for a long one of another

LABELS = {
    "bulk": "Bulk change",
    "undo": "Undo",
    "apply": "Decision",
    "map": "Mapping",
    "ask": "Model",
    "decide": "Decisions",
    "quality": "Quality",
    "duplicates": "Duplicates",
    "export": "Export",
    "import": "Import",
    "count": "Count",
    "check": "Check of totals",
    "clean": "Clean-up",
}  # of the kinds, as pages name them

jobs = Table(
    "jobs",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("parameters", JsonText, nullable=False),
    Column("admin_id", BigInteger),
    Column("state", Text, nullable=False),
    Column("wish", Text, nullable=False),
    Column("owner", Text),
    Column("lease_until", Moment),
    Column("fence", BigInteger, nullable=False),
    Column("failures", BigInteger, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("checkpoint", JsonText),
    Column("rows_done", BigInteger, nullable=False),
    Column("rows_total", BigInteger),
    Column("result", JsonText, nullable=False),
    Column("error", Text),
    Column("undo_of", BigInteger),
    Column("undone_by", BigInteger),
    Column("slot", Text),
    Column("created_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("finished_at", Moment),
)

job_changes = Table(
    "job_changes",
    metadata,
    Column("job_id", BigInteger, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("subject_id", BigInteger, primary_key=True),
    Column("at", Moment, primary_key=True),
    Column("changed_at", Moment, nullable=False),
    Column("before", JsonText, nullable=False),
    Column("after", JsonText, nullable=False),
    Column("note", Text),
)

job_lines = Table(
    "job_lines",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("job_id", BigInteger, nullable=False),
    Column("at", Moment, nullable=False),
    Column("text", Text, nullable=False),
)

sent_forms = Table(
    "sent_forms",
    metadata,
    Column("admin_id", BigInteger, primary_key=True),
    Column("endpoint", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("content", Text, nullable=False),
    Column("answer", JsonText, nullable=False),
    Column("created_at", Moment, nullable=False),
)

uploads = Table(
    "uploads",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("admin_id", BigInteger, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
)
