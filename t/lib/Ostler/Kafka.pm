# Kafka.pm - a broker of Apache Kafka for a test: one process, on loopback, in a folder of its own.
#
#     my $kafka = Ostler::Kafka->start;      # undef: its parts are not there (t/kafka/fetch)
#     my $address = $kafka->address;         # 127.0.0.1:PORT
#     $kafka->halt; $kafka->launch;          # the same broker, with its data
#     $kafka->stop;
package Ostler::Kafka;
use strict;
use warnings;
use File::Temp;
use Ostler ();
use Ostler::Process qw(wait_for free_port alive);

sub jars { return $ENV{KAFKA_JARS} // Ostler::build() . '/kafka/jars' }

sub start
{
	my ($class) = @_;
	return unless -e jars() . '/pom.xml';
	my $self = bless { folder => File::Temp->newdir('ostler-kafka-XXXXXXXX', TMPDIR => 1) }, $class;
	@$self{qw(port reservation)} = free_port();
	@$self{qw(controller controller_reservation)} = free_port();
	@$self{qw(guarded guarded_reservation)} = free_port();
	$self->write_settings;
	$self->java('kafka.tools.StorageTool', 'format', '-t', 'b3N0bGVyLXRlc3QtMDAwMA', '-c', $self->settings);
	waitpid $self->{pid}, 0;
	die "Kafka's folder could not be made:\n" . $self->log if $?;
	$self->launch;
	return $self;
}

sub address { return "127.0.0.1:$_[0]{port}" }
sub guarded_address { return "127.0.0.1:$_[0]{guarded}" }    # asks for user "ostler", password "a secret"
sub settings { return "$_[0]{folder}/kraft.properties" }
sub log { open my $in, '<', "$_[0]{folder}/log" or return ''; local $/; return <$in> // '' }

# Topics are made by who needs them: a broker that made them by itself would hide when that fails.
sub write_settings
{
	my ($self) = @_;
	open my $out, '>', $self->settings or die "settings: $!";
	print $out <<"END";
process.roles=broker,controller
node.id=1
controller.quorum.voters=1\@127.0.0.1:$self->{controller}
listeners=PLAINTEXT://127.0.0.1:$self->{port},CONTROLLER://127.0.0.1:$self->{controller},SASL_PLAINTEXT://127.0.0.1:$self->{guarded}
advertised.listeners=PLAINTEXT://127.0.0.1:$self->{port},SASL_PLAINTEXT://127.0.0.1:$self->{guarded}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_ostler="a secret";
log.dirs=$self->{folder}/data
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
END
	close $out or die "settings: $!";
	return;
}

sub java
{
	my ($self, @words) = @_;
	my $log = "$self->{folder}/log";
	$self->{pid} = fork // die "fork: $!";
	return if $self->{pid};
	open STDIN, '<', '/dev/null' or die $!;
	open STDOUT, '>>', $log or die $!;
	open STDERR, '>&', \*STDOUT or die $!;
	exec 'java', '-Xmx512m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-cp', jars() . '/*', @words or die "java: $!";
}

sub launch
{
	my ($self) = @_;
	open my $log, '>', "$self->{folder}/log" or die $!;
	close $log;
	$self->java('kafka.Kafka', $self->settings);
	wait_for(sub {
		die "Kafka has ended:\n" . $self->log unless alive($self->{pid});
		$self->log =~ /Kafka Server started/;
	}, 'Kafka to start', 120);
	return;
}

# Lines as messages without a key, by Kafka's own client.
sub publish
{
	my ($self, $topic, @lines) = @_;
	open my $in, '|-', 'java', '-Xmx128m', '-XX:TieredStopAtLevel=1', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error', '-cp', jars() . '/*', 'kafka.tools.ConsoleProducer', '--bootstrap-server', $self->address, '--topic', $topic or die "java: $!";
	print {$in} map { "$_\n" } @lines;
	close $in or die "Kafka's producer has failed\n";
	return;
}

# As a machine that fails, or an operator who ends it.
sub end
{
	my ($self, $signal) = @_;
	my $pid = delete $self->{pid} or return;
	local $?;
	kill $signal, $pid;
	waitpid $pid, 0;
	return;
}

sub halt { return $_[0]->end('KILL') }
sub stop { return $_[0]->end('TERM') }
sub DESTROY { return $_[0]->end('KILL') }

1;
