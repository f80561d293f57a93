-- What wrong passwords cost: sign-ins that are under way or came to nothing, by name and network.

-- Should it be lost in a crash, nobody is let in for that: so it is written to no log.  A name is kept
-- as a digest: it may be nobody's, and some people type their password there.
CREATE UNLOGGED TABLE attempts (
	account  bytea NOT NULL,
	network  text NOT NULL,
	failures integer NOT NULL,
	last_at  timestamptz NOT NULL,
	next_at  timestamptz NOT NULL, -- not before
	PRIMARY KEY (account, network)
);

CREATE INDEX attempts_last_at ON attempts (last_at);

CREATE FUNCTION attempt_account(name text) RETURNS bytea LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN sha256(convert_to(coalesce(canonical_name(name), ''), 'UTF8'));

-- Whether somebody at this network has signed in with this name, and is still.  (Names of columns go
-- before names of parameters, and users have a name.)
CREATE FUNCTION attempt_is_known(text, text) RETURNS boolean LANGUAGE sql STABLE AS $$
	SELECT $2 <> '' AND EXISTS (SELECT FROM users JOIN sessions ON user_id = users.id
		WHERE canonical_name(username) = canonical_name($1) AND expires_at > now()
		AND address <<= $2::inet)
$$;

-- Begins an attempt to sign in as NAME: how many seconds to wait first, or 0, and then it is counted
-- as a failure already, so that many at once are not many tries.  attempt_end() takes that back.
--
-- Each network has a delay of its own for each name: FIRST after a failure, doubled with each, MOST at
-- most.  When others have failed often with a name, whoever comes anew waits as their number says,
-- once: nobody can push them further back, so that a right password is taken within MOST, however
-- many are guessing.  Who has signed in from there before does not wait until their own network has
-- failed very often.
CREATE FUNCTION attempt_begin(name text, origin text, first double precision, most double precision,
	remembered double precision) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
	who bytea := attempt_account(name);
	present timestamptz := clock_timestamp();
	mine attempts;
	others bigint;
	delay double precision;
BEGIN
	INSERT INTO attempts AS a VALUES (who, origin, 0, present, present)
		ON CONFLICT (account, network) DO UPDATE SET last_at = present,
		failures = CASE WHEN a.last_at < present - remembered * interval '1 second' THEN 0 ELSE a.failures END
		RETURNING * INTO mine;
	IF mine.failures < 50 AND attempt_is_known(name, origin) THEN
		UPDATE attempts SET failures = failures + 1 WHERE account = who AND network = origin;
		RETURN 0;
	END IF;
	SELECT coalesce(sum(failures), 0) INTO others FROM attempts WHERE account = who AND network <> origin
		AND last_at > present - remembered * interval '1 second';
	IF mine.failures = 0 AND mine.next_at = present AND others > 10 THEN
		delay := least(most, first * 2.0 ^ least(others - 11, 30));
		UPDATE attempts SET next_at = present + delay * interval '1 second'
			WHERE account = who AND network = origin;
		RETURN delay;
	END IF;
	IF mine.next_at > present THEN
		RETURN extract(epoch FROM mine.next_at - present);
	END IF;
	delay := least(most, first * 2.0 ^ least(mine.failures, 30));
	UPDATE attempts SET failures = failures + 1, next_at = present + delay * interval '1 second'
		WHERE account = who AND network = origin;
	RETURN 0;
END $$;

CREATE FUNCTION attempt_end(text, text) RETURNS void LANGUAGE sql AS $$
	DELETE FROM attempts WHERE account = attempt_account($1) AND network = $2
$$;

-- The attempt that was begun last was none: nothing was guessed at.  Those before it still count.
CREATE FUNCTION attempt_undo(text, text) RETURNS void LANGUAGE sql AS $$
	UPDATE attempts SET failures = greatest(failures - 1, 0), next_at = clock_timestamp()
		WHERE account = attempt_account($1) AND network = $2
$$;

-- Whoever may only read has no business with any of this.
DO $$
BEGIN
	IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'ostler_reader') THEN
		REVOKE ALL ON attempts FROM ostler_reader;
	END IF;
END $$;
