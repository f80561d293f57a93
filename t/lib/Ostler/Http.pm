# Http.pm - HTTP as a test wants it: no redirects, no proxies, no surprises.
#
#     my $reply = $http->request(POST => '/api/tasks', json => { title => 'Feed the horses' });
#     is $reply->{status}, 201;
#     is $reply->{json}{title}, 'Feed the horses';
#     is $reply->{headers}{location}, …;      # names in lower case
package Ostler::Http;
use strict;
use warnings;
use HTTP::Tiny;
use IO::Socket::IP;
use JSON::PP ();
use Time::HiRes qw(time);

sub new
{
	my ($class, %place) = @_;
	return bless { host => '127.0.0.1', timeout => 60, %place }, $class;
}

# WISHES: headers => {…}; and one of json => value, form => {…}, content => bytes; timeout => seconds.
# A connection that fails answers with status 599 and says why in content.
sub request
{
	my ($self, $method, $path, %wish) = @_;
	my $client = HTTP::Tiny->new(max_redirect => 0, keep_alive => 0, agent => 'ostler-test',
	    timeout => $wish{timeout} // $self->{timeout},
	    proxy => undef, http_proxy => undef, https_proxy => undef);
	my %headers = %{ $wish{headers} // {} };
	my $content = $wish{content};
	if (exists $wish{json}) {
		$content = JSON::PP->new->utf8->canonical->allow_nonref->encode($wish{json});
		$headers{'content-type'} //= 'application/json';
	}
	if ($wish{form}) {
		$content = $client->www_form_urlencode($wish{form});
		$headers{'content-type'} //= 'application/x-www-form-urlencoded';
	}
	my $reply = $client->request($method, "http://$self->{host}:$self->{port}$path",
	    { headers => \%headers, defined $content ? (content => $content) : () });
	my $type = $reply->{headers}{'content-type'} // '';
	$reply->{json} = eval { JSON::PP->new->utf8->allow_nonref->decode($reply->{content}) }
	    if $type =~ m{^application/(?:[a-z]+\+)?json\b};
	return $reply;
}

sub get    { my ($self, $path, %wish) = @_; return $self->request(GET => $path, %wish) }
sub post   { my ($self, $path, %wish) = @_; return $self->request(POST => $path, %wish) }
sub patch  { my ($self, $path, %wish) = @_; return $self->request(PATCH => $path, %wish) }
sub delete { my ($self, $path, %wish) = @_; return $self->request(DELETE => $path, %wish) }

# A connection of one's own, for bytes that no client would send.
sub connect
{
	my ($self) = @_;
	return IO::Socket::IP->new(PeerHost => $self->{host}, PeerPort => $self->{port})
	    || die "cannot connect to port $self->{port}: $@\n";
}

# Sends BYTES and returns all that comes back until the server closes, or SECONDS have passed.
# Have "Connection: close" in the bytes.
sub raw
{
	my ($self, $bytes, $seconds) = @_;
	my $socket = $self->connect;
	local $SIG{PIPE} = 'IGNORE';
	print {$socket} $bytes;
	$socket->flush;
	my ($answer, $deadline) = ('', time + ($seconds // 30));
	while ((my $left = $deadline - time) > 0) {
		my $ready = '';
		vec($ready, fileno $socket, 1) = 1;
		next unless select $ready, undef, undef, $left;
		last unless sysread $socket, $answer, 65_536, length $answer;
	}
	return $answer;
}

1;
