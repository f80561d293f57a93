# FastCgi.pm - the FastCGI protocol (version 1.0), and a client in the web server's place.
#
#     my $client = Ostler::FastCgi->new($address);      # "unix:PATH" or "tcp:HOST:PORT"
#     my $answer = $client->ask('GET', '/ping');        # { status, headers, body, complaints }
#     my $answer = $client->ask('POST', '/x?a=1', $body, REMOTE_USER => 'Ada');
#     undef                                             # not answered whole; $client->why says why
#
# The same in steps, to see what happens between them:
#     $client->send('GET', '/slow'); …; $client->receive
#     $client->begin('POST', '/x', 20); $client->more('half of it'); …; $client->finish   # end and receive
#
# With keep => 1 the connection stays for the next request, as nginx's fastcgi_keep_conn does;
# without, each request has its own.  A request that fails is never sent again by itself.
#
# Programs in the application's place use read_request, record and stream alone.
package Ostler::FastCgi;
use strict;
use warnings;
use Exporter 'import';
use IO::Socket::IP;
use IO::Socket::UNIX;
use Time::HiRes qw(time);

use constant { BEGIN_REQUEST => 1, END_REQUEST => 3, PARAMS => 4, BODY => 5, ANSWER => 6, COMPLAINT => 7 };
use constant { KEEP_CONNECTION => 1, RESPONDER => 1 };

our @EXPORT_OK = qw(connection read_request answer_bytes);

# --- the protocol ---

# One record, of at most 65,535 bytes of content; section 3.3 of the specification.
sub record
{
	my ($type, $content) = @_;
	return pack('CCnnCx', 1, $type, 1, length $content, 0) . $content;
}

# Content of any length as records, without the empty one that ends it.
sub records
{
	my ($type, $content) = @_;
	my $records = '';
	$records .= record($type, substr $content, 0, 32_768, '') while length $content;
	return $records;
}

sub stream { my ($type, $content) = @_; return records($type, $content) . record($type, '') }

# The bytes of an answer whose text, head and body, is complete.
sub answer_bytes { my ($text) = @_; return stream(ANSWER, $text) . record(END_REQUEST, pack 'NCx3', 0, 0) }

# Name-value pairs, section 3.4: lengths below 128 take one byte, others four.
sub sized { my ($text) = @_; return length $text < 128 ? pack('C', length $text) : pack('N', 0x8000_0000 | length $text) }

# A value that is a list is sent once for each of it.
sub pairs
{
	my (%param) = @_;
	return join '', map { my $name = $_; map { sized($name) . sized($_) . $name . $_ } ref $param{$name} ? @{ $param{$name} } : $param{$name} } sort keys %param;
}

sub size
{
	my ($bytes) = @_;
	return unpack 'C', substr $$bytes, 0, 1, '' if ord $$bytes < 128;
	return 0x7fff_ffff & unpack 'N', substr $$bytes, 0, 4, '';
}

sub unpaired
{
	my ($bytes) = @_;
	my %param;
	while (length $bytes) {
		my ($name, $value) = (size(\$bytes), size(\$bytes));
		$name = substr $bytes, 0, $name, '';
		$param{$name} = substr $bytes, 0, $value, '';
	}
	return \%param;
}

# For a program in the application's place: a whole request, { params, body, keep }, or undef when
# the connection ends first.  TAKE gets so many bytes, or undef.
sub read_request
{
	my ($take) = @_;
	my %request = (params => {}, body => '', keep => 0);
	my $params = '';
	while (defined(my $head = $take->(8))) {
		my (undef, $type, undef, $length, $padding) = unpack 'CCnnC', $head;
		my $content = $length + $padding ? $take->($length + $padding) // return : '';
		substr($content, $length) = '';
		$request{keep} = unpack('x2C', $content) & KEEP_CONNECTION if $type == BEGIN_REQUEST;
		$params .= $content if $type == PARAMS;
		$request{body} .= $content if $type == BODY;
		next unless $type == BODY && $length == 0;
		$request{params} = unpaired($params);
		return \%request;
	}
	return;
}

# --- the client ---

# A connection to ADDRESS, written as in ostler.conf; undef, and $! says why.
sub connection
{
	my ($address) = @_;
	return IO::Socket::UNIX->new(Peer => $1) if $address =~ /^unix:(.*)/s;
	my ($host, $port) = $address =~ /^tcp:\[?(.*?)\]?:(\d+)$/ or die "$address is no address\n";
	return IO::Socket::IP->new(PeerHost => $host, PeerPort => $port);
}

sub new
{
	my ($class, $address, %options) = @_;
	return bless { address => $address, keep => 0, patience => 30, buffer => '', why => '', %options }, $class;
}

sub why    { return $_[0]{why} }
sub socket { return $_[0]{socket} }
sub close  { my ($self) = @_; delete $self->{socket}; return }
sub fail   { my ($self, $why) = @_; $self->{why} = $why; return $self->close }

