#!/usr/bin/perl
# bad-input.t - everything wrong that can be sent: which answer it gets, and that nothing else happens.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use Ostler::App;
use Test::More;

my $limit = 65_536;
my $stack = Ostler::App->start(app => { body_limit => '64K' });
my $workers = $stack->workers;
my $before = $stack->task_count;
my $id = $stack->get('/api/tasks?limit=1')->{json}{items}[0]{id};
my $one = "/api/tasks/$id";
my $as_it_was = $stack->get($one)->{content};

# Each body goes to every route that takes JSON; none may change anything.
my @takers = ([ POST => '/api/tasks' ], [ PUT => $one ], [ PATCH => $one ]);

sub json_bytes
{
	my ($method, $path, $bytes) = @_;
	return $stack->request($method => $path, content => $bytes, headers => { 'Content-Type' => 'application/json' });
}

sub refused
{
	my ($bytes, $status, $what, $faults) = @_;
	problem_ok json_bytes(@$_, $bytes), $status, "$_->[0]: $what", $faults for @takers;
}

subtest 'what is no JSON object' => sub {
	my %bodies = (
		'nothing' => '', 'blanks' => " \r\n\t ", 'a word' => 'title', 'a number' => '7', 'a text' => '"title"', 'null' => 'null',
		'an array for the object' => '[{"title":"x"}]', 'an empty array' => '[]',
		'an open object' => '{"title":"x"', 'an open text' => '{"title":"x', 'a comma too many' => '{"title":"x",}',
		'a name without quotes' => '{title:"x"}', 'single quotes' => "{'title':'x'}", 'a comment' => '{"title":"x"} // x',
		'two objects' => '{"title":"x"}{"title":"y"}', 'garbage behind it' => '{"title":"x"} x', 'a brace too many' => '{"title":"x"}}',
		'a name given twice' => '{"title":"x","title":"y"}', 'an unknown name given twice' => '{"title":"x","a":1,"a":1}',
		'NUL as an escape' => '{"title":"a\u0000b"}', 'NUL as a byte' => "{\"title\":\"a\0b\"}", 'NUL in a name' => '{"ti\u0000tle":"x"}',
		'NUL behind it' => "{\"title\":\"x\"}\0", 'a newline in a text' => "{\"title\":\"a\nb\"}",
		'a byte that is no UTF-8' => "{\"title\":\"a\xFFb\"}", 'an overlong NUL' => "{\"title\":\"\xC0\x80\"}",
		'a surrogate' => "{\"title\":\"\xED\xA0\x80\"}", 'half a surrogate pair' => '{"title":"\ud83d"}', 'a cut character' => "{\"title\":\"\xC3\"}",
		'beyond Unicode' => "{\"title\":\"\xF4\x90\x80\x80\"}", 'a byte order mark' => "\xEF\xBB\xBF{\"title\":\"x\"}", 'UTF-16' => "{\0\"\0t\0\"\0",
		'NaN' => '{"title":NaN}', 'a number with a zero before it' => '{"title":07}', 'a hexadecimal number' => '{"title":0x10}',
		'a bad escape' => '{"title":"\q"}', 'form data' => 'title=x',
	);
	refused($bodies{$_}, 400, $_) for sort keys %bodies;
};

subtest 'nesting' => sub {
	my $nested = sub { my ($open, $close, $depth) = @_; return '{"title":' . $open x $depth . $close x $depth . '}' };
	refused($nested->('[', ']', 63), 422, '64 deep is a wrong value', ['/title body']);
	refused($nested->('[', ']', 64), 400, '65 deep');
	refused($nested->('{"a":', '}', 30_00), 400, '3,000 deep');
	refused('[' x 60_000, 400, '60,000 brackets');
	refused('{"a":' x 10_000, 400, '10,000 objects');
};

subtest 'wrong values' => sub {
	for my $wrong ('1', '1.5', 'true', 'null', '[]', '["x"]', '{}', '""', '" "', '"\t\n"', '"' . 'x' x 201 . '"', '12345678901234567890', '-99999999999999999999', '1e3') {
		refused("{\"title\":$wrong}", 422, 'title ' . substr($wrong, 0, 30), ['/title body']);
	}
	for my $wrong ('1', 'true', 'null', '[]', '{}', '"' . 'x' x 10_001 . '"') {
		refused("{\"title\":\"x\",\"description\":$wrong}", 422, 'description ' . substr($wrong, 0, 30), ['/description body']);
	}
	for my $wrong ('0', '1', '"true"', 'null', '[]', '{}', '99999999999999999999') {
		refused("{\"title\":\"x\",\"completed\":$wrong}", 422, "completed $wrong", ['/completed body']);
	}
	for my $name (qw(id user_id version created_at Title titel), '', '/', 'a~b') {
		(my $pointer = "/$name") =~ s{(?<=.)([~/])}{ $1 eq '~' ? '~0' : '~1' }ge;
		refused(JSON::PP->new->encode({ title => 'x', $name => 1 }), 422, "an unknown \"$name\"", ["$pointer body"]);
	}
};

