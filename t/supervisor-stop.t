#!/usr/bin/perl
# supervisor-stop.t - how ostlerd ends: in reverse order, with patience, and then without.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::Process qw(wait_for alive);
use Ostler::Programs;
use Ostler::Supervisor;
use Test::More;
use Time::HiRes qw(time);

# Writes what it is told to the file DIARY, and ends NAP seconds after the signal SIGNAL.
my $diarist = [ $^X, '-MTime::HiRes=sleep', '-e', <<'PERL' ];
sub note { open my $out, ">>", $ENV{DIARY}; syswrite $out, "@_\n" }
my $signal = $ENV{SIGNAL} // "TERM";
$SIG{$signal} = sub { note("$ENV{OSTLER_POOL} hears $signal"); sleep($ENV{NAP} // 0); note("$ENV{OSTLER_POOL} ends"); exit };
note("$ENV{OSTLER_POOL} starts");
sleep 1 while 1;
PERL

sub diary { return Ostler::Supervisor::slurp($_[0]->folder . '/diary') }

sub until_started
{
	my ($ostlerd, $count) = @_;
	wait_for(sub { (() = diary($ostlerd) =~ / starts$/mg) == $count }, "$count to start");
}

my @diary = (environment => ['DIARY=%D/diary']);

sub chain
{
	return Ostler::Supervisor->new(pools => {
		a_base => { kind => 'service', command => $diarist, stop_signal => 'INT',
		    environment => [ 'DIARY=%D/diary', 'SIGNAL=INT' ] },
		b_task => { kind => 'task', after => ['a_base'], command => ['/bin/true'] },
		c_user => { kind => 'worker', after => ['b_task'], command => $diarist,
		    environment => [ 'DIARY=%D/diary', 'NAP=0.2' ] },
	});
}

for my $signal (qw(TERM INT)) {
	subtest "$signal stops in reverse order, each pool by its own signal" => sub {
		my $ostlerd = chain();
		$ostlerd->start;
		until_started($ostlerd, 2);
		is $ostlerd->stop($signal), 0, 'ends with 0';
		(my $diary = diary($ostlerd)) =~ s/.* starts\n//g;
		is $diary, "c_user hears TERM\nc_user ends\na_base hears INT\na_base ends\n",
		    'the last to come is the first to go';
		ok !-e $ostlerd->socket, 'the control socket is gone';
		ok !-e $ostlerd->folder . '/ostlerd.pid', 'the pid file, too';
		is_deeply [ $ostlerd->left ], [], 'nothing is left';
	};
}

subtest 'Ctrl-C at a terminal reaches ostlerd alone' => sub {
	my $ostlerd = chain();
	# A group of its own, as a shell makes for what it runs in the foreground.
	$ostlerd->start(sub { setpgrp });
	until_started($ostlerd, 2);
	kill 'INT', -$ostlerd->pid;
	is $ostlerd->wait_for_end, 0, 'ends with 0';
	like diary($ostlerd), qr/c_user hears TERM\nc_user ends\na_base hears INT/, 'no worker has heard it: the order is kept';
};

subtest 'what does not end in time is killed with its process group' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { deaf => {
		kind => 'worker', stop_timeout => '150ms', output => '%D/log/deaf',
		command => [ '/bin/sh', '-c', 'trap "" TERM; sleep 1000 & echo $!; wait; wait' ] } });
	$ostlerd->start;
	my $child = wait_for(sub { $ostlerd->log_of('deaf') =~ /^(\d+)\n/ && $1 }, 'the child');
	is $ostlerd->stop, 0, 'ends with 0';
	like $ostlerd->messages, qr/deaf: has not ended in 0\.\d s; kills it/, 'it says so';
	ok !alive($child), 'the child is gone, too';
	is_deeply [ $ostlerd->left ], [], 'nothing is left';
};

