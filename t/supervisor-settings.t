#!/usr/bin/perl
# supervisor-settings.t - every setting there is, wrong in every way its kind can be: refused, at its line.
#
# The settings are those that "ostlerd --settings" prints, so that a new one is tried without a word here.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::Supervisor;
use Test::More;

my $good = 'kind = "worker"; command = [ "/bin/sleep", "1" ];';
my %usual = (control => '"%D/ctl/ostlerd.sock"', pools => "{ web = { $good }; }");

my $any = Ostler::Supervisor->new(conf => '');
my (undef, $printed) = $any->run(Ostler::Supervisor::program('ostlerd'), '--settings');
my @settings = map { my %s; @s{qw(section name kind default min max)} = split /\t/; \%s } split /\n/, $printed;
cmp_ok scalar(grep { $_->{section} eq 'pool' } @settings), '>', 20, 'there are settings of a pool';
cmp_ok scalar(grep { $_->{section} eq 'top' } @settings), '>', 5, 'and others';

# What no setting of a kind can be, as it would stand in the file.
my %values = (
	text => [ '7', '-7', '1.5', 'true', '[ "a" ]', '{ a = 1; }' ],
	number => [ '"seven"', '"7"', '1.5', 'true', '[ 7 ]', '{ a = 1; }' ],
	boolean => [ '"true"', '1', '0', '1.0', '[ true ]', '{ a = 1; }' ],
	duration => [ '""', '"5"', '"-5s"', '"5 parsecs"', '"s"', '"1.5"', '"99999999999999999999s"', '5', '-5', '1.5', 'true', '[ "5s" ]', '{ a = 1; }' ],
	size => [ '""', '"-5K"', '"5Q"', '"K"', '"1.5K"', '"99999999999999999999G"', '-5', '1.5', 'true', '[ "5K" ]', '{ a = 1; }' ],
	choice => [ '""', '"none of them"', '7', '1.5', 'true', '[ "a" ]', '{ a = 1; }' ],
	words => [ '"text"', '7', '1.5', 'true', '[ 1, 2 ]', '( "a", 2 )', '( ( "a" ) )', '{ a = 1; }' ],
	groups => [ '"text"', '7', '1.5', 'true', '[ "a" ]', '( { a = 1; } )' ]);

# What lies just outside of its limits, and far outside.
sub beyond
{
	my ($s) = @_;
	my ($min, $max) = @$s{qw(min max)};
	return () if $max == 0;
	return map { qq("$_") } ($min > 0 ? 'x' x ($min - 1) : ()), 'x' x ($max + 1) if $s->{kind} eq 'text';
	return map { sprintf '[ %s ]', join ', ', ('"x"') x $_ } ($min > 0 ? $min - 1 : ()), $max + 1 if $s->{kind} eq 'words';
	return map { qq("${_}ms") } $min - 1, $max + 1 if $s->{kind} eq 'duration';
	return ($min - 1 . 'L', $max + 1 . 'L', ($min < 0 ? () : '-1'), '9223372036854775807L');
}

