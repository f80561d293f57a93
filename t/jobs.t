#!/usr/bin/perl
# jobs.t - a job that was enqueued is done, once, and ends in one state, with all that was said of it.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::Chores;
use Test::More;

my $stack = Ostler::Chores->start(jobs => 2);

subtest 'a job is done' => sub {
	my $trace = '0af7651916cd43dd8448eb211c80319c';
	my $reply = $stack->post('/order', json => { kind => 'chores.note', args => '{"name":"first"}' },
	    headers => { traceparent => "00-$trace-b7ad6b7169203331-01" });
	is $reply->{status}, 202, 'it is accepted';
	my $id = $reply->{json}{task_id};
	is $reply->{headers}{location}, "/api/task/$id", 'it says where to ask how it goes';
	is $reply->{headers}{'retry-after'}, 1, 'and when';
	$stack->until_state($id, 'completed');
	is $stack->effects("job = '$id' AND name = 'first'"), 1, 'its effect is there';
	is $stack->value_of($id, 'attempt'), 1, 'it took one attempt';
	$stack->wait_for(sub { $stack->job_lines($id) }, 'its line in the log', 10);
	my ($line) = $stack->job_lines($id);
	is $line->{trace_id}, $trace, 'the log line is of the same trace as the request';
	is $line->{status}, 'completed', 'and says how it ended';
	is $line->{kind}, 'chores.note', 'of which kind it was';
};

subtest 'what it takes is checked when it is enqueued' => sub {
	for my $wrong ([ 'chores.note', '{}', qr/name is missing/ ], [ 'chores.note', '{"name":"x","ms":-1}', qr/ms must be 0/ ],
		[ 'chores.note', '{"name":"x","colour":1}', qr/colour is unknown/ ], [ 'chores.note', '[]', qr/must be a JSON object/ ],
		[ 'chores.notes', '{}', qr/no job "chores\.notes"; did you mean "chores\.note"/ ], [ 'chores.month', '{"mes":"2025-13"}', qr/mes must be a month/ ]) {
		my ($kind, $args, $why) = @$wrong;
		my $reply = $stack->post('/order', json => { kind => $kind, args => $args });
		is $reply->{status}, 422, "$kind $args";
		like $reply->{json}{detail}, $why, 'is told why';
	}
	is $stack->post('/wrongly', json => {})->{status}, 500, 'a struct of ours that does not fit is our mistake';
	is $stack->waiting, 0, 'nothing of it is in the queue';
};

subtest 'together with the caller\'s own writes' => sub {
	my $reply = $stack->post('/together', json => {});
	is $reply->{status}, 202, 'both are there';
	$stack->until_state($reply->{json}{task_id}, 'completed');
	is $stack->effects(q{name = 'order'}), 1, 'the order';
	is $stack->effects(q{name = 'together'}), 1, 'and what its job does';
	is $stack->post('/together', json => { fail => \1 })->{status}, 409, 'the caller changes its mind';
	$stack->until_over;
	is $stack->effects(q{name = 'order'}), 1, 'neither the order';
	is $stack->effects(q{name = 'together'}), 1, 'nor its job were ever there';
};

subtest 'later' => sub {
	my $reply = $stack->post('/later', json => { delay_ms => 1500 });
	my $id = $reply->{json}{task_id};
	is $stack->state_of($id), 'scheduled', 'it waits for its time';
	$stack->until_state($id, 'completed');
	cmp_ok $stack->psql("SELECT extract(epoch FROM at - created_at) * 1000 FROM effects, job_done WHERE job = id AND id = '$id'"), '>=', 1500, 'and is not done before';
	my $far = $stack->post('/later', json => { run_at => '2999-01-01T00:00:00Z' })->{json}{task_id};
	is $stack->state_of($far), 'scheduled', 'or at a moment that is named';
	$stack->psql("DELETE FROM job WHERE id = '$far'");
};

