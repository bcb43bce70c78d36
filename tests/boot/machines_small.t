#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The suite on machines with little and with ordinary memory, booted directly.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use Machines;
use Test::More;

Machines::run_suite_on(4, 8, 16, 128);
done_testing;
