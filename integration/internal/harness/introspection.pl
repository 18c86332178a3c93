# What an authorization server says about tokens (RFC 7662), for the tests. It listens, and then runs the program of its
# arguments in its place. The form of a token decides:
#
#   active-USER   the token of this user
#   lost-USER     the connection ends without an answer
#   another       no active token
use strict;
use warnings;
use IO::Socket::INET;

my $listener = IO::Socket::INET->new(Listen => 128, LocalAddr => "127.0.0.1:9999", ReuseAddr => 1) or die $@;
defined(my $child = fork) or die $!;
if ($child) {
	exec @ARGV or die $!;
}
while (my $conn = $listener->accept) {
	my $length = 0;
	while (defined(my $line = <$conn>)) {
		last if $line =~ /^\r?\n$/;
		$length = $1 if $line =~ /^content-length:\s*(\d+)/i;
	}
	read $conn, my $form, $length;
	my ($kind, $user) = $form =~ /^token=(?:(active|lost)-(\w+))?/ or next;
	next if defined $kind && $kind eq "lost";
	my $answer = defined $kind ? "{\"active\":true,\"username\":\"$user\",\"scope\":\"mail\"}" : "{\"active\":false}";
	print $conn "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n",
		"Content-Length: ", length $answer, "\r\n\r\n$answer";
}
