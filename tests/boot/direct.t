#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The suite on an ordinary machine, booted directly, with all traces as modules.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use Judge;
use Test::More;

my @traces = Judge::traces();
my $run = Judge::boot(kernel => 'build/test.elf', memory => 128, modules => \@traces,
	append => Judge::words(Judge::modules_word(@traces)));
Judge::tap($run, compiled => Judge::compiled_in('build/test.elf'), Judge::asked_for());
done_testing;
