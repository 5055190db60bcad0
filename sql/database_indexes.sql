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

-- Users in their order, newest first.
CREATE INDEX IF NOT EXISTS users_created ON users (created_at, id);

-- Merchants in theirs, and those of one ticker: the descriptors of one company.
CREATE INDEX IF NOT EXISTS merchants_seen ON merchants (first_seen, id);
CREATE INDEX IF NOT EXISTS merchants_ticker ON merchants (ticker, first_seen, id) WHERE ticker IS NOT NULL;

-- Mappings in their order; one of the rare statuses; one merchant's, one ticker's, one admin's decisions.
CREATE INDEX IF NOT EXISTS llm_mappings_created ON llm_mappings (created_at, id);
CREATE INDEX IF NOT EXISTS llm_mappings_status ON llm_mappings (status, created_at, id) WHERE status <> 'approved';
CREATE INDEX IF NOT EXISTS llm_mappings_of_merchant ON llm_mappings (merchant_id, created_at, id);
CREATE INDEX IF NOT EXISTS llm_mappings_ticker ON llm_mappings (ticker, created_at, id) WHERE ticker IS NOT NULL;
CREATE INDEX IF NOT EXISTS llm_mappings_decider ON llm_mappings (decided_by, created_at, id) WHERE decided_by IS NOT NULL;
-- Proposals that wait for a decision, by the money that waits for it.
CREATE INDEX IF NOT EXISTS llm_mappings_review ON llm_mappings (waiting_cents, id) WHERE status = 'pending';
-- What one admin decided, and what one job decided, newest last.
CREATE INDEX IF NOT EXISTS decisions_admin ON decisions (admin_id, id) WHERE order_job IS NULL;
CREATE INDEX IF NOT EXISTS decisions_order ON decisions (order_job, id) WHERE order_job IS NOT NULL;

-- The merchants with the most money in one month.
CREATE INDEX IF NOT EXISTS totals_top ON totals (bucket, currency, amount_cents) WHERE grain = 'merchant_month';

-- The audit log in its order, what happened to one thing, and what one admin did.
CREATE INDEX IF NOT EXISTS audit_events_at ON audit_events (at, id);
CREATE INDEX IF NOT EXISTS audit_events_of ON audit_events (subject, subject_id, at, id) WHERE subject_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS audit_events_admin ON audit_events (admin_id, at, id) WHERE admin_id IS NOT NULL;
-- Imports in the order of their beginning.
CREATE INDEX IF NOT EXISTS imports_started ON imports (started_at, id);
-- Jobs in their order; those of an admin; those that are not over yet, for the workers and for the badge.
CREATE INDEX IF NOT EXISTS jobs_created ON jobs (created_at, id);
CREATE INDEX IF NOT EXISTS jobs_admin ON jobs (admin_id, created_at, id) WHERE admin_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS jobs_open ON jobs (queue, due_at, id) WHERE state IN ('waiting', 'running', 'paused');
-- The measurements on labelled files.
CREATE INDEX IF NOT EXISTS jobs_quality ON jobs (id) WHERE kind = 'quality';
-- The lines of one job, newest first; the keys that are old enough to be forgotten.
CREATE INDEX IF NOT EXISTS job_lines_job ON job_lines (job_id, id);
CREATE INDEX IF NOT EXISTS sent_forms_created ON sent_forms (created_at);
-- Sessions of one admin, to revoke them together.
CREATE INDEX IF NOT EXISTS admin_sessions_admin ON admin_sessions (admin_id);
-- Tokens of one admin, newest first.
CREATE INDEX IF NOT EXISTS api_tokens_admin ON api_tokens (admin_id, id);
-- Failed logins of one account and of one address, for the limits.
CREATE INDEX IF NOT EXISTS login_attempts_account ON login_attempts (account, at);
CREATE INDEX IF NOT EXISTS login_attempts_address ON login_attempts (address, at);
