#!/usr/bin/perl
# supervisor-scoreboard.t - what workers do is seen, what they have done is counted, to the last request.
use strict;
use warnings;
use FindBin;
use POSIX ();
use Time::HiRes qw(sleep time);
use lib "$FindBin::Bin/lib";
use Ostler::FastCgi;
use Ostler::Process qw(wait_for alive);
use Ostler::Supervisor;
use Test::More;

my $foreign = "$FindBin::Bin/lib/fastcgi-worker";

# The application with so many threads, as a pool that needs nothing else.
sub application
{
	my (%more) = @_;
	my $threads = delete $more{threads} // 4;
	my $ostlerd = Ostler::Supervisor->new(top => { window => '500ms' }, pools => { web => {
		kind => 'fastcgi', listen => 'unix:%D/sock/web', ready => 'notify', workers => \2, output => '%D/log/web',
		command => [ Ostler::Supervisor::program('ostler-app'), '-c', '%D/app.conf', 'web' ], %more } });
	open my $conf, '>', $ostlerd->folder . '/app.conf' or die "app.conf: $!";
	print $conf qq(threads = $threads;\nlog_level = "error";\n);
	close $conf;
	return $ostlerd->start->wait_until_ready;
}

sub sum { my $sum = 0; $sum += $_ for @_; return $sum }

