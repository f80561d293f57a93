# Supervisor.pm - a private ostlerd for a test: its own folder and configuration, nothing left behind.
#
#     my $ostlerd = Ostler::Supervisor->new(pools => { web => { kind => 'worker', command => [ … ] } });
#     $ostlerd->start->wait_until_ready;
#     is $ostlerd->worker('web')->{state}, 'ready';
#     is $ostlerd->stop, 0;
#
# Options of new:
#     pools => { name => { setting => value } }  a value is a text, a list of texts, or a \number
#     top   => { setting => value }              beside control, pid_file and pools
#     conf  => sub { text }                      gets the folder, returns the whole file instead
#     order => [ 'name', … ]                     of the pools in the file; by name otherwise
#     copy  => 1                                 runs a copy of ostlerd in the folder, for others to be put in its place
# %D in any text stands for the folder, which has the folders sock, log and ctl in it.
package Ostler::Supervisor;
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use JSON::PP ();
use POSIX qw(WNOHANG);
use Scalar::Util qw(looks_like_number weaken);
use Time::HiRes qw(sleep);

use Ostler::FastCgi;
use Ostler::Process qw(wait_for processes_using);

my $root = abs_path(dirname(__FILE__) . '/../../..');
my %running;

$SIG{$_} //= sub { exit 1 } for qw(INT TERM HUP);    # so that END comes to pass

sub root { return $root }

sub program
{
	my ($name) = @_;
	my $build = $ENV{BUILD} // 'build';
	return ($build =~ m{^/} ? $build : "$root/$build") . "/$name";
}

# Whether the programs were built with a sanitizer; the Makefile leaves word of it.
sub is_sanitized { return slurp(program('variant')) =~ /^(?:address|thread)/ }

sub new
{
	my ($class, %options) = @_;
	my $folder = abs_path(tempdir('ostlerd-XXXXXXXX', TMPDIR => 1, CLEANUP => 1));
	chmod 0755, $folder;
	mkdir "$folder/$_->[0]", $_->[1] for [ 'ctl', 0700 ], [ 'sock', 0755 ], [ 'log', 0755 ];
	my $self = bless { folder => $folder, owner => $$, options => \%options }, $class;
	$self->write_conf;
	system('cp', program('ostlerd'), $self->program_run) == 0 or die "cannot copy ostlerd\n" if $options{copy};
	return $self;
}

# The ostlerd that is run, and that an upgrade looks for.
sub program_run { my ($self) = @_; return $self->{options}{copy} ? "$self->{folder}/ostlerd" : program('ostlerd') }

