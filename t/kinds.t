#!/usr/bin/perl
# kinds.t - every kind of value sent wrongly in ways that no document describes, and how the right ones come back.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::App;
use Ostler::Kinds;
use Test::More;

my $stack = Ostler::Kinds->start(app => { body_limit => '64K' });
my $workers = $stack->workers;
my $uuid = '123e4567-e89b-12d3-a456-426614174000';

sub json { my ($path, $bytes) = @_; utf8::encode($bytes); return $stack->post($path, content => $bytes, headers => { 'Content-Type' => 'application/json' }) }

# The very text of a member of an answer.
sub literal { my ($reply, $name) = @_; return $reply->{content} =~ /"$name":("(?:[^"\\]|\\.)*"|[^,}\]]+)/ ? $1 : 'nothing' }

subtest 'money keeps its decimals' => sub {
	for my $way ('/things', '/sql/things') {
		is literal(json($way, qq({"text":"x","price":$_->[0]})), 'price'), $_->[1], "$way: $_->[0]"
		    for [ '0.1', '0.10' ], [ '12', '12.00' ], [ '999.99', '999.99' ], [ '-4.05', '-4.05' ], [ '0', '0.00' ], [ '-0', '0.00' ];
		problem_ok json($way, qq({"text":"x","price":$_})), 422, "$way: $_", ['/price body']
		    for '0.001', '1.100', '1e2', '1E-2', '1e999', '0.1e1', '12345678901234567890', '1000.01', '-5.01', '"1.00"', 'true';
	}
	is literal($stack->get('/things?text=x&price=7.5'), 'price'), '7.50', 'in a query';
	problem_ok $stack->get("/things?text=x&price=$_"), 422, "?price=$_", ['/price query'] for '1.234', '1e1', '%2B1', '1,5', 'NaN', '';
	my $many = join ',', map { qq({"name":"n","price":0.01}) } 1 .. 1000;
	my $reply = json('/parts', "[$many]");
	is literal($reply, 'total'), '10.00', 'a thousand cents are ten';
	is literal($reply, 'count'), 1000, 'of a thousand parts';
};

subtest 'numbers beyond what can be held' => sub {
	problem_ok json('/things', qq({"text":"x","weight":$_})), 422, "weight $_", ['/weight body'] for '1e999', '-1e999', '1E+400', '100.0000001';
	problem_ok json('/things', qq({"text":"x","level":$_})), 422, "level $_", ['/level body'] for '1e999', '1.0', '9223372036854775808', '-9223372036854775809', '99999999999999999999999';
	is literal(json('/things', '{"text":"x","weight":1e-999}'), 'weight'), 0, 'too little is nothing';
};

subtest 'times' => sub {
	my %same = ('2026-01-31T23:59:59' => '2026-01-31T23:59:59Z', '2026-01-31T23:59:59.5Z' => '2026-01-31T23:59:59.5Z', '2026-01-31T23:59:59-03:00' => '2026-02-01T02:59:59Z');
	is literal(json('/sql/things', qq({"text":"x","at":"$_"})), 'at'), qq("$same{$_}"), $_ for sort keys %same;
	problem_ok json('/things', qq({"text":"x","at":"$_"})), 422, $_, ['/at body'] for '2026-02-30T00:00:00Z', '2026-01-31 00:00:00Z', '2026-01-31T23:59:60Z', '2026-01-31T00:00:00+16:00', 'now', 'infinity';
};

subtest 'one spelling is stored' => sub {
	is literal(json('/sql/things', '{"text":"x","key":"123E4567-E89B-12D3-A456-426614174000"}'), 'key'), qq("$uuid"), 'of a UUID';
	is $stack->get("/things/\U$uuid\E?text=x")->{json}{key}, $uuid, 'in a path too';
};

subtest 'objects and lists come back from rows' => sub {
	my $reply = json('/sql/things', '{"text":"x","tags":["a\"b","{}","é",""],"numbers":[1,2],"place":{"city":"Lund"}}');
	is_deeply [ @{ $reply->{json} }{qw(tags numbers place)} ], [ [ 'a"b', '{}', 'é', '' ], [ 1, 2 ], { city => 'Lund', latitude => 0.5 } ], 'as they were';
	is json('/sql/things', '{"text":"x","place":null}')->{json}{place}, undef, 'an object that is null';
	is $stack->get('/report?month=2026-01')->{content}, '{"month":"2026-01","total":3.75,"regions":[{"region":"North","total":1.50},{"region":"South","total":2.25}]}', 'a list of all rows';
	is $stack->get('/report?month=2026-01&empty=true')->{content}, '{"month":"2026-01","total":0.00,"regions":[]}', 'or of none';
};

