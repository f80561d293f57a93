-- demo.sql - loads the demo data into a database that has no user yet, so once.
-- psql runs it as one transaction, with the file of the data in the variable demo.

SELECT NOT EXISTS (SELECT FROM users) AS first_run \gset
\if :first_run
\i :demo
\else
\echo 'demo: there are users already; nothing to load'
\endif
