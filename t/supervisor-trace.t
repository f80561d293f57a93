#!/usr/bin/perl
# supervisor-trace.t - before a worker that hangs is ended it is said where, and nothing else is changed by that.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use Ostler::FastCgi;
use Ostler::Process qw(wait_for);
use Ostler::Programs;
use Ostler::Supervisor;
use POSIX ();
use Test::More;
use Time::Local qw(timegm);

my $stuck = Ostler::Programs::application('stuck');
my $deaf = [ $^X, '-e', '$SIG{TERM} = "IGNORE"; $| = 1; print "deaf\n"; sleep 1 while 1' ];
my $idle = [ $^X, '-e', 'sleep 1 while 1' ];

sub start
{
	my (%pool) = @_;
	my $ostlerd = Ostler::Supervisor->new(pools => { web => {
		kind => 'fastcgi', listen => 'unix:%D/sock/web', command => [$stuck], output => '%D/log/web',
		watch_interval => '20ms', backoff_first => '20ms', ready_interval => '10ms', trace_timeout => '60s', %pool } });
	return $ostlerd->start->wait_until_ready;
}

# Makes the file that a request to "/until$file" or "/blocked$file" waits for.
sub release { my ($file) = @_; open my $out, '>', $file or die "$file: $!" }

sub pid_of { my ($ostlerd) = @_; return $ostlerd->worker('web')->{pid} }

# What ostlerctl answers about a process: the JSON.
sub trace
{
	my ($ostlerd, $pid) = @_;
	my ($status, $out, $complaints) = $ostlerd->ctl('trace', $pid, '--json');
	die "ostlerctl trace: $complaints" if $status != 0;
	return JSON::PP::decode_json($out);
}

