# MailServer.pm - a mail server that keeps what it is given, and can be moody.
#
#     my $server = Ostler::MailServer->start;
#     … mail => $server->url …
#     $server->mood('busy');             # 'busy': 451, later; 'refuse': 550; 'hang': says nothing; 'good'
#     my @letters = $server->letters;    # { from, to => […], headers => {…}, part => {…}, body, raw }, oldest first
#     $server->stop;
#
# SMTP as RFC 5321 has it, as far as a client needs it; one process per connection.
package Ostler::MailServer;
use strict;
use warnings;
use Encode ();
use File::Temp qw(tempdir);
use IO::Socket::IP;
use JSON::PP ();
use MIME::QuotedPrint qw(decode_qp);

use Ostler::Process qw(free_port);

sub start
{
	my ($class) = @_;
	my ($port, $reservation) = free_port();
	my $self = bless { port => $port, reservation => $reservation, owner => $$,
	    folder => tempdir('mail-XXXXXXXX', TMPDIR => 1, CLEANUP => 1) }, $class;
	$self->mood('good');
	my $listener = IO::Socket::IP->new(LocalHost => '127.0.0.1', LocalPort => $port, Listen => 16, ReuseAddr => 1)
	    or die "cannot listen on port $port: $@";
	$self->{pid} = fork // die "cannot fork: $!";
	if ($self->{pid} == 0) {
		$SIG{$_} = 'DEFAULT' for qw(TERM INT HUP);
		setpgrp 0, 0;
		$self->serve($listener);
	}
	return $self;
}

sub url { return "smtp://127.0.0.1:$_[0]{port}" }

# What it is like from the next command on.
sub mood
{
	my ($self, $mood) = @_;
	open my $out, '>', "$self->{folder}/mood.new" or die $!;
	print {$out} $mood;
	close $out;
	rename "$self->{folder}/mood.new", "$self->{folder}/mood" or die $!;
	return;
}

sub mood_now
{
	my ($self) = @_;
	open my $in, '<', "$self->{folder}/mood" or return 'good';
	return scalar <$in>;
}

sub serve
{
	my ($self, $listener) = @_;
	local $SIG{CHLD} = 'IGNORE';
	for (my $number = 1;; $number++) {
		my $connection = $listener->accept or next;
		next if fork;
		eval { $self->converse($connection, sprintf '%06d-%d', $number, $$) };
		require POSIX;
		POSIX::_exit(0);    # no END block of the test that forked us
	}
}

sub converse
{
	my ($self, $connection, $name) = @_;
	my %letter = (to => []);
	my $say = sub { print {$connection} "$_[0]\r\n"; $connection->flush };
	$say->('220 mail.example ESMTP');
	while (defined(my $line = <$connection>)) {
		my $mood = $self->mood_now;
		sleep 3600 if $mood eq 'hang';
		if ($line =~ /^EHLO/i) { $say->('250-mail.example'); $say->('250 SIZE 1000000') }
		elsif ($line =~ /^MAIL FROM:<(.*?)>/i) { $letter{from} = $1; $say->('250 ok') }
		elsif ($line =~ /^RCPT TO:<(.*?)>/i) {
			push @{ $letter{to} }, $1;
			$say->($mood eq 'busy' ? '451 come again' : $mood eq 'refuse' ? '550 nobody of that name' : '250 ok');
		}
		elsif ($line =~ /^DATA/i) {
			$say->('354 go on');
			$letter{raw} = '';
			while (defined(my $text = <$connection>)) {
				last if $text eq ".\r\n";
				$letter{raw} .= $text =~ s/^\.\././r;
			}
			$self->keep($name, \%letter);
			$say->('250 taken');
		}
		elsif ($line =~ /^QUIT/i) { $say->('221 bye'); return }
		else { $say->('250 ok') }
	}
	return;
}

sub keep
{
	my ($self, $name, $letter) = @_;
	open my $out, '>', "$self->{folder}/new-$name" or die $!;
	print {$out} JSON::PP->new->latin1->encode($letter);
	close $out;
	rename "$self->{folder}/new-$name", "$self->{folder}/letter-$name" or die $!;
	return;
}

sub letters
{
	my ($self) = @_;
	return map { read_letter($_) } sort glob "$self->{folder}/letter-*";
}

sub read_letter
{
	my ($file) = @_;
	open my $in, '<', $file or die $!;
	my $letter = JSON::PP->new->latin1->decode(do { local $/; <$in> });
	($letter->{headers}, my $whole) = split_head($letter->{raw});
	my ($boundary) = $letter->{headers}{'content-type'} =~ /boundary=(\S+)/ or die "no boundary\n";
	my ($part) = $whole =~ /--\Q$boundary\E\r\n(.*?)\r\n--\Q$boundary\E--/s or die "no part\n";
	($letter->{part}, my $body) = split_head($part);
	$letter->{body} = Encode::decode('UTF-8', decode_qp($body)) =~ s/\r\n/\n/gr;
	return $letter;
}

# The header fields, unfolded, and what is behind them.
sub split_head
{
	my ($text) = @_;
	my ($head, $rest) = split /\r\n\r\n/, $text, 2;
	$head =~ s/\r\n[ \t]+/ /g;
	return ({ map { /^([^:]+):\s*(.*)/ ? (lc $1 => $2) : () } split /\r\n/, $head }, $rest);
}

sub forget { my ($self) = @_; unlink glob "$self->{folder}/letter-*"; return }

sub stop
{
	my ($self) = @_;
	return unless $self->{pid} && $self->{owner} == $$;
	kill 'TERM', -$self->{pid};
	waitpid delete $self->{pid}, 0;
	return;
}

sub DESTROY { my ($self) = @_; local ($?, $@, $!); $self->stop; return }

1;
