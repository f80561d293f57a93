# Fcgi.pm - a FastCGI client for tests: whole requests, and requests in pieces.
#
#     my $reply = Ostler::Fcgi::request($address, body => 'x' x 1000, path => '/echo');
#     is $reply->{body}, …;                       # and $reply->{headers}{lower-case name}, {status}
#     my $request = Ostler::Fcgi->begin($address, path => '/echo', length => 20);
#     $request->send('half of it'); …; my $reply = $request->finish;
#
# An address is "unix:PATH" or "tcp:HOST:PORT".  A request that is not answered whole dies and says why.
#
#     my $load = Ostler::Fcgi->load($address, clients => 4, path => '/echo');
#     …; my $count = $load->stop;                 # { done => …, lost => …, why => [ … ] }
#
# Each client of a load sends POSTs one after the other, every one with a body of its own, and
# compares what comes back with it.
package Ostler::Fcgi;
use strict;
use warnings;
use File::Temp qw(tempdir);
use IO::Socket::IP;
use IO::Socket::UNIX;
use POSIX ();
use Socket qw(SOCK_STREAM);
use Time::HiRes qw(time sleep);

use constant { BEGIN_REQUEST => 1, END_REQUEST => 3, PARAMS => 4, BODY => 5, ANSWER => 6, COMPLAINT => 7 };

sub connection
{
	my ($address) = @_;
	my $socket;
	if ($address =~ /^unix:(.*)/) {
		$socket = IO::Socket::UNIX->new(Peer => $1, Type => SOCK_STREAM);
	} elsif ($address =~ /^tcp:\[?(.*?)\]?:(\d+)$/) {
		$socket = IO::Socket::IP->new(PeerHost => $1, PeerPort => $2, Type => SOCK_STREAM);
	}
	return $socket // die "cannot connect to $address: $!\n";
}

sub record
{
	my ($type, $content) = @_;
	my $records = '';
	while (length $content > 65_000) {
		my $piece = substr $content, 0, 65_000, '';
		$records .= pack('CCnnCC', 1, $type, 1, length $piece, 0, 0) . $piece;
	}
	return $records . pack('CCnnCC', 1, $type, 1, length $content, 0, 0) . $content;
}

sub params
{
	my (%param) = @_;
	my $bytes = '';
	for my $name (sort keys %param) {
		$bytes .= join '', map { length($_) < 128 ? chr length $_ : pack 'N', length($_) | 0x8000_0000 } $name, $param{$name};
		$bytes .= "$name$param{$name}";
	}
	return $bytes;
}

sub print_all
{
	my ($socket, $bytes) = @_;
	local $SIG{PIPE} = 'IGNORE';
	while (length $bytes) {
		my $sent = syswrite $socket, $bytes;
		die "cannot send: $!\n" unless defined $sent;
		substr $bytes, 0, $sent, '';
	}
}

