#!/usr/bin/perl
# rate-limit.t - nobody gets more than their quota of any route, everybody is told how it stands, and it costs no round trip of its own.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Digest::SHA ();
use Ostler::App;
use Test::More;
use Time::HiRes qw(time);

# So long that nothing grows back while the test runs.
my %app = (limit_window => '86400s', limit_read => 40, limit_write => 7, limit_expensive => 1, limit_probe => 1_000_000, cache_timeout => '5s');
my $stack = Ostler::App->start(app => \%app);
my $workers = $stack->workers;

# nginx believes a proxy on this machine, so a test can come from anywhere, as nobody in particular.
sub from { my ($address, %more) = @_; return (as => undef, %more, headers => { 'x-forwarded-for' => $address, %{ $more{headers} // {} } }) }

# What anybody may read, and what counts as a change that anybody may make.
sub get_from { my ($address, $path) = @_; return $stack->get($path // '/openapi.json', from($address)) }
my @change = (POST => '/api/logout');
sub change_from { my ($address) = @_; return $stack->request(@change, from($address)) }

# Each of many people has quotas of their own.  A new one, signed in; wishes of a request of theirs.
my $people = 0;
sub somebody
{
	my $id = Ostler::random_bytes(32);
	my ($hash, $name) = (unpack('H*', Digest::SHA::sha256($id)), 'person' . ++$people);
	$stack->psql("WITH one AS (INSERT INTO users (username, name, email) VALUES ('$name', '$name', '$name\@example.org') RETURNING id)"
	    . " INSERT INTO sessions (id_hash, user_id, expires_at) SELECT '\\x$hash', id, now() + interval '1 day' FROM one");
	my $cookie = 'sid=' . Ostler::encode_base64url($id);
	return sub { my (%more) = @_; return (as => undef, %more, headers => { cookie => $cookie, %{ $more{headers} // {} } }) };
}

sub counts
{
	my %count;
	$count{ $_->{status} }++ for @_;
	return \%count;
}

subtest 'every answer of a route says how the quota stands' => sub {
	my $ana = somebody();
	my $read = sub { return $stack->get($_[0], $ana->()) };
	my $reply = $read->('/api/tasks');
	is $reply->{headers}{'ratelimit-policy'}, '"read";q=40;w=86400', 'which quota';
	is $reply->{headers}{ratelimit}, '"read";r=39;t=2160', 'how much is left, and when it is whole again';
	like $read->('/api/tasks/0')->{headers}{ratelimit}, qr/^"read";r=38;/, 'on a 404';
	like $read->('/api/tasks/x')->{headers}{ratelimit}, qr/^"read";r=37;/, 'of a path that cannot be';
	like $read->('/api/tasks?limit=0')->{headers}{ratelimit}, qr/^"read";r=36;/, 'on a 422';
	like $read->('/api/tasks?%')->{headers}{ratelimit}, qr/^"read";r=35;/, 'on a 400';
	like $read->('/users')->{headers}{ratelimit}, qr/^"read";r=34;/, 'on a 403';
	my $post = $stack->post('/api/tasks', $ana->(json => { title => 'x' }));
	is $post->{headers}{'ratelimit-policy'}, '"write";q=7;w=86400', 'a change counts by itself';
	like $post->{headers}{ratelimit}, qr/^"write";r=6;/, 'from its whole quota';
	my $post_wrong = $stack->post('/api/tasks', $ana->(content => '{', headers => { 'content-type' => 'application/json' }));
	is $post_wrong->{status}, 400, 'a body that is no JSON';
	like $post_wrong->{headers}{ratelimit}, qr/^"write";r=5;/, 'counts too';
	is get_from('192.0.2.1', '/ping')->{headers}{'ratelimit-policy'}, '"probe";q=1000000;w=86400', 'probes count by themselves';
	is $stack->get('/nothing-here')->{headers}{ratelimit}, undef, 'where there is no route there is no quota';
};

subtest 'beyond it' => sub {
	my ($ana, $ben) = (somebody(), somebody());
	my @replies = $stack->at_once(map { [ POST => '/api/tasks', $ana->(json => { title => "Task $_" }) ] } 1 .. 24);
	is_deeply counts(@replies), { 201 => 7, 429 => 17 }, 'many at once get their quota and no more, whichever worker they reach';
	my $before = $stack->task_count;
	my $refused = $stack->post('/api/tasks', $ana->(json => { title => 'One more' }));
	problem_ok $refused, 429, 'one more';
	is $stack->task_count, $before, 'nothing was done';
	my $interval = 86_400 / 7;
	my $after = $refused->{headers}{'retry-after'};
	cmp_ok $after, '>', $interval - 600, "Retry-After says when to come again ($after)";
	cmp_ok $after, '<=', $interval + 1, 'and no later than needed';
	like $refused->{json}{detail}, qr/\b$after seconds/, 'people are told too';
	like $refused->{headers}{ratelimit}, qr/^"write";r=0;t=\d+$/, 'nothing is left';
	my $unread = $stack->post('/api/tasks', $ana->(content => '{' x 100_000, headers => { 'content-type' => 'application/json' }));
	problem_ok $unread, 429, 'of who is refused no body is read';
	isnt $stack->get('/api/tasks', $ana->())->{status}, 429, 'reading is another quota';
	is $stack->post('/api/tasks', $ben->(json => { title => 'x' }))->{status}, 201, 'and others have their own';
	my ($line) = grep { ($_->{status} // 0) == 429 } $stack->log_lines;
	is $line->{route}, '/api/tasks', 'the log tells of it';
};

subtest 'of somebody, and of an address' => sub {
	my $ana = somebody();
	my $left = sub { return $_[0]{headers}{ratelimit} =~ /r=(\d+)/ ? $1 : undef };
	my @from = map { $stack->get('/api/me', $ana->(headers => { 'x-forwarded-for' => "198.51.100.$_" })) } 1 .. 3;
	is_deeply [ map { $left->($_) } @from ], [ 39, 38, 37 ], 'who has signed in has one quota, wherever they come from';
	my ($hash) = $stack->psql("SELECT encode(id_hash, 'hex') FROM sessions JOIN users ON users.id = user_id WHERE username = 'person$people'");
	my $second = Ostler::random_bytes(32);
	$stack->psql("INSERT INTO sessions (id_hash, user_id, expires_at) SELECT '\\x" . unpack('H*', Digest::SHA::sha256($second)) . "', user_id, now() + interval '1 day' FROM sessions WHERE id_hash = '\\x$hash'");
	my @second = map { $stack->get('/api/me', as => undef, headers => { cookie => 'sid=' . Ostler::encode_base64url($second) }) } 1 .. 3;
	is_deeply [ map { $left->($_) } @second ], [ 36, 35, 34 ], 'and with all their sessions';
	$stack->cache_redis('DEL', grep { $_ } split /\n/, $stack->cache_redis('KEYS', 'session:*'));
	is $left->($stack->get('/api/me', $ana->())), 33, 'also when the copies are gone';
	# Ids that nobody has: each costs its sender's address, before the database is asked.
	my @made_up = map { $stack->get('/api/me', as => undef, headers => { 'x-forwarded-for' => '198.51.100.9', cookie => 'sid=' . Ostler::encode_base64url(Ostler::random_bytes(32)) }) } 1 .. 45;
	is_deeply counts(@made_up), { 401 => 40, 429 => 5 }, 'ids that are made up count by address';
	is_deeply counts(map { $stack->get('/api/me', as => undef, headers => { 'x-forwarded-for' => '198.51.100.10' }) } 1 .. 45), { 401 => 40, 429 => 5 }, 'and so does none';
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

subtest 'session, quota and cache are asked in one round trip' => sub {
	my $price = do { my $before = redis_reads(); redis_reads() - $before };
	my $ana = somebody();
	$stack->get('/api/tasks', $ana->()) for 1 .. 2;
	my $before = redis_reads();
	my @replies = map { $stack->get('/api/tasks', $ana->()) } 1 .. 30;
	my $reads = redis_reads() - $before - $price;
	is_deeply [ grep { $_->{headers}{'cache-status'} ne 'ostler; hit' } @replies ], [], 'all are hits';
	like $replies[-1]{headers}{ratelimit}, qr/^"read";r=8;/, 'all are counted';
	is $reads, 30, 'and Redis was spoken to once for each';
	$before = redis_reads();
	$stack->get('/ping') for 1 .. 50;
	cmp_ok redis_reads() - $before - $price, '<=', 2, 'of a large quota a worker deals out many by itself';
};

subtest 'without Redis' => sub {
	my ($ana, $ben) = (somebody(), somebody());
	my ($pid) = $stack->pids('cache');
	kill 'KILL', $pid;
	my @replies = $stack->at_once(map { [ POST => '/api/tasks', $ana->(json => { title => "Task $_" }) ] } 1 .. 30);
	my $count = counts(@replies);
	is_deeply [ grep { !/^(201|429)$/ } keys %$count ], [], 'nothing fails';
	cmp_ok $count->{201}, '>=', 7, "each worker counts by itself ($count->{201})";
	cmp_ok $count->{201}, '<=', 21, 'and nobody is let in without end';
	$stack->wait_for(sub { my ($now) = $stack->pids('cache'); $now && $now != $pid }, 'another Redis', 60);
	$stack->wait_for(sub { $stack->cache_redis('KEYS', 'limit:*') =~ /limit:/ || !get_from('192.0.2.31') }, 'quotas to be kept in it', 20);
	my ($refused) = grep { $_->{status} == 429 } map { $stack->post('/api/tasks', $ben->(json => { title => 'x' })) } 1 .. 30;
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
