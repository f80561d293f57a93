#!/usr/bin/perl
# mail.t - letters of the outbox are sent once, tried again, given up; their text stays nowhere.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::App;
use Ostler::MailServer;
use Test::More;

my $server = Ostler::MailServer->start;
my $stack = Ostler::App->start(app => { mail => $server->url, mail_from => 'ostler@example.org', mail_timeout => '1s' });
my $app = Ostler::build() . '/ostler-app';
my $conf = $stack->var . '/etc/ostler-app.conf';

# Writes a letter down and has it sent; returns its id and its job's.
sub write_letter
{
	my (%letter) = @_;
	my ($to, $body) = ($letter{to} // 'ana@example.org', $letter{body} // 'Hello.');
	my $expires = $letter{expires} // '1 hour';
	my $id = $stack->psql("INSERT INTO outbox (to_address, subject, body, expires_at)
		VALUES ('$to', 'A letter', '$body', now() + interval '$expires') RETURNING id", 'ostler_app');
	my ($job, $status) = Ostler::run($app, '-c', $conf, 'enqueue', 'mail.send', qq({"id":$id}));
	die "not enqueued\n" if $status;
	chomp $job;
	return ($id, $job);
}

sub job_ended
{
	my ($job, $state) = @_;
	return $stack->wait_for(sub { $stack->psql("SELECT count(*) FROM job_done WHERE id = '$job' AND state = '$state'") == 1 }, "job $job to be $state", 60);
}

subtest 'a letter arrives, once and whole' => sub {
	my $body = "Olá,\n\n.a line that begins with a dot\n" . 'x' x 200 . "\nhttp://localhost/reset?token=abc=def\n";
	my ($id, $job) = write_letter(body => $body);
	job_ended($job, 'completed');
	my @letters = $server->letters;
	is scalar @letters, 1, 'one letter';
	is $letters[0]{from}, 'ostler@example.org', 'from us';
	is_deeply $letters[0]{to}, ['ana@example.org'], 'to whom it is for';
	is $letters[0]{body} =~ s/\n*\z//r, $body =~ s/\n*\z//r, 'as it was written';
	my $headers = $letters[0]{headers};
	is $headers->{subject}, 'A letter', 'Subject';
	is $headers->{to}, 'ana@example.org', 'To';
	is $headers->{'message-id'}, "<outbox.$id\@example.org>", 'an id of its own';
	like $headers->{date}, qr/^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000\z/, 'Date';
	like $letters[0]{part}{'content-type'}, qr{^text/plain; charset=utf-8}, 'plain text';
	is $headers->{'auto-submitted'}, 'auto-generated', 'no machine should answer';
	is $stack->psql("SELECT body IS NULL AND sent_at IS NOT NULL FROM outbox WHERE id = $id"), 't', 'its text is deleted';
	# The same job once more, as after a worker that died behind the server's "taken".
	(undef, my $again) = Ostler::run($app, '-c', $conf, 'enqueue', 'mail.send', qq({"id":$id}));
	$stack->wait_for(sub { $stack->psql(q{SELECT count(*) FROM job}) == 0 }, 'the queue to be empty', 30);
	is scalar(my @all = $server->letters), 1, 'nothing is sent twice';
};

subtest 'a server that is busy is asked again' => sub {
	$server->forget;
	$server->mood('busy');
	my ($id, $job) = write_letter();
	$stack->wait_for(sub { $stack->psql("SELECT count(*) FROM job WHERE id = '$job' AND state = 'retryable'") == 1 }, 'it to be tried again later', 30);
	like $stack->psql("SELECT last_error FROM job WHERE id = '$job'"), qr/451/, 'it says why';
	is $stack->psql("SELECT body FROM outbox WHERE id = $id"), 'Hello.', 'the letter waits';
	$server->mood('good');
	job_ended($job, 'completed');
	is scalar(my @all = $server->letters), 1, 'then it arrives';
};

subtest 'an address that is refused is given up' => sub {
	$server->mood('refuse');
	my (undef, $job) = write_letter(to => 'nobody@example.org');
	job_ended($job, 'discarded');
	like $stack->psql("SELECT last_error FROM job_done WHERE id = '$job'"), qr/550/, 'it says why';
	$server->mood('good');
};

subtest 'a server that falls silent holds nobody up' => sub {
	$server->mood('hang');
	my (undef, $job) = write_letter();
	$stack->wait_for(sub { $stack->psql("SELECT count(*) FROM job WHERE id = '$job' AND state = 'retryable'") == 1 }, 'it to be tried again later', 30);
	like $stack->psql("SELECT last_error FROM job WHERE id = '$job'"), qr/[Tt]imeout/, 'it says why';
	$server->mood('good');
	job_ended($job, 'completed');
};

subtest 'a letter that is over is not sent, and its text goes' => sub {
	$server->forget;
	my ($id, $job) = write_letter(expires => '-1 second');
	job_ended($job, 'completed');
	is scalar(my @all = $server->letters), 0, 'nothing was sent';
	my ($sweep) = Ostler::run($app, '-c', $conf, 'enqueue', 'mail.sweep');
	chomp $sweep;
	job_ended($sweep, 'completed');
	is $stack->psql("SELECT body IS NULL FROM outbox WHERE id = $id"), 't', 'its text is gone';
};

subtest 'no text of a letter is in a log' => sub {
	write_letter(body => 'the-secret-of-this-letter');
	$stack->wait_for(sub { grep { $_->{body} =~ /the-secret/ } $server->letters }, 'it to arrive', 30);
	my @found = grep { $stack->log_of($_) =~ /the-secret/ } map { m{([^/]+)\z} } glob $stack->var . '/log/*';
	is_deeply \@found, [], 'none';
};

subtest 'a configuration that cannot work is refused at once' => sub {
	my $text = do { open my $in, '<', $conf or die $!; local $/; <$in> };
	for my $case ([ 'mail = "post"', qr/must be \W*log/ ], [ 'mail = "smtp://"; mail_from = "a@b.example"', qr/names no server/ ],
		[ 'mail = "smtp://mail.example"', qr/needs mail_from/ ], [ 'mail = "smtp://mail.example"; mail_from = "a@b.example"; mail_user = "a"', qr/needs both/ ]) {
		my ($lines, $why) = @$case;
		open my $out, '>', "$conf.wrong" or die $!;
		print {$out} $text =~ s/^mail\w* = [^\n]*\n//gmr, "$lines;\n";
		close $out;
		my ($said, $status) = Ostler::run('sh', '-c', '"$0" -c "$1" jobs --once 2>&1', $app, "$conf.wrong");
		is $status, 1, "refused: $lines";
		like $said, $why, 'with the reason';
	}
};

$stack->stop;

subtest 'while developing letters are in the log' => sub {
	my $other = Ostler::App->start;
	my $id = $other->psql(q{INSERT INTO outbox (to_address, subject, body, expires_at)
		VALUES ('ana@example.org', 'A letter', 'the-link-in-it', now() + interval '1 hour') RETURNING id});
	Ostler::run($app, '-c', $other->var . '/etc/ostler-app.conf', 'enqueue', 'mail.send', qq({"id":$id}));
	$other->wait_for(sub { $other->log_of('jobs.log') =~ /the-link-in-it/ }, 'the letter to be in the log', 30);
	is $other->psql("SELECT body IS NULL FROM outbox WHERE id = $id"), 't', 'and no more in the table';
	$other->stop;
};

$server->stop;
done_testing;
