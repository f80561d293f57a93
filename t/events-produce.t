#!/usr/bin/perl
# events-produce.t - made-up events come at their pace, the same of the same seed, and all that were taken are applied.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::Events;
use IPC::Open3 qw(open3);
use Test::More;
use Time::HiRes qw(time);

my $stack = Ostler::Events->start(app => { broker_timeout => '300ms' }, pools => { stream => { backoff_first => '2s' } });
my @program = (Ostler::build() . '/ostler-app', '-c', $stack->var . '/etc/ostler-app.conf', 'produce');

# Runs it as it is; the sub returned waits, and returns what it printed, its exit status and the seconds it took.
sub begin
{
	my (@words) = @_;
	my $began = time;
	open my $null, '<', '/dev/null' or die $!;
	my $pid = open3('<&' . fileno $null, my $out, undef, @program, @words);
	return ($pid, sub { local $/; my $text = <$out> // ''; waitpid $pid, 0; return ($text, $? & 127 ? "signal " . ($? & 127) : $? >> 8, time - $began) });
}

sub produce { my (undef, $wait) = begin(@_); return $wait->() }
sub applied { return $stack->psql('SELECT count(*) FROM events') }
sub applied_ok
{
	my ($count, $what) = @_;
	$stack->wait_for(sub { applied() >= $count }, "$count events to be applied", 60);
	is applied(), $count, $what;
	return $stack->sums_ok($what);
}

subtest 'as many as are wanted' => sub {
	my ($text, $status) = produce('--rate', 'max', '--count', 5000, '--seed', 7);
	is $status, 0, 'it ends well';
	like $text, qr/^5000 events were taken in [\d.]+ s, \d+\/s, in \d+ calls \(0 retries\)$/m, 'it says how many were taken';
	like $text, qr/^  page_view +\d+$/m, 'of which type';
	like $text, qr/^  a call took +p50 [\d.]+ ms, p95 [\d.]+ ms$/m, 'how long that took';
	like $text, qr/^  seed +7$/m, 'and of which seed';
	unlike $text, qr/\r/, 'no progress is shown where there is no terminal';
	applied_ok(5000, 'all are applied');
	is $stack->psql('SELECT count(*) FROM event_dead'), 0, 'none is a dead letter';
};

subtest 'the same seed' => sub {
	my ($text, $status) = produce('--rate', 'max', '--count', 6000, '--seed', 7);
	is $status, 0, 'again, and more';
	applied_ok(6000, 'the same events have no further effect');
};

subtest 'a pace' => sub {
	my (undef, $status, $seconds) = produce('--rate', 400, '--count', 1200);
	is $status, 0, 'it ends well';
	cmp_ok $seconds, '>', 2.9, 'not before its time';
	cmp_ok $seconds, '<', 30, 'and about then';
	applied_ok(7200, 'with a seed of its own');
};

subtest 'it is told to stop' => sub {
	for my $signal (qw(TERM INT)) {
		my $before = applied();
		my ($pid, $wait) = begin('--rate', 500);
		$stack->wait_for(sub { applied() > $before }, 'events to flow', 30);
		kill $signal, $pid;
		my ($text, $status) = $wait->();
		is $status, 0, "$signal ends it well";
		my ($taken) = $text =~ /^(\d+) events were taken/m;
		applied_ok($before + $taken, 'what it says was taken is applied');
	}
};

subtest 'the broker dies meanwhile' => sub {
	my $before = applied();
	my ($pid, $wait) = begin('--rate', 2000, '--count', 8000);
	$stack->wait_for(sub { applied() > $before + 500 }, 'events to flow', 30);
	kill 'KILL', $stack->pids('stream');
	my ($text, $status) = $wait->();
	is $status, 0, 'it goes on, into the spool';
	like $text, qr/^8000 events were taken/m, 'with all of them';
	applied_ok($before + 8000, 'they are applied when the broker is back');
	my @others = grep { (stat)[4] != (stat $stack->var . '/spool')[4] } glob $stack->var . '/spool/events/*';
	is "@others", '', 'the files of the spool are of who owns the folder, whoever made them';
};

subtest 'what it does not take' => sub {
	for ([ '--rate', 'quick' ], [ '--rate', 0 ], [ '--rate', -1 ], [ '--count', 0 ], [ '--count', '12x' ], [ '--seed', '' ], [ '--batch', 1001 ], ['--size'], [ 'events', 'more' ], ['horses']) {
		my ($text, $status) = produce(@$_);
		is $status, 2, "@$_";
		like $text, qr/usage: |there is no kind of event horses/, 'is explained';
	}
};

$stack->stop;
done_testing;
