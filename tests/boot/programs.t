#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# Programs that nobody here wrote for Fencepost, and some of our own: what they do as
# its processes is what they do on the host, to the byte, and their status is the same. What is no
# program is refused, with its own reason; one that faults is ended and named.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use File::Copy 'copy';
use File::Temp;
use IPC::Open2;
use Judge;
use Test::More;

use constant { LIMIT => 120, BROKEN => 125, REFUSED => 126, ABSENT => 127 };

chdir "$FindBin::Bin/../.." or die "no tree: $!";
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL GNUMAKEFLAGS MEM QEMUFLAGS)};
my $KERNEL = 'build/fencepost.elf';
system("make -s $KERNEL foreign user build/host/64/elf_test") == 0 or BAIL_OUT('cannot build the programs');
my $dir = File::Temp->newdir;

sub spew {
	my ($path, $bytes) = @_;
	open my $file, '>:raw', $path or die "$path: $!";
	print $file $bytes;
	close $file or die "$path: $!";
	return $path;
}

sub slurp {
	my ($path) = @_;
	open my $file, '<:raw', $path or die "$path: $!";
	local $/;
	return scalar <$file>;
}

# Runs a command of the shell on some input: what it writes, its status as a shell has it.
sub run {
	my ($command, $input) = @_;
	spew("$dir/in", $input // '');
	system("timeout -k 5 @{[LIMIT]} $command <$dir/in >$dir/out 2>$dir/err");
	my $status = $? & 127 ? 128 + ($? & 127) : $? >> 8;
	return { out => slurp("$dir/out"), err => slurp("$dir/err"), status => $status };
}

sub on_host { return run(@_) }

sub here {
	my ($command, $input, $settings) = @_;
	return run(($settings // 'env') . " tools/run-user $KERNEL $command", $input);
}

# Long texts are compared, and not shown whole.
sub same {
	my ($got, $expected, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return pass($name) if $got eq $expected;
	my $at = 0;
	$at++ while substr($got, $at, 1) eq substr($expected, $at, 1);
	is(substr($got, $at, 200), substr($expected, $at, 200), "$name, from byte $at");
}

my $TEXT = join '', map { "line $_ " . '.' x ($_ % 61) . "\n" } 1 .. 1500;
my $BYTES = join '', map { chr($_ * 37 % 256) x ($_ % 3 + 1) } 0 .. 2000;

subtest 'programs do here what they do on the host' => sub {
	my @programs = (
		['words', 'foreign/words 100000'], ['table', 'foreign/table'], ['blocks', 'foreign/blocks'],
		['numbers', 'foreign/numbers'],
		['lines', 'foreign/lines', $TEXT], ['lines, of nothing', 'foreign/lines'],
		['lines, with arguments', 'foreign/lines one,,two, --three= 4', "a\nb"],
		['bytes', 'foreign/bytes', $BYTES],
		['bytes that mean something on the wire', 'foreign/bytes', "\x10\x02\x10\x10\x02\x10"],
		['sums, with our own library', 'user/sums 1000'], ['churn, with it', 'user/churn 20000'],
		['memory, with it', 'user/memory'], ['text, with it', 'user/text'],
	);
	for my $program (@programs) {
		my ($name, $command, $input) = @$program;
		my $host = on_host("build/$command", $input);
		my $run = here("build/$command", $input);
		same($run->{out}, $host->{out}, "$name: " . length($host->{out}) . ' bytes are the same');
		is($run->{status}, $host->{status}, "  with status $host->{status}");
		is($run->{err}, '', '  and nothing is said of it');
	}
};

subtest 'a program that faults is ended and named, with the status that it has on Linux' => sub {
	my %reason = (
		null => qr/page fault: writing 0x00000000, a null pointer, at eip 0x[0-9a-f]{8}$/,
		kernel => qr/page fault: reading 0xc0100000, which is the kernel's, at eip/,
		text => qr/page fault: writing 0x[0-9a-f]{8}, which is protected, at eip/,
		stack => qr/stack overflow: writing 0x[0-9a-f]{8}, the guard below the stack, at eip/,
		divide => qr/division by zero/,
		invalid => qr/invalid instruction/,
		privileged => qr/general protection fault/,
		breakpoint => qr/breakpoint/,
		abort => qr/ended itself by signal 6$/,
	);
	for my $way (sort keys %reason) {
		my $host = on_host("build/foreign/faults $way");
		my $run = here("build/foreign/faults $way");
		is($run->{status}, $host->{status}, "$way: status $host->{status}");
		cmp_ok($run->{status}, '>', 128, '  which is that of a signal');
		is($run->{out}, $host->{out}, '  after what it has written before');
		like($run->{err}, qr/\Arun-user: process 1 \(faults\): $reason{$way}/, '  and why is said, once');
		is($run->{err} =~ tr/\n//, 1, '  in one line');
	}
	for my $way (qw(none enough-stack)) {
		my $host = on_host("build/foreign/faults $way");
		my $run = here("build/foreign/faults $way");
		is($run->{status}, $host->{status}, "$way: status $host->{status}");
		is("$run->{out}$run->{err}", "it begins\n", '  and nothing is said of it');
	}
};

# What is refused, beside what is like it and runs: arguments of run-user, and its settings.
my $whole = slurp('build/foreign/numbers');
my @refused = (
	['no ELF file', spew("$dir/text", "#!/bin/sh\necho hello\n"), 'not an ELF file'],
	['an empty file', spew("$dir/empty", ''), 'not an ELF file'],
	['half a program', spew("$dir/half", substr $whole, 0, length($whole) / 2), 'truncated: a segment is not all there'],
	['nearly nothing of it', spew("$dir/head", substr $whole, 0, 51), 'truncated: the ELF header is not all there'],
	['a program for x86-64', 'build/host/elf/amd64', 'for another machine: x86-64'],
	['a position-independent program', 'build/host/elf/pie',
		'position-independent: link it with -static -no-pie'],
	['a shared library', 'build/host/elf/shared', 'position-independent: link it with -static -no-pie'],
	['a program that is not static', 'build/host/elf/dynamic', 'needs a dynamic linker: link it with -static'],
	['an object file', 'build/host/elf/object', 'an object file: it is not linked yet'],
	['the kernel', $KERNEL, 'a segment reaches into what belongs to the stack or the kernel'],
	['more memory than there is', 'build/foreign/large', 'it is larger than all memory that there is', 'env MEM=64'],
	['arguments without end', 'build/foreign/lines ' . 'word ' x 500, 'its arguments are too long'],
);
my @run = (
	['a whole program', spew("$dir/whole", $whole), 31],
	['a static program', 'build/host/elf/static', 0],
	['a static program without a C library', 'build/host/elf/bare', 0],
	['as much memory as there is', 'build/foreign/large', 0, 'env MEM=128'],
	['many arguments', 'build/foreign/lines ' . 'word ' x 400, 0],
);

subtest 'what cannot be run is refused, each for its own reason' => sub {
	for my $case (@refused) {
		my ($name, $command, $reason, $settings) = @$case;
		my $run = here($command, undef, $settings);
		my ($program) = $command =~ m{([^/ ]+)(?: |\z)};
		is($run->{err}, "run-user: $program: $reason\n", "$name: $reason");
		is($run->{status}, REFUSED, '  with the status of a shell');
		is($run->{out}, '', '  and nothing is written');
	}
	for my $case (@run) {
		my ($name, $command, $status, $settings) = @$case;
		my $run = here($command, undef, $settings);
		is($run->{err}, '', "$name: runs");
		is($run->{status}, $status, "  with status $status");
	}
};

subtest 'run-user itself' => sub {
	my $run = here('build/foreign/nothing');
	is($run->{status}, ABSENT, 'a program that is not there has the status of a shell');
	is($run->{err}, "run-user: build/foreign/nothing: there is no such file\n", '  and is named');
	is(here('')->{status}, ABSENT, 'no program is one that is not there');
	$run = run('tools/run-user build/nothing.elf build/foreign/numbers');
	is($run->{status}, BROKEN, 'without a kernel it cannot be run');
	$run = here('build/foreign/numbers', undef, 'env QEMU=/nothing/qemu');
	is($run->{status}, BROKEN, 'nor without QEMU');
	like($run->{err}, qr{/nothing/qemu: No such file}, '  which is named');
	$run = here('build/foreign/numbers', undef, 'env MEM=2');
	is($run->{status}, BROKEN, 'a machine that does not come up is none of a program\'s ends');
	like($run->{err}, qr/^run-user: the kernel did not end as it should.*needs at least \d+ KiB/ms,
		'  and what it says is shown');

	my $odd = "$dir/an odd, name (2).elf";
	copy('build/foreign/lines', $odd) or die "$odd: $!";
	chmod 0755, $odd;
	$run = here("'$odd' x", 'y');
	is($run->{out}, "argument 1: 'x'\ny", 'a name may have spaces and commas');
	is($run->{status}, 1, '  and runs');
};

subtest 'what is written waits for who reads, and what is read for who writes' => sub {
	my $long = $TEXT x 8;
	my $slow = run("sh -c 'tools/run-user $KERNEL build/foreign/bytes | { sleep 2; cat; }'", $long);
	same(substr($slow->{out}, 0, length $long), $long, 'a reader that is late has all of it');
	my $left = run("sh -c '{ tools/run-user $KERNEL build/foreign/lines; echo \$? >&2; } | head -1'", $long);
	like($left->{out}, qr/\Aline 1500 \.*\n\z/, 'one that leaves has the first line');
	is($left->{err}, "141\n", '  and the program ends as by SIGPIPE');

	my $pid = open2(my $from, my $to, "timeout -k 5 @{[LIMIT]} tools/run-user $KERNEL build/foreign/talk");
	is(scalar <$from>, "what?\n", 'a program asks before it is answered');
	for my $word ('a', 'four') {
		syswrite $to, "$word\n";
		is(scalar <$from>, length($word) . " letters\n", '  and answers a line when it comes');
	}
	close $to;
	is(scalar <$from>, "bye\n", '  and sees the end');
	waitpid $pid, 0;
	is($?, 0, '  and ends');
};

subtest 'a million system calls with arguments at random do no harm' => sub {
	my $seed = int rand 1 << 31;
	diag("seed $seed");
	my $run = here("build/user/hostile '$seed 1000000 all'");
	is($run->{status}, 0, 'none has a result that it cannot have');
	like($run->{out}, qr/^ok 1 - hostile, seed $seed: 1000000 calls, \d+ refused$/m, '  and all have come back');
	diag($run->{out}, $run->{err}) if $run->{status} != 0;
};

subtest 'make run-user' => sub {
	my $run = run('make --no-print-directory run-user PROGRAM=build/foreign/lines ARGS="x,y *"', "1\n2\n");
	like($run->{out}, qr/^argument 1: 'x,y'\nargument 2: '\*'\n2\n1\n\z/m, 'runs a program with its arguments');
	is($run->{status}, 2, 'and ends with what make makes of a status');
	like($run->{err}, qr/Error 2$/m, '  which it names');
	$run = run('make --no-print-directory run-user PROGRAM=build/host/elf/static');
	is($run->{status}, 0, 'and with 0 for 0');
};

# Programs without anybody at the other end: on the console, as a person would see it.
sub boots {
	my ($name, $modules, @like) = @_;
	my $run = Judge::boot(kernel => $KERNEL, modules => $modules, append => 'programs');
	Judge::green($run, $name, Judge::complaints($run, status => Judge::PASS, like => \@like));
}
boots('without a second serial port programs use the console, one after the other',
	['build/foreign/numbers', 'build/foreign/faults'],
	qr/^3\.14159265358979323\d+ \S+e\+\d+ inf\n.*\nit begins\nprograms: status 3$/ms);
boots('what is refused is named there, and the rest runs', ["$dir/text", 'build/foreign/blocks', "$dir/half"],
	qr/^programs: text: not an ELF file\n.*\nall of it goes: yes\n.*\nprograms: half: truncated: [^\n]*\nprograms: status 126$/ms);
boots('no module is no program', [],
	qr/^programs: there is none: no module was loaded\nprograms: status 126$/m);

done_testing;
