#!/usr/bin/perl
# supervisor-output.t - what workers print: whole, bounded, attributed; and never in anybody's way.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::UNIX;
use JSON::PP ();
use Ostler::Process qw(wait_for alive);
use Ostler::Supervisor;
use POSIX ();
use Socket;
use Test::More;
use Time::HiRes qw(sleep time);

my $json = JSON::PP->new->utf8;
sub lines_of { my ($text) = @_; return split /\n/, $text }
sub perl { return [ $^X, '-e', "\$| = 1; $_[0]; sleep 1 while 1" ] }

# A worker that waits for the file %D/go before it does CODE.
sub after_go { return perl("select undef, undef, undef, 0.01 until -e '%D/go'; $_[0]") }
sub go { my ($ostlerd) = @_; open my $go, '>', $ostlerd->folder . '/go' or die; }

sub logs
{
	my ($ostlerd, @words) = @_;
	my ($status, $out, $complaint) = $ostlerd->ctl('logs', '--json', @words);
	die $complaint if $status != 0;
	return map { $json->decode($_) } lines_of($out);
}

sub wait_for_line
{
	my ($ostlerd, $pool, $pattern) = @_;
	return wait_for(sub { (grep { $_->{line} =~ $pattern } logs($ostlerd, $pool))[0] }, "a line like $pattern of $pool");
}

