#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The monitor's commands for processes, as a person types them: programs run, wait,
# are looked at, and end; and whatever a program says of its own heap, the monitor
# shows what can be true of it, and lives.
#
#	SEED=7 prove tests/boot/processes.t	repeats the random lines of a seed

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use File::Temp;
use Judge;
use Test::More;

use constant { PAGE => 4096, LINES => 80, LIMIT => 300, WORD => 4 };

chdir "$FindBin::Bin/../.." or die "no tree: $!";
{
	delete local @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL GNUMAKEFLAGS)};
	system('make -s build/fencepost.elf build/fencepost.iso user') == 0 or BAIL_OUT('cannot build the programs');
}

my $PROMPT = qr/^fencepost> \z/m;
my $dir = File::Temp->newdir;

sub slurp {
	my ($path) = @_;
	open my $file, '<:raw', $path or die "$path: $!";
	local $/;
	return <$file>;
}

sub spew {
	my ($path, $text) = @_;
	open my $file, '>:raw', $path or die "$path: $!";
	print $file $text;
	close $file or die "$path: $!";
	return $path;
}

# The same program with another address in its note.
sub with_note {
	my ($name, $change) = @_;
	my $program = slurp('build/user/claims');
	my $begin = index $program, pack('VVV', 10, 4, 1) . "Fencepost\0";
	die 'no note' if $begin < 0;
	my $at = $begin + 3 * WORD + 12;
	substr $program, $at, WORD, pack 'V', $change->(unpack 'V', substr $program, $at, WORD);
	return spew("$dir/$name", $program);
}

my ($end) = map { /^(\w+) B _end$/ ? hex $1 : () } Judge::output_of('nm', 'build/user/claims');
my @modules = (
	(map { "build/user/$_" } qw(hello parked claims sums churn fault)),
	spew("$dir/text", "#!/bin/sh\n"),
	with_note('note-odd', sub { $_[0] + 1 }),
	with_note('note-last', sub { ($end - WORD) & ~(WORD - 1) }),
	with_note('note-kernel', sub { 0xc0100000 }),
	with_note('note-nowhere', sub { 0x20000000 }),
	with_note('note-text', sub { 0x08048000 }),
);
my @image = (kernel => 'build/fencepost.elf', memory => 64, modules => \@modules, timeout => LIMIT);
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

