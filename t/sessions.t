#!/usr/bin/perl
# sessions.t - a session is what PostgreSQL says: whatever becomes of its copy in Redis, nobody is signed out by it and nobody is let in again.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Digest::SHA qw(sha256 sha256_hex);
use Ostler::App;
use Ostler::Awake;
use Test::More;
use Time::HiRes qw(time);

my $stack = Ostler::App->start;
my $workers = $stack->workers;

# A session of somebody with that role, as a sign-in leaves it: { cookie, hash, key }.
sub session
{
	my ($role) = @_;
	my $id = Ostler::random_bytes(32);
	my $session = { cookie => 'sid=' . Ostler::encode_base64url($id), hash => sha256_hex($id), key => 'session:' . Ostler::encode_base64url(sha256($id)) };
	$stack->psql("INSERT INTO sessions (id_hash, user_id, expires_at) SELECT '\\x$session->{hash}', user_id, now() + interval '1 day' FROM sessions WHERE id_hash = '\\x"
	    . sha256_hex(decoded($stack->cookie($role))) . "'");
	return $session;
}

sub decoded { my ($cookie) = @_; return MIME::Base64::decode_base64(substr($cookie, 4) =~ tr{-_}{+/}r . '=') }
sub as { my ($session, %wish) = @_; return (as => undef, %wish, headers => { %{ $wish{headers} // {} }, cookie => $session->{cookie} }) }

# The statuses of some requests, more than there are workers.
sub seen { my ($session, $times) = @_; return join ' ', map { $stack->get('/api/me', as($session))->{status} } 1 .. $times // 6 }
my $in = join ' ', (200) x 6;
my $out = join ' ', (401) x 6;

sub copy_of { my ($session) = @_; return $stack->cache_redis('GET', $session->{key}) }
sub redis_again { my ($pid) = @_; return $stack->wait_for(sub { my ($now) = $stack->pids('cache'); $now && $now != $pid && $stack->cache_redis('PING') eq 'PONG' }, 'another Redis', 60) }

# After a failure a worker goes without Redis for a while; until all of them believe it again.
sub copied_again
{
	my ($session) = @_;
	$stack->cache_redis('DEL', $session->{key});
	return $stack->wait_for(sub { my $before = reads(); seen($session, 10); copy_of($session) ne '' && reads() - $before > 10 }, 'a copy, and all workers to ask for it', 30);
}

subtest 'the copy' => sub {
	my $session = session('user');
	is seen($session), $in, 'signed in';
	like copy_of($session), qr/^\d+ \d+\n\d+ 2 \d+ bruno\z/, 'Redis has who it is, what they may and until when';
	cmp_ok $stack->cache_redis('PTTL', $session->{key}), '<=', 90_000, 'for a minute or so';
	is $stack->cache_redis('EXISTS', "lease:$session->{key}"), 0, 'and nobody holds the lease';
	$stack->cache_redis('SET', $session->{key}, $_), is seen($session), $in, 'what is no copy of ours is passed over'
	    for 'x', '', "1 1\n", "9999999999999 9999999999999\n5 9 99999999999 x", "9999999999999 9999999999999\n-5 2 99999999999 x", "9999999999999 9999999999999\n5 2 1 x", "9999999999999 9999999999999\n";
	$stack->cache_redis('DEL', $session->{key});
	$stack->cache_redis('HSET', $session->{key}, 'a', 'b');
	is seen($session), $in, 'nor a value of another type';
	is copy_of($session) =~ /bruno/ ? 'a copy' : copy_of($session), 'a copy', 'which is replaced';
};

# How often Redis has read from a client, but for those who ask.
sub reads { my ($reads) = $stack->cache_redis('INFO', 'stats') =~ /total_reads_processed:(\d+)/ or die 'no count'; return $reads }

subtest 'a request asks Redis once' => sub {
	my $price = do { my $before = reads(); reads() - $before };
	my $session = session('user');
	$stack->get('/api/tasks', as($session)) for 1 .. 8;
	my $before = reads();
	my @replies = map { $stack->get('/api/tasks', as($session)) } 1 .. 50;
	my $count = reads() - $before - $price;
	is_deeply [ grep { ($_->{headers}{'cache-status'} // '') ne 'ostler; hit' } @replies ], [], 'all are hits of whoever asks';
	cmp_ok $count, '<=', 52, "session and value of 50 requests came in $count round trips";
	$before = reads();
	is $stack->get('/users', as($session))->{status}, 403, 'a refusal' for 1 .. 50;
	$count = reads() - $before - $price;
	cmp_ok $count, '<=', 52, "for a role, too: $count for 50";
	my @refused = grep { ($_->{status} // 0) == 403 } $stack->log_lines;
	is_deeply [ grep { $_->{db_ms} > 0 } @refused ], [], 'and no statement';
};

subtest 'Redis is flushed' => sub {
	my ($stays, $leaves) = (session('user'), session('user'));
	is seen($stays), $in, 'signed in';
	is seen($leaves), $in, 'another';
	for (1 .. 3) {
		$stack->cache_redis('FLUSHALL');
		is seen($stays), $in, 'nobody is signed out';
	}
	is $stack->post('/api/logout', as($leaves))->{status}, 204, 'who signs out';
	$stack->cache_redis('FLUSHALL');
	is seen($leaves), $out, 'is out';
};

subtest 'Redis is killed' => sub {
	my ($stays, $leaves, $later) = map { session('user') } 1 .. 3;
	is seen($_), $in, 'signed in' for $stays, $leaves, $later;
	my ($pid) = $stack->pids('cache');
	kill 'KILL', $pid;
	is seen($stays), $in, 'nobody is signed out';
	is $stack->post('/api/logout', as($leaves))->{status}, 204, 'who signs out';
	is seen($leaves), $out, 'is out at once';
	redis_again($pid);
	is seen($leaves), $out, 'and stays so when it is back';
	is seen($stays), $in, 'who did not stays in';
	copied_again($stays);
	is $stack->post('/api/logout', as($later))->{status}, 204, 'another signs out then';
	is seen($later), $out, 'and is out';
};

$stack->impatient;

subtest 'Redis hangs' => sub {
	my ($stays, $leaves) = map { session('user') } 1 .. 2;
	is seen($_), $in, 'signed in' for $stays, $leaves;
	my ($pid) = $stack->pids('cache');
	kill 'STOP', $pid;
	is seen($stays), $in, 'nobody is signed out';
	my $began = awake;
	is $stack->post('/api/logout', as($leaves))->{status}, 204, 'who signs out';
	cmp_ok awake - $began, '<', 2, 'does so in time';
	is seen($leaves), $out, 'and is out';
	kill 'CONT', $pid;
	$stack->wait_for(sub { $stack->cache_redis('PING') eq 'PONG' }, 'Redis to wake');
	is seen($leaves, 40), join(' ', (401) x 40), 'and stays so, with a Redis that still had the copy';
	copied_again($stays);
	is seen($leaves), $out, 'also when it is believed again';
};

subtest 'PostgreSQL is gone' => sub {
	my ($known, $unknown) = map { session('user') } 1 .. 2;
	copied_again($known);
	$stack->wait_for(sub { ($stack->get('/api/tasks', as($known))->{headers}{'cache-status'} // '') eq 'ostler; hit' }, 'the list to be kept');
	kill 'STOP', $stack->family('database');
	is $stack->get('/api/tasks', as($known))->{status}, 200, 'what is kept is read by whom Redis knows';
	my $reply = $stack->get('/api/tasks', as($unknown));
	problem_ok $reply, 503, 'whom only the database knows';
	cmp_ok $reply->{headers}{'retry-after'} // 0, '>=', 1, 'is told to come again, not to sign in';
	problem_ok $stack->post('/api/login', as => undef, json => { username => 'bruno', password => 'whatever it is' }), 503, 'nor can anybody sign in';
	kill 'CONT', $stack->family('database');
	$stack->wait_for(sub { $stack->get('/ready')->{status} == 200 }, 'PostgreSQL', 30);
	is seen($unknown), $in, 'then they are who they were';
};

$stack->patient;
$workers = $stack->workers;

subtest 'what comes to its end' => sub {
	my $session = session('user');
	my $copyless = sub { $stack->cache_redis('DEL', $session->{key}) };
	$stack->psql("UPDATE sessions SET seen_at = now() - interval '6 days' WHERE id_hash = '\\x$session->{hash}'");
	is seen($session), $in, 'six days without a request';
	is $stack->psql("SELECT seen_at > now() - interval '10 seconds' FROM sessions WHERE id_hash = '\\x$session->{hash}'"), 't', 'are over with the first one';
	$stack->psql("UPDATE sessions SET seen_at = now() - interval '30 seconds' WHERE id_hash = '\\x$session->{hash}'");
	$copyless->();
	is seen($session), $in, 'use that was noted within the minute';
	is $stack->psql("SELECT seen_at < now() - interval '20 seconds' FROM sessions WHERE id_hash = '\\x$session->{hash}'"), 't', 'is not noted again';
	$stack->psql("UPDATE sessions SET seen_at = now() - interval '7 days 1 second' WHERE id_hash = '\\x$session->{hash}'");
	$copyless->();
	is seen($session), $out, 'seven days are too long';
	my $old = session('user');
	$stack->psql("UPDATE sessions SET expires_at = now() + interval '2 seconds' WHERE id_hash = '\\x$old->{hash}'");
	is seen($old, 1), 200, 'until its last second';
	$stack->wait_for(sub { seen($old, 1) == 401 }, 'a session to end although its copy lives on', 20);
	like copy_of($old), qr/bruno/, 'the copy';
};

# A reader is paused in its statement, when it already sees the session that is then ended.
$stack->psql(q{
	CREATE FUNCTION pause() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
	BEGIN
		IF current_query() LIKE 'WITH found%' THEN PERFORM pg_advisory_xact_lock_shared(1); END IF;
		RETURN true;
	END $$;
	ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
	CREATE POLICY pause ON sessions AS RESTRICTIVE FOR SELECT USING (pause());
	CREATE POLICY write ON sessions FOR ALL USING (true)});

subtest 'a reader that slept over a sign-out puts nothing' => sub {
	my (@seen, @revived, @copies);
	for my $round (1 .. 60) {
		my $session = session('user');
		my $lock = $stack->hold("BEGIN;\nSELECT pg_advisory_xact_lock(1);", 'the readers');
		my $answer = $stack->begin([ GET => '/api/me', as($session) ]);
		$stack->wait_for(sub { $stack->psql(q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted}) > 0 }, 'a reader to be paused');
		my $left = $stack->post('/api/logout', as($session));
		push @revived, "logout: $left->{status}" if $left->{status} != 204;
		$lock->release;
		my ($reply) = $answer->();
		push @seen, $reply->{status};
		push @revived, grep { $_ != 401 } map { $stack->get('/api/me', as($session))->{status} } 1 .. 3;
		push @copies, copy_of($session) if copy_of($session) ne '';
	}
	is_deeply [ grep { $_ != 200 && $_ != 401 } @seen ], [], 'each reader was answered';
	is_deeply \@revived, [], 'nobody was let in afterwards';
	is_deeply \@copies, [], 'and no copy was put back';
};
$stack->psql('ALTER TABLE sessions DISABLE ROW LEVEL SECURITY');

subtest 'readers and a sign-out at once' => sub {
	my @late;
	for my $round (1 .. 30) {
		my $session = session('user');
		my @pending = map { $stack->begin([ GET => '/api/me', as($session) ]) } 1 .. 4;
		my $left = $stack->post('/api/logout', as($session));
		push @late, "logout: $left->{status}" if $left->{status} != 204;
		push @late, grep { $_ != 401 } map { $stack->get('/api/me', as($session))->{status} } 1 .. 3;
		$_->() for @pending;
		push @late, grep { $_ != 401 } map { $stack->get('/api/me', as($session))->{status} } 1 .. 3;
	}
	is_deeply \@late, [], 'from its answer on nobody is let in';
};

is $stack->workers, $workers, 'the workers are those of the beginning';
$stack->stop;
done_testing;
