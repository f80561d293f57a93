# Curl.pm - HTTPS as curl speaks it: one request and its answer, or a load of many, each with its fate.
#
#     my $curl = Ostler::Curl->new(url => "https://localhost:8443", trust => "$var/tls/certificate.pem");
#     is $curl->ask('/ping')->{version}, '2';
#     my $load = $curl->load(map { { path => '/ping' } } 1 .. 5000);    # one after the other
#     $load->wait_for(100); …; my %count = $load->stop;                 # { '200' => …, '0 why' => … }
#
# A request is { path, method, headers => [ "Name: value" ], body }; options => [ 'http2', 'interface = …' ]
# of it, or of all, are curl's own, as in its configuration file.
package Ostler::Curl;
use strict;
use warnings;
use File::Temp qw(tempdir);
use JSON::PP ();
use POSIX ();

use Ostler::Process ();

sub new
{
	my ($class, %self) = @_;
	return bless { options => [], %self, folder => tempdir('ostler-curl-XXXXXXXX', TMPDIR => 1, CLEANUP => 1) }, $class;
}

# A word of curl's configuration file, quoted.
sub quoted { my ($text) = @_; $text =~ s/([\\"])/\\$1/g; return qq("$text") }

# The lines that say REQUEST, in a configuration file.
sub lines_of
{
	my ($self, $request) = @_;
	return join '', map { "$_\n" } 'url = ' . quoted($self->{url} . $request->{path}),
	    'silent', 'max-time = 60', 'cacert = ' . quoted($self->{trust} // '/dev/null'),
	    $request->{method} ? 'request = ' . quoted($request->{method}) : (),
	    @{ $self->{options} }, @{ $request->{options} // [] }, map({ 'header = ' . quoted($_) } @{ $request->{headers} // [] }),
	    defined $request->{body} ? 'data-raw = ' . quoted($request->{body}) : ();
}

sub written
{
	my ($self, $text) = @_;
	my $file = "$self->{folder}/" . ++$self->{files};
	open my $out, '>', $file or die "cannot write $file: $!";
	print {$out} $text;
	close $out or die "cannot write $file: $!";
	return $file;
}

# The answer: { status (0: none), version, headers => { lower => value }, content, json, why }.
sub ask
{
	my ($self, $path, %request) = @_;
	my $head = $self->written('');
	my $file = $self->written($self->lines_of({ %request, path => $path }) . 'dump-header = ' . quoted($head) . "\n");
	open my $in, '-|', 'curl', '-K', $file, '-w', "\n%{http_code} %{http_version} %{errormsg}" or die "cannot run curl: $!";
	my $text = do { local $/; <$in> };
	close $in;
	$text =~ s/\n(\d+) (\S+) (.*)\z//s or die "curl says: $text\n";
	my %reply = (status => $1 + 0, version => $2, why => $3, content => $text);
	open $in, '<', $head or die "cannot read $head: $!";
	$reply{headers} = { map { /^([^:\s]+): *(.*?)\r?\n/ ? (lc $1 => $2) : () } <$in> };
	$reply{json} = eval { JSON::PP::decode_json($text) };
	return \%reply;
}

# Sends REQUESTS one after the other, until there are none or it is stopped; connections are kept.
sub load
{
	my ($self, @requests) = @_;
	my $last = 'output = /dev/null' . "\n" . 'write-out = "%{http_code} %{time_total} %{errormsg}\n"' . "\n";
	my $file = $self->written(join "next\n", map { $self->lines_of($_) . $last } @requests);
	my $report = $self->written('');
	my $pid = fork // die "cannot fork: $!";
	if ($pid == 0) {
		open STDOUT, '>', $report;
		{ exec 'stdbuf', '-oL', 'curl', '-K', $file }
		POSIX::_exit(127);
	}
	return bless { pid => $pid, report => $report, owner => $$, requests => scalar @requests }, 'Ostler::Curl::Load';
}

package Ostler::Curl::Load;

# What is known of each request that has ended, in order: { status, seconds, why }.
sub fates
{
	my ($self) = @_;
	open my $in, '<', $self->{report} or die "cannot read $self->{report}: $!";
	return map { /^(\d+) ([\d.]+) (.*)\n/ ? { status => $1 + 0, seconds => $2 + 0, why => $3 } : () } <$in>;
}

# Waits until MORE requests have ended than had when it was called.
sub wait_for
{
	my ($self, $more) = @_;
	my $wanted = $self->fates + $more;
	die "there are only $self->{requests} requests\n" if $wanted > $self->{requests};
	return Ostler::Process::wait_for(sub { $self->fates >= $wanted }, "$more more answers", 120);
}

# Ends it; a request that is under way is nobody's loss.  How many ended how: { "200" => 5, "0 refused" => 1 }.
sub stop
{
	my ($self) = @_;
	kill 'TERM', $self->{pid};
	waitpid delete $self->{pid}, 0;
	my %count;
	$count{ join ' ', grep { length } @{$_}{qw(status why)} }++ for $self->fates;
	return %count;
}

sub DESTROY
{
	my ($self) = @_;
	local ($?, $@);
	return unless $self->{pid} && $self->{owner} == $$;
	kill 'KILL', $self->{pid};
	waitpid delete $self->{pid}, 0;
}

1;
