#!/usr/bin/perl
# supervisor-drain.t - programs nobody here wrote finish what they have, whatever they are: php-cgi,
# perl's FCGI, fcgiwrap and libfcgi, on unix sockets and TCP, when reloaded, scaled and stopped.
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

my %php = (SCRIPT_FILENAME => '%D/echo.php', REDIRECT_STATUS => 200);
my %program = (
	libfcgi => { command => [$echo] },
	'php-cgi' => { command => ['php-cgi'], params => \%php },
	'perl' => { command => [ $^X, '%D/echo.pl' ] },
	fcgiwrap => { command => [ 'fcgiwrap', '-c', '1' ], params => { SCRIPT_FILENAME => '%D/echo.cgi' } },
);

my %file = (
	'echo.php' => '<?php header("X-Generation: " . getenv("OSTLER_GENERATION")); usleep((int)(($_SERVER["SECONDS"] ?? 0) * 1e6)); echo file_get_contents("php://input"), str_repeat("x", (int)($_SERVER["BYTES"] ?? 0));',
	'echo.pl' => <<'PERL',
use FCGI;
use Time::HiRes qw(sleep);
my %env;
my $request = FCGI::Request(\*STDIN, \*STDOUT, \*STDERR, \%env, 0, FCGI::FAIL_ACCEPT_ON_INTR());
while ($request->Accept >= 0) {
	local $/;
	sleep $env{SECONDS} if $env{SECONDS};
	read STDIN, my $body, $env{CONTENT_LENGTH};
	print "X-Generation: $ENV{OSTLER_GENERATION}\r\nContent-Type: text/plain\r\n\r\n$body", 'x' x ($env{BYTES} // 0);
}
PERL
	'echo.cgi' => <<'SHELL',
#!/bin/sh
test -z "$SECONDS_TO_SLEEP" || sleep "$SECONDS_TO_SLEEP"
printf 'Content-Type: text/plain\r\n\r\n'
cat
head -c "${BYTES:-0}" /dev/zero | tr '\0' x
SHELL
);

# A pool of one of those programs that runs at an address, and what its requests need.
sub started
{
	my ($name, $listen, %more) = @_;
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'fastcgi', listen => $listen,
		command => $program{$name}{command}, workers => \3, ready_interval => '10ms', %more } });
	my $folder = $ostlerd->folder;
	for my $file (keys %file) {
		open my $out, '>', "$folder/$file" or die "cannot write $file: $!";
		print {$out} $file{$file};
		close $out;
		chmod 0755, "$folder/$file";
	}
	my %params = map { $_ => $program{$name}{params}{$_} =~ s/%D/$folder/r } keys %{ $program{$name}{params} // {} };
	$ostlerd->start->wait_until_ready;
	return ($ostlerd, $listen =~ s/%D/$folder/r, params => \%params);
}

sub change { my ($ostlerd, %s) = @_; @{ $ostlerd->{options}{pools}{web} }{ keys %s } = values %s; $ostlerd->write_conf }
my %busy = (SECONDS => '0.4', SECONDS_TO_SLEEP => '0.4');

sub reload_drained
{
	my ($ostlerd) = @_;
	my ($status, undef, $complaints) = $ostlerd->ctl('reload', '--wait=drained');
	is $status, 0, 'reloaded and drained' or diag $complaints, $ostlerd->messages;
}

my $large = 4_000_000;

