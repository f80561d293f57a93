# Between.pm - stands between the application and PostgreSQL, and keeps an answer to itself when told.
#
#     my $between = Ostler::Between->new;
#     my $stack = Ostler::App->new(app => { database => $between->conninfo });
#     $between->start($stack->var . '/sock'); $stack->launch;
#     $between->at_commit('cut');     # the next COMMIT happens, and its connection breaks
#     $between->at_commit('hold');    # the next COMMIT happens, and nobody hears of it
#     $between->wait;                 # until that has come to pass
#     $between->stop;
package Ostler::Between;
use strict;
use warnings;
use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::UNIX;
use POSIX ();

use Ostler::Process;

# What the server says of a COMMIT that it has carried out: CommandComplete (protocol, 55.7).
my $committed = "C\0\0\0\x0bCOMMIT\0";

sub new
{
	my ($class) = @_;
	my $folder = tempdir('ostler-between-XXXXXXXX', TMPDIR => 1, CLEANUP => 1);
	chmod 0755, $folder;
	return bless { folder => $folder, owner => $$ }, $class;
}

sub conninfo { return "host='$_[0]{folder}' dbname=ostler user=ostler_app" }

sub start
{
	my ($self, $server) = @_;
	my $path = "$self->{folder}/.s.PGSQL.5432";
	my $listener = IO::Socket::UNIX->new(Local => $path, Listen => 64) or die "cannot listen at $path: $!";
	chmod 0777, $path;
	$self->{pid} = fork // die "cannot fork: $!";
	return if $self->{pid};
	local $SIG{PIPE} = 'IGNORE';
	$SIG{TERM} = 'DEFAULT';
	eval { $self->serve($listener, "$server/.s.PGSQL.5432") } or warn $@;
	POSIX::_exit(0);
}

sub serve
{
	my ($self, $listener, $server) = @_;
	my $sockets = IO::Select->new($listener);
	my (%other, %is_server, %held);
	my $close = sub {
		for my $socket (grep { defined } map { $_, delete $other{$_} } @_) {
			$sockets->remove($socket);
			close $socket;
		}
	};
	while (getppid == $self->{owner}) {
		for my $socket ($sockets->can_read(1)) {
			if ($socket == $listener) {
				my $client = $listener->accept or next;
				my $upstream = IO::Socket::UNIX->new(Peer => $server) or close $client, next;
				@other{ $client, $upstream } = ($upstream, $client);
				$is_server{$upstream} = 1;
				delete @held{ $client, $upstream };
				$sockets->add($client, $upstream);
				next;
			}
			next unless exists $other{$socket};
			my $got = sysread $socket, my $bytes, 65_536;
			$close->($socket, $other{$socket}), next unless $got;
			next if $held{$socket};
			# The server flushes its answer at once, so that this comes in one piece.
			my $wish = $is_server{$socket} && index($bytes, $committed) >= 0 ? $self->wish : '';
			$held{$socket} = 1, next if $wish eq 'hold';
			$close->($socket, $other{$socket}), next if $wish eq 'cut';
			syswrite $other{$socket}, $bytes;
		}
	}
	return 1;
}

# What to do at this COMMIT, once.
sub wish
{
	my ($self) = @_;
	open my $in, '<', "$self->{folder}/wish" or return '';
	my $wish = <$in>;
	rename "$self->{folder}/wish", "$self->{folder}/done";
	return $wish;
}

sub at_commit
{
	my ($self, $wish) = @_;
	unlink "$self->{folder}/done";
	open my $out, '>', "$self->{folder}/wish.new" or die "cannot write: $!";
	print {$out} $wish;
	close $out;
	rename "$self->{folder}/wish.new", "$self->{folder}/wish" or die "cannot rename: $!";
}

sub wait { my ($self) = @_; return Ostler::Process::wait_for(sub { -e "$self->{folder}/done" }, 'a COMMIT to happen', 30) }

sub stop
{
	my ($self) = @_;
	return unless $self->{pid} && $self->{owner} == $$;
	kill 'TERM', $self->{pid};
	waitpid delete $self->{pid}, 0;
}

sub DESTROY { my ($self) = @_; local ($?, $@, $!); $self->stop }

1;
