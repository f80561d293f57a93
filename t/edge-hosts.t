#!/usr/bin/perl
# edge-hosts.t - stack/edge before three hosts over TCP: one is killed, the certificate is replaced, and nobody loses anything.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Path qw(make_path);
use JSON::PP ();
use Ostler::App;
use Ostler::Curl;
use Ostler::Process qw(free_port wait_for processes_using);
use Ostler::Supervisor;
use Test::More;

my $root = Ostler::root();
my $build = Ostler::build();
my %quotas = map { ("limit_$_" => 100_000_000) } qw(read write expensive probe);
my $stack = Ostler::App->start(app => \%quotas, env => { WORKERS => 1, JOBS => 1 });
my $edge = "$stack->{folder}/edge";
my @ports = map { [ free_port() ] } 1 .. 5;    # and what reserves each
my ($plain_port, $tls_port, @web_ports) = map { $_->[0] } @ports;
my %edge = (VAR => $edge, LISTEN => '127.0.0.1', PORT => $plain_port, TLS_PORT => $tls_port, HOSTS => 'localhost',
	UPSTREAMS => join(' ', map { "127.0.0.1:$_" } @web_ports), CERTIFICATE => "$stack->{folder}/tls.pem", CERTIFICATE_KEY => "$stack->{folder}/tls.key",
	TRUSTED_PROXIES => '127.0.0.2', INTERNAL => '', RATE => 1_000_000, CONNECTIONS => 1000);
my @json = ('Content-Type: application/json', 'Cookie: __Host-' . $stack->cookie('user'));

# Runs stack/edge with more or other values; returns what it says and its exit status.
sub edge
{
	my ($words, %more) = @_;
	local @ENV{ keys %edge } = values %edge;
	local @ENV{ keys %more } = values %more;
	return Ostler::run('/bin/sh', '-c', "exec '$root/stack/edge' $words 2>&1 </dev/null");
}

# A certificate for localhost; returns its file, beside which is that of its key.
my $made = 0;
sub make_certificate
{
	my $file = "$stack->{folder}/tls-" . ++$made . '.pem';
	my ($said, $status) = Ostler::run('/bin/sh', '-c', 'exec openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 2 -subj /CN=localhost'
	    . ' -addext subjectAltName=DNS:localhost -keyout "$0.key" -out "$0" 2>&1', $file);
	die "openssl has made no certificate: $said" if $status != 0;
	return $file;
}

# Puts it where the edge has its own.
sub put_certificate
{
	my ($file) = @_;
	for my $pair ([ $file, $edge{CERTIFICATE} ], [ "$file.key", $edge{CERTIFICATE_KEY} ]) {
		system('cp', $pair->[0], "$pair->[1].new") == 0 && rename "$pair->[1].new", $pair->[1] or die "cannot write $pair->[1]";
	}
	return $file;
}

# The hosts: an ostlerd each, with a pool "web" that listens on TCP, on the data of the one stack.
sub host
{
	my ($port) = @_;
	my %as = $> == 0 ? (user => 'ostler', group => 'ostler') : ();
	my $host = Ostler::Supervisor->new(pools => { web => { kind => 'fastcgi', command => [ "$build/ostler-app", '-c', $stack->var . '/etc/ostler-app.conf', 'web' ],
		listen => "tcp:127.0.0.1:$port", ready => 'notify', workers => \1, output => '%D/log/web', output_direct => \'true', %as } });
	return $host->start;
}

