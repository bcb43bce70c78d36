#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# tools/deps among commands that only pretend: what it asks apt-get for, when
# it asks nothing at all, and that no package ever has to go.

use strict;
use warnings;
use FindBin;

use File::Path 'make_path';
use File::Temp;
use Test::More;

my $DEPS = "$FindBin::Bin/../../tools/deps";

# Which commands and files a package brings.
my %BRINGS = (
	'gcc-i686-linux-gnu' => ['i686-linux-gnu-gcc'],
	'binutils-i686-linux-gnu' => ['i686-linux-gnu-ld'],
	'qemu-system-x86' => ['qemu-system-i386', 'qemu-system-x86_64'],
	'grub-common' => ['grub-mkrescue'],
	'grub-pc-bin' => ['/usr/lib/grub/i386-pc/multiboot.mod'],
	'grub-efi-amd64-bin' => ['/usr/lib/grub/x86_64-efi/multiboot.mod'],
	'ovmf' => ['/usr/share/ovmf/OVMF.fd'],
	'xorriso' => ['xorriso'],
	'mtools' => ['mformat'],
	'perl' => ['perl', 'prove'],
	'gzip' => ['gzip'],
	'gcc' => ['gcc'],
	'libc6-dev' => ['/usr/include/stdio.h'],
	'clang' => ['clang'],
	'libclang-rt-dev' => ['/usr/lib/llvm-14/lib/clang/14.0.6/lib/linux/libclang_rt.fuzzer-x86_64.a'],
	'clang-format' => ['clang-format'],
	'cppcheck' => ['cppcheck'],
	'libc6-dev-i386-cross' => ['/usr/i686-linux-gnu/include/stdio.h'],
	'libc6-i386-cross' => ['/usr/i686-linux-gnu/lib/ld-linux.so.2'],
	'git' => ['git'],
	'python3' => ['python3'],
	'sqlite3' => ['sqlite3'],
	'gdb' => ['gdb'],
	'mkdocs' => ['mkdocs'],
	'mkdocs-material' => ['/usr/share/mkdocs/themes/material/mkdocs_theme.yml'],
	'mypy' => ['mypy'],
	'pyflakes3' => ['pyflakes3'],
	'valgrind' => ['valgrind'],
	'libmimalloc2.0' => ['/usr/lib/x86_64-linux-gnu/libmimalloc.so.2'],
	'libjemalloc2' => ['/usr/lib/x86_64-linux-gnu/libjemalloc.so.2'],
	'libtcmalloc-minimal4' => ['/usr/lib/x86_64-linux-gnu/libtcmalloc_minimal.so.4'],
	'gcc-multilib' => ['/usr/lib/gcc/x86_64-linux-gnu/12/32/libasan.so'],
);
my @CROSS = qw(gcc-i686-linux-gnu binutils-i686-linux-gnu);
my @RUN = qw(gzip grub-common grub-pc-bin mtools perl qemu-system-x86 xorriso);
my @DEBUG = qw(gdb gzip perl qemu-system-x86);
my @TEST = qw(clang clang-format cppcheck gcc gdb git grub-efi-amd64-bin libc6-dev libclang-rt-dev mkdocs
	mkdocs-material mypy ovmf
	pyflakes3 python3 sqlite3);
my @HOST = qw(gcc libc6-dev);
my @PEERS = qw(gzip libjemalloc2 libmimalloc2.0 libtcmalloc-minimal4 perl valgrind);
my @LIBC32 = qw(libc6-dev-i386-cross libc6-i386-cross);
my $FLAGS = 'install --no-install-recommends --no-remove -y';

sub write_file {
	my ($path, $text) = @_;
	make_path($path =~ s{/[^/]*$}{}r);
	open my $file, '>', $path or die "$path: $!";
	print $file $text;
	close $file;
	chmod 0755, $path;
}

sub place {
	my ($dir, @packages) = @_;
	for my $thing (map { @{ $BRINGS{$_} } } @packages) {
		write_file($thing =~ m{^/} ? "$dir/root$thing" : "$dir/bin/$thing", "#!/bin/sh\n");
	}
}

