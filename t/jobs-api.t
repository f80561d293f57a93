#!/usr/bin/perl
# jobs-api.t - what callers and operators see of jobs, and what they can do about them.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::Chores;
use Ostler::App;
use Test::More;

my $stack = Ostler::Chores->start(jobs => 2);
my $nobody = '01a00000-0000-7000-8000-000000000000';

sub task { my ($id) = @_; return $stack->get("/api/task/$id") }

sub until_status
{
	my ($id, $status) = @_;
	$stack->wait_for(sub { task($id)->{json}{status} eq $status }, "task $id to be $status", 30);
	return task($id);
}

sub kind { my ($name) = @_; my ($kind) = grep { $_->{kind} eq $name } @{ $stack->get('/api/jobs/kinds')->{json}{items} }; return $kind }
sub pause { my ($kind) = @_; return $stack->post("/api/jobs/kinds/$kind/pause")->{status} }
sub resume { my ($kind) = @_; return $stack->post("/api/jobs/kinds/$kind/resume")->{status} }

subtest 'how far it is' => sub {
	my $id = $stack->enqueue('chores.slow', { name => 'x', ms => 1500 });
	my $running = until_status($id, 'running');
	is $running->{headers}{'retry-after'}, 1, 'while it runs the answer says when to ask again';
	is_deeply [ sort keys %{ $running->{json} } ], [qw(attempt created_at error finished_at id kind progress result started_at status)], 'it has the members that it should';
	my $some = $stack->wait_for(sub { (task($id)->{json}{progress} // 0) > 0 }, 'some progress', 10);
	my $done = until_status($id, 'completed');
	is $done->{headers}{'retry-after'}, undef, 'when it has ended there is nothing to wait for';
	is_deeply $done->{json}{result}, { slept => JSON::PP::true }, 'it has its result';
	is "$done->{json}{kind} $done->{json}{attempt}", 'chores.slow 1', 'kind and attempt';
	like $done->{json}{finished_at}, qr/^\d{4}-\d\d-\d\dT[\d:.]+Z$/, 'and the time of its end';
	my $failing = $stack->enqueue('chores.fail');
	my $retrying = until_status($failing, 'retrying');
	is $retrying->{json}{error}, 'no luck with "x"', 'one that will be tried again says why it failed';
	is until_status($failing, 'failed')->{json}{attempt}, 3, 'and fails in the end';
	problem_ok task($nobody), 404, 'a job that never was';
	problem_ok task('nonsense'), 404, 'an id that is none';
};

subtest 'cancelling' => sub {
	my $later = $stack->post('/later', json => { delay_ms => 3600000 })->{json}{task_id};
	my $reply = $stack->delete("/api/task/$later");
	is $reply->{status}, 202, 'one that waits';
	is $reply->{json}{status}, 'cancelled', 'is cancelled at once';
	is $stack->delete("/api/task/$later")->{status}, 202, 'twice is harmless';
	my $id = $stack->enqueue('chores.slow', { name => 'x', ms => 60000 });
	until_status($id, 'running');
	is $stack->delete("/api/task/$id")->{json}{status}, 'running', 'one that runs is told to stop';
	until_status($id, 'cancelled');
	is $stack->effects("job = '$id'"), 0, 'and has no effect';
	my $done = $stack->enqueue('chores.note');
	until_status($done, 'completed');
	problem_ok $stack->delete("/api/task/$done"), 409, 'one that has ended';
	problem_ok $stack->delete("/api/task/$nobody"), 404, 'one that never was';
	my $failing = $stack->enqueue('chores.fail');
	until_status($failing, 'retrying');
	is $stack->post("/api/jobs/$failing/cancel")->{status}, 202, 'operators can, too';
	is $stack->state_of($failing), 'cancelled', 'one that would be tried again';
};

# To others it is as if it were not there: nothing tells them that it is.
subtest 'somebody else\'s' => sub {
	my $mine = sub { return $stack->post('/mine', as => 'user', json => { delay_ms => 3600000 })->{json}{task_id} };
	my $others = $stack->post('/mine', as => 'manager', json => { delay_ms => 3600000 })->{json}{task_id};
	my $id = $mine->();
	is $stack->get("/api/task/$id", as => 'user')->{json}{status}, 'queued', 'who asked for it reads it';
	for my $case ([ viewer => $id ], [ user => $others ]) {
		my ($other, $theirs) = @$case;
		my $read = $stack->get("/api/task/$theirs", as => $other);
		problem_ok $read, 404, "$other cannot";
		is $read->{json}{detail}, $stack->get("/api/task/$nobody", as => $other)->{json}{detail}, 'and is told what is told of one that never was';
	}
	problem_ok $stack->delete("/api/task/$others", as => 'user'), 404, 'nor cancel it';
	problem_ok $stack->delete("/api/task/$id", as => 'viewer'), 403, 'a viewer cancels nothing';
	problem_ok $stack->request($_ => "/api/task/$id", as => undef), 401, "nobody: $_" for qw(GET DELETE);
	is $stack->get("/api/task/$_->[1]", as => $_->[0])->{json}{status}, 'queued', "that of $_->[0] waits as before" for [ user => $id ], [ manager => $others ];
	is $stack->delete("/api/task/$id", as => 'user')->{json}{status}, 'cancelled', 'who asked for it cancels it';
	my $second = $mine->();
	is $stack->delete("/api/task/$second", as => 'manager')->{json}{status}, 'cancelled', 'as can a manager, who looks after all';
};

subtest 'kinds' => sub {
	$stack->clear;
	is pause('chores.note'), 204, 'a kind is paused';
	$stack->enqueue('chores.note') for 1 .. 3;
	my $other = $stack->enqueue('chores.again');
	until_status($other, 'completed');
	my $kind = kind('chores.note');
	is $kind->{queued}, 3, 'its jobs wait while others are done';
	like $kind->{paused_at}, qr/Z$/, 'and it says since when it is paused';
	cmp_ok $kind->{oldest_seconds}, '>', 0, 'and how long the oldest has waited';
	is resume('chores.note'), 204, 'it is resumed';
	$stack->until_over;
	$stack->wait_for(sub { kind('chores.note')->{completed_per_minute} > 0 }, 'the figures', 10);
	cmp_ok kind('chores.note')->{mean_ms}, '>', 0, 'figures of what was done';
	problem_ok $stack->post('/api/jobs/kinds/chores.nothing/pause'), 404, 'a kind that is none';
	$stack->psql(q{INSERT INTO job (id, kind, priority, max_attempts, args) VALUES (gen_random_uuid(), 'gone.kind', 100, 1, '{}')});
	is kind('gone.kind')->{queued}, 1, 'a kind that nobody runs any more is seen as long as it has jobs';
	$stack->psql(q{DELETE FROM job WHERE kind = 'gone.kind'});
};

subtest 'lists' => sub {
	$stack->clear;
	$stack->enqueue('chores.note') for 1 .. 5;
	$stack->enqueue('chores.refuse', { name => 'bad' });
	$stack->post('/later', json => { delay_ms => 3600000 });
	$stack->wait_for(sub { $stack->waiting == 1 }, 'all but one to end', 30);
	my $all = $stack->get('/api/jobs')->{json};
	is scalar(@{ $all->{items} }), 7, 'all of them';
	is $all->{items}[0]{status}, 'queued', 'the newest first';
	is_deeply $all->{items}[1]{args}, { name => 'bad', ms => 0 }, 'with their arguments';
	my %count = map { my $status = $_; $status => scalar @{ $stack->get("/api/jobs?status=$status")->{json}{items} } } qw(queued running retrying completed failed cancelled);
	is_deeply \%count, { queued => 1, running => 0, retrying => 0, completed => 5, failed => 1, cancelled => 0 }, 'by status';
	is scalar(@{ $stack->get('/api/jobs?kind=chores.refuse')->{json}{items} }), 1, 'by kind';
	is scalar(@{ $stack->get('/api/jobs?kind=chores.note&status=failed')->{json}{items} }), 0, 'by both';
	my (@ids, $next);
	do {
		my $page = $stack->get('/api/jobs?limit=3' . ($next ? "&after=$next" : ''));
		push @ids, map { $_->{id} } @{ $page->{json}{items} };
		$next = $page->{json}{next};
	} while $next && @ids < 20;
	is_deeply \@ids, [ map { $_->{id} } @{ $all->{items} } ], 'page by page it is the same';
	problem_ok $stack->get('/api/jobs?status=nice'), 422, 'a status that is none';
	my $job = $stack->get("/api/jobs/$ids[1]")->{json};
	is $job->{error}, 'rather not', 'one job, with its error';
	problem_ok $stack->get("/api/jobs/$nobody"), 404, 'one that never was';
};

subtest 'dead letters' => sub {
	$stack->clear;
	my @dead = map { $stack->enqueue('chores.refuse') } 1 .. 3;
	my $other = $stack->enqueue('chores.doomed');
	$stack->until_over;
	pause($_) for qw(chores.refuse chores.doomed);
	my $again = $stack->post("/api/jobs/$dead[0]/retry");
	is $again->{status}, 202, 'one is tried again';
	is $again->{json}{status}, 'queued', 'it waits, as the same job';
	is $again->{json}{attempt}, 0, 'with all its attempts before it';
	is $stack->post('/api/jobs/redrive', json => { kind => 'chores.refuse', limit => 1 })->{json}{redriven}, 1, 'so many of a kind';
	is $stack->post('/api/jobs/redrive', json => {})->{json}{redriven}, 2, 'and all that are left';
	is $stack->waiting, 4, 'all wait';
	is $stack->doubles, 0, 'none is dead as well';
	resume($_) for qw(chores.refuse chores.doomed);
	$stack->until_over;
	is $stack->ended, 'discarded 4', 'they fail again, each once';
	my $late = $stack->post('/later', json => { delay_ms => 3600000 })->{json}{task_id};
	is $stack->post("/api/jobs/$late/retry")->{status}, 202, 'one that waits for its time is hurried';
	until_status($late, 'completed');
	problem_ok $stack->post("/api/jobs/$late/retry"), 409, 'one that went well is not tried again';
	problem_ok $stack->post("/api/jobs/$nobody/retry"), 404, 'one that never was';
};

is $stack->doubles, 0, 'no job is in two places';
$stack->stop;
done_testing;
