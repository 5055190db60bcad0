-- Exact totals of every list, kept by triggers. This replaces what 0002 made; the runner fills it by a recount in the
-- same transaction. One table holds every grain; what a grain does not split by is '' or 0.
--   grain             subject      ticker  bucket  splits by
--   ever              0            ''      0       status, category, account type, kind
--   month             0            ''      month   status, category, account type, kind
--   day               0            ''      day     status                               (thin: lists, timelines, positions)
--   cube              0            ''      day     status, category, account type, kind
--   hour              0            ''      hour    status                               (positions inside one day)
--   ticker            0            ticker  month
--   ticker_day        0            ticker  day
--   user              user id      ''      0       status
--   merchant          merchant id  ''      0       status
--   merchant_month    merchant id  ''      month
-- The kind of a transaction is purchase or refund. Currency splits all of these, so that sums never mix. last_at is the
-- newest time in a row, in microseconds since 1970; it never goes back, and only the grain "user" keeps it.
-- The other lists are counted only. LIST is users, mappings, merchants or audit; each splits by what it is filtered by:
--   LIST, LIST_day, LIST_hour   0   ''   0, day or hour   status, account type, kind
--   mappings_ticker             0   ticker   0            status
-- Buckets count from 1970 in UTC: hours, days, months. kamioi_web/totals.py says the same in GRAINS, for rebuilding
-- and checking.
--
-- SQLite has one writer, so the triggers add to the totals directly. A bulk load sets totals_mode.bulk inside its own
-- transaction, adds its sums set by set, and sets it back before it commits: nobody else ever sees it set.

DROP TRIGGER totals_insert;
DROP TRIGGER totals_delete;
DROP TRIGGER totals_update;
DROP VIEW totals_entry;
DROP VIEW totals_now;
DROP TABLE totals;
-- Under other names now: their order has changed.
DROP INDEX IF EXISTS llm_mappings_merchant;
DROP INDEX IF EXISTS audit_events_subject;

CREATE TABLE totals (
  grain          TEXT    NOT NULL,
  subject        INTEGER NOT NULL,
  ticker         TEXT    NOT NULL,
  bucket         INTEGER NOT NULL,
  status         TEXT    NOT NULL,
  category       TEXT    NOT NULL,
  account_type   TEXT    NOT NULL,
  kind           TEXT    NOT NULL,
  currency       TEXT    NOT NULL,
  n              INTEGER NOT NULL,
  amount_cents   INTEGER NOT NULL,
  round_up_cents INTEGER NOT NULL,
  fee_cents      INTEGER NOT NULL,
  last_at        INTEGER NOT NULL,
  PRIMARY KEY (grain, subject, ticker, bucket, status, category, account_type, kind, currency)
) STRICT, WITHOUT ROWID;

-- What a read sees: on PostgreSQL this also holds the tail that is not folded yet.
CREATE VIEW totals_now AS SELECT * FROM totals;

-- The grains of one transaction, counted k times: 1 for a row that came, -1 for one that went. Where a change leaves the
-- sums of the grains alike that do not split by status, category and account type, `alike` leaves them out.
CREATE VIEW totals_entry AS
  SELECT 1 AS k, 0 AS alike, user_id, merchant_id, posted_at, amount_cents, currency, round_up_cents, fee_cents, category, status, ticker, account_type
  FROM transactions;
