#!/usr/bin/perl
# user-command.t - the first admin of a stack, and what operators do about people.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use IPC::Open3 qw(open3);
use Ostler::App;
use Test::More;

my $stack = Ostler::App->start(app => { audit_window => '10ms' });
my $app = Ostler::build() . '/ostler-app';
my $conf = $stack->var . '/etc/ostler-app.conf';

# ostler-app user WORDS with INPUT on its standard input; returns what it says and its status.
sub user
{
	my ($input, @words) = @_;
	my $pid = open3(my $in, my $out, undef, $app, '-c', $conf, 'user', @words);
	local $SIG{PIPE} = 'IGNORE';
	print {$in} $input;
	close $in;
	my $said = do { local $/; <$out> } // '';
	waitpid $pid, 0;
	return ($said, $? >> 8);
}

sub sign_in { my ($name, $password) = @_; return $stack->post('/api/login', as => undef, json => { username => $name, password => $password }) }
sub slurp { my ($file) = @_; open my $in, '<', $file or return ''; local $/; return <$in> // '' }
sub cookie_of { return (($_[0]{headers}{'set-cookie'} // '') =~ /^([^;]+)/)[0] }

subtest 'a new stack has an admin' => sub {
	my $file = $stack->var . '/admin-password';
	my ($password) = slurp($file) =~ /^(\S+)\n\z/;
	like $password, qr/^[a-z2-7-]{27,}\z/, 'with a password that nobody can guess';
	is sprintf('%o', (stat $file)[2] & 07777), '600', 'kept where only who runs it can read';
	is((stat $file)[4], $>, 'and theirs');
	$stack->wait_for(sub { sign_in('admin', $password)->{status} == 200 }, 'them to sign in', 30);
	is sign_in('admin', $password)->{json}{role}, 'admin', 'as an admin';
	my @said = slurp("$stack->{folder}/start.log") =~ /\Q$password\E/g;
	is scalar @said, 1, 'it was printed once';
	is_deeply [ grep { $stack->log_of($_) =~ /\Q$password\E/ } map { m{([^/]+)\z} } glob $stack->var . '/log/*' ], [], 'and is in no log';
	my @lines = @{ $stack->get('/api/audit?kind=user_created&actor=(command%20line)', as => 'admin')->{json}{items} };
	is_deeply [ map { [ $_->{subject}, $_->{details} ] } @lines ], [ [ 'admin', { role => 'admin' } ] ], 'it is on record';
	$stack->psql(q{UPDATE users SET email = 'root@example.org' WHERE username = 'admin'});
	$stack->halt;
	$stack->launch;
	is scalar(my @again = slurp("$stack->{folder}/start.log") =~ /sign in as admin/g), 1, 'the second start prints nothing of it';
	is $stack->psql(q{SELECT count(*) FROM users WHERE username = 'admin'}), 1, 'and makes nobody';
	is sign_in('admin', $password)->{status}, 200, 'the password is the same';
};

subtest 'somebody is added' => sub {
	is_deeply [ user("correct horse battery\n", qw(add eva eva@example.org manager)) ], [ '', 0 ], 'with a password';
	my $in = sign_in('eva', 'correct horse battery');
	is $in->{json}{role}, 'manager', 'and a role';
	is_deeply [ map { (user("correct horse battery\n", 'add', @$_))[1] } [ 'EVA', 'x@example.org' ], [ 'x', 'Eva@example.org' ] ], [ 1, 1 ], 'a name or an address that is taken';
	my ($said, $status) = user("password1\n", qw(add zoe zoe@example.org));
	is $status, 1, 'a password that many use';
	like $said, qr/The password is one that many people use/, 'is told so';
	($said, $status) = user('', qw(add zoe zoe@example.org));
	is $status, 1, 'no password';
	($said, $status) = user("correct horse battery\n", qw(add zoe zoe@example.org boss));
	is $status, 2, 'a role that there is not';
	like $said, qr/There is no role "boss"/, 'is told so';
	is $stack->psql(q{SELECT count(*) FROM users WHERE username = 'zoe'}), 0, 'nothing was made of it';
};

subtest 'a password is set' => sub {
	my $cookie = cookie_of(sign_in('eva', 'correct horse battery'));
	is $stack->get('/api/me', as => undef, headers => { cookie => $cookie })->{status}, 200, 'she is signed in';
	is_deeply [ user("staple in a haystack\n", qw(password EVA)) ], [ '', 0 ], 'by whatever form of the name';
	is $stack->get('/api/me', as => undef, headers => { cookie => $cookie })->{status}, 401, 'her sessions end at once';
	is sign_in('eva', 'correct horse battery')->{status}, 401, 'the old one is no more';
	is sign_in('eva', 'staple in a haystack')->{status}, 200, 'the new one is';
	my ($said, $status) = user("staple in a haystack\n", qw(password nobody));
	is $status, 1, 'of nobody';
	like $said, qr/There is no user "nobody"/, 'is told so';
};

subtest 'a role is given' => sub {
	my $cookie = cookie_of(sign_in('eva', 'staple in a haystack'));
	is_deeply [ user('', qw(role eva viewer)) ], [ '', 0 ], 'without a password';
	is $stack->get('/api/me', as => undef, headers => { cookie => $cookie })->{status}, 401, 'her sessions end';
	is sign_in('eva', 'staple in a haystack')->{json}{role}, 'viewer', 'it counts';
	is((user('', qw(role eva boss)))[1], 2, 'a role that there is not');
	is((user('', qw(role nobody user)))[1], 1, 'nobody');
};

subtest 'wrong words are told' => sub {
	for my $words ([], ['add'], [qw(add x)], [qw(password)], [qw(password x y)], [qw(role x)], [qw(remove x)], [qw(first x y admin)]) {
		my ($said, $status) = user('', @$words);
		is $status, 2, "user @$words";
		like $said, qr/^usage: /, 'the usage';
	}
};

$stack->stop;
done_testing;
