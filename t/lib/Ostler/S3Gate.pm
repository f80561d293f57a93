# S3Gate.pm - stands before s3rver and does what that does not: checks AWS Signature Version 4 and
# lets no request through whose body broke off, which a real bucket would not store either.
#
#     my $gate = Ostler::S3Gate->start(to => $port, keys => { ACCESS => 'secret' });
#     $gate->{port}; $gate->stop;
package Ostler::S3Gate;
use strict;
use warnings;
use Digest::SHA qw(hmac_sha256 hmac_sha256_hex sha256_hex);
use IO::Socket::IP;
use Ostler::Process qw(free_port);
use POSIX ();

sub start
{
	my ($class, %options) = @_;
	my ($port, $reservation) = free_port();
	my $listener = IO::Socket::IP->new(LocalHost => '127.0.0.1', LocalPort => $port, Listen => 64, ReuseAddr => 1)
	    or die "cannot listen: $@";
	my $pid = fork // die "fork: $!";
	if ($pid == 0) {
		$SIG{CHLD} = 'IGNORE';
		while (1) {
			my $client = $listener->accept or next;
			next if fork;
			eval { serve($client, \%options) };
			POSIX::_exit(0); # the test's END blocks are not for us
		}
	}
	return bless { pid => $pid, port => $port, reservation => $reservation }, $class;
}

sub stop { my ($self) = @_; kill 'KILL', $self->{pid} and waitpid delete $self->{pid}, 0 if $self->{pid} }
sub DESTROY { local ($?, $!); $_[0]->stop }

# One request to a connection: the head, and the body as long as it says.  Nothing when it broke off.
sub read_request
{
	my ($client) = @_;
	my $head = '';
	while ($head !~ /\r\n\r\n\z/) {
		my $line = <$client> // return;
		$head .= $line;
	}
	my ($length) = $head =~ /^Content-Length: (\d+)\r$/mi;
	print {$client} "HTTP/1.1 100 Continue\r\n\r\n" if $head =~ /^Expect: 100-continue\r$/mi;
	my $body = '';
	while ($length && length $body < $length) {
		read $client, $body, $length - length $body, length $body or return;
	}
	return ($head, $body);
}

# The signature that the request ought to have: docs.aws.amazon.com, "Create a signed request".
sub signature
{
	my ($head, $scope, $names, $secret) = @_;
	my ($method, $path, $query) = $head =~ m{^(\w+) ([^ ?]*)\??(\S*) };
	my %value = map { /^([\w-]+): *(.*?) *\r$/ ? (lc $1 => $2) : () } split /\n/, $head;
	my $canonical = join "\n", $method, $path, join('&', sort map { /=/ ? $_ : "$_=" } split /&/, $query),
	    (map { "$_:$value{$_}" } split /;/, $names), '', $names, $value{'x-amz-content-sha256'};
	my $to_sign = join "\n", 'AWS4-HMAC-SHA256', $value{'x-amz-date'}, $scope, sha256_hex($canonical);
	my $key = "AWS4$secret";
	$key = hmac_sha256($_, $key) for split m{/}, $scope;
	return hmac_sha256_hex($to_sign, $key);
}

sub is_signed
{
	my ($head, $keys) = @_;
	my ($access, $scope, $names, $given) = $head =~
	    m{^Authorization: AWS4-HMAC-SHA256 Credential=(\w+)/(\S+), SignedHeaders=(\S+), Signature=(\w+)\r$}m or return 0;
	my $hashed = $names =~ /(?:^|;)host(?:;|$)/ && $names =~ /(?:^|;)x-amz-content-sha256(?:;|$)/;
	return $hashed && $keys->{$access} && signature($head, $scope, $names, $keys->{$access}) eq $given;
}

sub serve
{
	my ($client, $options) = @_;
	my ($head, $body) = read_request($client) or return;
	if (!is_signed($head, $options->{keys})) {
		my $why = '<Error><Code>SignatureDoesNotMatch</Code><Message>It is another one.</Message></Error>';
		print {$client} "HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: " . length($why) . "\r\n\r\n$why";
		return;
	}
	my $server = IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $options->{to}) or die "no s3rver: $@";
	$head =~ s/^Expect: .*\r\n//mi;
	$head =~ s/\r\n\r\n\z/\r\nConnection: close\r\n\r\n/;
	print {$server} $head, $body;
	print {$client} $_ while read $server, $_, 65536;
}

1;
