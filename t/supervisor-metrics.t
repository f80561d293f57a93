#!/usr/bin/perl
# supervisor-metrics.t - OpenMetrics as the specification wants it, the queue as the kernel has it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Fcntl;
use IO::Socket::IP;
use IO::Socket::UNIX;
use Ostler::FastCgi;
use Ostler::Process qw(wait_for free_port);
use Ostler::Supervisor;
use Test::More;

my $sleep = [ $^X, '-e', 'sleep 1 while 1' ];

# Reads a scrape as strictly as the text says.  Returns { "name{labels}" => value }.
sub parse
{
	my ($text) = @_;
	my (%value, %type, %done, $family);
	my @lines = split /\n/, $text, -1;
	is pop @lines, '', 'the text ends with a newline';
	is pop @lines, '# EOF', 'and the last line is # EOF';
	my @wrong;
	for my $line (@lines) {
		if ($line =~ /^# (TYPE|HELP) (\w+) (.+)$/) {
			push @wrong, "$line: came before" if $done{$2} && ($family // '') ne $2;
			$type{$2} = $3 if $1 eq 'TYPE';
			$done{ $family = $2 } = 1;
			next;
		}
		my ($name, $labels, $number) = $line =~ /^(\w+)\{((?:\w+="[^"\\\n]*",?)+)\} (\S+)$/;
		push @wrong, "$line: is no sample" and next if !defined $number;
		my %suffixes = (gauge => '', counter => '_total', histogram => '_bucket|_sum|_count');
		push @wrong, "$line: is not of $family" if $name !~ /^\Q$family\E(?:$suffixes{ $type{$family} })$/;
		push @wrong, "$line: no number" if $number !~ /^\d+(?:\.\d+)?$/;
		push @wrong, "$line: twice" if exists $value{"$name\{$labels\}"};
		$value{"$name\{$labels\}"} = $number;
	}
	is_deeply \@wrong, [], 'every line is well formed';
	return \%value;
}

sub scrape
{
	my ($ostlerd) = @_;
	my ($status, $out, $complaint) = $ostlerd->ctl('metrics');
	is $status, 0, 'exit status 0' or diag $complaint;
	return parse($out);
}

subtest 'the format, and counters that never go backwards' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => {
		web => { kind => 'fastcgi', listen => 'unix:%D/sock/web', ready_interval => '10ms', command => [ $^X, '-e', 'open my $s, "+<&=", 0; close $c while accept my $c, $s' ] },
		jobs => { kind => 'worker', workers => \3, command => $sleep, backoff_first => '20ms' } });
	$ostlerd->start->wait_until_ready;
	my $before = scrape($ostlerd);
	is $before->{'ostler_workers{pool="jobs"}'}, 3, 'the workers';
	is $before->{'ostler_workers_ready{pool="jobs"}'}, 3, 'those that are ready';
	is $before->{'ostler_events_total{pool="jobs",event="spawn"}'}, 3, 'the births';
	is $before->{'ostler_worker_failures_total{pool="jobs"}'}, 0, 'no failures yet';
	kill 'KILL', $ostlerd->worker('jobs', 2)->{pid};
	$ostlerd->wait_for_event({ pool => 'jobs', event => 'ready' }, 4);
	my $after = scrape($ostlerd);
	is $after->{'ostler_worker_failures_total{pool="jobs"}'}, 1, 'a failure is counted';
	is $after->{'ostler_events_total{pool="jobs",event="spawn"}'}, 4, 'a birth, too';
	my @back = grep { /_total|_bucket|_count|_sum/ && $after->{$_} < $before->{$_} } keys %$before;
	is_deeply \@back, [], 'no counter has gone backwards';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'exact sums, and never a step back, over kills, recycling and reloads' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => {
		kind => 'fastcgi', listen => 'unix:%D/sock/web', workers => \2, ready_interval => '10ms', backoff_first => '20ms',
		watch_interval => '20ms', max_requests => \15, command => [ $^X, "$FindBin::Bin/lib/fastcgi-worker", 'scoreboard' ] } });
	$ostlerd->start->wait_until_ready;
	my (%last, @back, $answered);
	my $look = sub {
		my ($status, $out) = $ostlerd->ctl('metrics');
		for ($out =~ /^(\S+ \S+)$/mg) {
			my ($name, $value) = split / /;
			push @back, "$name from $last{$name} to $value" if $name =~ /_total|_bucket|_count|_sum/ && $value < ($last{$name} // 0);
			$last{$name} = $value;
		}
	};
	for my $round (1 .. 10) {
		for (1 .. 20) { $answered += defined $ostlerd->client->ask('GET', '/pid') }
		$look->();
		kill 'KILL', $ostlerd->worker('web', 1)->{pid} // next if $round == 3;
		$ostlerd->ctl('restart', 'web', '--wait') if $round % 4 == 0;
	}
	$look->();
	is_deeply \@back, [], 'no counter has ever gone backwards';
	is $last{'ostler_requests_total{pool="web"}'}, $answered, "all $answered requests are counted";
	is $last{'ostler_request_seconds_count{pool="web"}'}, $answered, 'so they are in the histogram';
	is $last{'ostler_request_seconds_bucket{pool="web",le="+Inf"}'}, $answered, 'in all of its buckets';
	is $last{'ostler_app_served_total{pool="web"}'}, $answered, 'and in the counter of their own';
	wait_for(sub { $ostlerd->events(pool => 'web', event => 'recycle') }, 'a worker that has had its share to be recycled');
	pass 'workers were recycled meanwhile';
	parse(($ostlerd->ctl('metrics'))[1]);
	is $ostlerd->stop, 0, 'ends with 0';
};