CREATE TRIGGER totals_entry_add INSTEAD OF INSERT ON totals_entry BEGIN
  INSERT INTO totals
  SELECT grain, subject, ticker, bucket, status, category, account_type, kind, NEW.currency, NEW.k,
         NEW.k * NEW.amount_cents, NEW.k * NEW.round_up_cents, NEW.k * NEW.fee_cents, last_at
  FROM (
    WITH t AS MATERIALIZED (
      SELECT CASE WHEN NEW.amount_cents < 0 THEN 'refund' ELSE 'purchase' END AS kind,
             (CAST(strftime('%Y', NEW.posted_at / 1000000, 'unixepoch') AS INTEGER) - 1970) * 12
      + CAST(strftime('%m', NEW.posted_at / 1000000, 'unixepoch') AS INTEGER) - 1 AS month)
    SELECT 'ever' AS grain, 0 AS subject, '' AS ticker, 0 AS bucket, NEW.status AS status, NEW.category AS category,
           NEW.account_type AS account_type, kind, 0 AS last_at FROM t
    UNION ALL SELECT 'month', 0, '', month, NEW.status, NEW.category, NEW.account_type, kind, 0 FROM t
    UNION ALL SELECT 'day', 0, '', NEW.posted_at / 86400000000, NEW.status, '', '', '', 0
    UNION ALL SELECT 'cube', 0, '', NEW.posted_at / 86400000000, NEW.status, NEW.category, NEW.account_type, kind, 0 FROM t
    UNION ALL SELECT 'hour', 0, '', NEW.posted_at / 3600000000, NEW.status, '', '', '', 0
    UNION ALL SELECT 'ticker', 0, NEW.ticker, month, '', '', '', '', 0 FROM t WHERE NOT NEW.alike
    UNION ALL SELECT 'ticker_day', 0, NEW.ticker, NEW.posted_at / 86400000000, '', '', '', '', 0 WHERE NOT NEW.alike
    UNION ALL SELECT 'user', NEW.user_id, '', 0, NEW.status, '', '', '', NEW.posted_at
    UNION ALL SELECT 'merchant', NEW.merchant_id, '', 0, NEW.status, '', '', '', 0
    UNION ALL SELECT 'merchant_month', NEW.merchant_id, '', month, '', '', '', '', 0 FROM t WHERE NOT NEW.alike)
  WHERE ticker IS NOT NULL
  ON CONFLICT (grain, subject, ticker, bucket, status, category, account_type, kind, currency) DO UPDATE SET
    n = n + excluded.n, amount_cents = amount_cents + excluded.amount_cents,
    round_up_cents = round_up_cents + excluded.round_up_cents, fee_cents = fee_cents + excluded.fee_cents,
    last_at = max(last_at, excluded.last_at);
END;

CREATE TRIGGER totals_insert AFTER INSERT ON transactions WHEN (SELECT bulk FROM totals_mode) = 0 BEGIN
  INSERT INTO totals_entry VALUES (1, 0, NEW.user_id, NEW.merchant_id, NEW.posted_at, NEW.amount_cents,
    NEW.currency, NEW.round_up_cents, NEW.fee_cents, NEW.category, NEW.status, NEW.ticker, NEW.account_type);
END;
CREATE TRIGGER totals_delete AFTER DELETE ON transactions WHEN (SELECT bulk FROM totals_mode) = 0 BEGIN
  INSERT INTO totals_entry VALUES (-1, 0, OLD.user_id, OLD.merchant_id, OLD.posted_at, OLD.amount_cents,
    OLD.currency, OLD.round_up_cents, OLD.fee_cents, OLD.category, OLD.status, OLD.ticker, OLD.account_type);
END;
CREATE TRIGGER totals_update AFTER UPDATE ON transactions WHEN (SELECT bulk FROM totals_mode) = 0 BEGIN
  INSERT INTO totals_entry VALUES (-1, (OLD.merchant_id, OLD.posted_at, OLD.amount_cents, OLD.currency, OLD.round_up_cents, OLD.fee_cents, OLD.ticker)
    IS (NEW.merchant_id, NEW.posted_at, NEW.amount_cents, NEW.currency, NEW.round_up_cents, NEW.fee_cents, NEW.ticker),
    OLD.user_id, OLD.merchant_id, OLD.posted_at, OLD.amount_cents,
    OLD.currency, OLD.round_up_cents, OLD.fee_cents, OLD.category, OLD.status, OLD.ticker, OLD.account_type);
  INSERT INTO totals_entry VALUES (1, (OLD.merchant_id, OLD.posted_at, OLD.amount_cents, OLD.currency, OLD.round_up_cents, OLD.fee_cents, OLD.ticker)
    IS (NEW.merchant_id, NEW.posted_at, NEW.amount_cents, NEW.currency, NEW.round_up_cents, NEW.fee_cents, NEW.ticker),
    NEW.user_id, NEW.merchant_id, NEW.posted_at, NEW.amount_cents,
    NEW.currency, NEW.round_up_cents, NEW.fee_cents, NEW.category, NEW.status, NEW.ticker, NEW.account_type);
END;

-- The same for each list that is counted.
CREATE VIEW totals_counted AS
  SELECT 1 AS k, 'users' AS list, created_at AS at, status, account_type, '' AS kind, '' AS ticker FROM users;
CREATE TRIGGER totals_counted_add INSTEAD OF INSERT ON totals_counted BEGIN
  INSERT INTO totals
  SELECT grain, 0, ticker, bucket, NEW.status, '', account_type, kind, '', NEW.k, 0, 0, 0, 0
  FROM (
    SELECT NEW.list AS grain, '' AS ticker, 0 AS bucket, NEW.account_type AS account_type, NEW.kind AS kind
    UNION ALL SELECT NEW.list || '_day', '', NEW.at / 86400000000, NEW.account_type, NEW.kind
    UNION ALL SELECT NEW.list || '_hour', '', NEW.at / 3600000000, NEW.account_type, NEW.kind
    UNION ALL SELECT NEW.list || '_ticker', NEW.ticker, 0, '', '')
  WHERE ticker IS NOT NULL
  ON CONFLICT (grain, subject, ticker, bucket, status, category, account_type, kind, currency) DO UPDATE SET n = n + excluded.n;
