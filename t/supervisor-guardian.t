#!/usr/bin/perl
# supervisor-guardian.t - no worker outlives ostlerd, and ostlerd can be the first process there is.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::Process qw(wait_for alive);
use Ostler::Supervisor;
use Test::More;
use Time::HiRes qw(time sleep);

# Ignores all that can be ignored, has a child that does so, too, and prints both numbers.
my $deaf = [ $^X, '-e', <<'PERL' ];
$| = 1;
$SIG{$_} = "IGNORE" for qw(TERM INT HUP PIPE USR1);
my $child = fork // die;
if ($child) { open my $out, ">", "$ENV{DIARY}.$ENV{OSTLER_SLOT}"; print $out "$$ $child\n" }
sleep 1 while 1;
PERL

sub deaf_pool
{
	my (%more) = @_;
	return { kind => 'worker', workers => \2, command => $deaf, environment => ['DIARY=%D/pids'], stop_timeout => '200ms', %more };
}

sub pids_of
{
	my ($ostlerd) = @_;
	return wait_for(sub {
		my @pids = map { split ' ', Ostler::Supervisor::slurp($ostlerd->folder . "/pids.$_") } 1, 2;
		@pids == 4 && \@pids;
	}, 'the workers and their children')->@*;
}

sub guardian_of
{
	my ($ostlerd) = @_;
	my @children = split ' ', Ostler::Supervisor::slurp("/proc/@{[ $ostlerd->pid ]}/task/@{[ $ostlerd->pid ]}/children");
	return (grep { Ostler::Supervisor::slurp("/proc/$_/comm") eq "ostlerd-guard\n" } @children)[0];
}

subtest 'when ostlerd is killed, what ignores all signals goes, and what it has left, too' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { deaf => deaf_pool() });
	$ostlerd->start->wait_until_ready;
	my @pids = pids_of($ostlerd);
	is scalar(grep { alive($_) } @pids), 4, 'two workers and their children';
	is $ostlerd->stop('KILL'), 128 + 9, 'ostlerd is killed';
	my $began = time;
	wait_for(sub { !grep { alive($_) } @pids }, 'the end of all of them', 20);
	cmp_ok time - $began, '<', 10, 'they go soon';
	wait_for(sub { !$ostlerd->left }, 'the guardian to end', 20);
	$ostlerd->start;
	$ostlerd->wait_until_ready;
	is $ostlerd->status->{state}, 'running', 'the next one can start at once';
	is $ostlerd->stop, 0, 'ends with 0';
	is_deeply [ $ostlerd->left ], [], 'nothing is left';
};

subtest 'a guardian that dies is replaced by one that knows all' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { deaf => deaf_pool() });
	$ostlerd->start->wait_until_ready;
	my @pids = pids_of($ostlerd);
	my $guardian = guardian_of($ostlerd);
	ok $guardian, 'there is one';
	kill 'KILL', $guardian;
	wait_for(sub { my $next = guardian_of($ostlerd); $next && $next != $guardian }, 'the next');
	$ostlerd->wait_for_log(qr/the guardian has died; there is another/);
	is $ostlerd->stop('KILL'), 128 + 9, 'ostlerd is killed';
	wait_for(sub { !grep { alive($_) } @pids }, 'the end of all workers', 20);
	pass 'the next one ends all workers';
};

subtest 'a signal to the whole group of ostlerd does not reach the guardian' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { deaf => deaf_pool() });
	$ostlerd->start(sub { setpgrp })->wait_until_ready;
	my @pids = pids_of($ostlerd);
	kill 'KILL', -$ostlerd->pid;
	is $ostlerd->wait_for_end, 128 + 9, 'ostlerd is killed';
	wait_for(sub { !grep { alive($_) } @pids }, 'the end of all workers', 20);
	pass 'all workers end';
};

subtest 'as process 1: strangers are reaped, and change nothing' => sub {
	plan skip_all => 'needs root' if $> != 0;
	my $ostlerd = Ostler::Supervisor->new(pools => {
		web => { kind => 'worker', output => '%D/log/web', command => [ '/bin/sh', '-c',
			'for status in 0 3 4; do setsid sh -c "sleep 0.1; exit $status" & done; trap "exit 0" TERM; while :; do sleep 0.1; done' ] },
		leaver => { kind => 'task', command => [ '/bin/sh', '-c', 'setsid sh -c "sleep 0.2; exit 3" & exit 0' ] } });
	$ostlerd->start('unshare', '--pid', '--fork', '--kill-child', '--mount-proc')->wait_until_ready;
	is $ostlerd->status->{pid}, 1, 'it is process 1';
	wait_for(sub { $ostlerd->status->{state} eq 'running' }, 'it to run');
	sleep 0.5;
	is $ostlerd->worker('web')->{restarts}, 0, 'no worker was taken for one of them';
	my ($first) = split ' ', Ostler::Supervisor::slurp("/proc/@{[ $ostlerd->pid ]}/task/@{[ $ostlerd->pid ]}/children");
	is scalar(() = `ps --no-headers -o stat --ppid $first` =~ /Z/g), 0, 'no zombie is left';
	my ($status) = $ostlerd->ctl('stop');
	is $ostlerd->wait_for_end, 0, 'ends with 0';
};

done_testing;
