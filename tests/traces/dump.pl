#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Checks traces against the format of README.md and prints what they amount to.
use strict;
use warnings;
use Getopt::Std;

use constant {
	HEADER        => 16,
	MAX_COUNT     => 1 << 24,
	MAX_SLOTS     => 1 << 18,
	MAX_LOG2      => 12,
	MAX_SIZE      => 2**31 - 1,
	VARINT_BYTES  => 5,
	VARINT_VALUES => 2**32,
};
use constant { ALLOC => 0, ZALLOC => 1, ALIGNED => 2, REALLOC => 3, FREE => 4 };
my @KINDS = qw(ALLOC ZALLOC ALIGNED REALLOC FREE);

sub slurp {
	my ($path) = @_;
	open(my $file, '<:raw', $path) or die "$!\n";
	local $/;
	return scalar readline($file) // '';
}

sub read_header {
	my ($bytes) = @_;
	die "shorter than a header\n" if length($bytes) < HEADER;
	my ($magic, $operations, $slots, $body) = unpack('a4 V3', $bytes);
	die "bad magic\n"           if $magic ne 'FPT1';
	die "too many operations\n" if $operations > MAX_COUNT;
	die "too many slots\n"      if $slots > MAX_SLOTS;
	my $over = length($bytes) - HEADER - $body;
	die "body is short of " . -$over . " bytes\n" if $over < 0;
	die "$over bytes after the body\n"            if $over > 0;
	return { operations => $operations, slots => $slots, body => $body };
}

# A function which returns the next varint of the body, and undef at its end.
sub varints {
	my ($bytes) = @_;
	my $at = HEADER;
	return sub {
		my $value = 0;
		return undef if $at == length($bytes);
		for my $i (0 .. VARINT_BYTES - 1) {
			die "ends within a number\n" if $at == length($bytes);
			my $byte = vec($bytes, $at++, 8);
			$value += ($byte & 0x7f) * 2**(7 * $i);
			next if $byte & 0x80;
			die "number too large\n" if $value >= VARINT_VALUES;
			return $value;
		}
		die "number too long\n";
	};
}

sub next_operation {
	my ($next) = @_;
	my $head = $next->() // return;
	my %op = (kind => $head & 7, slot => $head >> 3);
	die "invalid kind $op{kind}\n" if $op{kind} > FREE;
	return \%op if $op{kind} == FREE;
	if ($op{kind} == ALIGNED) {
		$op{log2} = $next->() // die "ends within an operation\n";
		die "alignment too large\n" if $op{log2} > MAX_LOG2;
	}
	$op{size} = $next->() // die "ends within an operation\n";
	die "size too large\n" if $op{size} > MAX_SIZE;
	return \%op;
}

# Applies an operation to the live blocks (slot => size) and to the totals.
sub apply {
	my ($op, $live, $sum) = @_;
	my $slot = $op->{slot};
	my $used = $op->{kind} == REALLOC || $op->{kind} == FREE;
	die "slot $slot is out of range\n" if $slot >= $sum->{slots};
	die "slot $slot is empty\n"  if $used  && !exists $live->{$slot};
	die "slot $slot is in use\n" if !$used && exists $live->{$slot};

	$sum->{kind}[$op->{kind}]++;
	$sum->{bytes} -= delete $live->{$slot} if $used;
	return if $op->{kind} == FREE;
	my $size = $live->{$slot} = $op->{size};
	$sum->{bytes}     += $size;
	$sum->{allocated} += $size;
	$sum->{largest}     = $size         if $size > $sum->{largest};
	$sum->{top_slot}    = $slot         if $slot > $sum->{top_slot};
	$sum->{peak_bytes}  = $sum->{bytes} if $sum->{bytes} > $sum->{peak_bytes};
	$sum->{peak_blocks} = keys %$live   if keys %$live > $sum->{peak_blocks};
}

sub print_operation {
	my ($op) = @_;
	print join(' ', $KINDS[$op->{kind}], $op->{slot},
		defined $op->{log2} ? 2**$op->{log2} : (),
		$op->{size} // ()), "\n";
}

sub read_trace {
	my ($path, $visit) = @_;
	my $bytes = slurp($path);
	my $sum = read_header($bytes);
	my $next = varints($bytes);
	my %live;
	my $count = 0;
	@$sum{qw(bytes allocated largest peak_bytes peak_blocks)} = (0) x 5;
	$sum->{top_slot} = -1;
	$sum->{kind} = [(0) x @KINDS];
	while ($count < $sum->{operations}) {
		eval {
			my $op = next_operation($next) // die "missing\n";
			apply($op, \%live, $sum);
			$visit->($op);
			1;
		} or die "operation $count: $@";
		$count++;
	}
	die "bytes after the last operation\n" if defined $next->();
	die "header says $sum->{slots} slots, not " . ($sum->{top_slot} + 1) . "\n"
		if $sum->{slots} != $sum->{top_slot} + 1;
	$sum->{left} = keys %live;
	return $sum;
}

sub print_totals {
	my ($path, $sum) = @_;
	my $kinds = $sum->{kind};
	my $requests = $sum->{operations} - $kinds->[FREE];
	print "$path\n";
	my @lines = (
		[operations => $sum->{operations}],
		(map { ["  $KINDS[$_]" => $kinds->[$_]] } 0 .. $#KINDS),
		[slots             => $sum->{slots}],
		['body bytes'      => $sum->{body}],
		['peak live bytes' => $sum->{peak_bytes}],
		['peak live blocks' => $sum->{peak_blocks}],
		['live at the end' => $sum->{left}],
		['allocated bytes' => $sum->{allocated}],
		['mean size'       => $requests ? int($sum->{allocated} / $requests + 0.5) : 0],
		['largest'         => $sum->{largest}],
	);
	printf "  %-18s%10d\n", @$_ for @lines;
}

my %opt;
getopts('v', \%opt) && @ARGV or die "usage: $0 [-v] trace.fpt ...\n";
my $failed = 0;
for my $path (@ARGV) {
	my $sum = eval { read_trace($path, $opt{v} ? \&print_operation : sub { }) };
	if ($sum) {
		print_totals($path, $sum);
	} else {
		print STDERR "$path: $@";
		$failed = 1;
	}
}
exit $failed;
