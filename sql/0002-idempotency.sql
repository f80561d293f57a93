-- Answers to requests with an Idempotency-Key: written in the transaction of what they
-- tell of, so that there is never one without the other.

CREATE TABLE idempotency (
	user_id     bigint NOT NULL,            -- 0: nobody signed in; no reference, for that reason
	key         text NOT NULL CHECK (octet_length(key) BETWEEN 1 AND 255),
	fingerprint text NOT NULL,              -- SHA-256 of method, target and body
	status      integer NOT NULL,
	media       text,                       -- of the body; none: no body
	etag        text,
	lines       text NOT NULL,              -- the handler's own header lines, such as Location
	body        text NOT NULL,
	made_at     timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (user_id, key)
);

-- What is out of date is found, and removed, from this end.
CREATE INDEX idempotency_made_at ON idempotency (made_at);

-- Whoever may only read has no business with answers that were meant for one client.
DO $$
BEGIN
	IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'ostler_reader') THEN
		REVOKE ALL ON idempotency FROM ostler_reader;
	END IF;
END
$$;
