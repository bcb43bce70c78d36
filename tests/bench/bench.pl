#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# bench.pl take FILE [SET...]             boots the kernel and keeps its figures in a file
# bench.pl show FILE                      prints them as tables
# bench.pl markdown FILE                  the same for a document
# bench.pl check FILE BASELINE [SET...]   compares them; fails if one is worse
#
# A set is quick or long; without one, both.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use Bench;

sub take {
	my ($path, @sets) = @_;
	my $results = Bench::environment();
	for my $set (@sets ? @sets : qw(quick long)) {
		($results->{$set}, my $run, my @reasons) = Bench::take($set);
		next unless @reasons;
		print STDERR map { "$_\n" } @{ $run->{lines} }, map { "* $_" } @reasons;
		exit 1;
	}
	Bench::save($path, $results);
}

sub check {
	my ($path, $baseline, @sets) = @_;
	my $verdict = Bench::compare(Bench::load($path), Bench::load($baseline),
		@sets ? @sets : qw(quick long));
	print map { "$_\n" } Bench::explain($verdict);
	exit 1 if @{ $verdict->{worse} };
}

my %commands = (
	take => \&take,
	show => sub { print Bench::show(Bench::load(@_)) },
	markdown => sub { print Bench::show(Bench::load(@_), 1) },
	check => \&check,
);
my $command = $commands{ shift // '' };
die "usage: bench.pl take|show|markdown FILE, bench.pl check FILE BASELINE\n"
	unless $command && @ARGV;
$command->(@ARGV);
