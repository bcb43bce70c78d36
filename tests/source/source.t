#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The sources themselves: that the heap stands alone, that a second compiler and
# two linters find nothing, who may include whom, and that make knows it.

use strict;
use warnings;
use FindBin;

use File::Basename qw(basename dirname);
use File::Copy 'copy';
use File::Find 'find';
use File::Path 'make_path';
use File::Temp 'tempdir';
use Test::More;

chdir "$FindBin::Bin/../.." or die "no tree: $!";

# These come from make; by themselves they are what make says without settings.
my $CC = $ENV{CC} // (grep { have($_) } qw(i686-elf-gcc i686-linux-gnu-gcc))[0] // 'gcc';
my $HOSTCC = $ENV{HOSTCC} // 'gcc';
my $CLANG = $ENV{CLANG} // 'clang';
my $CFLAGS = $ENV{KERNEL_CFLAGS} // '-std=gnu11 -O2 -g -m32 -march=i686 -ffreestanding -fno-pic '
	. '-fno-pie -mgeneral-regs-only -fno-stack-protector -fno-asynchronous-unwind-tables '
	. '-fno-omit-frame-pointer -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes '
	. '-Wmissing-prototypes -Wundef -Wvla -Wpointer-arith -Wcast-align -I. -Ilibk';
my $USER_CFLAGS = $ENV{USER_CFLAGS_ALL} // '-Iuser ' . $CFLAGS =~ s/-mgeneral-regs-only//r;

sub have {
	my ($command) = @_;
	return !system "command -v $command >/dev/null 2>&1";
}

# What a command says, on both channels, and how it fails if it does.
sub said {
	my ($command) = @_;
	my $text = qx{($command) 2>&1 </dev/null};
	return $text . ($? ? sprintf "status %d\n", $? >> 8 : '');
}

sub slurp {
	my ($path) = @_;
	open my $file, '<', $path or die "$path: $!";
	local $/;
	return <$file>;
}

# All files of the tree but what is built and what git keeps for itself.
my @FILES;
find(
	{
		no_chdir => 1,
		wanted => sub {
			$File::Find::prune = 1 if m{^\./(?:build|\.git)$};
			push @FILES, s{^\./}{}r if -f && !-l;
		},
	},
	'.'
);
@FILES = sort @FILES;
my @C = grep { /\.[ch]$/ } @FILES;
my @KERNEL = grep { m{^(?:boot|kernel|libk)/.*\.[chS]$} } @FILES;

subtest 'the tools are here' => sub {
	ok(have((split ' ', $_)[0]), $_)
		for $CC, $HOSTCC, $CLANG, qw(clang-format cppcheck nm make);
};

subtest 'heap.c and heap.h stand alone: two files, memcpy and memset' => sub {
	my $dir = tempdir(CLEANUP => 1);
	copy("kernel/mm/$_", $dir) or die "$_: $!" for 'heap.c', 'heap.h';
	my %compilers = (
		'gcc, 32 bits' => "$CC -m32",
		'gcc, 64 bits' => "$HOSTCC -m64",
		'clang, 32 bits' => "$CLANG -target i686-linux-gnu -m32",
		'clang, 64 bits' => "$CLANG -target x86_64-linux-gnu",
	);
	for my $name (sort keys %compilers) {
		for my $flags ('', '-DHEAP_CHECKS=0', '-O0', '-O2', '-O2 -DHEAP_CHECKS=0') {
			is(said("cd $dir && $compilers{$name} -std=gnu11 -ffreestanding -fno-pic "
						. "-Wall -Wextra -Werror $flags -c heap.c"),
				'', "$name: compiles $flags");
			my @needs = said("cd $dir && nm -u heap.o") =~ /^\s*U\s+(.*)$/mg;
			is("@{[sort @needs]}", 'memcpy memset', '  and needs memcpy and memset');
			unlink "$dir/heap.o";
		}
	}
};

