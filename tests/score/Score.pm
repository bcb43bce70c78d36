# SPDX-License-Identifier: MIT
#
# Builds tests/score/trial.c around somebody's heap, runs it, and says in words what
# is wrong, also if the heap crashes or does not come back. For score.pl and score.t.

package Score;

use strict;
use warnings;

use File::Basename 'basename';
use File::Path 'make_path';
use POSIX qw(WEXITSTATUS WIFEXITED WIFSIGNALED WTERMSIG);

my $HOSTCC = $ENV{HOSTCC} || 'gcc';
my $CFLAGS = '-std=gnu11 -g -Wall -Wextra -I. -Idocs/exercises';
my %KINDS = (
	careful => '-O1 -DSANITIZED -fsanitize=address,undefined -fno-sanitize-recover=all',
	fast => '-O2',
);
my @SOURCES = qw(tests/score/glue.c tests/score/trial.c tests/host/arena.c tests/peers/workload.c
	kernel/monitor/trace.c);
our @TRACES = map { s{.*/}{}r =~ s{\.fpt\.gz$}{}r } sort glob 'tests/traces/*.fpt.gz';

sub path_of {
	my ($workload) = @_;
	return -f "build/traces/$workload.fpt" ? "build/traces/$workload.fpt" : $workload;
}

sub build {
	my ($source, $into, @kinds) = @_;
	make_path($into);
	for my $kind (@kinds ? @kinds : sort keys %KINDS) {
		my $said = qx{$HOSTCC $CFLAGS $KINDS{$kind} -DHEAP_FILE='"$source"' -o $into/$kind @SOURCES 2>&1};
		print STDERR $said if length $said;
		die "$source cannot be built\n" if $?;
	}
}

# What a trial said, and in words how it ended if that was not well.
sub trial {
	my ($program, @arguments) = @_;
	my $pid = open(my $pipe, '-|') // die "fork: $!";
	if (!$pid) {
		open STDERR, '>&', \*STDOUT;
		exec $program, @arguments or die "$program: $!\n";
	}
	my $said = do { local $/; <$pipe> };
	close $pipe;
	return ($said, undef) if $? == 0;
	return ($said, $1) if $said =~ /^wrong: (.*)/m;
	my ($where) = $said =~ /^in: (.*)/m;
	$where = defined $where ? "$where: " : '';
	return ($said, "${where}does not come back") if WIFEXITED($?) && WEXITSTATUS($?) == 3;
	return ($said, "${where}memory that is not the heap's is touched: $1")
		if $said =~ /^SUMMARY: AddressSanitizer: (.*)/m;
	return ($said, "$where$2 ($1)") if $said =~ /^(\S+:\d+):\d+: runtime error: (.*)/m;
	return ($said, "${where}crashed with signal " . WTERMSIG($?)) if WIFSIGNALED($?);
	my ($last) = $said =~ /(.*)\n\z/;
	return ($said, $where . ($last // 'ended'));
}

# Correctness: every check, and the contents of every trace.
sub check_all {
	my ($into) = @_;
	my ($names) = trial("$into/careful", 'list');
	my (@wrong, $number);
	for my $check ((map { ['check', $_] } split /\n/, $names), map { ['trace', path_of($_)] } @TRACES) {
		my (undef, $why) = trial("$into/careful", @$check);
		$number++;
		push @wrong, [$check->[0] eq 'trace' ? 'trace ' . basename($check->[1], '.fpt') : $check->[1], $why]
			if defined $why;
	}
	return ($number, @wrong);
}

1;
