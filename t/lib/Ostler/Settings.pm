# Settings.pm - changes values in a rendered configuration file, for a test that needs others.
#
# It knows how our templates are laid out, not libconfig's language: a setting begins on a line of
# its own and ends with ";" at the end of a line; a pool is "\tNAME = {" to "\t};".
package Ostler::Settings;
use strict;
use warnings;

# Perl's value as libconfig's: a reference to a text is taken as it is.
sub literal
{
	my ($value) = @_;
	return $$value if ref $value eq 'SCALAR';
	return '[ ' . join(', ', map { literal($_) } @$value) . ' ]' if ref $value eq 'ARRAY';
	return $value if $value =~ /^(?:-?\d+|true|false)$/;
	(my $escaped = $value) =~ s/(["\\])/\\$1/g;
	return qq{"$escaped"};
}

# Replaces settings in TEXT that are indented by INDENT, or adds them; undef takes one away.
sub change
{
	my ($text, $indent, %value) = @_;
	for my $name (sort keys %value) {
		$text =~ s/^$indent\Q$name\E = .*?;\n//ms;
		$text .= "$indent$name = " . literal($value{$name}) . ";\n" if defined $value{$name};
	}
	return $text;
}

sub change_pool
{
	my ($text, $name, $value) = @_;
	return $text if $text =~ s{^(\t\Q$name\E = \{\n)(.*?)(?=^\t\};\n)}{ $1 . change($2, "\t\t", %$value) }mse;
	my $pool = "\n\t$name = {\n" . change('', "\t\t", %$value) . "\t};\n";
	$text =~ s/^\};\n\z/$pool};\n/m or die "no pools found\n";
	return $text;
}

sub edit
{
	my ($file, $change) = @_;
	open my $in, '<', $file or die "cannot read $file: $!\n";
	my $text = $change->(do { local $/; <$in> });
	close $in;
	open my $out, '>', $file or die "cannot write $file: $!\n";
	print {$out} $text;
	close $out or die "cannot write $file: $!\n";
}

# ETC: the folder of the rendered configuration.  WISHES: { app => { setting => value },
# ostler => { setting => value }, pools => { name => { setting => value } } }.
sub apply
{
	my ($etc, $wishes) = @_;
	edit("$etc/ostler-app.conf", sub { change($_[0], '', %{ $wishes->{app} }) }) if $wishes->{app};
	edit("$etc/ostler.conf", sub {
		my ($text) = @_;
		my %pools = %{ $wishes->{pools} // {} };
		$text = change_pool($text, $_, $pools{$_}) for sort keys %pools;
		return change($text, '', %{ $wishes->{ostler} // {} });
	});
}

1;