subtest 'clang finds nothing in what the kernel is made of' => sub {
	is(said("$CLANG -target i686-linux-gnu $CFLAGS -fsyntax-only $_"), '', $_)
		for grep { m{^(?:boot|kernel|libk|tests/kernel)/.*\.c$} } @FILES;
};

subtest 'nor in what programs are made of' => sub {
	is(said("$CLANG -target i686-linux-gnu $USER_CFLAGS -Wno-missing-prototypes -fsyntax-only $_"), '', $_)
		for 'kernel/mm/heap.c', grep { m{^(?:libk|user|tests/user)/.*\.c$} } @FILES;
};

subtest 'clang-format would change nothing' => sub {
	for my $file (@C) {
		my @complaints = said("clang-format --dry-run -Werror $file") =~ /^(\S+: error)/mg;
		is("@complaints", '', $file);
	}
};

subtest 'cppcheck finds nothing' => sub {
	my $cppcheck = 'cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability '
		. '--inline-suppr';
	my @dirs = grep { -d } qw(boot kernel libk tests);
	is(said("$cppcheck -Ilibk -I. -Itests/host -itests/user @dirs"), '', "@dirs");
	is(said("$cppcheck -Iuser -Ilibk -I. user tests/user"), '', 'user tests/user');
};

subtest 'every file names its license' => sub {
	for my $file (grep { !m{^LICENSE$|\.(?:md|gz|json|svg|png)$|^\.} } @FILES) {
		my ($first, $second) = split /\n/, slurp($file);
		my $line = $first =~ /^#!/ ? $second : $first;
		like($line, qr{^(?:/\* |# |-- )SPDX-License-Identifier: MIT(?: \*/)?$}, $file);
	}
};

subtest 'every header is guarded by its own name' => sub {
	for my $file (grep { /\.h$/ } @FILES) {
		my $guard = uc $file =~ s{[^a-zA-Z0-9]}{_}gr;
		like(slurp($file), qr{^#ifndef $guard\n#define $guard\n.*^#endif\n\z}ms, $file);
	}
};

# Includes go down these stairs, never up. What stands on one stair does not know
# each other, but for a file and its own header, and where a stair is a family.
my @STAIRS = (
	[qr{^libk/}, 'a family'],
	[qr{^boot/|^kernel/mm/layout\.h$}, 'a family'],
	[qr{^kernel/(?:x86|dev)/|^kernel/panic\.}, 'a family'],
	[qr{^kernel/mm/memmap\.}],
	[qr{^kernel/mm/frame\.}],
	[qr{^kernel/mm/paging\.}],
	[qr{^kernel/mm/brk\.}],
	[qr{^kernel/mm/heap\.}],
	[qr{^kernel/mm/kmalloc\.}],
	[qr{^kernel/mm/ledger\.}],
	[qr{^kernel/mm/inspect\.}],
	[qr{^kernel/proc/elf\.}],
	[qr{^kernel/proc/area\.}],
	[qr{^kernel/proc/memory\.}],
	[qr{^kernel/proc/load\.}],
	[qr{^kernel/proc/(?:process|tty|switch)\.}, 'a family'],
	[qr{^kernel/proc/(?:syscall|files)\.}, 'a family'],
	[qr{^kernel/proc/ring3\.}],
	[qr{^kernel/cmdline\.}],
	[qr{^kernel/run\.h$}],
	[qr{^kernel/monitor/}, 'a family'],
	[qr{^kernel/main\.c$}],
);

# Headers that every freestanding compiler has.
my $COMPILERS = qr{^(?:limits|stdarg|stdbool|stddef|stdint)\.h$};

sub stair {
	my ($file) = @_;
	my ($stair) = grep { $file =~ $STAIRS[$_][0] } 0 .. $#STAIRS;
	return $stair;
}

# The files that a file includes, by their paths in the tree.
sub includes {
	my ($file) = @_;
	my ($text, @paths) = slurp($file);
	while ($text =~ /^\s*#\s*include\s+([<"])([^>"]+)[>"]/mg) {
		my ($bracket, $path) = ($1, $2);
		next if $bracket eq '<' && $path =~ $COMPILERS;
		push @paths, $bracket eq '<' ? "libk/$path"
			: $path =~ m{/} ? $path : dirname($file) . "/$path";
	}
	return @paths;
}

# Why a file must not include another, or nothing.
sub objection {
	my ($file, $header) = @_;
	my ($from, $to) = (stair($file), stair($header));
	return "$header is not there" unless -f $header;
	return "$header stands on no stair" unless defined $to;
	return "$header stands above" if $to > $from;
	return if $to < $from || $STAIRS[$to][1];
	return if $header eq $file =~ s/\.c$/.h/r;
	return "$header stands beside";
}

subtest 'includes go down the stairs' => sub {
	for my $file (@KERNEL) {
		if (!defined stair($file)) {
			fail("$file stands on a stair");
			next;
		}
		my @objections = grep { defined } map { objection($file, $_) } includes($file);
		is("@objections", '', $file);
	}
	is(objection('kernel/mm/frame.c', 'kernel/mm/paging.h'),
		'kernel/mm/paging.h stands above', 'an arrow upwards is seen');
	is(objection('kernel/mm/paging.c', 'kernel/mm/frame.h'), undef, 'one downwards is none');
};

# A program's <header.h> is the library's, or libk's where the library has none of its own.
subtest 'programs know their library, and that knows libk and the heap' => sub {
	for my $file (grep { m{^user/.*\.[chS]$} } @FILES) {
		my @paths = map { my $own = s{^libk/}{user/}r; -f $own && $own ne $file ? $own : $_ } includes($file);
		is("@{[grep { !-f || !m{^(?:user|libk)/|^kernel/mm/heap\.h$} } @paths]}", '', $file);
	}
};

subtest 'the heap and the memory map know next to nothing' => sub {
	is("@{[includes('kernel/mm/heap.c')]}", 'kernel/mm/heap.h', 'heap.c knows heap.h');
	is("@{[includes('kernel/mm/heap.h')]}", '', 'heap.h knows nothing');
	my @known = grep { !m{^libk/} } map { includes("kernel/mm/$_") } 'memmap.c', 'memmap.h';
	is("@{[sort @known]}", 'kernel/mm/layout.h kernel/mm/memmap.h',
		'the memory map knows libk and the layout');
};

# The objects that make would compile in a directory.
sub would_compile {
	my ($dir) = @_;
	my $plan = said("make -C $dir -n build/fencepost.elf");
	return map { $_ => 1 } $plan =~ m{-c -o build/(\S+)\.o (?!build/)\S+$}mg;
}

subtest 'make knows what includes what' => sub {
	delete local @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL GNUMAKEFLAGS)};
	my $dir = tempdir(CLEANUP => 1);
	for my $file (@FILES) {
		make_path("$dir/" . dirname($file));
		copy($file, "$dir/$file") or die "$file: $!";
		chmod +(stat $file)[2] & 07777, "$dir/$file";
	}
	my %objects = would_compile($dir);
	cmp_ok(scalar keys %objects, '>', 20, 'everything is compiled the first time');
	unlike(said("make -C $dir -j2 build/fencepost.elf"), qr/^status/m, 'it is built');
	%objects = would_compile($dir);
	is("@{[sort keys %objects]}", '', 'and then nothing is to be compiled');
	utime time + 5, time + 5, "$dir/kernel/mm/frame.h";
	%objects = would_compile($dir);
	ok($objects{"kernel/mm/$_"}, "frame.h changed: $_.c is compiled again") for 'frame', 'paging';
	ok(!$objects{$_}, "$_ is not") for 'libk/string', 'kernel/mm/heap';
};

done_testing;
