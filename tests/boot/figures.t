#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# What the floors below the heap cost in instructions (tests/bench/figures.c):
# bounded, the same in every boot, and not growing with what is there.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use Judge;
use Test::More;

# The most that may be taken for one, with room for another compiler.
my %most = (
	'a page of growth' => 2000,
	'a page of shrinking' => 400,
	'a frame at boot' => 120,
);

sub figures {
	my ($memory) = @_;
	my $run = Judge::boot(kernel => 'build/bench.elf', memory => $memory, icount => 1,
		append => 'only=figure_ seed=1');
	Judge::green($run, "figures with $memory MiB",
		Judge::verdict($run, compiled => Judge::compiled_in('build/bench.elf'), only => 'figure_'));
	my %figures = map { /^# figure: (.*): ([\d.]+) instructions$/ ? ($1 => $2) : () }
		@{ $run->{lines} };
	note "$memory MiB: $_: $figures{$_} instructions" for sort keys %figures;
	return \%figures;
}

my $small = figures(128);
my $large = figures(3072);
for my $name (sort keys %most) {
	cmp_ok($_->{$name} // 1e9, '<=', $most{$name}, "$name: at most $most{$name}") for $small, $large;
	cmp_ok($large->{$name} // 1e9, '<=', 1.05 * ($small->{$name} // 0),
		"$name: no more with 3 GiB than with 128 MiB");
}
is_deeply(figures(128), $small, 'the same figures again');
done_testing;
