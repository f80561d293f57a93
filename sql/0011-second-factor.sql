-- What signing in takes beside a password: an authenticator app, or a code on paper.

CREATE TABLE second_factors (
	user_id      bigint PRIMARY KEY REFERENCES users ON DELETE CASCADE,
	sealed       bytea NOT NULL,        -- the app's secret; the key to it is in no database (ostler-app(8))
	last_step    bigint NOT NULL DEFAULT -1, -- of the last code that was used: none before it is good again
	created_at   timestamptz NOT NULL DEFAULT now(),
	confirmed_at timestamptz            -- none: it was shown, and nobody has proved to have it
);

CREATE TABLE recovery_codes (
	user_id   bigint NOT NULL REFERENCES second_factors ON DELETE CASCADE,
	code_hash bytea NOT NULL CHECK (octet_length(code_hash) = 32), -- SHA-256: it has 80 random bits
	used_at   timestamptz,
	PRIMARY KEY (user_id, code_hash)
);

-- Whoever may only read has no business with any of it.
DO $$
BEGIN
	IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'ostler_reader') THEN
		REVOKE ALL ON second_factors, recovery_codes FROM ostler_reader;
	END IF;
END
$$;
