-- Work to be done later: what waits and runs is small and hot, what has ended lies by the day.

CREATE TYPE job_state AS ENUM ('available', 'scheduled', 'retryable', 'running', 'completed', 'cancelled', 'discarded');

-- Only what has not ended.  All times are this server's own: no worker's clock counts.
CREATE TABLE job (
	id               uuid PRIMARY KEY,    -- version 7, made by whoever enqueues
	kind             text COLLATE "C" NOT NULL,
	state            job_state NOT NULL DEFAULT 'available',
	priority         smallint NOT NULL,   -- the lowest runs first, among those of its kind
	attempt          smallint NOT NULL DEFAULT 0, -- of those begun
	max_attempts     smallint NOT NULL,
	-- Was in the hands of a worker that died with several: is claimed by itself from then on, so
	-- that the one which kills workers burns its own attempts and nobody else's.
	alone            boolean NOT NULL DEFAULT false,
	cancel_requested boolean NOT NULL DEFAULT false,
	progress         smallint,            -- percent
	run_at           timestamptz NOT NULL DEFAULT now(),
	created_at       timestamptz NOT NULL DEFAULT now(),
	started_at       timestamptz,         -- of the last attempt; running and none: claimed, not begun
	lease_until      timestamptz,         -- running: to be renewed by then
	lease_token      bigint,              -- running: which claim holds it
	locked_by        text,                -- running: the process, for people
	unique_key       bytea,               -- none once it was claimed
	user_id          bigint,
	traceparent      text,
	args             json NOT NULL,
	last_error       text
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
	autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000);

-- One range of it is the next jobs of a kind, in their order.
CREATE INDEX job_fetch ON job (kind, priority, run_at, id) WHERE state = 'available' AND NOT alone;
CREATE INDEX job_alone ON job (kind, priority, run_at, id) WHERE state = 'available' AND alone;
CREATE INDEX job_due ON job (run_at) WHERE state IN ('scheduled', 'retryable');
CREATE INDEX job_running ON job (kind, lease_until) WHERE state = 'running';
CREATE UNIQUE INDEX job_unique ON job (kind, unique_key) WHERE unique_key IS NOT NULL;

-- What has ended, by the day on which it did: old days are dropped whole, nothing is deleted here.
CREATE TABLE job_done (
	id           uuid NOT NULL,
	kind         text COLLATE "C" NOT NULL,
	state        job_state NOT NULL CHECK (state IN ('completed', 'cancelled', 'discarded')),
	priority     smallint NOT NULL,
	attempt      smallint NOT NULL,
	max_attempts smallint NOT NULL,
	progress     smallint,
	created_at   timestamptz NOT NULL,
	started_at   timestamptz,
	finished_at  timestamptz NOT NULL DEFAULT now(),
	ms           integer,                 -- that the last attempt took
	user_id      bigint,
	traceparent  text,
	args         json NOT NULL,
	result       json,
	last_error   text
) PARTITION BY RANGE (finished_at);

CREATE INDEX job_done_id ON job_done (id);
CREATE INDEX job_done_order ON job_done (finished_at, id);
-- Dead letters are few beside what went well: they are found without reading the rest.
CREATE INDEX job_done_dead ON job_done (kind, finished_at, id) WHERE state = 'discarded';

-- Takes what no day's partition does: nothing is refused because nobody has made tomorrow's.
CREATE TABLE job_done_rest PARTITION OF job_done DEFAULT;

-- What an operator or a limit says of a kind; the rest stands in the program's tables.
CREATE TABLE job_kind (
	kind        text COLLATE "C" PRIMARY KEY,
	paused_at   timestamptz,
	tokens      double precision NOT NULL DEFAULT 0, -- that its limit per second has left,
	refilled_at timestamptz NOT NULL DEFAULT 'epoch' -- as of then
);

-- How much was done in which minute, added up by every worker now and then.
CREATE TABLE job_minute (
	minute    timestamptz NOT NULL,
	kind      text COLLATE "C" NOT NULL,
	completed bigint NOT NULL,
	retried   bigint NOT NULL,
	failed    bigint NOT NULL,
	run_us    bigint NOT NULL,
	wait_us   bigint NOT NULL,
	PRIMARY KEY (minute, kind)
) WITH (fillfactor = 50);

CREATE TABLE job_cron (
	name    text PRIMARY KEY,
	spec    text NOT NULL,
	kind    text COLLATE "C" NOT NULL,
	next_at timestamptz NOT NULL,
	last_at timestamptz,
	last_id uuid
);

-- For the transaction of a job's effects: it comes to nothing if the job is not that worker's any more.
CREATE FUNCTION job_must_be_ours(jobs bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF jobs <> 1 THEN
		RAISE EXCEPTION 'the job is not this worker''s any more' USING ERRCODE = 'serialization_failure';
	END IF;
END $$;

-- Makes the partitions of today and of some days to come, and drops those older than KEPT days.
-- The application changes no tables by itself: it may call this.  A lock that is not to be had at
-- once is left for the next time, because whoever waits for one keeps everybody else waiting.
CREATE FUNCTION job_history(ahead integer, kept integer) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '200ms' SET timezone = 'UTC' AS $$
DECLARE
	day date;
	part record;
BEGIN
	FOR day IN SELECT generate_series(current_date, current_date + ahead, interval '1 day') LOOP
		CONTINUE WHEN to_regclass('job_done_' || to_char(day, 'YYYYMMDD')) IS NOT NULL
			OR EXISTS (SELECT FROM job_done_rest WHERE finished_at >= day AND finished_at < day + 1);
		EXECUTE format('CREATE TABLE %I PARTITION OF job_done FOR VALUES FROM (%L) TO (%L)',
			'job_done_' || to_char(day, 'YYYYMMDD'), day, day + 1);
	END LOOP;
	FOR part IN SELECT inhrelid::regclass::text AS name FROM pg_inherits
		WHERE inhparent = 'job_done'::regclass AND inhrelid::regclass::text ~ '^job_done_[0-9]{8}$'
		AND to_date(right(inhrelid::regclass::text, 8), 'YYYYMMDD') < current_date - kept LOOP
		EXECUTE format('DROP TABLE %I', part.name);
	END LOOP;
	DELETE FROM job_done_rest WHERE finished_at < current_date - kept;
	DELETE FROM job_minute WHERE minute < now() - interval '2 days';
EXCEPTION WHEN lock_not_available THEN
	NULL;
END $$;

SELECT job_history(7, 14);
