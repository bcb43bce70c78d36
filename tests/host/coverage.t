#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# Every line and every branch of the heap, of the memory map, of the monitor's pure
# parts and of what reads a program's file is taken by the tests on the host, counted
# by gcov. A line that cannot be is marked where it stands, "not covered: " and why;
# they may be one in a hundred.

use strict;
use warnings;
use FindBin;

use Cwd 'abs_path';
use File::Path qw(make_path remove_tree);
use Test::More;

my $root = abs_path("$FindBin::Bin/../..");
my $dir = "$root/build/coverage-host"; # build/coverage has the kernels that count
remove_tree($dir);
make_path($dir);
chdir $dir or die "$dir: $!";

my $CC = $ENV{HOSTCC} // 'gcc';
my $flags = "-std=gnu11 -O0 -g -w --coverage -I$root -I$root/tests/host";

sub run {
	my ($command) = @_;
	return system("$command >$dir/log 2>&1") == 0 || die "$command failed, see $dir/log\n";
}

# What is covered => the programs that cover it.
my %covered = (
	'kernel/mm/heap.c' => ['heap_unit', 'heap_corners'],
	'kernel/mm/memmap.c' => ['memmap_test'],
	'kernel/monitor/trace.c' => ['trace_test'],
	'kernel/monitor/keys.c' => ['keys_test'],
	'kernel/monitor/words.c' => ['words_test'],
	'kernel/monitor/edit.c' => ['edit_test'],
	'kernel/monitor/screen.c' => ['screen_test'],
	'kernel/monitor/map.c' => ['map_test'],
	'kernel/proc/elf.c' => ['elf_test'],
);

# What a program needs beside what it covers.
my %beside = (map_test => 'kernel/monitor/screen.c');

# Some read files that are made for them.
delete local @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL GNUMAKEFLAGS)};
run("make -s -C $root build/host/64/elf_test");

for my $source (sort keys %covered) {
	my ($name) = $source =~ m{([^/]+)\.c$};
	run("$CC $flags -c -o $name.o $root/$source");
	for my $program (@{ $covered{$source} }) {
		my $more = $beside{$program} ? "$root/$beside{$program}" : '';
		run("$CC $flags -o $program $root/tests/host/$program.c $root/tests/host/arena.c $more $name.o");
		run("cd $root && $dir/$program");
	}
	my @report = qx{gcov -b $name.o 2>/dev/null};
	open my $file, '<', "$name.c.gcov" or die "$name.c.gcov: $!";
	my ($line, $excused, $lines, @missed, %excuse) = ('', 0, 0);
	while (<$file>) {
		if (/^\s*([-#=\d]+\*?):\s*(\d+):(.*)/) {
			($line, my $count, my $text) = ($2, $1, $3);
			$excused = $text =~ /not covered: \S/;
			$lines++ if $count ne '-';
			$excuse{$line} = 1 if $excused;
			push @missed, "line $line" if $count =~ /^#/ && !$excused;
		} elsif (/^branch\s+\d+ (?:never executed|taken 0%)/) {
			push @missed, "a branch in line $line" unless $excused;
		}
	}
	cmp_ok($lines, '>', 50, "$source: gcov counts its lines");
	is("@missed", '', "$source: every line and every branch is taken");
	cmp_ok(keys %excuse, '<=', $lines / 100, "$source: at most one line in a hundred is excused");
}
done_testing;
