#!/usr/bin/perl
# layering.t - includes never point up, features never meet, and a library has one file that knows it.
use strict;
use warnings;
use FindBin;
use Test::More;

chdir "$FindBin::Bin/.." or die "cannot find the sources: $!";

# From the ground up.  Roles are part of the library (libostler.a) and know no feature; features are
# used by roles and know none.  What stands in supervisor/ has a test of its own.
my @layers = (
	[base => qr{^base/}], [store => qr{^app/store/}], [core => qr{^app/core/}],
	[roles => qr{^app/(?!features\.|ostler-app\.)[^/]+$}], [features => qr{^app/features/}],
	[list => qr{^app/features\.[ch]$}], [program => qr{^app/ostler-app\.c$}], [words => qr{^app/words/}]);

sub slurp { my ($file) = @_; open my $in, '<', $file or die "$file: $!"; local $/; return <$in> }

sub height
{
	my ($file) = @_;
	for my $height (0 .. $#layers) {
		return $height if $file =~ $layers[$height][1];
	}
	return;
}

# The compiler looks in the root and in app/ (Makefile, -iquote).
sub resolve
{
	my ($name) = @_;
	my ($found) = grep { -e } $name, "app/$name";
	return $found;
}

my %text = map { $_ => slurp($_) } map { glob } qw(base/*.[ch] app/*.[ch] app/*/*.[ch] app/*/*/*.[ch]);
cmp_ok scalar keys %text, '>', 60, 'there are files to look at';

for my $file (sort keys %text) {
	my @wrong;
	while ($text{$file} =~ /^#include "([^"]+)"/mg) {
		my $included = resolve($1);
		push @wrong, "$1 (not found from the root)" and next unless $included;
		my $height = height($included);
		push @wrong, $included unless defined $height && $height <= height($file);
		my ($feature) = $file =~ m{^app/features/(\w+)/};
		push @wrong, "$included (another feature)"
		    if $feature && $included =~ m{^app/features/(\w+)/} && $1 ne $feature;
		push @wrong, "$included (a role)" if $feature && $included =~ m{^app/[^/]+$};
	}
	is_deeply \@wrong, [], "$file includes nothing from above or beside";
}

my %home = ('hiredis/' => 'app/store/redis.c',
	'expat.h' => 'app/store/modules/s3_listing.c',
	'fcgiapp.h' => 'app/core/serve/fcgi.c', 'jansson.h' => 'app/core/input/json_body.c',
	'jwt.h' => 'app/core/identity/jwt.c', 'oath.h' => 'app/core/identity/totp.c',
	'openssl/' => 'app/core/identity/signing_key.c', 'qrencode.h' => 'app/features/second_factor/qr.c',
	'seccomp.h' => 'app/core/serve/sandbox.c', 'sodium.h' => 'base/crypto.c', 'pcre2.h' => 'app/core/input/patterns.c');
for my $header (sort keys %home) {
	my @users = grep { $text{$_} =~ /^#include <\Q$header\E/m } sort keys %text;
	is_deeply \@users, [ $home{$header} ], "$header is known in one file";
}
# Three modules, each loaded by itself, and each one file's door.
is_deeply [ grep { $text{$_} =~ m{^#include <curl/}m } sort keys %text ],
    [ map { "app/store/modules/$_.c" } qw(otlp s3 smtp) ], 'libcurl is known to the modules that are linked to it';
is_deeply [ grep { $text{$_} =~ m{^#include <librdkafka/}m } sort keys %text ], [ 'app/store/modules/kafka.h' ],
    'librdkafka is known to one module alone';
# One connection is several files; what they share is a header that names libpq's types.
for my $header (qw(<libpq-fe.h> "store/connection_wire.h")) {
	my @users = grep { $text{$_} =~ /^#include \Q$header\E/m } sort keys %text;
	is_deeply [ grep { !m{^app/store/connection\w*\.[ch]$} } @users ], [], "$header is known to one connection's files alone";
	cmp_ok scalar(@users), '>', 0, 'and to some';
}
my @readers = grep { $text{$_} =~ /^#include <libconfig\.h>/m } sort keys %text;
is_deeply [ grep { !m{^base/settings} } @readers ], [], 'libconfig is known to base/settings alone';

# "name.c - a sentence", at the very top.
for my $file (sort keys %text, glob('supervisor/*.[ch] supervisor/*/*.[ch]')) {
	my ($name) = $file =~ m{([^/]+)$};
	my $text = $text{$file} // slurp($file);
	like $text, qr{\A/\*\s*\*?\s*\Q$name\E - \S.*}, "$file says first what it is";
}

unlike $text{$_}, qr/\b(?:tasks|users|health|sales|events)_feature\b/, "$_ names no feature"
    for grep { m{^app/(?:core|store)/} } sort keys %text;

done_testing;
