# App.pm - a stack whose application is tested: problems, workers, requests at once, its log.
#
#     my $stack = Ostler::App->start(app => { threads => 4 });
#     my $workers = $stack->workers;                       # before
#     problem_ok $stack->get('/nothing'), 404, 'a path of nobody';
#     my @replies = $stack->at_once([ GET => '/ping' ], [ GET => '/api/tasks' ]);
#     is $stack->workers, $workers, 'no worker died';
#     $stack->stop;
package Ostler::App;
use strict;
use warnings;
use Exporter 'import';
use IPC::Open2 qw(open2);
use JSON::PP ();
use Storable ();
use Test::More ();
use Time::HiRes qw(time);

use Ostler;
use Ostler::Awake;

our @ISA = ('Ostler');
our @EXPORT = qw(problem_ok faults_of);

# The process ids of the web workers, as a text to compare.
sub workers
{
	my ($self) = @_;
	return join ' ', sort { $a <=> $b } $self->pids('web');
}

# How many tasks there are in the table, whoever owns them.
sub task_count { return $_[0]->psql('SELECT count(*) FROM tasks') }

# A request, with the seconds it took, and those of them in which the machine was awake.
sub timed
{
	my ($self, @request) = @_;
	my ($began, $awake) = (time, awake);
	my $reply = $self->request(@request);
	return { %$reply, seconds => time - $began, awake => awake - $awake };
}

# Sends all requests at the same time, each from a process of its own; returns their replies, as timed
# does.  A request is what Ostler::Http's request takes.
sub at_once
{
	my ($self, @requests) = @_;
	return $self->in_processes(map { my $request = $_; sub { $self->timed(@$request) } } @requests);
}

# Begins what at_once does; the sub returned waits for the replies.
sub begin
{
	my ($self, @requests) = @_;
	my @pending = map { my $request = $_; spawn(sub { $self->timed(@$request) }) } @requests;
	return sub { return map { collect($_) } @pending };
}

# Calls each sub in a process of its own; returns what they return, one value each.
sub in_processes
{
	my ($self, @subs) = @_;
	return map { collect($_) } map { spawn($_) } @subs;
}

sub spawn
{
	my ($sub) = @_;
	pipe my $in, my $out or die "cannot make a pipe: $!";
	my $pid = fork // die "cannot fork: $!";
	if ($pid == 0) {
		close $in;
		$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
		# JSON::PP's booleans hold no code, so they can be stored.
		my $value = eval { $sub->() } // { status => 0, content => "$@" };
		eval { Storable::store_fd({ value => $value }, $out) };
		close $out;
		POSIX::_exit(0);    # no END block of the test that forked us
	}
	close $out;
	return { pid => $pid, in => $in };
}

sub collect
{
	my ($pending) = @_;
	my $got = eval { Storable::fd_retrieve($pending->{in}) };
	waitpid $pending->{pid}, 0;
	return $got ? $got->{value} : { status => 0, content => "no answer: $@" };
}

# Locks TABLE against everybody, from a session of its own, until "release" is called.
sub lock_table
{
	my ($self, $table) = @_;
	return $self->hold("BEGIN;\nLOCK TABLE $table IN ACCESS EXCLUSIVE MODE;", "a lock of $table");
}

# Runs SQL in a session of its own that stays as it is until "release" is called.
sub hold
{
	my ($self, $sql, $what) = @_;
	my $pid = open2(my $out, my $in, 'psql', '-XAtqw', '-v', 'ON_ERROR_STOP=1', '-h', $self->var . '/sock', '-U', 'ostler_owner', '-d', 'ostler');
	print {$in} "$sql\n\\echo held\n";
	$in->flush;
	my $said;
	do { $said = <$out> // die "cannot hold $what\n" } until $said eq "held\n";
	return bless { pid => $pid, in => $in, out => $out }, 'Ostler::App::Lock';
}

# Keeps an old snapshot open, so that no dead row can be removed, until "release" is called.
sub hold_snapshot
{
	my ($self) = @_;
	return $self->hold("BEGIN ISOLATION LEVEL REPEATABLE READ;\nSET idle_in_transaction_session_timeout = 0;\nSELECT count(*) FROM users;", 'a snapshot');
}

# How many statements of the application wait for a lock just now.
sub waiting_for_locks
{
	return $_[0]->psql(q{SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name LIKE 'ostler-app%'}, 'postgres');
}

# A command to the cache Redis; returns what it answers.
sub cache_redis
{
	my ($self, @command) = @_;
	my ($text) = Ostler::run('redis-cli', '-s', $self->var . '/sock/redis-cache.sock', @command);
	chomp $text;
	return $text;
}

# The processes of a service: its own and those that it has made.
sub family
{
	my ($self, $pool) = @_;
	my ($first) = $self->pids($pool) or die "$pool has no process\n";
	my %parent = map { my $pid = $_; m{^/proc/(\d+)/stat} ? ($1 => parent_of($1)) : () } glob '/proc/[0-9]*/stat';
	return $first, grep { ($parent{$_} // 0) == $first } keys %parent;
}

sub parent_of
{
	my ($pid) = @_;
	open my $in, '<', "/proc/$pid/stat" or return 0;
	return (<$in> // '') =~ /\) [A-Z] (\d+)/ ? $1 : 0;
}

# The lines of the application's log, decoded; a line that is no JSON is { broken => line }.
sub log_lines
{
	my ($self) = @_;
	return map { eval { JSON::PP::decode_json($_) } // { broken => $_ } } split /\n/, $self->output_of('web.log');
}

# "pointer in" of each fault of a problem, sorted.
sub faults_of
{
	my ($reply) = @_;
	return [ sort map { "$_->{pointer} $_->{in}" } @{ ($reply->{json} // {})->{errors} // [] } ];
}

# Tests that REPLY is a problem of STATUS; FAULTS, when given, lists "pointer in" of all its errors.
sub problem_ok
{
	my ($reply, $status, $what, $faults) = @_;
	my $json = $reply->{json} // {};
	my @wrong;
	push @wrong, "status $reply->{status}" if $reply->{status} != $status;
	push @wrong, 'type ' . ($reply->{headers}{'content-type'} // 'none')
	    if ($reply->{headers}{'content-type'} // '') ne 'application/problem+json';
	push @wrong, 'status in the body' if ($json->{status} // 0) != $status;
	push @wrong, "no $_" for grep { !length($json->{$_} // '') } qw(type title detail request_id trace_id);
	push @wrong, 'another request id in the head'
	    if ($json->{request_id} // '') ne ($reply->{headers}{'x-request-id'} // '');
	if ($faults) {
		my ($got, $expected) = (join(', ', @{ faults_of($reply) }), join ', ', sort @$faults);
		push @wrong, "faults ($got) instead of ($expected)" if $got ne $expected;
		push @wrong, 'an error without a detail' if grep { !length($_->{detail} // '') } @{ $json->{errors} // [] };
	}
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return Test::More::ok(!@wrong, "$what: $status")
	    || Test::More::diag(join('; ', @wrong) . "\n" . substr $reply->{content} // '', 0, 500);
}

package Ostler::App::Lock;

sub release
{
	my ($self) = @_;
	return unless $self->{pid};
	# Said, not only closed: a process forked meanwhile may hold the other end too.
	print { $self->{in} } "ROLLBACK;\n\\q\n";
	close $self->{in};
	close $self->{out};
	waitpid delete $self->{pid}, 0;
	return;
}

sub DESTROY
{
	my ($self) = @_;
	local ($?, $@, $!);
	$self->release;
}

1;
