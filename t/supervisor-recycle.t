#!/usr/bin/perl
# supervisor-recycle.t - workers are replaced when they have served long enough, and nobody notices.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::Load;
use Ostler::Process qw(wait_for alive);
use Ostler::Programs;
use Ostler::Supervisor;
use Test::More;
use Time::HiRes qw(time sleep);

my $echo = Ostler::Programs::compile('echo', '-lfcgi');

sub started
{
	my (%more) = @_;
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'fastcgi', listen => 'unix:%D/sock/web',
		command => [$echo], workers => \4, ready_interval => '10ms', watch_interval => '20ms', %more } });
	return $ostlerd->start->wait_until_ready;
}


# How many were ready at each moment, by the events of the pool: the least since all once were.
sub fewest_ready
{
	my ($ostlerd, $all) = @_;
	my ($ready, $fewest) = (0);
	for my $event ($ostlerd->events(pool => 'web')) {
		$ready++ if $event->{event} eq 'ready';
		$ready-- if $event->{event} eq 'finish';
		$fewest = $ready if $ready >= $all && !defined $fewest;
		$fewest = $ready if defined $fewest && $ready < $fewest;
	}
	return $fewest;
}

# How many were being replaced at once, at most.
sub most_at_once
{
	my ($ostlerd) = @_;
	my ($now, $most, %leaving) = (0, 0);
	for my $event ($ostlerd->events(pool => 'web')) {
		$now++ if $event->{event} eq 'recycle';
		$now-- if $event->{event} eq 'exit';
		$most = $now if $now > $most;
	}
	return $most;
}

subtest 'by age: the next is ready before the old one leaves, one at a time' => sub {
	my $ostlerd = started(max_age => '300ms');
	my $load = Ostler::Load->start($ostlerd->at, clients => 3);
	$ostlerd->wait_for_event({ pool => 'web', event => 'recycle' }, 10);
	my $sum = $load->stop;
	is $sum->{lost}, 0, "no request of $sum->{done} is lost" or diag join "\n", @{ $sum->{why} };
	is fewest_ready($ostlerd, 4), 4, 'there were never fewer than four';
	is most_at_once($ostlerd), 1, 'one was replaced at a time';
	is scalar($ostlerd->events(event => 'kill')), 0, 'none was killed';
	is_deeply [ map { $_->{text} } grep { $_->{failed} } $ostlerd->events(event => 'exit') ], [], 'none has failed';
	my ($recycle) = $ostlerd->events(event => 'recycle');
	like $recycle->{text}, qr/^max_age reached/, 'the reason is written down';
	is $ostlerd->pool('web')->{state}, 'ready', 'the pool is ready all the time';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'by memory: one that leaks is replaced between two requests' => sub {
	my $ostlerd = started(max_memory => '20M', memory_interval => '50ms', workers => \2);
	my $reply = $ostlerd->client->ask(POST => '/leak', 'x', SECONDS => '0.5');
	is $reply->{body}, 'x', 'the request that leaks is answered';
	my $recycle = $ostlerd->wait_for_event({ pool => 'web', event => 'recycle' });
	is $recycle->{pid}, $reply->{headers}{'x-pid'}, 'then it is replaced';
	like $recycle->{text}, qr/^max_memory reached: .* \d{8,} bytes/, 'with its size';
	wait_for(sub { !alive($recycle->{pid}) }, 'it to leave');
	is scalar($ostlerd->events(event => 'recycle')), 1, 'the other, which is small, is not';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'by requests, which a program with a scoreboard counts' => sub {
	my $ostlerd = started(max_requests => \30, max_requests_jitter => \10,
		command => [ $^X, "$FindBin::Bin/lib/fastcgi-worker", 'scoreboard' ]);
	my %served;
	for (1 .. 400) {
		my $reply = $ostlerd->client->ask(GET => '/pid');
		$served{ $reply->{body} =~ /(\d+)/ && $1 }++;
		sleep 0.002;
	}
	wait_for(sub { $ostlerd->events(pool => 'web', event => 'exit') >= 4 }, 'four to be replaced');
	is fewest_ready($ostlerd, 4), 4, 'there were never fewer than four';
	is most_at_once($ostlerd), 1, 'one was replaced at a time';
	for my $recycle ($ostlerd->events(event => 'recycle')) {
		like $recycle->{text}, qr/^max_requests reached/, 'the reason is written down';
		cmp_ok $recycle->{text} =~ /(\d+) requests/ && $1, '>=', 30, 'not too early';
	}
	is scalar(grep { $_->{failed} } $ostlerd->events(event => 'exit')), 0, 'none has failed';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'one that cannot be replaced goes on' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'fastcgi', listen => 'unix:%D/sock/web', max_age => '300ms',
		command => [ '/bin/sh', '-c', "test ! -e %D/broken && exec $echo" ], ready_interval => '10ms', backoff_first => '20ms' } });
	$ostlerd->start->wait_until_ready;
	my $pid = $ostlerd->worker('web')->{pid};
	open my $broken, '>', $ostlerd->folder . '/broken';
	wait_for(sub { $ostlerd->events(pool => 'web', event => 'exit') >= 3 }, 'three that fail to replace it');
	is $ostlerd->client->ask(POST => '/', 'x')->{headers}{'x-pid'}, $pid, 'it still serves';
	unlink $ostlerd->folder . '/broken';
	wait_for(sub { !alive($pid) }, 'it to be relieved');
	is $ostlerd->client->ask(POST => '/', 'x')->{body}, 'x', 'by one that serves';
	is $ostlerd->stop, 0, 'ends with 0';
};

done_testing;
