#!/usr/bin/perl
# http.t - what every answer has: methods without a body, ids of a request, health, and its line in the log.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::App;
use Test::More;

my $stack = Ostler::App->start(env => { INSTANCE_ID => 'north-1' });
my $id = $stack->get('/api/tasks?limit=1')->{json}{items}[0]{id};

subtest 'HEAD is GET without its body' => sub {
	for my $path ('/ping', '/live', '/ready', '/openapi.json', '/api/tasks', '/api/tasks?limit=3', "/api/tasks/$id", '/api/tasks/0', '/nothing', '/add') {
		my ($get, $head) = ($stack->get($path), $stack->request(HEAD => $path));
		is $head->{status}, $get->{status}, "$path: the same status";
		is $head->{content} // '', '', 'no content';
		is $head->{headers}{$_}, $get->{headers}{$_}, "the same $_" for qw(content-type content-length etag link allow);
	}
};

subtest 'OPTIONS tells what a path takes' => sub {
	my %allowed = ('/api/tasks' => 'GET, HEAD, POST, OPTIONS', "/api/tasks/$id" => 'GET, HEAD, PUT, PATCH, DELETE, OPTIONS',
		'/ping' => 'GET, HEAD, OPTIONS', '/add' => 'POST, OPTIONS');
	for my $path (sort keys %allowed) {
		my $reply = $stack->request(OPTIONS => $path);
		is $reply->{status}, 204, "OPTIONS $path";
		is $reply->{headers}{allow}, $allowed{$path}, 'Allow';
		is $reply->{headers}{'content-length'}, undef, 'no length of nothing';
	}
	problem_ok $stack->request(OPTIONS => '/nothing'), 404, 'OPTIONS of nothing';
};

subtest 'answers are for nobody in between' => sub {
	is $stack->get($_)->{headers}{'cache-control'}, 'no-store', $_ for '/ping', '/api/tasks', '/health', '/nothing', '/api/tasks?limit=0';
	is $stack->get("/api/tasks/$id")->{headers}{'cache-control'}, 'private, no-cache', 'what has an ETag may be kept, but asked for again';
};

my $trace = 'a1' x 16;
my $parent = "00-$trace-" . 'b2' x 8 . '-01';

subtest 'the ids of a request go through' => sub {
	for my $path ('/ping', '/api/tasks', '/nothing', '/api/tasks?limit=0', '/api/tasks/x') {
		my $reply = $stack->get($path, headers => { 'X-Request-Id' => 'mine-1.2_3', traceparent => $parent });
		is $reply->{headers}{'x-request-id'}, 'mine-1.2_3', "$path: the request id comes back";
		is $reply->{headers}{traceparent}, $parent, 'so does the trace';
		next if $reply->{status} < 400;
		is $reply->{json}{request_id}, 'mine-1.2_3', 'the problem tells the id';
		is $reply->{json}{trace_id}, $trace, 'and the trace';
	}
	my %seen;
	for my $bad ('', 'a b', 'a"b', 'x' x 65, '<script>') {
		my $reply = $stack->get('/ping', headers => { 'X-Request-Id' => $bad });
		like $reply->{headers}{'x-request-id'}, qr/^[0-9a-f]{32}\z/, "another id for \"$bad\"" =~ s/[^ -~]/?/gr;
		ok !$seen{ $reply->{headers}{'x-request-id'} }++, 'which nobody else has';
	}
	for my $bad ('', 'x', uc $parent, "$parent-00", substr($parent, 0, -1), 'ff' . substr($parent, 2), '00-' . '0' x 32 . '-' . 'b2' x 8 . '-01') {
		my $made = $stack->get('/ping', headers => { traceparent => $bad })->{headers}{traceparent};
		like $made, qr/^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}\z/, "another trace for \"$bad\"";
		ok $made ne $bad && !$seen{$made}++, 'which nobody else has';
	}
};

