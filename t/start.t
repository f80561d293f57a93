#!/usr/bin/perl
# start.t - stack/start: what it refuses before anything starts, and what it can be asked to repeat.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp qw(tempdir);
use IO::Socket::IP;
use Ostler;
use Ostler::Process qw(free_port);
use Test::More;

my $root = Ostler::root();

# Runs stack/start, which is to refuse; returns its words and its exit status.
sub start
{
	my (%env) = @_;
	local @ENV{ 'BUILD', keys %env } = (Ostler::build(), values %env);
	my ($words, $status) = Ostler::run('/bin/sh', '-c', "exec '$root/stack/start' 2>&1 </dev/null");
	return ($words, $status);
}

subtest 'a value that cannot work is refused, by name' => sub {
	my $folder = tempdir(CLEANUP => 1);
	chmod 0755, $folder;
	my ($port, $reserved) = free_port();
	my @refused = (
		[ { PORT => 0 }, qr/PORT must be a whole number from 1 to 65535/ ],
		[ { PORT => 65536 }, qr/PORT must be/ ],
		[ { PORT => '80x' }, qr/PORT must be/ ],
		[ { PORT => '1 2' }, qr/PORT must be/ ],
		[ { THREADS => 0 }, qr/THREADS must be/ ],
		[ { WORKERS => -1 }, qr/WORKERS must be/ ],
		[ { LOG_LEVEL => 'loud' }, qr/LOG_LEVEL must be debug, info, warn or error/ ],
		[ { INSTANCE_ID => 'a"b' }, qr/INSTANCE_ID may hold/ ],
		[ { LISTEN => '127.0.0.1; root /' }, qr/LISTEN and HOSTS hold addresses/ ],
		[ { HOSTS => 'a{b' }, qr/LISTEN and HOSTS hold addresses/ ],
		[ { TLS => 'yes' }, qr/TLS must be 0, 1 or only/ ],
		[ { INTERNAL => 'me; you' }, qr/TRUSTED_PROXIES and INTERNAL hold addresses/ ],
		[ { VAR => '/' }, qr/not the root of the file system/ ],
		[ { VAR => "$folder/a\"b" }, qr/must not contain any of/ ],
		[ { VAR => "$folder/a\nb" }, qr/must not contain any of/ ],
		[ { VAR => "$folder/\$HOME" }, qr/must not contain any of/ ],
		[ { VAR => "$folder/" . 'x' x 80 }, qr/sockets inside it need a path of at most 80/ ],
		[ { BUILD => "$folder/nothing" }, qr/is missing: run make first/ ],
	);
	for my $case (@refused) {
		my ($env, $message) = @$case;
		my ($words, $status) = start(VAR => "$folder/var", PORT => $port, %$env);
		my ($name, $value) = %$env;
		like $words, $message, "$name=$value";
		is $status, 1, 'exit status 1';
	}
	is_deeply [ glob "$folder/*" ], [], 'and nothing was made';
};

subtest 'a port that is taken' => sub {
	my $folder = tempdir(CLEANUP => 1);
	for my $address ('127.0.0.1', '0.0.0.0', '::1') {
		my ($port, $reserved) = free_port();
		my $other = IO::Socket::IP->new(LocalHost => $address, LocalPort => $port, Listen => 1) or next;
		my ($words, $status) = start(VAR => "$folder/var", PORT => $port);
		like $words, qr/port $port is already taken.*make run PORT=\d+/, "at $address";
		is $status, 1, 'exit status 1';
	}
	ok !-e "$folder/var", 'is found before anything is made';
};

subtest 'a folder that the services cannot enter' => sub {
	plan skip_all => 'only root runs services as other users' if $> != 0;
	my $folder = tempdir(CLEANUP => 1);    # 0700
	my ($port, $reserved) = free_port();
	my ($words, $status) = start(VAR => "$folder/var", PORT => $port);
	like $words, qr/the user postgres cannot use \Q$folder\E\/var.*chmod o\+x/, 'is named, with the remedy';
	is $status, 1, 'exit status 1';
};

subtest 'an initdb that was interrupted' => sub {
	my $half = Ostler->render;
	my $postgres = $half->var . '/postgres';
	my (undef, undef, undef, undef, $uid, $gid) = stat $postgres;
	mkdir "$postgres/data.new" or die "cannot make $postgres/data.new: $!";
	open my $out, '>', "$postgres/data.new/PG_VERSION" or die $!;
	print {$out} "15\n";
	close $out;
	chown $uid, $gid, "$postgres/data.new", "$postgres/data.new/PG_VERSION";
	$half->launch;
	is $half->get('/ready')->{status}, 200, 'is begun anew';
	ok !-e "$postgres/data.new", 'and what was left of it is gone';
	$half->stop;
};

