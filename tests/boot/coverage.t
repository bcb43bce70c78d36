#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# Every line and every branch of the floors of memory is taken by the tests in
# the kernel, counted there by gcov: by the suite, and by the boots that nothing
# returns from. A line that cannot be taken is marked where it stands, "not
# covered: " and why; they may be one in a hundred.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use Cwd 'abs_path';
use File::Basename 'basename';
use File::Copy 'copy';
use File::Temp 'tempdir';
use Judge;
use Test::More;

my $root = abs_path("$FindBin::Bin/../..");
my $objects = "$root/build/coverage/kernel/mm";
my ($gcov) = map { s/\s+$//r }
	Judge::output_of(split(' ', $ENV{CC} // 'i686-linux-gnu-gcc'), '-print-prog-name=gcov');

# One boot for each: [image, memory, words, status].
my @boots = (
	['test', 128, 'modules=sqlite', Judge::PASS],
	['test', 6144, 'only=frame modules=sqlite', Judge::PASS],
	['no_frames', 128, '', Judge::REFUSED],
	['few_frames', 128, '', Judge::REFUSED],
	['crumbs', 256, '', Judge::REFUSED],
	map { ['panics', 128, "only=panic_at_$_", Judge::PANIC] }
		qw(a_write_to_kernel_text a_null_pointer a_block_freed_twice a_call_of_null
		kmalloc_within_kfree the_page_behind_the_break the_last_page
		a_page_missing_below_the_break a_frame_missing_below_the_break a_page_table_freed
		a_ledger_that_disagrees a_damaged_heap the_start_of_the_heap the_fence_of_the_heap),
);

# What a boot has not taken: file => { "line 12" => 1, "branch 1 in line 12" => 1 }; marks likewise.
my (%missed, %excused, %lines);

sub read_gcov {
	my ($file, $path) = @_;
	my (%now, $line, $excuse);
	open my $text, '<', $path or die "$path: $!";
	while (<$text>) {
		if (my ($count, $number, $source) = /^\s*([-#=\d]+\*?):\s*(\d+):(.*)/) {
			$line = $number;
			$excuse = $source =~ /not covered: \S/;
			my $asserts = $source =~ /^\s*kassert\(/; # one side of it is a panic
			$lines{$file}{$line} = 1 if $count ne '-';
			$excused{$file}{$line} = 1 if $excuse;
			$now{"line $line"} = 1 if $count =~ /^#/ && !$excuse;
			$excuse ||= $asserts;
		} elsif (/^branch\s+(\d+) (?:never executed|taken 0%)/ && !$excuse) {
			$now{"branch $1 in line $line"} = 1;
		}
	}
	return \%now;
}

sub take_in {
	my ($run, $name) = @_;
	my $dir = tempdir(CLEANUP => 1);
	my $files = 0;
	symlink "$root/kernel", "$dir/kernel" or die "symlink: $!"; # gcov wants the sources
	for (@{ $run->{lines} }) {
		my ($path, $hex) = /^gcda (\S+) ([0-9a-f]+)$/ or next;
		my $file = basename($path, '.gcda');
		copy("$objects/$file.gcno", $dir) or die "$file.gcno: $!";
		open my $data, '>:raw', "$dir/$file.gcda" or die "$dir/$file.gcda: $!";
		print $data pack 'H*', $hex;
		close $data;
		system("cd $dir && $gcov -b $file.gcda >/dev/null 2>&1") == 0 or die "$gcov: $file\n";
		my $now = read_gcov($file, "$dir/$file.c.gcov");
		my $before = $missed{$file} // $now;
		$missed{$file} = { map { $_ => 1 } grep { $now->{$_} } keys %$before };
		$files++;
	}
	cmp_ok($files, '>', 5, "$name: gcov's counts come over the serial port");
}

for my $boot (@boots) {
	my ($image, $memory, $words, $status) = @$boot;
	my $run = Judge::boot(kernel => "build/coverage/$image.elf", memory => $memory, append => $words,
		modules => $words =~ /sqlite/ ? ['build/traces/sqlite.fpt'] : []);
	is($run->{status}, $status, "$image $words ends as it should");
	take_in($run, "$image $words");
}
for my $file (sort keys %missed) {
	is(join(', ', sort keys %{ $missed{$file} }), '', "$file.c: every line and every branch is taken");
}
my $excused = map { keys %$_ } values %excused;
my $lines = map { keys %$_ } values %lines;
cmp_ok($excused, '<=', $lines / 100, 'at most one line in a hundred is excused');
note "$excused of $lines lines";
done_testing;