# Workers that never accept; a queue of 5, over a unix socket and over TCP.
subtest 'the queue, from empty to full, and drained' => sub {
	my ($port, $reservation) = free_port();
	my $wait = [ $^X, '-e', 'open my $s, "+<&=", 0; select undef, undef, undef, 0.01 until -e $ARGV[0]; while (accept my $c, $s) { close $c }', '%D/go' ];
	my %common = (kind => 'fastcgi', backlog => \8, ready => 'notify', ready_timeout => '5m', command => $wait);
	my $ostlerd = Ostler::Supervisor->new(pools => {
		unix => { %common, listen => 'unix:%D/sock/unix' },
		tcp => { %common, listen => "tcp:127.0.0.1:$port" } });
	$ostlerd->start;
	wait_for(sub { -S $ostlerd->socket && -S $ostlerd->folder . '/sock/unix' }, 'the sockets');
	my $connect = { unix => sub { IO::Socket::UNIX->new(Peer => $ostlerd->folder . '/sock/unix') },
		tcp => sub { IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $port, Timeout => 5) } };
	for my $pool (qw(unix tcp)) {
		is $ostlerd->pool($pool)->{queue}, 0, "$pool: nobody waits";
		is $ostlerd->pool($pool)->{backlog}, 8, "$pool: eight may";
		my @clients = map { $connect->{$pool}->() // die "$pool: $!" } 1 .. 7;
		is $ostlerd->pool($pool)->{queue}, 7, "$pool: seven wait";
		push @clients, map { $connect->{$pool}->() // die "$pool: $!" } 1 .. 2;
		is $ostlerd->pool($pool)->{queue}, 9, "$pool: the kernel lets one more in than may wait";
		is scrape($ostlerd)->{"ostler_queue{pool=\"$pool\"}"}, 9, "$pool: the same as a metric";
		$connect->{"kept_$pool"} = \@clients;
	}
	my $full = IO::Socket::UNIX->new(Type => SOCK_STREAM) // die $!;
	$full->blocking(0);
	ok !connect($full, Socket::pack_sockaddr_un($ostlerd->folder . '/sock/unix')) && $!{EAGAIN}, 'who comes to a full queue is told so at once';
	my ($table) = ($ostlerd->ctl('status'))[1] =~ /^(unix .*)$/m;
	like $table, qr/^unix +fastcgi +starting +0\/1 +\S+ +\S+ +9 /, 'the table shows it';
	open my $go, '>', $ostlerd->folder . '/go';
	wait_for(sub { $ostlerd->pool($_)->{queue} == 0 }, "the queue of $_ to empty") for qw(unix tcp);
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'status --watch draws it again and again' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { jobs => { kind => 'worker', command => $sleep } });
	$ostlerd->start->wait_until_ready;
	my $pid = open my $watch, '-|', Ostler::Supervisor::program('ostlerctl'), '-s', $ostlerd->socket, 'status', '--watch' or die $!;
	my @heads;
	while (@heads < 2 && defined(my $line = <$watch>)) {
		push @heads, $line if $line =~ /^ostlerd \d+ is running$/;
		unlike $line, qr/\e/, 'without control sequences when nobody sits there' if $line =~ /POOL/;
	}
	is scalar(@heads), 2, 'two pictures';
	is $ostlerd->stop, 0, 'ostlerd ends with 0';
	1 while <$watch>;
	close $watch;
	is $? >> 8, 3, 'then there is nobody to ask: 3';
};

done_testing;
