#!/usr/bin/perl
# postgresql-gone.t - a database that is dead, silent, locked or short of connections: every request is answered in time, and it recovers by itself.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::App;
use Ostler::Awake;
use Test::More;

my $timeout = 1;
my $stack = Ostler::App->start(app => { threads => 8, database_connections => 4, database_timeout => "${timeout}s", database_retry => '200ms' });
my $workers = $stack->workers;

# Requests of every kind that needs the database.
my $id = $stack->get('/api/tasks?limit=1')->{json}{items}[0]{id};
my @kinds = ([ GET => '/api/tasks?limit=5' ], [ GET => "/api/tasks/$id" ], [ POST => '/api/tasks', json => { title => 'Meanwhile' } ],
	[ PATCH => "/api/tasks/$id", json => { title => 'Meanwhile' } ], [ POST => '/add', form => { title => 'Meanwhile' } ], [ GET => '/ready' ]);

sub median { my @sorted = sort { $a <=> $b } @_; return $sorted[ @sorted / 2 ] }

sub unavailable
{
	my ($reply, $what) = @_;
	problem_ok $reply, 503, $what;
	is $reply->{headers}{'retry-after'}, 1, 'with Retry-After';
}

sub recovers
{
	# Each worker finds out for itself, so all that answer at once must say so.
	$stack->wait_for(sub { !grep { $_->{status} != 200 } $stack->at_once(([ GET => '/ready' ]) x 16) },
	    'both workers to be ready again', 60);
	my @bad = undisturbed(sub { grep { $_->{status} >= 500 } map { $stack->request(@$_) } @kinds });
	is_deeply \@bad, [], 'it recovers by itself, and every kind of request is answered';
	@bad = undisturbed(sub { grep { $_->{status} != 200 } $stack->at_once(([ GET => '/api/tasks?limit=5' ]) x 16) });
	is_deeply \@bad, [], 'by both workers';
}

# How long a request takes here when nothing but the process itself is asked.
sub usual_seconds
{
	return median(map { $stack->timed(GET => '/ping')->{seconds} } 1 .. 9);
}

subtest 'PostgreSQL is killed' => sub {
	my ($supervisor, @family) = ($stack->pid, $stack->family('database'));
	# The supervisor would start it again at once: it shall be gone for as long as this takes.
	kill 'STOP', $supervisor;
	kill 'KILL', @family;
	# The first may have to find out; from then on everybody is told at once.
	$stack->request(@$_) for @kinds, @kinds;
	my @seconds;
	for my $kind ((@kinds) x 3) {
		my ($reply) = undisturbed(sub { $stack->timed(@$kind) });
		push @seconds, $reply->{seconds};
		unavailable($reply, "$kind->[0] $kind->[1]");
	}
	my $median = median(@seconds) - usual_seconds();
	cmp_ok $median, '<', 0.1, sprintf 'within 100 ms (%.1f)', 1000 * $median;
	cmp_ok((sort { $b <=> $a } @seconds)[0], '<', 1, 'and none in more than ten times that');
	my $health = $stack->get('/health');
	is $health->{status}, 503, '/health';
	is $health->{json}{status}, 'unhealthy', 'tells that it is unhealthy';
	is $health->{json}{checks}{database}{status}, 'unhealthy', 'because of the database';
	is $health->{json}{checks}{redis}{status}, 'healthy', 'not because of Redis';
	is $stack->get('/live')->{status}, 200, 'the process itself lives';
	my @replies = $stack->at_once(map { [ GET => "/api/tasks?limit=$_" ] } 1 .. 24);
	is_deeply [ grep { $_->{status} != 503 } @replies ], [], 'many at once are all told';
	kill 'CONT', $supervisor;
	recovers();
};

