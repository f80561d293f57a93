# Generate.pm - values that fit a JSON Schema, at its limits too, and values that do not fit it.
#
#     my $generate = Ostler::Generate->new($schema);        # an Ostler::Schema
#     $_ for $generate->right({ '$ref' => '#/components/schemas/new_task' });
#     my ($value, $pointer, $what) = @$_ for $generate->wrong(…);   # POINTER: where it does not fit
#
# Texts differ from each other, as far as their length allows: what must be unique is.  Each value
# is held against the schema: nothing is called right or wrong that Ostler::Schema does not call so.
package Ostler::Generate;
use strict;
use warnings;
use utf8;
use JSON::PP ();

my $count = 0;

sub new { my ($class, $schema) = @_; return bless { schema => $schema }, $class }

sub resolved
{
	my ($self, $schema) = @_;
	return $schema->{'$ref'} ? $self->{schema}->at($schema->{'$ref'}) : $schema;
}

sub fits { my ($self, $value, $schema) = @_; return !$self->{schema}->check($value, $schema) }

# --- right ---

my %sample = (
	'date-time' => [qw(2026-01-31T23:59:59Z 2024-02-29T00:00:00.123456-03:00)], date => [qw(2026-01-31 2024-02-29)],
	uuid => [qw(123e4567-e89b-12d3-a456-426614174000 FFFFFFFF-0000-4000-8000-00000000000A)], uri => [ 'https://example.org/a?b=c#d', 'http://[::1]:8080/' ], cursor => [],
);

# LENGTH letters, of more than one byte as soon as there is room for some.
sub text
{
	my ($length) = @_;
	my $number = sprintf '%s', ++$count;
	return ('a' .. 'z', 'A' .. 'Z')[$count % 52] if $length == 1;
	return $length <= length $number ? substr $number, -$length : $number . 'é' x ($length - length $number);
}

