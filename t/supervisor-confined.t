#!/usr/bin/perl
# supervisor-confined.t - what a pool forbids its processes is forbidden: a worker tries it, and fails.
#
# Each case is tried without the setting, too: what would have failed anyway proves nothing.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use Ostler::Process qw(wait_for);
use Ostler::Programs;
use Ostler::Supervisor;
use POSIX ();
use Test::More;

plan skip_all => 'only root has something to give up' if $> != 0;

my $probe = Ostler::Programs::compile('probe');
my $landlock = syscall(444, 0, 0, 1) > 0;    # landlock_create_ruleset(2): its version

# What each attempt came to, by its name, in a pool with these settings.
sub attempts
{
	my ($attempts, %settings) = @_;
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'worker', command => [ $probe, @$attempts ], output => '%D/log/web', %settings } });
	mkdir $ostlerd->folder . "/$_" for qw(mine theirs);
	chmod 0777, $ostlerd->folder . "/$_" for qw(mine theirs);
	for my $name (qw(mine theirs)) { open my $out, '>', $ostlerd->folder . "/$name/file"; chmod 0666, $ostlerd->folder . "/$name/file" }
	$ostlerd->start->wait_until_ready;
	wait_for(sub { $ostlerd->log_of('web') =~ /^that was all$/m }, 'the probe');
	my $folder = $ostlerd->folder;
	my %came = map { s/\Q$folder\E/%D/gr =~ /^(.+): (\w+)$/ ? ($1 => $2) : () } split /\n/, $ostlerd->log_of('web');
	my %status = map { /^(\w+):\s*(.*)$/ ? ($1 => $2) : () } split /\n/, Ostler::Supervisor::slurp('/proc/' . $ostlerd->worker('web')->{pid} . '/status');
	is $ostlerd->stop, 0, 'ends with 0';
	return (\%came, \%status);
}

# With SETTINGS each of the attempts ends as told; with those of FREE instead, it is done.
sub forbidden
{
	my ($what, $settings, $free, %expected) = @_;
	subtest $what => sub {
		my ($came, $status) = attempts([ sort keys %expected ], %$settings);
		is $came->{$_}, $expected{$_}, "$_: $expected{$_}" for sort keys %expected;
		($came) = attempts([ sort keys %expected ], %$free);
		is $came->{$_}, 'done', "$_ is done without the setting" for sort keys %expected;
		return $status;
	};
}

forbidden 'a user is one for good, and sees only what is his', { user => 'nobody' }, {},
    setuid => 'EPERM', 'read=/etc/shadow' => 'EACCES', trace => 'EPERM', packet => 'EPERM', 'device=%D/mine/null' => 'EPERM', 'owner=%D/mine/file' => 'EPERM';

forbidden 'limits', { user => 'nobody', limits => [ 'nofile=20', 'as=256M', 'fsize=64K:128K' ] }, { user => 'nobody' },
    'files=100' => 'EMFILE', 'memory=512' => 'ENOMEM', 'size=%D/mine/large' => 'EFBIG';

subtest 'a limit of processes, which counts all of a user' => sub {
	my ($came) = attempts(['processes=200'], user => 'games', limits => ['nproc=50']);
	is $came->{'processes=200'}, 'EAGAIN', 'fifty are the most';
	($came) = attempts(['processes=200'], user => 'games');
	is $came->{'processes=200'}, 'done', 'without the limit two hundred are not too many';
};

forbidden 'a root whose capabilities are bounded', { capabilities => [ 'chown', 'CAP_SETUID' ] }, {}, packet => 'EPERM', 'device=%D/mine/null' => 'EPERM';
subtest 'what remains, remains' => sub {
	my ($came, $status) = attempts([ 'owner=%D/mine/file', 'packet' ], capabilities => ['chown']);
	is $came->{'owner=%D/mine/file'}, 'done', 'chown';
	is $status->{$_}, '0000000000000001', $_ for qw(CapBnd CapPrm CapEff);
	($came, $status) = attempts(['packet'], capabilities => [], user => 'nobody');
	is $status->{CapBnd}, '0000000000000000', 'none at all';
	($came, $status) = attempts(['packet']);
	is $status->{CapBnd}, (Ostler::Supervisor::slurp('/proc/self/status') =~ /^CapBnd:\s*(\w+)/m)[0], 'without the setting all that ostlerd has';
};

