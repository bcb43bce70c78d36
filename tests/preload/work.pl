#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Work for perl: what is in hashes, arrays and strings comes from malloc.
use strict;
use warnings;

open my $file, '<', 'kernel/mm/heap.c' or die "heap.c: $!";
my @lines = <$file>;
my (%at, $text);
for my $round (1 .. 10) {
	for my $i (0 .. $#lines) {
		push @{ $at{$_}{$round} }, $i for $lines[$i] =~ /(\w+)/g;
	}
}
for my $word (sort keys %at) {
	$text .= join(' ', $word, map { scalar @{ $at{$word}{$_} } } sort keys %{ $at{$word} }) . "\n";
	delete $at{$word} if length $word > 4;
}
$text =~ s/([a-z]+)/\u$1/g for 1 .. 3;
print $text, join(',', sort keys %at), "\n";
