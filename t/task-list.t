#!/usr/bin/perl
# task-list.t - the list of tasks: its pages, its filters, its search, and when it comes from the cache.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use Ostler::App;
use Test::More;

my $stack = Ostler::App->start;
my $workers = $stack->workers;
my $demo = "(SELECT id FROM users WHERE username = 'demo')";

sub escape { my ($text) = @_; utf8::encode($text); $text =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ge; return $text }

sub ids { return map { $_->{id} } @{ $_[0]{json}{items} } }

sub expected_ids
{
	my ($where) = @_;
	return split /\n/, $stack->psql("SELECT id FROM tasks WHERE user_id = $demo AND $where ORDER BY created_at DESC, id DESC");
}

# Follows "next" from the first page of PATH to the last; AFTER_EACH is called behind each page.
sub walk
{
	my ($path, $after_each) = @_;
	my ($mark, $next, @pages) = ($path =~ /\?/ ? '&' : '?');
	do {
		my $reply = $stack->get($path . (defined $next ? "${mark}after=$next" : ''));
		die "$path: $reply->{status} $reply->{content}" if $reply->{status} != 200;
		push @pages, $reply;
		$next = $reply->{json}{next};
		$after_each->() if $after_each;
	} while (defined $next && @pages < 1000);
	return @pages;
}

subtest 'the first page has twenty tasks, newest first' => sub {
	my $reply = $stack->get('/api/tasks');
	is $reply->{status}, 200, 'it is there';
	is_deeply [ sort keys %{ $reply->{json} } ], [qw(items next)], 'items and next';
	is_deeply [ ids($reply) ], [ (expected_ids('true'))[0 .. 19] ], 'the newest twenty';
	like $reply->{json}{next}, qr/^[A-Za-z0-9_-]+\z/, 'next is a cursor';
	is $reply->{headers}{link}, "</api/tasks?after=$reply->{json}{next}>; rel=\"next\"", 'Link leads to it';
	is $reply->{headers}{etag}, undef, 'a list has no ETag';
};

subtest 'limit is 1 to 200' => sub {
	for my $limit (1, 2, 200) {
		is scalar(ids($stack->get("/api/tasks?limit=$limit"))), $limit, "limit=$limit";
	}
};

subtest 'the pages together are the whole list' => sub {
	for my $limit (1, 7, 64, 200) {
		my @all = $limit == 1 ? (expected_ids('true'))[0 .. 9] : expected_ids('true');
		my @pages = $limit == 1 ? map { $stack->get("/api/tasks?limit=1&after=$_") } () : walk("/api/tasks?limit=$limit");
		@pages = walk_some('/api/tasks?limit=1', 10) if $limit == 1;
		is_deeply [ map { ids($_) } @pages ], \@all, "each task once, in order, by $limit";
		is $pages[-1]{headers}{link}, undef, 'no Link behind the last' if $limit > 1;
	}
};

sub walk_some
{
	my ($path, $count) = @_;
	my ($next, @pages);
	for (1 .. $count) {
		push @pages, $stack->get($path . (defined $next ? "&after=$next" : ''));
		$next = $pages[-1]{json}{next};
	}
	return @pages;
}

subtest 'a last page that is just full has no next' => sub {
	my ($done) = $stack->psql("SELECT count(*) FROM tasks WHERE user_id = $demo AND title LIKE 'Write %'");
	my $reply = $stack->get("/api/tasks?q=write&limit=$done");
	is scalar(ids($reply)), $done, "all $done of them";
	is $reply->{json}{next}, undef, 'and no more';
};

subtest 'tasks of the same moment are told apart' => sub {
	$stack->psql("INSERT INTO tasks (user_id, title, created_at) SELECT $demo, 'Same moment ' || n, '2026-03-01 12:00:00.000001' FROM generate_series(1, 25) n");
	my @pages = walk('/api/tasks?limit=4&q=moment');
	is scalar(@pages), 7, 'seven pages';
	is_deeply [ map { ids($_) } @pages ], [ expected_ids("title LIKE 'Same moment %'") ], 'each task once';
};

