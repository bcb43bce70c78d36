#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# tests/pictures/heapmap.pl NAME OUT.svg: has the kernel replay a trace, and draws
# what it sends of its heap.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../boot";

use Heapmap;
use Judge;

die "usage: tests/pictures/heapmap.pl NAME OUT.svg\n" unless @ARGV == 2;
my ($name, $out) = @ARGV;

# Alone on the line, the memory for the trace's blocks is all there is.
my $run = Judge::boot(kernel => 'build/fencepost.elf', memory => 128,
	modules => ["build/traces/$name.fpt"], append => "heapmap=$name");
my $heap = eval { Heapmap::parse(@{ $run->{lines} }) };
die "heapmap: " . ($@ || "the kernel ended with status $run->{status}\n")
	if !$heap || $run->{status} != Judge::PASS;
open my $file, '>', "$out.tmp" or die "$out.tmp: $!\n";
print $file Heapmap::svg($heap);
close $file or die "$out.tmp: $!\n";
rename "$out.tmp", $out or die "$out: $!\n";
