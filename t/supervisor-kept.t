#!/usr/bin/perl
# supervisor-kept.t - a foreign worker that waits on a connection that is kept is never taken for stuck.
#
# Whichever way it waits; and one that is stuck on such a connection is found all the same.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::FastCgi;
use Ostler::Process qw(wait_for free_port);
use Ostler::Programs;
use Ostler::Supervisor;
use Test::More;
use Time::HiRes qw(sleep time);

my $keeper = Ostler::Programs::compile('keeper', '-D_GNU_SOURCE');
my $echo = Ostler::Programs::compile('echo', '-lfcgi');
my %quick = (kind => 'fastcgi', request_timeout => '400ms', watch_interval => '50ms', stop_timeout => '300ms', backoff_first => '20ms', ready_interval => '10ms');
my @ways = qw(read readv recv recvmsg recvmmsg poll ppoll select pselect epoll epoll_pwait epoll_pwait2);

sub stuck { my ($ostlerd, $pool) = @_; return $ostlerd->events(event => 'stuck', $pool ? (pool => $pool) : ()) }

for my $family ('unix', 'tcp') {
	my (%pools, %address, @reserved);
	for my $way (@ways) {
		my ($port, $reservation) = free_port();
		push @reserved, $reservation;
		$address{$way} = $family eq 'unix' ? "unix:%D/sock/$way" : "tcp:127.0.0.1:$port";
		$pools{$way} = { %quick, listen => $address{$way}, command => [ $keeper, $way ] };
	}
	my $ostlerd = Ostler::Supervisor->new(pools => \%pools);
	$ostlerd->start->wait_for_log(qr/all pools are ready/);
	my %pid = map { $_ => $ostlerd->worker($_)->{pid} } @ways;
	my %client = map { $_ => Ostler::FastCgi->new($address{$_} =~ s/%D/$ostlerd->folder/er, keep => 1) } @ways;

	subtest "$family: idle for long, on a connection that is kept" => sub {
		is $client{$_}->ask('GET', '/')->{body}, $pid{$_}, "$_: it answers" for @ways;
		sleep 1.6;
		for my $way (@ways) {
			is $client{$way}->ask('GET', '/')->{body}, $pid{$way}, "$way: and again, much later";
			is_deeply [ stuck($ostlerd, $way) ], [], "$way: it was not stuck";
		}
		wait_for(sub { !grep { $_->{busy} != 0 } @{ $ostlerd->status->{pools} } }, 'all to be seen idle');
		pass 'the status says so, too';
	};

	subtest "$family: one request after the other, without a pause" => sub {
		for my $way (qw(read recv poll epoll)) {
			my $end = time + 1;
			my $times = 0;
			$times++ while time < $end && ($client{$way}->ask('GET', '/') // { body => 0 })->{body} == $pid{$way};
			cmp_ok time, '>=', $end, "$way: $times requests";
		}
		is_deeply [ stuck($ostlerd) ], [], 'none was stuck';
	};

	subtest "$family: stuck, on a connection that is kept" => sub {
		my %waits = map { $ways[$_] => $_ % 3 == 2 ? '/spin' : '/sleep' } 0 .. $#ways;
		$client{$_}->send('GET', $waits{$_}) for @ways;
		for my $way (@ways) {
			my $event = $ostlerd->wait_for_event({ event => 'stuck', pool => $way });
			is $event->{pid}, $pid{$way}, "$way: it is found in $waits{$way}";
			like $event->{text}, qr/^a request for \d+\.\d s$/, "$way: and for how long";
			$ostlerd->wait_for_worker($way, 1, sub { $_[0]{state} eq 'ready' && $_[0]{pid} != $pid{$way} }, 'another in its place');
		}
		is $ostlerd->stop, 0, 'ends with 0';
	};
}

# Programs that nobody here wrote: libfcgi, perl's FCGI, php-cgi.
my %real = (
	libfcgi => [ [$echo] ],
	perl => [ [ $^X, '-MFCGI', '-e', 'my $r = FCGI::Request(); while ($r->Accept >= 0) { print "Content-Type: text/plain\r\n\r\nhello" }' ] ],
	php => [ ['/usr/bin/php-cgi'], environment => ['PHP_FCGI_MAX_REQUESTS=0'] ],
);
subtest 'real programs' => sub {
	my %pools;
	for my $name (sort keys %real) {
		my ($command, %more) = @{ $real{$name} };
		plan skip_all => "$command->[0] is not installed" if !-x $command->[0];
		$pools{$name} = { %quick, listen => "unix:%D/sock/$name", command => $command, %more };
	}
	my $ostlerd = Ostler::Supervisor->new(pools => \%pools);
	open my $script, '>', $ostlerd->folder . '/app.php' or die $!;
	print {$script} '<?php echo "hello";';
	close $script;
	$ostlerd->start->wait_for_log(qr/all pools are ready/);
	my @params = (SCRIPT_FILENAME => $ostlerd->folder . '/app.php', REDIRECT_STATUS => 200);
	my %client = map { $_ => Ostler::FastCgi->new('unix:' . $ostlerd->folder . "/sock/$_", keep => 1) } keys %real;
	my %pid = map { $_ => $ostlerd->worker($_)->{pid} } keys %real;
	for my $round (1 .. 3) {
		ok $client{$_}->ask('GET', '/app.php', undef, @params), "$_ answers" for sort keys %real;
		sleep 0.8;
	}
	is $ostlerd->worker($_)->{pid}, $pid{$_}, "$_: it is the same process" for sort keys %real;
	is_deeply [ stuck($ostlerd) ], [], 'none was stuck';
	$_->close for values %client;
	is $ostlerd->stop, 0, 'ends with 0';
};

done_testing;
