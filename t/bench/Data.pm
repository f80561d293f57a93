# Data.pm - what the database and Redis hold before anything is measured.
package Data;
use strict;
use warnings;
use Exporter 'import';

our @EXPORT_OK = qw(fill);

use constant { TASKS => 1_000_000, USERS => 1_000, OF_DEMO => 500 };

# Runs statements at once, each in a session of its own.
sub together
{
	my ($stack, @sql) = @_;
	my @pids = map {
		my $sql = $_;
		my $pid = fork // die "cannot fork: $!";
		# Nothing of the parent's may come to pass in the child's END.
		POSIX::_exit(eval { $stack->psql($sql, 'postgres'); 1 } ? 0 : 1) if $pid == 0;
		$pid;
	} @sql;
	my $failed = 0;
	for my $pid (@pids) {
		waitpid $pid, 0;
		$failed = 1 if $? != 0;
	}
	die "the data could not be loaded\n" if $failed;
}

# Every 2,000th task is the demo user's, so that theirs lie all over the table.  No task refers to a
# user who is not there: with replication's role the check is spared.
sub tasks
{
	my ($from, $to) = @_;
	my $every = TASKS / OF_DEMO;
	my $users = USERS;
	return qq{SET session_replication_role = replica; SET synchronous_commit = off;
		INSERT INTO tasks (user_id, title, description, completed, created_at, updated_at)
		SELECT CASE WHEN n % $every = 0 THEN demo ELSE ids[1 + n % $users] END,
			'Task number ' || n || ' of many',
			'Bring it to an end before the week is over; ask ' ||
				(ARRAY['Ana', 'Bruno', 'Clara'])[1 + n % 3] || ' when in doubt.',
			n % 3 = 0, now() - n * interval '1 second', now() - n * interval '1 second'
		FROM generate_series($from, $to) AS n,
			(SELECT array_agg(id) AS ids FROM users WHERE username LIKE 'bench%') AS others,
			(SELECT id AS demo FROM users WHERE username = 'demo') AS demo};
}

sub fill_database
{
	my ($stack) = @_;
	my ($half, $all, $users) = (TASKS / 2, TASKS, USERS);
	my %index = $stack->psql(q{SELECT indexname || '=' || indexdef FROM pg_indexes
		WHERE tablename = 'tasks' AND indexname <> 'tasks_pkey'}) =~ /^(\w+)=(.*)$/mg;
	$stack->psql(qq{INSERT INTO users (username, name, email)
		SELECT 'bench' || n, 'Bench ' || n, 'bench' || n || '\@example.org' FROM generate_series(1, $users) AS n});
	# Indexes are made faster when the rows are there; these are the same as before.
	$stack->psql('DROP INDEX ' . join ', ', sort keys %index);
	together($stack, tasks(1, $half), tasks($half + 1, $all));
	together($stack, map { "SET maintenance_work_mem = '256MB'; $index{$_}" } sort keys %index);
	$stack->psql('VACUUM ANALYZE tasks, users', 'postgres');
	$stack->psql('CHECKPOINT', 'postgres');
}

# About 600 bytes, as the sales report of a month is: what t/bench/bench.c answers, for the other worker.
sub report
{
	my @regions = map { qq({"region":"$_","total":12345.60,"orders":321,"average":38.46}) }
	    'Norte', 'Nordeste', 'Centro-Oeste', 'Sudeste', 'Sul', 'Exterior', 'Loja virtual', 'Outras';
	return '{"mes":"2026-01","regions":[' . join(',', @regions) . ']}';
}

# Fills both; writes the paths of all the demo user's tasks to FILE.
sub fill
{
	my ($stack, $file) = @_;
	fill_database($stack);
	my ($said) = Ostler::run('redis-cli', '-s', $stack->var . '/sock/redis-cache.sock', 'SET', 'bench:minimal', report());
	die "Redis does not take the report: $said\n" unless $said =~ /^OK/;
	open my $out, '>', $file or die "cannot write $file: $!\n";
	print {$out} $stack->psql(q{SELECT '/api/tasks/' || tasks.id FROM tasks, users
		WHERE users.id = user_id AND username = 'demo' ORDER BY tasks.id}), "\n";
	close $out or die "cannot write $file: $!\n";
}

1;
