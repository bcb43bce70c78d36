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
ask('help help', 'tells of one command', qr/^help \[COMMAND\]\nthis list/m);
ask('help nonsense', 'and of none that is not there', qr/^help: there is no command nonsense$/m);
ask('mem 1', 'an argument too many is refused, with the usage', qr/^too many arguments; usage: mem$/m);
ask('p = mem', 'a name for nothing is refused', qr/^mem gives nothing that could be named p$/m);
ask($_, 'is refused: ' . $_, qr/^before '=' stands one name/m) for '= mem', '1p = mem', 'a b = mem';
ask('p =', 'a name alone is', qr/^behind '=' stands a command/m);
ask('1 2 3 4 5 6 7 8 9 a b c d e f g h', 'too many words are', qr/^more than 16 words; nothing was done$/m);

# --- editing ---------------------------------------------------------------

my ($up, $left, $right, $home, $end, $delete) = ("\e[A", "\e[D", "\e[C", "\e[H", "\e[F", "\e[3~");

ask('x' x 1000, 'a line too long is not run, not even cut',
	qr/^9\d\d more characters than fit, or of another alphabet; nothing was done\nfence/m);
ask("h\xc3\xa4lp", 'nor is one with bytes of another alphabet', qr/^2 more characters than fit/m);
ask("m\tem\x02\0", 'control characters do nothing', qr/^ledger: all counts agree$/m);
ask("eap${home}xh$left$left$delete$right$right$right", 'cursor keys edit the line', qr/^  sound$/m);
ask("\x01nonsense\x15mem xx$left$left\x0b\b\x05", 'and so do control characters', qr/^ledger: all/m);
ask($up, 'up brings back the line before', qr/mem\n.*^ledger: all/ms);
ask("nonsense$up$up\e[B\e[B\x15mem", 'down goes forward again', qr/^ledger: all/m);
ask("\e[\eOA\e[9;9;9q\e\e[A\e[B", 'torn and unknown sequences are passed over', qr/\Amem.*^ledger: all/ms);
Judge::type($machine, "nonsense$left\x03");
like(Judge::wait_for($machine, $PROMPT), qr/\Anonsense\x08e\^C\nfencepost> \z/, 'Ctrl-C gives a line up');
Judge::type($machine, "\e[");
ok(!Judge::wait_for($machine, qr/\n/, 0.5), 'a sequence that stops half-way shows nothing');
ask('help help', 'and is forgotten', qr/\Ahelp help\n/);

# A thousand lines at once: all of them are read, in their order.
my $n = 1000;
Judge::type($machine, join('', map { "n$_\r" } 1 .. $n) . "mem\r");
my $answer = Judge::wait_for($machine, qr/^ledger: .*\nfencepost> \z/m, 60);
my $unknown = join '', map { "n$_" } $answer =~ /^n(\d+): unknown command; try help$/mg;
ok($unknown eq join('', map { "n$_" } 1 .. $n), 'nothing is lost of what comes faster than it is read');

ask('replay', 'runs each trace', map { qr/^\Q$_\E +\d+ .*%$/m } map { Judge::name_of_trace($_) } @traces);
ask('mem', 'still answers afterwards', qr/^ledger: all counts agree$/m);
ask('heap', 'tells what they left', qr/^  peak +\d{6,} bytes in use/m,
	qr/^  slack +(?!0\.0%)\d+\.\d% of the bytes granted/m, qr/^  sound$/m);
Judge::type($machine, "quit\r");
my $run = Judge::finish($machine);
Judge::green($run, 'quit: ends the machine well',
	Judge::complaints($run, status => Judge::PASS, unlike => [qr/^panic/m]));

# What is typed while it boots is there when it asks: the first byte waits in the port.
$machine = Judge::start(@image, timeout => 110);
Judge::type($machine, "mem\rquit\r");
$run = Judge::finish($machine);
Judge::green($run, 'what is typed before the prompt is not lost',
	Judge::complaints($run, status => Judge::PASS, like => [qr/^fencepost> mem\n  0x/m]));

# --- keyboard and screen ---------------------------------------------------

my $dir = File::Temp->newdir;

$machine = Judge::start(@image, monitor => "$dir/qemu", timeout => 110);
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
	$screen->press(qw(e a p home shift-a left delete h end spc left backspace left right p delete ret));
	like(Judge::wait_for($machine, $PROMPT), qr/^  sound$/m, 'its cursor keys edit the line');
	my ($typed) = grep { /^fencepost> \S/ } reverse $screen->rows;
	is($typed, 'fencepost> heap', 'which the screen shows as it became');
	$screen->press(qw(up ctrl-a ctrl-k m e m x ctrl-h ret));
	like(Judge::wait_for($machine, $PROMPT), qr/^ledger: all counts agree$/m, 'and so do Ctrl and letters');
	$screen->press(qw(q q ctrl-c));
	like(Judge::wait_for($machine, $PROMPT), qr/qq\^C\n/, 'Ctrl-C gives a line up');

	# Keys pressed while nobody reads: some are kept, and that others are not is said.
	Judge::type($machine, "replay\r");
	Judge::wait_for($machine, qr/^trace /m);
	$screen->ask('sendkey x 1') for 1 .. 120;
	Judge::wait_for($machine, qr/^fencepost> /m, 60); # behind which keys may stand already
	1 while Judge::wait_for($machine, qr/./s, 1); # until none are on their way, or Enter may be lost too
	$screen->press('ret');
	like(Judge::wait_for($machine, $PROMPT, 60), qr/^input came faster than it could be read, and some is lost; nothing was done$/m,
		'keys pressed in vain are told, and nothing is run');
	$screen->press(qw(h e l p spc h e l p ret));
	like(Judge::wait_for($machine, $PROMPT), qr/^this list/m, 'which is then over');
	$screen->press(qw(q u i t ret));
}
$run = Judge::finish($machine);
Judge::green($run, 'quit on the keyboard ends the machine well',
	Judge::complaints($run, status => Judge::PASS));

done_testing;
