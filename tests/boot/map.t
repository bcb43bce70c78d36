#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The live map of the heap: what is on the screen is what is in the heap, what
# the serial line is sent makes a terminal show the same, cell by cell, and keys
# from either do what the last row says.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use File::Temp;
use Judge;
use Screen;
use Test::More;
use Time::HiRes qw(sleep time);

use constant { COLUMNS => 80, ROWS => 25, BLANK => 0x0720, LIMIT => 30 };

my $PROMPT = qr{(?:^|l)fencepost> \z}m; # at the start of a line, or where the other screen is left
my @modules = ('build/traces/sqlite.fpt');
my $dir = File::Temp->newdir;
my $machine = Judge::start(kernel => 'build/fencepost.elf', memory => 64, modules => \@modules,
	append => Judge::modules_word(@modules), monitor => "$dir/qemu", timeout => 110);
Judge::wait_for($machine, $PROMPT);
my $screen = Screen->connect("$dir/qemu") or BAIL_OUT("QEMU's own monitor does not answer");

# --- a terminal ------------------------------------------------------------

my (@terminal, $at, $front, $back);
my ($known, $unknown, $full) = (length $machine->{serial}, '', 0);
my @colours = (0, 4, 2, 6, 1, 5, 3, 7); # of a terminal, as numbers of the VGA's

sub set_colour {
	my ($number) = @_;
	($front, $back) = (7, 0) if $number == 0;
	$front = $colours[$number - 30] if $number >= 30 && $number < 38;
	$back = $colours[$number - 40] if $number >= 40 && $number < 48;
	$front = 8 + $colours[$number - 90] if $number >= 90;
}

