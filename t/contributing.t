#!/usr/bin/perl
# contributing.t - the feature of CONTRIBUTING.md compiles, runs and passes its test as it stands.
use strict;
use warnings;
use Cwd qw(getcwd);
use File::Temp qw(tempdir);
use Test::More;

sub slurp { my ($file) = @_; open my $in, '<', $file or die "$file: $!"; local $/; return <$in> }

sub write_file
{
	my ($file, $text) = @_;
	open my $out, '>', $file or die "$file: $!";
	print {$out} $text;
	close $out or die "$file: $!";
}

# A copy of the tree, so that the example leaves this one alone.
my $folder = tempdir('ostler-XXXXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $folder or die "$folder: $!";
is system("git ls-files -co --exclude-standard -z | tar c --null -T - | tar x -C '$folder'"), 0,
    'the tree is copied';
my $here = getcwd;
chdir $folder or die "$folder: $!";

my (%block, $named);    # each block of code by the file that was named last before it
for my $part (split /^(```\w+\n.*?^```$)/ms, slurp('CONTRIBUTING.md')) {
	if ($part =~ /^```\w+\n(.*)^```$/ms) {
		$block{$named} //= $1;
	} else {
		$named = $1 while $part =~ /`((?:sql|app|t)\/[\w.\/-]+\.\w+)`/g;
	}
}
is_deeply [sort keys %block], [qw(app/features/guests/guests.c sql/0002-guests.sql t/guests.t)],
    'the guide has three files';

mkdir 'app/features/guests' or die "app/features/guests: $!";
write_file($_, $block{$_}) for keys %block;
my $list = slurp('app/features.c');
$list =~ s/(extern const struct feature [^;]*);/$1, guests_feature;/;
$list =~ s/(\tNULL,)/\t&guests_feature,\n$1/;
write_file('app/features.c', $list);

is system('make -s BUILD=build all >make.log 2>&1'), 0, 'it compiles' or diag slurp('make.log');
like `build/ostler-app routes`, qr{^POST\s+/api/guests\s}m, 'its routes are in the table';
is system('BUILD=build prove -Q t/guests.t >&2'), 0, 'its test passes';
chdir $here;
done_testing;
