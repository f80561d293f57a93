#!/usr/bin/perl
# account-page.t - the page of one's account in a real browser: profile, password, second factor, sessions; and
# links for who has no password, delays for who guesses, and the audit of it all.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";
use Browser;
use Ostler::App;
use Ostler::MailServer;
use Ostler::Token;
use Test::More;

binmode $_, ':encoding(UTF-8)'
    for map { Test::More->builder->$_ } qw(output failure_output todo_output);

my $mail = Ostler::MailServer->start;
my $stack = Ostler::App->start(app => { mail => $mail->url, mail_from => 'ostler@example.org', site => 'https://ostler.example',
	link_pause => '1ms', audit_window => '10ms' });
my $browser = Browser->start(height => 1400);
my %eva = (username => 'eva', name => 'Eva', email => 'eva@example.org', password => 'correct horse battery');

sub text { return $browser->text($_[0]) }
sub here { return $browser->script('return document.readyState === "complete" ? location.pathname + location.search + location.hash : ""') }
sub says { my ($id, $pattern) = @_; return text($id) =~ $pattern }

sub waits_until
{
	my ($condition, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok eval { $browser->wait_for($condition, $what, 20) }, $what
	    or diag 'at: ', here(), '; focus: ', $browser->focus, '; said: ', text('#said'), '; trouble: ', text('#trouble'), '; wrong: ', join ' ', $browser->texts('.error');
}

sub visit { my ($path) = @_; $browser->open('about:blank'); return $browser->open($stack->url($path)) }

sub sign_in
{
	my ($name, $password) = @_;
	$browser->open($stack->url('/favicon.svg'));
	$browser->script('localStorage.clear(); sessionStorage.clear()');
	$browser->command(DELETE => '/cookie');
	visit('/signin?to=/account');
	$browser->type('#username', $name);
	$browser->type('#password', $password, Browser::ENTER);
	waits_until(\&account_is_there, "$name has signed in, and is at the account");
}

sub is_loaded { return 'falsefalsefalse' eq $browser->script('return ["profile", "factor", "sessions"].map((id) => document.getElementById(id)?.ariaBusy).join("")') }
sub account_is_there { return here() eq '/account' && is_loaded() }

# A session of EVA that began elsewhere; whether it still is one.
sub elsewhere
{
	my ($password) = @_;
	my $in = $stack->post('/api/login', as => undef, json => { username => 'eva', password => $password // $eva{password} }, headers => { 'user-agent' => 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0' });
	return $in->{headers}{'set-cookie'} =~ s/;.*//sr;
}
sub lives { my ($cookie) = @_; return $stack->get('/api/me', as => undef, headers => { cookie => $cookie })->{status} == 200 }

$stack->post('/api/register', as => undef, json => \%eva);
sign_in('eva', $eva{password});

subtest 'profile' => sub {
	is_deeply [ map { $browser->value($_) } '#name', '#email', '#username' ], [ 'Eva', 'eva@example.org', 'eva' ], 'it is shown';
	like text('#role'), qr/user/, 'with the role';
	$browser->fill('#name', 'Eva Maria');
	$browser->fill('#email', 'demo@example.org', Browser::ENTER);
	waits_until(sub { says('#email-error', qr/taken/i) && $browser->focus eq 'email' }, 'an address that somebody has is refused beside the field');
	$browser->fill('#email', 'maria@example.org', Browser::ENTER);
	waits_until(sub { text('#said') eq 'Saved' && text('#person a') eq 'Eva Maria' }, 'saved, and the head of the page knows it');
	$stack->wait_for(sub { $mail->letters }, 'a letter to the address before', 30);
	is_deeply [ map { @{ $_->{to} } } $mail->letters ], ['eva@example.org'], 'which is told';
	$mail->forget;
	$stack->psql(q{UPDATE users SET name = 'Elsewhere', version = version + 1 WHERE username = 'eva'});
	$browser->fill('#name', 'Mine', Browser::ENTER);
	waits_until(sub { says('#conflict', qr/changed elsewhere/) && $browser->focus eq 'theirs' }, 'what was changed elsewhere is not written over unseen');
	$browser->click('#theirs');
	waits_until(sub { $browser->value('#name') eq 'Elsewhere' && !text('#conflict') }, 'it can be seen');
	$stack->psql(q{UPDATE users SET name = 'Again', version = version + 1 WHERE username = 'eva'});
	$browser->fill('#name', 'Mine', Browser::ENTER);
	waits_until(sub { text('#conflict') }, 'and once more');
	$browser->click('#mine');
	waits_until(sub { text('#said') eq 'Saved' && $stack->psql(q{SELECT name FROM users WHERE username = 'eva'}) eq 'Mine' }, 'or written over all the same');
};

subtest 'password' => sub {
	my $other = elsewhere();
	is_deeply [ map { $browser->script('return document.querySelector(arguments[0]).autocomplete', $_) } '#old', '#new', '#owner' ], [qw(current-password new-password username)], 'a password manager finds its way';
	$browser->type('#old', 'not this one');
	$browser->type('#new', 'staple in a haystack', Browser::ENTER);
	waits_until(sub { says('#old-error', qr/not your password/) && $browser->focus eq 'old' }, 'a wrong old password');
	$browser->fill('#old', $eva{password});
	$browser->fill('#new', 'password1', Browser::ENTER);
	waits_until(sub { text('#new-error') && $browser->focus eq 'new' }, 'a new one that everybody has');
	like $browser->script('return document.querySelector("#new").getAttribute("aria-describedby")'), qr/^new-error new-hint$/, 'is read aloud, and so is the hint';
	ok lives($other), 'nothing was changed';
	$browser->fill('#new', 'staple in a haystack', Browser::ENTER);
	waits_until(sub { text('#said') eq 'Your password is changed' }, 'the right ones');
	is $browser->value('#old') . $browser->value('#new'), '', 'nothing of them stays in the page';
	ok !lives($other), 'whoever was signed in elsewhere is not';
	visit('/account');
	waits_until(\&account_is_there, 'here it goes on');
	$eva{password} = 'staple in a haystack';
};

subtest 'sessions' => sub {
	my ($first, $second) = (elsewhere(), elsewhere());
	visit('/account');
	waits_until(\&account_is_there, 'the account');
	is scalar($browser->texts('.session')), 3, 'all are there';
	is scalar(grep { /^Chrome.*here/s } $browser->texts('.session')), 1, 'one of them is this one';
	is scalar($browser->texts('.session button')), 2, 'which is ended by signing out';
	like +(grep { !/here/ } $browser->texts('.session'))[0], qr/^Firefox on Linux\s+127\.0\.0\.1, signed in today/, 'others say what and where they are';
	$browser->click('.session button');
	waits_until(sub { text('#said') =~ /^Signed out Firefox/ && $browser->texts('.session') == 2 }, 'one is ended');
	is lives($first) + lives($second), 1, 'and the server knows';
	like $browser->focus, qr/^Sign out Firefox on Linux|sessions-heading/, 'the focus is on its neighbour';
	$browser->click('#everywhere');
	$browser->click('#sure button[value=keep]');
	is lives($first) + lives($second), 1, 'a second thought keeps them';
	$browser->click('#everywhere');
	$browser->click('#sure button[value=delete]');
	waits_until(sub { here() eq '/signin' }, 'all are ended, this one too');
	is lives($first) + lives($second), 0, 'and the server knows';
	visit('/account');
	waits_until(sub { here() eq '/signin?to=%2Faccount' || here() =~ m{^/signin} }, 'for good');
};

my $secret;
subtest 'a second factor, by keyboard alone' => sub {
	sign_in('eva', $eva{password});
	like text('#factor-state'), qr/password alone/, 'there is none';
	ok $browser->tab_to('factor-begin'), 'Tab reaches it';
	$browser->press(Browser::ENTER);
	waits_until(sub { $browser->focus eq 'prove-password' }, 'it takes the password');
	$browser->press(split(//, 'not this one'), Browser::ENTER);
	waits_until(sub { says('#prove-password-error', qr/not your password/) }, 'a wrong one is told beside the field');
	$browser->script('document.querySelector("#prove-password").value = ""');
	$browser->press(split(//, $eva{password}), Browser::ENTER);
	waits_until(sub { $browser->focus eq 'code' && text('#secret') }, 'then comes the code to scan');
	is $browser->script('return document.querySelectorAll("#qr svg path").length > 1 && document.querySelector("#qr").getBoundingClientRect().width > 150'), JSON::PP::true, 'as a picture';
	$browser->screenshot("$ENV{SHOTS}/qr.png") if $ENV{SHOTS};
	$secret = text('#secret') =~ s/\s//gr;
	like $secret, qr/^[A-Z2-7]{32}$/, 'and as a text';
	$browser->press(split(//, '000000'), Browser::ENTER);
	waits_until(sub { says('#code-error', qr/not what the app/) }, 'a wrong code');
	$browser->script('document.querySelector("#code").value = ""');
	$browser->press(split(//, totp($secret, time)), Browser::ENTER);
	waits_until(sub { $browser->focus eq 'codes-heading' }, 'the right one');
	my @codes = $browser->texts('#code-list li');
	is scalar(@codes), 10, 'ten recovery codes';
	$browser->screenshot("$ENV{SHOTS}/codes.png") if $ENV{SHOTS};
	ok $browser->tab_to('codes-kept'), 'Tab goes on';
	$browser->press(Browser::ENTER);
	waits_until(sub { $browser->focus eq 'factor-codes' && says('#factor-state', qr/^On since today.*10 recovery codes/) }, 'it is on');
	is $browser->script('return document.querySelector("#code-list").childElementCount + document.querySelector("#secret").textContent'), '0', 'secrets are no more in the page';
	$browser->press(Browser::ENTER);
	waits_until(sub { $browser->focus eq 'prove-password' }, 'other codes take the password, too');
	$browser->press(split(//, $eva{password}), Browser::ENTER);
	waits_until(sub { $browser->focus eq 'codes-heading' }, 'and come');
	isnt +($browser->texts('#code-list li'))[0], $codes[0], 'in place of the old ones';
	ok $browser->tab_to('codes-kept'), 'kept';
	$browser->press(Browser::ENTER);
	waits_until(sub { $browser->focus eq 'factor-codes' }, 'and on');
	ok $browser->tab_to('factor-end'), 'and the way off';
	$browser->press(Browser::ENTER);
	waits_until(sub { $browser->focus eq 'prove-password' }, 'takes the password');
	ok $browser->tab_to('Cancel'), 'and can be thought over';
	$browser->press(Browser::ENTER);
	waits_until(sub { $browser->focus eq 'factor-end' }, 'which leads back');
	$browser->press(Browser::ENTER);
	waits_until(sub { $browser->focus eq 'prove-password' }, 'again');
	$browser->press(split(//, $eva{password}), Browser::ENTER);
	waits_until(sub { $browser->focus eq 'factor-begin' && says('#factor-state', qr/password alone/) }, 'it is off');
};

subtest 'a session that ends here' => sub {
	$browser->fill('#name', 'Written before the end');
	$browser->type('#old', 'secret words');
	$stack->psql('DELETE FROM sessions');
	$stack->cache_redis('FLUSHALL');
	$browser->click('#profile [type=submit]');
	waits_until(sub { here() =~ m{^/signin\?to=%2Faccount&ended} && says('#ended', qr/kept/) }, 'the next action leads to signing in');
	unlike $browser->script('return JSON.stringify(sessionStorage) + JSON.stringify(localStorage)'), qr/secret words/, 'no password is kept';
	$browser->type('#username', 'eva');
	$browser->type('#password', $eva{password}, Browser::ENTER);
	waits_until(sub { account_is_there() && $browser->value('#name') eq 'Written before the end' }, 'and back to what was written');
	is $browser->value('#old'), '', 'but for the password';
	$stack->sign_in;
};

subtest 'a forgotten password' => sub {
	$browser->click('#person button');
	waits_until(sub { here() eq '/signin' }, 'signed out');
	$browser->click('.door[href*="/forgot"]');
	waits_until(sub { here() eq '/forgot' && $browser->focus eq 'username' }, 'the page for who forgot theirs');
	$browser->press(Browser::ENTER);
	waits_until(sub { says('#username-error', qr/missing/) }, 'nobody');
	$browser->type('#username', 'maria@example.org', Browser::ENTER);
	waits_until(sub { $browser->focus eq 'sent-heading' && says('#sent-text', qr/If there is an account “maria\@example\.org”/) }, 'the answer gives nothing away');
	$stack->wait_for(sub { $mail->letters }, 'a letter', 30);
	my ($token) = ($mail->letters)[0]{body} =~ m{/reset\?token=([A-Za-z0-9_-]{43})};
	visit("/reset?token=$token");
	waits_until(sub { $browser->focus eq 'password' }, 'its link');
	$browser->type('#password', 'password1', Browser::ENTER);
	waits_until(sub { text('#password-error') }, 'a password that everybody has');
	$browser->fill('#password', 'another haystack', Browser::ENTER);
	waits_until(sub { $browser->focus eq 'chosen-heading' }, 'a good one');
	is here(), '/reset', 'the link is no more in the address';
	visit("/reset?token=$token");
	waits_until(sub { $browser->focus eq 'password' }, 'the link once more');
	$browser->type('#password', 'another haystack', Browser::ENTER);
	waits_until(sub { $browser->focus eq 'stale-heading' }, 'works no more');
	$browser->click('#stale a');
	waits_until(sub { here() eq '/forgot' }, 'and there are others');
	$eva{password} = 'another haystack';
	sign_in('eva', $eva{password});
};

subtest 'the audit' => sub {
	$browser->console;
	$browser->command(DELETE => '/cookie');
	$browser->sign_in($stack, 'admin');
	visit('/audit');
	waits_until(sub { $browser->script('return document.querySelector("#lines").ariaBusy') eq 'false' && text('#rows') }, 'it is there');
	my @kinds = $browser->texts('#rows .kind');
	ok +(grep { $_ eq 'Sign in' } @kinds), 'what was done';
	$browser->script('const s = document.querySelector("#kind"); s.value = "second_factor_on"; s.dispatchEvent(new Event("change"))');
	waits_until(sub { my @now = $browser->texts('#rows .kind'); @now && !grep { $_ ne 'Second factor on' } @now }, 'one kind');
	like here(), qr{^/audit\?kind=second_factor_on$}, 'stands in the address';
	$browser->type('#actor', 'nobody at all');
	waits_until(sub { text('#empty') }, 'nothing of somebody who is nobody');
	visit('/audit?kind=password_changed&actor=eva');
	waits_until(sub { my @now = $browser->texts('#rows .actor'); @now && !grep { $_ ne 'eva' } @now }, 'an address shows the same again');
	visit('/audit?from=2099-01-01T00:00');
	waits_until(sub { text('#empty') }, 'nothing of the time to come');
	is join("\n", $browser->console), '', 'the console has nothing to say';
};

subtest 'on a phone, in the dark, and silent' => sub {
	$browser->stop;
	$browser = Browser->start(dark => 1, width => 375, height => 800);
	my $silent = sub {
		my ($what) = @_;
		cmp_ok $browser->page_width, '<=', 375, "$what: nothing is wider than the screen";
		is join("\n", $browser->too_small), '', 'everything to touch is at least 44 pixels wide and high';
		is join("\n", $browser->console), '', 'the console has nothing to say';
	};
	for my $page ([ '/forgot', 'username' ], [ '/reset?token=x', 'password' ]) {
		visit($page->[0]);
		waits_until(sub { $browser->focus eq $page->[1] }, $page->[0]);
		$silent->($page->[0]);
	}
	sign_in('eva', $eva{password});
	$browser->console;
	$silent->('the account');
	$browser->click('#factor-begin');
	$browser->type('#prove-password', $eva{password}, Browser::ENTER);
	waits_until(sub { $browser->focus eq 'code' }, 'the code to scan');
	$silent->('the code to scan');
	$browser->screenshot("$ENV{SHOTS}/qr-phone.png") if $ENV{SHOTS};
	$browser->type('#code', totp(text('#secret') =~ s/\s//gr, time), Browser::ENTER);
	waits_until(sub { $browser->focus eq 'codes-heading' }, 'recovery codes');
	$silent->('recovery codes');
	$browser->screenshot("$ENV{SHOTS}/codes-phone.png") if $ENV{SHOTS};
	$browser->sign_in($stack, 'admin');
	visit('/audit');
	waits_until(sub { text('#rows') }, 'the audit');
	$silent->('the audit');
};

$browser->stop;
$stack->stop;

subtest 'who guesses waits, and sees how long' => sub {
	my $slow = Ostler::App->start(app => { attempt_first => '3s', attempt_most => '60s' });
	$browser = Browser->start;
	$slow->post('/api/register', as => undef, json => { %eva, username => 'otto' });
	$slow->psql('DELETE FROM sessions');
	$browser->open($slow->url('/signin'));
	waits_until(sub { here() eq '/signin' }, 'signing in');
	$browser->type('#username', 'otto');
	$browser->type('#password', 'wrong horse battery', Browser::ENTER);
	waits_until(sub { says('#enter-error', qr/wrong/) }, 'a wrong password');
	$browser->fill('#password', $eva{password}, Browser::ENTER);
	waits_until(sub { says('#enter-error', qr/too often/) && text('#go') =~ /^Sign in \([1-9] s\)$/ }, 'the next one waits, and the button counts');
	is $browser->script('return document.querySelector("#go").ariaDisabled'), 'true', 'it can be pressed to no effect';
	my $asked = $slow->psql('SELECT count(*) FROM sessions');
	$browser->type('#password', Browser::ENTER);
	is $slow->psql('SELECT count(*) FROM sessions'), $asked, 'nor by key';
	waits_until(sub { text('#go') eq 'Sign in' && !text('#enter-error') && says('#said', qr/try again/) }, 'when it is over, the page says so');
	is $browser->value('#password'), $eva{password}, 'what was typed is still there';
	$browser->click('#go');
	waits_until(sub { here() eq '/' && text('#person a') }, 'and it is right');
	$browser->stop;
	$slow->stop;
};

done_testing;
