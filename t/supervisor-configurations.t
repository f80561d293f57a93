#!/usr/bin/perl
# supervisor-configurations.t - the configurations in supervisor/examples/ run as they stand.
#
# Only their places are changed, from /run/ostler, /srv and /var/log/ostler to the test's folder, and
# a user where only root could become one.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use File::Copy qw(copy);
use Ostler::FastCgi;
use Ostler::Process qw(wait_for free_port);
use Ostler::Supervisor;
use Test::More;

my $examples = Ostler::Supervisor::root() . '/supervisor/examples';
my ($port, $reservation) = free_port();

sub example
{
	my ($name) = @_;
	my $text = Ostler::Supervisor::slurp("$examples/$name.conf");
	$text =~ s{/run/ostler/ctl/}{%D/ctl/}g;
	$text =~ s{/run/ostler/\w+/}{%D/sock/}g;
	$text =~ s{/var/log/ostler/}{%D/log/}g;
	$text =~ s{/srv/}{%D/srv/}g;
	$text =~ s{\b9100\b}{$port}g;
	$text =~ s{^\t\t(?:user|listen_group) = .*$}{}mg if $> != 0;
	my $ostlerd = Ostler::Supervisor->new(conf => $text);
	for my $folder ('srv', map { "srv/$_" } qw(www hello cgi-bin jobs jobs/waiting)) {
		mkdir $ostlerd->folder . "/$folder" or die "$folder: $!";
		chmod 0777, $ostlerd->folder . "/$folder";
	}
	return $ostlerd;
}

sub put
{
	my ($ostlerd, $name, $text) = @_;
	my $path = $ostlerd->folder . "/srv/$name";
	open my $out, '>', "$path.new" or die "$path: $!";
	print {$out} $text;
	close $out or die "$path: $!";
	chmod 0755, "$path.new";
	rename "$path.new", $path or die "$path: $!";
	return $path;
}

sub pids { my ($ostlerd, $pool) = @_; return map { $_->{pid} } @{ $ostlerd->pool($pool)->{workers} } }

# Asks; then kills a worker, reloads, and asks again each time; then ends it all.
sub try_out
{
	my ($ostlerd, $pool, $ask) = @_;
	ok $ask->(), 'it answers';
	my @pids = pids($ostlerd, $pool);
	kill 'KILL', $pids[0];
	$ostlerd->wait_for_event({ pool => $pool, event => 'exit', pid => $pids[0] });
	wait_for(sub { $ostlerd->pool($pool)->{state} eq 'ready' }, 'all workers');
	ok $ask->(), 'it answers when a worker was killed';
	my ($status, undef, $complaint) = $ostlerd->ctl('restart', $pool, '--wait=drained');
	is $status, 0, 'all workers are replaced' or diag $complaint;
	my %old = map { $_ => 1 } @pids;
	ok !(grep { $old{$_} } pids($ostlerd, $pool)), 'none of the old is left';
	ok $ask->(), 'it answers after that';
	is +(grep { $_->{event} eq 'kill' } $ostlerd->events), 0, 'nobody had to be killed';
	is $ostlerd->stop, 0, 'ostlerd ends with 0';
	is_deeply [ $ostlerd->left ], [], 'nothing is left';
}

sub asking
{
	my ($address, $target, $expected, %params) = @_;
	return sub {
		my $answer = Ostler::FastCgi->new($address)->ask('GET', $target, undef, %params);
		return defined $answer && $answer->{body} =~ $expected ? $answer->{body} : undef;
	};
}

subtest 'php-cgi.conf' => sub {
	my $ostlerd = example('php-cgi');
	my $script = put($ostlerd, 'www/sum.php', '<?php echo "the sum is ", $_GET["a"] + $_GET["b"];');
	$ostlerd->start->wait_until_ready;
	try_out($ostlerd, 'php', asking($ostlerd->at('php.sock'), '/sum.php?a=2&b=40', qr/^the sum is 42$/,
	    SCRIPT_FILENAME => $script, SCRIPT_NAME => '/sum.php', QUERY_STRING => 'a=2&b=40', REDIRECT_STATUS => 200));
};

subtest 'perl-fcgi.conf' => sub {
	my $ostlerd = example('perl-fcgi');
	copy("$examples/hello.pl", $ostlerd->folder . '/srv/hello/hello.pl') or die $!;
	$ostlerd->start->wait_until_ready;
	try_out($ostlerd, 'hello', asking("tcp:127.0.0.1:$port", '/hello?name=Ada', qr/^Hello, Ada!\nThis is request \d+ of worker \d+\.$/m,
	    SCRIPT_NAME => '/hello', QUERY_STRING => 'name=Ada'));
};

subtest 'fcgiwrap.conf' => sub {
	my $ostlerd = example('fcgiwrap');
	my $script = put($ostlerd, 'cgi-bin/who', "#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n%s asks\\n' \"\$REMOTE_USER\"\n");
	$ostlerd->start->wait_until_ready;
	try_out($ostlerd, 'cgi', asking($ostlerd->at('cgi.sock'), '/cgi-bin/who', qr/^Ada asks$/m,
	    SCRIPT_FILENAME => $script, SCRIPT_NAME => '/cgi-bin/who', REMOTE_USER => 'Ada'));
};

subtest 'worker.conf' => sub {
	my $ostlerd = example('worker');
	copy("$examples/worker.sh", $ostlerd->folder . '/srv/jobs/worker.sh') or die $!;
	$ostlerd->start->wait_until_ready;
	my $number = 0;
	my $ask = sub {
		my @jobs = map { 'job' . ++$number } 1 .. 20;
		put($ostlerd, "jobs/waiting/$_.job", "do $_") for @jobs;
		wait_for(sub { !grep { !-s $ostlerd->folder . "/srv/jobs/waiting/$_.done" } @jobs }, 'the jobs to be done');
		return !grep { Ostler::Supervisor::slurp($ostlerd->folder . "/srv/jobs/waiting/$_.done") ne "DO \U$_" } @jobs;
	};
	try_out($ostlerd, 'jobs', $ask);
};

done_testing;
