#!/usr/bin/perl
# supervisor-manual.t - ostlerd(8) and ostlerctl(8) tell of what the programs do, of all of it and of nothing else.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::Supervisor;
use Test::More;

my $root = Ostler::Supervisor::root();
my ($ostlerd, $ostlerctl) = map { Ostler::Supervisor::slurp("$root/man/$_.8") } qw(ostlerd ostlerctl);
my $any = Ostler::Supervisor->new(pools => { web => { kind => 'worker', command => ['/bin/true'] } });

# A part of a page: from its heading to the next.
sub part { my ($page, $heading) = @_; return $page =~ /^\.S[hs] $heading\n(.*?)^\.S[hs] /ms ? $1 : die "no $heading\n" }

# The names in an array of the code that is indexed by an enum.
sub names_in
{
	my ($file, $array) = @_;
	my ($body) = Ostler::Supervisor::slurp("$root/supervisor/$file") =~ /\Q$array\E\[\] = \{(.*?)\};/s;
	return $body =~ /"(\w+)"/g;
}

subtest 'signals: the table in the page is the one in the code' => sub {
	my ($heard) = Ostler::Supervisor::slurp("$root/supervisor/system/signals.c") =~ /ours\[\] = \{(.*?)\};/s;
	my @code = sort grep { $_ ne 'CHLD' } $heard =~ /SIG(\w+)/g;
	my @page = sort map { split / , / } part($ostlerd, 'SIGNALS') =~ /^\.It Dv (.*)$/mg;
	is_deeply \@page, \@code, 'each that is heard is told of, and no other';
};

subtest 'commands: each with its words and its options' => sub {
	my (undef, $list) = $any->run(Ostler::Supervisor::program('ostlerctl'), '--commands');
	my %said = map { my ($head) = $_; $head =~ /^(\w+)/ ? ($1 => $head) : () } $ostlerctl =~ /^\.It Cm (.*)$/mg;
	for (split /\n/, $list) {
		my ($name, $needs, $options) = split /\t/, $_, -1;
		my $head = delete $said{$name};
		ok defined $head, "$name is told of" or next;
		my %words = ('' => qr/^\w+\s*(?!.*\bAr\b)/, '[POOL]' => qr/(?:Oo Ar pool Oc|Op Ar pool)/, 'POOL' => qr/Ar pool/, 'POOL N|auto' => qr/Ar pool number \| Cm auto/, PID => qr/Ar pid/, FILE => qr/Ar file/);
		like $head, $words{$needs}, "$name: its words";
		my %options = map { s/=.*//r => 1 } split ' ', $options;
		is_deeply [ sort map { "--$_" } $head =~ /Fl -(\w+)/g ], [ sort keys %options ], "$name: its options";
	}
	is_deeply [ keys %said ], [], 'and no other is';
};

subtest 'events: every kind is told of' => sub {
	my %kinds = map { $_ => 1 } names_in('record/events.c', 'event_names');
	my %said = map { $_ => 1 } map { split / , / } part($ostlerctl, 'Events') =~ /^\.It Ql (.*)$/mg;
	is_deeply [ sort keys %said ], [ sort keys %kinds ], 'the same in page and code';
	my %used;
	for my $file (glob "$root/supervisor/*.c $root/supervisor/*/*.c") {
		next if $file =~ /events\.c$/;
		$used{ lc $_ } = 1 for Ostler::Supervisor::slurp($file) =~ /EVENT_(\w+)/g;
	}
	is_deeply [ grep { !$used{$_} } sort keys %kinds ], [], 'each of them happens somewhere';
};

subtest 'states: each is told of' => sub {
	my $status = part($ostlerctl, 'Status');
	like $status, qr/^\.Em $_\b/m, $_ for map { names_in('pool/pool.c', $_) } qw(worker_state_names pool_state_names);
};

for my $program (qw(ostlerd ostlerctl)) {
	subtest "$program: help and version" => sub {
		for my $option ('-h', '--help') {
			my ($status, $out, $complaints) = $any->run(Ostler::Supervisor::program($program), $option);
			is "$status$complaints", '0', "$option is no error";
			like $out, qr/^usage: $program /, 'and goes to standard output';
		}
		for my $option ('-V', '--version') {
			my ($status, $out, $complaints) = $any->run(Ostler::Supervisor::program($program), $option);
			like "$status $out", qr/^0 $program \d+\.\d+\.\d+\n$/, $option;
		}
		my ($status, $out, $complaints) = $any->run(Ostler::Supervisor::program($program), '-x');
		is "$status$out", '2', 'an unknown option is one';
		like $complaints, qr/^usage: $program /m, 'with the usage on standard error';
	};
}

subtest 'ostlerctl: help for a command, and what is no command' => sub {
	my ($status, $out, $complaints) = $any->ctl('reload', '--help');
	is "$status$complaints", '0', 'reload --help is no error';
	like $out, qr/^ +reload +\[POOL\] \[--wait\[=switched\|drained\]\] \S/, 'it tells what it takes';
	is +($any->ctl('help'))[0], 0, 'help is a command';
	($status, $out, $complaints) = $any->ctl('reloda');
	is "$status$out", '2', 'a misspelled one';
	is $complaints, qq(ostlerctl: unknown command "reloda"; did you mean "reload"?\n), 'gets a hint';
	($status, $out, $complaints) = $any->ctl('dance');
	is $complaints, qq(ostlerctl: unknown command "dance"; ostlerctl -h lists all\n), 'another is told where to look';
};

done_testing;
