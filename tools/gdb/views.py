# SPDX-License-Identifier: MIT
"""What there is to see of the heap: its figures, one block, its lists.

`heap` shows the figures of the kernel's heap; `heap block ADDRESS` the block that an address lies
in, with its header bit by bit, its neighbours, and where it is kept; `heap lists` the free blocks,
list by list; `heap check` what is wrong.

Where this stops: a block in the middle of an operation is shown as its words are. Whether that is
a fault cannot be told from one moment; that a call is under way can, and is.
"""

from typing import Iterator

import gdb

from check import Fault, check
from heap import HEAP, Figures, Heap, Piece, Quick, Torn, count_bins, count_cached, kernel_heap
from target import Command, Unreadable, address_of, cut, variable

SHOWN = 6  # the blocks of a list that are shown

# Words for enum heap_piece_kind, as kernel/mm/inspect.c has them.
KINDS = {
    "HEAP_PIECE_SEGMENT": "start of a segment",
    "HEAP_PIECE_USED": "in use",
    "HEAP_PIECE_CACHED": "cached",
    "HEAP_PIECE_BINNED": "free",
    "HEAP_PIECE_TOP": "top",
    "HEAP_PIECE_FENCE": "fence",
}

FLAGS = ("IN_USE", "PREV_IN_USE", "CACHED")


def under_way() -> Iterator[str]:
    """A warning if the machine stopped within a call of kmalloc or its kin."""
    if variable("locked", "kernel/mm/kmalloc.c"):
        yield "a call of kmalloc is under way: what it has begun may be half-done"


def head_in_words(head: int) -> str:
    """A header: its length and its bits."""
    length, rest = head & ~HEAP.FLAGS, head & HEAP.FLAGS
    words = [str(length)]
    for name in FLAGS:
        bit = getattr(HEAP, name)
        words += [name] if head & bit else []
        rest &= ~bit
    return " | ".join(words + ([f"0x{rest:x}, which is no flag"] if rest else []))


def show_piece(which: str, piece: Piece) -> str:
    return f"  {which:6} block 0x{piece.address:08x}  {piece.size:8} bytes  {KINDS[piece.kind]}"


def neighbours(heap: Heap, address: int) -> Iterator[str]:
    """The piece that an address lies in and those beside it, as far as lengths lead there."""
    before, piece, after, torn = find(heap, address)
    if before:
        yield show_piece("before", before)
    if piece:
        yield show_piece("the", piece)
    else:
        yield f"  no block can be followed to there{': ' if torn else ''}{torn}"
    if after:
        yield show_piece("after", after)


def find(heap: Heap, address: int) -> tuple[Piece | None, Piece | None, Piece | None, str]:
    """The piece before, the one at an address, the one after, and where the walk was torn."""
    pieces, torn = heap.pieces()
    before = None
    for i, piece in enumerate(pieces):
        if 0 <= address - piece.address < piece.size:
            return before, piece, pieces[i + 1] if i + 1 < len(pieces) else None, torn
        before = piece
    return before, None, None, torn


def bin_lengths(number: int) -> str:
    """The lengths of blocks in a bin."""
    if number < HEAP.HEAP_CLASSES:
        return str(HEAP.HEAP_MIN_BLOCK + number * HEAP.HEAP_ALIGN)
    per_power = HEAP.HEAP_BINS_PER_POWER
    power, part = divmod(number - HEAP.HEAP_CLASSES + 1, per_power)
    step = HEAP.HEAP_ALIGN << power + HEAP.HEAP_CLASS_BITS - (per_power.bit_length() - 1)
    first = step * (per_power + part)
    return f"{first} to {first + step - HEAP.HEAP_ALIGN}"


def place_in_quick(heap: Heap, payload: int) -> str:
    for quick in heap.quick:
        payloads = heap.cached(quick)
        if payload in payloads:
            at = payloads.index(payload) + 1
            which = f"place {at} of {len(payloads)}"
            return f"in the quick list of length {quick.size}, {which}"
    return "in no quick list, though its header says so"


def place_in_bins(heap: Heap, block: int) -> Iterator[str]:
    """The links of a free block, and what they hang on."""
    following, prev = heap.links(block)
    number, offset = divmod(prev - heap.bins_at, heap.word)
    first = offset == 0 and 0 <= number < len(heap.bins)
    block_after = f"block 0x{heap.header(following):08x}"
    after = block_after if following else "none, it is the last of its list"
    yield f"  next   {after}"
    if first:
        yield f"  prev   bin {number}, of blocks of length {bin_lengths(number)}"
    else:
        yield f"  prev   the next of block 0x{heap.add(prev, -heap.next_at):08x}"
    yield f"  footer {heap.prev_size(heap.after(block))}"


def place(heap: Heap, piece: Piece) -> Iterator[str]:
    """Where a block is kept."""
    block = piece.address
    if piece.kind == "HEAP_PIECE_CACHED":
        yield f"  kept   {place_in_quick(heap, heap.payload(block))}"
    elif block == heap.remainder:
        yield f"  kept   as the remainder, of {heap.remainder_size} bytes"
    elif piece.kind == "HEAP_PIECE_TOP":
        yield f"  kept   as the top, up to the fence at 0x{heap.fence:08x}"
    elif piece.kind == "HEAP_PIECE_BINNED":
        yield from place_in_bins(heap, block)


