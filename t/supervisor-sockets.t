#!/usr/bin/perl
# supervisor-sockets.t - sockets and lock files: made with care, shared with nobody, removed if ours.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::IP;
use IO::Socket::UNIX;
use Ostler::Process qw(wait_for free_port);
use Ostler::Supervisor;
use Socket qw(SOMAXCONN);
use Test::More;

# Says who answers and whether its listening socket blocks.
my $answerer = [ $^X, '-MFcntl', '-e', <<'PERL' ];
open my $listener, "+<&=", 0;
my $blocks = fcntl($listener, F_GETFL, 0) & O_NONBLOCK ? "no" : "yes";
while (accept my $client, $listener) { print $client "$ENV{OSTLER_POOL} $blocks"; close $client }
PERL

sub pool_at { my ($listen, @more) = @_; return { kind => 'fastcgi', listen => $listen, command => $answerer, ready_interval => '10ms', @more } }
sub ask { my ($client) = @_; return $client ? scalar(<$client>) // '' : "cannot connect: $!" }

subtest 'a unix socket has its owner, group and mode, and blocks' => sub {
	my @owner = $> == 0 ? (listen_user => 'nobody', listen_group => 'www-data') : ();
	my $ostlerd = Ostler::Supervisor->new(pools => { web => pool_at('unix:%D/sock/web', listen_mode => '0640', @owner) });
	my $path = $ostlerd->folder . '/sock/web';
	$ostlerd->start->wait_until_ready;
	my ($mode, $uid, $gid) = (stat $path)[ 2, 4, 5 ];
	is $mode & 07777, 0640, 'its mode';
	is $uid, @owner ? (getpwnam 'nobody')[2] : $>, 'its owner';
	is $gid, @owner ? scalar getgrnam 'www-data' : (split ' ', $))[0], 'its group';
	is ask(IO::Socket::UNIX->new(Peer => $path)), 'web yes', 'a worker answers, and its accept blocks';
	is_deeply [ map { s{.*/}{}r } glob $ostlerd->folder . '/sock/*' ], [ 'web', 'web.lock' ], 'no temporary name is left';
	is $ostlerd->stop, 0, 'ends with 0';
	is_deeply [ glob $ostlerd->folder . '/sock/*' ], [], 'the socket and its lock are gone';
};

subtest 'TCP, both kinds' => sub {
	my ($port, $reservation) = free_port();
	my $ostlerd = Ostler::Supervisor->new(pools => {
		four => pool_at("tcp:127.0.0.1:$port"), six => pool_at("tcp:[::1]:$port") });
	$ostlerd->start->wait_until_ready;
	is ask(IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $port)), 'four yes', 'IPv4';
	is ask(IO::Socket::IP->new(PeerHost => '::1', PeerPort => $port)), 'six yes', 'IPv6';
	is $ostlerd->stop, 0, 'ends with 0';
	$ostlerd->start;
	$ostlerd->wait_until_ready;
	is ask(IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $port)), 'four yes', 'the address can be had again at once';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'connections wait in the queue while workers start' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => {
		slow => { kind => 'task', command => [ '/bin/sh', '-c', 'until test -e %D/go; do sleep 0.02; done' ] },
		web => pool_at('unix:%D/sock/web', after => ['slow']),
	});
	$ostlerd->start->wait_for_log(qr/slow: runs/);
	my $early = IO::Socket::UNIX->new(Peer => $ostlerd->folder . '/sock/web');
	ok $early, 'a client is let in before there is a worker';
	open my $go, '>', $ostlerd->folder . '/go';
	is ask($early), 'web yes', 'and answered later';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'a stale socket is replaced' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => pool_at('unix:%D/sock/web') });
	my $path = $ostlerd->folder . '/sock/web';
	for my $name ($path, $ostlerd->socket) {
		close(IO::Socket::UNIX->new(Local => $name, Listen => 1) // die "cannot listen: $!");
		ok -S $name, 'a socket without an owner lies there';
	}
	$ostlerd->start->wait_until_ready;
	is ask(IO::Socket::UNIX->new(Peer => $path)), 'web yes', 'ours has taken its place';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'a living socket is left alone, even when its queue is full' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => pool_at('unix:%D/sock/web') });
	my $path = $ostlerd->folder . '/sock/web';
	my $other = IO::Socket::UNIX->new(Local => $path, Listen => 1) // die "cannot listen: $!";
	my $inode = (stat $path)[1];
	is $ostlerd->start->wait_for_end, 2, 'exit status 2';
	like $ostlerd->messages, qr{ostler\.conf:4: pool web: \S+/sock/web: another process listens there; end it, or}, 'it says so';
	is +(stat $path)[1], $inode, 'the socket is the same';
	ok !-e $ostlerd->socket && !-e $ostlerd->folder . '/ostlerd.pid', 'nothing else is left either';
	my @queue;
	while (my $client = IO::Socket::UNIX->new(Peer => $path, Blocking => 0)) { push @queue, $client; last if @queue > 5000 }
	is $ostlerd->start->wait_for_end, 2, 'the same with a full queue';
	is +(stat $path)[1], $inode, 'the socket is still the same';
};

