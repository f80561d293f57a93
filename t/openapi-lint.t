#!/usr/bin/perl
# openapi-lint.t - the OpenAPI document pleases redocly lint, which knows the specification by heart.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp qw(tempdir);
use Ostler;
use Ostler::Programs;
use Test::More;

# It would otherwise tell its makers of its use, and ask them for a newer version.
@ENV{qw(REDOCLY_TELEMETRY REDOCLY_SUPPRESS_UPDATE_NOTICE)} = qw(off true);

my $node = Ostler::build() . '/node';
is system("$FindBin::Bin/node/install", $node), 0, 'redocly is there' or BAIL_OUT('no redocly');

my $folder = tempdir('lint-XXXXXXXX', TMPDIR => 1, CLEANUP => 1);
my ($document) = Ostler::run(Ostler::build() . '/ostler-app', 'openapi');

# Its complaints about a document, one a line: "rule: message at place".
sub complaints
{
	my ($name, $text) = @_;
	my $file = "$folder/$name.json";
	open my $out, '>', $file or die "$file: $!";
	print {$out} $text;
	close $out or die "$file: $!";
	my ($report) = Ostler::run('/bin/sh', '-c', 'cd "$1" && exec "$0" lint --format=json "$2" 2>"$2.err"',
	    "$node/node_modules/.bin/redocly", $folder, $file);
	my $found = eval { JSON::PP::decode_json($report) } or die "redocly said: $report\n";
	return map { "$_->{ruleId}: $_->{message} at " . ($_->{location}[0]{pointer} // '') } @{ $found->{problems} };
}

is join("\n", complaints(ours => $document)), '', 'no error and no warning';
my ($kinds) = Ostler::run(Ostler::Programs::application('kinds'), 'openapi');
is join("\n", complaints(kinds => $kinds)), '', 'nor for a program that takes and gives every kind';
like join("\n", complaints(theirs => $document =~ s/"operationId":"get_ping",//r)), qr/^operation-operationId: /,
    'and it does look: an operation without an id is found';

done_testing;
