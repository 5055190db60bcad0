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

CREATE FUNCTION totals_month(hour bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT (date_part('year', at) * 12 + date_part('month', at))::bigint - 23641
  FROM (SELECT to_timestamp(hour * 3600) AT TIME ZONE 'UTC' AS at) AS x
$$;

-- One trigger function for each kind of change; they differ only in where their rows come from and how often (k) each
-- counts: 1 for a row that came, -1 for one that went. Rows are summed by hour first, for five grains are coarser.
DO $do$
DECLARE
  change text[];
BEGIN
  FOREACH change SLICE 1 IN ARRAY ARRAY[
    ['insert', 'NEW TABLE AS new_rows', 'SELECT 1 AS k, * FROM new_rows'],
    ['delete', 'OLD TABLE AS old_rows', 'SELECT -1 AS k, * FROM old_rows'],
    ['update', 'OLD TABLE AS old_rows NEW TABLE AS new_rows',
     'SELECT 1 AS k, * FROM new_rows UNION ALL SELECT -1, * FROM old_rows']]
  LOOP
    EXECUTE format($f$
      CREATE FUNCTION totals_%1$s() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
        SET search_path FROM CURRENT SET work_mem = '64MB' AS $body$
      BEGIN
        INSERT INTO totals_delta
        WITH changed AS MATERIALIZED (
          SELECT floor(date_part('epoch', posted_at) / 3600)::bigint AS hour, user_id, merchant_id, ticker, status, category,
                 account_type, currency, k AS n, k * amount_cents AS amount_cents, k * round_up_cents AS round_up_cents,
                 k * fee_cents AS fee_cents
          FROM (%2$s) AS rows),
        hours AS (
          SELECT hour, totals_month(hour) AS month, status, category, account_type, currency, sum(n)::bigint AS n,
                 sum(amount_cents)::bigint AS amount_cents, sum(round_up_cents)::bigint AS round_up_cents,
                 sum(fee_cents)::bigint AS fee_cents
          FROM changed GROUP BY hour, status, category, account_type, currency),
        grains AS (
          SELECT g.grain, 0::bigint AS subject, '' AS ticker, g.bucket, g.status, g.category, g.account_type, h.currency,
                 h.n, h.amount_cents, h.round_up_cents, h.fee_cents
          FROM hours AS h, LATERAL (VALUES
            ('ever', 0::bigint, h.status, h.category, h.account_type),
            ('month', h.month, h.status, h.category, h.account_type),
            ('day', h.hour / 24, h.status, '', ''),
            ('cube', h.hour / 24, h.status, h.category, h.account_type),
            ('hour', h.hour, h.status, '', '')) AS g (grain, bucket, status, category, account_type)
          UNION ALL
          SELECT 'ticker', 0, ticker, totals_month(hour), '', '', '', currency, n, amount_cents, round_up_cents, fee_cents
          FROM changed WHERE ticker IS NOT NULL
          UNION ALL
          SELECT 'user', user_id, '', 0, status, '', '', currency, n, amount_cents, round_up_cents, fee_cents FROM changed
          UNION ALL
          SELECT 'merchant', merchant_id, '', 0, status, '', '', currency, n, amount_cents, round_up_cents, fee_cents
          FROM changed)
        SELECT grain, subject, ticker, bucket, status, category, account_type, currency,
               sum(n), sum(amount_cents), sum(round_up_cents), sum(fee_cents)
        FROM grains GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
        HAVING sum(n) <> 0 OR sum(amount_cents) <> 0 OR sum(round_up_cents) <> 0 OR sum(fee_cents) <> 0;
        RETURN NULL;
      END $body$;
      CREATE TRIGGER totals_%1$s AFTER %1$s ON transactions REFERENCING %3$s
        FOR EACH STATEMENT EXECUTE FUNCTION totals_%1$s();
    $f$, change[1], change[3], change[2]);
  END LOOP;
END $do$;

CREATE FUNCTION totals_no_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'TRUNCATE would bypass the totals: DELETE instead'; END $$;
CREATE TRIGGER totals_truncate BEFORE TRUNCATE ON transactions FOR EACH STATEMENT EXECUTE FUNCTION totals_no_truncate();

-- Move the tail into the totals; returns the rows moved, or -1 while another process is folding.
CREATE FUNCTION totals_fold() RETURNS bigint LANGUAGE plpgsql SET work_mem = '64MB' AS $$
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
