#!/usr/bin/perl
# jobs-faults.t - whatever dies, hangs, fills up or lies about the time: every job ends once, and its effect is there once.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::Chores;
use Ostler::Process qw(alive);
use Test::More;
use Time::HiRes qw(time);

my $stack = Ostler::Chores->start(jobs => 2, app => { jobs_finish => '1s', database_timeout => '5s', cache_timeout => undef },
	pools => { jobs => { stop_timeout => '3s' } });

sub worker_of
{
	my ($id) = @_;
	return $stack->wait_for(sub { $stack->psql("SELECT split_part(locked_by, ':', 2) FROM job WHERE id = '$id' AND state = 'running' AND started_at IS NOT NULL") }, "job $id to run", 30);
}

sub all_once
{
	my ($count, $what) = @_;
	is $stack->ended, "completed $count", "$what: all of them end, and well";
	is $stack->doubles, 0, 'each in one place';
	is $stack->psql('SELECT count(*) FROM (SELECT job FROM effects GROUP BY job HAVING count(*) = 1) AS once'), $count, 'each has its effect once';
	is $stack->effects, $count, 'and there is no other';
}

subtest 'a worker is killed in a job' => sub {
	my $id = $stack->enqueue('chores.note', { name => 'killed', ms => 1500 });
	my $pid = worker_of($id);
	kill 'KILL', $pid;
	my $killed = time;
	$stack->until_state($id, 'completed');
	all_once(1, 'a job whose worker died');
	is $stack->value_of($id, 'attempt'), 2, 'at its second attempt';
	like $stack->value_of($id, 'last_error'), qr/died or was cut off/, 'it says why';
	cmp_ok time - $killed, '>', 1.5, 'not before its lease had ended';
};

subtest 'a worker is stopped, and comes back when its lease has ended' => sub {
	$stack->clear;
	# Each in its turn: one of them leads, and who is stopped does not know that it leads no more.
	my (%stopped, $jobs);
	for (1 .. 20) {
		my $id = $stack->enqueue('chores.note', { name => 'cut off', ms => 600 });
		my $pid = worker_of($id);
		$jobs++;
		next if $stopped{$pid}++;
		kill 'STOP', $pid;
		$stack->wait_for(sub { $stack->state_of($id) eq 'completed' }, 'another worker to do it', 30);
		kill 'CONT', $pid;
		$stack->wait_for(sub { $stack->psql(q{SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '%jobs' AND state LIKE 'idle in transaction%'}, 'postgres') == 0 }, 'the first to give up', 30);
		last if keys %stopped == 2;
	}
	is scalar(keys %stopped), 2, 'both have been stopped';
	$stack->until_over;
	all_once($jobs, 'jobs of two workers each');
};

subtest 'a job that takes too long' => sub {
	$stack->clear;
	my $id = $stack->enqueue('chores.stuck', { name => 'stuck', ms => 120000 });
	my $pid = worker_of($id);
	$stack->wait_for(sub { !alive($pid) }, 'its process to be ended', 30);
	$stack->until_state($id, 'discarded');
	is $stack->value_of($id, 'attempt'), 2, 'it had its two attempts';
	is $stack->value_of($id, 'last_error'), 'it took longer than 1 s', 'and says why it failed';
	is $stack->effects, 0, 'what it had done is undone';
};

subtest 'a worker is told to end' => sub {
	$stack->clear;
	my $id = $stack->enqueue('chores.slow', { name => 'finished', ms => 700 });
	my $pid = worker_of($id);
	kill 'TERM', $pid;
	$stack->until_state($id, 'completed');
	is $stack->value_of($id, 'attempt'), 1, 'what it had begun is finished';
	$stack->wait_for(sub { !alive($pid) }, 'the process to end', 10);
	my $long = $stack->enqueue('chores.slow', { name => 'postponed', ms => 3000 });
	kill 'TERM', worker_of($long);
	$stack->until_state($long, 'completed');
	is $stack->value_of($long, 'attempt'), 1, 'what would take too long is told to stop, and does not burn an attempt';
	all_once(2, 'both');
};

subtest 'PostgreSQL is killed under load' => sub {
	$stack->clear;
	my $flag = "$stack->{folder}/enough";
	my $test = $$;
	my @callers = map { Ostler::App::spawn(sub {
		my @ids;
		until (-e $flag || getppid != $test) {
			my $reply = $stack->post('/order', json => { kind => 'chores.note', args => '{"name":"under load"}' });
			push @ids, $reply->{json}{task_id} if $reply->{status} == 202;
		}
		return \@ids;
	}) } 1 .. 3;
	for my $round (1 .. 2) {
		my $before = $stack->effects;
		$stack->wait_for(sub { $stack->effects > $before + 100 }, 'the load', 30);
		my ($pid) = $stack->pids('database');
		kill 'KILL', $stack->family('database');
		$stack->wait_for(sub { my ($now) = $stack->pids('database'); $now && $now != $pid && eval { $stack->psql('SELECT 1'); 1 } }, 'another PostgreSQL', 60);
	}
	my $before = $stack->effects;
	$stack->wait_for(sub { $stack->effects > $before + 100 }, 'the load to go on', 30);
	open my $out, '>', $flag or die "cannot write $flag: $!";
	close $out;
	my @ids = map { @$_ } map { Ostler::App::collect($_) } @callers;
	$stack->until_over;
	cmp_ok scalar(@ids), '>', 300, 'there was some';
	my $list = join ',', map { "('$_'::uuid)" } @ids;
	is $stack->psql("SELECT count(*) FROM (VALUES $list) AS told (id) WHERE (SELECT count(*) FROM job_done WHERE job_done.id = told.id AND state = 'completed') <> 1"), 0, 'each job that was acknowledged has ended well, once';
	is $stack->psql('SELECT count(*) FROM job_done WHERE (SELECT count(*) FROM effects WHERE job = id) <> 1'), 0, 'each has its effect once';
	is $stack->doubles, 0, 'none is in two places';
};

