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
-- Writers append to totals_delta, which has no index and no constraint, so nothing contends; totals_fold() moves it into
-- totals. A read is ONE statement over both, the view totals_now, and so it is exact at every instant.

DROP TRIGGER totals_insert ON transactions;
DROP TRIGGER totals_delete ON transactions;
DROP TRIGGER totals_update ON transactions;
DROP FUNCTION totals_insert();
DROP FUNCTION totals_delete();
DROP FUNCTION totals_update();
DROP VIEW totals_now;
DROP TABLE totals_delta;
DROP TABLE totals;
-- Under other names now: their order has changed.
DROP INDEX IF EXISTS llm_mappings_merchant;
DROP INDEX IF EXISTS audit_events_subject;

CREATE TABLE totals (
  grain          text    NOT NULL,
  subject        bigint NOT NULL,
  ticker         text    NOT NULL,
  bucket         bigint NOT NULL,
  status         text    NOT NULL,
  category       text    NOT NULL,
  account_type   text    NOT NULL,
  kind           text    NOT NULL,
  currency       text    NOT NULL,
  n              bigint NOT NULL,
  amount_cents   bigint NOT NULL,
  round_up_cents bigint NOT NULL,
  fee_cents      bigint NOT NULL,
  last_at        bigint NOT NULL,
  PRIMARY KEY (grain, subject, ticker, bucket, status, category, account_type, kind, currency)
) WITH (fillfactor = 80);

CREATE TABLE totals_delta (LIKE totals) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);

CREATE VIEW totals_now AS SELECT * FROM totals UNION ALL SELECT * FROM totals_delta;

-- One trigger function for each kind of change; they differ only in where their rows come from and how often (k) each
-- counts: 1 for a row that came, -1 for one that went. One pass sums them by every grain; what a grain does not split by
-- is NULL there, which nothing but a ticker can be by itself.
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
        WITH changed AS (
          SELECT user_id, merchant_id, ticker, hour, hour / 24 AS day, totals_month(hour) AS month, status, category,
                 account_type, CASE WHEN amount_cents < 0 THEN 'refund' ELSE 'purchase' END AS kind, currency, posted_at, k,
                 k * amount_cents AS amount_cents, k * round_up_cents AS round_up_cents, k * fee_cents AS fee_cents
          FROM (SELECT *, floor(date_part('epoch', posted_at) / 3600)::bigint AS hour FROM (%2$s) AS rows OFFSET 0) AS rows)
        SELECT CASE WHEN user_id IS NOT NULL THEN 'user'
                    WHEN merchant_id IS NOT NULL THEN CASE WHEN month IS NULL THEN 'merchant' ELSE 'merchant_month' END
                    WHEN ticker IS NOT NULL THEN CASE WHEN month IS NULL THEN 'ticker_day' ELSE 'ticker' END
                    WHEN hour IS NOT NULL THEN 'hour'
                    WHEN day IS NOT NULL THEN CASE WHEN category IS NULL THEN 'day' ELSE 'cube' END
                    WHEN month IS NOT NULL THEN 'month' ELSE 'ever' END,
               coalesce(user_id, merchant_id, 0), coalesce(ticker, ''), coalesce(hour, day, month, 0), coalesce(status, ''),
               coalesce(category, ''), coalesce(account_type, ''), coalesce(kind, ''), currency,
               sum(k), sum(amount_cents), sum(round_up_cents), sum(fee_cents),
               CASE WHEN user_id IS NULL THEN 0 ELSE (extract(epoch FROM max(posted_at)) * 1000000)::bigint END
        FROM changed
        GROUP BY currency, GROUPING SETS (
          (status, category, account_type, kind), (month, status, category, account_type, kind), (day, status),
          (day, status, category, account_type, kind), (hour, status), (ticker, month), (ticker, day), (user_id, status),
          (merchant_id, status), (merchant_id, month))
        HAVING (GROUPING(ticker) = 1 OR ticker IS NOT NULL)
          AND (sum(k) <> 0 OR sum(amount_cents) <> 0 OR sum(round_up_cents) <> 0 OR sum(fee_cents) <> 0);
        RETURN NULL;
      END $body$;
      CREATE TRIGGER totals_%1$s AFTER %1$s ON transactions REFERENCING %3$s
        FOR EACH STATEMENT EXECUTE FUNCTION totals_%1$s();
    $f$, change[1], change[3], change[2]);
  END LOOP;
END $do$;

-- The same for each list that is counted: its table, its time, its status, account type, kind and ticker.
DO $do$
DECLARE
  list   text[];
  change text[];
