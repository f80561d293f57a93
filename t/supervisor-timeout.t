#!/usr/bin/perl
# supervisor-timeout.t - a worker stuck in a request is replaced; one that only seems to be is left alone.
use strict;
use warnings;
use File::Copy qw(copy);
use FindBin;
use Time::HiRes qw(sleep time);
use lib "$FindBin::Bin/lib";
use Ostler::FastCgi;
use Ostler::Process qw(wait_for alive free_port);
use Ostler::Supervisor;
use Test::More;

my $foreign = "$FindBin::Bin/lib/fastcgi-worker";
my %quick = (request_timeout => '400ms', watch_interval => '50ms', stop_timeout => '300ms', backoff_first => '20ms', ready_interval => '10ms');

sub start
{
	my (%pool) = @_;
	my $ostlerd = Ostler::Supervisor->new(pools => { web => {
		kind => 'fastcgi', listen => 'unix:%D/sock/web', output => '%D/log/web', command => [$foreign], %quick, %pool } });
	open my $conf, '>', $ostlerd->folder . '/app.conf' or die "app.conf: $!";
	print $conf qq(threads = 4;\nlog_level = "error";\n);
	close $conf;
	return $ostlerd->start->wait_until_ready;
}

sub application { return start(ready => 'notify', command => [ Ostler::Supervisor::program('ostler-app'), '-c', '%D/app.conf', 'web' ], @_) }

sub stuck
{
	my ($ostlerd) = @_;
	my ($status, $out, $complaints) = $ostlerd->ctl('events', '--json');
	die "ostlerctl events: $complaints" if $status != 0;
	return grep { $_->{event} eq 'stuck' } map { JSON::PP::decode_json($_) } split /\n/, $out;
}

sub pid_of { my ($ostlerd) = @_; return $ostlerd->worker('web')->{pid} }

# Waits until the worker PID has been replaced by one that is ready.
sub replaced
{
	my ($ostlerd, $pid) = @_;
	return $ostlerd->wait_for_worker('web', 1, sub { $_[0]{state} eq 'ready' && $_[0]{pid} != $pid }, 'another worker');
}

# Does CODE again and again for so long, which is several times the timeout.
sub for_long
{
	my ($code) = @_;
	my $end = time + 1.6;
	my $times = 0;
	while (time < $end) { $code->(); $times++ }
	return $times;
}

