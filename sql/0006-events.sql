-- What visitors of a shop did: the raw log by day, and what it adds up to by the minute and the day.
--
-- A consumer applies a batch of events in one statement (app/features/events/apply.c): whatever
-- is delivered twice meets its id in event_seen and has no further effect, so that everything
-- else here may simply be added up.

CREATE TYPE event_type AS ENUM ('page_view', 'search', 'add_to_cart', 'remove_from_cart', 'purchase');

-- The raw log.  What happened when decides the day, not when it was heard of.
CREATE TABLE events (
	event_id       uuid NOT NULL,
	event_type     event_type NOT NULL,
	timestamp      timestamptz NOT NULL,
	received_at    timestamptz NOT NULL,  -- when the broker had it
	user_id        text COLLATE "C" NOT NULL,
	session_id     text COLLATE "C" NOT NULL,
	product_id     text COLLATE "C",
	category       text COLLATE "C",      -- as the product had it then
	price          numeric(12, 2),
	quantity       integer,
	total_amount   numeric(12, 2),        -- purchase
	payment_method text COLLATE "C",      -- purchase
	query          text                   -- search
) PARTITION BY RANGE (timestamp);

-- Rows come nearly in the order of time, so a range of blocks is found by a handful of summaries.
CREATE INDEX events_time ON events USING brin (timestamp) WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX events_user ON events (user_id, timestamp);
CREATE INDEX events_product ON events (product_id, timestamp) WHERE product_id IS NOT NULL;
CREATE INDEX events_category ON events (category, timestamp) WHERE category IS NOT NULL;

-- Takes what no day's partition does: nothing is refused because nobody has made tomorrow's.
CREATE TABLE events_rest PARTITION OF events DEFAULT;

-- Which ids are in the log.  A unique index of a partitioned table cannot span its partitions, so
-- this table is the one that says no; it leads to the row, too, by its time.
CREATE TABLE event_seen (
	event_id  uuid PRIMARY KEY,
	timestamp timestamptz NOT NULL
);
-- What is older than the log is deleted by ranges of blocks.
CREATE INDEX event_seen_time ON event_seen USING brin (timestamp);

CREATE TABLE products (
	product_id   text COLLATE "C" PRIMARY KEY,
	product_name text NOT NULL,
	category     text COLLATE "C" NOT NULL,
	price        numeric(12, 2) NOT NULL,
	seen_at      timestamptz NOT NULL     -- of the event that said so: an older one changes nothing
);

-- A purchase is one event: its id is the transaction's.
CREATE TABLE transactions (
	transaction_id uuid PRIMARY KEY,
	event_id       uuid NOT NULL,
	product_id     text COLLATE "C" NOT NULL REFERENCES products,
	user_id        text COLLATE "C" NOT NULL,
	quantity       integer NOT NULL,
	total_amount   numeric(12, 2) NOT NULL,
	payment_method text COLLATE "C" NOT NULL,
	timestamp      timestamptz NOT NULL
);
CREATE INDEX transactions_time ON transactions USING brin (timestamp);

-- --- what it adds up to ---
--
-- Each consumer adds to rows of its own (shard), or several would wait for each other's commits at
-- the row of the present minute; who reads sums over the shards.

CREATE TABLE event_minute (
	minute     timestamptz NOT NULL,
	event_type event_type NOT NULL,
	shard      smallint NOT NULL,
	events     bigint NOT NULL,
	units      bigint NOT NULL,           -- of purchases
	revenue    numeric(16, 2) NOT NULL,   -- of purchases
	PRIMARY KEY (minute, event_type, shard)
) WITH (fillfactor = 50);

CREATE TABLE event_day (
	day        date NOT NULL,
	event_type event_type NOT NULL,
	shard      smallint NOT NULL,
	events     bigint NOT NULL,
	units      bigint NOT NULL,
	revenue    numeric(16, 2) NOT NULL,
	PRIMARY KEY (day, event_type, shard)
) WITH (fillfactor = 50);

