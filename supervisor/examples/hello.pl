#!/usr/bin/perl
# hello.pl - a FastCGI program in Perl: says hello, and who says it.
use strict;
use warnings;
use FCGI;

my ($greeting, $slot) = @ENV{qw(GREETING OSTLER_SLOT)};    # a request replaces %ENV by its own
my $request = FCGI::Request();
my $served = 0;

# Accept fails when ostlerd has shut the socket: then all that was queued has been served.
while ($request->Accept >= 0) {
	my $name = ($ENV{QUERY_STRING} // '') =~ /^name=(\w+)$/ ? $1 : 'you';
	print "Content-Type: text/plain\r\n\r\n$greeting, $name!\n";
	print "This is request ", ++$served, " of worker $slot.\n";
	warn "greeted $name\n";    # goes to the web server: FCGI.pm binds STDERR to the request
}