subtest 'the forms of a line' => sub {
	my $print = perl('print qq(out "1"\n); print STDERR qq(err\tor\n)');
	my $ostlerd = Ostler::Supervisor->new(pools => {
		plain => { kind => 'worker', command => $print, output => '%D/log/plain' },
		text => { kind => 'worker', command => $print, output => '%D/log/text', output_format => 'text' },
		json => { kind => 'worker', command => $print, output => '%D/log/json', output_format => 'json', workers => \2 },
		here => { kind => 'worker', command => $print } });
	$ostlerd->start->wait_for_log(qr/here 1 \(\d+\) \| err/);
	wait_for_line($ostlerd, $_, qr/^err/) for qw(plain text json);
	is $ostlerd->log_of('plain'), qq(out "1"\nerr\tor\n), 'plain: as it was printed';
	my $pid = $ostlerd->worker('text')->{pid};
	like $ostlerd->log_of('text'), qr/^\S+Z text 1 \($pid\) \| out \\"1\\"\n\S+Z text 1 \($pid\) \| err\\tor\n$/, 'text: with time, worker and process';
	my @objects = wait_for(sub { my @l = lines_of($ostlerd->log_of('json')); @l == 4 && \@l }, 'the lines of two')->@*;
	my ($first) = grep { $_->{slot} == 2 } map { $json->decode($_) } @objects;
	is_deeply [ @$first{qw(pool slot pid message level)} ],
	    [ 'json', 2, $ostlerd->worker('json', 2)->{pid}, 'out "1"', 'info' ], 'json: an object';
	my ($logged) = logs($ostlerd, 'plain');
	is_deeply [ @$logged{qw(pool slot pid line)} ], [ 'plain', 1, $ostlerd->worker('plain')->{pid}, 'out "1"' ], 'ostlerctl logs --json';
	my ($status, $out) = $ostlerd->ctl('logs', 'plain');
	like $out, qr/^\S+Z plain 1 \(\d+\) \| out "1"\n\S+Z plain 1 \(\d+\) \| err\tor\n$/, 'ostlerctl logs';
	is +($ostlerd->ctl('logs', 'plane'))[0], 1, 'of an unknown pool: 1';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'in JSON, ostlerd and its workers speak alike' => sub {
	my $ostlerd = Ostler::Supervisor->new(top => { log_format => 'json' }, pools => {
		web => { kind => 'worker', command => perl('print "hello\n"') } });
	$ostlerd->start->wait_for_log(qr/"hello"/);
	my @objects = map { $json->decode($_) } lines_of($ostlerd->messages);
	ok !(grep { !exists $_->{time} || !exists $_->{level} || !exists $_->{message} } @objects), 'each line has time, level and message';
	is +(grep { $_->{message} eq 'hello' } @objects)[0]{pool}, 'web', 'and one of a worker has its pool';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'a megabyte without a newline, NULs, half lines and broken UTF-8' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => {
		long => { kind => 'worker', output => '%D/log/long', command => perl('print chr(195) . chr(169) x 0, "\xc3\xa9" x 524_288, "\nend\n"') },
		nul => { kind => 'worker', output => '%D/log/nul', output_format => 'json', command => perl('print "a\0b\n\xff\xfe\n"') },
		half => { kind => 'worker', output => '%D/log/half', command => after_go('print "one "; select undef, undef, undef, 0.05; print "two\n"; print "rest"') } });
	$ostlerd->start->wait_until_ready;
	my $end = wait_for(sub { (grep { $_->{line} eq 'end' } logs($ostlerd, 'long'))[0] }, 'the end of the megabyte');
	my @pieces = lines_of($ostlerd->log_of('long'));
	is length(join '', @pieces[ 0 .. $#pieces - 1 ]), 1_048_576 + 1, 'nothing of it is lost';
	ok !(grep { length > 4096 } @pieces), 'no piece is longer than 4096 bytes';
	my ($piece) = logs($ostlerd, 'long');
	ok $piece->{goes_on}, 'a piece says that it goes on';
	ok !$end->{goes_on}, 'a whole line does not';
	my ($nul, $broken) = map { $json->decode($_) } lines_of(wait_for(sub { my $l = $ostlerd->log_of('nul'); $l =~ /\n.*\n/ && $l }, 'two lines'));
	is $nul->{message}, "a\0b", 'a NUL is kept';
	is $broken->{message}, "\x{fffd}\x{fffd}", 'what is no UTF-8 is replaced';
	go($ostlerd);
	wait_for_line($ostlerd, 'half', qr/^one two$/);
	pass 'a line in two halves is one line';
	kill 'KILL', $ostlerd->worker('half')->{pid};
	wait_for_line($ostlerd, 'half', qr/^rest$/);
	pass 'what the dead had not ended is told';
	my @story = map { $_->{event} eq 'said' ? $_->{text} : $_->{event} } $ostlerd->events(pool => 'half');
	is "@story[0..3]", 'spawn ready one two rest', 'and stands before its end';
	is $story[4], 'exit', 'which comes then';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'USR1 opens the files anew: no line is lost, none comes twice' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'worker', output => '%D/log/web',
		command => after_go('for (1 .. 10_000) { print "$_\n"; select undef, undef, undef, 0.005 if $_ % 100 == 0 } print "end\n"') } });
	$ostlerd->start->wait_until_ready;
	go($ostlerd);
	my @files = ('web');
	for my $n (1 .. 5) {
		wait_for(sub { -s $ostlerd->folder . '/log/web' }, 'lines');
		rename $ostlerd->folder . '/log/web', $ostlerd->folder . "/log/web.$n" or die $!;
		unshift @files, "web.$n";
		kill 'USR1', $ostlerd->pid;
		$ostlerd->wait_for_event({ event => 'logs_reopened' }, $n);
	}
	wait_for_line($ostlerd, 'web', qr/^end$/);
	@files = ((map { "web.$_" } 1 .. 5), 'web');
	my $all = join '', map { $ostlerd->log_of($_) } @files;
	is $all, join('', map { "$_\n" } 1 .. 10_000, 'end'), 'ten thousand lines in six files';
	is $ostlerd->worker('web')->{restarts}, 0, 'the worker has noticed nothing';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'a full disk costs lines and nothing else' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => {
		chatty => { kind => 'worker', output => '%D/log/chatty', command => after_go('for (1 .. 40_000) { print "line $_\n" } print "end\n"') },
		web => { kind => 'worker', command => perl('1'), backoff_first => '20ms' } });
	my ($pid, $limit) = ($ostlerd->start->wait_until_ready->pid);
	$limit = sub { is +($ostlerd->run('prlimit', '--pid', $pid, "--fsize=$_[0]"))[0], 0, "a file may have $_[0]" };
	$limit->('20000:');
	go($ostlerd);
	wait_for_line($ostlerd, 'chatty', qr/^end$/);
	pass 'the worker is not held up';
	my $lost = $ostlerd->wait_for_event({ pool => 'chatty', event => 'output_lost' });
	like $lost->{text}, qr/File too large|No space left/, 'the reason is told';
	kill 'KILL', $ostlerd->worker('web')->{pid};
	$ostlerd->wait_for_event({ pool => 'web', event => 'ready' }, 2);
	pass 'workers are replaced';
	$limit->('unlimited:');
	kill 'KILL', $ostlerd->worker('chatty')->{pid};
	wait_for(sub { $ostlerd->log_of('chatty') =~ /^ostlerd: (\d+) lines are missing here/m }, 'the gap to be told');
	my @lines = lines_of($ostlerd->log_of('chatty'));
	my ($missing) = $ostlerd->log_of('chatty') =~ /^ostlerd: (\d+) lines/m;
	my @torn = grep { !/^(?:line \d+|end|ostlerd: \d+ lines are missing here.*)$/ } @lines;
	is_deeply \@torn, [], 'no line is torn';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'a reader that stands still holds up nobody' => sub {
	socketpair(my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die $!;
	pipe(my $read, my $write) or die $!;
	for my $end ([ 'a pipe', $write ], [ 'a socket', $theirs ]) {
		my $ostlerd = Ostler::Supervisor->new(pools => {
			chatty => { kind => 'worker', command => perl('for (1 .. 20_000) { print "line $_ ", "x" x 80, "\n" } print "end\n"') } });
		$ostlerd->start(sub { open STDERR, '>&', $end->[1] });
		wait_for(sub { -S $ostlerd->socket }, 'the control socket');
		wait_for_line($ostlerd, 'chatty', qr/^end$/);
		my $start = time;
		is $ostlerd->status->{state}, 'running', "$end->[0]: it answers";
		cmp_ok time - $start, '<', 2, 'at once';
		is $ostlerd->stop, 0, 'ends with 0';
	}
};

subtest 'a reader that goes away does no harm' => sub {
	pipe(my $read, my $write) or die $!;
	my $ostlerd = Ostler::Supervisor->new(pools => { chatty => { kind => 'worker', command => after_go('print "line $_\n" for 1 .. 1000; print "end\n"') } });
	$ostlerd->start(sub { open STDERR, '>&', $write; close $read });
	close $write;
	close $read;
	wait_for(sub { -S $ostlerd->socket }, 'the control socket');
	go($ostlerd);
	wait_for_line($ostlerd, 'chatty', qr/^end$/);
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'those that a dead worker leaves behind with its pipe' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'worker', backoff_first => '20ms',
		command => perl('if (!fork) { require POSIX; POSIX::setsid(); exit if fork; print "left $$\n"; select undef, undef, undef, 0.01 until -e "%D/go"; print "late\n"; exit } wait') } });
	$ostlerd->start->wait_until_ready;
	wait_for_line($ostlerd, 'web', qr/^left \d+$/);
	kill 'KILL', $ostlerd->worker('web')->{pid};
	my $exit = $ostlerd->wait_for_event({ pool => 'web', event => 'exit' });
	is $exit->{signal}, 9, 'the end of the worker is told, though its pipe is open';
	go($ostlerd);
	my $late = wait_for_line($ostlerd, 'web', qr/^late$/);
	is $late->{slot}, 1, 'what the other prints later is heard, too';
	is $ostlerd->stop, 0, 'ends with 0';
	wait_for(sub { !$ostlerd->left }, 'the end of all');
	pass 'nothing is left';
};

