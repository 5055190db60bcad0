-- Every index of the big tables, for SQLite and for PostgreSQL alike. Safe to run again, and alone, against a database
-- that lacks them:  sqlite3 FILE < sql/database_indexes.sql   or   psql URL -f sql/database_indexes.sql

-- The list in its order, newest first; positions and scans skip along it.
CREATE INDEX IF NOT EXISTS transactions_posted ON transactions (posted_at, id);
-- One user's transactions in that order.
CREATE INDEX IF NOT EXISTS transactions_user ON transactions (user_id, posted_at, id);
-- One merchant's; a search by text merges the streams of the merchants that it found.
CREATE INDEX IF NOT EXISTS transactions_merchant ON transactions (merchant_id, posted_at, id);
-- One ticker's.
CREATE INDEX IF NOT EXISTS transactions_ticker ON transactions (ticker, posted_at, id) WHERE ticker IS NOT NULL;
-- One of the rare statuses; the two common ones are dense in the order of the list and are scanned there.
CREATE INDEX IF NOT EXISTS transactions_status ON transactions (status, posted_at, id) WHERE status NOT IN ('completed', 'mapped');
-- Importing the same row twice changes nothing.
CREATE UNIQUE INDEX IF NOT EXISTS transactions_reference ON transactions (user_id, source, source_ref, posted_at);

-- Decisions about one merchant, newest first.
CREATE INDEX IF NOT EXISTS llm_mappings_merchant ON llm_mappings (merchant_id, id);
-- The audit log in its order, and what happened to one thing.
CREATE INDEX IF NOT EXISTS audit_events_at ON audit_events (at, id);
CREATE INDEX IF NOT EXISTS audit_events_subject ON audit_events (subject, subject_id, id) WHERE subject_id IS NOT NULL;
-- Sessions of one admin, to revoke them together.
CREATE INDEX IF NOT EXISTS admin_sessions_admin ON admin_sessions (admin_id);
-- Failed logins of one account and of one address, for the limits.
CREATE INDEX IF NOT EXISTS login_attempts_account ON login_attempts (account, at);
CREATE INDEX IF NOT EXISTS login_attempts_address ON login_attempts (address, at);
