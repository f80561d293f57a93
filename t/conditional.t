#!/usr/bin/perl
# conditional.t - a change made under a condition happens only to what the client has seen, and no update is ever lost.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::Accounts;
use Ostler::App;
use Test::More;

my $stack = Ostler::App->start(app => { threads => 8 });

sub task { return $stack->post('/api/tasks', json => { title => 'Seen' }) }
sub path_of { return $_[0]{headers}{location} }
sub etag_of { return $_[0]{headers}{etag} }
sub change { my ($path, $header, $tag, %wish) = @_; return $stack->patch($path, json => { title => 'Changed' }, headers => { $header => $tag }, %wish) }

subtest 'an ETag comes with what has a version' => sub {
	my $made = task();
	is etag_of($made), '"1"', 'when it is made';
	is etag_of($stack->get(path_of($made))), '"1"', 'when it is read';
	is etag_of($stack->patch(path_of($made), json => { title => 'x' })), '"2"', 'when it is changed';
	is etag_of($stack->patch(path_of($made), json => {})), '"2"', 'also to nothing else';
	is etag_of($stack->request(PUT => path_of($made), json => { title => 'y' })), '"3"', 'when it is replaced';
	is $stack->delete(path_of($made))->{headers}{etag}, undef, 'not when it is gone';
	is $stack->get('/api/tasks')->{headers}{etag}, undef, 'a list has none';
};

subtest 'If-Match' => sub {
	for my $right ('"1"', 'W/"1"', '*', '"7", "1"', '"7","x",W/"1"', '"1" ,', ', "1"', '"!#~", "1"') {
		my $made = task();
		my $reply = change(path_of($made), 'If-Match' => $right);
		is $reply->{status}, 200, "$right: it is changed";
		is etag_of($reply), '"2"', 'to its next version';
	}
	for my $wrong ('"2"', '"0"', '"11"', 'W/"2"', '"2", "3"', '""', '"*"') {
		my $made = task();
		my $reply = change(path_of($made), 'If-Match' => $wrong);
		problem_ok $reply, 412, "$wrong: it is not";
		is etag_of($reply), undef, 'the problem has no ETag';
		is $stack->get(path_of($made))->{json}{title}, 'Seen', 'it is as it was';
		problem_ok $stack->request(PUT => path_of($made), json => { title => 'x' }, headers => { 'If-Match' => $wrong }), 412, 'PUT';
		problem_ok $stack->delete(path_of($made), headers => { 'If-Match' => $wrong }), 412, 'DELETE';
		is etag_of($stack->get(path_of($made))), '"1"', 'it is still as it was';
	}
	my $made = task();
	problem_ok change(path_of($made), 'If-Match' => $_), 400, "$_ is no list of tags" for '1', '"1', '1"', 'w/"1"', '"1" "2"', '*, "1"', '**', ',', '"a b"', 'W/';
	is $stack->delete(path_of($made), headers => { 'If-Match' => '"1"' })->{status}, 204, 'DELETE of the right version';
	problem_ok change(path_of($made), 'If-Match' => $_), 404, "$_ of what is not there: that is what matters" for '"1"', '*';
	problem_ok change('/api/tasks/x', 'If-Match' => '"1"'), 404, 'nor can be';
	problem_ok change(path_of(task()), 'If-Match' => '"9"', json => { title => '' }), 422, 'what was sent is looked at first';
};

subtest 'a task of somebody else' => sub {
	my $id = $stack->psql(q{SELECT min(t.id) FROM tasks t JOIN users u ON u.id = t.user_id WHERE username = 'ana'});
	problem_ok change("/api/tasks/$id", 'If-Match' => $_), 404, "$_: does not even show that it is there" for '"1"', '"2"', '*';
};

subtest 'If-None-Match' => sub {
	my $path = path_of(task());
	problem_ok change($path, 'If-None-Match' => $_), 412, "a change unless $_" for '*', '"1"', 'W/"1"', '"5", "1"';
	problem_ok change($path, 'If-None-Match' => 'x'), 400, 'no list of tags';
	problem_ok $stack->request(PUT => $path, json => { title => 'x' }, headers => { 'If-None-Match' => '*' }), 412, 'PUT to what is there';
	problem_ok $stack->request(PUT => '/api/tasks/0', json => { title => 'x' }, headers => { 'If-None-Match' => '*' }), 404, 'PUT to what is not';
	is change($path, 'If-None-Match' => '"7"')->{status}, 200, 'of another version';
	problem_ok $stack->patch($path, json => { title => 'x' }, headers => { 'If-Match' => '"2"', 'If-None-Match' => '"2"' }), 412, 'both cannot be';
	is $stack->get($path, headers => { 'If-None-Match' => 'W/"2"' })->{status}, 304, 'a read answers 304';
	is $stack->get($path, headers => { 'If-Match' => '"2"' })->{status}, 200, 'If-Match of a read';
	problem_ok $stack->get($path, headers => { 'If-Match' => '"1"' }), 412, 'of another version';
};

