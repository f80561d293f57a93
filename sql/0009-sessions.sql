-- Who has signed in, from where, and until when.

ALTER TABLE users DROP CONSTRAINT users_role_check,
	ADD CONSTRAINT users_role_check CHECK (role IN ('viewer', 'user', 'manager', 'admin')),
	ADD COLUMN password_changed_at timestamptz;

-- One form of each name, whatever its letters' case or Unicode form: compatibility characters are
-- what they stand for (NFKC), case is folded by Unicode's rules rather than a language's, and what
-- nobody can see is left out.  Two names that look the same are so the same more often.
CREATE FUNCTION canonical_name(name text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	RETURN normalize(lower(upper(normalize(regexp_replace(name,
		'[\u00AD\u034F\u061C\u180E\u200B-\u200F\u202A-\u202E\u2060-\u206F\uFE00-\uFE0F\uFEFF]', '', 'g'),
		NFKC) COLLATE "und-x-icu") COLLATE "und-x-icu"), NFKC);

ALTER TABLE users ADD CONSTRAINT users_username_visible CHECK (canonical_name(username) <> '');
DROP INDEX users_username_unique;
CREATE UNIQUE INDEX users_username_unique ON users (canonical_name(username));

-- Of an id only its SHA-256 is here: who reads the table, or a dump of it, can sign in as nobody.
CREATE TABLE sessions (
	id_hash    bytea PRIMARY KEY CHECK (octet_length(id_hash) = 32),
	user_id    bigint NOT NULL REFERENCES users ON DELETE CASCADE,
	created_at timestamptz NOT NULL DEFAULT now(),
	seen_at    timestamptz NOT NULL DEFAULT now(), -- to the minute
	expires_at timestamptz NOT NULL,
	address    inet,                               -- of the sign-in; none: a socket without one
	agent      text                                -- what the browser calls itself
);

CREATE INDEX sessions_of_user ON sessions (user_id, created_at DESC);
CREATE INDEX sessions_expires_at ON sessions (expires_at);

-- Whoever may only read has no business with who is signed in, nor with passwords.
DO $$
BEGIN
	IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'ostler_reader') THEN
		REVOKE ALL ON sessions, users FROM ostler_reader;
		GRANT SELECT (id, username, name, email, role, version, created_at, updated_at)
			ON users TO ostler_reader;
	END IF;
END
$$;
