# SPDX-License-Identifier: MIT
#
# A picture of a heap over time: addresses upwards, operations to the right, a
# bar for each run of cells that show the same (kernel/monitor/heapmap.h).

package Heapmap;

use strict;
use warnings;

use List::Util qw(max);

use constant { LEFT => 96, TOP => 64, WIDTH => 960, HEIGHT => 440, FOOT => 76, RIGHT => 24 };

# What a sign of the map is, and its colour; they can be told apart without colours as well.
my @KINDS = (
	['#', 'used', '#3a6ea5'],
	['c', 'cached', '#e0a030'],
	['.', 'free', '#d5efcf'],
	['-', 'top', '#f0f0f0'],
	['+', 'bookkeeping', '#7a3e9d'],
);
my %KINDS = map { $_->[0] => $_ } @KINDS;

use constant { BREAK => '#c02020', LIVE => '#000000' };

# parse() takes the lines that the kernel sent:
#   name, operations, cell        of the trace, and bytes of a cell
#   columns                       [operations, break, live, cells as a string of signs]
# It dies in words if they are not all there.
sub parse {
	my ($heap, $ended);
	for (@_) {
		if (/^heapmap: begin (\S+) (\d+) 0x[0-9a-f]+ (\d+)$/) {
			$heap = { name => $1, operations => $2, cell => $3, columns => [] };
		} elsif ($heap && /^heapmap: at (\d+) (\d+) (\d+) ((?:[-#c.+]\d+)*)$/) {
			my ($at, $break, $live, $runs) = ($1, $2, $3, $4);
			my $cells = join '', map { my ($sign, $n) = /(.)(.*)/; $sign x $n } $runs =~ /([-#c.+]\d+)/g;
			push @{ $heap->{columns} }, [$at, $break, $live, $cells];
		} elsif ($heap && /^heapmap: end$/) {
			$ended = 1;
		} elsif (/^heapmap: (.*)/) {
			die "the kernel says: $1\n";
		}
	}
	die "the kernel sent no map\n" unless $heap && @{ $heap->{columns} };
	die "the kernel's maps end early\n" unless $ended;
	return $heap;
}

# Bars of a kind, as a path in units of a column and a cell.
sub bars {
	my ($heap, $sign) = @_;
	my $columns = $heap->{columns};
	my %open; # row => column where its bar began
	my $path = '';
	for my $x (0 .. @$columns) {
		my $cells = $x < @$columns ? $columns->[$x][3] : '';
		my %here;
		$here{ pos($cells) - 1 } = 1 while $cells =~ /\Q$sign\E/g;
		for my $row (sort { $a <=> $b } grep { !$here{$_} } keys %open) {
			my $n = $x - $open{$row};
			$path .= "M$open{$row} ${row}h${n}v1h-${n}z";
			delete $open{$row};
		}
		$open{$_} //= $x for keys %here;
	}
	return $path;
}

# The curve of a figure, as steps: each column is what it was at its beginning.
sub curve {
	my ($heap, $field, $dx, $dy) = @_;
	my $columns = $heap->{columns};
	my $path = sprintf 'M%d %.1f', LEFT, TOP + HEIGHT;
	for my $x (0 .. $#$columns) {
		$path .= sprintf 'V%.1fH%.1f', TOP + HEIGHT - $columns->[$x][$field] / $heap->{cell} * $dy,
			LEFT + ($x + 1) * $dx;
	}
	return $path;
}

sub size_text {
	my ($bytes) = @_;
	return $bytes < 1 << 20 ? sprintf '%d KiB', $bytes >> 10 : sprintf '%.3g MiB', $bytes / (1 << 20);
}

# A step of 1, 2 or 5 times a power, of which four to nine make up @most.
sub step_for {
	my ($most, $base) = @_;
	my $power = 1;
	$power *= $base while $most / $power >= 4 * $base;
	my ($step) = grep { $most / $_ < 9 } map { $_ * $power } $base == 10 ? (1, 2, 5, 10) : (1, 2, 4);
	return $step // $power * $base;
}

sub svg {
	my ($heap) = @_;
	my $columns = @{ $heap->{columns} };
	my $rows = max map { length $_->[3] } @{ $heap->{columns} };
	my ($dx, $dy) = (WIDTH / $columns, HEIGHT / ($rows || 1));
	my ($width, $height) = (LEFT + WIDTH + RIGHT, TOP + HEIGHT + FOOT);
	my $scale = sprintf 'translate(%d %d) scale(%.4f %.4f)', LEFT, TOP + HEIGHT, $dx, -$dy;

	my $svg = qq{<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 $width $height" }
		. qq{font-family="sans-serif" font-size="13">\n}
		. qq{<title>The heap while $heap->{name} is replayed</title>\n}
		. qq{<rect width="$width" height="$height" fill="#fff"/>\n};
	$svg .= sprintf qq{<text x="%d" y="24" font-size="17">The kernel's heap while the trace %s is replayed</text>\n},
		LEFT, $heap->{name};

	my $x = LEFT;
	for my $kind (@KINDS) {
		my (undef, $name, $colour) = @$kind;
		$svg .= sprintf qq{<rect x="%d" y="38" width="12" height="12" fill="%s" stroke="#888" stroke-width=".5"/>}
			. qq{<text x="%d" y="49">%s</text>\n}, $x, $colour, $x + 17, $name;
		$x += 40 + 8 * length $name;
	}
	for (['break', BREAK, ''], ['live bytes asked for', LIVE, ' stroke-dasharray="4 2"']) {
		my ($name, $colour, $more) = @$_;
		$svg .= sprintf qq{<path d="M%d 44h22" stroke="%s" stroke-width="2"%s/><text x="%d" y="49">%s</text>\n},
			$x, $colour, $more, $x + 28, $name;
		$x += 52 + 8 * length $name;
	}

	my $bytes = $rows * $heap->{cell};
	my $step = step_for($bytes, 2);
	for (my $at = 0; $at <= $bytes; $at += $step) {
		my $y = TOP + HEIGHT - $at / $heap->{cell} * $dy;
		$svg .= sprintf qq{<path d="M%d %.1fh%d" stroke="#ddd"/><text x="%d" y="%.1f" text-anchor="end">%s</text>\n},
			LEFT - 5, $y, WIDTH + 5, LEFT - 9, $y + 4, $at ? size_text($at) : '0xd0000000';
	}
	$step = step_for($heap->{operations}, 10);
	for (my $at = 0; $at <= $heap->{operations}; $at += $step) {
		my $px = LEFT + WIDTH * $at / $heap->{operations};
		$svg .= sprintf qq{<path d="M%.1f %dv5" stroke="#888"/><text x="%.1f" y="%d" text-anchor="middle">%d</text>\n},
			$px, TOP + HEIGHT, $px, TOP + HEIGHT + 19, $at;
	}
	$svg .= sprintf qq{<text x="%d" y="%d" text-anchor="middle">operations of malloc, realloc and free</text>\n},
		LEFT + WIDTH / 2, TOP + HEIGHT + 38;
	$svg .= sprintf qq{<text x="%d" y="%d" fill="#555">%d maps; a cell is %d bytes, and has the colour of what }
		. qq{most of them are</text>\n}, LEFT, TOP + HEIGHT + 62, $columns, $heap->{cell};

	$svg .= qq{<g transform="$scale" shape-rendering="crispEdges">\n};
	for my $kind (@KINDS) {
		my ($sign, $name, $colour) = @$kind;
		$svg .= sprintf qq{<path id="%s" fill="%s" d="%s"/>\n}, $name, $colour, bars($heap, $sign);
	}
	$svg .= "</g>\n";
	$svg .= sprintf qq{<path id="%s" fill="none" stroke="%s" stroke-width="1.6"%s d="%s"/>\n}, @$_[0 .. 2],
		curve($heap, $_->[3], $dx, $dy)
		for ['break', BREAK, '', 1], ['live', LIVE, ' stroke-dasharray="4 2"', 2];
	return $svg . "</svg>\n";
}

1;
