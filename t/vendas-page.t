#!/usr/bin/perl
# vendas-page.t - the page of sales in a real browser: what it shows is what the API says.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";
use Browser;
use Ostler;
use Test::More;

binmode $_, ':encoding(UTF-8)'
    for map { Test::More->builder->$_ } qw(output failure_output todo_output);

my $stack = Ostler->start(env => { DEMO_SALES => 20_000 });
$stack->wait_for(sub { $stack->psql('SELECT count(*) FROM vendas_meses') == 24 }, 'the demo sales', 60);
my $browser = Browser->start(height => 1300);
$browser->sign_in($stack);

sub text { return ($browser->texts($_[0]))[0] // '' }
sub digits { my ($text) = @_; return $text =~ s/[^\d,]//gr =~ s/,/./r }

sub waits_until
{
	my ($condition, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok eval { $browser->wait_for($condition, $what, 20) }, $what or diag "trouble: ", text('#trouble');
}

sub is_loaded { return 'falsefalse' eq $browser->script('return ["month", "series"].map(id => document.getElementById(id).ariaBusy).join("")') }

sub visit
{
	my ($query) = @_;
	$browser->open('about:blank');
	$browser->open($stack->url('/vendas.html') . ($query // ''));
	$browser->wait_for(\&is_loaded, 'the report', 20);
}

# The numbers that a chart has been given.
sub drawn
{
	my ($id) = @_;
	return $browser->command(POST => '/execute/async', { script => q{const [id, done] = arguments;
		import("/lib/chart.js/chart.mjs").then(({ Chart }) => { const c = Chart.getChart(id); done([c.data.labels, c.data.datasets[0].data]) })}, args => [$id] });
}

subtest 'a month by region' => sub {
	visit('?mes=2025-01');
	my $report = $stack->get('/api/vendas?mes=2025-01')->{json};
	is digits(text('#total')), sprintf('%.2f', $report->{total}), 'the total';
	is_deeply [ $browser->texts('#region-rows th') ], [ map { $_->{region} } @{ $report->{regions} } ], 'the table has all regions';
	is_deeply [ map { digits($_) } $browser->texts('#region-rows .total') ], [ map { sprintf '%.2f', $_->{total} } @{ $report->{regions} } ], 'their totals';
	is_deeply [ map { digits($_) } $browser->texts('#region-rows .orders') ], [ map { $_->{orders} } @{ $report->{regions} } ], 'and their orders';
	is_deeply drawn('regions'), [ [ map { $_->{region} } @{ $report->{regions} } ], [ map { $_->{total} } @{ $report->{regions} } ] ], 'the bars say the same';
	like text('#source'), qr/^From the (?:cache|database), in [\d.]+ ms$/, 'and where it came from';
	$browser->click('#before');
	waits_until(sub { is_loaded() && digits(text('#total')) eq '0.00' }, 'the month before sold nothing');
	is text('#strongest'), 'none', 'nobody is strongest';
	like $browser->url, qr/mes=2024-12/, 'the address says which month it is';
	$browser->click('#after');
	waits_until(sub { digits(text('#total')) eq sprintf '%.2f', $report->{total} }, 'and back');
};

subtest 'month by month' => sub {
	visit('?from=2025-03&to=2025-08');
	my $series = $stack->get('/api/vendas?from=2025-03&to=2025-08')->{json};
	is_deeply [ $browser->texts('#month-rows th') ], [ map { $_->{mes} } @{ $series->{months} } ], 'every month is in the table';
	is_deeply [ map { digits($_) } $browser->texts('#month-rows .total') ], [ map { sprintf '%.2f', $_->{total} } @{ $series->{months} } ], 'with its total';
	is_deeply drawn('months'), [ [ map { $_->{mes} } @{ $series->{months} } ], [ map { $_->{total} } @{ $series->{months} } ] ], 'the line says the same';
	visit('?from=2025-08&to=2025-03');
	like text('#to-error'), qr/before/, 'a period that ends before it begins is told of at its field';
	visit('?mes=2025-13');
	like text('#mes-error'), qr/month/i, 'and so is a month that is none';
};

subtest 'CSV' => sub {
	visit('?mes=2025-01');
	# What the browser would save, kept where the test can see it.
	$browser->script(q{window.saved = []; const make = URL.createObjectURL;
	    URL.createObjectURL = (blob) => { blob.text().then((text) => saved.push(text)); return make(blob) };
	    HTMLAnchorElement.prototype.click = function () { window.savedAs = this.download };});
	$browser->click('#month-csv');
	waits_until(sub { $browser->script('return saved.length') }, 'a file is saved');
	my ($name, $csv) = @{ $browser->script('return [savedAs, saved[0]]') };
	is $name, 'vendas-2025-01.csv', 'under its name';
	is $csv, $stack->get('/api/vendas?mes=2025-01', headers => { Accept => 'text/csv' })->{content}, 'as the API gives it';
};

subtest 'on a phone, in the dark, and silent' => sub {
	$browser->stop;
	$browser = Browser->start(dark => 1, width => 375, height => 800);
	$browser->sign_in($stack);
	visit();
	cmp_ok $browser->script('return document.documentElement.scrollWidth'), '<=', 375, 'nothing is wider than the screen';
	my $small = $browser->script(q{
		return [...document.querySelectorAll('main button, main input, nav a')].filter(e => e.checkVisibility())
			.map(e => [e, e.getBoundingClientRect()]).filter(([e, r]) => r.width < 44 || r.height < 44)
			.map(([e, r]) => `${e.outerHTML} ${r.width}x${r.height}`) });
	is "@$small", '', 'everything to touch is at least 44 pixels wide and high';
	is join("\n", $browser->console), '', 'the console has nothing to say';
};

$browser->stop;
$stack->stop;
done_testing;
