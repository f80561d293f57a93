#!/usr/bin/perl
# supervisor-systemd.t - what a service manager is told, and the units that come with us.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Select;
use IO::Socket::UNIX;
use Ostler::Process qw(wait_for);
use Ostler::Supervisor;
use POSIX ();
use Socket;
use Test::More;
use Time::HiRes qw(time clock_gettime CLOCK_MONOTONIC);

my $root = Ostler::Supervisor::root();
my $sleep = [ $^X, '-e', 'sleep 1 while 1' ];

# --- a manager of our own ---

# Listens where ostlerd shall tell what it has to.  Its messages are gathered by hear().
sub manager
{
	my ($ostlerd, %options) = @_;
	my $path = $ostlerd->folder . '/notify';
	unlink $path;
	my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $path, Blocking => 0) // die "cannot listen: $!";
	my $manager = { ostlerd => $ostlerd, socket => $socket, heard => [] };
	$ostlerd->start(sub {
		$ENV{NOTIFY_SOCKET} = $path;
		$ENV{WATCHDOG_USEC} = $options{watchdog} if $options{watchdog};
		$ENV{WATCHDOG_PID} = $options{watchdog_pid} // $$ if $options{watchdog};
	});
	return $manager;
}

# All messages so far, each as { NAME => value, at => when it was taken }.
sub hear
{
	my ($manager) = @_;
	my $text = '';
	while (defined $manager->{socket}->recv($text, 4096) && length $text) {
		push @{ $manager->{heard} }, { at => time, map { split /=/, $_, 2 } split /\n/, $text };
	}
	return @{ $manager->{heard} };
}

sub wait_to_hear
{
	my ($manager, $name, $pattern, $count) = @_;
	return wait_for(sub { my @like = grep { ($_->{$name} // '') =~ $pattern } hear($manager); @like >= ($count // 1) && $like[-1] },
		"$name like $pattern; heard: " . join '; ', map { my $m = $_; map { "$_=$m->{$_}" } grep { $_ ne 'at' } sort keys %$m } hear($manager));
}

# What has been said of the steps from one state to another, in order.
sub steps { my ($manager) = @_; return join ' ', map { my $m = $_; grep { exists $m->{$_} } qw(READY RELOADING STOPPING) } hear($manager) }

sub gated { my (%more) = @_; return { kind => 'worker', command => $sleep, ready => 'exec:/usr/bin/test -e %D/go', ready_interval => '20ms', %more } }
sub touch { my ($ostlerd, $name) = @_; open my $out, '>', $ostlerd->folder . "/$name" or die "$name: $!" }

subtest 'start, reload and stop' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => gated(), base => { kind => 'worker', command => $sleep } });
	my $manager = manager($ostlerd);
	my $first = wait_to_hear($manager, 'STATUS', qr/^Starting: 1 of 2 pools are ready; web is starting$/);
	is $first->{READY}, undef, 'not ready while a pool starts';
	is +(hear($manager))[0]{EXTEND_TIMEOUT_USEC}, 30_000_000, 'more time is asked for at once';
	unlike steps($manager), qr/READY/, 'nor before';
	touch($ostlerd, 'go');
	my $ready = wait_to_hear($manager, 'READY', qr/^1$/);
	is $ready->{STATUS}, 'Running: all 2 pools are ready', 'ready, and with what';

	my $before = int(clock_gettime(CLOCK_MONOTONIC) * 1e6);
	kill 'HUP', $ostlerd->pid;
	my $reloading = wait_to_hear($manager, 'RELOADING', qr/^1$/);
	my $after = int(clock_gettime(CLOCK_MONOTONIC) * 1e6);
	ok $reloading->{MONOTONIC_USEC} >= $before && $reloading->{MONOTONIC_USEC} <= $after, 'a reload begins at a time of CLOCK_MONOTONIC';
	wait_to_hear($manager, 'READY', qr/^1$/, 2);
	is steps($manager), 'READY RELOADING READY', 'and is over';

	$ostlerd->{options}{pools}{web}{command} = ['/bin/false'];
	$ostlerd->write_conf;
	isnt +($ostlerd->ctl('reload', '--wait'))[0], 0, 'one that fails';
	is wait_to_hear($manager, 'READY', qr/^1$/, 3)->{STATUS}, 'Running: all 2 pools are ready', 'is over, too: the old processes serve';
	open my $out, '>', $ostlerd->conf;
	print {$out} 'pools = {';
	close $out;
	isnt +($ostlerd->ctl('reload', '--wait'))[0], 0, 'one that is refused';
	wait_to_hear($manager, 'READY', qr/^1$/, 4);

	is $ostlerd->stop, 0, 'stopped';
	my $stopping = wait_to_hear($manager, 'STOPPING', qr/^1$/);
	like $stopping->{STATUS}, qr/^Stopping: [01] of 2 pools have ended$/, 'it is told that it ends';
	is $stopping->{EXTEND_TIMEOUT_USEC}, 30_000_000, 'and asked for time';
	is steps($manager), join(' ', ('READY RELOADING') x 3, 'READY STOPPING'), 'each step once, in order';
};

