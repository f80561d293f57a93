#!/usr/bin/perl
# openapi.t - the OpenAPI document tells every route, and every real answer fits what it says.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use Ostler::App;
use Ostler::Schema;
use Test::More;

my $stack = Ostler::App->start;
my $reply = $stack->get('/openapi.json');
is $reply->{status}, 200, 'the document is there';
is $reply->{headers}{'content-type'}, 'application/json', 'as JSON';
my $document = $reply->{json};
my $schema = Ostler::Schema->new($document);
my ($printed, $status) = Ostler::run(Ostler::build() . '/ostler-app', 'openapi');
is $status, 0, 'the program prints it too';
is_deeply JSON::PP::decode_json($printed), $document, 'and it is the same';

my @routes = map { my ($method, $path, $rest) = split ' ', $_, 3; { method => $method, path => $path, rest => $rest } }
    grep { !/^METHOD/ } split /\n/, (Ostler::run(Ostler::build() . '/ostler-app', 'routes'))[0];

sub successes { my ($operation) = @_; return grep { /^[23]/ } keys %{ $operation->{responses} } }

sub operation { my ($method, $path) = @_; return $document->{paths}{$path}{ lc $method } }

subtest 'the document is one of OpenAPI 3.1' => sub {
	is $document->{openapi}, '3.1.0', 'version';
	ok length($document->{info}{$_} // ''), "info has its $_" for qw(title version);
	is_deeply [ grep { !/^(openapi|info|servers|security|tags|paths|components)$/ } keys %$document ], [], 'nothing else at the top';
	my %tags = map { $_->{name} => $_->{description} } @{ $document->{tags} };
	my %ids;
	for my $path (keys %{ $document->{paths} }) {
		for my $method (keys %{ $document->{paths}{$path} }) {
			my $operation = operation($method, $path);
			ok $operation->{summary}, "$method $path has a summary";
			ok !$ids{ $operation->{operationId} }++, 'and an id of its own';
			is_deeply [ grep { !length($tags{$_} // '') } @{ $operation->{tags} } ], [], 'its tags are explained';
			my @named = $path =~ /\{(\w+)\}/g;
			is_deeply [ sort map { $_->{name} } grep { $_->{in} eq 'path' && $_->{required} } @{ $operation->{parameters} // [] } ],
			    [ sort @named ], 'what stands in its path is a parameter';
			is $operation->{responses}{default}{'$ref'}, '#/components/responses/problem', 'what else it answers is a problem';
			is scalar(successes($operation)), 1, 'there is one success';
		}
	}
	my @references = $reply->{content} =~ /"\$ref":"([^"]+)"/g;
	is_deeply [ grep { !$schema->at($_) } @references ], [], 'every reference leads somewhere';
};

subtest 'every route is in it, and nothing else' => sub {
	cmp_ok scalar(@routes), '>=', 14, 'there are routes';
	ok operation($_->{method}, $_->{path}), "$_->{method} $_->{path}" for @routes;
	my @told = map { my $path = $_; map { uc($_) . " $path" } keys %{ $document->{paths}{$path} } } keys %{ $document->{paths} };
	is_deeply [ sort @told ], [ sort map { "$_->{method} $_->{path}" } @routes ], 'no more than those';
};

# Tests that what REPLY says is what the operation promises.
sub fits
{
	my ($got, $method, $path) = @_;
	my $operation = operation($method, $path);
	my $response = $operation->{responses}{ $got->{status} } // $operation->{responses}{default};
	$response = $schema->at($response->{'$ref'}) if $response->{'$ref'};
	my @promised = keys %{ $response->{content} // {} };
	my ($media) = ($got->{headers}{'content-type'} // '') =~ /^([^;]+)/;
	is scalar(grep { $_ eq ($media // '') } @promised), @promised ? 1 : 0, "$method $path: $got->{status} of the promised type";
	return is $got->{content} // '', '', 'and no content' if !@promised;
	return if $media eq 'text/csv';
	is_deeply [ $schema->check($got->{json}, $response->{content}{$media}{schema}) ], [], 'which fits its schema';
}

subtest 'real answers fit' => sub {
	# A new one for each request, so that none has to come before another.
	my $made = 0;
	my $id_for = sub {
		return $stack->psql(q{INSERT INTO job (id, kind, state, run_at, priority, max_attempts, args) VALUES (gen_random_uuid(), 'none', 'scheduled', now() + interval '1 hour', 1, 1, '{"x":1}') RETURNING id}) if $_[0] =~ m{^/api/(?:task|jobs)/};
		my ($path, %body) = $_[0] =~ m{^/users} ? ('/users', name => 'x', email => 'made' . ++$made . '@example.org') : ('/api/tasks', title => 'x');
		return $stack->post($path, json => \%body)->{json}{id};
	};
	my %real = map { ("$_->[0] $_->[1]" => $_) } (
		[ GET => '/ping' ], [ GET => '/live' ], [ GET => '/ready' ], [ GET => '/health' ], [ GET => '/openapi.json' ],
		[ GET => '/api/tasks' ], [ POST => '/api/tasks', json => { title => 'x' } ],
		[ GET => '/api/tasks/{id}' ], [ PUT => '/api/tasks/{id}', json => { title => 'x' } ], [ PATCH => '/api/tasks/{id}', json => { completed => JSON::PP::true } ],
		[ GET => '/users' ], [ POST => '/users', json => { name => 'x', email => 'x@example.org' } ],
		[ GET => '/users/{id}' ], [ PUT => '/users/{id}', json => { name => 'x', email => 'y@example.org' } ],
		[ PATCH => '/users/{id}', json => { name => 'y' } ], [ DELETE => '/users/{id}' ],
		[ GET => '/api/vendas', query => 'mes=2025-01' ], [ POST => '/api/vendas/reprocessar', json => { mes => '2025-01' } ],
		[ PUT => '/api/vendas/arquivos/{mes}', content => "order_id,sold_at,region,product,quantity,total\n", headers => { 'Content-Type' => 'text/csv' } ],
		[ POST => '/add', form => { title => 'x' } ], [ POST => '/complete/{id}' ], [ POST => '/delete/{id}' ], [ DELETE => '/api/tasks/{id}' ]);
	$real{$_} = [ split / / ] for 'GET /api/task/{id}', 'DELETE /api/task/{id}', 'GET /api/jobs', 'GET /api/jobs/kinds', 'GET /api/jobs/{id}',
	    map { "POST $_" } qw(/api/jobs/kinds/{kind}/pause /api/jobs/kinds/{kind}/resume /api/jobs/{id}/retry /api/jobs/{id}/cancel);
	$real{'POST /api/jobs/redrive'} = [ POST => '/api/jobs/redrive', json => {} ];
	$stack->psql(q{INSERT INTO job_kind (kind) VALUES ('none'); INSERT INTO job_done (id, kind, state, priority, attempt, max_attempts, created_at, args, result, last_error, traceparent)
		VALUES (gen_random_uuid(), 'none', 'discarded', 1, 1, 1, now(), '{"x":1}', '{"y":2}', 'no luck', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01')});
	for my $route (@routes) {
		my ($method, $path) = @$route{qw(method path)};
		my ($known, undef, @wishes) = @{ $real{"$method $path"} // [] };
		ok $known, "$method $path is tried" or next;
		my $query = @wishes && $wishes[0] eq 'query' ? '?' . (splice @wishes, 0, 2)[1] : '';
		my $got = $stack->request($method => ($path =~ s/\{id\}/$id_for->($path)/er =~ s/\{kind\}/none/r =~ s/\{mes\}/2025-01/r) . $query, @wishes);
		ok operation($method, $path)->{responses}{ $got->{status} }, "$got->{status} is promised";
		fits($got, $method, $path);
	}
	fits($stack->get('/api/vendas?from=2025-01&to=2025-03'), GET => '/api/vendas');
	fits($stack->get('/api/vendas?mes=2025-01', headers => { Accept => 'text/csv' }), GET => '/api/vendas');
	fits($stack->get('/api/tasks?limit=3'), GET => '/api/tasks');
	fits($stack->get('/api/tasks?q=nobodywrotethis'), GET => '/api/tasks');
	fits($stack->get('/api/tasks?limit=0'), GET => '/api/tasks');
	fits($stack->get('/api/tasks/0'), GET => '/api/tasks/{id}');
	fits($stack->post('/api/tasks', json => { titl => 1 }), POST => '/api/tasks');
	fits($stack->post('/api/tasks', content => 'x'), POST => '/api/tasks');
	fits($stack->post('/users', json => { name => 'x', email => 'Made1@example.org' }), POST => '/users');
};

subtest 'what a body must be is what is asked for' => sub {
	my $body = operation('POST', '/api/tasks')->{requestBody}{content}{'application/json'}{schema};
	my $agree = sub {
		my ($value, $what) = @_;
		my $fits = !$schema->check($value, $body);
		is $stack->post('/api/tasks', json => $value)->{status}, $fits ? 201 : 422, "$what: " . ($fits ? 'fits' : 'does not fit');
	};
	$agree->({ title => 'x' }, 'a title');
	$agree->({ title => 'x' x 200, description => 'y' x 10_000, completed => JSON::PP::false }, 'all of it');
	$agree->({}, 'nothing');
	$agree->({ title => '' }, 'an empty title');
	$agree->({ title => 'x' x 201 }, 'a long title');
	$agree->({ title => 7 }, 'a number');
	$agree->({ title => 'x', completed => 'true' }, 'a text for a boolean');
	$agree->({ title => 'x', other => 1 }, 'an unknown name');
	my %limit = map { $_->{name} => $_->{schema} } @{ operation('GET', '/api/tasks')->{parameters} };
	is_deeply { map { $_ => $limit{limit}{$_} } qw(minimum maximum default) }, { minimum => 1, maximum => 200, default => 20 }, 'limit tells its range';
};

$stack->stop;
done_testing;
