#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# score.pl PATH/TO/HEAP.c: somebody's heap, over docs/exercises/heap.h, beside the
# project's own: is it right, how much memory does it take, how long. Says what is
# wrong, and ends with 1 if anything is.
#
# What is right and how far up blocks reach is the same on every run. Time is a
# ratio: both run in turns, and of each the least counts.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use List::Util 'sum';
use Score;

use constant { OURS => 'kernel/mm/heap.c', ROUNDS => 3, ENOUGH => 1e9 };

my ($heap) = @ARGV;
die "usage: make test HEAP=path/to/mine.c\n" unless @ARGV == 1 && length $heap;
die "$heap: there is no such file\n" unless -f $heap;
$heap = "$ENV{PWD}/$heap" if !-f "$FindBin::Bin/../../$heap" && $heap !~ m{^/};
chdir "$FindBin::Bin/../.." or die "no tree: $!";

my @WORKLOADS = (@Score::TRACES, 'comb');
my %PROMISES = (
	reuse => 'what is freed is handed out again',
	merge => 'free blocks side by side become one',
	return => 'free memory at the break goes back',
);

sub figures {
	my ($said) = @_;
	return $said =~ /^(\w+) ([\d.]+)$/mg;
}

sub geometric_mean { return exp(sum(map { log } @_) / @_) }

# The least of a few runs, in turns: nanoseconds an operation.
sub measure_time {
	my ($workload, @programs) = @_;
	my (@least, $spent);
	for (1 .. ROUNDS) {
		for my $i (0 .. $#programs) {
			my ($said, $why) = Score::trial("$programs[$i]/fast", 'time', Score::path_of($workload));
			return if defined $why;
			my %f = figures($said);
			$least[$i] = $f{time} if !defined $least[$i] || $f{time} < $least[$i];
			$spent += $f{time} * 40000;
		}
		last if $spent > ENOUGH;
	}
	return @least;
}

sub measure_space {
	my ($into, $workload) = @_;
	my ($said, $why) = Score::trial("$into/fast", 'space', Score::path_of($workload));
	return defined $why ? undef : { figures($said) };
}

$| = 1;
my ($mine, $ours) = ('build/score/mine', 'build/score/ours');
Score::build($heap, $mine);
Score::build(OURS, $ours, 'fast');

print "$heap\n\n";
my ($number, @wrong) = Score::check_all($mine);
printf "correctness  %d of %d checks\n", $number - @wrong, $number;
print "  wrong: $_->[0]: $_->[1]\n" for @wrong;

print "\nkeeps what it has been given back\n";
for my $promise (qw(reuse merge return)) {
	my ($said, $why) = Score::trial("$mine/careful", $promise);
	printf "  %-38s %s\n", $PROMISES{$promise}, $why // $said =~ s/\n//r;
}

print "\n             utilization   the project's    bound    time, the project's = 1\n";
my (@space, @time);
for my $workload (@WORKLOADS) {
	my ($my, $our) = map { measure_space($_, $workload) } $mine, $ours;
	if (!$my) {
		printf "%-11s %s\n", $workload, 'cannot be run to its end';
		next;
	}
	my ($my_time, $our_time) = measure_time($workload, $mine, $ours);
	my $bound = $my->{peak_live} / $my->{peak_rounded};
	my @percent = map { 100 * $_ } (map { $_->{peak_live} / $_->{extent} } $my, $our), $bound;
	push @space, $percent[0] / $percent[1];
	push @time, $my_time / $our_time;
	printf "%-11s  %10.1f%%    %10.1f%%   %5.1f%%    %10.2f\n", $workload, @percent, $time[-1];
}
my $all = @space == @WORKLOADS;
printf "\nscore        correctness %d%%", 100 * ($number - @wrong) / $number;
printf "   space %.0f%%   speed %.0f%%", 100 * geometric_mean(@space), 100 / geometric_mean(@time) if $all;
print "\n";
exit(@wrong ? 1 : 0);
