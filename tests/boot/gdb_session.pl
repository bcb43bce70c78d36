#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# gdb_session.pl write | compare: holds the session of docs/gdb.md. All lines there
# that begin with (gdb) are typed into one `make debug`. What it then prints takes the
# place of what stands below them; or it is compared with that, where a command of ours
# printed it (what gdb says depends on the compiler), and but for the numbers, which
# are others in each build.

use strict;
use warnings;

use File::Temp 'tempfile';

use constant { BOOK => 'docs/gdb.md', LIMIT => 60 };
use constant PROMPT => '(gdb) ';

my $OURS = qr/^\(gdb\) (?:heap|frames|pages|ledger|print)\b/;

sub slurp {
	my ($path) = @_;
	open my $file, '<', $path or die "$path: $!\n";
	local $/;
	return <$file>;
}

# The answers of one session, each to a command.
sub hold {
	my (@commands) = @_;
	my ($typed, $path) = tempfile(UNLINK => 1);
	print $typed map { "$_\n" } 'set width 0', 'set pagination off', 'set confirm off', @commands, 'kill';
	close $typed;
	my $pid = open(my $pipe, '-|') // die "fork: $!\n";
	if (!$pid) {
		setpgrp;
		open STDIN, '<', $path or die "$path: $!\n";
		open STDERR, '>&', \*STDOUT;
		exec 'tools/debug', 'build/fencepost.elf', glob 'build/traces/*.fpt' or die "tools/debug: $!\n";
	}
	local $SIG{ALRM} = sub { kill '-TERM', $pid; die "the session has no end\n" };
	alarm LIMIT;
	my $said = do { local $/; <$pipe> };
	close $pipe;
	alarm 0;
	$said =~ s/\r//g;
	my (undef, undef, undef, undef, @answers) = split /\Q${\PROMPT}\E/, $said, -1;
	die "the session ended early:\n$said\n" if @answers < @commands;
	return map { s/^\n+|\s+\z//gr } @answers[0 .. $#commands];
}

# The book with answers below its commands.
sub with_answers {
	my ($book, @answers) = @_;
	my (@lines, $in_block, $answered);
	for my $line (split /\n/, $book) {
		$in_block = !$in_block if $line =~ /^```/;
		$answered = 0 if $line =~ /^```/;
		next if $answered && $in_block && index($line, PROMPT) != 0;
		push @lines, $line;
		next unless $in_block && index($line, PROMPT) == 0;
		my $answer = shift @answers;
		push @lines, $answer if length $answer;
		$answered = 1;
	}
	return join '', map { "$_\n" } @lines;
}

# What is compared: our commands and their answers, without numbers.
sub essence {
	my ($book) = @_;
	my ($ours, @lines) = 0;
	for my $line (split /\n/, $book) {
		$ours = $line =~ $OURS if $line =~ /^```/ || index($line, PROMPT) == 0;
		push @lines, $line =~ s/0x[0-9a-f]+|\d+/N/gr =~ s/ +/ /gr if $ours;
	}
	return join '', map { "$_\n" } @lines;
}

my $what = $ARGV[0] // '';
die "usage: gdb_session.pl write | compare\n" unless $what =~ /^(?:write|compare)$/;
my $book = slurp(BOOK);
my @commands = map { substr $_, length PROMPT } grep { index($_, PROMPT) == 0 } split /\n/, $book;
my $held = with_answers($book, hold(@commands));
if ($what eq 'write') {
	open my $file, '>', BOOK or die BOOK . ": $!\n";
	print $file $held;
	close $file or die BOOK . ": $!\n";
} elsif (essence($held) ne essence($book)) {
	my ($new, $path) = tempfile(UNLINK => 1);
	print $new $held;
	close $new;
	print 'the session in ' . BOOK . " is not what is printed now; make gdb-session renews it\n";
	print qx{diff -u @{[BOOK]} $path};
	exit 1;
}
