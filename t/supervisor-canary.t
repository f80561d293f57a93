#!/usr/bin/perl
# supervisor-canary.t - a new generation must answer a request before it serves.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::FastCgi;
use Ostler::Load;
use Ostler::Process qw(wait_for alive);
use Ostler::Programs;
use Ostler::Supervisor;
use Test::More;
use Time::HiRes qw(time sleep);

my $echo = Ostler::Programs::compile('echo', '-lfcgi');

sub echo_pool
{
	my (%more) = @_;
	return { kind => 'fastcgi', listen => 'unix:%D/sock/web', command => [$echo], workers => \2, canary => '/health?deep=1',
	    ready_interval => '10ms', backoff_first => '20ms', stop_timeout => '500ms', %more };
}

sub at { my ($ostlerd) = @_; return 'unix:' . $ostlerd->folder . '/sock/web' }
sub ask { my ($ostlerd, @request) = @_; return Ostler::FastCgi->new(at($ostlerd))->ask(@request) }
sub pids { my ($ostlerd) = @_; return [ map { $_->{pid} } grep { $_->{state} eq 'ready' } @{ $ostlerd->pool('web')->{workers} } ] }

sub started
{
	my ($pool) = @_;
	my $ostlerd = Ostler::Supervisor->new(pools => { web => $pool });
	return $ostlerd->start->wait_until_ready;
}

sub reload
{
	my ($ostlerd, %settings) = @_;
	$ostlerd->{options}{pools}{web} = { %{ $ostlerd->{options}{pools}{web} }, %settings };
	$ostlerd->write_conf;
	return $ostlerd->ctl('reload', '--wait');
}

