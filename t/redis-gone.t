#!/usr/bin/perl
# redis-gone.t - without Redis, or with one that does not answer, everything is right and in time.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::App;
use Ostler::Awake;
use Test::More;

my $stack = Ostler::App->start(app => { cache_timeout => undef });
my $workers = $stack->workers;
my ($hit, $miss) = ('ostler; hit', 'ostler; fwd=miss');
my $number = 0;

# A GET of the first page, in time; the title on top of it.
sub first_title
{
	my $began = awake;
	my $reply = $stack->get('/api/tasks');
	my $took = awake - $began;
	return "status $reply->{status}" if $reply->{status} != 200;
	return "took $took seconds" if $took > 1;
	return $reply->{json}{items}[0]{title};
}

sub write_task
{
	my $title = 'Task ' . ++$number;
	my $began = awake;
	my $reply = $stack->post('/api/tasks', json => { title => $title });
	die "POST: $reply->{status} $reply->{content}" if $reply->{status} != 201;
	my $took = awake - $began;
	die "POST took $took seconds" if $took > 1;
	return $title;
}

# Writes and reads TIMES times; returns what came instead of what was written.
sub write_and_read
{
	my ($times) = @_;
	my @wrong;
	for (1 .. $times) {
		my $title = write_task();
		# More often than there are workers, so that each is asked.
		push @wrong, grep { $_ ne $title } map { first_title() } 1 .. 4;
	}
	return \@wrong;
}

sub cache_answers { return $stack->wait_for(sub { my $reply = $stack->get('/api/tasks'); ($reply->{headers}{'cache-status'} // '') eq $hit }, 'the cache to be used again', 20) }

sub health_is
{
	my ($status) = @_;
	my $reply = $stack->get('/health');
	is $reply->{status}, 200, 'the stack is healthy enough';
	is $reply->{json}{status}, $status, "it is $status";
	is $reply->{json}{checks}{database}{status}, 'healthy', 'the database is healthy';
	is $reply->{json}{checks}{redis}{status}, $status eq 'healthy' ? 'healthy' : 'unhealthy', 'and Redis is what it is';
	is $stack->get('/ready')->{status}, 200, 'it is ready';
}

subtest 'with Redis' => sub {
	is_deeply write_and_read(5), [], 'everything is right';
	cache_answers();
	health_is('healthy');
};

subtest 'Redis is killed and started again' => sub {
	for my $round (1 .. 3) {
		my ($pid) = $stack->pids('cache');
		first_title() for 1 .. 3;
		kill 'KILL', $pid;
		is_deeply write_and_read(3), [], "round $round: right without it";
		$stack->wait_for(sub { my ($now) = $stack->pids('cache'); $now && $now != $pid }, 'another Redis', 60);
		is_deeply write_and_read(3), [], 'right with the next';
		cache_answers();
	}
};

subtest 'Redis does not answer' => sub {
	my ($pid) = $stack->pids('cache');
	cache_answers();
	kill 'STOP', $pid;
	is_deeply write_and_read(5), [], 'everything is right, and in time';
	is $stack->get('/api/tasks')->{headers}{'cache-status'}, "$miss; detail=unavailable", 'without the cache';
	health_is('degraded');
	my @replies = $stack->at_once(map { [ GET => '/api/tasks' ] } 1 .. 12);
	is_deeply [ grep { $_->{status} != 200 || $_->{awake} > 2 } @replies ], [], 'for many at once too';
	kill 'CONT', $pid;
	is_deeply write_and_read(3), [], 'and when it is back';
	cache_answers();
	health_is('healthy');
};

# A page is in the cache; it changes while Redis sleeps; when Redis wakes up it must not be believed.
subtest 'what is in a Redis that slept is not believed' => sub {
	my ($pid) = $stack->pids('cache');
	my @wrong;
	for my $case ([ 0, 1 ], [ 8, 3 ], ([ 1, 1 ]) x 4) {
		my ($readers, $changes) = @$case;
		cache_answers();
		kill 'STOP', $pid;
		# Who has read in vain before no longer asks Redis, not even to forget something.
		$stack->in_processes((sub { first_title() }) x $readers);
		my $title;
		$title = write_task() for 1 .. $changes;
		kill 'CONT', $pid;
		# At once, so that both workers are asked.
		push @wrong, grep { $_ ne $title } $stack->in_processes((sub { first_title() }) x 8);
		push @wrong, grep { $_ ne $title } map { first_title() } 1 .. 10;
	}
	is_deeply \@wrong, [], 'no old page was served by any worker';
};

subtest 'a Redis that refuses' => sub {
	cache_answers();
	my $maxmemory = (split /\n/, $stack->cache_redis(qw(CONFIG GET maxmemory)))[1];
	$stack->cache_redis(qw(CONFIG SET maxmemory 1));
	is_deeply write_and_read(3), [], 'to keep anything: all is right';
	$stack->cache_redis(qw(CONFIG SET maxmemory), $maxmemory);
	cache_answers();
	$stack->cache_redis(qw(CLIENT KILL TYPE normal));
	is_deeply write_and_read(3), [], 'and closes its connections: all is right';
	$stack->cache_redis('FLUSHALL');
	is_deeply write_and_read(1), [], 'and has forgotten everything: all is right';
	cache_answers();
};

is $stack->workers, $workers, 'the workers are those of the beginning';
is_deeply [ grep { ($_->{status} // 0) >= 500 || $_->{broken} } $stack->log_lines ], [], 'and nothing was answered with a 5xx';
$stack->stop;
done_testing;
