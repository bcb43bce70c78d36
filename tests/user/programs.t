#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The programs for ring 3 that have something to show, as programs of Linux.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use Programs qw(need run);
use Test::More;

need(qw(build/user/churn build/user/sums build/user/bench build/user/glibc/churn build/user/glibc/sums));

my ($said, $complaint, $status) = run('build/user/hello one "two three"');
is($status, 0, 'hello ends well');
is($complaint, '', '  without a complaint');
my $hex = qr/0x[0-9a-f]{8}/;
like(
	$said,
	qr{^hello\ from\ process\ \d+\n
	argument\ 0\ \ build/user/hello\nargument\ 1\ \ one\nargument\ 2\ \ two\ three\n
	break\ {7}$hex\nmalloc\(100\)\ $hex\nbreak\ {7}$hex,\ (\d+)\ bytes\ up\n$}x,
	'  and tells its arguments and its break'
);

my $notes = qx{readelf -nW build/user/hello};
like($notes, qr/^\s*Fencepost\s+0x00000004\s/m, 'a note names its heap');
my ($heap) = $notes =~ /description data: ((?:[0-9a-f]{2} ?){4})/;
my $address = join '', reverse split ' ', $heap // '';
like(qx{nm build/user/hello}, qr/^$address b heap$/m, '  by the address of its struct heap');

# With the host's library they come to the same sums.
sub beside {
	my ($command, $pattern) = @_;
	my ($theirs, undef, $their_status) = run("build/user/glibc/$command");
	is($their_status, 0, "$command, with the host's library");
	my ($ours, undef, $status) = run("build/user/$command");
	is($status, 0, '  and with ours');
	is($ours, $theirs, '  comes to the same');
	like($ours, $pattern, '  and says what it is to say');
	return $ours;
}

my $word = qr/[0-9a-f]{8}/;
my %churned = map { beside($_, qr/^churn: \d+ operations, checksum $word\n\z/) => 1 }
	'churn', 'churn 20000 256 4000 2', 'churn 3000 50 200000', 'churn 50000 4096 24';
is(scalar keys %churned, 4, 'each churn is another');
my %summed = map { beside($_, qr/^sums: \d+ rounds, $word, x87 $word, sse $word $word\n\z/) => 1 }
	'sums', map { "sums 1000000 $_" } 2 .. 5;
is(scalar keys %summed, 5, 'each sum is another');
($said, undef, $status) = run('build/user/churn 1 0');
is($status, 1, 'churn refuses what makes no sense');

($said, undef, $status) = run('build/user/bench');
is($status, 0, 'bench ends well');
my @rows = $said =~ m{^(\S.*\S) {2,}(\d+)/\d+$}mg;
is(2 * ($said =~ tr/\n//), scalar @rows, '  and every line is a row');
my %ticks = @rows;
cmp_ok($ticks{$_} // 0, '>', 0, "  $_")
	for 'brk, a page up: system call', 'page: first touch', '16: pair';

done_testing;
