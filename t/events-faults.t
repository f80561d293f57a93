#!/usr/bin/perl
# events-faults.t - whatever dies, hangs or comes in between: each event that was acknowledged has its effect once.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::Events;
use Ostler::Settings;
use Ostler::Tree;
use Test::More;
use Time::HiRes qw(sleep time);

my $stack = Ostler::Events->start(env => { CONSUMERS => 2 }, app => { broker_partitions => 6, broker_timeout => '1s', consume_database_timeout => '12s' });
my $app = Ostler::build() . '/ostler-app';

sub ctl { my @words = @_; return Ostler::run(Ostler::build() . '/ostlerctl', '-s', $stack->var . '/ctl/ostlerd.sock', @words) }
sub role { my @words = @_; return Ostler::run('/bin/sh', '-c', 'exec "$0" "$@" 2>&1', $app, '-c', $stack->var . '/etc/ostler-app.conf', @words) }
sub logged { return $stack->psql('SELECT count(*) FROM event_seen') }

# Sends events all the time, in another process, while CODE runs; what was acknowledged is noted.
sub under_load
{
	my ($code) = @_;
	my $notes = "$stack->{folder}/acknowledged";
	my $pid = fork // die "cannot fork: $!";
	if ($pid == 0) {
		$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
		open my $out, '>', $notes or POSIX::_exit(1);
		$out->autoflush;
		for (;;) {
			my @events = $stack->events(20);
			my $reply = eval { $stack->post('/api/events', json => \@events) } // { status => 0 };
			print {$out} map { "$_->{event_id}\n" } @events if $reply->{status} == 202;
			sleep 0.01;
		}
	}
	my $count = sub { open my $in, '<', $notes or return 0; my @lines = <$in>; return scalar @lines };
	my $more = sub { my $had = $count->(); $stack->wait_for(sub { $count->() >= $had + 100 }, 'more to be acknowledged', 60) };
	$more->();
	$code->($more);
	$more->();
	kill 'KILL', $pid;
	waitpid $pid, 0;
	$stack->{events} += 1_000_000;    # the child has counted on by itself
	open my $in, '<', $notes or die "no notes: $!";
	chomp(my @ids = <$in>);
	push @{ $stack->{acknowledged} }, grep { length == 36 } @ids;
	return scalar @ids;
}

subtest 'killed between commit and acknowledgement' => sub {
	$stack->send_ok([ $stack->events(50) ]);
	$stack->all_applied_ok('before');
	my $had = logged();
	my $lock = $stack->lock_table('event_seen');
	$stack->send_ok([ my @events = $stack->events(200) ], 'while nothing can be applied');
	$stack->wait_for(sub { $stack->psql(q{SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name LIKE '%consume'}, 'postgres') == 2 }, 'both to wait', 20);
	# They stand still while PostgreSQL commits what they have sent: so they never acknowledge it.
	my @consumers = $stack->pids('consume');
	kill 'STOP', @consumers;
	$lock->release;
	$stack->wait_for(sub { logged() > $had && $stack->psql(q{SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND application_name LIKE '%consume'}, 'postgres') == 0 }, 'the commits', 20);
	my $committed = logged() - $had;
	kill 'KILL', @consumers;
	$stack->wait_for(sub { my %old = map { $_ => 1 } @consumers; 2 == grep { !$old{$_} } $stack->pids('consume') }, 'two new ones', 30);
	$stack->wait_for(sub { my ($text) = ctl('metrics'); $text =~ /event_duplicates_total\{pool="consume"\} (\d+)/ && $1 >= $committed }, "$committed to have come again", 30);
	$stack->all_applied_ok('after that');
	is logged(), $had + 200, 'nothing is there twice';
};

subtest 'killed at any time' => sub {
	my $sent = under_load(sub {
		my ($more) = @_;
		for (1 .. 6) {
			kill 'KILL', $stack->pids('consume');
			$more->();
		}
	});
	cmp_ok $sent, '>', 700, "$sent events meanwhile";
	$stack->all_applied_ok('after six deaths');
};

subtest 'consumers join and leave' => sub {
	under_load(sub {
		my ($more) = @_;
		for my $wanted (4, 1, 3, 2) {
			ctl('scale', 'consume', $wanted);
			$stack->wait_for(sub { $stack->pids('consume') == $wanted }, "$wanted consumers", 30);
			$more->();
		}
		ctl('reload', 'consume', '--wait');
	});
	$stack->all_applied_ok('after all that');
};

subtest 'PostgreSQL dies' => sub {
	under_load(sub {
		my ($more) = @_;
		kill 'KILL', $stack->pids('database');
		$more->();
		kill 'INT', $stack->pids('database');
		$more->();
	});
	$stack->all_applied_ok('when it is back');
};

