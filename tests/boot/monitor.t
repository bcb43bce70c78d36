#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The interactive monitor, as two people use it: one over the serial line, one
# with keyboard and screen.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use File::Temp;
use IO::Socket::UNIX;
use Judge;
use Test::More;

my $PROMPT = qr/^fencepost> \z/m;
my @traces = Judge::traces();
my @image = (kernel => 'build/fencepost.elf', memory => 128, modules => \@traces,
	append => Judge::modules_word(@traces));

# --- serial ----------------------------------------------------------------

my $machine = Judge::start(@image);
like(Judge::wait_for($machine, $PROMPT), qr/^Fencepost/m, 'the machine presents itself, and asks');

sub ask {
	my ($line, $name, @expected) = @_;
	Judge::type($machine, "$line\r");
	my $answer = Judge::wait_for($machine, $PROMPT, 60);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	like($answer, $_, substr($line, 0, 10) . ": $name") for @expected;
}

ask('help', 'names the commands', map { qr/^  $_ /m } qw(help mem heap replay quit));
ask('mem', 'shows the map, the frames by owner, and the ledger', qr/^  0x000100000 +\d+ KiB  usable$/m,
	qr/^  free +\d+ +\d+ KiB$/m, qr/^ledger: all counts agree$/m);
ask('heap', 'shows the heap, and finds it sound', qr/^  break +0x[0-9a-f]{8},/m, qr/^  sound$/m);
ask('nonsense', 'is refused', qr/^nonsense: unknown command; try help$/m);
ask('', 'an empty line does nothing', qr/\A\nfencepost> \z/);
ask("helq\bp", 'backspace takes back', qr/^  quit /m);
ask('x' x 1000, 'a line too long is cut', qr/^x{50,80}: unknown command; try help$/m);
ask('replay', 'runs each trace', map { qr/^\Q$_\E +\d+ .*%$/m } map { Judge::name_of_trace($_) } @traces);
ask('mem', 'still answers afterwards', qr/^ledger: all counts agree$/m);
Judge::type($machine, "quit\r");
my $run = Judge::finish($machine);
Judge::green($run, 'quit: ends the machine well',
	Judge::complaints($run, status => Judge::PASS, unlike => [qr/^panic/m]));

# --- keyboard and screen ---------------------------------------------------

my $dir = File::Temp->newdir;
my $screen_width = 80;
my $screen_rows = 25;

$machine = Judge::start(@image, monitor => "$dir/qemu", timeout => 60);
Judge::wait_for($machine, $PROMPT);
my $qemu = IO::Socket::UNIX->new(Peer => "$dir/qemu");
ok($qemu, "QEMU's own monitor answers") or diag $!;

# The answer of QEMU's monitor, up to its next prompt.
sub qemu_says {
	my ($command) = @_;
	my $answer = '';
	print $qemu "$command\n" if defined $command;
	while ($answer !~ /\(qemu\) \z/) {
		sysread $qemu, $answer, 65536, length $answer or last;
	}
	return $answer;
}

# What stands in the memory of the VGA text screen: characters at even addresses.
sub screen {
	my $dump = qemu_says(sprintf 'xp /%dhx 0xb8000', $screen_width * $screen_rows);
	my @cells = map { hex } map { /0x([0-9a-f]{4})\b/g } $dump =~ /^[0-9a-f]+:(.*)/mg;
	my $text = join '', map { chr($_ & 0xff) } @cells;
	return map { s/[\s\0]+$//r } unpack "(A$screen_width)*", $text;
}

if ($qemu) {
	local $SIG{ALRM} = sub { die "QEMU's monitor does not answer\n" };
	alarm 60;
	qemu_says();
	my @screen = screen();
	ok((grep { /Fencepost/ } @screen), 'the screen shows the name')
		or diag join "\n", @screen;
	is((grep { length } @screen)[-1], 'fencepost>', 'and below it the prompt');
	qemu_says("sendkey $_") for qw(h e l p x backspace ret);
	like(Judge::wait_for($machine, qr/^\s*quit\b.*^fencepost> \z/ms), qr/^\s*replay\b/m,
		'what is typed on the keyboard is a command');
	print $qemu "sendkey $_\n" for qw(q u i t ret);
	alarm 0;
}
$run = Judge::finish($machine);
Judge::green($run, 'quit on the keyboard ends the machine well',
	Judge::complaints($run, status => Judge::PASS));

done_testing;
