#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# A memory map that lies: 64 MiB of RAM at 512 MiB, on a machine of 128 MiB, and
# RAM where the ROM is. What is not there is named, left out, and never written
# to but for finding that out.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use Judge;
use Test::More;

my $nowhere = qr/^Invalid (?:read|write) at addr 0x2[0-3][0-9A-F]{6},/;
my $image = 'build/broken/lying_map.elf';

my $run = Judge::boot(kernel => $image, memory => 128, modules => ['build/traces/sqlite.fpt'],
	append => Judge::words('modules=sqlite'));
Judge::tap($run, compiled => Judge::compiled_in($image), guest_errors => [$nowhere],
	Judge::asked_for());
ok((grep { /^memory: 65536 KiB at 0x20000000 claimed as RAM, but not there; left out$/ } @{ $run->{lines} }),
	'fault_48: what is not there is named, and the break never reaches it');
ok((grep { /^memory: left unused: .*\b192 KiB ROM\b.*\b64 KiB also reserved\b/ } @{ $run->{lines} }),
	'fault_50: and the ROM left alone');
done_testing;
