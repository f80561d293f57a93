#!/usr/bin/perl
# cache.t - what comes from the cache is never older than a change that was acknowledged, and one request at a time makes it anew.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IPC::Open2 qw(open2);
use JSON::PP ();
use Ostler::App;
use Test::More;
use Time::HiRes qw(time);

my $stack = Ostler::App->start(
	app => { database_timeout => '20s', cache_wait => '10s', cache_lease => '30s', cache_timeout => '5s' });
my $workers = $stack->workers;
my $key = 'tasks:user:' . $stack->psql(q{SELECT id FROM users WHERE username = 'demo'});
my ($hit, $miss) = ('ostler; hit', 'ostler; fwd=miss');
my $number = 0;

# --- a reader is paused in the middle of its SELECT, when it already sees what it will answer ---

$stack->psql(q{
	CREATE FUNCTION pause() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
	BEGIN
		IF current_query() LIKE 'SELECT%' THEN PERFORM pg_advisory_xact_lock_shared(1); END IF;
		RETURN true;
	END $$;
	ALTER TABLE tasks ENABLE ROW LEVEL SECURITY;
	CREATE POLICY pause ON tasks AS RESTRICTIVE FOR SELECT USING (pause());
	CREATE POLICY write ON tasks FOR ALL USING (true)});

my $pid = open2(my $from, my $to, 'psql', '-XAtqw', '-v', 'ON_ERROR_STOP=1', '-h', $stack->var . '/sock', '-U', 'ostler_owner', '-d', 'ostler');

sub sql
{
	my ($sql) = @_;
	print {$to} "$sql;\n\\echo end\n";
	$to->flush;
	my @lines;
	while (defined(my $line = <$from>)) {
		chomp $line;
		return join "\n", @lines if $line eq 'end';
		push @lines, $line;
	}
	die "psql has ended\n";
}

sub pause_readers   { sql('SELECT pg_advisory_lock(1)') }
sub release_readers { sql('SELECT pg_advisory_unlock(1)') }
sub paused          { return sql(q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted}) }

sub wait_until_paused
{
	my ($count) = @_;
	$stack->wait_for(sub { paused() >= $count }, "$count readers to be paused");
}

# --- what is asked ---

