# SPDX-License-Identifier: MIT
#
# Boots one kernel under QEMU and judges what it says.
#
# The kernel speaks KTAP on the serial port, but prove alone is too kind a
# judge: a nested "not ok", a plan of 1..0, a "# TODO", text after the plan
# are all green to it. So nothing the kernel prints reaches prove directly.
# boot() collects a run, verdict() names everything that is wrong with it, and
# tap() tells prove, in one flat stream that ends with the verdict. What is
# not known to be right is red.
#
# Where it stops: it believes a single "ok". Whether a test tests anything is
# shown by the broken kernels of tests/broken/, booted by runner.t.

package Judge;

use strict;
use warnings;

use Errno qw(EINTR);
use Fcntl qw(F_SETFD FD_CLOEXEC);
use File::Temp ();
use IO::Handle;
use IO::Select;
use POSIX ();
use Test::Builder;
use Time::HiRes qw(time);

# QEMU's status for what kernel/x86/exit.h calls EXIT_*.
use constant { PASS => 33, FAIL => 35, PANIC => 37, REFUSED => 39, HANG => 41 };

# How long a boot may take before QEMU is killed. The kernel notices its own
# hangs by the ticks of its clock; this is for those it cannot notice.
use constant HOST_LIMIT => 120;

use constant UEFI => '/usr/share/ovmf/OVMF.fd';

use constant LINES_SHOWN => 25;