# The number of workers can be a group, too; what that has in it is a section of its own.
sub wrongs
{
	my ($s) = @_;
	my @wrong = @{ $values{ $s->{kind} } // die "$s->{kind} is a new kind\n" };
	return (grep({ "$s->{section} $s->{name}" ne 'pool workers' || $_ ne '{ a = 1; }' } @wrong), beyond($s));
}

# Has ostlerd start, not only check, with this configuration.  Returns its complaints by line.
sub refused
{
	my ($text) = @_;
	my $ostlerd = Ostler::Supervisor->new(conf => $text);
	my $status = $ostlerd->start->wait_for_end;
	is $status, 2, 'exit status 2';
	is_deeply [ glob $ostlerd->folder . '/{sock,ctl,log}/*' ], [], 'nothing is made';
	my %at;
	for my $line (split /\n/, $ostlerd->messages) {
		my ($number, $complaint) = $line =~ m{^\Q@{[ $ostlerd->conf ]}\E:(\d+): (.*)$};
		push @{ $at{ $number // 'nowhere' } }, $complaint // $line;
	}
	return \%at;
}

# One complaint at the line: it names the setting and says what it can be.
sub complains
{
	my ($at, $line, $name, $wrong) = @_;
	my @complaints = @{ delete $at->{$line} // [] };
	my $value = length $wrong > 60 ? substr($wrong, 0, 57) . '...' : $wrong;
	is scalar(@complaints), 1, "$name = $value" or return;
	like $complaints[0], qr/^\Q$name\E (?:must (?:be|not)|cannot be) \S/, 'with a hint';
}

subtest 'of pools, all in one file: each is complained of, at its line' => sub {
	my (@lines, @expected);
	for my $s (grep { $_->{section} eq 'pool' } @settings) {
		for my $wrong (wrongs($s)) {
			my $rest = join ' ', map { $_->{name} eq $s->{name} ? () : "$_->{name} = " . ($_->{name} eq 'kind' ? '"worker";' : '[ "/bin/sleep", "1" ];') }
			    grep { $_->{section} eq 'pool' && $_->{default} eq 'required' } @settings;
			push @expected, [ $s->{name}, $wrong ];
			push @lines, sprintf 'p%d = { %s %s = %s; };', scalar(@expected), $rest, $s->{name}, $wrong;
		}
	}
	for my $s (grep { $_->{section} eq 'workers' } @settings) {
		for my $wrong (wrongs($s)) {
			push @expected, [ $s->{name}, $wrong ];
			push @lines, sprintf 'p%d = { %s workers = { %s %s = %s; }; };', scalar(@expected), $good, $s->{name} eq 'max' ? '' : 'max = 4;', $s->{name}, $wrong;
		}
	}
	my $at = refused(join "\n", 'control = "%D/ctl/ostlerd.sock"; pools = {', @lines, '};');
	complains($at, $_ + 2, @{ $expected[$_] }) for 0 .. $#expected;
	is_deeply $at, {}, 'and nothing else is complained of';
	cmp_ok scalar(@expected), '>', 250, scalar(@expected) . ' mistakes';
};

# A file with these settings at the top, each on a line of its own.
sub top { my (%value) = @_; return join '', map { "$_ = $value{$_};\n" } sort keys %value }

for my $s (grep { $_->{section} eq 'top' } @settings) {
	subtest "$s->{name}, at the top" => sub {
		for my $wrong (wrongs($s)) {
			my %value = (%usual, $s->{name} => $wrong);
			my ($line) = grep { (sort keys %value)[ $_ - 1 ] eq $s->{name} } 1 .. keys %value;
			my $at = refused(top(%value));
			complains($at, $line, $s->{name}, $wrong);
			is_deeply $at, {}, 'and nothing else';
		}
	};
}

subtest 'given twice, misspelled or missing' => sub {
	for my $s (@settings) {
		my $name = $s->{name};
		my $pool = $s->{section} ne 'top';
		my ($before, $after) = $s->{section} eq 'workers' ? ("web = { $good workers = {", '}; };') : $pool ? ('web = {', '};') : ();
		my $about = sub { my ($text) = @_; my $at = refused($pool ? "control = $usual{control}; pools = { $before\n$text$after };" : $text); [ map { "$_: @{ $at->{$_} }" } sort keys %$at ] };
		my %value = $s->{section} eq 'workers' ? (max => 4) : $pool ? (kind => '"worker"', command => '[ "/bin/sleep", "1" ]') : %usual;
		delete $value{$name};
		my $others = join ' ', map { "$_ = $value{$_};" } sort keys %value;
		is_deeply $about->("$name = 1;\n$name = 1; $others\n"), [ ($pool ? 3 : 2) . ': duplicate setting name' ], "$name twice";
		my $found = $about->("$others $name$name = 1;\n");
		like "@$found", qr/\Q: unknown setting "$name$name"\E/, "a misspelled $name";
		next if $s->{default} ne 'required';
		like "@{ $about->(qq($others\n)) }", qr/\b\Q$name\E is missing/, "no $name";
	}
	my $typing = refused("control = $usual{control}; pools = { web = { $good\nworkerz = 3; }; };");
	is_deeply $typing, { 2 => ['unknown setting "workerz"; did you mean "workers"?'] }, 'with what was meant';
};

# --- files that are none, and includes ---

# What is complained of when the file is as CODE leaves it.
sub file_refused
{
	my ($what, $text, $pattern, $code) = @_;
	subtest $what => sub {
		my $ostlerd = Ostler::Supervisor->new(conf => $text);
		my @as = $code ? $code->($ostlerd) : ();
		my ($status, $out, $complaints) = $ostlerd->run(@as, Ostler::Supervisor::program('ostlerd'), '-c', $ostlerd->conf);
		is $status, 2, 'exit status 2';
		my $folder = $ostlerd->folder;
		$complaints =~ s/\Q$folder\E/%D/g;
		like $complaints, $pattern, 'it says what and where';
		is scalar(() = $complaints =~ /\n/g), 1, 'in one line';
		is_deeply [ glob $ostlerd->folder . '/{sock,ctl,log}/*' ], [], 'nothing is made';
	};
}

sub put { my ($ostlerd, $name, $text) = @_; open my $out, '>', $ostlerd->folder . "/$name" or die "$name: $!"; print {$out} $text }

my $whole = top(%usual);
file_refused('an empty file', '', qr/^%D\/ostler\.conf: pools is missing$/);
file_refused('a file with a NUL', "$whole\0", qr/^%D\/ostler\.conf: has a NUL byte in it/);
file_refused('a file of more than a megabyte', $whole . '#' x (1 << 20), qr/^%D\/ostler\.conf: larger than 1 MB$/);
file_refused('a folder', $whole, qr/^%D\/ostler\.conf: not a regular file$/, sub { unlink $_[0]->conf; mkdir $_[0]->conf or die $!; () });
file_refused('a pipe', $whole, qr/^%D\/ostler\.conf: not a regular file$/, sub { unlink $_[0]->conf; POSIX::mkfifo($_[0]->conf, 0600) or die $!; () });
file_refused('no file', $whole, qr/^%D\/ostler\.conf: cannot read: No such file or directory$/, sub { unlink $_[0]->conf; () });
SKIP: {
	skip 'root can read everything, and there is nobody else to be', 1 if $> != 0;
	file_refused('a file that cannot be read', $whole, qr/^%D\/ostler\.conf: cannot read: Permission denied$/, sub {
		my ($ostlerd) = @_;
		chmod 0600, $ostlerd->conf;
		my $copy = $ostlerd->folder . '/ostlerd';
		$ostlerd->run('cp', Ostler::Supervisor::program('ostlerd'), $copy);
		chmod 0755, $copy;
		return ('setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '/bin/sh', '-c', "shift; exec $copy \"\$@\"", 'sh');
	});
}
my $including = qq(# a comment\n\@include "more"\n$whole);
file_refused('an include of a folder', $including, qr/^%D\/ostler\.conf:2: \@include "more": %D\/more is a folder; name a file/, sub { mkdir $_[0]->folder . '/more'; () });
file_refused('an include of what is not there', $including, qr/^%D\/ostler\.conf:2: cannot open include file/);
file_refused('an include of itself', qq($whole\@include "ostler.conf"\n), qr/^%D\/ostler\.conf:3: \@include "ostler.conf": %D\/ostler\.conf is included by itself$/);
file_refused('an include of itself by another', $including, qr/^%D\/more:2: \@include "ostler.conf": %D\/ostler\.conf is included by itself$/,
	sub { put($_[0], 'more', qq(window = "1s";\n\@include "ostler.conf"\n)); () });
file_refused('an include of a folder by an include', $including, qr/^%D\/more:1: \@include "inner": %D\/inner is a folder/,
	sub { mkdir $_[0]->folder . '/inner'; put($_[0], 'more', qq(\@include "inner"\n)); () });
file_refused('a mistake in an included file', $including, qr/^%D\/more:3: window must be a number and its unit/, sub { put($_[0], 'more', qq(\n\nwindow = "5";\n)); () });
file_refused('a file cut off in the middle', substr($whole, 0, -8), qr/^%D\/ostler\.conf:\d+: syntax error$/);

done_testing;
