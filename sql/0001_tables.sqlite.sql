-- The tables, for SQLite 3.37 or later. Times are INTEGER microseconds since 1970 in UTC; money is INTEGER minor units.

CREATE TABLE users (
  id             INTEGER PRIMARY KEY,
  account_number TEXT    NOT NULL UNIQUE,
  email          TEXT    UNIQUE,
  name           TEXT    NOT NULL,
  account_type   TEXT    NOT NULL CHECK (account_type IN ('individual', 'family', 'business')),
  status         TEXT    NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'inactive', 'closed')),
  round_up_cents INTEGER NOT NULL DEFAULT 100 CHECK (round_up_cents >= 0),
  city           TEXT,
  state          TEXT,
  created_at     INTEGER NOT NULL
) STRICT;

-- One row per descriptor as received; the mapping in force is kept on it, so that a list needs no second look-up.
CREATE TABLE merchants (
  id         INTEGER PRIMARY KEY,
  descriptor TEXT    NOT NULL UNIQUE,
  name       TEXT    NOT NULL,
  ticker     TEXT,
  company    TEXT,
  category   TEXT,
  mapping_id INTEGER,
  first_seen INTEGER NOT NULL,
  last_seen  INTEGER NOT NULL
) STRICT;

-- The CHECKs are spelt out with OR because IN (...) makes an insert three times slower here.
CREATE TABLE transactions (
  id             INTEGER PRIMARY KEY,
  user_id        INTEGER NOT NULL,
  merchant_id    INTEGER NOT NULL,
  posted_at      INTEGER NOT NULL CHECK (posted_at >= 0),
  amount_cents   INTEGER NOT NULL,
  currency       TEXT    NOT NULL CHECK (length(currency) = 3),
  round_up_cents INTEGER NOT NULL DEFAULT 0 CHECK (round_up_cents >= 0),
  fee_cents      INTEGER NOT NULL DEFAULT 0,
  category       TEXT    NOT NULL,
  status         TEXT    NOT NULL CHECK (status = 'pending' OR status = 'mapped' OR status = 'completed' OR status = 'failed' OR status = 'rejected' OR status = 'needs_review'),
  ticker         TEXT,
  account_type   TEXT    NOT NULL CHECK (account_type = 'individual' OR account_type = 'family' OR account_type = 'business'),
  source         TEXT    NOT NULL CHECK (source = 'bank' OR source = 'receipt' OR source = 'manual' OR source = 'import'),
  source_ref     TEXT    NOT NULL,
  created_at     INTEGER NOT NULL
) STRICT;

CREATE TABLE allocations (
  transaction_id INTEGER NOT NULL,
  user_id        INTEGER NOT NULL,
  ticker         TEXT    NOT NULL,
  amount_cents   INTEGER NOT NULL CHECK (amount_cents >= 0),
  created_at     INTEGER NOT NULL,
  PRIMARY KEY (user_id, transaction_id, ticker)
) STRICT, WITHOUT ROWID;

