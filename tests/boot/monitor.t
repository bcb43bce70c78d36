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
use Judge;
use Screen;
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
ask('heap', 'shows the heap, and finds it sound', qr/^  break +0x[0-9a-f]{8},/m,
	qr/^  cached +0 blocks, 0 bytes$/m, qr/^  slack +0\.0% of the bytes granted were not asked for$/m,
	qr/^  sound$/m);
ask('nonsense', 'is refused', qr/^nonsense: unknown command; try help$/m);
ask('', 'an empty line does nothing', qr/\A\nfencepost> \z/);
ask("helq\bp", 'backspace takes back', qr/^  quit /m);
ask('x' x 1000, 'a line too long is cut', qr/^x{50,80}: unknown command; try help$/m);
ask('replay', 'runs each trace', map { qr/^\Q$_\E +\d+ .*%$/m } map { Judge::name_of_trace($_) } @traces);
ask('mem', 'still answers afterwards', qr/^ledger: all counts agree$/m);
ask('heap', 'tells what they left', qr/^  peak +\d{6,} bytes in use/m,
	qr/^  slack +(?!0\.0%)\d+\.\d% of the bytes granted/m, qr/^  sound$/m);
Judge::type($machine, "quit\r");
my $run = Judge::finish($machine);
Judge::green($run, 'quit: ends the machine well',
	Judge::complaints($run, status => Judge::PASS, unlike => [qr/^panic/m]));

# --- keyboard and screen ---------------------------------------------------

my $dir = File::Temp->newdir;

$machine = Judge::start(@image, monitor => "$dir/qemu", timeout => 60);
Judge::wait_for($machine, $PROMPT);
my $screen = Screen->connect("$dir/qemu");
ok($screen, "QEMU's own monitor answers") or diag $!;
if ($screen) {
	my @rows = $screen->rows;
	ok((grep { /Fencepost/ } @rows), 'the screen shows the name')
		or diag join "\n", @rows;
	is((grep { length } @rows)[-1], 'fencepost>', 'and below it the prompt');
	$screen->press(qw(h e l p x backspace ret));
	like(Judge::wait_for($machine, qr/^\s*quit\b.*^fencepost> \z/ms), qr/^\s*replay\b/m,
		'what is typed on the keyboard is a command');
	$screen->press(qw(q u i t ret));
}
$run = Judge::finish($machine);
Judge::green($run, 'quit on the keyboard ends the machine well',
	Judge::complaints($run, status => Judge::PASS));

done_testing;
