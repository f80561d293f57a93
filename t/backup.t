#!/usr/bin/perl
# backup.t - a database that was destroyed comes back with everything that was acknowledged; a broken copy
# is never taken for a good one, and nothing is written over anything.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Path qw(remove_tree);
use Ostler;
use Ostler::Supervisor;
use Test::More;
use Time::HiRes qw(sleep);

our $program = Ostler::root() . '/backup/ostler-backup';
my $stack = Ostler->start;
my ($backups, $data) = ($stack->var . '/backup', $stack->var . '/postgres/data');
my $places = $stack->var . '/postgres';    # where restored clusters go: a folder of their owner's
my ($owner, $group) = (stat $data)[4, 5];
my ($bin) = Ostler::Supervisor::slurp($stack->var . '/etc/backup.conf') =~ /^postgres_bin = (.*)$/m;

# --- tools ---

# Runs a program as PostgreSQL's user; what it said and its exit status.
sub as_owner
{
	my (@command) = @_;
	unshift @command, 'setpriv', "--reuid=$owner", "--regid=$group", '--clear-groups' if $> == 0;
	return Ostler::run('/bin/sh', '-c', 'cd / && exec "$@" 2>&1', 'sh', @command);
}

# As whoever runs the test, as an operator would.
sub backup { return Ostler::run('/bin/sh', '-c', 'exec "$@" 2>&1 </dev/null', 'sh', $program, '-c', $stack->var . '/etc/backup.conf', @_) }

sub says_ok
{
	my ($pattern, $name, @command) = @_;
	my ($words, $status) = backup(@command);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is $status, 0, "$name: done" or diag $words, $stack->logs;
	like $words, $pattern, "$name: says so";
	return $words;
}

sub refused_ok
{
	my ($expected, $pattern, $name, @command) = @_;
	my ($words, $status) = backup(@command);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is $status, $expected, "$name: exit status $expected" or diag $words;
	like $words, $pattern, "$name: and why";
	return;
}

sub copies { my ($kind) = @_; return sort map { m{([^/]+)$} } glob "$backups/$kind-*" }
sub segments { return sort map { m{([0-9A-F]{24})\.zst$} } glob "$backups/wal/*" }

# What a cluster that is not running has, without a socket and a port.
sub look
{
	my ($folder, $sql) = @_;
	my ($words) = as_owner('/bin/sh', '-c', 'printf "%s\n" "$1" | exec "$2" --single -D "$3" ostler', 'sh', $sql, "$bin/postgres", $folder);
	my ($value) = $words =~ /^\s*1: \w+ = "([^"]*)"/m or diag $words;
	return $value // 'nothing';
}

# What was written so far is in the archive when this returns.
sub switch
{
	my $segment = $stack->psql('SELECT pg_walfile_name(pg_switch_wal())', 'postgres');
	return $stack->wait_for(sub { -e "$backups/wal/$segment.zst" && $segment }, "$segment to be archived", 120);
}

# Changes one byte, calls, and changes it back.
sub with_flipped
{
	my ($file, $at, $then) = @_;
	my $flip = sub {
		open my $io, '+<:raw', $file or die "$file: $!";
		seek $io, $at < 0 ? (-s $file) + $at : $at, 0;
		read $io, my $byte, 1;
		seek $io, -1, 1;
		print {$io} ~$byte & "\xff";
		close $io or die "$file: $!";
	};
	$flip->();
	$then->();
	$flip->();
	return;
}

# --- a writer, whose log has every id that was acknowledged ---

$stack->psql('CREATE TABLE written (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz DEFAULT clock_timestamp())');
my $log = "$stack->{folder}/acknowledged";

