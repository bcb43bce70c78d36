#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The heap takes no more instructions, and no more memory, than in the baseline;
# and what says so would say otherwise. docs/bench.md tells what is measured.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use Bench;
use File::Temp 'tempdir';
use Judge;
use Test::More;

my $baseline = "$FindBin::Bin/baseline.json";

# --- the comparison --------------------------------------------------------

# Results of four figures, with some of them changed; undef takes one away.
sub results {
	my (%changed) = @_;
	my %figures = ('pair 16: pair' => 100, 'hole 16: pair' => 20, 'trace x: utilization' => 95,
		'trace x: bound' => 97, %changed);
	delete @figures{ grep { !defined $figures{$_} } keys %figures };
	return { compiler => 'gcc 12', flags => '-O2', qemu => '7.2.1', quick => \%figures };
}

sub judged {
	my ($results, $before) = @_;
	return Bench::compare($results, $before // results(), 'quick');
}

# name => [results, what is worse, what is better]
my @cases = (
	['the same', results(), 0, 0],
	['a figure worse by 3 %', results('pair 16: pair' => 103), 1, 0],
	['one worse by 2 %', results('pair 16: pair' => 102), 0, 0],
	['one better by 3 %', results('pair 16: pair' => 97), 0, 1],
	['a small one worse by an instruction', results('hole 16: pair' => 21), 0, 0],
	['a small one worse by more', results('hole 16: pair' => 21.1), 1, 0],
	['utilization lower by 0.2 points', results('trace x: utilization' => 94.8), 0, 0],
	['lower by more', results('trace x: utilization' => 94.7), 1, 0],
	['higher', results('trace x: utilization' => 95.5), 0, 1],
	['another bound', results('trace x: bound' => 90), 0, 0],
	['a figure that is missing', results('pair 16: pair' => undef), 1, 0],
	['one that is new', results('pair 32: pair' => 5), 1, 0],
	['all missing', { %{ results() }, quick => undef }, 4, 0],
);
for (@cases) {
	my ($name, $results, $worse, $better) = @$_;
	my $verdict = judged($results);
	is(@{ $verdict->{worse} }, $worse, "$name: " . ($worse ? 'red' : 'green'));
	is(@{ $verdict->{better} }, $better, '  and is named') if $better;
}
for (['compiler', 'gcc 13'], ['flags', '-O3'], ['qemu', '8.0.0']) {
	my ($key, $value) = @$_;
	my $verdict = judged({ %{ results('pair 16: pair' => 200) }, $key => $value });
	is(@{ $verdict->{differ} }, 1, "another $key: nothing is judged");
	is(@{ $verdict->{worse} }, 0, '  and nothing is red');
	like((Bench::explain($verdict))[0], qr/nothing is judged/, '  which is said');
}
is(@{ judged({ %{ results() }, qemu => '7.2.9' })->{differ} }, 0,
	'a QEMU that differs in the last number only is judged');

my ($figures, @odd) = Bench::figures_in(['# bench: pair 16: pair: 1000/8 instructions',
	'# bench: trace x: utilization: 1/3 percent', '# pair 16: 5']);
is_deeply($figures, { 'pair 16: pair' => 125, 'trace x: utilization' => 33.33 },
	'figures are read');
is("@odd", '', 'and nothing else is taken for one');
for ('pair 16: pair: 5/0 instructions', 'pair 16: pair: 5 instructions', 'pair: 1/2') {
	(undef, @odd) = Bench::figures_in(["# bench: $_", '# bench: pair 8: pair: 1/1 instructions']);
	is(@odd, 1, "'$_' is red");
}
(undef, @odd) = Bench::figures_in([('# bench: pair 8: pair: 1/1 instructions') x 2]);
is(@odd, 1, 'and so is one that comes twice');

# --- the figures -----------------------------------------------------------

my ($now, $run, @reasons) = Bench::take('quick');
Judge::green($run, 'the quick figures are taken', @reasons);
for my $trace (map { Judge::name_of_trace($_) } Judge::traces()) {
	ok(exists $now->{"trace $trace: $_"}, "trace $trace: $_") for 'operation', 'utilization', 'bound';
}

my ($again, undef, @odd_again) = Bench::take('quick', 'bench_quick_traces');
is("@odd_again", '', 'some of them again, with nothing else in that boot');
is_deeply($again, { map { $_ => $now->{$_} } grep { /^trace / } keys %$now }, 'they are the same');

# A program's figures are taken in ring 3, by itself.
my ($programs, undef, @odd_programs) = Bench::take('quick', 'bench_quick_programs');
is("@odd_programs", '', 'those of a program again');
is_deeply($programs, { map { $_ => $now->{$_} } grep { /^program / } keys %$now }, 'they are the same');
cmp_ok($programs->{'program 16: pair'}, '>=', $now->{'pair 16: pair'}, 'its malloc and free hold the heap\'s');
cmp_ok($programs->{'program 16: pair'}, '<', 3 * $now->{'pair 16: pair'}, '  and little more');
cmp_ok($programs->{'program page: first touch'}, '>', 1024, 'a page is cleared when it is touched');
cmp_ok($programs->{'program brk, a page up: system call'}, '<', 1024, '  and not when the break is raised');

unlike(Bench::environment()->{flags}, qr/(?:^| )-[gW]/, 'what does not change the code is no difference');
my $results = { %{ Bench::environment() }, quick => $now };
my $before = Bench::load($baseline);
my $verdict = Bench::compare($results, $before, 'quick');
my @explained = map { "$_\n" } Bench::explain($verdict);
ok(!@{ $verdict->{worse} }, 'none is worse than in the baseline') or diag @explained;
note @explained;
note Bench::show($results) if @{ $verdict->{differ} };

# --- the whole chain, on a doctored baseline -------------------------------

sub check {
	my ($name, $change) = @_;
	my $dir = tempdir(CLEANUP => 1);
	my %doctored = (%$results, quick => { %$now });
	$change->(\%doctored);
	Bench::save("$dir/baseline.json", \%doctored);
	Bench::save("$dir/bench.json", $results);
	my $said = qx{$^X $FindBin::Bin/bench.pl check $dir/bench.json $dir/baseline.json quick 2>&1};
	return ($? >> 8, $said);
}

my ($some) = grep { /^trace .*: operation$/ } sort keys %$now;
my ($status, $said) = check('the same', sub { });
is($status, 0, 'the figures beside themselves: green');
like($said, qr/^all figures are those of the baseline$/m, '  as is said');
($status, $said) = check('worse', sub { $_[0]{quick}{$some} /= 1.03 });
isnt($status, 0, 'beside a baseline that was better by 3 %: red');
like($said, qr/^worse   \Q$some\E: .*\n.*make bench-baseline/m,
	'  for that figure, and what to do is said');
($status, $said) = check('better', sub { $_[0]{quick}{$some} *= 1.03 });
is($status, 0, 'beside one that was worse: green');
like($said, qr/^better  \Q$some\E/m, '  and it is named');
($status, $said) = check('missing', sub { $_[0]{quick}{'pair 7: pair'} = 1 });
isnt($status, 0, 'beside one with a figure more: red');
($status, $said) = check('new', sub { delete $_[0]{quick}{$some} });
isnt($status, 0, 'beside one with a figure less: red');
($status, $said) = check('other', sub { $_[0]{quick}{$some} /= 2; $_[0]{compiler} = 'another' });
is($status, 0, 'beside one of another compiler: green, whatever the figures');
like($said, qr/^nothing is judged/m, '  as is said');
done_testing;
