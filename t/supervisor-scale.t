#!/usr/bin/perl
# supervisor-scale.t - the number of workers follows demand: up at once, down slowly, and no request is lost.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::UNIX;
use Ostler::FastCgi;
use Ostler::Load;
use Ostler::Process qw(wait_for free_port);
use Ostler::Programs;
use Ostler::Supervisor;
use Test::More;
use Time::HiRes qw(time sleep);

my $echo = Ostler::Programs::compile('echo', '-lfcgi');

# A group of libconfig, as a \literal.
sub group { my (%of) = @_; return \('{ ' . join('', map { "$_ = $of{$_}; " } sort keys %of) . '}') }

# A value there is written as in the file: '"20ms"' or 4.
sub workers
{
	my (%more) = @_;
	return group(interval => '"20ms"', quiet => '"400ms"', down_interval => '"20ms"', idle => '"300ms"', %more);
}

sub ostlerd
{
	my ($workers, %more) = @_;
	return Ostler::Supervisor->new(pools => { web => { kind => 'fastcgi', listen => 'unix:%D/sock/web',
		command => [$echo], workers => $workers, ready_interval => '10ms', backoff_first => '20ms', backoff_longest => '50ms', %more } });
}

sub started { return ostlerd(@_)->start->wait_until_ready }

sub running { my ($ostlerd) = @_; return scalar grep { $_->{pid} } @{ $ostlerd->pool('web')->{workers} } }

# From how many to how many, with what else was written down.
sub decisions
{
	my ($ostlerd, @kinds) = @_;
	my @decisions;
	for my $event ($ostlerd->events(pool => 'web')) {
		next unless grep { $event->{event} eq $_ } @kinds ? @kinds : qw(scale_up scale_down);
		my ($from, $to, $rest) = $event->{text} =~ /^from (\d+) to (\d+) workers: (.*)/ or die "what is this? $event->{text}";
		push @decisions, { kind => $event->{event}, from => $from, to => $to, map { split /=/ } split / /, $rest };
	}
	return @decisions;
}

sub metric { my ($ostlerd, $name) = @_; my (undef, $text) = $ostlerd->ctl('metrics'); return $text =~ /^\Q$name\E (\S+)$/m ? $1 : undef }

