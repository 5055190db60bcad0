-- What admins keep for themselves, tokens of programs, and what search needs beside the tables themselves.

-- A filter of a list with a name; `query` is the URL's query as it stands in links. Shared ones are everyone's to open.
CREATE TABLE saved_views (
  id         INTEGER PRIMARY KEY,
  admin_id   INTEGER NOT NULL REFERENCES admins (id) ON DELETE CASCADE,
  page       TEXT    NOT NULL,
  name       TEXT    NOT NULL,
  query      TEXT    NOT NULL,
  shared     INTEGER NOT NULL DEFAULT 0 CHECK (shared IN (0, 1)),
  created_at INTEGER NOT NULL,
  UNIQUE (admin_id, page, name)
) STRICT;

-- Only the hash of a token is kept; `prefix` is its beginning, to recognise it by.
CREATE TABLE api_tokens (
  id         INTEGER PRIMARY KEY,
  token_hash TEXT    NOT NULL UNIQUE,
  prefix     TEXT    NOT NULL,
  admin_id   INTEGER NOT NULL REFERENCES admins (id) ON DELETE CASCADE,
  name       TEXT    NOT NULL,
  scope      TEXT    NOT NULL CHECK (scope IN ('read', 'write')),
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  seen_at    INTEGER,
  revoked_at INTEGER
) STRICT;

-- The words of merchants' names, and each word with one letter left out: two words that share such a form are one
-- mistake apart, so a misspelt word is found by equality, whatever the number of merchants.
CREATE TABLE search_words (
  word TEXT PRIMARY KEY,
  n    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE search_typos (
  form TEXT NOT NULL,
  word TEXT NOT NULL,
  PRIMARY KEY (form, word)
) STRICT, WITHOUT ROWID;

-- Users by any part of their name, e-mail or account number, three letters or more.
CREATE VIRTUAL TABLE users_text USING fts5 (name, email, account_number, content='users', content_rowid='id', tokenize='trigram', columnsize=0);
INSERT INTO users_text (users_text) VALUES ('rebuild');
CREATE TRIGGER users_text_insert AFTER INSERT ON users BEGIN
  INSERT INTO users_text (rowid, name, email, account_number) VALUES (NEW.id, NEW.name, NEW.email, NEW.account_number);
END;
CREATE TRIGGER users_text_delete AFTER DELETE ON users BEGIN
  INSERT INTO users_text (users_text, rowid, name, email, account_number) VALUES ('delete', OLD.id, OLD.name, OLD.email, OLD.account_number);
END;
CREATE TRIGGER users_text_update AFTER UPDATE OF name, email, account_number ON users BEGIN
  INSERT INTO users_text (users_text, rowid, name, email, account_number) VALUES ('delete', OLD.id, OLD.name, OLD.email, OLD.account_number);
  INSERT INTO users_text (rowid, name, email, account_number) VALUES (NEW.id, NEW.name, NEW.email, NEW.account_number);
END;
