# SPDX-License-Identifier: MIT
#
# Figures from the kernel's benchmarks: taking them, showing them, and comparing
# them with a baseline.
#
# A figure's name is "GROUP CASE: WHAT". Instructions are the better the fewer,
# a utilization the better the higher, and its bound is only to be seen beside it.

package Bench;

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../boot";

use Judge;
use JSON::PP ();
use List::Util qw(max);

use constant IMAGE => 'build/bench.elf';
use constant LIMIT => 600; # seconds for a boot, on a busy host

# What is allowed before a figure is worse: percent or one instruction, whichever is more.
use constant { PERCENT => 2, INSTRUCTIONS => 1, POINTS => 0.2 };

# What is booted for a set of figures. The quick ones are part of make test.
my %SETS = (
	quick => { memory => 256, append => 'only=bench_quick_ seed=1' },
	long => { memory => 1536, append => 'only=bench_long_ seed=1' },
);

# --- taking ----------------------------------------------------------------

# The figures in what a kernel said, and what is wrong with them.
sub figures_in {
	my ($lines) = @_;
	my (%figures, @reasons);
	for (@$lines) {
		my ($rest) = /^# bench: (.*)/ or next;
		my ($name, $sum, $n, $unit) = $rest =~ m{^(\w+\b.*: [\w ]+): (\d+)/(\d+) (\w+)$};
		if (!$name || !$n) {
			push @reasons, "there is a malformed figure: $rest";
			next;
		}
		push @reasons, "there are two figures $name" if exists $figures{$name};
		$figures{$name} = 0 + sprintf '%.2f', $sum * ($unit eq 'percent' ? 100 : 1) / $n;
	}
	push @reasons, 'there are no figures' unless %figures;
	return (\%figures, @reasons);
}

# The worst single call of each kind, wherever it was seen.
sub add_worst {
	my ($figures) = @_;
	for my $kind (qw(malloc free realloc memalign)) {
		my @worst = grep { /: worst \Q$kind\E$/ && !/^frame / } keys %$figures;
		$figures->{"hunt, all that was seen: worst $kind"} = max(@$figures{@worst}) if @worst;
	}
}

# Boots for one set, or for the tests in it whose names contain $only. Gives the
# figures, the run, and what is wrong with it.
sub take {
	my ($set, $only) = @_;
	my %boot = %{ $SETS{$set} };
	$boot{append} =~ s/only=\w+/only=$only/ if defined $only;
	my ($asked) = $boot{append} =~ /only=(\w+)/;
	my $run = Judge::boot(kernel => IMAGE, modules => [Judge::traces()], icount => 1,
		timeout => LIMIT, %boot);
	my ($figures, @odd) = figures_in($run->{lines});
	my @reasons = Judge::verdict($run, compiled => Judge::compiled_in(IMAGE), only => $asked);
	add_worst($figures) if $set eq 'quick' && !defined $only;
	return ($figures, $run, @reasons, @odd);
}

# What figures depend on beside the sources: as the image was built, and what it runs on. Neither
# warnings nor what is kept for a debugger change the code.
sub environment {
	open my $file, '<', 'build/flags' or die "build/flags: $!\n";
	my @words = split ' ', scalar <$file>;
	my (@compiler, @flags);
	push @compiler, shift @words while @words && $words[0] !~ /^-/;
	while (@words && $words[0] =~ /^-/) {
		my $word = shift @words;
		shift @words if $word eq '-isystem';
		push @flags, $word unless $word =~ /^-(?:W|I|isystem|nostdinc|g\d?$)/;
	}
	my $qemu = Judge::setting('QEMU') // 'qemu-system-i386';
	my ($version) = join('', Judge::output_of($qemu, '--version')) =~ /version (\S+)/;
	my ($line) = Judge::output_of(@compiler, '--version');
	chomp $line;
	return { compiler => $line, flags => "@flags", qemu => $version };
}

# --- files -----------------------------------------------------------------

sub load {
	my ($path) = @_;
	open my $file, '<', $path or die "$path: $!\n";
	local $/;
	return JSON::PP->new->decode(<$file>);
}

sub save {
	my ($path, $results) = @_;
	open my $file, '>', "$path.tmp" or die "$path.tmp: $!\n";
	print $file JSON::PP->new->pretty->indent_length(1)->canonical->encode($results);
	close $file or die "$path.tmp: $!\n";
	rename "$path.tmp", $path or die "$path: $!\n";
}

# --- comparing -------------------------------------------------------------

# QEMU counts alike in all versions that differ in the last number only.
sub series {
	my ($version) = @_;
	return $version =~ /^(\d+\.\d+)/ ? $1 : $version;
}

# Why the figures of one cannot be judged by those of the other; nothing if they can.
sub differences {
	my ($results, $baseline) = @_;
	my @differ = map { "$_: $results->{$_}, but the baseline has $baseline->{$_}" }
		grep { $results->{$_} ne $baseline->{$_} } qw(compiler flags);
	push @differ, "QEMU: $results->{qemu}, but the baseline has $baseline->{qemu}"
		if series($results->{qemu}) ne series($baseline->{qemu});
	return @differ;
}

