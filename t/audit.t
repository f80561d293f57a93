#!/usr/bin/perl
# audit.t - what was done and refused is on record, for admins; nobody can change it or flood it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::App;
use Test::More;

my $stack = Ostler::App->start(app => { audit_window => '1s' });
my $workers = $stack->workers;
my $time = qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z\z/;

# The items of the audit that QUERY asks for.
sub audited
{
	my ($query) = @_;
	my $reply = $stack->get("/api/audit?$query", as => 'admin');
	is $reply->{status}, 200, "the audit is read: $query" or diag $reply->{content};
	return @{ $reply->{json}{items} // [] };
}

# A change with a cookie that a page of ORIGIN asks for.
sub from_elsewhere
{
	my ($origin) = @_;
	return $stack->post('/api/tasks', json => { title => 'x' }, headers => { cookie => 'x=y', origin => $origin });
}

subtest 'a refusal is on record when its answer is there' => sub {
	problem_ok from_elsewhere('https://evil.example'), 403, 'a page of another site';
	my ($line) = audited('kind=cross_site_refused');
	is $line->{subject}, 'POST /api/tasks', 'what it wanted';
	is_deeply $line->{details}, { origin => 'https://evil.example' }, 'where the page is from';
	is $line->{address}, '127.0.0.1', 'who asked';
	is $line->{times}, 1, 'once';
	like $line->{created_at}, $time, 'when';
	like $line->{trace_id}, qr/^[0-9a-f]{32}\z/, 'under which trace';
	like $stack->raw("POST /api/tasks HTTP/1.1\r\nHost: localhost\r\nCookie: x=y\r\nOrigin: https://\xff\"\\.example\r\n"
		. "Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"), qr{^HTTP/1\.1 403 }, 'an origin of any bytes';
	my @lines = audited('kind=cross_site_refused');
	is scalar @lines, 2, 'is on record too';
};

# The subjects of the lines that QUERY asks for, each once.
sub subjects { my ($query) = @_; my %seen; return join ', ', grep { !$seen{$_}++ } map { $_->{subject} // '' } audited($query) }

subtest 'what is done to people' => sub {
	my $made = $stack->post('/users', as => 'admin', json => { name => 'Rosa', username => 'rosa', email => 'rosa@example.org' })->{json};
	is subjects('kind=user_created&actor=demo'), 'rosa', 'somebody is added';
	is $stack->patch("/users/$made->{id}", as => 'admin', json => { role => 'manager' })->{status}, 200, 'a role';
	my ($line) = audited('kind=role_changed&actor=demo');
	is_deeply [ @$line{qw(subject details)} ], [ 'rosa', { role => 'manager' } ], 'is given';
	is $stack->patch("/users/$made->{id}", as => 'admin', json => { role => 'manager' })->{status}, 200, 'the same role';
	is scalar(audited('kind=role_changed&actor=demo')), 1, 'is no change';
	is $stack->delete("/users/$made->{id}", as => 'admin')->{status}, 204, 'somebody';
	is subjects('kind=user_deleted&actor=demo'), 'rosa', 'is deleted';
	is $stack->delete("/users/$made->{id}", as => 'admin')->{status}, 404, 'nobody';
	is scalar(audited('kind=user_deleted')), 1, 'is not';
};

subtest 'who comes and goes' => sub {
	my %who = (username => 'sara', password => 'correct horse battery');
	my $reply = $stack->post('/api/register', as => undef, json => { %who, email => 'sara@example.org' });
	is scalar(audited('kind=registered&actor=sara')), 1, 'an account';
	$reply = $stack->post('/api/login', as => undef, json => \%who);
	is scalar(audited('kind=sign_in&actor=sara')), 1, 'a sign-in';
	my ($cookie) = $reply->{headers}{'set-cookie'} =~ /^([^;]+)/;
	is $stack->post('/api/logout', as => undef, headers => { cookie => $cookie })->{status}, 204, 'and out';
	is scalar(audited('kind=sign_out&actor=sara')), 1, 'a sign-out';
	is $stack->post('/api/logout', as => undef, headers => { cookie => $cookie })->{status}, 204, 'once more';
	is scalar(audited('kind=sign_out&actor=sara')), 1, 'is none';
};

subtest 'what nobody sends by accident' => sub {
	for my $id ('A', 'A' x 42, 'A' x 44, 'A' x 5000, '+' x 43) {
		problem_ok $stack->get('/api/me', as => undef, headers => { cookie => "sid=$id" }), 401, 'a session of ' . length($id) . ' letters';
	}
	is subjects('kind=session_refused'), 'GET /api/me', 'is on record';
	problem_ok $stack->post('/api/login', as => undef, json => { username => 'sara', password => 'x' x (1 << 20) }), 413, 'a password of a megabyte';
	problem_ok $stack->post('/api/login', as => undef, json => { username => 'sara', password => 'x' x 129 }), 422, 'one of 129 characters';
	problem_ok $stack->post('/api/login', as => undef, content => '{', headers => { 'content-type' => 'application/json' }), 400, 'no JSON';
	is_deeply [ sort map { $_->{details}{status} } grep { $_->{details} && $_->{subject} eq 'POST /api/login' } audited('kind=request_refused') ], [ 400, 413, 422 ], 'are too';
	problem_ok $stack->get('/api/audit', as => $_), 403, "no audit for a $_" for qw(viewer user manager);
	problem_ok $stack->get('/api/audit', as => undef), 401, 'nor for nobody';
};

subtest 'the application can add lines and change none' => sub {
	for my $sql ("UPDATE audit SET kind = 'nothing'", 'DELETE FROM audit', 'TRUNCATE audit', 'SELECT audit_forget(0)', 'DROP TABLE audit',
		'ALTER TABLE audit DISABLE TRIGGER ALL') {
		ok !eval { $stack->psql($sql, 'ostler_app'); 1 }, "refused: $sql";
	}
	ok eval { $stack->psql("INSERT INTO audit (kind) VALUES ('sign_in')", 'ostler_app'); 1 }, 'a line more';
	ok !eval { $stack->psql("INSERT INTO audit (kind) VALUES ('x')", 'ostler_reader'); 1 }, 'the reader cannot even do that';
};

subtest 'a flood of refusals becomes few lines, and none goes uncounted' => sub {
	$stack->psql('TRUNCATE audit');
	my $sent = 400;
	my @told = $stack->in_processes(map {
		sub { my $count = 0; for (1 .. $sent / 4) { $count++ if from_elsewhere('https://flood.example')->{status} == 403 } return $count }
	} 1 .. 4);
	is eval { my $sum = 0; $sum += $_ for @told; $sum }, $sent, 'all were refused';
	# Counts are written by whatever request comes when their time is over.
	$stack->wait_for(sub {
		$stack->get('/live') for 1 .. 8;
		return $stack->psql('SELECT coalesce(sum(times), 0) FROM audit WHERE kind = $$cross_site_refused$$') == $sent;
	}, 'the counts to be written', 30);
	cmp_ok $stack->psql('SELECT count(*) FROM audit'), '<', $sent / 4, 'in few lines';
};

subtest 'it is read by page, kind, actor and time' => sub {
	$stack->psql(q{TRUNCATE audit; INSERT INTO audit (at, kind, actor)
		SELECT timestamptz '2026-01-01' + n * interval '1 minute', (ARRAY['sign_in', 'sign_out'])[1 + n % 2],
		(ARRAY['ana', 'bob', 'cid'])[1 + n % 3] FROM generate_series(1, 30) n});
	my ($path, @seen) = '/api/audit?limit=7';
	for (my $next = ''; defined $next; ) {
		my $reply = $stack->get($path . ($next && "&after=$next"), as => 'admin');
		push @seen, map { $_->{created_at} } @{ $reply->{json}{items} };
		$next = $reply->{json}{next};
	}
	is scalar @seen, 30, 'every line, once';
	is_deeply \@seen, [ reverse sort @seen ], 'newest first';
	is scalar audited('kind=sign_in'), 15, 'by kind';
	is scalar audited('actor=ana'), 10, 'by actor';
	is scalar audited('actor=ana&kind=sign_in'), 5, 'by both';
	is scalar audited('from=2026-01-01T00:10:00Z&to=2026-01-01T00:20:00Z'), 10, 'by time';
	problem_ok $stack->get('/api/audit?kind=none', as => 'admin'), 422, 'a kind that there is not';
};

subtest 'old lines are deleted by the owner, when that is wished for' => sub {
	my $app = Ostler::build() . '/ostler-app';
	my $conf = $stack->var . '/etc/ostler-app.conf';
	$stack->psql(q{TRUNCATE audit; INSERT INTO audit (at, kind) VALUES (now() - interval '400 days', 'sign_in'), (now(), 'sign_in')});
	is((Ostler::run($app, '-c', $conf, 'migrate'))[1], 0, 'migrate runs');
	is $stack->psql('SELECT count(*) FROM audit'), 2, 'nothing is deleted unless told';
	open my $in, '<', $conf or die $!;
	my $text = do { local $/; <$in> };
	open my $out, '>', "$conf.keep" or die $!;
	print {$out} $text, "audit_keep = 365;\n";
	close $out;
	is((Ostler::run($app, '-c', "$conf.keep", 'migrate'))[1], 0, 'migrate runs');
	is $stack->psql('SELECT count(*) FROM audit'), 1, 'what is older than a year is gone';
};

subtest 'without the database a refusal is a refusal, and in the log' => sub {
	my ($postgres) = $stack->pids('database');
	$stack->impatient;
	kill 'STOP', $postgres, $stack->family('database');
	my $reply = from_elsewhere('https://stopped.example');
	kill 'CONT', $postgres, $stack->family('database');
	problem_ok $reply, 403, 'a page of another site';
	ok scalar(grep { ($_->{msg} // $_->{message} // '') =~ /audit could not be written/ } $stack->log_lines), 'the log has its line';
	$stack->wait_for(sub { $stack->get('/ready')->{status} == 200 }, 'the database to answer again', 30);
	$workers = $stack->workers;
};

is $stack->workers, $workers, 'no worker died';
$stack->stop;

subtest 'a worker that ends leaves no count behind' => sub {
	my $other = Ostler::App->start(app => { audit_window => '1h' });
	for (1 .. 20) {
		problem_ok $other->post('/api/tasks', json => { title => 'x' }, headers => { cookie => 'x=y', origin => 'https://evil.example' }), 403, 'a refusal';
	}
	cmp_ok $other->psql('SELECT count(*) FROM audit WHERE kind = $$cross_site_refused$$'), '<=', 2, 'a line of each worker';
	is((Ostler::run(Ostler::build() . '/ostlerctl', '-s', $other->var . '/ctl/ostlerd.sock', 'restart', 'web', '--wait'))[1], 0, 'others take over');
	$other->wait_for(sub { $other->psql('SELECT sum(times) FROM audit WHERE kind = $$cross_site_refused$$') == 20 }, 'the counts to be written', 30);
	$other->stop;
};

done_testing;
