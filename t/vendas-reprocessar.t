#!/usr/bin/perl
# vendas-reprocessar.t - a month's raw file comes in and takes the month's place, whole or not at all.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";
use Digest::SHA qw(sha256_hex);
use Encode qw(encode_utf8);
use Ostler::App;
use Test::More;

my $stack = Ostler::App->start(env => { JOBS => 1 }, app => { jobs_lease => '2s' });
my $objects = $stack->var . '/objects';
my $header = "order_id,sold_at,region,product,quantity,total\n";
my %csv = ('Content-Type' => 'text/csv');

sub upload { my ($mes, $content, %more) = @_; return $stack->request(PUT => "/api/vendas/arquivos/$mes", content => encode_utf8($content), headers => { %csv, %more }) }
sub reprocess { my ($mes) = @_; return $stack->post('/api/vendas/reprocessar', json => { mes => $mes }) }
sub total { my ($mes) = @_; return sprintf '%.2f', $stack->get("/api/vendas?mes=$mes")->{json}{total} }
sub rows { my ($mes) = @_; return $stack->psql("SELECT count(*) FROM vendas WHERE mes = '$mes'") }

# How the job has ended: its state, and its result or error as JSON or text.
sub ended
{
	my ($id) = @_;
	my $row = $stack->wait_for(sub { $stack->psql("SELECT state || E'\\t' || coalesce(result::text, '') || E'\\t' || coalesce(last_error, '') FROM job_done WHERE id = '$id'") },
	    "the end of job $id", 60);
	return split /\t/, $row, 3;
}

sub works
{
	my ($mes) = @_;
	my $reply = reprocess($mes);
	is $reply->{status}, 202, 'accepted' or diag $reply->{content};
	my ($state, $result, $error) = ended($reply->{json}{task_id});
	return ($state, $result ? JSON::PP::decode_json($result) : $error);
}

sub lines { my ($mes, $count, $total) = @_; return join '', map { "P-$_,$mes-10T12:00:00Z,Sul,Mouse,1,$total\n" } 1 .. $count }
sub slurp { open my $in, '<:raw', $_[0] or die "$_[0]: $!"; local $/; return scalar <$in> }

subtest 'a file is stored as it is' => sub {
	my $content = $header . lines('2025-03', 3, '10.00');
	my $reply = upload('2025-03', $content);
	is $reply->{status}, 200, 'stored';
	is_deeply $reply->{json}, { mes => '2025-03', bytes => length $content, sha256 => sha256_hex($content) }, 'its length and digest';
	is slurp("$objects/vendas/2025-03/vendas.csv"), $content, 'it lies in the object store';
	is upload('2025-03', "\x{feff}$content")->{status}, 200, 'with a byte order mark, too';
	is_deeply [ glob "$objects/vendas/2025-03/.*[a-z]*" ], [], 'nothing else lies there';
};

subtest 'what is no such file is refused' => sub {
	problem_ok upload('2025-13', $header), 404, 'a month that is none';
	problem_ok upload('2025-03', "a,b\n1,2\n"), 422, 'another header';
	problem_ok upload('2025-03', ''), 422, 'nothing';
	problem_ok $stack->request(PUT => '/api/vendas/arquivos/2025-03', json => { a => 1 }), 415, 'JSON';
	like $stack->raw("PUT /api/vendas/arquivos/2025-03 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: text/csv\r\nContent-Length: 300000000\r\n\r\n"),
	    qr{^HTTP/1.1 413 .*problem\+json}s, 'a file beyond the limit is not even waited for';
	problem_ok $stack->post('/api/vendas/reprocessar', json => { mes => '2025-13' }), 422, 'a job for no month', ['/mes body'];
	problem_ok $stack->post('/api/vendas/reprocessar', json => {}), 422, 'nor for none', ['/mes body'];
	ok -s "$objects/vendas/2025-03/vendas.csv", 'what was stored is still there';
};