subtest 'no program gives more rights than its caller has, unless asked for' => sub {
	my $folder = Ostler::Supervisor->new(pools => {});
	my $setuid = $folder->folder . '/id';
	$folder->run('cp', '/usr/bin/id', $setuid);
	chmod 04755, $setuid;
	for my $case ([ {}, 1, qr/euid=0/, 0 ], [ { no_new_privs => \'false' }, 0, qr/euid=0/, 1 ]) {
		my ($settings, $flag, $root, $becomes) = @$case;
		my (undef, $status) = attempts(['setuid'], user => 'nobody', %$settings);
		is $status->{NoNewPrivs}, $flag, "NoNewPrivs is $flag";
		my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'task', user => 'nobody', command => [$setuid], output => '%D/log/web', %$settings } });
		$ostlerd->start->wait_until_ready;
		($becomes ? \&like : \&unlike)->($ostlerd->log_of('web'), $root, $becomes ? 'a set-user-id program works' : 'a set-user-id program gives nothing');
		is $ostlerd->stop, 0, 'ends with 0';
	}
};

subtest 'groups: these, and no others' => sub {
	my (undef, $status) = attempts(['setuid'], user => 'nobody', groups => [ 'daemon', 'bin' ]);
	is join(' ', sort split ' ', $status->{Groups}), join(' ', sort scalar getgrnam('daemon'), scalar getgrnam('bin')), 'those asked for';
	(undef, $status) = attempts(['setuid'], user => 'nobody', groups => []);
	is $status->{Groups}, '', 'none';
	(undef, $status) = attempts(['setuid'], groups => ['bin']);
	is $status->{Groups}, getgrnam('bin') . ' ', 'of root, too' or diag explain $status->{Groups};
};

subtest 'nice and cpus' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'worker', command => [ $probe, 'nice' ], user => 'nobody', output => '%D/log/web', nice => \5, cpus => '0' } });
	$ostlerd->start->wait_until_ready;
	wait_for(sub { $ostlerd->log_of('web') =~ /^that was all$/m }, 'the probe');
	my $pid = $ostlerd->worker('web')->{pid};
	is getpriority(0, $pid), getpriority(0, 0) + 5, 'added to the niceness of ostlerd';
	like $ostlerd->log_of('web'), qr/^nice: EPERM$/m, 'which cannot be undone';
	like Ostler::Supervisor::slurp("/proc/$pid/status"), qr/^Cpus_allowed_list:\s*0$/m, 'on the one processor';
	$ostlerd->{options}{pools}{web}{nice} = \6;
	$ostlerd->write_conf;
	is +($ostlerd->ctl('reload', '--wait=drained'))[0], 0, 'reloaded with another';
	isnt $ostlerd->worker('web')->{pid}, $pid, 'a new process has it';
	is getpriority(0, $ostlerd->worker('web')->{pid}), getpriority(0, 0) + 6, 'it does';
	is $ostlerd->stop, 0, 'ends with 0';
};

# What ostlerctl says is in force for the only process of the pool.
sub shown
{
	my ($ostlerd) = @_;
	my ($status, $out, $complaints) = $ostlerd->ctl('show', 'web', '--json');
	is "$status$complaints", '0', 'it is shown';
	return JSON::PP::decode_json($out);
}

