#!/usr/bin/perl
# symbols.t - no function of ours has the name of one in a library: the library would call ours instead of its own.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler;
use Test::More;

# The functions that nm(1) finds.
sub functions
{
	my (@command) = @_;
	my ($text, $status) = Ostler::run('nm', '--defined-only', @command);
	die "nm @command failed\n" if $status != 0;
	return map { /^\S* [TWi] ([^@\s]+)/ ? $1 : () } split /\n/, $text;
}

# What every program and library has of its own.
my %of_all = map { $_ => 1 } qw(main _init _fini _start);

for my $program (qw(ostler-app ostlerd ostlerctl)) {
	my $file = Ostler::build() . "/$program";
	my ($needed) = Ostler::run('ldd', $file);
	SKIP: {
		skip 'a sanitizer takes functions of libc on purpose', 1 if $needed =~ /lib[atu]\w*san/ || grep { /^__asan_/ } functions($file);
		my %ours = map { $_ => 1 } grep { !$of_all{$_} } functions('-g', $file);
		cmp_ok scalar keys %ours, '>', 50, "$program has symbols to look at";
		my @taken;
		for my $library ($needed =~ /=> (\S+)/g) {
			push @taken, map { "$_ ($library)" } grep { $ours{$_} } functions('-D', $library);
		}
		is_deeply \@taken, [], 'and none that a library has, too';
	}
}
done_testing;
