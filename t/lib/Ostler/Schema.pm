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

# A day that the calendar has.
sub is_date
{
	my ($text) = @_;
	my ($year, $month, $day) = $text =~ /^(\d{4})-(\d\d)-(\d\d)\z/a or return 0;
	return 0 if $year < 1 || $month < 1 || $month > 12;
	my $leap = ($year % 4 == 0 && $year % 100 != 0) || $year % 400 == 0;
	return $day >= 1 && $day <= (31, 28 + $leap, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[$month - 1];
}

my %format = (
	cursor => sub { $_[0] =~ /^[A-Za-z0-9_-]+\z/ },
	int64 => sub { $_[0] =~ /^-?\d{1,19}\z/a },
	decimal => sub { $_[0] =~ /^-?\d{1,13}(?:\.\d+)?\z/a },
	date => \&is_date,
	'date-time' => sub { $_[0] =~ /^(.{10})T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-](?:0\d|1[0-5]):[0-5]\d)\z/a && is_date($1) },
	uuid => sub { $_[0] =~ /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\z/i },
	email => sub { $_[0] =~ /^[!-?A-~]+@[A-Za-z0-9]+(?:[.-][A-Za-z0-9]+)*\z/ },
	uri => sub { $_[0] =~ m{^[a-z][a-z0-9+.-]*:[!#-;=?-Z\[\]_a-z~]+\z}i },
);

# The types that a keyword is about: to values of others it says nothing.
my %about = ((map { $_ => [qw(string)] } qw(minLength maxLength pattern)), (map { $_ => [qw(integer number)] } qw(minimum maximum multipleOf)),
	(map { $_ => [qw(array)] } qw(items minItems maxItems)), (map { $_ => [qw(object)] } qw(properties required additionalProperties)),
	format => [qw(string integer number)]);

my %check = (
	type => sub {
		my (undef, $value, $types) = @_;
		my $type = type_of($value);
		return if grep { $_ eq $type || ($_ eq 'number' && $type eq 'integer') } ref $types ? @$types : $types;
		return "is $type";
	},
	enum => sub {
		my (undef, $value, $words) = @_;
		return if grep { defined $value ? defined && $_ eq $value : !defined } @$words;
		return 'is none of the words';
	},
	minLength => sub { my (undef, $value, $least) = @_; return length $value < $least ? 'is too short' : () },
	maxLength => sub { my (undef, $value, $most) = @_; return length $value > $most ? 'is too long' : () },
	minimum => sub { my (undef, $value, $least) = @_; return $value < $least ? 'is too small' : () },
	maximum => sub { my (undef, $value, $most) = @_; return $value > $most ? 'is too large' : () },
	format => sub {
		my (undef, $value, $format) = @_;
		return "has the unknown format $format" if !$format{$format};
		return $format{$format}->($value) ? () : "is no $format";
	},
	pattern => sub { my (undef, $value, $pattern) = @_; $pattern =~ s/(?<!\\)\$\z/\\z/; return $value =~ /$pattern/a ? () : "does not match $pattern" },
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
	map { ($_ => sub { return }) } qw(description default examples contentMediaType x-unique),
);

# What does not fit, as "/where what" texts; nothing when all does.
sub check
{
	my ($self, $value, $schema, $where) = @_;
	$where //= '';
	my @wrong;
	for my $keyword (sort keys %$schema) {
		push @wrong, "has the keyword $keyword, which is not known here" and next if !$check{$keyword};
		next if $about{$keyword} && !grep { $_ eq type_of($value) } @{ $about{$keyword} };
		push @wrong, $check{$keyword}->($self, $value, $schema->{$keyword}, $schema, $where);
	}
	return map { m{^/} ? $_ : "$where/ $_" } @wrong;
}

1;
