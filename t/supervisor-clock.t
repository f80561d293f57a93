#!/usr/bin/perl
# supervisor-clock.t - neither a clock that is set nor a pause of the machine is held against workers.
#
# The clock is never set: libfaketime tells ostlerd, and it alone, another time of day.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::Load;
use Ostler::Process qw(wait_for alive);
use Ostler::Programs;
use Ostler::Supervisor;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);

my $echo = Ostler::Programs::compile('echo', '-lfcgi');
my $sleep = [ $^X, '-e', 'sleep 1 while 1' ];
my $hour = 3600;

# Says that it is ready as soon as there is a file %D/go.
my $patient = [ $^X, '-MIO::Socket::UNIX', '-e', <<'PERL' ];
select undef, undef, undef, 0.01 until -e $ENV{GO};
(my $name = $ENV{NOTIFY_SOCKET}) =~ s/^@/\0/;
IO::Socket::UNIX->new(Type => SOCK_DGRAM, Peer => $name)->send("READY=1");
sleep 1 while 1;
PERL

sub web { return { kind => 'fastcgi', listen => 'unix:%D/sock/web', command => [$echo], workers => \3, ready_interval => '10ms', @_ } }
sub patient { return { kind => 'worker', command => $patient, ready => 'notify', environment => ['GO=%D/go'], @_ } }
sub touch { my ($ostlerd, $name) = @_; open my $out, '>', $ostlerd->folder . "/$name" or die "$name: $!" }
sub pids { my ($ostlerd, $pool) = @_; return [ map { $_->{pid} } @{ $ostlerd->pool($pool)->{workers} } ] }

# What must not happen to those who have done nothing wrong.
sub harmed
{
	my ($ostlerd, %like) = @_;
	return map { "$_->{event} $_->{pool} $_->{text}" } grep { $_->{event} =~ /^(?:not_ready|not_finished|kill|stuck|recycle|exit)$/ } $ostlerd->events(%like);
}

# --- the clock is set, by an hour forwards or backwards ---

sub set_clock
{
	my ($ostlerd, $seconds) = @_;
	my $file = $ostlerd->folder . '/clock';
	open my $out, '>', "$file.new" or die "$file: $!";
	printf {$out} "%+d\n", $seconds;
	close $out;
	rename "$file.new", $file or die "$file: $!";
}

