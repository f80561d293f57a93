#!/usr/bin/perl
# links.t - people without a password get one by a link that works once; nobody learns who there is.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::App;
use Ostler::MailServer;
use Test::More;
use Time::HiRes qw(time);

my $server = Ostler::MailServer->start;
my $stack = Ostler::App->start(app => { mail => $server->url, mail_from => 'ostler@example.org',
	site => 'https://ostler.example', link_pause => '1ms', audit_window => '10ms' });
my $workers = $stack->workers;
my $good = 'correct horse battery';

sub anonymous { my ($method, $path, %wish) = @_; return $stack->request($method, $path, as => undef, %wish) }
sub sign_in { my ($name, $password) = @_; return anonymous(POST => '/api/login', json => { username => $name, password => $password }) }
sub forgot { my (%who) = @_; return anonymous(POST => '/api/password/forgot', json => \%who) }
sub reset_with { my ($token, $password) = @_; return anonymous(POST => '/api/password/reset', json => { token => $token, password => $password }) }
sub audited { my ($query) = @_; return @{ $stack->get("/api/audit?$query", as => 'admin')->{json}{items} } }

# All that was asked for is done, whatever came of it.
sub until_quiet { $stack->wait_for(sub { $stack->psql('SELECT count(*) FROM job') == 0 }, 'the queue to be empty', 30); return }

# The letters that have come since the last time.
sub new_letters
{
	until_quiet();
	my @letters = $server->letters;
	$server->forget;
	return @letters;
}

