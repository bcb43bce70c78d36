# SPDX-License-Identifier: MIT
#
# The blocks of code in the book, docs/book/*.md, and what they should say.
#
#	```fencepost		a session with the monitor; "fencepost boot" in a machine
#				just started, and if it begins without a prompt, with
#				what that says until the prompt
#	```c FILE [NAME]	lines that stand so in FILE; with a NAME, the definition of it
#	```console		make test HEAP=..., and the score
#
# All sessions of a chapter are with one machine, but where a block says boot.

package Book;

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../boot";

use Judge;

my $PROMPT = qr/^fencepost> \z/m;
my $END = qr/$PROMPT|^stopped: .*\n\z/m;

sub slurp {
	my ($path) = @_;
	open my $file, '<', $path or die "$path: $!\n";
	local $/;
	return <$file>;
}

sub chapters {
	return sort glob 'docs/book/*.md';
}

# The parts of a text: those that are blocks have a kind, what stands behind that, and a body.
sub parts {
	my ($text) = @_;
	my @parts;
	while ($text =~ /\G(.*?)^```(\w+)([^\n]*)\n(.*?)^```\n/gmsc) {
		my ($before, $kind, $rest, $body) = ($1, $2, $3, $4);
		push @parts, { text => $before }, { kind => $kind, rest => $rest =~ s/^ //r, body => $body };
	}
	push @parts, { text => substr $text, pos $text // 0 };
	return @parts;
}

sub text_of {
	return join '', map {
		my $rest = length($_->{rest} // '') ? " $_->{rest}" : '';
		defined $_->{kind} ? "```$_->{kind}$rest\n$_->{body}```\n" : $_->{text}
	} @_;
}

# --- sessions ----------------------------------------------------------------

sub start {
	my ($self) = @_;
	Judge::stop($self->{machine}) if $self->{machine};
	$self->{machine} = Judge::start(iso => 'build/fencepost.iso');
	$self->{banner} = Judge::wait_for($self->{machine}, $PROMPT);
}

# What the machine answers to the commands of a block, as a block; one that it stops at is the last.
sub session {
	my ($self, $part) = @_;
	my ($first, @commands) = split /^fencepost> /m, $part->{body};
	start($self) if !$self->{machine} || $part->{rest} eq 'boot';
	my $said = $part->{rest} eq 'boot' && length $first ? $self->{banner} : 'fencepost> ';
	for my $command (map { (split /\n/)[0] } @commands) {
		Judge::type($self->{machine}, "$command\r");
		$said .= Judge::wait_for($self->{machine}, $END);
	}
	return $said =~ s/fencepost> \z//r;
}

sub finish {
	my ($self) = @_;
	return unless $self->{machine};
	my $run = Judge::stop($self->{machine});
	delete $self->{machine};
	return Judge::unexpected_guest_errors($run);
}

# What differs from build to build, which docs/book/index.md tells the reader, becomes '#'.
sub masked {
	my ($text) = @_;
	for ($text) {
		s/^build-id \K[0-9a-f]{40}$/#/mg;
		s/^loaded by \K.*?(?=, )/#/mg;
		s/0xc0[0-9a-f]{6}/0xc0#/g;
		s/^memory: .*/$& =~ s{\d+}{#}gr/meg;
		s/\bframe +\d+/frame #/g;
		s/^  (?:directory|table|memory) .*/$& =~ s{0x0[0-9a-f]{7}}{0x0#}gr/meg;
		s/^frames of 4 KiB.*/$& =~ s{\d+}{#}gr/meg;
		s/^  (?:free|kernel image|modules|page tables|reserved|frame states) +\d+(?: +\d+ KiB)?$/$& =~ s{ +\d+}{ #}gr/meg;
		s/^ +\d+ +\d+ +\d+ KiB \K +\d+$/#/mg;
		s/^(?:e[a-z]{2}|esi|eip) .*/$& =~ s{\b[0-9a-f]{8}\b}{#}gr/meg;
		s/^(?:  0xc0# +\S+\+0x[0-9a-f]+\n)+/  0xc0#  #\n/mg;
	}
	return $text;
}

# --- listings ----------------------------------------------------------------

# What a listing should be, or undef if there is no such.
sub listing {
	my ($part) = @_;
	my ($path, $name) = split / /, $part->{rest};
	my $source = -f $path ? slurp($path) : '';
	return definition($source, $name) if defined $name;
	return index($source, $part->{body}) >= 0 && $part->{body} =~ /\S/ ? $part->{body} : undef;
}

# A function or a structure: from the line that has its name in column 0's declaration on.
sub definition {
	my ($source, $name) = @_;
	my @lines = split /^/, $source;
	for my $i (0 .. $#lines) {
		next unless $lines[$i] =~ /^(?:[a-z].*[ *])?\Q$name\E(?: \{|\(.*[^;\n]$)/;
		my $from = $i;
		$from-- if $from > 0 && $lines[$from] =~ /^\Q$name\E/ && $lines[$from - 1] =~ /^[a-z]/;
		if ($from > 0 && $lines[$from - 1] =~ m{\*/$}) {
			$from--;
			$from-- while $from > 0 && $lines[$from] !~ m{^/\*};
		}
		my $to = $i;
		$to++ while $to < $#lines && $lines[$to] !~ /^\}/;
		return join '', @lines[$from .. $to];
	}
	return;
}

# --- scores ------------------------------------------------------------------

# The command of a console block, and what it says.
sub score {
	my ($part) = @_;
	my ($command) = $part->{body} =~ /^\$ (make test HEAP=\S+)$/m or return '';
	my $said = qx{$command --no-print-directory 2>&1};
	return "\$ $command\n$said";
}

# Time is another one each time.
sub without_time {
	my ($text) = @_;
	return $text =~ s/%\K +\d+\.\d\d$/ #/mgr =~ s/speed \K\d+%/#/r;
}

1;
