#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The pictures: what the kernel sends is what is drawn, cell by cell, and what
# is no log, no trace or no screen is refused in words.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../boot";

use Compress::Zlib 'uncompress';
use File::Temp;
use Heapmap;
use Judge;
use Png;
use Test::More;

chdir "$FindBin::Bin/../.." or die "no tree: $!";
my $dir = File::Temp->newdir;

sub slurp {
	my ($path) = @_;
	open my $file, '<:raw', $path or die "$path: $!";
	local $/;
	return <$file>;
}

sub refusal {
	my ($code) = @_;
	return eval { $code->(); 1 } ? 'none' : $@;
}

# --- a log -----------------------------------------------------------------

my @log = ('heapmap: begin tiny 30 0xd0000000 16', 'heapmap: at 0 0 0 ', 'heapmap: at 10 64 20 +1#2-1',
	'heapmap: at 20 64 10 +1.1#1-1', 'heapmap: at 30 48 0 +1.2', 'heapmap: end');
my $tiny = Heapmap::parse('something else', @log);
is_deeply($tiny->{columns}, [[0, 0, 0, ''], [10, 64, 20, '+##-'], [20, 64, 10, '+.#-'], [30, 48, 0, '+..']],
	'a log is read');
is(Heapmap::bars($tiny, '+'), 'M1 0h3v1h-3z', 'what stays is one bar');
is(Heapmap::bars($tiny, '#'), 'M1 1h1v1h-1zM1 2h2v1h-2z', 'a bar ends where it is something else');
is(Heapmap::bars($tiny, '.'), 'M2 1h2v1h-2zM3 2h1v1h-1z', 'or with the picture');
is(Heapmap::bars($tiny, 'c'), '', 'there may be none');
like(refusal(sub { Heapmap::parse() }), qr/^the kernel sent no map$/, 'no log is refused');
like(refusal(sub { Heapmap::parse(@log[0 .. 3]) }), qr/^the kernel's maps end early$/, 'half of one');
like(refusal(sub { Heapmap::parse(@log[0 .. 2], 'heapmap: tiny: memory ran out') }),
	qr/^the kernel says: tiny: memory ran out$/, 'and one with trouble in it');
like(refusal(sub { Heapmap::parse(@log[0 .. 2], 'heapmap: at 20 64 10 +1x', $log[5]) }),
	qr/^the kernel says: at 20/, 'or with what is no cell');

# --- the kernel's ----------------------------------------------------------

my $run = Judge::boot(kernel => 'build/fencepost.elf', memory => 128, modules => ['build/traces/sqlite.fpt'],
	append => 'heapmap=sqlite');
Judge::green($run, 'the kernel sends one and leaves', Judge::complaints($run, status => Judge::PASS));
my $heap = Heapmap::parse(@{ $run->{lines} });
my @columns = @{ $heap->{columns} };
cmp_ok(scalar @columns, '>', 200, @columns . ' maps');
is($columns[-1][0], $heap->{operations}, 'to the last operation');
my @odd = grep { length $_->[3] != int(($_->[1] + $heap->{cell} - 1) / $heap->{cell}) } @columns;
is(scalar @odd, 0, 'each as long as the heap is');
@odd = grep { my $used = ($_->[3] =~ tr/#//); $_->[2] > 50_000 && abs($used * $heap->{cell} - $_->[2]) > 0.3 * $_->[2] } @columns;
is(scalar @odd, 0, 'and as full as the trace has live bytes, roughly');

$run = Judge::boot(kernel => 'build/fencepost.elf', memory => 64, append => 'heapmap=nothing');
Judge::green($run, 'a trace that is not there is named', Judge::complaints($run, status => Judge::FAIL,
	like => [qr/^nothing is no trace; loaded are: none$/m], unlike => [qr/^heapmap: end/m]));

# --- the picture -----------------------------------------------------------

delete local @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL GNUMAKEFLAGS)};
is(system('tests/pictures/heapmap.pl', 'sqlite', "$dir/sqlite.svg"), 0, 'a picture is made');
my $svg = slurp("$dir/sqlite.svg");
my @painted = map { '' } @columns;
my %signs = (used => '#', cached => 'c', free => '.', top => '-', bookkeeping => '+');
for my $kind (sort keys %signs) {
	my ($path) = $svg =~ /<path id="$kind" fill="#\w+" d="([^"]*)"/;
	while ($path =~ /\GM(\d+) (\d+)h(\d+)v1h-\3z/gc) {
		for my $x ($1 .. $1 + $3 - 1) {
			$painted[$x] .= ' ' x ($2 + 1 - length $painted[$x]) if length $painted[$x] <= $2;
			substr($painted[$x], $2, 1) = $signs{$kind};
		}
	}
	is(pos $path // 0, length $path, "bars: $kind");
}
@odd = grep { $painted[$_] ne $columns[$_][3] } 0 .. $#columns;
is(scalar @odd, 0, 'its bars are the cells that were sent');
my %open;
for ($svg =~ m{<(/?\w+)[^>]*?(?<!/)>}g) {
	m{^/(.*)} ? $open{$1}-- : $open{$_}++;
}
is(join(' ', grep { $open{$_} } sort keys %open), '', 'and what is opened is closed');
like($svg, qr/<path id="break" [^>]*d="M96 504.0V504.0H[\d.]+V/, 'with the break');
like($svg, qr/<path id="live" /, 'and the live bytes as curves');

like(qx{make -s heapmap 2>&1}, qr/^make heapmap TRACE=NAME, where NAME is one of: .*\bsqlite\b/, 'make heapmap asks for a name');
isnt($?, 0, 'and fails');
like(qx{make -s heapmap TRACE=nothing 2>&1}, qr/^make heapmap TRACE=NAME, where/, 'also for a name that is none');
like(qx{tests/pictures/heapmap.pl nothing $dir/nothing.svg 2>&1}, qr/^heapmap: /, 'what cannot be drawn is said');
ok(!-e "$dir/nothing.svg", 'and nothing is drawn');

# --- the screen ------------------------------------------------------------

my $ppm = "P6\n3 2\n255\n" . join '', map { chr($_) x 3 } 0, 255, 0, 255, 0, 255;
my $png = Png::of_ppm($ppm);
my ($width, $height, $bits, $type) = unpack 'x16NNCC', $png;
is("$width $height $bits $type", '3 2 4 3', 'a PNG has its size and a palette');
my ($data) = $png =~ /IDAT(.*)....\0\0\0\0IEND/s;
is(unpack('H*', uncompress($data)), '00' . '0100' . '00' . '1010', 'and its pixels');
like(refusal(sub { Png::of_ppm('P5 1 1 255 x') }), qr/^no PPM/, 'what is no PPM is refused');
like(refusal(sub { Png::of_ppm("P6\n3 2\n255\nxxx") }), qr/^the PPM is cut/, 'or cut');
like(refusal(sub { Png::of_ppm("P6\n17 1\n255\n" . join '', map { chr($_) x 3 } 1 .. 17) }),
	qr/^more than sixteen colours/, 'or too colourful');
is(system('tests/pictures/map.pl', 'sqlite', "$dir/map.png"), 0, 'a picture of the live map is taken');
is(join(' ', unpack 'x16NN', slurp("$dir/map.png")), '720 400', 'of the whole screen');
done_testing;
