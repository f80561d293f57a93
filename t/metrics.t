#!/usr/bin/perl
# metrics.t - what the shop's events add up to: every number is what the raw log says, and asking again costs next to nothing.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::App;
use Ostler::Shop;
use Test::More;

my $stack = Ostler::Shop->start(app => { cache_stale => '1ms' });
$stack->fill(6_000, '9 days');
$stack->fill(400, '58 minutes');

my $number = 0;

# Nobody has signed in, as nobody has who looks at the dashboard.
sub ask { my ($path, %wish) = @_; return $stack->get("/api/metrics/$path", as => undef, %wish) }
# Without what was kept of it: in Redis, and by nginx, to which a path that is written otherwise is another question.
sub ask_anew
{
	my ($path) = @_;
	forget();
	my ($bits, $place) = (++$number, 0);
	return ask($path =~ s{^([\w-]+)}{join '', map { $bits >> $place++ & 1 ? sprintf '%%%02x', ord : $_ } split //, $1}er);
}

sub forget { return Ostler::run('redis-cli', '-s', $stack->var . '/sock/redis-cache.sock', 'FLUSHALL') }

# Asks, and asks the log, within one minute: at its end both would change.
sub agrees
{
	my ($path, $sql, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my ($got, $expected, $minute);
	do {
		$minute = $stack->psql(q{SELECT date_trunc('minute', now())});
		($got, $expected) = (ask_anew($path), $stack->rows($sql));
	} while ($minute ne $stack->psql(q{SELECT date_trunc('minute', now())}));
	is $got->{status}, 200, "$what is answered" or return diag $got->{content};
	my $items = $got->{json}{items} // [ $got->{json} ];
	cmp_ok scalar @$expected, '>', 0, "$what is not empty";
	return is_deeply $items, $expected, "$what is what the log says" || diag $got->{content};
}

my %since = ('1h' => q{date_trunc('minute', now()) - interval '59 minutes'}, '6h' => q{date_trunc('minute', now()) - interval '359 minutes'},
	'24h' => q{date_trunc('minute', now()) - interval '1439 minutes'}, today => 'current_date', '7d' => '(current_date - 6)');
my $money = q{coalesce(sum(total_amount) FILTER (WHERE event_type = 'purchase'), 0)};
my $orders = q{count(*) FILTER (WHERE event_type = 'purchase')};
my $utc = q{'YYYY-MM-DD"T"HH24:MI:SS"Z"'};

subtest 'summary' => sub {
	for my $window (qw(today 7d)) {
		agrees("summary?window=$window", qq{SELECT '$window' AS window, to_char($since{$window}::timestamp, $utc) AS since, count(*) AS events, count(DISTINCT user_id) AS users, count(DISTINCT session_id) AS sessions,
			$orders AS orders, coalesce(sum(quantity), 0) AS units, $money AS revenue,
			round(count(DISTINCT session_id) FILTER (WHERE event_type = 'purchase')::numeric / nullif(count(DISTINCT session_id), 0), 4) AS conversion,
			round($money / nullif($orders, 0), 2) AS average_ticket FROM events WHERE timestamp >= $since{$window}}, "the summary of $window");
	}
	is ask('summary')->{json}{window}, 'today', 'it is of today unless told';
};

subtest 'timeline' => sub {
	my %minutes = ('1m' => 1, '5m' => 5, '15m' => 15, '1h' => 60, '1d' => 1440);
	my %points = ('1h' => 60, '6h' => 360, '24h' => 1440, '7d' => 10080);
	my $line = sub {
		my ($step, $points) = @_;
		my $of = "interval '$minutes{$step} minutes'";
		return qq{SELECT to_char(at, $utc) AS at, count(event_id) AS events, $orders AS orders, $money AS revenue
			FROM generate_series(date_bin($of, now(), 'epoch') - ($points - 1) * $of, date_bin($of, now(), 'epoch'), $of) AS every (at)
			LEFT JOIN events ON date_bin($of, timestamp, 'epoch') = at GROUP BY every.at ORDER BY every.at};
	};
	for (['1h', '1m'], ['1h', '5m'], ['6h', '5m'], ['24h', '1h'], ['24h', '1m'], ['7d', '1h'], ['7d', '1d']) {
		my ($window, $step) = @$_;
		agrees("timeline?window=$window&step=$step", $line->($step, $points{$window} / $minutes{$step}), "$window by $step");
	}
	my %usual = ('1h' => 60, '6h' => 72, '24h' => 96, '7d' => 168);
	is scalar @{ ask("timeline?window=$_")->{json}{items} }, $usual{$_}, "$usual{$_} points of $_ unless told" for sort keys %usual;
	is scalar @{ ask('timeline')->{json}{items} }, 60, 'and the last hour';
	for (['7d', '1m'], ['7d', '5m'], ['1h', '1d'], ['6h', '1d']) {
		my $refused = ask("timeline?window=$_->[0]&step=$_->[1]");
		problem_ok $refused, 422, "$_->[0] by $_->[1]";
		is_deeply [ map { $_->{pointer} } @{ $refused->{json}{errors} } ], ['/step'], 'which points to the step';
	}
};

subtest 'what is in a window' => sub {
	for my $window (sort keys %since) {
		my $log = "FROM events WHERE timestamp >= $since{$window}";
		agrees("top-products?window=$window&limit=7", qq{SELECT product_id, product_name AS name, p.category, units, revenue FROM
			(SELECT product_id, sum(quantity) AS units, sum(total_amount) AS revenue $log AND event_type = 'purchase' GROUP BY 1 ORDER BY revenue DESC, product_id LIMIT 7) AS sold
			JOIN products AS p USING (product_id) ORDER BY revenue DESC, product_id}, "what sold best in $window");
		agrees("by-category?window=$window", qq{SELECT category, count(*) AS orders, sum(quantity) AS units, sum(total_amount) AS revenue $log AND event_type = 'purchase' GROUP BY 1 ORDER BY revenue DESC, category},
			"what sold by category in $window");
		agrees("event-types?window=$window", qq{SELECT type AS event_type, count(event_id) AS events FROM unnest(enum_range(NULL::event_type)) AS every (type)
			LEFT JOIN events ON event_type = type AND timestamp >= $since{$window} GROUP BY 1 ORDER BY 1}, "the types of events in $window");
	}
	is scalar @{ ask('top-products?window=7d')->{json}{items} }, 10, 'ten products unless told';
	is scalar @{ ask('top-products?window=7d&limit=100')->{json}{items} }, 40, 'or all that were sold';
	problem_ok ask("top-products?limit=$_"), 422, "limit=$_" for 0, 101, 'x';
	problem_ok ask("$_?window=2h"), 422, "a window of two hours of $_" for qw(top-products by-category event-types summary timeline);
	problem_ok ask('summary?window=1h'), 422, 'people of an hour';
};

subtest 'the last minute' => sub {
	# All of an hour before would still be there in the minute that begins.
	$stack->psql(q{DELETE FROM events WHERE timestamp > now() - interval '3 minutes'});
	$stack->psql(q{INSERT INTO event_latency VALUES (date_trunc('minute', now()), 5, 0, 90), (date_trunc('minute', now()), 20, 1, 4), (date_trunc('minute', now()), 28, 0, 4),
		(date_trunc('minute', now()), 500, 0, 2), (date_trunc('minute', now()) - interval '10 minutes', 60000, 0, 1000)});
	$stack->psql(q{INSERT INTO event_offset (stream, partition, position, unread, at) VALUES ('events', 0, '1-100', 0, '2026-01-02T03:04:05Z'), ('events', 1, '1-200', 0, '2026-01-02T03:04:06Z')});
	# What the broker has counted: three and four more than were applied.
	$stack->broker_counts(0 => 103, 1 => 204);
	$stack->happen(page_view => 9);
	$stack->happen(purchase => 3);
	my $now = ask_anew('realtime')->{json};
	is_deeply { map { $_ => $now->{$_} } grep { $_ ne 'lag' } keys %$now }, { events => 12, events_per_second => 0.2, orders => 3, revenue => 3000.75, active_users => 12, p95_ms => 28, applied_at => '2026-01-02T03:04:06Z' },
		'is counted from the log';
	is $now->{lag}, 7, 'and what waits is told';
};

subtest 'nothing has happened' => sub {
	$stack->psql('TRUNCATE events, event_latency, event_offset');
	$stack->broker_counts(0 => 0, 1 => 0);
	$stack->sum_up;
	is_deeply ask_anew('realtime')->{json}, { events => 0, events_per_second => 0, orders => 0, revenue => 0, active_users => 0, p95_ms => undef, lag => 0, applied_at => undef }, 'in the last minute';
	is_deeply ask_anew("$_")->{json}, { items => [] }, "$_ is an empty list" for qw(top-products by-category);
	my $summary = ask_anew('summary')->{json};
	is_deeply [ @$summary{qw(events users conversion average_ticket)} ], [ 0, 0, undef, undef ], 'what would be divided by nothing is null';
	is_deeply [ map { $_->{events} } @{ ask_anew('event-types')->{json}{items} } ], [ (0) x 5 ], 'all types are there';
};

subtest 'asking again' => sub {
	for my $path (qw(summary timeline top-products by-category event-types realtime)) {
		my $first = ask_anew($path);
		like $first->{headers}{etag}, qr/^(?:W\/)?"[\w-]{16}"$/, "$path has an ETag";
		is ask($path, headers => { 'If-None-Match' => $first->{headers}{etag} })->{status}, 304, 'which is good for a 304' if $path ne 'timeline';
	}
	my $tag = ask_anew('event-types')->{headers}{etag};
	$stack->happen(page_view => 1);
	my $changed = ask_anew('event-types');
	is $changed->{json}{items}[0]{events}, 1, 'something happens';
	isnt $changed->{headers}{etag}, $tag, 'and has another ETag';
	$stack->wait_for(sub { ask('event-types', headers => { 'If-None-Match' => $tag })->{status} == 200 }, 'the change to be seen by whoever has the old one', 30);
};

# What nginx keeps is the same for all who ask.
subtest 'a crowd' => sub {
	my $asked = sub { scalar grep { ($_->{route} // '') eq '/api/metrics/timeline' } $stack->log_lines };
	my ($before, $began) = ($asked->(), time);
	my @crowd = $stack->at_once(map { [ GET => '/api/metrics/timeline?window=6h', $_ % 2 ? (as => 'viewer') : (as => undef) ] } 1 .. 60);
	# Again, when what nginx has is too old.
	$stack->wait_for(sub { time > $began + 2 }, 'two seconds to pass');
	push @crowd, $stack->at_once(map { [ GET => '/api/metrics/timeline?window=6h', as => undef ] } 1 .. 60);
	my $seconds = 1 + time - $began;
	is scalar(grep { $_->{status} == 200 } @crowd), 120, 'all are answered';
	cmp_ok $asked->() - $before, '<=', 1 + $seconds, 'the application was asked once a second at most';
	my %ids = map { $_->{headers}{'x-request-id'} => 1 } @crowd;
	is scalar keys %ids, 120, 'each answer has its own request id';
	is scalar(grep { exists $_->{headers}{ratelimit} || exists $_->{headers}{traceparent} || exists $_->{headers}{'set-cookie'} } @crowd), 0, 'and none tells what is another\'s';
	my @hits = grep { join(', ', map { ref ? @$_ : $_ } $_->{headers}{'cache-status'}) =~ /nginx; hit/ } @crowd;
	cmp_ok scalar @hits, '>=', 119 - $seconds, 'the others were answered by nginx';
	is $stack->request(HEAD => '/api/metrics/timeline?window=6h', as => undef)->{status}, 200, 'HEAD is answered';
	cmp_ok length(ask('timeline?window=6h')->{content}), '>', 100, 'and does not take the place of a GET';
	problem_ok $stack->post('/api/metrics/timeline', json => {}), 405, 'POST';
	is ask('timeline?window=6h', headers => { Cookie => 'sid=x', Authorization => 'Bearer none' })->{status}, 200, 'who someone is does not matter';
};

subtest 'without Redis, and without PostgreSQL' => sub {
	$stack->impatient;
	my ($redis) = $stack->pids('cache');
	kill 'STOP', $redis;
	is ask("$_")->{status}, 200, "$_ is answered while Redis hangs" for qw(summary?window=7d top-products?limit=3 realtime);
	kill 'CONT', $redis;
	my ($broker) = $stack->pids('stream');
	kill 'STOP', $broker;
	my $alone = ask_anew('realtime');
	is_deeply [ $alone->{status}, exists $alone->{json}{lag}, $alone->{json}{lag} ], [ 200, 1, undef ], 'without the broker nobody knows what waits, and all else is told';
	kill 'CONT', $broker;
	$stack->wait_for(sub { defined ask_anew('realtime')->{json}{lag} }, 'the broker to be heard again', 30);
	my @database = ($stack->pids('database'), $stack->family('database'));
	kill 'STOP', @database;
	$stack->wait_for(sub { ask('summary?window=7d')->{status} == 503 }, 'the database to be missed', 60);
	my $away = ask('summary?window=7d');
	problem_ok $away, 503, 'without the database there are no numbers';
	ok $away->{headers}{'retry-after'}, 'but a time to come again';
	kill 'CONT', @database;
	$stack->wait_for(sub { ask('summary?window=7d')->{status} == 200 }, 'the numbers to come back', 60);
};

$stack->stop;
done_testing;
