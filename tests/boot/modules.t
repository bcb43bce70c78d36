#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# Modules by the dozen: all are replayed, and those beyond the room for their
# names are counted, not forgotten.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use File::Temp;
use Judge;
use Test::More;

use constant ROOM => 64; # BOOT_MAX_MODULES

# A trace as of tests/traces/README.md: allocates 100 bytes in slot 0, frees them.
my $body = pack 'C*', 0 << 3 | 0, 100, 0 << 3 | 4;
my $trace = pack 'a4 V3 a*', 'FPT1', 2, 1, length $body, $body;
my $dir = File::Temp->newdir;

sub modules {
	my ($n) = @_;
	return map {
		my $path = sprintf '%s/t%02d.fpt', $dir, $_;
		open my $file, '>:raw', $path or die "$path: $!";
		print $file $trace;
		close $file or die "$path: $!";
		$path;
	} 1 .. $n;
}

my @modules = modules(40);
my $run = Judge::boot(kernel => 'build/test.elf', modules => \@modules,
	append => Judge::words(Judge::modules_word(@modules)));
Judge::tap($run, compiled => Judge::compiled_in('build/test.elf'), Judge::asked_for());
ok((grep { /^loaded by qemu, 40 modules$/ } @{ $run->{lines} }), '40 modules are loaded');

my @many = modules(ROOM + 6);
$run = Judge::boot(kernel => 'build/fencepost.elf', modules => \@many, append => 'demo');
Judge::green($run, 'more modules than there is room for: counted, and the rest goes on',
	Judge::complaints($run, status => Judge::PASS,
		like => [qr/^memory: 6 modules found no room$/m,
			map { qr/^\Q$_\E +2 .*%$/m } map { Judge::name_of_trace($_) } @many[0 .. ROOM - 1]],
		unlike => [qr/^panic/m, qr/skipped$/m]));
done_testing;
