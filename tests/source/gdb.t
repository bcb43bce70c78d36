#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# gdb's commands as sources: that they are sound Python, who knows whom, that they
# only read, and that the words they have of their own are the kernel's.

use strict;
use warnings;
use FindBin;

use File::Temp 'tempdir';
use Test::More;

chdir "$FindBin::Bin/../.." or die "no tree: $!";

sub slurp {
	my ($path) = @_;
	open my $file, '<', $path or die "$path: $!";
	local $/;
	return <$file>;
}

# What a command says, and how it fails if it does.
sub said {
	my ($command) = @_;
	my $text = qx{($command) 2>&1 </dev/null};
	return $text . ($? ? sprintf "status %d\n", $? >> 8 : '');
}

my %text = map { m{([^/]+)\.py$} => slurp($_) } glob 'tools/gdb/*.py';
my $dir = tempdir(CLEANUP => 1);

# gdb's own module is there in gdb alone.
my $mypy = "mypy --strict --ignore-missing-imports --allow-subclassing-any --cache-dir $dir/cache";
like(said("$mypy tools/gdb"), qr/\ASuccess: /, 'mypy finds nothing');
is(said('pyflakes3 tools/gdb'), '', 'pyflakes finds nothing');
mkdir "$dir/wrong";
open my $wrong, '>', "$dir/wrong/wrong.py" or die "wrong.py: $!";
print $wrong "import os\n\ndef length(n: int) -> str:\n    return n\n";
close $wrong;
like(said("$mypy $dir/wrong"), qr/Incompatible return value/, 'mypy finds a wrong type');
like(said("pyflakes3 $dir/wrong"), qr/'os' imported but unused/, 'pyflakes finds an import for nothing');

for my $name (sort keys %text) {
	like($text{$name}, qr/\A# SPDX.*\n"""\S[^"]*^Where this stops: /m, "$name.py: says what it shows and where it stops")
		unless $name eq 'fencepost';
	is((grep { length > 100 } split /\n/, $text{$name}), 0, "$name.py: lines of 100 columns at most");
}

# The stairs as fencepost.py lists them, from above.
my @stairs = $text{fencepost} =~ /^\t(\w+)\.py /mg;
is("@{[sort @stairs]}", "@{[sort keys %text]}", 'fencepost.py lists all files');
my %stair = map { $stairs[$_] => $_ } 0 .. $#stairs;
for my $name (@stairs) {
	my @known = grep { exists $stair{$_} } $text{$name} =~ /^(?:import|from) (\w+)/mg;
	is("@{[grep { $stair{$_} <= $stair{$name} } @known]}", '', "$name.py: knows only those below");
}

# gdb is asked for symbols, and never to change or to call anything.
my $all = join '', map { $text{$_} } sort keys %text;
is("@{[$all =~ /gdb\.execute\((.*?)[{,]/g]}", 'f"info macros ', 'gdb is asked for macros, and for nothing else');
unlike($all, qr/write_memory|\.assign\(/, 'nothing is written');

# Words that the image does not have by a name, so that they stand in two places.
my @sentences = slurp('kernel/mm/ledger.c') =~ /^\t+return "(.*)";$/mg;
my @own = $text{ledger} =~ /"((?:(?!").)*: the .*? and .*?|(?:all|the) .*? and .*?)",?\)?,?$/mg;
cmp_ok(scalar @sentences, '>', 5, 'the ledger has its sentences');
is_deeply(\@own, \@sentences, 'ledger.py has the same, in the same order');
my %kinds = slurp('kernel/mm/inspect.c') =~ /^\t+\[(HEAP_PIECE_\w+)\] = "(.*)",$/mg;
my %own = $text{views} =~ /^    "(HEAP_PIECE_\w+)": "(.*)",$/mg;
cmp_ok(scalar keys %kinds, '>', 3, 'pieces of a heap have their names');
is_deeply(\%own, \%kinds, 'views.py has the same');

done_testing;
