#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# tests/pictures/map.pl NAME OUT.png: a picture of the screen while a trace runs on the live map.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../boot";

use File::Temp;
use Judge;
use Png;
use Screen;
use Time::HiRes 'sleep';

use constant { LIMIT => 60, PART => 0.8 }; # of the trace, where the picture is taken

die "usage: tests/pictures/map.pl NAME OUT.png\n" unless @ARGV == 2;
my ($name, $out) = @ARGV;
my $dir = File::Temp->newdir;
my $machine = Judge::start(kernel => 'build/fencepost.elf', memory => 128, timeout => 2 * LIMIT,
	modules => ["build/traces/$name.fpt"], append => "modules=$name", monitor => "$dir/qemu");
Judge::wait_for($machine, qr/^fencepost> \z/m) or die "the kernel does not ask for a command\n";
my $screen = Screen->connect("$dir/qemu") or die "QEMU's own monitor does not answer\n";
Judge::type($machine, "map $name\rfff");

my ($row, $done, $all);
for (1 .. LIMIT * 10) {
	($row) = $screen->rows;
	($done, $all) = $row =~ /\A\Q$name\E: (\d+) of (\d+) /;
	last if $all && $done > PART * $all;
	sleep 0.1;
}
die "the map does not come so far: $row\n" unless $all && $done > PART * $all;
Judge::type($machine, ' ');
sleep 0.3; # until it has paused
$screen->picture("$dir/screen.ppm");
open my $ppm, '<:raw', "$dir/screen.ppm" or die "QEMU took no picture: $!\n";
my $bytes = do { local $/; <$ppm> };
Judge::type($machine, "qquit\r");
Judge::finish($machine);

open my $png, '>:raw', "$out.tmp" or die "$out.tmp: $!\n";
print $png Png::of_ppm($bytes);
close $png or die "$out.tmp: $!\n";
rename "$out.tmp", $out or die "$out: $!\n";
