# Kinds.pm - a stack whose web workers are t/programs/kinds.c, which takes and gives every kind.
#
#     my $stack = Ostler::Kinds->start;
#     is $stack->post('/things', json => { text => 'x' })->{json}{text}, 'x';
package Ostler::Kinds;
use strict;
use warnings;

use Ostler::App;
use Ostler::Programs;

our @ISA = ('Ostler::App');

sub new
{
	my ($class, %options) = @_;
	my $self = $class->SUPER::new(ready => '/ping', %options);
	$self->{program} = Ostler::Programs::application('kinds');
	$self->{options}{pools}{web}{command} = [ $self->{program}, '-c', $self->var . '/etc/ostler-app.conf', 'web' ];
	return $self;
}

sub program { return $_[0]{program} }

1;
