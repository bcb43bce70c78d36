#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The scores in the book are what make test HEAP=... gives: word for word, but for
# the time. Of that, the order alone is the same everywhere.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use Book;
use Test::More;

chdir "$FindBin::Bin/../.." or die "no tree: $!";
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL GNUMAKEFLAGS)};

my %speed;
for my $part (grep { ($_->{kind} // '') eq 'console' } map { Book::parts(Book::slurp($_)) } Book::chapters()) {
	my $said = Book::score($part);
	my ($heap) = $said =~ /HEAP=\S*?(\w+)\.c$/m or next;
	is(Book::without_time($said), Book::without_time($part->{body}), $heap);
	($speed{$heap}) = $said =~ /speed (\d+)%$/m;
}
is_deeply([sort keys %speed], [qw(boundary_tags bump first_fit heap)], 'all steps are there');
cmp_ok($speed{first_fit}, '<', $speed{boundary_tags}, 'a long list is slow');
cmp_ok($speed{boundary_tags}, '<', $speed{heap}, 'a shorter one is less so, and bins are fast');
cmp_ok($speed{boundary_tags}, '<', $speed{bump}, 'a pointer that moves is faster than both');
done_testing;
