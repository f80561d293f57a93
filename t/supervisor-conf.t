#!/usr/bin/perl
# supervisor-conf.t - every bad configuration is refused with exit status 2, file, line and a hint.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::Supervisor;
use Test::More;

# Each line of the pool is a setting, so that the line of a mistake is known: the first is line 5.
my $head = qq(control = "%D/ctl/ostlerd.sock";\npid_file = "%D/ostlerd.pid";\npools = {\nweb = {\n);
my @pool = ('kind = "worker";', 'command = [ "/bin/sleep", "1" ];');
my $tail = "};\n};\n";

# Checks a whole file.  Returns the exit status and the complaints, without the folder's name.
sub complaints_of
{
	my ($text) = @_;
	my $ostlerd = Ostler::Supervisor->new(conf => $text);
	mkdir $ostlerd->folder . '/closed', 0700;
	POSIX::mkfifo($ostlerd->folder . '/pipe', 0600);
	open my $plain, '>', $ostlerd->folder . '/plain';
	open my $file, '>', $ostlerd->folder . '/closed/file';
	my ($status, $out, $complaints) = $ostlerd->check;
	my $folder = $ostlerd->folder;
	$complaints =~ s/\Q$folder\E/%D/g;
	return ($status, $complaints, $out);
}

# The pool's SETTINGS, one a line from line 5, must be refused with a complaint like PATTERN at LINE.
sub refused
{
	my ($what, $settings, $line, $pattern) = @_;
	my ($status, $complaints) = complaints_of($head . join('', map { "$_\n" } @$settings) . $tail);
	subtest $what => sub {
		is $status, 2, 'exit status 2';
		my @lines = split /\n/, $complaints;
		is @lines, 1, 'one complaint' or diag $complaints;
		like $lines[0] // '', qr{^%D/ostler\.conf:$line: $pattern}, 'at its line';
	};
}

sub refused_pool { my ($what, $setting, $pattern) = @_; refused($what, [ @pool, $setting ], 7, $pattern) }

sub refused_fastcgi
{
	my ($what, $setting, $pattern) = @_;
	refused($what, [ 'kind = "fastcgi";', $pool[1], $setting ], 7, $pattern);
}

my ($status, $complaints, $out) = complaints_of($head . join("\n", @pool) . $tail);
is $status, 0, 'a good file is fine' or diag $complaints;
like $out, qr/ostler\.conf: fine, 1 pool$/, 'and is said to be';

# --- kinds and words
refused 'no kind', [ $pool[1] ], 4, 'kind is missing';
refused 'no command', [ $pool[0] ], 4, 'command is missing';
refused 'an unknown kind', [ 'kind = "servise";', $pool[1] ], 5, 'kind cannot be "servise"; did you mean "service"\?';
refused 'an unknown setting', [ @pool, 'worker = 3;' ], 7, 'unknown setting "worker"; did you mean "workers"\?';
refused 'an empty command', [ $pool[0], 'command = [ ];' ], 6, 'command must be 1 words';
refused 'a command as text', [ $pool[0], 'command = "/bin/true";' ], 6, 'command must be a list';
refused_pool 'no workers', 'workers = 0;', 'workers must be 1 to 512, not 0';
refused_pool 'too many workers', 'workers = 513;', 'workers must be 1 to 512, not 513';
refused_pool 'far too many workers', 'workers = 99999999999L;', 'workers must be 1 to 512, not 99999999999';
refused_pool 'a time without a unit', 'stop_timeout = "5";', 'stop_timeout must be a number and its unit';
refused_pool 'a negative time', 'stop_timeout = "-5s";', 'stop_timeout must';
refused_pool 'a longest wait shorter than the first', 'backoff_longest = "10ms";', 'pool web: backoff_longest must be at least backoff_first, 1000 ms';

# --- what a kind can have
refused 'fastcgi without listen', [ 'kind = "fastcgi";', $pool[1] ], 5, 'pool web: listen is missing: a fastcgi pool needs';
refused_pool 'listen for a worker', 'listen = "unix:%D/sock/w";', 'pool web: listen is for a fastcgi pool; a worker has no socket';
refused_pool 'accept for a worker', 'ready = "accept";', 'pool web: ready cannot be "accept": a worker has no socket';
refused 'two of a service', [ 'kind = "service";', $pool[1], 'workers = 2;' ], 7, 'pool web: a service is one process; workers must be 1';
refused 'two of a task', [ 'kind = "task";', $pool[1], 'workers = 2;' ], 7, 'pool web: a task is one process';
refused 'ready for a task', [ 'kind = "task";', $pool[1], 'ready = "notify";' ], 7, 'pool web: a task has no use for ready';

# --- names that must exist
refused_pool 'an unknown user', 'user = "nobodi_at_all";', 'pool web: there is no user "nobodi_at_all"';
refused_pool 'an unknown group', 'group = "nogroop_at_all";', 'pool web: there is no group "nogroop_at_all"';
refused_fastcgi 'an unknown owner of the socket', "listen = \"unix:%D/sock/w\"; listen_user = \"nobodi_at_all\";", 'pool web: there is no user';
refused_fastcgi 'an unknown group of the socket', "listen = \"unix:%D/sock/w\"; listen_group = \"nogroop_at_all\";", 'pool web: there is no group';
refused_pool 'an unknown signal', 'stop_signal = "TREM";', 'pool web: stop_signal: there is no signal "TREM"';
refused_pool 'an unknown signal to reload', 'reload_signal = "1";', 'pool web: reload_signal: there is no signal "1"';
refused 'a command that is not there', [ $pool[0], 'command = [ "/no/such/program" ];' ], 6, 'pool web: /no/such/program does not exist';
refused 'a command not found in PATH', [ $pool[0], 'command = [ "no-such-program" ];' ], 6, 'pool web: "no-such-program" is not found in /';
refused 'a relative command', [ $pool[0], 'command = [ "bin/true" ];' ], 6, 'pool web: "bin/true" must be an absolute path';
refused 'a command that is a folder', [ $pool[0], 'command = [ "/bin/.." ];' ], 6, 'pool web: /bin/.. is not a file';
refused 'a command without permission', [ $pool[0], 'command = [ "%D/plain" ];' ], 6, 'pool web: %D/plain is not executable \(mode 0644\)';
refused_pool 'a folder that is not there', 'directory = "/no/such/folder";', 'pool web: /no/such/folder: No such file';
refused_pool 'a folder that is none', 'directory = "%D/plain";', 'pool web: %D/plain is not a folder';
refused_pool 'a relative folder', 'directory = "log";', 'pool web: directory must be an absolute path';
refused_pool 'an output without a folder', 'output = "%D/none/x.log";', 'pool web: there is no folder %D/none';
refused_pool 'an output that is a pipe', 'output = "%D/pipe";', 'pool web: %D/pipe is not a regular file';
refused_pool 'direct output to nowhere', 'output_direct = true;', 'pool web: output_direct needs an output';
refused_pool 'an output that is a folder', 'output = "%D/log";', 'pool web: %D/log is not a regular file';
refused_pool 'a wrong umask', 'umask = "0999";', 'pool web: umask must be permissions as "0660", not "0999"';
refused_pool 'a wrong variable', 'environment = [ "1X=2" ];', 'pool web: "1X=2" is not NAME=value';
refused_pool 'a variable of ours', 'environment = [ "NOTIFY_SOCKET=/x" ];', 'pool web: "NOTIFY_SOCKET=/x" cannot be set';

# --- limits and rights
refused_pool 'an unknown limit', 'limits = [ "nofil=3" ];', 'pool web: limits: there is no limit "nofil"; did you mean "nofile"\?';
refused_pool 'a limit like no other', 'limits = [ "xyz=3" ];', 'pool web: limits: there is no limit "xyz"; it is one of as, core, cpu,';
refused_pool 'a limit without a value', 'limits = [ "core" ];', 'pool web: limits: "core" is no limit: write it as "nofile=1024"';
refused_pool 'a limit that is no number', 'limits = [ "nofile=64K" ];', 'pool web: limits: "nofile=64K": a value is a number or "unlimited"';
refused_pool 'a soft limit over the hard one', 'limits = [ "as=2G:1G" ];', 'pool web: limits: "as=2G:1G": the first, the soft limit, is over the second';
refused_pool 'a limit twice', 'limits = [ "core=0", "core=1M" ];', 'pool web: limits: "core=1M": core stands there twice';
refused_pool 'processors that are no numbers', 'cpus = "0-";', 'pool web: cpus must be numbers of processors, as "0" or "0-3,8", not "0-"';
refused_pool 'a processor that is not there', 'cpus = "0,1023";', 'pool web: cpus: processor 1023 is not to be had here';
refused_pool 'no processor that is there', 'cpus = "1022-1023";', 'pool web: cpus: none of these processors is to be had here';
refused_pool 'an unknown capability', 'capabilities = [ "net_bind" ];', 'pool web: there is no capability "net_bind"';
refused_pool 'a capability by its number', 'capabilities = [ "10" ];', 'pool web: there is no capability "10"';
refused_pool 'a relative path to read', 'readable = [ "etc" ];', 'pool web: readable needs absolute paths, not "etc"';
refused_pool 'a path to write that is not there', 'writable = [ "/no/such" ];', 'pool web: writable: /no/such: No such file';
refused_pool 'files limited but not privileges', 'readable = [ "/" ]; no_new_privs = false;', 'pool web: readable and writable need no_new_privs';
refused_pool 'an unknown supplementary group', 'groups = [ "nogroop_at_all" ];', 'pool web: there is no group "nogroop_at_all"';
SKIP: {
	skip 'this kernel has no Landlock', 1 if syscall(444, 0, 0, 1) <= 0;
	refused_pool 'a program that could not be read', 'readable = [ "/etc" ];', 'pool web: readable does not have /(?:usr/)?bin/sleep in it';
}

subtest 'limits that are tight, but can be had' => sub {
	my ($status, $complaints) = complaints_of($head . join("\n", @pool, 'limits = [ "nofile=3", "core=0", "nproc=1", "fsize=0" ];') . $tail);
	is "$status$complaints", '0', 'are fine';
};

# --- readiness
refused_pool 'an unknown way to be ready', 'ready = "notifi";', 'pool web: ready cannot be "notifi"; did you mean "notify"\?';
refused_pool 'exec without a command', 'ready = "exec: ";', 'pool web: ready needs a command after "exec:"';
refused_pool 'exec of what is not there', 'ready = "exec:/no/such/program -q";', 'pool web: /no/such/program does not exist';
refused_pool 'listen at no address', 'ready = "listen:localhost:80";', 'pool web: ready must begin with "unix:" or "tcp:"';
refused_pool 'listen at a name', 'ready = "listen:tcp:localhost:80";', 'pool web: ready needs a numeric host';

# --- sockets
refused_fastcgi 'a socket of no kind', 'listen = "/run/x";', 'pool web: listen must begin with "unix:" or "tcp:"';
refused_fastcgi 'a relative socket', 'listen = "unix:run/x";', 'pool web: listen needs an absolute path';
refused_fastcgi 'a port out of range', 'listen = "tcp:127.0.0.1:70000";', 'pool web: listen needs a port from 1 to 65535';
refused_fastcgi 'a socket path of 108 bytes', 'listen = "unix:/' . 'x' x 107 . '";', 'pool web: listen has a path of more than 107 bytes';
refused_fastcgi 'a socket without a folder', 'listen = "unix:%D/none/x";', 'pool web: there is no folder %D/none';
refused_fastcgi 'a regular file in the socket\'s place', 'listen = "unix:%D/plain";', 'pool web: %D/plain exists and is not a socket; it is left alone';
refused_fastcgi 'a wrong mode', 'listen = "unix:%D/sock/w"; listen_mode = "rw";', 'pool web: listen_mode must be permissions';
refused_fastcgi 'no backlog', 'listen = "unix:%D/sock/w"; backlog = 0;', 'backlog must be 1 to 65535';

SKIP: {
	skip 'only root can run a pool as another user', 3 if $> != 0;
	refused 'a user who cannot enter the folder', [ @pool, 'user = "nobody";', 'directory = "%D/closed";' ], 7,
	    'pool web: user nobody cannot enter %D/closed \(mode 0700\)';
	my $inner = Ostler::Supervisor->new(conf => $head . join("\n", $pool[0], 'command = [ "%D/closed/in/program" ];',
		'user = "nobody";') . $tail);
	mkdir $inner->folder . '/closed', 0750;
	mkdir $inner->folder . '/closed/in', 0755;
	open my $program, '>', $inner->folder . '/closed/in/program';
	chmod 0755, $program;
	my ($code, undef, $complaint) = $inner->check;
	is $code, 2, 'a user who cannot reach the program: exit status 2';
	like $complaint, qr{:7: pool web: user nobody cannot enter \S+/closed \(mode 0750\)}, 'the first folder in the way is named';
}

subtest 'an ordinary user cannot run a pool as another' => sub {
	plan skip_all => 'nobody to become' if $> != 0;
	my $other = Ostler::Supervisor->new(conf => $head . join("\n", @pool, 'user = "root";') . $tail);
	my $copy = $other->folder . '/ostlerd';
	$other->run('cp', Ostler::Supervisor::program('ostlerd'), $copy);
	chmod 0755, $copy;
	chown 65534, 65534, $other->folder . '/ctl';
	my ($code, undef, $complaint) = $other->run('setpriv', '--reuid=65534', '--regid=65534', '--clear-groups',
	    $copy, '-t', '-c', $other->conf);
	is $code, 2, 'exit status 2';
	like $complaint, qr/:7: pool web: only root can run a pool as root; you are nobody/, 'it says so';
};

# --- pools together
sub refused_file
{
	my ($what, $text, @patterns) = @_;
	subtest $what => sub {
		my ($code, $found) = complaints_of($text);
		is $code, 2, 'exit status 2';
		my @lines = split /\n/, $found;
		is @lines, @patterns, 'as many complaints as mistakes' or diag $found;
		like $lines[$_] // '', qr{^%D/ostler\.conf$patterns[$_]}, 'a complaint' for 0 .. $#patterns;
	};
}

sub three
{
	my (%more) = @_;
	return qq(control = "%D/ctl/ostlerd.sock";\npools = {\n)
	    . join('', map { "$_ = { kind = \"" . ($more{kind} // 'worker') . "\"; command = [ \"/bin/true\" ]; " . ($more{$_} // '') . " };\n" } qw(one two three))
	    . "};\n";
}

refused_file 'after an unknown pool', three(two => 'after = [ "ome" ];'), ':4: pool two: after names "ome", which is no pool; did you mean "one"\?';
refused_file 'after itself', three(two => 'after = [ "two" ];'), ':4: pool two: waits for itself: two → two';
refused_file 'in a circle', three(one => 'after = [ "three" ];', two => 'after = [ "one" ];', three => 'after = [ "two" ];'),
    ':3: pool one: waits for itself: one → three → two → one';
refused_file 'two pools at one address', three(kind => 'fastcgi', one => 'listen = "tcp:127.0.0.1:9001";',
	two => 'listen = "tcp:127.0.0.1:9002";', three => 'listen = "tcp:127.0.0.1:9001";'), ':5: pool three: pool one \(.*:3\) listens at the same address';
refused_file 'all mistakes at once', three(one => 'user = "no_such_user"; workers = 2; stop_signal = "X";', two => 'listen = "x";', three => 'speed = 9;'),
    ':3: pool one: there is no user', ':3: pool one: stop_signal', ':4: pool two: listen is for', ':4: pool two: listen must begin', ':5: unknown setting "speed"';
refused_file 'no pools', qq(control = "%D/ctl/c";\n), ': pools is missing';
refused_file 'no pool in pools', qq(control = "%D/ctl/c";\npools = { };\n), ':2: pools has no pool in it';
refused_file 'a control socket without a folder', qq(control = "%D/none/c";\npools = { one = { kind = "worker"; command = [ "/bin/true" ]; }; };\n),
    ':1: control: there is no folder %D/none; make it: mkdir -m 0700 %D/none';
refused_file 'a control socket where others can enter', qq(control = "%D/sock/c";\npools = { one = { kind = "worker"; command = [ "/bin/true" ]; }; };\n),
    ':1: control: others can enter %D/sock \(mode 0755\): chmod 0700 %D/sock';
my $one = 'pools = { one = { kind = "worker"; command = [ "/bin/true" ]; }; };';
refused_file 'a control socket where a file lies', qq(control = "%D/closed/file";\n$one\n), ':1: control: %D/closed/file exists and is not a socket; it is left alone';
refused_file 'a pid file that is a folder', qq(control = "%D/ctl/c";\npid_file = "%D/log";\n$one\n), ':2: pid_file: %D/log is not a regular file';
refused_file 'a pid file without a folder', qq(control = "%D/ctl/c";\npid_file = "%D/none/p";\npools = { one = { kind = "worker"; command = [ "/bin/true" ]; }; };\n),
    ':2: pid_file: there is no folder %D/none';
refused_file 'a syntax error', qq(control = "%D/ctl/c";\npools = {\n}}\n), ':3: syntax error';
refused_file 'a name given twice', qq(control = "%D/ctl/c";\ncontrol = "%D/ctl/d";\n), ':2: ';
refused_file 'a wrong level', qq(control = "%D/ctl/c";\nlog_level = "warning";\npools = { one = { kind = "worker"; command = [ "/bin/true" ]; }; };\n),
    ':2: log_level cannot be "warning"';

subtest 'a file that cannot be read' => sub {
	my $none = Ostler::Supervisor->new(conf => '');
	unlink $none->conf;
	my ($code, undef, $complaint) = $none->check;
	is $code, 2, 'exit status 2';
	like $complaint, qr/ostler\.conf: cannot read: No such file/, 'it says so';
};

subtest 'the command line' => sub {
	my $any = Ostler::Supervisor->new(conf => '');
	my $program = Ostler::Supervisor::program('ostlerd');
	is +($any->run($program, '-x'))[0], 2, 'an unknown option: 2';
	is +($any->run($program, '-c', $any->conf, 'more'))[0], 2, 'a word too many: 2';
	like +($any->run($program, '-x'))[2], qr/usage: ostlerd/, 'with the usage';
};

subtest 'nothing is touched by a bad configuration' => sub {
	my $bad = Ostler::Supervisor->new(pools => {
		good => { kind => 'fastcgi', listen => 'unix:%D/sock/g', command => ['/bin/true'] },
		bad => { kind => 'worker', command => ['/no/such/program'] },
	});
	is $bad->start->wait_for_end, 2, 'exit status 2';
	is_deeply [ glob $bad->folder . '/{sock,ctl,log}/*' ], [], 'no socket, no file';
	ok !-e $bad->folder . '/ostlerd.pid', 'no pid file';
};

# --- the manual page
subtest 'ostler.conf(5) lists every setting with its type and default' => sub {
	my $any = Ostler::Supervisor->new(conf => '');
	my ($code, $table) = $any->run(Ostler::Supervisor::program('ostlerd'), '--settings');
	is $code, 0, 'the table is printed';
	my $page = Ostler::Supervisor::slurp(Ostler::Supervisor::root() . '/man/ostler.conf.5');
	my %in_code = map { my ($section, $name, $kind, $default) = split /\t/; ("$section $name" => "$kind, $default") } split /\n/, $table;
	my ($section, %in_page) = ('top');
	for (split /\n/, $page) {
		$section = 'pool' if /^\.Ss Settings of a pool/;
		$section = 'workers' if /^\.Ss Workers that follow demand/;
		# .It Ic name Pq type , default
		$in_page{"$section $1"} = "$2, $3" if /^\.It Ic (\w+) Pq (\w+) , (.*)$/;
	}
	is_deeply \%in_page, \%in_code, 'the same names, types and defaults';
	for my $section (qw(top pool)) {
		my ($list) = $page =~ /^\.\\" light settings of $section\n(.*?)^\.(?!Ic)/ms;
		my @light = map { /^$section\t(\w+)\t.*\tlight$/ ? $1 : () } split /\n/, $table;
		is_deeply [ sort +($list // '') =~ /^\.Ic (\w+)/mg ], [ sort @light ], "what a reload applies to what runs: $section";
	}
};

done_testing;
