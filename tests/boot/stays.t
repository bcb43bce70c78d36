#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# A panic of the product, for the person in front of the machine: it stays on the
# screen, and however much it tells, what it is about has not scrolled away.
# (One of the test kernel ends the emulator, for whoever waits for the result.)

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use File::Temp;
use Judge;
use POSIX ();
use Screen;
use Test::More;
use Time::HiRes 'sleep';

my $what = qr/heap: pointer 0xd[0-9a-f]{7}: not in use/;
my $dir = File::Temp->newdir;
my $machine = Judge::start(kernel => 'build/broken/panic_stays.elf', monitor => "$dir/qemu", timeout => 60);

my $said = Judge::wait_for($machine, qr/^stopped\b.*\n/m);
like($said, qr/^panic: $what/m, 'the panic is on the serial line');
like($said, qr/^stopped\b/m, 'to its end');
sleep 2;
is(waitpid($machine->{pid}, POSIX::WNOHANG), 0, 'the machine still runs');

my $screen = Screen->connect("$dir/qemu");
ok($screen, "QEMU's own monitor answers") or diag $!;
if ($screen) {
	my @rows = $screen->rows;
	my $text = join "\n", @rows;
	like($text, $what, 'the screen shows what it was about');
	like($text, qr/^stopped\b/m, 'and the end');
}

my $run = Judge::stop($machine);
is_deeply([Judge::unexpected_guest_errors($run)], [], 'the guest-error log is empty');
done_testing;