my $RESULT = qr/^(not )?ok ([0-9]+) (?:- )?([A-Za-z_]\w*)(?:\s+#\s*(.*))?$/;
my $END = qr/^# end of tests: (\d+) passed, (\d+) failed, (\d+) skipped, seed (0x[0-9a-f]+)$/;

# --- what to boot ----------------------------------------------------------

# A variable of the environment, as make passes it: empty means absent.
sub setting {
	my ($name) = @_;
	my $value = $ENV{$name};
	return defined $value && length $value ? $value : undef;
}

# A command line for the test kernel: the given words, and what make was asked for.
sub words {
	my @words = @_;
	push @words, 'seed=' . setting('SEED') if defined setting('SEED');
	push @words, 'only=' . setting('ONLY') if defined setting('ONLY');
	return join ' ', @words;
}

# The same for verdict() and tap().
sub asked_for {
	return map { defined setting(uc $_) ? ($_ => setting(uc $_)) : () } qw(seed only);
}

# The tree's traces, unpacked. No traces at all would test too little.
sub traces {
	my @traces = map { s/\.gz$//r =~ s/^tests/build/r } sort glob 'tests/traces/*.fpt.gz';
	die "no traces in tests/traces\n" unless @traces;
	return @traces;
}

# "modules=a,b,c": what the kernel shall miss if the loader dropped it.
sub modules_word {
	return 'modules=' . join ',', map { name_of_trace($_) } @_;
}

sub name_of_trace {
	my ($path) = @_;
	return $path =~ s{.*/}{}r =~ s{\.fpt$}{}r;
}

# The output of a tool of the host, as lines.
sub output_of {
	my @command = @_;
	open my $pipe, '-|', @command or die "$command[0]: $!\n";
	my @lines = <$pipe>;
	close $pipe or die "@command: failed\n";
	return @lines;
}

# How many tests an image contains, whatever its own plan says.
sub compiled_in {
	my ($elf) = @_;
	return scalar grep { / ktest_case_/ } output_of('nm', $elf);
}

# --- a machine that is running ---------------------------------------------

# No machine outlives the script that started it, however that ends.
my %running;
END { kill 'KILL', keys %running if %running }

# start() boots a machine and returns at once:
#   kernel, append, modules   direct boot, or
#   iso                       through GRUB
#   uefi                      with UEFI for firmware, on a 64-bit machine
#   memory                    MiB, or any size QEMU understands
#   icount                    the time stamp counter counts instructions, exactly
#   monitor                   path of a socket for QEMU's own monitor
#   gdb                       path of a socket for gdb; the machine waits for it
#   timeout                   seconds on the host until it is killed
sub start {
	my (%opt) = @_;
	my $dir = File::Temp->newdir;
	my $qemu = setting('QEMU') // 'qemu-system-i386';
	$qemu =~ s/i386$/x86_64/ if $opt{uefi};
	my @command = (
		$qemu,
		'-accel', setting('ACCEL') // 'tcg',
		'-display', 'none', '-no-reboot', '-m', $opt{memory} // 128,
		'-device', 'isa-debug-exit,iobase=0xf4,iosize=4',
		'-serial', 'stdio',
		'-monitor', $opt{monitor} ? "unix:$opt{monitor},server=on,wait=off" : 'none',
		'-d', 'guest_errors', '-D', "$dir/guest_errors");

	push @command, '-bios', UEFI if $opt{uefi};
	push @command, '-S', '-gdb', "unix:$opt{gdb},server=on,wait=off" if $opt{gdb};
	push @command, '-icount', 'shift=0,sleep=off' if $opt{icount};
	if ($opt{iso}) {
		push @command, '-cdrom', $opt{iso};
	} else {
		my @modules = map { "$_ " . name_of_trace($_) } @{ $opt{modules} // [] };
		push @command, '-kernel', $opt{kernel};
		push @command, '-initrd', join ',', @modules if @modules;
		push @command, '-append', $opt{append} if length($opt{append} // '');
	}

	my $machine = {
		command => \@command, dir => $dir, serial => '', stderr => '', seen => 0,
		deadline => time + ($opt{timeout} // HOST_LIMIT), timeout => $opt{timeout} // HOST_LIMIT,
	};
	# A QEMU that has already left is found out by its status, not by a signal here.
	$SIG{PIPE} = 'IGNORE';
	$SIG{INT} = $SIG{TERM} = sub { exit 1 };
	spawn($machine);
	return $machine;
}

sub spawn {
	my ($machine) = @_;
	pipe my $in_r, my $in_w or die "pipe: $!";
	pipe my $out_r, my $out_w or die "pipe: $!";
	pipe my $err_r, my $err_w or die "pipe: $!";

	my $pid = fork // die "fork: $!";
	if (!$pid) {
		open STDIN, '<&', $in_r;
		open STDOUT, '>&', $out_w;
		open STDERR, '>&', $err_w;
		no warnings 'exec';
		exec { $machine->{command}[0] } @{ $machine->{command} }
			or print STDERR "$machine->{command}[0]: $!\n";
		POSIX::_exit(127);
	}
	$running{$pid} = 1;
	# Another machine started later must not hold these open.
	fcntl $_, F_SETFD, FD_CLOEXEC for $in_w, $out_r, $err_r;
	close $_ for $in_r, $out_w, $err_w;
	$in_w->autoflush(1);
	@$machine{qw(pid in out err)} = ($pid, $in_w, $out_r, $err_r);
	$machine->{select} = IO::Select->new($out_r, $err_r);
}

# Types on the machine's serial line.
sub type {
	my ($machine, $text) = @_;
	print { $machine->{in} } $text;
}

# Waits until the text after what was waited for last matches; "" if it never does.
sub wait_for {
	my ($machine, $regex, $seconds) = @_;
	my $until = time + ($seconds // 20);
	while (1) {
		my $new = substr $machine->{serial}, $machine->{seen};
		if ($new =~ $regex) {
			$machine->{seen} += $+[0];
			return substr $new, 0, $+[0];
		}
		return '' unless receive($machine, $until);
	}
}

# Takes in what the machine said; false when it is silent until then, or gone.
sub receive {
	my ($machine, $until) = @_;
	return 0 unless $machine->{select}->count;
	my $left = $until - time;
	my @ready = $machine->{select}->can_read($left > 0 ? $left : 0);
	return time < $until unless @ready;
	for my $handle (@ready) {
		my $key = $handle == $machine->{out} ? 'serial' : 'stderr';
		my $n = sysread $handle, my $bytes, 65536;
		next if !defined $n && $! == EINTR;
		if (!$n) {
			$machine->{select}->remove($handle);
			next;
		}
		$bytes =~ s/\r//g if $key eq 'serial';
		$machine->{$key} .= $bytes;
	}
	return 1;
}

# finish() waits for the machine's end, or ends it, and gives the run:
#   lines          of the serial port, without line ends
#   status, signal of QEMU
#   timed_out      seconds after which it was killed, if it was
#   guest_errors   lines of QEMU's log of what a guest should not do, undef without a log
#   stderr         what QEMU itself said
sub finish {
	my ($machine) = @_;
	my $killed = 0;

	1 while receive($machine, $machine->{deadline});
	if ($machine->{select}->count) {
		$killed = 1;
		kill 'KILL', $machine->{pid};
	}
	waitpid $machine->{pid}, 0;
	my $status = $?;
	delete $running{ $machine->{pid} };

	my $guest_errors;
	if (open my $log, '<', "$machine->{dir}/guest_errors") {
		chomp(my @lines = <$log>);
		$guest_errors = \@lines;
	}
	return {
		lines => [split /\n/, $machine->{serial}],
		status => $status >> 8,
		signal => $status & 127,
		timed_out => $killed ? $machine->{timeout} : 0,
		guest_errors => $guest_errors,
		stderr => $machine->{stderr},
	};
}

# For a machine that does not end by itself: pulls the plug.
sub stop {
	my ($machine) = @_;
	$machine->{deadline} = time;
	return finish($machine);
}

sub boot {
	return finish(start(@_));
}

# --- the verdict -----------------------------------------------------------

# How a run ended, where that is wrong whatever the kernel was booted for.
sub crash {
	my ($run) = @_;
	my ($said) = grep { length } split /\n/, $run->{stderr} // '';

	return "QEMU did not start: " . ($said // 'it said nothing')
		if !$run->{timed_out} && !@{ $run->{lines} } && ($run->{status} == 1 || $run->{status} == 127);
	return "the limit of $run->{timed_out} s on the host was reached and QEMU killed"
		if $run->{timed_out};
	return "QEMU was ended by signal $run->{signal}" if $run->{signal};
	return 'the machine was reset (QEMU ended with status 0)' if $run->{status} == 0;
	return;
}

sub unexpected_guest_errors {
	my ($run, @allowed) = @_;
	return 'QEMU left no guest-error log' unless $run->{guest_errors};
	my @lines = grep { my $line = $_; !grep { $line =~ $_ } @allowed } @{ $run->{guest_errors} };
	my $more = @lines > 1 ? sprintf ' (and %d more lines)', @lines - 1 : '';
	return @lines ? ("a line not expected in the guest-error log: $lines[0]$more") : ();
}

# For a boot that is no run of tests: its status, what it must and must not say.
#   status, like => [regexes], unlike => [regexes], guest_errors => [regexes]
sub complaints {
	my ($run, %expect) = @_;
	my $text = join "\n", @{ $run->{lines} };
	my @reasons = crash($run);

	push @reasons, "the exit status is $run->{status}, not $expect{status}"
		if !@reasons && $run->{status} != $expect{status};
	push @reasons, map { "no line matches $_" } grep { $text !~ $_ } @{ $expect{like} // [] };
	push @reasons, map { "a line matches $_" } grep { $text =~ $_ } @{ $expect{unlike} // [] };
	push @reasons, unexpected_guest_errors($run, @{ $expect{guest_errors} // [] });
	return @reasons;
}

# Reads the lines of a run of tests, up to what is said about each by itself.
sub parse {
	my ($run) = @_;
	my %seen = (results => [], odd => []);
	my ($odd, $diagnostics, %names) = ($seen{odd}, []);

	for my $line (@{ $run->{lines} }) {
		if ($line =~ /^panic\b.*?: (.*)/) {
			$seen{panic} //= $1;
		} elsif ($line =~ /^Bail out!\s*(.*)/) {
			$seen{bail} //= $1;
		} elsif (defined $seen{end}) {
			push @$odd, "there is output after the end: $line" unless $seen{after}++;
		} elsif ($line =~ /^KTAP version (.*)/) {
			push @$odd, 'there is a second version line' if $seen{version};
			push @$odd, "the version is $1, not 1" if $1 ne '1';
			$seen{version} = 1;
		} elsif ($line =~ /^1\.\.(\d+)(.*)/) {
			push @$odd, 'there is a second plan' if defined $seen{plan};
			push @$odd, "there is text after the plan: $line" if length $2;
			push @$odd, 'the plan comes before the version line' unless $seen{version};
			push @$odd, 'the plan comes after a result' if @{ $seen{results} };
			$seen{plan} //= $1;
		} elsif ($line =~ $END) {
			@seen{qw(end passed failed skipped seed)} = ($line, $1, $2, $3, $4);
			push @$odd, 'the last line comes before the plan' unless defined $seen{plan};
		} elsif ($line =~ /^#/) {
			push @$diagnostics, $line if $seen{version};
		} elsif ($line =~ $RESULT) {
			my ($not, $number, $name, $directive) = ($1, $2, $3, $4 // '');
			my $expected = @{ $seen{results} } + 1;
			push @$odd, "result $number stands where result $expected belongs" if $number != $expected;
			push @$odd, "two tests have the name $name" if $names{$name}++;
			push @$odd, "a result comes before the plan: $line" unless defined $seen{plan};
			my $skip = $directive =~ /^SKIP\b\s*(.*)/i;
			push @$odd, "there is a directive that is not SKIP: $line" if length $directive && !$skip;
			push @{ $seen{results} }, {
				name => $name, ok => !$not, skip => $skip, reason => $skip ? $1 : '',
				diagnostics => $diagnostics,
			};
			$diagnostics = [];
		} elsif ($line =~ /^\s+(?:not )?ok\b/) {
			push @$odd, "there is a nested result: $line";
		} elsif ($line =~ /^(?:not )?ok\b|\bnot ok\b/) {
			push @$odd, "there is a malformed result: $line";
		}
	}
	return \%seen;
}

# How the run ended, if not by itself.
sub bad_ending {
	my ($run, $seen) = @_;
	my $status = $run->{status};
	my @reasons = crash($run);

	push @reasons, "the kernel panicked: $seen->{panic}" if defined $seen->{panic};
	push @reasons, "the kernel bailed out: $seen->{bail}" if defined $seen->{bail};
	return @reasons if @reasons;
	return 'the exit status is that of a panic, but no line says why' if $status == PANIC;
	return 'the exit status is that of a hang, but no line says where' if $status == HANG;
	return 'the kernel refused this machine' if $status == REFUSED;
	return "the exit status $status is none of the kernel's" if $status != PASS && $status != FAIL;
	return;
}

# The first thing that is missing; what follows on it need not be said.
sub first_gap {
	my ($seen, %expect) = @_;
	my ($plan, $results) = ($seen->{plan}, scalar @{ $seen->{results} });

	return "there is no line 'KTAP version 1'" unless $seen->{version};
	return 'there is no plan' unless defined $plan;
	return 'the plan is 1..0: no test was run' if $plan == 0;
	return "the plan is 1..$plan, but $expect{compiled} tests are compiled in"
		if defined $expect{only} ? $plan > $expect{compiled} : $plan != $expect{compiled};
	return "the kernel ended before its last test: plan 1..$plan, $results results"
		if $results < $plan;
	return "there are more results than planned: plan 1..$plan, $results results"
		if $results > $plan;
	return "the last line, '# end of tests: ...', is missing" unless defined $seen->{end};
	return;
}

# Whether the kernel's own summary and status agree with the results.
sub disagreements {
	my ($run, $seen) = @_;
	my $failed = grep { !$_->{ok} } @{ $seen->{results} };
	my $skipped = grep { $_->{ok} && $_->{skip} } @{ $seen->{results} };
	my $passed = @{ $seen->{results} } - $failed - $skipped;
	my @reasons;

	push @reasons, "the totals disagree: counted $passed passed, $failed failed, $skipped skipped;"
		. " told $seen->{passed}, $seen->{failed}, $seen->{skipped}"
		if defined $seen->{end}
		&& ($passed != $seen->{passed} || $failed != $seen->{failed} || $skipped != $seen->{skipped});
	push @reasons, 'the exit status says that all tests passed, but one failed'
		if $run->{status} == PASS && $failed;
	push @reasons, 'the exit status says that a test failed, but no line does'
		if $run->{status} == FAIL && !$failed;
	return @reasons;
}

# verdict() gives everything that is wrong with a run of tests, as sentences;
# nothing means green. What it expects:
#   compiled       how many tests the image contains
#   only, seed     as asked for on the command line, if they were
#   may_skip       names of the tests this machine cannot do
#   guest_errors   regexes of lines a test provokes
sub verdict {
	my ($run, %expect) = @_;
	my $seen = parse($run);
	my @reasons = bad_ending($run, $seen);
	return @reasons if @reasons && $reasons[0] =~ /did not start/;

	push @reasons, first_gap($seen, %expect);
	push @reasons, @{ $seen->{odd} };
	push @reasons, disagreements($run, $seen);
	push @reasons, "the seed is $seen->{seed}, not $expect{seed}"
		if defined $expect{seed} && defined $seen->{seed}
		&& hex($seen->{seed}) != ($expect{seed} =~ /^0x/i ? hex $expect{seed} : $expect{seed});

	my %may_skip = map { $_ => 1 } @{ $expect{may_skip} // [] };
	my @failed = map { $_->{ok} ? () : $_->{name} } @{ $seen->{results} };
	push @reasons, @failed == 1 ? "the test $failed[0] failed"
		: @failed . " tests failed, the first of them $failed[0]" if @failed;
	for my $result (@{ $seen->{results} }) {
		my $name = $result->{name};
		push @reasons, "the test $name was skipped, which this machine has no right to"
			if $result->{ok} && $result->{skip} && !$may_skip{$name};
		push @reasons, "the test $name was not asked for"
			if defined $expect{only} && index($name, $expect{only}) < 0;
	}
	push @reasons, unexpected_guest_errors($run, @{ $expect{guest_errors} // [] });
	return @reasons;
}

# --- telling prove ---------------------------------------------------------

# Shows the end of a run that went wrong.
sub show_tail {
	my ($run) = @_;
	my $test = Test::Builder->new;
	my @tail = @{ $run->{lines} };
	splice @tail, 0, @tail - LINES_SHOWN if @tail > LINES_SHOWN;
	$test->diag(@tail ? 'The last lines on the serial port:' : 'Nothing came over the serial port.');
	$test->diag("    $_") for @tail;
	$test->diag("QEMU: $_") for grep { length } split /\n/, $run->{stderr} // '';
}

# One line for prove: green if there are no reasons, else all of them.
sub green {
	my ($run, $name, @reasons) = @_;
	my $test = Test::Builder->new;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	return 1 if $test->ok(!@reasons, $name);
	$test->diag("* $_") for @reasons;
	show_tail($run);
	return 0;
}

# A run of tests: one line for each, then the verdict on the whole. The
# arguments are those of verdict(). The caller ends with done_testing.
sub tap {
	my ($run, %expect) = @_;
	my $test = Test::Builder->new;
	my %may_skip = map { $_ => 1 } @{ $expect{may_skip} // [] };
	my $seen = parse($run);
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	for my $result (@{ $seen->{results} }) {
		if ($result->{ok} && $result->{skip} && $may_skip{ $result->{name} }) {
			$test->skip("$result->{name}: $result->{reason}");
		} else {
			$test->ok($result->{ok} && !$result->{skip}, $result->{name});
		}
		for my $line (@{ $result->{diagnostics} }) {
			my $text = $line =~ s/^# ?//r;
			$result->{ok} ? $test->note($text) : $test->diag($text);
		}
	}
	$test->note("seed $seen->{seed}") if defined $seen->{seed};
	return green($run, 'the run is complete', verdict($run, %expect));
}

1;
