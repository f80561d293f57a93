#!/usr/bin/perl
# vendas.t - the sales report: a month by region, a period by month, as JSON and as CSV.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";
use Encode qw(decode_utf8);
use Ostler::App;
use Test::More;

my $rows = 20_000;
my $stack = Ostler::App->start(env => { DEMO_SALES => $rows });
my @regions = qw(Norte Nordeste Centro-Oeste Sudeste Sul);
$stack->wait_for(sub { $stack->psql('SELECT count(*) FROM vendas_meses') == 24 }, 'the demo sales', 60);

sub get { my ($query, %options) = @_; return $stack->get("/api/vendas?$query", %options) }
sub cents { return sprintf '%.2f', $_[0] }

subtest 'the demo sales are there, and summed up' => sub {
	is $stack->psql('SELECT count(*) FROM vendas'), $rows, 'as many as asked for';
	is $stack->psql("SELECT min(mes) || ' ' || max(mes) FROM vendas"), '2025-01 2026-12', 'of 24 months';
	is $stack->psql(q{SELECT count(*) FROM
		(SELECT mes, region, sum(total) AS total, count(DISTINCT order_id) AS orders FROM vendas GROUP BY mes, region) AS raw
		FULL JOIN vendas_por_regiao AS summed USING (mes, region)
		WHERE (raw.total, raw.orders) IS DISTINCT FROM (summed.total, summed.orders)}), 0, 'by region';
	is $stack->psql(q{SELECT count(*) FROM
		(SELECT mes, sum(total) AS total, count(DISTINCT order_id) AS orders FROM vendas GROUP BY mes) AS raw
		FULL JOIN vendas_meses AS summed USING (mes)
		WHERE (raw.total, raw.orders) IS DISTINCT FROM (summed.total, summed.orders)}), 0, 'and by month';
	is $stack->psql(q{SELECT count(*) FROM vendas WHERE mes <> to_char(sold_at AT TIME ZONE 'UTC', 'YYYY-MM')}), 0, 'the month is that of UTC';
};

subtest 'a month by region' => sub {
	my $reply = get('mes=2025-01');
	is $reply->{status}, 200, 'answers';
	my $report = $reply->{json};
	is_deeply [ sort keys %$report ], [qw(generated_at mes regions total)], 'has these parts';
	is $report->{mes}, '2025-01', 'the month';
	is_deeply [ map { $_->{region} } @{ $report->{regions} } ], \@regions, 'all five regions';
	is_deeply [ sort keys %{ $report->{regions}[0] } ], [qw(orders region total)], 'each with these parts';
	is cents($report->{total}), $stack->psql("SELECT sum(total) FROM vendas WHERE mes = '2025-01'"), 'the total is the sum of all sales';
	for my $region (@{ $report->{regions} }) {
		is "$region->{orders} " . cents($region->{total}),
		    $stack->psql("SELECT count(DISTINCT order_id) || ' ' || sum(total) FROM vendas WHERE mes = '2025-01' AND region = '$region->{region}'"),
		    "$region->{region}";
	}
	like $reply->{content}, qr/"total":\d+\.\d\d[,}]/, 'money has two decimals';
	like $report->{generated_at}, qr/^\d{4}-\d\d-\d\dT[\d:.]+Z$/, 'a time';
	is $reply->{headers}{'cache-status'}, 'ostler; fwd=miss', 'not from the cache the first time';
	my $again = get('mes=2025-01');
	is $again->{headers}{'cache-status'}, 'ostler; hit', 'then from the cache';
	is $again->{content}, $reply->{content}, 'the same';
	cmp_ok $stack->cache_redis(TTL => 'vendas:2025-01'), '>', 250, 'kept for five minutes';
	is get('mes=2025-01', headers => { 'If-None-Match' => $reply->{headers}{etag} })->{status}, 304, 'an ETag spares the body';
	like $reply->{headers}{vary}, qr/Accept/, 'Vary';
};

subtest 'a month that sold nothing has all regions, too' => sub {
	my $report = get('mes=2031-05')->{json};
	is_deeply [ map { "$_->{region} " . cents($_->{total}) . " $_->{orders}" } @{ $report->{regions} } ], [ map { "$_ 0.00 0" } @regions ], 'with nothing';
	is cents($report->{total}), '0.00', 'and no total';
};

