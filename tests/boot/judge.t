#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# The judge on canned runs: each way to be wrong is red with its exact reason,
# and the legal thing next to it is green. Then the machine underneath, with
# small scripts in the place of QEMU.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use File::Temp;
use Judge;
use Test::More;

my $END = '# end of tests: 3 passed, 0 failed, 0 skipped, seed 0x1234abcd';

# A run that is right in everything, after some changes to its text or its facts.
sub run_of {
	my (%opt) = @_;
	my $text = join "\n", 'Fencepost', 'memory: 128 MiB', 'KTAP version 1', '1..3',
		'ok 1 a', 'ok 2 b', 'ok 3 c', $END;
	my $edit = delete $opt{edit} // sub { };
	$edit->() for $text;
	return {
		lines => [split /\n/, $text], status => Judge::PASS, signal => 0, timed_out => 0,
		guest_errors => [], stderr => '', %opt,
	};
}

# The run changed by the edit (which sees the text as $_) has exactly these reasons.
sub judged {
	my ($name, $edit, $reasons, $facts, $expect) = @_;
	my $run = run_of(edit => $edit, %{ $facts // {} });
	my @got = Judge::verdict($run, compiled => 3, %{ $expect // {} });
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is_deeply(\@got, $reasons, $name) or diag explain \@got;
}

my $same = sub { };

judged('a run that is right is green', $same, []);
judged('text that is no result is green', sub { s/ok 2 b/heap: it is ok\n  more\nok 2 b/ }, []);
judged('a dash before the name is green', sub { s/ok 2 b/ok 2 - b/ }, []);

# The frame: version, plan, last line.
judged('no version line', sub { s/KTAP version 1\n// },
	["there is no line 'KTAP version 1'", 'the plan comes before the version line']);
judged('another version', sub { s/version 1/version 2/ }, ['the version is 2, not 1']);
judged('a second version line', sub { s/ok 2/KTAP version 1\nok 2/ },
	['there is a second version line']);
judged('nothing at all', sub { $_ = '' }, ["there is no line 'KTAP version 1'"]);
judged('no plan', sub { s/1\.\.3\n// }, [
	'there is no plan',
	(map { "a result comes before the plan: $_" } 'ok 1 a', 'ok 2 b', 'ok 3 c'),
	'the last line comes before the plan',
]);
judged('a plan at the end', sub { s/1\.\.3\n//; s/ok 3 c/ok 3 c\n1..3/ }, [
	(map { "a result comes before the plan: $_" } 'ok 1 a', 'ok 2 b', 'ok 3 c'),
	'the plan comes after a result',
]);
judged('a plan of nothing', sub { s/1\.\.3/1..0/; s/ok .*\n//g; s/: 3/: 0/ },
	['the plan is 1..0: no test was run']);
judged('a plan of nothing with an excuse', sub { s/1\.\.3/1..0 # SKIP no time/; s/ok .*\n//g; s/: 3/: 0/ },
	['the plan is 1..0: no test was run', 'there is text after the plan: 1..0 # SKIP no time']);
judged('a second plan', sub { s/1\.\.3/1..3\n1..3/ }, ['there is a second plan']);
judged('fewer planned than compiled in', $same,
	['the plan is 1..3, but 4 tests are compiled in'], {}, { compiled => 4 });
judged('more planned than compiled in', $same,
	['the plan is 1..3, but 2 tests are compiled in'], {}, { compiled => 2 });
judged('the last test missing', sub { s/ok 3 c\n//; s/: 3/: 2/ },
	['the kernel ended before its last test: plan 1..3, 2 results']);
judged('more results than planned', sub { s/ok 3 c/ok 3 c\nok 4 d/; s/: 3/: 4/ },
	['there are more results than planned: plan 1..3, 4 results']);
judged('no last line', sub { s/\n# end.*// },
	["the last line, '# end of tests: ...', is missing"]);
judged('a last line cut short', sub { s/, seed.*// },
	["the last line, '# end of tests: ...', is missing"]);
judged('output after the end', sub { $_ .= "\nand more\nand more" },
	['there is output after the end: and more']);
judged('a result after the end', sub { $_ .= "\nok 4 d" },
	['there is output after the end: ok 4 d']);

# Results.
judged('a failing test',
	sub { s/ok 2 b/# tests\/kernel\/test.c:1: CHECK(false)\nnot ok 2 b/; s/3 passed, 0/2 passed, 1/ },
	['the test b failed'], { status => Judge::FAIL });
judged('failing tests', sub { s/ok ([23])/not ok $1/g; s/3 passed, 0/1 passed, 2/ },
	['2 tests failed, the first of them b'], { status => Judge::FAIL });
judged('a missing number', sub { s/ok 2 b/ok 3 b/; s/ok 3 c/ok 4 c/ }, [
	'result 3 stands where result 2 belongs', 'result 4 stands where result 3 belongs',
]);
judged('a number twice', sub { s/ok 2 b/ok 1 b/ }, ['result 1 stands where result 2 belongs']);
judged('numbers out of order', sub { s/ok 2 b/ok 3 b/; s/ok 3 c/ok 2 c/ }, [
	'result 3 stands where result 2 belongs', 'result 2 stands where result 3 belongs',
]);
judged('a name twice', sub { s/ok 2 b/ok 2 a/ }, ['two tests have the name a']);
judged('a nested failure', sub { s/ok 2 b/    not ok 1 b_1\nok 2 b/ },
	['there is a nested result:     not ok 1 b_1']);
judged('a nested success', sub { s/ok 2 b/    ok 1 b_1\nok 2 b/ },
	['there is a nested result:     ok 1 b_1']);
judged('a failure behind other text', sub { s/ok 2 b/heap not ok 2 b\nok 2 b/ },
	['there is a malformed result: heap not ok 2 b']);
judged('a result without a name', sub { s/ok 2 b/ok 2/ }, [
	'the kernel ended before its last test: plan 1..3, 2 results',
	'there is a malformed result: ok 2', 'result 3 stands where result 2 belongs',
	'the totals disagree: counted 2 passed, 0 failed, 0 skipped; told 3, 0, 0',
]);
judged('a result before the version line', sub { s/KTAP/ok 1 z\nKTAP/ }, [
	'there are more results than planned: plan 1..3, 4 results',
	'a result comes before the plan: ok 1 z', 'the plan comes after a result',
	(map { sprintf 'result %d stands where result %d belongs', $_, $_ + 1 } 1 .. 3),
	'the totals disagree: counted 4 passed, 0 failed, 0 skipped; told 3, 0, 0',
]);

# Directives.
my $skip = sub { s/ok 2 b/ok 2 b # SKIP needs 64 MiB/; s/3 passed, 0 failed, 0/2 passed, 0 failed, 1/ };
judged('a skip that is allowed is green', $skip, [], {}, { may_skip => ['b'] });
judged('a test that may be skipped and is not is green', $same, [], {}, { may_skip => ['b'] });
judged('a skip that is not allowed', $skip,
	['the test b was skipped, which this machine has no right to'], {}, { may_skip => ['c'] });
judged('a failure that calls itself a skip',
	sub { s/ok 2 b/not ok 2 b # SKIP/; s/3 passed, 0/2 passed, 1/ },
	['the test b failed'], { status => Judge::FAIL }, { may_skip => ['b'] });
judged('a TODO', sub { s/ok 2 b/not ok 2 b # TODO later/; s/3 passed, 0/2 passed, 1/ },
	['there is a directive that is not SKIP: not ok 2 b # TODO later', 'the test b failed'],
	{ status => Judge::FAIL });
judged('a TODO that passes', sub { s/ok 2 b/ok 2 b # TODO later/ },
	['there is a directive that is not SKIP: ok 2 b # TODO later']);

# Totals and status.
judged('totals that disagree', sub { s/: 3/: 2/ },
	['the totals disagree: counted 3 passed, 0 failed, 0 skipped; told 2, 0, 0']);
judged('a pass over a failing test', sub { s/ok 2 b/not ok 2 b/; s/3 passed, 0/2 passed, 1/ },
	['the exit status says that all tests passed, but one failed', 'the test b failed']);
judged('a failure without a failing test', $same,
	['the exit status says that a test failed, but no line does'], { status => Judge::FAIL });

# Ends that are none.
judged('a reset', sub { s/ok 2.*//s },
	['the machine was reset (QEMU ended with status 0)',
		'the kernel ended before its last test: plan 1..3, 1 results'], { status => 0 });
judged('a reset after the last line', $same,
	['the machine was reset (QEMU ended with status 0)'], { status => 0 });
judged('a panic', sub { s/ok 2.*/\npanic: heap: no header\neip 00000000/s },
	['the kernel panicked: heap: no header',
		'the kernel ended before its last test: plan 1..3, 1 results'], { status => Judge::PANIC });
judged('a panic inside a panic', sub { s/ok 2.*/panic inside panic: page fault/s },
	['the kernel panicked: page fault',
		'the kernel ended before its last test: plan 1..3, 1 results'], { status => Judge::PANIC });
judged('a panic before the first test', sub { s/KTAP.*/panic: no memory/s },
	['the kernel panicked: no memory', "there is no line 'KTAP version 1'"], { status => Judge::PANIC });
judged('a panic after the end', sub { $_ .= "\npanic: late" },
	['the kernel panicked: late'], { status => Judge::PANIC });
judged('a panic with the status of a pass', sub { s/KTAP/panic: what\nKTAP/ },
	['the kernel panicked: what']);
judged('a panic that says nothing', $same,
	['the exit status is that of a panic, but no line says why'], { status => Judge::PANIC });
judged('a hang', sub { s/ok 2.*/Bail out! b exceeded its 500 ticks/s },
	['the kernel bailed out: b exceeded its 500 ticks',
		'the kernel ended before its last test: plan 1..3, 1 results'], { status => Judge::HANG });
judged('a hang that says nothing', $same,
	['the exit status is that of a hang, but no line says where'], { status => Judge::HANG });
judged('a bail-out with the status of a pass', sub { s/ok 2/Bail out!\nok 2/ },
	['the kernel bailed out: ']);
judged('a refusal', sub { $_ = 'needs at least 3072 KiB' },
	['the kernel refused this machine', "there is no line 'KTAP version 1'"], { status => Judge::REFUSED });
judged('an unknown status', $same, ["the exit status 3 is none of the kernel's"], { status => 3 });
judged('the limit on the host', sub { s/ok 2.*//s },
	['the limit of 120 s on the host was reached and QEMU killed',
		'the kernel ended before its last test: plan 1..3, 1 results'],
	{ timed_out => 120, signal => 9, status => 0 });
judged('QEMU dying', $same, ['QEMU was ended by signal 11'], { signal => 11, status => 0 });

# What was asked for.
judged('ONLY: fewer than compiled in is green', $same, [], {},
	{ compiled => 9, only => '' });
judged('ONLY: each name contains it', sub { s/1\.\.3/1..1/; s/ok 1 a\nok 2 b\nok 3/ok 1/; s/: 3/: 1/ },
	[], {}, { compiled => 9, only => 'c' });
judged('ONLY: another test runs', $same,
	['the test b was not asked for', 'the test c was not asked for'], {}, { compiled => 9, only => 'a' });
judged('ONLY: no test at all', sub { s/1\.\.3/1..0/; s/ok .*\n//g; s/: 3/: 0/ },
	['the plan is 1..0: no test was run'], {}, { only => 'nothing' });
judged('SEED: as printed is green', $same, [], {}, { seed => '0x1234ABCD' });
judged('SEED: decimal is green', $same, [], {}, { seed => 0x1234abcd });
judged('SEED: another one', $same, ['the seed is 0x1234abcd, not 5'], {}, { seed => 5 });

# The guest-error log.
my $rom = 'Invalid write at addr 0xFED40000';
judged('a guest error', $same, ["a line not expected in the guest-error log: $rom (and 1 more lines)"],
	{ guest_errors => [$rom, $rom] });
judged('a guest error that is expected is green', $same, [],
	{ guest_errors => [$rom] }, { guest_errors => [qr/0xFED4/] });
judged('a guest error beside an expected one', $same,
	['a line not expected in the guest-error log: other'],
	{ guest_errors => [$rom, 'other'] }, { guest_errors => [qr/0xFED4/] });

judged('no log of guest errors', $same, ['QEMU left no guest-error log'], { guest_errors => undef });

# Boots that are no run of tests.
is_deeply([Judge::complaints(run_of(), status => 33, like => [qr/^memory: 128/m], unlike => [qr/x86/])],
	[], 'complaints: none');
is_deeply([Judge::complaints(run_of(status => 37, guest_errors => ['g']), status => 33,
		like => [qr/absent/], unlike => [qr/^memory/m])],
	['the exit status is 37, not 33', 'no line matches ' . qr/absent/, 'a line matches ' . qr/^memory/m,
		'a line not expected in the guest-error log: g'], 'complaints: each of them');
is_deeply([Judge::complaints(run_of(status => 0), status => 33)],
	['the machine was reset (QEMU ended with status 0)'], 'complaints: a reset');

# The machine underneath, with a script for QEMU.
my $dir = File::Temp->newdir;
sub start_qemu_that {
	my ($name, $script, %opt) = @_;
	local $ENV{QEMU} = "$dir/$name";
	if (defined $script) {
		open my $file, '>', $ENV{QEMU} or die;
		print $file "#!/bin/sh\nfor a; do [ \"\$last\" = -D ] && log=\$a; last=\$a; done\n",
			": >\$log\n$script\n";
		close $file;
		chmod 0755, $ENV{QEMU};
	}
	return Judge::start(kernel => 'k.elf', %opt);
}

sub qemu_that {
	return Judge::finish(start_qemu_that(@_));
}

my $run = qemu_that('speaks', 'printf "a\r\nb\r\n"; echo "$@" >&2; exit 33', memory => 4,
	modules => ['x/p.fpt', 'q.fpt'], append => 'seed=1');
is_deeply($run->{lines}, ['a', 'b'], 'lines come without CR');
is($run->{status}, 33, 'the status is that of QEMU');
like($run->{stderr}, qr{-m 4 .*-kernel k.elf -initrd x/p.fpt p,q.fpt q -append seed=1},
	'memory, modules and words are handed to QEMU');

$run = qemu_that('logs', 'echo oops >"$log"; exit 33');
is_deeply($run->{guest_errors}, ['oops'], 'the guest-error log is read');

$run = qemu_that('refuses', 'echo "qemu: no such device" >&2; exit 1');
is_deeply([Judge::verdict($run, compiled => 3)], ['QEMU did not start: qemu: no such device'],
	'a QEMU that refuses to start');
$run = qemu_that('absent', undef);
like((Judge::verdict($run, compiled => 3))[0], qr{^QEMU did not start: .*/absent: No such file},
	'a QEMU that is not there');

my $begin = time;
$run = qemu_that('sleeps', 'echo a; exec sleep 60', timeout => 1);
is_deeply([Judge::verdict($run, compiled => 3)],
	['the limit of 1 s on the host was reached and QEMU killed', "there is no line 'KTAP version 1'"],
	'a QEMU that does not end is killed');
cmp_ok(time - $begin, '<', 20, 'and in time');

my $machine = start_qemu_that('echoes', 'echo ready; read line; echo "got $line"; exit 33');
ok(Judge::wait_for($machine, qr/ready/), 'text is waited for');
is(Judge::wait_for($machine, qr/ready/, 0.2), '', 'and not found twice');
Judge::type($machine, "this\n");
is_deeply(Judge::finish($machine)->{lines}, ['ready', 'got this'], 'what is typed arrives');

# What prove gets to see.
sub tap_of {
	my ($run, %expect) = @_;
	my $text = '';
	my $hub = Test::Builder->create;
	$hub->output(\$text);
	$hub->failure_output(\$text);
	no warnings 'redefine';
	local *Test::Builder::new = sub { $hub };
	Judge::tap($run, compiled => 3, %expect);
	return $text;
}
is(tap_of(run_of(edit => $skip), may_skip => ['b']), <<'TAP', 'a green run is one flat stream');
ok 1 - a
ok 2 # skip b: needs 64 MiB
ok 3 - c
# seed 0x1234abcd
ok 4 - the run is complete
TAP
my $red = tap_of(run_of(edit => sub { s/ok 2 b/# t.c:7: CHECK(x)\nnot ok 2 b/; s/ok 3 c/    not ok 1 d/ },
	status => Judge::FAIL));
like($red, qr/^not ok 2 - b$/m, 'a failing test is shown as such');
like($red, qr/^# t\.c:7: CHECK\(x\)$/m, 'with its diagnostics');
like($red, qr/^not ok 3 - the run is complete$/m, 'the run as a whole is red');
like($red, qr/^# \* the test b failed$/m, 'with each reason');
like($red, qr/^# \* the kernel ended before its last test: plan 1\.\.3, 2 results$/m, 'in a sentence');
like($red, qr/^#     # end of tests: 3 passed/m, 'and the last lines');
unlike($red, qr/^\s+not ok/m, 'and nothing nested');
like(tap_of(run_of(edit => $skip)), qr/^not ok 2 - b$/m, 'a skip that is not allowed is red in place');

done_testing;
