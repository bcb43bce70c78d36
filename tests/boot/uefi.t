#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The suite booted by GRUB under UEFI: its memory map has RAM in many pieces,
# and its screen is none that we can write text to.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use Judge;
use Test::More;

# The firmware looks, again and again, for a TPM that is not there.
my $tpm = qr/^Invalid (?:read|write) at addr 0xFED4[0-4][0-9A-F]{3},/;

my $run = Judge::boot(iso => 'build/uefi.iso', uefi => 1, memory => 256);
Judge::tap($run, compiled => Judge::compiled_in('build/test.elf'), guest_errors => [$tpm],
	Judge::asked_for());

sub said {
	my ($regex, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok((grep { $_ =~ $regex } @{ $run->{lines} }), $name);
}

my $modules = Judge::traces();
said(qr/^BdsDxe: starting Boot/, 'the firmware is UEFI');
said(qr/^loaded by GRUB .*, $modules modules$/, 'GRUB loads all traces');
said(qr/^console: no VGA text screen here, serial only$/, 'that there is no screen is said');
done_testing;