CREATE TABLE instruments (
  ticker   TEXT PRIMARY KEY,
  company  TEXT NOT NULL,
  exchange TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE aliases (
  alias  TEXT PRIMARY KEY,
  ticker TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE llm_mappings (
  id          INTEGER PRIMARY KEY,
  merchant_id INTEGER NOT NULL,
  ticker      TEXT,
  company     TEXT,
  category    TEXT,
  confidence  REAL    NOT NULL CHECK (confidence BETWEEN 0 AND 1),
  status      TEXT    NOT NULL CHECK (status IN ('pending', 'approved', 'rejected', 'superseded')),
  source      TEXT    NOT NULL CHECK (source IN ('llm', 'rule', 'admin', 'upload', 'legacy')),
  source_ref  TEXT    UNIQUE,
  model       TEXT,
  rationale   TEXT,
  decided_by  INTEGER,
  decided_at  INTEGER,
  version     INTEGER NOT NULL DEFAULT 1,
  created_at  INTEGER NOT NULL
) STRICT;

-- What a value was before an import normalised it, for the rows where something was.
CREATE TABLE raw_values (
  subject    TEXT    NOT NULL CHECK (subject IN ('transaction', 'user', 'mapping')),
  subject_id INTEGER NOT NULL,
  import_id  INTEGER NOT NULL,
  line       INTEGER NOT NULL,
  fields     TEXT    NOT NULL,
  PRIMARY KEY (subject, subject_id, import_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE imports (
  id          INTEGER PRIMARY KEY,
  kind        TEXT    NOT NULL CHECK (kind IN ('transactions', 'mappings', 'legacy')),
  file_name   TEXT    NOT NULL,
  fingerprint TEXT    NOT NULL,
  settings    TEXT    NOT NULL,
  state       TEXT    NOT NULL CHECK (state IN ('running', 'done')),
  checkpoint  TEXT    NOT NULL,
  rows_added  INTEGER NOT NULL DEFAULT 0,
  rows_known  INTEGER NOT NULL DEFAULT 0,
  rows_rejected INTEGER NOT NULL DEFAULT 0,
  started_at  INTEGER NOT NULL,
  finished_at INTEGER,
  UNIQUE (kind, fingerprint)
) STRICT;

CREATE TABLE admins (
  id            INTEGER PRIMARY KEY,
  email         TEXT    NOT NULL UNIQUE,
  password_hash TEXT    NOT NULL,
  role          TEXT    NOT NULL CHECK (role IN ('viewer', 'reviewer', 'operator', 'owner')),
  active        INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
  preferences   TEXT    NOT NULL DEFAULT '{}',
  created_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE admin_sessions (
  token_hash TEXT    PRIMARY KEY,
  admin_id   INTEGER NOT NULL REFERENCES admins (id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  seen_at    INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  revoked_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE login_attempts (
  id      INTEGER PRIMARY KEY,
  account TEXT    NOT NULL,
  address TEXT    NOT NULL,
  at      INTEGER NOT NULL
) STRICT;

CREATE TABLE audit_events (
  id         INTEGER PRIMARY KEY,
  at         INTEGER NOT NULL,
  admin_id   INTEGER,
  action     TEXT    NOT NULL,
  subject    TEXT,
  subject_id INTEGER,
  detail     TEXT    NOT NULL DEFAULT '{}',
  address    TEXT,
  request_id TEXT
) STRICT;

CREATE TRIGGER audit_events_keep_update BEFORE UPDATE ON audit_events BEGIN SELECT raise(ABORT, 'audit_events is append-only'); END;
CREATE TRIGGER audit_events_keep_delete BEFORE DELETE ON audit_events BEGIN SELECT raise(ABORT, 'audit_events is append-only'); END;

-- Merchants by any part of their descriptor or name, three letters or more.
CREATE VIRTUAL TABLE merchants_text USING fts5 (descriptor, name, content='merchants', content_rowid='id', tokenize='trigram', columnsize=0);
CREATE TRIGGER merchants_text_insert AFTER INSERT ON merchants BEGIN
  INSERT INTO merchants_text (rowid, descriptor, name) VALUES (NEW.id, NEW.descriptor, NEW.name);
END;
CREATE TRIGGER merchants_text_delete AFTER DELETE ON merchants BEGIN
  INSERT INTO merchants_text (merchants_text, rowid, descriptor, name) VALUES ('delete', OLD.id, OLD.descriptor, OLD.name);
END;
CREATE TRIGGER merchants_text_update AFTER UPDATE OF descriptor, name ON merchants BEGIN
  INSERT INTO merchants_text (merchants_text, rowid, descriptor, name) VALUES ('delete', OLD.id, OLD.descriptor, OLD.name);
  INSERT INTO merchants_text (rowid, descriptor, name) VALUES (NEW.id, NEW.descriptor, NEW.name);
END;
