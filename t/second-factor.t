#!/usr/bin/perl
# second-factor.t - an authenticator app beside the password: begun, proved, asked for, used once, lost, and done away with.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::App;
use Ostler::Token;
use Test::More;
use Time::HiRes ();

my $stack = Ostler::App->start(app => { audit_window => '10ms' });
my $workers = $stack->workers;
my $password = 'correct horse battery';

sub audited { my ($kind, $rest) = @_; return $stack->psql("SELECT coalesce(sum(times), 0) FROM audit WHERE kind = '$kind'" . ($rest ? " AND $rest" : '')) }
sub refused { my ($reply) = @_; return "$reply->{status} " . ($reply->{json}{code} // 'no code') }

# Somebody new, and how they ask.
sub somebody
{
	my ($name) = @_;
	my $made = $stack->post('/api/register', as => undef, json => { username => $name, email => "$name\@example.org", password => $password });
	my ($cookie) = $made->{headers}{'set-cookie'} =~ /^([^;]*)/ or die "no cookie: $made->{content}";
	return sub { my ($method, $path, %wish) = @_; return $stack->request($method, $path, as => undef, %wish, headers => { cookie => $cookie }) };
}

# The image as grey pixels, eight to a module, for a reader of QR codes.
sub read_qr
{
	my ($svg) = @_;
	my ($side) = $svg =~ /viewBox="0 0 (\d+)/;
	my ($dark) = $svg =~ /fill="#000" d="([^"]*)"/;
	my @rows = map { "\xff" x $side } 1 .. $side;
	substr $rows[$2], $1, $3, "\0" x $3 while $dark =~ /M(\d+) (\d+)h(\d+)v1h-\3z/g;
	my $file = "$stack->{folder}/qr.pgm";
	open my $out, '>:raw', $file or die "cannot write $file: $!";
	print {$out} 'P5 ', 8 * $side, ' ', 8 * $side, " 255\n", map { (s/(.)/$1 x 8/gesr) x 8 } @rows;
	close $out or die "cannot write $file: $!";
	my ($text) = Ostler::run('zbarimg', '-q', '--raw', '--nodbus', $file);
	return $text =~ s/\n\z//r;
}

sub sign_in { my ($name, %more) = @_; return $stack->post('/api/login', as => undef, json => { username => $name, password => $password, %more }) }

# Each code is good for once, and three of them are at a time: those of the steps around now.  STEP
# counts from now; so that "now" stays the same for a while, the end of a step is waited for.
my $now;
sub settle { $stack->wait_for(sub { my $into = Time::HiRes::time() - 30 * int(Time::HiRes::time() / 30); $into < 15 }, 'the beginning of a step', 20); $now = time }
sub code { my ($secret, $step) = @_; return totp($secret, $now + 30 * $step) }

is totp('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ', 59), '287082', 'this test counts as RFC 6238 does';

