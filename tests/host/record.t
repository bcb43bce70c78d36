#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# The recorder of traces and their checker: `prove tests/host/record.t` in the project's root.
use strict;
use warnings;
use Cwd qw(getcwd);
use File::Path qw(make_path);
use Test::More;

my $dir   = 'build/host';
my $trace = "$dir/probe.fpt";
my $cc    = $ENV{HOSTCC} // 'cc';
my $flags = '-std=gnu11 -O2 -Wall -Wextra -Wshadow -Werror '
	. '-Wstrict-prototypes -Wmissing-prototypes';

# What somebody records in the shell these tests are run from is none of their business.
delete @ENV{qw(FENCEPOST_TRACE FENCEPOST_PROGRAM FENCEPOST_MAX LD_PRELOAD)};

make_path($dir);
for my $build ("-shared -fPIC -o $dir/record.so tests/traces/record.c",
	"-pthread -o $dir/record_probe tests/host/record_probe.c")
{
	system("$cc $flags $build") == 0 or BAIL_OUT("cannot build: $build");
}

# Runs the probe under the recorder, with further settings of the environment.
sub record {
	my ($what, %env) = @_;
	unlink $trace;
	local %ENV = (%ENV, FENCEPOST_TRACE => $trace, FENCEPOST_PROGRAM => 'record_probe',
		LD_PRELOAD => getcwd() . "/$dir/record.so", %env);
	return system("$dir/record_probe", $what);
}

# The exit status of dump.pl and what it says, both channels in one.
sub dump_trace {
	my (@args) = @_;
	my $text = qx($^X tests/traces/dump.pl @args 2>&1);
	return ($? >> 8, $text);
}

# The operations recorded, one a line, without the totals.
sub operations {
	my ($status, $text) = dump_trace('-v', $trace);
	return $text if $status;
	return join '', grep { /^[A-Z]/ } map { "$_\n" } split /\n/, $text;
}

sub total {
	my ($name) = @_;
	my ($status, $text) = dump_trace($trace);
	return $text =~ /^\s+\Q$name\E\s+(\d+)$/m ? $1 : $text;
}

sub records_exactly {
	my ($what, $expected, $name) = @_;
	is(record($what), 0, "$what: the program ends well under the recorder");
	is(operations(), $expected, $name);
}

records_exactly('every', <<'END', 'all functions are recorded as asked, slots reused last first');
ALLOC 0 100
ZALLOC 1 63
REALLOC 0 100000
ALLOC 2 33
ALIGNED 3 64 1000
ALIGNED 4 4096 8192
FREE 1
ALLOC 1 300
REALLOC 1 15
FREE 2
ALIGNED 2 32 5
ALIGNED 5 4096 17
FREE 3
FREE 0
ALLOC 0 0
ALLOC 3 26
END
is(total('slots'), 6, 'the header counts the slots used');
is(total('peak live blocks'), 6, 'blocks live at once are counted');
is(total('peak live bytes'), 100000 + 300 + 33 + 1000 + 8192, 'and so are their bytes');
is(total('live at the end'), 6, 'blocks never freed stay live');

records_exactly('failures', "ALLOC 0 21\nFREE 0\n", 'requests that fail are not recorded');
records_exactly('giants', "ALLOC 0 40\nFREE 0\nALLOC 0 41\n",
	'blocks a trace cannot hold are left out');
records_exactly('forks', "ALLOC 0 51\nALLOC 1 52\n", 'a child of fork() records nothing');
records_exactly('vforks', "ALLOC 0 53\n", 'nor does a child of vfork() end the recording');
records_exactly('itself', "ALLOC 0 61\nALLOC 1 62\n",
	'the same program run by the recorded one does not overwrite the trace');

my $many = join '', map { "ALLOC $_ $_\n" } 0 .. 49;
records_exactly($_, $many, "a program that leaves by $_ is recorded") for qw(return _exit _Exit);

is(record('threads'), 0, 'four threads allocate at once');
is((dump_trace($trace))[0], 0, 'and the trace is valid');
# The C library keeps some memory of its own for each thread, more than this test can know.
cmp_ok(total('operations'), '>', 4 * 20000, 'with all that they did');

record('every', FENCEPOST_MAX => 7);
is(operations(), <<'END', 'FENCEPOST_MAX ends the recording after so many operations');
ALLOC 0 100
ZALLOC 1 63
REALLOC 0 100000
ALLOC 2 33
ALIGNED 3 64 1000
ALIGNED 4 4096 8192
FREE 1
END

record('every', FENCEPOST_PROGRAM => 'another');
ok(!-e $trace, 'only the program named is recorded');
{
	local $ENV{LD_PRELOAD} = getcwd() . "/$dir/record.so";
	is(system("$dir/record_probe", 'every'), 0, 'without settings a program just runs');
}

