#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# Every integrity check of the heap is worth its place, and so is each of what reads a
# program's file: with one of them taken out at a time, the tests must turn red. The source is
# compiled once, with each condition that guards something made one that can be taken out by number:
#
#	a && b	in what says that all is well: without a, without b, without both
#	a || b	in what says that something is wrong: likewise
#
# What keeps a pointer that is no multiple of a word from being followed counts as well, and
# what keeps to the bytes of a file: the sanitizers see that.

use strict;
use warnings;
use FindBin;

use File::Path 'make_path';
use POSIX '_exit';
use Test::More;
use Time::HiRes 'time';

chdir "$FindBin::Bin/../.." or die "no tree: $!";

use constant AT_ONCE => 2;
my $CC = ($ENV{HOSTCC} // 'gcc') . ' -std=gnu11 -O1 -w -fno-sanitize-recover=all -I. -Itests/host';
my $dir = 'build/checks';
make_path($dir);
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL GNUMAKEFLAGS)};

# What is looked at, and which tests must find out:
#
#	answers		functions in which each value returned says whether all is well
#	weak		what an `if` is without its check, by what follows on it: 0 where it
#			guards against what is wrong, 1 where it lets through what is right
#	report		a line that follows on a check, so that none is overlooked
my @subjects = (
	{
		source => 'kernel/mm/heap.c',
		tests => ['heap_corners', 'heap_unit'],
		with => 'tests/host/arena.c',
		flags => '-fsanitize=alignment -Ikernel/mm',
		least => 100,
		says => qr/^(?:sound_\w+|linked|spans|in_range|ends_in_range|is_bin)$/,
		answers => qr/^(?:sound_\w+|linked|spans|in_range|ends_in_range|is_bin|(?:examine|check)_\w+)$/,
		report => qr/^\t\t+(?:return )?(?:violated|report)\(/m,
		weak => sub {
			my ($function, $then) = @_;
			return 0 if $then =~ /^(?:return )?(?:violated|report|free_slowly)\b/;
			return unless $then =~ /^return (?:false|0|total);/;
			return 0 if $function =~ /^(?:sound_\w+|linked|spans|in_range|ends_in_range|is_bin
				|examine_\w+|check_\w+|heap_(?:check|walk|trim|count_bins)|walk_segment|flush)$/x;
			return;
		},
	},
	{
		source => 'kernel/proc/elf.c',
		tests => ['elf_test'],
		arguments => '1 20000',
		make => 'build/host/64/elf_test', # and the files it reads
		flags => '-fsanitize=address,undefined',
		least => 50,
		says => qr/^is_\w+$/,
		answers => qr/^is_\w+$/,
		report => qr/(?<!:\n)^\t\t+return "/m,
		weak => sub {
			my ($function, $then) = @_;
			return 0 if $then =~ /^(?:return (?:"|reason)|break|continue)/;
			return 1 if $then =~ /^(?:return segment|reason = )/;
			return;
		},
	},
);

# The source that is looked at, and each of its checks by its number: line and text.
my ($source, @checks);

# What stands in @text from @at on, as one that can be taken out: then it is as @weak says.
sub removable {
	my ($text, $weak, $at, $name) = @_;
	push @checks, { line => 1 + (substr($source, 0, $at) =~ tr/\n//), text => $name =~ s/\s+/ /gr };
	return "(without == $#checks ? $weak : ($text))";
}

# The parts of a text between operators that are in no parentheses: pairs of where and what.
sub parts {
	my ($text, $operator) = @_;
	my ($depth, $start, @parts) = (0, 0);
	for my $i (0 .. length($text) - 1) {
		my $c = substr $text, $i, 1;
		$depth += $c =~ /[(\[]/;
		$depth -= $c =~ /[)\]]/;
		next if $depth || $i < $start || substr($text, $i, length $operator) ne $operator;
		push @parts, [$start, substr $text, $start, $i - $start];
		$start = $i + length $operator;
	}
	return (@parts, [$start, substr $text, $start]);
}

# A condition with each of its links removable. @weak is what it is without a check: 1 where it
# says that all is well, 0 where it says that something is wrong.
sub weaken {
	my ($text, $weak, $at) = @_;
	my ($before, $inner, $after) = $text =~ /^(\s*)(.*?)(\s*)$/s;
	$at += length $before;
	my $nested = qr/(\((?:[^()]++|(?1))*\))/;
	my $result;

	my @choice = parts($inner, ' ? ');
	if (@choice == 2) {
		my ($yes, $no) = parts($choice[1][1], ' : ');
		if ($choice[0][1] =~ /HEAP_CHECKS/) { # without checks it is the other one
			$result = removable($yes->[1], $no->[1], $at, $yes->[1]);
		} else {
			my $then = weaken($yes->[1], $weak, $at + $choice[1][0]);
			my $else = weaken($no->[1], $weak, $at + $choice[1][0] + $no->[0]);
			$result = "$choice[0][1] ? $then : $else";
		}
		return "$before$result$after";
	}
	for my $operator ('||', '&&') {
		my @links = parts($inner, $operator);
		next if @links == 1;
		# Of those that are only one check together, the simple ones are not tried by themselves.
		my $together = $operator eq ($weak ? '||' : '&&');
		$result = join $operator, map {
			my ($where, $link) = @$_;
			$together && $link !~ /\(.*(?:&&|\|\|).*\)/s ? $link : weaken($link, $weak, $at + $where);
		} @links;
		return $before . removable($result, $weak, $at, $inner) . $after;
	}
	if ($inner =~ /^(!?)((?:unlikely)?)$nested$/ && "$1$2" ne '!' || $inner =~ /^(!)()$nested$/ && $3 =~ /&&|\|\|/) {
		my ($not, $call, $in) = ($1, $2, substr $3, 1, -1);
		my $new = weaken($in, $not ? 1 - $weak : $weak, $at + length("$not$call") + 1);
		return "$before$not$call($new)$after";
	}
	return $text if $inner eq 'HEAP_CHECKS' || $inner =~ /^(?:true|false|\d+)$/;
	return $before . removable($inner, $weak, $at, $inner) . $after;
}

my $condition = qr/(\((?:[^()]++|(?1))*\))/;

# The body of a function with its checks removable, and how many of those stand before a report;
# @start is where in the source it begins.
sub weaken_body {
	my ($subject, $function, $body, $start) = @_;
	my ($new, $from, $reports) = ('', 0, 0);
	while ($body =~ /\bif $condition(\s*(?:\{\s*)?)([^\n]*)|\breturn ([^;]+);/g) {
		my ($if, $space, $then, $return, $at, $end) = ($1, $2, $3, $4, $-[0], $+[0]);
		my $weak;
		if (defined $return) {
			next unless $function =~ $subject->{answers};
			next if $return =~ /^(?:true|false|report\b)/;
			$weak = 'return ' . weaken($return, 1, $start + $at + 7) . ';';
		} else {
			# What follows on the condition is looked at again: it may be a return itself.
			pos($body) = $end = $end - length "$space$then";
			my $without = $subject->{weak}->($function, $then) // next;
			$reports++ if "\t\t$then" =~ $subject->{report};
			$weak = 'if (' . weaken(substr($if, 1, -1), $without, $start + $at + 4) . ')';
		}
		$new .= substr($body, $from, $at - $from) . $weak;
		$from = $end;
	}
	return ($new . substr($body, $from), $reports);
}

# The source with its checks removable.
sub weaken_source {
	my ($subject) = @_;
	my ($mutable, $done, $reports, @without) = ('', 0, 0);
	while ($source =~ /^[a-zA-Z][^\n;{}]*?\b(\w+)\([^;{}]*\)\n\{\n(.*?)^\}\n/gms) {
		my ($function, $body, $start, $checks) = ($1, $2, $-[2], scalar @checks);
		my ($new, $before) = weaken_body($subject, $function, $body, $start);
		$mutable .= substr($source, $done, $start - $done) . $new;
		$done = $start + length $body;
		$reports += $before;
		push @without, $function if $function =~ $subject->{says} && @checks == $checks;
	}
	cmp_ok(scalar @checks, '>', $subject->{least}, "the checks are found in $subject->{source}: " . @checks);
	is("@without", '', 'in each function that says that all is well');
	is($reports, () = $source =~ /$subject->{report}/g, 'and before each report of a fault');
	return $mutable . substr $source, $done;
}

# The number comes from the environment, before main().
sub build {
	my ($subject, $mutable) = @_;
	my $compile = "$CC $subject->{flags}";
	open my $out, '>', "$dir/mutable.c" or die "$dir/mutable.c: $!";
	print $out "static int without = -1;\n$mutable\n", <<'END';
char *getenv(const char *name);
int atoi(const char *text);
__attribute__((constructor)) static void choose(void)
{
	without = getenv("WITHOUT") ? atoi(getenv("WITHOUT")) : -1;
}
END
	close $out;
	system("$compile -c -o $dir/mutable.o $dir/mutable.c") == 0
		or BAIL_OUT("what has been made of $subject->{source} does not compile");
	for my $test (@{ $subject->{tests} }) {
		my $with = $subject->{with} // '';
		system("$compile -o $dir/$test tests/host/$test.c $with $dir/mutable.o") == 0
			or BAIL_OUT("$test does not compile");
	}
	system("make -s $subject->{make}") == 0 or BAIL_OUT("no $subject->{make}") if $subject->{make};
	return;
}

# Whether the tests are all green. Those of what is damaged may well crash, or never end: they have
# so many seconds.
sub green {
	my ($subject, $without, $limit) = @_;
	my $arguments = $subject->{arguments} // '';
	local $ENV{WITHOUT} = $without;
	for my $test (@{ $subject->{tests} }) {
		return 0 if system("timeout $limit $dir/$test $arguments >/dev/null 2>&1") != 0;
	}
	return 1;
}

# The numbers of the checks without which the tests are green. Some children at a time, each with
# every AT_ONCE-th of the checks.
sub survivors {
	my ($subject, $limit) = @_;
	my (@children, @survivors);
	for my $child (0 .. AT_ONCE - 1) {
		my $pid = open(my $pipe, '-|') // die "fork: $!";
		if (!$pid) {
			for (my $i = $child; $i < @checks; $i += AT_ONCE) {
				print "$i\n" if green($subject, $i, $limit);
			}
			close STDOUT;
			_exit(0);
		}
		push @children, $pipe;
	}
	for my $pipe (@children) {
		chomp(my @lines = <$pipe>);
		push @survivors, @lines;
		close $pipe or die "a child failed: $?\n";
	}
	return @survivors;
}

for my $subject (@subjects) {
	open my $file, '<', $subject->{source} or die "$subject->{source}: $!";
	@checks = ();
	$source = do { local $/; <$file> };
	build($subject, weaken_source($subject));
	my $begun = time;
	ok(green($subject, -1, 60), 'with all of them the tests are green');
	# How long that takes on this host shows how long there is to be without one.
	my %survivor = map { $_ => 1 } survivors($subject, 3 + 5 * (time - $begun));
	for my $i (0 .. $#checks) {
		ok(!$survivor{$i}, "$subject->{source}:$checks[$i]{line}, without $checks[$i]{text}");
	}
}
done_testing;
