#!/usr/bin/perl
# sandbox.t - web workers in their sandbox do all they must, through failures of what they use, and nothing is refused.
#
# What is refused, and how that is told, is tried in t/unit/sandbox_test.c.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use JSON::PP ();
use Ostler::App;
use Ostler::Supervisor;
use Test::More;

plan skip_all => 'a sanitizer makes system calls of its own, as when it looks for leaks at the end' if Ostler::Supervisor::is_sanitized();

my $stack = Ostler::App->start(pools => { web => { sandbox => 'web' } }, app => { threads => 4, database_retry => '200ms' });
my $workers = $stack->workers;

sub slurp { my ($path) = @_; open my $in, '<', $path or return ''; local $/; return <$in> // '' }

# Which of the ways to use the stack do not end well.
sub wrong
{
	my @wrong;
	for my $round (1 .. 3) {
		my $made = $stack->post('/api/tasks', json => { title => "Round $round" });
		push @wrong, "POST $made->{status}" if $made->{status} != 201;
		my $id = $made->{json}{id} // next;
		for my $case ([ 200, GET => "/api/tasks/$id" ], [ 200, GET => '/api/tasks?limit=5' ], [ 200, PATCH => "/api/tasks/$id", json => { title => 'Changed' } ], [ 204, DELETE => "/api/tasks/$id" ], [ 200, GET => '/health' ]) {
			my ($expected, @request) = @$case;
			my $reply = $stack->request(@request);
			push @wrong, "$request[0] $request[1]: $reply->{status}" if $reply->{status} != $expected;
		}
	}
	push @wrong, grep { $_ != 200 } map { $_->{status} } $stack->at_once(([ GET => '/api/tasks?limit=5' ]) x 16);
	return \@wrong;
}

subtest 'all threads are bound' => sub {
	for my $pid ($stack->pids('web')) {
		my @tasks = glob "/proc/$pid/task/*";
		cmp_ok scalar @tasks, '>', 4, 'its threads';
		is_deeply [ grep { slurp("$_/status") !~ /^Seccomp:\s*2$/m } @tasks ], [], "process $pid: each has the filter";
	}
	my $shown = `@{[ Ostler::build() ]}/ostlerctl -s @{[ $stack->var ]}/ctl/ostlerd.sock show web --json`;
	is $_->{in_force}{seccomp}, 'filter', 'and ostlerctl shows it' for map { JSON::PP::decode_json($_) } split /\n/, $shown;
	like $stack->log_of('web.log'), qr/only the system calls of the sandbox web are left/, 'each says so';
};

subtest 'it works' => sub { is_deeply wrong(), [], 'reading and writing' };

subtest 'Redis and PostgreSQL are killed: new connections can be made' => sub {
	for my $service ('cache', 'database') {
		my @before = $stack->family($service);
		my ($first) = $stack->pids($service);
		kill 'KILL', @before;
		$stack->wait_for(sub { my ($now) = $stack->pids($service); $now && $now != $first }, "another $service", 60);
		$stack->wait_for(sub { !grep { $_->{status} != 200 } $stack->at_once(([ GET => '/ready' ]) x 16) }, 'all to be ready again', 60);
		is_deeply wrong(), [], "right with the next $service";
	}
};

is $stack->workers, $workers, 'no worker was replaced';
unlike $stack->log_of('web.log'), qr/sandbox: system call/, 'and nothing was refused';
unlike $stack->logs(1000), qr/is not in the sandbox/, 'nor has ostlerd anything to say';
$stack->stop;

done_testing;
