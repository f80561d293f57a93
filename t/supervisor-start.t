#!/usr/bin/perl
# supervisor-start.t - how ostlerd starts pools: in order, and each as a clean process of its own.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::Process qw(wait_for free_port);
use Ostler::Supervisor;
use Config;
use Test::More;

my $sleep = [ $^X, '-e', 'sleep 1 while 1' ];

subtest 'a pool starts when those before it are ready, a task when it is done' => sub {
	my $ostlerd = Ostler::Supervisor->new(
		top => { greeting => 'open the door' },
		pools => {
			first => { kind => 'task', output => '%D/log/first',
			    command => [ '/bin/sh', '-c', 'echo done; : >%D/first' ] },
			second => { kind => 'service', after => ['first'], ready => 'exec:/usr/bin/test -e %D/second',
			    ready_interval => '10ms',
			    command => [ '/bin/sh', '-c', 'test -e %D/first && : >%D/second; exec sleep 1000' ] },
			third => { kind => 'worker', workers => \2, after => ['second'],
			    command => [ '/bin/sh', '-c', 'test -e %D/second && echo $OSTLER_SLOT >>%D/third; exec sleep 1000' ] },
		});
	$ostlerd->start->wait_for_log(qr/open the door/);
	like $ostlerd->messages, qr/first: done after.*second: ready after.*third \d: ready after.*all pools are ready.*open the door/s,
	    'the messages tell the order';
	wait_for(sub { -e $ostlerd->folder . '/third' && -s _ >= 4 }, 'both of the third');
	is join(' ', sort split /\n/, Ostler::Supervisor::slurp($ostlerd->folder . '/third')), '1 2', 'each has its slot';
	is $ostlerd->log_of('first'), "done\n", 'output goes to the file';
	is $ostlerd->pool('first')->{state}, 'done', 'the task is done';
	is $ostlerd->pool('third')->{state}, 'ready', 'the last is ready';
	is $ostlerd->stop, 0, 'ends with 0';
	is_deeply [ $ostlerd->left ], [], 'nothing is left';
};

subtest 'a task that fails is tried again, tells why, and the others wait' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => {
		prepare => { kind => 'task', backoff_first => '50ms', output => '%D/log/prepare',
		    command => [ '/bin/sh', '-c', 'test -e %D/go && exit 0; echo the disk is missing; exit 4' ] },
		server => { kind => 'service', after => ['prepare'], command => $sleep },
	});
	my $exit = $ostlerd->start->wait_for_event({ pool => 'prepare', event => 'exit', status => 4 });
	cmp_ok $exit->{retry_in}, '>=', 0.05, 'it is tried again';
	is +($ostlerd->events(pool => 'prepare', event => 'said'))[0]{text}, 'the disk is missing', 'with its last words';
	$ostlerd->wait_for_log(qr/prepare: server waits for it/);
	is $ostlerd->pool('server')->{state}, 'waiting', 'the server has not started';
	open my $go, '>', $ostlerd->folder . '/go';
	$ostlerd->wait_until_ready;
	is $ostlerd->pool('server')->{state}, 'ready', 'now it has';
	is $ostlerd->stop, 0, 'ends with 0';
};

# Writes what a process can see of itself to the file REPORT, and waits.
my $witness = <<'PERL';
open my $out, ">", "$ENV{REPORT}.new";
opendir my $fds, "/proc/self/fd";
for my $fd (sort grep { /^\d+$/ } readdir $fds) {
	my $to = readlink "/proc/self/fd/$fd";
	next if $to =~ m{/proc/\d+/fd$} || $to =~ m{report\.new$};
	print $out "fd $fd $to\n";
}
open my $status, "<", "/proc/self/status";
print $out grep { /^(Uid|Gid|Groups|Umask)/ } <$status>;
print $out "env $_=$ENV{$_}\n" for sort keys %ENV;
open my $stat, "<", "/proc/self/stat";
my (undef, undef, undef, $session) = split " ", (split /\) /, <$stat>)[1];
printf $out "session %d\n", $session == $$;
close $out;
rename "$ENV{REPORT}.new", $ENV{REPORT};
sleep 1 while 1;
PERL

