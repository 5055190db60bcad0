"""The tables of the model as SQLAlchemy Core sees them; sql/0006_model is the truth."""

from sqlalchemy import BigInteger, Column, Table, Text

from kamioi_web.schema import JsonText, Moment, metadata

model_answers = Table(
    "model_answers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("prompt", Text, primary_key=True),
    Column("answer", JsonText),
    Column("reason", Text),
    Column("tries", BigInteger, nullable=False),
    Column("owner", Text),
    Column("leased_until", Moment),
    Column("asked_at", Moment, nullable=False),
)

model_days = Table(
    "model_days",
    metadata,
    Column("day", Text, primary_key=True),
    Column("model", Text, primary_key=True),
    Column("calls", BigInteger, nullable=False),
    Column("failures", BigInteger, nullable=False),
    Column("names", BigInteger, nullable=False),
    Column("tokens_in", BigInteger, nullable=False),
    Column("tokens_out", BigInteger, nullable=False),
    Column("micro_cents", BigInteger, nullable=False),
)

model_breakers = Table(
    "model_breakers",
    metadata,
    Column("model", Text, primary_key=True),
    Column("failures", BigInteger, nullable=False),
    Column("open_until", Moment),
    Column("reason", Text),
)
