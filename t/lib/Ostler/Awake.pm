# Awake.pm - a clock that stands still when the machine does, for whatever may take only so long.
#
#     my $began = awake;
#     …
#     cmp_ok awake - $began, '<', 1, 'in time';
#
#     my ($reply) = undisturbed(sub { kill 'STOP', $pid; return $stack->get('/slow') });
#
# A machine that runs tests may be stopped for seconds, or too busy to run anybody; whatever was under way
# then took long, and nobody is to blame.  A process of its own looks at the time again and again; when it
# comes to that much later than it wanted, the time between was nobody's.
package Ostler::Awake;
use strict;
use warnings;
use Exporter 'import';
use File::Temp ();
use POSIX ();
use Time::HiRes qw(sleep clock_gettime CLOCK_MONOTONIC);

our @EXPORT = qw(awake undisturbed);

my $step  = 0.02;    # seconds between two looks
my $late  = 0.05;    # what a look may come late; more is not counted
my $stall = 0.25;    # what is longer disturbs
my $tries = 10;      # of what was disturbed
my $file = File::Temp->new(TEMPLATE => 'ostler-awake-XXXXXXXX', TMPDIR => 1);
my $owner = $$;

# Counts until the test is gone: the seconds that somebody could run, and those of long stalls.
sub count
{
	my ($awake, $stalled, $last) = (0, 0, clock_gettime(CLOCK_MONOTONIC));
	$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
	while (getppid == $owner) {
		sleep $step;
		my $now = clock_gettime(CLOCK_MONOTONIC);
		my $passed = $now - $last;
		$awake += $passed < $step + $late ? $passed : $step + $late;
		$stalled += $passed if $passed > $stall;
		$last = $now;
		sysseek $file, 0, 0;
		syswrite $file, sprintf "%.3f %.3f\n", $awake, $stalled;
	}
	POSIX::_exit(0);
}

my $counter = fork // die "cannot fork: $!";
count() if $counter == 0;

sub counted
{
	open my $in, '<', $file->filename or die "cannot read the clock: $!";
	my ($awake, $stalled) = (<$in> // '') =~ /^([\d.]+) ([\d.]+)$/;
	return ($awake // 0, $stalled // 0);
}

# Seconds that the machine was awake since the test began.
sub awake() { return (counted())[0] }

# What LOOK returns, a list; it is called again when the machine stood still meanwhile, which may have made
# it see something else.
sub undisturbed
{
	my ($look) = @_;
	my @seen;
	for (1 .. $tries) {
		my $before = (counted())[1];
		@seen = $look->();
		sleep 2 * $step;    # a stall at the very end is counted, too
		last if (counted())[1] == $before;
	}
	return @seen;
}

END {
	if ($$ == $owner) {
		my $status = $?;
		kill 'KILL', $counter;
		waitpid $counter, 0;
		$? = $status;
	}
}

1;
