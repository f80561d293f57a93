#!/usr/bin/perl
# docs-page.t - the page of the API in a real browser: everything of openapi.json is there, can be
# found, read and tried.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/lib";
use Browser;
use Encode ();
use JSON::PP ();
use Ostler;
use Test::More;

binmode $_, ':encoding(UTF-8)'
    for map { Test::More->builder->$_ } qw(output failure_output todo_output);

my $stack = Ostler->start;
my $browser = Browser->start;
$browser->sign_in($stack);
my $document = $stack->get('/openapi.json')->{json};
my %operation = map {
	my $path = $_;
	map { my $o = $document->{paths}{$path}{$_}; ($o->{operationId} => [ uc $_, $path, $o ]) } keys %{ $document->{paths}{$path} }
} keys %{ $document->{paths} };

sub text { return ($browser->texts($_[0]))[0] // '' }

sub waits_until
{
	my ($condition, $what) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok eval { $browser->wait_for($condition, $what, 20) }, $what or diag "focus: ", $browser->focus;
}

sub visit
{
	my ($hash) = @_;
	$browser->open('about:blank');
	$browser->open($stack->url('/docs') . ($hash // ''));
	$browser->wait_for(sub { $browser->script('return document.querySelector("#operations").ariaBusy') eq 'false' }, 'the page', 20);
}

subtest 'every operation is there, under its tag' => sub {
	visit();
	my $shown = $browser->script(q{return Object.fromEntries([...document.querySelectorAll('.operation')].map(e =>
	    [e.id, [e.querySelector('.verb').textContent, e.querySelector('.path').textContent, e.querySelector('.says').textContent,
		e.closest('.group').querySelector('h2').textContent]]))});
	is_deeply $shown, { map { my ($verb, $path, $o) = @{ $operation{$_} }; ($_ => [ $verb, $path, $o->{summary}, $o->{tags}[0] ]) } keys %operation },
	    'with method, path and summary';
	like text('#about'), qr/Ostler \S+: ${\ scalar keys %operation} operations/, 'and their number';
};

subtest 'every operation opens and says what it takes and gives' => sub {
	my @silent = grep {
		my $id = $_;
		my $inside = $browser->script(q{const e = document.getElementById(arguments[0]); e.open = true;
		    return new Promise(done => setTimeout(() => { for (const a of e.querySelectorAll('.answer')) a.open = true;
			setTimeout(() => done(e.textContent), 20) }, 20))}, $id);
		my $o = $operation{$id}[2];
		my @wanted = ((map { $_->{name} } @{ $o->{parameters} // [] }), sort keys %{ $o->{responses} }, $o->{'x-access'},
		    map { "Body: $_" } keys %{ ($o->{requestBody} // {})->{content} // {} });
		my @missing = grep { index($inside, $_) < 0 } @wanted;
		diag "$id lacks @missing" if @missing;
		@missing;
	} sort keys %operation;
	is "@silent", '', 'nothing is missing';
};

subtest 'an operation has an address' => sub {
	visit('#post_users');
	ok $browser->script('return document.querySelector("#post_users").open'), 'which opens it';
	like join(' ', $browser->texts('#post_users .bodies dt')), qr/name required.*email required.*username/s, 'and shows what it takes';
	like text('#post_users .access'), qr/^For: \w/, 'and for whom it is';
};

subtest 'search' => sub {
	visit();
	$browser->type('#q', 'users patch');
	waits_until(sub { $browser->texts('.operation') == 1 }, 'all words are wanted');
	is text('.operation .path'), '/users/{id}', 'and found';
	$browser->type('#q', ' xyzzy');
	waits_until(sub { text('#empty') =~ /No operation/ }, 'nothing found says so');
};

subtest 'try a GET' => sub {
	visit('#get_api_tasks');
	$browser->type('#get_api_tasks .try input', '2');
	$browser->click('#get_api_tasks .try button');
	waits_until(sub { text('#get_api_tasks .status') eq '200 OK' }, 'it answers') or return;
	like text('#get_api_tasks .took'), qr/^in \d+ ms, \d+ bytes$/, 'how long it took';
	is scalar @{ JSON::PP::decode_json(Encode::encode_utf8(text('#get_api_tasks .content')))->{items} }, 2, 'the body, with the parameter heeded';
	$browser->click('#get_api_tasks .outcome summary');
	like text('#get_api_tasks .headers'), qr/^content-type: application\/json/m, 'and the headers';
};

subtest 'try a POST, wrong and right' => sub {
	visit('#post_users');
	my $body = '#post_users .try textarea';
	my $example = JSON::PP::decode_json($browser->script('return document.querySelector(arguments[0]).value', $body));
	is_deeply [ sort keys %$example ], [qw(email name)], 'the form has an example of what is required';
	my $send = sub {
		$browser->script('document.querySelector(arguments[0]).value = arguments[1]', $body, $_[0]);
		$browser->click('#post_users .try button');
	};
	$send->('{"name":""}');
	waits_until(sub { text('#post_users .status') =~ /^422/ }, 'an error is shown');
	like text('#post_users .content'), qr{"/email"}, 'with its pointers';
	$send->('{"name":"From the docs","email":"docs@example.org"}');
	waits_until(sub { text('#post_users .status') =~ /^201/ }, 'then it is made');
	is $stack->get('/users')->{json}{items}[0]{name}, 'From the docs', 'and the server knows';
};

subtest 'on a phone, and silent' => sub {
	$browser->console;
	$browser->resize(375, 720);
	for my $hash ('', '#post_users') {
		visit($hash);
		cmp_ok $browser->script('return document.documentElement.scrollWidth'), '<=', 375, "nothing is wider than the screen at /docs$hash";
	}
	is join("\n", $browser->console), '', 'the console has nothing to say';
};

$browser->stop;
$stack->stop;
done_testing;