# The token of the one letter that has come.
sub token
{
	my ($to) = @_;
	my @letters = new_letters();
	is_deeply [ map { @{ $_->{to} } } @letters ], [$to], "one letter, to $to";
	my ($token) = ($letters[0]{body} // '') =~ m{^https://ostler\.example/reset\?token=([A-Za-z0-9_-]{43})$}m;
	ok $token, 'with a link' or diag $letters[0]{body};
	return $token;
}

sub person
{
	my ($name) = @_;
	my $reply = anonymous(POST => '/api/register', json => { username => $name, email => "$name\@example.org", password => $good });
	is $reply->{status}, 201, "there is $name";
	return ($reply->{headers}{'set-cookie'} =~ /^([^;]+)/)[0];
}

subtest 'who was added chooses a password' => sub {
	my $made = $stack->post('/users', as => 'admin', json => { name => 'Ines', username => 'ines', email => 'ines@example.org' });
	is $made->{status}, 201, 'by an admin';
	my $token = token('ines@example.org');
	is sign_in('ines', $good)->{status}, 401, 'so far they have none';
	problem_ok reset_with($token, 'short'), 422, 'a short one', ['/password body'];
	problem_ok reset_with($token, 'password1'), 422, 'one that many use', ['/password body'];
	problem_ok reset_with($token, 'ines-ines'), 422, 'their own name', ['/password body'];
	is reset_with($token, $good)->{status}, 204, 'a good one';
	is sign_in('ines', $good)->{status}, 200, 'they sign in';
	is((audited('kind=user_created'))[0]{subject}, 'ines', 'that they were added is on record');
	is_deeply [ map { (audited("kind=$_&actor=ines"))[0]{details} } qw(link_sent link_used) ], [ ({ purpose => 'invitation' }) x 2 ], 'and what became of the link';
};

subtest 'who forgot theirs chooses another' => sub {
	my $cookie = person('otto');
	for my $who ([ username => 'otto' ], [ username => 'OTTO' ], [ email => 'Otto@Example.org' ]) {
		is forgot(@$who)->{status}, 202, "by @$who";
		my $token = token('otto@example.org');
		is reset_with($token, $good)->{status}, 204, 'it works';
		my $again = reset_with($token, 'staple in a haystack');
		problem_ok $again, 422, 'once';
		is $again->{json}{code}, 'bad_link', 'for that reason';
	}
	is $stack->get('/api/me', as => undef, headers => { cookie => $cookie })->{status}, 401, 'sessions of before have ended';
	ok scalar(audited('kind=link_refused')), 'a link that was used is on record';
};

subtest 'what stands in a letter is kept nowhere else' => sub {
	is forgot(username => 'otto')->{status}, 202, 'asked';
	my $token = token('otto@example.org');
	for my $table ('outbox', 'one_time_links', 'audit', 'job_done', 'users') {
		is $stack->psql("SELECT count(*) FROM $table WHERE strpos($table\::text, '$token') > 0"), 0, "not in $table";
	}
	is_deeply [ grep { $stack->log_of($_) =~ /\Q$token\E/ } map { m{([^/]+)\z} } glob $stack->var . '/log/*' ], [], 'in no log';
	$stack->get("/reset?token=$token", as => undef);
	is_deeply [ grep { $stack->log_of($_) =~ /\Q$token\E/ } map { m{([^/]+)\z} } glob $stack->var . '/log/*' ], [], 'nor when the page is opened';
};

subtest 'one link makes all others worthless, and time does' => sub {
	forgot(username => 'otto');
	my $first = token('otto@example.org');
	forgot(username => 'otto');
	my $second = token('otto@example.org');
	is reset_with($second, $good)->{status}, 204, 'the second is used';
	problem_ok reset_with($first, $good), 422, 'the first is worth nothing';
	forgot(username => 'otto');
	my $late = token('otto@example.org');
	$stack->psql(q{UPDATE one_time_links SET expires_at = now() WHERE used_at IS NULL});
	problem_ok reset_with($late, $good), 422, 'nor is one that is too old';
	problem_ok reset_with($_, $good), 422, 'no link: ' . substr $_, 0, 20
	    for 'x', 'A' x 42, 'A' x 43, 'A' x 44, 'A' x 42 . '=', "'; DROP TABLE users; --", "\x{e9}" x 43;
	problem_ok reset_with('x' x 300, $good), 422, 'nor anything long', ['/token body'];
};

subtest 'another address' => sub {
	my $cookie = person('paula');
	my $change = sub { return $stack->patch('/api/me', as => undef, headers => { cookie => $cookie }, json => {@_}) };
	my $before = audited('kind=address_changed&actor=paula');
	is $change->(email => 'paula@example.org', name => 'Paula')->{status}, 200, 'that is none';
	is scalar(new_letters()), 0, 'is worth no letter';
	forgot(username => 'paula');
	my $link = token('paula@example.org');
	is $change->(email => 'paula@other.example')->{status}, 200, 'is chosen';
	problem_ok reset_with($link, $good), 422, 'a link that went to the one before';
	my @letters = new_letters();
	is_deeply [ map { @{ $_->{to} } } @letters ], ['paula@example.org'], 'the one before is told, in case that it was somebody else';
	like $letters[0]{body}, qr/"paula" at https:\/\/ostler\.example/, 'which account it is about';
	unlike $letters[0]{body}, qr/other\.example|token=/, 'and no more';
	is scalar(audited('kind=address_changed&actor=paula')), 1, 'it is on record';
	forgot(username => 'paula');
	ok token('paula@other.example'), 'the next link goes to the new one';
	problem_ok $change->(email => 'ines@example.org'), 409, 'one that is taken', ['/email body'];
	is scalar(new_letters()), 0, 'and nobody is told of what was not done';

	my $id = $stack->psql(q{SELECT id FROM users WHERE username = 'paula'});
	is $stack->patch("/users/$id", json => { email => 'paula@third.example', role => 'manager' })->{status}, 200, 'an admin gives another';
	is_deeply [ map { @{ $_->{to} } } new_letters() ], ['paula@other.example'], 'the one before is told, too';
	is((audited('kind=address_changed&actor=demo'))[0]{subject}, 'paula', 'on record, by whom');
	is scalar(audited('kind=role_changed&actor=demo')), 1, 'beside the role';
	my $invited = $stack->post('/users', json => { name => 'Vera', username => 'vera', email => 'vera@wrong.example' })->{json};
	my $wrong = token('vera@wrong.example');
	is $stack->patch("/users/$invited->{id}", json => { email => 'vera@example.org' })->{status}, 200, 'of who was invited to a wrong one';
	problem_ok reset_with($wrong, $good), 422, 'the invitation is worth nothing';
	is scalar(new_letters()), 0, 'and a stranger is told nothing';
};

subtest 'used by many at once it works once' => sub {
	forgot(username => 'otto');
	my $token = token('otto@example.org');
	my @replies = $stack->at_once(map { [ POST => '/api/password/reset', as => undef, json => { token => $token, password => "$good $_" } ] } 1 .. 8);
	is scalar(grep { $_->{status} == 204 } @replies), 1, 'for one of them';
	is scalar(grep { $_->{status} == 422 } @replies), 7, 'and for nobody else';
};

sub median { my @sorted = sort { $a <=> $b } @_; return $sorted[$#sorted / 2] }

subtest 'nobody learns who there is' => sub {
	new_letters();
	my ($known, $nobody) = (forgot(email => 'otto@example.org'), forgot(email => 'nobody@example.org'));
	is_deeply [ $nobody->{status}, $nobody->{content} ], [ $known->{status}, $known->{content} ], 'the same answer';
	is scalar(new_letters()), 1, 'one letter';
	my %seconds;
	for (1 .. 15) {
		for my $name ('otto', 'nobody') {
			my $began = time;
			forgot(username => $name);
			push @{ $seconds{$name} }, time - $began;
		}
		until_quiet();
	}
	my ($there, $not) = map { median(@{ $seconds{$_} }) } qw(otto nobody);
	note sprintf 'medians: somebody %.2f ms, nobody %.2f ms', 1000 * $there, 1000 * $not;
	cmp_ok $not, '>', $there / 3, 'after the same time';
	cmp_ok $not, '<', $there * 3, 'and no longer';
	problem_ok forgot(), 422, 'nothing is asked', ['/username body'];
	problem_ok forgot(email => 'no address'), 422, 'no address', ['/email body'];
};

is $stack->workers, $workers, 'no worker died';
$stack->stop;

subtest 'nobody is flooded with letters' => sub {
	my $other = Ostler::App->start(app => { mail => $server->url, mail_from => 'ostler@example.org' });
	$server->forget;
	$other->psql(q{UPDATE users SET email = 'bruno@example.org' WHERE username = 'bruno'});
	for (1 .. 5) {
		is $other->post('/api/password/forgot', as => undef, json => { username => 'bruno' })->{status}, 202, 'asked';
		$other->wait_for(sub { $other->psql('SELECT count(*) FROM job') == 0 }, 'the queue to be empty', 30);
	}
	is scalar(my @letters = $server->letters), 1, 'one letter a minute';
	$other->stop;
};

$server->stop;
done_testing;
