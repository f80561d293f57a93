#!/usr/bin/perl
# page.t - the page at /, in a real browser on the whole stack: by mouse, by key, on a phone, and as
# plain forms without JavaScript.
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

my $stack = Ostler->start;
my $browser = Browser->start;
$browser->sign_in($stack);

# The title of the first task shown, and what the page says aloud.
sub first { return ($browser->texts('#tasks .title'))[0] // '' }
sub said  { return ($browser->texts('#said'))[0] // '' }
sub titles { return $browser->texts('#tasks .title') }

sub waits_until
{
	my ($condition, $what) = @_;
	ok eval { $browser->wait_for($condition, $what, 20) }, $what
	    or diag "focus: ", $browser->focus, "; said: ", said(), "; first: ", first();
}

sub visit
{
	my ($path) = @_;
	$browser->open($stack->url($path // '/'));
	$browser->wait_for(sub { $browser->script('return document.querySelector("#tasks").ariaBusy') eq 'false' },
	    'the list', 20);
}

# How a task looks to another client.
sub stored
{
	my ($title) = @_;
	my ($task) = grep { $_->{title} eq $title } @{ $stack->get('/api/tasks?limit=200')->{json}{items} };
	return $task;
}

subtest 'the list, newest first, a page at a time' => sub {
	visit();
	my @first = titles();
	is scalar @first, 20, 'twenty tasks';
	is_deeply \@first, [ map { $_->{title} } @{ $stack->get('/api/tasks')->{json}{items} } ], 'as the API gives them';
	$browser->click('#next');
	waits_until(sub { said() =~ /^20 tasks/ }, 'the next page is announced');
	is $browser->focus, 'list-heading', 'and the focus is on its heading';
	isnt join("\n", titles()), join("\n", @first), 'it shows other tasks';
	like $browser->url, qr/after=/, 'it has an address of its own';
	$browser->back;
	waits_until(sub { join("\n", titles()) eq join("\n", @first) }, 'the way back works');
};

subtest 'add, complete and delete by mouse' => sub {
	visit();
	$browser->type('#title', 'Feed <b>the</b> & "horses"');
	$browser->click('summary');
	$browser->type('#description', "oats\nand hay");
	$browser->click('#new button');
	waits_until(sub { first() eq 'Feed <b>the</b> & "horses"' }, 'the task is first, and its text is only text');
	is $browser->focus, 'title', 'the next one can be written at once';
	is $browser->script('return document.querySelector("#title").value'), '', 'the field is empty again';
	is stored('Feed <b>the</b> & "horses"')->{description}, "oats\nand hay", 'the description is kept';
	$browser->click('#tasks li:first-child .complete button');
	waits_until(sub { said() =~ /^Done/ }, 'done');
	ok stored('Feed <b>the</b> & "horses"')->{completed}, 'and the server knows';
	$browser->click('#tasks li:first-child .complete button');
	waits_until(sub { said() =~ /^Open again/ }, 'open again');
	ok !stored('Feed <b>the</b> & "horses"')->{completed}, 'and the server knows';
	$browser->click('#tasks li:first-child .delete button');
	$browser->click('#sure button[value=keep]');
	ok stored('Feed <b>the</b> & "horses"'), 'a second thought keeps it';
	$browser->click('#tasks li:first-child .delete button');
	$browser->click('#sure button[value=delete]');
	waits_until(sub { first() ne 'Feed <b>the</b> & "horses"' }, 'deleted');
	ok !stored('Feed <b>the</b> & "horses"'), 'and the server knows';
};

subtest 'what is wrong stands beside the field' => sub {
	visit();
	my $before = first();
	$browser->type('#title', "  ", Browser::ENTER);
	waits_until(sub { $browser->texts('#title-error') }, 'a message under the title');
	is $browser->focus, 'title', 'with the focus there';
	is $browser->script('return document.querySelector("#title").getAttribute("aria-describedby")'), 'title-error',
	    'and read aloud with it';
	is first(), $before, 'nothing was added';
	$browser->type('#title', 'Now with words', Browser::ENTER);
	waits_until(sub { first() eq 'Now with words' || first() =~ /Now with words/ }, 'corrected');
	ok !$browser->texts('#title-error'), 'the message is gone';
};

subtest 'search and only open' => sub {
	$stack->post('/api/tasks', json => { title => "Zanzibar $_", completed => $_ == 2 ? \1 : \0 }) for 1 .. 3;
	visit();
	$browser->type('#q', 'zanzibar');
	waits_until(sub { titles() == 3 }, 'three found while typing');
	$browser->click('#open');
	waits_until(sub { titles() == 2 }, 'two of them open');
	like $browser->url, qr/q=zanzibar.*open=1/, 'the search is in the address';
	visit('/?q=zanzibar&open=1');
	is scalar(titles()), 2, 'which shows the same again';
	is $browser->script('return document.querySelector("#q").value'), 'zanzibar', 'with the words in the field';
	$browser->type('#q', 'xyzzy');
	waits_until(sub { (($browser->texts('#empty'))[0] // '') =~ /Nothing found/ }, 'nothing found says so');
};

subtest 'by keyboard alone' => sub {
	visit();
	my $reach = sub {
		my ($wanted) = @_;
		for (1 .. 40) {
			return pass "Tab reaches $wanted" if $browser->focus =~ /^$wanted/;
			$browser->press(Browser::TAB);
		}
		fail "Tab reaches $wanted";
	};
	$browser->press(Browser::TAB);
	is $browser->focus, 'Skip to the list', 'the first stop skips to the list';
	$reach->('title');
	cmp_ok $browser->script('return parseFloat(getComputedStyle(document.activeElement).outlineWidth)'), '>=', 2,
	    'the focus can be seen';
	$browser->press(split(//, 'By hand'), Browser::ENTER);
	waits_until(sub { first() eq 'By hand' }, 'Enter adds');
	$reach->('open');
	$browser->press(Browser::TAB);
	is $browser->script('return document.activeElement.getAttribute("role")'), 'checkbox', 'then the first task';
	$browser->press(Browser::SPACE);
	waits_until(sub { said() =~ /^Done: “By hand”/ }, 'Space completes');
	$browser->press(Browser::TAB);
	is $browser->focus, 'Delete “By hand”', 'then its delete button, by name';
	$browser->press(Browser::ENTER);
	is $browser->focus, 'Keep it', 'which asks, with the harmless answer first';
	$browser->press(Browser::ESCAPE);
	waits_until(sub { $browser->focus eq 'Delete “By hand”' }, 'Escape keeps it and returns');
	my $next = ($browser->texts('#tasks .title'))[1];
	$browser->press(Browser::ENTER, Browser::TAB, Browser::ENTER);
	waits_until(sub { first() eq $next }, 'confirmed, it is gone');
	is $browser->focus, "Delete “$next”", 'and the focus is on its neighbour';
};

subtest 'on a phone' => sub {
	$stack->post('/api/tasks', json => { title => 'W' x 200, description => 'Long' x 200 });
	$browser->resize(375, 720);
	visit();
	cmp_ok $browser->script('return document.documentElement.scrollWidth'), '<=', 375, 'nothing is wider than the screen';
	my $small = $browser->script(q{
		return [...document.querySelectorAll('button, input:not([type=checkbox]), .switch')].filter(e => e.checkVisibility())
			.map(e => [e, e.getBoundingClientRect()]).filter(([e, r]) => r.width < 44 || r.height < 44)
			.map(([e, r]) => `${e.outerHTML} ${r.width}x${r.height}`) });
	is "@$small", '', 'everything to touch is at least 44 pixels wide and high';
	$browser->resize(1100, 900);
};

subtest 'while there is no network' => sub {
	my $network = sub {
		$browser->devtools('Network.emulateNetworkConditions', { offline => $_[0] ? JSON::PP::false : JSON::PP::true,
			latency => 0, downloadThroughput => -1, uploadThroughput => -1 });
	};
	visit();
	$browser->devtools('Network.enable');
	$network->(0);
	$browser->click('#tasks li:first-child .complete button');
	waits_until(sub { (($browser->texts('#trouble'))[0] // '') =~ /offline/ }, 'the page says that it is offline');
	is scalar($browser->texts('#tasks li:first-child.done')), 0, 'what did not happen is not shown';
	$network->(1);
	$browser->click('#retry');
	waits_until(sub { said() =~ /^Done/ }, 'it is done when asked again');
	is scalar($browser->texts('#trouble')), 0, 'and the message is gone';
};

subtest 'while the service is away' => sub {
	my $socket = $stack->var . '/sock/web.sock';
	rename $socket, "$socket.away" or die "cannot rename $socket: $!";
	# Connections that nginx has kept still serve for a moment.
	waits_until(sub { visit(); (($browser->texts('#trouble'))[0] // '') =~ /try again/ }, 'the page says so');
	rename "$socket.away", $socket or die "cannot rename $socket: $!";
	waits_until(sub { titles() == 20 }, 'and shows the list as soon as it is back, by itself');
	is scalar($browser->texts('#trouble')), 0, 'the message is gone';
};

subtest 'nothing is refused by the policy, and nothing fails' => sub {
	$browser->console;
	for my $path ('/', '/?q=feed&open=1') {
		visit($path);
		is join("\n", $browser->console), '', "the console is silent at $path";
	}
};

$browser->stop;

subtest 'without JavaScript the forms still work' => sub {
	my $plain = Browser->start(scripts => 0);
	$plain->sign_in($stack);
	$plain->open($stack->url('/'));
	$plain->type('#title', 'Ohne Skript, mit Ümlaut');
	$plain->click('#new button');
	# Without a script in the page, the browser says nothing of a form that is still on its way.
	my $task = $stack->wait_for(sub { stored('Ohne Skript, mit Ümlaut') }, 'the task to be there', 20);
	is $plain->url, $stack->url('/'), 'back at the page';
	$plain->stop;
	my %here = (headers => { Origin => $stack->url });
	my $reply = $stack->post("/complete/$task->{id}", form => {}, %here);
	is $reply->{status}, 303, 'completing answers 303';
	is $reply->{headers}{location}, '/', 'back to the page';
	ok stored($task->{title})->{completed}, 'and it is done';
	is $stack->get("/$_/$task->{id}")->{status}, 405, "GET /$_ is refused" for qw(complete delete);
	ok stored($task->{title}), 'and changes nothing';
	is $stack->post("/delete/$task->{id}", form => {}, %here)->{status}, 303, 'deleting answers 303';
	ok !stored($task->{title}), 'and it is gone';
};

$stack->stop;
done_testing;
