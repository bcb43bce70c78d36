# SPDX-License-Identifier: MIT
#
# A picture of many figures: a row for each workload, a mark in it for each
# allocator, and panels side by side, each with an axis of its own.

package Chart;

use strict;
use warnings;

use List::Util qw(all max min);

use constant {
	NAMES => 130,   # width of the names at the left
	PANEL => 330,   # and of a panel
	GAP => 46,
	ROW => 26,
	HEAD => 110,    # height above the rows: title, legend, titles of panels
	FOOT => 56,
	MARK => 5,      # half the size of a mark
};

# Colours that can be told apart by nearly everybody (Okabe and Ito), and shapes for everybody.
my @COLOURS = ('#000000', '#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#8A8A8A');
my @SHAPES = qw(circle square triangle diamond cross down bar plus);

sub text_of {
	my ($text) = @_;
	my %names = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;');
	return $text =~ s/([&<>])/$names{$1}/gr;
}

sub text {
	my ($x, $y, $text, $more) = @_;
	return sprintf qq{<text x="%.1f" y="%.1f" %s>%s</text>\n}, $x, $y, $more // '', text_of($text);
}

sub line {
	my ($x1, $y1, $x2, $y2, $more) = @_;
	return sprintf qq{<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" %s/>\n}, $x1, $y1, $x2, $y2, $more;
}

sub path {
	my ($points, $more) = @_;
	return sprintf qq{<path d="M%s" %s/>\n}, join('L', map { sprintf '%.1f,%.1f', @$_ } @$points), $more;
}

# The mark of the i-th allocator, with a rim so that marks upon each other can be told apart.
sub mark {
	my ($i, $x, $y) = @_;
	my ($shape, $colour) = ($SHAPES[$i % @SHAPES], $COLOURS[$i % @COLOURS]);
	my ($r, $filled) = (MARK, qq{fill="$colour" stroke="#fff" stroke-width="0.7"});
	my $drawn = qq{fill="none" stroke="$colour" stroke-width="2.4"};
	return qq{<circle cx="@{[sprintf '%.1f', $x]}" cy="@{[sprintf '%.1f', $y]}" r="$r" $filled/>\n}
		if $shape eq 'circle';
	my %corners = (
		square => [[-$r, -$r], [$r, -$r], [$r, $r], [-$r, $r]],
		triangle => [[-$r, $r], [$r, $r], [0, -$r]],
		down => [[-$r, -$r], [$r, -$r], [0, $r]],
		diamond => [[-$r - 1, 0], [0, -$r - 1], [$r + 1, 0], [0, $r + 1]],
	);
	my $at = sub { [map { [$x + $_->[0], $y + $_->[1]] } @_] };
	return path($at->(@{ $corners{$shape} }), $filled) =~ s/" fill/Z" fill/r if $corners{$shape};
	my @strokes = $shape eq 'cross' ? ([[-$r, -$r], [$r, $r]], [[-$r, $r], [$r, -$r]])
		: $shape eq 'plus' ? ([[-$r, 0], [$r, 0]], [[0, -$r], [0, $r]])
		: ([[0, -$r - 1], [0, $r + 1]]);
	return join '', map { path($at->(@$_), $drawn) } @strokes;
}

# The 1, 2 and 5 of each power of ten, from just below the least value to just above the most.
sub ticks {
	my ($least, $most) = @_;
	my @all = map { my $power = $_; map { $_ * 10**$power } 1, 2, 5 } -3 .. 8;
	my $from = max grep { $all[$_] <= $least * 1.0001 } 0 .. $#all;
	my $to = min grep { $all[$_] >= $most * 0.9999 } 0 .. $#all;
	$to++ if $to == $from;
	return @all[$from .. $to];
}

# Where there is room for words: powers of ten first, then between them.
sub labels {
	my ($ticks, $x, $label) = @_;
	my @placed;
	for my $tick (sort { ($b =~ /^0?\.?0*1/) <=> ($a =~ /^0?\.?0*1/) || $a <=> $b } @$ticks) {
		my ($at, $words) = ($x->($tick), $label->($tick));
		my $half = 3.4 * length($words) + 3;
		push @placed, [$at, $words, $half] if all { abs($at - $_->[0]) > $half + $_->[2] } @placed;
	}
	return @placed;
}

sub panel {
	my ($left, $panel, $workloads, $allocators) = @_;
	my @values = grep { defined && $_ > 0 } map { values %$_ } values %{ $panel->{values} };
	return '' unless @values;
	my @ticks = ticks(min(@values), max(@values));
	my $scale = PANEL / log($ticks[-1] / $ticks[0]);
	my $x = sub { $left + log($_[0] / $ticks[0]) * $scale };
	my $bottom = HEAD + ROW * @$workloads;
	my $out = text($left, HEAD - 32, $panel->{title}, 'font-weight="bold"')
		. text($left, HEAD - 16, $panel->{note}, 'font-size="11" fill="#555"');
	for my $tick (@ticks) {
		my $one = defined $panel->{one} && $tick == $panel->{one};
		$out .= line($x->($tick), HEAD - 6, $x->($tick), $bottom, $one ? 'stroke="#888"' : 'stroke="#ddd"');
	}
	for my $label (labels(\@ticks, $x, $panel->{label})) {
		$out .= text($label->[0], $bottom + 15, $label->[1], 'text-anchor="middle" font-size="11"');
	}
	for my $row (0 .. $#$workloads) {
		my $values = $panel->{values}{ $workloads->[$row] } // {};
		# Ours, the first, on top.
		for my $i (reverse 0 .. $#$allocators) {
			my $value = $values->{ $allocators->[$i] };
			$out .= mark($i, $x->($value), HEAD + ROW * ($row + 0.5)) if defined $value && $value > 0;
		}
	}
	return $out;
}

sub legend {
	my ($allocators) = @_;
	my ($x, $out) = (NAMES, '');
	for my $i (0 .. $#$allocators) {
		$out .= mark($i, $x + 6, 46) . text($x + 18, 50, $allocators->[$i]);
		$x += 38 + 7.2 * length $allocators->[$i];
	}
	return $out;
}

# title: above all; note: below; workloads, allocators: names in their order; panels: each with
# title, note, label (a sub that writes a tick), one (the value to mark), values {workload}{allocator}
sub svg {
	my (%chart) = @_;
	my ($workloads, $panels) = @chart{ 'workloads', 'panels' };
	my $width = NAMES + @$panels * (PANEL + GAP);
	my $height = HEAD + ROW * @$workloads + FOOT;
	my $out = qq{<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 $width $height" width="$width" }
		. qq{height="$height" font-family="DejaVu Sans, Verdana, sans-serif" font-size="12.5">\n}
		. qq{<title>} . text_of($chart{title}) . qq{</title>\n}
		. qq{<rect width="$width" height="$height" fill="#fff"/>\n}
		. text(12, 22, $chart{title}, 'font-size="16" font-weight="bold"')
		. legend($chart{allocators});
	for my $row (0 .. $#$workloads) {
		my $y = HEAD + ROW * $row;
		$out .= qq{<rect x="0" y="$y" width="$width" height="@{[ROW]}" fill="#f5f5f5"/>\n} if $row % 2 == 0;
		$out .= text(NAMES - 14, $y + ROW / 2 + 4, $workloads->[$row], 'text-anchor="end"');
	}
	for my $i (0 .. $#$panels) {
		$out .= panel(NAMES + $i * (PANEL + GAP), $panels->[$i], $workloads, $chart{allocators});
	}
	return $out . text(12, $height - 14, $chart{note}, 'font-size="11" fill="#555"') . "</svg>\n";
}

1;
