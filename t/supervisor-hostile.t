#!/usr/bin/perl
# supervisor-hostile.t - whoever misuses the control socket, the others are served at once.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::UNIX;
use JSON::PP ();
use Ostler::Process qw(wait_for);
use Ostler::Supervisor;
use POSIX ();
use Test::More;
use Time::HiRes qw(time sleep);

$SIG{PIPE} = 'IGNORE';
my $sleep = [ $^X, '-e', 'sleep 1 while 1' ];
my $ostlerd = Ostler::Supervisor->new(pools => {
	web => { kind => 'worker', workers => \4, command => $sleep, backoff_first => '20ms' },
	chatty => { kind => 'worker', command => [ $^X, '-e', '$| = 1; while (1) { print "x" x 70, "\n" for 1 .. 20; select undef, undef, undef, 0.002 }' ], output => '%D/log/chatty' } });
$ostlerd->start->wait_until_ready;

sub client { return IO::Socket::UNIX->new(Peer => $ostlerd->socket) // die "cannot connect: $!" }

# The answer to one request, and the seconds that it took.
sub ask
{
	my ($text) = @_;
	my $start = time;
	my $client = client();
	$client->syswrite($text);
	local $SIG{ALRM} = sub { die "no answer\n" };
	alarm 30;
	local $/;
	my $answer = <$client> // '';
	alarm 0;
	return ($answer, time - $start);
}

# The median and the longest of many answers.
sub latency
{
	my @times = sort { $a <=> $b } map { my ($answer, $time) = ask(qq({"verb":"$_[0]"}\n)); $answer =~ /^\{/ ? $time : 30 } 1 .. 40;
	return ($times[20], $times[-1]);
}

sub serves_at_once
{
	my ($while) = @_;
	my ($median, $longest) = latency('status');
	cmp_ok $median, '<', 0.020, sprintf "%s: an answer takes %.1f ms", $while, $median * 1000;
	cmp_ok $longest, '<', 0.5, sprintf 'at most %.1f ms', $longest * 1000;
}

# Runs CODE over and over in another process while ATTEND runs here.
sub meanwhile
{
	my ($code, $attend) = @_;
	my $pid = fork // die "cannot fork: $!";
	if ($pid == 0) {
		$SIG{TERM} = 'DEFAULT';
		while (getppid != 1) { eval { $code->() } }
		POSIX::_exit(0);
	}
	$attend->();
	kill 'KILL', $pid;
	waitpid $pid, 0;
}

subtest 'nobody else' => sub { serves_at_once('alone') };

subtest '200 that say nothing' => sub {
	my @silent = map { client() } 1 .. 200;
	serves_at_once('among them');
};

subtest 'a request at one byte in a tenth of a second' => sub {
	meanwhile(sub { my @slow = map { client() } 1 .. 20; for my $byte (split //, '{"verb":"status"}') { $_->syswrite($byte) for @slow; sleep 0.1 } },
	    sub { serves_at_once('beside twenty of them') });
};

subtest 'a megabyte of garbage, again and again' => sub {
	my $garbage = join '', map { chr int rand 256 } 1 .. 1 << 16;
	meanwhile(sub { my $c = client(); $c->syswrite($garbage) or last for 1 .. 16 }, sub { serves_at_once('beside it') });
};

subtest 'a reader that never reads its answers' => sub {
	my @deaf = map { my $c = client(); $c->syswrite(qq({"verb":"logs","follow":true}\n)); $c } 1 .. 20;
	serves_at_once('beside twenty of them');
	close $_ for @deaf;
};

subtest '100 at the same time' => sub {
	my @children = map { my $pid = fork // die $!; if ($pid == 0) { open STDOUT, '>', '/dev/null'; { exec Ostler::Supervisor::program('ostlerctl'), '-s', $ostlerd->socket, 'status' } POSIX::_exit(127) } $pid } 1 .. 100;
	my $failed = 0;
	for (@children) { waitpid $_, 0; $failed += $? != 0 }
	cmp_ok $failed, '<=', 0, 'every one of them has an answer';
};

subtest 'those that follow have places of their own' => sub {
	my @followers = map { my $c = client(); $c->syswrite(qq({"verb":"events","follow":true}\n)); $c } 1 .. 24;
	sysread $_, my $first, 1 for @followers;
	like +(ask(qq({"verb":"events","follow":true}\n)))[0], qr/too many are listening already/, 'the 25th is refused';
	my @silent = map { client() } 1 .. 100;
	serves_at_once('though all others are taken');
	kill 'KILL', $ostlerd->worker('web', 1)->{pid};
	$ostlerd->wait_for_event({ pool => 'web', event => 'exit' });
	for my $follower (@followers[ 0, 23 ]) {
		my $heard = '';
		local $SIG{ALRM} = sub { die "it was told nothing\n" };
		alarm 30;
		sysread $follower, $heard, 65_536, length $heard while $heard !~ /"signal":9/;
		alarm 0;
		pass 'who follows is told what happens, whoever else comes';
	}
};

subtest 'when all are gone, nothing is left of them' => sub {
	wait_for(sub { my @fds = glob '/proc/' . $ostlerd->pid . '/fd/*'; @fds < 40 }, 'the descriptors to be closed');
	ok wait_for(sub { $ostlerd->status->{state} eq 'running' }, 'the killed worker to have a successor'), 'it runs';
	is $ostlerd->worker('web', $_)->{restarts}, $_ == 1 ? 1 : 0, "worker $_ has noticed nothing" for 1 .. 4;
	is $ostlerd->stop, 0, 'ends with 0';
};

done_testing;
