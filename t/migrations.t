#!/usr/bin/perl
# migrations.t - ostler-app migrate: each file once, whole or not at all, and never one that was changed.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp qw(tempdir);
use Ostler::App;
use Test::More;

# A stack without its application: a database is all that this needs.
my $stack = Ostler::App->start(env => { WORKERS => 1 });
my $app = Ostler::build() . '/ostler-app';
my $number = 0;

sub write_file
{
	my ($file, $text) = @_;
	open my $out, '>', $file or die "cannot write $file: $!";
	print {$out} $text;
	close $out or die "cannot write $file: $!";
}

# A database of its own with a folder of migrations, NAME => SQL.
sub prepare
{
	my (%sql) = @_;
	my $name = 'm' . ++$number;
	$stack->psql("CREATE DATABASE $name", 'postgres');
	my $folder = tempdir(CLEANUP => 1);
	mkdir "$folder/sql" or die "cannot make a folder: $!";
	write_file("$folder/sql/$_", $sql{$_}) for keys %sql;
	write_file("$folder/app.conf", sprintf qq{migrate_database = "host='%s/sock' dbname=%s user=postgres";\nmigrations = "%s/sql";\nlog_format = "text";\n},
	    $stack->var, $name, $folder);
	return { database => $name, folder => $folder };
}

# Runs migrate; returns what it says and its exit status.
sub migrate
{
	my ($place) = @_;
	return Ostler::run('/bin/sh', '-c', 'exec "$0" "$@" 2>&1', $app, '-c', "$place->{folder}/app.conf", 'migrate');
}

sub migrated_ok
{
	my ($place, $expected, $what) = @_;
	my ($said, $status) = migrate($place);
	is $status, 0, $what or diag $said;
	like $said, qr/ \Q$expected\E\n\z/, $expected;
}

sub refused_ok
{
	my ($place, $expected, $what) = @_;
	my ($said, $status) = migrate($place);
	is $status, 1, "$what: refused";
	like $said, $expected, 'it says why';
}

sub ask
{
	my ($place, $sql) = @_;
	my ($text) = Ostler::run('/bin/sh', '-c', 'exec "$0" "$@" 2>&1', 'psql', '-XAtqw', '-h', $stack->var . '/sock', '-U', 'postgres', '-d', $place->{database}, '-c', $sql);
	chomp $text;
	return $text;
}

sub history { return ask($_[0], q{SELECT string_agg(number || ' ' || name, ', ' ORDER BY number) FROM migrations.applied}) }

my %two = ('0001-a.sql' => "CREATE TABLE a (n int);\nINSERT INTO a VALUES (1);\n", '0002-b.sql' => 'CREATE TABLE b (n int); INSERT INTO a VALUES (2);');

subtest 'each file runs once' => sub {
	my $place = prepare(%two, 'notes.txt' => 'no SQL', 'demo.sql' => 'no migration');
	migrated_ok($place, '2 migrations there, 2 run now', 'the first time');
	is history($place), '1 0001-a.sql, 2 0002-b.sql', 'they are remembered';
	migrated_ok($place, '2 migrations there, 0 run now', 'the second time');
	is ask($place, 'SELECT string_agg(n::text, $$ $$ ORDER BY n) FROM a'), '1 2', 'nothing ran twice';
	write_file("$place->{folder}/sql/0003-c.sql", 'INSERT INTO b VALUES (3)');
	migrated_ok($place, '3 migrations there, 1 run now', 'a new file');
	is ask($place, 'SELECT n FROM b'), '3', 'ran';
};

subtest 'no migration at all' => sub {
	my $place = prepare();
	migrated_ok($place, '0 migrations there, 0 run now', 'is none to run');
};

subtest 'what has run must stay as it was' => sub {
	my $place = prepare(%two);
	migrate($place);
	my $first = "$place->{folder}/sql/0001-a.sql";
	write_file($first, "$two{'0001-a.sql'}-- a comment\n");
	refused_ok($place, qr/0001-a\.sql: has run and was changed since/, 'a changed file');
	write_file($first, $two{'0001-a.sql'});
	migrated_ok($place, '2 migrations there, 0 run now', 'changed back');
	rename $first, "$place->{folder}/sql/0001-z.sql" or die "cannot rename: $!";
	refused_ok($place, qr/0001-z\.sql: number 0001 has run as 0001-a\.sql/, 'a renamed file');
	rename "$place->{folder}/sql/0001-z.sql", $first or die "cannot rename: $!";
	unlink "$place->{folder}/sql/0002-b.sql";
	refused_ok($place, qr/0002-b\.sql has run but is not in .*: this program is older than the database/, 'a missing last file');
	unlink $first;
	write_file("$place->{folder}/sql/0002-b.sql", $two{'0002-b.sql'});
	refused_ok($place, qr/0002-b\.sql: should have the number 0001/, 'a missing first file');
};

subtest 'numbers follow each other' => sub {
	refused_ok(prepare('0001-a.sql' => 'SELECT 1', '0003-c.sql' => 'SELECT 1'), qr/0003-c\.sql: should have the number 0002/, 'a gap');
	refused_ok(prepare('0002-a.sql' => 'SELECT 1'), qr/0002-a\.sql: should have the number 0001/, 'a late beginning');
	refused_ok(prepare('0000-a.sql' => 'SELECT 1'), qr/0000-a\.sql: should have the number 0001/, 'an early one');
	refused_ok(prepare('0001-a.sql' => 'SELECT 1', '0001-b.sql' => 'SELECT 1'), qr/0001-b\.sql: should have the number 0002/, 'a number given twice');
	my $place = prepare('0001-a.sql' => 'SELECT 1');
	system 'rm', '-r', "$place->{folder}/sql";
	refused_ok($place, qr/No such file or directory/, 'no folder');
};

