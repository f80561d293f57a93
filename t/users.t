#!/usr/bin/perl
# users.t - who there is: added, listed, read, changed, deleted; each address once; never a hash.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::App;
use Test::More;

my $stack = Ostler::App->start;
my $workers = $stack->workers;
my $time = qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z\z/;
my $number = 0;

sub create
{
	my (%user) = @_;
	$number++;
	my $reply = $stack->post('/users', json => { name => "Person $number", email => "person$number\@example.org", %user });
	is $reply->{status}, 201, 'a user is added' or diag $reply->{content};
	return $reply->{json};
}

sub path_of { return "/users/$_[0]{id}" }

# A GET, and whether the cache answered it.
sub source
{
	my ($path, %options) = @_;
	my $reply = $stack->get($path, %options);
	my $said = $reply->{headers}{'cache-status'} // 'none';
	return ($reply, $said =~ /; hit/ ? 'cache' : $said =~ /fwd=miss/ ? 'database' : $said);
}

sub source_is
{
	my ($path, $expected, $what) = @_;
	my ($reply, $source) = source($path);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is $source, $expected, $what;
	return $reply;
}

subtest 'a user is added' => sub {
	my $reply = $stack->post('/users', json => { name => 'Zoé Ünal', email => 'Zoe.Unal@example.org' });
	is $reply->{status}, 201, 'created';
	my $user = $reply->{json};
	is_deeply [ sort keys %$user ], [ sort qw(id username name email role version created_at updated_at) ],
	    'the whole user comes back, and nothing of a password';
	is $user->{name}, 'Zoé Ünal', 'name';
	is $user->{email}, 'Zoe.Unal@example.org', 'email, as it was written';
	is $user->{username}, 'Zoe.Unal@example.org', 'the user name is the email';
	is $user->{role}, 'user', 'with the least role';
	is $user->{version}, 1, 'version';
	like $user->{$_}, $time, $_ for qw(created_at updated_at);
	is $reply->{headers}{location}, path_of($user), 'Location';
	is $reply->{headers}{etag}, '"1"', 'ETag';
	is_deeply $stack->get($reply->{headers}{location})->{json}, $user, 'it stands where Location says';
	is create(username => 'zoe')->{username}, 'zoe', 'a user name of their own';
};

subtest 'every error is named' => sub {
	my @fields = ([ {}, '/name', '/email' ], [ { name => 'x' }, '/email' ],
		[ { name => ' ', email => 'a@b.example' }, '/name' ], [ { name => 'x' x 201, email => 'a@b.example' }, '/name' ],
		[ { name => 7, email => [] }, '/name', '/email' ], [ { name => undef, email => undef }, '/name', '/email' ],
		[ { name => 'x', email => 'a@b.example', username => '' }, '/username' ],
		[ { name => 'x', email => 'a@b.example', role => 'emperor' }, '/role' ],
		[ { name => 'x', email => 'a@b.example', password_hash => 'x', id => 1 }, '/password_hash', '/id' ]);
	push @fields, [ { name => 'x', email => $_ }, '/email' ]
	    for 'nobody', '@example.org', 'a@', 'a b@example.org', "a\@example.org\r\nBcc: b\@example.org", ('x' x 250) . '@b.example';
	for my $case (@fields) {
		my ($body, @pointers) = @$case;
		problem_ok $stack->post('/users', json => $body), 422, "@pointers", [ map { "$_ body" } @pointers ];
	}
	problem_ok $stack->get('/users/x'), 404, 'an id that is none';
	problem_ok $stack->get('/users?limit=0'), 422, 'no page is that small', ['/limit query'];
	problem_ok $stack->get('/users?after=xyz'), 422, 'a cursor that is none', ['/after query'];
};

