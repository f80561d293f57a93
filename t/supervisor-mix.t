#!/usr/bin/perl
# supervisor-mix.t - one ostlerd runs php-cgi, perl's FCGI, fcgiwrap, libfcgi and a plain worker, all at once.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::Load;
use Ostler::Process qw(wait_for free_port);
use Ostler::Programs;
use Ostler::Supervisor;
use Test::More;

my $perl = <<'PERL';
use FCGI;
my %env;
my $request = FCGI::Request(\*STDIN, \*STDOUT, \*STDERR, \%env, 0, FCGI::FAIL_ACCEPT_ON_INTR());
while ($request->Accept >= 0) {
	read STDIN, my $body, $env{CONTENT_LENGTH} // 0;
	print "Content-Type: text/plain\r\n\r\n$body";
}
PERL
my %script = ('echo.php' => '<?php echo file_get_contents("php://input");', 'echo.cgi' => "#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n'\nexec cat\n");
my ($port, $reservation) = free_port();
my %fastcgi = (kind => 'fastcgi', workers => \2, ready_interval => '10ms', backoff_first => '20ms');
my $ostlerd = Ostler::Supervisor->new(pools => {
	php => { %fastcgi, listen => 'unix:%D/sock/php', command => ['php-cgi'], environment => ['PHP_FCGI_MAX_REQUESTS=50'] },
	perl => { %fastcgi, listen => "tcp:127.0.0.1:$port", command => [ $^X, '-e', $perl ] },
	cgi => { %fastcgi, listen => 'unix:%D/sock/cgi', command => [ 'fcgiwrap', '-c', '1' ] },
	c => { %fastcgi, listen => 'unix:%D/sock/c', command => [ Ostler::Programs::compile('echo', '-lfcgi') ] },
	jobs => { kind => 'worker', workers => \2, output => '%D/log/jobs', command => [ '/bin/sh', '-c', 'readlink /proc/$$/fd/0; exec sleep 1000' ] } });
for my $name (keys %script) {
	open my $out, '>', $ostlerd->folder . "/$name" or die "$name: $!";
	print {$out} $script{$name};
	close $out;
	chmod 0755, $ostlerd->folder . "/$name";
}
my @pools = sort keys %{ $ostlerd->{options}{pools} };
my @served = grep { $_ ne 'jobs' } @pools;
my %address = (perl => "tcp:127.0.0.1:$port", map { $_ => $ostlerd->at($_) } qw(php cgi c));
my %params = (php => { SCRIPT_FILENAME => $ostlerd->folder . '/echo.php', REDIRECT_STATUS => 200 }, cgi => { SCRIPT_FILENAME => $ostlerd->folder . '/echo.cgi' });

sub pids { my ($pool) = @_; return map { $_->{pid} // () } @{ $ostlerd->pool($pool)->{workers} } }
sub begin_load { return map { $_ => Ostler::Load->start($address{$_}, clients => 6, upload => 0.01, params => $params{$_}) } @served }
sub end_load
{
	my (%load) = @_;
	for my $pool (@served) {
		my $sum = $load{$pool}->stop;
		is $sum->{lost}, 0, "$pool: no request of $sum->{done} is lost" or diag join "\n", @{ $sum->{why} };
	}
}

$ostlerd->start->wait_until_ready;
is $ostlerd->pool($_)->{state}, 'ready', "$_ has started" for @pools;
wait_for(sub { $ostlerd->log_of('jobs') =~ m{/dev/null} }, 'the plain worker to look');
like $ostlerd->log_of('jobs'), qr{^(?:/dev/null\n)+$}, 'what has no socket reads from /dev/null';

subtest 'all are reloaded' => sub {
	my %load = begin_load();
	for my $n (1 .. 3) {
		my %before = map { $_ => 1 } map { pids($_) } @pools;
		push @{ $ostlerd->{options}{pools}{$_}{environment} }, "N$n=$n" for @pools;
		$ostlerd->write_conf;
		my ($status, undef, $complaint) = $ostlerd->ctl('reload', '--wait=drained');
		is $status, 0, 'and all processes are new' or diag $complaint;
		is scalar(grep { $before{$_} } map { pids($_) } @pools), 0, 'not one of the old is left';
	}
	end_load(%load);
};

subtest 'one worker of each is killed' => sub {
	my %killed = map { $_ => (pids($_))[0] } @pools;
	kill 'KILL', values %killed;
	for my $pool (@pools) {
		my $exit = $ostlerd->wait_for_event({ pool => $pool, event => 'exit', pid => $killed{$pool} });
		is $exit->{signal}, 9, "$pool: its end is written down";
	}
	wait_for(sub { !grep { $ostlerd->pool($_)->{state} ne 'ready' } @pools }, 'all to be replaced');
	is $ostlerd->pool($_)->{workers}[1]{restarts}, 0, "$_: the other has not noticed" for grep { $_ ne 'php' } @pools;
};

subtest 'all are drained, and resumed' => sub {
	my $killed = () = $ostlerd->events(event => 'kill');
	for my $pool (@served) {
		is +($ostlerd->ctl('drain', $pool))[0], 0, "$pool is drained";
		wait_for(sub { $ostlerd->pool($pool)->{state} eq 'drained' }, "$pool to be drained");
		is +(Ostler::FastCgi->new($address{$pool})->ask(GET => '/')), undef, 'and takes nothing';
		is +($ostlerd->ctl('resume', $pool, '--wait'))[0], 0, "$pool is resumed";
		is +(Ostler::FastCgi->new($address{$pool})->ask(POST => '/', 'x', %{ $params{$pool} // {} }) // {})->{body}, 'x', 'and answers';
	}
	is scalar(() = $ostlerd->events(event => 'kill')), $killed, 'nobody was killed';
};

subtest 'all are stopped in the middle of requests' => sub {
	my %request = map { $_ => Ostler::FastCgi->new($address{$_})->begin(POST => '/', 8, %{ $params{$_} // {} }) } @served;
	$_->more('half') for values %request;
	wait_for(sub { !grep { $ostlerd->pool($_)->{queue} } @served }, 'all to be taken');
	kill 'TERM', $ostlerd->pid;
	wait_for(sub { $ostlerd->status->{state} eq 'stopping' }, 'it to stop');
	for my $pool (@served) {
		$request{$pool}->more('half');
		is $request{$pool}->finish->{body}, 'halfhalf', "$pool finishes what it has";
	}
	is $ostlerd->wait_for_end(60), 0, 'ends with 0';
	is_deeply [ $ostlerd->left ], [], 'and leaves nothing behind';
	is_deeply [ glob $ostlerd->folder . '/sock/*' ], [], 'no socket either';
};

done_testing;