sub folder  { return $_[0]{folder} }
sub conf    { return "$_[0]{folder}/ostler.conf" }
sub socket  { return "$_[0]{folder}/ctl/ostlerd.sock" }
sub log_file { return "$_[0]{folder}/log/$_[1]" }
sub log_of  { my ($self, $name) = @_; return slurp($self->log_file($name)) }
sub pid     { return $_[0]{pid} }
# Where a FastCGI pool listens, and a client of it; see Ostler::FastCgi for its options.
sub at      { my ($self, $name) = @_; return 'unix:' . $self->folder . '/sock/' . ($name // 'web') }
sub client  { my ($self, %options) = @_; return Ostler::FastCgi->new($self->at, %options) }
sub messages { return slurp("$_[0]{folder}/messages") }

sub slurp
{
	my ($path) = @_;
	open my $in, '<', $path or return '';
	local $/;
	return <$in> // '';
}

sub quoted
{
	my ($text) = @_;
	$text =~ s/([\\"])/\\$1/g;
	$text =~ s/\n/\\n/g;
	return qq("$text");
}

sub value
{
	my ($value) = @_;
	return $$value if ref $value eq 'SCALAR';
	return '[ ' . join(', ', map { quoted($_) } @$value) . ' ]' if ref $value eq 'ARRAY';
	return quoted($value);
}

sub group
{
	my ($settings) = @_;
	return join '', map { "\t$_ = " . value($settings->{$_}) . ";\n" } sort keys %$settings;
}

sub text
{
	my ($self) = @_;
	my $options = $self->{options};
	return $options->{conf} if defined $options->{conf};
	my %top = (control => '%D/ctl/ostlerd.sock', pid_file => '%D/ostlerd.pid',
	    %{ $options->{top} // {} });
	my @names = @{ $options->{order} // [ sort keys %{ $options->{pools} } ] };
	return group(\%top) . "pools = {\n"
	    . join('', map { "$_ = {\n" . group($options->{pools}{$_}) . "};\n" } @names) . "};\n";
}

# Writes the configuration again, after a change to the options.
sub write_conf
{
	my ($self) = @_;
	my $text = $self->text;
	$text =~ s/%D/$self->{folder}/g;
	open my $out, '>', $self->conf or die "cannot write the configuration: $!";
	print {$out} $text;
	close $out or die "cannot write the configuration: $!";
}

# Runs a command to its end.  Returns its exit status, what it printed and its complaints.
sub run
{
	my ($self, @command) = @_;
	my $out = "$self->{folder}/run";
	my $pid = fork // die "cannot fork: $!";
	if ($pid == 0) {
		open STDOUT, '>', "$out.out";
		open STDERR, '>', "$out.err";
		{ exec @command }
		POSIX::_exit(127);
	}
	waitpid $pid, 0;
	return ($? & 127 ? 128 + ($? & 127) : $? >> 8, slurp("$out.out"), slurp("$out.err"));
}

sub ctl   { my ($self, @words) = @_; return $self->run(program('ostlerctl'), '-s', $self->socket, @words) }
sub check { my ($self) = @_; return $self->run(program('ostlerd'), '-t', '-c', $self->conf) }

# Starts ostlerd.  PREFIX is a command to run it by, or code for the child to call first.
sub start
{
	my ($self, @prefix) = @_;
	my $before = @prefix && ref $prefix[0] eq 'CODE' ? shift @prefix : sub { };
	my @command = (@prefix, $self->program_run, '-c', $self->conf);
	my $pid = fork // die "cannot fork: $!";
	if ($pid == 0) {
		open STDIN, '<', '/dev/null';
		open STDOUT, '>>', "$self->{folder}/messages";
		open STDERR, '>&', \*STDOUT;
		$before->();
		{ exec @command }
		POSIX::_exit(127);
	}
	delete $self->{status};
	$self->{pid} = $pid;
	weaken($running{$self} = $self);
	return $self;
}

# Whether it has ended; if so its exit status is known from now on.
sub has_ended
{
	my ($self) = @_;
	return 1 if defined $self->{status};
	return 0 if waitpid($self->{pid}, WNOHANG) == 0;
	$self->{status} = $? & 127 ? 128 + ($? & 127) : $? >> 8;
	delete $running{$self};
	return 1;
}

sub wait_for_end
{
	my ($self, $seconds) = @_;
	wait_for(sub { $self->has_ended }, 'ostlerd to end', $seconds);
	return $self->{status};
}

sub wait_for_log
{
	my ($self, $pattern, $seconds) = @_;
	my $found = eval {
		wait_for(sub { $self->messages =~ $pattern || ($self->has_ended && $self->messages !~ $pattern && die "ostlerd has ended\n") },
		    "a message like $pattern", $seconds);
	};
	die "$@ostlerd said:\n" . $self->messages unless $found;
	return $self;
}

sub status
{
	my ($self) = @_;
	my ($status, $out, $complaints) = $self->ctl('status', '--json');
	die "ostlerctl status: $complaints" if $status != 0;
	return JSON::PP::decode_json($out);
}

sub pool
{
	my ($self, $name) = @_;
	return (grep { $_->{name} eq $name } @{ $self->status->{pools} })[0];
}

sub worker
{
	my ($self, $name, $slot) = @_;
	return $self->pool($name)->{workers}[ ($slot // 1) - 1 ];
}

sub wait_for_worker
{
	my ($self, $name, $slot, $condition, $what) = @_;
	return wait_for(sub { my $w = $self->worker($name, $slot); $condition->($w) && $w },
	    $what // "worker $slot of $name", 30);
}

# All events so far, oldest first; of one pool or kind where asked: events(pool => 'web', event => 'exit').
sub events
{
	my ($self, %like) = @_;
	my ($status, $out, $complaints) = $self->ctl('events', '--json');
	die "ostlerctl events: $complaints" if $status != 0;
	my @events = map { JSON::PP::decode_json($_) } split /\n/, $out;
	return grep { my $e = $_; !grep { ($e->{$_} // '') ne $like{$_} } keys %like } @events;
}

# The kinds of a pool's events in order, as a text: "spawn ready exit spawn ready".
sub story { my ($self, %like) = @_; return join ' ', map { $_->{event} } $self->events(%like) }

# Waits until there are COUNT events (1 by default) like that, and returns the last of them.
sub wait_for_event
{
	my ($self, $like, $count) = @_;
	my @found;
	wait_for(sub {
		die "ostlerd has ended:\n" . $self->messages if $self->has_ended;
		return -S $self->socket && (@found = eval { $self->events(%$like) }) >= ($count // 1);
	}, join(' ', map { "$_ $like->{$_}" } sort keys %$like), 30);
	return $found[-1];
}

# Waits until all pools are ready.
sub wait_until_ready
{
	my ($self) = @_;
	return $self if eval { $self->wait_for_event({ event => 'master_ready' }) };
	die "$@ostlerd said:\n" . $self->messages;
}

# Ends it with a signal and returns its exit status.
sub stop
{
	my ($self, $signal) = @_;
	return $self->{status} if $self->has_ended;
	kill $signal // 'TERM', $self->{pid};
	return $self->wait_for_end(30);
}

# What still runs in its folder.
sub left { my ($self) = @_; return processes_using($self->{folder}) }

sub end_by_force
{
	my ($self) = @_;
	return if !defined $self->{pid} || $self->{owner} != $$ || $self->has_ended;
	kill 'QUIT', $self->{pid};
	return if eval { $self->wait_for_end(10); 1 };
	kill 'KILL', $self->{pid};
	waitpid $self->{pid}, 0;
}

sub DESTROY { my ($self) = @_; local ($?, $@); $self->end_by_force }
END { my $status = $?; $_->end_by_force for grep { defined } values %running; $? = $status }

1;
