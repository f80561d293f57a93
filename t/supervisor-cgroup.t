#!/usr/bin/perl
# supervisor-cgroup.t - with a cgroup of its own for each worker, not even a daemon outlives it.
#
# Needs version 2 of cgroups where this user may make some: where nothing is mounted, root mounts it
# for the test alone.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::Process qw(wait_for alive);
use Ostler::Supervisor;
use Test::More;
use Time::HiRes qw(time);

# Makes a daemon, two forks and a session away, which no signal but KILL ends; writes "worker daemon".
my $code = <<'PERL';
use POSIX ();
pipe my $in, my $out;
if (!fork) {
	POSIX::setsid();
	exit if fork;
	$SIG{$_} = "IGNORE" for qw(TERM INT HUP);
	syswrite $out, "$$\n";
	close $_ for $in, $out;
	sleep 1 while 1;
}
wait;
my $daemon = <$in>;
open my $diary, ">", "$ENV{DIARY}.$ENV{OSTLER_SLOT}.new";
print $diary "$$ $daemon";
close $diary;
rename "$ENV{DIARY}.$ENV{OSTLER_SLOT}.new", "$ENV{DIARY}.$ENV{OSTLER_SLOT}";
PERL

sub pool { my (%more) = @_; return { kind => 'worker', workers => \2, environment => ['DIARY=%D/pids'], stop_timeout => '200ms', backoff_first => '20ms', command => [ $^X, '-e', "$code; sleep 1 while 1" ], %more } }

my $mounted = grep { / - cgroup2 / } split /^/, Ostler::Supervisor::slurp('/proc/self/mountinfo');
my @prefix = $mounted || $> != 0 ? () : ('unshare', '--mount', '/bin/sh', '-c', 'mkdir "$0" && mount -t cgroup2 none "$0" && exec "$@"');

sub start
{
	my ($cgroups, %pools) = @_;
	my $ostlerd = Ostler::Supervisor->new(top => { cgroups => $cgroups, log_level => 'debug' }, pools => \%pools);
	return $ostlerd->start(@prefix ? (@prefix, $ostlerd->folder . '/cgroup') : ());
}

sub started { my $ostlerd = start(@_); return $ostlerd->wait_until_ready }

# The worker in that slot and its daemon, as a pair; another pair than OLD, if that is given.
sub pair
{
	my ($ostlerd, $slot, $old) = @_;
	return wait_for(sub {
		my @pair = split ' ', Ostler::Supervisor::slurp($ostlerd->folder . "/pids.$slot");
		@pair == 2 && (!$old || $pair[0] != $old->[0]) && \@pair;
	}, "the worker $slot and its daemon");
}

sub cgroup_of { return Ostler::Supervisor::slurp("/proc/$_[0]/cgroup") =~ m{^0::(.*)}m ? $1 : '' }

# The folder with the cgroups of this ostlerd, as it says.
sub folder { my ($ostlerd) = @_; return $ostlerd->messages =~ /has a cgroup of its own in (\S+)/ ? $1 : undef }

{
	my $trial = start('on', task => { kind => 'task', command => ['/bin/true'] });
	wait_for(sub { $trial->has_ended || $trial->messages =~ /all pools are ready/ }, 'a trial');
	plan skip_all => 'NO CGROUP CAN BE MADE HERE: ' . ($trial->messages =~ /no cgroups: (.*)/ ? $1 : $trial->messages) if $trial->has_ended;
	is $trial->stop, 0, 'cgroups can be made here';
}

subtest 'a worker that dies takes its daemon along, and nobody else' => sub {
	my $ostlerd = started('auto', web => pool());
	my ($first, $second) = map { pair($ostlerd, $_) } 1, 2;
	is cgroup_of($first->[0]), cgroup_of($first->[1]), 'a worker and its daemon are in one cgroup';
	isnt cgroup_of($first->[0]), cgroup_of($second->[0]), 'the next worker is in another';
	unlike cgroup_of($ostlerd->pid), qr/ostlerd-/, 'ostlerd itself is in none of them';
	like cgroup_of($first->[0]), qr{/ostlerd-\w{6}/web\.1-\d+$}, 'the name tells whose it is';
	kill 'KILL', $first->[0];
	my $next = pair($ostlerd, 1, $first);
	wait_for(sub { !alive($first->[1]) }, 'the end of the daemon');
	ok alive($next->[1]), 'the one of the next process lives';
	ok alive($_), 'so does the neighbour' for @$second;
	my $folder = folder($ostlerd);
	wait_for(sub { (() = glob "$folder/*/") == 2 }, 'the old cgroup to be removed') if !@prefix;
	is $ostlerd->stop, 0, 'ends with 0';
	ok !(grep { alive($_) } @$next, @$second), 'a stop leaves nobody';
	ok !-e $folder, 'and no cgroup';
};