subtest 'show: what the kernel says, not what was asked for' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'worker', command => [$probe], user => 'nobody', groups => ['daemon'], umask => '0077', directory => '/usr',
		limits => [ 'nofile=100:200', 'core=0', 'stack=8M:unlimited' ], nice => \3, cpus => '0', capabilities => ['chown'], ($landlock ? (readable => ['/']) : ()), backoff_first => '20ms' },
		root => { kind => 'worker', command => [$probe], no_new_privs => \'false' } });
	$ostlerd->start->wait_until_ready;
	my $worker = $ostlerd->worker('web');
	my $shown = shown($ostlerd);
	is_deeply [ @$shown{qw(pool slot pid generation state)} ], [ 'web', 1, $worker->{pid}, 1, 'ready' ], 'of which process';
	my $is = $shown->{in_force};
	my @nobody = (getpwnam 'nobody')[ 2, 3 ];
	is_deeply [ @$is{qw(user group)} ], [ 'nobody', scalar getgrgid $nobody[1] ], 'user and group';
	is_deeply [ $is->{uids}, $is->{gids}, $is->{groups} ], [ [ ($nobody[0]) x 4 ], [ ($nobody[1]) x 4 ], ['daemon'] ], 'real, effective, saved, of files';
	is_deeply [ @$is{qw(umask directory cpus oom_score_adj seccomp)} ], [ '0077', '/usr', '0', 0 + Ostler::Supervisor::slurp('/proc/self/oom_score_adj'), 'none' ], 'umask, directory, processors';
	is $is->{nice}, getpriority(0, 0) + 3, 'niceness';
	ok $is->{no_new_privs}, 'no_new_privs';
	is_deeply $is->{capabilities}, { bounding => ['chown'], map { $_ => [] } qw(effective permitted inheritable ambient) }, 'capabilities';
	is_deeply $is->{limits}{nofile}, { soft => 100, hard => 200 }, 'limits';
	is_deeply $is->{limits}{stack}, { soft => 8 << 20, hard => undef }, 'unlimited is null';
	is $is->{landlock}, $landlock ? 'limits its files' : 'none', 'landlock';
	my ($cgroup) = Ostler::Supervisor::slurp("/proc/$worker->{pid}/cgroup") =~ /^0::(.*)$/m;
	is $is->{cgroup}, $cgroup, 'cgroup';
	setpriority 0, $worker->{pid}, getpriority(0, 0) + 4;
	is shown($ostlerd)->{in_force}{nice}, getpriority(0, 0) + 4, 'what has changed since is seen';

	my ($status, $out) = $ostlerd->ctl('show', 'web');
	is $status, 0, 'as text';
	like $out, qr/^web 1 \($worker->{pid}\), generation 1, ready\n  user            nobody\n/, 'a head, then a line for each';
	like $out, qr/^  no_new_privs    yes\n  capabilities    bounding: chown; effective: none;/m, 'words for people';
	like $out, qr/^  limits .*\bcore=0\b.*\bstack=8388608:unlimited$/ms, 'limits as in the configuration';
	is scalar(grep { length > 100 } split /\n/, $out), 0, 'no line is too long';
	($status, $out) = $ostlerd->ctl('show', 'root');
	like $out, qr/^  no_new_privs    no$/m, 'of another pool';
	like $out, qr/^  capabilities    bounding: chown .*effective: the same;/ms, 'who has all';
	is_deeply [ $ostlerd->ctl('show', 'nobody') ], [ 1, '', qq(ostlerctl: there is no pool "nobody"\n) ], 'no such pool';
	is +($ostlerd->ctl('show'))[0], 2, 'no pool at all';
	kill 'KILL', $worker->{pid};
	$ostlerd->wait_for_event({ event => 'ready', pool => 'web' }, 2);
	isnt shown($ostlerd)->{pid}, $worker->{pid}, 'the next process, when one has died';
	is $ostlerd->stop, 0, 'ends with 0';
};

my @system = grep { -e } qw(/bin /sbin /usr /lib /lib64 /etc), $probe =~ s{/[^/]*$}{}r;
SKIP: {
	skip 'this kernel has no Landlock', 2 if !$landlock;
	forbidden 'files: only those that are named', { readable => \@system, writable => ['%D/mine'] }, {},
	    'read=/proc/self/status' => 'EACCES', 'read=%D/theirs/file' => 'EACCES', 'write=%D/theirs/new' => 'EACCES',
	    'remove=%D/theirs/file' => 'EACCES', 'device=%D/mine/null' => 'EACCES';
	subtest 'and what each may be used for' => sub {
		my ($came) = attempts([ 'read=/etc/passwd', 'write=/etc/ostler-test-of-landlock', 'write=%D/mine/new', 'read=%D/mine/file', 'run=/bin/true', 'run=%D/mine/true', 'write=/dev/null', 'remove=%D/mine/file' ],
			readable => \@system, writable => ['%D/mine']);
		is_deeply $came, { 'read=/etc/passwd' => 'done', 'write=/etc/ostler-test-of-landlock' => 'EACCES', 'write=%D/mine/new' => 'done', 'read=%D/mine/file' => 'done',
			'run=/bin/true' => 'done', 'run=%D/mine/true' => 'ENOENT', 'write=/dev/null' => 'done', 'remove=%D/mine/file' => 'done' }, 'read, write, execute';
	};
}

