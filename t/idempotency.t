#!/usr/bin/perl
# idempotency.t - a request with an Idempotency-Key creates once, whoever dies and whatever is lost before the client hears of it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::Accounts;
use Ostler::App;
use Ostler::Awake;
use Ostler::Between;
use Ostler::Process qw(alive);
use Test::More;

my $between = Ostler::Between->new;
my $stack = Ostler::Accounts->new(app => { threads => 4, database => $between->conninfo });
$between->start($stack->var . '/sock');
$stack->launch;

my $number = 0;
sub fresh { return sprintf '7b6f8a1e-0000-4000-8000-%012d', ++$number }

sub request_of
{
	my ($key, $amount, %more) = @_;
	return [ POST => $more{path} // '/transfers', json => { giver => 1, taker => 2, amount => $amount },
		headers => { 'Idempotency-Key' => $key } ];
}
sub move { return $stack->request(@{ request_of(@_) }) }
sub rows { return $stack->psql('SELECT count(*) FROM idempotency') }

sub replayed_ok
{
	my ($reply, $first, $what) = @_;
	is $reply->{status}, 201, "$what: answered";
	is $reply->{headers}{'idempotency-replayed'}, 'true', 'not for the first time';
	return unless $first;
	is $reply->{content}, $first->{content}, 'with the same body';
	is $reply->{headers}{$_}, $first->{headers}{$_}, "and $_" for qw(location content-type etag content-length);
}

subtest 'asked twice, done once' => sub {
	my $key = fresh();
	my $first = move($key, 30);
	is $first->{status}, 201, 'money moves';
	is $first->{headers}{'idempotency-replayed'}, undef, 'for the first time';
	replayed_ok(move($key, 30), $first, 'again');
	replayed_ok(move("\"$key\"", 30), $first, 'with the key in quotes');
	is $stack->balances, '70 130 100', 'moved once';
	is move(fresh(), 1)->{headers}{'idempotency-replayed'}, undef, 'another key';
	is $stack->post('/transfers', json => { giver => 1, taker => 2, amount => 1 })->{status}, 201, 'and none';
	is $stack->balances, '68 132 100', 'are other requests';
	is rows(), 2, 'only what has a key is kept';
};

subtest 'the same key for something else' => sub {
	my $key = fresh();
	is move($key, 1)->{status}, 201, 'the first';
	my $before = $stack->balances;
	problem_ok move($key, 2), 422, 'another body', ['/Idempotency-Key header'];
	problem_ok $stack->request(POST => '/transfers', content => '{ "giver":1,"taker":2,"amount":1}', headers => { 'Content-Type' => 'application/json', 'Idempotency-Key' => $key }), 422, 'another writing of the same';
	problem_ok $stack->request(POST => '/transfers?x', json => { giver => 1, taker => 2, amount => 1 }, headers => { 'Idempotency-Key' => $key }), 422, 'another target';
	is $stack->balances, $before, 'nothing has happened';
	$stack->psql("UPDATE idempotency SET user_id = 7 WHERE key = '$key'");
	is move($key, 2)->{status}, 201, 'a key of somebody else is in nobody\'s way';
};

subtest 'keys that are none' => sub {
	my $before = $stack->balances;
	problem_ok move($_, 1), 400, length > 50 ? 'a long key' : "the key $_" for '""', '"', '"a', 'a"', 'a b', 'a,b', 'a;b', '"a"b', '"a\\x"', 'x' x 256, '"' . 'x' x 256 . '"', '\\';
	for my $byte (1 .. 8, 11, 12, 14 .. 31, 127, 0xC3) {
		my $body = '{"giver":1,"taker":2,"amount":1}';
		my $answer = $stack->raw("POST /transfers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: "
		    . length($body) . "\r\nIdempotency-Key: a" . chr($byte) . "b\r\n\r\n$body");
		like $answer, qr{^HTTP/1.1 400 .*application/problem\+json}s, "a byte that is no visible ASCII: $byte";
	}
	is $stack->balances, $before, 'nothing has happened';
	is move($_, 1)->{status}, 201, 'but ' . substr $_, 0, 10 for 'x' x 255, '"a b,c;d"', '"\\"\\\\"', '!#~';
};

