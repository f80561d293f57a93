# Token.pm - access tokens as our own program makes them, and as somebody else might.
#
#     my $key = signing_key($stack);      # { kid, pem }: the one that signs just now
#     my $token = token(header => { alg => 'ES256', typ => 'JWT', kid => $key->{kid} },
#         claims => { sub => '1', … }, es256 => $key->{pem});
#     my $forged = token(header => { alg => 'HS256' }, claims => {…}, hs256 => 'a secret');
#     my ($header, $claims) = parts_of($token);
#     my $code = totp($secret_in_base32, $time);
package Ostler::Token;
use strict;
use warnings;
use Digest::SHA qw(hmac_sha1 hmac_sha256);
use Exporter 'import';
use File::Temp ();
use JSON::PP ();
use MIME::Base64 qw(decode_base64);

use Ostler;

our @EXPORT = qw(signing_key public_pem token parts_of totp);

my $json = JSON::PP->new->canonical->utf8;

# The newest file of the stack's folder of keys.
sub signing_key
{
	my ($stack) = @_;
	my ($file) = reverse sort glob $stack->var . '/keys/*.pem';
	my ($kid) = $file =~ /Z-(\S{43})\.pem$/;
	open my $in, '<', $file or die "$file: $!";
	local $/;
	return { kid => $kid, pem => scalar(<$in>), file => $file };
}

sub public_pem { my ($text) = Ostler::run('openssl', 'pkey', '-in', $_[0]{file}, '-pubout'); return $text }

# ECDSA as openssl writes it, two numbers in DER, and as RFC 7518 wants it, 32 bytes each.
sub es256
{
	my ($pem, $bytes) = @_;
	my $folder = File::Temp->newdir;
	for ([ key => $pem ], [ text => $bytes ]) {
		open my $out, '>', "$folder/$_->[0]" or die "cannot write: $!";
		print {$out} $_->[1];
		close $out or die "cannot write: $!";
	}
	my ($der) = Ostler::run('openssl', 'dgst', '-sha256', '-sign', "$folder/key", "$folder/text");
	my ($r, $s) = unpack 'x2 x C/a x C/a', $der;
	return join '', map { substr "\0" x 32 . $_, -32 } $r, $s;
}

sub token
{
	my (%wish) = @_;
	my $text = join '.', map { Ostler::encode_base64url($json->encode($_)) } @wish{qw(header claims)};
	my $signature = $wish{es256} ? es256($wish{es256}, $text) : $wish{hs256} ? hmac_sha256($text, $wish{hs256}) : '';
	return "$text." . Ostler::encode_base64url($signature);
}

sub parts_of { my ($head, $claims) = split /\./, $_[0]; return map { $json->decode(decode_base64(tr{-_}{+/}r)) } $head, $claims }

# RFC 6238, written down once more.
sub totp
{
	my ($secret, $time) = @_;
	my %value = map { substr('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', $_, 1) => $_ } 0 .. 31;
	my $bits = join '', map { sprintf '%05b', $value{$_} } grep { defined $value{$_} } split //, $secret;
	my $digest = hmac_sha1(pack('Q>', int($time / 30)), pack 'B' . 8 * int(length($bits) / 8), $bits);
	return sprintf '%06d', (unpack('N', substr $digest, ord(substr $digest, -1) & 15, 4) & 0x7fffffff) % 1_000_000;
}

1;