my $eva = somebody('eva');
my ($secret, @codes);
subtest 'beginning' => sub {
	is $eva->(GET => '/api/me')->{json}{totp}, JSON::PP::false, 'nobody has one at first';
	is_deeply $eva->(GET => '/api/me/totp')->{json}, { enabled => JSON::PP::false, confirmed_at => undef, recovery_codes => 0 }, 'as their account says';
	is refused($eva->(POST => '/api/me/totp', json => { password => 'wrong horse' })), '403 bad_password', 'it takes the password';
	my $begun = $eva->(POST => '/api/me/totp', json => { password => $password });
	is $begun->{status}, 200, 'a secret is shown';
	is $begun->{headers}{'cache-control'}, 'no-store', 'to be kept by nobody';
	$secret = $begun->{json}{secret};
	like $secret, qr/^[A-Z2-7]{32}\z/, 'of 160 bits';
	is $begun->{json}{uri}, "otpauth://totp/Ostler:eva?secret=$secret&issuer=Ostler&algorithm=SHA1&digits=6&period=30", 'as a URI';
	like $begun->{json}{qr}, qr{^<svg xmlns="http://www\.w3\.org/2000/svg" viewBox="0 0 (\d+) \1" .*</svg>\z}s, 'and as an image';
	is read_qr($begun->{json}{qr}), $begun->{json}{uri}, 'which a camera reads as that URI';
	unlike $begun->{json}{qr}, qr/style|script|\bon\w+=/, 'that needs neither style nor script';
	is sign_in('eva')->{status}, 200, 'it does not count yet';
	my $again = $eva->(POST => '/api/me/totp', json => { password => $password })->{json}{secret};
	isnt $again, $secret, 'begun again, the secret is another';
	settle();
	problem_ok $eva->(POST => '/api/me/totp/confirm', json => { code => code($secret, 0) }), 422, 'a code of the one before', ['/code body'];
	$secret = $again;
	is $stack->psql("SELECT count(*) FROM second_factors WHERE encode(sealed, 'escape') LIKE '%$secret%'"), 0, 'the database does not have it';
	my $table = $stack->psql('SELECT sealed FROM second_factors') . $stack->log_of('web.log') . $stack->log_of('database.log');
	unlike $table, qr/\Q$secret\E/, 'nor any log';
};

subtest 'proving' => sub {
	settle();
	problem_ok $eva->(POST => '/api/me/totp/confirm', json => { code => '000000' }), 422, 'a wrong code', ['/code body'];
	problem_ok $eva->(POST => '/api/me/totp/confirm', json => { code => code($secret, -10) }), 422, 'an old code', ['/code body'];
	my $on = $eva->(POST => '/api/me/totp/confirm', json => { code => code($secret, -1) });
	is $on->{status}, 200, 'a code of the app';
	@codes = @{ $on->{json}{recovery_codes} };
	is scalar @codes, 10, 'gives ten codes for bad days';
	like $_, qr/^(?:[a-km-z2-9]{4}-){3}[a-km-z2-9]{4}\z/, 'each a random one' for @codes;
	is $stack->psql("SELECT count(*) FROM recovery_codes WHERE encode(code_hash, 'escape') LIKE '%" . substr($codes[0], 0, 4) . "%'"), 0, 'of which the database has digests alone';
	is $eva->(GET => '/api/me')->{json}{totp}, JSON::PP::true, 'now there is a second factor';
	is $eva->(GET => '/api/me/totp')->{json}{recovery_codes}, 10, 'and ten codes';
	is refused($eva->(POST => '/api/me/totp', json => { password => $password })), '409 totp_enabled', 'a second one cannot be begun';
	is refused($eva->(POST => '/api/me/totp/confirm', json => { code => code($secret, 0) })), '409 totp_not_begun', 'nor proved';
	is audited('second_factor_on', q{actor = 'eva'}), 1, 'the audit knows';
};

subtest 'signing in' => sub {
	settle();
	is refused(sign_in('eva')), '401 totp_required', 'takes a code';
	is refused(sign_in('eva', code => '')), '401 totp_required', 'an empty one is none';
	is refused($stack->post('/api/login', as => undef, json => { username => 'eva', password => 'wrong horse' })), '401 bad_credentials', 'who does not know the password is asked for none';
	is refused(sign_in('eva', code => '000000')), '401 totp_wrong', 'a wrong code';
	is refused(sign_in('eva', code => code($secret, $_))), '401 totp_wrong', "a code $_ steps away" for -7, 7;
	my $in = sign_in('eva', code => code($secret, 0) =~ s/^(...)/$1 /r);
	is $in->{status}, 200, 'the right one is taken, with a space in it, too';
	like $in->{headers}{'set-cookie'}, qr/^sid=/, 'and she is signed in';
	is refused(sign_in('eva', code => code($secret, 0))), '401 totp_replayed', 'the same code again is not';
	is refused(sign_in('eva', code => code($secret, -1))), '401 totp_replayed', 'nor that of the step before';
	my @at_once = $stack->at_once(map { [ POST => '/api/login', as => undef, json => { username => 'eva', password => $password, code => code($secret, 1) } ] } 1 .. 6);
	is_deeply [ sort map { $_->{status} } @at_once ], [ 200, (401) x 5 ], 'of six at once with one code one is let in';
	cmp_ok audited('second_factor_failed', q{actor = 'eva'}), '>=', 5, 'refusals are in the audit';
	cmp_ok audited('sign_in', q{actor = 'eva'}), '>=', 2, 'and so is who was let in';
};

