# SPDX-License-Identifier: MIT
"""The floor of the heap: its blocks, and the ways that lead to them.

	      one word
	     +--------+-------------------------------------+
	used | length | payload ...                         |
	     +--------+------+------+---------------+--------+
	free | length | next | prev |  untouched    | length |
	     +--------+------+------+---------------+--------+

A Heap is a struct heap as it was when it was read; a block is the address of its header, as it is
for those who look at a heap (kernel/mm/heap.c itself goes by the payload, a word further), and
walk() goes from block to block as heap_walk() does.

Where this stops: it reads, and gives up where heap_walk() gives up. views.py shows what it has
read, check.py says what is wrong with it.
"""

from collections import Counter
from typing import Iterator, NamedTuple

import gdb

from target import Constants, Memory, Unreadable, offsets, variable

HEAP = Constants("heap_malloc")
FREE = ("HEAP_PIECE_BINNED", "HEAP_PIECE_TOP")


class Torn(Exception):
    """A walk that cannot go on; why, in words."""


class Piece(NamedTuple):
    """Some bytes of a segment, as struct heap_piece."""

    kind: str
    address: int
    size: int


class Segment(NamedTuple):
    """The record at a segment's start."""

    address: int
    older: int
    start: int
    end: int
    low: int
    high: int


class Quick(NamedTuple):
    """A quick list: struct heap_quick, and the address of its first place."""

    address: int
    next: int
    head: int
    size: int
    places: list[int]


