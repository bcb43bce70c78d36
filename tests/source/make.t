#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# What the Makefile promises a newcomer: a list of all that can be asked for,
# and a build with the host's own compiler where there is no other.

use strict;
use warnings;
use FindBin;

use File::Temp 'tempdir';
use Test::More;

chdir "$FindBin::Bin/../.." or die "no tree: $!";
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL GNUMAKEFLAGS CC)};

sub slurp {
	my ($path) = @_;
	open my $file, '<', $path or die "$path: $!";
	local $/;
	return <$file>;
}

my @makefiles = ('Makefile', glob('tests/*/*.mk'), 'user/user.mk');
my $text = join '', map { slurp($_) } @makefiles;
my $help = qx{make -s help};

# Targets of one word that are commands, not files; what records a single trace is in its README.
my %targets = map { $_ => 1 } map { split } $text =~ /^\.PHONY: (.*)$/mg;
for my $target (sort grep { /^[a-z]+$/ } keys %targets) {
	like($help, qr/^  $target\s+\S.*$/m, "make help tells of $target");
}
my %variables = map { $_ => 1 } $text =~ /^([A-Z]+) \?=/mg;
for my $variable (sort keys %variables, qw(CROSS_COMPILE QEMUFLAGS PROVEFLAGS V)) {
	like($help, qr/^  $variable\s+\S.*$/m, "make help tells of $variable");
}
is((grep { length > 100 } split /\n/, $help), 0, 'in a line each');

# Without a cross compiler: gcc -m32.
my $dir = tempdir(CLEANUP => 1);
system "cp -r Makefile linker.ld boot kernel libk tests tools user $dir/";
my $said = qx{make -C $dir -j2 V=1 CROSS_COMPILE= build/fencepost.elf 2>&1};
is($?, 0, 'gcc -m32 builds the kernel') or diag $said;
like($said, qr/^gcc .*-m32/m, 'and is what was used');
unlike($said, qr/^i686-\S+gcc/m, 'without the cross compiler');
done_testing;
