#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The monitor's commands on the heap, as a person types them: what they say is
# what is there, what is mistyped is refused in words, and whatever is typed at
# random, the machine lives and its ledger agrees.
#
#	SEED=7 prove tests/boot/commands.t	repeats the random lines of a seed

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use Judge;
use Test::More;

use constant { LINES => 600, DAMAGES => 60 };

my $PROMPT = qr/^fencepost> \z/m;
my @modules = ('build/traces/sqlite.fpt');
my @image = (kernel => 'build/fencepost.elf', memory => 64, modules => \@modules,
	append => Judge::modules_word(@modules));
my $machine;

sub answer_to {
	my ($line) = @_;
	Judge::type($machine, "$line\r");
	my $answer = Judge::wait_for($machine, $PROMPT, 60);
	$answer =~ s/\A.*\n//;
	$answer =~ s/^fencepost> \z//m;
	return $answer;
}

sub ask {
	my ($line, $name, @expected) = @_;
	my $answer = answer_to($line);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	like($answer, $_, "$line: $name") for @expected;
	return $answer;
}

sub refused {
	my ($line, $expected) = @_;
	my $answer = answer_to($line);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	like($answer, qr/\A$expected\n\z/, "$line: is refused in words");
}

$machine = Judge::start(@image);
Judge::wait_for($machine, $PROMPT);

# --- by name ---------------------------------------------------------------

ask('p = kmalloc 100', 'gives a block and shows what changed', qr/\Ap = 0xd0000018, 100 bytes of 100\n/,
	qr/^  \+ 0xd0000014       104 bytes  in use$/m, qr/^  break  0xd0011000, was 0xd0000000\n\z/m);
ask('q=kmalloc 5000', 'needs no spaces', qr/\Aq = 0xd0000080, 5000 bytes of 5004\n  - .* top\n  \+ 0xd000007c      5008 bytes  in use\n  \+ .* top\n\z/);
ask('kzalloc 24', 'finds a name by itself', qr/\Ah1 = 0xd0001410, 24 bytes of 28\n/);
ask('kcalloc 3 5', 'and another', qr/\Ah2 = /);
ask('a = kmemalign 4096 10', 'is aligned', qr/\Aa = 0xd0002000, 10 bytes of 12\n/);
ask('handles', 'lists them', qr/\A  p = .*\n  q = .*\n  h1 = .*\n  h2 = .*, 15 bytes of .*\n  a = .*\n\z/);
ask('kfree q', 'frees', qr/\Aq = 0xd0000080, 5000 bytes, freed\n  - 0xd000007c      5008 bytes  in use\n  \+ 0xd000007c      5008 bytes  free\n\z/);
ask('krealloc p 200', 'grows into it', qr/\Ap = 0xd0000018, 200 bytes of 204\n(?:  [-+] .*\n){4}\z/);
ask('q = kmalloc 10', 'a name freed can be used again', qr/\Aq = 0x/);
ask('kmalloc 0', 'a block of no bytes is one', qr/\Ah3 = .*, 0 bytes of 12\n/);
ask('kmalloc 0xfffffff0', 'what is not to be had is NULL', qr/\ANULL: not to be had\n\z/);
ask('kcalloc 0x10000 65536', 'so is a product too large', qr/\ANULL/);
ask('kmemalign 3 10', 'or no power of two', qr/\ANULL/);
ask('check', 'all agrees', qr/\A  the heap is sound\n  ledger: all counts agree\n\z/);

refused('p = kmalloc 1', qr/p is in use; kfree p first/);
refused('kmalloc ten', qr/ten is no number; .*/);
refused('kmalloc 4294967296', qr/4294967296 is too large: at most 4294967295/);
refused('kmalloc -1', qr/-1 is no number; .*/);
refused('kmalloc', qr/too few arguments; usage: \[NAME =\] kmalloc SIZE/);
refused('kmalloc 1 2', qr/too many arguments; .*/);
refused('kfree x', qr/there is no x; .*/);
refused('kfree 0xd0000018', qr/there is no 0xd0000018; .*/);
refused('krealloc p', qr/too few .*/);
answer_to('kfree a');
refused('kfree a', qr/a has been freed/);
refused('krealloc a 10', qr/a has been freed/);