subtest 'failures' => sub {
	my %id = map { $_ => $stack->enqueue("chores.$_") } qw(fail second refuse wrong nonsense);
	$stack->until_over;
	is $stack->state_of($id{fail}), 'discarded', 'one that always fails ends as a dead letter';
	is $stack->value_of($id{fail}, 'attempt'), 3, 'after as many attempts as its kind has';
	is $stack->value_of($id{fail}, 'last_error'), 'no luck with "x"', 'with the error';
	is $stack->effects("job = '$id{fail}'"), 0, 'what a failed attempt did is undone';
	is $stack->state_of($id{second}), 'completed', 'one that fails once is tried again';
	is $stack->value_of($id{second}, 'attempt'), 2, 'at its second attempt it is done';
	is $stack->effects("job = '$id{second}'"), 1, 'once';
	is $stack->state_of($id{refuse}), 'discarded', 'one that is refused is a dead letter at once';
	is $stack->value_of($id{refuse}, 'attempt || last_error'), '1rather not', 'after one attempt';
	is $stack->value_of($id{wrong}, 'last_error'), 'a statement is wrong; the log has it', 'a wrong statement is its failure, though it says that it is done';
	is $stack->value_of($id{nonsense}, 'state || last_error'), 'discardedthe database does not take its result, or its error', 'a result that is no JSON holds nobody up';
};

subtest 'one month, one job' => sub {
	# Nobody runs them yet.
	$stack->psql(q{INSERT INTO job_kind (kind, paused_at) VALUES ('chores.month', now()) ON CONFLICT (kind) DO UPDATE SET paused_at = now()});
	my @same = map { $stack->enqueue('chores.month', { mes => '2025-01', note => "n$_" }) } 1 .. 3;
	is $same[$_], $same[0], 'the same month gives the same job' for 1, 2;
	my $other = $stack->enqueue('chores.month', { mes => '2025-02' });
	isnt $other, $same[0], 'another month another';
	$stack->psql(q{UPDATE job_kind SET paused_at = NULL WHERE kind = 'chores.month'});
	$stack->until_over;
	is $stack->effects(q{name = '2025-01'}), 1, 'it is done once';
	my $next = $stack->enqueue('chores.month', { mes => '2025-01' });
	isnt $next, $same[0], 'what is enqueued after that is a new one';
	$stack->until_over;
	is $stack->effects(q{name = '2025-01'}), 2, 'and is done, too';
};

subtest 'priorities' => sub {
	$stack->psql(q{UPDATE job_kind SET paused_at = now()});
	$stack->enqueue_many('chores.note', 300);
	my @urgent = map { $stack->enqueue('chores.urgent') } 1 .. 3;
	$stack->psql(q{UPDATE job_kind SET paused_at = NULL});
	$stack->until_over;
	my $list = join ', ', map { "'$_'" } @urgent;
	cmp_ok $stack->psql("SELECT max(n) FROM (SELECT job, row_number() OVER (ORDER BY at) AS n FROM effects WHERE name ~ '^(n[0-9]+|x)\$' AND at > (SELECT min(created_at) FROM job_done WHERE id IN ($list)) ) AS o WHERE job IN ($list)"), '<', 10, 'the urgent ones come first';
};

subtest 'limits' => sub {
	$stack->clear;
	$stack->enqueue('chores.single', { name => 'x', ms => 50 }) for 1 .. 10;
	$stack->until_over;
	is $stack->effects, 20, 'all are done';
	is $stack->psql(q{SELECT max(running) FROM (SELECT sum(CASE name WHEN 'begin' THEN 1 ELSE -1 END) OVER (ORDER BY at) AS running FROM effects) AS r}), 1, 'never two at once';
	$stack->clear;
	$stack->enqueue_many('chores.trickle', 16);
	$stack->until_over;
	is $stack->effects, 16, 'all are done';
	cmp_ok $stack->psql('SELECT extract(epoch FROM max(at) - min(at)) FROM effects'), '>=', 2, 'no more than five in a second, after the five that were saved up';
};

subtest 'by hand' => sub {
	$stack->clear;
	my ($id, $status) = $stack->role('enqueue', 'chores.note', '{"name":"by hand"}');
	is $status, 0, 'enqueue';
	chomp $id;
	$stack->until_state($id, 'completed');
	is $stack->effects(q{name = 'by hand'}), 1, 'it is done';
	for my $wrong ([ 'chores.note', '{}' ], [ 'chores.nothing' ], ['chores.note', '{"name":']) {
		(undef, $status) = $stack->role('enqueue', @$wrong);
		is $status, 1, "enqueue @$wrong is refused";
	}
	(undef, $status) = $stack->role('enqueue');
	is $status, 2, 'enqueue of nothing';
	(undef, $status) = $stack->role('jobs', '--twice');
	is $status, 2, 'jobs --twice';
};

is $stack->doubles, 0, 'no job is in two places';
$stack->stop;
done_testing;
