#!/usr/bin/perl
# openapi.t - the OpenAPI document tells every route and nothing else; t/contract.t holds the routes to it.
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

# What only somebody who has signed in may do, and no token.
my %in_person = map { $_ => 1 } 'patch /api/me', 'delete /api/me/sessions', 'delete /api/me/sessions/{id}', map { "post /api/me/$_" } qw(password totp totp/confirm totp/recovery-codes totp/disable);

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
			my $else = $path eq '/oauth/token' ? 'oauth_error' : 'problem';
			is $operation->{responses}{default}{'$ref'}, "#/components/responses/$else", 'what else it answers is a problem';
			is scalar(successes($operation)), 1, 'there is one success';
			my $anyone = $operation->{'x-access'} eq 'anyone';
			is_deeply $operation->{security}, $anyone ? undef : [ { session => [] }, $in_person{"$method $path"} ? () : { token => [] } ], 'who may';
			is !!$operation->{responses}{401}, !$anyone, 'and that others may not' if $path ne '/oauth/token';
			is !!$operation->{responses}{403}, !$anyone, 'however they ask' if $path ne '/oauth/token';
		}
	}
	is_deeply [ sort keys %{ $document->{components}{securitySchemes} } ], [qw(session token)], 'by cookie or token';
	my @references = $reply->{content} =~ /"\$ref":"([^"]+)"/g;
	is_deeply [ grep { !$schema->at($_) } @references ], [], 'every reference leads somewhere';
};

subtest 'every route is in it, and nothing else' => sub {
	cmp_ok scalar(@routes), '>=', 14, 'there are routes';
	ok operation($_->{method}, $_->{path}), "$_->{method} $_->{path}" for @routes;
	my @told = map { my $path = $_; map { uc($_) . " $path" } keys %{ $document->{paths}{$path} } } keys %{ $document->{paths} };
	is_deeply [ sort @told ], [ sort map { "$_->{method} $_->{path}" } @routes ], 'no more than those';
};

$stack->stop;
done_testing;
