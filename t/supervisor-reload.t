#!/usr/bin/perl
# supervisor-reload.t - from one configuration to the next: nothing is lost, or nothing has happened.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::FastCgi;
use Ostler::Load;
use Ostler::Process qw(wait_for alive free_port);
use Ostler::Programs;
use Ostler::Supervisor;
use POSIX ();
use Test::More;
use Time::HiRes qw(time sleep);

my $echo = Ostler::Programs::compile('echo', '-lfcgi');
my $sleep = [ $^X, '-e', 'sleep 1 while 1' ];

sub echo_pool
{
	my (%more) = @_;
	return { kind => 'fastcgi', listen => 'unix:%D/sock/web', command => [$echo], workers => \2,
	    ready_interval => '10ms', backoff_first => '20ms', %more };
}

sub pids { my ($ostlerd, $pool) = @_; return [ map { $_->{pid} } grep { $_->{state} eq 'ready' } @{ $ostlerd->pool($pool)->{workers} } ] }

# Sets settings of a pool in the file; undef takes one away, and undef for all of them the pool.
sub change
{
	my ($ostlerd, $name, %settings) = @_;
	my $pools = $ostlerd->{options}{pools};
	$pools->{$name}{$_} = $settings{$_} for keys %settings;
	delete $pools->{$name}{$_} for grep { !defined $settings{$_} } keys %settings;
	$ostlerd->write_conf;
}

sub reload
{
	my ($ostlerd, @words) = @_;
	my ($status, $out, $complaints) = $ostlerd->ctl('reload', @words);
	is $status, 0, 'the reload is done' or diag $complaints, $ostlerd->messages;
}

sub descriptors { my ($ostlerd) = @_; return scalar(() = glob '/proc/' . $ostlerd->pid . '/fd/*') }
sub socket_inode { my ($ostlerd) = @_; return (stat $ostlerd->folder . '/sock/web')[1] // 0 }

sub started
{
	my (%pools) = @_;
	my $ostlerd = Ostler::Supervisor->new(pools => \%pools);
	return $ostlerd->start->wait_until_ready;
}

subtest 'a changed pool gets new processes, and the others keep theirs' => sub {
	my $ostlerd = started(web => echo_pool(), other => { kind => 'worker', command => $sleep });
	my ($web, $other) = (pids($ostlerd, 'web'), pids($ostlerd, 'other'));
	my $inode = (stat $ostlerd->folder . '/sock/web')[1];
	reload($ostlerd, '--wait=drained');
	is_deeply pids($ostlerd, 'web'), $web, 'without a change nothing happens';
	change($ostlerd, 'web', environment => ['X=1']);
	reload($ostlerd, '--wait=drained');
	my $new = pids($ostlerd, 'web');
	is scalar(grep { my $p = $_; grep { $_ == $p } @$web } @$new), 0, 'after one, all processes are new';
	is scalar(@$new), 2, 'as many as before';
	ok !(grep { alive($_) } @$web), 'the old ones have ended';
	is_deeply pids($ostlerd, 'other'), $other, 'the other pool has the same process';
	isnt +(stat $ostlerd->folder . '/sock/web')[1], $inode, 'the socket is another';
	is $ostlerd->client->ask(GET => '/')->{headers}{'x-generation'}, 2, 'the new generation answers';
	is $ostlerd->story(pool => 'web', generation => 1, slot => 1), 'spawn ready finish exit', 'the old ones were not signalled';
	is_deeply [ map { $_->{event} } grep { $_->{event} =~ /^generation/ } $ostlerd->events(pool => 'web') ],
	    [qw(generation_start generation_ready generation_switch generation_drain generation_end)], 'the steps in their order';
	is $ostlerd->stop, 0, 'ends with 0';
	is_deeply [ glob $ostlerd->folder . '/sock/*' ], [], 'the socket is gone';
};

subtest 'a program that was built anew is a change' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => echo_pool(command => ['%D/echo']) });
	system 'cp', $echo, $ostlerd->folder . '/echo';
	$ostlerd->start->wait_until_ready;
	system "cp $echo @{[ $ostlerd->folder ]}/echo.new && mv @{[ $ostlerd->folder ]}/echo.new @{[ $ostlerd->folder ]}/echo";
	kill 'HUP', $ostlerd->pid;
	$ostlerd->wait_for_event({ pool => 'web', event => 'generation_end' });
	is $ostlerd->worker('web')->{generation}, 2, 'HUP starts the next generation';
	is $ostlerd->stop, 0, 'ends with 0';
};

