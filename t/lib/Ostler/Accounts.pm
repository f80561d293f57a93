# Accounts.pm - a stack whose web workers are t/programs/accounts.c, with its tables.
#
#     my $stack = Ostler::Accounts->start(app => { threads => 4 });
#     $stack->post('/transfers', json => { giver => 1, taker => 2, amount => 10 });
#     is $stack->balances, '90 110 100';      # of the accounts 1 to 3, each of which began with 100
package Ostler::Accounts;
use strict;
use warnings;

use Ostler::App;
use Ostler::Programs;

our @ISA = ('Ostler::App');

sub new
{
	my ($class, %options) = @_;
	my $self = $class->SUPER::new(ready => '/ping', %options);
	my $web = $self->{options}{pools}{web} //= {};
	$web->{command} = [ Ostler::Programs::application('accounts'), '-c', $self->var . '/etc/ostler-app.conf', 'web' ];
	return $self;
}

sub launch
{
	my ($self) = @_;
	$self->SUPER::launch;
	$self->psql('CREATE TABLE IF NOT EXISTS accounts (id bigint PRIMARY KEY, version bigint NOT NULL DEFAULT 1,'
	    . ' balance bigint NOT NULL CONSTRAINT no_debts CHECK (balance >= 0));'
	    . ' CREATE TABLE IF NOT EXISTS transfers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,'
	    . ' giver bigint REFERENCES accounts, taker bigint REFERENCES accounts, amount bigint, note text)');
	$self->reset;
}

# Everybody has 100 again, and nothing has been moved.
sub reset
{
	my ($self) = @_;
	$self->psql('TRUNCATE accounts, transfers; INSERT INTO accounts (id, balance) SELECT n, 100 FROM generate_series(1, 3) n');
}

sub balances { return $_[0]->psql(q{SELECT string_agg(balance::text, ' ' ORDER BY id) FROM accounts}) }
sub transfers { return $_[0]->psql('SELECT count(*) FROM transfers') }

1;
