#!/usr/bin/perl
# supervisor-log.t - the messages of ostlerd in a file of their own.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::Process qw(wait_for alive);
use Ostler::Supervisor;
use Test::More;
use Time::HiRes qw(sleep time);

sub perl { return [ $^X, '-e', "\$| = 1; $_[0]; sleep 1 while 1" ] }

# A worker that waits for the file %D/go before it does CODE.
sub after_go { return perl("select undef, undef, undef, 0.01 until -e '%D/go'; $_[0]") }
sub go { my ($ostlerd) = @_; open my $go, '>', $ostlerd->folder . '/go' or die }

# An ostlerd that writes to log/ostlerd; waits until all is ready.
sub started
{
	my (%pools) = @_;
	my $ostlerd = Ostler::Supervisor->new(top => { log_file => '%D/log/ostlerd' }, pools => \%pools);
	$ostlerd->start;
	wait_for(sub { $ostlerd->log_of('ostlerd') =~ /all pools are ready/ }, 'all to be ready');
	return $ostlerd;
}

subtest 'all that is said stands in the file, and nothing on standard error' => sub {
	my $ostlerd = started(
		here => { kind => 'worker', command => perl('print "hello from here\n"') },
		there => { kind => 'worker', command => perl('print "hello from there\n"'), output => '%D/log/there' });
	wait_for(sub { $ostlerd->log_of('ostlerd') =~ /hello from here/ && $ostlerd->log_of('there') =~ /hello/ }, 'both lines');
	like $ostlerd->log_of('ostlerd'), qr/^\S+Z here 1 \(\d+\) \| hello from here$/m, 'a worker without a file of its own speaks there';
	unlike $ostlerd->log_of('ostlerd'), qr/from there/, 'one that has a file does not';
	is $ostlerd->stop, 0, 'ends with 0';
	like $ostlerd->log_of('ostlerd'), qr/all pools have stopped\n\z/, 'the last message is there';
	is $ostlerd->messages, '', 'standard error has nothing';
};

subtest 'USR1 opens it anew: no line is lost, none comes twice' => sub {
	my $ostlerd = started(web => { kind => 'worker',
		command => after_go('for (1 .. 5000) { print "$_\n"; select undef, undef, undef, 0.005 if $_ % 100 == 0 } print "end\n"') });
	go($ostlerd);
	for my $n (1 .. 5) {
		wait_for(sub { -s $ostlerd->folder . '/log/ostlerd' }, 'lines');
		rename $ostlerd->folder . '/log/ostlerd', $ostlerd->folder . "/log/ostlerd.$n" or die $!;
		kill 'USR1', $ostlerd->pid;
		wait_for(sub { $ostlerd->log_of('ostlerd') =~ /SIGUSR1: the output files are opened anew/ }, 'the new file');
	}
	wait_for(sub { $ostlerd->log_of('ostlerd') =~ /\| end$/m }, 'the last line');
	my $all = join '', map { $ostlerd->log_of($_) } map({ "ostlerd.$_" } 1 .. 5), 'ostlerd';
	is_deeply [ $all =~ /\| (\d+)$/mg ], [ 1 .. 5000 ], 'five thousand lines in six files';
	is scalar(() = $all =~ /SIGUSR1/g), 5, 'and what ostlerd has said';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'a full disk costs lines and nothing else' => sub {
	my $ostlerd = started(
		chatty => { kind => 'worker', command => after_go('for (1 .. 20_000) { print "line $_\n" } print STDERR "end\n"') },
		web => { kind => 'worker', command => perl('1'), backoff_first => '20ms' });
	my $limit = sub { is +($ostlerd->run('prlimit', '--pid', $ostlerd->pid, "--fsize=$_[0]"))[0], 0, "a file may have $_[0]" };
	$limit->('20000:');
	go($ostlerd);
	wait_for(sub { ($ostlerd->ctl('logs', 'chatty'))[1] =~ /\| end$/m }, 'the worker to have printed all');
	kill 'KILL', $ostlerd->worker('web')->{pid};
	$ostlerd->wait_for_event({ pool => 'web', event => 'ready' }, 2);
	pass 'workers are replaced';
	ok $ostlerd->events(event => 'output_lost'), 'that lines are lost is written down';
	$limit->('unlimited:');
	wait_for(sub { $ostlerd->log_of('ostlerd') =~ /\d+ lines are missing here/ }, 'the gap to be told');
	my @torn = grep { !/^\S+Z (?:info|warn|chatty 1 \(\d+\) \||ostlerd 0 \(0\) \|) .*$/ } split /\n/, $ostlerd->log_of('ostlerd');
	is_deeply \@torn, [], 'no line is torn';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'what the guardian has to say stands there, too' => sub {
	my $ostlerd = started(deaf => { kind => 'worker', command => perl('$SIG{TERM} = "IGNORE"') });
	my $pid = $ostlerd->worker('deaf')->{pid};
	wait_for(sub { Ostler::Supervisor::slurp("/proc/$pid/status") =~ /^SigIgn:\s+[0-9a-f]*4[0-9a-f]{3}$/m }, 'it to be deaf');
	rename $ostlerd->folder . '/log/ostlerd', $ostlerd->folder . '/log/ostlerd.1' or die $!;
	is $ostlerd->stop('KILL'), 128 + 9, 'ostlerd is killed';
	wait_for(sub { !alive($pid) }, 'the end of its worker', 20);
	wait_for(sub { $ostlerd->log_of('ostlerd') =~ /ostlerd is gone: .*killed$/m }, 'it to be told, in the file of that name', 20);
	is $ostlerd->messages, '', 'standard error has nothing';
};

subtest 'a start that fails says where to look' => sub {
	my $first = started(web => { kind => 'worker', command => perl('1') });
	my ($status, undef, $complaint) = $first->run(Ostler::Supervisor::program('ostlerd'), '-c', $first->conf);
	is $status, 2, 'a second one is refused';
	is $complaint, 'ostlerd: it was not started; ' . $first->folder . "/log/ostlerd says why\n", 'on standard error';
	like $first->log_of('ostlerd'), qr/another ostlerd (?:holds|has) it/, 'why, in the file';
	is $first->status->{state}, 'running', 'the first has noticed nothing';
	is $first->stop, 0, 'ends with 0';
};

subtest 'another file is asked for by a reload: it is said that it waits' => sub {
	my $ostlerd = started(web => { kind => 'worker', command => perl('1') });
	$ostlerd->{options}{top}{log_file} = '%D/log/other';
	$ostlerd->write_conf;
	is +($ostlerd->ctl('reload', '--wait'))[0], 0, 'the reload is fine';
	like $ostlerd->log_of('ostlerd'), qr/log_file has changed, which counts from the next start/, 'but this is said';
	is scalar($ostlerd->events(event => 'trouble')), 1, 'and written down';
	is $ostlerd->stop, 0, 'ends with 0';
};

for my $wrong (
	[ 'log/ostlerd', qr/log_file must be an absolute path, not "log\/ostlerd"/ ],
	[ '%D/nowhere/ostlerd', qr/log_file: there is no folder \S+nowhere/ ],
	[ '%D/log', qr/log_file: \S+log is not a regular file/ ],
) {
	my ($path, $pattern) = @$wrong;
	my ($status, undef, $complaints) = Ostler::Supervisor->new(top => { log_file => $path },
		pools => { web => { kind => 'worker', command => perl('1') } })->check;
	is $status, 2, "refused: $path";
	like $complaints, qr/^\S+ostler\.conf:\d+: $pattern$/m, 'with its line';
}

done_testing;
