#!/usr/bin/perl
# SPDX-License-Identifier: MIT
#
# renew.pl [CHAPTER...]: holds the book's sessions anew, takes its listings from the
# source again, and has the heaps in it judged again. Writes what differs.

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;

use Book;

chdir "$FindBin::Bin/../.." or die "no tree: $!";

my %renew = (
	fencepost => sub { Book::session(@_) },
	c => sub { Book::listing($_[1]) // die "$_[1]{rest}: there is no such listing\n$_[1]{body}" },
	console => sub { Book::score($_[1]) },
);
# What is no more than another build's is left as it stands.
my %same = (fencepost => \&Book::masked, console => \&Book::without_time);

for my $chapter (@ARGV ? @ARGV : Book::chapters()) {
	my $self = {};
	my $before = Book::slurp($chapter);
	my @parts = Book::parts($before);
	for my $part (grep { defined $_->{kind} && $renew{ $_->{kind} } } @parts) {
		my $body = $renew{ $part->{kind} }->($self, $part);
		my $same = $same{ $part->{kind} } // sub { $_[0] };
		$part->{body} = $body if $same->($body) ne $same->($part->{body});
	}
	Book::finish($self);
	my $after = Book::text_of(@parts);
	next if $after eq $before;
	open my $file, '>', $chapter or die "$chapter: $!\n";
	print $file $after;
	close $file or die "$chapter: $!\n";
	print "$chapter\n";
}
