#!/usr/bin/perl
# contributing.t - the feature of CONTRIBUTING.md compiles, runs and passes its test as it stands.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler;
use Ostler::Tree;
use Test::More;

# A copy of the tree, so that the example leaves this one alone.
my $folder = Ostler::Tree::copy();
chdir $folder or die "$folder: $!";

my (%block, $named);    # each block of code by the file that was named last before it
for my $part (split /^(```\w+\n.*?^```$)/ms, Ostler::Tree::slurp('CONTRIBUTING.md')) {
	if ($part =~ /^```\w+\n(.*)^```$/ms) {
		$block{$named} //= $1;
	} else {
		$named = $1 while $part =~ /`((?:sql|app|t)\/[\w.\/-]+\.\w+)`/g;
	}
}
is_deeply [sort keys %block],
    [qw(app/features/guests/guests.c app/features/letters/letters.c sql/NNNN-guests.sql t/guests.t t/letters.t)],
    'the guide has five files';
my ($last) = map { m{(\d+)-} } reverse sort glob 'sql/[0-9]*.sql';
$block{ sprintf 'sql/%04d-guests.sql', $last + 1 } = delete $block{'sql/NNNN-guests.sql'};

for my $feature (qw(guests letters)) {
	mkdir "app/features/$feature" or die "app/features/$feature: $!";
}
Ostler::Tree::spew($_, $block{$_}) for keys %block;
my $list = Ostler::Tree::slurp('app/features.c');
$list =~ s/^(\tFEATURE\(tasks\))/\tFEATURE(guests)\t\\\n\tFEATURE(letters)\t\\\n$1/m;
Ostler::Tree::spew('app/features.c', $list);

is system(Ostler::Tree::make() . ' -s all >make.log 2>&1'), 0, 'it compiles' or diag Ostler::Tree::slurp('make.log');
like `build/ostler-app routes`, qr{^POST\s+/api/guests\s}m, 'its routes are in the table';
is system('BUILD=build prove -Q t/guests.t t/letters.t >&2'), 0, 'the tests pass';
chdir Ostler::root();
done_testing;
