# Shop.pm - a stack with the events of a shop: rows of the log, and the sums that a consumer would keep of them.
#
#     my $stack = Ostler::Shop->start;
#     $stack->fill(5_000, '8 days');       # so many events, of so long up to now
#     $stack->happen(purchase => 3);       # three more, just now
package Ostler::Shop;
use strict;
use warnings;

use Ostler::App;

our @ISA = ('Ostler::App');

# People come in sessions of about six events; a product stays in its category.
sub fill
{
	my ($self, $count, $long) = @_;
	$self->psql(qq{
		SET client_min_messages = warning;
		SELECT event_history(2, 14);
		INSERT INTO products SELECT 'p-' || n, 'Product "' || n || '" <b>', 'category ' || n % 7, n + 0.5, now() FROM generate_series(1, 40) AS n ON CONFLICT DO NOTHING;
		CREATE SEQUENCE IF NOT EXISTS happened;
		INSERT INTO events SELECT gen_random_uuid(), type, at, at, 'user-' || session % 97, 's-' || session,
			CASE WHEN type <> 'search' THEN 'p-' || 1 + n % 40 END, CASE WHEN type <> 'search' THEN 'category ' || (1 + n % 40) % 7 END,
			CASE WHEN type <> 'search' THEN 1 + n % 40 + 0.5 END, CASE WHEN type = 'purchase' THEN 2 END,
			CASE WHEN type = 'purchase' THEN 2 * (1 + n % 40) + 1 END, CASE WHEN type = 'purchase' THEN 'pix' END, CASE WHEN type = 'search' THEN 'shoes' END
		FROM (SELECT n, n / 6 AS session, now() - random() * interval '$long' AS at,
			('{page_view,page_view,search,add_to_cart,remove_from_cart,purchase}'::event_type[])[1 + (random() * 5)::int] AS type
			FROM generate_series(1, $count) AS n) AS made});
	return $self->sum_up;
}

# COUNT events of a TYPE, at this moment, by users of their own.
sub happen
{
	my ($self, $type, $count) = @_;
	$self->psql(qq{INSERT INTO events SELECT gen_random_uuid(), '$type', now(), now(), 'new-' || n, 'new-s-' || n,
		'p-1', 'category 1', 1.5, CASE WHEN '$type' = 'purchase' THEN 1 END, CASE WHEN '$type' = 'purchase' THEN 1000.25 END, CASE WHEN '$type' = 'purchase' THEN 'pix' END, NULL
		FROM (SELECT nextval('happened') AS n FROM generate_series(1, $count)) AS numbers});
	return $self->sum_up;
}

# All sums anew, spread over two shards as two consumers would.
sub sum_up
{
	my ($self) = @_;
	my $shard = q{(hashtext(event_id::text) & 1)::smallint};
	my $sums = q{count(*), coalesce(sum(quantity) FILTER (WHERE event_type = 'purchase'), 0), coalesce(sum(total_amount) FILTER (WHERE event_type = 'purchase'), 0)};
	my %time = (minute => q{date_trunc('minute', timestamp)}, day => 'timestamp::date');
	my @by = map { ("INSERT INTO event_$_ SELECT $time{$_}, event_type, $shard, $sums FROM events GROUP BY 1, 2, 3",
		"INSERT INTO product_$_ SELECT $time{$_}, product_id, category, $shard, $sums FROM events WHERE event_type = 'purchase' GROUP BY 1, 2, 3, 4") } sort keys %time;
	$self->psql(join '; ', 'BEGIN', 'TRUNCATE event_minute, event_day, product_minute, product_day, event_user_day, event_session_day', @by,
		'INSERT INTO event_user_day SELECT DISTINCT timestamp::date, user_id FROM events',
		q{INSERT INTO event_session_day SELECT timestamp::date, session_id, bool_or(event_type = 'purchase') FROM events GROUP BY 1, 2}, 'COMMIT');
	return;
}

# Lets the broker have counted so many messages in each PARTITION.
sub broker_counts
{
	my ($self, %published) = @_;
	Ostler::run('redis-cli', '-s', $self->var . '/sock/redis-stream.sock', 'SET', "events:$_:published", $published{$_}) for keys %published;
	return;
}

# The rows of a SELECT as JSON would have them: hashes by the columns' names.
sub rows
{
	my ($self, $sql) = @_;
	return JSON::PP::decode_json($self->psql("SELECT coalesce(json_agg(r), '[]') FROM ($sql) AS r"));
}

1;
