# SPDX-License-Identifier: MIT
#
# PPM, as QEMU writes pictures of its screen, into PNG with a palette: a text
# screen has sixteen colours at most.

package Png;

use strict;
use warnings;

use Compress::Zlib qw(compress crc32);

sub chunk {
	my ($type, $data) = @_;
	return pack('N', length $data) . $type . $data . pack 'N', crc32($type . $data);
}

# of_ppm() takes the bytes of one file and gives those of the other; dies in words if it cannot.
sub of_ppm {
	my ($ppm) = @_;
	$ppm =~ /\AP6\s+(\d+)\s+(\d+)\s+255\s/ or die "no PPM of 8 bits a colour\n";
	my ($width, $height, $at) = ($1, $2, $+[0]);
	die "the PPM is cut\n" if length $ppm != $at + 3 * $width * $height;
	my (%index, @palette);
	my $rows = '';
	for my $y (0 .. $height - 1) {
		my @row;
		for my $pixel (unpack '(a3)*', substr $ppm, $at + 3 * $width * $y, 3 * $width) {
			if (!defined $index{$pixel}) {
				$index{$pixel} = @palette;
				push @palette, $pixel;
				die "more than sixteen colours\n" if @palette > 16;
			}
			push @row, $index{$pixel};
		}
		push @row, 0 if @row % 2;
		$rows .= "\0" . pack 'C*', map { $row[2 * $_] << 4 | $row[2 * $_ + 1] } 0 .. $#row / 2;
	}
	return "\x89PNG\r\n\x1a\n"
		. chunk('IHDR', pack 'NNCCCCC', $width, $height, 4, 3, 0, 0, 0)
		. chunk('PLTE', join '', @palette)
		. chunk('IDAT', compress($rows, 9))
		. chunk('IEND', '');
}

1;
