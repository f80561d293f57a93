#!/usr/bin/perl
# command-line.t - ostler-app as a command: what it says of a wrong call and of a wrong configuration.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp qw(tempdir);
use Ostler;
use Test::More;

my $app = Ostler::build() . '/ostler-app';
my $folder = tempdir(CLEANUP => 1);
my $conf = "$folder/app.conf";

sub write_conf
{
	my ($text) = @_;
	open my $out, '>', $conf or die "cannot write $conf: $!";
	print {$out} $text;
	close $out or die "cannot write $conf: $!";
}

# Standard output, standard error and the exit status of ostler-app WORDS.
sub app
{
	my (@words) = @_;
	my ($out, $status) = Ostler::run('/bin/sh', '-c', "exec \"\$0\" \"\$@\" 2>'$folder/stderr' </dev/null", $app, @words);
	open my $in, '<', "$folder/stderr" or die "cannot read: $!";
	local $/;
	return ($out, scalar(<$in>) // '', $status);
}

sub said_ok
{
	my ($words, $status, $expected, $what) = @_;
	my ($out, $err, $got) = app(@$words);
	is $got, $status, "$what: exit status $status";
	like $err, $expected, 'it says why';
	is $out, '', 'on standard error';
}

subtest 'a wrong call' => sub {
	write_conf('');
	said_ok([], 2, qr/^usage: ostler-app/, 'no role');
	said_ok([ 'web', 'web' ], 2, qr/^usage: ostler-app/, 'two roles');
	said_ok([ '-x', 'web' ], 2, qr/usage: ostler-app/, 'an unknown option');
	said_ok([ '-c' ], 2, qr/usage: ostler-app/, 'an option without its value');
	said_ok([ 'wep' ], 2, qr/^ostler-app: there is no role "wep"; did you mean "web"\?$/, 'a misspelled role');
	said_ok([ 'migrat' ], 2, qr/did you mean "migrate"\?$/, 'another');
	said_ok([ 'horse' ], 2, qr/^ostler-app: there is no role "horse"$/, 'a role that nobody can have meant');
	said_ok([ $_ ], 2, qr/^ostler-app: $_ needs a configuration: -c FILE$/, "$_ without a configuration") for qw(web migrate);
};

subtest 'help' => sub {
	my ($out, $err, $status) = app('-h');
	is $status, 0, 'is no error';
	like $out, qr/^usage: ostler-app/, 'and goes to standard output';
	like $out, qr/^  $_ /m, "it names $_" for qw(web migrate routes openapi settings);
};

subtest 'a configuration is checked and left' => sub {
	write_conf('');
	my ($out, $err, $status) = app('-t', '-c', $conf, 'web');
	is "$status$out$err", '0', 'an empty one is right: everything has a default';
	write_conf(qq{threads = 0;\nbody_limit = "1X";\nthreds = 4;\ncache_timeout = 50;\nlog_level = "loud";\ndatabase_connections = 4294967297;\n});
	for my $words ([ '-t', '-c', $conf, 'web' ], [ '-c', $conf, 'web' ], [ '-c', $conf, 'migrate' ]) {
		($out, $err, $status) = app(@$words);
		is $status, 2, join(' ', grep { $_ ne $conf } @$words) . ': exit status 2';
		like $err, qr/^\Q$conf\E:$_/m, "line $_" for '1: threads must be 1 to 1024, not 0', '2: body_limit must be bytes', '3: unknown setting "threds"; did you mean "threads"\?',
		    '4: cache_timeout must be a time with its unit', '5: log_level cannot be "loud": it is one of debug, info, warn, error', '6: the number 4294967297 does not fit';
	}
	said_ok([ '-t', '-c', "$folder/missing", 'web' ], 2, qr{^\Q$folder\E/missing: cannot read: No such file or directory$}, 'no file');
	said_ok([ '-t', '-c', $folder, 'web' ], 2, qr{^\Q$folder\E: not a regular file$}, 'a folder');
	write_conf(qq{threads = ;\n});
	said_ok([ '-t', '-c', $conf, 'web' ], 2, qr{^\Q$conf\E:1: syntax error$}, 'a syntax error');
};

subtest 'web needs a socket' => sub {
	write_conf('');
	said_ok([ '-c', $conf, 'web' ], 1, qr/descriptor 0 is no listening socket: start me under ostlerd\(8\)/, 'started by hand');
};

subtest 'tables are printed' => sub {
	for my $role (qw(routes openapi settings)) {
		my ($out, $err, $status) = app($role);
		is "$status$err", '0', "$role: no error";
		cmp_ok length $out, '>', 200, 'and a table';
		my (undef, $status_full) = Ostler::run('/bin/sh', '-c', 'exec "$0" "$1" >/dev/full 2>/dev/null', $app, $role);
		is $status_full, 1, 'a full disk is an error';
	}
	my ($out) = app('settings');
	like $out, qr/^threads\t16\t/m, 'a setting, its default and what it is';
};

done_testing;
