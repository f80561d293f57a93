# Programs.pm - compiles a program of t/programs for a test, into a folder that goes with it.
#
#     my $echo = Ostler::Programs::compile('echo', '-lfcgi');    # the path of the program
#     my $accounts = Ostler::Programs::application('accounts');  # one made of features, as ostler-app is
#     my $chores = Ostler::Programs::application('chores', 'jobs');    # with features of ours beside its own
package Ostler::Programs;
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);

my $source = abs_path(dirname(__FILE__) . '/../../programs');
my $folder;

sub compile { my ($name, @libraries) = @_; return build($name, ['-O1'], @libraries) }

# Compiled and linked as what stands in the build folder was, so that a sanitizer watches it too.
sub application
{
	my ($name, @features) = @_;
	my $root = abs_path("$source/../..");
	my $build = $ENV{BUILD} // 'build';
	$build = "$root/$build" unless $build =~ m{^/};
	open my $stamp, '<', "$build/variant" or die "nothing is built in $build: $!\n";
	chomp(my $variant = <$stamp>);
	my @guards = $variant =~ /^thread/ ? '-fsanitize=thread' : $variant =~ /^address/ ? '-fsanitize=address,undefined' : ();
	open my $makefile, '<', "$root/Makefile" or die "cannot read the Makefile: $!\n";
	my ($names) = map { /^LIBRARIES\s*=\s*(.*)/ } <$makefile>;
	my ($libraries) = split /\n/, `pkg-config --libs $names`;
	return build($name, ['-std=c11', '-D_GNU_SOURCE', '-O1', '-g', '-pthread', @guards, '-iquote', $root, '-iquote', "$root/app"],
	    (map { glob "$build/$variant/app/features/$_/*.o" } @features), "$build/$variant/app.a", "$build/$variant/base.a", split ' ', $libraries);
}

sub build
{
	my ($name, $flags, @libraries) = @_;
	$folder //= tempdir('ostler-programs-XXXXXXXX', TMPDIR => 1, CLEANUP => 1);
	chmod 0755, $folder;
	system($ENV{CC} // 'cc', @$flags, '-o', "$folder/$name", "$source/$name.c", @libraries) == 0
	    or die "cannot compile $source/$name.c\n";
	return "$folder/$name";
}

1;