# More clients than workers, each in the middle of an upload: every worker is always in a request.
for my $kind (qw(unix tcp)) {
	subtest "of 5,000 requests over ten reloads none is lost, on $kind" => sub {
		my ($port, $reservation) = $kind eq 'tcp' ? free_port() : ();
		my $ostlerd = started(web => echo_pool(workers => \3, $port ? (listen => "tcp:127.0.0.1:$port") : ()));
		my $descriptors = descriptors($ostlerd);
		my $load = Ostler::Load->start($port ? "tcp:127.0.0.1:$port" : $ostlerd->at, clients => 5, least => 1000, upload => 0.003);
		for my $n (1 .. 10) {
			my $inode = socket_inode($ostlerd);
			my $before = pids($ostlerd, 'web');
			change($ostlerd, 'web', environment => ["N=$n"]);
			reload($ostlerd, '--wait=drained');
			my %pid = map { $_ => 1 } @{ pids($ostlerd, 'web') };
			is scalar(grep { $pid{$_} } @$before), 0, 'only new processes are left';
			ok wait_for(sub { descriptors($ostlerd) == $descriptors }, 'all descriptors to be closed'), 'and no descriptor';
			isnt socket_inode($ostlerd), $inode, 'the socket is another' if !$port;
		}
		my $sum = $load->stop;
		is $sum->{lost}, 0, 'no request is lost' or diag join "\n", @{ $sum->{why} };
		cmp_ok $sum->{done}, '>=', 5000, "of $sum->{done}";
		is_deeply [ sort { $a <=> $b } keys %{ $sum->{seen} } ], [ 1 .. 11 ], 'every generation has answered';
		is scalar($ostlerd->events(event => $_)), 0, "no event: $_" for qw(kill not_finished);
		is scalar($ostlerd->events(event => 'stop')), 0, 'none was signalled' if !$port;
		is $ostlerd->stop, 0, 'ends with 0';
	};
}

