#!/usr/bin/perl
# clients-page.t - the page of API clients in a real browser: made, with a secret that is shown once, and deleted.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";
use Browser;
use MIME::Base64 qw(encode_base64);
use Ostler::App;
use Test::More;

binmode $_, ':encoding(UTF-8)'
    for map { Test::More->builder->$_ } qw(output failure_output todo_output);

my $stack = Ostler::App->start;
my $browser = Browser->start(height => 1400);
$browser->sign_in($stack);

sub text { return $browser->text($_[0]) }

sub waits_until
{
	my ($condition, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok eval { $browser->wait_for($condition, $what, 20) }, $what
	    or diag 'focus: ', $browser->focus, '; said: ', text('#said'), '; trouble: ', text('#trouble'), '; wrong: ', join ' ', $browser->texts('.error');
}

sub is_there { return $browser->script('return document.querySelector("#clients").ariaBusy') eq 'false' }

sub visit
{
	$browser->open('about:blank');
	$browser->open($stack->url('/clients'));
	waits_until(\&is_there, 'the page is there');
}

sub choose { my ($id, $value) = @_; return $browser->script('const s = document.getElementById(arguments[0]); s.value = arguments[1]; s.dispatchEvent(new Event("change"))', $id, $value) }

# The answer to who shows the two texts on the page at the token endpoint.
sub token
{
	my ($client, $secret) = @_;
	return $stack->post('/oauth/token', as => undef, form => { grant_type => 'client_credentials' }, headers => { authorization => 'Basic ' . encode_base64("$client:$secret", '') });
}

my ($client, $secret);
subtest 'a client is made' => sub {
	visit();
	is text('#empty'), 'There is none yet.', 'at first there is none';
	$browser->type('#name', ' ', Browser::ENTER);
	waits_until(sub { text('#name-error') }, 'it takes a name');
	is $browser->focus, 'name', 'where the focus is';
	$browser->fill('#name', 'Export <b>at night</b>');
	$browser->type('#user', 'nobody-at-all', Browser::ENTER);
	waits_until(sub { text('#user-error') }, 'and somebody who is there');
	is scalar(@{ $stack->get('/api/clients')->{json}{items} }), 0, 'so far there is none';
	$browser->fill('#user', 'bruno');
	choose(scope => 'read write');
	$browser->click('#new [type=submit]');
	waits_until(sub { text('#told') }, 'its secret is shown');
	is $browser->focus, 'told-heading', 'and read aloud';
	($client, $secret) = (text('#told-client'), text('#told-secret'));
	like $secret, qr/^[A-Za-z0-9_-]{43}\z/, 'a secret';
	is token($client, $secret)->{status}, 200, 'with which it gets a token';
	my $at = $stack->url('/oauth/token');
	like text('#told-how'), qr{-u \Q$client:$secret\E .*\Q$at\E}s, 'how is shown, too';
	waits_until(sub { text('#clients .name') eq 'Export <b>at night</b>' }, 'it is in the list, only text');
	like text('#clients .about'), qr/^for bruno, at most as user, reads and changes, since today/, 'with what it may';
	my ($stored) = @{ $stack->get('/api/clients')->{json}{items} };
	is_deeply [ @$stored{qw(client_id username role scope)}, $stored->{refresh} ? 1 : 0 ], [ $client, 'bruno', 'user', 'read write', 0 ], 'as the server knows it';
	$browser->click('#told-kept');
	is text('#told'), '', 'once it is kept it is gone';
	unlike $browser->script('return document.documentElement.outerHTML'), qr/\Q$secret\E/, 'from the whole page';
	visit();
	unlike $browser->script('return document.documentElement.outerHTML'), qr/\Q$secret\E/, 'and does not come back';
};

subtest 'another secret' => sub {
	$browser->click('#clients .renew');
	$browser->click('#sure button[value=keep]');
	is token($client, $secret)->{status}, 200, 'a second thought changes nothing';
	$browser->click('#clients .renew');
	$browser->click('#sure button[value=delete]');
	waits_until(sub { text('#told') }, 'is shown');
	is text('#told-client'), $client, 'of the same client';
	isnt text('#told-secret'), $secret, 'is another';
	is token($client, $secret)->{status}, 401, 'the old one is refused';
	is token($client, text('#told-secret'))->{status}, 200, 'the new one is taken';
};

subtest 'a client that somebody else has deleted' => sub {
	my $gone = $stack->post('/api/clients', json => { name => 'short-lived' })->{json};
	visit();
	waits_until(sub { text('#clients .name') eq 'short-lived' }, 'is still shown');
	is $stack->delete("/api/clients/$gone->{id}")->{status}, 204, 'when it is gone';
	$browser->click('#clients .renew');
	$browser->click('#sure button[value=delete]');
	waits_until(sub { text('#said') =~ /gone already/ && text('#clients .name') ne 'short-lived' }, 'the page says so');
};

subtest 'by keyboard alone' => sub {
	visit();
	$browser->press(Browser::TAB);
	is $browser->focus, 'Skip to the clients', 'the first stop skips to the clients';
	ok $browser->tab_to('name'), 'Tab reaches the form';
	$browser->press(split(//, 'by key'), Browser::TAB, Browser::TAB, split(//, 'm'), Browser::TAB, Browser::TAB, Browser::SPACE, Browser::ENTER);
	waits_until(sub { $browser->focus eq 'told-heading' }, 'Enter makes it');
	my ($made) = @{ $stack->get('/api/clients')->{json}{items} };
	is_deeply [ @$made{qw(name username role scope)}, $made->{refresh} ? 1 : 0 ], [ 'by key', 'demo', 'manager', 'read', 1 ], 'as it was chosen, for who made it, to read unless more is asked for';
	ok $browser->tab_to('told-kept'), 'on to what closes it';
	$browser->press(Browser::ENTER);
	waits_until(sub { $browser->focus eq 'list-heading' && !text('#told') }, 'the list is next');
	ok $browser->tab_to('Delete by key'), 'and on to deleting it';
	$browser->press(Browser::ENTER);
	waits_until(sub { text('#sure') =~ /^Delete by key\?/ }, 'which asks first');
	$browser->press(Browser::TAB) if $browser->focus ne 'Delete';
	$browser->press(Browser::ENTER);
	waits_until(sub { text('#said') eq 'Deleted by key' && !grep { $_ eq 'by key' } $browser->texts('#clients .name') }, 'it is deleted');
	is $browser->focus, 'Delete Export <b>at night</b>', 'the focus is on the next';
	is $stack->get("/api/clients/$made->{id}")->{status}, 404, 'the server knows';
};

subtest 'more than a page' => sub {
	$stack->psql(q{INSERT INTO api_clients (name, user_id, role, scope, refresh, secret_hash) SELECT 'c' || n, 1, 'user', 'read', false, sha256(n::text::bytea) FROM generate_series(1, 25) n});
	visit();
	is scalar($browser->texts('#clients .name')), 20, 'twenty at first';
	$browser->click('#more');
	waits_until(sub { $browser->texts('#clients .name') == 26 && !text('#more') }, 'and then the rest');
	$stack->psql(q{DELETE FROM api_clients WHERE name LIKE 'c%'});
};

# Whether the browser is connected to anything.
sub connect_it { my ($on) = @_; return $browser->devtools('Network.emulateNetworkConditions', { offline => $on ? JSON::PP::false() : JSON::PP::true(), latency => 0, downloadThroughput => -1, uploadThroughput => -1 }) }

subtest 'without a connection' => sub {
	visit();
	$browser->devtools('Network.enable');
	connect_it(0);
	$browser->type('#name', 'later', Browser::ENTER);
	waits_until(sub { text('#trouble') =~ /offline/ }, 'the page says so');
	is $browser->value('#name'), 'later', 'what was typed is still there';
	connect_it(1);
	waits_until(sub { !text('#trouble') }, 'it heals by itself');
	is_deeply [ map { $_->{name} } @{ $stack->get('/api/clients')->{json}{items} } ], ['Export <b>at night</b>'], 'and makes nothing that nobody has asked for again';
	$browser->console;
};

subtest 'for admins alone' => sub {
	$browser->command(DELETE => '/cookie');
	$browser->sign_in($stack, 'manager');
	$browser->open($stack->url('/clients'));
	waits_until(sub { text('main .empty') =~ /for the role admin/ }, 'a manager is told whom it is for');
	ok !(grep { $_ eq 'Clients' } $browser->texts('#places a')), 'and led to it by nothing';
};

subtest 'on a phone, in the dark, and silent' => sub {
	$browser->stop;
	$browser = Browser->start(dark => 1, width => 375, height => 800);
	$browser->sign_in($stack);
	$stack->post('/api/clients', json => { name => 'W' x 100, role => 'manager', refresh => JSON::PP::true() });
	visit();
	my $is_good = sub {
		my ($what) = @_;
		cmp_ok $browser->page_width, '<=', 375, "$what: nothing is wider than the screen";
		is join("\n", $browser->too_small), '', 'everything to touch is at least 44 pixels wide and high';
		is join("\n", $browser->console), '', 'the console has nothing to say';
	};
	$is_good->('the list');
	$browser->screenshot("$ENV{SHOTS}/clients-phone.png") if $ENV{SHOTS};
	$browser->type('#name', 'on a phone', Browser::ENTER);
	waits_until(sub { text('#told') }, 'a secret');
	$is_good->('a secret');
	$browser->screenshot("$ENV{SHOTS}/secret-phone.png") if $ENV{SHOTS};
	$browser->resize(1100, 1400);
	$browser->screenshot("$ENV{SHOTS}/clients.png") if $ENV{SHOTS};
};

$browser->stop;
$stack->stop;
done_testing;
