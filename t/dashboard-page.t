#!/usr/bin/perl
# dashboard-page.t - the dashboard in a real browser: its numbers are the API's, they follow what happens, and
# it says what is wrong when a part is away.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";
use Browser;
use JSON::PP ();
use Ostler::Events;
use Test::More;

binmode $_, ':encoding(UTF-8)'
    for map { Test::More->builder->$_ } qw(output failure_output todo_output);

my $stack = Ostler::Events->start(env => { CONSUMERS => 1 });
$stack->send_ok([ $stack->events(400) ], 'a morning in the shop');
$stack->all_applied_ok('before anybody looks');
my $browser = Browser->start(height => 1800);

sub text { return ($browser->texts($_[0]))[0] // '' }
sub digits { my ($text) = @_; return $text =~ s/[^\d,]//gr =~ s/,/./r }
sub api { my ($path) = @_; return $stack->get("/api/metrics/$path", as => undef)->{json} }
sub money { return sprintf '%.2f', $_[0] }

sub waits_until
{
	my ($condition, $what, $seconds) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return ok eval { $browser->wait_for($condition, $what, $seconds // 60) }, $what
	    || diag 'state: ', text('.state'), '; trouble: ', text('#trouble');
}

sub visit
{
	my ($query) = @_;
	$browser->open('about:blank');
	$browser->open($stack->url('/dashboard') . ($query // ''));
	return $browser->wait_for(sub { $browser->script('return [...document.querySelectorAll("main section")].map(s => s.ariaBusy).join()') eq 'false,false' }, 'the numbers', 30);
}

# What a chart has been given, and what its table says, which is there for whoever reads the page aloud.
sub drawn
{
	my ($id) = @_;
	return $browser->command(POST => '/execute/async', { script => q{const [id, done] = arguments;
		import("/lib/chart.js/chart.mjs").then(({ Chart }) => { const c = Chart.getChart(`${id}-chart`); done([c.data.labels, c.data.datasets[0].data]) })}, args => [$id] });
}
sub table { my ($id) = @_; return $browser->script('return [...document.querySelectorAll(`#${arguments[0]} tbody tr`)].map(r => [...r.cells].map(c => c.textContent))', $id) }
sub column { my ($rows, $place) = @_; return [ map { digits($_->[$place]) } @$rows ] }
sub of_items { my ($answer, $name) = @_; return [ map { $name eq 'revenue' ? money($_->{$name}) : $_->{$name} } @{ $answer->{items} } ] }

# How far things have moved since the page was opened (https://web.dev/articles/cls), without what was touched.
sub moved
{
	return $browser->command(POST => '/execute/async', { script => q{const [done] = arguments;
		new PerformanceObserver((list) => done(list.getEntries().filter(e => !e.hadRecentInput).reduce((sum, e) => sum + e.value, 0))).observe({ type: "layout-shift", buffered: true });
		setTimeout(() => done(0), 500)}, args => [] });
}

subtest 'its numbers are those of the API' => sub {
	visit();
	my $sum = api('summary');
	cmp_ok $sum->{orders}, '>', 0, 'something was sold';
	is digits(text("#$_")), $sum->{$_}, $_ for qw(events users sessions orders);
	is digits(text('#revenue')), money($sum->{revenue}), 'revenue';
	is digits(text('#ticket')), money($sum->{average_ticket}), 'average ticket';
	is digits(text('#conversion')), sprintf('%.1f', 100 * $sum->{conversion}), 'conversion';
	is text('#lag'), '0', 'nothing waits';
	like text('#p95'), qr/^\d+ ms$/, 'how long events took';
	my ($categories, $products, $types) = map { api("$_?window=today") } qw(by-category top-products event-types);
	is_deeply column(table('categories'), 3), of_items($categories, 'revenue'), 'revenue by category';
	is_deeply [ map { $_->[0] } @{ table('categories') } ], of_items($categories, 'category'), 'by name';
	is_deeply [ map { money($_) } @{ drawn('categories')->[1] } ], of_items($categories, 'revenue'), 'the bars say the same';
	is_deeply [ map { $_->[0] } @{ table('products') } ], of_items($products, 'name'), 'the top products, whose names are only text';
	is_deeply column(table('products'), 3), of_items($products, 'revenue'), 'and their revenue';
	is_deeply [ map { money($_) } @{ drawn('products')->[1] } ], of_items($products, 'revenue'), 'as drawn';
	is_deeply column(table('types'), 1), of_items($types, 'events'), 'the types of events';
	is_deeply drawn('types')->[1], of_items($types, 'events'), 'as a ring';
	my %had = map { $_->{event_type} => $_->{events} } @{ $types->{items} };
	is_deeply column(table('funnel'), 1), [ @had{qw(page_view add_to_cart purchase)} ], 'from looking to buying';
	is_deeply [ map { $_->[1] - $_->[0] } @{ drawn('funnel')->[1] } ], [ @had{qw(page_view add_to_cart purchase)} ], 'as a funnel';
	my ($line, $shown) = (api('timeline'), drawn('timeline')->[1]);
	is scalar @$shown, 60, 'an hour by the minute';
	is_deeply [ grep { $_ } @$shown ], [ grep { $_ } @{ of_items($line, 'events') } ], 'as the API has it';
	is_deeply column(table('timeline'), 1), [ reverse @$shown ], 'and as a table, newest first';
};

subtest 'it follows what happens' => sub {
	my $before = api('summary')->{events};
	$stack->send_ok([ $stack->events(50) ]);
	waits_until(sub { digits(text('#events')) == $before + 50 }, 'fifty more by themselves');
	waits_until(sub { (sort { $b <=> $a } @{ drawn('timeline')->[1] })[0] >= 50 }, 'on the line, too');
	like text('#as-of'), qr/^Live, as of \d\d:\d\d:\d\d$/, 'it says of when it is';
	$browser->click('#pause');
	is text('#said'), 'Paused', 'pausing is said';
	like text('#as-of'), qr/^Paused, as of/, 'and shown';
	$stack->send_ok([ $stack->event ]);
	$browser->wait_for(sub { api('summary')->{events} == $before + 51 }, 'the API to know one more', 30);
	is digits(text('#events')), $before + 50, 'nothing changes meanwhile';
	$browser->click('#pause');
	waits_until(sub { digits(text('#events')) == $before + 51 }, 'and then it goes on');
};

subtest 'what has not changed costs nothing' => sub {
	waits_until(sub { $stack->log_of('access.log') =~ m{"uri":"/api/metrics/by-category","status":304} }, 'the browser is told 304');
	cmp_ok moved(), '<', 0.001, 'and nothing has moved on the page since it was opened';
	my $edge = q{document.getElementById("pause").getBoundingClientRect().right};
	my ($coming, $whole) = @{ $browser->script(qq{const shop = document.getElementById("shop"); shop.hidden = true; const coming = $edge; shop.hidden = false; return [coming, $edge]}) };
	is $coming, $whole, 'nor does it become narrower when the second half of it has come, and a scroll bar';
};

subtest 'windows' => sub {
	$stack->psql(q{INSERT INTO event_day VALUES (current_date - 3, 'page_view', 0, 1000, 0, 0)});
	$browser->script(q{const s = document.getElementById("window"); s.value = "7d"; s.dispatchEvent(new Event("change"))});
	waits_until(sub { digits(text('#events')) == api('summary?window=7d')->{events} && digits(text('#events')) > 1000 }, 'a week');
	like $browser->url, qr/window=7d/, 'stands in the address';
	visit('?line=24h&window=7d');
	is $browser->script('return document.getElementById("line").value'), '24h', 'which brings it back';
	is scalar @{ drawn('timeline')->[1] }, 96, 'a day by the quarter of an hour';
	visit('?line=forever&window=x');
	is $browser->script('return document.getElementById("line").value + document.getElementById("window").value'), '1htoday', 'what is no window is the usual one';
};

subtest 'a table for every chart, by key alone' => sub {
	visit();
	my $reach = sub {
		my ($id) = @_;
		for (1 .. 60) {
			return 1 if ($browser->script(q{return document.activeElement.getAttribute("aria-controls")}) // "") eq $id;
			$browser->press(Browser::TAB);
		}
		return 0;
	};
	is scalar(my @hidden = $browser->texts('#timeline .picture')), 1, 'the line is seen';
	ok $reach->('timeline'), 'Tab reaches its button';
	$browser->press(Browser::SPACE);
	is scalar(my @gone = $browser->texts('#timeline .picture')), 0, 'Space puts the table in its place';
	cmp_ok scalar(my @cells = $browser->texts('#timeline tbody td')), '>=', 180, 'with every minute';
	$browser->press(Browser::TAB);
	is $browser->script('return document.activeElement.ariaLabel'), 'Events step by step', 'the next stop scrolls it';
	is $browser->script('return [...document.querySelectorAll("canvas")].filter(c => c.closest(".panel").querySelector("table caption")).length'), 5, 'all five have one';
};

subtest 'when the consumer has stopped' => sub {
	visit();
	my $before = digits(text('#events'));
	my ($consumer) = $stack->pids('consume');
	kill 'STOP', $consumer;
	$stack->send_ok([ $stack->events(7) ], 'events are taken all the same');
	waits_until(sub { text('#lag') eq '7' }, 'seven wait');
	waits_until(sub { text('#parts') =~ /^Events wait: none was applied since \d\d:\d\d:\d\d\.$/ }, 'and it says that nobody applies them');
	is digits(text('#events')), $before, 'the numbers stay';
	kill 'CONT', $consumer;
	waits_until(sub { text('#lag') eq '0' && digits(text('#events')) == $before + 7 && text('#parts') eq '' }, 'it recovers by itself');
};

subtest 'when Redis has stopped' => sub {
	$stack->impatient;
	my ($cache) = $stack->pids('cache');
	my $before = digits(text('#events'));
	kill 'STOP', $cache;
	$stack->send_ok([ $stack->events(3) ], 'events are taken');
	waits_until(sub { text('#parts') =~ /^Redis is away/ }, 'it is said');
	waits_until(sub { digits(text('#events')) == $before + 3 }, 'the numbers go on');
	kill 'CONT', $cache;
	waits_until(sub { text('#parts') eq '' }, 'it is back');
	my ($broker) = $stack->pids('stream');
	kill 'STOP', $broker;
	waits_until(sub { text('#lag') eq 'unknown' && text('#parts') =~ /^The broker does not answer/ }, 'without the broker nobody knows what waits');
	kill 'CONT', $broker;
	waits_until(sub { text('#lag') eq '0' && text('#parts') eq '' }, 'and then it is known again');
};

subtest 'when the database has stopped' => sub {
	my $before = text('#events');
	my @database = ($stack->pids('database'), $stack->family('database'));
	kill 'STOP', @database;
	waits_until(sub { text('#trouble-text') =~ /database/i }, 'it is said');
	waits_until(sub { text('#as-of') =~ /^Out of date: as of/ }, 'and of when the numbers are');
	is text('#events'), $before, 'which stay';
	kill 'CONT', @database;
	waits_until(sub { text('#trouble') eq '' && text('#as-of') =~ /^Live/ }, 'it recovers by itself');
	cmp_ok moved(), '<', 0.001, 'nothing has moved through all of this';
	my @said = grep { !/status of 50[34]/ } $browser->console;
	is "@said", '', 'the console knows of nothing else';
};

subtest 'on a phone, in the dark' => sub {
	$browser->stop;
	$browser = Browser->start(dark => 1, width => 375, height => 800);
	visit();
	cmp_ok $browser->script('return document.documentElement.scrollWidth'), '<=', 375, 'nothing is wider than the screen';
	$browser->script('document.querySelectorAll(".turn").forEach(b => b.click())');
	cmp_ok $browser->script('return document.documentElement.scrollWidth'), '<=', 375, 'no table either';
	my $small = $browser->script(q{
		return [...document.querySelectorAll('main button, main select, nav a')].filter(e => e.checkVisibility())
			.map(e => [e, e.getBoundingClientRect()]).filter(([e, r]) => r.width < 44 || r.height < 44)
			.map(([e, r]) => `${e.outerHTML} ${r.width}x${r.height}`) });
	is "@$small", '', 'everything to touch is at least 44 pixels wide and high';
	my $cut = $browser->script(q{
		document.querySelectorAll('.tiles dd').forEach(e => e.textContent = /earned|revenue/.test(e.id) ? 'R$ 12.345.678,90' : '123.456,7');
		return [...document.querySelectorAll('.tiles dd')].filter(e => e.scrollWidth > e.clientWidth).map(e => e.id) });
	is "@$cut", '', 'large numbers have room';
	is join("\n", $browser->console), '', 'the console has nothing to say';
	$browser->sign_in($stack, 'viewer');
	visit();
	ok grep({ $_ eq 'Dashboard' } $browser->texts('#places a')), 'whoever is signed in finds the way';
};

$browser->stop;
$stack->stop;
done_testing;