SKIP: {
	skip 'this kernel has no Landlock', 1 if !$landlock;
	forbidden 'all of it at once', { user => 'nobody', groups => [], umask => '0077', directory => '/usr', nice => \5, cpus => '0', capabilities => [],
		limits => [ 'nofile=20', 'as=256M', 'fsize=64K:128K' ], readable => \@system, writable => ['%D/mine'] }, {},
	    setuid => 'EPERM', trace => 'EPERM', packet => 'EPERM', 'device=%D/mine/null' => 'EACCES', 'owner=%D/mine/file' => 'EPERM', 'files=100' => 'EMFILE', 'memory=512' => 'ENOMEM',
	    'size=%D/mine/large' => 'EFBIG', 'read=/etc/shadow' => 'EACCES', 'read=%D/theirs/file' => 'EACCES', 'write=%D/theirs/new' => 'EACCES', 'remove=%D/theirs/file' => 'EACCES';
}

subtest 'a kernel without Landlock' => sub {
	plan skip_all => 'strace is not there or may not trace'
	    if system('strace -qq -o /dev/null -e inject=landlock_create_ruleset:error=ENOSYS true 2>/dev/null') != 0;
	my @without = ('strace', '-D', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=landlock_create_ruleset', '-e', 'inject=landlock_create_ruleset:error=ENOSYS');
	my %pool = (kind => 'worker', command => [ $probe, 'read=/etc/passwd' ], readable => \@system, output => '%D/log/web');
	my $ostlerd = Ostler::Supervisor->new(pools => { web => \%pool });
	my ($status, undef, $complaints) = $ostlerd->run(@without, Ostler::Supervisor::program('ostlerd'), '-c', $ostlerd->conf);
	is $status, 2, 'nothing is started';
	like $complaints, qr/:\d+: pool web: landlock: this kernel has no Landlock \(Function not implemented\), which readable and writable need/, 'it says why';
	$ostlerd = Ostler::Supervisor->new(pools => { web => { %pool, landlock => 'best_effort' } });
	$ostlerd->start(@without)->wait_until_ready;
	like $ostlerd->messages, qr/web: this kernel has no Landlock: its files are not limited/, 'but when the best that can be had will do';
	wait_for(sub { $ostlerd->log_of('web') =~ /^read.*: done$/m }, 'the worker runs');
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'a sandbox is what the program makes of it, and when it makes nothing of it that is told' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'worker', command => [$probe], sandbox => 'web' }, free => { kind => 'worker', command => [$probe] } });
	$ostlerd->start->wait_until_ready;
	like Ostler::Supervisor::slurp('/proc/' . $ostlerd->worker('web')->{pid} . '/environ'), qr/\0OSTLER_SANDBOX=web\0/, 'it is told';
	unlike Ostler::Supervisor::slurp('/proc/' . $ostlerd->worker('free')->{pid} . '/environ'), qr/OSTLER_SANDBOX/, 'in another pool it is not';
	like $ostlerd->messages, qr/warn web: is not in the sandbox web: \Q$probe\E does not know it\n/, 'a program that does not know it';
	unlike $ostlerd->messages, qr/free: is not/, 'of which nothing was asked, nothing is said';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'a limit that leaves no room for the program fails the reload, and nothing else' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'worker', command => [ $probe ] } });
	$ostlerd->start->wait_until_ready;
	my $pid = $ostlerd->worker('web')->{pid};
	$ostlerd->{options}{pools}{web}{limits} = ['as=4K'];
	$ostlerd->{options}{pools}{web}{ready} = 'notify';
	$ostlerd->write_conf;
	is +($ostlerd->ctl('reload', '--wait'))[0], 1, 'the reload has failed';
	is $ostlerd->worker('web')->{pid}, $pid, 'the old process serves';
	is $ostlerd->stop, 0, 'ends with 0';
};

done_testing;
