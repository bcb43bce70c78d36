#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# Real programs with the heap as their malloc: they do what they do with the
# system's, to the byte. And that this means something: each program tells how
# often it called the heap, a heap that gives half of what is asked for does not
# pass, and what a program must not do is named.

use strict;
use warnings;
use FindBin;

use File::Path qw(make_path remove_tree);
use Test::More;

chdir "$FindBin::Bin/../.." or die "no tree: $!";
chomp(my $root = qx{pwd -P});
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL GNUMAKEFLAGS LD_PRELOAD FENCEPOST_COUNTS)};
my $HOSTCC = $ENV{HOSTCC} // 'gcc';
my $CLANG = $ENV{CLANG} // 'clang';

my $dir = 'build/preload/run';
remove_tree($dir);
make_path($dir);
my $made = join ' ', map { ("build/preload/$_/malloc.so", "build/preload/$_/probe") } 64, 32;
system("make -s $made") == 0 or BAIL_OUT("cannot build $made");

sub slurp {
	my ($path) = @_;
	open my $file, '<', $path or return "$path: $!";
	binmode $file;
	local $/;
	return <$file>;
}

# Runs a command of the shell with a library preloaded, or none: what it says, its status, and how
# often each program of it called the heap. The shell itself runs with the system's malloc.
sub run {
	my ($library, $command) = @_;
	my $counts = "$root/$dir/counts";
	unlink $counts;
	my $with = $library ? "FENCEPOST_COUNTS=$counts LD_PRELOAD=$root/$library" : '';
	my $said = qx{(with() { env $with "\$@"; }; $command) 2>&1 </dev/null};
	my $status = $?;
	my %calls;
	for my $line (-e $counts ? split /\n/, slurp($counts) : ()) {
		my ($program, @numbers) = $line =~ /^(\S+) malloc (\d+) calloc (\d+) realloc (\d+) /;
		$calls{ $program // $line } += $_ for @numbers;
	}
	return ($said, $status, \%calls);
}

# What there is to run: the command, the programs in it that must have called the heap, and the
# file that it makes, if it makes one.
my $python = qx{python3 -c 'import sys; print(sys.executable)'};
chomp $python;
my $git = "GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a\@b "
	. "GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a\@b GIT_AUTHOR_DATE='1700000000 +0000' "
	. "GIT_COMMITTER_DATE='1700000000 +0000' with git -C $dir/repo";
my $objects = '-std=gnu11 -O2 -g -I. tests/host/ten_lines.c kernel/mm/heap.c';
my @jobs = (
	['gcc compiles and links', "with $HOSTCC $objects -o $dir/gcc.out && $dir/gcc.out",
		[qw(gcc cc1 as ld)], "$dir/gcc.out"],
	['clang compiles', "with $CLANG -O2 -g -I. -c tests/host/heap_model.c -Itests/host -o $dir/clang.o",
		['clang'], "$dir/clang.o"],
	['python3 computes', "PYTHONMALLOC=malloc PYTHONHASHSEED=1 with $python tests/preload/work.py",
		['python']],
	['sqlite3 has a database in memory',
		"with sqlite3 -batch -bail -init /dev/null :memory: '.read tests/traces/library.sql'", ['sqlite3']],
	['perl works on text', "PERL_HASH_SEED=0 with perl tests/preload/work.pl", ['perl']],
	['git commits, packs, checks and shows a tree',
		"rm -rf $dir/repo && mkdir $dir/repo && cp -r kernel libk tests/host $dir/repo && "
			. "$git init -q -b main && $git add . && $git commit -q -m one && "
			. "cp kernel/mm/heap.c $dir/repo/kernel/mm/brk.c && $git commit -q -a -m two && "
			. "$git repack -q -a -d && $git fsck --full && $git log -p --stat && $git rev-parse HEAD",
		['git']],
);

sub called {
	my ($calls, $program) = @_;
	my $sum = 0;
	$sum += $calls->{$_} for grep { /^\Q$program\E/ } keys %$calls;
	return $sum;
}

my $heap = 'build/preload/64/malloc.so';
for my $job (@jobs) {
	my ($name, $command, $programs, $file) = @$job;
	my ($expected, $status) = run(undef, $command);
	my $made_before = $file ? slurp($file) : '';
	is($status, 0, $name) or diag $expected;
	my ($said, $status_with, $calls) = run($heap, $command);
	is($status_with, 0, '  with the heap as well') or diag $said;
	ok($said eq $expected, '  and says the same, ' . length($said) . ' bytes')
		or diag substr $said, 0, 2000;
	ok(slurp($file) eq $made_before, '  and makes the same, ' . length($made_before) . ' bytes') if $file;
	for my $program (@$programs) {
		my $n = called($calls, $program);
		cmp_ok($n, '>', 100, "  $program called the heap $n times");
	}
}

# A shim that is short of memory must not get away with it.
my $source = slurp('tests/preload/malloc.c');
my $half = $source =~ s/heap_malloc\(&heap, size\)/heap_malloc(&heap, size \/ 2)/r;
isnt($half, $source, 'malloc() can be made to give half');
open my $file, '>', "$dir/half.c" or die "$dir/half.c: $!";
print $file $half;
close $file;
is(system("$HOSTCC -std=gnu11 -O2 -fPIC -shared -fvisibility=hidden -fno-builtin-malloc -I. -pthread "
			. "-o $dir/half.so $dir/half.c kernel/mm/heap.c"),
	0, '  and then compiles');
for my $job (grep { $_->[0] =~ /^(?:python|sqlite|perl)/ } @jobs) {
	my ($said, $status) = run("$dir/half.so", "ulimit -c 0; $job->[1]");
	isnt($status, 0, "  but not: $job->[0]");
}

# What a program may expect, and what it must not do. The shell tells the signal in its status.
use constant ABORTED => 128 + 6;
for my $bits (64, 32) {
	my $probe = "build/preload/$bits/probe";
	my ($said, $status, $calls) = run("build/preload/$bits/malloc.so", "with $probe");
	is($status, 0, "$bits bits: the probe ends well") or diag $said;
	like($said, qr/^1\.\.17$/m, '  at its end');
	unlike($said, qr/^not ok/m, '  and finds nothing wrong');
	cmp_ok(called($calls, 'probe'), '>', 10000, '  in the heap');

	my %wrong = (
		'double-free' => qr/^fencepost: not in use/m,
		'overflow' => qr/^fencepost: \S/m,
		'foreign' => qr/^fencepost: not within the heap/m,
	);
	for my $what (sort keys %wrong) {
		($said, $status) = run("build/preload/$bits/malloc.so", "with $probe $what");
		is($status >> 8, ABORTED, "$bits bits, $what: stops the program");
		like($said, $wrong{$what}, '  and is named');
	}
}
my ($said, $status) = run($heap, "ulimit -v 200000; with $python -c 'print(len([0] * 1000000))'");
is($said, "1000000\n", 'a program with limited addresses gets what there is');
($said, $status) = run($heap, "ulimit -v 200000; with $python -c '
try:
    bytearray(1 << 28)
except MemoryError:
    print(\"memory ran out\")'");
is($said, "memory ran out\n", '  and is told when there is no more');
done_testing;
