#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# gdb's commands of tools/gdb on machines that stand still: what they show is
# what the kernel itself says at the same moment, they name the faults of a
# damaged heap as heap_check() does, and nothing makes them fail but in words.
#
# They call nothing. The tests do: gdb has the stopped kernel run its own
# heap_check(), heap_stats() and inspect_report(), for comparison.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use Debugger;
use Judge;
use List::Util 'first';
use Test::More;

my @COMMANDS = ('heap', 'heap check', 'heap lists', 'heap block 0xd0000100', 'frames', 'ledger',
	'pages 0xd0000100', 'print kernel_heap');
my %IMAGE = (modules => ['build/traces/sqlite.fpt'], append => 'modules=sqlite');
my $SEED = hex(Judge::setting('SEED') // sprintf '0x%x', time ^ $$);
my $FAULT = q{((struct heap_fault *)&'kernel/panic.c'::sentence)}; # room that nobody uses now
my $STATS = '((struct heap_stats *)&inspect_report::ledger.heap)';
my $PIECE = qr/^  \w+ +block 0x\w+ +\d+ bytes  /;

srand $SEED;
note sprintf 'seed 0x%x', $SEED;

# A failure that is not in words is one of Python's.
sub in_words {
	my ($answer, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return 1 if $answer =~ /\S/ && $answer !~ /Python|Traceback/;
	fail($name);
	diag($answer);
	return 0;
}

sub all_in_words {
	my ($gdb, $name, @commands) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my @bad = grep { !in_words($gdb->ask($_), "$name: $_") } @commands;
	ok(!@bad, $name);
}

# --- nothing to look at ------------------------------------------------------

{
	my $gdb = Debugger->start('build/fencepost.elf');
	like($gdb->ask($_), qr/\Ano machine: .*`target remote`/, "without a machine: $_")
		for @COMMANDS[0 .. 6];
	like($gdb->ask('type help'), qr/\Athere is no line to type on/, 'without a machine: type');
	like($gdb->ask("file\nheap"), qr/^no kernel: /m, 'without a kernel: heap');
	$gdb->stop;
}

# --- on the way up -----------------------------------------------------------

my $gdb = Debugger->start('build/fencepost.elf', machine => {});
like($gdb->ask($_), qr/\Athe machine does not hold this kernel/, "before the first instruction: $_")
	for @COMMANDS[0 .. 6];
$gdb->stop;

$gdb = Debugger->start('build/fencepost.elf', machine => \%IMAGE);
$gdb->run_to('higher_half');
all_in_words($gdb, 'in assembly language, in boot\'s page tables', @COMMANDS);
like($gdb->ask('pages 0xc0100000'), qr/^  directory  frame \d+, not kernel_space's; entry 768 is .* 4 MiB\n  byte       0x100000, at physical 0x00100000\n/m,
	'pages: large ones');
$gdb->run_to('kmain');
like($gdb->ask('frames'), qr/\Athe frame allocator is not set up yet\n\z/, 'frames: before they are counted');
like($gdb->ask('heap'), qr/\Athe heap is not set up yet\n\z/, 'heap: before there is one');
$gdb->run_to('monitor_run');
like($gdb->ask('heap'), qr/\A  break        0xd0000000, 0 bytes .*\n  in use       0 blocks, 0 bytes and 0 of headers\n.*^sound: 0 blocks in 0 segments\n\z/ms,
	'heap: one that holds nothing');
like($gdb->ask('heap block 0xd0000010'), qr/\Athe heap holds nothing\n\z/, 'heap block: the same');
like($gdb->ask('ledger'), qr/^break: 0 bytes .*^ledger: all counts agree\n\z/ms, 'ledger: the same');

# --- while a process runs ----------------------------------------------------

{
	my $in_process = Debugger->start('build/test.elf', machine => { append => 'only=process_writes_and' });
	$in_process->run_to('catch_output');
	my $said = $in_process->ask('ledger');
	is($said, $in_process->prints('call (void)inspect_report((void *)0)', qr/^ledger: .*\n/m),
		'ledger: with a process, the kernel\'s own');
	like($said, qr/^  processes +[1-9].*\n  kernel stacks +3 .*^ledger: all counts agree\n\z/ms,
		'ledger: which agrees');
	like($in_process->ask('pages 0x08048000'), qr/^  directory  frame \d+, not kernel_space's; .*^  frame      \d+: processes$/ms,
		'pages: in the space of the process');
	$in_process->stop;
}

# --- in the middle of a replay -----------------------------------------------

Judge::type($gdb->{machine}, "replay\n");
$gdb->run_to('replay_trace');
$gdb->run_to('ksbrk', 4);
like($gdb->ask("heap\nheap lists\nheap check"), qr/^a call of kmalloc is under way/m, 'a call that is under way is told');
$gdb->run_to('kfree');
unlike($gdb->ask("heap\nheap lists\nheap check"), qr/under way/, 'one that is not, is not');

# What the kernel prints of an address, and of everything.
sub report {
	my ($address) = @_;
	return $gdb->prints("call (void)inspect_report((void *)$address)", qr/^ledger: .*\n/m);
}

sub word { return $gdb->value("*(unsigned int *)$_[0]") }
sub poke { $gdb->ask(sprintf 'set var *(unsigned int *)%d = %u', @_) }

sub matching {
	my ($text, $regex) = @_;
	return join '', grep { $_ =~ $regex } split /^/, $text;
}

sub pieces {
	return map { [split] } split /\n/, $gdb->ask('python import heap; '
			. 'print(*(f"{p.kind} {p.address} {p.size}" for p in heap.kernel_heap().walk()), sep="\n")');
}

my $ledger = $gdb->ask('ledger');
is($ledger, report(0), 'ledger: the kernel\'s own, to the letter');
like($ledger, qr/^heap: [1-9]\d* granted in [1-9].* [1-9]\d* cached, [1-9]\d* binned.*\nledger: all counts agree\n\z/m,
	'ledger: of a heap that has something of everything');

$gdb->ask("call heap_stats(&kernel_heap, $STATS)");
my %stats = map { $_ => $gdb->value("$STATS->$_") }
	qw(total granted granted_blocks headers cached cached_blocks binned binned_blocks top
	bookkeeping segments largest_free peak);
my ($low, $high) = map { $gdb->value("kernel_heap.$_") } qw(low high);
is($gdb->ask('heap'), sprintf(<<'END', $gdb->value('kernel_brk.end'), @stats{qw(total granted_blocks granted headers
  break        0x%08x, %d bytes given by the hook
  in use       %d blocks, %d bytes and %d of headers
  free         %d blocks, %d bytes; top %d bytes; largest %d bytes
  cached       %d blocks, %d bytes
  bookkeeping  %d bytes in %d segments
  peak         %d bytes given
sound: %d blocks in %d segments
END
	binned_blocks binned top largest_free cached_blocks cached bookkeeping segments peak)},
		$stats{granted_blocks} + $stats{cached_blocks} + $stats{binned_blocks} + ($stats{top} > 0),
		$stats{segments}), 'heap: the figures of heap_stats()');

my $lists = $gdb->ask('heap lists');
my ($quick, $bins) = $lists =~ /^quick lists: (.*)^bins: (.*)/ms;
my %listed;
for ([quick => $quick], [bins => $bins]) {
	my ($which, $text) = @$_;
	($listed{"$which bytes"}) = $text =~ /\A(\d+)/;
	$listed{$which} += $_ for $text =~ /^ +\d+(?: to \d+)? +(\d+)  0x/mg;
}
my ($kept) = $lists =~ /^remainder: (\d+) bytes at/m;
is($listed{'quick bytes'}, $stats{cached}, 'heap lists: the bytes in quick lists are those of heap_walk()');
is($listed{quick}, $stats{cached_blocks}, 'heap lists: so are the blocks');
is($listed{'bins bytes'} + $kept, $stats{binned}, 'heap lists: so are the bytes in bins and the remainder');
is($listed{bins} + ($kept > 0), $stats{binned_blocks}, 'heap lists: and the blocks');
like($lists, qr/^top: $stats{top} bytes at 0x/m, 'heap lists: and the top');

my $frames = $gdb->ask('frames');
for my $owner (0 .. $gdb->value('FRAME_OWNERS') - 1) {
	my ($name) = $gdb->ask("output 'kernel/mm/frame.c'::owner_names[$owner]") =~ /"(.*)"/;
	my ($count, $states) = $frames =~ /^  \Q$name\E +(\d+) +(\d+) /m;
	is($count // 0, $gdb->value("frame_count($owner)"), "frames: the counter of $name");
	is($states // 0, $gdb->value("frame_count_by_state($owner)"), "frames: the states of $name");
}
my @zones = map { [/(\d+)/g] } $frames =~ /^  below +\d+ MiB(.*)/mg;
is(scalar @zones, 3, 'frames: three zones');
for my $order (0 .. $#{ $zones[0] }) {
	my $blocks = 0;
	$blocks += $_->[$order] for @zones;
	is($blocks, $gdb->value("frame_free_blocks($order)"), "frames: free blocks of order $order");
}

# Addresses of all kinds: translated, and looked for in the heap.
for my $address (0, 0xC0100000, 0xC000_0000, 0xD000_0000, $high - 4, $high, 0xFF80_0000, 0xFFFF_F000,
	map { int $low + rand $high - $low } 1 .. 12) {
	my $hex = sprintf '0x%08x', $address;
	my ($pages, $said) = ($gdb->ask("pages $hex"), report($hex));
	my ($frame, $writable) = $said =~ /^  the    page 0x\w+  frame +(\d+), (writable|read-only)/m;
	my ($word, $shown) = $pages =~ /^  table .*: (frame (\d+), present.*)$/m ? ($1, $2) : ('', undef);
	is($shown, $frame, "pages $hex: the frame that the kernel finds");
	is($word =~ /writable/ ? 'writable' : 'read-only', $writable, "pages $hex: and its protection") if $frame;
	like($pages, $frame ? qr/^  frame      $frame: \w/m : qr/^  nothing is mapped there$/m, "pages $hex: and whose it is");
	next if $address < $low || $address >= $high;
	is(matching($gdb->ask("heap block $hex"), $PIECE), matching($said, $PIECE),
		"heap block $hex: the blocks that heap_walk() leads to");
}

# All that the commands could change: registers, the kernel's data, the heap.
sub everything {
	my $dir = $gdb->{dir};
	$gdb->ask("dump binary memory $dir/data &__data_start &boot_stack_guard");
	$gdb->ask("dump binary memory $dir/heap kernel_brk.base kernel_brk.end");
	return join '', $gdb->ask('info registers'), map { -s "$dir/$_" ? slurp("$dir/$_") : die "$_: not dumped\n" } qw(data heap);
}

sub slurp {
	my ($path) = @_;
	open my $file, '<:raw', $path or die "$path: $!\n";
	local $/;
	return <$file>;
}

my $before = everything();
$gdb->ask($_) for @COMMANDS;
ok($before eq everything(), 'no command changes a byte or a register');
poke($low, word($low) + 1);
ok($before ne everything(), 'one changed would have been seen');
poke($low, word($low) - 1);

# --- one block of each kind --------------------------------------------------

my @pieces = pieces();
my %of;
push @{ $of{ $_->[0] } }, $_ for @pieces;
sub block { return $of{"HEAP_PIECE_$_[0]"}[$_[1] // 0] }
sub show { my ($block, $offset) = @_; return $gdb->ask('heap block ' . ($block->[1] + ($offset // 4))) }

my $binned = (grep { $_->[1] + 4 != $gdb->value('kernel_heap.remainder') } @{ $of{HEAP_PIECE_BINNED} })[3];
like(show(block('USED')), qr/^  header 0x\w+ = \d+ \| IN_USE \| PREV_IN_USE\n\z/m, 'heap block: one in use');
like(show(block('CACHED')), qr/^  header 0x\w+ = (\d+) \| IN_USE(?: \| PREV_IN_USE)? \| CACHED\n  kept   in the quick list of length \1, place \d+ of \d+\n\z/m,
	'heap block: one that is cached');
like(show($binned), qr/^  header 0x\w+ = (\d+) \| PREV_IN_USE\n  next .*\n  prev .*\n  footer \1\n\z/m, 'heap block: a free one');
like(show(block('TOP')), qr/^  kept   as the top, up to the fence at 0x\w+\n\z/m, 'heap block: the top');
like(show(block('FENCE'), 0), qr/^  the .*fence\n  header 0x\w+ = 0 \| IN_USE\n\z/m, 'heap block: the fence');
like(show(block('SEGMENT')), qr/^  the .*start of a segment\n  after .*\n\z/m, 'heap block: a segment\'s record');

sub at { return sprintf '*(struct heap_block *)%d', $_[0][1] + 4 } # by its payload
like($gdb->ask('print ' . at(block('USED'))), qr/^\$\d+ = \d+ \| IN_USE \| PREV_IN_USE$/m, 'print: a block in use');
like($gdb->ask('print ' . at($binned)), qr/^\$\d+ = \d+ \| PREV_IN_USE = \{next = 0x\w+, prev = 0x\w+.*\}$/m,
	'print: a free one, with its links');
like($gdb->ask('print kernel_heap'), qr/ = heap of \d+ bytes = \{bins\[\d+\] = 0x.*quick\[\d+\] = length \d+, \d+ waiting = \{/, 'print: a heap');
my $first = $gdb->value("'kernel/mm/frame.c'::zones[0].lists[0]");
like($gdb->ask("print 'kernel/mm/frame.c'::frames[$first]"), qr/ = FREE, order 0 = \{next = \d+, prev = 0\}$/m, 'print: a free frame');
like($gdb->ask("print 'kernel/mm/frame.c'::frames[0]"), qr/ = RESERVED, order 0 = \{owner = "reserved"\}$/m, 'print: one that is not');

like($gdb->ask('print *(struct heap_block *)16'), qr/\ACannot access memory at address 0x10\n\z/, 'print: nothing');

# --- another build than the machine's ----------------------------------------

$gdb->ask('file build/test.elf');
like($gdb->ask('heap'), qr/\Athe machine does not hold this kernel: /, 'symbols of another build: refused');
$gdb->ask('file build/fencepost.elf');
like($gdb->ask('heap'), qr/^sound: /m, 'the right ones again: as before');

# --- what a person may mistype -----------------------------------------------

my %MISTYPED = (
	'heap block' => qr/\Ausage: heap block ADDRESS\n\z/,
	'heap block nothing' => qr/\Anothing: not an address: No symbol "nothing" in current context\.\n\z/,
	'heap block 0x' => qr/\A0x: not an address: Invalid number "0x"\.\n\z/,
	'heap block 1.5' => qr/\A1\.5: not an address, but of type double\n\z/,
	'heap block kernel_heap' => qr/\Akernel_heap: not an address, but of type struct heap\n\z/,
	'heap block -1' => qr/\A-1: not an address: beyond the last one, 0xffffffff\n\z/,
	'heap block 0x123456789' => qr/\A0x123456789: not an address: beyond the last one, 0xffffffff\n\z/,
	'heap block *(int *)0' => qr/\A\*\(int \*\)0: not an address: Cannot access memory at address 0x0\n\z/,
	'heap block $nothing' => qr/\A\$nothing: not an address, but of type void\n\z/,
	'heap block 0xc0100000' => qr/\A0xc0100000 lies outside of the heap, which is 0xd0\w+ to 0xd0\w+\n\z/,
	'heap nonsense' => qr/\Anonsense: not understood; usage: heap\n\z/,
	'heap check now' => qr/\Anow: not understood; usage: heap check\n\z/,
	'heap lists 1' => qr/\A1: not understood; usage: heap lists\n\z/,
	'pages' => qr/\Ausage: pages ADDRESS\n\z/,
	'pages nothing' => qr/\Anothing: not an address: No symbol/,
	'pages 1 2' => qr/\A1 2: not an address: /,
	'frames 1' => qr/\A1: not understood; usage: frames\n\z/,
	'ledger x' => qr/\Ax: not understood; usage: ledger\n\z/,
);
like($gdb->ask($_), $MISTYPED{$_}, "mistyped: $_") for sort keys %MISTYPED;

# --- damaged heaps ------------------------------------------------------------

# What heap_check() finds, and what `heap check` does: block, words, and the two that disagree.
sub kernel_finds {
	return 'sound' if $gdb->value("heap_check(&kernel_heap, $FAULT)");
	return $gdb->ask("printf \"block 0x%08x: %s (0x%08x, 0x%08x)\", $FAULT->block, "
			. "heap_fault_name::names[$FAULT->kind], $FAULT->expected, $FAULT->found");
}

sub gdb_finds {
	my ($line) = $gdb->ask('heap check') =~ /\A(.*)\n/;
	return $line =~ /^sound: / ? 'sound' : $line;
}

# With a word changed for the time: what both find.
sub damaged {
	my ($address, $value) = @_;
	my $was = word($address);
	poke($address, $value);
	my @found = (gdb_finds(), kernel_finds());
	poke($address, $was);
	return @found;
}

my $used = block('USED', 5);
my $cached = block('CACHED');
my $nbins = $gdb->value('sizeof kernel_heap.bins / sizeof *kernel_heap.bins');
my $bin = first { $gdb->value("kernel_heap.bins[$_]") } 0 .. $nbins - 1;
my $bin_at = $gdb->value("&kernel_heap.bins[$bin]");
my $empty = first { !$gdb->value("kernel_heap.bins[$_]") } 0 .. $nbins - 1;
my $empty_at = $gdb->value("&kernel_heap.bins[$empty]");
my $waiting = (grep { $gdb->value("kernel_heap.quick[$_].next > (unsigned)&kernel_heap.quick[$_].block[1]") } 0 .. 63)[0];
my $segment = $gdb->value('kernel_heap.segment');

# What is written where; what is then wrong; what else may be written there.
my @DAMAGES = (
	['a header with a length that cannot be', $used->[1], 8 | 3, 'impossible length in the header', word($used->[1])],
	['a header with a flag that there is none of', $binned->[1], word($binned->[1]) | 4, 'impossible length in the header',
		word($binned->[1])],
	['a header that says free', $used->[1], word($used->[1]) & ~1, '(?:the two lengths of a free block|the next block\'s header) disagree.*',
		word($used->[1])],
	['a footer', $binned->[1] + $binned->[2] - 4, $binned->[2] + 8, 'the two lengths of a free block disagree', $binned->[2]],
	['a link to the next', $binned->[1] + 4, $used->[1], 'the links of a free block are damaged', word($binned->[1] + 4)],
	['a link to the previous', $binned->[1] + 8, 0, 'the links of a free block are damaged', word($binned->[1] + 8)],
	['the start of a bin', $bin_at, 0, '(?:lists and blocks disagree|the links of a free block are damaged)', word($bin_at)],
	['a cached block that is not', $cached->[1], word($cached->[1]) & ~4, 'not in use: freed twice, or never handed out',
		word($cached->[1])],
	['a quick list that holds what is no block', $gdb->value("&kernel_heap.quick[$waiting].block[1]"), 0x1000, 'not within the heap',
		$gdb->value("(unsigned)kernel_heap.quick[$waiting].block[1]")],
	['a segment\'s record', $segment + 4, $segment + 4096, 'not within the heap', $segment],
	['a fence', block('FENCE')->[1], 0, 'the next block\'s header disagrees', 1],
	['the bitmap of bins', $gdb->value('&kernel_heap.summary'), 0, 'lists and blocks disagree', $gdb->value('kernel_heap.summary')],
	['a remainder that no walk comes by', $gdb->value('&kernel_heap.remainder'), $used->[1] + 4, 'lists and blocks disagree',
		$gdb->value('(unsigned)kernel_heap.remainder')],
	['a remainder at an address of no block', $gdb->value('&kernel_heap.remainder'), 4, 'lists and blocks disagree',
		$gdb->value('(unsigned)kernel_heap.remainder')],
	['an empty bin that begins there', $empty_at, 4, 'lists and blocks disagree', 0],
	['text over a payload\'s end', $used->[1] + $used->[2], 0x41414141, 'impossible length in the header',
		word($used->[1] + $used->[2])],
);
my %kinds;
for (@DAMAGES) {
	my ($name, $address, $value, $words, $legal) = @$_;
	my ($found, $expected) = damaged($address, $value);
	is($found, $expected, "heap check: $name: as heap_check()");
	like($found, qr/^block 0x\w{8}: $words \(0x\w{8}, 0x\w{8}\)$/, "heap check: $name: in the right words");
	is_deeply([damaged($address, $legal)], [qw(sound sound)], "heap check: $name: its legal twin");
}
is_deeply([damaged($used->[1] + 4, 0xFFFF_FFFF)], [qw(sound sound)], 'heap check: a payload is its owner\'s');

my $link = word($binned->[1] + 4);
poke($binned->[1] + 4, $binned->[1] + 4);
like($gdb->ask('heap lists'), qr/^ +\d.* leads back to \Q@{[sprintf '0x%08x', $binned->[1]]}\E$/m, 'heap lists: a circle ends');
is(gdb_finds(), kernel_finds(), 'heap check: so it does here');
poke($binned->[1] + 4, $link);

# Damage as it comes: a word anywhere, changed in any way.
sub some { return $_[rand @_] }

sub any_word {
	my ($kind, $address, $size) = @{ some(@pieces) };
	my $link = some('bins', 'filled', 'quick');
	return some(
		$address, $address, $address + ($size > 4 ? 4 : 0), # what lies behind a fence is not there
		$address + $size - 4, $address + 4 * int rand $size / 4,
		$segment + 4 * int(rand 5), block('FENCE')->[1],
		$link eq 'bins' ? $gdb->value("&kernel_heap.bins[$bin]") + 4 * int rand 8
		: $link eq 'filled' ? $gdb->value('&kernel_heap.filled') + 4 * int rand 3
		: $gdb->value("&kernel_heap.quick[$waiting].block[1]") + 4 * int rand 3,
		map { $gdb->value("&kernel_heap.$_") } qw(remainder remainder_size top summary));
}

sub any_value {
	my ($was) = @_;
	return some($was ^ 1 << int rand 32, $was ^ 1 << int rand 4, 0, $was + 8, $was - 8 & 0xFFFF_FFFF, 0xFFFF_FFFF,
		some(@pieces)->[1], some(@pieces)->[1] + 4, int rand 2**32);
}

my (@differ, %found);
for my $trial (1 .. 120) {
	my $address = any_word() & ~3;
	my $value = any_value(word($address));
	my @both = damaged($address, $value);
	$found{ $both[0] =~ /^block \w+: (.*?) \(/ ? $1 : $both[0] }++;
	push @differ, sprintf "0x%08x = 0x%08x: %s, but heap_check(): %s", $address, $value, @both if $both[0] ne $both[1];
}
is_deeply(\@differ, [], 'heap check: whatever is damaged, it finds what heap_check() finds');
cmp_ok(scalar keys %found, '>', 3, 'heap check: which is not always the same') or diag explain \%found;
note "$found{$_} times: $_" for sort keys %found;
is(gdb_finds(), 'sound', 'heap check: and afterwards the heap is whole');

# A struct heap that is itself damaged leads anywhere.
for my $field (qw(low high span given segment top fence remainder quick[0].next quick[5].size bins[3] sbrk)) {
	my $address = $gdb->value("&kernel_heap.$field");
	my $was = word($address);
	for my $value (some(0, 1, 0x1000), some(0xC000_0000, 0xD000_0004, 0xFFFF_FFFF), int rand 2**32) {
		poke($address, $value);
		in_words($gdb->ask($_), sprintf '%s = 0x%x: %s', $field, $value, $_)
			for 'heap', 'heap lists', 'heap block 0xd0000100', 'ledger', 'print kernel_heap';
	}
	poke($address, $was);
}
is(gdb_finds(), 'sound', 'a damaged struct heap: everything has been told in words');

# --- a ledger that disagrees -------------------------------------------------

my $table = $gdb->value('kernel_space.dir[832]') & 0xFFFFF000; # of the heap's first 4 MiB
my @DISAGREEMENTS = (
	[q{'kernel/mm/frame.c'::counts[FRAME_HEAP]}, sub { $_[0] + 1 }, 'frames by owner: the counters and the frames\' states'],
	[q{'kernel/mm/frame.c'::zones[0].lists[0]}, sub { 0 }, 'free frames: the counter and the buddy lists'],
	['kernel_space.dir[1]', sub { 1 }, 'page tables: the counter and the page directories'],
	[sprintf('((unsigned int *)0x%x)[1023]', $table + 0xC000_0000), sub { 1 }, 'heap frames: the counter and the page tables'],
	['kernel_brk.end', sub { $_[0] + 1 }, 'the break and the pages mapped below it'],
	['kernel_brk.end', sub { $_[0] - 1 }, 'the break and the heap\'s blocks'],
	["kernel_heap.bins[$bin]", sub { 0 }, 'free blocks: the walk and the bins'],
	["kernel_heap.quick[$waiting].next", sub { $_[0] - 4 }, 'cached blocks: the walk and the quick lists'],
	[q{'kernel/mm/kmalloc.c'::stats.granted}, sub { $_[0] + 4 }, 'bytes in use: the walk and the counter of kmalloc'],
);
for (@DISAGREEMENTS) {
	my ($place, $value, $words) = @$_;
	my $address = $gdb->value("&$place");
	my $was = word($address);
	poke($address, $value->($was));
	my ($found, $expected) = ($gdb->ask('ledger'), report(0));
	is($found, $expected, "ledger: the kernel's own: $words");
	like($found, qr/^ledger: \Q$words\E disagree\n\z/m, 'ledger: in these words');
	poke($address, $was);
	like($gdb->ask('ledger'), qr/^ledger: all counts agree\n\z/m, 'ledger: its legal twin');
}

# --- at any instruction -------------------------------------------------------

$gdb->run_to('merge');
for my $step (1 .. 20) {
	in_words($gdb->ask($_), "in the middle of heap_free(), after some instructions: $_") for @COMMANDS;
	$gdb->ask('stepi ' . (1 + int rand 5));
}
like($gdb->ask('heap'), qr/under way/, 'in the middle of heap_free(): all commands answer in words');
$gdb->run_to('kmalloc');
is(gdb_finds(), 'sound', 'and afterwards the heap is whole');
$gdb->run_to('frame_free');
my @bad = grep { $gdb->ask('stepi 3'); grep { !in_words($gdb->ask($_), "in the middle of frame_free(): $_") } 'frames', 'ledger' }
	1 .. 12;
ok(!@bad, 'in the middle of frame_free(): all commands answer in words');
$gdb->stop;

# --- after a panic -------------------------------------------------------------

# test => what the heap is then
my %PANICS = (
	panic_at_a_block_freed_twice => qr/^sound: /m,
	panic_at_a_damaged_heap => qr/^block 0xd0\w+: impossible length in the header/,
	panic_at_a_ledger_that_disagrees => qr/^sound: /m,
	panic_at_a_page_missing_below_the_break => qr/./,
	panic_at_a_double_fault => qr/^sound: /m,
	panic_at_a_stack_overflow => qr/^sound: /,
);
for my $panic (sort keys %PANICS) {
	my $name = $panic =~ s/_/ /gr;
	my $dead = Debugger->start('build/broken/panics.elf', machine => { append => "only=$panic" });
	$dead->run_to('machine_exit');
	my $printed = Judge::wait_for($dead->{machine}, qr/^stopped: /m);
	my ($told) = $printed =~ /^(frames of 4 KiB: .*^ledger: .*?\n)/ms;
	is($dead->ask('ledger') =~ s/^(?:a call of kmalloc is under way|heap: that is not all): .*\n//mgr, $told,
		"$name: the ledger that the panic printed");
	like($dead->ask('heap check'), $PANICS{$panic}, "$name: heap check");
	all_in_words($dead, "$name: all commands answer in words", @COMMANDS, 'pages $cr2');
	my ($concern) = $printed =~ /^address (0x\w+)$/m;
	is(matching($dead->ask("heap block $concern"), $PIECE), matching($printed, $PIECE),
		"$name: the blocks that the panic printed") if $printed =~ /^  the    block/m;
	$dead->stop;
}

# The product does not leave after a panic, and waits for whoever comes.
{
	my $dead = Debugger->start('build/broken/panic_stays.elf', machine => {});
	$dead->run_to('machine_halt');
	like($dead->ask('heap block 0xd0000018'), qr/^  kept   in the quick list of length 104, place 1 of 1\n\z/m,
		'a panic that stays: the block that was freed twice');
	like($dead->ask('heap'), qr/^a call of kmalloc is under way/, 'a panic that stays: within kfree()');
	$dead->stop;
}

# --- make debug, by two at once -------------------------------------------------

my @sessions = map { open my $pipe, '-|', 'tests/boot/gdb_session.pl compare 2>&1' or die "gdb_session.pl: $!"; $pipe } 1 .. 2;
for my $session (0 .. $#sessions) {
	my $said = do { local $/; readline $sessions[$session] };
	close $sessions[$session];
	is($? ? "$said (status $?)" : $said, '', "the session of docs/gdb.md, held by $session: as it stands there");
}

done_testing;