subtest 'a task added meanwhile moves nobody' => sub {
	my @before = expected_ids('true');
	my @pages = walk('/api/tasks?limit=30', sub { $stack->post('/api/tasks', json => { title => 'Meanwhile' }) });
	is_deeply [ map { ids($_) } @pages ], \@before, 'each of the others once';
	my $first = $stack->get('/api/tasks?limit=30');
	my $last = (ids($first))[-1];
	$stack->delete("/api/tasks/$last");
	my $second = $stack->get("/api/tasks?limit=30&after=$first->{json}{next}");
	is_deeply [ ids($second) ], [ (expected_ids('true'))[29 .. 58] ], 'a cursor outlives the task that it was made of';
};

subtest 'Link keeps what else was asked' => sub {
	my $reply = $stack->get('/api/tasks?completed=true&after=MjAzMC0wMS0wMVQwMDowMDowMFovMQ&limit=3&q=caf%C3%A9');
	my $next = $reply->{json}{next};
	is $reply->{headers}{link}, "</api/tasks?completed=true&limit=3&q=caf%C3%A9&after=$next>; rel=\"next\"", 'but not the cursor before';
	my ($path) = $reply->{headers}{link} =~ /<(.*?)>/;
	is_deeply [ ids($stack->get($path)) ], [ (expected_ids("completed AND title LIKE '%café%'"))[3 .. 5] ], 'it can be followed';
};

subtest 'completed tells those done from those to do' => sub {
	for my $case ([ true => 'completed' ], [ false => 'NOT completed' ]) {
		my ($value, $where) = @$case;
		is_deeply [ map { ids($_) } walk("/api/tasks?limit=200&completed=$value") ], [ expected_ids($where) ], "completed=$value";
	}
};

subtest 'q searches title and description' => sub {
	my $find = sub { return [ ids($stack->get('/api/tasks?limit=200&q=' . escape($_[0]))) ] };
	my @cases = (
		[ 'printer', "title LIKE '%printer%'", 'a word of the title' ],
		[ 'thursday', "description LIKE '%Thursday%'", 'a word of the description, whatever its case' ],
		[ 'PRINTER', "title LIKE '%printer%'", 'in capitals' ],
		[ 'print', "title LIKE '%printer%'", 'its beginning' ],
		[ 'rinter', 'false', 'not its end' ],
		[ 'café', "title LIKE '%café%'", 'a word beyond ASCII' ],
		[ 'CAFÉ', "title LIKE '%café%'", 'in capitals' ],
		[ 'são pau', "description LIKE '%São Paulo%'", 'two words, the last unfinished' ],
		[ 'fix printer', "title = 'Fix the new printer'", 'both words, in any place' ],
		[ 'printer fix', "title = 'Fix the new printer'", 'in any order' ],
		[ '"new printer"', "title LIKE '%new printer%'", 'a phrase' ],
		[ '"printer new"', 'false', 'a phrase in its order' ],
		[ 'printer or lamps', "title LIKE '%printer%' OR title LIKE '%lamps%' OR description LIKE '%lamps%'", 'one or the other' ],
		[ 'printer -fix', "title LIKE '%printer%' AND title NOT LIKE 'Fix%'", 'one without the other' ],
		[ 'fix -"new printer"', "title LIKE 'Fix%' AND title NOT LIKE '%new printer%'", 'without a phrase' ],
		[ 'nothing-has-this', 'false', 'a word that nobody wrote' ],
		[ '800', "description LIKE '%800%'", 'a number' ],
	);
	is_deeply $find->($_->[0]), [ expected_ids($_->[1]) ], "$_->[2]: $_->[0]" for @cases;
	is_deeply [ ids($stack->get('/api/tasks?q=')) ], [ ids($stack->get('/api/tasks')) ], 'nothing to search is the list';
};

