#!/usr/bin/perl
# sign-in.t - accounts, signing in and out: who is who, what each role may, and what nobody learns.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";
use Digest::SHA qw(sha256_hex);
use MIME::Base64 qw(decode_base64);
use Ostler::App;
use Ostler::Supervisor;
use Test::More;
use Time::HiRes qw(time);

binmode $_, ':encoding(UTF-8)' for map { Test::More->builder->$_ } qw(output failure_output todo_output);

my $stack = Ostler::App->start;
my $workers = $stack->workers;

sub anonymous { my ($method, $path, %wish) = @_; return $stack->request($method, $path, as => undef, %wish) }

# The pair that a browser would send back; undef: it was given none, or told to forget it.
sub cookie_of
{
	my ($reply) = @_;
	my ($pair) = ($reply->{headers}{'set-cookie'} // '') =~ /^([^;]*)/;
	return $pair && $pair !~ /=\z/ ? $pair : undef;
}

sub with { my ($cookie, %wish) = @_; return (as => undef, %wish, headers => { %{ $wish{headers} // {} }, $cookie ? (cookie => $cookie) : () }) }
sub me_at { my ($place, $cookie) = @_; return $place->get('/api/me', with($cookie)) }
sub me { my ($cookie) = @_; return me_at($stack, $cookie) }

my %eva = (username => 'eva', email => 'eva@example.org', password => 'correct horse battery');

subtest 'an account' => sub {
	my $made = anonymous(POST => '/api/register', json => \%eva);
	is $made->{status}, 201, 'is made by whoever wants one';
	is_deeply { map { $_ => "$made->{json}{$_}" } qw(username name email role totp version) },
	    { username => 'eva', name => 'eva', email => 'eva@example.org', role => 'user', totp => '0', version => 1 }, 'who is a user';
	unlike $made->{content}, qr/argon2|password/, 'no password is among the answer';
	is $made->{headers}{location}, '/api/me', 'it is found at';
	is me(cookie_of($made))->{json}{username}, 'eva', 'and signed in';
	like $stack->psql(q{SELECT password_hash FROM users WHERE username = 'eva'}), qr/^\$argon2id\$v=19\$m=64,t=1,p=1\$/, 'the password is stored as Argon2id';
	problem_ok anonymous(POST => '/api/register', json => { %eva, email => 'other@example.org' }), 409, 'a name that is taken', ['/username body'];
	problem_ok anonymous(POST => '/api/register', json => { %eva, username => 'other' }), 409, 'an address that is taken', ['/email body'];
	problem_ok anonymous(POST => '/api/register', json => { %eva, username => 'x', password => 'seven77' }), 422, 'a short password', ['/password body'];
	problem_ok anonymous(POST => '/api/register', json => { %eva, username => 'x', password => 'x' x 129 }), 422, 'a long one', ['/password body'];
	problem_ok anonymous(POST => '/api/register', json => { %eva, username => 'x', password => 'x' x (1 << 20) }), 413, 'one of a megabyte';
	problem_ok anonymous(POST => '/api/register', json => { %eva, username => 'x', role => 'admin' }), 422, 'a role cannot be wished for', ['/role body'];
	is anonymous(POST => '/api/register', json => { username => 'long', email => 'long@example.org', password => 'pässwörd-anders-' x 8 })->{status}, 201, '128 characters are taken, whatever their bytes';
};

subtest 'signing in' => sub {
	my $in = anonymous(POST => '/api/login', json => { username => 'eva', password => $eva{password} });
	is $in->{status}, 200, 'by name and password';
	is $in->{json}{username}, 'eva', 'says who it is';
	my $set = $in->{headers}{'set-cookie'};
	like $set, qr/^sid=[A-Za-z0-9_-]{43}; /, 'an id of 256 bits';
	like $set, qr/; HttpOnly(?:;|\z)/, 'that no script reads';
	like $set, qr/; SameSite=Lax(?:;|\z)/, 'and no other site sends';
	like $set, qr{; Path=/(?:;|\z)}, 'for the whole site';
	is $in->{headers}{'cache-control'}, 'no-store', 'kept by no cache';
	my $cookie = cookie_of($in);
	is_deeply [ map { me($cookie)->{json}{$_} } qw(username email role) ], [ 'eva', 'eva@example.org', 'user' ], 'it says who asks';
	my $id = decode_base64(substr($cookie, 4) =~ tr{-_}{+/}r . '=');
	my $hash = sha256_hex($id);
	is $stack->psql("SELECT count(*) FROM sessions WHERE id_hash = '\\x$hash'"), 1, 'of the id only a hash is stored';
	is $stack->psql("SELECT count(*) FROM sessions WHERE position(id_hash in '\\x" . unpack('H*', $id) . "'::bytea) > 0"), 0, 'and never the id';
	is scalar(grep { /\Q@{[ substr $cookie, 4 ]}\E|correct horse/ } $stack->log_of('web.log')), 0, 'no log has it, or the password';
	my $again = cookie_of(anonymous(POST => '/api/login', with($cookie, json => { username => 'eva', password => $eva{password} })));
	isnt $again, $cookie, 'another sign-in has another id';
	is me($cookie)->{status}, 401, 'and ends the session that asked for it';
	is me($again)->{status}, 200, 'the new one is good';
};

subtest 'who cannot' => sub {
	my %told;
	for my $case ([ eva => 'wrong horse battery' ], [ nobody => $eva{password} ], [ demo => 'has no password' ]) {
		my ($name, $password) = @$case;
		my $reply = anonymous(POST => '/api/login', json => { username => $name, password => $password });
		problem_ok $reply, 401, $name;
		is $reply->{json}{code}, 'bad_credentials', 'with a code';
		is cookie_of($reply), undef, 'and no cookie';
		$told{ $reply->{json}{detail} } = 1;
	}
	is keys %told, 1, 'all are told the same';
	problem_ok anonymous(POST => '/api/login', json => { username => 'eva', password => 'x' x (900_000) }), 422, 'a password of almost a megabyte', ['/password body'];
	problem_ok anonymous(POST => '/api/login', json => { username => 'eva' }), 422, 'no password', ['/password body'];
	my $none = anonymous(GET => '/api/me');
	problem_ok $none, 401, 'nobody asks who they are';
	is $none->{json}{code}, 'not_signed_in', 'with a code';
	is $none->{headers}{'www-authenticate'}, undef, 'and no dialog of the browser';
};

subtest 'whoever signs in next' => sub {
	my @me = map { $stack->get('/api/me', as => $_) } qw(user viewer);
	is $me[0]{headers}{etag}, $me[1]{headers}{etag}, 'two people have the same version';
	is $me[0]{headers}{'cache-control'}, 'no-store', 'so no browser keeps who it was';
	my $next = $stack->get('/api/me', as => 'viewer', headers => { 'if-none-match' => $me[0]{headers}{etag} });
	is "$next->{status} $next->{json}{username}", "200 $me[1]{json}{username}", 'or is told that it is still the same';
};

subtest 'cookies of other forms' => sub {
	my $good = $stack->cookie('user');
	my $value = substr $good, 4;
	my %case = ('a letter less' => "sid=" . substr($value, 1), 'a letter more' => "sid=${value}A", empty => 'sid=', long => 'sid=' . 'A' x 4000,
	    'of other letters' => 'sid=' . '*' x 43, 'of somebody unknown' => 'sid=' . 'A' x 43, 'under another name' => "SID=$value", 'under the name of TLS' => "__Host-sid=$value",
	    'with bits too many' => 'sid=' . substr($value, 0, 42) . '_', 'percent-encoded' => 'sid=%' . $value);
	for my $what (sort keys %case) {
		problem_ok me($case{$what}), 401, $what;
	}
	is me("a=1;$good")->{status}, 200, 'among others';
	is me("a=1; b; =; sid=\"$value\" ; c=2")->{status}, 200, 'in quotes, among nonsense';
	is me("xsid=1; $good; sid=" . 'A' x 43)->{status}, 200, 'the first of two counts';
};

subtest 'signing out' => sub {
	my $cookie = cookie_of(anonymous(POST => '/api/login', json => { username => 'eva', password => $eva{password} }));
	is me($cookie)->{status}, 200, 'signed in';
	my $out = $stack->post('/api/logout', with($cookie));
	is $out->{status}, 204, 'signed out';
	like $out->{headers}{'set-cookie'}, qr/^sid=; .*Max-Age=0/, 'and the browser told to forget';
	is_deeply [ map { me($cookie)->{status} } 1 .. 20 ], [ (401) x 20 ], 'from the next request on, whichever worker it reaches';
	is $stack->post('/api/logout', with($cookie))->{status}, 204, 'once more';
	is $stack->post('/api/logout', as => undef)->{status}, 204, 'or without any session';
};

subtest 'one name, however it is written' => sub {
	my $fits = sub { my ($name) = @_; return anonymous(POST => '/api/login', json => { username => $name, password => 'correct horse battery' })->{status} };
	is anonymous(POST => '/api/register', json => { username => "J\x{FC}rgen Stra\x{DF}e", email => 'j@example.org', password => $eva{password} })->{status}, 201, 'Jürgen Straße';
	is $fits->("J\x{FC}RGEN STRASSE"), 200, 'in capitals';
	is $fits->("ju\x{308}rgen stra\x{DF}e"), 200, 'with a combining mark';
	is $fits->("\x{FF2A}\x{FC}rgen Stra\x{200B}sse"), 200, 'in full width, with a space of no width';
	is $fits->("jurgen strasse"), 401, 'but not without the dots';
	problem_ok anonymous(POST => '/api/register', json => { username => "J\x{DC}RGEN STRASSE", email => 'k@example.org', password => $eva{password} }), 409, 'nobody else can have it', ['/username body'];
	problem_ok anonymous(POST => '/api/register', json => { username => "\x{200B}", email => 'l@example.org', password => $eva{password} }), 422, 'a name that nobody can see';
};

subtest 'a password is hashed anew when its price has risen' => sub {
	my $hash = sub { return $stack->psql(q{SELECT password_hash FROM users WHERE username = 'eva'}) };
	my $cheap = $hash->();
	my $dear = Ostler::App->start(app => { password_memory => '128K', password_passes => 3 });
	$dear->psql("INSERT INTO users (username, name, email, password_hash) VALUES ('eva', 'Eva', 'eva\@example.org', '$cheap')");
	is $dear->post('/api/login', as => undef, json => { username => 'eva', password => $eva{password} })->{status}, 200, 'the old one is good';
	like my $now = $dear->psql(q{SELECT password_hash FROM users WHERE username = 'eva'}), qr/^\$argon2id\$v=19\$m=128,t=3,/, 'the new one is dearer';
	is $dear->post('/api/login', as => undef, json => { username => 'eva', password => $eva{password} })->{status}, 200, 'and good';
	is $dear->psql(q{SELECT password_hash FROM users WHERE username = 'eva'}), $now, 'then it stays';
	$dear->psql(q{UPDATE users SET password_hash = replace(password_hash, 'm=128', 'm=256')});
	$dear->stop;
	$stack->psql("UPDATE users SET password_hash = '$now' WHERE username = 'eva'");
	is anonymous(POST => '/api/login', json => { username => 'eva', password => $eva{password} })->{status}, 200, 'a price that has fallen';
	is $hash->(), $now, 'makes no hash cheaper';
};

# That it cannot be made dearer just now is no reason to let nobody in.
subtest 'no memory for a dearer hash' => sub {
	plan skip_all => 'a sanitizer ends the program itself when it gets no memory' if Ostler::Supervisor::is_sanitized();
	my $cheap = $stack->psql(q{SELECT password_hash FROM users WHERE username = 'eva'});
	my $poor = Ostler::App->start(app => { password_memory => '1G' }, pools => { web => { limits => ['data=512M'] } });
	$poor->psql("INSERT INTO users (username, name, email, password_hash) VALUES ('eva', 'Eva', 'eva\@example.org', '$cheap')");
	my $refused = $poor->post('/api/register', as => undef, json => { %eva, username => 'ida', email => 'ida@example.org' });
	problem_ok $refused, 503, 'no new password can be hashed';
	ok $refused->{headers}{'retry-after'}, 'and one is told to come again';
	my $in = $poor->post('/api/login', as => undef, json => { username => 'eva', password => $eva{password} });
	is $in->{status}, 200, 'who has one signs in';
	is $in->{headers}{'retry-after'}, undef, 'and is not told to come again';
	is me_at($poor, cookie_of($in))->{json}{username}, 'eva', 'the session is good';
	is $poor->psql(q{SELECT password_hash FROM users WHERE username = 'eva'}), $cheap, 'the hash is as it was';
	$poor->stop;
};

subtest 'what each role may' => sub {
	my @table = (
		# method, path, body                             nobody viewer user manager admin
		[ GET => '/ping', undef,                            200, 200, 200, 200, 200 ],
		[ GET => '/api/me', undef,                          401, 200, 200, 200, 200 ],
		[ GET => '/api/tasks', undef,                       401, 200, 200, 200, 200 ],
		[ POST => '/api/tasks', { title => 'x' },           401, 403, 201, 201, 201 ],
		[ DELETE => '/api/tasks/0', undef,                  401, 403, 404, 404, 404 ],
		[ GET => '/users', undef,                           401, 403, 403, 200, 200 ],
		[ GET => '/api/jobs', undef,                        401, 403, 403, 200, 200 ],
		[ POST => '/users', {},                             401, 403, 403, 403, 422 ],
		[ DELETE => '/users/0', undef,                      401, 403, 403, 403, 404 ],
		[ POST => '/api/vendas/reprocessar', {},            401, 403, 403, 422, 422 ],
	);
	my @roles = (undef, qw(viewer user manager admin));
	for my $line (@table) {
		my ($method, $path, $body, @expected) = @$line;
		my @got = map { $stack->request($method, $path, as => $_, $body ? (json => $body) : ())->{status} } @roles;
		is_deeply \@got, \@expected, "$method $path";
	}
	my $refused = $stack->get('/users', as => 'user');
	problem_ok $refused, 403, 'too low a role';
	is $refused->{json}{code}, 'role_too_low', 'with a code';
	like $refused->{json}{detail}, qr/manager.*user/, 'is told which it takes';
	problem_ok $stack->post('/users', as => 'user', content => '{', headers => { 'content-type' => 'application/json' }), 403, 'before anything is said of what was sent';
	problem_ok $stack->get('/users/x?no=%', as => undef), 401, 'or of the path';
};

subtest 'what is mine is nobody else\'s' => sub {
	my $id = $stack->post('/api/tasks', as => 'user', json => { title => 'Mine' })->{json}{id};
	is $stack->get("/api/tasks/$id", as => 'user')->{status}, 200, 'the owner reads it';
	for my $other (qw(admin manager)) {
		problem_ok $stack->request(@$_[ 0, 1 ], as => $other, @$_[ 2 .. $#$_ ]), 404, "$other: $_->[0]"
		    for [ GET => "/api/tasks/$id" ], [ PUT => "/api/tasks/$id", json => { title => 'Yours' } ], [ PATCH => "/api/tasks/$id", json => { title => 'Yours' }, headers => { 'if-match' => '"1"' } ],
		    [ DELETE => "/api/tasks/$id" ], [ POST => "/complete/$id" ], [ POST => "/delete/$id" ];
	}
	is $stack->get("/api/tasks/$id", as => 'user')->{json}{title}, 'Mine', 'it is as it was';
	ok !(grep { $_->{id} == $id } @{ $stack->get('/api/tasks', as => $_)->{json}{items} }), "it is not among those of $_" for qw(admin manager viewer);
	ok +(grep { $_->{id} == $id } @{ $stack->get('/api/tasks', as => 'user')->{json}{items} }), 'it is among the owner\'s';
};

subtest 'another role is another session' => sub {
	my $cookie = cookie_of(anonymous(POST => '/api/login', json => { username => 'eva', password => $eva{password} }));
	my $id = me($cookie)->{json}{id};
	is $stack->get('/users', with($cookie))->{status}, 403, 'eva is a user';
	is $stack->patch("/users/$id", json => { role => 'user' })->{status}, 200, 'the same role';
	is me($cookie)->{status}, 200, 'ends nothing';
	is $stack->patch("/users/$id", json => { role => 'manager' })->{json}{role}, 'manager', 'a higher one';
	is me($cookie)->{status}, 401, 'ends her sessions';
	$cookie = cookie_of(anonymous(POST => '/api/login', json => { username => 'eva', password => $eva{password} }));
	is $stack->get('/users', with($cookie))->{status}, 200, 'the next one may more';
	is $stack->patch("/users/$id", json => { role => 'admin' })->{status}, 200, 'an admin';
	$cookie = cookie_of(anonymous(POST => '/api/login', json => { username => 'eva', password => $eva{password} }));
	my $self = $stack->patch("/users/$id", with($cookie, json => { role => 'viewer' }));
	is $self->{status}, 200, 'gives herself a lower one';
	is me($cookie)->{status}, 401, 'her old id is good for nothing';
	is me(cookie_of($self))->{json}{role}, 'viewer', 'the answer has a new one';
	is $stack->delete("/users/$id")->{status}, 204, 'who is deleted';
	is me(cookie_of($self))->{status}, 401, 'is nobody at once';
};

subtest 'secrets are kept by no Idempotency-Key' => sub {
	my %key = (headers => { 'idempotency-key' => 'one-for-all' });
	my $first = anonymous(POST => '/api/register', json => { %eva, username => 'first', email => 'first@example.org' }, %key);
	is $first->{status}, 201, 'a first';
	problem_ok anonymous(POST => '/api/register', json => { %eva, username => 'first', email => 'first@example.org' }, %key), 409, 'the same again is not answered with the cookie of the first';
	is $stack->psql('SELECT count(*) FROM idempotency'), 0, 'nothing is stored';
};

subtest 'pages of other sites' => sub {
	my $cookie = $stack->cookie('user');
	my $host = '127.0.0.1:' . $stack->port;
	my $ask = sub { my (%headers) = @_; return $stack->post('/api/tasks', with($cookie, json => { title => 'x' }, headers => \%headers)) };
	problem_ok $ask->(origin => 'http://evil.example'), 403, 'a foreign Origin';
	problem_ok $ask->(origin => 'null'), 403, 'an opaque one';
	problem_ok $ask->(origin => 'http://' . $host . '.evil.example'), 403, 'one that begins like ours';
	is $ask->(origin => "http://$host")->{status}, 201, 'our own';
	is $ask->()->{status}, 201, 'none at all, as of curl';
	problem_ok $ask->('sec-fetch-site' => 'cross-site'), 403, 'none, from a browser that says cross-site';
	problem_ok $ask->('sec-fetch-site' => 'same-site'), 403, 'or same-site';
	is $ask->('sec-fetch-site' => 'same-origin')->{status}, 201, 'none, from our own page';
};

is $stack->workers, $workers, 'the workers are those of the beginning';
is_deeply [ grep { ($_->{status} // 0) >= 500 || $_->{broken} } $stack->log_lines ], [], 'and nothing was answered with a 5xx';
$stack->stop;
done_testing;