subtest 'all is well' => sub {
	is_deeply $stack->get('/live')->{json}, { status => 'alive' }, '/live';
	is_deeply $stack->get('/ready')->{json}, { status => 'ready' }, '/ready';
	is_deeply $stack->get('/ping')->{json}, { ok => JSON::PP::true() }, '/ping';
	my $reply = $stack->get('/health');
	is $reply->{status}, 200, '/health';
	my $health = $reply->{json};
	is $health->{status}, 'healthy', 'status';
	is_deeply $health->{instance}, { id => 'north-1', name => 'ostler-north-1' }, 'instance';
	is_deeply [ sort keys %{ $health->{checks} } ], [qw(database events redis)], 'what it stands on';
	for my $check (map { $health->{checks}{$_} } qw(database redis)) {
		is $check->{status}, 'healthy', 'is healthy';
		like $check->{response_time_ms}, qr/^\d+\.\d{3}\z|^\d+(?:\.\d+)?\z/, 'and answered in some milliseconds';
	}
};

subtest 'a request is one line of the log' => sub {
	my @asked = (
		[ 'log-1', 200, '/ping', GET => '/ping' ],
		[ 'log-2', 200, '/api/tasks/{id}', GET => "/api/tasks/$id" ],
		[ 'log-3', 200, '/api/tasks/{id}', HEAD => "/api/tasks/$id" ],
		[ 'log-4', 404, '/api/tasks/{id}', GET => '/api/tasks/secret' ],
		[ 'log-5', 404, 'none', GET => '/secret?secret=secret' ],
		[ 'log-6', 422, '/api/tasks', GET => '/api/tasks?secret=secret' ],
		[ 'log-7', 405, '/api/tasks', BREW => '/api/tasks' ],
		[ 'log-8', 201, '/api/tasks', POST => '/api/tasks', json => { title => 'secret' } ],
		[ 'log-9', 303, '/add', POST => '/add', form => { title => 'secret' } ],
		[ 'log-10', 200, '/api/tasks', GET => '/api/tasks' ],
	);
	my %reply;
	for my $request (@asked) {
		my ($name, $status, $route, $method, $path, %wish) = @$request;
		$reply{$name} = $stack->request($method => $path, %wish, headers => { 'X-Request-Id' => $name, traceparent => $parent });
	}
	$stack->wait_for(sub { scalar(grep { ($_->{request_id} // '') =~ /^log-/ } $stack->log_lines) >= @asked }, 'the lines in the log', 10);
	my @lines = $stack->log_lines;
	is_deeply [ grep { $_->{broken} } @lines ], [], 'every line is JSON';
	for my $request (@asked) {
		my ($name, $status, $route, $method) = @$request;
		my @mine = grep { ($_->{request_id} // '') eq $name } @lines;
		is scalar(@mine), 1, "$name: one line";
		my $line = $mine[0];
		is_deeply [ sort keys %$line ], [ sort qw(time level message request_id trace_id instance method route status ms db_ms redis_ms user bytes) ], 'with all its values';
		like $line->{time}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\z/, 'time';
		is $line->{level}, 'info', 'level';
		is $line->{trace_id}, $trace, 'trace';
		is $line->{instance}, 'north-1', 'instance';
		is $line->{method}, $method eq 'BREW' ? 'other' : $method, 'method';
		is $line->{route}, $route, 'the template of the route';
		is $line->{status}, $status, 'status';
		is $line->{bytes}, $method eq 'HEAD' ? 0 : length($reply{$name}{content} // ''), 'bytes';
		cmp_ok $line->{ms}, '>=', $line->{db_ms} + $line->{redis_ms}, 'the whole time is the longest';
	}
	my %line = map { $_->{request_id} => $_ } grep { $_->{request_id} } @lines;
	cmp_ok $line{'log-2'}{db_ms}, '>', 0, 'the database took some of it';
	cmp_ok $line{'log-10'}{redis_ms}, '>', 0, 'so did Redis';
	is $line{'log-1'}{db_ms} + $line{'log-1'}{user}, 0, 'but not of a ping, which is nobody\'s';
	cmp_ok $line{'log-2'}{user}, '>', 0, 'a task is read by somebody';
	unlike $stack->log_of('web.log'), qr/secret/, 'and what a client writes is not in the log';
};

$stack->stop;
done_testing;
