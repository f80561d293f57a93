-- roles.sql - the database ostler and the three roles that use it; changes nothing the second time.
--
-- Nobody has a password: PostgreSQL asks the kernel who is at the other end of the socket, and
-- pg_ident.conf says which roles that user may take.

SELECT format('CREATE ROLE %I LOGIN', name)
  FROM unnest(ARRAY['ostler_owner', 'ostler_app', 'ostler_reader']) AS name
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

ALTER ROLE ostler_reader SET default_transaction_read_only = on;

SELECT 'CREATE DATABASE ostler OWNER ostler_owner'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'ostler') \gexec

REVOKE ALL ON DATABASE ostler FROM PUBLIC;
GRANT CONNECT ON DATABASE ostler TO ostler_app, ostler_reader;

\connect ostler

BEGIN;

-- The owner makes tables; the other two enter the schema and can make nothing in it.
ALTER SCHEMA public OWNER TO ostler_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO ostler_app, ostler_reader;

-- What the owner makes from now on can be used at once.
ALTER DEFAULT PRIVILEGES FOR ROLE ostler_owner IN SCHEMA public
	GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ostler_app;
ALTER DEFAULT PRIVILEGES FOR ROLE ostler_owner IN SCHEMA public
	GRANT USAGE, SELECT ON SEQUENCES TO ostler_app;
ALTER DEFAULT PRIVILEGES FOR ROLE ostler_owner IN SCHEMA public
	GRANT SELECT ON TABLES TO ostler_reader;

-- But nobody changes what is on record (sql/0007-audit.sql), whatever was granted since.
SELECT 'REVOKE UPDATE, DELETE, TRUNCATE ON audit FROM ostler_app, ostler_reader'
 WHERE to_regclass('public.audit') IS NOT NULL \gexec

COMMIT;