BEGIN
  FOREACH list SLICE 1 IN ARRAY ARRAY[
    ['users', 'users', 'created_at', 'status', 'account_type', '''''', 'NULL::text'],
    ['mappings', 'llm_mappings', 'created_at', 'status', '''''', 'source', 'ticker'],
    ['merchants', 'merchants', 'first_seen',
     'CASE WHEN ticker IS NOT NULL THEN ''mapped'' WHEN mapping_id IS NOT NULL THEN ''nobody'' ELSE ''unmapped'' END',
     '''''', '''''', 'NULL::text'],
    ['audit', 'audit_events', 'at', '''''', '''''', 'action', 'NULL::text']]
  LOOP
    FOREACH change SLICE 1 IN ARRAY ARRAY[
      ['insert', 'NEW TABLE AS new_rows', 'SELECT 1 AS k, * FROM new_rows'],
      ['delete', 'OLD TABLE AS old_rows', 'SELECT -1 AS k, * FROM old_rows'],
      ['update', 'OLD TABLE AS old_rows NEW TABLE AS new_rows',
       'SELECT 1 AS k, * FROM new_rows UNION ALL SELECT -1, * FROM old_rows']]
    LOOP
      EXECUTE format($f$
        CREATE FUNCTION totals_%1$s_%8$s() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
          SET search_path FROM CURRENT AS $body$
        BEGIN
          INSERT INTO totals_delta
          WITH changed AS (
            SELECT floor(date_part('epoch', %3$s) / 3600)::bigint AS hour, %4$s AS status, %5$s AS account_type, %6$s AS kind,
                   %7$s AS ticker, sum(k)::bigint AS n
            FROM (%10$s) AS rows GROUP BY 1, 2, 3, 4, 5 HAVING sum(k) <> 0)
          SELECT g.grain, 0, g.ticker, g.bucket, c.status, '', g.account_type, g.kind, '', sum(c.n), 0, 0, 0, 0
          FROM changed AS c, LATERAL (VALUES
            ('%1$s', '', 0::bigint, c.account_type, c.kind),
            ('%1$s_day', '', c.hour / 24, c.account_type, c.kind),
            ('%1$s_hour', '', c.hour, c.account_type, c.kind),
            ('%1$s_ticker', c.ticker, 0, '', '')) AS g (grain, ticker, bucket, account_type, kind)
          WHERE g.ticker IS NOT NULL
          GROUP BY 1, 3, 4, 5, 7, 8 HAVING sum(c.n) <> 0;
          RETURN NULL;
        END $body$;
        CREATE TRIGGER totals_%8$s AFTER %8$s ON %2$s REFERENCING %9$s
          FOR EACH STATEMENT EXECUTE FUNCTION totals_%1$s_%8$s();
      $f$, list[1], list[2], list[3], list[4], list[5], list[6], list[7], change[1], change[2], change[3]);
    END LOOP;
    EXECUTE format('CREATE TRIGGER totals_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION totals_no_truncate()', list[2]);
  END LOOP;
END $do$;

-- Move the tail into the totals; returns the rows moved, or -1 while another process is folding.
CREATE OR REPLACE FUNCTION totals_fold() RETURNS bigint LANGUAGE plpgsql SET work_mem = '64MB' AS $$
DECLARE moved bigint;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtext('totals_fold')) THEN RETURN -1; END IF;
  WITH tail AS (DELETE FROM totals_delta RETURNING *),
  sums AS (
    SELECT grain, subject, ticker, bucket, status, category, account_type, kind, currency,
           sum(n)::bigint AS n, sum(amount_cents)::bigint AS amount_cents,
           sum(round_up_cents)::bigint AS round_up_cents, sum(fee_cents)::bigint AS fee_cents, max(last_at) AS last_at
    FROM tail GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9),
  folded AS (
    INSERT INTO totals AS t SELECT * FROM sums
    WHERE n <> 0 OR amount_cents <> 0 OR round_up_cents <> 0 OR fee_cents <> 0
    ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9 -- so that what is read together lies together
    ON CONFLICT (grain, subject, ticker, bucket, status, category, account_type, kind, currency) DO UPDATE SET
      n = t.n + excluded.n, amount_cents = t.amount_cents + excluded.amount_cents,
      round_up_cents = t.round_up_cents + excluded.round_up_cents, fee_cents = t.fee_cents + excluded.fee_cents,
      last_at = greatest(t.last_at, excluded.last_at))
  SELECT count(*) INTO moved FROM tail;
  RETURN moved;
END $$;