# A million codes are soon tried by who knows the password, unless each wrong one costs time.
subtest 'guessing' => sub {
	my $guarded = Ostler::App->start(app => { attempt_first => '1s', attempt_most => '60s' });
	my $try = sub { return $guarded->post('/api/login', as => undef, json => { username => 'ada', password => $password, @_ }) };
	my $made = $guarded->post('/api/register', as => undef, json => { username => 'ada', email => 'ada@example.org', password => $password });
	my ($cookie) = $made->{headers}{'set-cookie'} =~ /^([^;]*)/;
	my %as_ada = (as => undef, headers => { cookie => $cookie });
	my $hers = $guarded->post('/api/me/totp', %as_ada, json => { password => $password })->{json}{secret};
	settle();
	my $on = $guarded->post('/api/me/totp/confirm', %as_ada, json => { code => code($hers, -1) });
	is $on->{status}, 200, 'somebody has a second factor' or diag $on->{content};
	# Where one has signed in already nobody waits.
	$guarded->psql('DELETE FROM sessions');
	is refused($try->()), '401 totp_required', 'the password alone' for 1 .. 3;
	is refused($try->(code => '000000')), '401 totp_wrong', 'is no attempt, and a wrong code is told';
	for my $code ('111111', code($hers, 0)) {
		my $reply = $try->(code => $code);
		is refused($reply), '429 too_many_attempts', 'the next one must wait, right or wrong';
		like $reply->{headers}{'retry-after'}, qr/^[1-9]\d?\z/, 'and is told how long';
	}
	my $failures = sub { return $guarded->psql(q{SELECT coalesce(sum(failures), 0) FROM attempts WHERE account = attempt_account('ada')}) };
	my $pass = sub { $guarded->psql('UPDATE attempts SET next_at = now()') };
	is $failures->(), 1, 'one has failed';
	for my $code ('222222', code($hers, -1), 'abcd-efgh-ijkm-npqr') {
		$pass->();
		like refused($try->(code => $code)), qr/^401 totp_(?:wrong|replayed)/, 'wrong, used up, or not on the paper';
	}
	is $failures->(), 4, 'counts alike';
	$pass->();
	is refused($try->()), '401 totp_required', 'asking what is needed';
	is $failures->(), 4, 'takes none of them back';
	$pass->();
	is $try->(code => code($hers, 0))->{status}, 200, 'the right code is taken in time';
	is $failures->(), 0, 'and all is forgiven';
	$guarded->stop;
};

subtest 'codes on paper' => sub {
	is sign_in('eva', code => uc $codes[0])->{status}, 200, 'one is taken in the place of a code';
	is refused(sign_in('eva', code => $codes[0])), '401 totp_wrong', 'once';
	is refused(sign_in('eva', code => 'abcd-efgh-ijkm-npqr')), '401 totp_wrong', 'and no other';
	my @at_once = $stack->at_once(map { [ POST => '/api/login', as => undef, json => { username => 'eva', password => $password, code => $codes[1] } ] } 1 .. 6);
	is_deeply [ sort map { $_->{status} } @at_once ], [ 200, (401) x 5 ], 'of six at once one is let in';
	is $eva->(GET => '/api/me/totp')->{json}{recovery_codes}, 8, 'eight are left';
	is audited('recovery_code_used', q{actor = 'eva'}), 2, 'the audit has both';
	my $other = somebody('other');
	is refused($other->(POST => '/api/me/totp/recovery-codes', json => { password => $password })), '404 no code', 'who has no second factor has no such codes';
	is refused($eva->(POST => '/api/me/totp/recovery-codes', json => { password => 'wrong horse' })), '403 bad_password', 'new ones take the password';
	my $new = $eva->(POST => '/api/me/totp/recovery-codes', json => { password => $password })->{json}{recovery_codes};
	is scalar @$new, 10, 'and are ten again';
	is refused(sign_in('eva', code => $codes[2])), '401 totp_wrong', 'the old ones end';
	is sign_in('eva', code => $new->[9])->{status}, 200, 'the new ones are taken';
};

