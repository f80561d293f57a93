# Events.pm - a stack that takes shop events: makes some, sends them, and adds up what should have come of it.
#
#     my $stack = Ostler::Events->start(env => { CONSUMERS => 2 });
#     my @events = map { $stack->event } 1 .. 100;
#     $stack->send_ok(\@events);
#     $stack->all_applied_ok('after that');
#
# With EVENTS_BROKER=kafka in the environment its broker is a Kafka of its own (t/kafka.t).
package Ostler::Events;
use strict;
use warnings;
use JSON::PP ();
use POSIX qw(strftime);
use Test::More ();
use Time::HiRes qw(time);

use Ostler::App;
use Ostler::Kafka;

our @ISA = ('Ostler::App');

my @categories = qw(books games garden music toys);
my @payments = qw(credit_card pix boleto);

sub start
{
	my ($class, %options) = @_;
	$options{app} = { limit_write => 1_000_000, consume_lease => '1s', broker_retry => '100ms', database_retry => '100ms', %{ $options{app} // {} } };
	$options{pools}{consume} = { watch_interval => '100ms', backoff_first => '100ms', backoff_longest => '200ms', %{ $options{pools}{consume} // {} } };
	my $kafka = ($ENV{EVENTS_BROKER} // '') eq 'kafka' ? Ostler::Kafka->start // die "no Kafka\n" : undef;
	$options{app}{broker} = 'kafka:' . $kafka->address if $kafka;
	my $self = $class->SUPER::start(%options);
	$self->{kafka} = $kafka;
	return $self;
}

# What only a Redis can be asked for is left out with another broker.
sub on_redis { return !$_[0]{kafka} }

# Kills the broker, and returns when there is another in its place, with the same data.
sub kill_broker
{
	my ($self) = @_;
	if ($self->{kafka}) {
		$self->{kafka}->halt;
		return $self->{kafka}->launch;
	}
	my ($old) = $self->pids('stream');
	kill 'KILL', $old;
	$self->wait_for(sub { my ($new) = $self->pids('stream'); $new && $new != $old }, 'another Redis', 30);
	return;
}

# An event of some believable kind, or with what the WISH says.
sub event
{
	my ($self, %wish) = @_;
	my $number = $self->{events}++;
	my $type = $wish{event_type} // (qw(page_view page_view page_view search add_to_cart remove_from_cart purchase))[rand 7];
	my $product = $number % 37;
	my $price = 5 + $product;
	my %event = (event_id => sprintf('%08x-%04x-7000-8000-%012x', time, $$ & 0xffff, $number), event_type => $type,
	    timestamp => strftime('%Y-%m-%dT%H:%M:%SZ', gmtime), user_id => 'user-' . int rand 60, session_id => 's-' . int rand 90);
	$event{product} = { id => "p-$product", name => qq{Product "$product", {large}}, category => $categories[$product % @categories], price => $price + 0.5 }
	    if $type ne 'search';
	$event{query} = q{shoes, 'red' \\ "large"} if $type eq 'search';
	@event{qw(quantity total_amount payment_method)} = (2, 2 * $price + 1, $payments[$number % @payments]) if $type eq 'purchase';
	return { %event, %wish };
}

sub events { my ($self, $count) = @_; return map { $self->event } 1 .. $count }

# Sends a list of events; they count as acknowledged when the answer says so.
sub send
{
	my ($self, $events) = @_;
	my $reply = $self->post('/api/events', json => $events);
	push @{ $self->{acknowledged} }, map { $_->{event_id} } @$events if $reply->{status} == 202;
	return $reply;
}

sub send_ok
{
	my ($self, $events, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $reply = $self->send($events);
	return Test::More::is($reply->{status}, 202, $what // 'they are taken') || Test::More::diag($reply->{content});
}

sub acknowledged { return @{ $_[0]{acknowledged} // [] } }

# Straight into a partition, as another publisher might: lines of one entry.
sub publish
{
	my ($self, $partition, @lines) = @_;
	return $self->{kafka}->publish('events', map { ref ? JSON::PP->new->canonical->utf8->encode($_) : $_ } @lines) if $self->{kafka};
	return $self->stream_redis('XADD', "events:$partition", '*', 'm', join "\n", map { ref ? JSON::PP->new->canonical->utf8->encode($_) : $_ } @lines);
}

sub stream_redis
{
	my ($self, @words) = @_;
	my ($text) = Ostler::run('redis-cli', '-s', $self->var . '/sock/redis-stream.sock', @words);
	chomp $text;
	return $text;
}

# Every id that was acknowledged is in the log once, and nothing is left in the broker.
sub all_applied_ok
{
	my ($self, $what, $seconds) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my %expected = map { $_ => 1 } $self->acknowledged;
	my %seen;
	$self->wait_for(sub {
		%seen = map { split /\|/ } split /\n/, eval { $self->psql('SELECT event_id, count(*) FROM events GROUP BY event_id') } // '';
		return !grep { !$seen{$_} } keys %expected;
	}, "all events to be applied $what", $seconds // 180);
	Test::More::is(scalar(grep { $_ != 1 } values %seen), 0, "each event is in the log once $what");
	return $self->sums_ok($what);
}

# What the sums say, and what the raw rows add up to: the same, row by row.
my %sums = (
	event_minute => [ 'SELECT minute, event_type, sum(events), sum(units), sum(revenue) FROM event_minute GROUP BY 1, 2',
	    q{SELECT date_trunc('minute', timestamp), event_type, count(*), coalesce(sum(quantity) FILTER (WHERE event_type = 'purchase'), 0), coalesce(sum(total_amount) FILTER (WHERE event_type = 'purchase'), 0.00) FROM events GROUP BY 1, 2} ],
	event_day => [ 'SELECT day, event_type, sum(events), sum(units), sum(revenue) FROM event_day GROUP BY 1, 2',
	    q{SELECT timestamp::date, event_type, count(*), coalesce(sum(quantity) FILTER (WHERE event_type = 'purchase'), 0), coalesce(sum(total_amount) FILTER (WHERE event_type = 'purchase'), 0.00) FROM events GROUP BY 1, 2} ],
	product_minute => [ 'SELECT minute, product_id, category, sum(orders), sum(units), sum(revenue) FROM product_minute GROUP BY 1, 2, 3',
	    q{SELECT date_trunc('minute', timestamp), product_id, category, count(*), sum(quantity), sum(total_amount) FROM events WHERE event_type = 'purchase' GROUP BY 1, 2, 3} ],
	sales_by_category => [ 'SELECT day, category, orders, units, revenue FROM sales_by_category',
	    q{SELECT timestamp::date, category, count(*), sum(quantity), sum(total_amount) FROM events WHERE event_type = 'purchase' GROUP BY 1, 2} ],
	top_products => [ 'SELECT day, product_id, orders, units, revenue FROM top_products',
	    q{SELECT timestamp::date, product_id, count(*), sum(quantity), sum(total_amount) FROM events WHERE event_type = 'purchase' GROUP BY 1, 2} ],
	daily_metrics => [ 'SELECT day, events, page_views, orders, revenue, users, sessions, buying_sessions FROM daily_metrics',
	    q{SELECT timestamp::date, count(*), count(*) FILTER (WHERE event_type = 'page_view'), count(*) FILTER (WHERE event_type = 'purchase'), coalesce(sum(total_amount) FILTER (WHERE event_type = 'purchase'), 0.00), count(DISTINCT user_id), count(DISTINCT session_id), count(DISTINCT session_id) FILTER (WHERE event_type = 'purchase') FROM events GROUP BY 1} ],
	transactions => [ 'SELECT event_id, product_id, quantity, total_amount FROM transactions', q{SELECT event_id, product_id, quantity, total_amount FROM events WHERE event_type = 'purchase'} ],
	event_seen => [ 'SELECT event_id, timestamp FROM event_seen', 'SELECT event_id, timestamp FROM events' ]);

sub sums_ok
{
	my ($self, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $sql = join ' UNION ALL ', map { "SELECT '$_' AS name, count(*) FROM (($sums{$_}[0] EXCEPT ALL $sums{$_}[1]) UNION ALL ($sums{$_}[1] EXCEPT ALL $sums{$_}[0])) AS differ" } sort keys %sums;
	my @differ = grep { !/\|0$/ } split /\n/, $self->psql($sql);
	return Test::More::is("@differ", '', "all sums agree with the log $what");
}

1;