sub status_of { return $_[0]{headers}{'cache-status'} // 'none' }
sub first_of  { return ($_[0]{json}{items}[0] // {})->{title} // "status $_[0]{status}" }

sub write_task
{
	my $title = 'Task ' . ++$number;
	my $reply = $stack->post('/api/tasks', json => { title => $title });
	die "POST: $reply->{status} $reply->{content}" if $reply->{status} != 201;
	return $title;
}

sub forget { $stack->cache_redis('DEL', $key, "lease:$key") }

# The entry, with the moments in its first line moved by SECONDS.
sub shift_moments
{
	my ($seconds) = @_;
	my $entry = $stack->cache_redis('GET', $key);
	$entry =~ s/^(\d+) (\d+)\n/join(' ', map { $_ + 1000 * $seconds } $1, $2) . "\n"/e or die "no entry: $entry\n";
	$stack->cache_redis('SET', $key, $entry);
}

subtest 'what a route says is what is kept' => sub {
	write_task();
	is status_of($stack->get('/api/tasks')), $miss, 'a miss';
	my $ttl = $stack->cache_redis('PTTL', $key);
	cmp_ok $ttl, '>', 300_000, 'is kept for its time';
	cmp_ok $ttl, '<=', 360_000, 'and a while beyond it';
	is $stack->cache_redis('EXISTS', "lease:$key"), 0, 'nobody holds a lease any more';
	my ($renew_at, $fresh_until) = $stack->cache_redis('GET', $key) =~ /^(\d+) (\d+)$/m;
	cmp_ok $fresh_until - 1000 * time, '<=', 300_000, 'it is fresh for its time';
	cmp_ok $fresh_until - $renew_at, '>=', 30_000, 'and renewed before that';
	is status_of($stack->get('/api/tasks')), $hit, 'then a hit';
	my $head = $stack->request(HEAD => '/api/tasks');
	is status_of($head), $hit, 'HEAD too';
};

# The old value is in the reader's hands when the change is acknowledged; it must not be put.
subtest 'a reader that slept over a change puts nothing' => sub {
	my (@stale, @wrong);
	for (1 .. 150) {
		forget();
		pause_readers();
		my $before = 'Task ' . $number;
		my $answer = $stack->begin([ GET => '/api/tasks' ]);
		wait_until_paused(1);
		my $title = write_task();
		release_readers();
		my ($reply) = $answer->();
		push @wrong, first_of($reply) if first_of($reply) ne $before;
		push @stale, grep { $_ ne $title } map { first_of($stack->get('/api/tasks')) } 1 .. 3;
	}
	is_deeply \@wrong, [], 'each reader had seen what was before';
	is_deeply \@stale, [], 'and nobody was served that afterwards';
};

subtest 'readers and writers at once' => sub {
	my $counter = $stack->psql(q{SELECT count(*) FROM tasks});
	my $writer = sub {
		my ($me) = @_;
		my @stale;
		for my $round (1 .. 250) {
			my $title = "$me $round";
			my $made = $stack->post('/api/tasks', json => { title => $title });
			push @stale, "POST: $made->{status}" if $made->{status} != 201;
			# Everything that was acknowledged before this was asked must be in the list, unless the others
			# have written a whole page since.
			my $items = $stack->get('/api/tasks')->{json}{items};
			push @stale, "$title is missing" unless grep({ $_->{title} eq $title } @$items) || $items->[-1]{id} > $made->{json}{id};
		}
		return { stale => \@stale };
	};
	my $reader = sub {
		my %seen;
		$seen{ status_of($stack->get('/api/tasks')) }++ for 1 .. 600;
		return { seen => \%seen };
	};
	my @results = $stack->in_processes((map { my $me = "Writer $_"; sub { $writer->($me) } } 1 .. 4), ($reader) x 2);
	is_deeply [ map { @{ $_->{stale} // [] } } @results ], [], 'each writer finds its own change, 1,000 times';
	my %seen;
	for my $one (map { $_->{seen} // () } @results) { $seen{$_} += $one->{$_} for keys %$one }
	ok $seen{$_}, "$_ was among the answers (" . ($seen{$_} // 0) . ')' for $hit, $miss;
};

subtest 'one request makes an answer anew, others wait for it' => sub {
	forget();
	pause_readers();
	my $first = $stack->begin([ GET => '/api/tasks' ]);
	wait_until_paused(1);
	my $others = $stack->begin(([ GET => '/api/tasks' ]) x 8);
	$stack->wait_for(sub { $stack->cache_redis('INFO', 'commandstats') =~ /cmdstat_pttl:calls=(\d+)/ && $1 > 8 }, 'the others to ask');
	is paused(), 1, 'one alone asks the database';
	release_readers();
	is status_of(($first->())[0]), $miss, 'it has missed';
	is_deeply [ grep { $_ ne $hit } map { status_of($_) } $others->() ], [], 'the others are answered from the cache';
};

subtest 'an answer past its time is served while it is made anew' => sub {
	my $old = first_of($stack->get('/api/tasks'));
	shift_moments(-301);
	pause_readers();
	my $first = $stack->begin([ GET => '/api/tasks' ]);
	wait_until_paused(1);
	for (1 .. 4) {
		my $reply = $stack->get('/api/tasks');
		like status_of($reply), qr/^ostler; hit; ttl=-\d+$/, 'an old one';
		is first_of($reply), $old, 'at once';
	}
	is paused(), 1, 'one alone asks the database';
	release_readers();
	is status_of(($first->())[0]), 'ostler; fwd=stale', 'and says so';
	is status_of($stack->get('/api/tasks')), $hit, 'then it is fresh';
};

subtest 'an answer is renewed before its time is over' => sub {
	shift_moments(-280);
	my @said = map { status_of($stack->get('/api/tasks')) } 1 .. 3;
	is_deeply \@said, [ 'ostler; fwd=stale', $hit, $hit ], 'by the first who asks, once';
};

subtest 'whoever makes it anew is killed' => sub {
	my $title = write_task();
	forget();
	$stack->cache_redis('SET', "lease:$key", 'of the dead', 'PX', 19_000);
	my $reply = $stack->get('/api/tasks');
	is first_of($reply), $title, 'the answer is right';
	is status_of($reply), "$miss; detail=busy", 'and not kept';
	forget();
	is_deeply [ map { status_of($stack->get('/api/tasks')) } 1 .. 2 ], [ $miss, $hit ], 'when the lease has ended all is as before';
};

subtest 'a change takes the lease with it' => sub {
	forget();
	$stack->cache_redis('SET', "lease:$key", 'of a reader');
	write_task();
	is $stack->cache_redis('EXISTS', "lease:$key"), 0, 'whoever had it';
};

print {$to} "\\q\n";
close $to;
waitpid $pid, 0;
is $stack->workers, $workers, 'the workers are those of the beginning';
$stack->stop;
done_testing;
