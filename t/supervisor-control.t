#!/usr/bin/perl
# supervisor-control.t - ostlerctl and the control socket, with clients good and hostile.
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
use Time::HiRes qw(time);

my $sleep = [ $^X, '-e', 'sleep 1 while 1' ];
my $ostlerd = Ostler::Supervisor->new(pools => {
	cache => { kind => 'service', command => $sleep },
	web => { kind => 'worker', workers => \2, after => ['cache'], command => $sleep },
});
$ostlerd->start->wait_until_ready;

sub client { return IO::Socket::UNIX->new(Peer => $ostlerd->socket) // die "cannot connect: $!" }

# Sends TEXT and reads until the other end closes, at most 30 seconds.
sub answer_to
{
	my ($text) = @_;
	my $client = client();
	local $SIG{PIPE} = 'IGNORE';
	$client->print($text);
	$client->flush;
	local $SIG{ALRM} = sub { die "no end of the answer\n" };
	alarm 30;
	local $/;
	my $answer = <$client> // '';
	alarm 0;
	return $answer;
}

subtest 'status as JSON names every pool and worker' => sub {
	my $status = $ostlerd->status;
	is $status->{pid}, $ostlerd->pid, 'the pid of ostlerd';
	is $status->{state}, 'running', 'its state';
	is_deeply [ map { "$_->{name} $_->{kind} $_->{state}" } @{ $status->{pools} } ],
	    [ 'cache service ready', 'web worker ready' ], 'the pools';
	my @workers = @{ $status->{pools}[1]{workers} };
	is_deeply [ map { "$_->{slot} $_->{state} $_->{restarts}" } @workers ], [ '1 ready 0', '2 ready 0' ], 'the workers';
	ok kill(0, $_->{pid}), "process $_->{pid} is there" for @workers;
	like $_->{since}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'since when' for @workers;
};

subtest 'status as a table' => sub {
	my ($status, $out) = $ostlerd->ctl('status');
	is $status, 0, 'exit status 0';
	like $out, qr/^ostlerd @{[ $ostlerd->pid ]} is running$/m, 'the first line';
	like $out, qr{^POOL +KIND +STATE +READY +BUSY +IDLE +QUEUE +REQ/S +P50 +P95 +P99 +MEMORY +RESTARTS$}m, 'the head';
	like $out, qr{^web +worker +ready +2/2 +- +- +- +- +- +- +- +\d+\.\d [KM] +0$}m, 'a pool';
};

subtest 'its workers as a table' => sub {
	my ($status, $out) = $ostlerd->ctl('workers');
	is $status, 0, 'exit status 0';
	like $out, qr/^POOL +SLOT +PID +STATE +SINCE +BUSY +REQUESTS +MEMORY +RESTARTS +DOES$/m, 'the head';
	my @pids = map { $ostlerd->worker('web', $_)->{pid} } 1, 2;
	like $out, qr/^web +1 +$pids[0] +ready +\d+\.\d s +- +- +\d+\.\d [KM] +0 *\n +2 +$pids[1] +ready /m, 'two workers';
	like $out, qr/^cache +1 /m, 'and one of another pool';
	(undef, $out) = $ostlerd->ctl('workers', 'web');
	unlike $out, qr/cache/, 'of one pool';
	is +($ostlerd->ctl('workers', 'wbe'))[0], 1, 'of an unknown pool: 1';
};

subtest 'the socket is for its owner' => sub {
	is((stat $ostlerd->socket)[2] & 07777, 0600, 'its mode is 0600');
	is Ostler::Supervisor::slurp($ostlerd->folder . '/ostlerd.pid'), $ostlerd->pid . "\n", 'the pid file holds the pid';
};

SKIP: {
	skip 'only root can become somebody else', 1 if $> != 0;
	subtest 'another user is refused, even when the permissions would let him in' => sub {
		my @nobody = ('setpriv', '--reuid=65534', '--regid=65534', '--clear-groups');
		my $ctl = $ostlerd->folder . '/ostlerctl';
		$ostlerd->run('cp', Ostler::Supervisor::program('ostlerctl'), $ctl);
		chmod 0755, $ctl;
		my ($status, undef, $complaint) = $ostlerd->run(@nobody, $ctl, '-s', $ostlerd->socket, 'status');
		is $status, 4, 'exit status 4';
		like $complaint, qr/belongs to another user: be that user, or root/, 'it says what to do';
		chmod 0755, $ostlerd->folder . '/ctl';
		chmod 0666, $ostlerd->socket;
		($status, undef, $complaint) = $ostlerd->run(@nobody, $ctl, '-s', $ostlerd->socket, 'stop');
		is $status, 1, 'exit status 1';
		like $complaint, qr/only root and the user of ostlerd may ask/, 'ostlerd has looked who it is';
		is $ostlerd->status->{state}, 'running', 'it has not stopped';
		chmod 0600, $ostlerd->socket;
		chmod 0700, $ostlerd->folder . '/ctl';
	};
}

subtest 'ostlerctl says what is wrong' => sub {
	my ($status, undef, $complaint) = $ostlerd->ctl('stauts');
	is $status, 2, 'an unknown command: 2';
	like $complaint, qr/unknown command "stauts"; did you mean "status"\?/, 'with a hint';
	($status, undef, $complaint) = $ostlerd->ctl();
	is $status, 2, 'no command: 2';
	like $complaint, qr/^usage: ostlerctl/m, 'with the usage';
	is +($ostlerd->ctl('status', '--xml'))[0], 2, 'an unknown option: 2';
	my @none = (Ostler::Supervisor::program('ostlerctl'), '-s', $ostlerd->folder . '/none.sock', 'status');
	($status, undef, $complaint) = $ostlerd->run(@none);
	is $status, 3, 'nobody there: 3';
	like $complaint, qr/no ostlerd runs at \S+none\.sock/, 'it says where';
	is +($ostlerd->run($none[0], '-s', 'x' x 200, 'status'))[0], 1, 'an impossible path: 1';
	is +($ostlerd->ctl('check', $ostlerd->conf))[0], 0, 'check of a good file: 0';
	is +($ostlerd->ctl('check', '/no/such/file'))[0], 2, 'check of a bad one: 2';
};

subtest 'the configuration tells where the socket is' => sub {
	my @by_file = (Ostler::Supervisor::program('ostlerctl'), '-c', $ostlerd->conf);
	my ($status, $out) = $ostlerd->run(@by_file, 'status');
	is $status, 0, 'exit status 0';
	like $out, qr/^ostlerd @{[ $ostlerd->pid ]} /, 'it is found';
	is +($ostlerd->run($by_file[0], '-c', '/no/such/file', 'status'))[0], 2, 'a configuration that is not there: 2';
};

subtest 'the manual page names every command and every kind of event' => sub {
	my $page = Ostler::Supervisor::slurp(Ostler::Supervisor::root() . '/man/ostlerctl.8');
	my ($status, $out) = $ostlerd->run(Ostler::Supervisor::program('ostlerctl'), '--commands');
	my @commands = $out =~ /^(\w+)\t/mg;
	cmp_ok scalar(@commands), '>', 10, 'there are commands';
	is_deeply [ sort $page =~ /^\.It Cm (\w+)/mg ], [ sort @commands ], 'the commands';
	my @kinds = Ostler::Supervisor::slurp(Ostler::Supervisor::root() . '/supervisor/record/events.c') =~ /^\t\[EVENT_\w+\] = "(\w+)"/mg;
	cmp_ok scalar(@kinds), '>', 20, 'there are kinds of events';
	my %named = map { $_ => 1 } map { split / , / } $page =~ /^\.It Ql ([\w , ]+)$/mg;
	is_deeply [ sort keys %named ], [ sort @kinds ], 'the kinds of events';
};

subtest 'what is no request is answered, and refused' => sub {
	for my $garbage ("\n", "status\n", "{\n", "[]\n", "{\"verb\":7}\n", "\0\0\0\n", "{\"verb\":\"status\",\"verb\":\"stop\"}\n", "\xff\xfe\n") {
		my $answer = JSON::PP::decode_json(answer_to($garbage));
		like $answer->{error}, qr/not a request/, 'refused';
	}
	like JSON::PP::decode_json(answer_to("{\"verb\":\"fly\"}\n"))->{error}, qr/^unknown verb "fly"; known: status, /, 'an unknown verb';
	like answer_to('[' x 4096), qr/too long/, 'a request without an end';
	like answer_to('x' x (1 << 20)), qr/too long|^$/, 'a megabyte of garbage';
	is $ostlerd->status->{state}, 'running', 'ostlerd goes on';
};

subtest 'clients that say nothing hold up nobody' => sub {
	my @silent = map { client() } 1 .. 200;
	my $half = client();
	$half->print('{"verb":');
	$half->flush;
	my $start = time;
	is $ostlerd->status->{state}, 'running', 'another client is answered';
	cmp_ok time - $start, '<', 2, 'before their time is up';
	my $fds = sub { my @f = glob '/proc/' . $ostlerd->pid . '/fd/*'; scalar @f };
	cmp_ok $fds->(), '<', 60, 'few of them are let in';
	local $SIG{ALRM} = sub { die "it is not dismissed\n" };
	alarm 30;
	is scalar(<$half>), undef, 'one that says half a request is dismissed in the end';
	alarm 0;
	wait_for(sub { $fds->() < 30 }, 'the silent ones to be dismissed');
	pass 'so are those that say nothing';
};

subtest 'a client that hangs up early does no harm' => sub {
	for (1 .. 50) {
		my $client = client();
		$client->print("{\"verb\":\"status\"}\n");
		close $client;
	}
	is $ostlerd->status->{state}, 'running', 'ostlerd goes on';
};

subtest 'an ostlerctl that is stopped, and goes on, hears its answer' => sub {
	kill 'STOP', $ostlerd->pid;
	my $ctl = fork // die "cannot fork: $!";
	if ($ctl == 0) {
		open STDOUT, '>', '/dev/null';
		exec Ostler::Supervisor::program('ostlerctl'), '-s', $ostlerd->socket, 'status' or POSIX::_exit(127);
	}
	my $state = sub { Ostler::Supervisor::slurp("/proc/$ctl/stat") =~ /\) ([A-Z])/ ? $1 : '' };
	# recvfrom(2), of x86-64 and of arm64.
	my $waits = sub { $state->() eq 'Z' || Ostler::Supervisor::slurp("/proc/$ctl/syscall") =~ /^(?:45|207) / };
	wait_for($waits, 'it to wait for an answer');
	kill 'STOP', $ctl;
	wait_for(sub { $state->() eq 'T' }, 'it to stop');
	kill 'CONT', $ctl;
	wait_for($waits, 'it to go on');
	kill 'CONT', $ostlerd->pid;
	waitpid $ctl, 0;
	is $?, 0, 'as if nothing had happened';
};

subtest 'stop returns when ostlerd has ended' => sub {
	my ($status) = $ostlerd->ctl('stop');
	is $status, 0, 'exit status 0';
	ok !-e $ostlerd->socket, 'the socket is gone';
	ok !-e $ostlerd->folder . '/ostlerd.pid', 'the pid file, too';
	is $ostlerd->wait_for_end, 0, 'ostlerd has ended with 0';
	like $ostlerd->messages, qr/web 1: stopped.*cache: stopped/s, 'in order';
	is +($ostlerd->ctl('stop'))[0], 3, 'a second one finds nobody';
};

done_testing;