# It is gone from one moment to the next, as by a power cut.
sub kill_host
{
	my ($host) = @_;
	my @all = ($host->pid, map { $_->{pid} // () } @{ $host->pool('web')->{workers} });
	kill 'KILL', @all;
	wait_for(sub { $host->has_ended && !processes_using($host->folder) }, 'the host to be gone', 30);
}

subtest 'what cannot work is refused, by name' => sub {
	put_certificate(make_certificate());
	for my $case ([ { HOSTS => '' }, qr/HOSTS must name/ ], [ { UPSTREAMS => '' }, qr/UPSTREAMS must name/ ], [ { UPSTREAMS => 'a;b' }, qr/UPSTREAMS holds/ ],
		[ { PORT => '80x' }, qr/PORT must be/ ], [ { TLS_PORT => 70000 }, qr/TLS_PORT must be/ ], [ { CERTIFICATE => '/nothing/here' }, qr{cannot read /nothing/here} ],
		[ { CERTIFICATE_KEY => '' }, qr/must both be absolute paths/ ], [ { RATE => 0 }, qr/RATE must be/ ], [ { TRUSTED_PROXIES => '1.2.3.4; x' }, qr/TRUSTED_PROXIES and INTERNAL hold/ ],
		[ { HSTS => 'long' }, qr/HSTS must be/ ]) {
		my ($said, $status) = edge('-t', %{ $case->[0] });
		like $said, $case->[1], join ' ', %{ $case->[0] };
		is $status, 1, 'exit status 1';
	}
	my ($said, $status) = edge('-t');
	is $status, 0, 'and what can is fine' or diag $said;
	($said, $status) = edge('--help');
	is $status, 2, 'an unknown word is told how it is used';
};

my @hosts = map { host($_) } @web_ports;
$_->wait_until_ready for @hosts;
my $nginx = fork // die "cannot fork: $!";
if ($nginx == 0) {
	@ENV{ keys %edge } = values %edge;
	open STDOUT, '>>', "$stack->{folder}/edge.log";
	open STDERR, '>&', \*STDOUT;
	{ exec 'setpriv', '--pdeathsig', 'TERM', "$root/stack/edge" }
	POSIX::_exit(127);
}
my $curl = Ostler::Curl->new(url => "https://localhost:$tls_port", trust => "$stack->{folder}/tls-1.pem");
my $http = Ostler::Http->new(host => 'localhost', port => $plain_port);
wait_for(sub { $curl->ask('/ready')->{status} == 200 }, 'the edge to answer', 60);

sub access { return map { JSON::PP::decode_json($_) } split /\n/, Ostler::Supervisor::slurp("$edge/log/access.log") }

sub access_since { my ($lines) = @_; my @all = access(); return @all[ $lines .. $#all ] }

# The line of the access log with that id.
sub line_of
{
	my ($id) = @_;
	return wait_for(sub { (grep { $_->{request_id} eq $id } access())[0] }, "the line of $id in the access log", 30);
}

subtest 'plain HTTP is for ACME, and leads to TLS' => sub {
	my $reply = $http->get('/api/tasks?limit=5');
	is $reply->{status}, 308, 'a page is elsewhere';
	is $reply->{headers}{location}, "https://localhost:$tls_port/api/tasks?limit=5", 'by TLS';
	is $http->request(POST => '/api/login', json => {})->{status}, 308, 'a POST keeps its method';
	is $reply->{headers}{'strict-transport-security'}, undef, 'HSTS is not said here';
	is $curl->ask($_)->{headers}{'strict-transport-security'}, 'max-age=63072000', "but there: $_" for '/', '/ready', '/nothing';
	make_path "$edge/acme/.well-known/acme-challenge";
	open my $out, '>', "$edge/acme/.well-known/acme-challenge/a-token_1" or die $!;
	print {$out} 'a-token_1.thumbprint';
	close $out;
	$reply = $http->get('/.well-known/acme-challenge/a-token_1');
	is $reply->{status}, 200, 'a challenge';
	is $reply->{content}, 'a-token_1.thumbprint', 'is answered from the folder';
	is $http->get('/.well-known/acme-challenge/another')->{status}, 404, 'another is not there';
	is +Ostler::Http->new(port => $plain_port)->get('/')->{status}, 421, 'who asks for a foreign name is led nowhere';
};

subtest 'for whom a request is made' => sub {
	my $remote = sub {
		my ($from, $id) = @_;
		$curl->ask('/ping', headers => [ "X-Request-Id: $id", 'X-Forwarded-For: 198.51.100.7, 203.0.113.9' ], options => ["interface = $from"]);
		return line_of($id)->{remote};
	};
	is $remote->('127.0.0.2', 'by-a-proxy'), '203.0.113.9', 'the proxy that is trusted is believed';
	is $remote->('127.0.0.1', 'forged'), '127.0.0.1', 'nobody else is, not even loopback';
	is $curl->ask($_)->{status}, 403, "$_ is for nobody, if INTERNAL is nobody" for '/nginx_status', '/metrics';
};

subtest 'a line of the access log' => sub {
	$curl->ask('/api/tasks', headers => [ @json, 'X-Request-Id: whole', 'traceparent: 00-' . 'ab' x 16 . '-' . 'cd' x 8 . '-01' ]);
	my $line = line_of('whole');
	is $line->{trace_id}, 'ab' x 16, 'trace';
	is_deeply [ @$line{qw(status uri protocol tls method)} ], [ 200, '/api/tasks', 'HTTP/2.0', 'TLSv1.3', 'GET' ], 'what was asked, and how';
	like $line->{upstream}, qr/^127\.0\.0\.1:\d+$/, 'which host';
	like $line->{$_}, qr/^\d+\.\d{3}$/, $_ for qw(upstream_connect_time upstream_header_time upstream_time);
	like $line->{cache_status}, qr/^ostler; /i, 'cache';
	my %hosts = map { $_->{upstream} => 1 } access(), do { $curl->ask('/ping') for 1 .. 6; wait_for(sub { access() >= 12 }, 'their lines', 30); access() };
	is_deeply [ sort grep { length } keys %hosts ], [ sort map { "127.0.0.1:$_" } @web_ports ], 'all three are asked in turn';
};

# Clients that read: over kept connections of HTTP/1.1 and of HTTP/2, and over a new one each time.  When
# nginx leaves a connection, whoever is just about to ask on it has to ask anew, as every browser does; of
# itself this curl does only where the connection was of HTTP/1.1, hence http2 => [ options ].
sub readers
{
	my (%more) = @_;
	my @http2 = ('http2', @{ delete $more{http2} // [] });
	my @requests = map { { path => (qw(/ping /ready /api/tasks?limit=3 /))[ $_ % 4 ], headers => \@json } } 1 .. 20_000;
	return map { Ostler::Curl->new(%$curl, %more, options => $_)->load(@requests) }
	    ['http1.1'], \@http2, [ 'http1.1', 'header = "Connection: close"' ];
}

# Ends them; how many of their requests have failed in which way.
sub failures
{
	my (@readers) = @_;
	my %count = (map({ $_->stop } @readers));
	delete $count{200};
	return %count;
}

subtest 'one of three hosts is killed' => sub {
	my @readers = readers();
	my @writers = map { my $w = $_; $curl->load(map { { path => '/api/tasks', headers => \@json, body => qq({"title":"writer-$w-$_"}) } } 1 .. 10_000) } 1 .. 2;
	$_->wait_for(40) for @readers, @writers;
	kill_host($hosts[0]);
	$_->wait_for(80) for @readers, @writers;
	is_deeply { failures(@readers) }, {}, 'no GET has failed';
	my %sent;
	for my $w (1 .. 2) {
		$writers[ $w - 1 ]->stop;
		my @fates = $writers[ $w - 1 ]->fates;
		$sent{ "writer-$w-" . ($_ + 1) } = $fates[$_]{status} for 0 .. $#fates;
	}
	my %rows = map { split /\|/ } split /\n/, $stack->psql("SELECT title, count(*) FROM tasks WHERE title LIKE 'writer-%' GROUP BY title");
	is_deeply [ grep { $rows{$_} > 1 } keys %rows ], [], 'no POST was run twice';
	is_deeply [ grep { $sent{$_} == 201 && !$rows{$_} } keys %sent ], [], 'each that was acknowledged is there';
	is_deeply [ grep { $sent{$_} != 201 && $sent{$_} != 502 } keys %sent ], [], 'one that was just there is told so (502), and any other is written';
	my $lost = grep { $_ == 502 } values %sent;
	note sprintf '%d POSTs, of which %d were answered 502', scalar keys %sent, $lost;
	is $curl->ask('/ready')->{status}, 200, 'and the others go on' for 1 .. 4;
};

# Until nginx asks it once more, up to 30 s may pass.
$hosts[0] = host($web_ports[0]);
$hosts[0]->wait_until_ready;

# What openssl sees of the certificate that is served.
sub served
{
	my ($text) = Ostler::run('/bin/sh', '-c', 'openssl s_client -connect "$0" -servername localhost 2>/dev/null </dev/null | openssl x509 -noout -fingerprint -sha256 2>/dev/null', "127.0.0.1:$tls_port");
	return $text;
}

subtest 'a certificate is replaced' => sub {
	my ($before, $lines) = (served(), scalar(() = access()));
	my $copies = "$stack->{folder}/tls-1.pem";
	my $new = make_certificate();
	system("cat '$copies' '$new' >'$stack->{folder}/both.pem'") == 0 or die 'cannot write down both';
	my @readers = readers(trust => "$stack->{folder}/both.pem", http2 => [ 'retry = 3', 'retry-all-errors' ]);
	$_->wait_for(20) for @readers;
	put_certificate($new);
	kill 'HUP', $nginx;
	wait_for(sub { my $now = served(); $now && $now ne $before }, 'the new certificate', 60);
	$_->wait_for(40) for @readers;
	is_deeply { failures(@readers) }, {}, 'no request has failed';
	is_deeply [ map { "$_->{status} $_->{uri}" } grep { $_->{method} eq 'GET' && $_->{status} >= 500 } access_since($lines) ], [], 'nor was one answered with a 5xx';
	$curl = Ostler::Curl->new(%$curl, trust => $new);
	is $curl->ask('/ping')->{status}, 200, 'who trusts the new one is served';
	my $good = served();
	open my $out, '>', $edge{CERTIFICATE} or die $!;
	print {$out} "no certificate\n";
	close $out;
	kill 'HUP', $nginx;
	ok wait_for(sub { Ostler::Supervisor::slurp("$edge/log/error.log") =~ /cannot load certificate/ }, 'nginx to complain', 30), 'one that is none is complained of';
	is served(), $good, 'and nginx goes on with the one before';
};

subtest 'the host comes back' => sub {
	ok wait_for(sub { $curl->ask('/ping'); grep { $_->{upstream} eq "127.0.0.1:$web_ports[0]" && $_->{status} == 200 } (access())[ -5 .. -1 ] }, 'it to be asked', 120), 'and is asked again, within 30 s';
};

kill 'QUIT', $nginx;
waitpid $nginx, 0;
is $? >> 8, 0, 'the edge ends in order';
is $_->stop, 0, 'and so does a host' for @hosts;
$stack->stop;
done_testing;