subtest 'PostgreSQL hangs' => sub {
	under_load(sub {
		my ($more) = @_;
		my $lock = $stack->lock_table('event_seen');
		my $cancelled = sub { return scalar grep { /canceling statement due to statement timeout/ } split /\n/, Ostler::Tree::slurp($stack->var . '/log/database.log') };
		my $had = $cancelled->();
		$more->();
		$stack->wait_for(sub { $cancelled->() > $had }, 'a statement to be cancelled, which is tried again', 120);
		$lock->release;
	});
	$stack->all_applied_ok('when it goes on');
};

subtest 'the broker dies' => sub {
	under_load(sub {
		my ($more) = @_;
		for (1 .. 3) {
			$stack->kill_broker;
			$more->();
		}
	});
	$stack->all_applied_ok('when it is back');
};

subtest 'the broker forgets' => sub {
	plan skip_all => 'only a Redis can be told to' unless $stack->on_redis;
	$stack->wait_for(sub { $stack->psql('SELECT sum(unread) FROM event_offset') == 0 }, 'nothing to be unread', 30);
	$stack->stream_redis('XGROUP', 'DESTROY', "events:$_", 'apply') for 0 .. 5;
	$stack->send_ok([ $stack->events(300) ], 'events go on coming');
	$stack->all_applied_ok('when it has forgotten its groups');
	$stack->stream_redis('FLUSHALL');
	$stack->send_ok([ $stack->events(300) ], 'and on');
	$stack->all_applied_ok('when it has forgotten everything');
};

subtest 'partitions are added' => sub {
	under_load(sub {
		my ($more) = @_;
		Ostler::Settings::apply($stack->var . '/etc', { app => { broker_partitions => 9 } });
		ctl('reload', $_, '--wait') for qw(consume web);
		# What nginx still holds of the old workers it gives up after seconds.
		$stack->wait_for(sub { $stack->psql('SELECT count(*) FROM event_offset WHERE partition >= 6') > 0 }, 'the new ones to be used', 30);
		$more->();
	});
	$stack->all_applied_ok('with more of them');
};

subtest 'dead letters go out once more' => sub {
	my @events = map { $stack->event(event_type => 'purchase', quantity => 13) } 1 .. 5;
	$stack->psql('ALTER TABLE transactions ADD CONSTRAINT not_thirteen CHECK (quantity <> 13)', 'ostler_owner');
	is $stack->post('/api/events', json => \@events)->{status}, 202, 'taken';
	$stack->publish(0, '{"nothing": "good"}');
	$stack->wait_for(sub { $stack->psql('SELECT count(*) FROM event_dead') == 6 }, 'six dead letters', 60);
	$stack->psql('ALTER TABLE transactions DROP CONSTRAINT not_thirteen', 'ostler_owner');
	my ($said, $status) = role('redrive');
	is $status, 0, 'redrive' or diag $said;
	like $said, qr/^6 dead letters were sent once more$/m, 'says how many';
	push @{ $stack->{acknowledged} }, map { $_->{event_id} } @events;
	$stack->all_applied_ok('that were dead');
	$stack->wait_for(sub { $stack->psql('SELECT count(*) FROM event_dead WHERE redriven_at IS NULL') == 1 }, 'what is still wrong to be back', 30);
	is $stack->psql(q{SELECT convert_from(body, 'UTF8') FROM event_dead WHERE redriven_at IS NULL}), '{"nothing": "good"}', 'as a new letter';
	like +(role('redrive'))[0], qr/^1 dead letters/m, 'the others do not go out again';
};

subtest 'added up anew' => sub {
	my $sums = sub { return join "\n", map { $stack->psql($_) } 'SELECT * FROM daily_metrics', 'SELECT * FROM sales_by_category ORDER BY day, category', 'SELECT * FROM top_products ORDER BY day, product_id' };
	$stack->wait_for(sub { $stack->psql('SELECT sum(unread) FROM event_offset') == 0 }, 'nothing to be unread', 30);
	my $before = $sums->();
	$stack->psql('UPDATE event_day SET events = events + 5, revenue = 0; DELETE FROM product_minute; DELETE FROM event_user_day', 'ostler_owner');
	isnt $sums->(), $before, 'sums that are wrong';
	my ($said, $status) = role('consume', '--from', POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time - 86_400)));
	is $status, 0, 'consume --from' or diag $said;
	like $said, qr/^[1-9]\d* events since \d{4}-\d\d-\d\d were added up anew$/m, 'says how many';
	is $sums->(), $before, 'are what they were';
	$stack->sums_ok('anew');
	for my $wrong ([ qr/is no day/, 'yesterday' ], [ qr/the log begins on/, '2020-01-01' ], [ qr/no kind of event/, '2026-01-01', 'birds' ]) {
		my ($text, $exit) = role('consume', '--from', @$wrong[1 .. $#$wrong]);
		is $exit, 2, "refused: @$wrong[1 .. $#$wrong]";
		like $text, $wrong->[0], 'with the reason';
	}
	under_load(sub { my ($more) = @_; (role('consume', '--from', POSIX::strftime('%Y-%m-%d', gmtime)))[1] == 0 or die; $more->() });
	$stack->all_applied_ok('added up anew under load');
};

$stack->stop;
done_testing;