# Starts a program and waits for what it says, which comes behind the prompt. Gives its id, and that.
sub started {
	my ($line, $said) = @_;
	Judge::type($machine, "start $line\r");
	my ($id) = Judge::wait_for($machine, qr/^process \d+ \(.*\n/m) =~ /^process (\d+)/m;
	my $text = Judge::wait_for($machine, $said, 30);
	Judge::type($machine, "\r");
	Judge::wait_for($machine, $PROMPT);
	return ($id, $text);
}

$machine = Judge::start(@image);
Judge::wait_for($machine, $PROMPT);
my $HEAD = qr/    id  program       state   pages       break   ticks\n/;

# --- in the foreground -------------------------------------------------------

ask('ps', 'nothing runs at first', qr/\A$HEAD\z/);
my ($free) = ask('mem', 'all counts agree', qr/^ledger: all counts agree$/m) =~ /^  free +(\d+)/m;
ask('run hello', 'runs a program', qr/\Ahello from process 1\nargument 0  hello\nargument 1  hello\nbreak .*\nhello: status 0\n\z/s);
ask('run hello one two', 'with arguments', qr/^argument 0  hello\nargument 1  one\nargument 2  two\nbreak/m);
ask('run fault read-null', 'tells how it ended', qr/^process 3 \(fault\): page fault: .*\nfault: status 139\n\z/m);
ask('ps', 'tells nothing of what was waited for', qr/\A$HEAD\z/);

my ($lines, $hello) = ("run hello\rmem\r", 'hello: status 0');
Judge::type($machine, $lines);
like(Judge::wait_for($machine, qr/^ledger: all.*\n$PROMPT/m, 30), qr/^\Q$hello\E\nfencepost> mem\n/m,
	'what is typed while a program runs, and not read by it, is for the monitor');

Judge::type($machine, "run parked\r");
Judge::wait_for($machine, qr/^break .*\n/m);
Judge::type($machine, "abX\b\r\x04");
like(Judge::wait_for($machine, $PROMPT, 30), qr/\AabX\x08 \x08\nparked: status 5\nfencepost> \z/,
	'a program reads what is typed, to its end'); # 97 + 98 + 10 = 205

Judge::type($machine, "run sums 2000000000\r");
Judge::wait_for($machine, qr/2000000000\n/);
Judge::type($machine, "ps\rnonsense\x03");
like(Judge::wait_for($machine, $PROMPT, 30), qr/\A\^C\nprocess \d+ \(sums\): killed\nsums: status 137\nfencepost> \z/,
	'Ctrl-C ends one that does not end');
Judge::type($machine, "run parked\r");
Judge::wait_for($machine, qr/^break .*\n/m);
Judge::type($machine, "\x03");
like(Judge::wait_for($machine, $PROMPT, 30), qr/^parked: status 137\nfencepost> \z/m, 'and one that waits');

# --- in the background -------------------------------------------------------

my ($parked, $said) = started('parked', qr/^break .*\n/m);
my %at = $said =~ /(\w+) 0x([0-9a-f]{8})$/mg;
$_ = hex for values %at;
is(join(' ', sort keys %at), 'break freed last mapped small', 'a program started says what it says');
my $broken = sprintf '0x%08x', $at{break};
for (1 .. 50) {
	last if answer_to('ps') =~ / waits /; # soon after it has said so
}
ask('ps', 'is there, and waits', qr/\A$HEAD +$parked  parked        waits +\d+  $broken +\d+\n\z/);

my $maps = answer_to("maps $parked");
my %area = map { /^  0x(\w{8})  0x(\w{8})  (\S{3}) +(\d+)  (.*)$/ ? (hex $1, [hex $2, $3, $4, $5]) : () }
	split /\n/, $maps;
is_deeply($area{$at{mapped}}, [$at{mapped} + 2 * PAGE, 'r-x', 2, 'mapping'], 'maps: a part that was protected');
is_deeply($area{$at{mapped} + 2 * PAGE}, [$at{mapped} + 8 * PAGE, 'rwx', 1, 'mapping'],
	'  and the rest, of which a page was touched');
my ($base) = grep { $area{$_}[3] eq 'heap' } keys %area;
is($area{$base}[0], $at{break} + PAGE - 1 & ~(PAGE - 1), '  the heap up to the break');
cmp_ok($area{$base}[2], '<', ($at{break} - $base) / PAGE, '  not all of which was touched');
is($area{0xbf800000}[3], 'stack', '  the stack');
is((grep { $area{$_}[3] eq 'program' && $area{$_}[1] eq 'r-x' } keys %area), 1, '  the program, which cannot be written');
like($maps, qr/^  break $broken, @{[$at{break} - $base]} bytes above its base 0x@{[sprintf '%08x', $base]}; limit 0x\w+\n\z/m,
	'  and where the break is');
my ($pages) = answer_to('ps') =~ /waits +(\d+)/;
my $sum = 0;
$sum += $_->[2] for values %area;
is($sum, $pages, '  its pages are all there');

sub line_of { return sprintf "  0x%08x  %9d bytes  %s\n", @_ }

ask("blocks $parked", 'shows them as they were asked for',
	qr/\A\Q@{[line_of($base, 20, 'start of a segment')]}\E/,
	qr/^\Q@{[line_of($at{small} - WORD, 104, 'in use')]}\E/m,
	qr/^\Q@{[line_of($at{freed} - WORD, 5008, 'free')]}\E/m,
	qr/^\Q@{[line_of($at{last} - WORD, 30008, 'in use')]}\E/m,
	qr/^  in use +2 +30112 bytes\n/m, qr/^  top +1 +\d+ bytes\n/m,
	qr/^  all +6 +(\d+) bytes; from its base to the break there are \1\n\z/m);
ask("blocks $parked 2", 'or the first of them', qr/\A.*start of a segment\n.* in use\n  and 4 more\n  start/);

Judge::type($machine, "fg $parked\r");
ok(!Judge::wait_for($machine, $PROMPT, 0.5), 'fg waits for it');
Judge::type($machine, "\x04");
like(Judge::wait_for($machine, $PROMPT), qr/^parked: status 0\nfencepost> \z/m, '  and gives it what is typed');

my ($first) = started('sums 2000000000', qr/./);
my ($second) = started('churn 2000000000', qr/./);
my @ticks = map { answer_to('ps') =~ /  sums  +ready .* (\d+)\n.*  churn +ready .* (\d+)\n/; [$1 // 0, $2 // 0] } 1 .. 50;
ok($ticks[-1][0] > $ticks[0][0] && $ticks[-1][1] > $ticks[0][1], 'several run side by side while the monitor waits');
ask("blocks $first", 'a program without a heap has none to show', qr/\Aprocess $first \(sums\) does not say where its heap is\n\z/);
my @churned = map { answer_to("blocks $second 0") } 1 .. 20;
ok((grep { /^  all +\d+ +(\d+) bytes; from its base to the break there are \1\n\z/m } @churned) > 10,
	'a heap that is at work is seen, and mostly not in the middle of a call');
ask("kill $first", 'ends one', qr/\Aprocess $first \(sums\): killed\n\z/);
ask("kill $second", 'and another', qr/\Aprocess $second \(churn\): killed\n\z/);
my ($third) = started('fault read-null', qr/page fault/);
ask('ps', 'tells once of those that have ended', qr/\A$HEAD  +$first  sums +ended  status 137: killed\n  +$second  churn .*\n  +$third  fault  +ended  status 139: page fault: .*\n\z/);
ask('ps', 'and not again', qr/\A$HEAD\z/);

# --- refusals ----------------------------------------------------------------

refused('run nothing', qr/there is no program nothing; loaded as modules are: hello parked .*/);
refused("$_ text", qr/text: not an ELF file/) for 'run', 'start';
refused("run note-$_", qr/note-$_: damaged: the note about its heap tells of nothing writable/) for qw(kernel nowhere text);
refused("$_ 99", qr/there is no process 99; ps lists them/) for qw(kill fg maps blocks);
refused("$_ $third", qr/there is no process $third; ps lists them/) for qw(kill fg maps blocks);
refused("$_ hello", qr/hello is no number; .*/) for qw(kill fg maps blocks);
refused("$_ 0", qr/0 is too small: at least 1/) for qw(kill fg maps blocks);
refused("kill 4294967296", qr/4294967296 is too large: .*/);
refused($_, qr/too few arguments; usage: $_ .*/) for qw(run start kill fg maps blocks);
refused('ps 1', qr/too many arguments; usage: ps/);
refused('maps 1 2', qr/too many arguments; usage: maps ID/);

# As many as can be; then one more.
my @started = map { answer_to('start sums 2000000000') } 1 .. 64;
is((grep { /^process \d+ \(sums\)$/m } @started), 64, 'as many processes as can be');
like(answer_to('start hello'), qr/^hello: there are too many processes\n/m, 'and not one more');
my @ids = map { /^process (\d+)/m } @started;
like(answer_to("kill $ids[0]"), qr/^process $ids[0] \(sums\): killed\n/m, 'but for one that ends');
like(answer_to('start sums 2000000000'), qr/^process \d+/m, 'another can be');
my @live = answer_to('ps') =~ /^ +(\d+)  sums +ready/mg;
is(scalar @live, 64, 'ps has them all');
answer_to("kill $_") for @live;
answer_to('ps');

# --- what a program says of its heap -----------------------------------------

my $length = 'impossible length in the header';
my %wrong = (
	'more-than-is-followed' => 'more than is followed',
	'the-kernel' => '0xc0100000: not the program\'s',
	'the-last-address' => '0xfffffff8: not the program\'s',
	'across-into-the-kernel' => '0xbffffff8: not the program\'s',
	'unmapped' => '0x20000000: not the program\'s',
	'unaligned' => 'not aligned',
	'older-than-itself' => 'older than itself',
	'circle' => 'older than itself',
	(map { ($_ => 'no stretch of memory that a heap could be in') }
		qw(end-in-the-kernel end-before-start end-at-zero start-elsewhere)),
	'end-too-far' => qr/$length|not the program's/,
	'no-length' => $length,
	'endless-length' => $length,
	'another-length' => qr/$length|the next block's header disagrees/,
	'freed-for-one-only' => 'the next block\'s header disagrees',
	'another-footer' => 'the two lengths of a free block disagree',
	'top-in-the-kernel' => 'the two lengths of a free block disagree',
);
my @claims = grep { !/^claims: / } split /\n/, answer_to('run claims list');
is("@{[sort grep { !/^(?:sound|nothing)$/ } @claims]}", "@{[sort keys %wrong]}", 'every claim is looked at');

for my $claim (@claims) {
	my ($id) = started("claims $claim", qr/claimed\n/);
	my $answer = answer_to("blocks $id");
	my $expected = $wrong{$claim};
	if (!$expected) {
		unlike($answer, qr/not followed/, "$claim: is followed to its end");
		like($answer, qr/^  all  /m, '  and added up');
	} else {
		$expected = quotemeta $expected unless ref $expected;
		$expected = "0x\\w{8}: $expected" unless $expected =~ /^0x/;
		like($answer, qr/^  not followed further: $expected\n\z/m, "$claim: is not followed beyond that");
	}
	like(answer_to("kill $id"), qr/killed/, '  and ends');
}
for (['odd', 'not aligned'], ['last', 'not the program\'s']) {
	my ($note, $reason) = @$_;
	my ($id) = started("note-$note sound", qr/claimed\n/);
	ask("blocks $id", 'is not followed', qr/^  not followed further: 0x\w{8}: $reason\n\z/m);
	answer_to("kill $id");
}

# --- anything ----------------------------------------------------------------

my $seed = Judge::setting('SEED') // int rand 1e9;
srand($seed =~ /^0x/i ? hex $seed : $seed);
my @words = (qw(run start fg kill ps maps blocks mem help hello parked claims sums fault text note-odd sound circle null 0 1
	20 4294967295 -1 x =), "\x01", "\x0b", "\e[A", "\xff");
my @lines = map { join ' ', map { $words[rand @words] } 1 .. 1 + rand 3 } 1 .. LINES;
my $unanswered = '';
for my $line (@lines) {
	my @ids = Judge::type($machine, "ps\r") && Judge::wait_for($machine, qr/^fencepost> /m) =~ /^ +(\d+)  \w/mg;
	$line = (qw(kill maps blocks))[rand 3] . " $ids[rand @ids]" if @ids && rand() < 0.4;
	Judge::type($machine, "$line\r");
	next if Judge::wait_for($machine, qr/^fencepost> /m, 0.3);
	Judge::type($machine, "\x03"); # it waits for what is typed, or does not end
	Judge::wait_for($machine, qr/^fencepost> /m, 30) or $unanswered = $line;
	last if $unanswered;
}
is($unanswered, '', "seed $seed: whatever is typed, there is an answer");
Judge::type($machine, "\r\r");
Judge::wait_for($machine, qr/(?:fencepost> \n)fencepost> \z/);
answer_to("kill $_") for answer_to('ps') =~ /^ +(\d+)  \S+ +(?:ready|waits)/mg;
my $mem = answer_to('mem');
unlike($mem, qr/^  (?:processes|kernel stacks) /m, 'nothing of all of them is left');
like($mem, qr/^ledger: all counts agree$/m, 'and all counts agree');
is_deeply([Judge::unexpected_guest_errors(Judge::stop($machine))], [], 'nothing was touched that is not there');

# --- as make run boots it ------------------------------------------------------

$machine = Judge::start(iso => 'build/fencepost.iso', timeout => LIMIT);
Judge::wait_for($machine, $PROMPT, 60);
ask('run hello', 'is there', qr/\Ahello from process 1\nargument 0  hello\nbreak .*\nhello: status 0\n\z/s);
ask('run churn 20000 256', 'with arguments', qr/\Achurn: \d+ operations, checksum \w+\nchurn: status 0\n\z/);
unlike(answer_to('replay'), qr/churn|hello/, 'no program is taken for a trace');
Judge::stop($machine);
done_testing;