subtest 'more time is asked for again and again, while it is needed' => sub {
	my $ostlerd = Ostler::Supervisor->new(top => { extend_interval => '40ms' }, pools => { web => gated() });
	my $manager = manager($ostlerd);
	is wait_to_hear($manager, 'EXTEND_TIMEOUT_USEC', qr/./, 4)->{EXTEND_TIMEOUT_USEC}, 120_000, 'for three times as long';
	touch($ostlerd, 'go');
	wait_to_hear($manager, 'READY', qr/^1$/);
	my $asked = grep { $_->{EXTEND_TIMEOUT_USEC} } hear($manager);
	select undef, undef, undef, 0.3;    # time in which it must not happen
	is scalar(grep { $_->{EXTEND_TIMEOUT_USEC} } hear($manager)), $asked, 'and no more when all are ready';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'a pool that cannot start does not hold up the unit' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { good => { kind => 'worker', command => $sleep }, bad => { kind => 'worker', command => ['/bin/false'], ready => 'notify', backoff_first => '60s' },
		late => { kind => 'worker', command => $sleep, after => ['bad'] } });
	my $manager = manager($ostlerd);
	my $ready = wait_to_hear($manager, 'READY', qr/^1$/);
	is $ready->{STATUS}, 'Degraded: 1 of 3 pools are ready; bad is failing', 'it is ready, and says what is not';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'the watchdog: told that the loop turns, twice as often as asked' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'worker', command => $sleep } });
	my $manager = manager($ostlerd, watchdog => 400_000);
	my $start = time;
	wait_to_hear($manager, 'WATCHDOG', qr/^1$/, 8);
	cmp_ok time - $start, '>', 1.2, 'not more often';
	kill 'STOP', $ostlerd->pid;
	select undef, undef, undef, 0.1;
	my $heard = grep { $_->{WATCHDOG} } hear($manager);
	select undef, undef, undef, 0.6;    # time in which it must not happen
	is scalar(grep { $_->{WATCHDOG} } hear($manager)), $heard, 'not while it hangs';
	kill 'CONT', $ostlerd->pid;
	wait_to_hear($manager, 'WATCHDOG', qr/^1$/, $heard + 2);
	my %of_worker = map { split /=/, $_, 2 } split /\0/, Ostler::Supervisor::slurp('/proc/' . $ostlerd->worker('web')->{pid} . '/environ');
	like $of_worker{NOTIFY_SOCKET}, qr/^@/, 'workers have a NOTIFY_SOCKET of their own';
	is_deeply [ grep { /WATCHDOG/ } keys %of_worker ], [], 'and no watchdog';
	is $ostlerd->stop, 0, 'ends with 0';

	$manager = manager($ostlerd, watchdog => 10_000, watchdog_pid => 1);
	wait_to_hear($manager, 'READY', qr/^1$/);
	select undef, undef, undef, 0.2;    # time in which it must not happen
	is scalar(grep { $_->{WATCHDOG} } hear($manager)), 0, 'one that is meant for another process is not answered';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'a manager who does not listen holds up nobody, and is told when he does' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'worker', command => $sleep } });
	my $manager = manager($ostlerd, watchdog => 2_000);
	$ostlerd->wait_for_log(qr/the service manager does not take what it is told: Resource temporarily unavailable/);
	my $pid = $ostlerd->worker('web')->{pid};
	kill 'KILL', $pid;
	$ostlerd->wait_for_worker('web', 1, sub { $_[0]{state} eq 'ready' && $_[0]{pid} != $pid });
	pass 'a worker is replaced meanwhile';
	kill 'TERM', $ostlerd->pid;
	is $ostlerd->wait_for_end(30), 0, 'and all is stopped';
	$manager = manager($ostlerd);
	wait_to_hear($manager, 'READY', qr/^1$/);
	$manager->{socket}->close;
	kill 'HUP', $ostlerd->pid;
	$ostlerd->wait_for_log(qr/does not take what it is told: Connection refused/);
	is $ostlerd->stop, 0, 'one who is gone, too';
	my $count = () = $ostlerd->messages =~ /does not take what it is told: Connection refused/g;
	is $count, 1, 'it is said once';
};

subtest 'an address that is none' => sub {
	for my $name ('relative', '/' . 'x' x 200) {
		my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'worker', command => $sleep } });
		$ostlerd->start(sub { $ENV{NOTIFY_SOCKET} = $name })->wait_until_ready;
		like $ostlerd->messages, qr/NOTIFY_SOCKET=\Q$name\E: nobody can be told there/, 'is complained of';
		is $ostlerd->stop, 0, 'and no reason not to run';
	}
};

# --- the units ---

