#!/usr/bin/perl
# jobs-page.t - the operators' page in a real browser: what it shows, what its buttons do, by key, and on a phone.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";
use Browser;
use Ostler::Chores;
use Test::More;

binmode $_, ':encoding(UTF-8)'
    for map { Test::More->builder->$_ } qw(output failure_output todo_output);

my $stack = Ostler::Chores->start(jobs => 1);
my $browser = Browser->start;
$browser->sign_in($stack);

sub text { return ($browser->texts($_[0]))[0] // '' }

sub waits_until
{
	my ($condition, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok eval { $browser->wait_for($condition, $what, 20) }, $what
	    or diag 'focus: ', $browser->focus, '; said: ', text('#said'), '; trouble: ', text('#trouble'), '; jobs: ', text('#job-rows');
}

sub visit
{
	$browser->open($stack->url('/jobs.html'));
	waits_until(sub { $browser->script('return document.querySelector("#jobs").ariaBusy') eq 'false' }, 'the page is there');
}

# The text of a cell in the row of a kind; the page looks for itself every five seconds.
sub of_kind { my ($kind, $cell) = @_; return $browser->script('const row = [...document.querySelectorAll("#kind-rows tr")].find((r) => r.querySelector(".kind").textContent.startsWith(arguments[0])); return row ? row.querySelector("." + arguments[1]).textContent : ""', $kind, $cell) }
sub press_of_kind { my ($kind) = @_; $browser->script('[...document.querySelectorAll("#kind-rows tr")].find((r) => r.querySelector(".kind").textContent.startsWith(arguments[0])).querySelector("button").click()', $kind) }

sub choose
{
	my ($id, $value) = @_;
	$browser->script('const s = document.getElementById(arguments[0]); s.value = arguments[1]; s.dispatchEvent(new Event("change"))', $id, $value);
}

subtest 'kinds and jobs' => sub {
	$stack->enqueue('chores.note') for 1 .. 3;
	$stack->enqueue('chores.refuse', { name => '<b>bad</b>' });
	$stack->until_over;
	visit();
	is of_kind('chores.refuse', 'failed'), 1, 'a kind with its dead letters';
	is scalar(my @rows = $browser->texts('#job-rows tr')), 4, 'all jobs';
	choose(status => 'failed');
	waits_until(sub { scalar(my @some = $browser->texts('#job-rows tr')) == 1 }, 'those that failed');
	is text('#job-rows .why'), 'rather not', 'with the error';
	$browser->click('#job-rows .more');
	waits_until(sub { text('#about-text') =~ /"name": "<b>bad<\/b>"/ }, 'details, as text and nothing else');
	$browser->click('#about button');
	choose(kind => 'chores.note');
	waits_until(sub { text('#no-jobs') }, 'it says when there are none');
	choose(kind => '');
	choose(status => '');
	waits_until(sub { scalar(my @some = $browser->texts('#job-rows tr')) == 4 }, 'and shows all again');
};

subtest 'pause and resume' => sub {
	press_of_kind('chores.note');
	waits_until(sub { of_kind('chores.note', 'kind') =~ /\(paused\)/ }, 'a kind is paused');
	$stack->enqueue('chores.note');
	waits_until(sub { of_kind('chores.note', 'queued') == 1 }, 'the page sees what waits without being asked');
	press_of_kind('chores.note');
	waits_until(sub { of_kind('chores.note', 'kind') eq 'chores.note' && of_kind('chores.note', 'queued') == 0 }, 'resumed, it is done');
};

subtest 'cancel, try again' => sub {
	my $id = $stack->post('/later', json => { delay_ms => 3600000 })->{json}{task_id};
	choose(status => 'queued');
	waits_until(sub { text('#job-rows .does') eq 'Cancel' }, 'one that waits can be cancelled');
	$browser->click('#job-rows .does');
	waits_until(sub { text('#sure-text') =~ /Cancel this/ }, 'the page asks first');
	$browser->click('#sure .danger');
	waits_until(sub { $stack->state_of($id) eq 'cancelled' }, 'and does it');
	choose(status => 'failed');
	waits_until(sub { text('#job-rows .does') eq 'Try again' }, 'a dead letter can be tried again');
	$browser->click('#redrive');
	waits_until(sub { text('#sure-text') =~ /all failed jobs/ }, 'all of them, after a question');
	$browser->click('#sure .danger');
	waits_until(sub { $stack->psql(q{SELECT count(*) FROM job_done WHERE kind = 'chores.refuse' AND state = 'discarded' AND finished_at > now() - interval '5 s'}) == 1 }, 'it has failed once more');
};

subtest 'on a phone, and for everybody' => sub {
	$browser->resize(375, 800);
	visit();
	cmp_ok $browser->script('return document.documentElement.scrollWidth'), '<=', 375, 'nothing is wider than the screen';
	my $small = $browser->script(q{
		return [...document.querySelectorAll('main button, main select, nav a')].filter(e => e.checkVisibility())
			.map(e => [e, e.getBoundingClientRect()]).filter(([e, r]) => r.width < 44 || r.height < 44)
			.map(([e, r]) => `${e.outerHTML} ${r.width}x${r.height}`) });
	is "@$small", '', 'everything to touch is at least 44 pixels wide and high';
	is $browser->script('return [...document.querySelectorAll("button, select")].filter((b) => !b.closest("dialog, [hidden]") && !(b.getAttribute("aria-label") || b.textContent.trim() || document.querySelector(`label[for=${b.id}]`))).length'), 0, 'every button has a name';
	is join("\n", $browser->console), '', 'the console is silent';
};

$browser->stop;
$stack->stop;
done_testing;
