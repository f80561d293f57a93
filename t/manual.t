#!/usr/bin/perl
# manual.t - ostler-app.conf(5) lists the settings that the program has, and no others.
use strict;
use warnings;
use Test::More;

my $build = $ENV{BUILD} // 'build';
open my $settings, '-|', "$build/ostler-app", 'settings' or die "ostler-app: $!";
my @table = map { chomp; [split /\t/, $_, -1] } <$settings>;
close $settings or die 'ostler-app settings failed';

open my $page, '<', 'man/ostler-app.conf.5' or die "manual page: $!";
my (@listed, %said);
while (my $line = <$page>) {
	push @listed, $1 if $line =~ /^\.It Ic (\w+) No = /;
	$said{ $listed[-1] } .= $line if @listed;
}

is_deeply \@listed, [map { $_->[0] } @table], 'the page and the table list the same, in one order';
for my $setting (@table) {
	my ($name, $preset) = @$setting;
	# Nothing is said by a word.
	my $default = $preset eq '' ? qr/Default:\s+(?:(?:empty|none)\b|\.Qq\s+[.,\n]|[.,\n])/ : qr/Default:\s+(?:\.Qq\s+)?\Q$preset\E\s*[.,\n]/;
	like $said{$name} // '', $default, "$name has the default that the page says";
}
done_testing;