sub start_writer
{
	my $pid = fork // die "cannot fork: $!";
	return $pid if $pid;
	$SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
	open STDOUT, '>>', $log or POSIX::_exit(1);
	open STDERR, '>', '/dev/null';
	my @psql = ('psql', '-XAtqw', '-h', $stack->var . '/sock', '-U', 'ostler_owner', '-d', 'ostler');
	open my $in, '|-', @psql or POSIX::_exit(1);
	$in->autoflush;
	$SIG{PIPE} = sub { POSIX::_exit(0) };
	while (getppid == $stack->{owner}) {
		print {$in} "INSERT INTO written DEFAULT VALUES RETURNING id;\n";
		sleep 0.01;
	}
	POSIX::_exit(0);
}

sub acknowledged { return -e $log ? grep { /^\d+$/ } split /\n/, Ostler::Supervisor::slurp($log) =~ s/[^\n]*\z//r : () }

sub wait_for_more
{
	my $before = () = acknowledged();
	return $stack->wait_for(sub { (my $now = () = acknowledged()) > $before + 10 }, 'more to be written', 120);
}

my $writer = start_writer();
wait_for_more();

# --- the copies ---

says_ok(qr/no WAL is archived|there is no base/, 'list, before there is a copy', 'list');
says_ok(qr/^ostler-backup: base-\d{8}T\d{6}Z is whole/, 'base, under load', 'base');
my ($base) = copies('base');
wait_for_more();
says_ok(qr/^ostler-backup: dump-\d{8}T\d{6}Z is whole/, 'dump', 'dump');
my ($dump) = copies('dump');
wait_for_more();
switch();
wait_for_more();
my ($middle, $until) = split /\|/, $stack->psql('SELECT max(id), clock_timestamp() FROM written');
wait_for_more();
switch();
wait_for_more();

subtest 'a drill' => sub {
	my $words = says_ok(qr/(\d+) tables with [1-9]\d* rows are the same, by count and checksum/, 'drill', 'drill');
	like $words, qr/^changed meanwhile, and only counted: written$/m, 'what the writer changed is not compared';
	like $words, qr/RPO \d+ s:.*RTO \d+ s:/s, 'both figures are printed';
	diag grep { /R[PT]O/ } split /^/, $words;
	is_deeply [ glob "$backups/.[a-z]*-*" ], [], 'nothing is left behind';

	# The same program with sums that depend on the server: live and restored differ.
	my $copy = "$stack->{folder}/backup";
	system('cp', '-R', Ostler::root() . '/backup', $copy) == 0 or die 'cannot copy';
	system('sed', '-i', 's/t::text/t::text || current_setting($$archive_mode$$)/', "$copy/sums.sql") == 0 or die 'cannot change';
	local $program = "$copy/ostler-backup";
	refused_ok(3, qr/^tasks differs: live \d+\|-?\d+, restored.*the drill failed/ms, 'a difference', 'drill');
};

# --- what archive does not do ---

subtest 'the archive' => sub {
	my @all = segments();
	my $segment = "$stack->{folder}/segment";
	system("zstd -dqc '$backups/wal/$all[-1].zst' >'$segment' && chmod 644 '$segment'") == 0 or die 'no segment';
	my $stored = Ostler::Supervisor::slurp("$backups/wal/$all[-1].zst");
	says_ok(qr/^$/, 'the same once more', 'archive', $segment, $all[-1]);
	with_flipped($segment, 5000, sub { refused_ok(1, qr/with other content and stays/, 'something else', 'archive', $segment, $all[-1]) });
	is Ostler::Supervisor::slurp("$backups/wal/$all[-1].zst"), $stored, 'what was there is there';
	with_flipped($segment, 24, sub { refused_ok(1, qr/it is of the cluster \d+/, 'another cluster', 'archive', $segment, '0000000100000000000000AA') });
	refused_ok(2, qr/no name of a WAL file/, 'a name that leads elsewhere', 'archive', $segment, '../x');

	# What cannot be compressed, as the rest of it.
	system("head -c 1M /dev/urandom >>'$segment'") == 0 or die 'no random bytes';
	my ($words, $status) = as_owner('/bin/sh', '-c', 'ulimit -f 8; exec "$@"', 'sh', $program, '-c', $stack->var . '/etc/backup.conf',
	    'archive', $segment, '0000000100000000000000AA');
	is $status, 1, 'a disk without room: exit status 1';
	like $words, qr/cannot write it to .* free\); PostgreSQL keeps it/, 'says so';
	is_deeply [ glob "$backups/wal/*AA.zst $backups/wal/.[0-9]*" ], [], 'and leaves nothing';
};