subtest 'everything wrong at once' => sub {
	my $reply = json_bytes(POST => '/api/tasks', '{"title":"","description":1,"completed":"yes","owner":7,"completd":true}');
	problem_ok $reply, 422, 'five errors', [ '/title body', '/description body', '/completed body', '/owner body', '/completd body' ];
	my ($hint) = map { $_->{detail} } grep { $_->{pointer} eq '/completd' } @{ $reply->{json}{errors} };
	is $hint, 'is unknown; did you mean "completed"?', 'with a hint';
	problem_ok json_bytes(POST => '/api/tasks', '{}'), 422, 'nothing given', ['/title body'];
	problem_ok json_bytes(PUT => $one, '{"description":"x"}'), 422, 'no title', ['/title body'];
	my %many = map { ("unknown$_" => 1) } 1 .. 2000;
	my $many = $stack->post('/api/tasks', json => \%many);
	is $many->{status}, 422, 'two thousand unknown names';
	cmp_ok length $many->{content}, '<', 10_000, 'and an answer of a sane length';
};

subtest 'wrong queries' => sub {
	my @wrong = (map { [ "limit=$_" => ['/limit query'] ] } '-1', 0, 201, '1e9', 1_000_000_000, '0x10', '12345678901234567890', '', 'x', '1.0', '+1', '%201', '1%20', '%31x');
	push @wrong, map { [ "completed=$_" => ['/completed query'] ] } '', 1, 'yes', 'TRUE', 'null';
	push @wrong, map { [ "after=$_" => ['/after query'] ] } '', 'x', 7, '!', 'MjAyNi0wMi0zMFQyMzo1OTo1OVovMQ', 'aW5maW5pdHkvMQ',
	    'MjAyNi0wMS0zMVQyMzo1OTo1OVovMQ==', 'MjAyNi0wMS0zMVQyMzo1OTo1OSsyMzo1OS8x', 'MDAwMS0wMS0wMVQwMDowMDowMCsxNTo1OS8x', 'x' x 5000;
	push @wrong, [ 'q=' . 'x' x 201 => ['/q query'] ], [ 'q=' . '%C3%A9' x 201 => ['/q query'] ];
	push @wrong, [ 'offset=1' => ['/offset query'] ], [ 'limt=1' => ['/limt query'] ], [ '=1' => ['/ query'] ], [ 'LIMIT=1' => ['/LIMIT query'] ];
	push @wrong, [ 'limit=1&limit=1' => ['/limit query'] ], [ 'q=a&q=b' => ['/q query'] ];
	push @wrong, [ 'limit=0&completed=x&after=x&nothing' => [ '/limit query', '/completed query', '/after query', '/nothing query' ] ];
	problem_ok $stack->get("/api/tasks?$_->[0]"), 422, '?' . substr($_->[0], 0, 60), $_->[1] for @wrong;
	for my $broken ('q=%', 'q=%2', 'q=%zz', 'q=%00', 'q=%FF', 'q=%C3', 'q=%ED%A0%80', '%00=1', "q=\xFF") {
		problem_ok $stack->get("/api/tasks?$broken"), 400, "?$broken";
	}
	problem_ok $stack->get("$one?x=1"), 422, 'a query where none is taken', ['/x query'];
	problem_ok $stack->delete("$one?x=1"), 422, 'DELETE with a query', ['/x query'];
	problem_ok $stack->get('/ping?x=1'), 422, 'even at /ping', ['/x query'];
};

