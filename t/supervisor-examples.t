#!/usr/bin/perl
# supervisor-examples.t - the workers printed in ostler-worker(7) compile, run and do what it says.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::FastCgi;
use Ostler::Supervisor;
use Test::More;

# The example that contains PATTERN, as mandoc would show it.
sub example
{
	my ($pattern) = @_;
	my $page = Ostler::Supervisor::slurp(Ostler::Supervisor::root() . '/man/ostler-worker.7');
	my ($text) = grep { /$pattern/ } $page =~ /^\.Bd -literal.*?\n(.*?)^\.Ed$/msg;
	$text =~ s/\\e/\\/g;
	$text =~ s/^\\&//mg;
	return $text;
}

sub write_file
{
	my ($path, $text) = @_;
	open my $out, '>', $path or die "cannot write $path: $!";
	print $out $text;
	close $out;
	chmod 0755, $path;
}

subtest 'the FastCGI worker in C' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { hello => {
		kind => 'fastcgi', command => ['%D/hello'], listen => 'unix:%D/sock/hello', workers => \2 } });
	write_file($ostlerd->folder . '/hello.c', example(qr/FCGI_Accept/));
	my ($status, undef, $complaints) = $ostlerd->run('cc', '-Wall', '-Wextra', '-Werror',
	    '-o', $ostlerd->folder . '/hello', $ostlerd->folder . '/hello.c', '-lfcgi');
	is $status, 0, 'it compiles without a warning' or diag $complaints;
	$ostlerd->start->wait_until_ready;
	like +Ostler::FastCgi->new($ostlerd->at('hello'))->ask(GET => '/x')->{body},
	    qr{worker [12] of pool hello: GET /x is request 1\n$}, 'it answers';
	is $ostlerd->stop, 0, 'ostlerd ends with 0';
	is_deeply [ $ostlerd->left ], [], 'nothing is left';
};

subtest 'the plain worker in Perl' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { sweeper => {
		kind => 'worker', command => [ $^X, '%D/sweeper' ], ready => 'notify' } });
	write_file($ostlerd->folder . '/sweeper', example(qr/^#!.usr.bin.perl/m));
	$ostlerd->start->wait_until_ready;
	my $worker = $ostlerd->wait_for_worker('sweeper', 1, sub { defined $_[0]{status} }, 'its status');
	is $worker->{status}, 'sweeping', 'it says what it does';
	is $ostlerd->stop, 0, 'ostlerd ends with 0';
	unlike $ostlerd->messages, qr/kills it/, 'the worker has ended by itself';
};

done_testing;
