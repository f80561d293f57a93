#!/usr/bin/perl
# supervisor-completion.t - bash completes commands, options, pools and processes of ostlerctl.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::Supervisor;
use Test::More;

my $ostlerd = Ostler::Supervisor->new(pools => {
	web => { kind => 'worker', command => [ $^X, '-e', 'sleep 1 while 1' ] },
	jobs => { kind => 'worker', command => [ $^X, '-e', 'sleep 1 while 1' ] } });
$ostlerd->start->wait_until_ready;
my $script = Ostler::Supervisor::root() . '/supervisor/ostlerctl.bash';
my $ctl = Ostler::Supervisor::program('ostlerctl');

# What bash would offer for the last of WORDS.
sub offered
{
	my (@words) = @_;
	my ($status, $out, $complaint) = $ostlerd->run('bash', '-c',
	    'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ostlerctl; printf "%s\n" "${COMPREPLY[@]}"',
	    'bash', $script, $ctl, @words);
	diag $complaint if $complaint ne '';
	return join ' ', sort split /\n/, $out;
}

my @here = ('-s', $ostlerd->socket);
is offered('st'), 'status stop', 'commands';
is offered(@here, 'sc'), 'scale', 'commands behind an option';
is offered('events', '--'), '--follow --json', 'options of a command';
is offered('reload', '--wait='), '--wait=drained --wait=switched', 'and their values';
is offered(@here, 'reload', '--wait', '='), 'drained switched', 'as bash parts them at the equals sign';
is offered(@here, 'reload', 'web', '--wait', '=', 'd'), 'drained', 'one that was begun';
is offered(@here, 'restart', 'w'), 'web', 'a pool';
is offered(@here, 'why', substr $ostlerd->worker('web')->{pid}, 0, -1) =~ /\b@{[ $ostlerd->worker('web')->{pid} ]}\b/, 1, 'a process';
is offered(@here, 'scale', 'web', 'a'), 'auto', 'a word beside a number';
is offered('status', 'w'), '', 'nothing where nothing belongs';
is offered('-s', '/nowhere/at/all', 'restart', ''), '--wait --wait=drained --wait=switched', 'options alone when nobody is there to ask';
like offered('check', $ostlerd->folder . '/ostler.c'), qr/ostler\.conf$/, 'a file';
is $ostlerd->stop, 0, 'ostlerd ends with 0';

done_testing;