subtest 'a secret is of one user and one installation' => sub {
	my $thief = somebody('thief');
	my $theirs = $thief->(POST => '/api/me/totp', json => { password => $password })->{json}{secret};
	my ($eva_id, $thief_id) = map { $stack->psql("SELECT id FROM users WHERE username = '$_'") } qw(eva thief);
	$stack->psql("CREATE TABLE aside AS SELECT * FROM second_factors; UPDATE second_factors SET sealed = (SELECT sealed FROM aside WHERE user_id = $thief_id), last_step = -1 WHERE user_id = $eva_id");
	settle();
	is sign_in('eva', code => code($theirs, 0))->{status}, 503, 'that of another, put into her row, opens nothing';
	ok $stack->wait_for(sub { $stack->log_of('web.log') =~ /the second factor of user $eva_id cannot be opened/ }, 'the log to say so'), 'and the log says so';
	$stack->psql("UPDATE second_factors f SET sealed = a.sealed FROM aside a WHERE a.user_id = f.user_id");
	is sign_in('eva', code => code($secret, 0))->{status}, 200, 'her own does';
	$stack->psql('DROP TABLE aside');
};

subtest 'the end' => sub {
	is refused($eva->(POST => '/api/me/totp/disable', json => { password => 'wrong horse' })), '403 bad_password', 'takes the password';
	is $eva->(POST => '/api/me/totp/disable', json => { password => $password })->{status}, 204, 'and is the end';
	is $eva->(POST => '/api/me/totp/disable', json => { password => $password })->{status}, 404, 'once';
	is sign_in('eva')->{status}, 200, 'signing in takes no code any more';
	is $stack->psql('SELECT count(*) FROM recovery_codes'), 0, 'no code is left';
	is audited('second_factor_off', q{actor = 'eva'}), 1, 'the audit knows';
};

subtest 'who has lost everything' => sub {
	my $lost = somebody('lost');
	my $id = $stack->psql(q{SELECT id FROM users WHERE username = 'lost'});
	$secret = $lost->(POST => '/api/me/totp', json => { password => $password })->{json}{secret};
	settle();
	$lost->(POST => '/api/me/totp/confirm', json => { code => code($secret, 0) });
	is refused(sign_in('lost')), '401 totp_required', 'cannot sign in';
	problem_ok $stack->delete("/users/$id/totp", as => 'manager'), 403, 'a manager cannot help';
	is $stack->delete("/users/$id/totp", as => 'admin')->{status}, 204, 'an admin can';
	is sign_in('lost')->{status}, 200, 'then the password is enough';
	problem_ok $stack->delete("/users/$id/totp", as => 'admin'), 404, 'once';
	is audited('second_factor_off', q{subject = 'lost' AND actor = 'demo'}), 1, 'the audit says who did it';
};

subtest 'nobody' => sub {
	problem_ok $stack->request(@$_, as => undef, json => { password => $password, code => '1' }), 401, "@$_" for
	    map { [ split ' ' ] } 'GET /api/me/totp', map { "POST /api/me/totp$_" } '', '/confirm', '/recovery-codes', '/disable';
	problem_ok $eva->(POST => '/api/me/totp', json => {}), 422, 'no password', ['/password body'];
	problem_ok $eva->(POST => '/api/me/totp/confirm', json => { code => '1' x 41 }), 422, 'a long code', ['/code body'];
};

is $stack->workers, $workers, 'no worker died of any of it';
$stack->stop;
done_testing;
