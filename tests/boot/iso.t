#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The suite booted by GRUB from the ISO image, and whether that is the same
# kernel as the one booted directly. The command line is part of the image: make
# builds it anew for another SEED or ONLY.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use Judge;
use Test::More;

my $run = Judge::boot(iso => 'build/test.iso', memory => 128);
Judge::tap($run, compiled => Judge::compiled_in('build/test.elf'), Judge::asked_for());

sub build_id {
	my ($run) = @_;
	my ($id) = map { /build-id ([0-9a-f]+)/ ? $1 : () } @{ $run->{lines} };
	return $id;
}

my $modules = Judge::traces();
ok((grep { /^loaded by GRUB .*, $modules modules$/ } @{ $run->{lines} }), 'GRUB loads all traces');
my $word = Judge::modules_word(Judge::traces());
ok((grep { /^cmdline: .*\Q$word\E$/ } @{ $run->{lines} }), 'and the command line names them all');

# Which tests run does not matter here, so that the second boot is a short one.
my $direct = Judge::boot(kernel => 'build/test.elf', memory => 128, append => 'only=none_of_them');
my ($id) = map { /Build ID: ([0-9a-f]+)/ ? $1 : () } Judge::output_of('readelf', '-n', 'build/test.elf');
like($id, qr/^[0-9a-f]{40}$/, 'the test kernel has a build id');
is(build_id($run), $id, 'the image boots that kernel');
is(build_id($direct), $id, 'and direct boot does');
done_testing;