# A queue that is never empty: whoever ends a request has the next at once, old workers as new ones.
subtest 'with always more clients than workers, on tcp' => sub {
	my ($port, $reservation) = free_port();
	my $ostlerd = started(web => echo_pool(listen => "tcp:127.0.0.1:$port", drain_timeout => '100s'));
	my $load = Ostler::Load->start("tcp:127.0.0.1:$port", clients => 10, upload => 0.01);
	for my $n (1 .. 3) {
		change($ostlerd, 'web', environment => ["N=$n"]);
		reload($ostlerd, '--wait=drained');
	}
	my $sum = $load->stop;
	is $sum->{lost}, 0, "no request of $sum->{done} is lost" or diag join "\n", @{ $sum->{why} };
	is scalar($ostlerd->events(event => $_)), 0, "no event: $_" for qw(kill not_finished);
	is scalar(() = map { $_->{text} =~ /nothing is in its hand/ } $ostlerd->events(event => 'stop')), 6, 'each was asked when it had nothing in hand';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'uploads, downloads, slow requests and what waits in the queue are finished' => sub {
	my $ostlerd = started(web => echo_pool(workers => \3));
	my $body = join '', map { "line $_\n" } 1 .. 20_000;
	my $upload = $ostlerd->client->begin(POST => '/echo', length $body);
	my $rest = $body;
	$upload->more(substr $rest, 0, 10_000, '');
	my $slow = $ostlerd->client->begin(POST => '/slow', 0, SECONDS => '1.5');
	my $download = $ostlerd->client->begin(POST => '/big', 0, BYTES => 4_000_000);
	$download->more('');
	wait_for(sub { !grep { Ostler::Supervisor::slurp("/proc/$_/syscall") =~ /^(?:43|288|202) 0x0 / } @{ pids($ostlerd, 'web') } }, 'all to be busy');
	my $queued = $ostlerd->client->begin(POST => '/echo', 6);
	$queued->more('queued');
	change($ostlerd, 'web', environment => ['X=1']);
	reload($ostlerd, '--wait');
	is $ostlerd->client->ask(GET => '/')->{headers}{'x-generation'}, 2, 'the new generation answers at once';
	is $slow->finish->{headers}{'x-generation'}, 1, 'the slow one is answered by the old';
	my $answer = $queued->finish;
	is "$answer->{headers}{'x-generation'} $answer->{body}", '1 queued', 'so is the one that waited in its queue';
	while (length $rest) { $upload->more(substr $rest, 0, 20_000, ''); sleep 0.01 }
	ok $upload->finish->{body} eq $body, 'the upload is whole';
	my $reads = 0;
	is length $download->finish(sub { sleep 0.05 if $reads++ < 10 })->{body}, 4_000_000, 'so is the download';
	$ostlerd->wait_for_event({ pool => 'web', event => 'generation_end' });
	is scalar($ostlerd->events(event => 'stop')), 0, 'none was signalled';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'a mistake in the file: refused, with its line' => sub {
	my $ostlerd = started(web => echo_pool());
	my $pids = pids($ostlerd, 'web');
	change($ostlerd, 'web', workerz => \3);
	my ($status, undef, $complaints) = $ostlerd->ctl('reload', '--wait');
	is $status, 1, 'exit status 1';
	like $complaints, qr/ostler\.conf:\d+: .*"workerz".*did you mean "workers"/, 'it says what and where';
	is_deeply pids($ostlerd, 'web'), $pids, 'the processes are the same';
	ok $ostlerd->events(event => 'reload_refused'), 'it is written down';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'a configuration that cannot be read at once holds up nobody' => sub {
	my $ostlerd = started(web => echo_pool());
	my $pipe = $ostlerd->folder . '/pipe';
	POSIX::mkfifo($pipe, 0600) or die "mkfifo: $!";
	open my $out, '>>', $ostlerd->conf;
	print {$out} qq(\n\@include "pipe"\n);
	close $out;
	kill 'HUP', $ostlerd->pid;
	$ostlerd->wait_for_event({ event => 'reload' });
	my $began = time;
	is $ostlerd->status->{state}, 'running', 'the status is told meanwhile';
	cmp_ok time - $began, '<', 5, 'at once';
	is scalar($ostlerd->events(event => 'reload_failed')), 0, 'while it waits';
	my $failed = $ostlerd->wait_for_event({ event => 'reload_failed' });
	like $failed->{text}, qr/ostler\.conf:\d+: \@include "pipe": \S+ is no regular file/, 'then it is given up';
	is $ostlerd->client->ask(POST => '/', 'x')->{body}, 'x', 'all goes on';
	is $ostlerd->stop, 0, 'ends with 0';
};

for my $case (
	[ 'ends' => { environment => ['FAIL=1'] }, qr/web \d: ended with status 7/, qr/web \d: \| the licence has run out/ ],
	[ 'hangs' => { environment => ['HANG=1'], ready_timeout => '300ms' }, qr/web \d: was not ready in time/ ],
	[ 'cannot be executed' => { command => [ '/bin/sh', '-c', 'exec /nowhere/at/all' ] }, qr/ended with status 127/ ],
) {
	my ($what, $settings, @patterns) = @$case;
	subtest "a new program that $what: the old one goes on" => sub {
		my $ostlerd = started(web => echo_pool(), other => { kind => 'worker', command => $sleep });
		my ($web, $other) = (pids($ostlerd, 'web'), pids($ostlerd, 'other'));
		my $load = Ostler::Load->start($ostlerd->at, clients => 4, upload => 0.003);
		change($ostlerd, 'web', %$settings);
		change($ostlerd, 'other', environment => ['X=1']);
		my ($status, undef, $complaints) = $ostlerd->ctl('reload', '--wait');
		is $status, 1, 'exit status 1';
		like $complaints, $_, 'it says why' for @patterns;
		is_deeply pids($ostlerd, 'web'), $web, 'its processes are the same';
		is_deeply pids($ostlerd, 'other'), $other, 'those of a pool that would have been changed, too';
		my $sum = $load->stop;
		is $sum->{lost}, 0, "no request of $sum->{done} is lost" or diag join "\n", @{ $sum->{why} };
		wait_for(sub { $ostlerd->events(event => 'generation_end') == 2 }, 'the end of what was started');
		is_deeply [ map { s{.*/}{}r } glob $ostlerd->folder . '/sock/*' ], [ 'web', 'web.lock' ], 'no socket is left of it';
		change($ostlerd, 'web', map { $_ => undef } keys %$settings);
		change($ostlerd, 'web', command => [$echo], environment => ['X=2']);
		reload($ostlerd, '--wait=drained');
		is $ostlerd->worker('web')->{state}, 'ready', 'once mended, it is reloaded';
		is $ostlerd->stop, 0, 'ends with 0';
	};
}

subtest 'a next reload, while what a failed one has started has not ended yet' => sub {
	my $ostlerd = started(web => echo_pool());
	change($ostlerd, 'web', command => [ $^X, '-e', '$SIG{TERM} = "IGNORE"; sleep 1 while 1' ], ready_timeout => '200ms', stop_timeout => '1s');
	my ($status) = $ostlerd->ctl('reload', '--wait');
	is $status, 1, 'the first fails';
	change($ostlerd, 'web', command => [ '/bin/sh', '-c', "until test -e %D/go; do sleep 0.02; done; exec $echo" ], ready_timeout => undef);
	kill 'HUP', $ostlerd->pid;
	$ostlerd->wait_for_event({ event => 'spawn', generation => 3 });
	ok !$ostlerd->events(event => 'generation_end'), 'the next begins meanwhile';
	$ostlerd->wait_for_event({ event => 'generation_end', generation => 2 });
	open my $go, '>', $ostlerd->folder . '/go' or die $!;
	wait_for(sub { $ostlerd->events(event => 'generation_switch') || $ostlerd->events(event => 'reload_failed') > 1 }, 'its end');
	is scalar($ostlerd->events(event => 'generation_switch', generation => 3)), 1, 'and takes over when the other has ended';
	my $answer = Ostler::FastCgi->new($ostlerd->at)->ask('GET', '/echo');
	is $answer->{headers}{'x-generation'}, 3, 'it answers';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest '25 reloads within a second end in one generation' => sub {
	my $ostlerd = started(web => echo_pool());
	my $descriptors = descriptors($ostlerd);
	my $load = Ostler::Load->start($ostlerd->at, clients => 4, upload => 0.003);
	for my $n (1 .. 25) {
		change($ostlerd, 'web', environment => ["N=$n"]);
		kill 'HUP', $ostlerd->pid;
		sleep rand 0.025;
	}
	my ($status, $out) = $ostlerd->ctl('reload', '--wait=drained');
	is $status, 0, 'one more is done';
	my $sum = $load->stop;
	is $sum->{lost}, 0, "no request of $sum->{done} is lost" or diag join "\n", @{ $sum->{why} };
	my ($environ) = Ostler::Supervisor::slurp('/proc/' . $ostlerd->worker('web')->{pid} . '/environ') =~ /\0N=(\d+)\0/;
	is $environ, 25, 'the last configuration is in force';
	is scalar(@{ $ostlerd->pool('web')->{workers} }), 2, 'one generation is left';
	is scalar(() = `pgrep -P @{[ $ostlerd->pid ]} -x echo`), 2, 'and no other process';
	is scalar($ostlerd->events(event => 'kill')), 0, 'none was killed';
	is descriptors($ostlerd), $descriptors, 'no descriptor is left open';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'pools that come, go, are renamed and move' => sub {
	my $ostlerd = started(
		same => { kind => 'worker', command => $sleep },
		gone => { kind => 'worker', command => [ $^X, '-e', 'sleep 2 while 1' ] },
		old_name => { kind => 'service', command => [ $^X, '-e', 'sleep 3 while 1' ] },
		web => echo_pool());
	my %before = map { $_ => pids($ostlerd, $_)->[0] } qw(same gone old_name web);
	my $pools = $ostlerd->{options}{pools};
	delete $pools->{gone};
	$pools->{new_name} = delete $pools->{old_name};
	$pools->{added} = { kind => 'worker', command => $sleep, after => ['same'] };
	$pools->{web}{listen} = 'unix:%D/sock/elsewhere';
	$ostlerd->write_conf;
	reload($ostlerd, '--wait=drained');
	is_deeply [ sort map { $_->{name} } @{ $ostlerd->status->{pools} } ], [qw(added new_name same web)], 'the pools';
	is pids($ostlerd, 'same')->[0], $before{same}, 'one that stays has its process';
	is pids($ostlerd, 'new_name')->[0], $before{old_name}, 'one that was renamed, too';
	ok !alive($before{$_}), "the process of $_ has ended" for qw(gone web);
	ok !-e $ostlerd->folder . '/sock/web' && !-e $ostlerd->folder . '/sock/web.lock', 'the socket at the old address is gone';
	is +Ostler::FastCgi->new($ostlerd->at =~ s/web$/elsewhere/r)->ask(POST => '/', 'x')->{body}, 'x', 'the one at the new address answers';
	is $ostlerd->status->{state}, 'running', 'all is well';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'settings that need no new process are applied to those there are' => sub {
	my $ostlerd = started(web => echo_pool());
	my $pids = pids($ostlerd, 'web');
	change($ostlerd, 'web', workers => \3, stop_timeout => '7s', drain_timeout => '70s');
	reload($ostlerd, '--wait');
	$ostlerd->wait_for_worker('web', 3, sub { $_[0] && $_[0]{state} eq 'ready' });
	is_deeply [ @{ pids($ostlerd, 'web') }[ 0, 1 ] ], $pids, 'the processes are the same, and one was added';
	change($ostlerd, 'web', workers => \1);
	reload($ostlerd, '--wait');
	wait_for(sub { (grep { $_->{pid} } @{ $ostlerd->pool('web')->{workers} }) == 1 }, 'two to leave');
	is $ostlerd->pool('web')->{state}, 'ready', 'one is enough now';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'a service is told, and never run twice' => sub {
	my $ostlerd = started(base => { kind => 'service', reload_signal => 'USR1', output => '%D/log/base',
		command => [ $^X, '-e', '$| = 1; $SIG{USR1} = sub { print "told\n" }; sleep 1 while 1' ] });
	my $pid = $ostlerd->worker('base')->{pid};
	reload($ostlerd, '--wait');
	wait_for(sub { $ostlerd->log_of('base') =~ /told/ }, 'it to be told');
	change($ostlerd, 'base', environment => ['X=1']);
	reload($ostlerd, '--wait');
	is $ostlerd->worker('base')->{pid}, $pid, 'with other settings it goes on as it was';
	my ($status) = $ostlerd->ctl('restart', 'base', '--wait');
	is $status, 0, 'restarted';
	isnt $ostlerd->worker('base')->{pid}, $pid, 'it is another process';
	like Ostler::Supervisor::slurp('/proc/' . $ostlerd->worker('base')->{pid} . '/environ'), qr/\0X=1\0/, 'with the new settings';
	my @events = map { "$_->{event} $_->{generation}" } grep { $_->{event} =~ /^(?:spawn|exit)$/ } $ostlerd->events(pool => 'base');
	is_deeply \@events, [ 'spawn 1', 'exit 1', 'spawn 2' ], 'there were never two';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'tasks that changed run again, before what comes after them' => sub {
	my $ostlerd = started(
		migrate => { kind => 'task', command => [ '/bin/sh', '-c', 'echo run >>%D/runs' ] },
		between => { kind => 'task', command => ['/bin/true'], after => ['migrate'] },
		web => echo_pool(after => ['between']));
	change($ostlerd, 'migrate', environment => ['X=1']);
	change($ostlerd, 'web', environment => ['X=1']);
	reload($ostlerd, '--wait=drained');
	is Ostler::Supervisor::slurp($ostlerd->folder . '/runs'), "run\nrun\n", 'it ran again';
	my @events = map { "$_->{pool} $_->{event}" } grep { ($_->{generation} // 0) == 2 && $_->{event} =~ /^(?:spawn|exit)$/ } $ostlerd->events;
	is_deeply \@events, [ 'migrate spawn', 'migrate exit', 'web spawn', 'web spawn' ], 'and the others waited for it';
	change($ostlerd, 'migrate', command => [ '/bin/sh', '-c', 'echo "no such column" >&2; exit 1' ]);
	change($ostlerd, 'web', environment => ['X=2']);
	my $pids = pids($ostlerd, 'web');
	my ($status, undef, $complaints) = $ostlerd->ctl('reload', '--wait');
	is $status, 1, 'one that fails makes the reload fail';
	like $complaints, qr/migrate: ended with status 1.*\| no such column/s, 'with its last words';
	is_deeply pids($ostlerd, 'web'), $pids, 'what comes after it is as it was';
	is $ostlerd->stop, 0, 'ends with 0';
};

done_testing;