# websearch_to_tsquery takes anything; what is made of its answer must too.
subtest 'q may be anything' => sub {
	my @texts = ('"', "'", '\\', '&', '|', '!', '-', '--', '-a', '--a', '-a-b', '-"a b"', '-"a b" -c', 'a -"b c"', '(', ')', '(a', 'a)', ':',
		':*', 'a:*', 'a:b', '<->', 'a <-> b', '<2>', '*', '%', '_', "a'b", "'a'", "''", "a\\'b", 'a\\', "\t\n\r", "\x{1}", '☃', '🐴', '“a b”', 'or', 'or or',
		'and', 'not a', '"or"', '-or', 'a@b.c', '-a@b.c', 'http://a.b/c?d=e', '-http://a.b/c', '/usr/local', '-/usr/local', '1.5e3', '-1', '-1-2',
		'<b>', '&amp;', 'a"b', '"a', 'a"', '""', '"" ""', '-""', 'x' x 200, '-' x 200, '" ' x 100, '(' x 200, ':*' x 100, 'a-' x 100, '-a-' x 66, '-!' x 100, '- ' x 100, '-""' x 66, '-"-"' x 50, '-or ' x 50, '-' x 25, '- ' x 25 . 'a', '-!' x 25 . '"a b" or -c', "\x{300}", 'ﷺ' x 200);
	my @bad = grep { $stack->get('/api/tasks?q=' . escape($_))->{status} != 200 } @texts;
	is_deeply \@bad, [], scalar(@texts) . ' texts are all answered';
	srand 7;
	my @signs = (split(//, q{"'\\&|!-():*<> }), qw(a b or and), "\x{e9}");
	@bad = grep { $stack->get('/api/tasks?limit=1&q=' . escape($_))->{status} != 200 }
	    map { join '', map { $signs[ rand @signs ] } 1 .. 12 } 1 .. 200;
	is_deeply \@bad, [], 'and 200 made by chance';
};

sub cache_status { return $_[0]{headers}{'cache-status'} // 'none' }

subtest 'the first page comes from the cache until something changes' => sub {
	my $read = sub { return cache_status($stack->get('/api/tasks')) };
	my $miss = 'ostler; fwd=miss';
	my $hit = 'ostler; hit';
	$read->();
	my $task = $stack->post('/api/tasks', json => { title => 'Cached' })->{json};
	my $path = "/api/tasks/$task->{id}";
	is $read->(), $miss, 'POST: it is read anew';
	is $read->(), $hit, 'then from the cache';
	my @changes = (
		[ PUT => $path, json => { title => 'Put' } ],
		[ PATCH => $path, json => { completed => JSON::PP::true } ],
		[ POST => "/complete/$task->{id}" ],
		[ DELETE => $path ],
		[ POST => '/add', form => { title => 'Form' } ],
	);
	for my $change (@changes) {
		is $stack->request(@$change)->{status} =~ /^(200|204|303)$/, 1, "$change->[0] $change->[1]";
		is $read->(), $miss, 'it is read anew';
		is_deeply [ ids($stack->get('/api/tasks')) ], [ (expected_ids('true'))[0 .. 19] ], 'and right';
		is $read->(), $hit, 'then from the cache';
	}
	$stack->post('/delete/' . (ids($stack->get('/api/tasks')))[0]);
	is $read->(), $miss, 'POST /delete too';
	my ($fresh, $cached) = ($stack->get('/api/tasks?limit=20'), ($stack->get('/api/tasks'), $stack->get('/api/tasks'))[1]);
	is cache_status($cached), $hit, 'a page from the cache';
	is $cached->{content}, $fresh->{content}, 'is the same, byte by byte';
	is $cached->{headers}{link}, "</api/tasks?after=$cached->{json}{next}>; rel=\"next\"", 'and has its Link';
	is cache_status($stack->get($_)), 'none', "$_ does not ask the cache" for '/api/tasks?limit=20', '/api/tasks?completed=true', "$path";
	is cache_status($stack->get('/api/tasks?')), $hit, 'a query of nothing is none';
	my $ttl = $stack->cache_redis('TTL', 'tasks:user:' . $stack->psql("SELECT $demo"));
	ok $ttl > 300 && $ttl <= 360, "it is kept for its 300 seconds and a minute to be renewed in ($ttl)";
};

subtest 'a change that was refused leaves the cache as it was' => sub {
	$stack->get('/api/tasks') for 1 .. 2;
	$stack->post('/api/tasks', json => { title => '' });
	is cache_status($stack->get('/api/tasks')), 'ostler; hit', 'still from the cache';
};

subtest 'rubbish in the cache is not believed' => sub {
	my $key = 'tasks:user:' . $stack->psql("SELECT $demo");
	for my $command ([ SET => $key, '' ], [ SET => $key, 'no line in here' ], [ LPUSH => $key, 'x' ]) {
		$stack->cache_redis('DEL', $key);
		$stack->cache_redis(@$command);
		my $reply = $stack->get('/api/tasks');
		is $reply->{status}, 200, 'the list is answered';
		is_deeply [ ids($reply) ], [ (expected_ids('true'))[0 .. 19] ], 'and right';
	}
};

is $stack->workers, $workers, 'the workers are those of the beginning';
$stack->stop;
done_testing;
