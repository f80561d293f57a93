#!/usr/bin/perl
# tasks.t - one task: written down, read, changed, forgotten; by JSON and by plain forms.
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
my ($true, $false) = (JSON::PP::true, JSON::PP::false);
my $time = qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z\z/;

sub create
{
	my (%task) = @_;
	my $reply = $stack->post('/api/tasks', json => { title => 'A task', %task });
	is $reply->{status}, 201, 'a task is written down' or diag $reply->{content};
	return $reply->{json};
}

sub path_of { return "/api/tasks/$_[0]{id}" }

subtest 'a task is written down' => sub {
	my $reply = $stack->post('/api/tasks', json => { title => 'Feed the horses', description => 'All of them', completed => $true });
	is $reply->{status}, 201, 'created';
	my $task = $reply->{json};
	is_deeply [ sort keys %$task ], [ sort qw(id title description completed version created_at updated_at) ], 'the whole task comes back';
	is $task->{title}, 'Feed the horses', 'title';
	is $task->{description}, 'All of them', 'description';
	is $task->{completed}, $true, 'completed';
	is $task->{version}, 1, 'version';
	like $task->{$_}, $time, $_ for qw(created_at updated_at);
	is $reply->{headers}{location}, path_of($task), 'Location';
	is $reply->{headers}{etag}, '"1"', 'ETag';
	my $read = $stack->get($reply->{headers}{location});
	is $read->{status}, 200, 'it stands where Location says';
	is_deeply $read->{json}, $task, 'and is the same';
	is $read->{headers}{'cache-control'}, 'private, no-cache', 'and may be kept, but asked for again';
};

subtest 'what is not said has its default' => sub {
	my $task = create(title => 'Alone');
	is $task->{description}, '', 'no description';
	is $task->{completed}, $false, 'still to do';
};

subtest 'text is kept as it was sent' => sub {
	for my $title ('"quoted" \\ and / slashed', "tab\tand\nline", "\x{1}\x{1f}\x{7f}", 'São Paulo – ☃ 🐴', '<b>&amp;</b>',
		"'; DROP TABLE tasks; --", '%s%n$1', "\x{fffd}\x{10ffff}", 'ﷺ' x 50) {
		my $task = create(title => $title, description => $title x 2);
		is $task->{title}, $title, 'title';
		my $read = $stack->get(path_of($task))->{json};
		is $read->{title}, $title, 'title, read again';
		is $read->{description}, $title x 2, 'description, read again';
	}
};

subtest 'lengths are counted in characters' => sub {
	is $stack->post('/api/tasks', json => { title => '🐴' x 200, description => 'é' x 10_000 })->{status}, 201, 'the longest';
	problem_ok $stack->post('/api/tasks', json => { title => '🐴' x 201 }), 422, 'one more in the title', ['/title body'];
	problem_ok $stack->post('/api/tasks', json => { title => 'x', description => 'é' x 10_001 }), 422, 'one more in the description', ['/description body'];
};

subtest 'PUT writes a task anew' => sub {
	my $task = create(title => 'Old', description => 'Old text', completed => $true);
	my $reply = $stack->request(PUT => path_of($task), json => { title => 'New' });
	is $reply->{status}, 200, 'done';
	is $reply->{json}{title}, 'New', 'title';
	is $reply->{json}{description}, '', 'what was not given has its default';
	is $reply->{json}{completed}, $false, 'completed too';
	is $reply->{json}{version}, 2, 'the version is raised';
	is $reply->{headers}{etag}, '"2"', 'and the ETag';
	is $reply->{json}{created_at}, $task->{created_at}, 'it was created when it was';
	cmp_ok $reply->{json}{updated_at}, 'ge', $task->{updated_at}, 'and updated now';
	is_deeply $stack->get(path_of($task))->{json}, $reply->{json}, 'read again';
	problem_ok $stack->request(PUT => path_of($task), json => { description => 'x' }), 422, 'without a title', ['/title body'];
	is $stack->get(path_of($task))->{json}{version}, 2, 'which changed nothing';
};

subtest 'PATCH changes what is given and nothing else' => sub {
	my $task = create(title => 'Title', description => 'Text');
	my %expected = (%$task);
	my $version = 1;
	for my $change ({ completed => $true }, { title => 'Other' }, { description => '' }, { completed => $false },
		{ title => 'Both', description => 'of them' }) {
		my $reply = $stack->patch(path_of($task), json => $change);
		is $reply->{status}, 200, 'done: ' . join ', ', sort keys %$change;
		%expected = (%expected, %$change, version => ++$version, updated_at => $reply->{json}{updated_at});
		is_deeply $reply->{json}, \%expected, 'the whole task comes back';
	}
	my $reply = $stack->patch(path_of($task), json => {});
	is $reply->{status}, 200, 'an empty PATCH';
	is_deeply $reply->{json}, \%expected, 'changes nothing, not even the version';
	problem_ok $stack->patch(path_of($task), json => { title => undef }), 422, 'null', ['/title body'];
	problem_ok $stack->patch(path_of($task), json => { title => 'x' x 201, completed => 1, id => 7 }), 422, 'wrong in three places',
	    [ '/title body', '/completed body', '/id body' ];
	is_deeply $stack->get(path_of($task))->{json}, \%expected, 'which changed nothing';
};

subtest 'changes at the same time are all counted' => sub {
	my $task = create();
	my @replies = $stack->at_once(map { [ PATCH => path_of($task), json => { title => "By $_" } ] } 1 .. 12);
	is_deeply [ map { $_->{status} } @replies ], [ (200) x 12 ], 'all done';
	is_deeply [ sort { $a <=> $b } map { $_->{json}{version} } @replies ], [ 2 .. 13 ], 'each has a version of its own';
};

