-- Programs that ask in somebody's name, and how they go on doing so.

CREATE TABLE api_clients (
	id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	client_id   uuid NOT NULL DEFAULT gen_random_uuid() UNIQUE, -- how it calls itself
	name        text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
	user_id     bigint NOT NULL REFERENCES users ON DELETE CASCADE, -- whom it acts for
	role        text NOT NULL CHECK (role IN ('viewer', 'user', 'manager', 'admin')), -- at most, and at most theirs
	scope       text NOT NULL CHECK (scope IN ('read', 'write', 'read write')),
	refresh     boolean NOT NULL,       -- whether it gets refresh tokens
	secret_hash bytea NOT NULL CHECK (octet_length(secret_hash) = 32), -- SHA-256: it is random enough
	version     bigint NOT NULL DEFAULT 1,
	created_at  timestamptz NOT NULL DEFAULT now(),
	updated_at  timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX api_clients_order ON api_clients (created_at, id);
CREATE INDEX api_clients_of_user ON api_clients (user_id);

-- All refresh tokens that follow from one showing of the secret.  One that is used twice was
-- stolen, from the client or from the thief: nobody knows, so the whole family ends.
CREATE TABLE token_families (
	id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	client_id  bigint NOT NULL REFERENCES api_clients ON DELETE CASCADE,
	scope      text NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL,
	revoked_at timestamptz
);

CREATE INDEX token_families_of_client ON token_families (client_id);
CREATE INDEX token_families_expires_at ON token_families (expires_at);

CREATE TABLE refresh_tokens (
	token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
	family     uuid NOT NULL REFERENCES token_families ON DELETE CASCADE,
	created_at timestamptz NOT NULL DEFAULT now(),
	used_at    timestamptz              -- none: it is the family's newest
);

CREATE INDEX refresh_tokens_of_family ON refresh_tokens (family);

-- Whoever may only read has no business with any of it.
DO $$
BEGIN
	IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'ostler_reader') THEN
		REVOKE ALL ON api_clients, token_families, refresh_tokens FROM ostler_reader;
	END IF;
END
$$;
