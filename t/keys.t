#!/usr/bin/perl
# keys.t - the keys that sign tokens: made at the first start, told to everybody, renewed and removed without a restart.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::App;
use Test::More;

my $stack = Ostler::App->start;
my $folder = $stack->var . '/keys';
my $workers = $stack->workers;

sub keys_of { my (@words) = @_; return Ostler::run(Ostler::build() . '/ostler-app', '-c', $stack->var . '/etc/ostler-app.conf', 'keys', @words) }
sub files { opendir my $in, $folder or die "$folder: $!"; return sort grep { !/^\./ } readdir $in }
sub mode { return sprintf '%04o', (stat $_[0])[2] & 07777 }
sub published { return map { $_->{kid} } @{ $stack->get('/.well-known/jwks.json')->{json}{keys} } }

# As if the key had been made then: its time stands in its name.
sub age { my ($kid, $time) = @_; my ($file) = grep { /-\Q$kid\E\.pem$/ } files(); rename "$folder/$file", "$folder/$time-$kid.pem" or die "$file: $!" }

subtest 'at the first start' => sub {
	is mode($folder), '0700', 'the folder is the application\'s alone';
	is scalar(my @files = files()), 2, 'it holds two files, however many workers have started';
	is mode("$folder/$_"), '0600', "$_ is nobody else's" for @files;
	like "@files", qr/^\d{8}T\d{6}Z-[A-Za-z0-9_-]{43}\.pem seal\.key$/, 'a key that signs and one that seals';
	unlike $stack->log_of('web.log'), qr/PRIVATE KEY/, 'no log has one';
};

my ($first) = published();
subtest 'its public half is published' => sub {
	my $got = $stack->get('/.well-known/jwks.json');
	is $got->{status}, 200, 'at /.well-known/jwks.json';
	is scalar @{ $got->{json}{keys} }, 1, 'as one key';
	my $key = $got->{json}{keys}[0];
	is_deeply [ map { $key->{$_} } qw(kty crv alg use) ], [qw(EC P-256 ES256 sig)], 'for ES256';
	is_deeply [ sort keys %$key ], [qw(alg crv kid kty use x y)], 'with nothing more than that';
	like join(' ', files()), qr/-\Q$key->{kid}\E\.pem/, 'and called as its file';
};

subtest 'rotate' => sub {
	age($first, '20200101T000000Z');
	my ($out, $status) = keys_of('rotate');
	is $status, 0, 'it succeeds';
	my ($second) = $out =~ /^(\S{43}) signs$/ or die "no key: $out";
	is_deeply [ published() ], [ $second, $first ], 'the new key is published at once, before the old one' for 1 .. 8;
	is +(stat "$folder/$_")[4], (stat $folder)[4], "$_ belongs to whom the folder does" for files();

	($out) = keys_of('list');
	like $out, qr/^\Q$second\E  \S+Z  signs\n\Q$first\E  2020-01-01T00:00:00Z  is taken, and needed until \S+Z$/m, 'list tells what each is for';

	age($second, '20210101T000000Z');
	($out) = keys_of('list');
	like $out, qr/^\Q$first\E  \S+  is taken, and not needed$/m, 'after the time of a token the old one is not needed';
	($out) = keys_of('rotate');
	like $out, qr/^\Q$first\E is removed\n\S{43} signs$/, 'and removed by the next rotation';
	is scalar(my @left = published()), 2, 'two are left';
};

subtest 'drop' => sub {
	my ($signs, $old) = published();
	my ($out, $status) = keys_of('drop', $old);
	is $status, 0, 'an old key';
	is_deeply [ published() ], [$signs], 'is gone at once';
	($out, $status) = keys_of('drop', $signs);
	is $status, 0, 'the last one, too';
	my ($new) = published();
	is $out, "$new signs\n$signs is removed\n", 'after another was made';
	is_deeply [ published() ], [$new], 'which is in use at once';
	($out, $status) = keys_of('drop', '../seal.key');
	is $status, 1, 'what is no key cannot be dropped';
	is scalar(my @files = files()), 2, 'and is there still';
};

subtest 'wrong calls' => sub {
	for my $words ([qw(rotat)], [qw(rotate now)], [qw(drop)], [qw(list all)]) {
		my (undef, $status) = Ostler::run('/bin/sh', '-c', "exec \"\$0\" \"\$@\" 2>/dev/null", Ostler::build() . '/ostler-app', '-c', $stack->var . '/etc/ostler-app.conf', 'keys', @$words);
		is $status, 2, "@$words";
	}
};

subtest 'a key that others may read' => sub {
	my ($kid) = published();
	my ($file) = grep { /\.pem$/ } files();
	chmod 0644, "$folder/$file" or die;
	utime undef, undef, $folder or die;
	is_deeply [ published() ], [], 'is a key no more';
	ok $stack->wait_for(sub { $stack->log_of('web.log') =~ /\Q$file\E: others may read it/ }, 'the log to say why'), 'and the log says why';
	chmod 0600, "$folder/$file" or die;
	utime undef, undef, $folder or die;
	is_deeply [ published() ], [$kid], 'until it is one again';
};

is $stack->workers, $workers, 'no worker was restarted for any of it';
$stack->stop;
done_testing;
