#!/usr/bin/perl
# supervisor-inherited.t - sockets that listen before ostlerd runs, as systemd passes them on.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Fcntl;
use IO::Socket::IP;
use IO::Socket::UNIX;
use Ostler::FastCgi;
use Ostler::Load;
use Ostler::Process qw(wait_for alive free_port);
use Ostler::Programs;
use Ostler::Supervisor;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep);

my $echo = Ostler::Programs::compile('echo', '-lfcgi');

sub echo_pool { my (%more) = @_; return { kind => 'fastcgi', command => [$echo], workers => \2, ready_interval => '10ms', %more } }

# Has the child take the sockets as descriptors 3, 4 …, and say so in its environment.
sub passed
{
	my ($pid, @sockets) = @_;
	return sub {
		my @high = map { fcntl $_, 1030, 20 } @sockets;    # F_DUPFD_CLOEXEC
		POSIX::dup2($high[$_] + 0, 3 + $_) for 0 .. $#high;
		@ENV{qw(LISTEN_FDS LISTEN_PID LISTEN_FDNAMES)} = (scalar @sockets, $pid // $$, 'web');
	};
}

sub unix_socket { my ($path) = @_; return IO::Socket::UNIX->new(Local => $path, Listen => 64) // die "cannot listen: $!" }

for my $kind (qw(unix tcp)) {
	subtest "a pool at the address of an inherited $kind socket gets it" => sub {
		my ($port, $reservation) = $kind eq 'tcp' ? free_port() : ();
		my $ostlerd = Ostler::Supervisor->new(pools => { web => echo_pool(listen => $port ? "tcp:127.0.0.1:$port" : 'unix:%D/sock/web') });
		my $at = $port ? "tcp:127.0.0.1:$port" : 'unix:' . $ostlerd->folder . '/sock/web';
		my $socket = $port ? IO::Socket::IP->new(LocalHost => '127.0.0.1', LocalPort => $port, Listen => 64, ReuseAddr => 1) : unix_socket($ostlerd->folder . '/sock/web');
		$socket->blocking(0);
		my $early = Ostler::FastCgi->new($at)->begin(POST => '/echo', 5);
		$ostlerd->start(passed(undef, $socket))->wait_until_ready;
		$early->more('early');
		is $early->finish->{body}, 'early', 'a client that came before ostlerd is served';
		wait_for(sub { Ostler::Supervisor::slurp('/proc/' . $ostlerd->worker('web')->{pid} . '/syscall') =~ /^(?:43|288|202) 0x0 / }, 'a worker to wait in accept');
		pass 'the socket blocks: a worker waits in accept';
		unlike Ostler::Supervisor::slurp('/proc/' . $ostlerd->worker('web')->{pid} . '/environ'), qr/LISTEN_/, 'workers are told nothing of it';
		my $load = Ostler::Load->start($at, clients => 2);
		for my $n (1 .. 3) {
			$ostlerd->{options}{pools}{web}{environment} = ["N=$n"];
			$ostlerd->write_conf;
			is +($ostlerd->ctl('reload', '--wait=drained'))[0], 0, 'reloaded';
		}
		my $slow = Ostler::FastCgi->new($at)->begin(POST => '/slow', 4, SECONDS => '0.6');
		$slow->more('slow');
		sleep 0.2;
		my $sum = $load->stop;
		is $sum->{lost}, 0, "no request of $sum->{done} is lost" or diag join "\n", @{ $sum->{why} };
		is scalar($ostlerd->events(event => 'kill')), 0, 'none was killed';
		kill 'TERM', $ostlerd->pid;
		is $slow->finish->{body}, 'slow', 'what is in hand is finished when all is stopped';
		is $ostlerd->wait_for_end, 0, 'ends with 0';
		ok -S $ostlerd->folder . '/sock/web', 'the name is left to its owner' if !$port;
		my $late = Ostler::FastCgi->new($at)->begin(POST => '/echo', 4);
		$late->more('late');
		$ostlerd->start(passed(undef, $socket));
		is $late->finish->{body}, 'late', 'a client that comes in between is served by the next ostlerd';
		is $ostlerd->stop, 0, 'ends with 0';
	};
}

subtest 'a pool that has no worker until a client comes watches what it was given' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => echo_pool(listen => 'unix:%D/sock/web',
		workers => \'{ min = 0; max = 2; interval = "20ms"; quiet = "100ms"; idle = "100ms"; }') });
	my $socket = unix_socket($ostlerd->folder . '/sock/web');
	my $nobody = sub { !grep { $_->{pid} } @{ $ostlerd->pool('web')->{workers} } };
	my $early = $ostlerd->client->begin(POST => '/echo', 5);
	$early->more('early');
	$ostlerd->start(passed(undef, $socket))->wait_until_ready;
	is $early->finish->{body}, 'early', 'a client that came before ostlerd is served';
	for my $n (1 .. 2) {
		wait_for($nobody, 'it to leave');
		is $ostlerd->client->ask(POST => '/', $n)->{body}, $n, 'and so is one that comes when nobody runs';
		is +($ostlerd->ctl('restart', 'web', '--wait=drained'))[0], 0, 'restarted';
	}
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'php-cgi, which gives up on a socket that does not block, stays up' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => echo_pool(listen => 'unix:%D/sock/web', command => ['php-cgi']) });
	my $script = $ostlerd->folder . '/echo.php';
	open my $out, '>', $script or die "$script: $!";
	print {$out} '<?php echo file_get_contents("php://input");';
	close $out;
	my $socket = unix_socket($ostlerd->folder . '/sock/web');
	$socket->blocking(0);
	$ostlerd->start(passed(undef, $socket))->wait_until_ready;
	for my $n (1 .. 3) {
		is $ostlerd->client->ask(POST => '/echo.php', "body $n", SCRIPT_FILENAME => $script, REDIRECT_STATUS => 200)->{body}, "body $n", 'it answers';
	}
	is scalar($ostlerd->events(event => 'exit')), 0, 'and none has ended';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'what no pool wants is closed; a pool that goes lets go of its own' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => echo_pool(listen => 'unix:%D/sock/web'),
		other => { kind => 'worker', command => [ $^X, '-e', 'sleep 1 while 1' ] } });
	my ($wanted, $unwanted) = map { unix_socket($ostlerd->folder . "/sock/$_") } qw(web nobody);
	$ostlerd->start(passed(undef, $wanted, $unwanted))->wait_until_ready;
	like $ostlerd->messages, qr{/sock/nobody was inherited, but no pool listens there: closed}, 'it says so';
	close $_ for $wanted, $unwanted;
	ok !IO::Socket::UNIX->new(Peer => $ostlerd->folder . '/sock/nobody'), 'nobody holds it any more';
	delete $ostlerd->{options}{pools}{web};
	$ostlerd->write_conf;
	is +($ostlerd->ctl('reload', '--wait=drained'))[0], 0, 'reloaded without the pool';
	wait_for(sub { !IO::Socket::UNIX->new(Peer => $ostlerd->folder . '/sock/web', Blocking => 0) }, 'its socket to be closed', 10);
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'what was meant for another process is not taken' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => echo_pool(listen => 'unix:%D/sock/web') });
	my $socket = unix_socket($ostlerd->folder . '/sock/other');
	$ostlerd->start(passed(1, $socket))->wait_until_ready;
	unlike $ostlerd->messages, qr/inherited/, 'it is left alone';
	is $ostlerd->client->ask(POST => '/', 'x')->{body}, 'x', 'the pool has its own';
	is $ostlerd->stop, 0, 'ends with 0';
};

done_testing;
