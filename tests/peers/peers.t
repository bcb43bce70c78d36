#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The comparison with other allocators works, on little: its figures are there and
# make sense, and nobody is measured in another's name. What they are is not judged.

use strict;
use warnings;
use FindBin;

use JSON::PP;
use Test::More;

chdir "$FindBin::Bin/../.." or die "no tree: $!";
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL GNUMAKEFLAGS LD_PRELOAD)};

my $needed = join ' ', 'build/traces/sqlite.fpt',
	map { ("build/peers/$_/bench", "build/peers/$_/unchecked.so", "build/preload/$_/malloc.so") } 64, 32;
system("make -s $needed") == 0 or BAIL_OUT("cannot build $needed");

my $into = 'build/peers/try';
my @ALWAYS = qw(fencepost core unchecked glibc);

sub slurp {
	my ($path) = @_;
	open my $file, '<', $path or return "$path: $!";
	local $/;
	return <$file>;
}

sub compare {
	my (@arguments) = @_;
	unlink map { "$into.$_" } qw(json md svg);
	my $said = qx{tests/peers/bench.pl --rounds=2 --no-counts --into=$into @arguments 2>&1};
	return ($said, $?);
}

my ($said, $status) = compare('--only=sqlite,grow', 'build/peers/64/unchecked.so');
is($status, 0, 'a short comparison') or BAIL_OUT($said);
my $result = decode_json(slurp("$into.json"));
is(scalar @{ $result->{parts} }, 2, 'for 64 and 32 bits');
for my $part (@{ $result->{parts} }) {
	my $bits = $part->{bits};
	is_deeply($part->{workloads}, [qw(sqlite grow)], "$bits bits: a trace and a shape");
	is_deeply([@{ $part->{allocators} }[0 .. $#ALWAYS]], \@ALWAYS, '  of allocators that are always there');
	for my $workload (@{ $part->{workloads} }) {
		my $figures = $part->{results}{$workload};
		my %all = %{ $figures->{allocators} };
		is_deeply([sort keys %all], [sort @{ $part->{allocators} }], "$bits bits, $workload: all are measured");
		is($all{fencepost}{time}{ratio}, 1, '  as a ratio to this heap');
		my @odd = grep {
			my $f = $all{$_};
			grep { !($_ > 0) } $f->{time}{low}, $f->{first}{low}, $f->{space}, $f->{warm}{ns},
				$f->{fresh}{ns};
		} keys %all;
		is("@odd", '', '  with all figures');
		my @few = grep { $_ ne 'fencepost' && $all{$_}{time}{low} > $all{$_}{time}{ratio} } keys %all;
		is("@few", '', '  the median no less than the least');
		cmp_ok($figures->{utilization}, '<=', $figures->{bound} + 0.01, '  space within its bound');
	}
	my $sqlite = $part->{results}{sqlite};
	is($sqlite->{operations}, 46964, "$bits bits: all of the trace");
	is($sqlite->{peak_live}, 675114, '  with the peak that it has');
}
is($result->{parts}[0]{allocators}[-1], 'unchecked-2', 'a library that is given takes part');

my $svg = slurp("$into.svg");
like($svg, qr{\A<svg .*</svg>\n\z}s, 'a picture');
like($svg, qr{>$_</text>}, "  that names $_") for @ALWAYS, 'sqlite', 'grow', 'Time', 'Space', 'Worst case';
my $depth = 0;
$depth += $1 ? -1 : $2 ? 0 : 1 while $svg =~ m{<(/)?[a-z]+\b[^>]*?(/)?>}g;
is($depth, 0, '  every element is closed');
like(slurp("$into.md"), qr/^\| sqlite +\|/m, 'a table to be pasted');

# A library without malloc leaves the C library's in place.
my ($other) = glob '/lib/x86_64-linux-gnu/libm.so.6 /lib64/libm.so.6 /usr/lib/libm.so.6';
($said, $status) = compare('--only=grow', $other);
isnt($status, 0, 'a library that has no malloc is not measured');
like($said, qr/^ran with malloc from .*libc/m, '  and why');
($said, $status) = compare('--only=grow', 'README.md');
like($said, qr/^README\.md: no shared library$/m, 'nor is what is no library');
done_testing;