subtest 'a second signal stops all at once' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => {
		a_base => { kind => 'service', command => $diarist, @diary },
		b_slow => { kind => 'worker', after => ['a_base'], stop_timeout => '600s', command => $diarist,
		    environment => [ 'DIARY=%D/diary', 'NAP=600' ] },
	});
	$ostlerd->start;
	until_started($ostlerd, 2);
	kill 'INT', $ostlerd->pid;
	wait_for(sub { diary($ostlerd) =~ /b_slow hears/ }, 'the slow one to be asked');
	is $ostlerd->status->{state}, 'stopping', 'it stops';
	unlike diary($ostlerd), qr/a_base hears/, 'the other is not asked yet';
	kill 'INT', $ostlerd->pid;
	is $ostlerd->wait_for_end(60), 0, 'ends with 0';
	like diary($ostlerd), qr/a_base hears/, 'then it is';
	unlike diary($ostlerd), qr/b_slow ends/, 'the slow one is killed';
};

subtest 'it can be stopped while pools still start, crash or wait' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => {
		crashes => { kind => 'worker', command => ['/bin/false'], backoff_first => '1h', backoff_longest => '1h' },
		starts => { kind => 'worker', ready => 'notify', command => $diarist, @diary },
		waits => { kind => 'worker', after => ['starts'], command => $diarist, @diary },
		hangs => { kind => 'task', command => [ 'sleep', '1000' ] },
		asks => { kind => 'worker', ready => 'exec:/bin/sleep 1000', command => $diarist, @diary },
	});
	$ostlerd->start->wait_for_log(qr/crashes: ended with status 1/);
	until_started($ostlerd, 2);
	is $ostlerd->stop, 0, 'ends with 0';
	unlike diary($ostlerd), qr/waits starts/, 'what waited has never started';
	is_deeply [ $ostlerd->left ], [], 'nothing is left';
};

subtest 'HUP, USR1 and window changes do not stop it' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'worker', command => $diarist, @diary } });
	$ostlerd->start;
	until_started($ostlerd, 1);
	my $pid = $ostlerd->worker('web')->{pid};
	kill $_, $ostlerd->pid for qw(HUP USR1 USR2 WINCH PIPE ALRM TTIN TTOU);
	$ostlerd->wait_for_log(qr/reload 1: done/);
	is $ostlerd->worker('web')->{pid}, $pid, 'its worker is the same';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'QUIT stops all at once' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => {
		a_base => { kind => 'service', command => $diarist, @diary },
		b_user => { kind => 'worker', after => ['a_base'], command => $diarist,
		    environment => [ 'DIARY=%D/diary', 'NAP=0.5' ] },
	});
	$ostlerd->start;
	until_started($ostlerd, 2);
	is $ostlerd->stop('QUIT'), 0, 'ends with 0';
	like diary($ostlerd), qr/a_base hears.*b_user ends/s, 'the first did not wait for the last';
};

my $echo = Ostler::Programs::compile('echo', '-lfcgi');
for my $case ([ 'TERM', 1 ], [ 'INT', 1 ], [ 'QUIT', 0 ]) {
	my ($signal, $finishes) = @$case;
	subtest "$signal with a request in hand: " . ($finishes ? 'it is finished' : 'nobody waits for it') => sub {
		my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'fastcgi', listen => 'unix:%D/sock/web', command => [ '/usr/bin/env', '--block-signal=TERM', $echo ],
			workers => \2, ready_interval => '10ms', stop_timeout => '300ms' } });
		$ostlerd->start->wait_until_ready;
		my $client = $ostlerd->client;
		$client->send(POST => '/', 'slow', SECONDS => $finishes ? 1 : 600);
		wait_for(sub { $ostlerd->pool('web')->{busy} == 1 }, 'the request to be taken');
		kill $signal, $ostlerd->pid;
		my $answer = $client->receive;
		is $answer && $answer->{body}, $finishes ? 'slow' : undef, $finishes ? 'its client has the answer' : 'its client is told by the end of the connection';
		is $ostlerd->client->ask(GET => '/'), undef, 'nobody new is let in';
		is $ostlerd->wait_for_end(20), 0, 'ends with 0';
		ok !-e $ostlerd->folder . '/sock/web' && !-e $ostlerd->socket && !-e $ostlerd->folder . '/ostlerd.pid', 'the sockets and the pid file are gone';
		is_deeply [ $ostlerd->left ], [], 'nothing is left';
	};
}

done_testing;
