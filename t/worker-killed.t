#!/usr/bin/perl
# worker-killed.t - a worker that is killed takes its own requests with it and nothing else; one that is told to end takes none.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::App;
use Ostler::Process qw(alive);
use Test::More;

my $threads = 4;
my $stack = Ostler::App->start(app => { threads => $threads, database_timeout => '30s', database_connections => 8 });

sub two_workers
{
	my (@gone) = @_;
	$stack->wait_for(sub {
		my @now = $stack->pids('web');
		my $pools = ($stack->status // {})->{pools} or return;
		my ($web) = grep { $_->{name} eq 'web' } @$pools;
		my $ready = grep { $_->{state} eq 'ready' } @{ $web->{workers} };
		return $ready == 2 && !grep { my $pid = $_; grep { $_ == $pid } @gone } @now;
	}, 'two workers that are not @gone', 30);
	return $stack->pids('web');
}

# Begins requests that wait for a lock, until more of them wait than one worker has threads: then
# both workers hold some.
sub both_busy
{
	my (@requests) = @_;
	my $replies = $stack->begin(@requests);
	$stack->wait_for(sub { $stack->waiting_for_locks > $threads }, 'requests of both workers to wait in the database', 20);
	return $replies;
}

subtest 'killed in the middle of requests' => sub {
	my @workers = two_workers();
	my $lock = $stack->lock_table('tasks');
	my $replies = both_busy(map { [ GET => "/api/tasks?limit=$_" ] } 1 .. 4 * $threads);
	kill 'KILL', $workers[0];
	$stack->wait_for(sub { !alive($workers[0]) }, 'the worker to be dead', 10);
	two_workers($workers[0]);
	ok alive($workers[1]), 'the other worker lives on';
	$lock->release;
	is $stack->get('/api/tasks')->{status}, 200, 'and requests are answered';
	my @replies = $replies->();
	my %count;
	$count{ $_->{status} }++ for @replies;
	cmp_ok $count{200} // 0, '>=', $threads, 'the requests in the other worker are answered';
	is_deeply [ grep { !/^(200|502)$/ } keys %count ], [], 'those in the killed one are repeated or end with 502';
	problem_ok $_, 502, 'a request of the dead' for grep { $_->{status} == 502 } @replies;
	my @workers_now = two_workers();
	isnt $workers_now[0], $workers[0], 'the dead one has been replaced';
	is $workers_now[1], $workers[1], 'the other has not';
};

subtest 'killed in the middle of a change' => sub {
	my @workers = two_workers();
	my $lock = $stack->lock_table('tasks');
	my $replies = both_busy(map { [ POST => '/api/tasks', json => { title => "Written once $_" } ] } 1 .. 4 * $threads);
	kill 'KILL', $workers[1];
	two_workers($workers[1]);
	$lock->release;
	my @replies = $replies->();
	my ($made, $lost) = map { my $status = $_; scalar(grep { $_->{status} == $status } @replies) } 201, 502;
	is $made + $lost, scalar(@replies), 'each is made or lost';
	cmp_ok $made, '>=', $threads, 'those in the other worker are made';
	cmp_ok $lost, '>=', 1, 'those in the killed one end with 502: nginx repeats no POST';
	$stack->wait_for(sub { $stack->waiting_for_locks == 0 }, 'the database to be done', 20);
	my %rows = map { split /\|/ } split /\n/, $stack->psql(q{SELECT title, count(*) FROM tasks WHERE title LIKE 'Written once %' GROUP BY title});
	is_deeply [ grep { !$rows{$_} } map { $_->{json}{title} } grep { $_->{status} == 201 } @replies ], [], 'each change that was acknowledged is there';
	is_deeply [ grep { $_ != 1 } values %rows ], [], 'and none is there twice';
};

subtest 'both killed at once' => sub {
	my @workers = two_workers();
	kill 'KILL', @workers;
	$stack->wait_for(sub { !grep { alive($_) } @workers }, 'both to be dead', 10);
	# The supervisor holds the socket: who comes now waits for the next worker.
	is $stack->get('/api/tasks')->{status}, 200, 'the next request waits for the next worker';
	two_workers(@workers);
};

# Writes tasks until FLAG exists, or the test is gone; returns how often each status came.
sub write_until
{
	my ($flag, $name) = @_;
	my (%count, $number);
	my $test = getppid;
	until (-e $flag || getppid != $test) {
		my $reply = $stack->post('/api/tasks', json => { title => "Under load $name", description => 'no. ' . ++$number });
		$count{ $reply->{status} }++;
	}
	return \%count;
}

subtest 'told to end under load' => sub {
	my $flag = "$stack->{folder}/enough";
	my @writers = map { my $name = $_; Ostler::App::spawn(sub { write_until($flag, $name) }) } 1 .. 6;
	my $written = sub { $stack->psql(q{SELECT count(*) FROM tasks WHERE title LIKE 'Under load %'}) };
	for my $which ([0], [1], [ 0, 1 ]) {
		my $before = $written->();
		$stack->wait_for(sub { $written->() > $before + 50 }, 'the load', 20);
		my @workers = (two_workers())[@$which];
		kill 'TERM', @workers;
		$stack->wait_for(sub { !grep { alive($_) } @workers }, 'the worker to end', 20);
		two_workers(@workers);
	}
	open my $out, '>', $flag or die "cannot write $flag: $!";
	close $out;
	my %count;
	for my $one (map { Ostler::App::collect($_) } @writers) {
		$count{$_} += $one->{$_} for keys %$one;
	}
	is_deeply [ keys %count ], [201], 'every request was answered as if nothing had happened';
	is $written->(), $count{201}, "and is in the table once ($count{201})";
	is scalar(split /\n/, $stack->psql(q{SELECT DISTINCT title || '/' || description FROM tasks WHERE title LIKE 'Under load %'})), $count{201}, 'none twice';
};

$stack->stop;
done_testing;
