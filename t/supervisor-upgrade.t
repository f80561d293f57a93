#!/usr/bin/perl
# supervisor-upgrade.t - ostlerd becomes the next ostlerd: the same process, the same workers, or nothing has happened.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::UNIX;
use JSON::PP ();
use Ostler::FastCgi;
use Ostler::Load;
use Ostler::Process qw(wait_for alive free_port);
use Ostler::Programs;
use Ostler::Supervisor;
use POSIX ();
use Socket;
use Test::More;
use Time::HiRes qw(time sleep clock_gettime CLOCK_MONOTONIC);

my $echo = Ostler::Programs::compile('echo', '-lfcgi');
my $sleep = [ $^X, '-e', 'sleep 1 while 1' ];

sub echo_pool
{
	my (%more) = @_;
	return { kind => 'fastcgi', listen => 'unix:%D/sock/web', command => [$echo], workers => \2,
	    ready_interval => '10ms', backoff_first => '20ms', %more };
}

# A program of ours may take long to answer where the machine stands still for seconds.
sub made
{
	my ($pools, %more) = @_;
	return Ostler::Supervisor->new(%more, top => { upgrade_timeout => '60s', %{ $more{top} // {} } }, pools => $pools);
}
sub started { my ($pools, %more) = @_; return made($pools, %more)->start->wait_until_ready }

sub upgrade
{
	my ($ostlerd, @words) = @_;
	my ($status, $out, $complaints) = $ostlerd->ctl('upgrade', @words ? @words : '--wait');
	is $status, 0, 'it is upgraded' or diag $complaints, $ostlerd->messages;
	return $out;
}

sub pids { my ($ostlerd, $pool) = @_; return [ map { $_->{pid} } grep { $_->{pid} } @{ $ostlerd->pool($pool)->{workers} } ] }
sub count_descriptors { my ($pid) = @_; return scalar(() = glob "/proc/$pid/fd/*") }
# Once it is the same at five looks in a row: a client that has its answer may be closed a moment later.
sub descriptors
{
	my ($pid) = @_;
	my ($last, $same) = (0, 0);
	return wait_for(sub { my $now = count_descriptors($pid); $same = $now == $last ? $same + 1 : 0; $last = $now; return $same >= 5 && $now }, 'a number of descriptors');
}
sub children { my ($pid) = @_; return split ' ', Ostler::Supervisor::slurp("/proc/$pid/task/$pid/children") }
sub start_of { my ($pid) = @_; return (split ' ', Ostler::Supervisor::slurp("/proc/$pid/stat") =~ s/.*\) //r)[19] }

# Every counter of `ostlerctl metrics`, by its name and labels.
sub counters
{
	my ($ostlerd) = @_;
	my ($status, $out) = $ostlerd->ctl('metrics');
	return { map { /^(\S+_(?:total|count|sum|bucket)\{.*?\}) (\S+)$/ ? ($1 => $2) : () } split /\n/, $out };
}

for my $kind (qw(unix tcp)) {
	subtest "20 upgrades under load, on $kind: the same processes, and no request is lost" => sub {
		my ($port, $reservation) = $kind eq 'tcp' ? free_port() : ();
		my $ostlerd = started({ web => echo_pool(workers => \3, $port ? (listen => "tcp:127.0.0.1:$port") : ()), other => { kind => 'worker', command => $sleep } });
		my ($web, $other, $born) = (pids($ostlerd, 'web'), pids($ostlerd, 'other'), start_of($ostlerd->pid));
		my $seconds = $ostlerd->worker('web')->{seconds};
		my @inode = (stat $ostlerd->folder . '/sock/web')[0, 1];
		upgrade($ostlerd);
		my $descriptors = descriptors($ostlerd->pid);
		my $load = Ostler::Load->start($port ? "tcp:127.0.0.1:$port" : $ostlerd->at, clients => 5, least => 200, upload => 0.003);
		for my $n (2 .. 20) {
			is upgrade($ostlerd), "upgrade $n: done, from ostlerd 0.1.0 to ostlerd 0.1.0\n", 'the next one has said so' or last;
		}
		my $sum = $load->stop;
		is $sum->{lost}, 0, 'no request is lost' or diag join "\n", @{ $sum->{why} };
		cmp_ok $sum->{done}, '>=', 1000, "of $sum->{done}";
		is $ostlerd->status->{pid}, $ostlerd->pid, 'the same ostlerd';
		is start_of($ostlerd->pid), $born, 'the same process, too';
		is_deeply pids($ostlerd, 'web'), $web, 'with the same workers';
		is_deeply pids($ostlerd, 'other'), $other, 'of all pools';
		cmp_ok $ostlerd->worker('web')->{seconds}, '>', $seconds, 'who are ready since then';
		is_deeply [ (stat $ostlerd->folder . '/sock/web')[0, 1] ], \@inode, 'the socket is the same';
		is descriptors($ostlerd->pid), $descriptors, 'no descriptor was left open';
		is scalar(() = children($ostlerd->pid)), 5, 'and no process: three workers, one more, the guardian';
		is $ostlerd->story(pool => 'other'), 'spawn ready', 'nothing has happened to a worker';
		is scalar($ostlerd->events(event => 'upgrade_done')), 20, 'the recorder has all upgrades';
		is scalar($ostlerd->events(event => 'master_start')), 1, 'and the one start';
		is Ostler::Supervisor::slurp($ostlerd->folder . '/ostlerd.pid'), $ostlerd->pid . "\n", 'the pid file';
		is $ostlerd->stop, 0, 'ends with 0';
		is_deeply [ $ostlerd->left ], [], 'nothing is left';
		is_deeply [ glob $ostlerd->folder . '/sock/*' ], [], 'no socket';
		ok !-e $ostlerd->folder . '/ostlerd.pid', 'no pid file';
	};
}

subtest 'requests, queued clients and what is counted go over it' => sub {
	my $ostlerd = Ostler::Supervisor->new(top => { window => '500ms', upgrade_timeout => '60s' }, pools => { web => {
		kind => 'fastcgi', listen => 'unix:%D/sock/web', ready => 'notify', output => '%D/log/web', command => [ Ostler::Supervisor::program('ostler-app'), '-c', '%D/app.conf', 'web' ] } });
	open my $conf, '>', $ostlerd->folder . '/app.conf' or die "app.conf: $!";
	print $conf qq(threads = 4;\nlog_level = "error";\n);
	close $conf;
	$ostlerd->start->wait_until_ready;
	my $client = $ostlerd->client(keep => 1);
	my $served = 0;
	my $before = counters($ostlerd);
	for my $round (1 .. 3) {
		for (1 .. 20) { $client->ask(GET => '/ping')->{status} == 200 and $served++ }
		wait_for(sub { $ostlerd->pool('web')->{requests} == $served }, "$served requests to be counted");
		upgrade($ostlerd);
		my $after = counters($ostlerd);
		is_deeply [ grep { ($after->{$_} // -1) < $before->{$_} } sort keys %$before ], [], 'no counter goes backwards, or away';
		is $after->{'ostler_requests_total{pool="web"}'}, $served, 'all are counted';
		$before = $after;
	}
	my $pid = $ostlerd->worker('web')->{pid};
	is $client->ask(GET => '/ping')->{status}, 200, 'the connection from before the first is still served';
	kill 'KILL', $pid;
	$ostlerd->wait_for_worker('web', 1, sub { $_[0]{state} eq 'ready' && $_[0]{pid} != $pid });
	is $ostlerd->pool('web')->{requests}, $served + 1, 'the totals outlive a worker of before';
	is $ostlerd->pool('web')->{aborted}, 0, 'none is taken for lost';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'a worker that crashes right after it is noticed, reaped and replaced' => sub {
	my $ostlerd = started({ web => echo_pool() });
	my $pids = pids($ostlerd, 'web');
	upgrade($ostlerd);
	kill 'SEGV', $pids->[0];
	my $next = $ostlerd->wait_for_worker('web', 1, sub { $_[0]{state} eq 'ready' && $_[0]{pid} != $pids->[0] });
	is $next->{restarts}, 1, 'it is replaced';
	is $next->{failures}, 1, 'and counted as a failure';
	my ($exit) = $ostlerd->events(event => 'exit');
	is_deeply [ @$exit{qw(pid signal failed)} ], [ $pids->[0], 11, JSON::PP::true ], 'it is told how it ended' or diag explain $exit;
	is pids($ostlerd, 'web')->[1], $pids->[1], 'the other stays';
	like +($ostlerd->ctl('why', $pids->[0]))[1], qr/spawn.*ready.*exit/s, 'its story begins before the upgrade';
	# One that dies while nobody listens: the next ostlerd finds it.
	for my $n (1 .. 5) {
		my $victim = pids($ostlerd, 'web')->[1];
		my $asked = fork // die "cannot fork: $!";
		if ($asked == 0) { $ostlerd->ctl('upgrade', '--wait'); POSIX::_exit(0) }
		sleep 0.004 * $n;
		kill 'KILL', $victim;
		waitpid $asked, 0;
		$ostlerd->wait_for_worker('web', 2, sub { $_[0]{state} eq 'ready' && $_[0]{pid} != $victim });
	}
	pass 'whenever it dies, it is replaced';
	is $ostlerd->stop, 0, 'ends with 0';
	is_deeply [ $ostlerd->left ], [], 'nothing is left';
};

subtest 'a restart that waits, a crash loop, a task that is done: all go on as before' => sub {
	my $ostlerd = started({ web => echo_pool() });
	$ostlerd->{options}{pools}{bad} = { kind => 'worker', command => ['/bin/false'], ready => 'notify', backoff_first => '3s', backoff_longest => '300s' };
	$ostlerd->{options}{pools}{job} = { kind => 'task', command => ['/bin/true'] };
	$ostlerd->stop;
	$ostlerd->write_conf;
	$ostlerd->start->wait_for_event({ event => 'exit', pool => 'job' });
	$ostlerd->wait_for_event({ event => 'exit', pool => 'bad' });
	my $before = $ostlerd->worker('bad');
	upgrade($ostlerd) for 1 .. 3;
	my $after = $ostlerd->worker('bad');
	cmp_ok $after->{failures}, '>=', $before->{failures}, 'its failures are remembered';
	$ostlerd->wait_for_event({ event => 'exit', pool => 'bad' }, 2);
	cmp_ok $ostlerd->worker('bad')->{failures}, '>=', 2, 'and go on';
	is $ostlerd->pool('job')->{state}, 'done', 'the task is done';
	is scalar($ostlerd->events(event => 'spawn', pool => 'job')), 1, 'and was not started again';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'what workers print is lost neither before, while nor behind it' => sub {
	my $ostlerd = started({ web => { kind => 'worker', output => '%D/log/web', command => [ $^X, '-e',
		'$| = 1; my $n = 0; while (1) { print "begin ", ++$n; select undef, undef, undef, 0.002; print " end $n\n" }' ] } });
	upgrade($ostlerd) for 1 .. 8;
	my $said = () = $ostlerd->log_of('web') =~ /\n/g;
	wait_for(sub { (() = $ostlerd->log_of('web') =~ /\n/g) > $said + 50 }, 'more lines');
	is $ostlerd->stop, 0, 'ends with 0';
	my @lines = split /\n/, $ostlerd->log_of('web');
	pop @lines;    # the last one was cut by the end
	is_deeply [ grep { $lines[ $_ - 1 ] ne "begin $_ end $_" } 1 .. @lines ], [], 'every line is whole, and none is missing of ' . @lines;
};

subtest 'who follows the events or the lines is answered by the next one' => sub {
	my $ostlerd = started({ web => echo_pool() });
	my $pid = open(my $follower, '-|', Ostler::Supervisor::program('ostlerctl'), '-s', $ostlerd->socket, 'events', '--json', '--follow') // die "cannot fork: $!";
	my %seen;
	my $until = sub { my ($event) = @_; while (defined(my $line = <$follower>)) { my $e = JSON::PP::decode_json($line); $seen{ $e->{number} }++; return $e if $e->{event} eq $event } };
	ok $until->('master_ready'), 'a follower';
	upgrade($ostlerd);
	ok $until->('upgrade_done'), 'hears of the upgrade';
	kill 'KILL', pids($ostlerd, 'web')->[0];
	ok $until->('exit'), 'and of what is behind it';
	is_deeply [ grep { ($seen{$_} // 0) != 1 } 1 .. keys %seen ], [], 'each event once, in one numbering';
	kill 'TERM', $pid;
	close $follower;
	is $ostlerd->stop, 0, 'ends with 0';
};

# --- what is refused ---

sub put_in_place
{
	my ($ostlerd, $text, $mode) = @_;
	my $path = $ostlerd->program_run;
	open my $out, '>', "$path.new" or die "$path: $!";
	print {$out} $text;
	close $out;
	chmod $mode // 0755, "$path.new";
	rename "$path.new", $path or die "$path: $!";
}

subtest 'a program that cannot take over is refused, and nothing changes' => sub {
	my $ostlerd = started({ web => echo_pool() }, copy => 1, top => { upgrade_timeout => '60s' });
	my ($pids, $descriptors) = (pids($ostlerd, 'web'), descriptors($ostlerd->pid));
	my $load = Ostler::Load->start($ostlerd->at, clients => 3, upload => 0.003);
	my $program = $ostlerd->program_run;
	my $number = 0;
	my $refused = sub {
		my ($what, $why) = @_;
		$number++;
		my ($status, $out, $complaints) = $ostlerd->ctl('upgrade', $number % 2 ? () : '--wait');
		is $status, 1, "refused: $what";
		like $complaints, qr/^ostlerctl: the upgrade is refused, and nothing has changed: $why/, 'with the reason';
		like $ostlerd->messages, qr/upgrade $number is refused, and nothing has changed: $why/, 'which the log has, too';
		is +($ostlerd->events(event => 'upgrade_refused'))[-1]{text} =~ $why, 1, 'and the recorder';
		is_deeply pids($ostlerd, 'web'), $pids, 'the workers are the same';
	};
	put_in_place($ostlerd, "#!/bin/sh\nexit 0\n", 0644);
	$refused->('one that is not executable', qr/\Q$program\E: cannot be executed: Permission denied/);
	unlink $program;
	$refused->('one that is not there', qr/\Q$program\E: cannot be executed: No such file or directory/);
	put_in_place($ostlerd, "\x7fELF and nothing more");
	$refused->('one that is no program', qr/\Q$program\E: cannot be executed: Exec format error/);
	put_in_place($ostlerd, "#!/bin/sh\nkill -SEGV \$\$\n");
	$refused->('one that crashes', qr/\Q$program\E was ended by signal 11 \(Segmentation fault\)/);
	put_in_place($ostlerd, "#!/bin/sh\nexit 0\n");
	$refused->('one that agrees to everything', qr/\Q$program\E is no ostlerd that can take over/);
	put_in_place($ostlerd, "#!/bin/sh\necho ostlerd: unrecognized option \"'\$3'\" >&2; exit 2\n");
	$refused->('one of before there were upgrades', qr/\Q$program\E: ostlerd: unrecognized option '--check-handover' \(status 2\)/);
	put_in_place($ostlerd, "#!$^X\nmy \$built = '" . Ostler::Supervisor::program('ostlerd') . "';\n" . <<'PERL');
open my $in, '<&=', $ARGV[3]; binmode $in; seek $in, 0, 0; local $/; my $state = <$in>;
open my $file, '+>', undef; binmode $file;
my $fd = syscall 319, my $name = "state", 2;    # memfd_create(2), with sealing allowed
open my $out, '+<&=', $fd or die "memfd: $!"; binmode $out;
substr $state, 8, 8, pack 'Q', 99;
print {$out} $state; $out->flush;
fcntl $out, 1033, 15;    # all seals
fcntl $out, 2, 0;
exec $built, @ARGV[0 .. 2], $fd;
PERL
	$refused->('one that knows another format of the state', qr/\Q$program\E: the state is of version 99, and this ostlerd knows 1 to 1/);
	put_in_place($ostlerd, "#!/bin/sh\nyes | head -c 300000; yes | head -c 300000 >&2; exit 7\n");
	$refused->('one that says a lot', qr/\Q$program\E: y \(status 7\)/);
	my $sum = $load->stop;
	is $sum->{lost}, 0, "no request of $sum->{done} is lost" or diag join "\n", @{ $sum->{why} };
	is descriptors($ostlerd->pid), $descriptors, 'no descriptor is left';
	system 'cp', Ostler::Supervisor::program('ostlerd'), "$program.new";
	rename "$program.new", $program;
	like upgrade($ostlerd), qr/done/, 'and a good one takes over';
	is_deeply pids($ostlerd, 'web'), $pids, 'with the same workers';
	is $ostlerd->stop, 0, 'ends with 0';
	is_deeply [ $ostlerd->left ], [], 'nothing is left';
};

subtest 'when it cannot be executed after all, the old one goes on' => sub {
	my $ostlerd = started({ web => echo_pool() }, copy => 1);
	my ($pids, $descriptors) = (pids($ostlerd, 'web'), descriptors($ostlerd->pid));
	# Says yes to both questions by the mouth of a good one, and is gone then.
	put_in_place($ostlerd, "#!/bin/sh\necho >>@{[ $ostlerd->folder ]}/asked\n[ \$(wc -l <@{[ $ostlerd->folder ]}/asked) -lt 2 ] || rm -f @{[ $ostlerd->program_run ]}\nexec @{[ Ostler::Supervisor::program('ostlerd') ]} \"\$@\"\n");
	my ($status, $out, $complaints) = $ostlerd->ctl('upgrade', '--wait');
	is $status, 1, 'refused';
	like $complaints, qr/and nothing has changed: \S+: No such file or directory$/, 'with the reason';
	is Ostler::Supervisor::slurp($ostlerd->folder . '/asked'), "\n\n", 'behind two good answers';
	is descriptors($ostlerd->pid), $descriptors, 'no descriptor is left';
	kill 'KILL', $pids->[0];
	my $next = $ostlerd->wait_for_worker('web', 1, sub { $_[0]{state} eq 'ready' && $_[0]{pid} != $pids->[0] });
	is scalar(() = glob "/proc/$next->{pid}/fd/*"), scalar(() = glob "/proc/$pids->[1]/fd/*"), 'a new worker has no descriptor that is none of its';
	is $ostlerd->stop, 0, 'ends with 0';
	is_deeply [ $ostlerd->left ], [], 'nothing is left';
};

# Has the next ostlerd hang, and returns the process that does.
sub hang
{
	my ($ostlerd) = @_;
	put_in_place($ostlerd, "#!/bin/sh\necho \$\$ >@{[ $ostlerd->folder ]}/hanging\nsleep 1000 & wait\n");
	kill 'USR2', $ostlerd->pid;
	return wait_for(sub { Ostler::Supervisor::slurp($ostlerd->folder . '/hanging') =~ /(\d+)\n/ && $1 }, 'it to hang');
}

subtest 'one that hangs is refused in time, and all goes on meanwhile' => sub {
	my $ostlerd = started({ web => echo_pool() }, copy => 1, top => { upgrade_timeout => '1h' });
	my $pid = pids($ostlerd, 'web')->[0];
	my $hanging = hang($ostlerd);
	like +($ostlerd->ctl('upgrade'))[2], qr/^ostlerctl: an upgrade is under way already$/, 'there is one at a time';
	kill 'KILL', $pid;
	$ostlerd->wait_for_worker('web', 1, sub { $_[0]{state} eq 'ready' && $_[0]{pid} != $pid });
	pass 'a worker that dies meanwhile is replaced';
	is $ostlerd->stop, 0, 'a stop does not wait for it';
	wait_for(sub { !alive($hanging) && !$ostlerd->left }, 'all of it to be gone');

	$ostlerd = started({ web => echo_pool() }, copy => 1, top => { upgrade_timeout => '1s' });
	$hanging = hang($ostlerd);
	like $ostlerd->wait_for_event({ event => 'upgrade_refused' })->{text}, qr/ does not answer$/, 'refused, with the reason';
	wait_for(sub { !alive($hanging) && !grep { /sleep 1000/ } $ostlerd->left }, 'all of it to be gone');
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'not while a reload is under way, or all is being stopped' => sub {
	my $ostlerd = started({ web => echo_pool() });
	$ostlerd->{options}{pools}{web}{environment} = ['X=1'];
	$ostlerd->{options}{pools}{web}{ready} = 'exec:/usr/bin/test -e %D/go';
	$ostlerd->write_conf;
	kill 'HUP', $ostlerd->pid;
	$ostlerd->wait_for_event({ event => 'generation_start', generation => 2 });
	my ($status, $out, $complaints) = $ostlerd->ctl('upgrade', '--wait');
	is $status, 1, 'refused';
	is $complaints, "ostlerctl: a reload is under way; ask again when it has ended\n", 'with the reason';
	open my $go, '>', $ostlerd->folder . '/go';
	$ostlerd->wait_for_event({ event => 'generation_end', pool => 'web' });
	upgrade($ostlerd);
	is $ostlerd->stop, 0, 'ends with 0';

	$ostlerd = started({ web => { kind => 'worker', command => [ $^X, '-e', '$SIG{TERM} = sub { sleep 1 until -e "GO"; exit 0 }; sleep 1 while 1' ], directory => '%D', stop_timeout => '60s' } });
	kill 'TERM', $ostlerd->pid;
	$ostlerd->wait_for_worker('web', 1, sub { $_[0]{state} eq 'stopping' });
	($status, $out, $complaints) = $ostlerd->ctl('upgrade');
	is $complaints, "ostlerctl: all is being stopped\n", 'nor while all ends';
	kill 'QUIT', $ostlerd->pid;
	is $ostlerd->wait_for_end, 0, 'ends with 0';
};

# --- what comes behind it ---

subtest 'a changed configuration is for the next reload' => sub {
	my $ostlerd = started({ web => echo_pool() });
	my $pids = pids($ostlerd, 'web');
	$ostlerd->{options}{pools}{web}{environment} = ['X=1'];
	$ostlerd->{options}{pools}{more} = { kind => 'worker', command => $sleep };
	$ostlerd->write_conf;
	upgrade($ostlerd);
	is_deeply pids($ostlerd, 'web'), $pids, 'not applied by the upgrade';
	is $ostlerd->pool('more'), undef, 'no pool has come';
	is +($ostlerd->ctl('reload', '--wait=drained'))[0], 0, 'by a reload';
	isnt pids($ostlerd, 'web')->[0], $pids->[0], 'it is';
	is $ostlerd->pool('more')->{state}, 'ready', 'the pool is there';
	is $ostlerd->client->ask(GET => '/')->{headers}{'x-generation'}, 2, 'generations are counted on';
	upgrade($ostlerd);
	is +($ostlerd->ctl('reload', '--wait'))[0], 0, 'the next reload';
	is scalar($ostlerd->events(event => 'generation_start', pool => 'web')), 1, 'finds that nothing has changed';
	open my $out, '>', $ostlerd->conf;
	print {$out} 'pools = {';
	close $out;
	upgrade($ostlerd);
	isnt +($ostlerd->ctl('reload', '--wait'))[0], 0, 'a wrong one, which the upgrade did not see, is refused by the reload';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'a reload that is asked for meanwhile is done by the next ostlerd' => sub {
	my $ostlerd = started({ web => echo_pool() });
	for my $n (1 .. 3) {
		$ostlerd->{options}{pools}{web}{environment} = ["N=$n"];
		$ostlerd->write_conf;
		kill 'USR2', $ostlerd->pid;
		kill 'HUP', $ostlerd->pid;
		$ostlerd->wait_for_event({ event => 'reload_done' }, $n);
	}
	wait_for(sub { $ostlerd->events(event => 'upgrade_done') == 3 || diag $ostlerd->messages }, 'three upgrades');
	is $ostlerd->worker('web')->{generation}, 4, 'three reloads, too';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'a generation that still drains goes over and ends' => sub {
	my $ostlerd = started({ web => echo_pool() });
	my $slow = $ostlerd->client->begin(POST => '/echo', 6);
	$slow->more('abc');
	$ostlerd->{options}{pools}{web}{environment} = ['X=1'];
	$ostlerd->write_conf;
	is +($ostlerd->ctl('reload', '--wait'))[0], 0, 'a reload; an old worker is in the middle of a request';
	upgrade($ostlerd) for 1 .. 2;
	is scalar($ostlerd->events(event => 'generation_end')), 0, 'which it is still';
	$slow->more('def');
	is $slow->finish->{body}, 'abcdef', 'it is answered';
	$ostlerd->wait_for_event({ event => 'generation_end' });
	pass 'and the old generation has ended';
	is $ostlerd->stop, 0, 'ends with 0';
	is_deeply [ $ostlerd->left ], [], 'nothing is left';
};

subtest 'workers that are starting, and a number of them that a person wished for' => sub {
	my $ostlerd = made({ web => echo_pool(), slow => { kind => 'worker', command => $sleep, ready => 'exec:/usr/bin/test -e %D/go', ready_interval => '10ms', ready_timeout => '300s' }, said => { kind => 'worker', ready => 'notify',
		command => [ $^X, '-MIO::Socket::UNIX', '-e', 'select undef, undef, undef, 0.01 until -e $ARGV[0]; my $n = $ENV{NOTIFY_SOCKET} =~ s/^@/\0/r; socket my $s, AF_UNIX, SOCK_DGRAM, 0; send $s, "READY=1\nSTATUS=here", 0, pack_sockaddr_un($n); sleep 1 while 1', '%D/go' ] } });
	$ostlerd->start;
	$ostlerd->wait_for_event({ event => 'spawn', pool => $_ }) for qw(slow said);
	$ostlerd->wait_for_event({ event => 'ready', pool => 'web' }, 2);
	is +($ostlerd->ctl('scale', 'web', 4))[0], 0, 'two more';
	upgrade($ostlerd) for 1 .. 3;
	is $ostlerd->worker($_)->{state}, 'starting', "$_ is starting still" for qw(slow said);
	open my $go, '>', $ostlerd->folder . '/go';
	$ostlerd->wait_for_event({ event => 'master_ready' });
	is $ostlerd->worker('said')->{status}, 'here', 'what a worker says of itself is heard, where it was told to say it';
	wait_for(sub { @{ pids($ostlerd, 'web') } == 4 }, 'four workers');
	is $ostlerd->worker('slow')->{restarts}, 0, 'none was started twice';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'a pool that follows demand goes on to do so' => sub {
	my $ostlerd = started({ web => echo_pool(workers => \'{ min = 1; max = 4; spare = 0; interval = "20ms"; quiet = "60s"; }') });
	my @busy = map { my $c = $ostlerd->client->begin(POST => '/echo', 2); $c->more('a'); $c } 1 .. 3;
	wait_for(sub { @{ pids($ostlerd, 'web') } >= 3 }, 'three workers');
	my ($pids, $before) = (pids($ostlerd, 'web'), counters($ostlerd));
	upgrade($ostlerd) for 1 .. 2;
	my $after = counters($ostlerd);
	is_deeply [ grep { ($after->{$_} // -1) < $before->{$_} } sort keys %$before ], [], 'its decisions are counted on';
	my %now = map { $_ => 1 } @{ pids($ostlerd, 'web') };
	is scalar(grep { !$now{$_} } @$pids), 0, 'it has its workers';
	is $_->more('b') && $_->finish->{body}, 'ab', 'who serve' for @busy;
	is $ostlerd->stop, 0, 'ends with 0';

	$ostlerd = made({ web => echo_pool(workers => \'{ min = 0; max = 2; interval = "20ms"; }') });
	$ostlerd->start->wait_for_event({ event => 'master_ready' });
	upgrade($ostlerd);
	is scalar(@{ pids($ostlerd, 'web') }), 0, 'one without workers';
	is $ostlerd->client->ask(GET => '/')->{headers}{'x-generation'}, 1, 'starts one for the first client';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'who is being traced is traced to the end first' => sub {
	my $ostlerd = started({ web => { kind => 'worker', command => $sleep, trace_timeout => '60s', trace_command => [ '/bin/sh', '-c', ': >%D/tracing; while [ ! -e %D/go ]; do sleep 0.02; done; echo seen by the command', '%p' ] } }, top => { upgrade_timeout => '60s' });
	my $pid = $ostlerd->worker('web')->{pid};
	my $trace = "@{[ $ostlerd->folder ]}/trace";
	my $asked = fork // die "cannot fork: $!";
	if ($asked == 0) { open STDOUT, '>', $trace; { exec Ostler::Supervisor::program('ostlerctl'), '-s', $ostlerd->socket, 'trace', $pid } POSIX::_exit(127) }
	wait_for(sub { -e $ostlerd->folder . '/tracing' }, 'the command');
	kill 'USR2', $ostlerd->pid;
	$ostlerd->wait_for_event({ event => 'upgrade' });
	open my $go, '>', $ostlerd->folder . '/go';
	$ostlerd->wait_for_event({ event => 'upgrade_done' });
	waitpid $asked, 0;
	is $?, 0, 'who asked is answered' or diag $ostlerd->messages;
	like Ostler::Supervisor::slurp($trace), qr/seen by the command/, 'with all that was seen';
	is $ostlerd->worker('web')->{pid}, $pid, 'the worker goes on';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'ended at once after it, or killed: nothing is left' => sub {
	for my $signal (qw(TERM QUIT INT)) {
		my $ostlerd = started({ web => echo_pool() });
		kill 'USR2', $ostlerd->pid;
		is $ostlerd->stop($signal), 0, "SIG$signal behind SIGUSR2: ends with 0";
		is_deeply [ $ostlerd->left ], [], 'nothing is left';
		is_deeply [ glob $ostlerd->folder . '/sock/*' ], [], 'no socket';
	}
	my $deaf = [ $^X, '-e', '$SIG{$_} = "IGNORE" for qw(TERM INT HUP PIPE USR1); fork; sleep 1 while 1' ];
	my $ostlerd = started({ web => echo_pool(), deaf => { kind => 'worker', command => $deaf } });
	upgrade($ostlerd) for 1 .. 2;
	my @guardians = grep { Ostler::Supervisor::slurp("/proc/$_/comm") eq "ostlerd-guard\n" } children($ostlerd->pid);
	is scalar(@guardians), 1, 'there is one guardian';
	kill 'KILL', pids($ostlerd, 'web')->[0];    # the guardian hears of those that came later, too
	$ostlerd->wait_for_worker('web', 1, sub { $_[0]{state} eq 'ready' && $_[0]{restarts} == 1 });
	my @pids = (@{ pids($ostlerd, 'web') }, @{ pids($ostlerd, 'deaf') });
	is $ostlerd->stop('KILL'), 128 + 9, 'ostlerd is killed';
	wait_for(sub { !grep { alive($_) } @pids }, 'the end of all workers', 60);
	wait_for(sub { !$ostlerd->left }, 'nothing to be left', 60);
	$ostlerd->start->wait_until_ready;
	is $ostlerd->stop, 0, 'and the next one can start';
};

# --- who has started it ---

subtest 'a service manager is told of it' => sub {
	my $ostlerd = made({ web => { kind => 'worker', command => $sleep } });
	my $path = $ostlerd->folder . '/notify';
	my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $path, Blocking => 0) // die "cannot listen: $!";
	my @heard;
	my $hear = sub { my $text = ''; push @heard, { map { split /=/, $_, 2 } split /\n/, $text } while defined $socket->recv($text, 4096) && length $text; return @heard };
	my $wait = sub { my ($name, $count) = @_; return wait_for(sub { my @like = grep { exists $_->{$name} } $hear->(); @like >= $count && $like[-1] }, "$count times $name") };
	$ostlerd->start(sub { @ENV{qw(NOTIFY_SOCKET WATCHDOG_USEC WATCHDOG_PID)} = ($path, 400_000, $$) });
	$wait->('READY', 1);
	my $before = int(clock_gettime(CLOCK_MONOTONIC) * 1e6);
	upgrade($ostlerd);
	my $reloading = $wait->('RELOADING', 1);
	cmp_ok $reloading->{MONOTONIC_USEC}, '>=', $before, 'it begins as a reload does, at a time of CLOCK_MONOTONIC';
	is $wait->('READY', 2)->{STATUS}, 'Running: all 1 pools are ready', 'and is over, with the same process: no MAINPID is told';
	is scalar(grep { exists $_->{MAINPID} } @heard), 0, 'nor need it be';
	$wait->('WATCHDOG', 2 + grep { exists $_->{WATCHDOG} } $hear->());
	pass 'the watchdog is told by the next one, too';
	is $ostlerd->stop, 0, 'ends with 0';
	$wait->('STOPPING', 1);
	is join(' ', map { my $m = $_; grep { exists $m->{$_} } qw(READY RELOADING STOPPING) } $hear->()), 'READY RELOADING READY STOPPING', 'each step once, in order';
};

subtest 'a socket of systemd goes over, too' => sub {
	my $ostlerd = made({ web => echo_pool() });
	my $socket = IO::Socket::UNIX->new(Local => $ostlerd->folder . '/sock/web', Listen => 64) // die "cannot listen: $!";
	$ostlerd->start(sub { POSIX::dup2(fcntl($socket, 1030, 20) + 0, 3); @ENV{qw(LISTEN_FDS LISTEN_PID)} = (1, $$) })->wait_until_ready;
	my $load = Ostler::Load->start($ostlerd->at, clients => 2);
	upgrade($ostlerd) for 1 .. 3;
	$ostlerd->{options}{pools}{web}{environment} = ['X=1'];
	$ostlerd->write_conf;
	is +($ostlerd->ctl('reload', '--wait=drained'))[0], 0, 'a reload still finds it';
	my $sum = $load->stop;
	is $sum->{lost}, 0, "no request of $sum->{done} is lost" or diag join "\n", @{ $sum->{why} };
	is $ostlerd->stop, 0, 'ends with 0';
	ok -S $ostlerd->folder . '/sock/web', 'and it is not taken away';
};

subtest 'as process 1' => sub {
	plan skip_all => 'needs root' if $> != 0;
	my $ostlerd = made({ web => echo_pool() });
	$ostlerd->start('unshare', '--pid', '--fork', '--kill-child', '--mount-proc')->wait_until_ready;
	my $pids = pids($ostlerd, 'web');
	upgrade($ostlerd) for 1 .. 3;
	is $ostlerd->status->{pid}, 1, 'it is process 1';
	is_deeply pids($ostlerd, 'web'), $pids, 'the workers are the same';
	is $ostlerd->client->ask(GET => '/')->{status} // 200, 200, 'they answer';
	kill 'KILL', (grep { Ostler::Supervisor::slurp("/proc/$_/comm") eq "echo\n" } map { children($_) } children($ostlerd->pid))[0];
	wait_for(sub { grep { $_->{restarts} == 1 && $_->{state} eq 'ready' } @{ $ostlerd->pool('web')->{workers} } }, 'one that was killed to be replaced');
	is +($ostlerd->ctl('stop'))[0], 0, 'it stops';
	is $ostlerd->wait_for_end, 0, 'ends with 0';
};

subtest 'the log, its level and its file go over' => sub {
	my $ostlerd = made({ web => { kind => 'worker', command => $sleep } }, top => { log_file => '%D/log/ostlerd', log_format => 'json' });
	$ostlerd->start->wait_for_event({ event => 'master_ready' });
	rename $ostlerd->log_file('ostlerd'), $ostlerd->log_file('ostlerd.1');
	upgrade($ostlerd);
	like $ostlerd->log_of('ostlerd.1'), qr/"message":"upgrade 1: done/, 'a file that was moved away is written to until it is opened anew';
	kill 'USR1', $ostlerd->pid;
	$ostlerd->wait_for_event({ event => 'logs_reopened' });
	is $ostlerd->stop, 0, 'ends with 0';
	like $ostlerd->log_of('ostlerd'), qr/"message":"all pools have stopped"/, 'then the new one';
	is $ostlerd->messages, '', 'nothing went elsewhere';
};

done_testing;
