-- What events add up to, made anew from the log.

-- Since is the beginning of a day that is in the log whole; what is before it stays as it is.  Meanwhile
-- consumers wait: a batch that is applied comes before all of this or after it.  How many events it was.
CREATE FUNCTION event_rebuild(since date) RETURNS bigint LANGUAGE plpgsql SET timezone = 'UTC' AS $$
BEGIN
	LOCK TABLE event_seen IN SHARE ROW EXCLUSIVE MODE;
	DELETE FROM event_minute WHERE minute >= since;
	DELETE FROM event_day WHERE day >= since;
	DELETE FROM product_minute WHERE minute >= since;
	DELETE FROM product_day WHERE day >= since;
	DELETE FROM event_user_day WHERE day >= since;
	DELETE FROM event_session_day WHERE day >= since;
	INSERT INTO event_minute (minute, event_type, shard, events, units, revenue)
		SELECT date_trunc('minute', timestamp), event_type, 0, count(*),
			coalesce(sum(quantity) FILTER (WHERE event_type = 'purchase'), 0),
			coalesce(sum(total_amount) FILTER (WHERE event_type = 'purchase'), 0)
		  FROM events WHERE timestamp >= since GROUP BY 1, 2;
	INSERT INTO event_day (day, event_type, shard, events, units, revenue)
		SELECT minute::date, event_type, 0, sum(events), sum(units), sum(revenue)
		  FROM event_minute WHERE minute >= since GROUP BY 1, 2;
	INSERT INTO product_minute (minute, product_id, category, shard, orders, units, revenue)
		SELECT date_trunc('minute', timestamp), product_id, category, 0, count(*), sum(quantity), sum(total_amount)
		  FROM events WHERE timestamp >= since AND event_type = 'purchase' GROUP BY 1, 2, 3;
	INSERT INTO product_day (day, product_id, category, shard, orders, units, revenue)
		SELECT minute::date, product_id, category, 0, sum(orders), sum(units), sum(revenue)
		  FROM product_minute WHERE minute >= since GROUP BY 1, 2, 3;
	INSERT INTO event_user_day (day, user_id)
		SELECT DISTINCT timestamp::date, user_id FROM events WHERE timestamp >= since;
	INSERT INTO event_session_day (day, session_id, bought)
		SELECT timestamp::date, session_id, bool_or(event_type = 'purchase')
		  FROM events WHERE timestamp >= since GROUP BY 1, 2;
	RETURN (SELECT coalesce(sum(events), 0) FROM event_day WHERE day >= since);
END $$;
