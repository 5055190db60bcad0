-- Exact totals, kept by triggers. One table holds every grain; what a grain does not split by is '' or 0.
--   grain      subject      ticker  bucket  splits by
--   ever       0            ''      0       status, category, account type
--   month      0            ''      month   status, category, account type
--   day        0            ''      day     status                               (thin: lists, timelines, positions)
--   cube       0            ''      day     status, category, account type
--   hour       0            ''      hour    status                               (positions inside one day)
--   ticker     0            ticker  month
--   user       user id      ''      0       status
--   merchant   merchant id  ''      0       status
-- Buckets count from 1970 in UTC: hours, days, months. Currency splits every grain, so that sums never mix.
-- kamioi_web/totals.py says the same in GRAINS, for rebuilding and checking.
--
-- SQLite has one writer, so the triggers add to the totals directly. A bulk load sets totals_mode.bulk inside its own
-- transaction, adds its sums set by set, and sets it back before it commits: nobody else ever sees it set.

CREATE TABLE totals (
  grain          TEXT    NOT NULL,
  subject        INTEGER NOT NULL,
  ticker         TEXT    NOT NULL,
  bucket         INTEGER NOT NULL,
  status         TEXT    NOT NULL,
  category       TEXT    NOT NULL,
  account_type   TEXT    NOT NULL,
  currency       TEXT    NOT NULL,
  n              INTEGER NOT NULL,
  amount_cents   INTEGER NOT NULL,
  round_up_cents INTEGER NOT NULL,
  fee_cents      INTEGER NOT NULL,
  PRIMARY KEY (grain, subject, ticker, bucket, status, category, account_type, currency)
) STRICT, WITHOUT ROWID;

-- What a read sees: on PostgreSQL this also holds the tail that is not folded yet.
CREATE VIEW totals_now AS SELECT * FROM totals;

CREATE TABLE totals_mode (bulk INTEGER NOT NULL CHECK (bulk IN (0, 1))) STRICT;
INSERT INTO totals_mode VALUES (0);

-- The grains of one transaction, counted k times: 1 for a row that came, -1 for one that went.
CREATE VIEW totals_entry AS
  SELECT 1 AS k, user_id, merchant_id, posted_at, amount_cents, currency, round_up_cents, fee_cents, category, status, ticker, account_type
  FROM transactions;
CREATE TRIGGER totals_entry_add INSTEAD OF INSERT ON totals_entry BEGIN
  INSERT INTO totals
  SELECT grain, subject, ticker, bucket, status, category, account_type,
         NEW.currency, NEW.k, NEW.k * NEW.amount_cents, NEW.k * NEW.round_up_cents, NEW.k * NEW.fee_cents
  FROM (
    SELECT 'ever' AS grain, 0 AS subject, '' AS ticker, 0 AS bucket, NEW.status AS status, NEW.category AS category, NEW.account_type AS account_type
    UNION ALL SELECT 'month', 0, '', (CAST(strftime('%Y', NEW.posted_at / 1000000, 'unixepoch') AS INTEGER) - 1970) * 12
      + CAST(strftime('%m', NEW.posted_at / 1000000, 'unixepoch') AS INTEGER) - 1, NEW.status, NEW.category, NEW.account_type
    UNION ALL SELECT 'day', 0, '', NEW.posted_at / 86400000000, NEW.status, '', ''
    UNION ALL SELECT 'cube', 0, '', NEW.posted_at / 86400000000, NEW.status, NEW.category, NEW.account_type
    UNION ALL SELECT 'hour', 0, '', NEW.posted_at / 3600000000, NEW.status, '', ''
    UNION ALL SELECT 'ticker', 0, NEW.ticker, (CAST(strftime('%Y', NEW.posted_at / 1000000, 'unixepoch') AS INTEGER) - 1970) * 12
      + CAST(strftime('%m', NEW.posted_at / 1000000, 'unixepoch') AS INTEGER) - 1, '', '', ''
    UNION ALL SELECT 'user', NEW.user_id, '', 0, NEW.status, '', ''
    UNION ALL SELECT 'merchant', NEW.merchant_id, '', 0, NEW.status, '', '')
  WHERE ticker IS NOT NULL
  ON CONFLICT (grain, subject, ticker, bucket, status, category, account_type, currency) DO UPDATE SET
    n = n + excluded.n, amount_cents = amount_cents + excluded.amount_cents,
    round_up_cents = round_up_cents + excluded.round_up_cents, fee_cents = fee_cents + excluded.fee_cents;
END;

CREATE TRIGGER totals_insert AFTER INSERT ON transactions WHEN (SELECT bulk FROM totals_mode) = 0 BEGIN
  INSERT INTO totals_entry VALUES (1, NEW.user_id, NEW.merchant_id, NEW.posted_at, NEW.amount_cents, NEW.currency,
    NEW.round_up_cents, NEW.fee_cents, NEW.category, NEW.status, NEW.ticker, NEW.account_type);
END;
CREATE TRIGGER totals_delete AFTER DELETE ON transactions WHEN (SELECT bulk FROM totals_mode) = 0 BEGIN
  INSERT INTO totals_entry VALUES (-1, OLD.user_id, OLD.merchant_id, OLD.posted_at, OLD.amount_cents, OLD.currency,
    OLD.round_up_cents, OLD.fee_cents, OLD.category, OLD.status, OLD.ticker, OLD.account_type);
END;
CREATE TRIGGER totals_update AFTER UPDATE ON transactions WHEN (SELECT bulk FROM totals_mode) = 0 BEGIN
  INSERT INTO totals_entry VALUES (-1, OLD.user_id, OLD.merchant_id, OLD.posted_at, OLD.amount_cents, OLD.currency,
    OLD.round_up_cents, OLD.fee_cents, OLD.category, OLD.status, OLD.ticker, OLD.account_type);
  INSERT INTO totals_entry VALUES (1, NEW.user_id, NEW.merchant_id, NEW.posted_at, NEW.amount_cents, NEW.currency,
    NEW.round_up_cents, NEW.fee_cents, NEW.category, NEW.status, NEW.ticker, NEW.account_type);
END;
