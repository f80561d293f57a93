-- How people come by a password, and letters that wait to be sent.

-- Of a link's token only its SHA-256 is here, as of a session's id.
CREATE TABLE one_time_links (
	token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
	user_id    bigint NOT NULL REFERENCES users ON DELETE CASCADE,
	purpose    text NOT NULL CHECK (purpose IN ('invitation', 'reset')),
	created_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL,
	used_at    timestamptz
);

CREATE INDEX one_time_links_of_user ON one_time_links (user_id, created_at);
CREATE INDEX one_time_links_expires_at ON one_time_links (expires_at);

CREATE TABLE outbox (
	id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	to_address text NOT NULL,
	subject    text NOT NULL,
	body       text,                 -- may hold a secret: gone as soon as it was sent or is over
	created_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL, -- by then it says nothing that still holds
	sent_at    timestamptz CHECK (sent_at IS NULL OR body IS NULL)
);

CREATE INDEX outbox_waiting ON outbox (expires_at) WHERE body IS NOT NULL;

-- Whoever may only read has no business with any of this.
DO $$
BEGIN
	IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'ostler_reader') THEN
		REVOKE ALL ON one_time_links, outbox FROM ostler_reader;
	END IF;
END $$;
