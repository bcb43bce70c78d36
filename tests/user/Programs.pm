# SPDX-License-Identifier: MIT
#
# Runs programs for ring 3 on the host, where it is Linux on x86.

package Programs;

use strict;
use warnings;

use Exporter 'import';
use File::Temp 'tempdir';
use FindBin;
use Test::More;

our @EXPORT_OK = qw(need run ABORTED);

# What a shell tells of a program that a signal ended is 128 and its number.
use constant ABORTED => 128 + 6;

my $dir = tempdir(CLEANUP => 1);

# Builds what a test needs, and skips all of it where not even such a program with the host's own
# library runs. Paths are from the root of the tree.
sub need {
	my @files = ('build/user/hello', 'build/user/glibc/ends', @_);
	chdir "$FindBin::Bin/../.." or die "no tree: $!";
	delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL GNUMAKEFLAGS)};
	system("make -s @files") == 0 or BAIL_OUT("cannot build @files");
	my (undef, undef, $status) = run('build/user/glibc/ends return 7');
	plan(skip_all => 'this host does not run 32-bit programs of Linux') if $status != 7;
}

sub slurp {
	my ($path) = @_;
	open my $file, '<', $path or die "$path: $!";
	local $/;
	return <$file> // '';
}

# Runs a command of the shell: what it says on both channels, and its status as the shell tells it.
sub run {
	my ($command) = @_;
	system 'sh', '-c', "ulimit -c 0; { $command; } >$dir/out 2>$dir/err </dev/null";
	my $status = $? >> 8;
	return (slurp("$dir/out"), slurp("$dir/err"), $status);
}

1;
