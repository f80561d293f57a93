# Chroot.pm - a bare Debian for a test of packages, that goes when the test ends.
#
#     my $chroot = Ostler::Chroot->new($tar);        # the archive that t/deb/chroot made
#     my ($text, $status) = $chroot->run('apt-get', 'install', '/x.deb');
#     my $pid = $chroot->start('/usr/sbin/ostlerd');  # its output is in $chroot->log
#     $chroot->kill($pid, 'TERM');
#     my $status = $chroot->wait($pid);
#     my @paths = $chroot->files;                     # all, sorted
#
# Each command has its own /proc and sees its own processes only; what it leaves running is killed with
# it, and no mount outlives it.  Sockets and ports are those of this machine.
package Ostler::Chroot;
use strict;
use warnings;
use File::Find qw(find);
use File::Temp;
use POSIX qw(WNOHANG);
use Ostler ();
use Ostler::Process qw(wait_for);

sub new
{
	my ($class, $tar) = @_;
	# A short path: the sockets in it have at most 107 bytes.
	my $folder = File::Temp->newdir('ostler-deb-XXXXXXXX', TMPDIR => 1);
	chmod 0755, "$folder";
	system('tar', 'x', '-f', $tar, '-C', "$folder") == 0 or die "cannot unpack $tar\n";
	return bless { folder => $folder, running => {}, owner => $$ }, $class;
}

sub folder { return "$_[0]{folder}" }
sub path   { my ($self, $path) = @_; return $self->folder . $path }
sub log    { my ($self) = @_; open my $in, '<', $self->path('/log') or return ''; local $/; return <$in> // '' }

# /dev is this machine's, since a file system may forbid device files of its own.
sub command
{
	my ($self, @words) = @_;
	return ('unshare', '--mount', '--pid', '--fork', '--kill-child', '/bin/sh', '-c',
		'cd "$1" && mount --rbind /dev dev && mount -t proc proc proc && shift && exec env -i'
		    . ' PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive HOME=/root chroot . "$@"',
		'chroot', $self->folder, @words);
}

# Runs it to its end; returns all that it said, and its exit status.
sub run
{
	my ($self, @words) = @_;
	return Ostler::run('/bin/sh', '-c', 'exec 2>&1 </dev/null; exec "$@"', 'run', $self->command(@words));
}

sub start
{
	my ($self, @words) = @_;
	my $pid = fork // die "fork: $!";
	if ($pid == 0) {
		open STDIN, '<', '/dev/null';
		open STDOUT, '>>', $self->path('/log');
		open STDERR, '>&', \*STDOUT;
		{ exec $self->command(@words) }
		POSIX::_exit(127);
	}
	$self->{running}{$pid} = 1;
	return $pid;
}

# Signals what was started.  Our own child is unshare(1), and its only child the first process in there.
sub kill
{
	my ($self, $pid, $signal) = @_;
	open my $in, '<', "/proc/$pid/task/$pid/children" or return;
	CORE::kill($signal, split ' ', <$in> // '');
	return;
}

# The exit status of what was started, once it has ended.
sub wait
{
	my ($self, $pid) = @_;
	wait_for(sub { waitpid($pid, WNOHANG) == $pid }, 'the end of what runs in the chroot', 120);
	my $status = $?;
	delete $self->{running}{$pid};
	return $status & 127 ? 128 + ($status & 127) : $status >> 8;
}

# Without what the kernel puts there.
sub files
{
	my ($self) = @_;
	my @found;
	find({ no_chdir => 1, wanted => sub {
		my $path = substr $_, length $self->folder;
		if ($path =~ m{^/(?:dev|proc|sys)$}) { $File::Find::prune = 1; return }
		push @found, $path;
	} }, $self->folder);
	@found = sort @found;
	return @found;
}

sub DESTROY
{
	my ($self) = @_;
	return if $self->{owner} != $$;
	local ($?, $@);
	for my $pid (keys %{ $self->{running} }) {
		$self->kill($pid, 'KILL');
		CORE::kill('KILL', $pid);
		waitpid $pid, 0;
	}
	return;
}

1;
