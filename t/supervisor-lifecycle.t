#!/usr/bin/perl
# supervisor-lifecycle.t - what a person can wish of a pool: more workers, fewer, none for a while, others.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::FastCgi;
use Ostler::Load;
use Ostler::Process qw(wait_for alive free_port);
use Ostler::Programs;
use Ostler::Supervisor;
use Test::More;
use Time::HiRes qw(time sleep);

my $echo = Ostler::Programs::compile('echo', '-lfcgi');
my $sleep = [ $^X, '-e', 'sleep 1 while 1' ];

sub echo_pool
{
	my (%more) = @_;
	return { kind => 'fastcgi', listen => 'unix:%D/sock/web', command => [$echo], workers => \2, ready_interval => '10ms', %more };
}

sub started
{
	my (%pools) = @_;
	my $ostlerd = Ostler::Supervisor->new(pools => \%pools);
	return $ostlerd->start->wait_until_ready;
}

sub living { my ($ostlerd, $pool) = @_; return [ map { $_->{pid} // () } @{ $ostlerd->pool($pool)->{workers} } ] }
sub wait_for_living
{
	my ($ostlerd, $pool, $count) = @_;
	return wait_for(sub { my $pids = living($ostlerd, $pool); @$pids == $count && $ostlerd->pool($pool)->{state} eq 'ready' && $pids }, "$count workers");
}

subtest 'scale: more and fewer, and no request is lost' => sub {
	my $ostlerd = started(web => echo_pool(), jobs => { kind => 'worker', command => $sleep }, base => { kind => 'service', command => $sleep });
	my $before = living($ostlerd, 'web');
	my $load = Ostler::Load->start($ostlerd->at, clients => 3);
	for my $count (6, 1, 4, 2) {
		my ($status) = $ostlerd->ctl('scale', 'web', $count);
		is $status, 0, "to $count";
		wait_for_living($ostlerd, 'web', $count);
	}
	my $sum = $load->stop;
	is $sum->{lost}, 0, "no request of $sum->{done} is lost" or diag join "\n", @{ $sum->{why} };
	is scalar($ostlerd->events(event => 'kill')), 0, 'none was killed';
	my @scales = map { $_->{text} } $ostlerd->events(event => 'scale');
	is_deeply \@scales, [ 'from 2 to 6 workers', 'from 6 to 1 workers', 'from 1 to 4 workers', 'from 4 to 2 workers' ], 'it is written down';
	is +($ostlerd->ctl('scale', 'jobs', 3))[0], 0, 'a pool without a socket, too';
	wait_for_living($ostlerd, 'jobs', 3);
	my ($status, undef, $complaint) = $ostlerd->ctl('scale', 'base', 2);
	is $status, 1, 'a service cannot be scaled';
	like $complaint, qr/base: a service or a task is always one process/, 'it says so';
	is +($ostlerd->ctl('scale', 'nobody', 2))[0], 1, 'nor a pool that is not there';
	is +($ostlerd->ctl('scale', 'web', 513))[0], 1, 'nor can there be too many';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'TTIN and TTOU: one more, one less, never none; a reload keeps it unless workers is changed' => sub {
	my $ostlerd = started(web => echo_pool(), jobs => { kind => 'worker', command => $sleep });
	my $wait = sub { wait_for_living($ostlerd, 'web', $_[0]) };
	kill 'TTIN', $ostlerd->pid;
	$wait->(3);
	my $options = $ostlerd->{options}{pools}{web};
	$options->{environment} = ['X=1'];
	$ostlerd->write_conf;
	is +($ostlerd->ctl('reload', '--wait=drained'))[0], 0, 'reloaded';
	is scalar @{ living($ostlerd, 'web') }, 3, 'as many as before';
	$options->{workers} = \4;
	$ostlerd->write_conf;
	is +($ostlerd->ctl('reload', '--wait=drained'))[0], 0, 'reloaded';
	$wait->(4);
	for my $left (3, 2, 1) {
		kill 'TTOU', $ostlerd->pid;
		$wait->($left);
	}
	kill 'TTOU', $ostlerd->pid;
	$ostlerd->wait_for_log(qr/web: stays at 1 workers/);
	is scalar @{ living($ostlerd, 'web') }, 1, 'the last one stays';
	is scalar @{ living($ostlerd, 'jobs') }, 1, 'a pool without a socket is not meant';
	is $ostlerd->stop, 0, 'ends with 0';
};

for my $kind (qw(unix tcp)) {
	subtest "drain and resume on $kind" => sub {
		my ($port, $reservation) = $kind eq 'tcp' ? free_port() : ();
		my $ostlerd = started(web => echo_pool($port ? (listen => "tcp:127.0.0.1:$port") : ()), jobs => { kind => 'worker', command => $sleep });
		my $at = $port ? "tcp:127.0.0.1:$port" : $ostlerd->at;
		my $slow = Ostler::FastCgi->new($at)->begin(POST => '/slow', 4, SECONDS => '0.5');
		$slow->more('slow');
		sleep 0.1;
		is +($ostlerd->ctl('drain', 'web'))[0], 0, 'drained';
		is $slow->finish->{body}, 'slow', 'what was in hand is finished';
		wait_for(sub { $ostlerd->pool('web')->{state} eq 'drained' }, 'the last to end');
		is +Ostler::FastCgi->new($at)->ask(GET => '/'), undef, 'nothing new is taken';
		is scalar @{ living($ostlerd, 'jobs') }, 1, 'the other pool goes on';
		is scalar($ostlerd->events(event => 'kill')) + $ostlerd->events(event => 'stop'), 0, 'none was signalled';
		is +($ostlerd->ctl('drain', 'web'))[0], 0, 'a second time changes nothing';
		is +($ostlerd->ctl('reload', '--wait'))[0], 0, 'nor does a reload';
		is $ostlerd->pool('web')->{state}, 'drained', 'it stays drained';
		is +($ostlerd->ctl('scale', 'web', 2))[0], 1, 'it cannot be scaled';
		is +($ostlerd->ctl('resume', 'web', '--wait'))[0], 0, 'resumed';
		is +Ostler::FastCgi->new($at)->ask(POST => '/', 'again')->{body}, 'again', 'it answers again';
		is +($ostlerd->ctl('resume', 'web'))[0], 1, 'once is enough';
		is $ostlerd->stop, 0, 'ends with 0';
	};
}

subtest 'WINCH drains, but not at a terminal, whose window may just have changed' => sub {
	my $ostlerd = started(web => echo_pool());
	kill 'WINCH', $ostlerd->pid;
	wait_for(sub { $ostlerd->pool('web')->{state} eq 'drained' }, 'all to end');
	ok !-e $ostlerd->folder . '/sock/web', 'the socket is gone';
	is +($ostlerd->ctl('resume', '--wait'))[0], 0, 'resumed';
	is $ostlerd->pool('web')->{state}, 'ready', 'all of it';
	is $ostlerd->stop, 0, 'ends with 0';
	my $terminal = Ostler::Supervisor->new(pools => { web => echo_pool() });
	$terminal->start('/bin/sh', '-c', 'exec script -qec "$*" /dev/null', 'sh')->wait_until_ready;
	my $pid = $terminal->status->{pid};
	kill 'WINCH', $pid;
	kill 'TTIN', $pid;
	wait_for_living($terminal, 'web', 3);
	is $terminal->pool('web')->{state}, 'ready', 'at a terminal nothing happens';
	is +($terminal->ctl('stop'))[0], 0, 'stopped';
	$terminal->wait_for_end;
};

subtest 'restart: other processes, whether anything has changed or not' => sub {
	my $ostlerd = started(web => echo_pool(), jobs => { kind => 'worker', command => $sleep }, base => { kind => 'service', command => $sleep },
		prepare => { kind => 'task', command => ['/bin/true'] });
	my %before = map { $_ => living($ostlerd, $_) } qw(web jobs base);
	my $load = Ostler::Load->start($ostlerd->at, clients => 2);
	is +($ostlerd->ctl('restart', 'web', '--wait=drained'))[0], 0, 'one pool';
	is scalar(grep { my $p = $_; grep { $_ == $p } @{ $before{web} } } @{ living($ostlerd, 'web') }), 0, 'its processes are new';
	is_deeply living($ostlerd, 'jobs'), $before{jobs}, 'the others are the same';
	is +($ostlerd->ctl('restart', '--wait=drained'))[0], 0, 'all';
	isnt living($ostlerd, 'jobs')->[0], $before{jobs}[0], 'they are new, too';
	is_deeply living($ostlerd, 'base'), $before{base}, 'but a service, which must be named';
	is scalar($ostlerd->events(pool => 'prepare', event => 'spawn')), 1, 'and a task';
	is +($ostlerd->ctl('restart', 'prepare', '--wait'))[0], 0, 'which can be named, too';
	is scalar($ostlerd->events(pool => 'prepare', event => 'spawn')), 2, 'then it runs again';
	my $sum = $load->stop;
	is $sum->{lost}, 0, "no request of $sum->{done} is lost" or diag join "\n", @{ $sum->{why} };
	is +($ostlerd->ctl('restart', 'nobody', '--wait'))[0], 1, 'a pool that is not there cannot be';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'a stop in the middle of a reload' => sub {
	my $ostlerd = started(web => echo_pool());
	$ostlerd->{options}{pools}{web}{environment} = ['HANG=1'];
	$ostlerd->write_conf;
	kill 'HUP', $ostlerd->pid;
	wait_for(sub { $ostlerd->events(event => 'generation_start') == 1 }, 'the next generation to start');
	is $ostlerd->stop, 0, 'ends with 0';
	is_deeply [ $ostlerd->left ], [], 'nothing is left';
	is_deeply [ glob $ostlerd->folder . '/sock/*' ], [], 'no socket either';
};

done_testing;