def show_block(heap: Heap, address: int) -> Iterator[str]:
    piece = find(heap, address)[1]
    yield f"address 0x{address:08x}"
    yield from neighbours(heap, address)
    if not piece:
        for which, at in ("word before", address - heap.word), ("word there", address):
            head = heap.head(at)
            yield f"  the {which} is 0x{head:08x}; as a header {head_in_words(head)}"
    elif piece.kind != "HEAP_PIECE_SEGMENT":
        head = heap.head(piece.address)
        yield f"  header 0x{head:08x} = {head_in_words(head)}"
        yield from place(heap, piece)


def addresses(blocks: list[int]) -> str:
    return "  ".join(cut([f"0x{block:08x}" for block in blocks], SHOWN))


def show_quick(heap: Heap, quick: Quick) -> Iterator[str]:
    blocks = [heap.add(payload, -heap.word) for payload in heap.cached(quick)]
    if blocks:
        yield f"  {quick.size:15}  {len(blocks):6}  {addresses(blocks)}"
    if quick.next != quick.address + len(blocks) * heap.word:
        yield f"  {quick.size:15}  its end is damaged: 0x{quick.next:08x}"


def show_bin(heap: Heap, number: int) -> Iterator[str]:
    blocks: list[int] = []
    damage = ""
    try:
        for block in heap.binned(number):
            blocks.append(block)
    except (Torn, Unreadable) as reason:
        damage = f"  {reason}"
    bits = 8 * heap.word
    marked = heap.filled[number // bits] >> number % bits & 1
    if marked != (heap.bins[number] != 0):
        damage += "  its bit in the bitmap disagrees"
    if blocks or damage:
        yield f"  {bin_lengths(number):>15}  {len(blocks):6}  {addresses(blocks)}{damage}"


def show_lists(heap: Heap) -> Iterator[str]:
    """Quick lists and bins that are not empty, the remainder, the top."""
    yield f"quick lists: {count_cached(heap)} bytes"
    yield "           length  blocks  what is handed out next last"
    for quick in heap.quick:
        yield from show_quick(heap, quick)
    yield f"bins: {count_bins(heap) - heap.remainder_size} bytes"
    yield "           length  blocks  the first to be taken first"
    for number in range(len(heap.bins)):
        yield from show_bin(heap, number)
    yield f"remainder: {heap.remainder_size} bytes at 0x{heap.remainder:08x}"
    yield f"top: {heap.top_size()} bytes at 0x{heap.top:08x}"


def show_figures(heap: Heap) -> Iterator[str]:
    """As the kernel's monitor tells them."""
    n = Figures(heap)
    end = int(variable("kernel_brk")["end"])
    yield f"  break        0x{end:08x}, {heap.given} bytes given by the hook"
    yield f"  in use       {n.granted_blocks} blocks, {n.granted} bytes and {n.headers} of headers"
    yield (
        f"  free         {n.binned_blocks} blocks, {n.binned} bytes; top {n.top} bytes; "
        f"largest {n.largest_free} bytes"
    )
    yield f"  cached       {n.cached_blocks} blocks, {n.cached} bytes"
    yield f"  bookkeeping  {n.bookkeeping} bytes in {n.segments} segments"
    yield f"  peak         {heap.peak} bytes given"
    if n.torn:
        yield f"  that is not all: {n.torn}"


def show_verdict(heap: Heap) -> Iterator[str]:
    """What heap_check() would say."""
    try:
        census = check(heap)
        yield f"sound: {census['blocks']} blocks in {census['segments']} segments"
    except Fault as fault:
        two = f"(0x{fault.expected:08x}, 0x{fault.found:08x})"
        yield f"block 0x{fault.block:08x}: {fault.words} {two}"
        if fault.block:
            yield from neighbours(heap, fault.block)
    except Unreadable as reason:
        yield f"damaged: it leads to where nothing is; {reason}"


class HeapCommand(Command):
    """Show what the kernel's heap holds, and whether it is sound."""

    usage = "heap"

    def lines(self, argument: str) -> Iterator[str]:
        heap = kernel_heap()
        yield from under_way()
        yield from show_figures(heap)
        yield from show_verdict(heap)


class BlockCommand(Command):
    """Show the block that an address lies in: heap block ADDRESS

    Its header bit by bit, the blocks beside it, and where it is kept if it is free."""

    usage = "heap block ADDRESS"

    def lines(self, argument: str) -> Iterator[str]:
        address = address_of(argument, self.usage)
        heap = kernel_heap()
        if not heap.segment:
            raise gdb.GdbError("the heap holds nothing")
        if not heap.start() <= address < heap.high:
            where = f"0x{heap.start():08x} to 0x{heap.high:08x}"
            raise gdb.GdbError(f"0x{address:08x} lies outside of the heap, which is {where}")
        yield from under_way()
        yield from show_block(heap, address)


class ListsCommand(Command):
    """Show the free blocks of the kernel's heap by the lists they are kept in."""

    usage = "heap lists"

    def lines(self, argument: str) -> Iterator[str]:
        heap = kernel_heap()
        yield from under_way()
        yield from show_lists(heap)


class CheckCommand(Command):
    """Examine the kernel's heap as heap_check() does, and name the first fault in its words."""

    usage = "heap check"

    def lines(self, argument: str) -> Iterator[str]:
        heap = kernel_heap()
        yield from under_way()
        yield from show_verdict(heap)