subtest 'an archive that cannot be written' => sub {
	chmod 0500, "$backups/wal" or die $!;
	my $segment = $stack->psql('SELECT pg_walfile_name(pg_switch_wal())', 'postgres');
	$stack->wait_for(sub { $stack->psql('SELECT failed_count FROM pg_stat_archiver', 'postgres') > 0 }, 'PostgreSQL to be refused', 120);
	like $stack->log_of('database.log'), qr/ostler-backup: $segment is not archived: cannot write/, 'is told in the log';
	ok !-e "$backups/wal/$segment.zst", 'nothing is there';
	chmod 0700, "$backups/wal" or die $!;
	wait_for_more();
	switch();    # which also wakes the archiver
	ok -e "$backups/wal/$segment.zst", 'PostgreSQL has tried again';
	unlike +(backup('list'))[0], qr/gap/, 'and nothing is missing';
};

# --- broken copies ---

subtest 'a flipped byte' => sub {
	my @needed = grep { $_ gt Ostler::Supervisor::slurp("$backups/$base/about") =~ s/.*^wal_start=(\w+).*/$1/msr } segments();
	for my $case ([ dump => "$backups/$dump/data.dump", $dump ], [ roles => "$backups/$dump/globals.sql", $dump ], [ base => "$backups/$base/base.tar.zst", $base ]) {
		my ($what, $file, $name) = @$case;
		with_flipped($file, (-s $file) / 2, sub {
			refused_ok(3, qr/\Q$name\E is BROKEN/, "in a $what, verify", 'verify', $name);
			refused_ok(3, qr/\Q$name\E is BROKEN/, "in a $what, restore", 'restore', $name, "$places/broken");
		});
	}
	with_flipped("$backups/wal/$needed[1].zst", 100, sub { refused_ok(3, qr/the archived $needed[1] is BROKEN/, 'in WAL, verify', 'verify') });
	with_flipped("$backups/wal/$needed[1].zst", -1, sub { refused_ok(3, qr/\Q$needed[1]\E.* is broken/, 'in WAL, restore', 'restore', "$places/broken") });
	rename "$backups/wal/$needed[0].zst", "$stack->{folder}/aside" or die $!;
	refused_ok(3, qr/1 missing before/, 'a segment that is missing, verify', 'verify');
	refused_ok(3, qr/\Q$needed[0]\E is missing .* which goes on behind it/, 'and restore', 'restore', "$places/broken");
	rename "$stack->{folder}/aside", "$backups/wal/$needed[0].zst" or die $!;

	# WAL that is whole as a file, and wrong within: PostgreSQL would take it for the end.
	my $stored = "$backups/wal/$needed[1].zst";
	my $segment = "$stack->{folder}/wrong";
	system("cp -p '$stored' '$segment.zst' && zstd -dqf '$segment.zst' -o '$segment'") == 0 or die 'no segment';
	with_flipped($segment, 50, sub { system("zstd -qf '$segment' -o '$stored'") });
	refused_ok(3, qr/recovery ended in \w+, but the archive goes on to/, 'WAL that is wrong within, restore', 'restore', "$places/broken");
	system("cp -p '$segment.zst' '$stored'");
	is_deeply [ glob "$places/broken/*" ], [], 'nothing of all that is left';
	says_ok(qr/segments of WAL were read/, 'when all is as it was', 'verify');
};

