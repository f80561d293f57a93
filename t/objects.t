#!/usr/bin/perl
# objects.t - a bucket keeps objects as a folder does: the tests of object_test.c against an S3 server.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp qw(tempdir);
use IO::Socket::IP;
use Ostler;
use Ostler::Tree;
use Ostler::Process qw(free_port wait_for);
use Ostler::S3Gate;
use Test::More;

my $node = Ostler::build() . '/node';
is system("$FindBin::Bin/node/install", $node), 0, 's3rver is there' or BAIL_OUT('no s3rver');

my $folder = tempdir('objects-XXXXXXXX', TMPDIR => 1, CLEANUP => 1);
my ($port, $reservation) = free_port();
my $test = Ostler::build() . '/t/object_test';
is system(Ostler::Tree::make(Ostler::build()) . " -s '$test'"), 0, 'the unit test is compiled' unless -x $test;

my $server = fork // die "fork: $!";
if ($server == 0) {
	# It hashes by MD4 somewhere, which today's OpenSSL offers on request only.
	$ENV{NODE_OPTIONS} = '--openssl-legacy-provider';
	open STDOUT, '>', "$folder/log" or die "$folder/log: $!";
	open STDERR, '>&', \*STDOUT or die $!;
	exec "$node/node_modules/.bin/s3rver", '-d', "$folder/data", '-a', '127.0.0.1', '-p', $port, '--configure-bucket', 'ostler'
	    or die "s3rver: $!";
}
END { local $?; kill 'KILL', $server and waitpid $server, 0 if $server }
wait_for(sub { IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $port) }, 'the S3 server');

my $gate = Ostler::S3Gate->start(to => $port, keys => { S3RVER => 'S3RVER' });

# Runs the unit tests against a bucket; returns how many passed, and all it said.
sub run
{
	my (%environment) = @_;
	local @ENV{ 'OBJECT_ENDPOINT', keys %environment } = ("http://127.0.0.1:$gate->{port}", values %environment);
	my ($said) = Ostler::run('/bin/sh', '-c', 'exec "$0" 2>&1', $test);
	return (scalar(() = $said =~ /^ok /mg), $said);
}

local $ENV{CMOCKA_MESSAGE_OUTPUT} = 'TAP';
my %keys = (AWS_ACCESS_KEY_ID => 'S3RVER', AWS_SECRET_ACCESS_KEY => 'S3RVER');
my %many = ('s3:ostler' => 3, 's3:ostler/a/prefix' => 1003); # a page of a listing has 1000
for my $where (sort keys %many) {
	my ($passed, $said) = run(%keys, OBJECT_STORE => $where, OBJECT_MANY => $many{$where});
	is $passed, 8, "all tests pass with $where" or diag $said;
}

my (undef, $said) = run(%keys, OBJECT_STORE => 's3:ostler', AWS_SECRET_ACCESS_KEY => 'wrong');
like $said, qr/cannot write an object: 403 SignatureDoesNotMatch/, 'a wrong key is refused, and the log says why';
unlike $said, qr/"wrong"|:wrong/, 'without telling the key';
(undef, $said) = run(%keys, OBJECT_STORE => 's3:nowhere');
like $said, qr/cannot write an object: 404 NoSuchBucket/, 'so is a bucket that is not there';
$gate->stop;
(undef, $said) = run(%keys, OBJECT_STORE => 's3:ostler');
like $said, qr/cannot write an object: Failed to connect/, 'a server that is gone is said to be';

done_testing;