subtest 'errors point into what was sent' => sub {
	problem_ok json('/things', '{"parts":[{"name":"a","price":1},{"name":"","price":"1","from":{"latitude":91,"x/y":1}}],"place":{},"tags":[1]}'), 422, 'nested',
	    [ map { "$_ body" } '/parts/1/name', '/parts/1/price', '/parts/1/from/latitude', '/parts/1/from/x~1y', '/parts/1/from/city', '/place/city', '/tags/0', '/text' ];
	problem_ok json('/parts', '[{"name":"a","price":1},{"price":1},7]'), 422, 'in a list', [ '/1/name body', '/2 body' ];
	problem_ok json('/parts', '[' . join(',', ('{}') x 1001) . ']'), 422, 'too many', [' body'];
	my $long = json('/parts', '[' . join(',', ('{}') x 1000) . ']');
	problem_ok $long, 422, 'a thousand wrong ones';
	cmp_ok scalar @{ $long->{json}{errors} }, '<=', 50, 'of which the first are told';
};

subtest 'queries' => sub {
	problem_ok $stack->get('/things?text=x&' . join('&', map { "a$_" } 1 .. 1001)), 400, 'a thousand parameters too many';
	problem_ok $stack->post('/form/things', content => join('&', ('x') x 10_000), headers => { 'Content-Type' => 'application/x-www-form-urlencoded' }), 400, '10,000 in a form';
	problem_ok $stack->get('/things?' . join('&', ('x') x 10_000)), 414, '10,000 in a query';
	is_deeply $stack->get('/things?text=x&tags=a&tags=b&tags=a')->{json}{tags}, [qw(a b a)], 'a list repeats its name';
	problem_ok $stack->get('/things?text=x&text=x'), 422, 'what is no list does not', ['/text query'];
};

subtest 'content types' => sub {
	my $send = sub { my $types = join '', map { "Content-Type: $_\r\n" } @_; return $stack->raw("POST /things HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${types}Content-Length: 12\r\n\r\n{\"text\":\"x\"}") };
	# Up to 1.22 nginx hands on both; a newer one joins them with a comma, as below.
	for my $types ([ 'text/plain', 'application/json' ], [ 'application/json', 'text/plain' ], [ ('application/json') x 2 ]) {
		like $send->(@$types), qr{^HTTP/1\.1 (?:400|415) .*\r\nContent-Type: application/problem\+json}s, "two of them: @$types";
	}
	problem_ok $stack->post('/things', content => '{"text":"x"}', headers => { 'Content-Type' => $_ }), 415, $_
	    for 'application/json, text/plain', 'application/json, application/json', 'application/json; charset=utf-16', 'application/json; charset';
};

sub form { my ($type, $body) = @_; return $stack->post('/files', content => $body, headers => { 'Content-Type' => $type }) }

subtest 'files' => sub {
	my $part = sub { my ($name, $content) = @_; return "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"$name\"\r\nContent-Type: text/csv\r\n\r\n$content\r\n" };
	my $form = 'multipart/form-data; boundary=b';
	my $large = join '', map { chr($_ * 7 % 256) } 1 .. 3_000_000;
	my $reply = form($form, $part->('a.csv', $large) . "--b--\r\n");
	my $sum = 0;
	$sum += $_ for unpack 'C*', $large;
	is_deeply [ $reply->{status}, @{ $reply->{json} }{qw(size sum)} ], [ 200, length $large, $sum ], 'three megabytes arrive as they were';
	problem_ok form('multipart/form-data', $part->('a', 'x') . '--b--'), 400, 'no boundary';
	problem_ok form('multipart/form-data; boundary=other', $part->('a', 'x') . '--b--'), 400, 'another boundary';
	problem_ok form($form, $part->('a', 'x')), 400, 'cut short';
	problem_ok form($form, $part->($_, 'x') . '--b--'), 422, "a file called $_", ['/file body'] for '../a', '/etc/passwd', 'C:\\\\a', '..', "a\tb", "a\x01b";
	problem_ok form($form, $part->('a', 'x' x (3 << 20) . 'x') . '--b--'), 422, 'a file that is too large', ['/file body'];
	problem_ok form($form, $part->('a', 'x' x (4 << 20)) . '--b--'), 413, 'a form that is too large';
	problem_ok form($form, $part->('a', 'x') x 2 . '--b--'), 422, 'a file given twice', ['/file body'];
	problem_ok form($form, "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n\r\n" x 1001 . '--b--'), 400, 'too many parts';
	my $half = $stack->connect;
	print {$half} "POST /files HTTP/1.1\r\nHost: localhost\r\nContent-Type: $form\r\nContent-Length: 100000\r\n\r\n" . $part->('a', 'x' x 50_000);
	close $half;
	my @replies = $stack->at_once(map { [ POST => '/files', content => $part->('a.csv', $large) . '--b--', headers => { 'Content-Type' => $form } ] } 1 .. 8);
	is join(' ', map { $_->{json}{sum} // $_->{status} } @replies), join(' ', ($sum) x 8), 'eight at once do not mix';
	is_deeply [ glob $stack->var . '/uploads/{,.}*[!.]*' ], [], 'nothing is left in the folder';
};

is $stack->workers, $workers, 'the workers are those of the beginning';
is_deeply [ grep { ($_->{status} // 0) >= 500 || $_->{broken} } $stack->log_lines ], [], 'nothing was answered with a 5xx';
$stack->stop;
done_testing;
