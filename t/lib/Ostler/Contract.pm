# Contract.pm - a stack held to its own OpenAPI document: every operation, with what fits and with what does not.
#
#     my $contract = Ostler::Contract->new($stack);
#     $contract->drive($_) for $contract->operations;
#
# What a document cannot say is told to new():
#     names => { '/api/jobs/{id}' => sub { … } }    makes what a {name} stands for; else the collection above it does
#     as => { 'POST /api/logout' => undef }         who asks, as in Ostler; or a sub that says so for each request
#     right => { 'GET /api/vendas' => [ … ] }       queries (hashes) or bodies (texts) that are right, instead of those generated
#
# What fits must be answered with the promised success; what does not, with 422 and the pointer to
# it; every answer must be of the promised media type, and its body must fit the promised schema.
package Ostler::Contract;
use strict;
use warnings;
use JSON::PP ();

use Ostler::Generate;
use Ostler::Schema;
use Test::More;

my $json = JSON::PP->new->canonical->utf8->allow_nonref;

sub new
{
	my ($class, $stack, %told) = @_;
	my $document = $stack->get('/openapi.json')->{json};
	my $schema = Ostler::Schema->new($document);
	return bless { stack => $stack, document => $document, schema => $schema, generate => Ostler::Generate->new($schema), %told }, $class;
}

sub schema    { return $_[0]{schema} }
sub document  { return $_[0]{document} }
sub operation { my ($self, $method, $path) = @_; return $self->{document}{paths}{$path}{ lc $method } }

# All of them, [ method, path ] each.
sub operations
{
	my ($self) = @_;
	my $paths = $self->{document}{paths};
	return map { my $path = $_; map { [ uc, $path ] } sort keys %{ $paths->{$path} } } sort keys %$paths;
}

# The status that it promises when all is well.
sub success { my ($self, $method, $path) = @_; my ($status) = sort grep { /^[23]/ } keys %{ $self->operation($method, $path)->{responses} }; return $status }

# The status of a refusal: OAuth knows no finer one than 400, and promises none.
sub refusal { my ($self, $status, $method, $path) = @_; return $self->operation($method, $path)->{responses}{$status} ? $status : 400 }