# The checker.

sub varint {
	my ($value) = @_;
	my $bytes = '';
	for (; $value >= 0x80; $value >>= 7) {
		$bytes .= chr(($value & 0x7f) | 0x80);
	}
	return $bytes . chr($value);
}

sub operation {
	my ($slot, $kind, @arguments) = @_;
	return join '', map { varint($_) } $slot << 3 | $kind, @arguments;
}

# The bytes of a trace whose header is right, unless told otherwise.
sub trace_of {
	my ($operations, %header) = @_;
	my $body = join '', @$operations;
	return pack('a4 V3', $header{magic} // 'FPT1', $header{operations} // scalar @$operations,
		$header{slots} // 1, $header{body} // length($body)) . $body;
}

sub check {
	my ($bytes) = @_;
	my $path = "$dir/made.fpt";
	open(my $file, '>:raw', $path) or die "$path: $!";
	print $file $bytes;
	close($file) or die "$path: $!";
	return dump_trace($path);
}

sub refuses {
	my ($bytes, $message, $name) = @_;
	my ($status, $text) = check($bytes);
	is($status, 1, "refused: $name");
	like($text, qr/\A\Q$dir\E\/made\.fpt: $message\n\z/, "  and the message names the trace");
}

my @good = (operation(0, 0, 300), operation(0, 3, 200), operation(0, 4));
my $good = trace_of(\@good);
is((check($good))[0], 0, 'a valid trace is accepted');
is((check(trace_of([], slots => 0)))[0], 0, 'and so is an empty one');
is((check(trace_of([operation(0, 2, 12, 2**31 - 1)])))[0], 0, 'and one that goes to the limits');

refuses('', 'shorter than a header', 'an empty file');
refuses(substr($good, 0, 15), 'shorter than a header', 'a part of a header');
refuses(substr($good, 0, -1), 'body is short of 1 bytes', 'a truncated body');
refuses("$good\0", '1 bytes after the body', 'bytes after the body');
refuses(trace_of(\@good, magic => 'FPT2'), 'bad magic', 'another magic');
refuses(trace_of(\@good, operations => 2**24 + 1), 'too many operations', 'too many operations');
refuses(trace_of(\@good, slots => 2**18 + 1), 'too many slots', 'too many slots');
refuses(trace_of(\@good, slots => 2), 'header says 2 slots, not 1', 'slots never used');
refuses(trace_of(\@good, slots => 0), 'operation 0: slot 0 is out of range', 'a slot too high');
refuses(trace_of(\@good, operations => 2), 'bytes after the last operation',
	'a body longer than its operations');
refuses(trace_of(\@good, operations => 4), 'operation 3: missing', 'an operation missing');
refuses(trace_of([operation(0, $_, 1)]), "operation 0: invalid kind $_", "kind $_") for 5 .. 7;
refuses(trace_of([@good[0, 0]]), 'operation 1: slot 0 is in use', "an ALLOC into a slot in use");
refuses(trace_of([$good[0], operation(0, 1, 1)]), 'operation 1: slot 0 is in use', 'or a ZALLOC');
refuses(trace_of([$good[0], operation(0, 2, 4, 1)]), 'operation 1: slot 0 is in use',
	'or an ALIGNED');
refuses(trace_of([$good[1]]), 'operation 0: slot 0 is empty', 'a REALLOC of an empty slot');
refuses(trace_of([@good[0, 2, 2]]), 'operation 2: slot 0 is empty', 'a block freed twice');
refuses(trace_of([operation(0, 2, 13, 1)]), 'operation 0: alignment too large', 'an alignment');
refuses(trace_of([operation(0, 0, 2**31)]), 'operation 0: size too large', 'a size');
refuses(trace_of([chr(0)]), 'operation 0: ends within an operation', 'an operation without size');
refuses(trace_of([chr(0) . chr(0x80)]), 'operation 0: ends within a number', 'half a number');
refuses(trace_of([chr(0) . chr(0x80) x 5 . chr(0)]), 'operation 0: number too long',
	'a number of six bytes');
refuses(trace_of([chr(0) . chr(0xff) x 4 . chr(0x10)]), 'operation 0: number too large',
	'a number of 33 bits');

my ($status, $text) = dump_trace("$dir/nowhere.fpt", $trace);
is($status, 1, 'a trace that is not there is an error');

# The traces of the tree.
for my $packed (glob 'tests/traces/*.fpt.gz') {
	my $path = "$dir/tree.fpt";
	is(system("gzip -dc $packed > $path"), 0, "$packed unpacks");
	is((dump_trace($path))[0], 0, '  and is valid');
}

done_testing();
