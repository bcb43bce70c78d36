#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# What a heap can do wrong is seen, and said in words: the steps of docs/exercises,
# each made wrong in one place. As they are, nothing is said of them; scores.t has that.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use File::Path 'make_path';
use Score;
use Test::More;

chdir "$FindBin::Bin/../.." or die "no tree: $!";
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL GNUMAKEFLAGS)};

sub slurp {
	my ($path) = @_;
	open my $file, '<', $path or die "$path: $!";
	local $/;
	return <$file>;
}

# Name, which step, what is put in the place of what, the check that sees it, and what is said.
my @WRONG = (
	['misaligned', 'bump', 'return heap_memalign(heap, HEAP_ALIGN, size)', 'return (char *)heap_memalign(heap, HEAP_ALIGN, size + 8) + 8', 'small blocks',
		qr/^operation 1, malloc\(0\): gave an address that is no multiple of 16: \.\.\.\w+$/],
	['too short', 'bump', '(most + size)', '(most + size / 2)', 'small blocks', qr/^operation \d+, malloc\(\d+\): /],
	['over another', 'first_fit', '*link = block->next;', '', 'small blocks',
		qr/^operation \d+, malloc\(\d+\): gave base \+ 0x\w+, but the block of \d+ bytes from operation \d+ is at base \+ 0x\w+$/],
	['forgets to copy', 'first_fit', 'memcpy(copy, ptr, before);', '', 'short sequences',
		qr/^operation \d+, realloc of a block of \d+ bytes to \d+: byte \d+ of the block of \d+ bytes from operation \d+ is 0x\w\w, and was 0x\w\w$/],
	['frees what it could not move', 'bump', "copy = heap_malloc(heap, size);\n", "copy = heap_malloc(heap, size);\n\tif (ptr && !copy)\n\t\tmemset(ptr, 0, before);\n",
		'growth refused now and then', qr/^operation \d+, realloc of .* is 0x00, and was 0x\w\w$/],
	['does not see an overflow', 'first_fit', 'if (size > MOST)', 'if (0)', 'impossible requests',
		qr/^operation \d+, malloc\(\d{20}\): (?:gave base \+ 0x\w+, and should have given NULL|.*)$/],
	['any alignment will do', 'bump', 'align == 0 || (align & (align - 1)) ||', 'align == 0 ||', 'impossible requests',
		qr/^operation \d+, memalign\(\d+, 10\), which is no power of two: gave base \+ 0x\w+, and should have given NULL$/],
	['gives up', 'boundary_tags', "block = grow(heap, length_for(size));", "(void)grow;", 'small blocks',
		qr/^operation 1, malloc\(0\): gave NULL, and heap_sbrk had refused nothing$/],
	['writes behind the break', 'boundary_tags', 'heap->fence = after(block, n);', 'heap->fence = after(block, n + HEAP_ALIGN);', 'random operations',
		qr/^operation \d+, .*: memory that is not the heap's is touched: use-after-poison .*wrong\.c:\d+/],
	['thinks that memory follows', 'boundary_tags', 'heap->fence && start == (uintptr_t)heap->fence + WORD', 'heap->fence', 'others move the break',
		qr/^operation \d+, /],
	['crashes', 'first_fit', "if (ptr)\n\t\tput", "put", 'NULL and blocks of no bytes', qr/^operation 1, free\(NULL\): /],
	['does not come back', 'first_fit', '*link; link = &(*link)->next', '*link;', 'random operations',
		qr/^operation \d+, \w+.*: does not come back$/],
);

for my $wrong (@WRONG) {
	my ($name, $step, $right, $instead, $check, $expected) = @$wrong;
	my $source = slurp("docs/exercises/$step.c");
	my $into = 'build/score/wrong/' . $name =~ s/ /_/gr;
	ok($source =~ s/\Q$right\E/$instead/, "$name: one place in $step.c") or next;
	make_path($into);
	open my $file, '>', "$into/wrong.c" or die "$into/wrong.c: $!";
	print $file $source;
	close $file;
	Score::build("$into/wrong.c", $into, 'careful');
	my (undef, $why) = Score::trial("$into/careful", 'check', $check);
	like($why // 'nothing', $expected, "  is seen by: $check");
}

for my $said (qx{tests/score/score.pl nothing.c 2>&1}) {
	is($said, "nothing.c: there is no such file\n", 'a file that is not there');
}
isnt($?, 0, '  is no success');
done_testing;