subtest 'an address belongs to one person, in any capitalization' => sub {
	my $one = create(email => 'one@example.org', username => 'one');
	my $two = create(email => 'two@example.org', username => 'two');
	for my $email ('one@example.org', 'One@Example.ORG') {
		problem_ok $stack->post('/users', json => { name => 'x', email => $email }), 409, "POST $email", ['/email body'];
		problem_ok $stack->patch(path_of($two), json => { email => $email }), 409, "PATCH $email", ['/email body'];
		problem_ok $stack->request(PUT => path_of($two), json => { name => 'x', email => $email }), 409, "PUT $email", ['/email body'];
	}
	my $reply = $stack->post('/users', json => { name => 'x', email => 'three@example.org', username => 'TWO' });
	problem_ok $reply, 409, 'a user name too', ['/username body'];
	unlike $reply->{content}, qr/_unique|SQL|constraint/i, 'in words, not in names of the database';
	problem_ok $stack->post('/users', json => { name => 'x', email => 'One@example.org', username => 'One' }), 409,
	    'of two the address is named', ['/email body'];
	is_deeply $stack->get(path_of($two))->{json}, $two, 'which changed nothing';
	is $stack->patch(path_of($one), json => { email => 'ONE@example.org' })->{json}{email}, 'ONE@example.org',
	    'the same person may write it otherwise';
	my @replies = $stack->at_once(map { [ POST => '/users', json => { name => 'x', email => 'Race@example.org' } ] } 1 .. 8);
	is_deeply [ sort map { $_->{status} } @replies ], [ 201, (409) x 7 ], 'of many at once, one has it';
};

subtest 'PUT writes a user anew, PATCH what is given' => sub {
	my $user = create(username => 'rider');
	my $put = $stack->request(PUT => path_of($user), json => { name => 'Rider', email => 'rider@example.org' });
	is $put->{status}, 200, 'PUT';
	is_deeply { %{ $put->{json} }, updated_at => 0 }, { %$user, name => 'Rider', email => 'rider@example.org', version => 2, updated_at => 0 },
	    'the whole user comes back; who signs in with a name keeps it';
	is $put->{headers}{etag}, '"2"', 'ETag';
	cmp_ok $put->{json}{updated_at}, 'ge', $user->{updated_at}, 'updated now';
	problem_ok $stack->request(PUT => path_of($user), json => { name => 'x' }), 422, 'without an email', ['/email body'];
	my %expected = %{ $put->{json} };
	for my $change ({ name => 'Other' }, { email => 'other@example.org', username => 'other' }) {
		my $reply = $stack->patch(path_of($user), json => $change);
		is $reply->{status}, 200, 'PATCH ' . join ', ', sort keys %$change;
		%expected = (%expected, %$change, version => $expected{version} + 1, updated_at => $reply->{json}{updated_at});
		is_deeply $reply->{json}, \%expected, 'the rest is as it was';
	}
	is_deeply $stack->patch(path_of($user), json => {})->{json}, \%expected, 'an empty PATCH changes nothing';
	is_deeply $stack->get(path_of($user))->{json}, \%expected, 'read again';
	problem_ok $stack->patch('/users/999999', json => { name => 'x' }), 404, 'somebody who is not there';
};

subtest 'the list, newest first, a page at a time' => sub {
	create() for 1 .. 5;
	my $count = $stack->psql('SELECT count(*) FROM users');
	my (@seen, %seen);
	for (my $path = '/users?limit=4'; defined $path;) {
		my $page = $stack->get($path);
		is $page->{status}, 200, 'a page';
		push @seen, @{ $page->{json}{items} };
		my $link = $page->{headers}{link};
		is defined $link, defined $page->{json}{next}, 'Link stands there as long as there is a next page';
		$path = defined $link ? ($link =~ /^<([^>]+)>; rel="next"$/)[0] : undef;
	}
	$seen{ $_->{id} }++ for @seen;
	is keys %seen, $count, 'each user is there';
	is @seen, $count, 'once';
	my @order = map { $_->{created_at} } @seen;
	is_deeply \@order, [ reverse sort @order ], 'newest first';
};