-- Purchases alone, by product; their category as it was then.
CREATE TABLE product_minute (
	minute     timestamptz NOT NULL,
	product_id text COLLATE "C" NOT NULL,
	category   text COLLATE "C" NOT NULL,
	shard      smallint NOT NULL,
	orders     bigint NOT NULL,
	units      bigint NOT NULL,
	revenue    numeric(16, 2) NOT NULL,
	PRIMARY KEY (minute, product_id, category, shard)
) WITH (fillfactor = 50);

CREATE TABLE product_day (
	day        date NOT NULL,
	product_id text COLLATE "C" NOT NULL,
	category   text COLLATE "C" NOT NULL,
	shard      smallint NOT NULL,
	orders     bigint NOT NULL,
	units      bigint NOT NULL,
	revenue    numeric(16, 2) NOT NULL,
	PRIMARY KEY (day, product_id, category, shard)
) WITH (fillfactor = 50);

-- Who was there on a day.  Sets, because distinct ones do not add up.
CREATE TABLE event_user_day (
	day     date NOT NULL,
	user_id text COLLATE "C" NOT NULL,
	PRIMARY KEY (day, user_id)
);
CREATE TABLE event_session_day (
	day        date NOT NULL,
	session_id text COLLATE "C" NOT NULL,
	bought     boolean NOT NULL,          -- something, that day
	PRIMARY KEY (day, session_id)
);

-- How large the sets of a day were which no event can join any more: the sets themselves are gone.
CREATE TABLE event_people_day (
	day             date PRIMARY KEY,
	users           bigint NOT NULL,
	sessions        bigint NOT NULL,
	buying_sessions bigint NOT NULL
);

-- How long events took from the broker to here: a histogram of each minute in which they arrived.
CREATE TABLE event_latency (
	minute timestamptz NOT NULL,
	le_ms  integer NOT NULL,              -- at most so many milliseconds, more than the next lower one
	shard  smallint NOT NULL,
	events bigint NOT NULL,
	PRIMARY KEY (minute, le_ms, shard)
) WITH (fillfactor = 50);

-- --- the consumers' own ---

-- How far each partition of the broker has been applied: in the transaction that applied it.
CREATE TABLE event_offset (
	stream    text COLLATE "C" NOT NULL,
	partition integer NOT NULL,
	position  text COLLATE "C" NOT NULL,  -- as the broker writes it
	unread    bigint NOT NULL DEFAULT 0,  -- messages behind it, when that was last looked at
	at        timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (stream, partition)
) WITH (fillfactor = 50);

-- What could not be applied, as it came, and why.
CREATE TABLE event_dead (
	id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at          timestamptz NOT NULL DEFAULT now(),
	stream      text NOT NULL,
	partition   integer NOT NULL,
	position    text COLLATE "C" NOT NULL,
	reason      text NOT NULL,
	body        bytea NOT NULL,           -- bytes: it may be anything
	redriven_at timestamptz,              -- when it was sent to the broker again
	UNIQUE (stream, partition, position)  -- a redelivery is no second letter
);
CREATE INDEX event_dead_waiting ON event_dead (id) WHERE redriven_at IS NULL;

-- --- what people ask ---

CREATE VIEW sales_by_category AS
	SELECT day, category, sum(orders)::bigint AS orders, sum(units)::bigint AS units, sum(revenue) AS revenue
	  FROM product_day GROUP BY day, category;

CREATE VIEW top_products AS
	SELECT day, rank() OVER (PARTITION BY day ORDER BY revenue DESC) AS place, product_id, product_name,
		sold.category, orders, units, revenue
	  FROM (SELECT day, product_id, max(category) AS category, sum(orders)::bigint AS orders,
			sum(units)::bigint AS units, sum(revenue) AS revenue
		  FROM product_day GROUP BY day, product_id) AS sold
	  JOIN products USING (product_id);