subtest 'a file that fails leaves nothing' => sub {
	my $place = prepare(%two, '0003-c.sql' => 'CREATE TABLE c (n int); INSERT INTO a VALUES (3); SELECT 1/0;', '0004-d.sql' => 'CREATE TABLE d (n int)');
	refused_ok($place, qr/division by zero.*0003-c\.sql failed; nothing of it was kept/s, 'an error in the last statement');
	is history($place), '1 0001-a.sql, 2 0002-b.sql', 'those before it are kept';
	is ask($place, 'SELECT count(*) FROM a'), '2', 'of itself nothing is';
	like ask($place, 'SELECT 1 FROM c'), qr/does not exist/, 'no table';
	like ask($place, 'SELECT 1 FROM d'), qr/does not exist/, 'and what follows has not run';
	write_file("$place->{folder}/sql/0003-c.sql", 'CREATE TABLE c (n int)');
	migrated_ok($place, '4 migrations there, 2 run now', 'mended, it runs');
	refused_ok(prepare('0001-a.sql' => 'CREATE TABL a'), qr/syntax error/, 'a syntax error');
	refused_ok(prepare('0001-a.sql' => "CREATE TABLE a (n int);\0CREATE TABLE b (n int);"), qr/NUL/, 'a NUL in the middle');
};

subtest 'many at once do no harm' => sub {
	my $place = prepare('0001-a.sql' => 'CREATE TABLE a (n int); SELECT pg_sleep(0.3);', '0002-b.sql' => 'INSERT INTO a VALUES (1)');
	my @results = $stack->in_processes((sub { my ($said, $status) = migrate($place); return { status => $status, said => $said } }) x 4);
	is_deeply [ map { $_->{status} } @results ], [ 0, 0, 0, 0 ], 'all succeed' or diag map { $_->{said} } @results;
	is ask($place, 'SELECT count(*) FROM a'), '1', 'each file ran once';
	my $run = () = join('', map { $_->{said} } @results) =~ /0002-b\.sql: done/g;
	is $run, 1, 'by one of them';
};

subtest 'a database that cannot be reached' => sub {
	my $place = prepare(%two);
	write_file("$place->{folder}/app.conf", qq{migrate_database = "host='$place->{folder}' dbname=x user=postgres connect_timeout=2";\nmigrations = "$place->{folder}/sql";\n});
	refused_ok($place, qr/cannot migrate without the database/, 'no server');
};

subtest 'the migrations of this program' => sub {
	is $stack->psql('SELECT count(*) FROM migrations.applied'), scalar(my @files = glob Ostler::root() . '/sql/[0-9][0-9][0-9][0-9]-*.sql'), 'have all run in the stack';
	my %index = map { split /\|/, $_, 2 } split /\n/, $stack->psql(q{SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'});
	my $indexes = join "\n", values %index;
	like $indexes, qr/ON public\.tasks USING btree \(user_id, created_at DESC, id DESC\)/, 'a page of a list has its index';
	like $indexes, qr/ON public\.tasks USING btree \(completed\)/, 'so has completed';
	like $indexes, qr/ON public\.tasks USING gin \(search\)/, 'so has the search';
	my $fails = sub { my ($sql, $role) = @_; return !eval { $stack->psql($sql, $role); 1 } };
	open my $stderr, '>&', \*STDERR;
	open STDERR, '>', '/dev/null';
	ok $fails->($_, 'ostler_app'), "the application may not: $_" for 'CREATE TABLE x (n int)', 'ALTER TABLE tasks ADD COLUMN x int', 'DROP TABLE tasks',
	    'CREATE INDEX x ON tasks (title)', 'TRUNCATE tasks', 'CREATE SCHEMA x';
	ok $fails->($_, 'ostler_reader'), "the reader may not: $_" for q{INSERT INTO tasks (user_id, title) SELECT min(id), 'x' FROM users}, q{UPDATE tasks SET title = 'x'},
	    'DELETE FROM tasks', 'CREATE TABLE x (n int)', q{SET default_transaction_read_only = off; DELETE FROM tasks};
	ok $fails->("INSERT INTO tasks (user_id, title) SELECT min(id), repeat('x', 201) FROM users", 'ostler_owner'), 'a title of 201 characters is refused by the table too';
	open STDERR, '>&', $stderr;
	ok !$fails->('SELECT count(*) FROM tasks', 'ostler_reader'), 'the reader reads';
	$stack->psql(q{INSERT INTO users (username, name, email) VALUES ('eve', 'Eve', 'eve@example.org'); INSERT INTO tasks (user_id, title) SELECT id, 'Of Eve' FROM users WHERE username = 'eve'; DELETE FROM users WHERE username = 'eve'}, 'ostler_app');
	is $stack->psql(q{SELECT count(*) FROM tasks WHERE title = 'Of Eve'}), 0, 'with a person go their tasks';
};

$stack->stop;
done_testing;