sub witnessed
{
	my ($ostlerd) = @_;
	my $file = $ostlerd->folder . '/report';
	wait_for(sub { -e $file }, 'the report of the worker');
	return Ostler::Supervisor::slurp($file);
}

subtest 'a worker gets a clean process' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { witness => {
		kind => 'worker', command => [ $^X, '-e', $witness ], output => '%D/log/witness',
		environment => [ 'REPORT=%D/report', 'GREETING=hello world', 'PASSED', 'NOT_THERE' ] },
		# Perl ignores a signal of its own accord; cat does not.
		cat => { kind => 'task', command => [ 'cat', '/proc/self/status' ], output => '%D/log/cat' } });
	$ostlerd->start(sub {
		# What a careless parent could leave to ostlerd: ignored and blocked signals, open files, secrets.
		$SIG{PIPE} = $SIG{HUP} = 'IGNORE';
		# Nor the two signals that libc keeps to itself: rt_sigaction with SIG_IGN, by its number.
		my $ignore = pack 'q4', 1;
		$Config{archname} =~ /^x86_64/ and syscall(13, $_, $ignore, 0, 8) for 32, 33;
		POSIX::sigprocmask(POSIX::SIG_BLOCK(), POSIX::SigSet->new(POSIX::SIGTERM(), POSIX::SIGUSR1()));
		open my $leak, '<', '/etc/passwd';
		POSIX::dup2(fileno $leak, 7);
		%ENV = (PATH => $ENV{PATH}, SECRET => 'x', NOTIFY_SOCKET => '/nowhere', LISTEN_FDS => 1,
		    PASSED => 'through', LANG => 'C.UTF-8');
	});
	my $report = witnessed($ostlerd);
	my ($scoreboard) = $report =~ /^env OSTLER_SCOREBOARD_FD=(\d+)$/m;
	is_deeply [ $report =~ /^fd (\d+)/mg ], [ 0, 1, 2, $scoreboard ], 'descriptors 0, 1, 2, the scoreboard and no other';
	like $report, qr{^fd 0 /dev/null$}m, 'input is /dev/null';
	like $report, qr{^fd 1 (pipe:\S+)\nfd 2 \1$}m, 'output and errors go to one pipe';
	$ostlerd->wait_for_log(qr/cat: done/);
	like $ostlerd->log_of('cat'), qr/^$_:\s+0+$/m, "$_ is empty" for qw(SigBlk SigIgn SigCgt);
	like $report, qr/^session 1$/m, 'it leads a session of its own';
	like $report, qr/^Umask:\s+0022$/m, 'the umask is as set';
	my %env = $report =~ /^env (\w+)=(.*)$/mg;
	is join(' ', sort keys %env), 'GREETING HOME LANG LOGNAME NOTIFY_SOCKET OSTLER_GENERATION OSTLER_POOL OSTLER_SCOREBOARD_FD OSTLER_SLOT PASSED PATH REPORT USER',
	    'the environment has nothing else in it';
	is "$env{OSTLER_POOL} $env{OSTLER_SLOT} $env{OSTLER_GENERATION}", 'witness 1 1', 'it knows its place';
	is "$env{GREETING}, $env{PASSED}", 'hello world, through', 'variables are set and passed through';
	like $env{NOTIFY_SOCKET}, qr/^\@/, 'the notify socket is ours';
	is $ostlerd->stop, 0, 'ends with 0';
};

SKIP: {
	skip 'only root can run a pool as another user', 1 if $> != 0;
	subtest 'a worker becomes its user for good' => sub {
		my $ostlerd = Ostler::Supervisor->new(pools => { witness => {
			kind => 'worker', user => 'nobody', umask => '0077', directory => '/',
			command => [ $^X, '-e', $witness . ' ' ], environment => ['REPORT=%D/open/report'] } });
		mkdir $ostlerd->folder . '/open';
		chmod 0777, $ostlerd->folder . '/open';
		symlink 'open/report', $ostlerd->folder . '/report';
		$ostlerd->start;
		my $report = witnessed($ostlerd);
		my ($uid, $gid) = (getpwnam 'nobody')[ 2, 3 ];
		like $report, qr/^Uid:\s+$uid\s+$uid\s+$uid\s+$uid$/m, 'its user, all four kinds of it';
		like $report, qr/^Gid:\s+$gid\s+$gid\s+$gid\s+$gid$/m, 'its group';
		like $report, qr/^Groups:\s+$gid\s*$/m, "root's groups are gone";
		like $report, qr/^Umask:\s+0077$/m, 'its umask';
		like $report, qr/^env USER=nobody$/m, 'its name';
		is $ostlerd->stop, 0, 'ends with 0';
	};
}