subtest 'a change of a month is seen' => sub {
	my $before = get('mes=2025-02');
	$stack->psql(q{INSERT INTO vendas (order_id, sold_at, region, product, quantity, total) VALUES ('X', '2025-02-28T23:59:59Z', 'Sul', 'x', 1, 1000000.01);
		SELECT vendas_somar('2025-02')});
	$stack->cache_redis(DEL => 'vendas:2025-02');
	my $after = get('mes=2025-02');
	is cents($after->{json}{total} - $before->{json}{total}), '1000000.01', 'to the cent';
	isnt $after->{headers}{etag}, $before->{headers}{etag}, 'under another ETag';
};

subtest 'a period by month' => sub {
	my $series = get('from=2024-11&to=2025-03')->{json};
	is_deeply [ sort keys %$series ], [qw(from generated_at months to total)], 'has these parts';
	is_deeply [ map { $_->{mes} } @{ $series->{months} } ], [qw(2024-11 2024-12 2025-01 2025-02 2025-03)], 'every month, also without sales';
	is cents($series->{months}[0]{total}), '0.00', 'nothing before the beginning';
	is cents($series->{months}[2]{total}), cents(get('mes=2025-01')->{json}{total}), 'a month is what it is by itself';
	is cents($series->{total}), $stack->psql("SELECT sum(total) FROM vendas WHERE mes <= '2025-03'"), 'the total is that of the period';
	is scalar @{ get('from=2025-01&to=2025-01')->{json}{months} }, 1, 'one month is a period';
	is scalar @{ get('from=2020-01&to=2029-12')->{json}{months} }, 120, 'ten years are one';
};

subtest 'as CSV' => sub {
	my $csv = get('mes=2025-01', headers => { Accept => 'text/csv' });
	is $csv->{status}, 200, 'answers';
	is $csv->{headers}{'content-type'}, 'text/csv; charset=utf-8; header=present', 'as what it is';
	like $csv->{headers}{'content-disposition'}, qr/^attachment; filename="vendas-2025-01\.csv"$/, 'to be saved';
	like $csv->{headers}{vary}, qr/Accept/, 'Vary';
	my @lines = split /\r\n/, $csv->{content};
	is $lines[0], 'mes,region,total,orders', 'names first';
	my $json = get('mes=2025-01')->{json};
	is_deeply [ @lines[ 1 .. $#lines ] ], [ map { join ',', '2025-01', $_->{region}, cents($_->{total}), $_->{orders} } @{ $json->{regions} } ], 'the same numbers';
	@lines = split /\r\n/, get('from=2025-01&to=2025-12', headers => { Accept => 'text/csv;q=0.9, application/json;q=0.1' })->{content};
	is scalar @lines, 13, 'a period, a line each month';
	like get('mes=2025-01', headers => { Accept => 'application/json, text/csv;q=0.5' })->{headers}{'content-type'}, qr/json/, 'who would rather have JSON gets JSON';
	is get('mes=2025-01', headers => { Accept => 'text/csv' })->{headers}{'cache-status'}, undef, 'CSV is not what is kept';
	problem_ok get('mes=2025-13', headers => { Accept => 'text/csv' }), 422, 'an error is a problem all the same', ['/mes query'];
};

subtest 'what is wrong is said' => sub {
	problem_ok get('mes=2025-13'), 422, 'a month that is none', ['/mes query'];
	problem_ok get('mes=01-2025'), 422, 'the other way round', ['/mes query'];
	problem_ok get('mes='), 422, 'empty', ['/mes query'];
	problem_ok $stack->get('/api/vendas'), 422, 'missing', ['/mes query'];
	problem_ok get('mes=2025-01&from=2025-01'), 422, 'both ways', ['/mes query'];
	problem_ok get('from=2025-01'), 422, 'half a period', ['/to query'];
	problem_ok get('to=2025-01'), 422, 'the other half', ['/from query'];
	problem_ok get('from=2025-02&to=2025-01'), 422, 'backwards', ['/to query'];
	problem_ok get('from=2020-01&to=2030-01'), 422, 'too long', ['/to query'];
	problem_ok get('mes=2025-01&mes=2025-02'), 422, 'twice', ['/mes query'];
	problem_ok get('month=2025-01'), 422, 'unknown', ['/month query'];
};

$stack->stop;
done_testing;