sub right_strings
{
	my ($self, $schema) = @_;
	return @{ $schema->{enum} } if $schema->{enum};
	return @{ $sample{ $schema->{format} } } if $sample{ $schema->{format} // '' };
	return ('a' . ++$count . '@example.org') if ($schema->{format} // '') eq 'email';
	my ($least, $most) = ($schema->{minLength} // 0, $schema->{maxLength} // 100);
	# Short texts and samples cannot all differ.
	return map { text($_) } 8, $most if $schema->{'x-unique'};
	return (@{ $schema->{examples} // [] }, '2026-01', text($most < 8 ? $most : 8 < $least ? $least : 8), $least ? text($least) : '', text($most));
}

sub right_numbers
{
	my ($schema) = @_;
	my ($least, $most) = ($schema->{minimum} // -1000, $schema->{maximum} // 1000);
	my @numbers = (int(($least + $most) / 2), $least, $most, $schema->{maximum} // 9007199254740991);
	push @numbers, $least + 0.01, $most - 0.5 if $schema->{type} eq 'number' || (ref $schema->{type} && $schema->{type}[0] eq 'number');
	return @numbers;
}

# Each is made anew, so that what must be unique is so in each of them.
sub right_objects
{
	my ($self, $schema) = @_;
	my $properties = $schema->{properties};
	my $some = sub { return map { my ($first) = $self->right($properties->{$_}); defined $first || $self->fits(undef, $properties->{$_}) ? ($_ => $first) : () } @_ };
	my @objects = ({ $some->(@{ $schema->{required} }) }, { $some->(keys %$properties) });
	for my $name (sort keys %$properties) {
		push @objects, map { { $some->(@{ $schema->{required} }), $name => $_ } } $self->right($properties->{$name});
	}
	return @objects;
}

sub right_lists
{
	my ($self, $schema) = @_;
	my @items = $self->right($schema->{items});
	my ($least, $most) = ($schema->{minItems} // 0, $schema->{maxItems} // 10);
	return ([ ($items[0]) x ($least || 1) ], $least ? () : [], [ ($items[0]) x $most ], map { [ ($_) x ($least || 1) ] } @items);
}

# Values that fit, an ordinary one first.
sub right
{
	my ($self, $schema) = @_;
	$schema = $self->resolved($schema);
	my @among = @{ $schema->{oneOf} // $schema->{anyOf} // [] };
	return map { $self->right($_) } @among if @among;
	my ($type, $or_null) = ref $schema->{type} ? @{ $schema->{type} } : $schema->{type};
	my @values = $type eq 'object' ? $self->right_objects($schema) : $type eq 'array' ? $self->right_lists($schema)
	    : $type eq 'boolean' ? (JSON::PP::true, JSON::PP::false) : $type eq 'null' ? (undef)
	    : $type eq 'string' ? $self->right_strings($schema) : right_numbers($schema);
	return grep { $self->fits($_, $schema) } @values, $or_null ? (undef) : ();
}

# --- wrong ---

sub wrong_scalars
{
	my ($self, $schema) = @_;
	my @values = ('', ' ', 'x', "\x{1F40E}" x 3, 'no@', '@no', 'javascript:alert(1)', '2026-02-30', '2026-13', '2026-01-31T24:00:00Z', '1e3', 7, -1, 1.5, 0.001,
		JSON::PP::true, undef, [], {}, [1], { a => 1 });
	push @values, $schema->{minimum} - 1, $schema->{minimum} - 0.01 if defined $schema->{minimum};
	push @values, $schema->{maximum} + 1, $schema->{maximum} + 0.01 if defined $schema->{maximum};
	push @values, text($schema->{minLength} - 1) if ($schema->{minLength} // 0) > 1;
	push @values, text($schema->{maxLength} + 1) if defined $schema->{maxLength} && $schema->{maxLength} < 100_000;
	push @values, map { (uc $_, "$_ ") } @{ $schema->{enum} // [] }[0] if $schema->{enum};
	push @values, map { "$_\n" } $self->right_strings($schema) if $schema->{pattern} && $schema->{type} eq 'string';
	return map { [ $_, '' ] } @values;
}

sub wrong_objects
{
	my ($self, $schema) = @_;
	my %base = map { $_ => ($self->right($schema->{properties}{$_}))[0] } @{ $schema->{required} };
	my @values = map { my $name = $_; [ { map { $_ => $base{$_} } grep { $_ ne $name } keys %base }, "/$name" ] } @{ $schema->{required} };
	push @values, [ { %base, 'no/such~name' => 1 }, '/no~1such~0name' ];
	for my $name (sort keys %{ $schema->{properties} }) {
		push @values, map { [ { %base, $name => $_->[0] }, "/$name$_->[1]" ] } $self->wrong($schema->{properties}{$name});
	}
	return @values, map { [ $_, '' ] } 'x', 7, JSON::PP::true, undef, [];
}

sub wrong_lists
{
	my ($self, $schema) = @_;
	my ($least, $most) = ($schema->{minItems} // 0, $schema->{maxItems});
	my $item = ($self->right($schema->{items}))[0];
	my @values = (map { [ $_, '' ] } 'x', 7, JSON::PP::false, undef, { a => 1 }, $least ? [ ($item) x ($least - 1) ] : (), $most ? [ ($item) x ($most + 1) ] : ());
	# The wrong item is the last of several, so that its pointer has to count.
	my $before = ($most // 2) > 1 ? 1 : 0;
	push @values, map { [ [ ($item) x $before, $_->[0] ], "/$before$_->[1]" ] } $self->wrong($schema->{items});
	return @values;
}

# [ value, pointer ] pairs: values that do not fit, and where.
sub wrong
{
	my ($self, $schema) = @_;
	$schema = $self->resolved($schema);
	if (my @among = map { $self->resolved($_) } @{ $schema->{oneOf} // $schema->{anyOf} // [] }) {
		# A list where an object may stand, or the other way round, is wrong by what the other says.
		my %others = map { $_->{type} => 1 } @among;
		return grep { !$self->fits($_->[0], $schema) } map {
			my $type = $_->{type};
			grep { my $is = Ostler::Schema::type_of($_->[0]); $is eq $type || !$others{$is} } $self->wrong($_)
		} @among;
	}
	my ($type) = ref $schema->{type} ? @{ $schema->{type} } : $schema->{type};
	return if $type eq 'null';
	my @values = $type eq 'object' ? $self->wrong_objects($schema) : $type eq 'array' ? $self->wrong_lists($schema) : $self->wrong_scalars($schema);
	return grep { !$self->fits($_->[0], $schema) } @values;
}

1;
