#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The suite on a small machine, booted directly, with the one trace that fits.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use Judge;
use Test::More;

my $run = Judge::boot(kernel => 'build/test.elf', memory => 8,
	modules => ['build/traces/sqlite.fpt'], append => Judge::words('modules=sqlite'));
Judge::tap($run, compiled => Judge::compiled_in('build/test.elf'), Judge::asked_for());
done_testing;