subtest 'load comes and goes: up at once, down slowly, within the limits, and nothing is lost' => sub {
	my $ostlerd = started(workers(min => 2, max => 8));
	is running($ostlerd), 2, 'begins with min';
	my $load = Ostler::Load->start($ostlerd->at, clients => 12, params => { SECONDS => '0.2' });
	$ostlerd->wait_for_worker('web', 8, sub { $_[0] && $_[0]{state} eq 'ready' }, 'eight workers');
	wait_for(sub { $ostlerd->events(event => 'scale_held') }, 'max to be told of');
	like +(grep { /^web/ } split /\n/, ($ostlerd->ctl('status'))[1])[0], qr{\s8/2\.\.8\s}, 'ostlerctl status shows both limits';
	is $ostlerd->pool('web')->{scale}{max}, 8, 'its JSON, too';
	is metric($ostlerd, 'ostler_workers_max{pool="web"}'), 8, 'and the metrics';
	cmp_ok metric($ostlerd, 'ostler_workers_wanted{pool="web"}'), '>', 8, 'which tell what would be wanted';
	my $sum = $load->stop;
	is $sum->{lost}, 0, "no request of $sum->{done} is lost on the way up" or diag join "\n", @{ $sum->{why} };

	$load = Ostler::Load->start($ostlerd->at, clients => 1, pause => 0.002);
	wait_for(sub { running($ostlerd) == 2 }, 'two workers again', 60);
	$sum = $load->stop;
	is $sum->{lost}, 0, "no request of $sum->{done} is lost on the way down" or diag join "\n", @{ $sum->{why} };

	my @all = decisions($ostlerd);
	my @up = grep { $_->{kind} eq 'scale_up' } @all;
	my @down = grep { $_->{kind} eq 'scale_down' } @all;
	is_deeply [ grep { $_->{to} > 2 * $_->{from} } @up ], [], 'it doubles at most';
	is_deeply [ grep { $_->{to} != $_->{from} - 1 || $_->{why} ne 'quiet' } @down ], [], 'one leaves at a time, after a quiet time';
	is_deeply [ grep { $_->{to} > 8 || $_->{to} < 2 } @all ], [], 'never above max nor below min';
	is_deeply [ grep { $_->{why} ne 'demand' || $_->{busy} + $_->{queue} == 0 || $_->{wanted} <= $_->{from} } @up ], [], 'each step up has a demand behind it';
	my ($held) = decisions($ostlerd, 'scale_held');
	is $held->{why}, 'max', 'that more would be wanted is written down';
	cmp_ok $held->{wanted}, '>', 8, 'with how many';
	is scalar(grep { $_->{failed} } $ostlerd->events(event => 'exit')), 0, 'none has failed';
	is scalar($ostlerd->events(event => 'kill')) + $ostlerd->events(event => 'not_finished'), 0, 'all left when they were idle';
	cmp_ok metric($ostlerd, 'ostler_scale_decisions_total{pool="web",why="quiet"}'), '>=', 6, 'the metrics count the decisions';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'on demand: none until a client comes, and none again when nothing is to be done' => sub {
	my $ostlerd = started(workers(min => 0, max => 4, spare => 0));
	is running($ostlerd), 0, 'nobody runs';
	is $ostlerd->pool('web')->{state}, 'ready', 'and the pool is ready';
	for my $time (1 .. 3) {
		my $reply = $ostlerd->client->ask(POST => '/', "time $time");
		is $reply->{body}, "time $time", "the first request is answered: $time";
		wait_for(sub { running($ostlerd) == 0 }, 'it to leave');
	}
	is_deeply [ map { "$_->{from}>$_->{to} $_->{why}" } grep { $_->{from} == 0 || $_->{to} == 0 } decisions($ostlerd) ],
	    [ ('0>1 client', '1>0 idle') x 3 ], 'each is written down';
	my $starts = $ostlerd->pool('web')->{starts};
	is scalar(grep { $_->{failed} } $ostlerd->events(event => 'exit')), 0, 'none has failed';

	# Requests too short to be seen, for several times idle.  Were we held up ourselves, it may leave.
	my ($lost, $pauses, $last) = (0, 0, time);
	for (1 .. 60) {
		$lost++ if ($ostlerd->client->ask(POST => '/', 'x')->{body} // '') ne 'x';
		$pauses++ if time - $last > 0.15;
		$last = time;
		sleep 0.02;
	}
	is $lost, 0, 'none of 60 requests is lost';
	cmp_ok $ostlerd->pool('web')->{starts}, '<=', $starts + 1 + $pauses, 'one that has short requests now and then stays';
	is $ostlerd->stop, 0, 'ends with 0';
	is_deeply [ $ostlerd->left ], [], 'and leaves nothing';
};

subtest 'a storm of clients that connect and leave starts no more than max, and then it is quiet' => sub {
	# It takes its time to start, so that most of them have gone by then.
	my $ostlerd = started(workers(min => 0, max => 3), command => [ '/bin/sh', '-c', "sleep 0.2; exec $echo" ]);
	my ($path) = $ostlerd->at =~ /^unix:(.*)/;
	my $most = 0;
	for my $round (1 .. 20) {
		for (1 .. 50) {
			my $client = IO::Socket::UNIX->new(Peer => $path) or next;
			close $client;
		}
		my $now = running($ostlerd);
		$most = $now if $now > $most;
	}
	cmp_ok $most, '<=', 3, "never more than three: $most";
	is $ostlerd->client->ask(POST => '/', 'x')->{body}, 'x', 'who stays is answered';
	wait_for(sub { running($ostlerd) == 0 }, 'all to leave', 60);
	cmp_ok $ostlerd->pool('web')->{starts}, '<=', 12, 'few processes were started: ' . $ostlerd->pool('web')->{starts};
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'a program that cannot run is tried with patience, and not by more and more' => sub {
	my $ostlerd = ostlerd(workers(min => 0, max => 8), command => [ '/bin/sh', '-c', "test ! -e %D/broken && exec $echo" ]);
	open my $broken, '>', $ostlerd->folder . '/broken';
	$ostlerd->start->wait_until_ready;
	my @clients = map { my $c = $ostlerd->client; $c->begin('POST', '/', 1); $c->more('x'); $c } 1 .. 5;
	wait_for(sub { $ostlerd->events(event => 'exit') >= 5 && grep { $_->{why} eq 'failing' } decisions($ostlerd, 'scale_held') }, 'five to fail, and a word why there are no more');
	is_deeply [ map { "$_->{from}>$_->{to} $_->{why}" } decisions($ostlerd) ], ['0>1 client'], 'one is tried';
	unlink $ostlerd->folder . '/broken';
	is $_->finish->{body}, 'x', 'when it can run, a client is served that had waited' for @clients;
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'no more than memory allows' => sub {
	for my $ceiling ([ memory => '"40M"' ], [ free_memory => '"16000G"' ]) {
		my $ostlerd = started(workers(min => 1, max => 8, spare => 0, @$ceiling), memory_interval => '50ms');
		$ostlerd->client->ask(POST => '/leak', 'x');    # 32 MB
		wait_for(sub { ($ostlerd->pool('web')->{memory} // 0) > 30e6 }, 'that to be seen');
		my $load = Ostler::Load->start($ostlerd->at, clients => 4, params => { SECONDS => '0.02' });
		wait_for(sub { grep { $_->{why} eq 'memory' } decisions($ostlerd, 'scale_held') }, "$ceiling->[0] to be told of");
		is $load->stop->{lost}, 0, "$ceiling->[0]: no request is lost";
		is running($ostlerd), 1, 'it stays as it is';
		is $ostlerd->stop, 0, 'ends with 0';
	}
};

subtest 'a reload while scaled up: the next generation begins with what is needed' => sub {
	my $ostlerd = started(workers(min => 1, max => 6, spare => 4, quiet => '"60s"'));
	# Never all at work: one who shall leave must be found idle.
	my $load = Ostler::Load->start($ostlerd->at, clients => 4, params => { SECONDS => '0.03' }, pause => 0.02);
	$ostlerd->wait_for_worker('web', 6, sub { $_[0] && $_[0]{state} eq 'ready' }, 'six workers');
	is +($ostlerd->ctl('reload', 'web', '--wait=drained'))[0], 0, 'reloaded';
	my $second = $ostlerd->pool('web');
	is $second->{generation}, 2, 'there is a next generation';
	is scalar(grep { $_->{state} eq 'ready' } @{ $second->{workers} }), 6, 'of six at once';

	# Other limits alone need no new process.
	my %before = map { $_->{pid} => 1 } @{ $second->{workers} };
	$ostlerd->{options}{pools}{web}{workers} = workers(min => 1, max => 3, spare => 3, quiet => '"60s"');
	$ostlerd->write_conf;
	is +($ostlerd->ctl('reload', '--wait=drained'))[0], 0, 'other limits';
	wait_for(sub { running($ostlerd) == 3 }, 'three workers');
	my $third = $ostlerd->pool('web');
	is $third->{generation}, 2, 'are not a new generation';
	is scalar(grep { !$before{ $_->{pid} } } @{ $third->{workers} }), 0, 'the three that stay are old';

	$ostlerd->{options}{pools}{web}{workers} = \5;
	$ostlerd->write_conf;
	is +($ostlerd->ctl('reload', '--wait=drained'))[0], 0, 'a fixed number';
	wait_for(sub { running($ostlerd) == 5 }, 'five workers');
	is $ostlerd->pool('web')->{scale}, undef, 'does not follow demand';
	my $sum = $load->stop;
	is $sum->{lost}, 0, "no request of $sum->{done} is lost" or diag join "\n", @{ $sum->{why} };
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'a reload of a pool without workers tries the new program, and loses nobody' => sub {
	my $ostlerd = started(workers(min => 0, max => 2));
	my $load = Ostler::Load->start($ostlerd->at, clients => 1, pause => 0.4);    # wakes it up each time
	for my $generation (2 .. 6) {
		is +($ostlerd->ctl('restart', 'web', '--wait=drained'))[0], 0, "generation $generation";
	}
	my $sum = $load->stop;
	is $sum->{lost}, 0, "no request of $sum->{done} is lost" or diag join "\n", @{ $sum->{why} };
	$ostlerd->{options}{pools}{web}{environment} = ['FAIL=1'];
	$ostlerd->write_conf;
	is +($ostlerd->ctl('reload', '--wait'))[0], 1, 'one that cannot run is refused';
	is $ostlerd->client->ask(POST => '/', 'x')->{body}, 'x', 'the old one still serves';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'at a TCP address, and one who comes while all is stopped' => sub {
	my ($port, $reservation) = free_port();
	my $ostlerd = started(workers(min => 0, max => 2), listen => "tcp:127.0.0.1:$port");
	my $client = sub { Ostler::FastCgi->new("tcp:127.0.0.1:$port") };
	is $client->()->ask(POST => '/', $_)->{body}, $_, "served: $_" for qw(first second);
	is +($ostlerd->ctl('restart', 'web', '--wait=drained'))[0], 0, 'restarted';
	is $client->()->ask(POST => '/', 'third')->{body}, 'third', 'by the next generation, too';
	wait_for(sub { running($ostlerd) == 0 }, 'all to leave');
	is $client->()->ask(POST => '/', 'fourth')->{body}, 'fourth', 'and woken up again';
	is $ostlerd->stop, 0, 'ends with 0';

	$ostlerd = started(workers(min => 0, max => 2));
	kill 'STOP', $ostlerd->pid;
	my $late = $ostlerd->client;
	$late->begin(POST => '/', 4);
	$late->more('late');
	kill 'TERM', $ostlerd->pid;
	kill 'CONT', $ostlerd->pid;
	is $late->finish->{body}, 'late', 'he found nobody, and is served before the end';
	is $ostlerd->wait_for_end, 0, 'ends with 0';
};

subtest 'workers are renewed meanwhile' => sub {
	my $ostlerd = started(workers(min => 1, max => 4, spare => 0), max_age => '200ms');
	my $load = Ostler::Load->start($ostlerd->at, clients => 3, params => { SECONDS => '0.02' }, pause => 0.01);
	wait_for(sub { decisions($ostlerd, 'scale_up') && $ostlerd->events(event => 'recycle') >= 4 }, 'four renewals', 60);
	my $sum = $load->stop;
	is $sum->{lost}, 0, "no request of $sum->{done} is lost" or diag join "\n", @{ $sum->{why} };
	wait_for(sub { running($ostlerd) <= 2 && $ostlerd->events(event => 'scale_down') }, 'it to shrink', 60);
	is_deeply [ grep { $_->{to} > 4 || $_->{to} < 1 } decisions($ostlerd) ], [], 'never above max nor below min';
	is scalar($ostlerd->events(event => 'kill')), 0, 'none was killed';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'a person can fix the number, and let go of it' => sub {
	my $ostlerd = started(workers(min => 1, max => 6));
	is +($ostlerd->ctl('scale', 'web', '5'))[0], 0, 'five';
	wait_for(sub { running($ostlerd) == 5 }, 'five workers');
	is $ostlerd->pool('web')->{scale}, undef, 'demand does not count';
	kill 'TTOU', $ostlerd->pid;
	wait_for(sub { running($ostlerd) == 4 }, 'a signal to count');
	my ($status, $out) = $ostlerd->ctl('scale', 'web', 'auto');
	is $status, 0, 'auto';
	like $out, qr/follows demand/, 'it says so';
	wait_for(sub { running($ostlerd) == 1 }, 'demand to count again');
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'jobs have no queue, but say on their scoreboards how many threads are at work' => sub {
	# As ostler-worker(7) lays it out: four slots are used; the states of as many as the file says are 1.
	my $job = 'open my $board, "+<&=", $ENV{OSTLER_SCOREBOARD_FD} or die; sub put { sysseek $board, $_[0], 0; syswrite $board, pack "Q", $_[1] } put(48, 4); '
	    . 'while (1) { my $busy = -s $ARGV[0]; put(4096 + $_ * 6976 + 8, $_ < $busy ? 1 : 0) for 0 .. 3; select undef, undef, undef, 0.01 }';
	my $work = sub { my ($ostlerd, $threads) = @_; my $file = $ostlerd->folder . '/work';
		open my $out, '>', "$file.new" or die "$file: $!"; print {$out} 'x' x $threads; close $out; rename "$file.new", $file };
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'worker', command => [ $^X, '-e', $job, '%D/work' ],
		workers => workers(min => 1, max => 3) } });
	$work->($ostlerd, 0);
	$ostlerd->start->wait_until_ready;
	$work->($ostlerd, 4);
	wait_for(sub { running($ostlerd) == 3 }, 'three while all threads of each are at work');
	$work->($ostlerd, 1);
	wait_for(sub { running($ostlerd) == 2 }, 'two while one of four is: one could do it all');
	$work->($ostlerd, 0);
	wait_for(sub { running($ostlerd) == 1 }, 'one when there is nothing to do');
	is_deeply [ map { "$_->{from}>$_->{to} $_->{why}" } decisions($ostlerd) ], [ '1>2 demand', '2>3 demand', '3>2 quiet', '2>1 quiet' ], 'by demand';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'what makes no sense is refused' => sub {
	for my $case ([ workers(min => 3, max => 2), qr/min must be at most max, 2, not 3/ ], [ workers(max => 2, spare => 3), qr/spare must be at most max/ ],
		[ workers(min => 1), qr/max is missing/ ], [ workers(max => 2, mim => 1), qr/unknown setting "mim"; did you mean "min"\?/ ],
		[ \'"four"', qr/workers must be a whole number, or a group/ ]) {
		my ($code, undef, $complaint) = ostlerd($case->[0])->check;
		is $code, 2, "refused: $case->[1]";
		like $complaint, $case->[1], 'with a reason';
	}
	for my $case ([ worker => 0, qr/min must be at least 1/ ], [ service => 1, qr/a service is one process/ ]) {
		my ($kind, $min, $like) = @$case;
		my $pools = { it => { kind => $kind, command => ['/bin/true'], workers => workers(min => $min, max => 2) } };
		my ($code, undef, $complaint) = Ostler::Supervisor->new(pools => $pools)->check;
		is $code, 2, "a $kind that follows demand is refused";
		like $complaint, $like, 'with a reason';
	}
};

done_testing;
