#!/usr/bin/perl
# jobs-time.t - only the database's clock counts; cron lines fire once; --once does what is due and leaves.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::Chores;
use Test::More;
use Time::HiRes qw(time);

# The monotonic clock is left alone: it is what deadlines are measured by, and nobody can set it.
sub wrong_clock { return [ '/usr/bin/env', 'DONT_FAKE_MONOTONIC=1', 'FAKETIME_DONT_FAKE_MONOTONIC=1', '/usr/bin/faketime', '-f', $_[0] ] }

# A sanitizer's library must be loaded first, and so must the one that lies.
open my $stamp, '<', Ostler::build() . '/variant' or die "nothing is built: $!\n";
my $sanitized = <$stamp> !~ /^plain/;

for my $off ($sanitized ? () : qw(+1h -1h)) {
	subtest "a worker whose clock is off by $off" => sub {
		my $stack = Ostler::Chores->start(jobs => 1, before => { jobs => wrong_clock($off) });
		my $far = $stack->post('/later', json => { delay_ms => 1800_000 })->{json}{task_id};
		my $soon = $stack->post('/later', json => { delay_ms => 1000 })->{json}{task_id};
		my $now = $stack->enqueue('chores.note', { name => 'x', ms => 2500 });
		$stack->until_state($_, 'completed') for $soon, $now;
		cmp_ok $stack->psql("SELECT extract(epoch FROM at - created_at) FROM effects, job_done WHERE job = id AND id = '$soon'"), '>=', 1, 'a job is done when its time has come';
		is $stack->value_of($now, 'attempt'), 1, 'a lease is not over before its time';
		is $stack->state_of($far), 'scheduled', 'and what is due later waits';
		my ($line) = $stack->job_lines($now);
		my $hour = $stack->psql("SELECT round(extract(epoch FROM timestamptz '$line->{time}' - now()) / 3600)");
		is $hour, $off eq '+1h' ? 1 : -1, 'the clock really was off';
		$stack->stop;
	};
}

subtest 'cron lines and --once' => sub {
	my $stack = Ostler::Chores->start(jobs => 1, pools => { jobs => { stop_timeout => '3s' } });
	$stack->wait_for(sub { $stack->psql('SELECT count(*) FROM job_cron') == 1 }, 'the leader to know its lines', 20);
	is $stack->psql(q{SELECT to_char(next_at, 'MM-DD HH24:MI') FROM job_cron}), '01-01 00:00', 'it knows when a line is due';
	my $year = $stack->psql('SELECT extract(year FROM next_at) FROM job_cron');
	# It was due while nobody led, several times over.
	$stack->psql(q{UPDATE job_cron SET next_at = now() - interval '3 years'});
	kill 'KILL', $stack->pids('jobs');
	$stack->wait_for(sub { $stack->effects(q{name = 'new year'}) }, 'the line to fire', 30);
	$stack->until_over;
	is $stack->effects(q{name = 'new year'}), 1, 'once, however often it was due';
	is $stack->psql('SELECT extract(year FROM next_at) FROM job_cron'), $year, 'and it is due next when it should be';

	$stack->psql('UPDATE job_kind SET paused_at = now()');
	my @ids = map { $stack->enqueue('chores.note') } 1 .. 5;
	my $later = $stack->post('/later', json => { delay_ms => 3600_000 })->{json}{task_id};
	# The supervisor would start another at once: it shall not look for a while.
	my @workers = $stack->pids('jobs');
	kill 'STOP', $stack->pid;
	kill 'KILL', @workers;
	$stack->wait_for(sub { $stack->psql(q{SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '%jobs'}, 'postgres') == 0 }, 'the workers to be gone', 20);
	$stack->psql('UPDATE job_kind SET paused_at = NULL');
	my (undef, $status) = $stack->role('jobs', '--once');
	is $status, 0, 'jobs --once ends';
	is $stack->state_of($_), 'completed', 'it has done what was there' for @ids;
	is $stack->state_of($later), 'scheduled', 'and nothing before its time';
	kill 'CONT', $stack->pid;
	$stack->stop;
};

done_testing;
