#!/usr/bin/perl
# deb.t - the Debian packages: built from a copy of the sources, installed into a bare Debian, used there, and gone again.
#
# The bare Debian is made once, by t/deb/chroot.  Only a machine that reaches no mirror may do without
# it; where CI runs it must.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Temp;
use JSON::PP ();
use Ostler;
use Ostler::Chroot;
use Ostler::FastCgi;
use Ostler::Http;
use Ostler::Process qw(wait_for free_port);
use Ostler::Supervisor;
use Ostler::Tree;
use Test::More;

plan skip_all => 'no package is made with a sanitizer' if Ostler::Supervisor::is_sanitized();
chdir Ostler::root() or die "cannot find the sources: $!";

# A folder that apt's own user may enter.
my $folder = File::Temp->newdir('ostler-deb-XXXXXXXX', TMPDIR => 1);
chmod 0755, "$folder";

# Runs a shell command quietly; its output is shown when it fails.
sub runs_ok
{
	my ($command, $what) = @_;
	my ($output, $status) = Ostler::run('/bin/sh', '-c', "exec 2>&1; $command");
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is $status, 0, $what or diag substr $output, -4000;
	return $output;
}

# A field of debian/control, or of a package, as a list of names.
sub names { my ($text) = @_; return map { /^\s*([a-z0-9][a-z0-9.+-]+)/ ? $1 : () } split /,/, $text }

my $log = runs_ok("DEB_BUILD_OPTIONS='nocheck parallel=2' debian/build '$folder'", 'dpkg-buildpackage builds them');
my ($changes) = glob "$folder/*.changes";
my ($package) = glob "$folder/ostler_*.deb";
my ($library) = glob "$folder/libostler-dev_*.deb";
die "no packages\n" if !$changes || !$package || !$library;

subtest 'as packages should be' => sub {
	like runs_ok("lintian --allow-root --fail-on error,warning '$changes'", 'lintian has neither errors nor warnings'), qr/^\s*$/, 'and nothing to say';
	my ($newest) = Ostler::Tree::slurp('CHANGELOG.md') =~ /^## (\S+)/m;
	like runs_ok("dpkg-deb -f '$package' Version", 'the version'), qr/^\Q$newest\E(?:~\d{8}\.\d{4})?$/, 'is that of CHANGELOG.md';
	my ($needed) = Ostler::Tree::slurp('stack/packages') =~ /^build="([^"]*)"/m;
	my %named = map { $_ => 1 } names(Ostler::Tree::slurp('debian/control') =~ /^Build-Depends:(.*?)^\n/ms);
	is_deeply [ grep { !$named{$_} && !/^(?:gcc|libc6-dev|make)$/ } split ' ', $needed ], [], 'Build-Depends names all that building needs';
};

subtest 'hardened by the flags of the distribution, and by ours' => sub {
	my @compiled = grep { /^gcc .* -c / } split /\n/, $log;
	cmp_ok scalar @compiled, '>', 200, 'many files are compiled';
	for my $flag ('-ffile-prefix-map=', '-Wformat', '-Wdate-time', '-D_FORTIFY_SOURCE=3') {
		is_deeply [ grep { index($_, $flag) < 0 } @compiled ], [], "each with $flag";
	}
	runs_ok("dpkg-deb -x '$package' '$folder/files' && dpkg-deb -x '$library' '$folder/library'", 'unpacked');
	for my $program (qw(usr/sbin/ostlerd usr/bin/ostlerctl usr/bin/ostler-app usr/lib/ostler/ostler-kafka.so)) {
		my $elf = runs_ok("readelf -dlW '$folder/files/$program'; nm -D '$folder/files/$program'", $program);
		like $elf, $_->[1], $_->[0] for [ 'read-only relocations', qr/GNU_RELRO/ ], [ 'bound at once', qr/\bNOW\b/ ], [ 'a stack that is watched', qr/__stack_chk_fail/ ],
		    [ 'no executable stack', qr/GNU_STACK(?:\s+0x\w+){5}\s+RW /],
		    $program =~ /\.so$/ ? () : [ 'at any address', qr/Flags:.*\bPIE\b/ ];
	}
};

