# Ostler.pm - a private stack for a test: its own folder, its own port, and nothing left behind.
#
#     use FindBin; use lib "$FindBin::Bin/lib"; use Ostler;
#     my $stack = Ostler->start(app => { threads => 4 }, pools => { web => { workers => 1 } });
#     is $stack->get('/ping')->{status}, 200;
#     kill 'KILL', ($stack->pids('web'))[0];
#     $stack->wait_for(sub { … }, 'another worker', 10);
#     $stack->stop;      # two tests of its own: no process is left, no sanitizer complained
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
use File::Basename qw(dirname);
use File::Path qw(remove_tree);
use File::Temp qw(tempdir);
use JSON::PP ();
use POSIX qw(WNOHANG);
use Scalar::Util qw(weaken);
use Test::More ();

use Ostler::Http;
use Ostler::Process qw(free_port processes_using);

my $root = abs_path(dirname(__FILE__) . '/../..');
my %running;    # object => itself, weakly: what END must stop

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
	my $wishes = JSON::PP->new->canonical->encode(
	    { map { $_ => marked($self->{options}{$_}) } grep { $self->{options}{$_} } qw(app pools ostler) });
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
			return $self->get($path, timeout => 5)->{status} == 200;
		}, "GET $path to answer 200", 60);
	};
	return if $answers;
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

sub request { my $self = shift; return $self->{http}->request(@_) }
sub get     { my $self = shift; return $self->{http}->get(@_) }
sub post    { my $self = shift; return $self->{http}->post(@_) }
sub patch   { my $self = shift; return $self->{http}->patch(@_) }
sub delete  { my $self = shift; return $self->{http}->delete(@_) }
sub connect { my $self = shift; return $self->{http}->connect(@_) }
sub raw     { my $self = shift; return $self->{http}->raw(@_) }

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
