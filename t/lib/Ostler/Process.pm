# Process.pm - waiting for conditions, finding free ports, and looking for processes left behind.
package Ostler::Process;
use strict;
use warnings;
use Exporter 'import';
use IO::Socket::IP;
use IO::Socket::UNIX;
use Time::HiRes qw(time sleep);

our @EXPORT_OK = qw(wait_for free_port processes_using alive);

# Calls CONDITION until it returns something true, which is returned; dies after SECONDS.
sub wait_for
{
	my ($condition, $what, $seconds) = @_;
	my $deadline = time + ($seconds // 30);
	while (1) {
		my $answer = $condition->();
		return $answer if $answer;
		die "waited in vain for $what\n" if time > $deadline;
		sleep 0.02;
	}
}

# A port that is free on both loopback addresses.  It lies below the range that the kernel hands
# out to clients, and a name in the abstract namespace reserves it among tests that run at once;
# the reservation lasts as long as the second value returned.
sub free_port
{
	for (1 .. 1000) {
		my $port = 20_000 + int rand 10_000;
		my $reservation = IO::Socket::UNIX->new(Local => "\0ostler-test-port-$port", Listen => 1)
		    or next;
		next if grep { IO::Socket::IP->new(PeerHost => $_, PeerPort => $port, Timeout => 1) }
		    '127.0.0.1', '::1';
		my $probe = IO::Socket::IP->new(LocalHost => '127.0.0.1', LocalPort => $port,
		    Listen => 1, ReuseAddr => 1) or next;
		close $probe;
		return ($port, $reservation);
	}
	die "no free port found\n";
}

# Whether PID exists and is more than a zombie.
sub alive
{
	my ($pid) = @_;
	open my $stat, '<', "/proc/$pid/stat" or return 0;
	my $line = <$stat> // '';
	return $line =~ /\) ([A-Z])/ && $1 !~ /[ZX]/;
}

sub words_of
{
	my ($pid) = @_;
	open my $in, '<', "/proc/$pid/cmdline" or return '';
	local $/;
	my $words = <$in> // '';
	$words =~ tr/\0/ /;
	return $words;
}

# Every process that works in FOLDER: by its command line, working directory or open files.
# Returns "pid command line" of each.
sub processes_using
{
	my ($folder) = @_;
	my @found;
	opendir my $proc, '/proc' or die "cannot read /proc: $!";
	for my $pid (grep { /^\d+$/ && $_ != $$ } readdir $proc) {
		next unless alive($pid);
		my $words = words_of($pid);
		my @places = map { readlink($_) // () } "/proc/$pid/cwd", glob "/proc/$pid/fd/*";
		push @found, "$pid $words"
		    if index($words, "$folder/") >= 0 || grep { index("$_/", "$folder/") == 0 } @places;
	}
	return @found;
}

1;
