#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# Every integrity check of the heap is worth its place: with one of them taken
# out at a time, the heap's tests must turn red. heap.c is compiled once, with
# each condition that guards something made one that can be taken out by number:
#
#	a && b	in what says that all is well: without a, without b, without both
#	a || b	in what says that something is wrong: likewise
#
# What keeps a pointer that is no multiple of a word from being followed counts as well: the
# sanitizer sees that.

use strict;
use warnings;
use FindBin;

use File::Path 'make_path';
use POSIX '_exit';
use Test::More;

chdir "$FindBin::Bin/../.." or die "no tree: $!";

use constant AT_ONCE => 2;
my $CC = ($ENV{HOSTCC} // 'gcc') . ' -std=gnu11 -O1 -w -fsanitize=alignment -fno-sanitize-recover=all -I. -Itests/host';
my $dir = 'build/checks';
make_path($dir);

my $source = do {
	open my $file, '<', 'kernel/mm/heap.c' or die "heap.c: $!";
	local $/;
	<$file>;
};

# Each check by its number: line and text.
my @checks;

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

# In functions that only say yes or no, whatever they say; in others, what is followed by a report.
my $says = qr/^(?:sound_\w+|linked|spans|in_range|ends_in_range|is_bin)$/;
my $examines = qr/^(?:examine_\w+|check_\w+|heap_(?:check|walk|trim|count_bins)|walk_segment|flush)$/;
my $condition = qr/(\((?:[^()]++|(?1))*\))/;
my ($mutable, $done) = ('', 0);
my (%has, $reports); # functions with checks; conditions before a report
while ($source =~ /^[a-zA-Z][^\n;{}]*?\b(\w+)\([^;{}]*\)\n\{\n(.*?)^\}\n/gms) {
	my ($function, $body, $start) = ($1, $2, $-[2]);
	my ($new, $from) = ('', 0);
	while ($body =~ /\bif $condition(\s*(?:\{\s*)?(?:return )?(\w+)[^\n]*)|\breturn ([^;]+);/g) {
		my ($if, $rest, $what, $return, $at, $end) = ($1, $2, $3, $4, $-[0], $+[0]);
		my $weak;
		if (defined $return) {
			next unless $function =~ $says || $function =~ /^(?:examine|check)_/;
			next if $return =~ /^(?:true|false|report\b)/;
			$has{$function} = 1;
			$weak = 'return ' . weaken($return, 1, $start + $at + 7) . ';';
		} else {
			# What follows on the condition is looked at again: it may be a return itself.
			pos($body) = $end = $end - length $rest;
			next unless $what =~ /^(?:violated|report|free_slowly)$/
				|| $rest =~ /^\s*return (?:false|0|total);/ && ($function =~ $says || $function =~ $examines);
			$has{$function} = 1;
			$reports++ if $what =~ /^(?:violated|report)$/;
			$weak = 'if (' . weaken(substr($if, 1, -1), 0, $start + $at + 4) . ')';
		}
		$new .= substr($body, $from, $at - $from) . $weak;
		$from = $end;
	}
	$mutable .= substr($source, $done, $start - $done) . $new . substr($body, $from);
	$done = $start + length $body;
}
$mutable .= substr $source, $done;
cmp_ok(scalar @checks, '>', 100, 'the checks are found in heap.c: ' . @checks);
my @functions = $source =~ /^static[^;{}]*?\b(\w+)\([^;{}]*\)\n\{/gm;
is_deeply([grep { $_ =~ $says && !$has{$_} } @functions], [], 'in each function that says that all is well');
is($reports, () = $source =~ /^\t\t+(?:return )?(?:violated|report)\(/gm, 'and before each report of a fault');

# The number comes from the environment, before main().
open my $out, '>', "$dir/heap.c" or die "$dir/heap.c: $!";
print $out "static int without = -1;\n$mutable\n", <<'END';
char *getenv(const char *name);
int atoi(const char *text);
__attribute__((constructor)) static void choose(void)
{
	without = getenv("WITHOUT") ? atoi(getenv("WITHOUT")) : -1;
}
END
close $out;
my @programs = ('heap_corners', 'heap_unit');
system("$CC -Ikernel/mm -c -o $dir/heap.o $dir/heap.c") == 0 or BAIL_OUT('what has been made of heap.c does not compile');
for my $program (@programs) {
	system("$CC -o $dir/$program tests/host/$program.c tests/host/arena.c $dir/heap.o") == 0
		or BAIL_OUT("$program does not compile");
}

# Whether the tests are all green. Those of a heap that is damaged may well crash, or never end.
sub green {
	my ($without) = @_;
	local $ENV{WITHOUT} = $without;
	for my $program (@programs) {
		return 0 if system("timeout 4 $dir/$program >/dev/null 2>&1") != 0;
	}
	return 1;
}

ok(green(-1), 'with all of them the tests are green');

# Some children at a time, each with every AT_ONCE-th of the checks; their status says which survived.
my @children;
for my $child (0 .. AT_ONCE - 1) {
	my $pid = open(my $pipe, '-|') // die "fork: $!";
	if (!$pid) {
		for (my $i = $child; $i < @checks; $i += AT_ONCE) {
			print "$i\n" if green($i);
		}
		close STDOUT;
		_exit(0);
	}
	push @children, $pipe;
}
my %survivor;
for my $pipe (@children) {
	chomp(my @lines = <$pipe>);
	$survivor{$_} = 1 for @lines;
	close $pipe or die "a child failed: $?\n";
}
for my $i (0 .. $#checks) {
	ok(!$survivor{$i}, "heap.c:$checks[$i]{line}, without $checks[$i]{text}");
}
done_testing;