# Takes in what has come over the serial line since; the rest of a sequence may be still to come.
sub follow {
	1 while Judge::receive($machine, time + 0.02) && length $machine->{serial} < $known + 100_000;
	my $text = substr $machine->{serial}, $known;
	while ($text =~ /\G(?!\e\[?[\d;?]*\z)./s) {
		if ($text =~ /\G\e\[\?1049([hl])/gc) {
			$full = $1 eq 'h';
		} elsif ($text =~ /\G\e\[2J/gc) {
			@terminal = (BLANK) x (COLUMNS * ROWS);
		} elsif ($text =~ /\G\e\[(\d+);(\d+)H/gc) {
			$at = ($1 - 1) * COLUMNS + $2 - 1;
		} elsif ($text =~ /\G\e\[(\d+(?:;\d+)*)m/gc) {
			set_colour($_) for split /;/, $1;
		} elsif ($full && $text =~ /\G([ -~])/gc) {
			$terminal[$at++] = $back << 12 | $front << 8 | ord $1;
		} elsif ($text !~ /\G\e\[\?25[hl]/gc) {
			$text =~ /\G(.)/gcs;
			$unknown .= $1 if $full;
		}
	}
	$known += pos $text // 0;
	return Screen::text_of(@terminal);
}

# Waits until what the terminal shows is right.
sub until_shown {
	my ($regex, $name) = @_;
	my $end = time + LIMIT;
	my $text;
	do {
		$text = join "\n", follow();
	} until $text =~ $regex || time > $end;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	like($text, $regex, $name);
	return $text;
}

sub type {
	Judge::type($machine, $_[0]);
}

# Both show the same, but for the last cell.
sub same {
	my ($name) = @_;
	my (@left, @right);
	for (1 .. 20) {
		follow();
		@left = @terminal;
		@right = $screen->cells;
		pop @left;
		pop @right;
		last if "@left" eq "@right";
		sleep 0.1;
	}
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my @differ = grep { $left[$_] != $right[$_] } 0 .. $#right;
	is(scalar @differ, 0, "$name: the terminal and the screen show the same")
		or diag join "\n", Screen::text_of(@left), '---', Screen::text_of(@right);
}

# --- the heap as it is -----------------------------------------------------

type("p = kmalloc 100\rq = kmalloc 36\rwall = kmalloc 20\rkfree q\r");
Judge::wait_for($machine, qr/q = .* freed\n(?:.*\n)*fencepost> \z/);
my @before = $screen->rows;
$known = length $machine->{serial};
type("map\r");
until_shown(qr/\Athe kernel's heap +64 bytes a cell\n0xd0000000  ##c-{61}\n0xd0001000  -{64}\n/,
	'the whole heap is on the map');
until_shown(qr/^# used        c cached      \. free        - top         \+ bookkeeping\nused       120 in      2 blocks  headers       8  cached      40 in     1\n/m,
	'with a legend and numbers');
until_shown(qr/^break 0xd0011000, 69632 bytes above its base; frames 17, free \d+\n\nq leave/m, 'and keys');
same('the whole heap');
my @cells = $screen->cells;
is($cells[COLUMNS + 12], 0x1923, 'what is used is on blue');
is($cells[COLUMNS + 14], 0x3063, 'what is cached is on cyan');

type('++++');
until_shown(qr/ 4 bytes a cell\n0xd0000000  \+{5}\[#{25}\[c{9}\[#{5}\[-{16}\n0xd0000100  -{64}\n/,
	'zoomed in, each header is seen, and each word');
until_shown(qr/bookkeeping \[ header$/m, 'and is in the legend');
same('zoomed in');
type('+');
type("\e[C" x 5);
until_shown(qr/ 4 bytes a cell\n0xd0000014  \[#{25}\[c{9}\[#{5}\[/, 'right moves on by a cell');
type("\e[D");
until_shown(qr/^0xd0000010  \+\[#{25}\[c{9}/m, 'left back');
type("\e[B");
until_shown(qr/^0xd0000110  -{64}\n/m, 'down by a row');
type("\e[A\e[A");
until_shown(qr/^0xd0000000  \+{5}\[/m, 'up no further than the start');
type("\e[6~");
until_shown(qr/^0xd0001200  -{64}\n/m, 'page down');
type("\e[5~" . '-' x 8);
until_shown(qr/ 1024 bytes a cell\n0xd0000000  -{64}\n0xd0010000  -{4}\n0xd0020000\n/, 'page up, and zoomed out');
type("\e[6~\e[6~\e[6~x\e[99~\t");
until_shown(qr/^0xd0000000  -{64}\n/m, 'no further than the end');
type('-' x 30);
until_shown(qr/ 1048576 bytes a cell\n0xd0000000  -\n/, 'nor out of all proportion');
$screen->press(qw(w shift-equal shift-equal down));
until_shown(qr/ 16 bytes a cell\n0xd0000400  -/, 'keys of the keyboard do the same');
$screen->press('home');
until_shown(qr/ 16 bytes a cell\n0xd0000000  \+#{7}c{2}[c#]#?-/, 'Home goes to the start');
same('after keys');
$screen->press('q');
Judge::wait_for($machine, $PROMPT);
follow();
ok(!$full, 'q leaves');
my @after = grep { length } $screen->rows;
like(join("\n", @after), qr/q = .* freed\n.*in use\n.*cached\nfencepost> map\nfencepost>\z/, 'and the screen is as it was');

# --- while a trace runs ----------------------------------------------------

type("map nothing\r");
like(Judge::wait_for($machine, $PROMPT), qr/^nothing is no trace; loaded are: sqlite$/m, 'a trace that is none is refused');
follow();
type("map sqlite\r");
my $text = until_shown(qr/\Asqlite: [1-9]\d* of 46964 operations /, 'a trace begins');
like($text, qr/^94 operations from one picture to the next$/m, 'at some speed');
my ($first) = $text =~ /\Asqlite: (\d+)/;
$text = until_shown(qr/\Asqlite: \d{4,} of/, 'and goes on');
type(' ');
$text = until_shown(qr/, paused/, 'space pauses it');
my ($n) = $text =~ /\Asqlite: (\d+)/;
type('n');
until_shown(qr/\Asqlite: @{[$n + 1]} of 46964 operations, paused/, 'n does one operation');
same('paused');
my ($used, $blocks, $headers) = join("\n", follow()) =~ /^used +(\d+) in +(\d+) blocks  headers +(\d+)/m;
is($headers, 4 * $blocks, 'a header of a word for each block');
type('fff');
until_shown(qr/^752 operations from one/m, 'f makes it faster');
type('s');
until_shown(qr/^376 operations from one/m, 's slower');
type('s' x 20);
until_shown(qr/^1 operations from one/m, 'but not to a stop');
type('f' x 30 . ' ');
$text = until_shown(qr/\Asqlite: 46964 of 46964 operations, at its end /, 'it comes to its end');
same('at the end');
type("\x03");
Judge::wait_for($machine, $PROMPT);
is($unknown, '', 'nothing was sent that a terminal does not know');
type("check\rhandles\r");
like(Judge::wait_for($machine, qr/^  wall = .*\n$PROMPT/m), qr/^  the heap is sound\n  ledger: all counts agree\n.*p = 0xd0000018, 100 bytes/ms,
	'its blocks are freed, and those from before are there');

# --- a heap that is damaged ------------------------------------------------

type("poke wall-4 0 4\rmap\r");
until_shown(qr/^the heap cannot be followed further; check says why$/m, 'a damaged heap is shown as far as it goes');
until_shown(qr/^0xd0000000  \+{5}\[#{25}\[[.c]{9}\n/m, 'and no further');
type("q");
Judge::wait_for($machine, $PROMPT);
type("quit\r");
my $run = Judge::finish($machine);
Judge::green($run, 'and the machine ends well', Judge::complaints($run, status => Judge::PASS));
done_testing;
