#!/usr/bin/perl
# supervisor-events.t - the flight recorder tells what happened, in order, and why a process ended.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use Ostler::Process qw(wait_for);
use Ostler::Supervisor;
use POSIX ();
use Test::More;

my $sleep = [ $^X, '-e', 'sleep 1 while 1' ];
my $deaf = [ $^X, '-e', '$SIG{TERM} = "IGNORE"; print STDERR "deaf\n"; sleep 1 while 1' ];

subtest 'the life of a worker' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => {
		web => { kind => 'worker', workers => \2, command => $sleep, backoff_first => '20ms' },
		prepare => { kind => 'task', command => ['/bin/true'] } });
	$ostlerd->start->wait_until_ready;
	my $pid = $ostlerd->worker('web', 2)->{pid};
	kill 'KILL', $pid;
	$ostlerd->wait_for_event({ pool => 'web', event => 'ready' }, 3);
	is $ostlerd->story(pool => 'web', slot => 1), 'spawn ready', 'of the first worker';
	is $ostlerd->story(pool => 'web', slot => 2), 'spawn ready exit spawn ready', 'of the second';
	is $ostlerd->story(pool => 'prepare'), 'spawn exit', 'of the task';
	my ($exit) = $ostlerd->events(pool => 'web', event => 'exit');
	is $exit->{pid}, $pid, 'whose end it was';
	is $exit->{signal}, 9, 'the signal';
	ok !exists $exit->{status}, 'no exit status';
	ok $exit->{failed}, 'a failure';
	is $exit->{generation}, 1, 'the generation';
	like $exit->{text}, qr/signal 9 \(Killed\)/, 'the cause in words';
	cmp_ok $exit->{seconds}, '>', 0, 'how long it ran';
	like $exit->{time}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'when';
	my ($done) = $ostlerd->events(pool => 'prepare', event => 'exit');
	is $done->{status}, 0, 'the exit status of the task';
	ok !$done->{failed}, 'no failure';
	my @numbers = map { $_->{number} } $ostlerd->events;
	is_deeply \@numbers, [ 1 .. @numbers ], 'the numbers have no gaps';
	is +($ostlerd->events)[0]{event}, 'master_start', 'the first of all';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'what cannot be executed, and what is not ready in time' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => {
		gone => { kind => 'worker', command => ['%D/gone'], backoff_first => '10s' },
		late => { kind => 'worker', command => $deaf, ready => 'notify', ready_timeout => '100ms',
		    stop_timeout => '100ms', backoff_first => '10s' } });
	open my $script, '>', $ostlerd->folder . '/gone';
	print $script "#!/no/such/interpreter\n";
	close $script;
	chmod 0755, $ostlerd->folder . '/gone';
	$ostlerd->start;
	wait_for(sub { -S $ostlerd->socket }, 'the control socket');
	my $exit = $ostlerd->wait_for_event({ pool => 'gone', event => 'exit' });
	like $exit->{text}, qr/cannot execute its program .*No such file or directory/, 'the reason';
	cmp_ok $exit->{retry_in}, '>=', 10, 'when it is tried again';
	$ostlerd->wait_for_event({ pool => 'late', event => 'exit' });
	like $ostlerd->story(pool => 'late') =~ s/(?: frame)+//r, qr/^spawn not_ready trace (?:stop )?kill said exit$/,
	    'looked at, asked to end, then killed, with its last words';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'why, for people' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'worker', command => $sleep, backoff_first => '20ms' } });
	$ostlerd->start->wait_until_ready;
	my $pid = $ostlerd->worker('web')->{pid};
	kill 'KILL', $pid;
	$ostlerd->wait_for_event({ event => 'exit' });
	my ($status, $out) = $ostlerd->ctl('why', $pid);
	is $status, 0, 'exit status 0';
	like $out, qr/^\S+Z  spawn .*web.* \($pid\).*\n\S+  ready .*\n\S+  exit .*signal 9 \(Killed\)/, 'its whole story';
	unlike $out, qr/master_start/, 'and no other';
	my ($none, undef, $complaint) = $ostlerd->ctl('why', 1);
	is $none, 1, 'of a stranger: 1';
	like $complaint, qr/nothing is known of process 1\b/, 'it says so';
	is +($ostlerd->ctl('why'))[0], 2, 'without a process: 2';
	is +($ostlerd->ctl('why', 'web'))[0], 2, 'with a word: 2';
	my ($unknown, undef, $said) = $ostlerd->ctl('events', 'wbe');
	is $unknown, 1, 'an unknown pool: 1';
	like $said, qr/there is no pool "wbe"/, 'it says so';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'events --follow tells until the end' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'worker', command => $sleep, backoff_first => '20ms' } });
	$ostlerd->start->wait_until_ready;
	my $file = $ostlerd->folder . '/followed';
	my $follower = fork // die "cannot fork: $!";
	if ($follower == 0) {
		open STDOUT, '>', $file;
		{ exec Ostler::Supervisor::program('ostlerctl'), '-s', $ostlerd->socket, 'events', '--json', '--follow' }
		POSIX::_exit(127);
	}
	wait_for(sub { Ostler::Supervisor::slurp($file) =~ /master_ready/ }, 'what was before');
	kill 'KILL', $ostlerd->worker('web')->{pid};
	wait_for(sub { Ostler::Supervisor::slurp($file) =~ /"signal":9.*"ready"/s }, 'what is new');
	is $ostlerd->stop, 0, 'ends with 0';
	waitpid $follower, 0;
	is $?, 0, 'the follower ends, too';
	my @kinds = map { JSON::PP::decode_json($_)->{event} } split /\n/, Ostler::Supervisor::slurp($file);
	like "@kinds", qr/^master_start spawn ready master_ready exit spawn ready master_stop/, 'it has told all, in order';
};

subtest 'the oldest give way, the numbers go on' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => {
		kind => 'worker', workers => \20, command => ['/bin/false'], backoff_first => '10ms', backoff_longest => '10ms' } });
	$ostlerd->start;
	wait_for(sub { -S $ostlerd->socket }, 'the control socket');
	my @events = wait_for(sub { my @e = $ostlerd->events; $e[0]{number} > 1 && \@e }, 'more events than are kept', 120)->@*;
	is scalar(@events), $events[-1]{number} - $events[0]{number} + 1, 'those that are told have no gaps';
	cmp_ok scalar(@events), '>=', 1000, 'many are kept';
	is $ostlerd->stop, 0, 'ends with 0';
};

done_testing;
