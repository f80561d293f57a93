#!/usr/bin/perl
# hostile-headers.t - headers meant to smuggle, to split or to lie: each is refused or made harmless, told to its sender and to the log.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::IP;
use JSON::PP ();
use Ostler::App;
use Test::More;

my $stack = Ostler::App->start(app => { threads => 4 });
my $workers = $stack->workers;
my $number = 0;

# Sends the head's LINES, each ended as HTTP wants it, and BODY; from another address of this machine when told.
sub raw
{
	my ($lines, $body, $from) = @_;
	my $id = 'hostile-' . ++$number;
	# Whoever lies about their cookies has a good one all the same, behind.
	my $ours = $stack->cookie('admin');
	my ($lying) = grep { /^Cookie:/i } @$lines;
	my @cookie;
	$lines = [ map { defined $lying && $_ eq $lying ? "$_; $ours" : $_ } @$lines ];
	@cookie = ("Cookie: $ours") if !defined $lying;
	my $bytes = join("\r\n", @$lines, "X-Request-Id: $id", @cookie, 'Connection: close') . "\r\n\r\n" . ($body // '');
	my $text;
	if ($from) {
		my $socket = IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $stack->port, LocalHost => $from) or die "cannot connect from $from: $@";
		print {$socket} $bytes;
		$socket->flush;
		local $/;
		$text = <$socket> // '';
	} else {
		$text = $stack->raw($bytes);
	}
	my ($head, $content) = split /\r\n\r\n/, $text, 2;
	my @head = split /\r\n/, $head // '';
	my ($status) = ($head[0] // '') =~ m{^HTTP/1\.1 (\d+)};
	my %headers;
	push @{ $headers{ lc $1 } }, $2 for map { /^([^:]+): ?(.*)/ ? [ $1, $2 ] : () } @head[ 1 .. $#head ];
	$headers{ lc $1 } = $2 while ($head // '') =~ /^([^:\r\n]+): ?([^\r\n]*)/mg;
	return { id => $id, status => $status // 0, head => $head // '', content => $content // '', headers => \%headers, json => eval { JSON::PP::decode_json($content) } };
}

# The access log's lines, decoded.
sub access { return map { eval { JSON::PP::decode_json($_) } // {} } split /\n/, $stack->log_of('access.log') }

# What the access log must tell in the end: it is written once a second.
my @expected;
sub logged { my ($reply, %line) = @_; push @expected, { id => $reply->{headers}{'x-request-id'} // '', line => \%line } }

sub refused_ok
{
	my ($reply, $status, $what) = @_;
	problem_ok $reply, $status, $what;
	logged($reply, status => $status);
}

my $post = '{"title":"x"}';
my @json = ('Content-Type: application/json');
my $before = $stack->task_count;

subtest 'two of what may be there once' => sub {
	refused_ok(raw([ 'GET /ping HTTP/1.1', 'Host: localhost', 'Host: localhost' ]), 400, 'two Hosts');
	refused_ok(raw([ 'GET /ping HTTP/1.1', 'Host: localhost', 'Host: evil.example' ]), 400, 'two different ones');
	refused_ok(raw([ 'POST /api/tasks HTTP/1.1', 'Host: localhost', @json, 'Content-Length: 13', 'Content-Length: 13' ], $post), 400, 'two lengths');
	refused_ok(raw([ 'POST /api/tasks HTTP/1.1', 'Host: localhost', @json, 'Content-Length: 13', 'Content-Length: 3' ], $post), 400, 'two different ones');
	refused_ok(raw([ 'POST /api/tasks HTTP/1.1', 'Host: localhost', @json, 'Content-Length: 13', 'Transfer-Encoding: chunked' ], "0\r\n\r\n"), 400, 'a length and chunks');
	refused_ok(raw([ 'POST /api/tasks HTTP/1.1', 'Host: localhost', @json, "Content-Length: $_" ], $post), 400, "the length $_") for '-1', '+13', '13,13', '0x0d', '1 3', '99999999999999999999';
	refused_ok(raw([ 'PATCH /api/tasks/1 HTTP/1.1', 'Host: localhost', @json, 'If-Match: "1"', 'If-Match: "2"', 'Content-Length: 13' ], $post), 400, 'two If-Match');
	refused_ok(raw([ 'POST /api/tasks HTTP/1.1', 'Host: localhost', 'Content-Type: application/json, text/plain', 'Content-Length: 13' ], $post), 415, 'two types in one');
	for my $types ([ 'application/json', 'text/plain' ], [ 'text/plain', 'application/json' ], [ ('application/json') x 2 ], [ 'application/json', '' ]) {
		my $twice = raw([ 'POST /api/tasks HTTP/1.1', 'Host: localhost', (map { "Content-Type: $_" } @$types), 'Content-Length: 13' ], $post);
		refused_ok($twice, 400, "the types $types->[0] and $types->[1]");
		like $twice->{json}{detail}, qr/^Content-Type /, 'it is named';
	}
	refused_ok(raw([ "$_ HTTP/1.1", 'Host: localhost', @json, @json, 'Content-Length: 13' ], $post), 400, "two types: $_")
	    for 'PUT /api/tasks/1', 'PATCH /api/tasks/1', 'PUT /api/vendas/arquivos/2025-01', 'POST /add';
	my $keys = raw([ 'POST /api/tasks HTTP/1.1', 'Host: localhost', @json, 'Idempotency-Key: a', 'Idempotency-Key: b', 'Content-Length: 13' ], $post);
	refused_ok($keys, 400, 'two Idempotency-Keys');
	like $keys->{json}{detail}, qr/^Idempotency-Key /, 'they are named';
	is $stack->task_count, $before, 'nothing was written';
};

# Whatever came in, one answer goes out, and no header that the sender has made up.
sub harmless_ok
{
	my ($reply, $what, @status) = @_;
	ok +(grep { $_ == $reply->{status} } @status), "$what: $reply->{status}";
	is_deeply [ grep { /evil/i } map { lc } $reply->{head} =~ /^([^:\r\n]+):/mg ], [], 'no header of the sender\'s making';
	unlike $reply->{content}, qr{^HTTP/1}m, 'no second answer';
	unlike $reply->{head}, qr/[^\r]\n|\r(?!\n)/, 'every line ends as it should';
}

subtest 'line ends in what is echoed' => sub {
	my @inject = ("a\rX-Evil: 1", "a%0d%0aX-Evil: 1", 'a\r\nX-Evil: 1', "a\tX-Evil: 1", "a\x0bX-Evil: 1", "a\x85X-Evil: 1", "a\xe5\x98\x8a\xe5\x98\x8dX-Evil: 1");
	for my $value (@inject) {
		(my $shown = $value) =~ s/[^ -~]/?/g;
		for my $header ('X-Request-Id', 'traceparent', 'Origin', 'If-None-Match', 'Cookie', 'X-Forwarded-For', 'Sec-Fetch-Site') {
			harmless_ok(raw([ 'GET /api/tasks/1 HTTP/1.1', 'Host: localhost', "$header: $value" ]), "$header: $shown", 200, 304, 400, 404);
		}
		harmless_ok(raw([ 'POST /api/tasks HTTP/1.1', 'Host: localhost', @json, "Idempotency-Key: $value", 'Content-Length: 13' ], $post), "Idempotency-Key: $shown", 400);
		harmless_ok(raw([ 'PATCH /api/tasks/1 HTTP/1.1', 'Host: localhost', @json, "If-Match: \"$value\"", 'Content-Length: 13' ], $post), "If-Match: $shown", 400);
		harmless_ok(raw([ 'GET /ping HTTP/1.1', "Host: $value" ]), "Host: $shown", 400, 421);
	}
	harmless_ok(raw([ 'GET /ping HTTP/1.1', 'Host: localhost', "X-Request-Id: a\r\n X-Evil: 1" ]), 'a folded header', 200, 400);
	for my $query ('q=%0d%0aX-Evil:%201', 'after=%0d%0aX-Evil:%201', 'q=a%0aX-Evil:1', 'limit=1&completed=false&q=x%0D%0AX-Evil:1') {
		harmless_ok(raw([ "GET /api/tasks?$query HTTP/1.1", 'Host: localhost' ]), "?$query", 200, 422);
	}
	my $paged = raw([ 'GET /api/tasks?limit=1&q=the%0d%0a HTTP/1.1', 'Host: localhost' ]);
	like $paged->{headers}{link}, qr/q=the%0d%0a&/i, 'a query that comes back in Link stays as it was written';
	harmless_ok(raw([ $_ . ' HTTP/1.1', 'Host: localhost' ]), $_, 400, 404) for 'GET /api/%0d%0aX-Evil:%201', 'GET /%0aX-Evil:1.css', 'GET /api/tasks/1%0d%0aX-Evil:1';
	my $made = raw([ 'POST /add HTTP/1.1', 'Host: localhost', 'Content-Type: application/x-www-form-urlencoded', 'Content-Length: 30' ], 'title=x%0d%0aX-Evil:%201&xyz=1');
	harmless_ok($made, 'a form', 422);
	is $stack->task_count, $before, 'nothing was written';
};

subtest 'for whom a request is made' => sub {
	# Only loopback itself is a proxy of ours; 127.0.0.2 is as good as anybody from outside.
	my %cases = ('198.51.100.7' => '127.0.0.2', '127.0.0.1' => '127.0.0.2', '198.51.100.7, 127.0.0.1' => '127.0.0.2', "x" => '127.0.0.2', '' => '127.0.0.2');
	for my $claim (sort keys %cases) {
		my $reply = raw([ 'GET /ping HTTP/1.1', 'Host: localhost', "X-Forwarded-For: $claim", "X-Real-IP: $claim", "Forwarded: for=$claim" ], '', '127.0.0.2');
		is $reply->{status}, 200, "somebody who says to ask for \"$claim\"";
		logged($reply, status => 200, remote => $cases{$claim});
	}
	my $reply = raw([ 'GET /ping HTTP/1.1', 'Host: localhost', 'X-Forwarded-For: 203.0.113.9, 198.51.100.7' ]);
	logged($reply, status => 200, remote => '198.51.100.7');    # our own proxy is believed, as to the last who is not ours
};

subtest 'each has its line in the log' => sub {
	my %line;
	$stack->wait_for(sub { %line = map { ($_->{request_id} // '') => $_ } access(); !grep { !$line{ $_->{id} } } @expected }, 'the lines in the access log', 20);
	for my $expected (@expected) {
		my $line = $line{ $expected->{id} };
		is_deeply { map { $_ => $line->{$_} } keys %{ $expected->{line} } }, $expected->{line}, join ' ', map { "$_ $expected->{line}{$_}" } sort keys %{ $expected->{line} };
	}
};

is $stack->workers, $workers, 'the workers are those of the beginning';
is_deeply [ grep { ($_->{status} // 0) >= 500 || $_->{broken} } $stack->log_lines ], [], 'and nothing was answered with a 5xx';
is_deeply [ grep { ($_->{status} // 0) >= 500 } access() ], [], 'by nginx neither';
$stack->stop;
done_testing;
