#!/usr/bin/perl
# nginx.t - the nginx templates, under a stock nginx with a FastCGI program of our own behind it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::IP;
use JSON::PP ();
use Ostler;
use Ostler::Responder;
use Test::More;

my $stack = Ostler->render;
my $var = $stack->var;
my $socket = "$var/sock/web.sock";
my $responder = Ostler::Responder->start($socket);
my $nginx = start_nginx();

sub start_nginx
{
	my $pid = fork // die "cannot fork: $!";
	if ($pid == 0) {
		open STDERR, '>>', "$var/log/nginx.log";
		{ exec 'setpriv', '--pdeathsig', 'TERM', '/usr/sbin/nginx', '-p', "$var/nginx/",
		    '-c', "$var/etc/nginx/nginx.conf" }
		POSIX::_exit(127);
	}
	$stack->wait_for(sub { $stack->get('/')->{status} == 200 }, 'nginx to answer', 20);
	return $pid;
}

sub last_params { return (($responder->log)[-1] // {})->{params} }

# The status, headers and body of a reply to raw bytes.
sub raw
{
	my ($head, $body) = split /\r\n\r\n/, $stack->raw(@_), 2;
	my ($status) = ($head // '') =~ m{^HTTP/1\.[01] (\d+)};
	my %headers;
	push @{ $headers{ lc $1 } }, $2 while ($head // '') =~ /^([^:\r\n]+): *([^\r\n]*)/mg;
	my $json = eval { JSON::PP::decode_json($body) };
	return { status => $status, headers => \%headers, content => $body, json => $json };
}

# A request to another name of the server.
sub asking
{
	my ($host, $line, @headers) = @_;
	return flat(raw(join "\r\n", "$line HTTP/1.1", "Host: $host", "Connection: close", @headers, "", ""));
}

sub raw_request
{
	my ($line, @headers) = @_;
	return raw(join "\r\n", "$line HTTP/1.1", 'Host: localhost', 'Connection: close', @headers, '', '');
}

my @guards = qw(content-security-policy x-content-type-options referrer-policy
    cross-origin-opener-policy cross-origin-resource-policy permissions-policy);

sub guarded_ok
{
	my ($reply, $what) = @_;
	my @bad = grep { ($reply->{headers}{$_} // '') eq '' } @guards;
	is "@bad", '', "$what has every security header";
}

sub problem_ok
{
	my ($reply, $status, $what) = @_;
	my $type = $reply->{headers}{'content-type'};
	$type = $type->[0] if ref $type;
	subtest "$what: $status as problem+json" => sub {
		is $reply->{status}, $status, 'status of the answer';
		is $type, 'application/problem+json', 'media type, with nothing behind it';
		is $reply->{json}{status}, $status, 'status in the body';
		is $reply->{json}{type}, 'about:blank', 'type';
		unlike $reply->{json}{title} // '', qr/^(Error)?$/, 'a title';
		like $reply->{json}{detail}, qr/\.$/, 'a sentence';
		like $reply->{json}{request_id}, qr/^[0-9a-f]{32}$/, 'request id';
		like $reply->{json}{trace_id}, qr/^[0-9a-f]{32}$/, 'trace id';
		unlike $reply->{content}, qr/nginx/i, 'no name of a program';
		guarded_ok($reply, 'it');
	};
}

subtest 'files are served to GET and HEAD, everything else is the application\'s' => sub {
	my $page = $stack->get('/');
	is $page->{status}, 200, 'the page';
	is $page->{headers}{'content-type'}, 'text/html; charset=utf-8', 'is HTML';
	is $page->{headers}{'cache-control'}, 'no-cache', 'is asked for at each visit';
	is $stack->get('/', headers => { 'if-none-match' => $page->{headers}{etag} })->{status}, 304,
	    'and answers 304 when nothing changed';
	guarded_ok($page, 'the page');
	is $page->{headers}{server}, 'nginx', 'no version is told';
	my $style = $stack->get('/style.css');
	is $style->{headers}{'content-type'}, 'text/css; charset=utf-8', 'the stylesheet';
	is $style->{headers}{'cache-control'}, 'public, max-age=600', 'is kept for a while';
	is $stack->request(HEAD => '/style.css')->{status}, 200, 'HEAD of a file';
	is $stack->get('/tasks.js')->{headers}{'content-type'}, 'text/javascript; charset=utf-8', 'the module';
	is $stack->get($_)->{json}{params}{REQUEST_URI}, $_, "$_ is the application's"
	    for qw(/ping /api/tasks /api/tasks/7 /openapi.json /.well-known/x /nothing.css /add?a=b);
};

subtest 'the application hears the listed parameters' => sub {
	my $reply = $stack->get('/api/x?q=a%20b', headers => { Proxy => 'http://evil/', 'X-Anything' => 1,
		Accept => 'text/html', Cookie => 'sid=1', 'If-None-Match' => '"1"', 'User-Agent' => 'me' });
	is_deeply [ sort keys %{ $reply->{json}{params} } ], [ sort qw(REQUEST_METHOD REQUEST_URI REMOTE_ADDR
		HTTP_HOST HTTP_X_REQUEST_ID HTTP_TRACEPARENT HTTP_COOKIE HTTP_IF_NONE_MATCH) ],
	    'of a GET no other header becomes a parameter';
	is $reply->{json}{params}{REQUEST_URI}, '/api/x?q=a%20b', 'the target is raw';
	$reply = $stack->post('/api/x', json => { a => 1 }, headers => {
		'If-Match' => '"2"', Authorization => 'Bearer x', Origin => 'http://o', 'Sec-Fetch-Site' => 'same-origin' });
	my $params = $reply->{json}{params};
	is $params->{HTTP_CONTENT_TYPE}, 'application/json', 'type of the body';
	is $params->{CONTENT_LENGTH}, 7, 'length of the body';
	is $reply->{json}{body}, '{"a":1}', 'the body';
	is $params->{HTTP_IF_MATCH}, '"2"', 'If-Match';
	is $params->{HTTP_AUTHORIZATION}, 'Bearer x', 'Authorization';
	is $params->{HTTP_ORIGIN}, 'http://o', 'Origin';
	is $params->{HTTP_SEC_FETCH_SITE}, 'same-origin', 'Sec-Fetch-Site';
	$params = $stack->post('/api/x.y', json => { a => 1 }, headers => {
		'X-Request-Id' => 'a b', traceparent => 'none', 'Remote-Addr' => '203.0.113.1', 'Request-Method' => 'GET', 'Idempotency-Key' => 'k' })->{json}{params};
	is $params->{HTTP_IDEMPOTENCY_KEY}, 'k', 'Idempotency-Key, where it counts';
	is $params->{REQUEST_URI}, '/api/x.y', 'of a path that ends like a file, too';
	is_deeply [ @{$params}{qw(REMOTE_ADDR REQUEST_METHOD)} ], [ '127.0.0.1', 'POST' ], 'no header takes the place of a parameter';
	like $params->{HTTP_X_REQUEST_ID}, qr/^[0-9a-f]{32}$/, 'or of an id that was made';
	like $params->{HTTP_TRACEPARENT}, qr/^00-[0-9a-f]{32}-/, 'or of a trace';
	$reply = raw_request('POST /chunked', 'Transfer-Encoding: chunked', '', "3\r\nabc\r\n2\r\nde\r\n0");
	is $reply->{status}, 200, 'a chunked body arrives';
	is last_params()->{CONTENT_LENGTH}, 5, 'with its length';
	is raw_request('GET http://localhost/api/y?z=1')->{status}, 200, 'an absolute target';
	is last_params()->{REQUEST_URI}, '/api/y?z=1', 'arrives as its path';
	is raw_request('GET //api/../x%2fy')->{status}, 200, 'a strange path';
	is last_params()->{REQUEST_URI}, '//api/../x%2fy', 'arrives unchanged';
};

subtest 'a request has an id and a trace from its first hop on' => sub {
	my $ask = sub { $stack->get('/x', headers => {@_})->{json}{params} };
	is $ask->('X-Request-Id' => 'a.B-9_')->{HTTP_X_REQUEST_ID}, 'a.B-9_', 'a harmless id is kept';
	like $ask->('X-Request-Id' => $_)->{HTTP_X_REQUEST_ID}, qr/^[0-9a-f]{32}$/, "another one is made for \"$_\""
	    for 'a b', 'a"b', 'x' x 65, '';
	my $good = '00-' . 'a1' x 16 . '-' . 'b2' x 8 . '-01';
	is $ask->(traceparent => $good)->{HTTP_TRACEPARENT}, $good, 'a well-formed traceparent is kept';
	for my $bad (uc $good, "$good-x", '00-' . '0' x 32 . '-' . 'b2' x 8 . '-01',
		'00-' . 'a1' x 16 . '-' . '0' x 16 . '-01', 'ff' . substr($good, 2), '') {
		my $made = $ask->(traceparent => $bad)->{HTTP_TRACEPARENT};
		like $made, qr/^00-[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-00$/, "a new one is made for \"$bad\"";
		isnt $made, $bad, 'not the bad one';
	}
	my $reply = $stack->get('/x');
	is $reply->{headers}{'x-request-id'}, 'from-the-application', 'the application says the id, once';
	is $stack->get('/style.css', headers => { 'X-Request-Id' => 'mine' })->{headers}{'x-request-id'}, 'mine',
	    'and nginx where it answers itself';
};

subtest 'only a proxy on this machine says for whom it asks' => sub {
	is $stack->get('/x')->{json}{params}{REMOTE_ADDR}, '127.0.0.1', 'itself';
	is $stack->get('/x', headers => { 'X-Forwarded-For' => '198.51.100.1, 203.0.113.9, 127.0.0.1' })
	    ->{json}{params}{REMOTE_ADDR}, '203.0.113.9', 'the last address that is not ours';
};

subtest 'long JSON is compressed, short is not' => sub {
	my %gzip = (headers => { 'Accept-Encoding' => 'gzip' });
	my $long = $stack->get('/bytes/5000', %gzip);
	is $long->{headers}{'content-encoding'}, 'gzip', 'over 1 KB';
	is $long->{headers}{etag}, 'W/"1"', 'its ETag becomes weak';
	like $long->{headers}{vary}, qr/Accept-Encoding/, 'Vary says so';
	is $stack->get('/bytes/1000', %gzip)->{headers}{'content-encoding'}, undef, 'under 1 KB';
	is $stack->get('/bytes/5000')->{headers}{'content-encoding'}, undef, 'not asked for';
	my $large = $stack->get('/bytes/700000');
	is length $large->{content}, 700_000, 'a large answer arrives whole';
};

subtest 'connections to the application are kept' => sub {
	my $before = $responder->log;
	is $stack->get('/x')->{status}, 200 for 1 .. 20;
	my %connections = map { $_->{connection} => 1 } ($responder->log)[-20 .. -1];
	cmp_ok scalar(keys %connections), '<=', 4, '20 requests use a few connections';
};

subtest 'what the application answers passes through' => sub {
	for my $status (404, 405, 413, 422, 500, 503) {
		my $reply = $stack->get("/status/$status");
		is $reply->{status}, $status, "its $status";
		is $reply->{json}{params}{REQUEST_URI}, "/status/$status", 'with its own body';
		guarded_ok($reply, 'it');
	}
};

subtest 'nginx\'s own errors' => sub {
	my $reply = raw_request('POST /style.css', 'Content-Length: 0');
	problem_ok(flat($reply), 405, 'POST to a file');
	is_deeply $reply->{headers}{allow}, ['GET, HEAD'], 'which says what is allowed';
	problem_ok(flat(raw_request('DELETE /')), 405, 'DELETE of the page');
	problem_ok(flat(raw_request('TRACE /api/tasks')), 405, 'TRACE');
	problem_ok(flat(raw_request('OPTIONS *')), 400, 'OPTIONS *');
	problem_ok(flat(raw("nonsense\r\n\r\n")), 400, 'nonsense');
	problem_ok(flat(raw("GET / HTTP/1.1\r\nConnection: close\r\n\r\n")), 400, 'no Host');
	problem_ok(flat(raw_request('GET /', 'Host: localhost')), 400, 'two Hosts');
	problem_ok(flat(raw_request('GET /%00')), 400, 'a NUL in the path');
	problem_ok(flat(raw_request('GET /../..')), 400, 'a path above the root');
	problem_ok(flat(raw_request('POST /api/x', 'Content-Length: 16777217')), 413, 'a body over 16 MB');
	problem_ok(flat(raw_request('GET /' . 'x' x 9000)), 414, 'a long target');
	problem_ok(flat(raw_request('GET /', 'X-Long: ' . 'x' x 9000)), 431, 'a long header');
	problem_ok(flat(raw_request('POST /api/x', 'Transfer-Encoding: gzip')), 501, 'an unknown coding');
	is raw_request("GET /tasks.js", "Range: bytes=999999-")->{status}, 200, "a range is ignored";
	problem_ok(flat(raw_request('POST /api/x', 'Content-Length: 1', 'Transfer-Encoding: chunked', '', '0', '')),
	    400, 'two lengths of a body');
	problem_ok(flat(raw("GET / HTTP/3.0\r\nHost: localhost\r\nConnection: close\r\n\r\n")), 505, 'a version of HTTP');
	problem_ok(asking('evil.example', 'GET /'), 421, 'a foreign name');
	problem_ok(asking('evil.example:8080', 'POST /api/x', 'Content-Length: 0'), 421, 'POST to a foreign name');
	is asking('evil.example', 'HEAD /')->{content}, '', 'HEAD has no body';
	is asking($_, 'GET /')->{status}, 200, "$_ is our name"
	    for "localhost:$stack->{port}", 'localhost', 'tasks.localhost', '127.0.0.1', '[::1]';
	is $stack->post("/bytes/10", content => "x" x 16_777_216)->{status}, 200, 'a body of 16 MB passes';
};

# A reply with one text per header.
sub flat
{
	my ($reply) = @_;
	return { %$reply, headers => { map { $_ => join ', ', @{ $reply->{headers}{$_} } } keys %{ $reply->{headers} } } };
}

subtest 'an application that fails' => sub {
	my $times = sub { scalar grep { $_->{params}{REQUEST_URI} eq $_[0] } $responder->log };
	for my $method (qw(POST PATCH)) {
		my $reply = $stack->request($method => "/close/$method", json => {});
		problem_ok($reply, 502, "$method, and the application ends the connection");
		is $reply->{headers}{'retry-after'}, 1, 'with Retry-After';
		is $times->("/close/$method"), 1, 'it is not repeated';
	}
	$responder->stop;
	my $reply = $stack->get('/x');
	problem_ok($reply, 502, 'no application');
	is $reply->{headers}{'retry-after'}, 1, 'with Retry-After';
	problem_ok(flat(raw_request('GET /x', ('Authorization: x') x 2)), 400, 'no application, and two Authorization headers');
	is $stack->get('/')->{status}, 200, 'the page is still there';
	$responder = Ostler::Responder->start($socket);
	is $stack->get('/x')->{status}, 200, 'and it answers as soon as it is back';
};

subtest 'the access log is JSON' => sub {
	raw_request("GET /x\"y?secret=1", "X-Request-Id: find-me", "User-Agent: a\"b\\c\x01");
	my $line = $stack->wait_for(sub { my ($l) = grep { /find-me/ } split /\n/, $stack->log_of('access.log'); $l },
	    'the line in the access log', 20);
	my $entry = JSON::PP::decode_json($line);
	is $entry->{status}, 200, 'status';
	is $entry->{uri}, '/x"y', 'the path, without the query';
	is $entry->{user_agent}, "a\"b\\c\x01", 'text from outside is escaped';
	like $entry->{trace_id}, qr/^[0-9a-f]{32}$/, 'trace';
	like $entry->{request_time}, qr{^[0-9.]+$}, 'a number of seconds';
	my @broken = grep { !eval { JSON::PP::decode_json($_) } } split /\n/, $stack->log_of('access.log');
	is "@broken", '', 'so is every other line';
};

subtest 'nginx listens for this machine only' => sub {
	my ($other) = grep { !/^127\./ } split ' ', `hostname -I`;
	plan skip_all => 'this machine has no other address' unless $other;
	ok !IO::Socket::IP->new(PeerHost => $other, PeerPort => $stack->port, Timeout => 5), "not at $other";
};

kill 'QUIT', $nginx;
waitpid $nginx, 0;
is $? >> 8, 0, 'nginx ends in order';
$responder->stop;
$stack->stop;
done_testing;
