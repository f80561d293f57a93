#!/usr/bin/perl
# cors.t - pages of other sites read what they are allowed to, errors too, and change nothing with our cookie.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::App;
use Test::More;

my ($friend, $other) = ('https://app.example', 'http://localhost:3000');
my @strangers = ('https://evil.example', 'http://app.example', 'https://app.example.evil.example', 'https://app.example:8443', 'null', 'https://app.exampl', "$friend/", '*');
my $stack = Ostler::App->start(env => { CORS_ORIGINS => "$friend $other", CORS_CREDENTIALS => 'true' });
my $id = $stack->get('/api/tasks?limit=1')->{json}{items}[0]{id};

sub from { my ($origin, $method, $path, %wish) = @_; $wish{headers}{Origin} = $origin; return $stack->request($method => $path, %wish) }
sub cors_of { my ($reply) = @_; return { map { $_ => $reply->{headers}{$_} } grep { /^access-control-/ } keys %{ $reply->{headers} } } }
sub vary_of { my $vary = $_[0]{headers}{vary} // ''; return ref $vary ? join ', ', @$vary : $vary }

sub readable_ok
{
	my ($reply, $origin, $what) = @_;
	is $reply->{headers}{'access-control-allow-origin'}, $origin, "$what ($reply->{status}): may be read";
	is $reply->{headers}{'access-control-allow-credentials'}, 'true', 'with cookies';
	my %exposed = map { lc $_ => 1 } split /, /, $reply->{headers}{'access-control-expose-headers'} // '';
	is_deeply [ grep { !$exposed{$_} } qw(etag link location retry-after ratelimit x-request-id cache-status) ], [], 'and its headers';
	like vary_of($reply), qr/\bOrigin\b/, 'for this origin';
}

# Every kind of answer: the application's and nginx's own.
my @kinds = ([ GET => '/api/tasks' ], [ GET => "/api/tasks/$id" ], [ HEAD => '/ping' ], [ POST => '/api/tasks', json => { title => 'x' } ],
	[ GET => '/nothing' ], [ GET => '/api/tasks?limit=0' ], [ POST => '/api/tasks', content => 'x' ], [ BREW => '/ping' ], [ GET => '/%ff' ],
	[ POST => '/api/tasks', content => 'x' x 1_100_000 ], [ POST => '/style.css' ], [ TRACE => '/api/tasks' ], [ GET => '/style.css', headers => { 'If-Match' => '"x"' } ]);

subtest 'a page that may read' => sub {
	for my $kind (@kinds) {
		my ($method, $path, %wish) = @$kind;
		readable_ok(from($friend, $method, $path, %wish, headers => { %{ $wish{headers} // {} } }), $friend, $method . ' ' . substr $path, 0, 30);
	}
	readable_ok(from($other, GET => '/ping'), $other, 'another such page');
	readable_ok(from($friend, GET => "/api/tasks/$id", headers => { 'If-None-Match' => '*' }), $friend, 'what has not changed');
	is from($friend, POST => '/api/tasks', content => 'x' x 1_100_000)->{status}, 413, 'the one was nginx\'s 413';
	is from($friend, GET => '/style.css', headers => { 'If-Match' => '"x"' })->{status}, 412, 'another its 412';
};

subtest 'a page that may not' => sub {
	for my $kind (@kinds) {
		my ($method, $path, %wish) = @$kind;
		for my $origin ($method eq 'GET' ? @strangers : $strangers[0]) {
			my $reply = from($origin, $method, $path, %wish, headers => { %{ $wish{headers} // {} } });
			is_deeply cors_of($reply), {}, "$origin: $method " . substr $path, 0, 30;
		}
	}
	is_deeply cors_of($stack->get('/ping')), {}, 'no page at all';
	like vary_of($stack->get('/ping')), qr/Origin/, 'but a cache must know';
};

subtest 'a preflight' => sub {
	my %may = ('/api/tasks' => 'GET, HEAD, POST, OPTIONS', "/api/tasks/$id" => 'GET, HEAD, PUT, PATCH, DELETE, OPTIONS', '/ping' => 'GET, HEAD, OPTIONS');
	for my $path (sort keys %may) {
		my %ask = (headers => { 'Access-Control-Request-Method' => 'PATCH', 'Access-Control-Request-Headers' => 'if-match,content-type' });
		my $reply = from($friend, OPTIONS => $path, %ask);
		is $reply->{status}, 204, "OPTIONS $path";
		is $reply->{headers}{'access-control-allow-origin'}, $friend, 'from whom';
		is $reply->{headers}{'access-control-allow-methods'}, $may{$path}, 'what';
		is $reply->{headers}{allow}, $may{$path}, 'as Allow has it';
		is $reply->{headers}{'access-control-max-age'}, 600, 'for how long';
		my %headers = map { lc $_ => 1 } split /, /, $reply->{headers}{'access-control-allow-headers'};
		is_deeply [ grep { !$headers{$_} } qw(authorization content-type idempotency-key if-match if-none-match x-request-id traceparent) ], [], 'with which headers';
		is_deeply cors_of(from($strangers[0], OPTIONS => $path, %ask)), {}, 'a stranger is told nothing';
	}
	problem_ok from($friend, OPTIONS => '/nothing'), 404, 'of nothing';
};

# --- changes with our cookie ---

my $ours = "http://127.0.0.1:$stack->{port}";
sub change { my (%headers) = @_; return $stack->post('/api/tasks', json => { title => 'x' }, headers => \%headers)->{status} }

subtest 'a cookie is for our own pages' => sub {
	my $before = $stack->task_count;
	my %cookie = (Cookie => $stack->cookie('admin'));
	is change(%cookie, Origin => $_), 403, "$_ may not" for @strangers, 'http://127.0.0.1', "http://127.0.0.1:1$stack->{port}", "http://localhost:$stack->{port}", 'x', "$ours/", "http://a\@127.0.0.1:$stack->{port}";
	is change(%cookie, 'Sec-Fetch-Site' => $_), 403, "nor what is $_" for qw(cross-site same-site none x);
	problem_ok $stack->post('/api/tasks', json => { title => 'x' }, headers => { %cookie, Origin => 'null' }), 403, 'it is told why';
	problem_ok $stack->request($_ => "/api/tasks/$id", json => { title => 'x' }, headers => { %cookie, Origin => $strangers[0] }), 403, "$_, too" for qw(PUT PATCH DELETE);
	problem_ok $stack->post("/$_/$id", headers => { %cookie, Origin => $strangers[0] }), 403, "a form for $_" for qw(complete delete);
	problem_ok $stack->post('/add', form => { title => 'x' }, headers => { %cookie, Origin => $strangers[0] }), 403, 'a form for add';
	is $stack->task_count, $before, 'nothing was changed';
	is change(%cookie, Origin => $ours), 201, 'our own page may';
	is change(%cookie, Origin => $ours, 'Sec-Fetch-Site' => 'cross-site'), 201, 'and Origin is what counts';
	is change(%cookie, 'Sec-Fetch-Site' => 'same-origin'), 201, 'also when it sends no Origin';
	is change(%cookie), 201, 'a program that is no browser may';
	is $stack->post('/api/tasks', as => undef, json => { title => 'x' }, headers => { Origin => $strangers[0] })->{status}, 401, 'without a cookie there is nothing to misuse';
	is change(%cookie, Origin => $strangers[0], Authorization => "$_ x"), 401, "with a $_ token that is what counts, and no cookie" for qw(Bearer bearer);
	is change(%cookie, Origin => $strangers[0], Authorization => 'Basic x'), 403, 'which another kind is not';
	is change(%cookie, Origin => $friend), 201, 'a page that may send cookies may use them';
	is $stack->get('/api/tasks', headers => { %cookie, Origin => $strangers[0] })->{status}, 200, 'reading changes nothing';
	is $stack->request(OPTIONS => '/api/tasks', headers => { %cookie, Origin => $strangers[0] })->{status}, 204, 'nor does asking what may be done';
	problem_ok $stack->request(BREW => '/api/tasks', headers => { %cookie, Origin => $strangers[0] }), 405, 'what cannot be done at all';
};

$stack->stop;

$stack = Ostler::App->start;
subtest 'unless told, no other page' => sub {
	is_deeply cors_of(from($friend, @$_[0, 1], @$_[ 2 .. $#$_ ])), {}, "$_->[0] " . substr $_->[1], 0, 30 for map { my ($m, $p, %w) = @$_; [ $m, $p, %w, headers => { %{ $w{headers} // {} } } ] } @kinds;
	is $stack->get('/ping')->{headers}{vary}, undef, 'and no Vary';
	is $stack->post('/api/tasks', json => { title => 'x' }, headers => { Cookie => $stack->cookie('admin'), Origin => $friend })->{status}, 403, 'nor a change with a cookie';
};
$stack->stop;

$stack = Ostler::App->start(env => { CORS_ORIGINS => '*' });
subtest 'every page' => sub {
	for my $kind (@kinds) {
		my ($method, $path, %wish) = @$kind;
		my $reply = from($strangers[0], $method, $path, %wish, headers => { %{ $wish{headers} // {} } });
		is $reply->{headers}{'access-control-allow-origin'}, '*', "$method " . substr $path, 0, 30;
		is $reply->{headers}{'access-control-allow-credentials'}, undef, 'without cookies';
	}
	is $stack->post('/api/tasks', json => { title => 'x' }, headers => { Cookie => $stack->cookie('admin'), Origin => $friend })->{status}, 403, 'and no change with one';
};

subtest 'what would be a mistake' => sub {
	my %wrong = ('[ "https://a.example/" ]' => qr/is no origin/, '[ "a.example" ]' => qr/is no origin/, '[ "https://A.example" ]' => qr/is no origin/, '[ "https://" ]' => qr/is no origin/,
		'[ "ftp://a.example" ]' => qr/is no origin/, '[ "null" ]' => qr/is no origin/, '[ "https://a b" ]' => qr/is no origin/, '[ "*", "https://a.example" ]' => qr/must stand alone/);
	my $file = $stack->var . '/wrong.conf';
	my $check = sub {
		open my $out, '>', $file or die "cannot write $file: $!";
		print {$out} $_[0];
		close $out;
		return Ostler::run('/bin/sh', '-c', 'exec "$0" -t -c "$1" web 2>&1', Ostler::build() . '/ostler-app', $file);
	};
	for my $origins (sort keys %wrong) {
		my ($said, $status) = $check->("cors_origins = $origins;\n");
		is $status, 2, "cors_origins = $origins";
		like $said, qr/wrong\.conf:1: .*$wrong{$origins}/, 'and it says where and why';
	}
	my ($said, $status) = $check->("cors_origins = [ \"*\" ];\ncors_credentials = true;\n");
	is $status, 2, 'every page with cookies';
	like $said, qr/wrong\.conf:2: .*name the origins/, 'and it says why';
	($said, $status) = $check->("cors_origins = [ \"https://a.example:8443\", \"http://[::1]:80\" ];\ncors_credentials = true;\n");
	is $status, 0, 'what is right' or diag $said;
};
$stack->stop;
done_testing;
