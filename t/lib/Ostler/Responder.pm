# Responder.pm - a FastCGI program in the place of the application: it says back what nginx told it.
#
#     my $responder = Ostler::Responder->start($socket_path);
#     $responder->log;    # the params of every request so far, oldest first
#     $responder->stop;
#
# What it answers stands in the request's target:
#     /close…          ends the connection without an answer
#     /hang…           never answers
#     /status/NNN…     that status and a small body
#     /bytes/N…        N bytes of JSON
#     anything else    JSON: { params: {…}, body: "…", connection: a number }
#
# One process per connection, as many requests on it as nginx likes (FastCGI 1.0, FCGI_KEEP_CONN).
package Ostler::Responder;
use strict;
use warnings;
use IO::Socket::UNIX;
use JSON::PP ();
use Socket qw(SOMAXCONN);

use Ostler::FastCgi qw(read_request answer_bytes);

sub start
{
	my ($class, $path) = @_;
	unlink $path;
	my $listener = IO::Socket::UNIX->new(Local => $path, Listen => SOMAXCONN)
	    or die "cannot listen on $path: $!";
	chmod 0666, $path;
	my $log = "$path.requests";
	open my $empty, '>', $log or die "cannot write $log: $!";
	my $pid = fork // die "cannot fork: $!";
	if ($pid == 0) {
		$SIG{TERM} = 'DEFAULT';
		setpgrp 0, 0;
		serve($listener, $log);
	}
	return bless { pid => $pid, log => $log, owner => $$ }, $class;
}

sub serve
{
	my ($listener, $log) = @_;
	local $SIG{CHLD} = 'IGNORE';
	for (my $number = 1;; $number++) {
		my $connection = $listener->accept or next;
		next if fork;
		eval { converse($connection, $number, $log) };
		require POSIX;
		POSIX::_exit(0);    # no END block of the test that forked us
	}
}

sub converse
{
	my ($connection, $number, $log) = @_;
	my $json = JSON::PP->new->canonical->utf8;
	while (my $request = read_request(sub { read_exactly($connection, @_) })) {
		my $target = $request->{params}{REQUEST_URI} // '';
		$request->{connection} = $number;
		open my $out, '>>', $log or die "cannot write $log: $!";
		syswrite $out, $json->encode({ %$request, body => substr $request->{body}, 0, 1000 }) . "\n";
		return if $target =~ m{^/close};
		sleep 3600 if $target =~ m{^/hang};
		print {$connection} answer_bytes(reply($target, $request, $json));
		$connection->flush;
		return unless $request->{keep};
	}
}

sub reply
{
	my ($target, $request, $json) = @_;
	my $status = $target =~ m{^/status/(\d+)} ? $1 : 200;
	my $body = $target =~ m{^/bytes/(\d+)} ? '"' . 'x' x ($1 - 2) . '"' : $json->encode($request);
	my $type = $status >= 400 ? 'application/problem+json' : 'application/json';
	return "Status: $status\r\nContent-Type: $type\r\nContent-Length: " . length($body) . "\r\nETag: \"1\"\r\nX-Request-Id: from-the-application\r\n\r\n$body";
}

sub read_exactly
{
	my ($from, $length) = @_;
	my $bytes = '';
	while (length $bytes < $length) {
		read($from, $bytes, $length - length $bytes, length $bytes) or return;
	}
	return $bytes;
}

sub log
{
	my ($self) = @_;
	open my $in, '<', $self->{log} or die "cannot read $self->{log}: $!";
	return map { JSON::PP::decode_json($_) } <$in>;
}

sub stop
{
	my ($self) = @_;
	my $pid = delete $self->{pid} or return;
	kill 'KILL', -$pid;
	waitpid $pid, 0;
}

sub DESTROY
{
	my ($self) = @_;
	local $?;
	$self->stop if $self->{owner} == $$;
}

1;