# What is wrong with an answer, compared with what its operation promises; nothing when it fits.
sub misfits
{
	my ($self, $got, $method, $path) = @_;
	my $responses = $self->operation($method, $path)->{responses};
	my $response = $responses->{ $got->{status} } // $responses->{default};
	$response = $self->{schema}->at($response->{'$ref'}) if $response->{'$ref'};
	my $content = $response->{content} or return length($got->{content} // '') ? 'has a body' : ();
	my ($media) = ($got->{headers}{'content-type'} // '') =~ /^([^;]*)/;
	return "is of the type \"$media\"" if !$content->{$media};
	return $self->{schema}->check($got->{json} // $got->{content}, $content->{$media}{schema});
}

# --- one request ---

# The path with its {names} filled in: those that name a thing by an id of its own, new for each request.
sub fill
{
	my ($self, $method, $path) = @_;
	my $filled = $path;
	for my $parameter (grep { $_->{in} eq 'path' } @{ $self->operation($method, $path)->{parameters} // [] }) {
		my $value = $self->{names}{$path} ? $self->{names}{$path}->()
		    : $parameter->{schema}{type} eq 'integer' ? $self->new_id($path =~ m{^(.*)/\{}) : ($self->{generate}->right($parameter->{schema}))[0];
		$filled =~ s/\{\Q$parameter->{name}\E\}/$value/;
	}
	return $filled;
}

# The id of something made at COLLECTION.
sub new_id
{
	my ($self, $collection) = @_;
	my $operation = $self->operation(POST => $collection) or die "nothing can be made at $collection\n";
	my ($body) = $self->{generate}->right($operation->{requestBody}{content}{'application/json'}{schema});
	my $made = $self->{stack}->post($collection, json => $body);
	die "POST $collection made nothing: $made->{content}\n" if !$made->{json}{id};
	return $made->{json}{id};
}

# Whether the answer is one of STATUS that fits, with an error at POINTER when one is given.
sub answers
{
	my ($self, $got, $expected, $operation, $pointer) = @_;
	my @wrong = $self->misfits($got, @$operation);
	push @wrong, "status $got->{status} instead of $expected" if $got->{status} != $expected;
	push @wrong, "no error at \"$pointer\"" if defined $pointer && !grep { $_->{pointer} eq $pointer } @{ ($got->{json} // {})->{errors} // [] };
	return @wrong ? join('; ', @wrong) . ': ' . substr $got->{content} // '', 0, 300 : ();
}

# Sends each of REQUESTS, [ what, status, pointer, wishes… ]; one test for all of them.
sub all_answered
{
	my ($self, $operation, $name, @requests) = @_;
	my ($method, $path) = @$operation;
	my @wrong;
	for my $request (@requests) {
		my ($what, $status, $pointer, %wish) = @$request;
		my $target = ($wish{path} // $self->fill($method, $path)) . ($wish{query} // '');
		my $as = $self->{as}{"$method $path"};
		my %as = exists $self->{as}{"$method $path"} ? (as => ref $as ? $as->() : $as) : ();
		my $got = $self->{stack}->request($method => $target, %as, %wish);
		push @wrong, map { "$what: $_" } $self->answers($got, $status, $operation, $pointer);
	}
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is join("\n", @wrong[ 0 .. ($#wrong < 9 ? $#wrong : 9) ]), '', "$method $path: " . scalar(@requests) . " $name";
	return;
}

# --- queries and forms: everything is text ---

sub encoded { my ($text) = @_; utf8::encode($text); return $text =~ s/([^A-Za-z0-9._~-])/sprintf '%%%02X', ord $1/ger }

# A value as a query writes it: text, a list of texts; undef: it cannot.
sub as_text
{
	my ($value) = @_;
	return $value ? 'true' : 'false' if JSON::PP::is_bool($value);
	return [ map { as_text($_) } @$value ] if ref $value eq 'ARRAY';
	return defined $value && !ref $value ? "$value" : undef;
}

sub pairs
{
	my (%value) = @_;
	return join '&', map { my $name = $_; map { encoded($name) . '=' . encoded($_) } ref $value{$name} ? @{ $value{$name} } : $value{$name} } sort keys %value;
}

# Whether VALUE, wrong as JSON, is wrong as text too: "7" is a good number there, and no list is a text.
sub wrong_as_text
{
	my ($self, $value, $schema) = @_;
	my ($type) = $schema->{type};
	return ref $value eq 'ARRAY' && @$value && !grep { !defined || (ref && !JSON::PP::is_bool($_)) || !$self->wrong_item($_, $schema->{items}) } $value->[-1] if $type eq 'array';
	return $self->wrong_item($value, $schema);
}

sub wrong_item
{
	my ($self, $value, $schema) = @_;
	return 0 if !defined $value || ref $value;
	my $type = Ostler::Schema::type_of($value);
	return $type eq 'string' if $schema->{type} eq 'string';
	return $type ne 'string' || $value !~ /^-?\d+(?:\.\d+)?(?:e\d+)?\z/ if $schema->{type} =~ /^(?:integer|number)$/;
	return $value !~ /^(?:true|false)\z/;
}

# All right and all wrong ways to write PROPERTIES as pairs: [ texts, pointer or undef ] each.
sub pair_variants
{
	my ($self, $properties, $required, $open) = @_;
	my $generate = $self->{generate};
	my $base = sub { map { $_ => as_text(($generate->right($properties->{$_}))[0]) } @$required };
	my @right = ([ { $base->() } ]);
	my @wrong = map { my $name = $_; my %most = $base->(); delete $most{$name}; [ \%most, "/$name" ] } @$required;
	push @wrong, [ { $base->(), 'no/such' => 1 }, '/no~1such' ] unless $open;
	for my $name (sort keys %$properties) {
		my $schema = $properties->{$name};
		for my $value ($generate->right($schema)) {
			my $text = as_text($value);
			push @right, [ { $base->(), $name => $text } ] if defined $text;
		}
		for my $wrong ($generate->wrong($schema)) {
			push @wrong, [ { $base->(), $name => as_text($wrong->[0]) }, "/$name$wrong->[1]" ] if $self->wrong_as_text($wrong->[0], $schema);
		}
		push @wrong, [ { $base->(), $name => [ ($base->(), $name => as_text(($generate->right($schema))[0]) // 'x')[-1], 'x' ] }, "/$name" ] if $schema->{type} ne 'array';
	}
	return \@right, \@wrong;
}

sub drive_query
{
	my ($self, $method, $path) = @_;
	my @parameters = grep { $_->{in} eq 'query' } @{ $self->operation($method, $path)->{parameters} // [] };
	my ($right, $wrong) = $self->pair_variants({ map { $_->{name} => $_->{schema} } @parameters }, [ map { $_->{name} } grep { $_->{required} } @parameters ]);
	$right = [ map { [$_] } @{ $self->{right}{"$method $path"} } ] if $self->{right}{"$method $path"};
	my $query = sub { my $pairs = pairs(%{ $_[0] }); return length $pairs ? "?$pairs" : '' };
	my $success = $self->success($method, $path);
	$self->all_answered([ $method, $path ], 'right queries', map { my $query = $query->($_->[0]); [ $query, $success, undef, query => $query ] } @$right);
	$self->all_answered([ $method, $path ], 'wrong queries', map { my $query = $query->($_->[0]); [ $query, 422, $_->[1], query => $query ] } @$wrong);
	my ($needed) = $query->($right->[0][0]);
	$self->all_answered([ $method, $path ], 'broken queries', map { my $query = ($needed || '?x=1') . "&a=$_"; [ $query, 400, undef, query => $query ] } '%', '%zz', '%00', '%FF', '%C0%80', '%ED%A0%80');
}

sub drive_form
{
	my ($self, $method, $path, $schema) = @_;
	my ($right, $wrong) = $self->pair_variants($schema->{properties}, $schema->{required}, $schema->{additionalProperties});
	$right = [ map { [$_] } @{ $self->{right}{"$method $path"} } ] if $self->{right}{"$method $path"};
	my %typed = (headers => { 'Content-Type' => 'application/x-www-form-urlencoded' });
	my $success = $self->success($method, $path);
	$self->all_answered([ $method, $path ], 'right forms', map { my $pairs = pairs(%{ $_->[0] }); [ $pairs, $success, undef, content => $pairs, %typed ] } @$right);
	$self->all_answered([ $method, $path ], 'wrong forms', map { my $pairs = pairs(%{ $_->[0] }); [ $pairs, $self->refusal(422, $method, $path), $_->[1], content => $pairs, %typed ] } @$wrong);
	$self->all_answered([ $method, $path ], 'broken forms', map { [ $_, 400, undef, content => $_, %typed ] } 'a=%', 'a=%00', "a=\0", 'a=%FF');
}

# --- JSON ---

# A whole list has no member to point at: it is the body itself that is wrong, and no object at all is a 400.
sub status_of_wrong
{
	my ($value, $schema) = @_;
	return ref $value eq 'HASH' || (ref $value eq 'ARRAY' && $schema->{oneOf}) ? 422 : 400;
}

sub drive_json
{
	my ($self, $method, $path, $schema) = @_;
	my $success = $self->success($method, $path);
	my @right = map { my $body = $json->encode($_); [ $body, $success, undef, json => $_ ] } @{ $self->{right}{"$method $path"} // [ $self->{generate}->right($schema) ] };
	my @wrong = map {
		my $status = status_of_wrong($_->[0], $schema);
		my $body = $json->encode($_->[0]);
		[ $body, $status, $status == 422 ? $_->[1] : undef, json => $_->[0] ]
	} $self->{generate}->wrong($schema);
	$self->all_answered([ $method, $path ], 'right bodies', @right);
	$self->all_answered([ $method, $path ], 'wrong bodies', @wrong);
	$self->all_answered([ $method, $path ], 'broken bodies', map { [ $_, 400, undef, content => $_, headers => { 'Content-Type' => 'application/json' } ] }
		'', '{', '{"a":1,"a":2}', "{\"a\":\"\xFF\"}", '{"a":"\u0000"}', '{"a":01}', '[' x 100);
}

# --- files ---

# A body of multipart/form-data; a value that is a reference is a file: [ name, media, content ].
sub multipart
{
	my (%part) = @_;
	my $body = '';
	for my $name (sort keys %part) {
		my ($file, $media, $content) = ref $part{$name} ? @{ $part{$name} } : ();
		my $value = $content // $part{$name};
		utf8::encode($value) if utf8::is_utf8($value);
		$body .= "--limit\r\nContent-Disposition: form-data; name=\"$name\"" . (defined $file ? "; filename=\"$file\"\r\nContent-Type: $media" : '') . "\r\n\r\n$value\r\n";
	}
	return $body . "--limit--\r\n";
}

sub drive_files
{
	my ($self, $method, $path, $content) = @_;
	my ($schema, $encoding) = ($self->{generate}->resolved($content->{schema}), $content->{encoding} // {});
	my ($files, $texts) = ({}, {});
	$_->[1]{contentMediaType} ? $files->{ $_->[0] } = $_->[1] : $texts->{ $_->[0] } = $_->[1] for map { [ $_, $schema->{properties}{$_} ] } keys %{ $schema->{properties} };
	my %media = map { my @types = split /, /, $encoding->{$_}{contentType} // ''; $_ => $types[0] // 'application/octet-stream' } keys %$files;
	my $file = sub { my ($name, $size) = @_; return [ "$name.txt", $media{$name}, 'x' x $size ] };
	my %base = map { $_ => $file->($_, $files->{$_}{minLength} // 0) } grep { $files->{$_} } @{ $schema->{required} };
	my ($right, $wrong) = $self->pair_variants($texts, [ grep { $texts->{$_} } @{ $schema->{required} } ]);
	my (@right, @wrong) = map { { %base, %{ $_->[0] } } } @$right;
	push @wrong, map { [ { %base, %{ $_->[0] } }, $_->[1] ] } grep { !grep { ref } values %{ $_->[0] } } @$wrong;
	for my $name (sort keys %$files) {
		my ($least, $most) = @{ $files->{$name} }{qw(minLength maxLength)};
		push @right, { %base, $name => $file->($name, $most) } if $most;
		push @wrong, [ { %base, $name => $file->($name, $most + 1) }, "/$name" ] if $most;
		push @wrong, [ { %base, $name => $file->($name, $least - 1) }, "/$name" ] if $least;
		push @wrong, [ { %base, $name => 'a text' }, "/$name" ];
		push @wrong, map { [ { %base, $name => [ $_, $media{$name}, 'x' ] }, "/$name" ] } '../x', '/etc/passwd', 'a\\\\b', '..';
		push @wrong, [ { %base, $name => [ 'x', 'application/x-other', 'x' ] }, "/$name" ] if $encoding->{$name};
	}
	push @wrong, map { my %most = %base; delete $most{$_}; [ \%most, "/$_" ] } sort keys %base;
	my %typed = (headers => { 'Content-Type' => 'multipart/form-data; boundary=limit' });
	my $success = $self->success($method, $path);
	$self->all_answered([ $method, $path ], 'right forms', map { my $body = multipart(%$_); [ substr($body, 0, 200), $success, undef, content => $body, %typed ] } @right);
	$self->all_answered([ $method, $path ], 'wrong forms', map { my $body = multipart(%{ $_->[0] }); [ substr($body, 0, 200), 422, $_->[1], content => $body, %typed ] } @wrong);
	$self->all_answered([ $method, $path ], 'broken forms', map { [ $_, 400, undef, content => $_, %typed ] } '', 'x', '--limit', substr multipart(%base), 0, -8);
}

# --- a whole operation ---

# A body that no schema describes: right as it was told, and wrong in its type alone.
sub drive_told
{
	my ($self, $method, $path, $media) = @_;
	my @right = @{ $self->{right}{"$method $path"} // [] } or die "no right body of $method $path was told\n";
	$self->all_answered([ $method, $path ], 'right bodies', map { [ $_, $self->success($method, $path), undef, content => $_, headers => { 'Content-Type' => $media } ] } @right);
}

sub drive_body
{
	my ($self, $method, $path) = @_;
	my $content = $self->operation($method, $path)->{requestBody}{content};
	my ($media) = keys %$content;
	my $schema = $self->{generate}->resolved($content->{$media}{schema});
	$media eq 'application/json' ? $self->drive_json($method, $path, $schema)
	    : $media eq 'application/x-www-form-urlencoded' ? $self->drive_form($method, $path, $schema)
	    : $media eq 'multipart/form-data' ? $self->drive_files($method, $path, $content->{$media})
	    : $self->drive_told($method, $path, $media);
	$self->all_answered([ $method, $path ], 'other media types', map { [ $_, $self->refusal(415, $method, $path), undef, content => 'x=1', headers => { 'Content-Type' => $_ } ] }
		'text/plain', "$media, $media", "${media}x", "$media; charset=latin1", '');
}

sub drive_path
{
	my ($self, $method, $path) = @_;
	my @named = grep { $_->{in} eq 'path' } @{ $self->operation($method, $path)->{parameters} // [] } or return;
	my @wrong = map { my $filled = $path =~ s/\{\w+\}/$_/gr; [ $filled, 404, undef, path => $filled ] } 'x', '1.0', '%20', '99999999999999999999';
	$self->all_answered([ $method, $path ], 'paths to nowhere', @wrong);
}

sub drive
{
	my ($self, $operation) = @_;
	my ($method, $path) = @$operation;
	$self->drive_path($method, $path);
	return $self->drive_query($method, $path) if $method eq 'GET' || $method eq 'DELETE';
	return $self->drive_body($method, $path) if $self->operation($method, $path)->{requestBody};
	return $self->all_answered($operation, 'requests without a body', [ '', $self->success($method, $path), undef ]);
}

1;