CREATE VIEW daily_metrics AS
	SELECT day, events::bigint AS events, coalesce(page_views, 0)::bigint AS page_views,
		coalesce(searches, 0)::bigint AS searches, coalesce(carts, 0)::bigint AS add_to_cart,
		coalesce(uncarts, 0)::bigint AS remove_from_cart, coalesce(orders, 0)::bigint AS orders,
		units::bigint AS units, revenue, users, sessions, buying_sessions,
		round(buying_sessions::numeric / nullif(sessions, 0), 4) AS conversion,
		round(revenue / nullif(orders, 0), 2) AS average_ticket
	  FROM (SELECT day, sum(events) AS events, sum(units) AS units, sum(revenue) AS revenue,
			sum(events) FILTER (WHERE event_type = 'page_view') AS page_views,
			sum(events) FILTER (WHERE event_type = 'search') AS searches,
			sum(events) FILTER (WHERE event_type = 'add_to_cart') AS carts,
			sum(events) FILTER (WHERE event_type = 'remove_from_cart') AS uncarts,
			sum(events) FILTER (WHERE event_type = 'purchase') AS orders
		  FROM event_day GROUP BY day) AS summed,
		LATERAL (SELECT coalesce(max(closed.users), count(DISTINCT u.user_id)) AS users
			FROM (SELECT) AS one LEFT JOIN event_user_day AS u ON u.day = summed.day
			LEFT JOIN event_people_day AS closed ON closed.day = summed.day) AS people,
		LATERAL (SELECT coalesce(max(closed.sessions), count(s.session_id)) AS sessions,
				coalesce(max(closed.buying_sessions), count(*) FILTER (WHERE s.bought)) AS buying_sessions
			FROM (SELECT) AS one LEFT JOIN event_session_day AS s ON s.day = summed.day
			LEFT JOIN event_people_day AS closed ON closed.day = summed.day) AS visits;

-- --- the days ---

-- Makes the partitions of the days from KEPT ago to AHEAD, and drops what is older, with what stands
-- for it elsewhere.  As of job_history: the application may call this, and a lock that is not to be
-- had at once is left for the next time.  Sums by the minute are kept five times as long; those by
-- the day, products and transactions for good.
CREATE FUNCTION event_history(ahead integer, kept integer) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '200ms' SET timezone = 'UTC' AS $$
DECLARE
	d date;
	part record;
BEGIN
	FOR d IN SELECT generate_series(current_date - kept, current_date + ahead, interval '1 day') LOOP
		CONTINUE WHEN to_regclass('events_' || to_char(d, 'YYYYMMDD')) IS NOT NULL
			OR EXISTS (SELECT FROM events_rest WHERE timestamp >= d AND timestamp < d + 1);
		EXECUTE format('CREATE TABLE %I PARTITION OF events FOR VALUES FROM (%L) TO (%L)',
			'events_' || to_char(d, 'YYYYMMDD'), d, d + 1);
	END LOOP;
	FOR part IN SELECT inhrelid::regclass::text AS name FROM pg_inherits
		WHERE inhparent = 'events'::regclass AND inhrelid::regclass::text ~ '^events_[0-9]{8}$'
		AND to_date(right(inhrelid::regclass::text, 8), 'YYYYMMDD') < current_date - kept LOOP
		EXECUTE format('DROP TABLE %I', part.name);
	END LOOP;
	DELETE FROM events_rest WHERE timestamp < current_date - kept;
	DELETE FROM event_seen WHERE timestamp < current_date - kept;
	INSERT INTO event_people_day (day, users, sessions, buying_sessions)
		SELECT day, users, sessions, buying_sessions FROM daily_metrics WHERE day < current_date - kept
		ON CONFLICT DO NOTHING;
	DELETE FROM event_user_day WHERE day < current_date - kept;
	DELETE FROM event_session_day WHERE day < current_date - kept;
	DELETE FROM event_minute WHERE minute < current_date - 5 * kept;
	DELETE FROM product_minute WHERE minute < current_date - 5 * kept;
	DELETE FROM event_latency WHERE minute < current_date - 5 * kept;
EXCEPTION WHEN lock_not_available THEN
	NULL;
END $$;

SELECT event_history(2, 7);