subtest 'at the start and at each reload, one request for each worker' => sub {
	my $ostlerd = started(echo_pool());
	is $ostlerd->story(pool => 'web', slot => 1), 'spawn canary ready', 'it counts as ready when it is answered';
	my ($canary) = $ostlerd->events(event => 'canary');
	like $canary->{text}, qr{^GET /health\?deep=1: 200 after \d+\.\d ms$}, 'the event says what was asked and answered';
	my ($status, undef, $complaints) = reload($ostlerd, environment => ['X=1']);
	is $status, 0, 'the reload is done' or diag $complaints;
	my @story = map { $_->{event} } $ostlerd->events(pool => 'web', generation => 2);
	is_deeply [ sort @story[ 1 .. 6 ] ], [qw(canary canary ready ready spawn spawn)], 'so it is in the next generation';
	is +(grep { $story[$_] eq 'generation_switch' } 0 .. $#story)[0] > 6, 1, 'before it takes over';
	my ($pid) = @{ pids($ostlerd) };
	kill 'KILL', $pid;
	$ostlerd->wait_for_event({ pool => 'web', event => 'ready' }, 5);
	is scalar($ostlerd->events(event => 'canary')), 4, 'a worker that dies later is replaced without';
	is $ostlerd->stop, 0, 'ends with 0';
};

for my $case (
	[ die => qr/^web \d: was ended by signal 6 \(Aborted\)$/m, qr/^web \d: \| the request is beyond me$/m ],
	[ hang => qr{^web \d: did not answer in time to GET /health\?deep=1$}m, qr/^web \d: \| the request is beyond me$/m ],
	[ error => qr{^web \d: answered 500 to GET /health\?deep=1$}m, qr/^web \d: \| the request is beyond me$/m, qr/^web \d: \| the table is gone$/m ],
	[ silence => qr{^web \d: answered nothing to GET /health\?deep=1$}m, qr/^web \d: \| the request is beyond me$/m ],
) {
	my ($how, @patterns) = @$case;
	subtest "a new generation that fails at its first request ($how): the old one goes on" => sub {
		my $ostlerd = started(echo_pool());
		my $pids = pids($ostlerd);
		my $load = Ostler::Load->start(at($ostlerd), clients => 2, pause => 0.001);
		my $began = time;
		my ($status, undef, $complaints) = reload($ostlerd, environment => ["BROKEN=$how"], canary_timeout => '500ms');
		is $status, 1, 'exit status 1';
		cmp_ok time - $began, '<', 15, 'soon';
		like $complaints, $_, 'it says why' for @patterns;
		is_deeply pids($ostlerd), $pids, 'the same processes serve';
		my $sum = $load->stop;
		is $sum->{lost}, 0, "no request of $sum->{done} is lost" or diag join "\n", @{ $sum->{why} };
		is_deeply [ keys %{ $sum->{seen} } ], [1], 'no other generation has answered';
		$ostlerd->wait_for_event({ event => 'generation_end' });
		is_deeply [ map { s{.*/}{}r } glob $ostlerd->folder . '/sock/*' ], [ 'web', 'web.lock' ], 'no socket is left of it';
		($status) = reload($ostlerd, environment => ['X=1']);
		is $status, 0, 'once mended, it is reloaded';
		is ask($ostlerd, 'GET', '/echo')->{headers}{'x-generation'}, 3, 'and answers';
		is $ostlerd->stop, 0, 'ends with 0';
	};
}

subtest 'at the start it is tried again and again' => sub {
	my $ostlerd = Ostler::Supervisor->new(pools => { web => echo_pool(environment => ['BROKEN=error']) });
	$ostlerd->start;
	wait_for(sub { -S $ostlerd->socket }, 'the control socket');
	my $failed = $ostlerd->wait_for_event({ event => 'canary_failed' }, 4);
	is $failed->{text}, 'answered 500 to GET /health?deep=1', 'the event says why';
	is $ostlerd->pool('web')->{state}, 'failing', 'the pool is failing';
	my ($exit) = $ostlerd->events(event => 'exit');
	like $exit->{text}, qr/^answered 500 to GET/, 'so does the exit';
	my ($status) = reload($ostlerd, environment => ['X=1']);
	is $status, 0, 'a reload mends it';
	is $ostlerd->pool('web')->{state}, 'ready', 'it serves';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'which answers are good is a setting' => sub {
	my $ostlerd = started(echo_pool(environment => ['BROKEN=error'], canary_status => '500', workers => \1));
	my ($canary) = $ostlerd->events(event => 'canary');
	like $canary->{text}, qr/: 500 after/, 'a 500 that is wanted is good';
	my ($status, undef, $complaints) = reload($ostlerd, environment => ['X=1']);
	is $status, 1, 'then anything else is not';
	like $complaints, qr/answered 200 to GET/, 'which is said';
	is $ostlerd->stop, 0, 'ends with 0';
};

subtest 'while it is waited for, ostlerd does its other business' => sub {
	my $ostlerd = started(echo_pool());
	$ostlerd->{options}{pools}{web} = echo_pool(environment => ['BROKEN=hang'], canary_timeout => '60s');
	$ostlerd->write_conf;
	kill 'HUP', $ostlerd->pid;
	wait_for(sub { $ostlerd->events(pool => 'web', event => 'spawn', generation => 2) == 2 }, 'the next generation');
	my $began = time;
	is $ostlerd->status->{state}, 'running', 'the status is told';
	cmp_ok time - $began, '<', 5, 'at once';
	is scalar($ostlerd->events(event => 'ready', generation => 2)), 0, 'none of its workers counts as ready';
	is ask($ostlerd, 'POST', '/echo', 'x')->{body}, 'x', 'the old one answers';
	is $ostlerd->stop, 0, 'ends with 0';
	is_deeply [ $ostlerd->left ], [], 'nothing is left';
};

for my $foreign (
	[ 'php-cgi', [ '/usr/bin/php-cgi' ], canary_params => ['SCRIPT_FILENAME=%D/app.php'], environment => [ 'PHP_FCGI_MAX_REQUESTS=0' ],
	    file => 'app.php', good => '<?php echo $_SERVER["QUERY_STRING"];', bad => '<?php no_such_function();', why => qr/answered 500.*PHP Fatal error/s ],
	[ 'perl FCGI', [ $^X, '%D/app.pl' ], file => 'app.pl',
	    good => 'use FCGI; my $r = FCGI::Request(); while ($r->Accept >= 0) { print "Content-Type: text/plain\r\n\r\nhello" }',
	    bad => 'use FCGI; my $r = FCGI::Request(); while ($r->Accept >= 0) { die "no tea\n" }', why => qr/(?:answered nothing|ended with status \d+).*\| no tea/s ],
	[ 'fcgiwrap', [ '/usr/sbin/fcgiwrap' ], canary_params => ['SCRIPT_FILENAME=%D/app.cgi'], file => 'app.cgi',
	    good => "#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\nhello'\n", bad => "#!/bin/sh\nprintf 'Status: 503\\r\\n\\r\\n'\n", why => qr/answered 503/ ],
) {
	my ($name, $command, %case) = @$foreign;
	subtest "$name, which knows nothing of it" => sub {
		plan skip_all => "$command->[0] is not installed" if !-x $command->[0];
		my %settings = map { $_ => $case{$_} } grep { $case{$_} } qw(canary_params environment);
		my $ostlerd = Ostler::Supervisor->new(pools => { web => echo_pool(command => $command, %settings) });
		my $put = sub {
			my $path = $ostlerd->folder . "/$case{file}";
			open my $out, '>', $path or die "$path: $!";
			print {$out} $_[0];
			close $out;
			chmod 0755, $path;
		};
		$put->($case{good});
		$ostlerd->start->wait_until_ready;
		my $pids = pids($ostlerd);
		is scalar($ostlerd->events(event => 'canary')), 2, 'each worker was asked for';
		$put->($case{bad});
		my ($status, undef, $complaints) = $ostlerd->ctl('reload', 'web', '--wait');
		is $status, 1, 'a bad one fails the reload';
		like $complaints, $case{why}, 'it says why';
		is_deeply pids($ostlerd), $pids, 'the same processes serve';
		$put->($case{good});
		($status, undef, $complaints) = $ostlerd->ctl('reload', 'web', '--wait=drained');
		is $status, 0, 'a good one takes over' or diag $complaints;
		is $ostlerd->stop, 0, 'ends with 0';
		is_deeply [ $ostlerd->left ], [], 'nothing is left';
	};
}

for my $wrong (
	[ { canary => 'health' }, qr/canary must begin with a slash, not "health"/ ],
	[ { canary => '/a b' }, qr/canary cannot have a blank/ ],
	[ { canary_status => '99' }, qr/canary_status must be a status or a range of them, as "200" or "200-399", not "99"/ ],
	[ { canary_status => '500-200' }, qr/not "500-200"/ ],
	[ { canary_status => '200-' }, qr/not "200-"/ ],
	[ { canary_status => 'ok' }, qr/not "ok"/ ],
	[ { canary_params => ['=x'] }, qr/canary_params: "=x" is not NAME=value/ ],
	[ { canary_timeout => '0s' }, qr/canary_timeout/ ],
	[ { listen => 'tcp:127.0.0.1:9' }, qr/canary needs a unix socket: at tcp:127\.0\.0\.1:9/ ],
	[ { kind => 'worker', listen => undef }, qr/canary is for a fastcgi pool; a worker has no socket/ ],
) {
	my ($settings, $pattern) = @$wrong;
	my $pool = echo_pool(%$settings);
	delete $pool->{$_} for grep { !defined $pool->{$_} } keys %$pool;
	my ($status, undef, $complaints) = Ostler::Supervisor->new(pools => { web => $pool })->check;
	is $status, 2, "refused: $pattern";
	like $complaints, qr/^\S+ostler\.conf:\d+: .*$pattern/m, 'with its line';
}

done_testing;
