#!/usr/bin/perl
# reload.t - the application is replaced while every thread of it is in the middle of a POST: each is answered, and written once.
use strict;
use warnings;
use Digest::MD5 qw(md5_hex);
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::App;
use Ostler::Settings;
use Test::More;
use Time::HiRes qw(sleep);

my $threads = 4;
my $workers = 2;
my $stack = Ostler::App->start(env => { WORKERS => $workers }, app => { threads => $threads, database_timeout => '30s', database_connections => 8 });

# Changes a file of the application and has it reloaded.
my $generation = 0;
sub reload
{
	my (@words) = @_;
	Ostler::Settings::apply($stack->var . '/etc', { app => { instance_id => 'g' . ++$generation } });
	my ($text, $status) = Ostler::run(Ostler::build() . '/ostlerctl', '-s', $stack->var . '/ctl/ostlerd.sock', 'reload', 'web', @words);
	is $status, 0, "reload $generation" or diag $text, $stack->logs;
}

sub instance { return $stack->get('/health')->{json}{instance}{id} }

# A task with a text of its own: up to so many characters.
sub task
{
	my ($name, $longest) = @_;
	return { title => $name, description => "$name " . join '', map { chr 97 + rand 26 } 1 .. rand $longest };
}

sub hash { my ($task) = @_; return md5_hex("$task->{title} $task->{description}") }

# The hashes of all tasks whose title begins so, as the database has them.
sub written
{
	my ($like) = @_;
	return [ sort split /\n/, $stack->psql("SELECT md5(title || ' ' || description) FROM tasks WHERE title LIKE '$like%'") ];
}

subtest 'every thread waits in the database' => sub {
	my @tasks = map { task("Held $_", 4000) } 1 .. $threads * $workers;
	my $lock = $stack->lock_table('tasks');
	my $replies = $stack->begin(map { [ POST => '/api/tasks', json => $_ ] } @tasks);
	$stack->wait_for(sub { $stack->waiting_for_locks == @tasks }, 'all of them to wait', 30);
	my @old = $stack->pids('web');
	reload('--wait');
	is instance(), 'g1', 'the next ones answer';
	is scalar(grep { kill 0, $_ } @old), $workers, 'while the old ones are still there';
	$lock->release;
	is_deeply [ map { $_->{status} } $replies->() ], [ (201) x @tasks ], 'each POST is answered';
	is_deeply written('Held '), [ sort map { hash($_) } @tasks ], 'and written as it was sent, once';
	$stack->wait_for(sub { !grep { kill 0, $_ } @old }, 'the old ones to end', 30);
};

# Writes tasks until FLAG exists, or the test is gone.  Returns the hashes of those that were
# acknowledged, and the other statuses.
sub write_until
{
	my ($flag, $name) = @_;
	my (@hashes, @others);
	my $test = getppid;
	srand $$;
	for (my $number = 1; !-e $flag && getppid == $test; $number++) {
		my $task = task("Load $name $number", 8000);
		my $reply = $stack->post('/api/tasks', json => $task);
		if ($reply->{status} == 201) { push @hashes, hash($task) }
		else { push @others, "$reply->{status} " . substr $reply->{content}, 0, 200 }
	}
	return { hashes => \@hashes, others => \@others };
}

subtest 'reloads under load' => sub {
	my $flag = "$stack->{folder}/enough";
	my @writers = map { my $name = $_; Ostler::App::spawn(sub { write_until($flag, $name) }) } 1 .. $threads * $workers + 4;
	for (1 .. 5) {
		my $before = @{ written('Load ') };
		reload('--wait=drained');
		is instance(), "g$generation", 'the new ones answer';
		$stack->wait_for(sub { @{ written('Load ') } > $before + 50 }, 'the load to go on', 30);
	}
	open my $out, '>', $flag or die "cannot write $flag: $!";
	close $out;
	my @results = map { Ostler::App::collect($_) } @writers;
	my @hashes = map { @{ $_->{hashes} } } @results;
	is_deeply [ map { @{ $_->{others} } } @results ], [], 'every request was answered as if nothing had happened';
	is_deeply written('Load '), [ sort @hashes ], 'and written as it was sent, once: ' . @hashes;
};

$stack->stop;
done_testing;