my $stack = Ostler->start(name => 'a folder with spaces');
my $tasks = $stack->psql('SELECT count(*) FROM tasks');
cmp_ok $tasks, '>', 100, 'the first run has demo data, in a folder with spaces in its name';

subtest 'a second start on the same folder' => sub {
	my ($port, $reserved) = free_port();
	my ($words, $status) = start(VAR => $stack->var, PORT => $port);
	like $words, qr/already running in .*make stop/, 'is refused';
	is $stack->get('/ready')->{status}, 200, 'and does not disturb the first';
};

subtest 'a second stack beside the first' => sub {
	my $other = Ostler->start;
	$other->post('/api/tasks', json => { title => 'Only here' });
	is $other->psql(q{SELECT count(*) FROM tasks WHERE title = 'Only here'}), 1, 'has data';
	is $stack->psql(q{SELECT count(*) FROM tasks WHERE title = 'Only here'}), 0, 'of its own';
	$other->stop;
	is $stack->get('/ready')->{status}, 200, 'the first one goes on';
};

subtest 'three roles, and what each may' => sub {
	my $fails = sub {
		my ($sql, $role) = @_;
		open my $stderr, '>&', \*STDERR;
		open STDERR, '>', '/dev/null';
		my $worked = eval { $stack->psql($sql, $role); 1 };
		open STDERR, '>&', $stderr;
		return !$worked;
	};
	is $stack->psql('SELECT 1', $_), 1, "$_ can connect" for qw(ostler_owner ostler_app ostler_reader);
	ok !$fails->('UPDATE tasks SET title = title WHERE false', 'ostler_app'), 'the application changes data';
	ok $fails->($_, 'ostler_app'), "but not: $_"
	    for 'CREATE TABLE x (a int)', 'CREATE TEMP TABLE x (a int)', 'DROP TABLE tasks',
	    'ALTER TABLE tasks ADD x int', 'TRUNCATE tasks', 'SELECT pg_reload_conf()';
	ok !$fails->('SELECT count(*) FROM tasks', 'ostler_reader'), 'the reader reads';
	ok $fails->($_, 'ostler_reader'), "but not: $_"
	    for 'DELETE FROM tasks WHERE false', 'SET default_transaction_read_only = off; DELETE FROM tasks WHERE false';
	plan skip_all => 'the services have users of their own only under root' if $> != 0;
	my $as = sub {
		my ($user, $role) = @_;
		my ($text, $status) = Ostler::run('/bin/sh', '-c', 'exec "$@" 2>&1', 'sh', 'setpriv', "--reuid=$user", "--regid=$user",
		    '--clear-groups', 'psql', '-XAtq', '-d', 'ostler', '-U', $role, '-h', $stack->var . '/sock', '-c', 'SELECT 1');
		return $status == 0;
	};
	ok $as->('ostler', 'ostler_app'), 'the user ostler may be ostler_app';
	ok !$as->('ostler', $_), "but not $_" for qw(ostler_owner postgres);
	ok !$as->('www-data', 'ostler_app'), 'and the user www-data cannot even connect';
};

subtest 'the same folder again' => sub {
	$stack->post('/api/tasks', json => { title => 'Kept' });
	$stack->psql(q{DELETE FROM tasks WHERE title <> 'Kept'});
	is_deeply [ $stack->halt ], [], 'it ends, and leaves no process';
	$stack->launch;
	is $stack->psql('SELECT string_agg(title, $$,$$) FROM tasks'), 'Kept',
	    'has its data, and no demo data a second time';
	like $stack->log_of('initdb.log'), qr/exists, made by PostgreSQL/, 'initdb saw that';
};
$stack->stop;

subtest 'an ordinary user' => sub {
	plan skip_all => 'the rest of this test runs as one already' if $> != 0;
	my $own = Ostler->start(as => 'nobody');
	is $own->get('/api/tasks')->{status}, 200, 'runs the whole stack';
	my %owner = map { (scalar getpwuid((lstat)[4]) => 1) } map { glob $own->var . "/$_" } '*', 'sock/.s*', 'sock/*', 'postgres/*';
	is_deeply [ keys %owner ], ['nobody'], 'and everything in it is theirs';
	$own->stop;
};

done_testing;