# --- looking ---------------------------------------------------------------

ask('block p+50', 'any address in it will do', qr/^  the    block 0xd0000014       208 bytes  in use$/m,
	qr/^  header   0x000000d3\n    length   0x000000d0  208 bytes, 204 of them payload\n    bit 2    0 .*\n    bit 1    1 .*\n    bit 0    1 .*\n  list     none\n\z/m);
answer_to('f = kmalloc 6000');
answer_to('wall = kmalloc 6000');
answer_to('kfree f');
ask('block f', 'has its links, its second length, and its list', qr/^    bit 0    0 +free\n  next     0x00000000 .*\n  prev     0xc01\w+ .*\n  footer   0x00001778 .*\n  list     bin \d+, behind 0 others\n\z/m);
answer_to('h4 = kmalloc 0');
answer_to('kfree h4');
answer_to('kfree h3');
ask('block h3', 'waits', qr/^    bit 2    1 +waits .*\n.*\n.*\n  list     quick list 0, behind 1 others\n\z/m);
ask('block 0xd0000000', 'the start of a segment has no header', qr/^  the    block 0xd0000000        20 bytes  start of a segment\n.*\n\z/m);
ask('lists', 'shows each list with something in it', qr/^  quick list    0  of       16 +bytes:      2 blocks,        32 bytes$/m,
	qr/^  bin +\d+  of     5888 to     6008 bytes:      1 blocks,      6008 bytes$/m,
	qr/^  bitmap     0x[0-9a-f]{8}  bins 160 to 191 .*\n  summary    0x00000020  /m,
	qr/^  top        0xd0[0-9a-f]{6}, \d{5} bytes$/m);
ask('dump p-4 8', 'shows the length before the payload', qr/\A  0xd0000014  d3 00 00 00 00 00 00 00 .*\|\.{8}\|\n\z/);
ask('poke p 65 3', 'writes', qr/\A0xd0000018: 0x00 and 2 more, now 0x41\n\z/);
ask('dump p+1 5', 'which is there', qr/\A  0xd0000019  41 41 00 00 00 .*\|AA\.\.\.\|\n\z/);
ask('dump 0xd0010ff8 64', 'goes as far as something is mapped', qr/\A  0xd0010ff8 .*\n  0xd0011000  nothing is mapped there\n\z/);
ask('pages p', 'goes from floor to floor', qr/\A  0xd0000018 = directory entry 832, table entry 0, byte 24\n  directory  frame +(\d+), entry  832: 0x\w+  present, .*\n  table      frame +\d+, entry    0: 0x\w+  present, writable, .*\n  memory     frame +\d+, byte    24: physical address 0x\w+018\naddress 0xd0000018\n/,
	qr/^  the    block 0xd0000014 /m);
ask('pages 0', 'ends where nothing is', qr/entry    0: 0x00000000  not present\naddress 0x00000000\n/);
ask('pages 0xffffffff', 'at the last address', qr/directory entry 1023, table entry 1023, byte 4095\n/);
my $frames = ask('frames', 'has every order and owner', qr/^     10    1024       4096 KiB +\d+$/m, qr/^  page tables +\d+$/m);
my ($all, %owner) = (0, $frames =~ /^  (\w[\w ]*?) +(\d+)$/mg);
$all += $_ for map { $_ eq 'all' ? 0 : $owner{$_} } keys %owner;
is($all, $owner{all}, 'frames: the owners have them all');
my $free = 0;
$free += $2 << $1 while $frames =~ /^ +(\d+) +\d+ +\d+ KiB +(\d+)$/mg;
is($free, $owner{free}, 'frames: and the free ones are in the blocks');

