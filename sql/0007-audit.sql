-- What was done and refused in whose name: written, read, and changed by nobody.

CREATE TABLE audit (
	id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at       timestamptz NOT NULL DEFAULT now(),
	kind     text COLLATE "C" NOT NULL,
	actor_id bigint,       -- no foreign key: what somebody did stays when they are gone
	actor    text,         -- their user name as it was then, or the one that somebody tried
	subject  text,         -- what it was done to
	address  inet,         -- none: not over the network
	trace_id text,
	times    bigint NOT NULL DEFAULT 1 CHECK (times > 0), -- so many alike within a minute
	details  jsonb
);

-- One range of each is one page, newest first.
CREATE INDEX audit_order ON audit (at, id);
CREATE INDEX audit_of_kind ON audit (kind, at, id);
CREATE INDEX audit_of_actor ON audit (actor, at, id);

-- The application adds and reads.  Whatever a role was given by default on tables of this owner, it
-- keeps no right to change a line; only the owner has, who does so in audit_forget() alone.
DO $$
DECLARE
	other text;
BEGIN
	FOR other IN SELECT DISTINCT grantee::regrole::text FROM pg_class, aclexplode(relacl)
		WHERE pg_class.oid = 'audit'::regclass AND grantee NOT IN (0, relowner) LOOP
		EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON audit FROM %s', other);
	END LOOP;
	REVOKE ALL ON audit FROM PUBLIC;
END $$;

-- Drops what is older than DAYS; `ostler-app migrate` calls it, as the owner.
CREATE FUNCTION audit_forget(days bigint) RETURNS bigint LANGUAGE sql AS $$
	WITH old AS (DELETE FROM audit WHERE at < now() - days * interval '1 day' RETURNING 1)
	SELECT count(*) FROM old
$$;
REVOKE ALL ON FUNCTION audit_forget(bigint) FROM PUBLIC;