subtest 'a program of a stranger is compiled with the library' => sub {
	my ($config) = glob "$folder/library/usr/lib/*/pkgconfig";
	my $flags = runs_ok("PKG_CONFIG_PATH='$config' pkg-config --cflags --libs ostler", 'pkg-config knows it');
	$flags =~ s/\n/ /g;
	runs_ok("cc -std=c11 -Wall -Werror -I'$folder/library/usr/include' -o '$folder/hello' '$folder/library/usr/share/ostler/examples/hello/hello.c'"
		. " -L'$config/..' $flags", 'it links');
	like runs_ok("'$folder/hello' routes", 'it runs'), qr{^GET\s+/hello\s}m, 'and has its route';
};

if ($> != 0) {
	diag 'only root can make a bare Debian: nothing is known of installing the packages';
	done_testing;
	exit 0;
}
my ($said, $failed) = Ostler::run('/bin/sh', '-c', 'exec 2>&1; t/deb/chroot "$1"', 'chroot', Ostler::build() . '/chroot');
if ($failed) {
	$ENV{CI} ? fail("a bare Debian is made: $said") : diag "nothing is known of installing the packages: $said";
	done_testing;
	exit 0;
}

my $chroot = Ostler::Chroot->new(Ostler::build() . '/chroot/base.tar');
my @before = $chroot->files;

sub inside_ok
{
	my ($what, @words) = @_;
	my ($text, $status) = $chroot->run(@words);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is $status, 0, $what or diag $text;
	return $text;
}

# Of a file or folder: its permissions, and its owner.
sub mode_of { my ($path) = @_; my @about = stat $chroot->path($path) or return 'nothing'; return sprintf '%04o %s', $about[2] & 07777, $about[4] == 0 ? 'root' : $about[4] }
# What has come since, apart from what apt, dpkg and systemd's tools keep for themselves, and users.
sub added
{
	my %was = map { $_ => 1 } @before;
	return grep { !$was{$_} && !m{^/(?:etc/(?:passwd|group|g?shadow|sub[ug]id)-|etc/\.pwd\.lock$|var/(?:lib/(?:dpkg|apt)|cache|log/(?:apt|dpkg|alternatives))\b|run/systemd\b|log$|\w+\.deb$)} } $chroot->files;
}

system('cp', $package, $chroot->path('/ostler.deb')) == 0 or die "cannot copy the package\n";
my $app_user;

subtest 'installed' => sub {
	# What it depends on is in the base, for building needs it, too.
	inside_ok('apt installs it, with nothing else', qw(apt-get install -q -y --no-install-recommends ./ostler.deb));
	my ($user) = Ostler::Tree::slurp($chroot->path('/etc/passwd')) =~ m{^ostler:\w:(\d+):\d+:[^:]*:/nonexistent:/usr/sbin/nologin$}m;
	ok $user, 'the user ostler is there, who cannot sign in';
	$app_user = $user;
	is mode_of($_->[0]), $_->[1], $_->[0] for [ '/etc/ostler/ostler.conf', '0644 root' ], [ '/run/ostler', '0700 root' ], [ '/var/log/ostler', '0755 root' ], [ '/var/lib/ostler/app/keys', "0700 $user" ];
	for my $unit (qw(ostlerd.service ostlerd-single.service ostlerd.socket ostler-edge.service ostler-backup.timer ostler-drill.timer)) {
		my ($text) = $chroot->run('systemctl', 'is-enabled', $unit);
		is $text, "disabled\n", "$unit waits for its operator";
	}
	like inside_ok('ostlerd knows its version', 'ostlerd', '-V'), qr/^ostlerd [\d.]+$/, 'and tells it';
	like inside_ok('ostler-app prints its routes', 'ostler-app', 'routes'), qr{/api/tasks}, 'all of them';
	ok -s $chroot->path("/usr/share/man/$_.gz"), "$_ is there" for qw(man8/ostlerd.8 man8/ostlerctl.8 man8/ostler-app.8 man5/ostler.conf.5 man5/ostler-app.conf.5 man7/ostler-worker.7);
	ok -s $chroot->path('/usr/share/bash-completion/completions/ostlerctl'), 'bash can complete';
	ok -e $chroot->path("/usr/share/ostler/$_"), "$_, where it is looked for" for 'sql/0001-users-and-tasks.sql', 'nginx/html/index.html', 'stack/start';
	inside_ok('its own units are right', 'systemd-analyze', 'verify', '--man=no', '/lib/systemd/system/ostlerd.service', '/lib/systemd/system/ostlerd-single.service');
};