subtest 'ours: a stuck request is named, its worker replaced, its neighbours served' => sub {
	my $ostlerd = application(workers => \2);
	my %pid = map { $_->{pid} => 1 } @{ $ostlerd->pool('web')->{workers} };
	my $client = $ostlerd->client;
	$client->send_bytes(substr $client->request('POST', '/api/tasks', '{}'), 0, -9);
	my $neighbour = $ostlerd->client;
	my $lost = 0;
	my ($event) = wait_for(sub { $lost += !$neighbour->ask('GET', '/ping'); my @s = stuck($ostlerd); @s && \@s }, 'the event')->@*;
	like $event->{text}, qr{^POST /api/tasks for 0\.[4-9] s$}, 'it is said in what';
	ok delete $pid{ $event->{pid} }, 'and who';
	wait_for(sub { !alive($event->{pid}) }, 'its end');
	wait_for(sub { $lost += !$neighbour->ask('GET', '/ping'); $ostlerd->pool('web')->{state} eq 'ready' }, 'another in its place');
	is $lost, 0, 'no other request was lost';
	is +(grep { $pid{ $_->{pid} } } @{ $ostlerd->pool('web')->{workers} }), 1, 'the other worker is the same';
	is $ostlerd->pool('web')->{aborted}, 1, 'one request was aborted';
	is $client->receive, undef, 'its client is told by the end of the connection';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'ours: a timeout that a reload brings holds for the same processes' => sub {
	my $ostlerd = application(request_timeout => '60s');
	my $pid = pid_of($ostlerd);
	$ostlerd->{options}{pools}{web}{request_timeout} = '400ms';
	$ostlerd->write_conf;
	is +($ostlerd->ctl('reload', '--wait'))[0], 0, 'the reload is fine';
	is pid_of($ostlerd), $pid, 'the process is the same';
	my $client = $ostlerd->client;
	$client->send_bytes(substr $client->request('POST', '/api/tasks', '{}'), 0, -9);
	my $event = $ostlerd->wait_for_event({ event => 'stuck' });
	is $event->{pid}, $pid, 'it is found to be stuck';
	like $event->{text}, qr{^POST /api/tasks for [01]\.\d s$}, 'soon';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'ours: an idle connection that is kept is no request' => sub {
	my $ostlerd = application();
	my $pid = pid_of($ostlerd);
	my $client = $ostlerd->client(keep => 1);
	is $client->ask('GET', '/ping')->{status}, 200, 'it answers';
	sleep 1.2;
	is $client->ask('GET', '/ping')->{status}, 200, 'and again, on the same connection, much later';
	is pid_of($ostlerd), $pid, 'it is the same worker';
	is scalar(stuck($ostlerd)), 0, 'none was stuck';
	$client->close;
	is $ostlerd->stop, 0, 'ends with 0';
};

for my $way ('sleep/1000', 'spin', 'chatter') {
	subtest "foreign: stuck in /$way" => sub {
		my $ostlerd = start();
		my $pid = pid_of($ostlerd);
		my $client = $ostlerd->client;
		my $began = time;
		$client->send('GET', "/$way");
		my $worker = replaced($ostlerd, $pid);
		cmp_ok time - $began, '>', 0.4, 'it had its time';
		is $worker->{failures}, 0, 'the new one is not blamed';
		my ($event) = stuck($ostlerd);
		is $event->{pid}, $pid, 'the event says who';
		like $event->{text}, qr/^a request for 0\.[4-9] s$/, 'and for how long';
		is $ostlerd->client->ask('GET', '/pid')->{body}, $worker->{pid}, 'the new one serves';
		is $ostlerd->stop, 0, 'ends with 0';
	};
}

subtest 'foreign: what only looks busy is left alone' => sub {
	my $ostlerd = start();
	my $pid = pid_of($ostlerd);
	my $kept = $ostlerd->client(keep => 1);
	is $kept->ask('GET', '/pid')->{body}, $pid, 'a kept connection';
	sleep 1.2;
	is $kept->ask('GET', '/pid')->{body}, $pid, 'that was idle for long is no request';
	my $times = for_long(sub { $kept->ask('GET', '/sleep/0.1') });
	is $kept->ask('GET', '/pid')->{body}, $pid, "nor are many short requests on one ($times)";
	$times = for_long(sub { $kept->ask('GET', '/files/0.05') });
	is $kept->ask('GET', '/pid')->{body}, $pid, "that read and write files ($times)";
	$kept->close;
	$times = for_long(sub { $ostlerd->client->ask('GET', '/sleep/0.02') });
	is $ostlerd->client->ask('GET', '/pid')->{body}, $pid, "nor many, each with its own ($times)";
	my $slow = $ostlerd->client;
	my $request = $slow->request('POST', '/pid', 'x' x 16);
	$slow->send_bytes(substr $request, 0, -24);
	for_long(sub { sleep 0.1; $slow->send_bytes('') });
	$slow->send_bytes(substr $request, -24);
	is $slow->receive->{body}, $pid, 'nor is a client that takes its time';
	is scalar(stuck($ostlerd)), 0, 'none was stuck';
	is $ostlerd->stop, 0, 'ends with 0';
};

for my $way (
	[ 'in poll', [ $foreign, 'poll' ] ],
	[ 'in one of its threads, in epoll', [ '/usr/bin/env', '-u', 'OSTLER_SCOREBOARD_FD',
	    Ostler::Supervisor::program('ostler-app'), '-c', '%D/app.conf', 'web' ], ready => 'notify' ])
{
	my ($where, $command, @more) = @$way;
	subtest "foreign: a kept connection is no request when it is waited for $where" => sub {
		my $ostlerd = start(command => $command, @more);
		my $pid = pid_of($ostlerd);
		my $client = $ostlerd->client(keep => 1);
		ok $client->ask('GET', '/ping'), 'it answers';
		my $worker = $ostlerd->wait_for_worker('web', 1, sub { $_[0]{busy} == 0 }, 'it to be idle');
		is $worker->{requests}, undef, 'it keeps no scoreboard';
		sleep 1.2;
		ok $client->ask('GET', '/ping'), 'and again, much later';
		is pid_of($ostlerd), $pid, 'it is the same';
		is scalar(stuck($ostlerd)), 0, 'none was stuck';
		$client->close;
		is $ostlerd->stop, 0, 'ends with 0';
	};
}

subtest 'foreign: without a timeout a request may take for ever' => sub {
	my $ostlerd = start();
	$ostlerd->end_by_force;
	delete $ostlerd->{options}{pools}{web}{request_timeout};
	$ostlerd->write_conf;
	$ostlerd->start;
	$ostlerd->wait_until_ready;
	my $pid = pid_of($ostlerd);
	is $ostlerd->client->ask('GET', '/sleep/1.2')->{body}, $pid, 'it is answered';
	is $ostlerd->stop, 0, 'ends with 0';
};

# A program whose file cannot be read is one that /proc does not show to its own user.
subtest 'foreign: what cannot be seen is not guessed' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'fastcgi', listen => 'unix:%D/sock/web',
		command => [ '%D/perl', $foreign ], environment => ["PATH=$ENV{PATH}"], %quick } });
	my $folder = $ostlerd->folder;
	my ($user, $group) = $> == 0 ? (getpwnam 'nobody')[ 2, 3 ] : ($>, $) + 0);
	copy($^X, "$folder/perl") or die "cannot copy perl: $!";
	chmod 0111, "$folder/perl";
	chown $user, $group, $folder, "$folder/ctl", "$folder/sock";
	$ostlerd->start(sub { $) = "$group $group"; $( = $group; $< = $> = $user });
	$ostlerd->wait_until_ready;
	my $pid = pid_of($ostlerd);
	is $ostlerd->worker('web')->{$_}, undef, "$_ is unknown" for qw(busy idle request memory);
	is $ostlerd->client->ask('GET', '/sleep/1.2')->{body}, $pid, 'a request may take its time';
	is pid_of($ostlerd), $pid, 'it is the same worker';
	is scalar(stuck($ostlerd)), 0, 'none was stuck';
	is $ostlerd->stop, 0, 'ends with 0';
};

for my $address ('unix', 'tcp') {
	subtest "foreign: busy are those who work, no more and no fewer ($address)" => sub {
		my ($port, $reservation) = free_port();
		my $ostlerd = start(workers => \5, request_timeout => '60s', $address eq 'tcp' ? (listen => "tcp:127.0.0.1:$port") : ());
		my $new = sub { $address eq 'tcp' ? Ostler::FastCgi->new("tcp:127.0.0.1:$port", @_) : $ostlerd->client(@_) };
		my $kept = $new->(keep => 1);
		$kept->ask('GET', '/pid');
		my @clients;
		for my $busy (1 .. 3) {
			push @clients, $new->();
			$clients[-1]->send('GET', '/sleep/1000');
			my $pool = wait_for(sub { my $p = $ostlerd->pool('web'); $p->{busy} >= $busy && $p }, "$busy busy workers");
			is $pool->{busy}, $busy, "$busy busy";
			is $pool->{idle}, 5 - $busy, 'the others are idle, one of them with a connection that is kept';
		}
		$kept->close;
		is $ostlerd->stop('QUIT'), 0, 'ends with 0';
	};
}

done_testing;
