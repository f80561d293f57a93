#!/usr/bin/perl
# events.t - events come in whole or in part, and are applied once, whatever comes how often.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::App qw(problem_ok faults_of);
use Ostler::Events;
use POSIX qw(strftime);
use Test::More;

my $stack = Ostler::Events->start(env => { CONSUMERS => 2 }, app => { event_days => 3 });

sub at { my ($seconds) = @_; return strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time + $seconds)) }
sub pointers { my ($reply) = @_; return join ' ', map { $_->{pointer} } @{ $reply->{json}{errors} } }
sub dead { return $stack->psql('SELECT count(*) FROM event_dead') }

subtest 'one, or a list' => sub {
	my $reply = $stack->post('/api/events', json => my $event = $stack->event(event_type => 'purchase'));
	is $reply->{status}, 202, 'one event is taken';
	is $reply->{content}, '{"accepted":1}', 'and counted';
	push @{ $stack->{acknowledged} }, $event->{event_id};
	$reply = $stack->send([ $stack->events(1000) ]);
	is $reply->{content}, '{"accepted":1000}', 'so is a list of a thousand';
	$stack->all_applied_ok('at first');
	is $stack->psql("SELECT product_name, category, price FROM products WHERE product_id = 'p-3'"), 'Product "3", {large}|music|8.50', 'products are known';
	is $stack->psql(q{SELECT DISTINCT query FROM events WHERE event_type = 'search'}), q{shoes, 'red' \\ "large"}, 'texts stay as they were';
};

subtest 'all or nothing' => sub {
	my $before = $stack->psql('SELECT count(*) FROM events');
	my $reply = $stack->post('/api/events', json => [ $stack->event, { %{ $stack->event }, event_type => 'steal' }, $stack->event ]);
	problem_ok $reply, 422, 'one that is wrong';
	is pointers($reply), '/1/event_type', 'is pointed at';
	problem_ok $stack->post('/api/events', json => []), 422, 'an empty list';
	problem_ok $stack->post('/api/events', json => [ $stack->events(1001) ]), 422, 'more than a thousand';
	problem_ok $stack->post('/api/events', content => '[{]', headers => { 'content-type' => 'application/json' }), 400, 'no JSON';
	my %needs = (purchase => '/product /quantity /total_amount /payment_method', search => '/query', add_to_cart => '/product', remove_from_cart => '/product');
	for my $type (sort keys %needs) {
		my $event = $stack->event(event_type => $type);
		delete @$event{qw(product quantity total_amount payment_method query)};
		my $bare = $stack->post('/api/events', json => $event);
		problem_ok $bare, 422, "a $type without what it needs";
		is pointers($bare), $needs{$type}, 'is told what that is';
	}
	my $view = $stack->event(event_type => 'page_view');
	delete $view->{product};
	$stack->send_ok([ $view ], 'a view of no product');
	$stack->all_applied_ok('of those that were right');
	is $stack->psql('SELECT count(*) FROM events'), $before + 1, 'of the lists that were refused nothing is there';
};

subtest 'those that are right' => sub {
	my @events = $stack->events(5);
	my $reply = $stack->post('/api/events?partial=true', json => [ @events[0, 1], { event_id => 7 }, $events[2], 'text', @events[3, 4] ]);
	is $reply->{status}, 202, 'partial=true: taken';
	is $reply->{json}{accepted}, 5, 'as many as are right';
	like pointers($reply), qr{^/2/event_id .*/4$}, 'the others are pointed at, where they were';
	push @{ $stack->{acknowledged} }, map { $_->{event_id} } @events;
	my @wrong = map { { %{ $stack->event }, quantity => -1, user_id => '' } } 1 .. 600;
	$reply = $stack->post('/api/events?partial=true', json => [ my $right = $stack->event, @wrong ]);
	is $reply->{json}{accepted}, 1, 'one among hundreds';
	is scalar(@{ $reply->{json}{errors} }), 1200, 'each of the others is told of';
	push @{ $stack->{acknowledged} }, $right->{event_id};
	problem_ok $stack->post('/api/events?partial=true', json => [ { event_id => 7 } ]), 422, 'none that is right';
	problem_ok $stack->post('/api/events?partial=perhaps', json => [ $stack->event ]), 422, 'a wish that is none';
	problem_ok $stack->post('/api/events?part=true', json => [ $stack->event ]), 422, 'another one';
	$stack->all_applied_ok('of a part');
};

