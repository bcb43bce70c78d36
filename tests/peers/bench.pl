#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# bench.pl [--rounds=N] [--only=WORKLOAD,...] [--into=PATH] [--no-counts] [PEER.so ...]
#
# Runs build/peers/*/bench under one allocator after the other, again and again,
# and compares: docs/bench-host.md says what, and where the limits are. What is
# printed is left in PATH.json, PATH.md and PATH.svg too (build/bench-host.*).

use strict;
use warnings;
use utf8;
use FindBin;
use lib $FindBin::Bin;

use Chart;
use JSON::PP;
use List::Util qw(max min sum);

chdir "$FindBin::Bin/../.." or die "no tree: $!";

# What is known by name. Where Debian's packages put them; ld.so has a place for each bits.
use constant { OURS => 'fencepost', CORE => 'core', LOOP => '(loop)', MEAN => 'geometric mean' };
my %PACKAGED = (
	mimalloc => 'libmimalloc.so.2',
	jemalloc => 'libjemalloc.so.2',
	tcmalloc => 'libtcmalloc_minimal.so.4',
);
my %PLACES = (64 => [qw(/usr/lib/x86_64-linux-gnu)], 32 => [qw(/usr/lib/i386-linux-gnu)]);
my %NOTHING = (name => LOOP, whose => 'nothing');

my ($rounds, $into, $counts, $only, @given) = (7, 'build/bench-host', 1);
for (@ARGV) {
	if (/^--rounds=([1-9]\d*)$/) { $rounds = $1 }
	elsif (/^--only=(.+)/) { $only = { map { $_ => 1 } split /,/, $1 } }
	elsif (/^--into=(.+)/) { $into = $1 }
	elsif ($_ eq '--no-counts') { $counts = 0 }
	elsif (/^-/) { die "unknown: $_; the head of bench.pl has what is known\n" }
	else { push @given, $_ }
}

