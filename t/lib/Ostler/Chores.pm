# Chores.pm - a stack whose workers are t/programs/chores.c, with the table of what its jobs have done.
#
#     my $stack = Ostler::Chores->start(jobs => 2, app => { jobs_lease => '2s' });
#                                            # before => { jobs => [ 'faketime', '+1h' ] }: in front of a pool's command
#     my $id = $stack->enqueue('chores.note', { name => 'a' });
#     $stack->until_over;                       # nothing waits or runs any more
#     is $stack->state_of($id), 'completed';
#     is $stack->effects, 1;
package Ostler::Chores;
use strict;
use warnings;
use JSON::PP ();

use Ostler::App;
use Ostler::Programs;

our @ISA = ('Ostler::App');

my $program;

sub new
{
	my ($class, %options) = @_;
	$options{env}{JOBS} = $options{jobs} // 1;
	$options{app} = { jobs_lease => '2s', jobs_beat => '100ms', jobs_idle => '200ms', jobs_upkeep => '50ms', database_retry => '200ms', %{ $options{app} // {} } };
	my $self = $class->SUPER::new(ready => '/ping', %options);
	for my $pool (qw(web jobs)) {
		$self->{options}{pools}{$pool}{command} = [ @{ $options{before}{$pool} // [] }, program(), '-c', $self->conf, $pool ];
	}
	$self->{options}{pools}{jobs}{$_} //= '100ms' for qw(watch_interval backoff_first);
	$self->{options}{pools}{jobs}{backoff_longest} //= '200ms';
	return $self;
}

sub conf { return $_[0]->var . '/etc/ostler-app.conf' }

sub launch
{
	my ($self) = @_;
	$self->SUPER::launch;
	$self->psql('CREATE TABLE IF NOT EXISTS effects (job uuid, name text, attempt bigint, at timestamptz DEFAULT clock_timestamp())');
	return;
}

# Runs a role of the program; returns its output and its exit status.
sub role
{
	my ($self, @words) = @_;
	return Ostler::run($program, '-c', $self->conf, @words);
}

sub program { return $program //= Ostler::Programs::application('chores', 'jobs') }

# Enqueues by the web; returns the job's id.
sub enqueue
{
	my ($self, $kind, $args) = @_;
	my $reply = $self->post('/order', json => { kind => $kind, args => JSON::PP->new->canonical->encode($args // { name => 'x' }) });
	die "not enqueued: $reply->{status} $reply->{content}\n" if $reply->{status} != 202;
	return $reply->{json}{task_id};
}

# COUNT jobs of a kind, straight into the table; no worker is told.
sub enqueue_many
{
	my ($self, $kind, $count, $max_attempts) = @_;
	$max_attempts //= 10;
	$self->psql(qq{INSERT INTO job (id, kind, priority, max_attempts, args)
		SELECT gen_random_uuid(), '$kind', 100, $max_attempts, json_build_object('name', 'n' || n) FROM generate_series(1, $count) n}, 'postgres');
}

# The state of a job, wherever it is; of one that is nowhere, or twice, a text that says so.
sub state_of
{
	my ($self, $id) = @_;
	return $self->psql("SELECT coalesce(string_agg(state, ' and '), 'gone') FROM (SELECT state::text FROM job WHERE id = '$id'"
	    . " UNION ALL SELECT state::text FROM job_done WHERE id = '$id') AS found");
}

# A column of a job.
sub value_of
{
	my ($self, $id, $column) = @_;
	return $self->psql("SELECT $column FROM job WHERE id = '$id' UNION ALL SELECT $column FROM job_done WHERE id = '$id'");
}

sub until_state
{
	my ($self, $id, $state, $seconds) = @_;
	return $self->wait_for(sub { $self->state_of($id) eq $state }, "job $id to be $state", $seconds // 30);
}

sub waiting { return $_[0]->psql('SELECT count(*) FROM job') }

sub until_over
{
	my ($self, $seconds) = @_;
	return $self->wait_for(sub { $self->waiting == 0 }, 'all jobs to have ended', $seconds // 60);
}

# How often WHERE something was done.
sub effects
{
	my ($self, $where) = @_;
	return $self->psql('SELECT count(*) FROM effects WHERE ' . ($where // 'true'));
}

# "completed 10, discarded 2": how jobs have ended.
sub ended
{
	my ($self, $where) = @_;
	return $self->psql(q{SELECT coalesce(string_agg(state || ' ' || n, ', ' ORDER BY state), '') FROM (SELECT state::text, count(*) AS n FROM job_done WHERE }
	    . ($where // 'true') . ' GROUP BY state) AS by_state');
}

# Jobs that are in the queue and in the history, or in the history twice.
sub doubles
{
	my ($self) = @_;
	return $self->psql('SELECT count(*) FROM (SELECT id FROM (SELECT id FROM job UNION ALL SELECT id FROM job_done) AS every GROUP BY id HAVING count(*) > 1) AS twice');
}

# Forgets all jobs and all effects.
sub clear
{
	my ($self) = @_;
	$self->psql('TRUNCATE job, job_done, effects');
}

# With what the workers say: a sanitizer may complain there.
sub app_log { my ($self) = @_; return $self->SUPER::app_log . $self->log_of('jobs.log') }

# The lines that jobs have left in the log, decoded.
sub job_lines
{
	my ($self, $id) = @_;
	return grep { ($_->{message} // '') eq 'job' && (!$id || $_->{job_id} eq $id) }
	    map { eval { JSON::PP::decode_json($_) } // () } split /\n/, $self->log_of('jobs.log');
}

1;
