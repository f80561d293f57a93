#!/usr/bin/perl
# traces.t - what a request did reaches the collector as one tree; a collector that is away costs traces and nothing else.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/lib";
use Ostler::Collector;
use Ostler::Events;
use Test::More;

my $collector = Ostler::Collector->start;
my $secrets = File::Temp->new;
print {$secrets} "X-Token: of-the-collector\n";
close $secrets;
chmod 0644, "$secrets";
my $stack = Ostler::Events->start(app => { otlp_url => $collector->url, otlp_headers_file => "$secrets", otlp_period => '50ms', otlp_retry => '50ms',
    otlp_give_up => '1h', trace_sample => \'0', trace_room => \'64' });
my $next = 0;

# A request whose trace is sampled elsewhere; returns the trace's id, and the reply.
sub traced
{
	my ($method, $path, %wish) = @_;
	my $trace = sprintf '%032x', 0xabc000 + ++$next;
	my $reply = $stack->request($method => $path, %wish, headers => { traceparent => "00-$trace-00f067aa0ba902b7-01", %{ $wish{headers} // {} } });
	return ($trace, $reply);
}

sub spans_of { my ($trace) = @_; return grep { $_->{traceId} eq $trace } $collector->spans }

# The spans of TRACE, once one called NAME is among them.
sub wait_for_span
{
	my ($trace, $name) = @_;
	$stack->wait_for(sub { grep { $_->{name} eq $name } spans_of($trace) }, "a span $name", 60);
	return spans_of($trace);
}

sub counted
{
	my ($name) = @_;
	my ($pool) = grep { $_->{name} eq 'export' } @{ $stack->status->{pools} };
	return $pool->{counters}{$name} // 0;
}

subtest 'a request is a tree' => sub {
	my ($trace, $reply) = traced(GET => '/api/tasks?q=secret');
	is $reply->{status}, 200, 'it is answered';
	my @spans = wait_for_span($trace, 'GET /api/tasks');
	my %by_id = map { $_->{spanId} => $_ } @spans;
	my ($root) = grep { $_->{name} eq 'GET /api/tasks' } @spans;
	is $root->{parentSpanId}, '00f067aa0ba902b7', 'below the span that asked';
	is $root->{kind}, 2, 'a server\'s';
	is $root->{attributes}{'http.response.status_code'}, 200, 'with its status';
	is $root->{attributes}{'ostler.request_id'}, $reply->{headers}{'x-request-id'}, 'and its request id';
	is $reply->{headers}{traceparent}, "00-$trace-$root->{spanId}-01", 'which the answer names, sampled';
	is_deeply [ grep { $_ != $root && !$by_id{ $_->{parentSpanId} } } @spans ], [], 'all others hang on one of it';
	my ($sql) = grep { ($_->{attributes}{'db.system.name'} // '') eq 'postgresql' && $_->{attributes}{'db.query.text'} =~ /FROM tasks/ } @spans;
	is $sql->{kind}, 3, 'the statement is a client\'s span';
	is $by_id{ $sql->{parentSpanId} }{name}, 'handle', 'below the stage that asked';
	ok scalar(grep { ($_->{attributes}{'db.system.name'} // '') eq 'redis' } @spans), 'a round trip to Redis, too';
	is_deeply [ grep { JSON::PP->new->encode($_) =~ /secret/ } @spans ], [], 'no value is told';
	ok !(grep { $_->{endTimeUnixNano} < $_->{startTimeUnixNano} || $_->{startTimeUnixNano} < $root->{startTimeUnixNano} } @spans), 'each has its time';
	is $root->{resource}{'service.name'}, 'ostler-app', 'it says who it is from';
	like +($collector->heads)[0], qr/^X-Token: of-the-collector/m, 'the collector gets the header that it wants';
};

subtest 'the log shows it as a tree' => sub {
	my ($trace, $reply) = traced(GET => '/api/tasks?limit=2');
	my $id = $reply->{headers}{'x-request-id'};
	my $print = sub { local $ENV{VAR} = $stack->var; return Ostler::run(Ostler::build() . '/ostler-app', 'trace', @_) };
	my ($text, $status);
	$stack->wait_for(sub { ($text, $status) = $print->($id); $status == 0 && $text =~ /nginx/ && $text =~ /request/ }, 'both lines to be written', 30);
	like $text, qr{\Atrace $trace\n.*\n\s+\+0\.0 .*nginx method=GET uri=/api/tasks status=200.*\n\s+\+0\.0 +[\d.]+   request method=GET route=/api/tasks status=200 db_ms=[\d.]+}, 'by the id of the request';
	my ($same) = $print->($trace, glob $stack->var . '/log/*.log');
	is $same, $text, 'by that of the trace, from files that are named';
	($same) = Ostler::run('sh', '-c', 'cat "$1"/log/*.log | "$2" trace "$3" -', 'sh', $stack->var, Ostler::build() . '/ostler-app', $id);
	is $same, $text, 'and from standard input';
	is +($print->('nobody-knows'))[1], 1, 'what no line knows is a failure';
};

subtest 'who is sampled' => sub {
	for my $flags ('00', '02') {
		my $parent = '00-' . '7' x 31 . "1-00f067aa0ba902b7-$flags";
		is $stack->get('/ping', headers => { traceparent => $parent })->{headers}{traceparent}, $parent, "flags $flags: not here either";
	}
	like $stack->get('/ping')->{headers}{traceparent}, qr/-00\z/, 'and no trace of ours, with trace_sample = 0';
	is_deeply [ spans_of('7' x 31 . '1') ], [], 'nothing is told of them';
};

subtest 'a job is in the trace of who enqueued it' => sub {
	my ($trace, $reply) = traced(POST => '/api/vendas/reprocessar', json => { mes => '2025-01' });
	is $reply->{status}, 202, 'it is taken' or diag explain $reply;
	my @spans = wait_for_span($trace, 'POST /api/vendas/reprocessar');
	$stack->wait_for(sub { grep { $_->{name} =~ /^process / } spans_of($trace) }, 'the job to be told of', 60);
	my ($root) = grep { $_->{kind} == 2 } @spans;
	my ($job) = grep { $_->{name} =~ /^process / } spans_of($trace);
	is $job->{parentSpanId}, $root->{spanId}, 'below the request';
	is $job->{attributes}{'messaging.message.id'}, $reply->{json}{task_id}, 'and says which it is';
};

subtest 'an event is followed until it is applied' => sub {
	my ($trace, $reply) = traced(POST => '/api/events', json => [ $stack->events(3) ], as => undef);
	is $reply->{status}, 202, 'it is taken' or diag $reply->{content};
	wait_for_span($trace, 'POST /api/events');
	$stack->wait_for(sub { grep { $_->{name} =~ /^process / } spans_of($trace) }, 'the batch to be told of', 60);
	my @spans = spans_of($trace);
	my ($sent) = grep { $_->{kind} == 4 } @spans;
	my @applied = grep { $_->{kind} == 5 } @spans;
	is_deeply [ map { $_->{parentSpanId} } @applied ], [ ($sent->{spanId}) x @applied ], 'it is applied below the span that sent it';
	my $events = 0;
	$events += $_->{attributes}{'messaging.batch.message_count'} for @applied;
	is $sent->{attributes}{'messaging.batch.message_count'}, 3, 'all of what was sent together';
	cmp_ok $events, '>=', 1, 'is told of with its number';
	ok scalar(grep { ($_->{attributes}{'db.query.text'} // '') =~ /INSERT INTO event_offset/ } @spans), 'with the statements';
	is $stack->psql("SELECT count(*) FROM event_dead"), 0, 'no event is a dead letter by that';
	$stack->wait_for(sub { $stack->psql('SELECT count(*) FROM events') == 3 }, 'all to be applied', 60);
};

subtest 'a collector that has no time is asked again' => sub {
	my $refused = $collector->refusals;
	$collector->mood('429 1');
	my ($trace) = traced(GET => '/api/tasks');
	$stack->wait_for(sub { $collector->refusals > $refused }, 'it to be asked', 60);
	$collector->mood('good');
	wait_for_span($trace, 'GET /api/tasks');
	pass 'and has it then';
};

subtest 'what it refuses is dropped and counted' => sub {
	$collector->mood('400');
	my ($trace) = traced(GET => '/api/tasks');
	$stack->wait_for(sub { counted('spans_refused') > 0 }, 'a refusal to be counted', 60);
	$collector->mood('good');
	ok !(grep { $_->{name} eq 'GET /api/tasks' } spans_of($trace)), 'it is not sent again';
};

subtest 'a collector that is away costs no request' => sub {
	$collector->stop;
	my %status;
	my @traces = map { my ($trace, $reply) = traced(GET => '/api/tasks'); $status{ $reply->{status} }++; $trace } 1 .. 60;
	is_deeply \%status, { 200 => 60 }, 'all are answered';
	$stack->wait_for(sub { counted('spans_lost') > 0 }, 'lost spans to be counted', 60);
	# A killed exporter has sent nothing, and loses nothing.
	my ($pid) = $stack->pids('export');
	kill 'KILL', $pid;
	$stack->wait_for(sub { my ($new) = $stack->pids('export'); $new && $new != $pid }, 'another exporter', 60);
	$collector->launch;
	wait_for_span($traces[0], 'GET /api/tasks');
	my ($trace) = traced(GET => "/api/tasks?limit=1");
	wait_for_span($trace, 'GET /api/tasks');
	cmp_ok counted('spans_sent'), '>', 0, 'what was sent is counted';
};

$stack->stop;
$collector->stop;
done_testing;
