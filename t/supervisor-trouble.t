#!/usr/bin/perl
# supervisor-trouble.t - ostlerd goes on when the machine has nothing left, and wherever it runs.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::UNIX;
use Ostler::Process qw(wait_for);
use Ostler::Supervisor;
use Test::More;
use Time::HiRes qw(sleep);

my $sleep = [ $^X, '-e', 'sleep 1 while 1' ];

subtest 'out of descriptors: clients are turned away, workers live, and later all is well' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'worker', command => $sleep, backoff_first => '20ms' } });
	$ostlerd->start('prlimit', '--nofile=30:1000')->wait_until_ready;
	my $pid = $ostlerd->worker('web')->{pid};
	my @clients = map { IO::Socket::UNIX->new(Peer => $ostlerd->socket) // () } 1 .. 60;
	kill 'KILL', $pid;
	wait_for(sub { !-e "/proc/$pid" }, 'the dead to be buried');
	close $_ for @clients;
	my $new = $ostlerd->wait_for_worker('web', 1, sub { $_[0]{state} eq 'ready' && $_[0]{pid} != $pid }, 'a new worker');
	ok $new, 'the worker has been replaced';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'no process can be made: it is tried again later' => sub {
	plan skip_all => 'the limit does not bind root, and there is nobody else to be' if $> != 0;
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'worker', command => $sleep, backoff_first => '20ms' } });
	my $copy = $ostlerd->folder . '/ostlerd';
	$ostlerd->run('cp', Ostler::Supervisor::program('ostlerd'), $copy);
	chmod 0755, $copy;
	chown 65534, 65534, $ostlerd->folder, $ostlerd->folder . '/ctl';
	my @nobody = qw(setpriv --reuid=65534 --regid=65534 --clear-groups);
	$ostlerd->start(sub { { exec @nobody, $copy, '-c', $ostlerd->conf } });
	$ostlerd->wait_until_ready;
	my $pid = $ostlerd->worker('web')->{pid};
	my ($usual) = Ostler::Supervisor::slurp('/proc/' . $ostlerd->pid . '/limits') =~ /^Max processes\s+(\w+)/m;
	my $limit = sub { ($ostlerd->run(@nobody, 'prlimit', '--pid', $ostlerd->pid, "--nproc=$_[0]:"))[0] };
	is $limit->(1), 0, 'now it can have one process, itself';
	kill 'KILL', $pid;
	like $ostlerd->wait_for_event({ pool => 'web', event => 'spawn_failed' })->{text}, qr/Resource temporarily unavailable/, 'the reason';
	is $ostlerd->worker('web')->{state}, 'waiting', 'the worker waits';
	is $limit->($usual), 0, 'now it can have more';
	ok $ostlerd->wait_for_worker('web', 1, sub { $_[0]{state} eq 'ready' }, 'the worker'), 'then it comes back';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'a pause of ostlerd itself is not held against its workers' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'worker', ready => 'notify', ready_timeout => '400ms',
		environment => ['GO=%D/go'], command => [ $^X, '-MIO::Socket::UNIX', '-MSocket', '-e',
			'select undef, undef, undef, 0.01 until -e $ENV{GO}; (my $n = $ENV{NOTIFY_SOCKET}) =~ s/^@/\0/;'
			. ' IO::Socket::UNIX->new(Type => SOCK_DGRAM, Peer => $n)->send("READY=1"); open my $said, ">", "$ENV{GO}.said"; sleep 1 while 1' ] } });
	$ostlerd->start;
	wait_for(sub { -S $ostlerd->socket && eval { $ostlerd->worker('web')->{pid} } }, 'the worker');
	kill 'STOP', $ostlerd->pid;
	open my $go, '>', $ostlerd->folder . '/go';
	wait_for(sub { -e $ostlerd->folder . '/go.said' }, 'the worker to say that it is ready');
	sleep 0.6;    # its time is up now, while nobody listens
	kill 'CONT', $ostlerd->pid;
	$ostlerd->wait_for_event({ pool => 'web', event => 'ready' });
	is scalar($ostlerd->events(event => 'not_ready')), 0, 'what it said in time is heard first';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'as process 1 it reaps strangers' => sub {
	my @unshare = ('unshare', '--pid', '--fork', '--kill-child', '--mount-proc');
	plan skip_all => 'no namespace of processes can be made here' if system("@unshare true 2>/dev/null") != 0;
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'worker', output => '%D/log/web', command => [ '/bin/sh', '-c',
		'setsid sh -c "exit 3" & for i in 1 2 3; do setsid sh -c "sleep 0.1; exit 4" & done; echo begun; while read -r line; do :; done; exec sleep 1000' ] } });
	$ostlerd->start(@unshare)->wait_for_log(qr/ostlerd 1 starts/);
	$ostlerd->wait_for_worker('web', 1, sub { $_[0]{state} eq 'ready' }, 'the worker');
	wait_for(sub { $ostlerd->log_of('web') =~ /begun/ }, 'its children');
	is $ostlerd->worker('web')->{restarts}, 0, 'the worker goes on';
	is +($ostlerd->ctl('stop'))[0], 0, 'it can be stopped';
	is $ostlerd->wait_for_end, 0, 'ends with 0';
};

done_testing;