# Starts it with a clock that can be set.  ASan wants to be the first library of all, and cannot be.
sub start_with_clock
{
	my ($ostlerd) = @_;
	set_clock($ostlerd, 0);
	return $ostlerd->start('env', "LD_PRELOAD=$ENV{LIBFAKETIME}", 'FAKETIME_NO_CACHE=1', 'DONT_FAKE_MONOTONIC=1',
	    'FAKETIME_DONT_FAKE_MONOTONIC=1', 'FAKETIME_TIMESTAMP_FILE=' . $ostlerd->folder . '/clock',
	    'ASAN_OPTIONS=verify_asan_link_order=0:' . ($ENV{ASAN_OPTIONS} // ''));
}

# Seconds since 1970 of an event.
sub told_at
{
	my ($event) = @_;
	my @part = $event->{time} =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)/;
	local $ENV{TZ} = 'UTC';
	POSIX::tzset();
	return POSIX::mktime(@part[ 5, 4, 3, 2 ], $part[1] - 1, $part[0] - 1900);
}

($ENV{LIBFAKETIME}) = glob '/usr/lib/*/faketime/libfaketimeMT.so.1';
for my $step ($hour, -$hour) {
	subtest "a clock that is set by $step s changes the times that are told, and nothing else" => sub {
		my $ostlerd = Ostler::Supervisor->new(pools => {
			web => web(request_timeout => '20s', watch_interval => '20ms', max_age => '50m', backoff_first => '20ms'),
			late => patient(ready_timeout => '50m'),
			failing => { kind => 'worker', backoff_first => '100ms', backoff_longest => '100ms', command => ['/bin/false'] },
			deaf => { kind => 'worker', stop_timeout => '100ms', command => [ $^X, '-e', '$SIG{TERM} = "IGNORE"; sleep 1 while 1' ] } });
		start_with_clock($ostlerd)->wait_for_event({ pool => 'deaf', event => 'ready' });
		$ostlerd->wait_for_worker('web', 3, sub { $_[0]{state} eq 'ready' });
		my $before = pids($ostlerd, 'web');
		my $load = Ostler::Load->start($ostlerd->at, clients => 4, upload => 0.005);
		my $began = time;
		set_clock($ostlerd, $step);
		kill 'USR1', $ostlerd->pid;
		my $told = told_at($ostlerd->wait_for_event({ event => 'logs_reopened' }));
		cmp_ok abs($told - $began - $step), '<', 60, 'it tells the new time';

		my $failures = $ostlerd->worker('failing')->{restarts};
		$ostlerd->wait_for_worker('failing', 1, sub { $_[0]{restarts} >= $failures + 5 }, 'five more tries of what fails');
		kill 'KILL', $before->[0];
		my $new = $ostlerd->wait_for_worker('web', 1, sub { $_[0]{state} eq 'ready' && $_[0]{pid} != $before->[0] }, 'another in the place of one that was killed');
		cmp_ok $new->{seconds}, '<', 60, 'its age is right';
		cmp_ok $ostlerd->worker('web', 2)->{seconds}, '<', 60, 'so is that of one that was there before';
		is $ostlerd->worker('late')->{state}, 'starting', 'what is not ready has its time';
		touch($ostlerd, 'go');
		$ostlerd->wait_for_worker('late', 1, sub { $_[0]{state} eq 'ready' });
		set_clock($ostlerd, 0);
		is +($ostlerd->ctl('restart', 'web', '--wait=drained'))[0], 0, 'the next generation takes over';
		my $sum = $load->stop;
		cmp_ok $sum->{lost}, '<=', 1, "none of $sum->{done} requests is lost but that of the killed" or diag join "\n", @{ $sum->{why} };
		is_deeply [ harmed($ostlerd, pool => 'late') ], [], 'nothing was held against those that start';
		is_deeply [ grep { !/^exit/ } harmed($ostlerd, pool => 'web') ], [], 'nor against those that serve';
		set_clock($ostlerd, $step);
		my $stopping = time;
		is $ostlerd->stop, 0, 'ends with 0';
		cmp_ok time - $stopping, '<', 10, 'and what does not end is killed in time';
	};
}

# --- the master sleeps, or the whole machine does ---

my %short = map { $_ => '2s' } qw(ready_timeout drain_timeout stop_timeout request_timeout);
my $long = 3.3;    # longer than those, by the second from which on a delay is a pause

# How many of a pool's workers wait in accept(2).
sub accepting
{
	my ($ostlerd, $pool) = @_;
	return scalar grep { Ostler::Supervisor::slurp("/proc/$_/syscall") =~ /^(?:43|288|202) 0x0 / } @{ pids($ostlerd, $pool) };
}

# A pool for each state that has a deadline, none of which can pass on by itself before "go".
sub begin_all
{
	my $ends_at_go = [ $^X, '-e', '$SIG{TERM} = sub { select undef, undef, undef, 0.01 until -e "%D/go"; exit }; sleep 1 while 1' ];
	my $ostlerd = Ostler::Supervisor->new(pools => {
		web => web(%short, watch_interval => '200ms'),
		leaving => web(listen => 'unix:%D/sock/leaving', %short),
		late => patient(%short),
		ending => { kind => 'worker', workers => \2, command => $ends_at_go, %short } });
	touch($ostlerd, 'go');
	$ostlerd->start->wait_until_ready;
	unlink $ostlerd->folder . '/go';
	# What has a deadline begins here, at last.
	my $last = Ostler::FastCgi->new($ostlerd->at('leaving'))->begin(POST => '/', 4);
	$last->more('la');
	wait_for(sub { accepting($ostlerd, 'leaving') == 2 }, 'the last request of one that leaves to be taken');
	is +($ostlerd->ctl(@$_))[0], 0, "@$_" for [qw(drain leaving)], [qw(scale ending 1)], [qw(scale late 2)];
	wait_for(sub { (grep { $_->{state} eq 'draining' } @{ $ostlerd->pool('leaving')->{workers} }) == 1
		&& (grep { $_->{state} eq 'stopping' } @{ $ostlerd->pool('ending')->{workers} }) == 1
		&& (grep { $_->{state} eq 'starting' } @{ $ostlerd->pool('late')->{workers} }) == 1 }, 'one to leave, one to end and one to start');
	return ($ostlerd, $last);
}

sub nobody_was_blamed
{
	my ($ostlerd, $before) = @_;
	wait_for(sub { $ostlerd->pool('late')->{state} eq 'ready' && $ostlerd->pool('leaving')->{state} eq 'drained'
		&& @{ $ostlerd->pool('ending')->{workers} } == 1 }, 'one to start, one to leave and one to end');
	is_deeply pids($ostlerd, 'web'), $before, 'those that serve are the same';
	is_deeply [ grep { !/^exit (?:leaving|ending) / } harmed($ostlerd) ], [], 'nobody was blamed';
	is_deeply [ grep { $_->{failed} } $ostlerd->events(event => 'exit') ], [], 'none has failed';
	is $ostlerd->stop, 0, 'ends with 0';
}

subtest 'a master that was stopped for long kills nobody when it goes on' => sub {
	my ($ostlerd, $last) = begin_all();
	my $before = pids($ostlerd, 'web');
	my $load = Ostler::Load->start($ostlerd->at, clients => 4, upload => 0.02);
	kill 'STOP', $ostlerd->pid;
	touch($ostlerd, 'go');
	$last->more('st');
	is $last->finish->{body}, 'last', 'the last request is answered meanwhile';
	open my $asked, '-|', Ostler::Supervisor::program('ostlerctl'), '-s', $ostlerd->socket, 'status' or die $!;
	sleep $long;
	kill 'CONT', $ostlerd->pid;
	like join('', <$asked>), qr/^web +fastcgi +ready +3\/3/m, 'who asked while it was stopped has an answer';
	my $sum = $load->stop;
	is $sum->{lost}, 0, "no request of $sum->{done} is lost" or diag join "\n", @{ $sum->{why} };
	nobody_was_blamed($ostlerd, $before);
};

subtest 'a machine that slept finds everybody where he was' => sub {
	my ($ostlerd, $last) = begin_all();
	my $before = pids($ostlerd, 'web');
	my $request = $ostlerd->client;
	$request->send(POST => '/slow', 'slept', SECONDS => $long + 1);
	wait_for(sub { accepting($ostlerd, 'web') == 2 }, 'a request to be begun');
	my @all = ($ostlerd->pid, map { $_->{pid} // () } map { @{ $_->{workers} } } @{ $ostlerd->status->{pools} });
	kill 'STOP', @all;
	sleep $long;
	kill 'CONT', @all;
	# All of it is as it was when the machine fell asleep: nobody has had the time to go on.
	is $request->receive->{body}, 'slept', 'a request that slept with it is finished';
	is scalar($ostlerd->events(event => 'trouble')), 1, 'that it slept is written down';
	touch($ostlerd, 'go');
	$last->more('st');
	is $last->finish->{body}, 'last', 'that of one who leaves, too';
	nobody_was_blamed($ostlerd, $before);
};

done_testing;
