-- What the model was asked and said, what that cost by day, and whether its endpoint is to be left alone for now.

-- A name that is being asked has an owner until leased_until. Without an answer, `reason` says why there is none.
CREATE TABLE model_answers (
  name         TEXT    NOT NULL,
  model        TEXT    NOT NULL,
  prompt       TEXT    NOT NULL,
  answer       TEXT,
  reason       TEXT,
  tries        INTEGER NOT NULL DEFAULT 0,
  owner        TEXT,
  leased_until INTEGER,
  asked_at     INTEGER NOT NULL,
  PRIMARY KEY (name, model, prompt)
) STRICT, WITHOUT ROWID;

-- A call counts with the most that it may use from before it is made; what it did use is put right after it.
CREATE TABLE model_days (
  day         TEXT    NOT NULL,
  model       TEXT    NOT NULL,
  calls       INTEGER NOT NULL DEFAULT 0,
  failures    INTEGER NOT NULL DEFAULT 0,
  names       INTEGER NOT NULL DEFAULT 0,
  tokens_in   INTEGER NOT NULL DEFAULT 0,
  tokens_out  INTEGER NOT NULL DEFAULT 0,
  micro_cents INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (day, model)
) STRICT, WITHOUT ROWID;

CREATE TABLE model_breakers (
  model      TEXT    NOT NULL PRIMARY KEY,
  failures   INTEGER NOT NULL DEFAULT 0,
  open_until INTEGER,
  reason     TEXT
) STRICT, WITHOUT ROWID;
