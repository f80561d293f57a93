# Ostler.pm - a private stack for a test: its own folder, its own port, and nothing left behind.
#
#     use FindBin; use lib "$FindBin::Bin/lib"; use Ostler;
#     my $stack = Ostler->start(app => { threads => 4 }, pools => { web => { workers => 1 } });
#     is $stack->get('/ping')->{status}, 200;
#     kill 'KILL', ($stack->pids('web'))[0];
#     $stack->wait_for(sub { … }, 'another worker', 10);
#     $stack->stop;      # two tests of its own: no process is left, no sanitizer complained
#
# Whoever asks has signed in: as => 'admin' unless told, 'manager', 'user', 'viewer', a cookie, or undef, nobody.
#     is $stack->get('/users', as => 'user')->{status}, 403;
#     $stack->cookie('viewer');    # "sid=…", for what is no request of this library
#
# Options of start and render:
#     app    => { setting => value }             changes in ostler-app.conf
#     pools  => { name => { setting => value } } changes in a pool, or a pool more
#     ostler => { setting => value }             changes at the top of ostler.conf
#     env    => { NAME => value }                for stack/start: WORKERS, LISTEN, DEMO_SALES (0 here), …
#     ready  => '/ready'                         what must answer 200 before start returns
#     name   => 'var'                            how its folder is called
#     as     => 'nobody'                         run it all as this user, when the test runs as root
#     start  => '/path/of/start'                 another program that brings a stack up as stack/start does
# In changes a value may be a text, a number, a list, a reference to a literal, or undef: take it away.
#
# The programs are those in $ENV{BUILD}, or build/.
package Ostler;
use strict;
use warnings;
use Cwd qw(abs_path);
use Digest::SHA qw(sha256 sha256_hex);
use File::Basename qw(dirname);
use File::Path qw(remove_tree);
use File::Temp qw(tempdir);
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use POSIX qw(WNOHANG);
use Scalar::Util qw(weaken);
use Test::More ();

use Ostler::Http;
use Ostler::Process qw(free_port processes_using);
use Ostler::Settings;

my $root = abs_path(dirname(__FILE__) . '/../..');
my %running;    # object => itself, weakly: what END must stop

# The machine of a test may stand still for seconds, and nobody is to be taken for dead by that.  All of
# these end before nginx gives up, after 30 s.
my %patient = (database_timeout => '20s', cache_timeout => '5s', broker_timeout => '10s');

$SIG{$_} //= sub { exit 1 } for qw(INT TERM HUP);    # so that END comes to pass

sub root { return $root }

sub build
{
	my $build = $ENV{BUILD} // 'build';
	return $build =~ m{^/} ? $build : "$root/$build";
}

# A folder and a port, and nothing running yet.
sub new
{
	my ($class, %options) = @_;
	my $folder = tempdir('ostler-XXXXXXXX', TMPDIR => 1);
	chmod 0755, $folder or die "cannot open $folder to the services' users: $!";
	my (undef, undef, $uid, $gid) = $options{as} ? getpwnam $options{as} : ();
	chown $uid, $gid, $folder or die "cannot give away $folder: $!" if defined $uid;
	my ($port, $reservation) = free_port();
	my $self = bless { folder => abs_path($folder), port => $port, reservation => $reservation,
	    owner => $$, options => \%options, http => Ostler::Http->new(port => $port) }, $class;
	weaken($running{$self} = $self);
	return $self;
}

