# Awake.pm - a clock that stands still when the machine does, for limits on how long something may take.
#
#     my $began = awake;
#     …
#     cmp_ok awake - $began, '<', 1, 'in time';
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

our @EXPORT = qw(awake);

my $step = 0.02;     # seconds between two looks
my $late = 0.05;     # more than that is not counted
my $file = File::Temp->new(TEMPLATE => 'ostler-awake-XXXXXXXX', TMPDIR => 1);
my $owner = $$;

# Counts until the test is gone.
sub count
{
	$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
	my ($awake, $last) = (0, clock_gettime(CLOCK_MONOTONIC));
	while (getppid == $owner) {
		sleep $step;
		my $now = clock_gettime(CLOCK_MONOTONIC);
		$awake += $now - $last < $late ? $now - $last : $late;
		$last = $now;
		sysseek $file, 0, 0;
		syswrite $file, sprintf '%.3f', $awake;
	}
	POSIX::_exit(0);
}

my $counter = fork // die "cannot fork: $!";
count() if $counter == 0;

# Seconds that the machine was awake since the test began.
sub awake()
{
	open my $in, '<', $file->filename or die "cannot read the clock: $!";
	return <$in> || 0;
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
