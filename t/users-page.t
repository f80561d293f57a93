#!/usr/bin/perl
# users-page.t - the page of users in a real browser: three tabs, by mouse and by key, on a phone, and
# when somebody else was faster.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";
use Browser;
use Ostler::App;
use Test::More;

binmode $_, ':encoding(UTF-8)'
    for map { Test::More->builder->$_ } qw(output failure_output todo_output);

my $stack = Ostler::App->start;
my $browser = Browser->start;
$browser->sign_in($stack);

sub text  { return ($browser->texts($_[0]))[0] // '' }
sub value { return $browser->script('return document.querySelector(arguments[0]).value', $_[0]) }

sub waits_until
{
	my ($condition, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok eval { $browser->wait_for($condition, $what, 20) }, $what
	    or diag "focus: ", $browser->focus, "; said: ", text('#said'), "; trouble: ", text('#trouble');
}

sub visit
{
	my ($hash) = @_;
	$browser->open('about:blank');
	$browser->open($stack->url('/users.html') . ($hash // ''));
}

sub list_is_there { return text('#source') && $browser->script('return document.querySelector("#users").ariaBusy') eq 'false' }

# Replaces what stands in a field.
sub fill
{
	my ($selector, $text) = @_;
	$browser->script('document.querySelector(arguments[0]).value = ""', $selector);
	$browser->type($selector, $text);
}

sub stored { my ($id) = @_; return $stack->get("/users/$id")->{json} }
sub add { my (%user) = @_; return $stack->post('/users', json => { %user })->{json} }

subtest 'the list says where it came from' => sub {
	add(name => "Person $_", email => "person$_\@example.org") for 1 .. 25;
	visit();
	waits_until(\&list_is_there, 'the list is there');
	my @names = $browser->texts('#rows .name');
	is_deeply \@names, [ map { $_->{name} } @{ $stack->get('/users')->{json}{items} } ], 'as the API gives it';
	# A cache that is slow to answer, as on a busy machine, is not waited for.
	waits_until(sub { $browser->click('#refresh'); text('#source') =~ /^From the cache, in [\d.]+ ms$/ }, 'again, it comes from the cache');
	add(name => 'Newest', email => 'newest@example.org');
	$browser->click('#refresh');
	waits_until(sub { text('#source') =~ /^From the database, in [\d.]+ ms$/ }, 'after a change from the database');
	is text('#rows .name'), 'Newest', 'with what has changed';
	$browser->click('#next');
	waits_until(sub { text('#first') && text('#rows .name') ne 'Newest' }, 'there is a next page');
	$browser->click('#first');
	waits_until(sub { text('#rows .name') eq 'Newest' }, 'and a way back');
};

subtest 'create' => sub {
	visit('#create');
	$browser->type('#new-name', ' ');
	$browser->type('#new-email', 'nobody', Browser::ENTER);
	waits_until(sub { text('#new-name-error') && text('#new-email-error') }, 'what is wrong stands beside each field');
	is $browser->focus, 'new-name', 'the focus is on the first';
	is $browser->script('return document.querySelector("#new-email").getAttribute("aria-describedby")'), 'new-email-error', 'and it is read aloud with it';
	fill('#new-name', 'Zoé <b>Ünal</b>');
	fill('#new-email', 'Newest@Example.org');
	$browser->click('#new button');
	waits_until(sub { text('#new-email-error') =~ /taken/i && !text('#new-name-error') }, 'an address that is taken is named');
	fill('#new-email', 'zoe@example.org');
	$browser->click('#new button');
	waits_until(sub { text('#rows .name') eq 'Zoé <b>Ünal</b>' }, 'created, it is first in the list, and only text');
	is $browser->script('return location.hash'), '#list', 'which is shown';
	is scalar(grep { $_->{email} eq 'zoe@example.org' } @{ $stack->get('/users?limit=100')->{json}{items} }), 1, 'once';
};

subtest 'edit and delete' => sub {
	my $user = add(name => 'Edith', email => 'edith@example.org', username => 'edith');
	visit();
	waits_until(sub { text('#rows .name') eq 'Edith' }, 'the list');
	$browser->click('#rows tr:first-child button');
	waits_until(sub { text('#who') eq 'Edith' }, 'the form of the one that was chosen');
	is value('#email'), 'edith@example.org', 'filled in';
	fill('#email', 'edith@other.example');
	$browser->click('#change [type=submit]');
	waits_until(sub { text('#said') =~ /^Saved Edith/ }, 'saved');
	is stored($user->{id})->{email}, 'edith@other.example', 'and the server knows';
	is stored($user->{id})->{username}, 'edith', 'the rest is as it was';
	fill('#email', 'zoe@example.org');
	$browser->click('#change [type=submit]');
	waits_until(sub { text('#email-error') =~ /taken/i }, 'an address that is taken is named');
	$browser->click('#delete');
	$browser->click('#sure button[value=keep]');
	ok stored($user->{id})->{id}, 'a second thought keeps them';
	$browser->click('#delete');
	$browser->click('#sure button[value=delete]');
	waits_until(sub { text('#said') eq 'Deleted Edith' && !grep({ $_ eq 'Edith' } $browser->texts('#rows .name')) }, 'deleted, and no more in the list');
	is $stack->get("/users/$user->{id}")->{status}, 404, 'and the server knows';
	visit("#edit/$user->{id}");
	waits_until(sub { text('#nobody') =~ /gone/ }, 'an address of somebody who is gone says so');
};

subtest 'when somebody else was faster' => sub {
	my $user = add(name => 'Contested', email => 'contested@example.org');
	my $faster = sub { $stack->patch("/users/$user->{id}", json => { name => $_[0] }) };
	visit("#edit/$user->{id}");
	waits_until(sub { text('#who') eq 'Contested' }, 'loaded');
	$faster->('Theirs');
	fill('#name', 'Mine');
	$browser->click('#change [type=submit]');
	waits_until(sub { text('#conflict') =~ /has changed this user/ }, 'the page says so');
	is stored($user->{id})->{name}, 'Theirs', 'and has changed nothing';
	is $browser->focus, 'theirs', 'the harmless choice comes first';
	$browser->click('#theirs');
	waits_until(sub { value('#name') eq 'Theirs' && !text('#conflict') }, 'theirs is shown');
	$faster->('Theirs again');
	fill('#name', 'Mine');
	$browser->click('#change [type=submit]');
	waits_until(sub { text('#conflict') }, 'once more');
	$browser->click('#mine');
	waits_until(sub { text('#said') eq 'Saved Mine' }, 'mine is saved all the same');
	is stored($user->{id})->{name}, 'Mine', 'and the server knows';
};

subtest 'a role, and a lost second factor' => sub {
	my $user = add(name => 'Rita', email => 'rita@example.org');
	visit("#edit/$user->{id}");
	waits_until(sub { value('#role') eq 'user' }, 'the role stands in the form');
	$browser->script('const s = document.querySelector("#role"); s.value = "manager"; s.dispatchEvent(new Event("change"))');
	$browser->click('#change [type=submit]');
	waits_until(sub { text('#said') eq 'Saved Rita' && stored($user->{id})->{role} eq 'manager' }, 'another one is saved');
	$browser->click('#factor');
	$browser->click('#sure button[value=delete]');
	waits_until(sub { text('#said') eq 'Rita has no second factor' }, 'who has none is told of');
	$stack->psql("INSERT INTO second_factors (user_id, sealed, confirmed_at) VALUES ($user->{id}, '\\x00', now())");
	$browser->click('#factor');
	is text('#sure button[value=delete]'), 'Turn it off', 'the page asks first';
	$browser->click('#sure button[value=delete]');
	waits_until(sub { text('#said') =~ /password alone/ && $stack->psql("SELECT count(*) FROM second_factors") == 0 }, 'it is turned off');
	$browser->click('#delete');
	is text('#sure button[value=delete]'), 'Delete', 'and other questions have their own words';
	$browser->click('#sure button[value=keep]');
};

subtest 'a session that ends, and somebody who was faster meanwhile' => sub {
	my $user = add(name => 'Ulla', email => 'ulla@example.org');
	visit("#edit/$user->{id}");
	waits_until(sub { value('#name') eq 'Ulla' }, 'loaded');
	fill('#name', 'Mine');
	$stack->psql('DELETE FROM sessions');
	$stack->cache_redis('FLUSHALL');
	$browser->click('#change [type=submit]');
	waits_until(sub { $browser->url =~ m{/signin\?to=%2Fusers\.html%23edit%2F} }, 'it leads to signing in');
	$stack->sign_in;
	$stack->patch("/users/$user->{id}", json => { name => 'Theirs' });
	$browser->sign_in($stack);
	$browser->script('localStorage.person = JSON.stringify({ id: 1, name: "Demo", role: "admin" }); location.reload()');
	waits_until(sub { $browser->url =~ m{/users\.html#edit/} && value('#name') eq 'Mine' }, 'what was typed is there again');
	is value('#email'), 'ulla@example.org', 'among what is stored';
	$browser->click('#change [type=submit]');
	waits_until(sub { text('#conflict') =~ /has changed this user/ }, 'and goes over nobody\'s change unseen');
	is stored($user->{id})->{name}, 'Theirs', 'which stands';
};

subtest 'by keyboard alone' => sub {
	visit();
	waits_until(\&list_is_there, 'the list');
	$browser->press(Browser::TAB);
	is $browser->focus, 'Skip to the users', 'the first stop skips to the users';
	for (1 .. 20) { last if $browser->focus eq 'tab-list'; $browser->press(Browser::TAB) }
	is $browser->focus, 'tab-list', 'Tab reaches the tabs';
	$browser->press("\x{E014}"); # right
	waits_until(sub { $browser->focus eq 'tab-create' && text('#new') }, 'an arrow goes to the next');
	$browser->press("\x{E012}", "\x{E012}"); # left, left: around
	waits_until(sub { $browser->focus eq 'tab-edit' }, 'and around the end');
	$browser->press("\x{E011}", "\x{E014}", Browser::TAB); # home, right
	is $browser->focus, 'new-name', 'behind the tab comes its form';
	$browser->press(split(//, 'Keyed'), Browser::TAB, split(//, 'keyed@example.org'), Browser::ENTER);
	waits_until(sub { text('#rows .name') eq 'Keyed' }, 'Enter creates');
};

subtest 'on a phone' => sub {
	add(name => 'W' x 200, email => ('w' x 60) . '@' . ('example' x 8) . '.org');
	$browser->resize(375, 720);
	for my $hash ('', '#create', '#edit/1') {
		visit($hash);
		waits_until(sub { $hash eq '' ? list_is_there() : $hash eq '#create' ? text('#new') : text('#who') }, "users.html$hash");
		cmp_ok $browser->script('return document.documentElement.scrollWidth'), '<=', 375, 'nothing is wider than the screen';
		my $small = $browser->script(q{
			return [...document.querySelectorAll('main button, main input, nav a')].filter(e => e.checkVisibility())
				.map(e => [e, e.getBoundingClientRect()]).filter(([e, r]) => r.width < 44 || r.height < 44)
				.map(([e, r]) => `${e.outerHTML} ${r.width}x${r.height}`) });
		is "@$small", '', 'everything to touch is at least 44 pixels wide and high';
	}
	$browser->resize(1100, 900);
};

subtest 'while the service is away' => sub {
	my $socket = $stack->var . '/sock/web.sock';
	rename $socket, "$socket.away" or die "cannot rename $socket: $!";
	# Connections that nginx has kept still serve for a moment.
	waits_until(sub {
		visit();
		$browser->wait_for(sub { text('#trouble') || list_is_there() }, 'an answer or none', 20);
		return text('#trouble') =~ /try again/i;
	}, 'the page says so');
	rename "$socket.away", $socket or die "cannot rename $socket: $!";
	waits_until(sub { list_is_there() && !text('#trouble') }, 'and shows the list as soon as it is back, by itself');
};

subtest 'nothing is refused by the policy, and nothing fails' => sub {
	$browser->console;
	for my $hash ('', '#create', '#edit/1') {
		visit($hash);
		is join("\n", $browser->console), '', "the console is silent at users.html$hash";
	}
};

$browser->stop;
$stack->stop;
done_testing;
