"""The tables as SQLAlchemy Core sees them. sql/ is the truth; tests/test_schema.py holds this against it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STATUSES = ("pending", "mapped", "completed", "failed", "rejected", "needs_review")
COMMON_STATUSES = ("completed", "mapped")  # the partial index transactions_status leaves these out
ACCOUNT_TYPES = ("individual", "family", "business")
SOURCES = ("bank", "receipt", "manual", "import")
KINDS = ("purchase", "refund")  # of a transaction, by the sign of its amount
IMPORT_KINDS = ("transactions", "mappings", "legacy")
IMPORT_STATES = ("running", "done")  # what was stopped half-way is still running
USER_STATUSES = ("active", "inactive", "closed")
MAPPING_STATUSES = ("pending", "approved", "rejected", "superseded")
MAPPING_SOURCES = ("llm", "rule", "admin", "upload", "legacy")
MERCHANT_STATUSES = ("mapped", "nobody", "unmapped")  # to a ticker, to no listed company, not yet
ROLES = ("viewer", "reviewer", "operator", "owner")  # each may do what the ones before it may
SCOPES = ("read", "write")  # what a program's token is good for


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970 in UTC, exactly."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def from_micros(micros: int) -> datetime:
    """The moment that many microseconds after 1970, in UTC."""
    return EPOCH + timedelta(microseconds=micros)


class Moment(TypeDecorator[datetime]):
    """An aware datetime in UTC: INTEGER microseconds on SQLite, timestamptz on PostgreSQL."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        integer = dialect.name == "sqlite"
        return dialect.type_descriptor(BigInteger() if integer else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        return to_micros(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return from_micros(value) if dialect.name == "sqlite" else value.astimezone(UTC)


class JsonText(TypeDecorator[Any]):
    """A JSON value kept as text on both databases."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


metadata = MetaData()

users = Table(
    "users",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("account_number", Text, nullable=False),
    Column("email", Text),
    Column("name", Text, nullable=False),
    Column("account_type", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("round_up_cents", BigInteger, nullable=False),
    Column("city", Text),
    Column("state", Text),
    Column("created_at", Moment, nullable=False),
)

merchants = Table(
    "merchants",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("descriptor", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("ticker", Text),
    Column("company", Text),
    Column("category", Text),
    Column("mapping_id", BigInteger),
    Column("first_seen", Moment, nullable=False),
    Column("last_seen", Moment, nullable=False),
)

transactions = Table(
    "transactions",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("user_id", BigInteger, nullable=False),
    Column("merchant_id", BigInteger, nullable=False),
    Column("posted_at", Moment, nullable=False),
    Column("amount_cents", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("round_up_cents", BigInteger, nullable=False),
    Column("fee_cents", BigInteger, nullable=False),
    Column("category", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("ticker", Text),
    Column("account_type", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("source_ref", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
)

allocations = Table(
    "allocations",
    metadata,
    Column("transaction_id", BigInteger, primary_key=True),
    Column("user_id", BigInteger, primary_key=True),
    Column("ticker", Text, primary_key=True),
    Column("amount_cents", BigInteger, nullable=False),
    Column("created_at", Moment, nullable=False),
)

UNKNOWN_EXCHANGE = "unknown"  # of shares known only from a list that names no exchange

instruments = Table(
    "instruments",
    metadata,
    Column("ticker", Text, primary_key=True),
    Column("company", Text, nullable=False),
    Column("exchange", Text, nullable=False),
)

aliases = Table(
    "aliases",
    metadata,
    Column("alias", Text, primary_key=True),
    Column("ticker", Text),
)

llm_mappings = Table(
    "llm_mappings",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("merchant_id", BigInteger, nullable=False),
    Column("ticker", Text),
    Column("company", Text),
    Column("category", Text),
    Column("confidence", Float, nullable=False),
    Column("status", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("source_ref", Text),
    Column("model", Text),
    Column("rationale", Text),
    Column("decided_by", BigInteger),
    Column("decided_at", Moment),
    Column("version", BigInteger, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("cleaned", Text),
    Column("steps", JsonText),
    Column("alternatives", JsonText),
    Column("waiting_cents", BigInteger, nullable=False),
    Column("claimed_by", BigInteger),
    Column("claimed_until", Moment),
)

raw_values = Table(
    "raw_values",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("subject_id", BigInteger, primary_key=True),
    Column("import_id", BigInteger, primary_key=True),
    Column("line", BigInteger, nullable=False),
    Column("fields", JsonText, nullable=False),
)

imports = Table(
    "imports",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("settings", JsonText, nullable=False),
    Column("state", Text, nullable=False),
    Column("checkpoint", Text, nullable=False),
    Column("rows_added", BigInteger, nullable=False),
    Column("rows_known", BigInteger, nullable=False),
    Column("rows_rejected", BigInteger, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("finished_at", Moment),
)

admins = Table(
    "admins",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("email", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("preferences", JsonText, nullable=False),
    Column("created_at", Moment, nullable=False),
)

admin_sessions = Table(
    "admin_sessions",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("admin_id", BigInteger, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("revoked_at", Moment),
)

saved_views = Table(
    "saved_views",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("admin_id", BigInteger, nullable=False),
    Column("page", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("query", Text, nullable=False),
    Column("shared", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("token_hash", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("admin_id", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("seen_at", Moment),
    Column("revoked_at", Moment),
)

search_words = Table(
    "search_words",
    metadata,
    Column("word", Text, primary_key=True),
    Column("n", BigInteger, nullable=False),
)

search_typos = Table(
    "search_typos",
    metadata,
    Column("form", Text, primary_key=True),
    Column("word", Text, primary_key=True),
)

login_attempts = Table(
    "login_attempts",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("account", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("at", Moment, nullable=False),
)

audit_events = Table(
    "audit_events",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("admin_id", BigInteger),
    Column("action", Text, nullable=False),
    Column("subject", Text),
    Column("subject_id", BigInteger),
    Column("detail", JsonText, nullable=False),
    Column("address", Text),
    Column("request_id", Text),
)

totals = Table(
    "totals",
    metadata,
    Column("grain", Text, primary_key=True),
    Column("subject", BigInteger, primary_key=True),
    Column("ticker", Text, primary_key=True),
    Column("bucket", BigInteger, primary_key=True),
    Column("status", Text, primary_key=True),
    Column("category", Text, primary_key=True),
    Column("account_type", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("currency", Text, primary_key=True),
    Column("n", BigInteger, nullable=False),
    Column("amount_cents", BigInteger, nullable=False),
    Column("round_up_cents", BigInteger, nullable=False),
    Column("fee_cents", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
)

# The view that a read of totals goes through: totals, and on PostgreSQL its unfolded tail.
totals_now = totals.to_metadata(MetaData(), name="totals_now")

# The tail itself; there is none on SQLite.
totals_tail = totals.to_metadata(MetaData(), name="totals_delta")
