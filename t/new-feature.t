#!/usr/bin/perl
# new-feature.t - make new-feature writes a feature that passes its test as it stands, or writes nothing.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler;
use Ostler::Tree;
use Test::More;

my $folder = Ostler::Tree::copy();
chdir $folder or die "$folder: $!";

sub new_feature
{
	my (@words) = @_;
	return Ostler::run('/bin/sh', '-c', 'exec "$0" "$@" 2>&1', @words);
}

# Every file of the sources with its contents, to see whether anything changed.
sub tree
{
	my ($text) = Ostler::run('/bin/sh', '-c', q(find . -path ./build -prune -o -print0 | sort -z | xargs -0 -I{} sh -c 'echo "$1"; test -d "$1" || cksum <"$1"' - {}));
	return $text;
}

subtest 'a name that cannot be' => sub {
	my $before = tree();
	my %refusal = (
		'' => qr/which one\? make new-feature NAME=horses/,
		(map { $_ => qr/is no name for a feature/ } '1horse', '_horse', 'Horses', 'horse-race', 'horse race', '../horse', "h\xc3\xb6rse", 'horse;id', 'horses2'),
		(map { $_ => qr/is a word of C/ } qw(int while volatile)),
		(map { $_ => qr/is a word of SQL/ } qw(user order tablesample)),
		('x' x 31) => qr/is longer than 30 letters/,
		tasks => qr/there is a feature tasks already/,
		builtin => qr/is what the framework calls a part of its own/,
		bench => qr/there is a feature bench already/);
	for my $name (sort keys %refusal) {
		my ($said, $status) = new_feature('make', '-s', 'new-feature', "NAME=$name");
		isnt $status, 0, "\"$name\" is refused";
		like $said, $refusal{$name}, 'and why is said';
	}
	my ($said, $status) = new_feature('app/new-feature', q(it's));
	is $status, 2, 'a quotation mark too';
	is tree(), $before, 'nothing was written';
};

subtest 'what is there already' => sub {
	my $sql = 'sql/0001-users-and-tasks.sql';
	Ostler::Tree::spew($sql, Ostler::Tree::slurp($sql) . "CREATE TABLE saddles (id bigint);\n");
	my ($said) = new_feature('app/new-feature', 'saddles');
	like $said, qr/there is a table saddles already/, 'a table is not made twice';
	Ostler::Tree::spew('t/bridles.t', '');
	($said) = new_feature('app/new-feature', 'bridles');
	like $said, qr/there is a test t\/bridles\.t already/, 'no test is written over';
	ok !-e "app/features/$_", "and of $_ nothing was written" for qw(saddles bridles);
	unlink 't/bridles.t';
	$folder = Ostler::Tree::copy();
	chdir $folder or die "$folder: $!";
};

subtest 'a disk that fails in the middle' => sub {
	my $before = tree();
	# A cp that writes two files and no third.
	mkdir 'fake' or die "fake: $!";
	Ostler::Tree::spew('fake/cp', qq{#!/bin/sh\ncase \$2 in t/*) echo "cp: no space left" >&2; exit 1 ;; esac\nexec /bin/cp "\$@"\n});
	chmod 0755, 'fake/cp';
	my ($said, $status) = new_feature('/bin/sh', '-c', 'PATH=$PWD/fake:$PATH exec app/new-feature horses');
	isnt $status, 0, 'it fails';
	unlink 'fake/cp';
	rmdir 'fake';
	is tree(), $before, 'and takes back what it wrote';
};

subtest 'a feature' => sub {
	my ($said, $status) = new_feature('make', '-s', 'new-feature', 'NAME=horse_shoes');
	is $status, 0, 'is written' or diag $said;
	my ($migration) = glob 'sql/*-horse_shoes.sql';
	like $said, qr/^  \Q$_\E /m, "$_ is named" for 'app/features/horse_shoes/horse_shoes.c', $migration, 't/horse_shoes.t';
	my @numbers = map { m{(\d{4})-} } sort glob 'sql/[0-9]*.sql';
	is_deeply \@numbers, [ map { sprintf '%04d', $_ } 1 .. @numbers ], 'its migration has the next number';
	is system(Ostler::Tree::make() . ' -s all >make.log 2>&1'), 0, 'it compiles' or diag Ostler::Tree::slurp('make.log');
	is system('clang-format --dry-run -Werror app/features.c app/features/horse_shoes/*.c >&2'), 0, 'and is formatted as all is';
	is system('prove -Q t/layering.t >&2'), 0, 'it is a good neighbour';
	is system('BUILD=build prove -Q t/horse_shoes.t >&2'), 0, 'its test passes';
	($said, $status) = new_feature('make', '-s', 'new-feature', 'NAME=horse_shoes');
	like $said, qr/there is a feature horse_shoes already/, 'a second of that name is refused';
	($said, $status) = new_feature('make', '-s', 'new-feature', 'NAME=reins');
	is $status, 0, 'and one of another name is written behind it' or diag $said;
	like Ostler::Tree::slurp('app/features.c'), qr/^\tFEATURE\(horse_shoes\)\t\\\n\tFEATURE\(reins\)\n/m, 'a line each';
};

subtest 'every reserved word of SQL is known' => sub {
	my $stack = Ostler->start;
	my $words = $stack->psql(q{SELECT string_agg(word, ' ') FROM pg_get_keywords() WHERE catcode IN ('R', 'T')});
	my @taken = grep { (new_feature('app/new-feature', $_))[1] != 2 } split ' ', $words;
	is_deeply \@taken, [], 'and refused';
	$stack->stop;
};

chdir Ostler::root();
done_testing;
