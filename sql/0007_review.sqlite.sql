-- Reviewing proposals: what a proposal was made from, how much waits for it, who looks at it; and what was decided.

ALTER TABLE llm_mappings ADD COLUMN cleaned TEXT;
ALTER TABLE llm_mappings ADD COLUMN steps TEXT;
ALTER TABLE llm_mappings ADD COLUMN alternatives TEXT;
ALTER TABLE llm_mappings ADD COLUMN waiting_cents INTEGER NOT NULL DEFAULT 0;
ALTER TABLE llm_mappings ADD COLUMN claimed_by INTEGER;
ALTER TABLE llm_mappings ADD COLUMN claimed_until INTEGER;

-- What an admin decided, and what was before, so that it can be taken back.
CREATE TABLE decisions (
  id          INTEGER PRIMARY KEY,
  at          INTEGER NOT NULL,
  admin_id    INTEGER NOT NULL,
  action      TEXT    NOT NULL CHECK (action IN ('approve', 'change', 'reject')),
  mapping_id  INTEGER NOT NULL,
  merchant_id INTEGER NOT NULL,
  before      TEXT    NOT NULL,
  order_job   INTEGER,
  job_id      INTEGER,
  undone_at   INTEGER
) STRICT;

-- How proposals fared, by day, admin, who proposed and how surely (tenths): exact sums, kept with each decision.
CREATE TABLE decision_counts (
  day      INTEGER NOT NULL,
  admin_id INTEGER NOT NULL,
  source   TEXT    NOT NULL,
  tenth    INTEGER NOT NULL,
  action   TEXT    NOT NULL,
  n        INTEGER NOT NULL,
  PRIMARY KEY (day, admin_id, source, tenth, action)
) STRICT, WITHOUT ROWID;

-- How far something that goes through a table has come.
CREATE TABLE marks (
  name  TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

UPDATE llm_mappings SET waiting_cents = coalesce((
  SELECT sum(amount_cents) FROM totals
  WHERE grain = 'merchant' AND subject = llm_mappings.merchant_id AND ticker = '' AND status IN ('pending', 'needs_review')
), 0) WHERE status = 'pending';

-- What is there already is left to an admin to order; what comes from now on is mapped by itself.
INSERT INTO marks (name, value) SELECT 'mapped', coalesce(max(id), 0) FROM merchants;
