#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Boots the kernel given as argument and judges it as a run of tests: for runner.t, and by hand.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use Judge;
use Test::More;

my ($elf) = @ARGV;
my $run = Judge::boot(kernel => $elf, memory => 128, append => Judge::words());
Judge::tap($run, compiled => Judge::compiled_in($elf), Judge::asked_for());
done_testing;
