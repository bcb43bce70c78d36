#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Ten million operations on the heap beside a timer that allocates (tests/bench/interrupts.c).

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use Judge;
use Test::More;

my $run = Judge::boot(kernel => 'build/bench.elf', memory => 64, append => "only=ten_million");
Judge::tap($run, compiled => Judge::compiled_in('build/bench.elf'), only => 'ten_million');
done_testing;