subtest 'readiness is said or seen, in every way there is' => sub {
	my ($port, $reservation) = free_port();
	my $notify = <<'PERL';
use IO::Socket::UNIX; use Socket;
(my $name = $ENV{NOTIFY_SOCKET}) =~ s/^@/\0/;
my $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Peer => $name) or die "$!";
sleep 1 until -e $ENV{GO};
my $child = fork;	# a descendant speaks for it
if (!$child) { $s->send("STATUS=warm\nREADY=1"); sleep 1000 }
sleep 1 while 1;
PERL
	my $listen = 'use IO::Socket::IP; my $s = IO::Socket::IP->new(LocalHost => "127.0.0.1", LocalPort => %P, Listen => 5, ReuseAddr => 1) or die; sleep 1 while 1';
	$listen =~ s/%P/$port/;
	my $accept = 'open my $s, "+<&=", 0; sleep 1 until -e $ENV{GO}; while (1) { accept my $c, $s; print $c "hello"; close $c }';
	my %go = (environment => ['GO=%D/go']);
	my $ostlerd = Ostler::Supervisor->new(pools => {
		speaks => { kind => 'worker', ready => 'notify', command => [ $^X, '-e', $notify ], %go },
		listens => { kind => 'service', ready => "listen:tcp:127.0.0.1:$port", command => [ $^X, '-e', $listen ] },
		accepts => { kind => 'fastcgi', listen => 'unix:%D/sock/a', command => [ $^X, '-e', $accept ], %go },
	});
	$ostlerd->start->wait_for_event({ pool => 'listens', event => 'ready' });
	is $ostlerd->worker($_)->{state}, 'starting', "$_ is not ready yet" for qw(speaks accepts);
	open my $go, '>', $ostlerd->folder . '/go';
	$ostlerd->wait_until_ready;
	is $ostlerd->worker('speaks')->{status}, 'warm', 'what it says of itself is kept';
	is $ostlerd->stop, 0, 'ends with 0';
	is_deeply [ $ostlerd->left ], [], 'its child, too, has gone';
};

subtest 'a worker that is never ready is stopped and tried again' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { dumb => {
		kind => 'worker', ready => 'notify', ready_timeout => '100ms', backoff_first => '20ms', command => $sleep } });
	$ostlerd->start->wait_for_event({ pool => 'dumb', event => 'not_ready' });
	like $ostlerd->wait_for_event({ pool => 'dumb', event => 'exit' })->{text}, qr/was not ready in time/, 'the reason';
	$ostlerd->wait_for_worker('dumb', 1, sub { $_[0]{restarts} >= 1 }, 'a second try');
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'closed standard files do not put sockets in their place' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { witness => {
		kind => 'worker', command => [ $^X, '-e', $witness ], environment => ['REPORT=%D/report'] } });
	$ostlerd->start(sub { POSIX::close($_) for 0 .. 2 });
	my $report = witnessed($ostlerd);
	is_deeply [ ($report =~ /^fd (\d+)/mg)[ 0 .. 2 ] ], [ 0, 1, 2 ], 'it has descriptors 0, 1 and 2';
	like $report, qr{^fd 0 /dev/null$}m, 'input is /dev/null';
	like $report, qr{^fd 1 (pipe:\S+)\nfd 2 \1$}m, 'output and errors go to one pipe';
	unlike $report, qr{^fd \d+ socket}m, 'and it has no socket of ours';
	is $ostlerd->stop, 0, 'ends with 0';
};

done_testing;