# Runs CODE in so many processes.  Returns what each printed.
sub at_once
{
	my ($count, $code) = @_;
	my @pipes = map {
		my $number = $_;
		my $pid = open(my $pipe, '-|') // die "cannot fork: $!";
		if ($pid == 0) {
			print join ' ', $code->($number);
			close STDOUT;
			POSIX::_exit(0);
		}
		$pipe;
	} 1 .. $count;
	return sub { return map { my $text = <$_> // ''; close $_; [ split / /, $text ] } @pipes };
}

subtest 'what is served is counted, timed and shown' => sub {
	my $ostlerd = application();
	my $client = $ostlerd->client(keep => 1);
	is $client->ask('GET', '/ping')->{status}, 200, 'it answers' for 1 .. 50;
	is $client->ask('GET', '/nothing-here')->{status}, 404, 'and says what it has not' for 1 .. 5;
	my $web = wait_for(sub { my $p = $ostlerd->pool('web'); $p->{requests} == 55 && $p }, '55 requests');
	is sum(map { $_->{requests} } @{ $web->{workers} }), 55, 'the workers have them all';
	is $web->{aborted}, 0, 'none was lost';
	is $web->{errors}, 0, 'none failed';
	cmp_ok $web->{bytes}, '>', 50, 'bytes are counted';
	cmp_ok $web->{rate}, '>', 0, 'there is a rate';
	cmp_ok $web->{p50_ms}, '>', 0, 'there is a median';
	ok $web->{p50_ms} <= $web->{p95_ms} && $web->{p95_ms} <= $web->{p99_ms}, 'percentiles are in order';
	cmp_ok $web->{memory}, '>', 500_000, 'memory is measured';
	is $web->{idle}, 8, 'all threads are idle: 2 processes of 4';
	is $web->{busy}, 0, 'none is busy';
	my $late = wait_for(sub { my $p = $ostlerd->pool('web'); !defined $p->{p50_ms} && $p }, 'the windows to pass');
	is $late->{rate}, 0, 'then there is no rate';
	is $late->{requests}, 55, 'but the total stays';
	$client->close;
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'failures of requests and of processes are counted' => sub {
	my $ostlerd = application();
	is $ostlerd->client->ask('GET', '/ready')->{status}, 503, 'without a database it is not ready' for 1 .. 4;
	my $web = wait_for(sub { my $p = $ostlerd->pool('web'); $p->{requests} == 4 && $p }, 'four requests');
	is $web->{errors}, 4, 'that is a failure';
	is_deeply [ @{ $web->{counters} }{qw(cache_hits cache_misses)} ], [ 0, 0 ], 'it counts more, by name';
	kill 'KILL', map { $_->{pid} } @{ $web->{workers} };
	$web = wait_for(sub { my $p = $ostlerd->pool('web'); $p->{starts} >= 4 && $p->{state} eq 'ready' && $p }, 'new workers');
	is $web->{failures}, 2, 'two processes have failed';
	is $web->{errors}, 4, 'and the counts stay';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'a request that is being worked on is shown with its route, since when, and by whom' => sub {
	my $ostlerd = application();
	my $client = $ostlerd->client;
	my $request = $client->request('POST', '/api/tasks', '{"title":"wait"}', CONTENT_TYPE => 'application/json');
	$client->send_bytes(substr $request, 0, -20);
	my $worker = wait_for(sub { (grep { $_->{busy} } @{ $ostlerd->pool('web')->{workers} })[0] }, 'a busy thread');
	is $worker->{busy}, 1, 'one thread';
	is $worker->{idle}, 3, 'the others wait';
	is $worker->{request}{method}, 'POST', 'its method';
	is $worker->{request}{route}, '/api/tasks', 'its route';
	wait_for(sub { (map { $_->{request} ? $_->{request}{seconds} : () } @{ $ostlerd->pool('web')->{workers} })[0] > 0.2 }, 'time to pass');
	$client->send_bytes(substr $request, -20);
	ok $client->receive, 'it is answered';
	wait_for(sub { $ostlerd->pool('web')->{busy} == 0 }, 'its end');
	is $ostlerd->pool('web')->{requests}, 1, 'and counted once';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'a request that was in hand when its worker was killed counts as aborted, and totals stay' => sub {
	my $ostlerd = application(backoff_first => '20ms');
	my $client = $ostlerd->client(keep => 1);
	$client->ask('GET', '/ping') for 1 .. 20;
	$client->close;
	my @stuck = map { my $c = $ostlerd->client; $c->send_bytes(substr $c->request('POST', '/api/tasks', '{}'), 0, -9); $c } 1 .. 3;
	wait_for(sub { $ostlerd->pool('web')->{busy} == 3 }, 'three busy threads');
	my @pids = map { $_->{pid} } @{ $ostlerd->pool('web')->{workers} };
	kill 'KILL', @pids;
	my $web = wait_for(sub { my $p = $ostlerd->pool('web'); $p->{state} eq 'ready' && !(grep { my $pid = $_->{pid}; grep { $_ == $pid } @pids } @{ $p->{workers} }) && $p }, 'new workers');
	is $web->{requests}, 20, 'what was finished stays counted';
	is $web->{aborted}, 3, 'what was in hand is counted apart';
	is sum(map { $_->{requests} } @{ $web->{workers} }), 0, 'the new processes begin at nought';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'totals outlive generations, and a pool that goes and comes back' => sub {
	my $ostlerd = application();
	my $settings = $ostlerd->{options}{pools}{web};
	my $asked = 0;
	my $ask = sub { my $client = $ostlerd->client; $asked += !!$client->ask('GET', '/ping') for 1 .. 20 };
	my $counted = sub { wait_for(sub { my $p = $ostlerd->pool('web'); $p && $p->{requests} >= $asked && $p }, "$asked requests")->{requests} };
	$ask->();
	is +($ostlerd->ctl('restart', 'web', '--wait=drained'))[0], 0, 'a new generation';
	$ask->();
	is $counted->(), 40, 'goes on where the old one was';
	$ostlerd->{options}{pools} = { other => { kind => 'worker', command => [ $^X, '-e', 'sleep 1 while 1' ] } };
	$ostlerd->write_conf;
	is +($ostlerd->ctl('reload', '--wait=drained'))[0], 0, 'the pool goes';
	is $ostlerd->pool('web'), undef, 'and is not there';
	$ostlerd->{options}{pools}{web} = $settings;
	$ostlerd->write_conf;
	is +($ostlerd->ctl('reload', '--wait'))[0], 0, 'it comes back';
	$ask->();
	is $counted->(), 60, 'with what it had';
	is $ostlerd->stop, 0, 'ends with 0';
};

# Requests until so many are answered; what breaks is counted and asked again.
sub insist
{
	my ($ostlerd, $wanted) = @_;
	my $client = $ostlerd->client(keep => 1);
	my $request = $client->request('GET', '/ping');
	my ($answered, $broken) = (0, 0);
	while ($answered < $wanted) {
		if (!$client->send_bytes($request)) { $broken++; sleep 0.001 }
		elsif (!defined $client->receive_raw) { $broken++ }
		# As nginx does now and then: a worker that shall leave waits for it.
		elsif (++$answered % 500 == 0) { $client->close }
	}
	return ($answered, $broken);
}

subtest 'sums are exact when workers are replaced for their number of requests' => sub {
	my $ostlerd = application(workers => \3, max_requests => \3000, watch_interval => '20ms');
	my $results = at_once(3, sub { insist($ostlerd, 20_000) });
	my @results = $results->();
	is sum(map { $_->[0] } @results), 60_000, 'all were answered';
	is sum(map { $_->[1] } @results), 0, 'none broke';
	my $web = wait_for(sub { my $p = $ostlerd->pool('web'); $p->{busy} == 0 && $p->{requests} >= 60_000 && $p }, 'all to be idle');
	is $web->{requests}, 60_000, 'each is counted once';
	is $web->{aborted}, 0, 'none was aborted';
	cmp_ok scalar($ostlerd->events(event => 'recycle')), '>=', 5, 'by several workers one after the other';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'sums are exact over 100,000 requests with workers killed and replaced all the while' => sub {
	my $ostlerd = application(backoff_first => '10ms', good_service => '10ms', workers => \3, max_requests => \4000, watch_interval => '20ms');
	my $results = at_once(4, sub { insist($ostlerd, 25_000) });
	my ($kills, $reads, $backwards, $deadline, $web) = (0, 0, 0, time + 200);
	my %before = (requests => 0, aborted => 0, bytes => 0, errors => 0);
	while (1) {
		$web = $ostlerd->pool('web');
		$backwards += grep { $web->{$_} < $before{$_} } keys %before;
		%before = map { $_ => $web->{$_} } keys %before;
		$reads++;
		# A worker killed between answering and counting leaves the request among the aborted.
		last if $web->{requests} + $web->{aborted} >= 100_000;
		die "it takes too long\n" if time > $deadline;
		my @alive = grep { $_->{pid} && $_->{state} eq 'ready' } @{ $web->{workers} };
		next if $reads % 8 || !@alive;
		kill 'KILL', $alive[ rand @alive ]{pid};
		$kills++;
	}
	my @results = $results->();
	my ($answered, $broken) = map { my $i = $_; sum(map { $_->[$i] } @results) } 0, 1;
	$web = wait_for(sub { my $p = $ostlerd->pool('web'); $p->{busy} == 0 && $p }, 'all to be idle');
	is $answered, 100_000, 'all were answered in the end';
	my $counted = $web->{requests} + $web->{aborted};
	cmp_ok $counted, '>=', $answered, 'each answer is counted';
	cmp_ok $counted, '<=', $answered + $broken, 'nothing that was not asked is';
	cmp_ok $web->{bytes}, '>=', $web->{requests} * 11, 'bytes of each';
	cmp_ok $web->{bytes}, '<=', $counted * 11, 'and of no more';
	is $backwards, 0, "no total ever went backwards ($reads looks)";
	cmp_ok $kills, '>=', 5, "workers were killed ($kills), $broken requests broke, $web->{aborted} were in hand";
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'a program in any language can keep the scoreboard' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => {
		kind => 'fastcgi', listen => 'unix:%D/sock/web', ready_interval => '10ms', backoff_first => '20ms', command => [ $foreign, 'scoreboard' ] } });
	$ostlerd->start->wait_until_ready;
	$ostlerd->client->ask('GET', '/pid') for 1 .. 30;
	my $web = wait_for(sub { my $p = $ostlerd->pool('web'); $p->{requests} == 30 && $p }, '30 requests');
	is $web->{idle}, 1, 'its one thread is idle';
	is_deeply $web->{counters}, { served => 30 }, 'it counts by a name of its own';
	cmp_ok $web->{p50_ms}, '>', 0, 'it is timed';
	my $client = $ostlerd->client;
	$client->send('GET', '/sleep/20');
	my $worker = $ostlerd->wait_for_worker('web', 1, sub { $_[0]{request} }, 'a request');
	is $worker->{request}{route}, '/sleep/20', 'what it does is shown';
	kill 'KILL', $worker->{pid};
	$web = wait_for(sub { my $p = $ostlerd->pool('web'); $p->{aborted} == 1 && $p }, 'an aborted request');
	is $web->{requests}, 30, 'what was finished stays';
	is_deeply $web->{counters}, { served => 30 }, 'what it counted, too';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'a worker without a scoreboard is told without one' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => {
		plain => { kind => 'worker', command => [ $^X, '-e', 'sleep 1 while 1' ] },
		once => { kind => 'task', command => [ '/bin/sh', '-c', 'test -z "$OSTLER_SCOREBOARD_FD"' ] },
	});
	$ostlerd->start->wait_until_ready;
	my $worker = $ostlerd->worker('plain');
	is $worker->{$_}, undef, "$_ is not known" for qw(busy idle request requests);
	cmp_ok $worker->{memory}, '>', 100_000, 'its memory is';
	is $ostlerd->pool('once')->{state}, 'done', 'a task gets none';
	is $ostlerd->stop, 0, 'ends with 0';
};

done_testing;
