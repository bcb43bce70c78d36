#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The suite on machines with more memory than fits the direct map, and than fits 32 bits.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use Machines;
use Test::More;

Machines::run_suite_on(3072, 6144);
done_testing;
