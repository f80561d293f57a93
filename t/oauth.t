#!/usr/bin/perl
# oauth.t - programs: who may have tokens, how they get and refresh them, what a token opens, and all that opens nothing.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use MIME::Base64 qw(encode_base64);
use Ostler::App;
use Ostler::FastCgi;
use Ostler::Token;
use Test::More;

my $stack = Ostler::App->start(app => { audit_window => '10ms' });
my $workers = $stack->workers;

sub basic { my ($client, $secret) = @_; return { authorization => 'Basic ' . encode_base64("$client->{client_id}:" . ($secret // $client->{secret}), '') } }
sub ask_token { my ($form, %wish) = @_; return $stack->post('/oauth/token', form => $form, as => undef, %wish) }
sub grant { my ($client, %more) = @_; return ask_token({ grant_type => 'client_credentials', %more }, headers => basic($client)) }
sub refresh { my ($client, $token, %more) = @_; return ask_token({ grant_type => 'refresh_token', refresh_token => $token, %more }, headers => basic($client)) }
sub bearer { my ($token, $method, $path, %wish) = @_; return $stack->request($method // 'GET', $path // '/api/me', as => undef, %wish, headers => { authorization => "Bearer $token" }) }
sub twice_audited { return audited('token_refused', q{subject = 'Authorization is given twice'}) }
sub audited { my ($kind, $rest) = @_; return $stack->psql("SELECT coalesce(sum(times), 0) FROM audit WHERE kind = '$kind'" . ($rest ? " AND $rest" : '')) }

# An error of RFC 6749, 5.2.
sub error_ok
{
	my ($reply, $status, $error, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is "$reply->{status} " . ($reply->{json}{error} // 'none') . ' ' . ($reply->{headers}{'content-type'} // ''),
	    "$status $error application/json", "$what: $error";
	is $reply->{headers}{'cache-control'}, 'no-store', 'nobody keeps it';
	ok length($reply->{json}{error_description} // ''), 'and it says why';
}

my $user = $stack->psql(q{SELECT id FROM users WHERE username = 'bruno'});
my $made = $stack->post('/api/clients', json => { name => 'export', user_id => $user + 0 });
my $client = $made->{json};

subtest 'a client' => sub {
	is $made->{status}, 201, 'is made by an admin';
	like $client->{secret}, qr/^[A-Za-z0-9_-]{43}\z/, 'and has a secret of 256 bits';
	is $made->{headers}{location}, "/api/clients/$client->{id}", 'it is found at';
	is $made->{headers}{'cache-control'}, 'no-store', 'nobody keeps its secret';
	my $read = $stack->get("/api/clients/$client->{id}");
	is $read->{status}, 200, 'it can be read';
	is_deeply { map { $_ => $read->{json}{$_} . '' } qw(name username role scope refresh) },
	    { name => 'export', username => 'bruno', role => 'user', scope => 'read write', refresh => 1 }, 'with what it may';
	ok !exists $read->{json}{secret}, 'and without the secret';
	is $stack->psql("SELECT count(*) FROM api_clients WHERE encode(secret_hash, 'escape') LIKE '%$client->{secret}%'"), 0, 'of which the database has a digest alone';
	is scalar(@{ $stack->get('/api/clients')->{json}{items} }), 1, 'it is in the list';
	problem_ok $stack->post('/api/clients', json => { name => 'x', user_id => 999_999 }), 422, 'a user who is not there', ['/user_id body'];
	problem_ok $stack->post('/api/clients', json => { name => '', role => 'root', scope => 'all' }), 422, 'what is wrong', [ '/name body', '/role body', '/scope body' ];
	my %key = (headers => { 'Idempotency-Key' => 'once' });
	isnt $stack->post('/api/clients', json => { name => 'y' }, %key)->{json}{secret}, $stack->post('/api/clients', json => { name => 'y' }, %key)->{json}{secret}, 'no Idempotency-Key stores a secret';
	for my $request ([ GET => '' ], [ POST => '' ], [ GET => '/1' ], [ PATCH => '/1' ], [ POST => '/1/secret' ], [ DELETE => '/1' ]) {
		problem_ok $stack->request($request->[0], "/api/clients$request->[1]", as => 'manager', json => {}), 403, "$request->[0] /api/clients$request->[1] is not for managers";
		problem_ok $stack->request($request->[0], "/api/clients$request->[1]", as => undef, json => {}), 401, 'nor for nobody';
	}
	is audited('client_created', "subject = '$client->{client_id}' AND actor = 'demo'"), 1, 'the audit knows who made it';
};

my $got = grant($client);
subtest 'a token by a secret' => sub {
	is $got->{status}, 200, 'is given';
	is $got->{headers}{'cache-control'}, 'no-store', 'to be kept by nobody in between';
	is_deeply [ @{ $got->{json} }{qw(token_type expires_in scope)} ], [ 'Bearer', 900, 'read write' ], 'for 15 minutes';
	my ($header, $claims) = parts_of($got->{json}{access_token});
	is_deeply $header, { alg => 'ES256', typ => 'JWT', kid => signing_key($stack)->{kid} }, 'signed by the newest key';
	is_deeply { map { $_ => $claims->{$_} } qw(iss aud sub client_id username role scope) },
	    { iss => 'ostler', aud => 'ostler-api', sub => $user, client_id => $client->{client_id}, username => 'bruno', role => 'user', scope => 'read write' }, 'it says for whom it acts';
	is $claims->{exp} - $claims->{iat}, 900, 'and how long';
	my $me = bearer($got->{json}{access_token});
	is $me->{json}{username}, 'bruno', 'who has it is that user';
	is bearer($got->{json}{access_token}, POST => '/api/tasks', json => { title => 'by a program' })->{status}, 201, 'and may do what they may';
	problem_ok bearer($got->{json}{access_token}, GET => '/api/clients'), 403, 'and no more';
	is ask_token({ grant_type => 'client_credentials', client_id => $client->{client_id}, client_secret => $client->{secret} })->{status}, 200, 'the secret may stand in the body instead';
	is ask_token({ grant_type => 'client_credentials', resource => 'x', 'odd[]' => 1 }, headers => basic($client))->{status}, 200, 'what we do not know is passed over';
	is audited('token_issued', "subject = '$client->{client_id}' AND actor = 'bruno'"), 3, 'the audit has a line for each';
	my ($line) = grep { ($_->{client} // '') eq $client->{client_id} } $stack->log_lines;
	ok $line, 'and the log says which program asked';
	unlike $stack->log_of('web.log') . $stack->log_of('access.log') . $stack->log_of('database.log'), qr/\Q$client->{secret}\E|\Q$got->{json}{access_token}\E|\Q$got->{json}{refresh_token}\E/, 'no log has a secret or a token';
};

subtest 'what is no right request' => sub {
	my $refused = audited('request_refused') + audited('token_refused');
	error_ok ask_token({ grant_type => 'client_credentials' }, headers => basic($client, 'x' x 43)), 401, 'invalid_client', 'a wrong secret';
	like ask_token({ grant_type => 'client_credentials' })->{headers}{'www-authenticate'}, qr/^Basic realm="/, 'a 401 says how';
	error_ok ask_token({ grant_type => 'client_credentials' }), 401, 'invalid_client', 'nobody';
	error_ok ask_token({ grant_type => 'client_credentials' }, headers => basic({ client_id => $_, secret => 'x' })), 401, 'invalid_client', "a client called $_"
	    for '00000000-0000-0000-0000-000000000000', 'x', q{' OR 1=1}, '';
	error_ok ask_token({ grant_type => 'client_credentials' }, headers => { authorization => $_ }), 401, 'invalid_client', "Authorization: $_"
	    for 'Basic', 'Basic ', 'Basic %%%', 'Basic eA==', 'Basic AAAA', "Bearer $got->{json}{access_token}", 'Digest x';
	error_ok ask_token({ grant_type => 'client_credentials', client_secret => $client->{secret} }, headers => basic($client)), 400, 'invalid_request', 'a secret in two places';
	error_ok ask_token({ grant_type => 'client_credentials', client_id => 'other' }, headers => basic($client)), 400, 'invalid_request', 'two names';
	error_ok ask_token({ scope => 'read' }, headers => basic($client)), 400, 'invalid_request', 'no grant_type';
	error_ok ask_token({ grant_type => $_ }, headers => basic($client)), 400, 'unsupported_grant_type', $_ for qw(password authorization_code x);
	error_ok ask_token({ grant_type => 'refresh_token' }, headers => basic($client)), 400, 'invalid_request', 'no refresh token';
	error_ok grant($client, scope => $_), 400, 'invalid_scope', "the scope \"$_\"" for 'admin', 'read admin', ' ', 'READ', 'read,write';
	my %twice = (headers => { %{ basic($client) }, 'content-type' => 'application/x-www-form-urlencoded' }, as => undef);
	error_ok $stack->post('/oauth/token', content => 'grant_type=client_credentials&grant_type=client_credentials', %twice), 400, 'invalid_request', 'a value twice';
	error_ok $stack->post('/oauth/token', json => { grant_type => 'client_credentials' }, as => undef), 400, 'invalid_request', 'JSON';
	error_ok $stack->post('/oauth/token', content => 'grant_type=%', %twice), 400, 'invalid_request', 'a broken escape';
	error_ok $stack->post('/oauth/token', content => 'x' x (2 << 20), %twice), 413, 'invalid_request', 'two megabytes';
	cmp_ok audited('request_refused') + audited('token_refused'), '>', $refused, 'refusals are in the audit';
};

subtest 'a scope' => sub {
	my $reader = grant($client, scope => 'read');
	is $reader->{json}{scope}, 'read', 'can be less than the client may';
	is bearer($reader->{json}{access_token}, GET => '/api/tasks')->{status}, 200, 'read is for reading';
	my $refused = bearer($reader->{json}{access_token}, POST => '/api/tasks', json => { title => 'x' });
	problem_ok $refused, 403, 'and not for changes';
	is $refused->{json}{code}, 'insufficient_scope', 'as its code says';
	like $refused->{headers}{'www-authenticate'}, qr/^Bearer realm="ostler", error="insufficient_scope", error_description="[^"]*write"/, 'and the challenge (RFC 6750, 3.1)';
	my $writer = grant($client, scope => 'write')->{json}{access_token};
	problem_ok bearer($writer), 403, 'write is not for reading';
	is bearer($writer, POST => '/api/tasks', json => { title => 'y' })->{status}, 201, 'but for changes';
	my $again = refresh($client, $reader->{json}{refresh_token});
	is $again->{json}{scope}, 'read', 'what is refreshed has the scope that it had';
	error_ok refresh($client, $again->{json}{refresh_token}, scope => 'write'), 400, 'invalid_scope', 'and never more';
	is refresh($client, $again->{json}{refresh_token})->{status}, 200, 'for which no token is used up';
};

subtest 'refreshing' => sub {
	my $first = grant($client)->{json}{refresh_token};
	my $next = refresh($client, $first);
	is $next->{status}, 200, 'a refresh token gives an access token';
	is bearer($next->{json}{access_token})->{status}, 200, 'that is taken';
	isnt $next->{json}{refresh_token}, $first, 'and another refresh token';
	my $third = refresh($client, $next->{json}{refresh_token});
	is $third->{status}, 200, 'which goes on';
	my $reused = audited('token_reused');
	error_ok refresh($client, $first), 400, 'invalid_grant', 'the first one again';
	is audited('token_reused'), $reused + 1, 'is in the audit';
	error_ok refresh($client, $third->{json}{refresh_token}), 400, 'invalid_grant', 'and ends all that have followed from it';
	is grant($client)->{status}, 200, 'the secret begins anew';

	my $one = grant($client)->{json}{refresh_token};
	my @replies = $stack->at_once(map { [ POST => '/oauth/token', form => { grant_type => 'refresh_token', refresh_token => $one }, headers => basic($client), as => undef ] } 1 .. 6);
	is scalar(grep { $_->{status} == 200 } @replies), 1, 'of six at once one gets a token';
	my ($winner) = grep { $_->{status} == 200 } @replies;
	error_ok refresh($client, $winner->{json}{refresh_token}), 400, 'invalid_grant', 'which is of no use any more';

	my $other = $stack->post('/api/clients', json => { name => 'other' })->{json};
	my $ours = grant($client)->{json}{refresh_token};
	error_ok refresh($other, $ours), 400, 'invalid_grant', 'a token of another client';
	is refresh($client, $ours)->{status}, 200, 'is not used up by that';
	error_ok refresh($client, $_), 400, 'invalid_grant', "the token \"$_\"" for 'x', 'x' x 43, $client->{secret};
	is $stack->psql("SELECT count(*) FROM refresh_tokens WHERE encode(token_hash, 'escape') LIKE '%$first%'"), 0, 'the database has digests alone';

	$ours = grant($client)->{json}{refresh_token};
	$stack->psql('UPDATE token_families SET expires_at = now()');
	error_ok refresh($client, $ours), 400, 'invalid_grant', 'a family that is too old';
};

subtest 'a client that changes' => sub {
	my $changing = $stack->post('/api/clients', json => { name => 'changing', role => 'admin' })->{json};
	my $token = grant($changing)->{json};
	is bearer($token->{access_token}, GET => '/api/clients')->{status}, 200, 'an admin\'s client of the role admin is an admin';
	is $stack->patch("/api/clients/$changing->{id}", json => { role => 'viewer', scope => 'read' })->{json}{version}, 2, 'it is made less';
	my $less = refresh($changing, $token->{refresh_token});
	is_deeply [ (parts_of($less->{json}{access_token}))[1]->{role}, $less->{json}{scope} ], [qw(viewer read)], 'the next token is less';
	problem_ok $stack->patch("/api/clients/$changing->{id}", json => { name => 'z' }, headers => { 'if-match' => '"1"' }), 412, 'an overtaken change';
	is $stack->patch("/api/clients/$changing->{id}", json => { refresh => JSON::PP::false() })->{status}, 200, 'it gets no more refresh tokens';
	error_ok refresh($changing, $less->{json}{refresh_token}), 400, 'unauthorized_client', 'the one that it had';
	is grant($changing)->{json}{refresh_token}, undef, 'there is no other';

	my $renewing = $stack->post('/api/clients', json => { name => 'renewing' })->{json};
	my $had = grant($renewing)->{json}{refresh_token};
	my $renewed = $stack->post("/api/clients/$renewing->{id}/secret");
	is $renewed->{status}, 200, 'a new secret';
	error_ok grant($renewing), 401, 'invalid_client', 'the old one';
	error_ok refresh($renewed->{json}, $had), 400, 'invalid_grant', 'a refresh token from before';
	is grant($renewed->{json})->{status}, 200, 'the new one is taken';

	is $stack->delete("/api/clients/$renewing->{id}")->{status}, 204, 'a client that is deleted';
	error_ok grant($renewed->{json}), 401, 'invalid_client', 'gets nothing';
	problem_ok $stack->get("/api/clients/$renewing->{id}"), 404, 'it is not there';
	my $rest = "subject = '$renewing->{client_id}'";
	is_deeply [ audited('client_changed', $rest), audited('client_deleted', $rest) ], [ 1, 1 ], 'the audit knows';
};

# A client for an admin, of the least role: with the address of the account it could have its password sent there, and be an admin.
subtest 'a program is not the person that it acts for' => sub {
	my $least = $stack->post('/api/clients', json => { name => 'least', role => 'viewer' })->{json};
	my $token = grant($least)->{json}{access_token};
	my $me = bearer($token)->{json};
	is_deeply [ @$me{qw(username role)} ], [qw(demo admin)], 'it acts for an admin';
	my $refused = audited('token_refused', q{subject = 'This takes a session'});
	my @asked = ([ PATCH => '/api/me', { email => 'mine@example.org' } ], [ PATCH => '/api/me', { no => 1 } ], [ POST => '/api/me/password', { old => 'x', new => 'staple in a haystack' } ],
		[ DELETE => '/api/me/sessions' ], [ DELETE => '/api/me/sessions/' . 'A' x 43 ], (map { [ POST => "/api/me/totp$_", { password => 'x', code => '123456' } ] } '', qw(/confirm /recovery-codes /disable)));
	for my $request (@asked) {
		my ($method, $path, $json) = @$request;
		my $reply = bearer($token, $method, $path, $json ? (json => $json) : ());
		problem_ok $reply, 403, "$method $path";
		is $reply->{json}{code}, 'session_needed', 'takes a session';
		like $reply->{headers}{'www-authenticate'}, qr/^Bearer realm="ostler", error="insufficient_scope"/, 'says the challenge';
	}
	# Those that came within moments of each other are counted, and written behind a later request.
	$stack->wait_for(sub { $stack->get('/ping'); audited('token_refused', q{subject = 'This takes a session'}) == $refused + @asked }, 'each to be in the audit', 30);
	is_deeply bearer($token)->{json}, $me, 'the account is as it was';
	is $stack->get('/api/me')->{status}, 200, 'and its sessions have not ended';
};

subtest 'what is no token' => sub {
	my $key = signing_key($stack);
	my $now = time;
	my %head = (alg => 'ES256', typ => 'JWT', kid => $key->{kid});
	my %claims = (iss => 'ostler', aud => 'ostler-api', sub => "$user", client_id => 'c', username => 'bruno', role => 'admin', scope => 'read write', jti => 'j', iat => $now, nbf => $now, exp => $now + 600);
	my $signed = sub { my (%more) = @_; return token(header => { %head, %{ $more{header} // {} } }, claims => { %claims, %{ $more{claims} // {} } }, es256 => $key->{pem}) };
	is bearer($signed->())->{json}{username}, 'bruno', 'this test signs as the application does';

	my ($head64, $claims64, $signature64) = split /\./, $signed->();
	my $public = public_pem($key);
	my %refused = (
		'alg none' => token(header => { %head, alg => 'none' }, claims => \%claims),
		'alg none with the signature of another' => token(header => { %head, alg => 'none' }, claims => \%claims) . $signature64,
		'HS256 with the public key' => token(header => { %head, alg => 'HS256' }, claims => \%claims, hs256 => $public),
		'HS256 with the public key of the JWKS' => token(header => { %head, alg => 'HS256' }, claims => \%claims, hs256 => $public =~ s/\n\z//r),
		'HS384' => token(header => { %head, alg => 'HS384' }, claims => \%claims, hs256 => $public),
		'an unknown kid' => $signed->(header => { kid => 'x' x 43 }),
		'no kid' => token(header => { alg => 'ES256', typ => 'JWT' }, claims => \%claims, es256 => $key->{pem}),
		(map { ("the kid $_" => $signed->(header => { kid => $_ })) } "../keys/$key->{kid}", '/etc/passwd', '../../../dev/zero', "$key->{kid}\0", 'seal.key', ''),
		'something critical' => $signed->(header => { crit => ['exp'] }),
		'expired' => $signed->(claims => { iat => $now - 1000, nbf => $now - 1000, exp => $now - 1 }),
		'not valid yet' => $signed->(claims => { nbf => $now + 300 }),
		'made in the future' => $signed->(claims => { iat => $now + 300 }),
		'another audience' => $signed->(claims => { aud => 'other' }),
		'a list of audiences' => $signed->(claims => { aud => ['ostler-api'] }),
		'another issuer' => $signed->(claims => { iss => 'other' }),
		'no user' => $signed->(claims => { sub => 'bruno' }),
		'a user below 1' => $signed->(claims => { sub => '-1' }),
		'a role that is none' => $signed->(claims => { role => 'root' }),
		'a number for a text' => $signed->(claims => { role => 1 }),
		'a cut signature' => "$head64.$claims64." . substr($signature64, 0, 40),
		'no signature' => "$head64.$claims64.",
		'two parts' => "$head64.$claims64",
		'four parts' => "$head64.$claims64.$signature64.$signature64",
		'the claims of another' => join('.', $head64, (split /\./, $signed->(claims => { sub => '1' }))[1], $signature64),
		'nothing' => '', 'a word' => 'x', 'dots' => '..', 'base64 of another alphabet' => "$head64.$claims64." . ($signature64 =~ tr{-_A}{+/B}r . '='),
		'4 KB and more' => $signed->(claims => { jti => 'x' x 5000 }),
		'a refresh token' => grant($client)->{json}{refresh_token});
	for my $what (sort keys %refused) {
		my $reply = bearer($refused{$what});
		problem_ok $reply, 401, $what;
		is $reply->{json}{code}, 'invalid_token', 'code invalid_token';
		like $reply->{headers}{'www-authenticate'}, qr/^Bearer realm="ostler", error="invalid_token", error_description="[^"]+"\z/, 'and a challenge';
	}
	is_deeply [ sort split /\n/, $stack->psql(q{SELECT DISTINCT subject FROM audit WHERE kind = 'token_refused' AND subject LIKE 'The token%'}) ], [ sort
		'The token has expired', 'The token is for another audience', 'The token is from another issuer', 'The token is no JWT', 'The token is not signed by ES256',
		'The token is not valid yet', 'The token lacks a claim', 'The token names a key that is not in use', q{The token's header says that something is critical}, q{The token's signature is wrong} ],
	    'the audit says why each was refused';

	my $good = $signed->();
	my %twice_of = (given => "Authorization: Bearer $good\r\n" x 2, 'of two kinds' => "Authorization: Basic eDp5\r\nAuthorization: Bearer $good\r\n", 'before the name of the host' => "authorization: x\r\nAUTHORIZATION: y\r\nHost: localhost\r\n");
	for my $what (sort keys %twice_of) {
		for my $line ('GET /api/tasks', 'DELETE /api/tasks/1', 'POST /api/login', 'POST /oauth/token', 'GET /nothing/here', 'GET /style.css') {
			my $before = twice_audited();
			my $host = $twice_of{$what} =~ /Host/ ? '' : "Host: localhost\r\n";
			my $twice = $stack->raw("$line HTTP/1.1\r\n$host$twice_of{$what}Connection: close\r\nContent-Length: 2\r\n\r\n{}");
			like $twice, qr{^HTTP/1.1 400 .*application/problem\+json.*"code":"invalid_request"}s, "two Authorization headers $what: $line";
			like $twice, qr{^WWW-Authenticate: Bearer realm="ostler", error="invalid_request"}m, 'with a challenge';
			unlike $twice, qr{\r\n\r\n.*HTTP/1}s, 'and one answer';
			$stack->wait_for(sub { $stack->get('/ping'); twice_audited() == $before + 1 }, 'it to be in the audit', 30);
		}
	}
	my $count = twice_audited();
	like $stack->raw("GET /api/tasks HTTP/1.1\r\nAuthorization: Bearer $good\r\nHost: localhost\r\nHost: localhost\r\nConnection: close\r\n\r\n"), qr{^HTTP/1.1 400 .*application/problem\+json.*well-formed}s, 'of what is no HTTP for another reason nothing is on record';
	is twice_audited(), $count, 'nor done';
	like $stack->raw("POST /api/tasks HTTP/1.1\r\nAuthorization: Bearer $good\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nthese are no chunks\r\n"), qr{^HTTP/1.1 400 .*application/problem\+json.*well-formed}s, 'nor of a body that ends in nonsense';
	is $stack->psql(q{SELECT count(*) FROM tasks WHERE id = 1}), 1, 'nor of any other';
	for my $pair ([ ("Bearer $good") x 2 ], [ 'Basic eDp5', "Bearer $good" ], [ "Bearer $good", 'Basic eDp5' ]) {
		my $answer = Ostler::FastCgi->new('unix:' . $stack->var . '/sock/web.sock')->ask('GET', '/api/tasks', '', HTTP_AUTHORIZATION => $pair);
		is $answer->{status}, 400, 'and by the application, whoever hands them on: ' . join ', ', map { /^(\w+)/ } @$pair;
		like $answer->{headers}{'www-authenticate'}, qr/^Bearer realm="ostler", error="invalid_request"/, 'with a challenge';
	}
	cmp_ok audited('token_refused', q{subject = 'Authorization is given twice'}), '>=', 1, 'which is in the audit';
	is bearer($good, GET => '/ping')->{status}, 200, 'where nobody is asked who they are, a token does not matter';
	is bearer('x', GET => '/ping')->{status}, 200, 'right or wrong';
	my $both = $stack->get('/api/me', headers => { authorization => 'Bearer x', cookie => $stack->cookie('user') });
	is $both->{status}, 401, 'a wrong token beside a right cookie is wrong';
	is $stack->get('/api/me', headers => { authorization => 'Basic eDp5', cookie => $stack->cookie('user') })->{status}, 200, 'what is no bearer token does not count';
	is $stack->request(POST => '/api/tasks', as => undef, json => { title => 'z' }, headers => { authorization => "Bearer $good", origin => 'http://elsewhere.example' })->{status}, 201, 'no browser sends a token by itself: any page may';
};

subtest 'keys that come and go' => sub {
	my $token = grant($client)->{json}{access_token};
	my $old = signing_key($stack)->{kid};
	my @keys = (Ostler::build() . '/ostler-app', '-c', $stack->var . '/etc/ostler-app.conf', 'keys');
	Ostler::run(@keys, 'rotate');
	is bearer($token)->{status}, 200, 'a token of the old key is taken' for 1 .. 4;
	my $next = grant($client)->{json}{access_token};
	isnt +(parts_of($next))[0]->{kid}, $old, 'the new key signs';
	is bearer($next)->{status}, 200, 'and is taken by each process' for 1 .. 6;
	Ostler::run(@keys, 'drop', $old);
	is bearer($token)->{status}, 401, 'what a dropped key has signed is refused at once, by each' for 1 .. 6;
	is bearer($next)->{status}, 200, 'the rest is not';
};

subtest 'families that are over' => sub {
	my $ours = grant($client)->{json}{refresh_token};
	$stack->psql(q{UPDATE token_families SET expires_at = now() - interval '1 hour' WHERE revoked_at IS NOT NULL;
		UPDATE token_families SET expires_at = now() - interval '25 hours' WHERE id IN (SELECT id FROM token_families WHERE revoked_at IS NOT NULL LIMIT 2)});
	my $there = $stack->psql('SELECT count(*) FROM token_families');
	Ostler::run(Ostler::build() . '/ostler-app', '-c', $stack->var . '/etc/ostler-app.conf', 'enqueue', 'tokens.sweep');
	$stack->wait_for(sub { $stack->psql('SELECT count(*) FROM token_families') == $there - 2 }, 'those of the day before yesterday to go', 30);
	is refresh($client, $ours)->{status}, 200, 'and no other';
};

subtest 'no request of a token asks a database who it is' => sub {
	my $token = grant($client)->{json}{access_token};
	is bearer($token, POST => '/api/clients', json => {})->{status}, 403, 'a refusal';
	my ($line) = grep { ($_->{route} // '') eq '/api/clients' && $_->{status} == 403 } reverse $stack->log_lines;
	is $line->{db_ms}, 0, 'for its role costs no statement';
};

is $stack->workers, $workers, 'no worker died of any of it';
$stack->stop;
done_testing;
