#!/usr/bin/perl
# events-spool.t - while the broker is away events are acknowledged as ever, and none is lost, doubled or out of its order.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp;
use JSON::PP ();
use Ostler::App qw(problem_ok);
use Ostler::Events;
use Test::More;
use Time::HiRes qw(time sleep);

use constant USERS => 6;

# A disk of a few megabytes, so that it can be filled.  Only root can make one; others have a spool that may
# hold no more than that.
my $disk = File::Temp->newdir('ostler-disk-XXXXXXXX', TMPDIR => 1);
my $own_disk = $> == 0 && system('mount', '-t', 'tmpfs', '-o', 'size=12m,mode=0777', 'tmpfs', $disk) == 0;
END { system('umount', '-l', $disk) if $own_disk }
chmod 0777, "$disk";
my $folder = "$disk/spool";
if ($own_disk) {
	mkdir $folder or die "$folder: $!";
	chown +(getpwnam 'ostler')[2, 3], $folder;
}

my $stack = Ostler::Events->start(app => { spool => $folder, spool_most => $own_disk ? '64M' : '12M', broker_timeout => '300ms', broker_keep => '1h' },
	pools => { stream => { backoff_first => '2s' } });
my $run = $$;
my %next = map { $_ => 0 } 0 .. USERS - 1;    # of each user's events

sub kept { my $bytes = 0; $bytes += -s for glob "$folder/events/*.spool"; return $bytes }
sub drained { my ($what) = @_; return $stack->wait_for(sub { !kept() }, "the spool to be drained $what", 60) }
sub stream { my ($signal) = @_; return kill $signal, $stack->pids('stream') }

# A user's events say in their session which one of that user's they are.
sub of_user
{
	my ($user, $number) = @_;
	return { %{ $stack->event(event_type => 'page_view') }, event_id => sprintf('%08x-%04x-7000-9000-%012x', $user, $run & 0xffff, $number),
	    user_id => "ordered-$user", session_id => "number-$number" };
}

