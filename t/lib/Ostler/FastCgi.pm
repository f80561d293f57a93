# FastCgi.pm - a client of FastCGI programs, in the web server's place (FastCGI 1.0).
#
#     my $client = Ostler::FastCgi->new($path);          # a unix socket's path, or host:port
#     my $answer = $client->ask('GET', '/ping');         # { status, head, body }
#     my $answer = $client->ask('POST', '/x', $body, QUERY_STRING => 'a=1');
#     undef                                              # the connection ended before the answer
#     $client->send('GET', '/slow'); …; $client->receive # the same in two steps
#
# With keep => 1 the connection stays for the next request, as nginx's fastcgi_keep_conn does;
# without, each request has its own.  A request that fails is never sent again by itself.
package Ostler::FastCgi;
use strict;
use warnings;
use IO::Socket::IP;
use IO::Socket::UNIX;
use Time::HiRes qw(time);

use constant { BEGIN_REQUEST => 1, END_REQUEST => 3, PARAMS => 4, BODY => 5, ANSWER => 6 };

sub new
{
	my ($class, $address, %options) = @_;
	return bless { address => $address, keep => 0, patience => 30, buffer => '', %options }, $class;
}

sub record
{
	my ($type, $content) = @_;
	return pack('CCnnCx', 1, $type, 1, length $content, 0) . $content;
}

# Content of any length, and the empty record that ends it.
sub stream
{
	my ($type, $content) = @_;
	my $records = '';
	$records .= record($type, substr $content, 0, 32_768, '') while length $content;
	return $records . record($type, '');
}

sub sized { my ($text) = @_; return length $text < 128 ? pack('C', length $text) : pack('N', 0x80000000 | length $text) }

# The bytes of a whole request.
sub request
{
	my ($self, $method, $target, $body, %more) = @_;
	my ($path, $query) = split /\?/, $target, 2;
	my %param = (REQUEST_METHOD => $method, REQUEST_URI => $target, SCRIPT_NAME => $path,
	    SCRIPT_FILENAME => $path, QUERY_STRING => $query // '', SERVER_PROTOCOL => 'HTTP/1.1',
	    GATEWAY_INTERFACE => 'CGI/1.1', HTTP_HOST => 'localhost', REMOTE_ADDR => '127.0.0.1',
	    defined $body ? (CONTENT_LENGTH => length $body) : (), %more);
	my $params = join '', map { sized($_) . sized($param{$_}) . $_ . $param{$_} } sort keys %param;
	return record(BEGIN_REQUEST, pack 'nCx5', 1, $self->{keep} ? 1 : 0)
	    . stream(PARAMS, $params) . stream(BODY, $body // '');
}

sub connect
{
	my ($self) = @_;
	$self->{buffer} = '';
	$self->{socket} = $self->{address} =~ m{^/}
	    ? IO::Socket::UNIX->new(Peer => $self->{address})
	    : IO::Socket::IP->new(PeerAddr => $self->{address});
	return $self->{socket};
}

sub close { my ($self) = @_; delete $self->{socket}; return }
sub socket { return $_[0]{socket} }

# Sends bytes as they are.  False: nobody is there.
sub send_bytes
{
	my ($self, $bytes) = @_;
	local $SIG{PIPE} = 'IGNORE';
	$self->{socket} // $self->connect // return 0;
	while (length $bytes) {
		my $sent = syswrite $self->{socket}, $bytes;
		return $self->close // 0 if !defined $sent;
		substr $bytes, 0, $sent, '';
	}
	return 1;
}

sub send { my ($self, @request) = @_; return $self->send_bytes($self->request(@request)) }

# More from the connection; false at its end, or when it takes too long.
sub read_more
{
	my ($self, $deadline) = @_;
	my $ready = '';
	vec($ready, fileno $self->{socket}, 1) = 1;
	return 0 if !select $ready, undef, undef, $deadline > time ? $deadline - time : 0;
	return sysread $self->{socket}, $self->{buffer}, 65_536, length $self->{buffer};
}

# What the program wrote, up to the end of the request; undef if that does not come.
sub receive_raw
{
	my ($self) = @_;
	my ($raw, $deadline) = ('', time + $self->{patience});
	return undef unless $self->{socket};
	while (1) {
		while (length $self->{buffer} >= 8) {
			my (undef, $type, undef, $length, $padding) = unpack 'CCnnC', $self->{buffer};
			last if length $self->{buffer} < 8 + $length + $padding;
			my $content = substr substr($self->{buffer}, 0, 8 + $length + $padding, ''), 8, $length;
			$raw .= $content if $type == ANSWER;
			next if $type != END_REQUEST;
			$self->close unless $self->{keep};
			return $raw;
		}
		next if $self->read_more($deadline);
		return $self->close;
	}
}

sub receive
{
	my ($self) = @_;
	my $raw = $self->receive_raw // return undef;
	my ($head, $body) = split /\r?\n\r?\n/, $raw, 2;
	return { status => $head =~ /^Status: (\d+)/mi ? $1 : 200, head => $head, body => $body // '' };
}

sub ask
{
	my ($self, @request) = @_;
	return $self->send(@request) ? $self->receive : undef;
}

1;