subtest 'the month is replaced, and the report knows' => sub {
	$stack->psql(q{INSERT INTO vendas (order_id, sold_at, region, product, quantity, total) VALUES ('old', '2025-03-01T00:00:00Z', 'Sul', 'x', 1, 99),
		('other', '2025-04-01T00:00:00Z', 'Sul', 'x', 1, 7); SELECT vendas_somar('2025-03')});
	is total('2025-03'), '99.00', 'before';
	my $reply = reprocess('2025-03');
	is $reply->{status}, 202, 'accepted';
	is $reply->{json}{status}, 'queued', 'and queued';
	is $reply->{headers}{location}, "/api/task/$reply->{json}{task_id}", 'Location';
	is $reply->{headers}{'retry-after'}, 1, 'Retry-After';
	my ($state, $result) = ended($reply->{json}{task_id});
	is $state, 'completed', 'it completes';
	is_deeply JSON::PP::decode_json($result), { mes => '2025-03', loaded => 3, rejected => 0, rejects => undef }, 'and tells what it did';
	is total('2025-03'), '30.00', 'the report has the new sum at once, though it was cached';
	is rows('2025-03'), 3, 'what was there is gone';
	is rows('2025-04'), 1, 'another month is as it was';
	works('2025-03');
	is rows('2025-03'), 3, 'done again it is the same';
};

subtest 'all files of the month count' => sub {
	open my $out, '>', "$objects/vendas/2025-03/more.csv" or die $!;
	print {$out} $header, lines('2025-03', 2, '0.50');
	close $out;
	is_deeply [ (works('2025-03'))[1]{loaded} ], [5], 'both are loaded';
	is total('2025-03'), '31.00', 'and summed up';
	unlink "$objects/vendas/2025-03/more.csv";
};

subtest 'no line is dropped in silence' => sub {
	my @bad = (['short,line', qr/missing/], ['P-1,2025-05-31T23:59:60Z,Sul,x,1,1.00', undef], ['P-1,2025-06-01T00:00:00Z,Sul,x,1,1.00', qr/another month/],
		['P-1,2025-05-31T22:30:00-03:00,Sul,x,1,1.00', qr/another month/], ['P-1,2025-05-10,Sul,x,1,1.00', qr/sold_at/], ['P-1,2025-05-10T00:00:00Z,Marte,x,1,1.00', qr/region must be one of Norte/],
		['P-1,2025-05-10T00:00:00Z,Sul,x,0,1.00', qr/quantity/], ['P-1,2025-05-10T00:00:00Z,Sul,x,1,1.005', qr/total/], ['P-1,2025-05-10T00:00:00Z,Sul,x,1,-1.00', qr/total/],
		['P-1,2025-05-10T00:00:00Z,Sul,x,1,1.00,7', qr/has 7 fields, not 6/], ['"P-1,2025-05-10T00:00:00Z,Sul,x,1,1.00', qr/quote/], [',2025-05-10T00:00:00Z,Sul,x,1,1.00', qr/order_id is missing/],
		['P-1,2025-05-10T00:00:00Z,Sul,' . ('x' x 9000) . ',1,1.00', qr/too long/]);
	@bad = grep { defined $_->[1] } @bad;
	my $good = "P-1,2025-06-01T01:00:00+03:00,Sul,\"a \\ tab\tand \"\"quotes\"\", São\",2,12.5\n";
	upload('2025-05', $header . join('', map { "$_->[0]\n" } @bad) . $good);
	my ($state, $result) = works('2025-05');
	is $state, 'completed', 'the others are loaded';
	is_deeply [ @$result{qw(loaded rejected)} ], [ 1, scalar @bad ], 'each is counted';
	is Encode::decode_utf8($stack->psql("SELECT product || quantity || total FROM vendas WHERE mes = '2025-05'")), "a \\ tab\tand \"quotes\", São212.50", 'a text stays as it is';
	my @rejects = split /\r\n/, slurp("$objects/$result->{rejects}");
	is $rejects[0], 'file,line,reason,text', 'the rejects are a file of their own';
	is scalar @rejects, 1 + @bad, 'each is there';
	for my $i (0 .. $#bad) {
		like $rejects[ $i + 1 ], $bad[$i][1], substr($bad[$i][0], 0, 60) . ': its reason';
		like $rejects[ $i + 1 ], qr{^vendas/2025-05/vendas\.csv,@{[ $i + 2 ]},}, 'and its place';
	}
	like $rejects[1], qr/,"short,line"$/, 'and its text';
};