subtest 'again and again' => sub {
	my @events = $stack->events(300);
	$stack->send_ok([ @events, @events[0 .. 99] ], 'a list with repetitions');
	$stack->send_ok(\@events, 'the same again') for 1 .. 10;
	$stack->publish($_, @events[0 .. 50]) for 0 .. 7;    # other partitions, and so another consumer
	$stack->all_applied_ok('ten times delivered');
	$stack->wait_for(sub { $stack->psql('SELECT sum(unread) FROM event_offset') == 0 }, 'nothing to be unread', 30);
	$stack->sums_ok('when all deliveries are read');
	is $stack->psql('SELECT count(*) FROM events WHERE event_id IN (' . join(', ', map { "'$_->{event_id}'" } @events) . ')'), 300, 'each has one effect';
};

subtest 'what cannot be applied' => sub {
	plan skip_all => 'only into a Redis can such messages be written' unless $stack->on_redis;
	my $before = dead();
	my @events = $stack->events(40);
	$stack->publish(0, @events[0 .. 9], '{"event_id": 1}', 'no JSON at all', @events[10 .. 19], '', { %{ $events[0] }, surprise => 1 });
	$stack->publish(1, "\xff\xfe\x01", @events[20 .. 29]);
	$stack->stream_redis('XADD', 'events:2', '*', 'strange', 'field');
	$stack->send_ok([ map { $stack->event(timestamp => at($_)) } 3600, 301 + 60, -4 * 86_400 ], 'events of another time are taken');
	my @of_their_time = map { $stack->event(timestamp => at($_)) } 200, 0, -2 * 86_400;
	$stack->send_ok(\@of_their_time, 'and others');
	splice @{ $stack->{acknowledged} }, -6, 3;
	push @{ $stack->{acknowledged} }, map { $_->{event_id} } @events[0 .. 29];
	$stack->all_applied_ok('around the others');
	$stack->wait_for(sub { dead() == $before + 9 }, 'dead letters', 30);
	is dead(), $before + 9, 'they are dead letters';
	my $reasons = $stack->psql('SELECT string_agg(reason, $$; $$ ORDER BY reason) FROM event_dead');
	like $reasons, qr/$_/, "each with its reason: $_" for 'event_id must be a UUID', 'not valid JSON', 'not valid UTF-8', 'surprise is unknown', 'more than 3 days ago', 'more than 5 minutes ahead';
	is $stack->psql(q{SELECT convert_from(body, 'UTF8') FROM event_dead WHERE reason LIKE '%UUID%'}), '{"event_id": 1}', 'as it came';
	like $stack->psql(q{SELECT position FROM event_dead WHERE reason LIKE '%UUID%'}), qr/^\d+-\d+\.10$/, 'with its place';
	is $stack->stream_redis('XLEN', 'events-dead:0') > 0, 1, 'they are in a stream, too';
	like $stack->stream_redis('XRANGE', 'events-dead:0', '-', '+'), qr/surprise is unknown/, 'with the reason';
};

