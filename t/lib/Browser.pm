# Browser.pm - a real browser for tests: a small W3C WebDriver client for chromedriver.
#
#     my $browser = Browser->start(width => 375, height => 700);
#     $browser->sign_in($stack, 'user');    # nobody has to type a password
#     $browser->open($stack->url('/'));
#     $browser->type('#title', 'Feed the horses', Browser::ENTER);
#     $browser->wait_for(sub { $browser->texts('.title') }, 'a task');
#     $browser->screenshot('page.png');
#     $browser->stop;
#
# Elements are named by CSS selectors, and looked up at each use.  The protocol is the one of
# https://www.w3.org/TR/webdriver2/; log and devtools are Chromium's additions.
package Browser;
use strict;
use warnings;
use File::Path qw(remove_tree);
use File::Temp qw(tempdir);
use HTTP::Tiny;
use JSON::PP ();
use MIME::Base64 qw(decode_base64);
use POSIX ();
use Scalar::Util qw(weaken);

use Ostler::Process qw(free_port processes_using);

use constant {
	ENTER => "\x{E007}", TAB => "\x{E004}", SHIFT => "\x{E008}", ESCAPE => "\x{E00C}",
	SPACE => " ",
};
use constant ELEMENT => 'element-6066-11e4-a52e-4f735466cecf';    # WebDriver, section 12

my %running;
my $json = JSON::PP->new->utf8->allow_nonref;

# Whether there is a browser to start here.
sub available
{
	return !grep { my $program = $_; !grep { -x "$_/$program" } split /:/, $ENV{PATH} } qw(chromium chromedriver);
}

