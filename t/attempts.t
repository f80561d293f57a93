#!/usr/bin/perl
# attempts.t - sign-ins that fail make the next one wait, and nobody is locked out by others.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";
use HTTP::Tiny;
use JSON::PP ();
use Ostler::App;
use Test::More;

my $stack = Ostler::App->start(app => { attempt_first => '1s', attempt_most => '60s', audit_window => '10ms' });
my $workers = $stack->workers;
my $good = 'correct horse battery';

# A sign-in that comes from ADDRESS, one of this machine's own.
sub sign_in
{
	my ($name, $password, $address) = @_;
	my $client = HTTP::Tiny->new(local_address => $address // '127.0.0.1', proxy => undef, http_proxy => undef, timeout => 60);
	my $reply = $client->post($stack->url('/api/login'), { headers => { 'content-type' => 'application/json' },
		content => JSON::PP->new->utf8->encode({ username => $name, password => $password }) });
	$reply->{json} = eval { JSON::PP->new->utf8->decode($reply->{content}) };
	return $reply;
}

# As if every wait were over.
sub let_time_pass { $stack->psql('UPDATE attempts SET next_at = now()'); return }

# Somebody with a password and no session, who has not tried anything yet.
sub person
{
	my ($name) = @_;
	my $reply = $stack->post('/api/register', as => undef, json => { username => $name, email => ($name =~ tr/a-z//cdr) . '@example.org', password => $good });
	is $reply->{status}, 201, "there is $name" or diag $reply->{content};
	$stack->psql("DELETE FROM sessions WHERE user_id = $reply->{json}{id}");
	return;
}

# NUMBER of failures with that name, each from a network of its own.
sub others_fail
{
	my ($name, $number) = @_;
	$stack->psql("INSERT INTO attempts SELECT attempt_account('$name'), '198.51.100.' || n, 1, now(), now() FROM generate_series(1, $number) n
		ON CONFLICT (account, network) DO UPDATE SET failures = attempts.failures + 1, last_at = now()");
	return;
}

sub audited { my ($query) = @_; return @{ $stack->get("/api/audit?$query", as => 'admin')->{json}{items} } }

subtest 'each failure doubles the wait, up to a minute' => sub {
	for my $name ('eva', 'nobody') {
		person($name) if $name eq 'eva';
		for my $wait (1, 2, 4, 8, 16, 32, 60, 60) {
			is sign_in($name, 'wrong')->{status}, 401, "$name: a wrong password is told" ;
			my $reply = sign_in($name, $wait == 8 ? $good : 'wrong');
			problem_ok $reply, 429, "$name: the next one must wait";
			is $reply->{json}{code}, 'too_many_attempts', 'for that reason';
			my $seconds = $reply->{headers}{'retry-after'};
			ok $seconds <= $wait && $seconds >= $wait - 3, "about $wait seconds: $seconds";
			let_time_pass();
		}
	}
	is sign_in('eva', $good)->{status}, 200, 'then a right password is taken';
	is $stack->psql("SELECT count(*) FROM attempts WHERE account = attempt_account('eva')"), 0, 'and what was is forgiven';
};

subtest 'it is one name, however it is written' => sub {
	person('zoé');
	is sign_in('zoé', 'wrong')->{status}, 401, 'as it is';
	problem_ok sign_in($_, 'wrong'), 429, 'in another way' for 'ZOÉ', "zoe\x{301}", "ZOE\x{301}";
};

subtest 'many at once are one try' => sub {
	person('carla');
	my @replies = $stack->at_once(map { [ POST => '/api/login', as => undef, json => { username => 'carla', password => "wrong $_" } ] } 1 .. 12);
	is scalar(grep { $_->{status} == 401 } @replies), 1, 'one was checked';
	is scalar(grep { $_->{status} == 429 } @replies), 11, 'the others must wait';
};

subtest 'nobody is locked out by others' => sub {
	person('diego');
	is sign_in('diego', 'wrong', '127.0.0.9')->{status}, 401, 'somebody guesses';
	is sign_in('diego', $good)->{status}, 200, 'a few failures elsewhere keep nobody waiting';
	$stack->psql(q{DELETE FROM sessions WHERE user_id = (SELECT id FROM users WHERE username = 'diego')});
	others_fail('diego', 200) for 1 .. 3;
	my $reply = sign_in('diego', $good);
	problem_ok $reply, 429, 'many do';
	my $wait = $reply->{headers}{'retry-after'};
	cmp_ok $wait, '<=', 60, 'for a minute at most';
	others_fail('diego', 200);
	cmp_ok sign_in('diego', $good)->{headers}{'retry-after'}, '<=', $wait, 'which no further failures make longer';
	let_time_pass();
	others_fail('diego', 200);
	is sign_in('diego', $good)->{status}, 200, 'and then they are in, whatever goes on elsewhere';
};

subtest 'where one has signed in already nobody waits' => sub {
	person('elisa');
	is sign_in('elisa', $good)->{status}, 200, 'from here';
	others_fail('elisa', 200);
	is sign_in('elisa', 'wrong')->{status}, 401, 'a wrong password' for 1 .. 5;
	is sign_in('elisa', $good)->{status}, 200, 'and at once the right one';
	problem_ok sign_in('elisa', $good, '127.0.0.9'), 429, 'from elsewhere one waits';
	$stack->psql(q{UPDATE attempts SET failures = 50, next_at = now() WHERE account = attempt_account('elisa') AND network = '127.0.0.1'; INSERT INTO attempts VALUES (attempt_account('elisa'), '127.0.0.1', 50, now(), now()) ON CONFLICT DO NOTHING});
	is sign_in('elisa', 'wrong')->{status}, 401, 'fifty are too many even there';
	problem_ok sign_in('elisa', 'wrong'), 429, 'from then on one waits';
};

subtest 'a browser left open is no place to guess at the password' => sub {
	person('fabio');
	my $in = sign_in('fabio', $good);
	my ($cookie) = $in->{headers}{'set-cookie'} =~ /^([^;]+)/;
	$stack->psql(q{INSERT INTO attempts VALUES (attempt_account('fabio'), '127.0.0.1', 60, now(), now())});
	my @statuses = map { $stack->post('/api/me/password', as => undef, headers => { cookie => $cookie },
		json => { old => 'wrong', new => 'staple in a haystack' })->{status} } 1, 2;
	is_deeply \@statuses, [ 422, 429 ], 'wrong old passwords count, too';
};

subtest 'all of it is on record' => sub {
	my @failed = audited('kind=sign_in_failed&actor=eva');
	ok @failed > 1, 'failures';
	is $failed[0]{address}, '127.0.0.1', 'with their address';
	ok scalar(audited('kind=sign_in_delayed&actor=eva')), 'delays';
	ok scalar(audited('kind=sign_in&actor=eva')), 'sign-ins';
	ok scalar(audited('kind=sign_in_failed&actor=nobody')), 'of names that are nobody\'s, too';
};

subtest 'what counts no more is forgotten' => sub {
	$stack->psql(q{UPDATE attempts SET last_at = now() - interval '16 minutes'});
	my ($job) = Ostler::run(Ostler::build() . '/ostler-app', '-c', $stack->var . '/etc/ostler-app.conf', 'enqueue', 'accounts.forget');
	$stack->wait_for(sub { $stack->psql('SELECT count(*) FROM attempts') == 0 }, 'attempts to be forgotten', 30);
	pass 'after a quarter of an hour';
};

is $stack->workers, $workers, 'no worker died';
$stack->stop;
done_testing;