sub functions { my ($thread) = @_; return map { $_->{function} // () } @{ $thread->{frames} } }

# The lines behind a trace among the events, up to the next event of another kind.
sub lines_behind
{
	my ($ostlerd, $trace) = @_;
	my @lines;
	for my $event (grep { $_->{number} > $trace->{number} } $ostlerd->events) {
		last if $event->{event} ne 'frame';
		push @lines, $event->{text};
	}
	return join "\n", @lines;
}

# Seconds between two events.
sub between
{
	my @times = map { my @t = $_->{time} =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):([\d.]+)Z$/;
		timegm(0, $t[4], $t[3], $t[2], $t[1] - 1, $t[0]) + $t[5] } @_;
	return $times[1] - $times[0];
}

subtest 'stuck in a request: where, in which system call, with which request; then it is asked to end' => sub {
	my $ostlerd = start(request_timeout => '300ms', stop_timeout => '120s');
	my $pid = pid_of($ostlerd);
	my $client = $ostlerd->client;
	$client->send('GET', '/stuck/1000');
	my $trace = $ostlerd->wait_for_event({ event => 'trace' });
	is $trace->{pid}, $pid, 'the event says who';
	is "$trace->{pool} $trace->{slot}", 'web 1', 'of which pool, on which seat';
	like $trace->{text}, qr{^request_timeout: GET /stuck/1000 for \d+\.\d s$}, 'why, and the request';
	cmp_ok $trace->{seconds}, '>', 0, 'how long the look took';
	my $lines = lines_behind($ostlerd, $trace);
	like $lines, qr/^thread $pid \(stuck\), S, in clock_nanosleep\(0x/m, 'the thread and its system call';
	like $lines, qr/^#\d stuck_here\+0x[0-9a-f]+ in stuck$/m, 'the function it is stuck in';
	like $lines, qr/^#\d main\+0x.* in stuck$/m, 'and who has called it';
	like $ostlerd->messages, qr{where pid $pid is: request_timeout: GET /stuck/1000 .*trace: #\d stuck_here\+}s, 'the log says the same';
	$ostlerd->wait_for_event({ event => 'stop' });
	is $ostlerd->story(pid => $pid) =~ s/(?: frame)+//r, 'spawn ready stuck trace stop', 'one after the other';
	is $ostlerd->stop('QUIT'), 0, 'ends with 0';
};

subtest 'one that computes for ever is seen, too' => sub {
	my $ostlerd = start(request_timeout => '300ms', stop_timeout => '120s');
	my $client = $ostlerd->client;
	$client->send('GET', '/spin');
	my $lines = lines_behind($ostlerd, $ostlerd->wait_for_event({ event => 'trace' }));
	like $lines, qr/^thread \d+ \(stuck\), R$/m, 'it runs, in no system call';
	like $lines, qr/^#0 spins_here\+0x/m, 'and where';
	is $ostlerd->stop('QUIT'), 0, 'ends with 0';
};

# The limit of the look is an hour; what counts is that nobody waits for it.
for my $way ([ 'before its stop signal', [ $stuck ], '/stuck/1000', 'request_timeout' ], [ 'before it is killed', $deaf, undef, 'stop_timeout' ]) {
	my ($when, $command, $target, $reason) = @$way;
	subtest "who looks and never comes to an end holds nothing up: $when" => sub {
		my %kind = $target ? () : (kind => 'worker', ready => 'exec:/bin/grep -q deaf %D/log/web');
		my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'fastcgi', $target ? (listen => 'unix:%D/sock/web') : (),
			command => $command, output => '%D/log/web', request_timeout => '300ms', watch_interval => '20ms', ready_interval => '10ms',
			stop_timeout => '2s', trace_timeout => '1h', trace_command => [ '/bin/sh', '-c', 'echo looks at $0; "$1" -e "sleep 1000" "$2"; true', '%p', $^X, '%D' ], %kind } });
		$ostlerd->start->wait_until_ready;
		my $pid = pid_of($ostlerd);
		my $client;
		if ($target) {
			$client = $ostlerd->client;
			$client->send('GET', $target);
		} else {
			kill 'TERM', $ostlerd->pid;
		}
		# A master that was asked to stop ends with its last worker, and only its messages stay.
		$ostlerd->wait_for_log(qr/where pid $pid is: $reason.*; cut short\n.*has not ended in (?:[2-9]|\d\d+)\.\d s; kills it/s);
		if ($target) {
			my ($hung, $kill) = map { $ostlerd->wait_for_event({ event => $_ }) } qw(stuck kill);
			cmp_ok between($hung, $kill), '>', 1.9, 'killed when its time is up';
			$ostlerd->wait_for_event({ event => 'exit' });
			like $ostlerd->story(pid => $pid) =~ s/(?: frame)+//r, qr/^spawn ready stuck trace (?:stop )?kill exit$/, 'one after the other';
			$ostlerd->wait_for_worker('web', 1, sub { $_[0]{state} eq 'ready' && $_[0]{pid} != $pid }, 'another worker');
			is $ostlerd->stop, 0, 'ends with 0';
		} else {
			is $ostlerd->wait_for_end(60), 0, 'ends with 0';
		}
		wait_for(sub { !grep { /sleep 1000.* \Q@{[ $ostlerd->folder ]}\E / } commands() }, 'nobody to be left who looks');
		pass 'nobody is left who looks';
	};
}

# The command lines of all processes.
sub commands { return map { Ostler::Supervisor::slurp($_) =~ tr/\0/ /r } glob '/proc/[0-9]*/cmdline' }

subtest 'not ready in time: where it hangs instead' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'fastcgi', listen => 'unix:%D/sock/web', command => [ $stuck, 'late' ],
		ready_timeout => '3s', stop_timeout => '120s', trace_timeout => '60s', backoff_first => '60s' } });
	$ostlerd->start;
	my $trace = $ostlerd->wait_for_event({ event => 'trace' });
	is $trace->{text}, 'ready_timeout', 'why';
	like lines_behind($ostlerd, $trace), qr/^#\d starts_here\+0x/m, 'where';
	is $ostlerd->stop('QUIT'), 0, 'ends with 0';
};

