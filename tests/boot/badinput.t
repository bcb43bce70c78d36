#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# What a loader or a person may get wrong: the kernel names it, and goes on
# where it can. Nothing here is a panic.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use File::Temp;
use Judge;
use Test::More;

sub answers {
	my ($run, $name, %expect) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	Judge::green($run, $name, Judge::complaints($run, unlike => [qr/^panic/m], %expect));
}

sub write_file {
	my ($path, $bytes) = @_;
	open my $file, '>:raw', $path or die "$path: $!";
	print $file $bytes;
	close $file or die "$path: $!";
	return $path;
}

sub read_file {
	my ($path) = @_;
	open my $file, '<:raw', $path or die "$path: $!";
	local $/;
	return scalar <$file>;
}

answers(Judge::boot(kernel => 'build/fencepost.elf', memory => 2, append => 'demo'),
	'a machine that is too small is refused',
	status => Judge::REFUSED, like => [qr/needs at least \d+ KiB/]);

answers(Judge::boot(kernel => 'build/broken/not_multiboot.elf'),
	'a loader that is none is refused',
	status => Judge::REFUSED, like => [qr/not booted by a Multiboot loader/]);

answers(Judge::boot(kernel => "build/broken/$_.elf", memory => 256),
	"a machine without room for page tables is refused: $_",
	status => Judge::REFUSED, like => [qr/^boot: cannot start: no room for page tables/m])
	for qw(no_frames few_frames crumbs);

answers(Judge::boot(kernel => 'build/fencepost.elf', append => 'demo'),
	'without modules the demonstration still ends well', status => Judge::PASS);

# One boot with everything wrong at once, around one trace that is good.
my $dir = File::Temp->newdir;
my ($good) = Judge::traces();
my $name = Judge::name_of_trace($good);
my $trace = read_file($good);
my @modules = (
	write_file("$dir/notrace.fpt", "#!/bin/sh\necho this is no trace\n" x 100),
	write_file("$dir/packed.fpt", read_file("tests/traces/$name.fpt.gz")),
	write_file("$dir/empty.fpt", ''),
	write_file("$dir/truncated.fpt", substr $trace, 0, length($trace) / 2 | 1),
	$good,
);
answers(Judge::boot(kernel => 'build/fencepost.elf', modules => \@modules,
		append => "demo nonsense modules=$name,nothere"),
	'wrong modules and words are named, and the rest goes on',
	status => Judge::PASS,
	like => [
		qr/^cmdline: unknown word 'nonsense' ignored$/m,
		qr/^replay: nothere: missing, though the command line names it; skipped$/m,
		qr/^replay: packed: no trace, but a compressed file; skipped$/m,
		qr/^replay: notrace: no trace; skipped$/m,
		qr/^replay: empty: no trace; skipped$/m,
		qr/^replay: truncated: truncated; skipped$/m,
		qr/^\Q$name\E +\d+ .*%$/m,
	],
	unlike => [qr/^panic/m, qr/^replay: \Q$name\E: .*skipped/m]);

done_testing;