sub var    { return $_[0]{folder} . '/' . ($_[0]{options}{name} // 'var') }
sub port   { return $_[0]{port} }
sub pid    { return $_[0]{pid} }         # ostlerd's
sub url    { return "http://127.0.0.1:$_[0]{port}" . ($_[1] // '') }

# Becomes stack/start, in the child.  Should the test be killed, its stack is told to end.
sub become_start
{
	my ($self, %more) = @_;
	my %env = (VAR => $self->var, PORT => $self->{port}, BUILD => build(),
	    DEMO_SALES => 0, AFTER_RENDER => $self->write_hook, %{ $self->{options}{env} // {} }, %more);
	@ENV{ keys %env } = values %env;
	open STDIN, '<', '/dev/null';
	open STDOUT, '>>', "$self->{folder}/start.log";
	open STDERR, '>&', \*STDOUT;
	my @as = map { ("--reuid=$_", '--regid=' . getgrgid((getpwnam $_)[3]), '--clear-groups') } $self->{options}{as} // ();
	{ exec 'setpriv', @as, '--pdeathsig', 'TERM', $self->{options}{start} // "$root/stack/start" }
	POSIX::_exit(127);
}

# The program that stack/start runs when everything is rendered: it makes the changes wished for.
sub write_hook
{
	my ($self) = @_;
	# Passwords are cheap here, wrong ones too: what they cost is looked at where it is the matter.
	my %cheap = (password_memory => '64K', password_passes => 1, attempt_first => '1ms', attempt_most => '1ms');
	my %changes = (%{ $self->{options} }, app => { %cheap, %patient, %{ $self->{options}{app} // {} } });
	my $wishes = JSON::PP->new->canonical->encode(
	    { map { $_ => marked($changes{$_}) } grep { $changes{$_} } qw(app pools ostler) });
	my $hook = "$self->{folder}/after-render";
	open my $out, '>', $hook or die "cannot write $hook: $!";
	print {$out} "#!$^X\nuse lib '$root/t/lib';\nuse Ostler; use Ostler::Settings;\n",
	    "Ostler::Settings::apply(\$ARGV[0], Ostler::unmarked(JSON::PP::decode_json(<DATA>)));\n",
	    "exit 3 if \$ENV{RENDER_ONLY};\n__DATA__\n$wishes\n";
	close $out or die "cannot write $hook: $!";
	chmod 0755, $hook;
	return $hook;
}

# JSON has no references to texts: { literal => "…" } stands for one.
sub marked
{
	my ($value) = @_;
	return { literal => $$value } if ref $value eq 'SCALAR';
	return [ map { marked($_) } @$value ] if ref $value eq 'ARRAY';
	return { map { $_ => marked($value->{$_}) } keys %$value } if ref $value eq 'HASH';
	return defined $value ? "$value" : undef;
}

sub unmarked
{
	my ($value) = @_;
	return [ map { unmarked($_) } @$value ] if ref $value eq 'ARRAY';
	return $value unless ref $value eq 'HASH';
	return \(my $text = $value->{literal}) if exists $value->{literal} && keys %$value == 1;
	return { map { $_ => unmarked($value->{$_}) } keys %$value };
}

# Renders the configuration and starts nothing.
sub render
{
	my ($class, %options) = @_;
	my $self = $class->new(%options);
	my $pid = fork // die "cannot fork: $!";
	$self->become_start(RENDER_ONLY => 1) if $pid == 0;
	waitpid $pid, 0;
	die "stack/start did not render:\n" . $self->logs unless $? >> 8 == 3;
	return $self;
}

# Starts the whole stack; returns when it answers, dies with the ends of its logs when it does not.
sub start
{
	my ($class, %options) = @_;
	my $self = $class->new(%options);
	$self->launch;
	return $self;
}

# Starts ostlerd on this object's folder, again if it was ended before.
sub launch
{
	my ($self) = @_;
	$self->{pid} = fork // die "cannot fork: $!";
	$self->become_start if $self->{pid} == 0;
	my $path = $self->{options}{ready} // '/ready';
	my $answers = eval {
		$self->wait_for(sub {
			die "it ended by itself\n" if $self->has_ended;
			return $self->get($path, timeout => 5, as => undef)->{status} == 200;
		}, "GET $path to answer 200", 60);
	};
	if ($answers) {
		# A stack may be without users, or without a database.
		eval { $self->sign_in } if $self->psql_is_there;
		return;
	}
	my $why = "the stack did not start: $@" . $self->logs;
	$self->end;
	die $why;
}

sub has_ended
{
	my ($self) = @_;
	return 1 unless $self->{pid};
	return 0 unless waitpid($self->{pid}, WNOHANG) == $self->{pid};
	$self->{status} = $?;
	delete $self->{pid};
	return 1;
}

# For tests in which somebody is away: the application waits no longer than it does by itself, or as
# CHANGES say; and then as patiently as before.
sub impatient { my ($self, %changes) = @_; return $self->reconfigure('web', app => { (map { ($_ => undef) } keys %patient), %changes }) }
sub patient   { my ($self) = @_; return $self->reconfigure('web', app => \%patient) }

# Changes settings of what runs, as the options of start do, and has POOL replaced, so that they hold.
sub reconfigure
{
	my ($self, $pool, %changes) = @_;
	Ostler::Settings::apply($self->var . '/etc', \%changes);
	my ($text, $status) = run(build() . '/ostlerctl', '-s', $self->var . '/ctl/ostlerd.sock', 'reload', $pool, '--wait=drained');
	die "$pool could not be replaced: $text" . $self->logs if $status != 0;
	return;
}

# The last lines of every log, for a message.
sub logs
{
	my ($self, $lines) = @_;
	my $text = '';
	for my $file ("$self->{folder}/start.log", glob $self->var . '/log/*') {
		open my $in, '<', $file or next;
		my @all = <$in>;
		splice @all, 0, -($lines // 12);
		$text .= "--- $file\n" . join '', @all if @all;
	}
	return $text;
}

sub log_of
{
	my ($self, $name) = @_;
	open my $in, '<', $self->var . "/log/$name" or return '';
	local $/;
	return <$in> // '';
}

sub get     { my ($self, $path, %wish) = @_; return $self->request(GET => $path, %wish) }
sub post    { my ($self, $path, %wish) = @_; return $self->request(POST => $path, %wish) }
sub patch   { my ($self, $path, %wish) = @_; return $self->request(PATCH => $path, %wish) }
sub delete  { my ($self, $path, %wish) = @_; return $self->request(DELETE => $path, %wish) }
sub connect { my $self = shift; return $self->{http}->connect(@_) }
sub raw     { my $self = shift; return $self->{http}->raw(@_) }

# As Ostler::Http's, with the cookie of whoever asks unless the wishes have one, or a token.
sub request
{
	my ($self, $method, $path, %wish) = @_;
	my $as = exists $wish{as} ? delete $wish{as} : 'admin';
	my $cookie = defined $as && $self->cookie($as);
	my %headers = %{ $wish{headers} // {} };
	$headers{cookie} = $cookie if $cookie && !grep { /^(?:cookie|authorization)\z/i } keys %headers;
	return $self->{http}->request($method, $path, %wish, headers => \%headers);
}

# Whose sessions there are: people of the demo data, with the roles that tests want.  The first one
# has all the demo tasks.
my %person = (admin => 'demo', manager => 'ana', user => 'bruno', viewer => 'clara');

# Signs all of them in, without a password: what a sign-in leaves is a row.
sub sign_in
{
	my ($self) = @_;
	my %id = map { $_ => random_bytes(32) } keys %person;
	my @sql = map {
		my ($role, $hash) = ($_, sha256_hex($id{$_}));
		"UPDATE users SET role = '$role' WHERE username = '$person{$role}' AND role <> '$role'",
		"INSERT INTO sessions (id_hash, user_id, expires_at) SELECT '\\x$hash', id, now() + interval '1 day' FROM users WHERE username = '$person{$role}'"
	} sort keys %person;
	$self->psql(join '; ', @sql);
	$self->{cookies} = { map { $_ => 'sid=' . encode_base64url($id{$_}) } keys %id };
	return;
}

sub random_bytes
{
	my ($count) = @_;
	open my $in, '<:raw', '/dev/urandom' or die "cannot open /dev/urandom: $!";
	read($in, my $bytes, $count) == $count or die 'too few random bytes';
	return $bytes;
}

sub encode_base64url { return encode_base64($_[0], '') =~ tr{+/}{-_}r =~ s/=+\z//r }

# One more session, of the user of that name: its cookie, and the id that /api/me/sessions has for it.
sub session_of
{
	my ($self, $username) = @_;
	my $id = random_bytes(32);
	$self->psql("INSERT INTO sessions (id_hash, user_id, expires_at) SELECT '\\x" . sha256_hex($id) . "', id, now() + interval '1 day' FROM users WHERE username = '$username'");
	return ('sid=' . encode_base64url($id), encode_base64url(sha256($id)));
}

# The cookie of somebody with that role; undef on a stack that knows no users.  A cookie is itself.
sub cookie { my ($self, $who) = @_; return $who =~ /^sid=/ ? $who : $self->{cookies}{$who} }

# CONDITION until true, for at most SECONDS (30); returns its value, dies naming WHAT.
sub wait_for
{
	my (undef, $condition, $what, $seconds) = @_;
	return Ostler::Process::wait_for($condition, $what, $seconds);
}

# Runs a program; returns its output and its exit status.
sub run
{
	my (@command) = @_;
	open my $out, '-|', @command or die "cannot run $command[0]: $!\n";
	local $/;
	my $text = <$out> // '';
	close $out;
	return ($text, $? >> 8);
}

# ostlerctl status, decoded.
sub status
{
	my ($self) = @_;
	my ($text) = run(build() . '/ostlerctl', '-s', $self->var . '/ctl/ostlerd.sock', 'status', '--json');
	return eval { JSON::PP::decode_json($text) };
}

# The process ids of a pool's workers.
sub pids
{
	my ($self, $pool) = @_;
	my $status = $self->status or return;
	my ($found) = grep { $_->{name} eq $pool } @{ $status->{pools} } or return;
	return map { $_->{pid} } grep { $_->{pid} } @{ $found->{workers} };
}

sub psql_is_there { return -S $_[0]->var . '/sock/.s.PGSQL.5432' }

# What SQL returns, as psql's unaligned text; ROLE is ostler_owner unless told.
sub psql
{
	my ($self, $sql, $role) = @_;
	my ($text, $status) = run('psql', '-XAtqw', '-v', 'ON_ERROR_STOP=1', '-h', $self->var . '/sock',
	    '-U', $role // 'ostler_owner', '-d', 'ostler', '-c', $sql);
	die "psql failed: $sql\n" if $status != 0;
	chomp $text;
	return $text;
}

# A log without what ThreadSanitizer only believes to be wrong.  It knows that EPOLL_CTL_ADD orders
# threads, not that EPOLL_CTL_MOD does, by which one thread puts a connection back before the next
# one closes it.  And a process that gives up a job which is stuck leaves the thread of that job.
sub output_of
{
	my ($self, $name) = @_;
	return join '', grep { !/ThreadSanitizer: (?:data race.*?#0 close .*?Previous read .*?#0 epoll_ctl |thread leak)/s }
	    split /^={18}\n/m, $self->log_of($name);
}

# What sanitizers have written into the logs, whichever part wrote it, and the whole logs of those.
sub look_for_complaints
{
	my ($self) = @_;
	@$self{qw(complaints report)} = ('', '');
	for my $name ('../../start.log', map { m{([^/]+)$} } glob $self->var . '/log/*') {
		# A line of JSON holds what clients sent.
		my @lines = grep { !/^\{/ } split /\n/, $self->output_of($name);
		my @found = grep { /ERROR: AddressSanitizer|runtime error:|LeakSanitizer|WARNING: ThreadSanitizer/ } @lines or next;
		$self->{complaints} .= join '', map { "$name: $_\n" } @found;
		$self->{report} .= join "\n", @lines;
	}
	return;
}

# Ends ostlerd in order and waits for it; kills what is still there then.  Returns what was left.
sub halt
{
	my ($self) = @_;
	if ($self->{pid}) {
		kill 'TERM', $self->{pid};
		eval { $self->wait_for(sub { $self->has_ended }, 'ostlerd to end', 60) };
	}
	my @left;
	eval { $self->wait_for(sub { !(@left = processes_using($self->{folder})) }, 'all to end', 5) };
	kill 'KILL', map { /^(\d+)/ } @left;
	kill 'KILL', $self->{pid} if $self->{pid};
	waitpid delete $self->{pid}, 0 if $self->{pid};
	$self->look_for_complaints;
	return @left;
}

sub end
{
	my ($self) = @_;
	return if $self->{ended} || $self->{owner} != $$;
	delete $running{$self};
	my @left = $self->halt;
	remove_tree($self->{folder});
	$self->{ended} = 1;
	return @left;
}

# Ends everything, removes the folder, and tests that no process was left and no sanitizer had
# anything to say.
sub stop
{
	my ($self) = @_;
	my @left = $self->end;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	Test::More::ok(!@left, 'the stack leaves no process behind')
	    or Test::More::diag(map { "left: $_\n" } @left);
	Test::More::is($self->{complaints}, '', 'no sanitizer has complained')
	    or Test::More::diag($self->{report});
}

sub DESTROY
{
	my ($self) = @_;
	local ($?, $@, $!);
	$self->end unless $self->{ended};
}

END {
	my $status = $?;
	for my $self (grep { defined && $_->{owner} == $$ } values %running) {
		my @left = $self->end;
		$status ||= 1 if @left;
		print STDERR map { "# left behind: $_\n" } @left;
	}
	$? = $status;
}

1;
