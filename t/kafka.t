#!/usr/bin/perl
# kafka.t - what a broker promises holds for a real Kafka, too.
#
# Its parts are fetched with Maven (t/kafka/fetch).  Only a machine that reaches no repository may do
# without this test; where CI runs it must.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::Kafka;
use Test::More;

my $kafka = Ostler::Kafka->start;
if (!$kafka) {
	BAIL_OUT('the parts of Kafka are not there: t/kafka/fetch could not get them') if $ENV{CI};
	plan skip_all => 'Maven could not fetch Kafka on this machine: nothing is known of that broker here';
}

# The same tests that a Redis is put to.
{
	local $ENV{BROKER} = 'kafka:' . $kafka->address;
	local $ENV{BROKER_GUARDED} = 'kafka:' . $kafka->guarded_address;
	local $ENV{CMOCKA_MESSAGE_OUTPUT} = 'TAP';
	my ($text, $status) = Ostler::run(Ostler::build() . '/t/broker_test');
	is $status, 0, 'every test of a broker passes' or diag $text;
	like $text, qr/^ok \d+ - $_/m, "also: $_" for 'what_is_published_is_read_in_the_order_of_its_key',
	    'what_was_not_acknowledged_is_read_again', 'members_share_the_partitions', 'a_silent_member_loses_what_it_holds',
	    'a_partition_that_is_added_is_read_by_who_is_there', 'a_password_is_asked_for';
}

$kafka->stop;

# And those that look at events from one end to the other, each with a Kafka of its own.
for my $test (qw(events events-faults)) {
	local $ENV{EVENTS_BROKER} = 'kafka';
	my ($text, $status) = Ostler::run($^X, "$FindBin::Bin/$test.t");
	is $status, 0, "$test.t passes" or diag $text;
	unlike $text, qr/^\s*not ok/m, 'each of its tests';
}

done_testing;