# One figure against the one before: how much worse it is, and how much of that is allowed.
sub worse_by {
	my ($name, $now, $before) = @_;
	return (0, 0) if $name =~ /: bound$/;
	return ($before - $now, POINTS) if $name =~ /: utilization$/;
	return ($now - $before, max(INSTRUCTIONS, $before * PERCENT / 100));
}

# What is worse, and what is better, than in the baseline, in one set.
sub compare_set {
	my ($now, $before) = @_;
	my (@worse, @better);
	my %names = (%$now, %$before);
	for my $name (in_order(keys %names)) {
		if (!exists $now->{$name}) {
			push @worse, "$name: missing, the baseline has $before->{$name}";
		} elsif (!exists $before->{$name}) {
			push @worse, "$name: $now->{$name}, not in the baseline";
		} else {
			my ($by, $allowed) = worse_by($name, $now->{$name}, $before->{$name});
			my $text = "$name: $now->{$name}, the baseline has $before->{$name}";
			# what is allowed is exact to less than the figures' last digit
			push @worse, $text if $by > $allowed + 1e-6;
			push @better, $text if -$by > $allowed + 1e-6;
		}
	}
	return (\@worse, \@better);
}

# compare() judges the given sets:
#   differ   why nothing is judged, if so
#   worse    each is red; better is not
sub compare {
	my ($results, $baseline, @sets) = @_;
	my %verdict = (differ => [differences($results, $baseline)], worse => [], better => []);
	return \%verdict if @{ $verdict{differ} };
	for my $set (@sets) {
		my ($worse, $better) = compare_set($results->{$set} // {}, $baseline->{$set} // {});
		push @{ $verdict{worse} }, @$worse;
		push @{ $verdict{better} }, @$better;
	}
	return \%verdict;
}

# The verdict in lines.
sub explain {
	my ($verdict) = @_;
	return ('nothing is judged, since there are differences:', map { "  $_" } @{ $verdict->{differ} })
		if @{ $verdict->{differ} };
	my @lines = (
		(map { "worse   $_" } @{ $verdict->{worse} }),
		(map { "better  $_" } @{ $verdict->{better} }),
	);
	push @lines, 'if that is meant: make bench-baseline, and commit tests/bench/baseline.json'
		if @lines;
	return @lines ? @lines : ('all figures are those of the baseline');
}

# --- showing ---------------------------------------------------------------

my @WHATS = ('operation', 'pair', 'malloc', 'alloc', 'free', 'realloc', 'copying', 'memalign',
	'kmalloc', 'kzalloc', 'kmemalign', 'krealloc', 'kfree', 'system call', 'first touch', 'plain alloc', 'plain free',
	'worst malloc', 'worst alloc', 'worst free', 'worst realloc', 'worst memalign',
	'utilization', 'bound');

# Names with their numbers in the order of numbers.
sub in_order {
	return map { $_->[1] } sort { $a->[0] cmp $b->[0] }
		map { [s/(\d+)/sprintf '%09d', $1/ger, $_] } @_;
}

# The groups of figures, each with its cases for rows and what is measured for columns.
sub tables {
	my ($results) = @_;
	my %figures = map { %{ $results->{$_} // {} } } keys %SETS;
	my %tables;
	for my $name (keys %figures) {
		my ($group, $case, $what) = $name =~ /^(\w+),?\s*(.*): (.*)$/;
		$tables{$group}{$case}{$what} = $figures{$name};
	}
	my @tables;
	for my $group (sort keys %tables) {
		my %whats = map { map { $_ => 1 } keys %$_ } values %{ $tables{$group} };
		my @columns = ((grep { delete $whats{$_} } @WHATS), sort keys %whats);
		my @rows = map { my $case = $_; [$case, map { cell($_, $tables{$group}{$case}{$_}) } @columns] }
			in_order(keys %{ $tables{$group} });
		push @tables, [[$group, @columns], @rows];
	}
	return @tables;
}

sub cell {
	my ($what, $figure) = @_;
	return '' unless defined $figure;
	return sprintf '%.1f%%', $figure if $what =~ /^(?:utilization|bound)$/;
	return sprintf $figure == int $figure ? '%d' : '%.1f', $figure;
}

# A table as lines, for a terminal or, with a rule below its head, for Markdown.
sub format_table {
	my ($rows, $markdown) = @_;
	my @widths;
	for my $row (@$rows) {
		$widths[$_] = max($widths[$_] // 0, length $row->[$_]) for 0 .. $#$row;
	}
	my ($left, $between, $right) = $markdown ? ('| ', ' | ', ' |') : ('', '  ', '');
	my $format = join $between, map { $_ ? "%$widths[$_]s" : "%-$widths[$_]s" } 0 .. $#widths;
	my @lines = map { $left . sprintf($format, @$_) . $right } @$rows;
	my ($first, @others) = map { '-' x ($_ + 1) } @widths;
	splice @lines, 1, 0, join '', "|:$first|", map { "$_:|" } @others if $markdown;
	return @lines;
}

sub show {
	my ($results, $markdown) = @_;
	return join "\n", "$results->{compiler}, QEMU $results->{qemu}", $results->{flags}, '',
		map { (format_table($_, $markdown), '') } tables($results);
}

1;