subtest 'only what creates looks at it' => sub {
	my $before = rows();
	is move('', 1, path => '/later')->{status}, 204, 'an empty header is none';
	is move('a b', 1, path => '/later')->{status}, 204, 'what creates nothing is not told of a bad key';
	is $stack->get('/accounts/1', headers => { 'Idempotency-Key' => '"' })->{status}, 200, 'nor is a read';
	is rows(), $before, 'and nothing is kept of it';
};

subtest 'while the first runs' => sub {
	$stack->reset;
	my $key = fresh();
	my $lock = $stack->lock_table('transfers');
	my $running = $stack->begin(request_of($key, 10));
	$stack->wait_for(sub { $stack->waiting_for_locks }, 'the first to run');
	for my $request (request_of($key, 10), request_of($key, 11)) {
		my $began = awake;
		my $second = $stack->request(@$request);
		problem_ok $second, 409, 'the second is told so';
		is $second->{headers}{'retry-after'}, 1, 'and when to come again';
		cmp_ok awake - $began, '<', 1, 'at once';
	}
	$lock->release;
	my ($first) = $running->();
	is $first->{status}, 201, 'the first is done';
	replayed_ok(move($key, 10), $first, 'then');
	is $stack->balances, '90 110 100', 'moved once';
};

subtest 'many at once' => sub {
	$stack->reset;
	for my $round (1 .. 10) {
		my $key = fresh();
		my @replies = $stack->at_once((request_of($key, 1)) x 8);
		my %count;
		$count{ $_->{status} . ($_->{headers}{'idempotency-replayed'} // '') }++ for @replies;
		is $count{201}, 1, "round $round: one is the first";
		is_deeply [ grep { !/^(201|201true|409)$/ } keys %count ], [], 'the others wait or hear what it heard';
		replayed_ok(move($key, 1), (grep { $_->{status} == 201 } @replies)[0], 'afterwards');
	}
	is $stack->balances, '90 110 100', 'each moved once';
};

subtest 'an error is not kept' => sub {
	$stack->reset;
	my $key = fresh();
	problem_ok move($key, 101), 409, 'too little money';
	$stack->psql('UPDATE accounts SET balance = 200 WHERE id = 1');
	my $made = move($key, 101);
	is $made->{status}, 201, 'enough money: the same key works';
	is $made->{headers}{'idempotency-replayed'}, undef, 'for the first time';
	$key = fresh();
	problem_ok move($key, 0), 422, 'what cannot be';
	is move($key, 1)->{status}, 201, 'is no use of the key';
};

subtest 'the worker dies after COMMIT' => sub {
	$stack->reset;
	my $key = fresh();
	$between->at_commit('hold');
	my $lost = $stack->begin(request_of($key, 10));
	$between->wait;
	kill 'KILL', $stack->pids('web');
	is +($lost->())[0]{status}, 502, 'the client hears nothing of it';
	is $stack->balances . '; ' . $stack->transfers, '90 110 100; 1', 'but it has happened';
	my $reply;
	$stack->wait_for(sub { ($reply = move($key, 10))->{status} !~ /^50[23]$/ }, 'other workers', 30);
	replayed_ok($reply, undef, 'asked again');
	is $reply->{json}{amount}, 10, 'it hears all of it';
	is $reply->{headers}{location}, "/transfers/$reply->{json}{id}", 'and where it is';
	is $stack->balances . '; ' . $stack->transfers, '90 110 100; 1', 'and it has happened once';
};

subtest 'the worker dies before COMMIT' => sub {
	$stack->reset;
	my $key = fresh();
	my $lock = $stack->lock_table('transfers');
	my $lost = $stack->begin(request_of($key, 10));
	$stack->wait_for(sub { $stack->waiting_for_locks }, 'the last statement to wait', 10);
	kill 'KILL', $stack->pids('web');
	is +($lost->())[0]{status}, 502, 'the client hears nothing of it';
	$lock->release;
	my $reply;
	$stack->wait_for(sub { ($reply = move($key, 10))->{status} !~ /^(502|503|409)$/ }, 'other workers', 30);
	is $reply->{status}, 201, 'asked again it happens';
	is $reply->{headers}{'idempotency-replayed'}, undef, 'for the first time';
	is $stack->balances . '; ' . $stack->transfers, '90 110 100; 1', 'once';
};

subtest 'the answer to COMMIT is lost' => sub {
	$stack->impatient;
	for my $how (qw(cut hold)) {
		$stack->reset;
		my $key = fresh();
		$between->at_commit($how);
		my $reply = move($key, 10);
		problem_ok $reply, 503, "$how: nobody knows";
		like $reply->{json}{detail}, qr/may or may not/, 'and it says so';
		is $reply->{headers}{'retry-after'}, 1, 'and to ask again';
		is $reply->{headers}{$_}, undef, "no $_ of what may not be" for qw(location etag);
		$stack->wait_for(sub { ($reply = move($key, 10))->{status} != 503 }, 'the database again', 20);
		replayed_ok($reply, undef, 'asked again');
		is $stack->balances . '; ' . $stack->transfers, '90 110 100; 1', 'it has happened once';
		$between->at_commit($how);
		problem_ok $stack->post('/transfers', json => { giver => 1, taker => 2, amount => 1 }), 503, 'without a key it is the same';
		$stack->wait_for(sub { $stack->request(POST => '/nothing')->{status} == 204 && move(fresh(), 1)->{status} == 201 }, 'the database again', 20);
	}
	$stack->patient;
};

subtest 'a key is kept for a while' => sub {
	$stack->reset;
	my $key = fresh();
	move($key, 1);
	$stack->psql(qq{UPDATE idempotency SET made_at = now() - interval '23 hours 59 minutes' WHERE key = '$key'});
	replayed_ok(move($key, 1), undef, 'nearly a day later');
	$stack->psql(qq{UPDATE idempotency SET made_at = now() - interval '24 hours 1 second' WHERE key = '$key'});
	my $reply = move($key, 2);
	is $reply->{status}, 201, 'after a day, even with another body';
	is $reply->{headers}{'idempotency-replayed'}, undef, 'it is a new request';
	$stack->psql(q{TRUNCATE idempotency; INSERT INTO idempotency (user_id, key, fingerprint, status, lines, body, made_at)
	    SELECT n, 'old', 'x', 201, '', '', now() - interval '2 days' FROM generate_series(1, 25) n});
	move(fresh(), 1) for 1 .. 2;
	is $stack->psql(q{SELECT count(*) FROM idempotency WHERE key = 'old'}), 5, 'what is out of date goes, ten at a time';
	move(fresh(), 1);
	is rows(), 3, 'until none is left';
};

subtest 'answers are for those they were made for' => sub {
	ok !eval { $stack->psql('SELECT body FROM idempotency', 'ostler_reader'); 1 }, 'not for who may read tables';
	ok !eval { $stack->psql('TRUNCATE idempotency', 'ostler_app'); 1 }, 'and the application cannot empty it at once';
};

subtest 'OpenAPI tells' => sub {
	my $operation = $stack->get('/openapi.json')->{json}{paths}{'/transfers'}{post};
	ok +(grep { $_->{in} eq 'header' && $_->{name} eq 'Idempotency-Key' && !$_->{required} } @{ $operation->{parameters} }), 'of the header';
	ok $operation->{responses}{409}, 'of 409';
	ok $operation->{responses}{201}{headers}{$_}, "and of $_" for qw(Location Idempotency-Replayed);
};

$stack->stop;
$between->stop;

# Behind the cache: what was changed by who died must not be hidden from who asks again.
$between = Ostler::Between->new;
$stack = Ostler::App->new(app => { threads => 4, database => $between->conninfo });
$between->start($stack->var . '/sock');
$stack->launch;

subtest 'a list that was cached before' => sub {
	my @wish = (POST => '/api/tasks', json => { title => 'Once' }, headers => { 'Idempotency-Key' => fresh() });
	$stack->get('/api/tasks');
	$between->at_commit('hold');
	my $lost = $stack->begin(\@wish);
	$between->wait;
	kill 'KILL', $stack->pids('web');
	is +($lost->())[0]{status}, 502, 'the client hears nothing of it';
	my $reply;
	$stack->wait_for(sub { ($reply = $stack->request(@wish))->{status} !~ /^50[23]$/ }, 'other workers', 30);
	replayed_ok($reply, undef, 'asked again');
	is $reply->{headers}{etag}, '"1"', 'with its ETag';
	is $stack->get('/api/tasks')->{json}{items}[0]{id}, $reply->{json}{id}, 'and the list shows what was made';
	is $stack->psql(q{SELECT count(*) FROM tasks WHERE title = 'Once'}), 1, 'once';
};

$stack->stop;
$between->stop;
done_testing;