subtest 'a second ostlerd is refused, and the first undisturbed' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => pool_at('unix:%D/sock/web') });
	$ostlerd->start->wait_until_ready;
	my $pid = $ostlerd->worker('web')->{pid};
	my ($status, undef, $complaint) = $ostlerd->run(Ostler::Supervisor::program('ostlerd'), '-c', $ostlerd->conf);
	is $status, 2, 'exit status 2';
	like $complaint, qr/ostler\.conf: pid_file: \S+ostlerd\.pid: another ostlerd holds it/, 'by the pid file';
	my $second = Ostler::Supervisor->new(pools => { web => pool_at('unix:' . $ostlerd->folder . '/sock/web') });
	is $second->start->wait_for_end, 2, 'another configuration with the same socket: exit status 2';
	like $second->messages, qr/ostler\.conf:4: pool web: \S+: another ostlerd has it/, 'by the socket\'s lock';
	my $third = Ostler::Supervisor->new(top => { control => $ostlerd->socket }, pools => { web => pool_at('unix:%D/sock/web') });
	is $third->start->wait_for_end, 2, 'another configuration with the same control socket: exit status 2';
	is $ostlerd->worker('web')->{pid}, $pid, 'the first goes on';
	is ask(IO::Socket::UNIX->new(Peer => $ostlerd->folder . '/sock/web')), 'web yes', 'and answers';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'what has been put in our place is not removed' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => pool_at('unix:%D/sock/web') });
	my $path = $ostlerd->folder . '/sock/web';
	$ostlerd->start->wait_until_ready;
	unlink $path, $ostlerd->folder . '/ostlerd.pid';
	my $other = IO::Socket::UNIX->new(Local => $path, Listen => 1) // die "cannot listen: $!";
	open my $pid_file, '>', $ostlerd->folder . '/ostlerd.pid';
	is $ostlerd->stop, 0, 'ends with 0';
	ok -S $path, "another's socket is still there";
	ok -e $ostlerd->folder . '/ostlerd.pid', "another's pid file, too";
};

subtest 'a path of 107 bytes can be used' => sub {
	my $ostlerd = Ostler::Supervisor->new(conf => '');
	my $path = $ostlerd->folder . '/sock/';
	$path .= 'x' x (107 - length $path);
	$ostlerd = Ostler::Supervisor->new(pools => { web => pool_at("unix:$path") });
	mkdir $path =~ s{/[^/]*$}{}r;
	$ostlerd->start->wait_until_ready;
	symlink $path, $ostlerd->folder . '/short';
	ok -S $path, 'it is there';
	is $ostlerd->stop, 0, 'ends with 0';
	ok !-e $path, 'and gone';
};

subtest 'a backlog that the kernel cuts is warned of' => sub {
	my ($limit) = Ostler::Supervisor::slurp('/proc/sys/net/core/somaxconn') =~ /(\d+)/;
	plan skip_all => 'this kernel cuts nothing' if $limit >= 65535;
	my $ostlerd = Ostler::Supervisor->new(pools => { web => pool_at('unix:%D/sock/web', backlog => \65535) });
	$ostlerd->start->wait_for_log(qr/web: backlog is $limit, not 65535/);
	is $ostlerd->stop, 0, 'ends with 0';
};

done_testing;