subtest 'PostgreSQL restarts under load' => sub {
	my $flag = "$stack->{folder}/enough";
	my $test = $$;
	my @readers = map { Ostler::App::spawn(sub {
		my (%count, $slowest);
		until (-e $flag || getppid != $test) {
			my $reply = $stack->timed(@{ $kinds[ rand @kinds ] });
			$count{ $reply->{status} }++;
			$slowest = $reply->{awake} if $reply->{awake} > ($slowest // 0);
		}
		return { count => \%count, slowest => $slowest };
	}) } 1 .. 4;
	for my $signal (qw(KILL INT)) {
		my ($pid) = $stack->pids('database');
		kill $signal, $pid;
		$stack->wait_for(sub { my ($now) = $stack->pids('database'); $now && $now != $pid }, 'another PostgreSQL', 60);
		$stack->wait_for(sub { $stack->get('/ready')->{status} == 200 }, 'it to be ready', 60);
	}
	open my $out, '>', $flag or die "cannot write $flag: $!";
	close $out;
	my @got = map { Ostler::App::collect($_) } @readers;
	my %status = map { map { $_ => 1 } keys %{ $_->{count} } } @got;
	delete @status{qw(200 201 303 503)};
	is_deeply [ keys %status ], [], 'every request was answered, or told to come back';
	cmp_ok((sort { $b <=> $a } map { $_->{slowest} } @got)[0], '<', 10 * $timeout, 'in time');
	recovers();
};

subtest 'PostgreSQL is silent' => sub {
	my @family = $stack->family('database');
	cmp_ok scalar(@family), '>', 3, 'the server and its children';
	$stack->at_once(([ GET => '/api/tasks?limit=5' ]) x 16);
	@family = $stack->family('database');
	kill 'STOP', @family;
	for my $round (1 .. 3) {
		my @replies = $stack->at_once(@kinds, @kinds, @kinds, @kinds);
		is_deeply [ map { "$_->{status} $_->{content}" } grep { $_->{status} != 503 } @replies ], [], "round $round: all are told";
		my ($slowest) = sort { $b <=> $a } map { $_->{awake} } @replies;
		# Its own patience, and what a busy machine needs for twenty-four processes.
		cmp_ok $slowest, '<', $timeout + 3, sprintf 'by their deadline (%.2f s)', $slowest;
	}
	my $reply = $stack->get('/health');
	is $reply->{json}{status}, 'unhealthy', 'it tells that it is unhealthy';
	is $stack->get('/ping')->{status}, 200, 'what needs no database is answered';
	kill 'CONT', @family;
	recovers();
};

my $sessions = q{SELECT pid FROM pg_stat_activity WHERE application_name = 'ostler-app web'};

subtest 'a statement waits for a lock for too long' => sub {
	$stack->at_once(([ GET => '/api/tasks?limit=5' ]) x 16);
	my @before = split /\n/, $stack->psql($sessions, 'postgres');
	for my $kind (@kinds[ 0 .. 4 ]) {
		my $lock = $stack->lock_table('tasks');
		my $reply = $stack->timed(@$kind);
		unavailable($reply, "$kind->[0] $kind->[1]");
		cmp_ok $reply->{awake}, '<', $timeout + 3, 'in time';
		is +(undisturbed(sub { $stack->get('/ready')->{status} }))[0], 200, 'the stack is ready all the same';
		$lock->release;
		is +(undisturbed(sub { $stack->get("/api/tasks/$id")->{status} }))[0], 200, 'and answers when the lock is gone';
	}
	my %after = map { $_ => 1 } split /\n/, $stack->psql($sessions, 'postgres');
	is_deeply [ grep { !$after{$_} } @before ], [], 'over the same connections';
};

subtest 'more requests than connections' => sub {
	my @replies = undisturbed(sub { $stack->at_once(map { [ GET => "/api/tasks?limit=$_" ] } 1 .. 40) });
	is_deeply [ grep { $_->{status} != 200 } @replies ], [], 'all are answered';
	my $count = () = $stack->psql($sessions, 'postgres') =~ /\d+/g;
	cmp_ok $count, '<=', 8, "over no more connections than allowed ($count of two times 4)";
	my $lock = $stack->lock_table('tasks');
	@replies = $stack->at_once(([ GET => "/api/tasks/$id" ]) x 24);
	is_deeply [ grep { $_->{status} != 503 || $_->{awake} > $timeout + 3 } @replies ], [], 'those that wait for one in vain are told in time';
	is +(undisturbed(sub { $stack->get('/ready')->{status} }))[0], 200, 'which says nothing against the server';
	$lock->release;
	recovers();
};

subtest 'the server has no connection to give' => sub {
	my @terminate = ('SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = $$ostler-app web$$', 'postgres');
	$stack->psql('ALTER ROLE ostler_app CONNECTION LIMIT 0', 'postgres');
	$stack->psql(@terminate);
	$stack->request(@$_) for @kinds, @kinds;
	unavailable($stack->request(@$_), "$_->[0] $_->[1]") for @kinds;
	$stack->psql('ALTER ROLE ostler_app CONNECTION LIMIT -1', 'postgres');
	recovers();
	for (1 .. 5) {
		my @bad = undisturbed(sub { $stack->psql(@terminate); return grep { $_->{status} >= 500 } map { $stack->request(@$_) } @kinds });
		is_deeply \@bad, [], 'a connection that was ended while it rested is not noticed by anybody';
	}
};

is $stack->workers, $workers, 'the workers are those of the beginning';
is $stack->psql(q{SELECT count(*) FROM tasks WHERE title NOT LIKE '% %' AND title <> 'Meanwhile'}), 0, 'and nothing strange was written';
my @wrong = grep { ($_->{status} // 0) == 500 || $_->{broken} } $stack->log_lines;
is join("\n", map { JSON::PP->new->canonical->encode($_) } @wrong), '', 'nothing was answered with a 500';
$stack->stop;
done_testing;