subtest 'a part that is loaded when it is used is found' => sub {
	Ostler::Tree::spew($chroot->path('/secret'), "secret\n");
	for my $case ([ 'kafka', 'consume', 'broker = "kafka:127.0.0.1:1"', qr/"message":"kafka: .*127\.0\.0\.1:1/ ],
		[ 's3', 'jobs', 'object_store = "s3:bucket"; object_endpoint = "http://127.0.0.1:1"; object_access_key = "k"; object_secret_file = "/secret"', qr/database: none is configured/ ]) {
		my ($name, $role, $settings, $goes_on) = @$case;
		Ostler::Tree::spew($chroot->path("/$name.conf"), qq(database = "";\n$settings;\n));
		my $pid = $chroot->start('ostler-app', '-c', "/$name.conf", $role);
		ok eval { wait_for(sub { $chroot->log =~ $goes_on }, $name, 60) }, "ostler-app finds $name" or diag $chroot->log;
		$chroot->kill($pid, 'KILL');
		$chroot->wait($pid);
	}
	unlike $chroot->log, qr/cannot load a module/, 'nothing is missing';
	unlink map { $chroot->path($_) } qw(/kafka.conf /s3.conf /secret);
};

# The state of each pool, when ostlerd answers.
sub states
{
	my ($text, $status) = $chroot->run('ostlerctl', 'status', '--json');
	my $told = $status == 0 && eval { JSON::PP::decode_json($text) } or return '';
	return join ' ', map { "$_->{name} $_->{state}" } sort { $a->{name} cmp $b->{name} } @{ $told->{pools} };
}

# Ends it by ostlerctl, in order.
sub stop_ok
{
	my ($pid) = @_;
	inside_ok('it is told to stop', 'ostlerctl', 'stop');
	is $chroot->wait($pid), 0, 'and ends with 0' or diag $chroot->log;
	return;
}

sub ask { my ($path) = @_; my $client = Ostler::FastCgi->new('unix:' . $chroot->path('/run/ostler-web.sock')); return $client->ask('GET', $path) // { status => $client->why } }

# nginx of this machine by the example, which is told of other places and nothing else.
sub behind_nginx
{
	my ($port, $reservation) = free_port();
	my $root = $chroot->folder;
	my $site = Ostler::Tree::slurp("$root/usr/share/doc/ostler/examples/nginx-site");
	$site =~ s{listen 80;}{listen 127.0.0.1:$port;} or die 'it listens nowhere';
	$site =~ s{(unix:)(/run/)}{$1$root$2} or die 'it names no socket';
	$site =~ s{(root )(/usr/share/ostler/)}{$1$root$2} or die 'it names no root';
	my $place = "$folder/nginx";
	mkdir $place;
	Ostler::Tree::spew("$place/site", $site);
	Ostler::Tree::spew("$place/nginx.conf", "daemon off;\nuser www-data;\nworker_processes 1;\npid $place/pid;\nerror_log $place/error;\nevents {}\n"
		. "http {\ninclude /etc/nginx/mime.types;\naccess_log off;\n" . join('', map { "${_}_temp_path $place/$_;\n" } qw(client_body proxy fastcgi uwsgi scgi)) . "include $place/site;\n}\n");
	my $pid = fork // die "fork: $!";
	if ($pid == 0) { exec '/usr/sbin/nginx', '-p', $place, '-c', "$place/nginx.conf" or exit 1 }
	return ($pid, Ostler::Http->new(port => $port), $reservation);
}

subtest 'runs as it was installed' => sub {
	inside_ok('the sample configuration is right', 'ostlerd', '-t');
	inside_ok('and the application\'s', 'ostler-app', '-t', '-c', '/etc/ostler/ostler-app.conf', $_) for qw(web jobs);
	my $pid = $chroot->start('ostlerd');
	ok eval { wait_for(sub { states() eq 'jobs ready web ready' }, 'all pools', 120) }, 'all pools are ready' or diag $chroot->log;
	is ask('/ping')->{status}, 200, 'it answers';
	is ask('/ready')->{status}, 503, 'and says that it has no database yet';
	is mode_of('/run/ostler-web.sock') =~ s/ .*//r, '0660', 'nginx may use its socket, and not everybody';
	my ($shown) = split /\n/, inside_ok('what is in force is shown', 'ostlerctl', 'show', 'web', '--json');
	my $force = JSON::PP::decode_json($shown)->{in_force};
	is_deeply [ @$force{qw(user group seccomp)}, $force->{no_new_privs} ? 1 : 0 ], [ 'ostler', 'ostler', 'filter', 1 ], 'the application is as small as can be';

	my ($nginx, $http) = behind_nginx();
	ok eval { wait_for(sub { $http->request(GET => '/ping')->{status} == 200 }, 'nginx', 60) }, 'nginx reaches it' or diag Ostler::Tree::slurp("$folder/nginx/error");
	for my $page ('/', '/signin', '/docs', '/style.css') {
		my $reply = $http->request(GET => $page);
		is "$reply->{status} $reply->{headers}{'content-type'}", $page =~ /css/ ? '200 text/css' : '200 text/html', "and has $page";
	}
	is $http->request(GET => '/openapi.json')->{json}{info}{title}, 'Ostler', 'what is no file is the application\'s';
	kill 'QUIT', $nginx;
	waitpid $nginx, 0;

	# What logrotate does, by the same file.
	rename $chroot->path('/var/log/ostler/jobs.log'), $chroot->path('/var/log/ostler/jobs.log.1');
	my ($turn) = Ostler::Tree::slurp($chroot->path('/etc/logrotate.d/ostler')) =~ /postrotate\n(.*?)\n\s*endscript/s;
	like $turn, qr{kill -USR1 "\$\(cat /run/ostler/ostlerd\.pid\)"}, 'logrotate has ostlerd open its files anew';
	is Ostler::Tree::slurp($chroot->path('/run/ostler/ostlerd.pid')), "1\n", 'by the file of its process id';    # in there it is the first
	$chroot->kill($pid, 'USR1');
	ok eval { wait_for(sub { -e $chroot->path('/var/log/ostler/jobs.log') }, 'another file', 60) }, 'which it does';
	stop_ok($pid);
};

subtest 'runs as one user, with a socket that was there before' => sub {
	# What the units do: folders that are the user's, and a socket that waits.
	inside_ok('folders', 'chown', '-R', 'ostler:ostler', '/run/ostler', '/var/log/ostler', '/var/lib/ostler');
	my $conf = Ostler::Tree::slurp($chroot->path('/etc/ostler/ostler.conf'));
	Ostler::Tree::spew($chroot->path('/single.conf'), $conf =~ s/^\t\t(?:user|listen_group) = .*\n//gmr);
	my $pid = $chroot->start(qw(systemd-socket-activate -l /run/ostler-web.sock setpriv --reuid=ostler --regid=ostler --init-groups ostlerd -c /single.conf));
	ok eval { wait_for(sub { ask('/ping')->{status} eq '200' }, 'an answer', 120) }, 'who connects has it started, and is answered' or diag $chroot->log;
	ok eval { wait_for(sub { states() eq 'jobs ready web ready' }, 'all pools', 120) }, 'all pools are ready' or diag $chroot->log;
	stop_ok($pid);
	unlink $chroot->path('/single.conf');
};

subtest 'installed once more, as an upgrade is' => sub {
	Ostler::Tree::spew($chroot->path('/etc/ostler/ostler-app.conf'), "threads = 4;\n");
	inside_ok('apt does', qw(apt-get install -q -y --reinstall --no-install-recommends ./ostler.deb));
	is Ostler::Tree::slurp($chroot->path('/etc/ostler/ostler-app.conf')), "threads = 4;\n", 'what was configured stays';
	is mode_of('/run/ostler'), "0700 $app_user", 'and whose folders are whose';
};

subtest 'removed, and purged' => sub {
	Ostler::Tree::spew($chroot->path('/var/lib/ostler/app/keys/one'), 'a key');
	inside_ok('removed', qw(apt-get remove -q -y ostler));
	ok !-e $chroot->path("/usr/$_"), "$_ is gone" for 'sbin/ostlerd', 'bin/ostlerctl', 'bin/ostler-app', 'lib/ostler';
	ok -e $chroot->path($_), "$_ stays" for '/etc/ostler/ostler.conf', '/var/lib/ostler/app/keys/one', '/var/log/ostler/web.log';
	inside_ok('purged', qw(apt-get purge -q -y ostler));
	is_deeply [ added() ], [], 'nothing is left';
};

done_testing;