# Each user sends one event, or a few, after the other, LEAST of them at least.  The sub returned ends that, and returns how
# many were taken, and all other answers.
my $loads = 0;
sub load
{
	my ($least) = @_;
	my ($enough, $test) = ("$stack->{folder}/enough-" . ++$loads, $$);
	my @pending = map {
		my $user = $_;
		Ostler::App::spawn(sub {
			my ($number, @others) = ($next{$user});
			while (getppid == $test && !(-e $enough && $number - $next{$user} >= ($least // 0))) {
				my $count = 1 + $number % 3;
				my $reply = $stack->request(POST => '/api/events', json => [ map { of_user($user, $number + $_) } 0 .. $count - 1 ], as => undef);
				if ($reply->{status} == 202) { $number += $count }
				else { push @others, "$reply->{status} $reply->{content}"; last if @others > 5 }
			}
			return { number => $number, others => \@others };
		});
	} sort keys %next;
	return sub {
		open my $out, '>', $enough or die "cannot write $enough: $!";
		close $out;
		my (@others, $taken);
		for my $user (sort keys %next) {
			my $got = Ostler::App::collect(shift @pending);
			push @{ $stack->{acknowledged} }, map { of_user($user, $_)->{event_id} } $next{$user} .. ($got->{number} // die $got->{content}) - 1;
			$taken += $got->{number} - $next{$user};
			$next{$user} = $got->{number};
			push @others, @{ $got->{others} };
		}
		return ($taken, @others);
	};
}

# In the broker each user's events stand in their order; one that was sent again stands where it stood first.
sub order_ok
{
	my ($what) = @_;
	my (%last, %seen, @wrong);
	for my $partition (0 .. 7) {
		for my $line (split /\n/, $stack->stream_redis('XRANGE', "events:$partition", '-', '+')) {
			my ($user, $number) = $line =~ /"user_id":"(ordered-\d+)","session_id":"number-(\d+)"/ or next;
			next if $seen{"$user $number"}++;
			push @wrong, "$user: $number behind $last{$user}" if $number != ($last{$user} // -1) + 1;
			$last{$user} = $number;
		}
	}
	is "@wrong[0 .. ($#wrong < 3 ? $#wrong : 3)]", '', "each user's events are in their order $what";
	is join(' ', map { ($last{"ordered-$_"} // -1) + 1 } sort keys %next), join(' ', map { $next{$_} } sort keys %next), 'all of them';
	return;
}

subtest 'the broker is silent under load' => sub {
	my $sent = load(100);
	$stack->wait_for(sub { $stack->psql('SELECT count(*) FROM events') > 50 }, 'events to flow', 30);
	stream('STOP');
	$stack->wait_for(sub { kept() > 20_000 }, 'events to wait on the disk', 30);
	my $health = $stack->get('/health')->{json};
	is $health->{status}, 'degraded', 'which /health says';
	cmp_ok $health->{checks}{events}{waiting_bytes}, '>', 20_000, 'and how many they are';
	sleep 3;    # so long is the broker silent; nothing is waited for
	stream('CONT');
	my ($taken, @others) = $sent->();
	is "@others", '', 'every answer was 202';
	cmp_ok $taken, '>', 500, 'to many requests';
	drained('after the silence');
	is $stack->get('/health')->{json}{checks}{events}{status}, 'healthy', 'nothing waits any more';
	$stack->all_applied_ok('after the silence');
	order_ok('after the silence');
};

subtest 'the broker dies under load' => sub {
	my $sent = load();
	my $had = $stack->psql('SELECT count(*) FROM events');
	$stack->wait_for(sub { $stack->psql('SELECT count(*) FROM events') > $had + 50 }, 'events to flow', 30);
	my ($old) = $stack->pids('stream');
	stream('KILL');
	$stack->wait_for(sub { my ($new) = $stack->pids('stream'); $new && $new != $old }, 'another broker', 60);
	$had = $stack->psql('SELECT count(*) FROM events');
	$stack->wait_for(sub { $stack->psql('SELECT count(*) FROM events') > $had + 50 }, 'events to flow again', 60);
	my ($taken, @others) = $sent->();
	is "@others", '', 'every answer was 202';
	drained('when the broker is back');
	$stack->all_applied_ok('when the broker is back');
	order_ok('when the broker is back');
};

subtest 'whoever drains is killed' => sub {
	stream('STOP');
	my $sent = load();
	$stack->wait_for(sub { kept() > 20_000 }, 'events to wait on the disk', 60);
	my ($taken, @others) = $sent->();
	is "@others", '', 'every answer was 202';
	$sent = load();
	stream('CONT');
	for (1 .. 6) {
		kill 'KILL', $stack->pids('web');
		sleep 0.2;
	}
	# Who is killed answers nothing: those requests were not acknowledged, and their events may be there or not.
	($taken, @others) = $sent->();
	drained('by another process');
	$stack->all_applied_ok('when processes were killed');
};

subtest 'a disk that is full' => sub {
	$stack->wait_for(sub { $stack->get('/ready')->{status} == 200 }, 'workers to be there again', 30);
	stream('STOP');
	my ($reply, $taken) = (undef, 0);
	do {
		$reply = $stack->send([ $stack->events(100) ]);
		$taken++ if $reply->{status} == 202;
	} while $reply->{status} == 202 && $taken < 2000;
	problem_ok $reply, 503, 'what the disk has no room for';
	like $reply->{headers}{'retry-after'}, qr/^[1-9]\d*$/, 'it says when to come again';
	cmp_ok $taken, '>', 100, 'many were taken before';
	cmp_ok kept(), '>', 5_000_000, 'they wait on the disk';
	like $stack->log_of('web.log'), qr/spool: .*messages are refused until that is mended/, 'the log says why';
	stream('CONT');
	drained('and there is room again');
	$stack->send_ok([ $stack->events(100) ], 'events are taken again');
	$stack->all_applied_ok('of those that were acknowledged');
};

$stack->stop;
done_testing;
