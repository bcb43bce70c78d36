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

need();

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

done_testing;