# Installed below a folder of their own, the units name programs that are there.
my $files = Ostler::Supervisor->new(pools => {})->folder;
my $installed = "$files/usr";
mkdir "$files/$_" for qw(usr usr/sbin usr/bin);
for my $unit (glob "$root/systemd/*") {
	my ($name) = $unit =~ m{([^/]+)$};
	open my $out, '>', "$files/$name" or die "$name: $!";
	print {$out} Ostler::Supervisor::slurp($unit) =~ s/\@PREFIX\@/$installed/gr;
}
mkdir "$installed/$_" for qw(share share/ostler share/ostler/stack);
for my $program ('sbin/ostlerd', 'sbin/ostler-backup', 'bin/ostlerctl', 'share/ostler/stack/edge') { open my $out, '>', "$installed/$program"; chmod 0755, "$installed/$program" }

sub lines_of { my ($command) = @_; my @lines = `$command 2>&1`; return ($?, @lines) }

subtest 'systemd finds nothing wrong with the units' => sub {
	plan skip_all => 'there is no systemd-analyze' if system('systemd-analyze --version >/dev/null 2>&1') != 0;
	my ($status, @said) = lines_of("systemd-analyze verify --man=no $files/ostlerd.service $files/ostlerd-single.service $files/ostlerd.socket $files/ostler-edge.service $files/ostler-backup.timer $files/ostler-drill.timer");
	is_deeply [ grep { /ostler/ } @said ], [], 'verify' or diag @said;
	is $status, 0, 'exit status 0';
	for my $case ([ 'ostlerd', 35 ], [ 'ostlerd-single', 15 ], [ 'ostler-edge', 45 ], [ 'ostler-backup', 20 ], [ 'ostler-drill', 20 ]) {
		my ($unit, $most) = @$case;
		($status, @said) = lines_of("systemd-analyze security --offline=true --threshold=$most $files/$unit.service");
		is $status, 0, sprintf '%s: an exposure of at most %.1f', $unit, $most / 10 or diag $said[-1];
		like $said[-1], qr/^\S+ Overall exposure level for $unit\.service: \d/, 'which was worked out' or diag @said;
	}
};

# Names of system calls that a unit allows, from its SystemCallFilter lines and systemd's own sets.
sub allowed
{
	my ($unit) = @_;
	my %set;
	my $name = '';
	for (lines_of('systemd-analyze syscall-filter')) {
		$name = $1 if /^(\@[\w-]+)/;
		push @{ $set{$name} }, $1 if /^ {4}(\@?[\w-]+)$/;
	}
	my $expand;
	$expand = sub { map { /^@/ ? $expand->(@{ $set{$_} // die "no set $_\n" }) : $_ } @_ };
	my %allowed;
	for my $line (Ostler::Supervisor::slurp("$files/$unit") =~ /^SystemCallFilter=(.*)$/mg) {
		my $not = $line =~ s/^~//;
		if ($not) { delete @allowed{ $expand->(split " ", $line) } } else { $allowed{$_} = 1 for $expand->(split " ", $line) }
	}
	$allowed{$_} = 1 for $expand->('@default');
	return \%allowed;
}

subtest 'the units allow every system call that ostlerd makes' => sub {
	plan skip_all => 'a sanitizer makes system calls of its own' if Ostler::Supervisor::is_sanitized();
	plan skip_all => 'strace or systemd-analyze is not there, or may not trace'
	    if system('strace -qq -o /dev/null true 2>/dev/null; systemd-analyze --version >/dev/null 2>&1') != 0;
	my $ostlerd = Ostler::Supervisor->new(pools => {
		web => { kind => 'fastcgi', command => ['php-cgi'], listen => 'unix:%D/sock/web', limits => ['nofile=100'], nice => \1, cpus => '0', readable => ['/'], writable => ['/tmp'], workers => \2 },
		jobs => { kind => 'worker', command => $sleep, max_memory => '1G', memory_interval => '50ms' } });
	# -D: strace stands aside, and ostlerd is our child.
	$ostlerd->start('strace', '-D', '-f', '-o', $ostlerd->folder . '/calls')->wait_until_ready;
	is +($ostlerd->ctl('restart', '--wait=drained'))[0], 0, 'start, status, reload';
	is +($ostlerd->ctl('upgrade', '--wait'))[0], 0, 'upgrade';
	$ostlerd->status;
	$ostlerd->ctl('show', 'web');
	is $ostlerd->stop, 0, 'and stop';
	wait_for(sub { Ostler::Supervisor::slurp($ostlerd->folder . '/calls') =~ /^@{[ $ostlerd->pid ]} +\+\+\+ exited/m }, 'all to be written down');
	my %made = map { /^\d+ +(\w+)\(/ ? ($1 => 1) : () } split /\n/, Ostler::Supervisor::slurp($ostlerd->folder . '/calls');
	cmp_ok scalar keys %made, '>', 40, 'many were made';
	for my $unit ('ostlerd.service', 'ostlerd-single.service') {
		my $allowed = allowed($unit);
		is_deeply [ grep { !$allowed->{$_} } sort keys %made ], [], "$unit allows them";
		ok !$allowed->{$_}, "and not $_" for qw(reboot init_module mount);
	}
};

done_testing;
