#!/usr/bin/perl
# edge.t - what nginx is towards the internet: which TLS it speaks, what it lets one address do, and whom it waits for.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IO::Socket::IP;
use JSON::PP ();
use Ostler::App;
use Ostler::Curl;
use Ostler::Process qw(free_port wait_for);
use Test::More;
use Time::HiRes qw(time);

# Rates so low that a few requests are too many; loopback itself is inside, 127.0.0.2 and on are not.
my ($tls_port, $reserved) = free_port();
my $stack = Ostler::App->start(env => { TLS => 1, TLS_PORT => $tls_port, RATE => 5, BURST => 60, SIGNIN_RATE => 1, SIGNIN_BURST => 3,
	UPLOAD_RATE => 1, UPLOAD_BURST => 2, CONNECTIONS => 4 });
my $var = $stack->var;
my $curl = Ostler::Curl->new(url => "https://localhost:$tls_port", trust => "$var/tls/certificate.pem");
my @json = ('Content-Type: application/json');

# Bytes over a connection that comes from ADDRESS.
sub connection_from
{
	my ($address) = @_;
	return IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $stack->port, LocalHost => $address)
	    || die "cannot connect from $address: $@\n";
}

# COUNT times the same request, all written at once; returns each answer's { status, headers, json }.
sub volley
{
	my ($address, $count, $line, $body) = @_;
	my $socket = connection_from($address);
	my $request = "$line HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " . length($body // '') . "\r\n";
	print {$socket} "$request\r\n" . ($body // '') for 2 .. $count;
	print {$socket} "${request}Connection: close\r\n\r\n" . ($body // '');
	$socket->flush;
	my $text = do { local $/; <$socket> } // '';
	my @answers;
	while ($text =~ s{\AHTTP/1\.1 (\d+).*?\r\n(.*?)\r\n\r\n}{}s) {
		my %answer = (status => $1, headers => { map { /^(\S+?): (.*?)\r?\z/ ? (lc $1 => $2) : () } split /\n/, $2 });
		my $length = $answer{headers}{'content-length'} // 0;
		$answer{content} = substr $text, 0, $length, '';
		$answer{json} = eval { JSON::PP::decode_json($answer{content}) };
		push @answers, \%answer;
	}
	return @answers;
}

# Such volleys until one has a request that was refused: a machine that stands still lets tokens grow.
sub refused
{
	my (@what) = @_;
	return wait_for(sub { (grep { $_->{status} == 429 } volley(@what))[0] }, "a 429 for $what[2]", 60);
}

sub refusal_ok
{
	my ($answer, $what) = @_;
	problem_ok($answer, 429, $what);
	is $answer->{headers}{'retry-after'}, 1, 'with Retry-After';
	like $answer->{headers}{'content-security-policy'}, qr/default-src/, 'and the headers of every answer';
}

# What openssl says of a connection with OPTIONS.
sub handshake
{
	my (@options) = @_;
	my ($text) = Ostler::run('/bin/sh', '-c', 'exec openssl s_client -connect "$0" -servername localhost "$@" 2>&1 </dev/null',
	    "127.0.0.1:$tls_port", @options);
	return $text;
}

subtest 'TLS 1.2 and 1.3, with ciphers of today' => sub {
	like handshake("-$_"), qr/Cipher is \w/, $_ for qw(tls1_2 tls1_3);
	# Of itself openssl would not even try.
	like handshake("-$_", '-cipher', 'ALL:@SECLEVEL=0'), qr/alert protocol version/, "$_ is refused" for qw(tls1 tls1_1);
	like handshake('-tls1_2', '-cipher', $_), qr/alert handshake failure/, "$_ is refused"
	    for 'AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-SHA256', 'ECDHE-ECDSA-AES256-SHA', 'aNULL:@SECLEVEL=0';
	like handshake('-CAfile', "$var/tls/certificate.pem", '-verify_hostname', 'localhost', '-verify_return_error'), qr/Verify return code: 0 \(ok\)/,
	    'the certificate is good for our names, by itself';
	my ($xml, $status) = Ostler::run('sslscan', '--no-colour', '--xml=-', "127.0.0.1:$tls_port");
	is $status, 0, 'sslscan has looked';
	my %enabled = $xml =~ /<protocol type="(\S+" version="\S+)" enabled="(\d)"/g;
	is_deeply [ sort map { tr/"//dr } grep { $enabled{$_} } keys %enabled ], [ 'tls version=1.2', 'tls version=1.3' ], 'it finds no other protocol';
	my @ciphers = $xml =~ /<cipher status="\w+" sslversion="\S+" bits="\d+" cipher="(\S+?)"/g;
	cmp_ok @ciphers, '>=', 6, 'several ciphers';
	is_deeply [ grep { !/^(?:ECDHE-ECDSA|TLS)[-_](?:AES\w*|CHACHA20)[-_](?:\w*GCM|POLY1305)[-_]SHA\d+$/ && !/^ECDHE-ECDSA-CHACHA20-POLY1305$/ } @ciphers ], [], 'each with forward secrecy and authenticated';
	like handshake('-tls1_2'), qr/Compression: NONE/, 'no compression';
	like $xml, qr/<renegotiation supported="0"|<renegotiation supported="1" secure="1"/, 'no unsafe renegotiation';
	unlike $xml, qr/vulnerable="1"/, 'nothing that bleeds';
};

subtest 'HTTPS as a browser and as a program speak it' => sub {
	is $curl->ask('/ping', options => ['http2'])->{version}, '2', 'HTTP/2';
	is $curl->ask('/ping', options => ['http1.1'])->{version}, '1.1', 'HTTP/1.1';
	for my $path ('/', '/style.css', '/ping', '/nothing', '/api/me') {
		is $curl->ask($path)->{headers}{'strict-transport-security'}, 'max-age=0', "$path: HSTS, which development takes back";
		is $stack->get($path)->{headers}{'strict-transport-security'}, undef, 'and not without TLS';
	}
	problem_ok($curl->ask('/', headers => ['Host: evil.example']), 421, 'a name that is not ours');
	my $evil = Ostler::Curl->new(%$curl, url => "https://evil.example:$tls_port", options => ["resolve = evil.example:$tls_port:127.0.0.1"]);
	like $evil->ask('/')->{why}, qr/subject name|match/, 'nor does the certificate stand for one';
};

subtest 'a session under TLS' => sub {
	$curl->ask('/api/register', headers => \@json, body => '{"username":"eva","email":"eva@example.org","password":"correct horse battery"}');
	my $login = '{"username":"eva","password":"correct horse battery"}';
	my $ours = "Origin: https://localhost:$tls_port";
	my $set = $curl->ask('/api/login', headers => [ @json, $ours ], body => $login)->{headers}{'set-cookie'} // '';
	like $set, qr/^__Host-sid=[A-Za-z0-9_-]{43}; Path=\/; /, 'the cookie is bound to its host';
	like $set, qr/; $_(?:;|\z)/, $_ for qw(Secure HttpOnly SameSite=Lax);
	unlike $set, qr/Domain/i, 'and to no other';
	my $cookie = 'Cookie: ' . ($set =~ /^([^;]+)/)[0];
	is $curl->ask('/api/me', headers => [$cookie])->{json}{username}, 'eva', 'it counts';
	my $task = sub { $curl->ask('/api/tasks', headers => [ @json, $cookie, @_ ], body => '{"title":"Under TLS"}')->{status} };
	is $task->($ours), 201, 'a page of ours may change something';
	is $task->("Origin: $_"), 403, "one of $_ may not" for "http://localhost:$tls_port", 'https://localhost', 'https://evil.example', 'null';
};

subtest 'who asks too often hears so from nginx' => sub {
	my $login = '{}';    # 422: the application itself counts tries, and this is none
	refusal_ok(refused('127.0.0.2', 100, 'GET /ping'), 'anything');
	refusal_ok(refused('127.0.0.3', 8, 'POST /api/login', $login), 'signing in');
	is $_->{status}, 200, 'all else goes on for them' for volley('127.0.0.3', 1, 'GET /ping');
	refusal_ok(refused('127.0.0.4', 8, 'POST /api/%6Cog%69n', $login), 'signing in, by another spelling');
	refusal_ok(refused('127.0.0.5', 6, 'PUT /api/vendas/arquivos/2025-01', ''), 'uploads');
	is $_->{status}, 200, 'all else goes on for them' for volley('127.0.0.5', 1, 'GET /ping');
	is_deeply [ grep { $_->{status} != 200 } volley('127.0.0.1', 150, 'GET /ping') ], [], 'who is inside is not counted';
	my %refused = map { $_->{request_id} => $_ } grep { $_->{status} == 429 } map { JSON::PP::decode_json($_) } split /\n/, $stack->log_of('access.log');
	is_deeply [ grep { $_->{upstream} ne '' } values %refused ], [], 'the application has heard of none of them';
};

subtest 'who has too much under way at once, too' => sub {
	my $half = "POST /api/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{";
	my (@held, $answer);
	wait_for(sub {
		@held = map { connection_from('127.0.0.6') } 1 .. 4;
		print {$_} $half for @held;
		$_->flush for @held;
		return wait_for(sub { ($answer) = volley('127.0.0.6', 1, 'GET /ping'); $answer->{status} == 429 }, 'a 429', 5);
	}, 'four requests under way', 60);
	refusal_ok($answer, 'a fifth');
	is $_->{status}, 200, 'somebody else is served' for volley('127.0.0.7', 1, 'GET /ping');
	close $_ for @held;
	ok wait_for(sub { (volley('127.0.0.6', 1, 'GET /ping'))[0]{status} == 200 }, 'room again', 30), 'and they are, once the others have ended';
};

subtest 'what is told inside alone' => sub {
	for my $path ('/metrics', '/nginx_status') {
		problem_ok((volley('127.0.0.8', 1, "GET $path"))[0], 403, "$path for somebody outside");
	}
	like $stack->get('/nginx_status')->{content}, qr/^Active connections: \d+/, '/nginx_status inside';
	isnt $stack->get('/metrics')->{status}, 403, '/metrics inside is for the application to answer';
	my ($outside) = volley('127.0.0.8', 1, 'GET /health');
	is_deeply $outside->{json}, { status => 'healthy', instance => undef, checks => undef }, '/health outside is one word';
	is $stack->get('/health')->{json}{checks}{database}{status}, 'healthy', 'and inside all of it';
	($outside) = volley('127.0.0.8', 1, "GET /health HTTP/1.1\r\nInternal: 1\r\nX-Forwarded-For: 127.0.0.1\r\nX-Ignored:");
	is $outside->{json}{checks}, undef, 'whatever somebody says of themselves';
};

# Sends its beginning, then a byte every half second, until nginx has enough; returns its answer and the seconds.
sub drip
{
	my ($beginning) = @_;
	my $socket = connection_from('127.0.0.1');
	local $SIG{PIPE} = 'IGNORE';
	my ($began, $answer) = (time, '');
	print {$socket} $beginning;
	$socket->flush;
	while (time - $began < 90) {
		my $readable = '';
		vec($readable, fileno $socket, 1) = 1;
		if (select $readable, undef, undef, 0.5) {
			last unless sysread $socket, $answer, 4096, length $answer;
		} elsif ($beginning =~ /^GET/) {
			last unless syswrite $socket, 'x';
		}
	}
	return { answer => $answer, seconds => time - $began };
}

# Clients that are slow on purpose, 200 at a time, each way for so many seconds.
sub slow_clients
{
	my ($seconds) = @_;
	my @common = ('-c', 200, '-r', 200, '-l', $seconds, '-i', 1, '-p', 5);
	my $plain = $stack->url;
	my %way = (header => [ '-H', '-u', "$plain/ping" ], body => [ '-B', '-u', "$plain/api/tasks" ],
		read => [ '-X', '-w', 1, '-y', 2, '-n', 1, '-z', 1, '-k', 5, '-u', "$plain/openapi.json" ]);
	return map {
		my @words = @{ $way{$_} };
		my $pid = fork // die "cannot fork: $!";
		if ($pid == 0) {
			open STDOUT, '>', "$var/../slow-$_.log";
			open STDERR, '>&', \*STDOUT;
			{ exec 'slowhttptest', @words, @common }
			POSIX::_exit(127);
		}
		$_ => $pid;
	} sort keys %way;
}

subtest 'slow clients are cut off, and nobody waits for them' => sub {
	my %slow = slow_clients(12);
	my ($header, $body, $normal) = $stack->in_processes(
		sub { drip("GET /ping HTTP/1.1\r\nHost: localhost\r\nX-Slow: ") },
		sub { drip("POST /api/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{") },
		sub {
			my ($until, @fates) = time + 12;
			while (time < $until || @fates < 30) {
				my $began = time;
				my $reply = $stack->get((qw(/ /ping /openapi.json))[ @fates % 3 ]);
				push @fates, [ $reply->{status}, time - $began ];
			}
			return \@fates;
		});
	waitpid $_, 0 for values %slow;
	for my $way (sort keys %slow) {
		open my $in, '<', "$var/../slow-$way.log" or die $!;
		my $said = do { local $/; <$in> };
		$said =~ s/\e\[[\d;]*[A-Za-z]//g;
		my ($most) = sort { $b <=> $a } $said =~ /^connected: +(\d+)/mg;
		ok $most && $said =~ /Exit status: *(Hit test time limit|No open connections left)/, "slow $way: " . ($most // 'no') . ' connections' or diag $said;
	}
	is $header->{answer}, '', 'a header that does not end has no answer';
	cmp_ok $header->{seconds}, '<', 90, "is cut off, after $header->{seconds} s";
	like $body->{answer}, qr/^HTTP\/1.1 408 |^\z/, 'a body that does not come is given up';
	cmp_ok $body->{seconds}, '<', 90, "after $body->{seconds} s";
	is_deeply [ grep { $_->[0] != 200 } @$normal ], [], 'meanwhile everybody else is served';
	my @seconds = sort { $a <=> $b } map { $_->[1] } @$normal;
	note sprintf 'of %d requests meanwhile: p50 %.1f ms, p99 %.1f ms, the slowest %.1f ms', scalar @seconds,
	    map { 1000 * $seconds[ $_ * $#seconds ] } 0.5, 0.99, 1;
};

subtest 'a certificate is made once' => sub {
	my $read = sub { open my $in, '<', "$var/tls/certificate.pem" or die $!; local $/; return scalar <$in> };
	my $before = $read->();
	is sprintf('%o', (stat "$var/tls/key.pem")[2] & 07777), '600', 'its key is for nobody else';
	$stack->halt;
	$stack->launch;
	is $read->(), $before, 'another start takes it again';
};

subtest 'plain HTTP may be but a way to TLS' => sub {
	my ($to, $kept) = free_port();
	my $only = Ostler->render(env => { TLS => 'only', TLS_PORT => $to });
	my ($said, $status) = Ostler::run('/bin/sh', '-c', 'exec nginx -t -c "$0" 2>&1', $only->var . '/etc/nginx/nginx.conf');
	is $status, 0, 'nginx takes what is written then' or diag $said;
	open my $in, '<', $only->var . '/etc/nginx/redirect.conf' or die $!;
	like do { local $/; <$in> }, qr/listen 127\.0\.0\.1:${\ $only->port};.*https:\/\/\$host:$to\$request_uri/s, 'which leads there';
	$only->stop;
};

$stack->stop;
done_testing;
