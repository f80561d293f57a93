#!/usr/bin/perl
# signin-page.t - signing up, in and out in a real browser: by mouse and by key, with a code, back to where
# somebody was and with what they had written, on a phone, in the dark, without Redis, and without a script.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";
use Browser;
use Ostler::App;
use Ostler::Token;
use Test::More;

binmode $_, ':encoding(UTF-8)'
    for map { Test::More->builder->$_ } qw(output failure_output todo_output);

my $stack = Ostler::App->start;
my $browser = Browser->start;
my %eva = (username => 'eva', name => 'Eva <b>Lind</b>', email => 'eva@example.org', password => 'correct horse battery');

sub text  { return $browser->text($_[0]) }
sub query { return $browser->script('return location.search') }
# Where the browser is, once it has all of that page.
sub here  { return $browser->script('return document.readyState === "complete" ? location.pathname + location.search + location.hash : ""') }

sub waits_until
{
	my ($condition, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok eval { $browser->wait_for($condition, $what, 20) }, $what
	    or diag 'at: ', eval { here() } // '', '; focus: ', $browser->focus, '; said: ', text('#said'), '; trouble: ', text('#trouble'), '; refused: ', text('#enter-error');
}

sub visit { my ($path) = @_; $browser->open('about:blank'); return $browser->open($stack->url($path)) }

# Nobody is signed in here, and the browser remembers nothing.
sub forget
{
	my ($who) = @_;
	$who //= $browser;
	$who->open($stack->url('/favicon.svg'));
	$who->script('localStorage.clear(); sessionStorage.clear()');
	return $who->command(DELETE => '/cookie');
}

# The session ends as if its time were over.
sub end_sessions
{
	my ($name) = @_;
	$stack->psql("DELETE FROM sessions WHERE user_id = (SELECT id FROM users WHERE username = '$name')");
	return $stack->cache_redis('FLUSHALL');
}

sub sign_in
{
	my ($name, $password) = @_;
	$browser->fill('#username', $name);
	return $browser->fill('#password', $password // $eva{password}, Browser::ENTER);
}

sub tasks_of { my ($name) = @_; return $stack->psql("SELECT string_agg(title, '|' ORDER BY tasks.id) FROM tasks JOIN users ON users.id = user_id WHERE username = '$name'") }

subtest 'an account' => sub {
	forget();
	visit('/');
	waits_until(sub { here() eq '/signin?to=%2F' }, 'who is nobody is led to sign in');
	ok !text('#ended'), 'of no session that has ended anything is said';
	$browser->click('.door[href*="/register"]');
	waits_until(sub { here() eq '/register?to=%2F' }, 'the way back goes along');
	$browser->click('#go');
	waits_until(sub { text('#username-error') && text('#email-error') && text('#password-error') }, 'what is missing stands beside each field');
	is $browser->focus, 'email', 'with the focus on the first';
	$browser->fill('#name', $eva{name});
	$browser->fill('#email', $eva{email});
	$browser->fill('#username', 'demo');
	$browser->fill('#password', $eva{password}, Browser::ENTER);
	waits_until(sub { text('#username-error') =~ /taken/i }, 'a name that somebody has is refused');
	is $browser->value('#password'), $eva{password}, 'what was typed is still there';
	$browser->fill('#username', $eva{username}, Browser::ENTER);
	waits_until(sub { here() eq '/' && text('#person a') eq $eva{name} }, 'the account is made, and signed in; its name is only text');
	is_deeply [ $browser->texts('#places a') ], [qw(Tasks Sales Dashboard API)], 'the places are those of a user';
	is $browser->script('return document.cookie'), '', 'no script sees the session';
};

subtest 'signing out and in' => sub {
	$browser->click('#person button');
	waits_until(sub { here() eq '/signin' }, 'signed out');
	is $browser->script('return localStorage.length + sessionStorage.length'), 0, 'nothing is remembered';
	$browser->back;
	waits_until(sub { here() =~ m{^/signin} }, 'the way back shows nothing any more');
	is_deeply [ map { $browser->script('return document.querySelector(arguments[0]).autocomplete', $_) } ('#username', '#password', '#code') ], [qw(username current-password one-time-code)], 'a password manager finds its way';
	is $browser->focus, 'username', 'the name can be typed at once';
	$browser->click('#go');
	waits_until(sub { text('#username-error') && text('#password-error') }, 'nothing typed');
	sign_in('eva', 'wrong horse battery');
	waits_until(sub { text('#enter-error') =~ /user name or the password is wrong/ }, 'a wrong password');
	is $browser->focus, 'password', 'the next one can be typed at once';
	is $browser->script('return document.querySelector("#enter-error").getAttribute("role")'), 'alert', 'and it is read aloud';
	is $browser->script('return document.querySelector("#password").type'), 'password', 'it is hidden';
	$browser->click('.show');
	is $browser->script('return document.querySelector("#password").type'), 'text', 'unless shown';
	sign_in('EVA');
	waits_until(sub { here() eq '/' && text('#person a') eq $eva{name} }, 'the right one');
	visit('/signin?to=/vendas.html');
	waits_until(sub { here() =~ m{^/vendas\.html} }, 'whoever is signed in has no business there');
};

subtest 'back to where somebody was, and nowhere else' => sub {
	forget();
	visit('/vendas.html?mes=2025-03&from=2025-01&to=2025-02');
	waits_until(sub { here() =~ m{^/signin\?to=%2Fvendas\.html%3Fmes%3D2025-03} }, 'a page is asked for');
	sign_in('eva');
	waits_until(sub { here() eq '/vendas.html?mes=2025-03&from=2025-01&to=2025-02' }, 'and reached');
	for my $to ('//evil.example/', '/\\evil.example', "/\t/evil.example", 'https://evil.example/', 'javascript:alert(1)', 'blob:' . $stack->url('/x'), '/.//evil.example', '/signin?to=/signin', '%', '//') {
		forget();
		visit('/signin?to=' . $to =~ s/([^A-Za-z0-9])/sprintf '%%%02X', ord $1/ger);
		sign_in('eva');
		waits_until(sub { text('#person a') || here() =~ /evil/ }, "$to") if $to ne '/.//evil.example';
		waits_until(sub { here() ne '/signin' && query() eq '' }, "$to") if $to eq '/.//evil.example';
		is $browser->script('return location.origin'), $stack->url(''), 'stays on this site';
	}
};

subtest 'a session that ends while the page is open' => sub {
	forget();
	visit('/signin');
	sign_in('eva');
	waits_until(sub { text('#person a') }, 'signed in');
	visit('/?q=none');
	waits_until(sub { text('#empty') }, 'a page');
	$browser->type('#title', 'Written before the end');
	$browser->click('summary');
	$browser->type('#description', "oats\nand hay");
	end_sessions('eva');
	$browser->click('#new button');
	waits_until(sub { here() =~ m{^/signin\?to=} && text('#ended') =~ /has ended.*kept/s }, 'the next action leads to signing in, which says that what was written is kept');
	is tasks_of('eva'), '', 'it was not done';
	is scalar(grep { /wrong|correct/ } $browser->script('return JSON.stringify(sessionStorage)')), 0, 'no password is kept';
	sign_in('eva');
	waits_until(sub { here() eq '/?q=none' && text('#said') =~ /still here/ }, 'then it is the page again, which says so');
	is $browser->value('#title'), 'Written before the end', 'with the title';
	is $browser->value('#description'), "oats\nand hay", 'and the description';
	$browser->click('#new button');
	waits_until(sub { tasks_of('eva') eq 'Written before the end' }, 'and it can be done');
	visit('/');
	waits_until(sub { text('#tasks .title') }, 'once more');
	is $browser->value('#title'), '', 'it is not given back twice';
	$browser->type('#title', 'Of Eva');
	end_sessions('eva');
	$browser->click('#tasks .complete button');
	waits_until(sub { here() =~ m{^/signin} }, 'any action leads there');
	$stack->post('/api/register', as => undef, json => { username => 'mallory', email => 'm@example.org', password => $eva{password} });
	sign_in('mallory');
	waits_until(sub { text('#person a') eq 'mallory' }, 'somebody else signs in');
	is $browser->value('#title'), '', 'and is not shown what Eva wrote';
	is $browser->script('return sessionStorage.length'), 0, 'which is gone';
};

subtest 'another tab' => sub {
	my $first = $browser->command(GET => '/window');
	visit('/');
	waits_until(sub { text('#person a') eq 'mallory' }, 'a tab');
	my $second = $browser->command(POST => '/window/new', { type => 'tab' })->{handle};
	$browser->command(POST => '/window', { handle => $second });
	visit('/');
	waits_until(sub { text('#person a') eq 'mallory' }, 'and another');
	$browser->click('#person button');
	waits_until(sub { here() eq '/signin' }, 'where somebody signs out');
	$browser->command(POST => '/window', { handle => $first });
	waits_until(sub { here() =~ m{^/signin} }, 'the first shows nothing any more');
	$browser->command(POST => '/window', { handle => $second });
	$browser->command(DELETE => '/window');
	$browser->command(POST => '/window', { handle => $first });
};

subtest 'what a role may see' => sub {
	$browser->console;
	my %sees = (viewer => [qw(Tasks Sales Dashboard API)], user => [qw(Tasks Sales Dashboard API)], manager => [qw(Tasks Users Sales Dashboard Jobs API)], admin => [qw(Tasks Users Sales Dashboard Jobs Audit Clients API)]);
	for my $role (sort keys %sees) {
		forget();
		$browser->sign_in($stack, $role);
		visit('/');
		waits_until(sub { text('#person a') }, $role);
		is_deeply [ $browser->texts('#places a') ], $sees{$role}, 'the places';
		is scalar($browser->texts('#new')), $role eq 'viewer' ? 0 : 1, 'the form for a task';
		visit('/users.html');
		waits_until(sub { text('main .empty') =~ /role manager; yours is $role/ || text('#rows .name') }, 'users');
		is text('#rows .name') ne '', $role =~ /manager|admin/ ? 1 : '', 'the list';
		is_deeply [ $browser->texts('[role=tab]') ], $role eq 'admin' ? [ 'List', 'Create', 'Edit or delete' ] : $role eq 'manager' ? ['List'] : [], 'and what can be done there';
		is scalar($browser->texts('#rows tr:first-child button')), $role eq 'admin' ? 1 : 0, 'with each';
		visit('/jobs.html');
		waits_until(sub { text($role =~ /manager|admin/ ? '#kind-rows' : 'main .empty') }, 'jobs');
		visit('/audit');
		waits_until(sub { text($role eq 'admin' ? '#filters' : 'main .empty') }, 'audit');
		visit('/clients');
		waits_until(sub { text($role eq 'admin' ? '#new' : 'main .empty') }, 'API clients');
		visit('/docs');
		waits_until(sub { text('#person a') && text('.operation') }, 'the description of the API, which anybody may read');
		is join("\n", $browser->console), '', 'the console has nothing to say';
	}
	forget();
	visit('/docs');
	waits_until(sub { text('#person a') eq 'Sign in' && text('.operation') }, 'also who is nobody');
	is join("\n", $browser->console), '', 'the console has nothing to say';
};

subtest 'a second factor' => sub {
	my $made = $stack->post('/api/register', as => undef, json => { %eva, username => 'otto', email => 'otto@example.org' });
	my %as = (as => undef, headers => { cookie => $made->{headers}{'set-cookie'} =~ s/;.*//sr });
	my $secret = $stack->post('/api/me/totp', %as, json => { password => $eva{password} })->{json}{secret};
	my ($spare) = @{ $stack->post('/api/me/totp/confirm', %as, json => { code => totp($secret, time - 30) })->{json}{recovery_codes} };
	forget();
	visit('/signin?to=/account');
	ok !text('#code'), 'nobody is asked for a code before it is known that there is one';
	sign_in('otto');
	waits_until(sub { $browser->focus eq 'code' }, 'an account with a second factor is asked for a code');
	ok !$browser->texts('#password'), 'and for nothing else';
	$browser->press(Browser::ENTER);
	waits_until(sub { text('#code-error') =~ /missing/ }, 'no code');
	$browser->type('#code', '000000', Browser::ENTER);
	waits_until(sub { text('#code-error') =~ /wrong/ }, 'a wrong one');
	is $browser->script('return document.querySelector("#code").getAttribute("aria-describedby")'), 'code-error', 'is told beside the field';
	$browser->click('#back');
	waits_until(sub { $browser->focus eq 'password' && text('#go') eq 'Sign in' }, 'there is a way back');
	is $browser->value('#username'), 'otto', 'to what was typed';
	$browser->press(Browser::ENTER);
	waits_until(sub { $browser->focus eq 'code' }, 'and forth');
	$browser->type('#code', totp($secret, time), Browser::ENTER);
	waits_until(sub { here() eq '/account' }, 'the right code');
	forget();
	visit('/signin?to=/docs');
	sign_in('otto');
	waits_until(sub { $browser->focus eq 'code' }, 'once more');
	$browser->click('#recovery');
	is $browser->focus, 'code', 'who has lost the app';
	$browser->type('#code', $spare, Browser::ENTER);
	waits_until(sub { here() eq '/docs' }, 'uses a recovery code');
};

subtest 'by keyboard alone' => sub {
	forget();
	visit('/users.html#list');
	waits_until(sub { $browser->focus eq 'username' }, 'the focus is where it begins');
	$browser->press(split(//, 'eva'), Browser::TAB, split(//, 'wrong horse'), Browser::ENTER);
	waits_until(sub { text('#enter-error') && $browser->focus eq 'password' }, 'Enter signs in; what is wrong leaves the focus there');
	is $browser->script('return getSelection().toString().length || document.activeElement.selectionEnd'), 11, 'with all of it marked, to be typed over';
	$browser->press(Browser::TAB);
	is $browser->focus, 'Show password', 'then comes the switch that shows it, by its name';
	$browser->press(Browser::SPACE);
	is $browser->script('return document.activeElement.getAttribute("aria-pressed")'), 'true', 'which says its state';
	$browser->press('SHIFT-' . Browser::TAB, split(//, $eva{password}), Browser::ENTER);
	waits_until(sub { here() eq '/users.html#list' && text('main .empty') =~ /role manager/ }, 'and back, which is a page for managers');
	ok $browser->tab_to('Sign out'), 'Tab reaches the way out';
	cmp_ok $browser->script('return parseFloat(getComputedStyle(document.activeElement).outlineWidth)'), '>=', 2, 'and it can be seen';
	$browser->press(Browser::ENTER);
	waits_until(sub { here() eq '/signin' }, 'which Enter takes');
};

subtest 'without Redis everybody stays signed in' => sub {
	visit('/signin');
	sign_in('eva');
	waits_until(sub { text('#person a') && text('#tasks .title') }, 'signed in');
	$stack->impatient;
	my ($redis) = $stack->pids('cache');
	kill 'STOP', $redis;
	visit('/');
	waits_until(sub { text('#person a') eq $eva{name} && text('#tasks .title') }, 'with a Redis that hangs');
	$browser->type('#title', 'Without Redis', Browser::ENTER);
	waits_until(sub { text('#tasks .title') eq 'Without Redis' }, 'and can write');
	kill 'CONT', $redis;
	kill 'KILL', $redis;
	visit('/');
	waits_until(sub { text('#person a') eq $eva{name} && text('#tasks .title') eq 'Without Redis' }, 'with one that was killed');
	$browser->click('#person button');
	waits_until(sub { here() eq '/signin' }, 'and can sign out');
	visit('/');
	waits_until(sub { here() =~ m{^/signin} }, 'for good');
};

subtest 'while the service is away' => sub {
	my $socket = $stack->var . '/sock/web.sock';
	forget();
	visit('/signin');
	rename $socket, "$socket.away" or die "cannot rename $socket: $!";
	# Connections that nginx has kept still serve for a moment.
	waits_until(sub { sign_in('nobody'); text('#trouble') =~ /try again/i }, 'the page says so');
	rename "$socket.away", $socket or die "cannot rename $socket: $!";
	$browser->fill('#username', 'eva');
	$browser->fill('#password', $eva{password});
	waits_until(sub { eval { $browser->click('#retry') }; here() eq '/' }, 'and signs in as soon as it is back');
};

subtest 'on a phone, in the dark, and silent' => sub {
	$browser->stop;
	$browser = Browser->start(dark => 1, width => 375, height => 720);
	for my $path (qw(/signin /register)) {
		visit($path);
		waits_until(sub { $browser->focus =~ /name/ }, $path);
		cmp_ok $browser->page_width, '<=', 375, 'nothing is wider than the screen';
		is join("\n", $browser->too_small), '', 'everything to touch is at least 44 pixels wide and high';
		is join("\n", $browser->console), '', 'the console has nothing to say';
	}
	$browser->sign_in($stack, 'admin');
	$stack->psql(q{UPDATE users SET name = 'A very long name that fits nowhere' WHERE username = 'demo'});
	$stack->cache_redis('FLUSHALL');
	for my $path (qw(/ /users.html /vendas.html /jobs.html /audit /clients /docs)) {
		visit($path);
		waits_until(sub { text('#person a') =~ /^A very/ }, $path);
		cmp_ok $browser->page_width, '<=', 375, 'nothing is wider than the screen';
		is join("\n", grep { /<(?:a|button)[^>]*>(?:Sign out|\w+)</ } $browser->too_small), '', 'the head can be touched';
		is join("\n", $browser->console), '', 'the console has nothing to say';
	}
};

$browser->stop;

subtest 'without JavaScript' => sub {
	my $plain = Browser->start(scripts => 0);
	my $sign_in = sub {
		my ($name, $password, $code) = @_;
		$plain->open($stack->url('/signin'));
		$plain->type('#username', $name);
		$plain->type('#password', $password);
		$plain->type('#plain-code', $code) if defined $code;
		$plain->click('#go');
	};
	$plain->open($stack->url('/'));
	$plain->click('#person a');
	is $plain->url, $stack->url('/signin'), 'the page leads to signing in';
	ok !$plain->texts('.told'), 'of which nothing has gone wrong yet';
	$sign_in->('eva', 'wrong horse battery');
	$plain->wait_for(sub { $plain->url eq $stack->url('/signin#refused') }, 'an answer', 20);
	is_deeply [ map { /wrong/ ? 1 : 0 } $plain->texts('.told') ], [1], 'a wrong password is said';
	$sign_in->('eva', $eva{password}, '');
	$plain->wait_for(sub { $plain->url eq $stack->url('/') }, 'the tasks', 20);
	my ($cookie) = grep { $_->{name} eq 'sid' } @{ $plain->command(GET => '/cookie') };
	is $stack->get('/api/me', as => undef, headers => { cookie => "sid=$cookie->{value}" })->{json}{username}, 'eva', 'the right one signs in';
	$plain->type('#title', 'Ohne Skript');
	$plain->click('#new button');
	ok $stack->wait_for(sub { tasks_of('eva') =~ /Ohne Skript/ }, 'the task', 20), 'and writes';
	$plain->stop;
	my %form = (form => { username => 'eva', password => $eva{password} });
	my $other = $stack->post('/login', as => undef, %form, headers => { origin => 'http://evil.example' });
	problem_ok $other, 403, 'the form of another site';
	is $other->{headers}{'set-cookie'}, undef, 'signs nobody in';
	my $out = $stack->post('/logout', as => undef, form => {}, headers => { origin => $stack->url(''), cookie => "sid=$cookie->{value}" });
	is "$out->{status} $out->{headers}{location} $out->{content}", '303 /signin ', 'signing out leads to signing in';
	is $stack->get('/api/me', as => undef, headers => { cookie => "sid=$cookie->{value}" })->{status}, 401, 'and is for good';
	is $stack->post('/login', as => undef, form => { username => 'otto', password => $eva{password}, code => '' })->{headers}{location}, '/signin#refused', 'a code that is missing is said there, too';
};

$stack->stop;
done_testing;
