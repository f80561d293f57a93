# Machine.pm - what the kernel counts: CPU time of processes, time stolen, memory, and what machine it is.
package Machine;
use strict;
use warnings;
use Exporter 'import';
use POSIX ();

our @EXPORT_OK = qw(cpu_us children_us family machine_us pss_kb description);

my $tick_us = 1e6 / POSIX::sysconf(POSIX::_SC_CLK_TCK());

sub slurp
{
	my ($path) = @_;
	open my $in, '<', $path or return '';
	local $/;
	return <$in> // '';
}

# Fields of /proc/PID/stat from the third on (proc(5)): the second may hold anything.
sub stat_fields
{
	my ($pid) = @_;
	return slurp("/proc/$pid/stat") =~ /\) (.*)/ ? split ' ', $1 : ();
}

# User and system time of all processes of the list, with their threads, in microseconds.
sub cpu_us
{
	my $ticks = 0;
	for my $pid (@_) {
		my @fields = stat_fields($pid);
		$ticks += $fields[11] + $fields[12] if @fields;
	}
	return $ticks * $tick_us;
}

# The process and its children.
sub family
{
	my ($parent) = @_;
	opendir my $proc, '/proc' or die "cannot read /proc: $!";
	return ($parent, grep { /^\d+$/ && ((stat_fields($_))[1] // 0) == $parent } readdir $proc);
}

# Since the start of the machine, over all cores, in microseconds (proc(5)): all time, time in which
# some process ran, and time that the hypervisor gave to other machines.
sub machine_us
{
	my (undef, @ticks) = split ' ', slurp('/proc/stat') =~ /^(cpu .*)/ ? $1 : '';
	my ($user, $nice, $system, $idle, $iowait, $irq, $softirq, $steal) = map { $_ * $tick_us } @ticks;
	my $busy = $user + $nice + $system + $irq + $softirq;
	return { all => $busy + $idle + $iowait + $steal, busy => $busy, steal => $steal };
}

# What the programs took that we have waited for, such as wrk.
sub children_us
{
	my (undef, undef, undef, $user, $system) = POSIX::times();
	return ($user + $system) * $tick_us;
}

# Memory of a process, with its share of what it shares.
sub pss_kb
{
	my ($pid) = @_;
	return slurp("/proc/$pid/smaps_rollup") =~ /^Pss:\s+(\d+)/m ? $1 : die "no PSS of $pid to be had\n";
}

sub description
{
	my ($folder) = @_;
	my @cores = slurp('/proc/cpuinfo') =~ /^model name\s*:\s*(.*)/mg;
	my $kernel = join ' ', (POSIX::uname())[ 0, 2 ];
	my ($type) = `stat -f -c %T '$folder'` =~ /(\S+)/;
	return scalar(@cores) . " cores, $cores[0]; $kernel; data on $type";
}

1;
