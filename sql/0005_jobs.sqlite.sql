-- Work in the background: the jobs, what they changed, what they said; the keys of forms that were sent; uploaded files.

CREATE TABLE jobs (
  id          INTEGER PRIMARY KEY,
  kind        TEXT    NOT NULL,
  queue       TEXT    NOT NULL,
  title       TEXT    NOT NULL,
  parameters  TEXT    NOT NULL,
  admin_id    INTEGER,
  state       TEXT    NOT NULL CHECK (state IN ('waiting', 'running', 'paused', 'done', 'failed', 'cancelled')),
  wish        TEXT    NOT NULL DEFAULT '' CHECK (wish IN ('', 'pause', 'cancel')),
  owner       TEXT,
  lease_until INTEGER,
  fence       INTEGER NOT NULL DEFAULT 0,
  failures    INTEGER NOT NULL DEFAULT 0,
  due_at      INTEGER NOT NULL,
  checkpoint  TEXT,
  rows_done   INTEGER NOT NULL DEFAULT 0,
  rows_total  INTEGER,
  result      TEXT    NOT NULL DEFAULT '{}',
  error       TEXT,
  undo_of     INTEGER,
  undone_by   INTEGER,
  slot        TEXT    UNIQUE,
  created_at  INTEGER NOT NULL,
  started_at  INTEGER,
  finished_at INTEGER
) STRICT;

-- What a row was before a job changed it and what the job made of it; or why the job left it as it was.
CREATE TABLE job_changes (
  job_id     INTEGER NOT NULL,
  subject    TEXT    NOT NULL,
  subject_id INTEGER NOT NULL,
  at         INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  before     TEXT    NOT NULL,
  after      TEXT    NOT NULL,
  note       TEXT,
  PRIMARY KEY (job_id, subject, at, subject_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE job_lines (
  id     INTEGER PRIMARY KEY,
  job_id INTEGER NOT NULL,
  at     INTEGER NOT NULL,
  text   TEXT    NOT NULL
) STRICT;

-- A form that was sent and what was answered: sent again, it is answered the same and does nothing.
CREATE TABLE sent_forms (
  admin_id   INTEGER NOT NULL,
  endpoint   TEXT    NOT NULL,
  key        TEXT    NOT NULL,
  content    TEXT    NOT NULL,
  answer     TEXT    NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (admin_id, endpoint, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE uploads (
  id         INTEGER PRIMARY KEY,
  admin_id   INTEGER NOT NULL,
  file_name  TEXT    NOT NULL,
  path       TEXT    NOT NULL,
  bytes      INTEGER NOT NULL,
  sha256     TEXT    NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