refused('block 1', qr/0x00000001 is not in the heap, which lies from 0xd0000000 to 0xd0011000/);
refused("dump $_", qr/  0x\w+  nothing is mapped there/) for 0, '0xffffffff', '0xcffffff0', 'p+0x100000';
refused('dump p 0', qr/0 is too small: at least 1/);
refused('dump p 5000', qr/5000 is too large: at most 4096/);
refused('dump nothing', qr/nothing is neither a number nor a name; .*/);
refused('pages 99999999999', qr/99999999999 is beyond the last address/);
refused('dump p+x', qr/p: what stands behind \+ or - is no number/);
refused('dump p-99999999999', qr/p: what stands behind \+ or - is too large/);
refused("poke $_", qr/poke: 0x\w+ and \d+ bytes from there are neither in the heap, .*/)
	for '0xc0100000 0', '0 1', '0xd0011000 1', '0xd0010fff 1 2', 'p 1 0xffffffff', '0xff800000 1', '0xffffffff 1 5';
refused('poke p 256', qr/256 is too large: at most 255/);
refused('poke p 1 0', qr/0 is too small: at least 1/);

# --- a break to move -------------------------------------------------------

ask('brk', 'begins with nothing', qr/\A  break   0xff800000, 0 bytes above its base .*\n  mapped  0 pages .*\n\z/);
ask('sbrk 5000', 'gives where it was', qr/\A0xff800000: .*\n  break   0xff801388, 5000 bytes .*\n  mapped  2 pages /);
ask('poke 0xff801387 7', 'below it is ours to write', qr/\A0xff801387: 0x00, now 0x07\n\z/);
refused('poke 0xff801388 7', qr/poke: .*/);
ask('dump 0xff801fff 1', 'the rest of the page is mapped', qr/\A  0xff801fff  00 /);
ask('dump 0xff802000 1', 'the page behind is not', qr/nothing is mapped there/);
ask('mem', 'its frames are not the heap\'s', qr/^  other +2 +8 KiB$/m, qr/^ledger: all counts agree$/m);
ask('sbrk -0x388', 'goes down', qr/\A0xff801388: .*\n  break   0xff801000, 4096 bytes .*\n  mapped  1 pages /);
ask('brk 0xff800001', 'or to an address', qr/\A  break   0xff800001, 1 bytes/);
ask("sbrk $_", 'is refused', qr/\Arefused: .*; nothing has changed\n  break   0xff800001, 1 bytes/) for '-2', '0x300000', '2147483647';
ask('brk 0xd0000000', 'is refused', qr/\Arefused/);
refused('sbrk -', qr/ is no number; .*/);
refused('sbrk 2147483648', qr/2147483648 is too large: .*/);
ask('brk 0xff800000', 'back to its base', qr/^  mapped  0 pages/m);

# --- traces, step by step --------------------------------------------------

refused('step', qr/no trace is under way; step TRACE begins one/);
refused('step nothing', qr/nothing is no trace; loaded are: sqlite/);
refused('replay nothing', qr/nothing is no trace; loaded are: sqlite/);
ask('step sqlite', 'begins', qr/\Asqlite: 46964 operations on at most \d+ blocks; /);
ask('step', 'does one, and shows what changed', qr/\A1 of 46964: kmalloc\(48\) = 0xd\w+\n(?:  [-+] .*\n)+\z/);
ask('step 3', 'does some', qr/\A2 of .*\n3 of 46964: kfree\(0xd\w+\)\n4 of .*\n(?:  [-+] .*\n)*\z/);
ask('step 5000', 'does many', qr/\A5000 operations, and the last of them\n5004 of .*\n(?:  [-+] .*\n){16}  and \d+ more\n(?:  break .*\n)?\z/);
ask('check', 'all agrees meanwhile', qr/\A  the heap is sound\n  ledger: all counts agree\n\z/);
refused('step 0', qr/0 is too small: at least 1/);
ask('step end', 'frees its blocks', qr/\Asqlite ends after 5004 of 46964 operations; all its blocks are freed\n\z/);
refused('step end', qr/no trace is under way; .*/);
answer_to('step sqlite');
ask('step 4294967295', 'goes to its end', qr/^46964 of 46964: .*\n(?:.*\n)*sqlite ends after 46964 of 46964 operations; all its blocks are freed\n\z/m);
ask('replay sqlite', 'replays one, and says what is in the heap beside it', qr/\Areplay: \d+ blocks are in use already; .*\ntrace .*\nsqlite +46964 .*%\n\z/);

