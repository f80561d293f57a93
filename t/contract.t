#!/usr/bin/perl
# contract.t - every route answers as its own OpenAPI document says, to all that fits it and to all that does not.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::App;
use Ostler::Contract;
use Ostler::Kinds;
use Test::More;

# More than any quota of a minute.
my %unhurried = (app => { map { ("limit_$_" => 1_000_000) } qw(read write expensive probe) });

# Drives every operation of a stack, and sees that nothing worse than a refusal came of it.
sub keeps_its_contract
{
	my ($stack, %told) = @_;
	my $workers = $stack->workers;
	my $contract = Ostler::Contract->new($stack, %told);
	for my $operation ($contract->operations) {
		subtest "@$operation" => sub { $contract->drive($operation) };
	}
	is $stack->workers, $workers, 'no worker died of it';
	is_deeply [ map { $_->{route} // $_->{broken} } grep { ($_->{status} // 0) >= 500 || $_->{broken} } $stack->log_lines ], [], 'and nothing was answered with a 5xx';
	$stack->stop;
}

subtest 'the features of ostler-app' => sub {
	my $stack = Ostler::App->start(%unhurried);
	$stack->psql(q{INSERT INTO job_kind (kind) VALUES ('none')});
	my $task = sub { return $stack->post('/api/tasks', json => { title => 'x' })->{json}{id} };
	# A job that waits, and one that has failed for good.
	my $job = sub { return $stack->psql(q{INSERT INTO job (id, kind, state, run_at, priority, max_attempts, args)
		VALUES (gen_random_uuid(), 'none', 'scheduled', now() + interval '1 hour', 1, 1, '{"x":1}') RETURNING id}) };
	my $dead = sub { return $stack->psql(q{INSERT INTO job_done (id, kind, state, priority, attempt, max_attempts, created_at, args, result, last_error, traceparent)
		VALUES (gen_random_uuid(), 'none', 'discarded', 1, 1, 1, now(), '{"x":1}', '{"y":2}', 'no luck', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01') RETURNING id}) };
	$dead->();
	my %credentials = (username => 'known', password => 'correct horse battery');
	$stack->post('/api/register', as => undef, json => { %credentials, email => 'known@example.org' });
	# Whoever asks has that password, too; a second factor is a matter of time (second-factor.t).
	$stack->psql(q{UPDATE users SET password_hash = (SELECT password_hash FROM users WHERE username = 'known') WHERE username = 'demo'});
	my $with_factor = sub { return $stack->psql(q{WITH u AS (INSERT INTO users (username, name, email) SELECT x, x, x || '@example.org' FROM (SELECT gen_random_uuid()::text) AS r (x) RETURNING id)
		INSERT INTO second_factors (user_id, sealed, confirmed_at) SELECT id, '', now() FROM u RETURNING user_id}) };
	my $token = 'A' x 43;
	$stack->psql(q{INSERT INTO one_time_links (token_hash, user_id, purpose, expires_at)
		SELECT sha256(decode(repeat('00', 32), 'hex')), id, 'reset', now() + interval '1 hour' FROM users WHERE username = 'known'});
	my $client = $stack->post('/api/clients', json => { name => 'x' })->{json};
	my %secret = (client_id => $client->{client_id}, client_secret => $client->{secret});
	keeps_its_contract($stack,
		# Whoever asks so has no session that could end.
		as => { (map { ("POST $_" => undef) } qw(/api/register /api/login /api/logout /login /logout /api/password/forgot /api/password/reset /oauth/token)),
			'PATCH /api/me' => 'viewer', 'DELETE /api/me/sessions' => sub { return ($stack->session_of('known'))[0] } },
		names => { '/api/me/sessions/{id}' => sub { return ($stack->session_of('demo'))[1] }, '/users/{id}/totp' => $with_factor, (map { $_ => $task } '/complete/{id}', '/delete/{id}'), (map { $_ => sub { 'none' } } '/api/jobs/kinds/{kind}/pause', '/api/jobs/kinds/{kind}/resume'),
			(map { $_ => $job } '/api/task/{id}', '/api/jobs/{id}', '/api/jobs/{id}/cancel'), '/api/jobs/{id}/retry' => $dead },
		right => { (map { ("POST /api/me/totp/$_" => []) } qw(confirm recovery-codes disable)), 'POST /api/me/totp' => [ { password => $credentials{password} } ],
			'POST /api/clients' => [ { name => 'y' }, { name => 'y', role => 'viewer', scope => 'read', refresh => JSON::PP::false, user_id => 1 } ],
			'POST /oauth/token' => [ { grant_type => 'client_credentials', %secret }, { grant_type => 'client_credentials', scope => 'read', %secret, more => 'x' } ],
			'POST /api/password/forgot' => [ { username => 'known' }, { email => 'known@example.org' } ],
			'POST /api/password/reset' => [ { token => $token, password => $credentials{password} } ],
			# One that is right ends the session that asks: t/password.t.
			'POST /api/me/password' => [],
			# A password of a generator may be much like the name of its making.
			'POST /api/register' => [ map { { username => "new$_", email => "new$_\@example.org", password => $credentials{password}, $_ % 2 ? (name => 'New') : () } } 1 .. 4 ],
			'POST /api/login' => [ \%credentials ], 'GET /api/metrics/timeline' => [ { window => '1h', step => '15m' }, { window => '7d' } ],
			'GET /api/vendas' => [ { mes => '2025-01' }, { from => '2025-01', to => '2025-03' } ],
			'PUT /api/vendas/arquivos/{mes}' => ["order_id,sold_at,region,product,quantity,total\n"] });
};
subtest 'every kind in every way' => sub { keeps_its_contract(Ostler::Kinds->start(%unhurried)) };

done_testing;
