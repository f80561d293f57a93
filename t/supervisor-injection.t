#!/usr/bin/perl
# supervisor-injection.t - the kernel refuses ostlerd this and that; it goes on, and recovers by itself.
#
# strace(1) is attached to the running ostlerd, not to its workers, and makes system calls fail.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::UNIX;
use Ostler::Load;
use Ostler::Process qw(wait_for);
use Ostler::Programs;
use Ostler::Supervisor;
use POSIX ();
use Test::More;

plan skip_all => 'strace is not there or may not trace'
    if system('strace -qq -o /dev/null -e inject=getppid:error=EPERM true 2>/dev/null') != 0;

my $sleep = [ $^X, '-e', 'sleep 1 while 1' ];

# Makes system calls of ostlerd fail as INJECT says while CODE runs.
sub with_injection
{
	my ($ostlerd, $inject, $code) = @_;
	my $strace = fork // die "cannot fork: $!";
	if ($strace == 0) {
		open STDERR, '>', $ostlerd->folder . '/strace';
		{ exec 'strace', '-qq', '-o', '/dev/null', @$inject, '-p', $ostlerd->pid }
		POSIX::_exit(127);
	}
	wait_for(sub { Ostler::Supervisor::slurp('/proc/' . $ostlerd->pid . '/status') =~ /^TracerPid:\s+[1-9]/m },
	    'strace: ' . Ostler::Supervisor::slurp($ostlerd->folder . '/strace'));
	my $done = eval { $code->(); 1 };
	my $error = $@;
	kill 'INT', $strace;
	waitpid $strace, 0;
	die $error if !$done;
}

sub touch { my ($ostlerd, $name) = @_; open my $out, '>', $ostlerd->folder . "/$name" or die "$name: $!" }

sub kill_worker
{
	my ($ostlerd, $pool) = @_;
	my $pid = $ostlerd->worker($pool)->{pid};
	kill 'KILL', $pid;
	return $pid;
}

# What keeps a process from being made: it is tried again with growing waits until it can be.
my %refusals = (
	'no process: EAGAIN' => [ 'clone,clone3:error=EAGAIN:when=1..3', qr/Resource temporarily unavailable/ ],
	'no memory: ENOMEM' => [ 'clone,clone3:error=ENOMEM:when=1..3', qr/Cannot allocate memory/ ],
	'no descriptor: EMFILE' => [ 'pipe2:error=EMFILE:when=1..3', qr/Too many open files/ ],
	'no descriptor in the whole system: ENFILE' => [ 'pipe2:error=ENFILE:when=1..3', qr/Too many open files in system/ ],
);
for my $name (sort keys %refusals) {
	my ($inject, $reason) = @{ $refusals{$name} };
	subtest $name => sub {
		my $ostlerd = Ostler::Supervisor->new(pools => {
			web => { kind => 'worker', command => $sleep, backoff_first => '20ms' },
			other => { kind => 'worker', command => $sleep } });
		$ostlerd->start->wait_until_ready;
		my $other = $ostlerd->worker('other')->{pid};
		with_injection($ostlerd, [ '-e', "inject=$inject" ], sub {
			kill_worker($ostlerd, 'web');
			$ostlerd->wait_for_event({ pool => 'web', event => 'ready' }, 2);
		});
		my @failed = $ostlerd->events(pool => 'web', event => 'spawn_failed');
		is scalar(@failed), 3, 'it was refused three times';
		like $_->{text}, $reason, 'the reason is told' for @failed;
		cmp_ok $failed[2]{retry_in}, '>', $failed[0]{retry_in}, 'the waits grow';
		is $ostlerd->story(pool => 'web'), 'spawn ready exit spawn_failed spawn_failed spawn_failed spawn ready', 'then it is there again';
		is $ostlerd->worker('other')->{pid}, $other, 'the other pool has noticed nothing';
		is $ostlerd->stop, 0, 'ends with 0';
	};
}

