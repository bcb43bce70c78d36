#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# Every integrity check of the heap is worth its place: heap.c is compiled with
# one check taken out at a time, and each time the heap's tests must turn red.
# A check is what stands in an `if (...)` before `return report(...)`; where that
# is a chain of `||`, each of its links is one.

use strict;
use warnings;
use FindBin;

use File::Path 'make_path';
use POSIX '_exit';
use Test::More;

chdir "$FindBin::Bin/../.." or die "no tree: $!";

use constant AT_ONCE => 2;
my $CC = ($ENV{HOSTCC} // 'gcc') . ' -std=gnu11 -O1 -w -I. -Itests/host';
my $dir = 'build/checks';
make_path($dir);

sub slurp {
	my ($path) = @_;
	open my $file, '<', $path or die "$path: $!";
	local $/;
	return <$file>;
}

# Compiles the tests with this heap, and runs them; true if they are all green.
# Those of a heap that is damaged may well crash, or never end.
sub green {
	my ($name, $heap) = @_;
	open my $file, '>', "$dir/$name.c" or die "$dir/$name.c: $!";
	print $file $heap;
	close $file;
	system("$CC -Ikernel/mm -c -o $dir/$name.o $dir/$name.c") == 0 or die "$name does not compile\n";
	for my $tests ('heap_unit', 'heap_corners') {
		system("$CC -o $dir/$name $dir/$tests.o $dir/arena.o $dir/$name.o") == 0 or die "$name: no link\n";
		return 0 if system("timeout 10 $dir/$name >/dev/null 2>&1") != 0;
	}
	return 1;
}

for my $part ('heap_unit', 'heap_corners', 'arena') {
	system("$CC -c -o $dir/$part.o tests/host/$part.c") == 0 or die "$part does not compile\n";
}

# The links of a chain: pairs of where one begins and how long it is.
sub links {
	my ($text) = @_;
	return if $text =~ /\?/; # a choice is taken whole
	my ($depth, $start, @links) = (0, 0);
	for my $i (0 .. length($text) - 1) {
		my $two = substr $text, $i, 2;
		$depth += ($two =~ /^\(/) - ($two =~ /^\)/);
		if ($depth == 0 && $two eq '||') {
			push @links, [$start, $i - $start];
			$start = $i + 2;
		}
	}
	return @links ? (@links, [$start, length($text) - $start]) : ();
}

my $source = slurp('kernel/mm/heap.c');
my $condition = qr/(\((?:[^()]++|(?1))*\))/;
my @checks;
while ($source =~ /\bif $condition\s*return report\(([^;]*)\);/g) {
	my ($at, $if) = ($-[1] + 1, substr $1, 1, -1);
	push @checks, { at => $at + $_->[0], length => $_->[1] } for [0, length $if], links($if);
}
cmp_ok(scalar @checks, '>', 15, 'the checks are found in heap.c');
ok(green('whole', $source), 'with all of them the tests are green');

# Some children at a time, each with every AT_ONCE-th of the checks; their status says which survived.
my @children;
for my $child (0 .. AT_ONCE - 1) {
	my $pid = open(my $pipe, '-|') // die "fork: $!";
	if (!$pid) {
		for (my $i = $child; $i < @checks; $i += AT_ONCE) {
			my $heap = $source;
			substr($heap, $checks[$i]{at}, $checks[$i]{length}) = '0';
			print "$i\n" if green("without_$i", $heap);
		}
		close STDOUT;
		_exit(0);
	}
	push @children, $pipe;
}
my %survivor;
for my $pipe (@children) {
	chomp(my @lines = <$pipe>);
	$survivor{$_} = 1 for @lines;
	close $pipe or die "a child failed: $?\n";
}
for my $i (0 .. $#checks) {
	my $line = 1 + (substr($source, 0, $checks[$i]{at}) =~ tr/\n//);
	my $check = substr($source, $checks[$i]{at}, $checks[$i]{length}) =~ s/\s+/ /gr;
	ok(!$survivor{$i}, "heap.c:$line, without $check");
}
done_testing;