subtest 'DELETE forgets a task' => sub {
	my $task = create();
	my $reply = $stack->delete(path_of($task));
	is $reply->{status}, 204, 'done';
	is $reply->{content} // '', '', 'with no content';
	problem_ok $stack->get(path_of($task)), 404, 'it is gone';
	problem_ok $stack->delete(path_of($task)), 404, 'deleting it again';
	problem_ok $stack->patch(path_of($task), json => { title => 'x' }), 404, 'changing it';
	problem_ok $stack->request(PUT => path_of($task), json => { title => 'x' }), 404, 'writing it anew';
	is $stack->psql("SELECT count(*) FROM tasks WHERE id = $task->{id}"), 0, 'in the table too';
};

subtest 'a task of somebody else is not there' => sub {
	my $id = $stack->psql(q{INSERT INTO tasks (user_id, title) SELECT id, 'Of Ana' FROM users WHERE username = 'ana' RETURNING id});
	my $path = "/api/tasks/$id";
	problem_ok $stack->get($path), 404, 'GET';
	problem_ok $stack->request(PUT => $path, json => { title => 'Mine' }), 404, 'PUT';
	problem_ok $stack->patch($path, json => { title => 'Mine' }), 404, 'PATCH';
	problem_ok $stack->patch($path, json => {}), 404, 'an empty PATCH';
	problem_ok $stack->delete($path), 404, 'DELETE';
	problem_ok $stack->post("/complete/$id"), 404, 'completing it by form';
	problem_ok $stack->post("/delete/$id"), 404, 'deleting it by form';
	is $stack->psql("SELECT title, completed, version FROM tasks WHERE id = $id"), 'Of Ana|f|1', 'and it is as it was';
};

subtest 'a client that has the task is told so' => sub {
	my $task = create();
	my $ask = sub { return $stack->get(path_of($task), headers => { 'If-None-Match' => $_[0] }) };
	for my $same ('"1"', 'W/"1"', '"0", "1"', 'W/"x",W/"1" ', '*') {
		my $reply = $ask->($same);
		is $reply->{status}, 304, "If-None-Match: $same";
		is $reply->{content} // '', '', 'no content';
		is $reply->{headers}{etag}, '"1"', 'the ETag again';
	}
	is $ask->($_)->{status}, 200, "If-None-Match: $_" for '"2"', '1', '""', 'W/"11"';
	is $stack->request(HEAD => path_of($task), headers => { 'If-None-Match' => '"1"' })->{status}, 304, 'HEAD too';
	$stack->patch(path_of($task), json => { completed => $true });
	my $reply = $ask->('"1"');
	is $reply->{status}, 200, 'after a change it is sent again';
	is $reply->{headers}{etag}, '"2"', 'under another ETag';
	problem_ok $stack->patch(path_of($task), json => { title => 'x' }, headers => { 'If-None-Match' => '"2"' }), 412,
	    'a change that must not meet it is refused';
};

subtest 'a compressed task is the same task' => sub {
	my $task = create(description => 'word ' x 400);
	my $reply = $stack->get(path_of($task), headers => { 'Accept-Encoding' => 'gzip' });
	is $reply->{headers}{'content-encoding'}, 'gzip', 'compressed';
	is $reply->{headers}{etag}, 'W/"1"', 'its ETag is weak';
	is $stack->get(path_of($task), headers => { 'Accept-Encoding' => 'gzip', 'If-None-Match' => 'W/"1"' })->{status}, 304,
	    'and recognized when it comes back';
};

subtest 'plain forms do the same and go back to the page' => sub {
	my $reply = $stack->post('/add', form => { title => 'By form é', description => 'a+b & c' });
	is $reply->{status}, 303, 'add';
	is $reply->{headers}{location}, '/', 'back to the page';
	my $task = $stack->get('/api/tasks?limit=1')->{json}{items}[0];
	is $task->{title}, 'By form é', 'title';
	is $task->{description}, 'a+b & c', 'description';
	is $task->{completed}, $false, 'still to do';
	$reply = $stack->post("/complete/$task->{id}", form => {});
	is $reply->{status}, 303, 'complete';
	is $reply->{headers}{location}, '/', 'back to the page';
	is $stack->get(path_of($task))->{json}{completed}, $true, 'it is done';
	is $stack->post("/complete/$task->{id}", content => 'anything', headers => { 'Content-Type' => 'text/plain' })->{status}, 303,
	    'whatever the body is, which is not asked for';
	is $stack->post("/delete/$task->{id}")->{status}, 303, 'delete';
	problem_ok $stack->get(path_of($task)), 404, 'it is gone';
	problem_ok $stack->post("/delete/$task->{id}"), 404, 'deleting it again';
	problem_ok $stack->post('/add', form => { titel => 'x' }), 422, 'a form with errors', [ '/titel body', '/title body' ];
	problem_ok $stack->post('/add', json => { title => 'x' }), 415, 'JSON where a form is expected';
	for my $path ("/complete/$task->{id}", "/delete/$task->{id}", '/add') {
		my $get = $stack->get($path);
		problem_ok $get, 405, "GET $path";
		is $get->{headers}{allow}, 'POST, OPTIONS', 'Allow';
	}
};

is $stack->workers, $workers, 'the workers are those of the beginning';
$stack->stop;
done_testing;
