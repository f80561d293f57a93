#!/usr/bin/perl
# supervisor-foreign.t - php-cgi, perl's FCGI and fcgiwrap are seen busy, idle and stuck from outside.
use strict;
use warnings;
use FindBin;
use Time::HiRes qw(sleep time);
use lib "$FindBin::Bin/lib";
use Ostler::FastCgi;
use Ostler::Process qw(wait_for alive);
use Ostler::Supervisor;
use Test::More;

# A request sleeps for as many seconds as its query says, and answers "done".
my %programs = (
	'php-cgi' => {
		command => ['php-cgi'], script => 'sleep.php',
		text => '<?php usleep((int)($_GET["s"] * 1e6)); echo "done";',
	},
	'perl with FCGI' => {
		command => [ $^X, '-MFCGI', '-e',
		    'my $r = FCGI::Request(); while ($r->Accept >= 0) { select undef, undef, undef, $1 if $ENV{QUERY_STRING} =~ /s=(.+)/; print "Content-Type: text/plain\r\n\r\ndone" }' ],
		script => 'none', text => '',
	},
	'fcgiwrap' => {
		command => ['fcgiwrap'], script => 'sleep.cgi',
		text => "#!/bin/sh\nsleep \${QUERY_STRING#s=}\nprintf 'Content-Type: text/plain\\r\\n\\r\\ndone'\n",
	},
);

for my $name (sort keys %programs) {
	my $program = $programs{$name};
	subtest $name => sub {
		my $ostlerd = Ostler::Supervisor->new(pools => { web => {
			kind => 'fastcgi', listen => 'unix:%D/sock/web', workers => \3, output => '%D/log/web',
			command => $program->{command}, environment => [ 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' ],
			request_timeout => '1500ms', watch_interval => '50ms', stop_timeout => '300ms', backoff_first => '20ms', ready_interval => '10ms' } });
		my $script = $ostlerd->folder . "/$program->{script}";
		open my $out, '>', $script or die "$script: $!";
		print $out $program->{text};
		close $out;
		chmod 0755, $script;
		$ostlerd->start->wait_until_ready;

		my $client = sub { $ostlerd->client(@_) };
		my @to = (SCRIPT_FILENAME => $script, SCRIPT_NAME => "/$program->{script}", REDIRECT_STATUS => 200);
		my $target = sub { ('GET', "/$program->{script}?s=$_[0]", undef, @to) };
		my %pid = map { $_->{pid} => 1 } @{ $ostlerd->pool('web')->{workers} };

		my $kept = $client->(keep => 1);
		like $kept->ask($target->(0))->{body}, qr/^done/, 'it answers on a connection that is kept';
		wait_for(sub { $ostlerd->pool('web')->{busy} == 0 }, 'all to be idle');
		my @busy = map { my $c = $client->(); $c->send($target->(1)); $c } 1 .. 2;
		my $pool = wait_for(sub { my $p = $ostlerd->pool('web'); $p->{busy} == 2 && $p }, 'two busy workers');
		is $pool->{idle}, 1, 'two are busy, one idle';
		like $_->receive->{body}, qr/^done/, 'a slow request has its answer' for @busy;
		sleep 1.6;
		like $kept->ask($target->(0))->{body}, qr/^done/, 'the kept connection, idle for longer than a request may take, still serves';
		is +(grep { $pid{ $_->{pid} } } @{ $ostlerd->pool('web')->{workers} }), 3, 'all workers are the same';
		$kept->close;

		my $stuck = $client->();
		$stuck->send($target->(1000));
		my $event = $ostlerd->wait_for_event({ event => 'stuck' });
		ok delete $pid{ $event->{pid} }, 'a stuck one is found';
		wait_for(sub { !alive($event->{pid}) && $ostlerd->pool('web')->{state} eq 'ready' }, 'another in its place');
		is +(grep { $pid{ $_->{pid} } } @{ $ostlerd->pool('web')->{workers} }), 2, 'the others are the same';
		like $client->()->ask($target->(0))->{body}, qr/^done/, 'and serve';
		is $ostlerd->stop, 0, 'ends with 0';
		is_deeply [ $ostlerd->left ], [], 'and leaves nothing behind';
	};
}

done_testing;