# Sends all but the body, whose LENGTH is told.
sub begin
{
	my ($class, $address, %wish) = @_;
	my $self = bless { socket => connection($address) }, $class;
	my $path = $wish{path} // '/';
	print_all($self->{socket}, record(BEGIN_REQUEST, pack 'nCx5', 1, 0) . record(PARAMS, params(
		REQUEST_METHOD => 'POST', SCRIPT_NAME => $path, REQUEST_URI => $path, CONTENT_LENGTH => $wish{length} // 0,
		SERVER_PROTOCOL => 'HTTP/1.1', GATEWAY_INTERFACE => 'CGI/1.1', CONTENT_TYPE => 'application/octet-stream',
		QUERY_STRING => '', %{ $wish{params} // {} })) . record(PARAMS, ''));
	return $self;
}

sub send { my ($self, $bytes) = @_; print_all($self->{socket}, record(BODY, $bytes)) if length $bytes }

sub read_exactly
{
	my ($self, $length) = @_;
	my $bytes = '';
	while (length $bytes < $length) {
		my $got = sysread $self->{socket}, $bytes, $length - length $bytes, length $bytes;
		die "connection lost: $!\n" unless defined $got;
		die "connection closed in the middle of an answer\n" if $got == 0;
	}
	return $bytes;
}

# Takes the whole answer; SLOWLY is called before each record is read.
sub finish
{
	my ($self, $slowly) = @_;
	my ($out, $complaints) = ('', '');
	print_all($self->{socket}, record(BODY, ''));
	while (1) {
		$slowly->() if $slowly;
		my (undef, $type, undef, $length, $padding) = unpack 'CCnnC', $self->read_exactly(8);
		my $content = substr $self->read_exactly($length + $padding), 0, $length;
		$out .= $content if $type == ANSWER;
		$complaints .= $content if $type == COMPLAINT;
		last if $type == END_REQUEST;
	}
	close $self->{socket};
	my ($head, $body) = split /\r?\n\r?\n/, $out, 2;
	die "an answer without a body: $out$complaints\n" unless defined $body;
	my %headers = map { /^([^:]+):\s*(.*)/ ? (lc $1, $2) : () } split /\r?\n/, $head;
	return { headers => \%headers, body => $body, status => $headers{status} // 200, complaints => $complaints };
}

sub request
{
	my ($address, %wish) = @_;
	my $body = $wish{body} // '';
	my $request = __PACKAGE__->begin($address, %wish, length => length $body);
	$request->send($body);
	return $request->finish;
}

sub load
{
	my ($class, $address, %wish) = @_;
	my $folder = tempdir('ostler-load-XXXXXXXX', TMPDIR => 1, CLEANUP => 1);
	my $self = bless { folder => $folder, pids => [], owner => $$ }, $class;
	for my $number (1 .. $wish{clients} // 4) {
		my $pid = fork // die "cannot fork: $!";
		if ($pid == 0) {
			eval { client($address, $number, "$folder/$number", \%wish); 1 } or warn $@;
			POSIX::_exit(0);
		}
		push @{ $self->{pids} }, $pid;
	}
	return $self;
}

sub client
{
	my ($address, $number, $report, $wish) = @_;
	my ($stop, $done, $lost, %seen, @why) = (0, 0, 0);
	local $SIG{TERM} = sub { $stop = 1 };
	srand $number;
	until ($stop || ($wish->{each} && $done + $lost >= $wish->{each})) {
		my $body = "$number/$done " . chr(97 + rand 26) x int rand($wish->{longest} // 3000);
		my $reply = eval { request($address, body => $body, path => $wish->{path} // '/echo', params => $wish->{params}) };
		if ($reply && $reply->{body} eq $body) {
			$done++;
			$seen{ $reply->{headers}{'x-generation'} // '' }++;
		} else {
			next if $stop && !$reply;
			$lost++;
			push @why, $reply ? 'another body of ' . length($reply->{body}) . ' bytes, not ' . length $body : $@;
		}
		sleep $wish->{pause} if $wish->{pause};
	}
	open my $out, '>', $report or die "cannot write $report: $!";
	print {$out} "done $done\nlost $lost\n", map({ "why $_\n" =~ s/\n+/\n/r } @why[ 0 .. ($#why < 9 ? $#why : 9) ]),
	    map { "seen $_ $seen{$_}\n" } sort keys %seen;
	close $out or die "cannot write $report: $!";
}

# Ends the clients, or waits until each has done what it had to do, and adds up.
sub stop { my ($self) = @_; kill 'TERM', @{ $self->{pids} }; return $self->wait }

sub wait
{
	my ($self) = @_;
	my %sum = (done => 0, lost => 0, why => [], seen => {});
	waitpid $_, 0 for splice @{ $self->{pids} };
	for my $file (glob "$self->{folder}/*") {
		open my $in, '<', $file or die "cannot read $file: $!";
		for (<$in>) {
			$sum{$1} += $2 if /^(done|lost) (\d+)/;
			push @{ $sum{why} }, $1 if /^why (.*)/;
			$sum{seen}{$1} += $2 if /^seen (\S*) (\d+)/;
		}
	}
	return \%sum;
}

sub DESTROY
{
	my ($self) = @_;
	local ($?, $@);
	return unless $self->{pids} && $self->{owner} == $$;
	kill 'KILL', @{ $self->{pids} };
	waitpid $_, 0 for splice @{ $self->{pids} };
}

1;