sub connect
{
	my ($self) = @_;
	$self->{buffer} = '';
	return $self->{socket} = connection($self->{address}) // $self->fail("cannot connect to $self->{address}: $!");
}

# Everything before the body.
sub head_bytes
{
	my ($self, $method, $target, $length, %more) = @_;
	my ($path, $query) = split /\?/, $target, 2;
	my %param = (REQUEST_METHOD => $method, REQUEST_URI => $target, SCRIPT_NAME => $path,
	    SCRIPT_FILENAME => $path, QUERY_STRING => $query // '', SERVER_PROTOCOL => 'HTTP/1.1',
	    GATEWAY_INTERFACE => 'CGI/1.1', HTTP_HOST => 'localhost', REMOTE_ADDR => '127.0.0.1',
	    defined $length ? (CONTENT_LENGTH => $length, CONTENT_TYPE => 'application/octet-stream') : (), %more);
	return record(BEGIN_REQUEST, pack 'nCx5', RESPONDER, $self->{keep} ? KEEP_CONNECTION : 0)
	    . stream(PARAMS, pairs(%param));
}

# The bytes of a whole request.
sub request
{
	my ($self, $method, $target, $body, %more) = @_;
	return $self->head_bytes($method, $target, defined $body ? length $body : undef, %more) . stream(BODY, $body // '');
}

# Sends bytes as they are.  False: nobody is there.
sub send_bytes
{
	my ($self, $bytes) = @_;
	local $SIG{PIPE} = 'IGNORE';
	$self->{socket} // $self->connect // return 0;
	while (length $bytes) {
		my $sent = syswrite $self->{socket}, $bytes;
		return $self->fail("cannot send: $!") // 0 if !defined $sent;
		substr $bytes, 0, $sent, '';
	}
	return 1;
}

sub send { my ($self, @request) = @_; return $self->send_bytes($self->request(@request)) }

# All but the body, whose LENGTH is told; returns the client.  Then its pieces, then finish.
sub begin
{
	my ($self, $method, $target, $length, %more) = @_;
	$self->send_bytes($self->head_bytes($method, $target, $length, %more)) or die "$self->{why}\n";
	return $self;
}

sub more   { my ($self, $piece) = @_; return $self->send_bytes(records(BODY, $piece)) }
sub end    { my ($self) = @_; return $self->send_bytes(record(BODY, '')) }
sub finish { my ($self, $pause) = @_; return $self->end ? $self->receive($pause) : undef }

# More from the connection; false at its end, or when it takes too long.
sub read_more
{
	my ($self, $deadline) = @_;
	my $ready = '';
	vec($ready, fileno $self->{socket}, 1) = 1;
	return $self->fail("no answer in $self->{patience} s") // 0 if !select $ready, undef, undef, $deadline > time ? $deadline - time : 0;
	my $got = sysread $self->{socket}, $self->{buffer}, 65_536, length $self->{buffer};
	return $got || ($self->fail(defined $got ? 'closed in the middle of an answer' : "connection lost: $!") // 0);
}

# Takes one record off the buffer: its type and content; nothing when it is not whole yet.
sub next_record
{
	my ($self) = @_;
	return if length $self->{buffer} < 8;
	my (undef, $type, undef, $length, $padding) = unpack 'CCnnC', $self->{buffer};
	return if length $self->{buffer} < 8 + $length + $padding;
	return ($type, substr substr($self->{buffer}, 0, 8 + $length + $padding, ''), 8, $length);
}

# What the program wrote up to the end of the request, { text, complaints }; undef if that does not
# come.  PAUSE is called before each read, to be slow.
sub receive_raw
{
	my ($self, $pause) = @_;
	my ($raw, $complaints, $deadline) = ('', '', time + $self->{patience});
	return undef unless $self->{socket};
	while (1) {
		while (my ($type, $content) = $self->next_record) {
			$raw .= $content if $type == ANSWER;
			$complaints .= $content if $type == COMPLAINT;
			next if $type != END_REQUEST;
			$self->close unless $self->{keep};
			return { text => $raw, complaints => $complaints };
		}
		$pause->() if $pause;
		$self->read_more($deadline) or return undef;
	}
}

sub receive
{
	my ($self, $pause) = @_;
	my $raw = $self->receive_raw($pause) or return undef;
	my ($head, $body) = split /\r?\n\r?\n/, $raw->{text}, 2;
	return $self->fail("an answer without a body: $raw->{text}$raw->{complaints}") unless defined $body;
	my %headers = map { /^([^:]+):\s*(.*)/ ? (lc $1, $2) : () } split /\r?\n/, $head;
	my ($status) = ($headers{status} // 200) =~ /(\d+)/;
	return { status => $status, headers => \%headers, body => $body, complaints => $raw->{complaints} };
}

sub ask
{
	my ($self, @request) = @_;
	return $self->send(@request) ? $self->receive : undef;
}

1;
