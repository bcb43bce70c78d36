#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# docs/programs.md promises nothing that no test backs: each cell of its table names
# tests, and each of them is there and runs. Its list of system calls is the kernel's.

use strict;
use warnings;
use FindBin;

use Test::More;

chdir "$FindBin::Bin/../.." or die "no tree: $!";

my @ROWS = ('brk', 'sbrk', 'malloc', 'free', 'calloc', 'realloc', 'alloca', 'memory returned at exit');
my $HEAD = '| | in the kernel | in a program | what POSIX or Linux says |';

sub slurp {
	my ($path) = @_;
	open my $file, '<', $path or return '';
	local $/;
	return <$file>;
}

my $text = slurp('docs/programs.md');
my $makefile = slurp('Makefile');
my %in_kernel = map { $_ => 1 } map { slurp($_) =~ /^KTEST\((\w+)\)$/mg } glob 'tests/kernel/*.c';
my $libc = slurp('tests/user/libc.t');
my ($beside) = $libc =~ /^for my \$program \(qw\((.*?)\)\) \{\n\tlike\(beside/m;
my $run_here = slurp('tests/kernel/test_programs.c');

# What is wrong with a test by that name; nothing if it is there and runs.
sub trouble {
	my ($name) = @_;
	if ($name =~ m{^tests/\w+/\w+\.t$}) {
		return -f $name ? () : "there is no script $name";
	} elsif (my ($program, $function) = $name =~ /^(\w+)\.c: (\w+)$/) {
		my $source = slurp("tests/user/$program.c");
		return "tests/user/$program.c has no $function" unless $source =~ /^static void $function\(/m;
		my ($main) = $source =~ /^int main\(.*?\n\{\n(.*?)^\}/ms;
		return "main() of $program.c does not call $function" unless $main =~ /^\t$function\(/m;
		return "libc.t does not run $program" unless grep { $_ eq $program } split ' ', $beside;
		return "no test in the kernel runs $program"
			unless $run_here =~ /check_finds_nothing_wrong\(FILE_OF\($program\)/;
		return;
	}
	return $in_kernel{$name} ? () : "there is no test $name in tests/kernel";
}

# All that is wrong with the table in a text.
sub troubles {
	my ($document) = @_;
	my ($table) = $document =~ /^\Q$HEAD\E\n\|[-:|]+\|\n((?:\|.*\|\n)+)/m or return 'there is no table';
	my (@troubles, @rows);
	for my $line (split /\n/, $table) {
		my ($row, @cells) = map { s/^ | $//gr } (split /\|/, $line)[1 .. 4];
		push @rows, $row;
		push @troubles, "$row: it has no 3 cells" unless @cells == 3 && $line =~ tr/|// == 5;
		for my $cell (@cells) {
			my ($said, $by) = split /<br>/, $cell;
			my @names = ($by // '') =~ /`([^`]+)`/g;
			push @troubles, "$row: no test backs: $said" unless @names;
			push @troubles, map { "$row: $_" } map { trouble($_) } @names;
		}
	}
	push @troubles, "the rows are: @rows" if "@rows" ne "@ROWS";
	return @troubles;
}

is(join("\n", troubles($text)), '', 'each cell names tests, all of which are there and run');

like($makefile, qr{^TEST_SRCS := .*\$\(wildcard tests/kernel/\*\.c}m, 'all of tests/kernel are in the image that runs');
like($makefile, qr{^\tprove .*\$\(wildcard tests/\*/\*\.t\)}m, 'and all scripts are run');

# The other half: what would be wrong is found.
my %wrong = (
	'a test in the kernel that is not there' => ['`kfree_of_null_does_nothing`', '`kfree_of_null_does_anything`'],
	'a script that is not' => ['`tests/user/faults.t`', '`tests/user/fault.t`'],
	'a check that is not' => ['`malloc.c: check_calloc`', '`malloc.c: check_talloc`'],
	'a check that is in another program' => ['`malloc.c: check_calloc`', '`brk.c: check_calloc`'],
	'a function that is no check' => ['`malloc.c: check_calloc`', '`malloc.c: aligned`'],
	'a program that does not run here' => ['`malloc.c: check_calloc`', '`text.c: check_printf`'],
	'a cell without a test' => ['`malloc.c: check_calloc`', ''],
	'a row that is missing' => [qr/^\| sbrk .*\n/m, ''],
	'a row that is new' => ['| sbrk |', '| vbrk |'],
	'no table' => [$HEAD, ''],
);
for my $name (sort keys %wrong) {
	my ($from, $to) = @{ $wrong{$name} };
	my $doctored = $text;
	$from = quotemeta $from unless ref $from;
	ok($doctored =~ s/$from/$to/ && troubles($doctored), "$name: red");
}

# Numbers and names of the system calls, as kernel/proc/syscall.h and the document have them.
my %kernel = map { /^\tSYSTEM_CALL_(\w+) = (\d+),$/ ? ($2 => lc $1) : () } split /\n/, slurp('kernel/proc/syscall.h');
my %document = map { /^\| +(\d+) \| _?(\w+) +\|/ ? ($1 => $2) : () } split /\n/, $text;
cmp_ok(scalar keys %kernel, '>', 15, 'there are system calls');
is_deeply(\%document, \%kernel, 'and the document lists them all');

done_testing;
