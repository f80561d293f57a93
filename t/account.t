#!/usr/bin/perl
# account.t - one's own account and sessions: seen, changed and ended by their owner alone, under TLS and without.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use Ostler::App;
use Ostler::FastCgi;
use Test::More;

my $stack = Ostler::App->start;
my $workers = $stack->workers;
my $password = 'correct horse battery';
my $people = 0;

sub anonymous { my ($method, $path, %wish) = @_; return $stack->request($method, $path, as => undef, %wish) }
sub cookie_of { my ($reply) = @_; return ($reply->{headers}{'set-cookie'} // '') =~ /^((?:__Host-)?sid=[^;]+)/ ? $1 : undef }
sub with { my ($cookie, %wish) = @_; return (as => undef, %wish, headers => { %{ $wish{headers} // {} }, cookie => $cookie }) }
sub me { my ($cookie) = @_; return $stack->get('/api/me', with($cookie)) }

# Somebody new; their name and the cookie of their first session.
sub newcomer
{
	my $name = 'person' . ++$people;
	my $made = anonymous(POST => '/api/register', json => { username => $name, email => "$name\@example.org", password => $password });
	die "nobody new: $made->{content}" if $made->{status} != 201;
	return ($name, cookie_of($made));
}

sub sign_in
{
	my ($name, %headers) = @_;
	return cookie_of(anonymous(POST => '/api/login', json => { username => $name, password => $password }, headers => \%headers));
}

subtest 'my account' => sub {
	my ($name, $cookie) = newcomer();
	my $me = me($cookie);
	is_deeply [ sort keys %{ $me->{json} } ], [ sort qw(id username name email role totp version) ], 'what it has';
	is $me->{headers}{etag}, '"1"', 'and its version';
	my $id = $me->{json}{id};
	is $stack->get("/users/$id")->{json}{name}, $name, 'as managers see it';
	my $changed = $stack->patch('/api/me', with($cookie, json => { name => 'Somebody Else' }, headers => { 'if-match' => '"1"' }));
	is $changed->{status}, 200, 'its owner changes it';
	is $changed->{json}{name}, 'Somebody Else', 'in part';
	is $changed->{headers}{etag}, '"2"', 'which is another version';
	is $stack->get("/users/$id")->{json}{name}, 'Somebody Else', 'managers see that at once';
	problem_ok $stack->patch('/api/me', with($cookie, json => { name => 'Too Late' }, headers => { 'if-match' => '"1"' })), 412, 'a change of what has changed';
	is me($cookie)->{json}{name}, 'Somebody Else', 'is not made';
	is $stack->patch('/api/me', with($cookie, json => {}))->{headers}{etag}, '"2"', 'a change of nothing is none';
	problem_ok $stack->patch('/api/me', with($cookie, json => { role => 'admin' })), 422, 'nobody gives themselves a role', ['/role body'];
	problem_ok $stack->patch('/api/me', with($cookie, json => { username => 'DEMO' })), 409, 'or the name of another', ['/username body'];
	problem_ok $stack->patch('/api/me', with($cookie, json => { email => 'demo@example.org' })), 409, 'or their address', ['/email body'];
	problem_ok $stack->patch('/api/me', as => undef, json => { name => 'x' }), 401, 'nobody changes nobody';
	is $stack->patch('/api/me', with($cookie, json => { username => "$name-new" }))->{status}, 200, 'another user name';
	is_deeply [ map { me($cookie)->{json}{username} } 1 .. 4 ], [ ("$name-new") x 4 ], 'ends no session';
	ok !sign_in($name), 'the old one signs nobody in';
	ok sign_in("$name-new"), 'the new one does';
};

sub sessions { my ($cookie) = @_; return @{ $stack->get('/api/me/sessions', with($cookie))->{json}{items} } }

subtest 'my sessions' => sub {
	my ($name, $first) = newcomer();
	my (undef, $stranger) = newcomer();
	my $second = sign_in($name, 'user-agent' => "Mozilla/5.0 <b>tea</b>", 'x-forwarded-for' => '192.0.2.7');
	my @mine = sessions($second);
	is scalar(@mine), 2, 'both are listed';
	is_deeply [ map { $_->{current} ? 1 : 0 } @mine ], [ 1, 0 ], 'newest first, and which one asks';
	is_deeply [ @{ $mine[0] }{qw(address agent)} ], [ '192.0.2.7', 'Mozilla/5.0 <b>tea</b>' ], 'where it is';
	like $mine[0]{$_}, qr/^\d{4}-\d\d-\d\dT[\d:.]+Z$/, "$_ is a time" for qw(created_at seen_at expires_at);
	isnt "sid=$mine[0]{id}", $second, 'an id is not what the cookie holds';
	is me("sid=$mine[0]{id}")->{status}, 401, 'and nobody can sign in with it';
	problem_ok $stack->delete("/api/me/sessions/$mine[1]{id}", with($stranger)), 404, 'a stranger ends none of them';
	is me($first)->{status}, 200, 'it goes on';
	is $stack->delete("/api/me/sessions/$mine[1]{id}", with($second))->{status}, 204, 'the owner ends one';
	is_deeply [ map { me($first)->{status} } 1 .. 6 ], [ (401) x 6 ], 'which is over at once, everywhere';
	is me($second)->{status}, 200, 'the other is not';
	problem_ok $stack->delete("/api/me/sessions/$mine[1]{id}", with($second)), 404, 'once more';
	problem_ok $stack->delete("/api/me/sessions/$_", with($second)), 404, "the id $_" for 'x', 'A' x 44, '*' x 43, 'A' x 43;
	is $stack->delete("/api/me/sessions/$mine[0]{id}", with($second))->{status}, 204, 'also the one that asks';
	is me($second)->{status}, 401, 'and is out';
};

subtest 'everywhere at once' => sub {
	my ($name, @cookies) = newcomer();
	my (undef, $stranger) = newcomer();
	push @cookies, map { sign_in($name) } 1 .. 4;
	is_deeply [ map { me($_)->{status} } @cookies ], [ (200) x 5 ], 'five sessions';
	my $out = $stack->delete('/api/me/sessions', with($cookies[2]));
	is $out->{status}, 204, 'are ended by one of them';
	like $out->{headers}{'set-cookie'}, qr/^sid=; .*Max-Age=0/, 'which the browser forgets';
	is_deeply [ map { my $cookie = $_; map { me($cookie)->{status} } 1 .. 3 } @cookies ], [ (401) x 15 ], 'all of them';
	is me($stranger)->{status}, 200, 'and nobody else\'s';
};

subtest 'no more than a hundred' => sub {
	my ($name, $first) = newcomer();
	is me($first)->{status}, 200, 'the first session';
	$stack->psql("INSERT INTO sessions (id_hash, user_id, expires_at) SELECT sha256(n::text::bytea), id, now() + interval '1 day' FROM users, generate_series(1, 99) AS n WHERE username = '$name'");
	my $last = sign_in($name);
	is me($first)->{status}, 401, 'ends with the hundred and first';
	is scalar(sessions($last)), 100, 'the others are there';
};

subtest 'what is over is swept away' => sub {
	my ($name, $cookie) = newcomer();
	$stack->psql("INSERT INTO sessions (id_hash, user_id, expires_at, seen_at) SELECT sha256(('swept ' || n)::bytea), id, now() + n * interval '1 hour', now() - 190 * interval '1 hour' * abs(n % 2) FROM users, generate_series(-4, 4) AS n WHERE username = '$name'");
	my $conf = $stack->var . '/etc/ostler-app.conf';
	my ($job) = Ostler::run('setpriv', $> == 0 ? ('--reuid=ostler', '--regid=ostler', '--clear-groups') : (), Ostler::build() . '/ostler-app', '-c', $conf, 'enqueue', 'accounts.sweep');
	chomp $job;
	$stack->wait_for(sub { $stack->get("/api/task/$job")->{json}{status} eq 'completed' }, 'the sweep', 60);
	is $stack->psql("SELECT count(*) FROM sessions JOIN users ON users.id = user_id WHERE username = '$name'"), 3, 'three of ten are neither too old nor unused for too long';
	is me($cookie)->{status}, 200, 'this one among them';
	my ($said) = Ostler::run(Ostler::build() . '/ostler-app', 'routes', '--access');
	like $said, qr{^DELETE \s+ /api/me/sessions \s+ - \s+ yes \s+ yes \s+ yes \s+ yes$}mx, 'the table of permissions says who may';
	like $said, qr{^POST \s+ /users \s+ - \s+ - \s+ - \s+ - \s+ yes$}mx, 'and who may not';
};

subtest 'under TLS' => sub {
	my ($name) = newcomer();
	my %tls = (HTTPS => 'on', HTTP_HOST => 'ostler.example', CONTENT_TYPE => 'application/json');
	my $ask = sub {
		my ($method, $path, $cookie, $body, %more) = @_;
		return Ostler::FastCgi->new('unix:' . $stack->var . '/sock/web.sock')->ask($method, $path, $body // '', %tls, defined $cookie ? (HTTP_COOKIE => $cookie) : (), %more);
	};
	my $in = $ask->('POST', '/api/login', undef, JSON::PP::encode_json({ username => $name, password => $password }), HTTP_USER_AGENT => "caf\xC3\xA9 \xFF\x01!");
	is $stack->psql("SELECT agent FROM sessions JOIN users ON users.id = user_id WHERE username = '$name' ORDER BY sessions.created_at DESC LIMIT 1"), 'caf !', 'of what a browser calls itself the plain letters stay';
	my $set = $in->{headers}{'set-cookie'};
	like $set, qr/^__Host-sid=[A-Za-z0-9_-]{43}; Path=\/; /, 'the cookie is bound to its host';
	like $set, qr/; Secure(?:;|\z)/, 'and sent by TLS alone';
	unlike $set, qr/Domain/i, 'to no other host';
	my ($value) = $set =~ /=([^;]+)/;
	like $ask->('GET', '/api/me', "__Host-sid=$value")->{body}, qr/"$name"/, 'it counts';
	is $ask->('GET', '/api/me', "sid=$value")->{status}, 401, 'one that any host could have set does not';
	is $ask->('POST', '/api/logout', "__Host-sid=$value", '', HTTP_ORIGIN => 'https://evil.example')->{status}, 403, 'a page of another site';
	like $ask->('POST', '/api/logout', "__Host-sid=$value", '', HTTP_ORIGIN => 'https://ostler.example')->{headers}{'set-cookie'}, qr/^__Host-sid=; .*Max-Age=0.*Secure/, 'ours signs out';
	is $ask->('GET', '/api/me', "__Host-sid=$value")->{status}, 401, 'and is out';
};

is $stack->workers, $workers, 'the workers are those of the beginning';
is_deeply [ grep { ($_->{status} // 0) >= 500 || $_->{broken} } $stack->log_lines ], [], 'and nothing was answered with a 5xx';
$stack->stop;
done_testing;