END;

CREATE TRIGGER totals_users_insert AFTER INSERT ON users WHEN (SELECT bulk FROM totals_mode) = 0 BEGIN
  INSERT INTO totals_counted VALUES (1, 'users', NEW.created_at, NEW.status, NEW.account_type, '', NULL);
END;
CREATE TRIGGER totals_users_delete AFTER DELETE ON users WHEN (SELECT bulk FROM totals_mode) = 0 BEGIN
  INSERT INTO totals_counted VALUES (-1, 'users', OLD.created_at, OLD.status, OLD.account_type, '', NULL);
END;
CREATE TRIGGER totals_users_update AFTER UPDATE OF created_at, status, account_type ON users WHEN (SELECT bulk FROM totals_mode) = 0 BEGIN
  INSERT INTO totals_counted VALUES (-1, 'users', OLD.created_at, OLD.status, OLD.account_type, '', NULL);
  INSERT INTO totals_counted VALUES (1, 'users', NEW.created_at, NEW.status, NEW.account_type, '', NULL);
END;

CREATE TRIGGER totals_mappings_insert AFTER INSERT ON llm_mappings WHEN (SELECT bulk FROM totals_mode) = 0 BEGIN
  INSERT INTO totals_counted VALUES (1, 'mappings', NEW.created_at, NEW.status, '', NEW.source, NEW.ticker);
END;
CREATE TRIGGER totals_mappings_delete AFTER DELETE ON llm_mappings WHEN (SELECT bulk FROM totals_mode) = 0 BEGIN
  INSERT INTO totals_counted VALUES (-1, 'mappings', OLD.created_at, OLD.status, '', OLD.source, OLD.ticker);
END;
CREATE TRIGGER totals_mappings_update AFTER UPDATE OF created_at, status, source, ticker ON llm_mappings WHEN (SELECT bulk FROM totals_mode) = 0 BEGIN
  INSERT INTO totals_counted VALUES (-1, 'mappings', OLD.created_at, OLD.status, '', OLD.source, OLD.ticker);
  INSERT INTO totals_counted VALUES (1, 'mappings', NEW.created_at, NEW.status, '', NEW.source, NEW.ticker);
END;

CREATE TRIGGER totals_merchants_insert AFTER INSERT ON merchants WHEN (SELECT bulk FROM totals_mode) = 0 BEGIN
  INSERT INTO totals_counted VALUES (1, 'merchants', NEW.first_seen, CASE WHEN NEW.ticker IS NOT NULL THEN 'mapped' WHEN NEW.mapping_id IS NOT NULL THEN 'nobody' ELSE 'unmapped' END, '', '', NULL);
END;
CREATE TRIGGER totals_merchants_delete AFTER DELETE ON merchants WHEN (SELECT bulk FROM totals_mode) = 0 BEGIN
  INSERT INTO totals_counted VALUES (-1, 'merchants', OLD.first_seen, CASE WHEN OLD.ticker IS NOT NULL THEN 'mapped' WHEN OLD.mapping_id IS NOT NULL THEN 'nobody' ELSE 'unmapped' END, '', '', NULL);
END;
CREATE TRIGGER totals_merchants_update AFTER UPDATE OF first_seen, ticker, mapping_id ON merchants WHEN (SELECT bulk FROM totals_mode) = 0 BEGIN
  INSERT INTO totals_counted VALUES (-1, 'merchants', OLD.first_seen, CASE WHEN OLD.ticker IS NOT NULL THEN 'mapped' WHEN OLD.mapping_id IS NOT NULL THEN 'nobody' ELSE 'unmapped' END, '', '', NULL);
  INSERT INTO totals_counted VALUES (1, 'merchants', NEW.first_seen, CASE WHEN NEW.ticker IS NOT NULL THEN 'mapped' WHEN NEW.mapping_id IS NOT NULL THEN 'nobody' ELSE 'unmapped' END, '', '', NULL);
END;

CREATE TRIGGER totals_audit_insert AFTER INSERT ON audit_events WHEN (SELECT bulk FROM totals_mode) = 0 BEGIN
  INSERT INTO totals_counted VALUES (1, 'audit', NEW.at, '', '', NEW.action, NULL);
END;
