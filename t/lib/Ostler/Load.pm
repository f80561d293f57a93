# Load.pm - clients that keep a FastCGI program busy and look closely at what it answers.
#
#     my $load = Ostler::Load->start($address, clients => 4);
#     …; my $sum = $load->stop;        # { done => …, lost => …, why => [ … ], seen => { generation => count } }
#
# Each client is a process that sends POSTs one after the other, every one with a body of its own, and
# compares what comes back with it, byte by byte.  Options:
#     path => '/echo', params => { … }   where to, and what else to say
#     longest => 3000                    bodies are up to so long
#     upload => 0.01                     a body comes in two halves, so many seconds apart: with more
#                                        clients than workers, each worker is always in the middle of one
#     least => 100                       a client goes on until it has sent so many
#     pause => 0.01                      between two of a client
package Ostler::Load;
use strict;
use warnings;
use File::Temp qw(tempdir);
use POSIX ();
use Time::HiRes qw(sleep);

use Ostler::FastCgi;

my $told_most = 10;    # reasons that a client tells

sub start
{
	my ($class, $address, %wish) = @_;
	my $folder = tempdir('ostler-load-XXXXXXXX', TMPDIR => 1, CLEANUP => 1);
	my $self = bless { folder => $folder, pids => [], owner => $$ }, $class;
	for my $number (1 .. $wish{clients} // 4) {
		my $pid = fork // die "cannot fork: $!";
		if ($pid == 0) {
			eval { client($address, $number, "$folder/$number", { path => '/echo', longest => 3000, %wish }); 1 } or warn $@;
			POSIX::_exit(0);    # no END block of the test that forked us
		}
		push @{ $self->{pids} }, $pid;
	}
	return $self;
}

# One POST.  Returns the generation that answered, or undef and why there is no good answer.
sub ask
{
	my ($address, $body, $wish) = @_;
	my $client = Ostler::FastCgi->new($address);
	my $half = int(length($body) / 2);
	my $answer = eval {
		$client->begin('POST', $wish->{path}, length $body, %{ $wish->{params} // {} });
		$client->more(substr $body, 0, $half);
		sleep $wish->{upload} if $wish->{upload};
		$client->more(substr $body, $half) && $client->finish;
	};
	return (undef, $client->why) unless $answer;
	return ($answer->{headers}{'x-generation'} // '', undef) if $answer->{body} eq $body;
	return (undef, 'another body of ' . length($answer->{body}) . ' bytes, not ' . length $body);
}

sub told_to_end
{
	my $pending = POSIX::SigSet->new;
	POSIX::sigpending($pending);
	return $pending->ismember(POSIX::SIGTERM);
}

sub client
{
	my ($address, $number, $report, $wish) = @_;
	my ($done, $lost, %seen, @why) = (0, 0);
	srand $number;
	# Blocked, and looked for between two requests: a signal must not tear the one in hand.
	POSIX::sigprocmask(POSIX::SIG_BLOCK, POSIX::SigSet->new(POSIX::SIGTERM));
	until ($done + $lost >= ($wish->{least} // 0) && told_to_end()) {
		my ($generation, $why) = ask($address, "$number/$done " . chr(97 + rand 26) x int rand $wish->{longest}, $wish);
		if (defined $generation) {
			$done++;
			$seen{$generation}++;
		} else {
			$lost++;
			push @why, $why;
		}
		sleep $wish->{pause} if $wish->{pause};
	}
	open my $out, '>', $report or die "cannot write $report: $!";
	print {$out} "done $done\nlost $lost\n", map({ "why $_\n" =~ s/\n+/\n/r } splice @why, 0, $told_most),
	    map { "seen $_ $seen{$_}\n" } sort keys %seen;
	close $out or die "cannot write $report: $!";
}

# Ends the clients, each after the request that it is at, and adds up.
sub stop
{
	my ($self) = @_;
	kill 'TERM', @{ $self->{pids} };
	my %sum = (done => 0, lost => 0, why => [], seen => {});
	my $clients = @{ $self->{pids} };
	waitpid $_, 0 for splice @{ $self->{pids} };
	my @reports = glob "$self->{folder}/*";
	die scalar(@reports), " of $clients clients have told what they did\n" if @reports != $clients;
	for my $file (@reports) {
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
