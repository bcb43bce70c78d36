#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# What the book shows is so: each session is held again with the kernel, each
# listing is compared with the source, each link leads somewhere.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use Book;
use File::Basename 'dirname';
use Test::More;

chdir "$FindBin::Bin/../.." or die "no tree: $!";
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL GNUMAKEFLAGS)};
system('make -s build/fencepost.iso') == 0 or BAIL_OUT('cannot build the image');

my ($sessions, $listings, %handler) = (0, 0);
%handler = (
	fencepost => sub {
		my ($self, $part, $where) = @_;
		$sessions++;
		is(Book::masked(Book::session($self, $part)), Book::masked($part->{body}), "$where: a session");
	},
	c => sub {
		my ($self, $part, $where) = @_;
		$listings++;
		is($part->{body}, Book::listing($part) // 'not in the source', "$where: $part->{rest}");
	},
	console => sub { }, # scores.t has those
	text => sub { },    # a picture
);

for my $chapter (Book::chapters()) {
	my $self = {};
	my $text = Book::slurp($chapter);
	for my $part (grep { defined $_->{kind} } Book::parts($text)) {
		my $handle = $handler{ $part->{kind} };
		ok($handle, "$chapter: a block of the kind $part->{kind}") or next unless $handle;
		$handle->($self, $part, $chapter);
	}
	is_deeply([Book::finish($self)], [], "$chapter: and nothing was touched that is not there");
	is(($text =~ s/^```\w+.*?^```\n//gmsr) =~ /^```/m ? 'a block without a kind' : '', '', '  nothing goes unseen');
}
cmp_ok($sessions, '>=', 20, 'there are sessions');
cmp_ok($listings, '>=', 10, 'and listings');

# A word more or less, a digit more or less is seen.
my ($part) = grep { ($_->{kind} // '') eq 'c' } Book::parts(Book::slurp('docs/book/05-brk.md'));
isnt(Book::listing({ %$part, rest => $part->{rest} =~ s/ .*//r, body => $part->{body} =~ s/return/retrun/r }) // '',
	$part->{body}, 'a listing that is not so');
isnt(Book::masked('p = 0xd0000018, 100 bytes'), Book::masked('p = 0xd0000018, 101 bytes'), 'a figure that is not so');
is(Book::masked("  0xc0106985  kfree+0x45\n"), Book::masked("  0xc0106995  kmalloc+0x4\n  0xc0101c05  kmain+0x4\n"),
	'what differs from build to build is not compared');

# The site, if only from what is there already.
is(qx{make -s book 2>&1}, "  BOOK  build/book\n", 'a site is made of it');
is($?, 0, '  without a complaint');
ok(-s "build/book/$_", "  with $_") for 'index.html', map { s/\.md$/.html/r } Book::chapters();

# Links, in all of docs/ and in the README.
for my $file ('README.md', glob 'docs/*.md docs/*/*.md') {
	my $text = Book::slurp($file) =~ s/^```.*?^```\n//gmsr;
	my @links = grep { !/^[a-z]+:|^#/ } map { s/#.*//r } $text =~ /\]\(([^)\s]+)\)/g;
	my @dead = grep { my $path = $_; !-e(dirname($file) . "/$path") } @links;
	is("@dead", '', "$file: links lead somewhere");
}
done_testing;