subtest 'asked to end, it hangs: where, before it is killed' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'worker', command => $deaf, output => '%D/log/web',
		ready => 'exec:/bin/grep -q deaf %D/log/web', ready_interval => '10ms', stop_timeout => '2s' } });
	$ostlerd->start->wait_until_ready;
	my $pid = pid_of($ostlerd);
	is $ostlerd->stop, 0, 'ends with 0';
	# On a machine that stands still the second that there is may be too short to see it.
	like $ostlerd->messages, qr/where pid $pid is: stop_timeout(?:; cut short|\n.*trace: thread $pid \(perl\), S, in \w*nanosleep).*has not ended in .*kills it/s, 'looked at, then killed';
};

subtest 'slow: looked at once, left alone, and answered' => sub {
	my $ostlerd = start(slow_request => '200ms', slow_interval => '1h');
	my $pid = pid_of($ostlerd);
	my $client = $ostlerd->client;
	my $file = $ostlerd->folder . '/go';
	$client->send('GET', "/blocked$file");
	my $trace = $ostlerd->wait_for_event({ event => 'trace' });
	like $trace->{text}, qr{^slow_request: GET /blocked\Q$file\E for \d+\.\d s$}, 'why, and the request';
	my $lines = lines_behind($ostlerd, $trace);
	like $lines, qr/, in futex\(.*waits_for_lock_here\+0x/s, 'who waits';
	like $lines, qr/^#\d holds_lock_here\+0x/m, 'and for whom';
	release($file);
	is $client->receive->{body}, $pid, 'it is answered';
	is $ostlerd->client->ask('GET', '/stuck/0.6')->{body}, $pid, 'another slow one, too';
	is scalar($ostlerd->events(event => 'trace')), 1, 'the first was looked at once, the second came too soon behind it';
	is $ostlerd->story(pool => 'web') =~ s/(?: frame)+//r, 'spawn ready trace', 'nothing else has happened';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'slow: when the interval is over the next one is looked at' => sub {
	my $ostlerd = start(slow_request => '100ms', slow_interval => '10ms');
	my $pid = pid_of($ostlerd);
	for my $count (1 .. 3) {
		my $file = $ostlerd->folder . "/go.$count";
		my $client = $ostlerd->client;
		$client->send('GET', "/until$file");
		$ostlerd->wait_for_event({ event => 'trace' }, $count);
		release($file);
		is $client->receive->{body}, $pid, "answered: $count";
	}
	is scalar($ostlerd->events(event => 'trace')), 3, 'each once';
	is $ostlerd->stop, 0, 'ends with 0';
};

# Its thread waits in read(2) on a socket with a timeout, a call that the kernel itself does not begin again.
subtest 'slow: who waits for the rest of a body gets all of it' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'fastcgi', listen => 'unix:%D/sock/web', ready => 'notify',
		command => [ Ostler::Supervisor::program('ostler-app'), '-c', '%D/app.conf', 'web' ], slow_request => '100ms',
		slow_interval => '10ms', watch_interval => '20ms', trace_timeout => '60s', output => '%D/log/web' } });
	open my $conf, '>', $ostlerd->folder . '/app.conf' or die "app.conf: $!";
	print $conf qq(threads = 4;\nlog_level = "error";\n);
	close $conf;
	$ostlerd->start->wait_until_ready;
	my $pid = pid_of($ostlerd);
	my $client = $ostlerd->client;
	my $request = $client->request('POST', '/api/login', '{"username":"nobody","password":["' . 'x' x 100 . '"]}', CONTENT_TYPE => 'application/json');
	$client->send_bytes(substr $request, 0, -60);
	my $trace = $ostlerd->wait_for_event({ event => 'trace' });
	like $trace->{text}, qr{^slow_request: POST /api/login for }, 'it is looked at while it waits';
	my @asked = map { trace($ostlerd, $pid) } 1 .. 5;
	ok +(grep { $_->{syscall} =~ /^(?:read|recv)/ } @{ $asked[-1]{threads} }), 'in a call that receives';
	$client->send_bytes(substr $request, -60);
	my $answer = $client->receive;
	ok $answer, 'it is answered';
	is $answer->{status}, 422, 'as a whole body is: what is wrong is its meaning';
	like $answer->{body}, qr{"/password"}, 'at the place that came first';
	my %tids = map { $_ => 1 } map { @{ $_->{tids} } } @{ $asked[0]{threads} };
	is_deeply [ sort keys %tids ], [ sort map { m{/(\d+)$} } glob "/proc/$pid/task/*" ], 'all threads were shown';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'ostlerctl trace: an idle worker, all of its threads, for people and for programs' => sub {
	my $ostlerd = start(command => [ $stuck, 'threads' ]);
	my $pid = pid_of($ostlerd);
	my $seen = trace($ostlerd, $pid);
	is_deeply [ @$seen{qw(pool slot pid generation reason request trouble)} ], [ 'web', 1, $pid, 1, 'asked', undef, undef ], 'whose it is';
	ok !$seen->{cut}, 'all of it';
	is scalar(@{ $seen->{threads} }), 2, 'threads that are alike are told of once';
	my ($alone, $three) = @{ $seen->{threads} };
	is_deeply $alone->{tids}, [$pid], 'who is alone comes first';
	like $alone->{syscall}, qr/^accept4?\(0x0, /, 'it accepts, on descriptor 0';
	is +(grep { $_ eq 'main' } functions($alone)), 1, 'in main';
	is scalar(@{ $three->{tids} }), 3, 'three others';
	is_deeply [ sort $pid, @{ $three->{tids} } ], [ sort map { m{/(\d+)$} } glob "/proc/$pid/task/*" ], 'which are all';
	is +(grep { $_ eq 'idles_here' } functions($three)), 1, 'where they idle';
	my ($main) = grep { ($_->{function} // '') eq 'main' } @{ $alone->{frames} };
	is $main->{module}, $stuck, 'the file of a function';
	like $main->{build_id}, qr/^[0-9a-f]{16,}$/, 'and which build of it';
	my ($status, $out) = $ostlerd->ctl('trace', $pid);
	is $status, 0, 'for people: exit status 0';
	like $out, qr/\Aweb 1 \($pid\), asked; seen in \d+\.\d\d s\nthread $pid \(stuck\), S, in accept4?\(.*\n    #0 accept/, 'the same as text';
	like $out, qr/^threads \d+, \d+, \d+ \(stuck\), S, in pause\(.*\n(?: +#.*\n)* +#\d idles_here\+0x/m, 'with all in it';
	is $ostlerd->client->ask('GET', '/pid')->{body}, $pid, 'it serves as before';
	is pid_of($ostlerd), $pid, 'it is the same';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'ostlerctl trace: no process but a worker' => sub {
	my $ostlerd = start();
	for my $foreign (1, $$, $ostlerd->pid, 4_000_000_000) {
		my ($status, $out, $complaints) = $ostlerd->ctl('trace', $foreign);
		is "$status$out", '1', "$foreign: refused";
		is $complaints, "ostlerctl: process $foreign is no worker of this ostlerd\n", 'it is said why';
	}
	is +($ostlerd->ctl('trace'))[0], 2, 'without a process: 2';
	is +($ostlerd->ctl('trace', 'web'))[0], 2, 'with a word: 2';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'ostlerctl trace: many who ask at once get an answer each' => sub {
	my $ostlerd = start(workers => \12);
	my @pids = map { $_->{pid} } @{ $ostlerd->pool('web')->{workers} };
	my %child;
	for my $pid (@pids) {
		my $child = fork // die "cannot fork: $!";
		if ($child == 0) {
			open STDOUT, '>', $ostlerd->folder . "/trace.$pid";
			open STDERR, '>&', \*STDOUT;
			{ exec Ostler::Supervisor::program('ostlerctl'), '-s', $ostlerd->socket, 'trace', $pid }
			POSIX::_exit(127);
		}
		$child{$pid} = $child;
	}
	waitpid $_, 0 for values %child;
	my @answers = map { Ostler::Supervisor::slurp($ostlerd->folder . "/trace.$_") } @pids;
	my $told = grep { /#\d main\+0x/ } @answers;
	cmp_ok $told, '>=', 1, "told: $told";
	is $told + (grep { /so many (?:processes|others)/ } @answers), 12, 'the others are refused in so many words';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'trace_command: what a language knows of its own stack' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'worker', command => $idle, trace_timeout => '60s',
		trace_command => [ $^X, '-e', 'print "looks at $ARGV[0] as ", scalar(getpwuid $>), "\nline 2\n"', '%p' ] } });
	$ostlerd->start->wait_until_ready;
	my $pid = pid_of($ostlerd);
	my $seen = trace($ostlerd, $pid);
	is_deeply $seen->{command}, [ "looks at $pid as " . getpwuid($>), 'line 2' ], 'its lines';
	is $seen->{threads}[0]{name}, 'perl', 'beside the native stack';
	like +($ostlerd->ctl('trace', $pid))[1], qr/^    \| looks at $pid/m, 'for people, too';
	like lines_behind($ostlerd, ($ostlerd->events(event => 'trace'))[0]), qr/^\| line 2$/m, 'and among the events';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'trace_command: what has no end is cut, and what cannot be is refused' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'worker', command => $idle, trace_timeout => '60s', trace_command => [ '/usr/bin/yes', '%p' ] } });
	$ostlerd->start->wait_until_ready;
	my $pid = pid_of($ostlerd);
	my $seen = trace($ostlerd, $pid);
	ok $seen->{cut}, 'cut short';
	cmp_ok scalar(@{ $seen->{command} }), '>', 100, 'but the beginning is there';
	cmp_ok length(join "\n", @{ $seen->{command} }), '<', 80000, 'and no more';
	like lines_behind($ostlerd, ($ostlerd->events(event => 'trace'))[0]), qr/^and \d+ more lines$/m, 'of the events it takes a hundred';
	wait_for(sub { !grep { /^\S*yes $pid / } commands() }, 'its end');
	$ostlerd->{options}{pools}{web}{trace_command} = [ '/usr/bin/yes', 'p' ];
	$ostlerd->write_conf;
	my ($status, undef, $complaints) = $ostlerd->check;
	is $status, 2, 'without %p it could look at nothing';
	like $complaints, qr/trace_command must have %p in one of its arguments/, 'it is said';
	$ostlerd->{options}{pools}{web}{trace_command} = [ '/no/such/program', '%p' ];
	$ostlerd->write_conf;
	like +($ostlerd->check)[2], qr{/no/such/program}, 'and so is a program that is not there';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'what the kernel does not show is said, not guessed' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'fastcgi', listen => 'unix:%D/sock/web', command => [ $stuck, 'undumpable' ], ready => 'exec:/bin/true', trace_timeout => '60s' } });
	my $folder = $ostlerd->folder;
	my ($user, $group) = $> == 0 ? (getpwnam 'nobody')[ 2, 3 ] : ($>, $) + 0);
	chown $user, $group, $folder, "$folder/ctl", "$folder/sock", "$folder/log";
	$ostlerd->start(sub { $) = "$group $group"; $( = $group; $< = $> = $user });
	$ostlerd->wait_until_ready;
	my $pid = pid_of($ostlerd);
	wait_for(sub { (stat "/proc/$pid/exe") || (lstat "/proc/$pid/exe")[4] != $user }, 'it to have closed itself');
	my $seen = trace($ostlerd, $pid);
	is $seen->{trouble}, 'its stack cannot be seen: it is not dumpable (prctl(2)), and ostlerd has no CAP_SYS_PTRACE', 'why';
	is_deeply [ map { @{ $_->{frames} } } @{ $seen->{threads} } ], [], 'no frames';
	is $seen->{threads}[0]{name}, 'stuck', 'what may be seen is';
	is $ostlerd->stop, 0, 'ends with 0';
};

done_testing;
