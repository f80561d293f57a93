#!/usr/bin/perl
# hello.t - app/examples/hello is a whole program of a stranger: it has an installed Ostler and nothing else.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Cwd qw(abs_path);
use File::Find qw(find);
use File::Temp qw(tempdir);
use JSON::PP ();
use Ostler;
use Ostler::Tree;
use Test::More;

my $build = Ostler::build();
chdir Ostler::root() or die "cannot find the sources: $!";
my $folder = abs_path(tempdir('ostler-XXXXXXXX', TMPDIR => 1, CLEANUP => 1));
chmod 0755, $folder or die "$folder: $!";
my $prefix = "$folder/prefix";
my $mine = "$folder/mine";
$ENV{PKG_CONFIG_PATH} = "$prefix/lib/pkgconfig";

# Runs a shell command quietly; its output is shown when it fails.
sub runs_ok
{
	my ($command, $what) = @_;
	my ($output, $status) = Ostler::run('/bin/sh', '-c', "exec 2>&1; $command");
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is $status, 0, $what or diag $output;
	return $output;
}

my $sanitizer = { thread => '-fsanitize=thread', address => '-fsanitize=address,undefined' }->{ Ostler::Tree::variant() } // '';
my $make = Ostler::Tree::make($build);

subtest 'installed' => sub {
	runs_ok("$make install DESTDIR='$folder/staged' PREFIX=/opt/ostler", 'into a folder of packages');
	like Ostler::Tree::slurp("$folder/staged/opt/ostler/lib/pkgconfig/ostler.pc"), qr{^prefix=/opt/ostler$}m, 'which its pkg-config file does not name';
	runs_ok("$make install PREFIX='$prefix'", 'into a fresh PREFIX');
	my ($document) = Ostler::run("$build/ostler-app", 'openapi');
	is runs_ok('pkg-config --modversion ostler', 'pkg-config knows it'), JSON::PP::decode_json($document)->{info}{version} . "\n", 'by the version of the program';
};

subtest 'compiled by a stranger' => sub {
	my $source = Ostler::Tree::slurp('app/examples/hello/hello.c');
	cmp_ok scalar(split /\n/, $source), '<', 30, 'it has less than 30 lines';
	unlike $source, qr/#include "/, 'and needs nothing of this tree';
	runs_ok("cp -R '$prefix/share/ostler/examples/hello' '$mine'", 'it is installed too');
	my $flags = '-std=c11 -Wall -Wextra -Wpedantic -Werror ' . $sanitizer;
	runs_ok("cd '$mine' && make hello CFLAGS='$flags'", 'its Makefile builds it, with every warning on');
	my $headers = "$prefix/include/ostler";
	my @headers;
	find(sub { push @headers, $File::Find::name if /\.h$/ }, $headers);
	cmp_ok scalar @headers, '>', 8, 'there are headers';
	for my $header (@headers) {
		my ($name) = $header =~ m{^\Q$prefix\E/include/(.*)};
		runs_ok("printf '#include <$name>\nint none;\n' | cc $flags -fsyntax-only -x c \$(pkg-config --cflags ostler) -", "$name stands alone");
		unlike Ostler::Tree::slurp($header), qr/#include "/, 'and finds what it includes as a stranger does';
	}
};

subtest 'it has every role' => sub {
	my $hello = "$mine/hello";
	like runs_ok("$hello routes", 'routes'), qr{^GET\s+/hello\s}m, 'names its route';
	is JSON::PP::decode_json(runs_ok("$hello openapi", 'openapi'))->{info}{title}, 'hello', 'is called by its name';
	like runs_ok("$hello settings", 'settings'), qr/^threads\t/m, 'are those of ostler-app.conf(5)';
	like runs_ok("$hello -h", 'help'), qr/^usage: hello /, 'calls it by its name';
	my ($said, $status) = Ostler::run('/bin/sh', '-c', "$hello wep 2>&1");
	is "$status $said", qq{2 hello: there is no role "wep"; did you mean "web"?\n}, 'a misspelled role is refused in its name';
	open my $conf, '>', "$folder/hello.conf" or die "cannot write: $!";
	print {$conf} qq{migrate_database = "";\nmigrations = "sql";\n};
	close $conf;
	($said, $status) = Ostler::run('/bin/sh', '-c', "$hello -c '$folder/hello.conf' migrate 2>&1");
	is $status, 1, 'without a database there is nothing to migrate';
	like $said, qr/database: none is configured/, 'and it says so';
};

subtest 'runs under ostlerd and nginx' => sub {
	my $stack = Ostler->start(start => "$mine/start", ready => '/hello');
	is_deeply $stack->get('/hello')->{json}, { text => 'Hello, world!' }, 'it greets';
	is_deeply $stack->get('/hello?name=%C3%81na%22')->{json}, { text => qq{Hello, \x{c1}na"!} }, 'by name, as JSON';
	my $reply = $stack->get('/hello?name=' . 'a' x 81);
	is $reply->{status}, 422, 'a name that is too long is refused';
	is $reply->{headers}{'content-type'}, 'application/problem+json', 'as every error is';
	is $stack->get("/$_")->{status}, 404, "/$_ is nothing" for '', 'nothing';
	is $stack->get('/ping')->{status}, 200, 'the framework answers for itself';
	is $stack->get('/openapi.json')->{json}{paths}{'/hello'}{get}{summary}, 'Greet somebody', 'and describes the program';

	my $command = 'VAR=' . $stack->var . ' PORT=' . $stack->port . " '$mine/start' 2>&1";
	my ($said, $status) = Ostler::run('/bin/sh', '-c', $command);
	is $status, 1, 'a second one in the same folder is refused';
	like $said, qr/already running in \Q${\ $stack->var}\E/, 'politely';
	($said, $status) = Ostler::run('/bin/sh', '-c', "VAR='$folder/other' " . $command =~ s/VAR=\S+ //r);
	is $status, 1, 'and on the same port';
	like $said, qr/port ${\ $stack->port} is already taken by another program; choose another/, 'too';

	kill 'INT', $stack->pid;    # Ctrl-C
	ok eval { $stack->wait_for(sub { $stack->has_ended }, 'the end', 60) }, 'Ctrl-C ends it';
	$stack->stop;
};

subtest 'the manual shows it' => sub {
	my ($shown) = Ostler::Tree::slurp('man/ostler.3') =~ m{^\.Bd -literal\n(/\* hello\.c.*?)^\.Ed$}ms;
	is $shown =~ s/\\e/\\/gr, Ostler::Tree::slurp('app/examples/hello/hello.c'), 'as it stands';
};

subtest 'uninstalled' => sub {
	runs_ok("$make uninstall PREFIX='$prefix'", 'it goes');
	my @left;
	find(sub { push @left, $File::Find::name if -f }, $prefix);
	is_deeply \@left, [], 'and leaves nothing';
};

done_testing;
