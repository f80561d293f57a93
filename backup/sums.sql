-- sums.sql - rows and a checksum of every table that survives a crash, for ostler-backup drill.
--
-- The sum does not depend on the order of rows; what is text depends on settings, which are therefore set.

BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'iso, ymd';
SET LOCAL intervalstyle = 'postgres';
SET LOCAL bytea_output = 'hex';
SET LOCAL extra_float_digits = 1;
SET LOCAL statement_timeout = 0;

SELECT format('SELECT %L, count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM ONLY %s AS t', c.oid::regclass, c.oid::regclass)
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND c.relpersistence = 'p'
   AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
 ORDER BY 1 \gexec

COMMIT;