subtest 'paths' => sub {
	for my $wrong (qw(x 1x 0x10 1e3 1.0 +1 %201 99999999999999999999 9223372036854775808 -9223372036854775809 null), '%20') {
		problem_ok $stack->request($_->[0] => "/api/tasks/$wrong", $_->[1] ? (json => { title => 'x' }) : ()), 404, "$_->[0] of the id $wrong"
		    for [ GET => 0 ], [ PUT => 1 ], [ PATCH => 1 ], [ DELETE => 0 ];
		problem_ok $stack->post("/$_/$wrong"), 404, "POST /$_/$wrong" for qw(complete delete);
	}
	problem_ok $stack->get("/api/tasks/$_"), 404, "a task $_ that nobody has" for 0, -1, 9223372036854775807, '-9223372036854775808';
	problem_ok $stack->get($_), 404, $_ for qw(/api /api/ /api/task /api/tasks/ /api//tasks //api/tasks /API/tasks /nothing /nothing.html /complete /delete/),
	    "$one/", "$one/x", '/' . 'x/' x 500, '/api/tasks/' . 'x' x 4000;
	problem_ok $stack->get($_), 400, $_ for '/%zz', '/api/tasks/%', '/api/tasks/%ff', '/%c0%af', '/..%2f..%2fetc/passwd', '/%2e%2e/etc/passwd';
	is $stack->raw("GET /%00 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n") =~ m{^HTTP/1.1 400 }, 1, 'a NUL';
};

subtest 'methods' => sub {
	my %allowed = ('/api/tasks' => 'GET, HEAD, POST, OPTIONS', $one => 'GET, HEAD, PUT, PATCH, DELETE, OPTIONS', '/ping' => 'GET, HEAD, OPTIONS',
		'/add' => 'POST, OPTIONS', "/complete/$id" => 'POST, OPTIONS', "/delete/$id" => 'POST, OPTIONS', '/openapi.json' => 'GET, HEAD, OPTIONS');
	for my $path (sort keys %allowed) {
		for my $method (grep { $allowed{$path} !~ /\b$_\b/ } qw(GET POST PUT PATCH DELETE BREW)) {
			my $reply = $stack->request($method => $path);
			problem_ok $reply, 405, "$method $path";
			is $reply->{headers}{allow}, $allowed{$path}, 'Allow';
		}
	}
};

subtest 'media types' => sub {
	for my $type ('text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonp', 'application/json+x', 'json', 'application/*', '*/*') {
		problem_ok $stack->request(@$_, content => '{"title":"x"}', headers => { 'Content-Type' => $type }), 415, "$_->[0] as $type" for @takers;
	}
	problem_ok $stack->request(@$_, content => '{"title":"x"}', headers => { 'Content-Type' => '' }), 415, "$_->[0] as nothing" for @takers;
	for my $type ('application/json', 'multipart/form-data', 'text/plain') {
		problem_ok $stack->post('/add', content => 'title=x', headers => { 'Content-Type' => $type }), 415, "a form as $type";
	}
};

subtest 'forms' => sub {
	my %form = (headers => { 'Content-Type' => 'application/x-www-form-urlencoded' });
	problem_ok $stack->post('/add', content => $_->[0], %form), 422, "the form $_->[0]", $_->[1]
	    for [ '' => ['/title body'] ], [ 'title=' => ['/title body'] ], [ 'title=+' => ['/title body'] ], [ 'title=a&title=b' => ['/title body'] ],
	    [ 'title=x&owner=7' => ['/owner body'] ], [ 'title=x&completed=true' => ['/completed body'] ], [ 'title=' . 'x' x 201 => ['/title body'] ];
	problem_ok $stack->post('/add', content => $_, %form), 400, 'the form ' . ($_ =~ s/[^ -~]/?/gr)
	    for 'title=%00', 'title=%', 'title=%f', 'title=%ff', "title=a\0b", "title=\xFF", '%ff=1';
};

subtest 'bodies that are too large' => sub {
	my $cookie = 'Cookie: ' . $stack->cookie('admin') . "\r\n";
	my $padded = sub { return '{"title":"x"' . ' ' x ($_[0] - 13) . '}' };
	problem_ok json_bytes(PATCH => $one, '{"x":1' . ' ' x ($limit - 7) . '}'), 422, 'as large as allowed', ['/x body'];
	problem_ok json_bytes(@$_, $padded->($limit + 1)), 413, "$_->[0] of one byte more" for @takers;
	problem_ok json_bytes(@$_, $padded->(1_000_000)), 413, "$_->[0] of a megabyte, nearly" for (@takers) x 5;
	problem_ok json_bytes(@$_, $padded->(1_048_576)), 413, "$_->[0] of a megabyte" for @takers;
	problem_ok json_bytes(@$_, $padded->(1_048_577)), 413, "$_->[0] of more than nginx takes" for @takers;
	problem_ok $stack->post('/add', content => 'title=' . 'x' x $limit, headers => { 'Content-Type' => 'application/x-www-form-urlencoded' }), 413, 'a form';
	my $chunked = "POST /api/tasks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${cookie}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
	    . join('', ("4000\r\n" . ' ' x 16_384 . "\r\n") x 5) . "0\r\n\r\n";
	like $stack->raw($chunked), qr{^HTTP/1.1 413 }, 'in chunks';
	my @replies = $stack->at_once(map { [ POST => '/api/tasks', content => $padded->(900_000), headers => { 'Content-Type' => 'application/json' } ] } 1 .. 16);
	is join(' ', map { $_->{status} } @replies), join(' ', (413) x 16), 'sixteen at once';
};

subtest 'bodies that stop in the middle' => sub {
	my $head = "POST /api/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"title\":\"half\"}";
	my @cut = map { $stack->connect } 1 .. 8;
	print {$_} $head and $_->flush for @cut;
	close $_ for @cut;
	is $stack->get('/ping')->{status}, 200, 'the next is answered';
	like $stack->raw("POST /api/tasks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: @{[ $stack->cookie('admin') ]}\r\nContent-Type: application/json\r\n\r\n"),
	    qr{^HTTP/1.1 400 }, 'no body and no length';
};

is $stack->task_count, $before, 'no task was written';
is $stack->get($one)->{content}, $as_it_was, 'and none changed';
is $stack->workers, $workers, 'the workers are those of the beginning';
is join("\n", map { JSON::PP::encode_json($_) } grep { ($_->{status} // 0) >= 500 || $_->{broken} } $stack->log_lines), '', 'and nothing was answered with a 5xx';
is join("\n", map { JSON::PP::encode_json($_) } grep { ($_->{level} // '') =~ /warn|error/ } $stack->log_lines), '', 'nor worth a warning';
$stack->stop;
done_testing;