SKIP: {
	skip 'only root can run a worker as somebody else', 1 if $> != 0;
	subtest 'a worker of another user can open /dev/stderr' => sub {
		my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'worker', user => 'nobody', output => '%D/log/web',
			command => [ '/bin/sh', '-c', 'echo opened >/dev/stderr; echo too >/dev/stdout; exec sleep 1000' ] } });
		$ostlerd->start->wait_until_ready;
		wait_for_line($ostlerd, 'web', qr/^too$/);
		is $ostlerd->log_of('web'), "opened\ntoo\n", 'what it writes there arrives';
		is $ostlerd->stop, 0, 'ends with 0';
	};
}

subtest 'logs of a quiet pool beside a noisy one' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => {
		quiet => { kind => 'worker', output => '%D/log/quiet', command => perl('print "hush\n"') },
		noisy => { kind => 'worker', output => '%D/log/noisy', command => after_go('print "line $_\n" for 1 .. 500; print "end\n"') } });
	$ostlerd->start->wait_until_ready;
	wait_for_line($ostlerd, 'quiet', qr/^hush$/);
	go($ostlerd);
	wait_for_line($ostlerd, 'noisy', qr/^end$/);
	is scalar(logs($ostlerd, 'quiet')), 1, 'the one line is told, and the answer ends';
	is scalar(logs($ostlerd, 'noisy')), 501, 'all of the other';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'logs --follow tells each line when it comes' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'worker', output => '%D/log/web', command => after_go('print "now\n"') } });
	$ostlerd->start->wait_until_ready;
	my $file = $ostlerd->folder . '/followed';
	my $follower = fork // die "cannot fork: $!";
	if ($follower == 0) {
		open STDOUT, '>', $file;
		{ exec Ostler::Supervisor::program('ostlerctl'), '-s', $ostlerd->socket, 'logs', 'web', '--follow' }
		POSIX::_exit(127);
	}
	wait_for(sub { alive($follower) && Ostler::Supervisor::slurp("/proc/$follower/cmdline") =~ /ostlerctl/ }, 'the follower');
	go($ostlerd);
	wait_for(sub { Ostler::Supervisor::slurp($file) =~ /\| now$/m }, 'the line');
	is $ostlerd->stop, 0, 'ends with 0';
	waitpid $follower, 0;
	is $?, 0, 'the follower ends, too';
};

subtest 'output_direct: standard output goes past the master, standard error through it' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'worker', output => '%D/log/web', output_direct => \'true',
		output_format => 'json',
		command => [ $^X, '-e', '$| = 1; print "to the file\n"; print STDERR "to the master\n"; sleep 1 while 1' ] } });
	$ostlerd->start;
	my $file = $ostlerd->folder . '/log/web';
	wait_for(sub { -e $file && Ostler::Supervisor::slurp($file) =~ /to the file/ && Ostler::Supervisor::slurp($file) =~ /to the master/ }, 'both lines');
	like Ostler::Supervisor::slurp($file), qr/^to the file$/m, 'the one as it was printed';
	like Ostler::Supervisor::slurp($file), qr/^\{.*to the master.*\}$/m, 'the other as the master writes it';
	is $ostlerd->stop, 0, 'ends with 0';
};

done_testing;
