# SPDX-License-Identifier: MIT
#
# What a person in front of the machine sees and does: the VGA text screen and
# the keyboard, both through QEMU's own monitor.

package Screen;

use strict;
use warnings;

use IO::Socket::UNIX;

use constant { COLUMNS => 80, ROWS => 25 };
use constant MONITOR_LIMIT => 60;

# connect() takes the path that start() of Judge got as `monitor`; undef if nobody answers.
sub connect {
	my ($class, $path) = @_;
	my $socket = IO::Socket::UNIX->new(Peer => $path) or return;
	my $screen = bless { socket => $socket }, $class;
	$screen->answer;
	return $screen;
}

# What QEMU's monitor says, up to its next prompt.
sub answer {
	my ($screen) = @_;
	my $answer = '';
	local $SIG{ALRM} = sub { die "QEMU's monitor does not answer\n" };
	alarm MONITOR_LIMIT;
	while ($answer !~ /\(qemu\) \z/) {
		sysread $screen->{socket}, $answer, 65536, length $answer or last;
	}
	alarm 0;
	return $answer;
}

sub ask {
	my ($screen, $command) = @_;
	print { $screen->{socket} } "$command\n";
	return $screen->answer;
}

# Presses keys, by QEMU's names for them.
sub press {
	my ($screen, @keys) = @_;
	$screen->ask("sendkey $_") for @keys;
}

# The cells in the memory of the screen, row by row: characters below, colours above.
sub cells {
	my ($screen) = @_;
	my $dump = $screen->ask(sprintf 'xp /%dhx 0xb8000', COLUMNS * ROWS);
	return map { hex } map { /0x([0-9a-f]{4})\b/g } $dump =~ /^[0-9a-f]+:(.*)/mg;
}

# Cells as text, a string for each row.
sub text_of {
	my $text = join '', map { chr($_ & 0xff) } @_;
	return map { s/[\s\0]+$//r } unpack sprintf('(A%d)*', COLUMNS), $text;
}

sub rows {
	my ($screen) = @_;
	return text_of($screen->cells);
}

# A picture of the screen in a file, as PPM.
sub picture {
	my ($screen, $path) = @_;
	return $screen->ask("screendump $path");
}

1;