# A request of each kind for one worker each: an upload that stands still, a download that nobody reads,
# and one that takes its time.
sub hold_all
{
	my ($address, $body, %wish) = @_;
	my $new = sub { Ostler::FastCgi->new($address)->begin(POST => '/', $_[0], %{ $wish{params} // {} }, @_[ 1 .. $#_ ]) };
	my %held = (body => $body, upload => $new->(length $body), download => $new->(0, BYTES => $large), slow => $new->(4, %busy));
	$held{upload}->more(substr $body, 0, 500);
	$held{download}->end;
	$held{slow}->more('slow');
	$held{slow}->end;
	return %held;
}

sub let_go
{
	my (%held) = @_;
	my ($reads, $body) = (0, $held{body});
	is $held{slow}->receive->{body}, 'slow', 'a slow one is finished';
	for (my $at = 500; $at < length $body; $at += 500) {
		$held{upload}->more(substr $body, $at, 500);
		sleep 0.01;
	}
	ok $held{upload}->finish->{body} eq $body, 'an upload is whole';
	my $answer = $held{download}->receive(sub { sleep 0.02 if $reads++ < 10 });
	ok $answer->{body} eq 'x' x $large, 'so is a download by a slow reader';
}

for my $name (sort keys %program) {
	for my $kind (qw(unix tcp)) {
		subtest "$name on $kind: bodies are whole over reloads, whatever is in hand" => sub {
			my ($port, $reservation) = $kind eq 'tcp' ? free_port() : ();
			my ($ostlerd, $address, %wish) = started($name, $kind eq 'tcp' ? "tcp:127.0.0.1:$port" : 'unix:%D/sock/web');
			for my $n (1 .. 2) {
				# First, for its clients must not hold our connections open, too: php-cgi waits for their end.
				my $load = Ostler::Load->start($address, clients => 4, upload => 0.002, %wish);
				my %held = hold_all($address, "body $n " x 500, %wish);
				wait_for(sub { $ostlerd->pool('web')->{queue} == 4 }, 'every worker to be held, and all others to wait');
				change($ostlerd, environment => ["N=$n"]);
				my ($status, undef, $complaints) = $ostlerd->ctl('reload', '--wait');
				is $status, 0, 'reloaded' or diag $complaints, $ostlerd->messages;
				let_go(%held);
				reload_drained($ostlerd);
				my $sum = $load->stop;
				is $sum->{lost}, 0, "none of $sum->{done} others is lost" or diag join "\n", @{ $sum->{why} };
			}
			is scalar(grep { $_->{generation} == 3 } @{ $ostlerd->pool('web')->{workers} }), 3, 'the last generation is left';
			is scalar($ostlerd->events(event => 'kill')), 0, 'none was killed';
			my $slow = Ostler::FastCgi->new($address)->begin(POST => '/', 4, %{ $wish{params} }, %busy);
			$slow->more('slow');
			sleep 0.1;
			kill 'TERM', $ostlerd->pid;
			is $slow->finish->{body}, 'slow', 'a request in hand is finished when all is stopped';
			is $ostlerd->wait_for_end, 0, 'ends with 0';
		};
	}
}

subtest 'a request that never ends: signalled after drain_timeout, killed after stop_timeout' => sub {
	my ($ostlerd, $address) = started('libfcgi', 'unix:%D/sock/web', drain_timeout => '300ms', stop_timeout => '300ms');
	my $stuck = Ostler::FastCgi->new($address)->begin(POST => '/echo', 10);
	$stuck->more('half ');
	sleep 0.1;
	change($ostlerd, environment => ['X=1'], command => [ '/usr/bin/env', '--block-signal=TERM', $echo ]);
	my $began = time;
	reload_drained($ostlerd);
	cmp_ok time - $began, '>', 0.25, 'it was waited for';
	is scalar($ostlerd->events(event => 'not_finished')), 1, 'then asked';
	$stuck = Ostler::FastCgi->new($address)->begin(POST => '/echo', 10);
	$stuck->more('half ');
	sleep 0.1;
	change($ostlerd, environment => ['X=2']);
	$began = time;
	reload_drained($ostlerd);
	cmp_ok time - $began, '>', 0.55, 'one that blocks all signals';
	cmp_ok time - $began, '<', 6, 'is not waited for any longer';
	is scalar($ostlerd->events(event => "kill", generation => 2)), 1, "is killed in the end";
	is $ostlerd->stop, 0, 'ends with 0';
};

# libfcgi 2.4.2: told to end while it waits for the first bytes of a client, it hangs up on it and turns
# in a circle for ever.  ostlerd never signals at such a moment, but others may.
subtest 'a libfcgi worker that turns in a circle is killed when its time is up, and holds up nobody' => sub {
	my ($ostlerd, $address) = started('libfcgi', 'unix:%D/sock/web', workers => \1, drain_timeout => '300ms', stop_timeout => '300ms');
	my $pid = $ostlerd->worker('web')->{pid};
	my $silent = Ostler::FastCgi::connection($address) // die "cannot connect: $!";
	wait_for(sub { Ostler::Supervisor::slurp("/proc/$pid/syscall") =~ /^(?:7|271) / }, 'it to wait for the first bytes of its client');
	kill 'TERM', $pid;
	my $spent = sub { (split ' ', Ostler::Supervisor::slurp("/proc/$pid/stat"))[13] // 0 };
	my $before = $spent->();
	wait_for(sub { $spent->() > $before + 20 }, 'it to turn in a circle');
	change($ostlerd, environment => ['X=1']);
	reload_drained($ostlerd);
	my ($exit) = $ostlerd->events(event => 'exit', pid => $pid);
	is $exit->{signal}, 9, 'it is killed';
	ok $ostlerd->events(event => 'kill', pid => $pid), 'which is written down';
	is $ostlerd->client->ask(POST => '/', 'x')->{body}, 'x', 'the next one serves';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'without care it would be lost: a signal in the middle of a body' => sub {
	my ($ostlerd, $address) = started('libfcgi', 'unix:%D/sock/web');
	my $upload = Ostler::FastCgi->new($address)->begin(POST => '/echo', 20);
	$upload->more('0123456789');
	sleep 0.1;
	kill 'TERM', map { $_->{pid} } @{ $ostlerd->pool('web')->{workers} };
	sleep 0.1;
	my $answer = ($upload->more('0123456789') && $upload->finish || {})->{body} // '';
	isnt $answer, '01234567890123456789', 'the program answers to half of it, or not at all';
	is $ostlerd->stop, 0, 'ends with 0';
};

done_testing;