subtest 'backends are terminated' => sub {
	$stack->clear;
	$stack->enqueue_many('chores.note', 1500);
	for (1 .. 8) {
		my $before = $stack->effects;
		$stack->psql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%jobs' ORDER BY random() LIMIT 2}, 'postgres');
		$stack->wait_for(sub { $stack->effects > $before || $stack->waiting == 0 }, 'work to go on', 30);
	}
	$stack->until_over(120);
	all_once(1500, 'jobs of broken connections');
};

subtest 'no connection is to be had' => sub {
	$stack->clear;
	# What the workers hold themselves stays; what their jobs need is refused.
	my $id = $stack->enqueue('chores.note');
	$stack->until_state($id, 'completed');
	my $held = $stack->psql(q{SELECT count(*) FROM pg_stat_activity WHERE usename = 'ostler_app'}, 'postgres');
	$stack->psql(q{ALTER ROLE ostler_app CONNECTION LIMIT 1}, 'postgres');
	$stack->enqueue_many('chores.note', 30, 3);
	# Idle connections of handlers are of no more use.
	$stack->psql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%jobs' AND query LIKE 'COMMIT%'}, 'postgres');
	$stack->wait_for(sub { $stack->psql(q{SELECT count(*) FROM job WHERE last_error LIKE '%could not be reached%'}) > 0 || $stack->waiting == 0 }, 'jobs to be put off', 30);
	$stack->psql(q{ALTER ROLE ostler_app CONNECTION LIMIT -1}, 'postgres');
	$stack->until_over;
	all_once(31, 'jobs that found no connection');
	is $stack->psql('SELECT max(attempt) FROM job_done'), 1, 'and none has burnt an attempt for that';
};

subtest 'many that fail beside some that do not' => sub {
	$stack->clear;
	$stack->enqueue_many('chores.doomed', 10000, 1);
	$stack->enqueue_many('chores.note', 200);
	my $began = time;
	$stack->wait_for(sub { $stack->effects(q{name ~ '^n'}) >= 200 }, 'the good ones to be done', 60);
	my $left = $stack->waiting;
	$stack->until_over(120);
	is $stack->ended, 'completed 200, discarded 10000', 'all have ended';
	is $stack->psql(q{SELECT count(*) FROM job_done WHERE state = 'discarded' AND last_error LIKE 'no luck with%'}), 10000, 'dead letters keep their error';
	cmp_ok $left, '>', 0, "the good ones did not wait for the others ($left left)";
};

subtest 'one job of many kills its worker' => sub {
	$stack->clear;
	$stack->enqueue_many('chores.again', 300);
	$stack->until_over;
	$stack->clear;
	$stack->psql(q{UPDATE job_kind SET paused_at = now() WHERE kind = 'chores.again'});
	$stack->enqueue_many('chores.again', 60);
	$stack->psql(q{UPDATE job SET args = '{"name":"poison"}', max_attempts = 2 WHERE id = (SELECT id FROM job ORDER BY run_at, id LIMIT 1 OFFSET 30)}, 'postgres');
	$stack->psql(q{UPDATE job_kind SET paused_at = NULL WHERE kind = 'chores.again'});
	$stack->until_over;
	is $stack->ended, 'completed 59, discarded 1', 'it becomes a dead letter, and nothing else does';
	is $stack->psql(q{SELECT last_error FROM job_done WHERE state = 'discarded'}) =~ /died or was cut off/, 1, 'that says why';
	is $stack->psql(q{SELECT max(attempt) FROM job_done WHERE state = 'completed'}), 1, 'its neighbours have not burnt an attempt'
	    or diag $stack->psql('SELECT id, attempt, started_at, finished_at, ms, last_error FROM job_done ORDER BY started_at'), "\n", scalar qx(grep -h -v completed $stack->{folder}/var/log/jobs.log | tail -60);
};

subtest 'an old snapshot' => sub {
	$stack->clear;
	my $old = $stack->hold_snapshot;
	my @seconds;
	for my $half (1 .. 2) {
		$stack->enqueue_many('chores.fast', 15000);
		my $began = time;
		$stack->until_over(120);
		push @seconds, time - $began;
	}
	$old->release;
	cmp_ok $seconds[1], '<', 3 * $seconds[0] + 1, sprintf 'the second half is not much slower than the first (%.1f s, %.1f s)', reverse @seconds;
	is $stack->ended, 'completed 30000', 'all have ended';
};

subtest 'Redis is gone' => sub {
	$stack->clear;
	my ($cache) = $stack->pids('cache');
	kill 'STOP', $cache;
	$stack->enqueue('chores.note') for 1 .. 5;
	$stack->enqueue_many('chores.note', 20);
	$stack->until_over;
	kill 'CONT', $cache;
	all_once(25, 'jobs without Redis');
};

$stack->stop;
done_testing;