subtest 'the first page is cached until anybody changes' => sub {
	create() for 1 .. 20;
	my $user = create();
	source_is('/users', 'database', 'the first time from the database');
	my $first = source_is('/users', 'cache', 'then from the cache');
	is_deeply $first->{json}, $stack->get('/users?limit=20')->{json}, 'the same list';
	like $first->{headers}{link} // '', qr/after=/, 'with its Link';
	is $stack->get('/users?limit=5')->{headers}{'cache-status'}, undef, 'no other page is';
	my $ttl = $stack->cache_redis(TTL => 'users_list');
	cmp_ok $ttl, '<=', 120, 'for a minute, and another for those who come while it is made anew' or diag $ttl;
	cmp_ok $ttl, '>', 0, 'at most';
	my %changes = (
		POST => sub { create(); return }, PUT => sub { $stack->request(PUT => path_of($user), json => { name => 'P', email => 'p@example.org' }) },
		PATCH => sub { $stack->patch(path_of($user), json => { name => 'Q' }) }, DELETE => sub { $stack->delete(path_of($user)) });
	for my $change (qw(POST PUT PATCH DELETE)) {
		$stack->get('/users');
		source_is('/users', 'cache', "before $change");
		$changes{$change}->();
		my $list = source_is('/users', 'database', "after $change the list is read anew");
		is_deeply $list->{json}, $stack->get('/users?limit=20')->{json}, 'and true';
	}
};

subtest 'one user is cached until they change' => sub {
	my $user = create();
	source_is(path_of($user), 'database', 'the first time from the database');
	my $reply = source_is(path_of($user), 'cache', 'then from the cache');
	is_deeply $reply->{json}, $user, 'the same user';
	is $reply->{headers}{etag}, '"1"', 'with the ETag';
	my ($again, $source) = source(path_of($user), headers => { 'If-None-Match' => '"1"' });
	is $again->{status}, 304, 'which can be asked with';
	is $source, 'cache', 'without a look at the database';
	my $ttl = $stack->cache_redis(TTL => "user_$user->{id}");
	cmp_ok $ttl, '<=', 360, 'for five minutes, and a minute as above' or diag $ttl;
	cmp_ok $ttl, '>', 200, 'about';
	for my $change ([ PUT => json => { name => 'R', email => 'r@example.org' } ], [ PATCH => json => { name => 'S' } ]) {
		my ($method, @body) = @$change;
		$stack->get(path_of($user));
		my $changed = $stack->request($method, path_of($user), @body)->{json};
		is_deeply $stack->get(path_of($user))->{json}, $changed, "$method is seen at once";
	}
	$stack->get(path_of($user));
	is $stack->delete(path_of($user))->{status}, 204, 'DELETE';
	problem_ok $stack->get(path_of($user)), 404, 'is seen at once';
	problem_ok $stack->delete(path_of($user)), 404, 'twice';
};

subtest 'with a user go their tasks and what is cached of them' => sub {
	my $user = create();
	$stack->psql("INSERT INTO tasks (user_id, title) VALUES ($user->{id}, 'x'), ($user->{id}, 'y')");
	$stack->cache_redis(SET => "tasks:user:$user->{id}", 'kept');
	is $stack->delete(path_of($user))->{status}, 204, 'deleted';
	is $stack->psql("SELECT count(*) FROM tasks WHERE user_id = $user->{id}"), 0, 'no task is left';
	is $stack->cache_redis(EXISTS => "tasks:user:$user->{id}"), 0, 'nor a cached list of them';
	my $me = $stack->psql(q{SELECT id FROM users WHERE username = 'demo'});
	problem_ok $stack->delete("/users/$me"), 409, 'nobody deletes themselves';
	is $stack->get("/users/$me")->{status}, 200, 'and nothing happened';
};

subtest 'no answer tells a password hash' => sub {
	my $user = create();
	$stack->psql("UPDATE users SET password_hash = 'secret-hash' WHERE id = $user->{id}");
	unlike $stack->get($_)->{content}, qr/secret-hash|password/, $_ for '/users', '/users?limit=200', path_of($user);
	unlike $stack->patch(path_of($user), json => { name => 'x' })->{content}, qr/secret-hash|password/, 'PATCH';
	unlike $stack->get('/openapi.json')->{content}, qr/password_hash/, 'nor does the document';
};

is $stack->workers, $workers, 'the workers are those of the beginning';
$stack->stop;
done_testing;