sub median {
	my @sorted = sort { $a <=> $b } @_;
	return @sorted % 2 ? $sorted[$#sorted / 2] : ($sorted[$#sorted / 2] + $sorted[@sorted / 2]) / 2;
}

sub geometric_mean {
	return exp(sum(map { log } @_) / @_);
}

# 64 or 32: a word of the file says what it is for.
sub bits_of {
	my ($path) = @_;
	open my $file, '<:raw', $path or die "$path: $!\n";
	read $file, my $head, 5;
	die "$path: no shared library\n" unless defined $head && $head =~ /^\x7fELF[\x01\x02]/;
	return substr($head, 4, 1) eq "\x01" ? 32 : 64;
}

# The allocators there are, in the order of the table: name, library, whose (for bench).
sub allocators {
	my ($bits) = @_;
	my @all = (
		{ name => OURS, library => "build/preload/$bits/malloc.so" },
		{ name => CORE, whose => 'core' },
		{ name => 'unchecked', library => "build/peers/$bits/unchecked.so" },
		{ name => 'glibc' },
	);
	my @missing;
	for my $name (sort keys %PACKAGED) {
		my ($path) = grep { -e } map { "$_/$PACKAGED{$name}" } @{ $PLACES{$bits} };
		push @all, { name => $name, library => $path } if $path;
		push @missing, $name unless $path;
	}
	for my $path (grep { bits_of($_) == $bits } @given) {
		my $name = $path =~ s{.*/}{}r =~ s/\.so.*//r;
		my $others = grep { $_->{name} =~ /^\Q$name\E(?:-\d+)?$/ } @all;
		push @all, { name => $others ? $name . '-' . ($others + 1) : $name, library => $path };
	}
	return (\@all, \@missing);
}

# What one run of bench says, as a hash. Dies if it was not this allocator that ran.
sub bench {
	my ($bits, $allocator, $mode, $workload, @under) = @_;
	my $library = $allocator->{library};
	local $ENV{LD_PRELOAD} = $library // '';
	delete local @ENV{qw(MALLOC_CONF MALLOC_ARENA_MAX GLIBC_TUNABLES)};
	my $command = join ' ', @under, "build/peers/$bits/bench", $allocator->{whose} // 'malloc', $mode,
		$workload;
	my $text = qx{$command 2>&1};
	die "$command\n$text" if $?;
	my %said = $text =~ /^(\w+) (.*)$/mg;
	my $malloc = $said{library} // '';
	die "$command\nran with malloc from $malloc\n"
		unless $library ? $malloc eq $library : $malloc =~ m{/libc[.-]};
	($said{instructions}) = $text =~ /^==\d+== Collected : (\d+)/m;
	return \%said;
}

sub name_of {
	my ($workload) = @_;
	return $workload =~ s{.*/}{}r =~ s/\.fpt$//r;
}

# Instructions of a repeated run; undef where valgrind cannot.
sub count {
	my ($bits, $allocator, $workload) = @_;
	my @under = qw(valgrind --tool=callgrind --toggle-collect=counted --callgrind-out-file=/dev/null);
	my $said = eval { bench($bits, $allocator, 'count', $workload, @under) } // return;
	return $said->{instructions};
}

# Round after round, each allocator once in a round, and another first each time.
sub measure_time {
	my ($bits, $allocators, $workload) = @_;
	my (%first, %least);
	for my $round (0 .. $rounds - 1) {
		for my $i (0 .. $#$allocators) {
			my $allocator = $allocators->[($i + $round) % @$allocators];
			my $said = bench($bits, $allocator, 'time', $workload);
			push @{ $first{ $allocator->{name} } }, $said->{first};
			push @{ $least{ $allocator->{name} } }, $said->{least};
		}
	}
	return (\%first, \%least);
}

# Of ratios within a round: their median, the least and the most.
sub ratio {
	my ($times, $ours) = @_;
	my @ratios = map { $times->[$_] / $ours->[$_] } 0 .. $#$times;
	return { ratio => median(@ratios), low => min(@ratios), high => max(@ratios), ns => median(@$times) };
}

sub measure {
	my ($bits, $allocators, $workload, $counts) = @_;
	my %result = %{ bench($bits, { whose => 'core' }, 'extent', $workload) };
	my %figures = (
		operations => $result{operations} + 0,
		peak_live => $result{peak_live} + 0,
		bound => $result{peak_live} / $result{peak_rounded},
		utilization => $result{peak_live} / $result{extent},
		allocators => {},
	);
	my ($first, $least) = measure_time($bits, [@$allocators, \%NOTHING], $workload);
	my $loop_count = $counts ? count($bits, \%NOTHING, $workload) : undef;
	for my $allocator (@$allocators) {
		my $name = $allocator->{name};
		my $count = defined $loop_count ? count($bits, $allocator, $workload) : undef;
		my ($fresh, $warm, $space) = map { bench($bits, $allocator, $_, $workload) } qw(fresh warm space);
		$figures{allocators}{$name} = {
			time => ratio($least->{$name}, $least->{ +OURS }),
			first => ratio($first->{$name}, $first->{ +OURS }),
			resident => $space->{resident} + 0,
			space => $space->{resident} / $result{peak_live},
			map({ $_->[0] => { ns => $_->[1]{longest} + 0, at => $_->[1]{longest_at},
				any_ns => $_->[1]{longest_any} + 0, any_at => $_->[1]{longest_any_at} } }
				['fresh', $fresh], ['warm', $warm]),
			instructions => defined $count ? ($count - $loop_count) / $result{operations} : undef,
		};
	}
	$figures{loop} = ratio($least->{ +LOOP }, $least->{ +OURS });
	return \%figures;
}

# A table in markdown, its columns aligned: that reads well on a terminal too.
sub table {
	my ($head, @rows) = @_;
	my @all = ($head, @rows);
	my @widths = map { my $i = $_; max map { length $_->[$i] } @all } 0 .. $#$head;
	my $format = sub {
		my (@cells) = @_;
		return '| ' . join(' | ', map { sprintf $_ ? '%*s' : '%-*s', $_ ? ($widths[$_], $cells[$_])
			: ($widths[$_], $cells[$_]) } 0 .. $#cells) . " |\n";
	};
	return $format->(@$head) . '|' . join('|', map { $_ ? '-' x ($widths[$_] + 1) . ':'
		: ':' . '-' x ($widths[$_] + 1) } 0 .. $#widths) . "|\n" . join '', map { $format->(@$_) } @rows;
}

# A table of one figure: a row for each workload, a column for each allocator, and the mean below.
sub table_of {
	my ($part, $get, $format, %more) = @_;
	my @names = @{ $part->{allocators} };
	my (@rows, %all);
	for my $workload (@{ $part->{workloads} }) {
		my $figures = $part->{results}{$workload}{allocators};
		my @values = map { $get->($figures->{$_}, $part->{results}{$workload}) } @names;
		for my $i (0 .. $#names) {
			my $number = ref $values[$i] ? $values[$i]{ratio} : $values[$i];
			push @{ $all{ $names[$i] } }, $number if defined $number;
		}
		push @rows, [$workload, map { defined ? $format->($_) : '-' } @values];
		push @{ $rows[-1] }, $more{last}->($part->{results}{$workload}) if $more{last};
	}
	push @rows, [MEAN, map({ $all{$_} ? $more{mean}->(geometric_mean(@{ $all{$_} })) : '-' } @names),
		$more{last} ? '' : ()] if $more{mean};
	return table(['', @names, $more{title} // ()], @rows);
}

sub two { return sprintf '%.2f', $_[0] }
sub whole { return sprintf '%.0f', $_[0] }

sub with_spread {
	my ($ratio) = @_;
	return sprintf '%.2f (%.2f-%.2f)', @$ratio{qw(ratio low high)};
}

sub report {
	my ($part) = @_;
	my $bits = $part->{bits};
	my $out = "### $bits bits\n\n";
	$out .= "Not here: $_.\n\n" for join(', ', @{ $part->{missing} }) || ();
	$out .= "Time of a repeated run, as a ratio to " . OURS . ": the median of $rounds rounds (least-most).\n\n"
		. table_of($part, sub { $_[0]{time} }, \&with_spread, mean => \&two,
			title => LOOP, last => sub { two($_[0]{loop}{ratio}) })
		. "\nTime of the first run of a process, as a ratio likewise.\n\n"
		. table_of($part, sub { $_[0]{first} }, \&with_spread, mean => \&two);
	$out .= "\nInstructions an operation, without those of the loop.\n\n"
		. table_of($part, sub { $_[0]{instructions} }, \&whole, mean => \&whole) if $part->{counts};
	$out .= "\nMost resident bytes for each byte of peak live payload.\n\n"
		. table_of($part, sub { $_[0]{space} }, \&two, mean => \&two)
		. "\nThe longest malloc or free in nanoseconds, in a run that is repeated.\n\n"
		. table_of($part, sub { $_[0]{warm}{ns} }, \&whole)
		. "\nThe longest malloc or free in nanoseconds, in the first run of a process.\n\n"
		. table_of($part, sub { $_[0]{fresh}{ns} }, \&whole)
		. "\nThe longest operation of any kind in nanoseconds, clearing and copying included, repeated.\n\n"
		. table_of($part, sub { $_[0]{warm}{any_ns} }, \&whole)
		. "\nThis heap by itself: peak live bytes by its extent, beside the bound.\n\n"
		. table(['', 'operations', 'peak live', 'utilization', 'bound'], map {
			my $r = $part->{results}{$_};
			[$_, $r->{operations}, $r->{peak_live}, map { sprintf '%.1f%%', 100 * $_ } @$r{qw(utilization bound)}]
		} @{ $part->{workloads} });
	return $out;
}

# Of each workload; and the mean of all, where there is one.
sub panel_values {
	my ($part, $get, $mean) = @_;
	my (%values, %all);
	for my $workload (@{ $part->{workloads} }) {
		for my $name (@{ $part->{allocators} }) {
			my $value = $get->($part->{results}{$workload}{allocators}{$name});
			$values{$workload}{$name} = $value;
			push @{ $all{$name} }, $value;
		}
	}
	$values{ +MEAN } = { map { $_ => geometric_mean(@{ $all{$_} }) } keys %all } if $mean;
	return \%values;
}

sub nanoseconds {
	my ($ns) = @_;
	return $ns >= 1e6 ? $ns / 1e6 . ' ms' : $ns >= 1e3 ? $ns / 1e3 . ' µs' : "$ns ns";
}

sub picture {
	my ($part) = @_;
	return Chart::svg(
		title => "The heap as malloc, beside others: $part->{bits} bits, less is better",
		note => 'Logarithmic axes. core: this heap from an array, without malloc and system calls; '
			. 'unchecked: without its integrity checks. ' . $part->{machine},
		workloads => [@{ $part->{workloads} }, MEAN],
		allocators => $part->{allocators},
		panels => [
			{
				title => 'Time',
				note => 'ratio to ' . OURS . ' in the same run',
				one => 1,
				label => sub { $_[0] },
				values => panel_values($part, sub { $_[0]{time}{ratio} }, MEAN),
			},
			{
				title => 'Space',
				note => 'most resident bytes for each byte of peak live payload',
				one => 1,
				label => sub { $_[0] },
				values => panel_values($part, sub { $_[0]{space} }, MEAN),
			},
			{
				title => 'Worst case',
				note => 'longest malloc or free, when run again',
				label => \&nanoseconds,
				values => panel_values($part, sub { max($_[0]{warm}{ns}, 1) }),
			},
		],
	);
}

sub spew {
	my ($path, $text) = @_;
	open my $file, '>:encoding(UTF-8)', $path or die "$path: $!";
	print $file $text;
	close $file or die "$path: $!";
}

sub machine {
	open my $file, '<', '/proc/cpuinfo' or return '';
	my ($name) = map { /^model name\s*:\s*(.*)/ } <$file>;
	return $name // '';
}

sub run {
	my ($bits, $counts) = @_;
	my ($allocators, $missing) = allocators($bits);
	my @workloads = grep { !$only || $only->{ name_of($_) } }
		(sort glob 'build/traces/*.fpt'), split ' ', qx{build/peers/$bits/bench list};
	my %part = (
		bits => $bits,
		machine => machine(),
		allocators => [map { $_->{name} } @$allocators],
		missing => $missing,
		workloads => [map { name_of($_) } @workloads],
		results => {},
	);
	for my $workload (@workloads) {
		print STDERR "  $bits bits, ", name_of($workload), "\n";
		$part{results}{ name_of($workload) } = measure($bits, $allocators, $workload, $counts);
	}
	($part{counts}) = grep { defined $_->{allocators}{ +OURS }{instructions} } values %{ $part{results} };
	$part{counts} = $part{counts} ? JSON::PP::true : JSON::PP::false;
	return \%part;
}

for my $path (@given) {
	bits_of($path);
}
$counts &&= system('command -v valgrind >/dev/null 2>&1') == 0;
my @parts = map { run($_, $counts) } 64, 32;
my $report = join "\n", map { report($_) } @parts;
spew("$into.json", JSON::PP->new->canonical->pretty->encode({ rounds => $rounds, parts => \@parts }));
spew("$into.md", $report);
spew("$into.svg", picture($parts[0]));
binmode STDOUT, ':encoding(UTF-8)';
print $report, "\n$into.json, $into.md and $into.svg hold the same.\n";
