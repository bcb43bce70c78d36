#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The heap under libFuzzer, which finds its way by which code is reached: for
# some seconds from what it has found before, kept in corpus.txt as a line of
# hexadecimal digits each. And what is kept is worth it: heaps with a bug put
# into them fail on it.
#
#	FUZZ_SECONDS=3600 prove tests/host/fuzz.t	for longer
#	perl tests/host/fuzz.t --keep			and then keeps what is new

use strict;
use warnings;
use FindBin;

use File::Path qw(make_path remove_tree);
use Test::More;

chdir "$FindBin::Bin/../.." or die "no tree: $!";

my $CLANG = $ENV{CLANG} || 'clang';
my $SECONDS = $ENV{FUZZ_SECONDS} || 30;
my $KEPT = 'tests/host/corpus.txt';
my $LENGTH = 160;
my $dir = 'build/fuzz';
my $flags = '-std=gnu11 -O1 -g -w -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all '
	. '-I. -Itests/host -Ikernel/mm';

remove_tree($dir);
make_path("$dir/corpus");

sub slurp {
	my ($path) = @_;
	open my $file, '<', $path or die "$path: $!";
	binmode $file;
	local $/;
	return <$file>;
}

sub spew {
	my ($path, $text) = @_;
	open my $file, '>', $path or die "$path: $!";
	binmode $file;
	print $file $text;
	close $file or die "$path: $!";
}

sub build {
	my ($name, $heap) = @_;
	return 0 == system "$CLANG $flags -o $dir/$name tests/host/heap_fuzz.c tests/host/arena.c $heap";
}

# What a run says, and its status.
sub run {
	my ($name, @arguments) = @_;
	my $limit = $SECONDS + 60;
	my $text = qx{timeout $limit $dir/$name -artifact_prefix=$dir/$name. @arguments 2>&1};
	return ($?, $text);
}

