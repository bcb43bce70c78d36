# SPDX-License-Identifier: MIT
#
# The machines the suite is booted on directly, and what each may skip. This is
# the only place that allows a skip: anywhere else it is red.

package Machines;

use strict;
use warnings;

use Judge;
use Test::More;

my @ALL = Judge::traces();
my $SMALLEST = 'build/traces/sqlite.fpt';

# In MiB. modules: what is loaded beside the kernel; may_skip: tests by name;
# like: what the kernel must say of its memory, with what has no room below 4 GiB.
my %MACHINES = (
	4 => { modules => [], may_skip => ['recorded_traces_replay_with_their_contents_intact'] },
	8 => { modules => [$SMALLEST] },
	16 => { modules => \@ALL },
	128 => { modules => \@ALL },
	3072 => { modules => \@ALL, like => qr/^memory: 31\d{5} KiB usable/ },
	6144 => { modules => \@ALL, like => qr/^memory: left unused: .*\b3145728 KiB above 4 GiB/ },
);

# Each in a subtest of its own; the caller ends with done_testing.
sub run_suite_on {
	for my $memory (@_) {
		my %machine = %{ $MACHINES{$memory} };
		my @modules = @{ $machine{modules} };
		my $like = $machine{like} // qr/^memory: \d+ KiB usable/;
		my $number = @modules;

		subtest "$memory MiB, $number modules" => sub {
			my $run = Judge::boot(kernel => 'build/test.elf', memory => $memory, modules => \@modules,
				append => Judge::words(@modules ? Judge::modules_word(@modules) : ()));
			Judge::tap($run, compiled => Judge::compiled_in('build/test.elf'),
				may_skip => $machine{may_skip}, Judge::asked_for());
			ok((grep { /^loaded by qemu, $number modules$/ } @{ $run->{lines} }), 'the modules are there');
			ok((grep { $_ =~ $like } @{ $run->{lines} }), 'and the memory is');
		};
	}
}

1;
