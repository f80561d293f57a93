#!/usr/bin/perl
# supervisor-layers.t - includes in supervisor/ never point up, and each library has one file.
use strict;
use warnings;
use FindBin;
use Test::More;

my $root = "$FindBin::Bin/..";

# From the ground up; who stands beside each other may know each other.
my @layers = (
	[qw(descriptor state state_own state_file state_fields place last_words loop signals lockfile address identity program environment entrance sink lines recent print queue board ledger clients proc waiting memory fastcgi cgroup cgroup_home limit processors capability landlock confinement errand rehearsal in_force call tracee stack modules testimony testimony_tell)],
	[qw(conf conf_check conf_table conf_pass edition imprint reading inherited plan pool listener readiness trial confine sight foreign)],
	[qw(upgrade examiner estate seat handover client policy verdict scale demand autoscale generation drain idle follow guardian change reload lifecycle acts spawn child canary notify superior burial orders explain inquest witness tell tell_trace capture events verbs control wire wire_json wire_events wire_lines wire_show wire_work wire_trace work wire_answer metrics caller table wish watch)],
	[qw(opening)],
	[qw(master)],
	[qw(ostlerd ostlerctl)],
);
my %height = map { my $layer = $_; map { $_ => $layer } @{ $layers[$layer] } } 0 .. $#layers;

sub lines_of { open my $in, '<', $_[0] or die "$_[0]: $!"; return <$in> }

my @files = glob "$root/supervisor/*.[ch] $root/supervisor/*/*.[ch]";
my %place = map { m{supervisor/((?:\w+/)?(\w+)\.c)$} ? ($2 => $1) : () } @files;
cmp_ok scalar @files, '>', 20, 'there are files to look at';
for my $file (@files) {
	my ($name) = $file =~ m{([^/]+)\.[ch]$};
	ok exists $height{$name}, "$name has its layer" or next;
	my @up = grep { m{^#include "(?!base/)(?:supervisor/(?:\w+/)?(\w+)\.h)?} && (!defined $1 || ($height{$1} // 99) > $height{$name}) } lines_of($file);
	is_deeply \@up, [], "$name includes nothing from above, and nothing from elsewhere";
}

for my $library (qw(jansson.h libconfig.h fcgi sys/capability.h seccomp.h libunwind)) {
	my @users = map { m{([^/]+)$} } grep { grep { /^#include <\Q$library\E/ } lines_of($_) } @files;
	is_deeply [ grep { !($library eq 'jansson.h' && /^wire/ || $library eq 'sys/capability.h' && $_ eq 'capability.c' || $library eq 'seccomp.h' && $_ eq 'call.c' || $library eq 'libunwind' && $_ eq 'stack.c') } @users ], [], "$library is known where it should be";
}

# What decides must not act: policy.c reads the table and the time it is given, and calls nothing else.
my @calls = grep { /\b(?:fork|kill|clock_now|clock_wall|log_\w+|spawn_\w+|worker_becomes|getpid)\s*\(/ } map { lines_of("$root/supervisor/$place{$_}") } qw(policy verdict scale);
is_deeply \@calls, [], 'policy.c, verdict.c and scale.c do nothing';

done_testing;
