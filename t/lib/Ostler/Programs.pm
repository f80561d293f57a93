# Programs.pm - compiles a program of t/programs for a test, into a folder that goes with it.
#
#     my $echo = Ostler::Programs::compile('echo', '-lfcgi');    # the path of the program
package Ostler::Programs;
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);

my $source = abs_path(dirname(__FILE__) . '/../../programs');
my $folder;

sub compile
{
	my ($name, @libraries) = @_;
	$folder //= tempdir('ostler-programs-XXXXXXXX', TMPDIR => 1, CLEANUP => 1);
	chmod 0755, $folder;
	system($ENV{CC} // 'cc', '-O1', '-o', "$folder/$name", "$source/$name.c", @libraries) == 0
	    or die "cannot compile $source/$name.c\n";
	return "$folder/$name";
}

1;
