#!/usr/bin/perl
# rate-limit.t - nobody gets more than their quota of any route, everybody is told how it stands, and it costs no round trip of its own.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::App;
use Test::More;
use Time::HiRes qw(time);

# So long that nothing grows back while the test runs.
my %app = (limit_window => '86400s', limit_read => 40, limit_write => 7, limit_expensive => 1, limit_probe => 1_000_000, cache_timeout => '5s');
my $stack = Ostler::App->start(app => \%app);
my $workers = $stack->workers;

# nginx believes a proxy on this machine, so a test can come from anywhere.
sub from { my ($address, %more) = @_; return (%more, headers => { 'x-forwarded-for' => $address, %{ $more{headers} // {} } }) }

sub get_from { my ($address, $path) = @_; return $stack->get($path // '/api/tasks/1', from($address)) }

sub counts
{
	my %count;
	$count{ $_->{status} }++ for @_;
	return \%count;
}

subtest 'every answer of a route says how the quota stands' => sub {
	my $reply = get_from('192.0.2.1', '/api/tasks');
	is $reply->{headers}{'ratelimit-policy'}, '"read";q=40;w=86400', 'which quota';
	is $reply->{headers}{ratelimit}, '"read";r=39;t=2160', 'how much is left, and when it is whole again';
	like get_from('192.0.2.1', '/api/tasks/0')->{headers}{ratelimit}, qr/^"read";r=38;/, 'on a 404';
	like get_from('192.0.2.1', '/api/tasks/x')->{headers}{ratelimit}, qr/^"read";r=37;/, 'of a path that cannot be';
	like get_from('192.0.2.1', '/api/tasks?limit=0')->{headers}{ratelimit}, qr/^"read";r=36;/, 'on a 422';
	like get_from('192.0.2.1', '/api/tasks?%')->{headers}{ratelimit}, qr/^"read";r=35;/, 'on a 400';
	my $post = $stack->post('/api/tasks', from('192.0.2.1', json => { title => 'x' }));
	is $post->{headers}{'ratelimit-policy'}, '"write";q=7;w=86400', 'a change counts by itself';
	like $post->{headers}{ratelimit}, qr/^"write";r=6;/, 'from its whole quota';
	my $post_wrong = $stack->post('/api/tasks', from('192.0.2.1', content => '{', headers => { 'content-type' => 'application/json' }));
	is $post_wrong->{status}, 400, 'a body that is no JSON';
	like $post_wrong->{headers}{ratelimit}, qr/^"write";r=5;/, 'counts too';
	is get_from('192.0.2.1', '/ping')->{headers}{'ratelimit-policy'}, '"probe";q=1000000;w=86400', 'probes count by themselves';
	is $stack->get('/nothing-here')->{headers}{ratelimit}, undef, 'where there is no route there is no quota';
};

subtest 'beyond it' => sub {
	my @replies = $stack->at_once(map { [ POST => '/api/tasks', from('192.0.2.2', json => { title => "Task $_" }) ] } 1 .. 24);
	is_deeply counts(@replies), { 201 => 7, 429 => 17 }, 'many at once get their quota and no more, whichever worker they reach';
	my $before = $stack->task_count;
	my $refused = $stack->post('/api/tasks', from('192.0.2.2', json => { title => 'One more' }));
	problem_ok $refused, 429, 'one more';
	is $stack->task_count, $before, 'nothing was done';
	my $interval = 86_400 / 7;
	my $after = $refused->{headers}{'retry-after'};
	cmp_ok $after, '>', $interval - 600, "Retry-After says when to come again ($after)";
	cmp_ok $after, '<=', $interval + 1, 'and no later than needed';
	like $refused->{json}{detail}, qr/\b$after seconds/, 'people are told too';
	like $refused->{headers}{ratelimit}, qr/^"write";r=0;t=\d+$/, 'nothing is left';
	my $unread = $stack->post('/api/tasks', from('192.0.2.2', content => '{' x 100_000, headers => { 'content-type' => 'application/json' }));
	problem_ok $unread, 429, 'of who is refused no body is read';
	isnt get_from('192.0.2.2')->{status}, 429, 'reading is another quota';
	is $stack->post('/api/tasks', from('192.0.2.3', json => { title => 'x' }))->{status}, 201, 'and others have their own';
	my ($line) = grep { ($_->{status} // 0) == 429 } $stack->log_lines;
	is $line->{route}, '/api/tasks', 'the log tells of it';
};

subtest 'whose quota it is' => sub {
	my $left = sub { return get_from(@_)->{headers}{ratelimit} =~ /r=(\d+)/ ? $1 : undef };
	is $left->('2001:db8:1:2::1'), 39, 'an IPv6 address';
	is $left->('2001:db8:1:2:ffff:ffff:ffff:ffff'), 38, 'shares with its network of 64 bits';
	is $left->('2001:db8:1:3::1'), 39, 'not with the next';
	is $left->('192.0.2.10'), 39, 'an IPv4 address';
	is $left->('::ffff:192.0.2.10'), 38, 'is the same written as IPv6';
	is $left->('192.0.2.11'), 39, 'its neighbour is another';
	# The proxy that is trusted is the last: what was there before it is anybody's word.
	is $left->('203.0.113.1, 192.0.2.12'), 39, 'an address behind a proxy that nobody knows';
	is $left->('203.0.113.2, 192.0.2.12'), 38, 'cannot be forged';
};

# How often Redis has read from a client, but for those who ask.
sub redis_reads
{
	my ($reads) = $stack->cache_redis('INFO', 'stats') =~ /total_reads_processed:(\d+)/ or die 'no count';
	return $reads;
}

subtest 'quota and cache are asked in one round trip' => sub {
	my $price = do { my $before = redis_reads(); redis_reads() - $before };
	get_from('192.0.2.20', '/api/tasks') for 1 .. 2;
	my $before = redis_reads();
	my @replies = map { get_from('192.0.2.20', '/api/tasks') } 1 .. 30;
	my $reads = redis_reads() - $before - $price;
	is_deeply [ grep { $_->{headers}{'cache-status'} ne 'ostler; hit' } @replies ], [], 'all are hits';
	like $replies[-1]{headers}{ratelimit}, qr/^"read";r=8;/, 'all are counted';
	is $reads, 60, 'and Redis was spoken to once for each, and once for the session';
	$before = redis_reads();
	$stack->get('/ping') for 1 .. 50;
	cmp_ok redis_reads() - $before - $price, '<=', 2, 'of a large quota a worker deals out many by itself';
};

subtest 'without Redis' => sub {
	my ($pid) = $stack->pids('cache');
	kill 'KILL', $pid;
	my @replies = $stack->at_once(map { [ POST => '/api/tasks', from('192.0.2.30', json => { title => "Task $_" }) ] } 1 .. 30);
	my $count = counts(@replies);
	is_deeply [ grep { !/^(201|429)$/ } keys %$count ], [], 'nothing fails';
	cmp_ok $count->{201}, '>=', 7, "each worker counts by itself ($count->{201})";
	cmp_ok $count->{201}, '<=', 21, 'and nobody is let in without end';
	$stack->wait_for(sub { my ($now) = $stack->pids('cache'); $now && $now != $pid }, 'another Redis', 60);
	$stack->wait_for(sub { $stack->cache_redis('KEYS', 'limit:*') =~ /limit:/ || !get_from('192.0.2.31') }, 'quotas to be kept in it', 20);
	my ($refused) = grep { $_->{status} == 429 } map { $stack->post('/api/tasks', from('192.0.2.32', json => { title => 'x' })) } 1 .. 30;
	problem_ok $refused, 429, 'then they hold again';
};

is $stack->workers, $workers, 'the workers are those of the beginning';
is_deeply [ grep { ($_->{status} // 0) >= 500 || $_->{broken} } $stack->log_lines ], [], 'and nothing was answered with a 5xx';
$stack->stop;

subtest 'who waits as told is admitted' => sub {
	my $quick = Ostler::App->start(app => { limit_window => '2s', limit_read => 2 });
	my $refused;
	$quick->wait_for(sub { ($refused) = grep { $_->{status} == 429 } $quick->at_once(([ GET => '/api/tasks' ]) x 8) }, 'a 429', 20);
	is $refused->{headers}{'retry-after'}, 1, 'in a second';
	my $began = time;
	$quick->wait_for(sub { $quick->get('/api/tasks')->{status} == 200 }, 'to be admitted', 10);
	cmp_ok time - $began, '<', 5, 'not much later';
	$quick->stop;
};
done_testing;
