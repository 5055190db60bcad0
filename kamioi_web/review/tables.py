"""The tables of the review as SQLAlchemy Core sees them; sql/0007_review is the truth."""

from sqlalchemy import BigInteger, Column, Table, Text

from kamioi_web.schema import JsonText, Moment, metadata

ACTIONS = ("approve", "change", "reject")  # as proposed, another answer instead, or neither

decisions = Table(
    "decisions",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("admin_id", BigInteger, nullable=False),
    Column("action", Text, nullable=False),
    Column("mapping_id", BigInteger, nullable=False),
    Column("merchant_id", BigInteger, nullable=False),
    Column("before", JsonText, nullable=False),
    Column("order_job", BigInteger),  # the job that decided it, where it was one of many
    Column("job_id", BigInteger),  # the job that applies it to the transactions
    Column("undone_at", Moment),
)

decision_counts = Table(
    "decision_counts",
    metadata,
    Column("day", BigInteger, primary_key=True),
    Column("admin_id", BigInteger, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("tenth", BigInteger, primary_key=True),
    Column("action", Text, primary_key=True),
    Column("n", BigInteger, nullable=False),
)

marks = Table(
    "marks",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)