# More than there are names for; freed names are given up last.
my @answers = map { answer_to("m$_ = kmalloc 8") } 1 .. 33;
my ($full) = grep { $answers[$_] =~ /^all 32 names are in use; kfree one first$/ } 0 .. $#answers;
ok($full, 'there is an end to names');
ask('handles', 'of which all are listed', qr/\A(?:  \w+ = .*\n){32}\z/);
answer_to("kfree m$_") for 1 .. $full;
ask('dump m1 4', 'a name that has been freed is still known', qr/\A  0xd/);
answer_to('kmalloc 8');
refused('kfree m1', qr/m1 has been freed|there is no m1; .*/);

# --- faults ----------------------------------------------------------------

my @faults = answer_to('fault') =~ /^  (\S+) .* row +\d+ of docs\/faults\.md$/mg;
cmp_ok(scalar @faults, '>=', 14, 'fault: lists them');
my $heap = qr/^heap: pointer 0x\w+: \w.* \(0x\w{8}, 0x\w{8}\)\n(?:  (?:before|the|after)? .*\n)+/m;
my %said = (
	'too-large' => qr/= malloc\(4294967295\): 0x00000000\n  NULL: .*\n\z/,
	'behind-break' => qr/^page fault: writing 0xffb11fff, which is not mapped\n\z/m,
	'null' => qr/^page fault: writing 0x00000000, which is not mapped\n\z/m,
	'stack' => qr/\A  there is one stack, .*\n\z/,
	'foreign' => qr/not within the heap/,
	'double-free' => qr/^  p = .*\n  free\(p\)\n  free\(p\)\nheap: .*: not in use: freed twice/m,
);
for my $fault (@faults) {
	ask("fault $fault", 'is seen, and the monitor goes on', $said{$fault} // $heap);
}
refused('fault nothing', qr/there is no fault nothing; .*/);
refused('fault null now', qr/now: panic is the only word there/);
ask('check', 'the kernel\'s heap is none the worse', qr/\A  the heap is sound\n  ledger: all counts agree\n\z/);

# --- a heap that is damaged ------------------------------------------------

ask('poke wall-4 0 4', 'onto a header', qr/^the heap is damaged: block 0xd\w+: \w/m);
ask('check', 'finds it', qr/\A  block 0xd\w+: \w.* \(0x.*\n(?:  .*\n)*  no block can be followed to there\n  ledger: .* disagree\n\z/);
ask($_, 'goes no further than can be followed', qr/\n\z/) for 'block wall', 'lists', 'heap', 'mem', 'pages wall';
ask('kmalloc 20000', 'goes on where it does not meet it', qr/^  the heap cannot be followed to its end; check says why$/m);
Judge::type($machine, "kfree wall\r");
like(Judge::wait_for($machine, qr/^stopped: .*\n/m),
	qr/^panic: heap: pointer 0xd\w+: \w.*\nbacktrace.*^  no block can be followed to there$/ms,
	'and kfree panics at it, with a report');
is_deeply([Judge::unexpected_guest_errors(Judge::stop($machine))], [], 'nothing was touched that is not there');

# --- the kernel's own heap, if that is asked for -----------------------------

my %panics = (
	'double-free' => qr/^panic: heap: pointer 0xd0000018: not in use: freed twice, .*\n(?:.*\n)*  0x\w+  kfree\b/m,
	'overflow' => qr/^panic: heap: pointer 0xd0000080: impossible length .*0x41414141\)$/m,
	'behind-break' => qr/^panic: page fault: writing 0xd0011fff, which is not mapped$/m,
	'null' => qr/^panic: page fault: writing 0x00000000, a null pointer$/m,
	'stack' => qr/^panic: stack overflow: writing 0x\w+ in the guard page$/m,
);
for my $fault (sort keys %panics) {
	$machine = Judge::start(@image, timeout => 60);
	Judge::wait_for($machine, $PROMPT);
	Judge::type($machine, "fault $fault panic\r");
	like(Judge::wait_for($machine, qr/^stopped: .*\n/m), $panics{$fault}, "fault $fault panic: is a panic");
	Judge::stop($machine);
}

# --- a heap that is damaged anywhere ---------------------------------------

my $seed = Judge::setting('SEED') // int rand 1e9;
srand($seed =~ /^0x/i ? hex $seed : $seed);

sub start_with_blocks {
	$machine = Judge::start(@image, timeout => 300);
	Judge::wait_for($machine, $PROMPT);
	answer_to("b$_ = kmalloc " . int(rand() < 0.5 ? rand 200 : rand 3000)) for 1 .. 20;
	answer_to("kfree b$_") for grep { rand() < 0.5 } 1 .. 20;
}

my @unanswered;
for (1 .. DAMAGES) {
	start_with_blocks() if $_ % 20 == 1;
	my $at = 0xd0000000 + 4 * int rand(rand() < 0.3 ? 8 : 5000);
	my ($byte, $near) = (int rand 256, $at + int rand 64);
	answer_to(sprintf 'poke 0x%x %d %d', $at, (0, 255, $byte)[rand 3], 1 + rand 4);
	for my $line ('check', 'heap', 'lists', 'mem', 'handles', 'block b' . (1 + int rand 20), "block $near", "pages $near") {
		push @unanswered, "seed $seed: $line" unless length answer_to($line);
	}
	Judge::type($machine, 'map' . "\r+-wq");
	Judge::wait_for($machine, qr/lfencepost> \z/, 20) or push @unanswered, "seed $seed: map";
	last if @unanswered;
	Judge::stop($machine) if $_ % 20 == 0;
}
is("@unanswered", '', 'whatever is damaged, all views come to an end');
Judge::stop($machine);

# --- anything --------------------------------------------------------------

my @words = (qw(help mem frames pages dump heap check block lists replay kmalloc kzalloc kcalloc kmemalign
	krealloc kfree handles poke brk sbrk step fault p q r h1 = 0 1 16 100 5000 100000 0xd0000000 0xd0000014
	0xd0010ffc 0xff800000 0xff800fff 0xffffffff 4294967296 -1 -4096 +4096 p+4 p-4 q+100 sqlite end
	double-free overflow unlink null), "\x01", "\x0b", "\e[A", "\e[D", "\xff");

$machine = Judge::start(@image, timeout => 300);
Judge::wait_for($machine, $PROMPT);
my $lived = 1;
for (1 .. LINES) {
	my $line = join ' ', map { $words[rand @words] } 1 .. 1 + rand 4;
	$line = (qw(p q r))[rand 3] . '=' . (qw(kmalloc kzalloc))[rand 2] . ' ' . int rand 3000 if rand() < 0.2;
	$line = 'kfree ' . (qw(p q r h1))[rand 4] if rand() < 0.2;
	next if $line =~ /poke/ && rand() < 0.9; # which may well damage the heap
	Judge::type($machine, "$line\r");
	my $answer = Judge::wait_for($machine, qr/$PROMPT|^stopped: .*\n/m, 60);
	next if $answer =~ $PROMPT;
	$lived = $answer =~ /^stopped: heap: pointer/m; # a heap that was poked into says so
	diag "seed $seed: $line: $answer" unless $lived;
	Judge::stop($machine);
	last unless $lived;
	$machine = Judge::start(@image, timeout => 300);
	Judge::wait_for($machine, $PROMPT);
}
ok($lived, "anything typed is answered, seed $seed");
Judge::type($machine, "\x15mem\rquit\r");
my $run = Judge::finish($machine);
Judge::green($run, 'and the machine ends well', Judge::complaints($run, status => Judge::PASS,
	like => [qr/^ledger: .*\nfencepost> quit\n*\z/m]));
done_testing;