class Heap:
    """A heap at one moment. Its fields have the names that they have in struct heap; of blocks
    they are the headers, but for remainder_at and bins, which are what is written there."""

    def __init__(self, value: gdb.Value) -> None:
        value.fetch_lazy()
        self.memory = Memory()
        self.word, self.align, self.min_block = HEAP.HEAP_WORD, HEAP.HEAP_ALIGN, HEAP.HEAP_MIN_BLOCK
        self.IN_USE, self.PREV_IN_USE, self.CACHED = HEAP.IN_USE, HEAP.PREV_IN_USE, HEAP.CACHED
        self.FLAGS = HEAP.FLAGS
        self.low, self.high, self.span = (int(value[name]) for name in ("low", "high", "span"))
        self.given, self.peak = int(value["given"]), int(value["peak"])
        self.top, self.fence = (self.header(int(value[name])) for name in ("top", "fence"))
        self.remainder_at = int(value["remainder"])
        self.remainder = self.header(self.remainder_at)
        self.remainder_size = int(value["remainder_size"])
        self.segment, self.sbrk = int(value["segment"]), int(value["sbrk"])
        self.summary = int(value["summary"])
        self.filled = [int(value["filled"][i]) for i in range(HEAP.HEAP_BIN_WORDS)]
        self.bins = [int(value["bins"][i]) for i in range(HEAP.HEAP_BINS)]
        self.bins_at = int(value["bins"].address)
        self.quick = [read_quick(value["quick"][i]) for i in range(HEAP.HEAP_CLASSES)]
        self.record_size: int = gdb.lookup_type("struct heap_segment").sizeof
        links = offsets("heap_block")
        self.next_at, self.prev_at = (self.word + links[name] for name in ("next", "prev"))

    # Blocks, by arithmetic.

    def head(self, block: int) -> int:
        return self.memory.word(block)

    def size(self, block: int) -> int:
        return self.head(block) & ~self.FLAGS

    def payload(self, block: int) -> int:
        return self.add(block, self.word)

    def header(self, payload: int) -> int:
        """The block that the heap knows by its payload; 0 is none."""
        return self.add(payload, -self.word) if payload else 0

    def after(self, block: int) -> int:
        """The next block."""
        return self.add(block, self.size(block))

    def in_use(self, block: int) -> bool:
        return bool(self.head(block) & self.IN_USE)

    def prev_in_use(self, block: int) -> bool:
        return bool(self.head(block) & self.PREV_IN_USE)

    def prev_size(self, block: int) -> int:
        """The last word of the block before: its length, if it is free."""
        return self.memory.word(block - self.word)

    def links(self, block: int) -> tuple[int, int]:
        """next and prev of a block in a bin, as they stand there."""
        return self.memory.word(block + self.next_at), self.memory.word(block + self.prev_at)

    def top_size(self) -> int:
        return self.add(self.fence, -self.top)

    def add(self, address: int, n: int) -> int:
        """As a word does: without what does not fit."""
        return address + n & self.memory.mask

    def align_up(self, address: int) -> int:
        return self.add(address, self.align - 1) & ~(self.align - 1)

    def in_range(self, payload: int) -> bool:
        """Whether there can be a payload there, that of a smallest block at least."""
        distance = self.add(payload, -self.low)
        return distance % self.align == 0 and distance // self.align < self.span

    # Lists.

    def bin_for(self, size: int) -> int:
        """The bin of blocks of this length."""
        units = size >> HEAP.HEAP_SHIFT
        if size <= HEAP.HEAP_MAX_SMALL:
            return units - self.min_block // self.align
        power = units.bit_length() - 1
        per_power = HEAP.HEAP_BINS_PER_POWER
        first = HEAP.HEAP_CLASSES - 1 + (power - HEAP.HEAP_CLASS_BITS - 1) * per_power
        return first + units * per_power // (1 << power)

    def cached(self, quick: Quick) -> list[int]:
        """The payloads in a quick list, what is handed out next last, as many as it has places."""
        return quick.places[: max(0, quick.next - quick.address) // self.word]

    def binned(self, number: int) -> Iterator[int]:
        """The blocks of a bin, each looked at before it is followed."""
        payload, seen = self.bins[number], set[int]()
        while payload:
            block = self.header(payload)
            if not self.in_range(payload):
                raise Torn(f"leads to 0x{block:08x}, not within the heap")
            if block in seen:
                raise Torn(f"leads back to 0x{block:08x}")
            yield block
            seen.add(block)
            payload = self.links(block)[0]

    # Segments, and the walk.

    def first_block(self, segment: int) -> int:
        return segment + self.record_size

    def start(self) -> int:
        """Where the lowest segment's record lies, before the lowest payload."""
        return self.low - self.word - self.first_block(0)

    def fence_of(self, segment: Segment) -> int:
        return (segment.end & ~(self.align - 1)) - self.word

    def record(self, address: int) -> Segment | None:
        """The segment that begins there, unless none can."""
        payload = self.first_block(address) + self.word
        if payload % self.align or not self.low <= payload <= self.high:
            return None
        at = offsets("heap_segment")
        segment = Segment(address, **{name: self.memory.word(address + at[name]) for name in at})
        starts = self.align_up(segment.start) == address
        return segment if starts and payload <= segment.end <= self.high else None

    def segments(self) -> Iterator[Segment | None]:
        """The newest first; None, and then no more, where a record is none."""
        budget, at = self.given, self.segment
        while at:
            segment = self.record(at)
            length = segment.end - segment.start if segment else 0
            if not segment or length > budget:
                yield None
                return
            yield segment
            budget -= length
            at = segment.older

    def kind_of(self, block: int) -> str:
        head = self.head(block)
        if head & self.IN_USE:
            return "HEAP_PIECE_CACHED" if head & self.CACHED else "HEAP_PIECE_USED"
        return "HEAP_PIECE_TOP" if block == self.top else "HEAP_PIECE_BINNED"

    def walk_segment(self, segment: Segment) -> Iterator[Piece]:
        block, fence = self.first_block(segment.address), self.fence_of(segment)
        yield Piece("HEAP_PIECE_SEGMENT", segment.start, block - segment.start)
        while block < fence:
            size = self.size(block)
            if not self.min_block <= size <= fence - block:
                raise Torn(f"the length of block 0x{block:08x} makes no sense: {size}")
            yield Piece(self.kind_of(block), block, size)
            block += size
        yield Piece("HEAP_PIECE_FENCE", fence, segment.end - fence)

    def walk(self) -> Iterator[Piece]:
        """All pieces of all segments, as heap_walk(); Torn where that gives up."""
        for segment in self.segments():
            if not segment:
                raise Torn("the record of a segment is damaged")
            yield from self.walk_segment(segment)

    def pieces(self) -> tuple[list[Piece], str]:
        """All that a walk sees, and why it sees no more; "" if it came to the end."""
        seen = []
        try:
            for piece in self.walk():
                seen.append(piece)
        except (Torn, Unreadable) as reason:
            return seen, str(reason)
        return seen, ""


def read_quick(value: gdb.Value) -> Quick:
    places = value["block"]
    _, last = places.type.range()  # at 0 lies no block, but what looks like the end of the list
    return Quick(
        int(places[1].address),
        int(value["next"]),
        int(value["head"]),
        int(value["size"]),
        [int(places[i]) for i in range(1, last + 1)],
    )


def kernel_heap() -> Heap:
    """The kernel's heap, once it is set up."""
    heap = Heap(variable("kernel_heap"))
    if heap.sbrk == 0:
        raise gdb.GdbError("the heap is not set up yet")
    return heap


class Figures:
    """A heap in figures, from a walk, as struct heap_stats; torn says why that is not all."""

    def __init__(self, heap: Heap) -> None:
        pieces, self.torn = heap.pieces()
        size: Counter[str] = Counter()
        number: Counter[str] = Counter()
        for piece in pieces:
            kind = piece.kind.removeprefix("HEAP_PIECE_")
            size[kind] += piece.size
            number[kind] += 1
        free = [piece.size for piece in pieces if piece.kind in FREE]
        self.total = size.total()
        self.granted_blocks, self.headers = number["USED"], number["USED"] * heap.word
        self.granted = size["USED"] - self.headers
        self.cached_blocks, self.cached = number["CACHED"], size["CACHED"]
        self.binned_blocks, self.binned = number["BINNED"], size["BINNED"]
        self.top, self.largest_free = size["TOP"], max(free, default=0)
        self.segments, self.bookkeeping = number["SEGMENT"], size["SEGMENT"] + size["FENCE"]


def count_bins(heap: Heap) -> int:
    """Bytes of the remainder and of the blocks in bins, up to where one cannot be followed."""
    total = heap.remainder_size
    try:
        for number in range(len(heap.bins)):
            for block in heap.binned(number):
                total += heap.size(block)
    except Torn:
        pass
    return total


def count_cached(heap: Heap) -> int:
    """Bytes of the blocks in quick lists, as heap_count_cached()."""
    lengths = (heap.add(quick.next, -quick.address) // heap.word for quick in heap.quick)
    return heap.add(sum(n * quick.size for n, quick in zip(lengths, heap.quick)), 0)