subtest 'a reload ends the daemons of the old generation' => sub {
	my $ostlerd = started('auto', web => pool());
	my @old = map { pair($ostlerd, $_) } 1, 2;
	for my $n (1 .. 5) {
		my ($status) = $ostlerd->ctl('restart', 'web', '--wait=drained');
		is $status, 0, "restart $n";
		my @new = map { pair($ostlerd, $_, $old[ $_ - 1 ]) } 1, 2;
		wait_for(sub { !grep { alive($_) } map { @$_ } @old }, 'the end of the old');
		@old = @new;
	}
	my $folder = folder($ostlerd);
	wait_for(sub { (() = glob "$folder/*/") == 2 }, 'as many cgroups as workers') if !@prefix;
	is scalar($ostlerd->events(event => 'kill')), 0, 'no worker had to be killed';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'when ostlerd is killed, the guardian ends the daemons, too' => sub {
	my $ostlerd = started('auto', web => pool());
	my @pids = map { pair($ostlerd, $_)->@* } 1, 2;
	my $folder = folder($ostlerd);
	my $began = time;
	is $ostlerd->stop('KILL'), 128 + 9, 'it is killed';
	wait_for(sub { !grep { alive($_) } @pids }, 'the end of all', 20);
	cmp_ok time - $began, '<', 10, 'soon';
	wait_for(sub { !$ostlerd->left }, 'the guardian to end', 20);
	ok !-e $folder, 'no cgroup is left';
};

subtest 'cgroups that a worker has made in its own go with it' => sub {
	plan skip_all => 'needs root' if $> != 0;
	plan skip_all => 'version 2 of cgroups is mounted for ostlerd alone' if @prefix;
	my $ostlerd = started('auto', web => { kind => 'worker', backoff_first => '20ms', command => [ $^X, '-e', 'my ($own) = `cat /proc/self/cgroup` =~ m{^0::.*/(ostlerd-.*)}m;
		my ($folder) = `cat /proc/self/mountinfo` =~ m{^\S+ \S+ \S+ \S+ (\S+) .* - cgroup2 }m; chomp $own;
		my ($place) = grep { -d } "$folder/$own", glob "$folder/*/$own";
		mkdir "$place/mine" or die "$place/mine: $!"; print STDERR "made $place/mine\n"; sleep 1 while 1' ] });
	wait_for(sub { $ostlerd->messages =~ /made \S+/ }, 'it to make one');
	my ($made) = $ostlerd->messages =~ /made (\S+)/;
	ok -d $made, 'it is there';
	kill 'KILL', $ostlerd->worker('web')->{pid};
	wait_for(sub { !-e $made }, 'it to be removed');
	is $ostlerd->stop, 0, 'ends with 0';
	ok !-e folder($ostlerd), 'nothing is left';
};

subtest 'without, what leaves its process group gets away, as ostlerd(8) says' => sub {
	my $ostlerd = started('off', web => pool(workers => \1));
	my $pair = pair($ostlerd, 1);
	is cgroup_of($pair->[0]), cgroup_of($ostlerd->pid), 'a worker is where ostlerd is';
	kill 'KILL', $pair->[0];
	my $next = pair($ostlerd, 1, $pair);
	ok alive($pair->[1]), 'the daemon of the dead lives';
	is $ostlerd->stop, 0, 'ends with 0';
	ok alive($pair->[1]), 'even now';
	kill 'KILL', $pair->[1], $next->[1];
	wait_for(sub { !$ostlerd->left }, 'all to be ended by the test');
};

subtest 'where none can be made' => sub {
	plan skip_all => 'needs root, to become somebody who may not' if $> != 0;
	my ($user, $group) = (getpwnam 'nobody')[ 2, 3 ];
	my $demoted = sub {
		my ($ostlerd) = @_;
		chown $user, $group, $ostlerd->folder, $ostlerd->folder . '/ctl';
		return $ostlerd->start(sub { $) = "$group $group"; $( = $group; $< = $> = $user });
	};
	my $worker = { kind => 'worker', command => [ $^X, '-e', 'sleep 1 while 1' ] };
	my $auto = $demoted->(Ostler::Supervisor->new(top => { log_level => 'debug' }, pools => { web => $worker }));
	$auto->wait_until_ready;
	like $auto->messages, qr/workers are process groups and no more: \S/, 'auto: goes on without';
	is $auto->stop, 0, 'ends with 0';
	my $on = $demoted->(Ostler::Supervisor->new(top => { cgroups => 'on' }, pools => { web => $worker }));
	is $on->wait_for_end, 1, 'on: does not start';
	like $on->messages, qr/error no cgroups: \S/, 'and says why';
};

done_testing;
