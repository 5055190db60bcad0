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
-- Writers append to totals_delta, which has no index and no constraint, so nothing contends; totals_fold() moves it into
-- totals. A read is ONE statement over both, the view totals_now, and so it is exact at every instant.

CREATE TABLE totals (
  grain          text    NOT NULL,
  subject        bigint NOT NULL,
  ticker         text    NOT NULL,
  bucket         bigint NOT NULL,
  status         text    NOT NULL,
  category       text    NOT NULL,
  account_type   text    NOT NULL,
  currency       text    NOT NULL,
  n              bigint NOT NULL,
  amount_cents   bigint NOT NULL,
  round_up_cents bigint NOT NULL,
  fee_cents      bigint NOT NULL,
  PRIMARY KEY (grain, subject, ticker, bucket, status, category, account_type, currency)
) WITH (fillfactor = 80);

CREATE TABLE totals_delta (LIKE totals) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);

CREATE VIEW totals_now AS SELECT * FROM totals UNION ALL SELECT * FROM totals_delta;

-- The grains of one transaction, counted k times: 1 for a row that came, -1 for one that went.
CREATE FUNCTION totals_of(t transactions, k bigint) RETURNS SETOF totals LANGUAGE sql IMMUTABLE AS $$
  SELECT g.grain, g.subject, g.ticker, g.bucket, g.status, g.category, g.account_type, t.currency,
         k, k * t.amount_cents, k * t.round_up_cents, k * t.fee_cents
  FROM (SELECT floor(extract(epoch FROM t.posted_at) / 3600)::bigint AS hour,
               (extract(year FROM t.posted_at AT TIME ZONE 'UTC') * 12 + extract(month FROM t.posted_at AT TIME ZONE 'UTC'))::bigint - 23641 AS month) AS at,
  LATERAL (VALUES
    ('ever', 0::bigint, '', 0::bigint, t.status, t.category, t.account_type),
    ('month', 0, '', at.month, t.status, t.category, t.account_type),
    ('day', 0, '', at.hour / 24, t.status, '', ''),
    ('cube', 0, '', at.hour / 24, t.status, t.category, t.account_type),
    ('hour', 0, '', at.hour, t.status, '', ''),
    ('ticker', 0, t.ticker, at.month, '', '', ''),
    ('user', t.user_id, '', 0, t.status, '', ''),
    ('merchant', t.merchant_id, '', 0, t.status, '', '')
  ) AS g (grain, subject, ticker, bucket, status, category, account_type)
  WHERE g.ticker IS NOT NULL
$$;

CREATE FUNCTION totals_write() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  IF tg_op = 'INSERT' THEN
    INSERT INTO totals_delta
    SELECT g.grain, g.subject, g.ticker, g.bucket, g.status, g.category, g.account_type, g.currency,
           sum(g.n), sum(g.amount_cents), sum(g.round_up_cents), sum(g.fee_cents)
    FROM new_rows r, totals_of(r::transactions, 1) g GROUP BY 1, 2, 3, 4, 5, 6, 7, 8;
  ELSIF tg_op = 'DELETE' THEN
    INSERT INTO totals_delta
    SELECT g.grain, g.subject, g.ticker, g.bucket, g.status, g.category, g.account_type, g.currency,
           sum(g.n), sum(g.amount_cents), sum(g.round_up_cents), sum(g.fee_cents)
    FROM old_rows r, totals_of(r::transactions, -1) g GROUP BY 1, 2, 3, 4, 5, 6, 7, 8;
  ELSE
    INSERT INTO totals_delta
    SELECT g.grain, g.subject, g.ticker, g.bucket, g.status, g.category, g.account_type, g.currency,
           sum(g.n), sum(g.amount_cents), sum(g.round_up_cents), sum(g.fee_cents)
    FROM (SELECT r::transactions AS t, 1 AS k FROM new_rows r UNION ALL SELECT r::transactions, -1 FROM old_rows r) AS c,
         totals_of(c.t, c.k) g
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
    HAVING sum(g.n) <> 0 OR sum(g.amount_cents) <> 0 OR sum(g.round_up_cents) <> 0 OR sum(g.fee_cents) <> 0;
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER totals_insert AFTER INSERT ON transactions REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION totals_write();
CREATE TRIGGER totals_delete AFTER DELETE ON transactions REFERENCING OLD TABLE AS old_rows
  FOR EACH STATEMENT EXECUTE FUNCTION totals_write();
CREATE TRIGGER totals_update AFTER UPDATE ON transactions REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION totals_write();

CREATE FUNCTION totals_no_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'TRUNCATE would bypass the totals: DELETE instead'; END $$;
CREATE TRIGGER totals_truncate BEFORE TRUNCATE ON transactions FOR EACH STATEMENT EXECUTE FUNCTION totals_no_truncate();

-- Move the tail into the totals; returns the rows moved, or -1 while another process is folding.
CREATE FUNCTION totals_fold() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE moved bigint;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtext('totals_fold')) THEN RETURN -1; END IF;
  WITH tail AS (DELETE FROM totals_delta RETURNING *),
  sums AS (
    SELECT grain, subject, ticker, bucket, status, category, account_type, currency,
           sum(n)::bigint AS n, sum(amount_cents)::bigint AS amount_cents,
           sum(round_up_cents)::bigint AS round_up_cents, sum(fee_cents)::bigint AS fee_cents
    FROM tail GROUP BY 1, 2, 3, 4, 5, 6, 7, 8),
  folded AS (
    INSERT INTO totals AS t SELECT * FROM sums
    WHERE n <> 0 OR amount_cents <> 0 OR round_up_cents <> 0 OR fee_cents <> 0
    ON CONFLICT (grain, subject, ticker, bucket, status, category, account_type, currency) DO UPDATE SET
      n = t.n + excluded.n, amount_cents = t.amount_cents + excluded.amount_cents,
      round_up_cents = t.round_up_cents + excluded.round_up_cents, fee_cents = t.fee_cents + excluded.fee_cents)
  SELECT count(*) INTO moved FROM tail;
  RETURN moved;
END $$;