subtest 'what the database refuses' => sub {
	my $before = dead();
	# Of the shape, but beyond what a quantity times a price can be: the table says no, not the shape.
	$stack->psql(q{ALTER TABLE transactions ADD CONSTRAINT not_thirteen CHECK (quantity <> 13)}, 'ostler_owner');
	$stack->send_ok([ my @events = ($stack->events(200), (map { $stack->event(event_type => 'purchase', quantity => 13) } 1 .. 3), $stack->events(200)) ]);
	my %refused = map { $_->{event_id} => 1 } grep { ($_->{quantity} // 0) == 13 } @events;
	$stack->{acknowledged} = [ grep { !$refused{$_} } $stack->acknowledged ];
	$stack->all_applied_ok('beside those');
	$stack->wait_for(sub { dead() == $before + 3 }, 'three dead letters', 30);
	is $stack->psql(q{SELECT DISTINCT reason FROM event_dead WHERE reason LIKE '%thirteen%'}), 'the database refused it: constraint not_thirteen', 'the constraint is named';
	$stack->psql('ALTER TABLE transactions DROP CONSTRAINT not_thirteen', 'ostler_owner');
};

subtest 'a product changes' => sub {
	my $product = sub { return { id => 'changing', name => $_[0], category => $_[1], price => $_[2] } };
	$stack->send_ok([ $stack->event(event_type => 'page_view', timestamp => at(-60), product => $product->('new', 'toys', 12.34)) ]);
	$stack->send_ok([ $stack->event(event_type => 'page_view', timestamp => at(-120), product => $product->('old', 'books', 1)) ], 'the older one later');
	$stack->all_applied_ok('of a product');
	is $stack->psql("SELECT product_name, category, price FROM products WHERE product_id = 'changing'"), 'new|toys|12.34', 'the newest that happened counts';
};

subtest 'what is seen of it' => sub {
	$stack->wait_for(sub { $stack->psql('SELECT sum(unread) FROM event_offset') == 0 }, 'nothing to be unread', 30);
	my ($text) = Ostler::run(Ostler::build() . '/ostlerctl', '-s', $stack->var . '/ctl/ostlerd.sock', 'metrics');
	like $text, qr/^ostler_app_events_applied_total\{pool="consume"\} [1-9]\d*$/m, 'events are counted';
	like $text, qr/^ostler_app_event_duplicates_total\{pool="consume"\} [1-9]\d*$/m, 'so are repetitions';
	like $text, qr/^ostler_app_event_dead_letters_total\{pool="consume"\} @{[ dead() ]}$/m, 'and dead letters';
	like $text, qr/^# TYPE ostler_app_events_unread gauge$/m, 'what is unread goes up and down';
	cmp_ok $stack->psql('SELECT sum(events) FROM event_latency'), '>', 1000, 'how long they took is a histogram';
};

subtest 'the client of Kafka' => sub {
	my $loaded = sub { my ($pool) = @_; return scalar grep { (Ostler::run('cat', "/proc/$_/maps"))[0] =~ /ostler-kafka\.so/ } $stack->pids($pool) };
	is $loaded->('jobs'), 0, 'is not loaded by who does not use it';
	cmp_ok $loaded->($_), $stack->on_redis ? '==' : '>', 0, "nor by $_, unless Kafka is the broker" for qw(web consume);
};

# Last, for these were never sent.
subtest 'a day that is over' => sub {
	my $day = $stack->psql(q{SELECT (now() AT TIME ZONE 'UTC')::date - 5});
	my $part = 'events_' . $day =~ tr/-//dr;
	$stack->psql(qq{SELECT event_history(2, 6);
		INSERT INTO events (event_id, event_type, timestamp, received_at, user_id, session_id) SELECT gen_random_uuid(), 'page_view', '$day 12:00Z', now(), 'then-' || n, 's-then-' || n FROM generate_series(1, 3) AS n;
		INSERT INTO event_seen SELECT event_id, timestamp FROM $part;
		INSERT INTO event_day VALUES ('$day', 'page_view', 0, 3, 0, 0);
		INSERT INTO event_user_day SELECT '$day', user_id FROM $part; INSERT INTO event_session_day SELECT '$day', session_id, false FROM $part});
	my $metrics = $stack->psql("SELECT * FROM daily_metrics WHERE day = '$day'");
	my $young = $stack->psql("SELECT count(*) FROM events WHERE timestamp >= '$day'::date + 2");
	$stack->psql('SELECT event_history(2, 3)', 'ostler_app');
	is $stack->psql("SELECT to_regclass('$part') IS NULL"), 't', 'its part of the log is dropped';
	is $stack->psql("SELECT count(*) FROM event_seen WHERE timestamp < '$day'::date + 1"), 0, 'its events are not remembered one by one';
	is $stack->psql("SELECT count(*) FROM event_user_day WHERE day = '$day'"), 0, 'nor its people';
	is $stack->psql("SELECT * FROM daily_metrics WHERE day = '$day'"), $metrics, 'what it added up to stays, with how many people there were';
	is $stack->psql("SELECT count(*) FROM events WHERE timestamp >= '$day'::date + 2"), $young, 'and so do the days that are kept';
	is $stack->psql(q{SELECT to_regclass('events_' || to_char((now() AT TIME ZONE 'UTC')::date + 2, 'YYYYMMDD')) IS NOT NULL}), 't', 'the days that come are there';
};

$stack->stop;
done_testing;