subtest 'a file of nothing but rejects changes nothing' => sub {
	upload('2025-03', $header . "rubbish\n");
	my ($state, $error) = works('2025-03');
	is $state, 'discarded', 'it fails, without another try';
	like $error, qr/no line of 1 is a sale of 2025-03; the month is as it was/, 'and says why';
	is rows('2025-03'), 5, 'the month is as it was';
	unlink "$objects/vendas/2025-03/vendas.csv";
	like((works('2025-03'))[1], qr/there is no file of 2025-03/, 'so does one without a file');
	open my $out, '>', "$objects/vendas/2025-03/vendas.csv" or die $!;
	print {$out} "other,header\n";
	close $out;
	like((works('2025-03'))[1], qr/first line must be order_id/, 'and one with another header');
};

subtest 'two who ask before it has begun share one job' => sub {
	my $lock = $stack->lock_table('vendas');
	upload('2025-07', $header . lines('2025-07', 1, '1.00'));
	my $first = reprocess('2025-07')->{json}{task_id};
	$stack->wait_for(sub { $stack->psql("SELECT state FROM job WHERE id = '$first'") eq 'running' }, 'the first to begin', 30);
	my @ids = map { reprocess('2025-07')->{json}{task_id} } 1 .. 3;
	isnt $ids[0], $first, 'one that has begun is not shared';
	is_deeply [ @ids[ 1, 2 ] ], [ @ids[ 0, 0 ] ], 'one that has not is';
	isnt reprocess('2025-08')->{json}{task_id}, $ids[0], 'another month is another job';
	$lock->release;
	is((ended($_))[0], 'completed', 'both end') for $first, $ids[0];
};

subtest 'a worker killed in the middle: it is done once, by another' => sub {
	my $count = 60_000;
	upload('2025-09', $header . lines('2025-09', $count, '2.00'));
	my $lock = $stack->lock_table('vendas_meses');
	my $id = reprocess('2025-09')->{json}{task_id};
	$stack->wait_for(sub { $stack->psql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%vendas_somar%' AND wait_event_type = 'Lock'", 'postgres') }, 'all rows to be copied', 60);
	my ($pid) = $stack->pids('jobs');
	kill 'KILL', $pid;
	is rows('2025-09'), 0, 'nothing of it shows';
	$lock->release;
	is((ended($id))[0], 'completed', 'another worker does it');
	is rows('2025-09'), $count, 'once';
	is total('2025-09'), '120000.00', 'and the report knows';
};

subtest 'PostgreSQL ends its session in the middle' => sub {
	upload('2025-10', $header . lines('2025-10', 1000, '2.00'));
	my $lock = $stack->lock_table('vendas_meses');
	my $id = reprocess('2025-10')->{json}{task_id};
	my $waits = q{FROM pg_stat_activity WHERE query LIKE '%vendas_somar%' AND wait_event_type = 'Lock'};
	$stack->wait_for(sub { $stack->psql("SELECT count(*) $waits", 'postgres') }, 'all rows to be copied', 60);
	$stack->psql("SELECT pg_terminate_backend(pid) $waits", 'postgres');
	$lock->release;
	is((ended($id))[0], 'completed', 'it is done all the same');
	is rows('2025-10'), 1000, 'once';
};

SKIP: {
	skip 'mounting needs root', 1 if $> != 0;
	subtest 'no room in the object store' => sub {
		my $folder = "$objects/vendas/2025-11";
		mkdir $folder;
		is system('mount', '-t', 'tmpfs', '-o', 'size=64k,mode=0777', 'tmpfs', $folder), 0, 'a small disk' or return;
		problem_ok upload('2025-11', $header . lines('2025-11', 5000, '1.00')), 503, 'a file that does not fit';
		is_deeply [ grep { !/\.\.?$/ } glob "$folder/* $folder/.*" ], [], 'leaves nothing behind';
		is upload('2025-11', $header . lines('2025-11', 5, '1.00'))->{status}, 200, 'one that fits is taken';
		system 'umount', $folder;
	};
}

$stack->stop;
done_testing;