sub unpack_corpus {
	my @lines = grep { !/^#/ } split /\n/, slurp($KEPT);
	spew(sprintf("$dir/corpus/%04d", $_), pack 'H*', $lines[$_]) for 0 .. $#lines;
	return scalar @lines;
}

# What is up to the last comment stays; then only those that reach something no smaller one does.
sub keep_corpus {
	make_path("$dir/least");
	my ($status, $text) = run('heap', '-merge=1', "$dir/least", "$dir/corpus");
	die $text if $status;
	my ($head) = slurp($KEPT) =~ /\A(.*^#[^\n]*\n)/ms;
	my @lines = sort { length $a <=> length $b || $a cmp $b }
		map { unpack 'H*', slurp($_) } glob "$dir/least/*";
	spew($KEPT, join '', $head, map { "$_\n" } @lines);
}

build('heap', 'kernel/mm/heap.c') or BAIL_OUT('clang does not build the fuzzer');
my $inputs = unpack_corpus();
cmp_ok($inputs, '>', 50, "the corpus has $inputs inputs");
cmp_ok(-s $KEPT, '<', 100_000, 'and is small');

my ($status, $text) = run('heap', '-runs=0', "$dir/corpus");
is($status, 0, 'the heap agrees with the table on all of them') or diag $text;

# Each a bug: what is in heap.c, and what it becomes.
my @bugs = (
	['the next block stays in its bin when merged with',
		"heap->remainder = block;\n\t\telse\n\t\t\tbin_unlink(heap, next);",
		"heap->remainder = block;"],
	['the block before stays in its bin', "if (block != heap->remainder)\n\t\t\tbin_unlink(heap, block);", ''],
	['the top stays the top when it was absorbed', 'set_top(heap, after(block, size));', ''],
	['a copy lacks a word', 'memcpy(copy, block, block_size(block) - HEAP_WORD)',
		'memcpy(copy, block, block_size(block) - 2 * HEAP_WORD)'],
	['a lead too small to be a block', "< HEAP_MIN_BLOCK)\n\t\tlead += align",
		"< 2 * HEAP_WORD)\n\t\tlead += align"],
	['a rest too small to be a block',
		"if (unlikely(rest < HEAP_MIN_BLOCK)) {\n\t\tset_used(block, whole);\n\t\theap->top = heap->fence;",
		"if (unlikely(rest < HEAP_ALIGN)) {\n\t\tset_used(block, whole);\n\t\theap->top = heap->fence;"],
	['a free block fits that is a unit too small', '*header(first) >= size &&',
		'*header(first) + HEAP_ALIGN >= size &&'],
	['a new segment forgets the top before it',
		"set_free(heap->top, size);\n\t\tbin_insert(heap, heap->top, size);", 'set_free(heap->top, size);'],
	['the older segment\'s free end is not found again', "detach(heap, top);\n\tset_top(heap, top);",
		'detach(heap, top);'],
	['a block takes what is merged before it for one in use', '*header(next) &= ~PREV_IN_USE;', ''],
	['what is left before an aligned block does so with a gap', 'lead | (*header(block) & FLAGS)',
		'lead | IN_USE | PREV_IN_USE'],
	['a gap is taken off the block behind it', 'take_top(heap, HEAP_GAP + size)', 'take_top(heap, size)'],
	['what was given back is still counted', 'count_given(heap, -bytes);', ''],
	['trimming leaves a top too small to be a block',
		'end < (uintptr_t)heap->top + HEAP_MIN_BLOCK', '0'],
	['the remainder stays it when it is the top', "heap->top = block;\n\t\tif (block == heap->remainder)",
		"heap->top = block;\n\t\tif (0)"],
	['the remainder grows and does not know', 'heap->remainder_size = size;', ''],
	['a remainder is forgotten when a freed block replaces it',
		"set_remainder(heap, block, size);\n\t\tif (!old)", "set_remainder(heap, block, size);\n\t\tif (1)"],
	['a remainder is forgotten when a block is split',
		"set_remainder(heap, tail, rest);\n\t\tif (!old)", "set_remainder(heap, tail, rest);\n\t\tif (1)"],
	['a block slides into the remainder, and that stays',
		"if (block == heap->remainder)\n\t\tset_remainder(heap, NULL, 0);\n\telse", ''],
	['the last step of a slide is left out', 'done < n; done += step', 'done + step < n; done += step'],
	['the same block is merged twice', 'quick->block[1] = *(struct heap_block **)quick->next;', ';'],
	['room that is got is not counted', 'quick->heap->quick_room = room;', ''],
	['a quick list gets more room than there is for all', 'room > quick->heap->quick_limit', '0'],
	['room that is taken back is counted still', 'quick->heap->quick_room -= quick->size;', ''],
	['what a block leaves that is moved is lost', "\telse\n\t\tmerge_sound(heap, block);", ''],
	['a list lends a place in which a block waits', "if (empty)\n\t\ttake_room(lender);", 'take_room(lender);'],
	['a quick list has one more than its room', 'if (quick->next != quick->end)',
		'if (quick->next != quick->end + HEAP_WORD)'],
	['what waits is not merged before NULL', 'flush_all(heap) ? malloc_large', '0 ? malloc_large'],
	['a segment that is gone is still in range', 'set_range(heap, gone->low, gone->high);', ''],
);
my $source = slurp('kernel/mm/heap.c');
for my $i (0 .. $#bugs) {
	my ($name, $right, $wrong) = @{ $bugs[$i] };
	my $at = index $source, $right;
	if (!ok($at >= 0, "heap.c can be broken: $name")) {
		next;
	}
	my $broken = $source;
	substr($broken, $at, length $right) = $wrong;
	spew("$dir/broken$i.c", $broken);
	ok(build("broken$i", "$dir/broken$i.c"), '  and compiles');
	($status, $text) = run("broken$i", '-runs=0', "$dir/corpus");
	ok($status != 0, '  and the corpus finds it') or diag $text;
}

($status, $text) = run('heap', "-max_total_time=$SECONDS", "-max_len=$LENGTH", '-print_final_stats=1',
	"$dir/corpus");
is($status, 0, "nothing is found in $SECONDS seconds") or diag $text =~ s/.*(?=^==\d+==|\nBail)//sr;
my ($runs) = $text =~ /^stat::number_of_executed_units:\s*(\d+)/m;
# A busy host does few: that there were some is all that is asked.
cmp_ok($runs // 0, '>', 50 * $SECONDS, ($runs // 'no') . ' executions');
keep_corpus() if grep { $_ eq '--keep' } @ARGV;
done_testing;