# Options: width, height; scripts => 0 turns JavaScript off; dark => 1.
sub start
{
	my ($class, %options) = @_;
	my $folder = tempdir('browser-XXXXXXXX', TMPDIR => 1);
	my ($port, $reservation) = free_port();
	my $self = bless { folder => $folder, port => $port, reservation => $reservation, owner => $$,
	    http => HTTP::Tiny->new(timeout => 120, proxy => undef, http_proxy => undef) }, $class;
	weaken($running{$self} = $self);
	$self->{pid} = fork // die "cannot fork: $!";
	become_driver($folder, $port) if $self->{pid} == 0;
	$self->wait_for(sub { eval { $self->call(GET => '/status')->{ready} } }, 'chromedriver', 30);
	my $session = $self->call(POST => '/session', { capabilities => { alwaysMatch => wishes($folder, %options) } });
	$self->{session} = "/session/$session->{sessionId}";
	$self->resize($options{width} // 1100, $options{height} // 900);
	return $self;
}

sub become_driver
{
	my ($folder, $port) = @_;
	setpgrp 0, 0;
	@ENV{qw(HOME TMPDIR XDG_CONFIG_HOME XDG_CACHE_HOME)} = ($folder) x 4;
	open STDIN, '<', '/dev/null';
	open STDOUT, '>', "$folder/chromedriver.log";
	open STDERR, '>&', \*STDOUT;
	{ exec 'setpriv', '--pdeathsig', 'TERM', 'chromedriver', "--port=$port", '--allowed-ips=127.0.0.1' }
	POSIX::_exit(127);
}

# Quiet flags: a test speaks to nobody but the stack.  In a container, root needs --no-sandbox.
sub wishes
{
	my ($folder, %options) = @_;
	my @flags = (qw(--headless --disable-gpu --disable-quic --no-first-run --disable-background-networking
	    --disable-component-update --disable-sync --disable-dev-shm-usage --disable-default-apps
	    --no-proxy-server --lang=en), "--user-data-dir=$folder/profile");
	push @flags, '--no-sandbox' if $> == 0;
	push @flags, '--blink-settings=preferredColorScheme=0' if $options{dark};
	my %chrome = (args => \@flags);
	$chrome{prefs} = { 'profile.managed_default_content_settings.javascript' => 2 }
	    if defined $options{scripts} && !$options{scripts};
	return { 'goog:chromeOptions' => \%chrome, 'goog:loggingPrefs' => { browser => 'ALL' } };
}

# One command of the protocol; dies with the browser's own words.
sub call
{
	my ($self, $method, $path, $body) = @_;
	my $reply = $self->{http}->request($method, "http://127.0.0.1:$self->{port}$path",
	    $method eq 'POST' ? { content => $json->encode($body // {}),
		headers => { 'content-type' => 'application/json' } } : {});
	my $value = (eval { $json->decode($reply->{content}) } // {})->{value};
	return $value if $reply->{success};
	my $why = ref $value eq 'HASH' ? "$value->{error}: $value->{message}" : $reply->{content};
	die "$method $path: $why\n";
}

sub command { my ($self, $method, $path, $body) = @_; return $self->call($method, "$self->{session}$path", $body) }

sub open { my ($self, $url) = @_; return $self->command(POST => '/url', { url => $url }) }
# Gives the browser the session of somebody with that role on STACK.
sub sign_in
{
	my ($self, $stack, $role) = @_;
	my ($name, $value) = split /=/, $stack->cookie($role // 'admin'), 2;
	return $self->devtools('Network.setCookie', { name => $name, value => $value, url => $stack->url('/'), httpOnly => JSON::PP::true, sameSite => 'Lax' });
}

sub url  { return $_[0]->command(GET => '/url') }
sub back { return $_[0]->command(POST => '/back') }

# The size of the page, not of the window: a headless window may be no narrower than 500 pixels.
sub resize
{
	my ($self, $width, $height) = @_;
	return $self->devtools('Emulation.setDeviceMetricsOverride',
	    { width => $width, height => $height, deviceScaleFactor => 1, mobile => JSON::PP::false });
}

sub devtools
{
	my ($self, $name, $parameters) = @_;
	return $self->command(POST => '/goog/cdp/execute', { cmd => $name, params => $parameters // {} });
}

# Runs JavaScript in the page and returns what it returns.
sub script
{
	my ($self, $script, @arguments) = @_;
	return $self->command(POST => '/execute/sync', { script => $script, args => \@arguments });
}

sub find
{
	my ($self, $selector) = @_;
	my $found = $self->command(POST => '/element', { using => 'css selector', value => $selector });
	return $found->{ +ELEMENT };
}

sub click { my ($self, $selector) = @_; return $self->command(POST => '/element/' . $self->find($selector) . '/click') }

sub type
{
	my ($self, $selector, @texts) = @_;
	return $self->command(POST => '/element/' . $self->find($selector) . '/value', { text => join '', @texts });
}

# Presses keys wherever the focus is; "SHIFT-" in front of one holds the shift key.
sub press
{
	my ($self, @keys) = @_;
	my @actions = map {
		my $key = $_;
		my $shifted = $key =~ s/^SHIFT-//;
		my @stroke = map { { type => $_, value => $key } } qw(keyDown keyUp);
		$shifted ? ({ type => 'keyDown', value => SHIFT }, @stroke, { type => 'keyUp', value => SHIFT }) : @stroke;
	} @keys;
	return $self->command(POST => '/actions', { actions => [ { type => 'key', id => 'keys', actions => \@actions } ] });
}

# The visible text of each element that matches.
sub texts
{
	my ($self, $selector) = @_;
	return @{ $self->script('return [...document.querySelectorAll(arguments[0])]'
	    . '.filter(e => e.checkVisibility()).map(e => e.innerText.trim())', $selector) };
}

# The visible text of the first one that matches, or nothing; and what stands in a field.
sub text  { my ($self, $selector) = @_; return ($self->texts($selector))[0] // '' }
sub value { my ($self, $selector) = @_; return $self->script('return document.querySelector(arguments[0]).value', $selector) }

# Replaces what stands in a field.
sub fill
{
	my ($self, $selector, @texts) = @_;
	$self->script('document.querySelector(arguments[0]).value = ""', $selector);
	return $self->type($selector, @texts);
}

# Presses Tab until WANTED, as focus names it, has the focus; whether it was reached.
sub tab_to
{
	my ($self, $wanted) = @_;
	for (1 .. 60) {
		return 1 if $self->focus eq $wanted;
		$self->press(TAB);
	}
	return 0;
}

# What can be pressed or filled in and is smaller than a finger, 44 pixels; links within a text may be.
sub too_small
{
	my ($self) = @_;
	return @{ $self->script(q{
		return [...document.querySelectorAll('button, select, input:not([type=checkbox]), header a, .doors a, a.button')].filter(e => e.checkVisibility())
			.map(e => [e, e.getBoundingClientRect()]).filter(([e, r]) => (r.width < 44 || r.height < 44) && !(e.closest('p') && e.className === 'plain'))
			.map(([e, r]) => `${e.outerHTML} ${r.width}x${r.height}`) }) };
}

sub page_width { return $_[0]->script('return document.documentElement.scrollWidth') }

# What has the focus: its id, or its label, or its element's name.
sub focus
{
	my ($self) = @_;
	return $self->script('const e = document.activeElement; return e.id || e.ariaLabel'
	    . ' || (e === document.body ? "" : e.innerText?.trim()) || e.localName');
}

# What the browser's console heard since it was last asked, errors and violations of policy included.
sub console { return map { "$_->{level}: $_->{message}" } @{ $_[0]->command(POST => '/se/log', { type => 'browser' }) } }

sub screenshot
{
	my ($self, $file) = @_;
	CORE::open my $out, '>:raw', $file or die "cannot write $file: $!\n";
	print {$out} decode_base64($self->command(GET => '/screenshot'));
	return close $out;
}

sub wait_for
{
	my (undef, $condition, $what, $seconds) = @_;
	return Ostler::Process::wait_for($condition, $what, $seconds);
}

sub stop
{
	my ($self) = @_;
	return if $self->{owner} != $$ || !$self->{pid};
	delete $running{$self};
	eval { $self->call(DELETE => $self->{session}) } if $self->{session};
	my $pid = delete $self->{pid};
	kill 'TERM', $pid;
	waitpid $pid, 0;
	eval { $self->wait_for(sub { !processes_using($self->{folder}) }, 'the browser to end', 10) };
	kill 'KILL', map { /^(\d+)/ } processes_using($self->{folder});
	remove_tree($self->{folder});
}

sub DESTROY
{
	my ($self) = @_;
	local ($?, $@, $!);
	$self->stop;
}

END {
	my $status = $?;
	$_->stop for grep { defined } values %running;
	$? = $status;
}

1;
