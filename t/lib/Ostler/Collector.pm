# Collector.pm - an OpenTelemetry collector that keeps what it is sent, and can be moody.
#
#     my $collector = Ostler::Collector->start;
#     … otlp_url => $collector->url …
#     $collector->mood('429 1');       # a status, and Retry-After; 'good'
#     my @spans = $collector->spans;   # as OTLP has them, attributes as one hash, of all that was taken
#     $collector->stop; $collector->launch;    # away, and back at the same port
package Ostler::Collector;
use strict;
use warnings;
use File::Temp qw(tempdir);
use IO::Socket::IP;
use JSON::PP ();
use POSIX ();

use Ostler::Process qw(free_port);

sub start
{
	my ($class) = @_;
	my ($port, $reservation) = free_port();
	my $self = bless { port => $port, reservation => $reservation, owner => $$,
	    folder => tempdir('otlp-XXXXXXXX', TMPDIR => 1, CLEANUP => 1) }, $class;
	$self->mood('good');
	$self->launch;
	return $self;
}

sub url { return "http://127.0.0.1:$_[0]{port}/v1/traces" }

sub launch
{
	my ($self) = @_;
	my $listener = IO::Socket::IP->new(LocalHost => '127.0.0.1', LocalPort => $self->{port}, Listen => 16, ReuseAddr => 1)
	    or die "cannot listen on port $self->{port}: $@";
	$self->{pid} = fork // die "cannot fork: $!";
	return if $self->{pid};
	$SIG{$_} = 'DEFAULT' for qw(TERM INT HUP);
	for (my $number = 1;; $number++) {
		my $connection = $listener->accept or next;
		eval { $self->take($connection, $number) };
	}
}

sub mood
{
	my ($self, $mood) = @_;
	$self->write_file(mood => $mood);
	return;
}

# A file that is never seen half written.
sub write_file
{
	my ($self, $name, $text) = @_;
	open my $out, '>:raw', "$self->{folder}/new" or die $!;
	print {$out} $text;
	close $out or die $!;
	rename "$self->{folder}/new", "$self->{folder}/$name" or die $!;
	return;
}

sub read_file
{
	my ($file) = @_;
	open my $in, '<:raw', $file or die $!;
	local $/;
	return <$in>;
}

# One request for each connection.
sub take
{
	my ($self, $connection, $number) = @_;
	my ($head, $body) = ('', '');
	while (defined(my $line = <$connection>)) {
		last if $line eq "\r\n";
		$head .= $line;
	}
	my ($length) = $head =~ /^Content-Length: (\d+)/mi or return;
	read($connection, $body, $length) == $length or return;
	my ($status, $wait) = split / /, read_file("$self->{folder}/mood");
	$status = 200 if $status eq 'good';
	$self->write_file("refused-$$-$number", $head) if $status != 200;
	$self->write_file("taken-$$-$number", "$head\n$body") if $status == 200;
	print {$connection} "HTTP/1.1 $status Said\r\n", $wait ? "Retry-After: $wait\r\n" : '',
	    "Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
	return;
}

sub refusals { my ($self) = @_; return scalar(my @files = glob "$self->{folder}/refused-*") }
sub heads    { my ($self) = @_; return map { (split /\n\n/, read_file($_), 2)[0] } glob "$self->{folder}/taken-*" }

sub spans
{
	my ($self) = @_;
	my @spans;
	for my $file (glob "$self->{folder}/taken-*") {
		my $sent = JSON::PP::decode_json((split /\n\n/, read_file($file), 2)[1]);
		for my $resource (@{ $sent->{resourceSpans} }) {
			my %from = plain($resource->{resource}{attributes});
			push @spans, map { { %$_, resource => \%from, attributes => { plain($_->{attributes}) } } }
			    map { @{ $_->{spans} } } @{ $resource->{scopeSpans} };
		}
	}
	return @spans;
}

sub plain { return map { $_->{key} => (values %{ $_->{value} })[0] } @{ $_[0] } }

sub stop
{
	my ($self) = @_;
	return unless $self->{pid} && $self->{owner} == $$;
	kill 'KILL', $self->{pid};
	waitpid delete $self->{pid}, 0;
	return;
}

sub DESTROY { my ($self) = @_; local ($?, $@, $!); $self->stop; return }

1;