# Runs tools/deps, for one group or more in a word each, on a machine that has: packages, other commands, and what else is said:
#   user => 0 or another id, no => [commands that are not there], fails => n times apt-get
#   fails, cross => CROSS_COMPILE, empty => apt-get installs nothing
sub deps {
	my ($group, %has) = @_;
	my $dir = File::Temp->newdir;
	my %absent = map { $_ => 1 } @{ $has{no} // [] };
	my %packages = map { $_ => 1 } @{ $has{packages} // [] };
	my $user = $has{user} // 0;
	my $fails = $has{fails} // 0;
	my $state = $packages{'gcc-multilib'} ? 'install ok installed' : 'unknown ok not-installed';
	# A package that is installed under our hands brings its commands.
	my $cases = join '', map {
		my $package = $_;
		"\t$package) " . join('', map {
			my $path = m{^/} ? "$dir/root$_" : "$dir/bin/$_";
			my $folder = $path =~ s{/[^/]*$}{}r;
			"/bin/mkdir -p $folder; echo '#!/bin/sh' >$path; /bin/chmod +x $path; ";
		} @{ $BRINGS{$package} }) . ";;\n";
	} sort keys %BRINGS;
	$cases = '' if $has{empty};

	make_path("$dir/bin", "$dir/root");
	place($dir, keys %packages);
	write_file("$dir/bin/$_", "#!/bin/sh\n") for @{ $has{commands} // [] };
	write_file("$dir/bin/id", "#!/bin/sh\necho $user\n");
	write_file("$dir/bin/env", "#!/bin/sh\nshift\nexec \"\$@\"\n");
	write_file("$dir/bin/sudo", "#!/bin/sh\necho sudo >>$dir/calls\nexec \"\$@\"\n") unless $absent{sudo};
	write_file("$dir/bin/dpkg-query", "#!/bin/sh\nprintf '$state'\n") unless $absent{'dpkg-query'};
	write_file("$dir/bin/apt-get", <<"SH") unless $absent{'apt-get'};
#!/bin/sh
echo "apt-get \$*" >>$dir/calls
[ \$1 = install ] || exit 0
n=0
while read -r line; do
	case \$line in *' install '*) n=\$((n + 1)) ;; esac
done <$dir/calls
[ \$n -gt $fails ] || exit 100
for p; do case \$p in
$cases\t*) ;;
esac; done
SH

	local $ENV{PATH} = "$dir/bin";
	local $ENV{DEPS_ROOT} = "$dir/root";
	local $ENV{CROSS_COMPILE} = $has{cross};
	delete local $ENV{CROSS_COMPILE} unless defined $has{cross};
	my $output = `/bin/sh $DEPS $group 2>&1`;
	my $status = $? >> 8;
	my $calls = '';
	if (open my $file, '<', "$dir/calls") {
		$calls = join '', <$file>;
	}
	return { output => $output, status => $status, calls => $calls };
}

# Exactly these packages are asked for, in one call, in any order.
sub asks_for {
	my ($got, $name, @packages) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my ($asked) = $got->{calls} =~ /\Aapt-get \Q$FLAGS\E (.*)\n\z/;
	is_deeply([sort split / /, $asked // ''], [sort @packages], $name) or diag explain $got;
	is($got->{status}, 0, "$name: done");
}

sub is_quiet {
	my ($got, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	is_deeply($got, { output => '', status => 0, calls => '' }, $name) or diag explain $got;
}

# Nothing missing.
is_quiet(deps('run', packages => [@CROSS, @RUN]), 'run: nothing missing, nothing said or done');
is_quiet(deps('test', packages => [@CROSS, @RUN, @TEST, @LIBC32]), 'test: the same');
is_quiet(deps('debug', packages => [@CROSS, @DEBUG]), 'debug: the same, and GRUB need not be');
is_quiet(deps('peers', packages => [@CROSS, @HOST, @LIBC32, @PEERS]), 'peers: the same, and QEMU need not be');
is_quiet(deps('run', packages => [@CROSS, @RUN], no => ['apt-get', 'sudo', 'dpkg-query'], user => 1000),
	'with everything there, apt-get need not be');
is_quiet(deps('run', packages => \@RUN, commands => ['i686-elf-gcc', 'i686-elf-ld']),
	'an i686-elf compiler is as good');
is_quiet(deps('test', packages => [@RUN, @TEST, 'gcc-multilib', 'binutils-i686-linux-gnu']),
	'so is gcc -m32 with gcc-multilib');

# Something missing.
asks_for(deps('run'), 'run: from nothing', @CROSS, @RUN);
asks_for(deps('debug'), 'debug: from nothing', @CROSS, @DEBUG);
asks_for(deps('test'), 'test: from nothing', @CROSS, @RUN, @TEST, @LIBC32);
asks_for(deps('peers'), 'peers: from nothing', @CROSS, @HOST, @LIBC32, @PEERS);
asks_for(deps('peers run', packages => [@CROSS, @HOST, @LIBC32]), 'peers and run: what either needs, once',
	do { my %both = map { $_ => 1 } @RUN, @PEERS; keys %both });
for my $package (@PEERS) {
	asks_for(deps('peers', packages => [@CROSS, @HOST, @LIBC32, grep { $_ ne $package } @PEERS]),
		"peers: all but $package", $package);
}
for my $package (@RUN) {
	asks_for(deps('run', packages => [@CROSS, grep { $_ ne $package } @RUN]),
		"run: all but $package", $package);
}
for my $package (@DEBUG) {
	asks_for(deps('debug', packages => [@CROSS, grep { $_ ne $package } @DEBUG]),
		"debug: all but $package", $package);
}
for my $package (@TEST, @LIBC32) {
	asks_for(deps('test', packages => [@CROSS, @RUN, grep { $_ ne $package } @TEST, @LIBC32]),
		"test: all but $package", $package);
}
asks_for(deps('run', packages => [@RUN, 'gcc-i686-linux-gnu']),
	'a compiler without its linker', @CROSS);

# gcc-multilib stays.
my $got = deps('run', packages => ['gcc', 'gcc-multilib']);
asks_for($got, 'with gcc-multilib', 'binutils-i686-linux-gnu', @RUN);
$got = deps('test', packages => ['gcc', 'gcc-multilib']);
asks_for($got, 'with gcc-multilib, to test', 'binutils-i686-linux-gnu', @RUN, grep { $_ ne 'gcc' } @TEST);
asks_for(deps('test', packages => [@RUN, @TEST], commands => ['i686-elf-gcc', 'i686-elf-ld']),
	'an i686-elf compiler, to test', 'gcc-multilib');

# CROSS_COMPILE is the user's word.
is_quiet(deps('run', packages => \@RUN, cross => 'my-', commands => ['my-gcc', 'my-ld']),
	'CROSS_COMPILE that is there');
$got = deps('run', packages => \@RUN, cross => 'my-', commands => ['my-gcc']);
is($got->{status}, 1, 'CROSS_COMPILE that is not');
like($got->{output}, qr/^CROSS_COMPILE=my-, but my-gcc and my-ld are not both there$/, 'is named');
is($got->{calls}, '', 'and nothing is installed');

# Who may install.
$got = deps('run', packages => [@CROSS, grep { $_ ne 'mtools' } @RUN], user => 1000);
is($got->{calls}, "sudo\napt-get $FLAGS mtools\n", 'who is not root uses sudo');
for my $no ('apt-get', 'sudo') {
	$got = deps('run', packages => [@CROSS, grep { !/^(mtools|qemu.*)$/ } @RUN], user => 1000, no => [$no]);
	is($got->{status}, 1, "without $no: stops");
	is($got->{calls}, '', "without $no: installs nothing");
	like($got->{output},
		qr/^  qemu-system-i386 \(Debian package qemu-system-x86\)\n  mformat \(Debian package mtools\)\n\z/m,
		"without $no: says what to install");
}

# Package lists that are old or empty, and packages that do not help.
$got = deps('run', packages => [@CROSS, grep { $_ ne 'mtools' } @RUN], fails => 1);
is($got->{calls}, "apt-get $FLAGS mtools\napt-get update\napt-get $FLAGS mtools\n",
	'a failure is tried again with fresh lists');
is($got->{status}, 0, 'and may then succeed');
is(deps('run', packages => \@RUN, fails => 9)->{status}, 1, 'a failure that stays is one');
$got = deps('run', packages => [@CROSS, grep { $_ ne 'mtools' } @RUN], empty => 1);
is($got->{status}, 1, 'a package that does not bring what is missing');
like($got->{output}, qr/^Still missing after the installation:\n  mformat/m, 'is named');

is(deps($_)->{status}, 2, "an unknown group is refused: '$_'") for 'build', '', 'run build';
done_testing;