subtest 'no scoreboard: the worker runs without' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'worker', command => $sleep, backoff_first => '20ms' } });
	$ostlerd->start->wait_until_ready;
	with_injection($ostlerd, [ '-e', 'inject=memfd_create:error=EMFILE' ], sub {
		kill_worker($ostlerd, 'web');
		$ostlerd->wait_for_event({ pool => 'web', event => 'ready' }, 2);
	});
	is $ostlerd->story(pool => 'web'), 'spawn ready exit spawn ready', 'it was made all the same';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'clients cannot be let in: EMFILE' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'worker', command => $sleep } });
	$ostlerd->start->wait_until_ready;
	with_injection($ostlerd, [ '-e', 'inject=accept4:error=EMFILE:when=1..20' ], sub {
		wait_for(sub { ($ostlerd->ctl('status'))[0] == 0 }, 'an answer');
	});
	is $ostlerd->status->{state}, 'running', 'later they are';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'the log disk is full, then it is not: ENOSPC' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'worker', output => '%D/log/web',
		command => [ $^X, '-e', '$| = 1; for (1 .. 20_000) { print "line $_\n"; select undef, undef, undef, 0.01 until $_ % 1000 || -e "%D/full" } select undef, undef, undef, 0.01 until -e "%D/free"; print "end\n"; sleep 1 while 1' ] } });
	$ostlerd->start->wait_until_ready;
	my $file = $ostlerd->folder . '/log/web';
	wait_for(sub { -s $file }, 'the first lines');
	with_injection($ostlerd, [ '-P', $file, '-e', 'trace=write', '-e', 'inject=write:error=ENOSPC' ], sub {
		touch($ostlerd, 'full');
		my $lost = $ostlerd->wait_for_event({ pool => 'web', event => 'output_lost' });
		like $lost->{text}, qr/No space left on device/, 'the reason is told';
	});
	touch($ostlerd, 'free');
	my ($told) = wait_for(sub { [ grep { $_->{text} =~ /^\d+ lines were lost$/ } $ostlerd->events(event => 'output_lost') ]->[0] }, 'the number of those lost')->{text} =~ /^(\d+)/;
	wait_for(sub { Ostler::Supervisor::slurp($file) =~ /^end$/m }, 'the last line');
	my @lines = split /\n/, Ostler::Supervisor::slurp($file);
	my @numbers = map { /^line (\d+)$/ ? $1 : () } @lines;
	is_deeply \@numbers, [ sort { $a <=> $b } @numbers ], 'what is written is in order, and nothing comes twice';
	my $missing = 0;
	$missing += $1 for map { /^ostlerd: (\d+) lines are missing here/ ? $1 : () } @lines;
	is scalar(@numbers) + $missing, 20_000, 'and the file tells exactly how many are missing';
	is $ostlerd->worker('web')->{restarts}, 0, 'the worker has noticed nothing';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'the output file cannot be opened: EACCES, and later it can' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'worker', output => '%D/log/web', backoff_first => '20ms',
		command => [ $^X, '-e', '$| = 1; print "hello $$\n"; sleep 1 while 1' ] } });
	$ostlerd->start->wait_until_ready;
	my $file = $ostlerd->folder . '/log/web';
	wait_for(sub { -s $file }, 'the first line');
	my $pid;
	with_injection($ostlerd, [ '-P', $file, '-e', 'trace=openat', '-e', 'inject=openat:error=EACCES' ], sub {
		kill_worker($ostlerd, 'web');
		$ostlerd->wait_for_event({ pool => 'web', event => 'ready' }, 2);
		$pid = $ostlerd->worker('web')->{pid};
	});
	wait_for(sub { Ostler::Supervisor::slurp($file) =~ /^hello $pid$/m }, 'the line that waited');
	pass 'the worker ran, and its line was kept until it could be written';
	is $ostlerd->stop, 0, 'ends with 0';
};

# Whatever is refused in the middle of a reload, it is done all the same or nothing has happened.
my $echo = Ostler::Programs::compile('echo', '-lfcgi');
my @in_a_reload = ('clone:error=EAGAIN', 'clone:error=ENOMEM', 'clone:error=EAGAIN:when=2+', 'pipe2:error=EMFILE', 'pipe2:error=EMFILE:when=2+',
	'openat:error=EMFILE', 'socket:error=EMFILE', 'bind:error=ENOSPC', 'listen:error=ENOMEM', 'chmod,fchmod,fchmodat:error=EROFS', 'rename:error=ENOSPC',
	'fcntl:error=EMFILE', 'memfd_create:error=ENOMEM', 'mmap:error=ENOMEM', 'epoll_ctl:error=ENOMEM', 'epoll_ctl:error=ENOSPC:when=2+');
for my $inject (@in_a_reload) {
	subtest "in a reload, $inject" => sub {
		plan skip_all => 'a sanitizer ends the program itself when it gets no memory' if $inject =~ /^mmap/ && Ostler::Supervisor::is_sanitized();
		my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'fastcgi', listen => 'unix:%D/sock/web', command => [$echo], workers => \2,
			ready_interval => '10ms', ready_timeout => '500ms', backoff_first => '20ms' } });
		$ostlerd->start->wait_until_ready;
		my @before = map { $_->{pid} } @{ $ostlerd->pool('web')->{workers} };
		my $load = Ostler::Load->start($ostlerd->at, clients => 3, upload => 0.002);
		$ostlerd->{options}{pools}{web}{environment} = ['X=1'];
		$ostlerd->write_conf;
		with_injection($ostlerd, [ '-e', "inject=$inject" ], sub {
			kill 'HUP', $ostlerd->pid;
			wait_for(sub { $ostlerd->has_ended || $ostlerd->messages =~ /reload 1(?:: done| has failed)/ }, 'the end of the reload');
		});
		ok !$ostlerd->has_ended, 'it goes on' or diag $ostlerd->messages or return;
		my ($done, $failed) = map { scalar $ostlerd->events(event => $_) } qw(reload_done reload_failed);
		is $done + $failed, 1, 'the reload is done, or it has failed';
		is_deeply [ map { $_->{pid} } grep { $_->{generation} == 1 && $_->{state} eq 'ready' } @{ $ostlerd->pool('web')->{workers} } ], \@before,
		    'if it failed, those that served still do' if !$done;
		$ostlerd->{options}{pools}{web}{environment} = ['X=2'];
		$ostlerd->write_conf;
		my ($status, undef, $complaint) = $ostlerd->ctl('reload', '--wait=drained');
		is $status, 0, 'later it can be reloaded' or diag $complaint;
		ok !(grep { my $p = $_->{pid}; grep { $p == $_ } @before } @{ $ostlerd->pool('web')->{workers} }), 'with other processes';
		my $sum = $load->stop;
		is $sum->{lost}, 0, "no request of $sum->{done} is lost" or diag join "\n", @{ $sum->{why} };
		is $ostlerd->stop, 0, 'ends with 0';
		is_deeply [ $ostlerd->left ], [], 'nothing is left';
	};
}

done_testing;