subtest 'many at once: one wins each time' => sub {
	my $path = path_of(task());
	for my $round (1 .. 5) {
		my @replies = $stack->at_once(map { [ PATCH => $path, json => { title => "By $_" }, headers => { 'If-Match' => "\"$round\"" } ] } 1 .. 8);
		my @won = grep { $_->{status} == 200 } @replies;
		is scalar(@won), 1, "round $round: one has changed it";
		is_deeply [ grep { $_->{status} !~ /^(200|412)$/ } @replies ], [], 'the others have heard so';
		is $stack->get($path)->{json}{title}, $won[0]{json}{title}, 'and it is as the winner wrote';
	}
	is etag_of($stack->get($path)), '"6"', 'five changes';
};

subtest 'a counter that all raise' => sub {
	my $path = path_of(task());
	$stack->patch($path, json => { description => '0' });
	my @tries = $stack->in_processes(map {
		sub {
			my $tries = 0;
			for (1 .. 10) {
				my $reply;
				do {
					my $seen = $stack->get($path);
					$reply = $stack->patch($path, json => { description => '' . ($seen->{json}{description} + 1) }, headers => { 'If-Match' => etag_of($seen) });
					$tries++;
				} while $reply->{status} == 412;
				return "status $reply->{status}" if $reply->{status} != 200;
			}
			return $tries;
		}
	} 1 .. 4);
	is $stack->get($path)->{json}{description}, 40, "has been raised by each, after @tries tries";
};

subtest 'a change waits for another and then sees its version' => sub {
	my $path = path_of(task());
	my ($id) = $path =~ /(\d+)$/;
	my $lock = $stack->lock_table('tasks');
	my $both = $stack->begin([ PATCH => $path, json => { title => 'a' }, headers => { 'If-Match' => '"1"' } ], [ DELETE => $path, headers => { 'If-Match' => '"1"' } ]);
	$stack->wait_for(sub { $stack->waiting_for_locks == 2 }, 'both to wait', 10);
	$lock->release;
	my @status = sort map { $_->{status} } $both->();
	ok "@status" =~ /^(200 412|204 404)$/, "one of them comes second: @status";
};

subtest 'OpenAPI tells' => sub {
	my $document = $stack->get('/openapi.json')->{json};
	for my $method (qw(put patch delete)) {
		my $operation = $document->{paths}{'/api/tasks/{id}'}{$method};
		my ($header) = grep { $_->{in} eq 'header' && $_->{name} eq 'If-Match' } @{ $operation->{parameters} };
		ok $header && !$header->{required}, "$method takes If-Match";
		ok $operation->{responses}{412}, 'and may answer 412';
		ok !$operation->{responses}{428}, 'but never 428';
	}
	ok !grep({ $_->{in} eq 'header' } @{ $document->{paths}{'/api/tasks/{id}'}{get}{parameters} }), 'a read needs no such thing';
};

$stack->stop;

$stack = Ostler::Accounts->start(app => { threads => 4 });

sub set { my ($place, $balance, %headers) = @_; return $stack->request(PUT => "/$place", json => { balance => $balance }, headers => \%headers) }

subtest 'a route may ask for a condition' => sub {
	problem_ok set('accounts/1', 5), 428, 'without one';
	problem_ok set('accounts/1', 5, 'If-None-Match' => '"7"'), 428, 'another than it wants';
	is set('accounts/1', 5, 'If-Match' => '"1"')->{status}, 200, 'with it';
	problem_ok set('accounts/1', -1, 'If-Match' => '"2"'), 409, 'what the database does not take';
	problem_ok set('accounts/1', 6, 'If-Match' => '"1"'), 412, 'with an old one';
	is $stack->balances, '5 100 100', 'changed once';
	my $operation = $stack->get('/openapi.json')->{json}{paths}{'/accounts/{id}'}{put};
	my ($header) = grep { $_->{in} eq 'header' } @{ $operation->{parameters} };
	ok $header->{required}, 'OpenAPI says that it is required';
	ok $operation->{responses}{428}, 'and what is answered without';
};

subtest 'what has no versions' => sub {
	problem_ok set('plain/2', 1, 'If-Match' => '"1"'), 412, 'has no tag that could be the right one';
	problem_ok set('plain/2', 1, 'If-None-Match' => '*'), 412, 'but is there';
	is set('plain/2', 1, 'If-Match' => '*')->{status}, 200, 'which can be asked for';
	problem_ok set('plain/99', 1, 'If-Match' => '*'), 404, 'or not';
	is $stack->balances, '5 1 100', 'changed once';
};

subtest 'a handler that asks nothing' => sub {
	is set('nothing/3', 1, 'If-Match' => '"1"')->{status}, 204, 'the right version';
	problem_ok set('nothing/3', 1, 'If-Match' => '"2"'), 412, 'a wrong one';
	problem_ok set('nothing/99', 1, 'If-Match' => '"1"'), 412, 'of what is not there';
};

$stack->stop;
done_testing;
