# SPDX-License-Identifier: MIT
#
# A gdb with the project's commands, on a machine that waits for it or on none:
# it is asked one command after the other, and gives its answer to each.

package Debugger;

use strict;
use warnings;

use File::Temp ();
use IPC::Open2 'open2';
use Judge;
use Time::HiRes qw(sleep time);

use constant COMMANDS => 'tools/gdb/fencepost.py';
use constant ANSWER_LIMIT => 60;

# start() gives a debugger of an image. machine => {...} boots it as Judge::start() would, and
# connects; without, there are only symbols.
sub start {
	my ($class, $elf, %opt) = @_;
	my $debugger = bless { dir => File::Temp->newdir, answered => 0 }, $class;
	my $path = "$debugger->{dir}/gdb";
	$debugger->{machine} = Judge::start(kernel => $elf, %{ $opt{machine} }, gdb => $path) if $opt{machine};
	for (1 .. 100) {
		last if !$opt{machine} || -S $path;
		sleep 0.1;
	}
	# What gdb and its Python say of errors is part of the answer.
	$debugger->{pid} = open2(my $out, my $in, q{exec gdb -q -nx -iex 'set prompt ' 2>&1});
	@$debugger{qw(in out)} = ($in, $out);
	$debugger->ask($_) for 'set pagination off', 'set width 0', 'set confirm off',
		"file $elf", 'source ' . COMMANDS;
	$debugger->{greeting} = $opt{machine} ? $debugger->ask("target remote $path") : '';
	return $debugger;
}

# What gdb says to a command, and after it nothing more.
sub ask {
	my ($debugger, $command) = @_;
	my $end = '@end ' . ++$debugger->{answered};
	my $answer = '';
	local $SIG{PIPE} = 'IGNORE';
	local $SIG{ALRM} = sub { die "gdb does not answer to $command; so far:\n$answer\n" };
	alarm ANSWER_LIMIT;
	print { $debugger->{in} } "$command\necho $end\\n\n";
	while ($answer !~ s/\Q$end\E\n\z//) {
		last unless sysread $debugger->{out}, $answer, 65536, length $answer;
	}
	alarm 0;
	return $answer;
}

# The value of an expression, as a number.
sub value {
	my ($debugger, $expression) = @_;
	my ($number) = $debugger->ask("output (unsigned int)($expression)") =~ /\A(\d+)/;
	die "$expression: no number\n" unless defined $number;
	return $number;
}

# Goes on until a function is called, for the n-th time from now.
sub run_to {
	my ($debugger, $function, $n) = @_;
	my $said = $debugger->ask("break $function");
	my ($breakpoint) = $said =~ /^Breakpoint (\d+) at/m or die "$function: $said";
	$debugger->ask("ignore $breakpoint " . ($n - 1)) if ($n // 1) > 1;
	$said = $debugger->ask('continue');
	$debugger->ask("delete $breakpoint");
	return $said;
}

# What the machine prints while gdb does something, up to what matches.
sub prints {
	my ($debugger, $command, $until) = @_;
	my $machine = $debugger->{machine};
	my $soon = time + 0.05;
	1 while Judge::receive($machine, $soon); # what it has printed before
	$machine->{seen} = length $machine->{serial};
	$debugger->ask($command);
	return Judge::wait_for($machine, $until);
}

# Pulls the plug of both. Return: the machine's run.
sub stop {
	my ($debugger) = @_;
	kill 'KILL', $debugger->{pid};
	waitpid delete $debugger->{pid}, 0;
	return $debugger->{machine} ? Judge::stop($debugger->{machine}) : undef;
}

sub DESTROY {
	my ($debugger) = @_;
	return unless $debugger->{pid};
	local $?;
	kill 'KILL', $debugger->{pid};
	waitpid $debugger->{pid}, 0;
}

1;
