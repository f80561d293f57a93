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
	'echo.php' => '<?php header("X-Generation: " . getenv("OSTLER_GENERATION")); usleep((int)(($_SERVER["SECONDS"] ?? 0) * 1e6)); echo file_get_contents("php://input");',
	'echo.pl' => <<'PERL',
use FCGI;
use Time::HiRes qw(sleep);
my %env;
my $request = FCGI::Request(\*STDIN, \*STDOUT, \*STDERR, \%env, 0, FCGI::FAIL_ACCEPT_ON_INTR());
while ($request->Accept >= 0) {
	local $/;
	sleep $env{SECONDS} if $env{SECONDS};
	read STDIN, my $body, $env{CONTENT_LENGTH};
	print "X-Generation: $ENV{OSTLER_GENERATION}\r\nContent-Type: text/plain\r\n\r\n$body";
}
PERL
	'echo.cgi' => <<'SHELL',
#!/bin/sh
test -z "$SECONDS_TO_SLEEP" || sleep "$SECONDS_TO_SLEEP"
printf 'Content-Type: text/plain\r\n\r\n'
exec cat
SHELL
);

# A pool of one of those programs that runs at an address, and what its requests need.
sub started
{
	my ($name, $listen, %more) = @_;
	my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'fastcgi', listen => $listen,
		command => $program{$name}{command}, workers => \2, ready_interval => '10ms', %more } });
	my $folder = $ostlerd->folder;
	for my $file (keys %file) {
		open my $out, '>', "$folder/$file" or die "cannot write $file: $!";
		print {$out} $file{$file};
		close $out;
		chmod 0755, "$folder/$file";
	}
	my %params = map { $_ => $program{$name}{params}{$_} =~ s/%D/$folder/r } keys %{ $program{$name}{params} // {} };
	$ostlerd->start->wait_for_log(qr/all pools are ready/);
	return ($ostlerd, $listen =~ s/%D/$folder/r, params => \%params);
}

sub change { my ($ostlerd, %s) = @_; @{ $ostlerd->{options}{pools}{web} }{ keys %s } = values %s; $ostlerd->write_conf }
my %busy = (SECONDS => '0.7', SECONDS_TO_SLEEP => '0.7');

sub reload_drained
{
	my ($ostlerd) = @_;
	my ($status, undef, $complaints) = $ostlerd->ctl('reload', '--wait=drained');
	is $status, 0, 'reloaded and drained' or diag $complaints, $ostlerd->messages;
}

for my $name (sort keys %program) {
	for my $kind (qw(unix tcp)) {
		subtest "$name on $kind: bodies are whole over reloads, whatever is in hand" => sub {
			my ($port, $reservation) = $kind eq 'tcp' ? free_port() : ();
			my ($ostlerd, $address, %wish) = started($name, $kind eq 'tcp' ? "tcp:127.0.0.1:$port" : 'unix:%D/sock/web');
			my $load = Ostler::Load->start($address, clients => 2, pause => 0.002, %wish);
			for my $n (1 .. 3) {
				my $rest = my $body = "body $n " x 500;
				my $upload = Ostler::FastCgi->new($address)->begin(POST => '/', length $body, %{ $wish{params} });
				$upload->more(substr $rest, 0, 500, '');
				change($ostlerd, environment => ["N=$n"]);
				my ($status, undef, $complaints) = $ostlerd->ctl('reload', '--wait');
				is $status, 0, 'reloaded' or diag $complaints, $ostlerd->messages;
				sleep 0.15;
				$upload->more($rest);
				ok $upload->finish->{body} eq $body, 'an upload in the middle of it is whole';
				reload_drained($ostlerd);
			}
			my $sum = $load->stop;
			is $sum->{lost}, 0, "none of $sum->{done} others is lost" or diag join "\n", @{ $sum->{why} };
			is scalar(grep { $_->{generation} == 4 } @{ $ostlerd->pool('web')->{workers} }), 2, 'the last generation is left';
			is scalar($ostlerd->events(event => 'kill')), 0, 'none was killed';
			my $slow = Ostler::FastCgi->new($address)->begin(POST => '/', 4, %{ $wish{params} }, %busy);
			$slow->more('slow');
			sleep 0.1;
			kill 'TERM', $ostlerd->pid;
			is $slow->finish->{body}, 'slow', 'a request in hand is finished when all is stopped';
			is $ostlerd->wait_for_end, 0, 'ends with 0';
			is scalar(grep { /(?:kill|not_finished)/ } $ostlerd->messages), 0, 'in peace';
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
	is scalar($ostlerd->events(event => "kill", generation => 2)), 1, "is killed in the end";
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
