# Tree.pm - a copy of the sources, for a test that changes and compiles them.
#
#     my $folder = Ostler::Tree::copy();          # goes when the test ends
#     my $make = Ostler::Tree::make();            # the command, for programs of BUILD's variant
#     system "cd $folder && $make all";           # compiles what differs from BUILD and nothing else
package Ostler::Tree;
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Temp qw(tempdir);
use Ostler;

sub slurp
{
	my ($file) = @_;
	open my $in, '<', $file or die "cannot read $file: $!";
	local $/;
	return scalar(<$in>) // '';
}

sub spew
{
	my ($file, $text) = @_;
	open my $out, '>', $file or die "cannot write $file: $!";
	print {$out} $text;
	close $out or die "cannot write $file: $!";
	return;
}

# How BUILD was compiled: plain, address or thread.
sub variant
{
	my ($name) = -e Ostler::build() . '/variant' ? slurp(Ostler::build() . '/variant') =~ /^(\w+)/ : ();
	return $name // 'plain';
}

# Making anything else in BUILD would replace the programs that other tests run.
sub make
{
	my ($build) = @_;
	my $sanitize = { thread => 'thread', address => '1' }->{ variant() } // '';
	return "make BUILD='" . ($build // 'build') . "' SANITIZE=$sanitize";
}

# With BUILD's objects, as old as they are: make(1) then has only to compile what is new.
sub copy
{
	my $folder = abs_path(tempdir('ostler-XXXXXXXX', TMPDIR => 1, CLEANUP => 1));
	chmod 0755, $folder or die "$folder: $!";
	my ($root, $objects) = (Ostler::root(), Ostler::build() . '/' . variant());
	my $copied = system('/bin/sh', '-c', 'cd "$1" && git ls-files -co --exclude-standard -z | tar c --null -T - | tar x -C "$2"',
		'copy', $root, $folder);
	die "cannot copy the sources\n" if $copied != 0;
	return $folder unless -d $objects;
	mkdir "$folder/build";
	system('cp', '-a', $objects, "$folder/build/") == 0 or die "cannot copy $objects\n";
	return $folder;
}

1;
