# Schema.pm - whether a value fits a JSON Schema, for the part of the language that OpenAPI
# documents of ours use.  A keyword that is not known here is reported: none is passed over.
#
#     my @wrong = Ostler::Schema->new($document)->check($value, { '$ref' => '#/components/schemas/task' });
package Ostler::Schema;
use strict;
use warnings;
use B ();
use JSON::PP ();

sub new { my ($class, $document) = @_; return bless { document => $document }, $class }

# What a JSON pointer of the document leads to.
sub at
{
	my ($self, $reference) = @_;
	my $place = $self->{document};
	for my $step (split m{/}, $reference =~ s{^#/}{}r) {
		$step =~ s/~1/\//g;
		$step =~ s/~0/~/g;
		$place = ref $place eq 'HASH' ? $place->{$step} : undef;
	}
	return $place;
}

sub type_of
{
	my ($value) = @_;
	return 'null' if !defined $value;
	return 'boolean' if JSON::PP::is_bool($value);
	return ref $value eq 'ARRAY' ? 'array' : 'object' if ref $value;
	return 'string' if !(B::svref_2object(\$value)->FLAGS & (B::SVp_IOK | B::SVp_NOK));
	return $value =~ /^-?\d+\z/ ? 'integer' : 'number';
}

my %check = (
	type => sub {
		my (undef, $value, $types) = @_;
		my $type = type_of($value);
		return if grep { $_ eq $type || ($_ eq 'number' && $type eq 'integer') } ref $types ? @$types : $types;
		return "is $type";
	},
	enum => sub { my (undef, $value, $words) = @_; return (grep { $_ eq $value } @$words) ? () : "is $value" },
	minLength => sub { my (undef, $value, $least) = @_; return length $value < $least ? 'is too short' : () },
	maxLength => sub { my (undef, $value, $most) = @_; return length $value > $most ? 'is too long' : () },
	minimum => sub { my (undef, $value, $least) = @_; return $value < $least ? 'is too small' : () },
	maximum => sub { my (undef, $value, $most) = @_; return $value > $most ? 'is too large' : () },
	format => sub {
		my (undef, $value, $format) = @_;
		my %pattern = (int64 => qr/^-?\d{1,19}\z/, date => qr/^\d{4}-\d\d-\d\d\z/, decimal => qr/^-?\d{1,13}(?:\.\d+)?\z/,
			uuid => qr/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\z/i, email => qr/^[^@\s]+@[^@\s]+\z/, uri => qr/^[a-z][a-z0-9+.-]*:\S+\z/,
			'date-time' => qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)\z/);
		return "has the unknown format $format" if !$pattern{$format};
		return if !defined $value;    # that it may be null is said by its type
		return $value =~ $pattern{$format} ? () : "is no $format";
	},
	pattern => sub { my (undef, $value, $pattern) = @_; return $value =~ /$pattern/ ? () : "does not match $pattern" },
	multipleOf => sub { my (undef, $value, $step) = @_; return abs($value / $step - sprintf '%.0f', $value / $step) < 1e-6 ? () : "is no multiple of $step" },
	required => sub { my (undef, $value, $names) = @_; return map { "lacks $_" } grep { !exists $value->{$_} } @$names },
	properties => sub {
		my ($self, $value, $schemas, undef, $where) = @_;
		return map { $self->check($value->{$_}, $schemas->{$_}, "$where/$_") } grep { exists $value->{$_} } sort keys %$schemas;
	},
	additionalProperties => sub {
		my (undef, $value, $allowed, $schema) = @_;
		return if $allowed;    # any object
		return map { "has the unknown $_" } grep { !exists $schema->{properties}{$_} } sort keys %$value;
	},
	items => sub {
		my ($self, $value, $schema, undef, $where) = @_;
		return map { $self->check($value->[$_], $schema, "$where/$_") } 0 .. $#$value;
	},
	minItems => sub { my (undef, $value, $least) = @_; return @$value < $least ? 'has too few items' : () },
	maxItems => sub { my (undef, $value, $most) = @_; return @$value > $most ? 'has too many items' : () },
	anyOf => sub {
		my ($self, $value, $schemas, undef, $where) = @_;
		return (grep { !$self->check($value, $_, $where) } @$schemas) ? () : 'fits none of the schemas';
	},
	oneOf => sub {
		my ($self, $value, $schemas, undef, $where) = @_;
		my $fitting = grep { !$self->check($value, $_, $where) } @$schemas;
		return $fitting == 1 ? () : "fits $fitting of the schemas";
	},
	'$ref' => sub {
		my ($self, $value, $reference, undef, $where) = @_;
		my $schema = $self->at($reference) or return "leads to $reference, where nothing is";
		return $self->check($value, $schema, $where);
	},
	map { ($_ => sub { return }) } qw(description default examples contentMediaType),
);

# What does not fit, as "/where what" texts; nothing when all does.
sub check
{
	my ($self, $value, $schema, $where) = @_;
	$where //= '';
	my @wrong = map { my $keyword = $_; $check{$keyword}
		? $check{$keyword}->($self, $value, $schema->{$keyword}, $schema, $where)
		: "has the keyword $keyword, which is not known here" } sort keys %$schema;
	return map { m{^/} ? $_ : "$where/ $_" } @wrong;
}

1;
