#!/usr/bin/perl
# password.t - which passwords are taken, how one is changed, and what hashing them may cost.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";
use Fcntl qw(:DEFAULT SEEK_SET F_WRLCK);
use Ostler::App;
use Test::More;

# Dear enough to be seen at work, and for one at a time in all processes.
my $stack = Ostler::App->start(app => { password_memory => '16M', password_passes => 2, password_slots => 1,
	password_wait => '300ms', audit_window => '10ms' }, env => { WORKERS => 2 });
my $workers = $stack->workers;
my $lock = $stack->var . '/run/passwords';

sub anonymous { my ($method, $path, %wish) = @_; return $stack->request($method, $path, as => undef, %wish) }
sub cookie_of { return (($_[0]{headers}{'set-cookie'} // '') =~ /^([^;]+)/)[0] }
sub as { my ($cookie, %wish) = @_; return (as => undef, headers => { cookie => $cookie }, %wish) }
sub sign_in { my ($name, $password) = @_; return anonymous(POST => '/api/login', json => { username => $name, password => $password }) }
sub change { my ($cookie, $old, $new) = @_; return $stack->post('/api/me/password', as($cookie, json => { old => $old, new => $new })) }

sub audited
{
	my ($query) = @_;
	return @{ $stack->get("/api/audit?$query", as => 'admin')->{json}{items} };
}

my $good = 'correct horse battery';
my $number = 0;

sub register
{
	my ($password, %more) = @_;
	$number++;
	return anonymous(POST => '/api/register', json => { username => "person$number", email => "person$number\@example.org", password => $password, %more });
}

subtest 'what is guessed first is refused' => sub {
	for my $bad ('password', 'P4ssw0rd!', 'cachorro12', 'coração!', '12345678', 'abcabcabc', 'qwertyuiop') {
		problem_ok register($bad), 422, $bad, ['/password body'];
	}
	problem_ok register('beatriz-77', username => 'beatriz', name => 'Beatriz'), 422, 'their own name', ['/password body'];
	problem_ok register('seven77'), 422, 'seven characters', ['/password body'];
	is register('ção-öäü-9')->{status}, 201, 'nine characters of more bytes are nine';
	is register("ab\x{1F40E}-çé\x{4E00}-" . "\x{1F40E}" x 119)->{status}, 201, 'and so are 128';
	problem_ok register('zq' . "\x{1F40E}-" x 64), 422, '130 are too many', ['/password body'];
	problem_ok register('x' x (1 << 20)), 413, 'a megabyte';
	my @lines = audited('kind=request_refused');
	ok scalar(grep { $_->{subject} eq 'POST /api/register' && ($_->{details}{status} // 0) == 422 } @lines), 'a refusal is on record';
	ok scalar(grep { $_->{subject} eq 'POST /api/register' && ($_->{details}{status} // 0) == 413 } @lines), 'the megabyte is';
};

subtest 'a password is changed' => sub {
	my $here = cookie_of(register($good));
	my $elsewhere = cookie_of(sign_in("person$number", $good));
	problem_ok change($here, 'wrong horse battery', 'staple in a haystack'), 422, 'with a wrong old one', ['/old body'];
	is((audited('kind=password_refused'))[0]{actor}, "person$number", 'which is on record');
	problem_ok change($here, $good, 'password1'), 422, 'with a bad new one', ['/new body'];
	problem_ok $stack->post('/api/me/password', as => undef, json => { old => $good, new => 'staple in a haystack' }), 401, 'by nobody';
	is $stack->get('/api/me', as($elsewhere))->{status}, 200, 'so far nothing has changed';
	my $reply = change($here, $good, 'staple in a haystack');
	is $reply->{status}, 204, 'with both right' or diag $reply->{content};
	my $renewed = cookie_of($reply);
	isnt $renewed, $here, 'this session has a new id';
	is $stack->get('/api/me', as($renewed))->{json}{username}, "person$number", 'and goes on';
	is $stack->get('/api/me', as($_))->{status}, 401, 'the others have ended' for $here, $elsewhere;
	is sign_in("person$number", $good)->{status}, 401, 'the old one is no more';
	is sign_in("person$number", 'staple in a haystack')->{status}, 200, 'the new one is';
	my ($line) = audited("kind=password_changed&actor=person$number");
	is $line->{address}, '127.0.0.1', 'it is on record';
	unlike $stack->psql('SELECT string_agg(audit::text, $$ $$) FROM audit'), qr/horse battery|haystack/, 'and no password is';
};

# Locks COUNT slots from another process until it is killed; returns its process id.
sub hold_slots
{
	my ($count) = @_;
	pipe my $in, my $out or die $!;
	my $pid = fork // die $!;
	if ($pid == 0) {
		$SIG{TERM} = 'DEFAULT';
		sysopen my $file, $lock, O_RDWR or POSIX::_exit(1);
		# struct flock of this machine; a process's lock stands in the way of an open file's.
		fcntl $file, 6, pack('s s x4 q q i x4', F_WRLCK, SEEK_SET, 0, $count, 0) or POSIX::_exit(1);
		syswrite $out, 'x';
		sleep 600;
		POSIX::_exit(0);
	}
	close $out;
	sysread $in, my $byte, 1 or die "cannot lock $lock\n";
	return $pid;
}

subtest 'only so many are hashed at once, over all processes' => sub {
	my $inode = (stat $lock)[1];
	my @replies = (0);
	my $wait = $stack->begin(map { [ POST => '/api/login', as => undef, json => { username => "crowd$_", password => $good } ] } 1 .. 6);
	my ($most, $looks) = (0, 0);
	my $deadline = time + 20;
	while ($looks < 50 && time < $deadline) {
		open my $in, '<', '/proc/locks' or die $!;
		my $now = grep { /OFDLCK.*:$inode / && !/->/ } <$in>;
		$looks++ if $now;
		$most = $now if $now > $most;
	}
	@replies = $wait->();
	is $most, 1, 'one at a time is seen';
	is scalar(grep { $_->{status} !~ /^(?:401|503)\z/ } @replies), 0, 'each is refused or told to come again';
	ok scalar(grep { $_->{status} == 401 } @replies), 'some had their turn';
};

subtest 'who waits too long is told to come again, whoever it is' => sub {
	my $pid = hold_slots(1);
	for my $who ([ "person$number", 'wrong password' ], [ 'nobody-at-all', 'wrong password' ], [ "person$number", 'staple in a haystack' ]) {
		my $reply = sign_in(@$who);
		problem_ok $reply, 503, "$who->[0], $who->[1]";
		like $reply->{headers}{'retry-after'}, qr/^\d+\z/, 'it says when';
		is $reply->{json}{code}, 'too_busy', 'and why';
	}
	problem_ok sign_in("person$number", 'staple in a haystack'), 503, 'once more, and is not told to wait as one who guessed';
	is $stack->psql(q{SELECT count(*) FROM attempts WHERE failures > 0 AND account IN (attempt_account('nobody-at-all'), attempt_account('person} . $number . q{'))}), 0, 'for nothing counts that was not looked at';
	is $stack->get('/api/me', as => 'user')->{status}, 200, 'everybody else is served';
	kill 'KILL', $pid;
	waitpid $pid, 0;
	is sign_in("person$number", 'staple in a haystack')->{status}, 200, 'a holder that was killed holds nothing';
};

subtest 'a worker that is killed while it hashes holds nothing' => sub {
	my $wait = $stack->begin(map { [ POST => '/api/login', as => undef, json => { username => "killed$_", password => $good } ] } 1 .. 4);
	kill 'KILL', $stack->pids('web');
	$wait->();
	$stack->wait_for(sub { sign_in("person$number", 'staple in a haystack')->{status} == 200 }, 'signing in to work again', 30);
	pass 'somebody else signs in';
	$workers = $stack->workers;
};

sub median { my @sorted = sort { $a <=> $b } @_; return $sorted[$#sorted / 2] }

subtest 'the same work for a wrong password and for nobody' => sub {
	my %seconds;
	for (1 .. 9) {
		for my $name ("person$number", 'nobody-here') {
			my $reply = ($stack->at_once([ POST => '/api/login', as => undef, json => { username => $name, password => 'wrong password' } ]))[0];
			is $reply->{status}, 401, 'refused' if $reply->{status} != 401;
			push @{ $seconds{$name} }, $reply->{seconds};
		}
	}
	my ($wrong, $nobody) = map { median(@{ $seconds{$_} }) } "person$number", 'nobody-here';
	note sprintf 'medians: wrong password %.1f ms, nobody %.1f ms', 1000 * $wrong, 1000 * $nobody;
	cmp_ok $nobody, '>', $wrong / 2, 'nobody takes as long';
	cmp_ok $nobody, '<', $wrong * 2, 'and no longer';
};

is $stack->workers, $workers, 'no worker died unasked';
$stack->stop;
done_testing;
