#!/usr/bin/perl
# transactions.t - the statements of a route that says so happen together or not at all, whatever breaks meanwhile.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::Accounts;
use Ostler::App;
use Test::More;

my $stack = Ostler::Accounts->start(app => { threads => 4, database_connections => 2 });
my $workers = $stack->workers;

sub move { my ($giver, $taker, $amount, %more) = @_; return [ POST => $more{path} // '/transfers', json => { giver => $giver, taker => $taker, amount => $amount, $more{pause} ? (pause => $more{pause}) : () } ] }

# What became of it, in one line.
sub state_of { return $stack->balances . '; ' . $stack->transfers }

# The application's sessions that are in a transaction just now.
sub open_transactions
{
	return $stack->psql(q{SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '%web' AND state LIKE 'idle in transaction%'}, 'postgres');
}

subtest 'all of it or nothing' => sub {
	my $made = $stack->request(@{ move(1, 2, 30) });
	is $made->{status}, 201, 'money moves';
	is $made->{json}{amount}, 30, 'as the last statement tells';
	is state_of(), '70 130 100; 1', 'all three statements have happened';
	problem_ok $stack->request(@{ move(1, 2, 71) }), 409, 'the first statement says no';
	problem_ok $stack->request(@{ move(2, 99, 10) }), 409, 'the last statement says no';
	problem_ok $stack->request(@{ move(2, 1, 10, path => '/rather-not') }), 409, 'the handler itself says no';
	my $hasty = $stack->request(@{ move(1, 2, 10, path => '/hasty/3') });
	problem_ok $hasty, 409, 'a statement says no behind the answer';
	is $hasty->{headers}{location}, undef, 'which is forgotten';
	is state_of(), '70 130 100; 1', 'and nothing has happened';
	is open_transactions(), 0, 'no transaction is left open';
	is $stack->post('/nothing')->{status}, 204, 'a handler that asks nothing';
	is $stack->request(@{ move(1, 2, 1, path => '/later') })->{status}, 204, 'twenty statements for later';
	is $stack->balances, '60 140 100', 'go out by themselves';
	my $refused = $stack->request(@{ move(1, 2, 7, path => '/later') });
	problem_ok $refused, 409, 'one of them says no';
	like $refused->{json}{detail}, qr/no_debts/, 'and its constraint is named';
	is $stack->balances, '60 140 100', 'and nothing has happened';
};

# Begins to move money and waits until all is done but for the last statement, which waits for LOCK.
sub half_moved
{
	my ($move) = @_;
	my $lock = $stack->lock_table('transfers');
	my $moving = $stack->begin($move);
	$stack->wait_for(sub { $stack->waiting_for_locks }, 'it to wait for its last statement');
	return ($moving, $lock);
}

subtest 'nobody sees half of it' => sub {
	$stack->reset;
	my ($moving, $lock) = half_moved(move(1, 2, 40));
	is $stack->get('/accounts/1')->{json}{balance}, 100, 'money that is on its way has not left';
	$lock->release;
	is +($moving->())[0]{status}, 201, 'it arrives';
	is $stack->balances, '60 140 100', 'whole';
};

subtest 'more transactions than connections' => sub {
	$stack->reset;
	# Always from a lower account to a higher one: in a circle, three of them could wait for each other.
	my @replies = $stack->at_once((move(1, 2, 1), move(2, 3, 1), move(1, 3, 1)) x 8);
	is_deeply [ grep { $_->{status} != 201 } @replies ], [], 'all are answered';
	is state_of(), '84 100 116; 24', 'and all have happened';
};

# How many deadlocks the server has counted; it does so now and then.
sub deadlocks { return $stack->psql(q{SELECT deadlocks FROM pg_stat_database WHERE datname = 'ostler'}, 'postgres') }

# Two that take from the one and the other meet if each pauses before it gives.  A lock lets them go
# at the same time; should one pause be over before the other begins all the same, they try again.
subtest 'a deadlock is nobody\'s fault' => sub {
	my $met = 0;
	for (my $tries = 0; !$met && $tries < 10; $tries++) {
		$stack->reset;
		my $lock = $stack->lock_table('accounts');
		my $moving = $stack->begin(move(1, 2, 10, pause => 0.5), move(2, 1, 5, pause => 0.5));
		$stack->wait_for(sub { $stack->waiting_for_locks == 2 }, 'both to be there');
		$lock->release;
		is_deeply [ map { $_->{status} } $moving->() ], [ 201, 201 ], 'the one that was undone is done again';
		is state_of(), '95 105 100; 2', 'once';
		$met = eval { $stack->wait_for(\&deadlocks, 'the server to count it', 5) };
	}
	ok $met, 'and there was a deadlock';
};

subtest 'a session that ends in the middle' => sub {
	$stack->reset;
	my ($moving, $lock) = half_moved(move(1, 2, 10));
	$stack->psql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name LIKE 'ostler-app%'}, 'postgres');
	$lock->release;
	is +($moving->())[0]{status}, 201, 'nothing had happened, so it is done again';
	is state_of(), '90 110 100; 1', 'once';
};

subtest 'a worker that is killed in the middle' => sub {
	$stack->reset;
	my ($moving, $lock) = half_moved(move(1, 2, 10));
	kill 'KILL', $stack->pids('web');
	$lock->release;
	is +($moving->())[0]{status}, 502, 'it is not answered';
	$stack->wait_for(sub { open_transactions() == 0 && $stack->waiting_for_locks == 0 }, 'the database to be done with it', 20);
	is state_of(), '100 100 100; 0', 'and nothing has happened';
	$stack->wait_for(sub { $stack->request(@{ move(1, 2, 10) })->{status} == 201 }, 'other workers', 30);
	$workers = $stack->workers;
};

subtest 'a database that is gone' => sub {
	$stack->reset;
	$stack->impatient(database_timeout => '1s');
	my $lock = $stack->lock_table('transfers');
	my $reply = $stack->request(@{ move(1, 2, 10) });
	problem_ok $reply, 503, 'a statement that waits too long';
	is $reply->{headers}{'retry-after'}, 1, 'with Retry-After';
	unlike $reply->{json}{detail}, qr/may or may not/, 'and no doubt that nothing has happened';
	$lock->release;
	is state_of(), '100 100 100; 0', 'which is so';
	my @family = $stack->family('database');
	my $supervisor = $stack->pid;
	kill 'STOP', $supervisor;
	kill 'KILL', @family;
	my @replies = map { $stack->request(@{ move(1, 2, 10) }) } 1 .. 4;
	problem_ok $_, 503, 'without PostgreSQL' for @replies;
	kill 'CONT', $supervisor;
	$stack->patient;
	$workers = $stack->workers;
	$stack->wait_for(sub { !grep { $_->{status} != 201 } $stack->at_once((move(1, 2, 1)) x 8) }, 'money to move again', 60);
	is open_transactions(), 0, 'no transaction is left open';
};

is $stack->workers, $workers, 'the workers are those of the beginning';
$stack->stop;
done_testing;