subtest 'a place that is not empty' => sub {
	refused_ok(1, qr/a PostgreSQL is running in \Q$data\E/, 'a live cluster', 'restore', 'LATEST', $data);
	refused_ok(1, qr/is not empty/, 'a folder with files', 'restore', $stack->var . '/etc');
	refused_ok(1, qr/is no folder/, 'a file', 'restore', $log);
	refused_ok(2, qr/there is no command/, 'a word that is no command', 'restroe');
	refused_ok(1, qr/there is no base that was finished before/, 'a time before all copies', 'restore', '--to', '2020-01-01', "$places/x");
	refused_ok(1, qr/nothing in the archive was committed after/, 'a time to come', 'restore', '--to', 'tomorrow', "$places/x");
	refused_ok(2, qr/--to takes a time/, 'no time at all', 'restore', '--to', 'half past', "$places/x");
};

# --- the disaster ---

wait_for_more();
my @safe = acknowledged();
switch();
wait_for_more();
kill 'KILL', $writer, $stack->pids('database');
waitpid $writer, 0;
$stack->halt;
my @all = acknowledged();
remove_tree($data);
ok !-e $data, 'the cluster is gone';

subtest 'starting without it' => sub {
	my ($words, $status) = do { local @ENV{qw(VAR PORT BUILD)} = ($stack->var, $stack->port, Ostler::build()); Ostler::run('/bin/sh', '-c', "exec '" . Ostler::root() . "/stack/start' 2>&1") };
	is $status, 1, 'is refused';
	like $words, qr/there are backups of one in .*restore LATEST/s, 'and says how it comes back';
	ok !-e $data, 'no new one hides that it is gone';
};

subtest 'restored to the last archived moment' => sub {
	my $words = says_ok(qr/base-\w+ is restored into .*; its last transaction is of \d{4}-/, 'restore', 'restore', 'LATEST', $data);
	like $words, qr/^ostler-backup: RTO \d+ s$/m, 'the time that it took is printed';
	my ($seconds) = $words =~ /RTO (\d+) s/;
	cmp_ok $seconds, '<', 900, "restored in $seconds s";
	$stack->launch;
	my %there = map { $_ => 1 } split /\n/, $stack->psql('SELECT id FROM written');
	is_deeply [ grep { !$there{$_} } @safe ], [], 'every id that was acknowledged before is there: ' . @safe . ' of them';
	note @all - @safe, ' were acknowledged later, of which ', scalar(grep { !$there{$_} } @all), ' were not archived';
	is $stack->get('/api/tasks')->{status}, 200, 'and the application works with it';
};

subtest 'and what is written then can be restored, too' => sub {
	$stack->wait_for(sub { -e "$backups/wal/00000002.history.zst" }, 'the new timeline to be archived', 120);
	$stack->psql("INSERT INTO written (at) VALUES ('infinity')");
	like switch(), qr/^00000002/, 'on a timeline of its own';
	says_ok(qr/is restored/, 'restore', 'restore', "$places/second");
	is look("$places/second", "SELECT count(*) FROM written WHERE at = 'infinity'"), 1, 'with what was written since';
};

subtest 'to a time' => sub {
	says_ok(qr/is restored/, 'restore --to', 'restore', '--to', $until, '--timeline', 1, "$places/earlier");
	is look("$places/earlier", "SELECT count(*) FROM written WHERE at > '$until'"), 0, 'nothing of what came later is there';
	is look("$places/earlier", "SELECT count(*) FROM written WHERE id = $middle"), 1, 'and what came before is';
};

subtest 'from a dump' => sub {
	says_ok(qr/\Q$dump\E is restored/, 'restore', 'restore', $dump, "$places/dumped");
	is look("$places/dumped", 'SELECT count(*) FROM tasks'), $stack->psql('SELECT count(*) FROM tasks'), 'the tasks are there';
	is look("$places/dumped", q{SELECT has_table_privilege('ostler_app', 'tasks', 'INSERT')}), 't', 'and the roles, with their rights';
};

# --- what is kept ---

sub make_older
{
	my ($name, $days) = @_;
	my $file = "$backups/$name/about";
	my $text = Ostler::Supervisor::slurp($file);
	$text =~ s/^started=(\d+)/'started=' . ($1 - $days * 86400)/me;
	open my $out, '>', $file or die $!;
	print {$out} $text;
	close $out or die $!;
	return;
}

