#!/usr/bin/perl
# supervisor-crash.t - what dies is replaced; what keeps dying waits; neither hurts the others.
use strict;
use warnings;
use FindBin;
use IO::Socket::UNIX;
use lib "$FindBin::Bin/lib";
use Ostler::Process qw(wait_for alive);
use Ostler::Supervisor;
use Test::More;

my $sleep = [ $^X, '-e', 'sleep 1 while 1' ];

subtest 'a killed worker is replaced, and the others go on' => sub {
	my $ostlerd = Ostler::Supervisor->new(
		pools => { web => { kind => 'worker', workers => \3, backoff_first => '20ms', command => $sleep } });
	$ostlerd->start->wait_until_ready;
	my @before = map { $ostlerd->worker('web', $_)->{pid} } 1 .. 3;
	kill 'KILL', $before[1];
	my $new = $ostlerd->wait_for_worker('web', 2, sub { $_[0]{state} eq 'ready' && $_[0]{pid} != $before[1] }, 'a new worker');
	is $new->{restarts}, 1, 'its restart is counted';
	is $ostlerd->worker('web', 1)->{pid}, $before[0], 'the first is the same';
	is $ostlerd->worker('web', 3)->{pid}, $before[2], 'the third, too';
	my ($exit) = $ostlerd->events(pool => 'web', event => 'exit');
	is "$exit->{pid} $exit->{signal}", "$before[1] 9", 'whose end it was, and of what, is written down';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'a pool that keeps crashing waits longer each time; the one beside it does not notice' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => {
		bad => { kind => 'worker', backoff_first => '40ms', backoff_longest => '320ms', command => [ $^X, '-e', 'exit 3' ] },
		good => { kind => 'worker', command => $sleep },
	});
	$ostlerd->start->wait_for_event({ pool => 'good', event => 'ready' });
	my $pid = $ostlerd->worker('good')->{pid};
	my $spawns = wait_for(sub { my @s = $ostlerd->events(pool => 'bad', event => 'spawn'); @s >= 6 && \@s }, 'six crashes');
	my @exits = $ostlerd->events(pool => 'bad', event => 'exit', status => 3);
	my $second = sub { my ($h, $m, $s) = $_[0]{time} =~ /T(\d+):(\d+):([\d.]+)Z/; return 3600 * $h + 60 * $m + $s };
	# From the end of one to the beginning of the next; modulo a day, in case midnight lies between.
	my @waits = map { my $wait = $second->($spawns->[ $_ + 1 ]) - $second->($exits[$_]); $wait < 0 ? $wait + 86_400 : $wait } 0 .. 4;
	my @least = (0.04, 0.08, 0.16, 0.32, 0.32);
	cmp_ok $waits[$_], '>=', $least[$_] - 0.01, "wait $_ is at least $least[$_] s" for 0 .. 4;
	is $ostlerd->pool('bad')->{state}, 'failing', 'the pool is said to fail';
	is $ostlerd->worker('good')->{pid}, $pid, 'the good one is the same';
	my @waits_told = map { $_->{retry_in} } $ostlerd->events(pool => 'bad', event => 'exit', status => 3);
	cmp_ok $waits_told[1], '>', $waits_told[0], 'the wait is told';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'what was crashing and then serves well is forgiven' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => {
		kind => 'worker', backoff_first => '20ms', good_service => '300ms',
		command => [ '/bin/sh', '-c', 'test -e %D/well || exit 1; exec sleep 1000' ] } });
	$ostlerd->start;
	wait_for(sub { -S $ostlerd->socket }, 'the control socket');
	$ostlerd->wait_for_worker('web', 1, sub { $_[0]{failures} >= 3 }, 'three failures');
	open my $well, '>', $ostlerd->folder . '/well';
	my $worker = $ostlerd->wait_for_worker('web', 1, sub { $_[0]{state} eq 'ready' && $_[0]{seconds} > 0.35 }, 'good service');
	kill 'KILL', $worker->{pid};
	my $next = $ostlerd->wait_for_worker('web', 1, sub { ($_[0]{pid} // 0) != $worker->{pid} && $_[0]{pid} }, 'another');
	is $next->{failures}, 0, 'no failure is held against it';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'exit 0 of a FastCGI worker: a crash before it was ready, a renewal after' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => {
		early => { kind => 'fastcgi', listen => 'unix:%D/sock/early', backoff_first => '30s', command => ['/bin/true'] },
		late => { kind => 'fastcgi', listen => 'unix:%D/sock/late', backoff_first => '30s', ready_interval => '10ms',
		    command => [ $^X, '-e', 'open my $s, "+<&=", 0; accept my $c, $s; print $c $$; close $c' ] },
	});
	cmp_ok $ostlerd->start->wait_for_event({ pool => 'early', event => 'exit', status => 0 })->{retry_in}, '>=', 30, 'the one that ends early is made to wait';
	for my $n (1 .. 3) {
		my $worker = $ostlerd->wait_for_worker('late', 1, sub { $_[0]{state} eq 'ready' }, 'a worker that accepts');
		is $worker->{restarts}, $n - 1, "$n: it is ready without a wait";
		my $client = IO::Socket::UNIX->new(Peer => $ostlerd->folder . '/sock/late') or die "cannot connect: $!";
		is scalar(<$client>), $worker->{pid}, "$n: it answers";
		$ostlerd->wait_for_worker('late', 1, sub { $_[0]{restarts} == $n }, 'the next');
	}
	is $ostlerd->worker('late')->{failures}, 0, 'no failure is counted';
	is $ostlerd->worker('early')->{failures}, 1, 'but for the early one';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'a program that cannot be executed is told with the reason' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => {
		broken => { kind => 'worker', command => ['%D/broken'], backoff_first => '20ms' },
		good => { kind => 'worker', command => $sleep },
	});
	open my $script, '>', $ostlerd->folder . '/broken';
	print $script "#!/no/such/interpreter\n";
	close $script;
	chmod 0755, $ostlerd->folder . '/broken';
	my $exit = $ostlerd->start->wait_for_event({ pool => 'broken', event => 'exit' });
	like $exit->{text}, qr{cannot execute its program \(\S+/broken\): No such file or directory}, 'the reason';
	$ostlerd->wait_for_event({ pool => 'good', event => 'ready' });
	is $ostlerd->worker('good')->{state}, 'ready', 'the other pool runs';
	is $ostlerd->pool('broken')->{state} eq 'ready', '', 'this one does not';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'what a dead worker leaves in its process group goes with it' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { parent => {
		kind => 'worker', backoff_first => '20ms', output => '%D/log/parent',
		command => [ '/bin/sh', '-c', 'sleep 1000 & echo $!; exec sleep 1000' ] } });
	$ostlerd->start->wait_until_ready;
	my $child = wait_for(sub { $ostlerd->log_of('parent') =~ /^(\d+)\n/ && $1 }, 'the child');
	ok alive($child), 'its child runs';
	kill 'KILL', $ostlerd->worker('parent')->{pid};
	wait_for(sub { !alive($child) }, 'the end of the child');
	pass 'and ends with it';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'an orphan that has left the group is reaped, whatever its status' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { daemonizer => {
		kind => 'worker', output => '%D/log/daemonizer',
		command => [ $^X, '-MPOSIX', '-e',
			'my $p = fork; if (!$p) { setsid(); my $q = fork; if ($q) { print "$q\n"; exit } 1 until -e "%D/go"; POSIX::_exit(3) } waitpid $p, 0; sleep 1 while 1' ] } });
	$ostlerd->start->wait_until_ready;
	my $orphan = wait_for(sub { $ostlerd->log_of('daemonizer') =~ /^(\d+)\n/ && $1 }, 'the orphan');
	wait_for(sub { Ostler::Supervisor::slurp("/proc/$orphan/status") =~ /^PPid:\s+@{[ $ostlerd->pid ]}$/m }, 'its adoption');
	open my $go, '>', $ostlerd->folder . '/go';
	wait_for(sub { !-e "/proc/$orphan" }, 'its burial');
	is $ostlerd->worker('daemonizer')->{restarts}, 0, 'the worker is not taken for it';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'when ostlerd is killed, workers are told to end' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'worker', command => $sleep } });
	$ostlerd->start->wait_until_ready;
	my $pid = $ostlerd->worker('web')->{pid};
	is $ostlerd->stop('KILL'), 128 + 9, 'it is killed';
	wait_for(sub { !alive($pid) }, 'the end of the worker');
	$ostlerd->start;
	$ostlerd->wait_until_ready;
	is $ostlerd->pool('web')->{state}, 'ready', 'the next one starts over what was left';
	is $ostlerd->stop, 0, 'ends with 0';
};

done_testing;