subtest 'prune' => sub {
	make_older($_, 6) for $base, $dump;
	my @before = segments();
	says_ok(qr/WAL is kept from/, 'what is younger than seven days', 'prune');
	is_deeply [ copies('base'), copies('dump') ], [ $base, $dump ], 'stays';
	make_older($_, 10) for $base, $dump;
	says_ok(qr/WAL is kept from/, 'what is older, and the only one', 'prune');
	is_deeply [ copies('base'), copies('dump') ], [ $base, $dump ], 'stays';
	my @needed = grep { substr($_, 8) ge substr Ostler::Supervisor::slurp("$backups/$base/about") =~ s/.*^wal_start=(\w+).*/$1/msr, 8 } @before;
	is_deeply [ segments() ], \@needed, 'with all WAL behind it, of both timelines';

	says_ok(qr/dump-\w+ is whole.*base-\w+ is whole.*\Q$dump\E is removed: it was older than 7 days.*\Q$base\E is removed/s, 'nightly makes new ones, then removes the old', 'nightly');
	my ($new) = copies('base');
	isnt $new, $base, 'there is a new base';
	my ($start) = Ostler::Supervisor::slurp("$backups/$new/about") =~ /^wal_start=(\w+)/m;
	is +(segments())[0], $start, 'WAL is kept from where that begins';
	like +(backup('list'))[0], qr/\Q$new\E.*any moment from/, 'list shows it';
	switch();
	says_ok(qr/is restored/, 'what is kept', 'restore', "$places/third");
};

subtest 'daily' => sub {
	my ($yesterday) = copies('base');
	make_older($yesterday, 1);
	my $conf = "$stack->{folder}/daily.conf";
	open my $out, '>', $conf or die $!;
	print {$out} Ostler::Supervisor::slurp($stack->var . '/etc/backup.conf'), "daily_after = 0\n";
	close $out or die $!;
	my $pid = fork // die "cannot fork: $!";
	if ($pid == 0) {
		open STDOUT, '>', "$stack->{folder}/daily.log";
		open STDERR, '>&', \*STDOUT;
		{ exec $program, '-c', $conf, 'daily' }
		POSIX::_exit(127);
	}
	$stack->wait_for(sub { Ostler::Supervisor::slurp("$stack->{folder}/daily.log") =~ /WAL is kept from/ }, 'what is due to be done', 120);
	isnt +(copies('base'))[-1], $yesterday, 'a base that is a day old is followed by another';
	kill 'TERM', $pid;
	waitpid $pid, 0;
	is $?, 0, 'told to end, it does';
};

subtest 'completion' => sub {
	my $offered = sub {
		my ($words) = Ostler::run('bash', '-c', 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ostler_backup; printf "%s\n" "${COMPREPLY[@]}"',
		    'bash', Ostler::root() . '/backup/ostler-backup.bash', $program, @_);
		return join ' ', split /\n/, $words;
	};
	my @here = ('-c', $stack->var . '/etc/backup.conf');
	is $offered->('d'), 'dump daily drill', 'commands';
	is $offered->(@here, 'verify', 'b'), join(' ', copies('base')), 'copies';
	is $offered->(@here, 'restore', 'LA'), 'LATEST', 'the newest';
};

subtest 'a configuration that is wrong' => sub {
	my $file = "$stack->{folder}/backup.conf";
	open my $out, '>', $file or die $!;
	print {$out} "# comment\n\nfolder = here\nport = 70000\npassword = secret\nkeep = 3\nnonsense\n";
	close $out;
	my ($words, $status) = Ostler::run('/bin/sh', '-c', 'exec "$@" 2>&1', 'sh', $program, '-c', $file, 'list');
	is $status, 2, 'exit status 2';
	like $words, qr/:3: folder must be an absolute path.*:4: port must be.*:5: a password does not belong here.*:6: there is no setting "keep".*:7: /s, 'all mistakes at once, by line';
	unlike $words, qr/secret/, 'without repeating a password';
};

$stack->stop;
done_testing;
