# SPDX-License-Identifier: MIT
"""What heap_check() would say of a heap, without having it run: for `heap check`.

The same conditions in the same order, so that the first fault found is the same one; the test
damages a heap in hundreds of ways and compares. The words for a fault are the kernel's own,
from heap_fault_name(). As there, nothing is followed that has not been range-checked.

Where this stops: where heap_check() stops. A struct heap that is itself damaged may lead to
addresses where nothing is mapped; then that is what is said.
"""

from collections import Counter

from heap import Heap, Segment
from target import enumerators, strings


class Fault(Exception):
    """A violation, as struct heap_fault."""

    def __init__(self, kind: str, block: int, expected: int, found: int) -> None:
        super().__init__(kind)
        self.kind, self.block, self.expected, self.found = kind, block, expected, found

    @property
    def words(self) -> str:
        return strings("heap_fault_name::names")[enumerators("heap_fault_kind")[self.kind]]


def examine_block(heap: Heap, block: int) -> None:
    """The block may be looked at and its length followed."""
    ptr = heap.payload(block)
    if ptr % heap.align:
        raise Fault("HEAP_FAULT_ALIGNMENT", block, ptr & ~(heap.align - 1), ptr)
    if not heap.in_range(ptr):
        raise Fault("HEAP_FAULT_RANGE", block, heap.low, ptr)
    room = heap.add(heap.high, -heap.min_block - ptr)
    if heap.add(heap.size(block), -heap.min_block) > room:
        raise Fault("HEAP_FAULT_LENGTH", block, heap.min_block, heap.head(block))


def is_bin(heap: Heap, link: int) -> bool:
    offset = heap.add(link, -heap.bins_at)
    return offset < len(heap.bins) * heap.word and offset % heap.word == 0


def linked(heap: Heap, block: int, size: int) -> bool:
    """The links of a block in a bin exist and point back; only the first hangs on the bin."""
    following, prev = heap.links(block)
    link = block + heap.next_at
    if following:
        if not heap.in_range(following) or heap.links(heap.header(following))[1] != link:
            return False
    if is_bin(heap, prev):
        return heap.bins[(prev - heap.bins_at) // heap.word] == heap.payload(block)
    if not heap.in_range(prev) or heap.memory.word(prev) != heap.payload(block):
        return False
    return heap.bins[heap.bin_for(size)] != heap.payload(block)


def kept_size(heap: Heap, block: int) -> int:
    """The length of a free block by where it is kept."""
    if block == heap.top:
        return heap.top_size()
    return heap.remainder_size if block == heap.remainder else heap.size(block)


def examine_free(heap: Heap, block: int) -> None:
    """A free block: its two lengths, the flags behind it, its links."""
    examine_block(heap, block)
    size, kept, behind = heap.size(block), kept_size(heap, block), heap.after(block)
    is_top, flags = block == heap.top, heap.head(block) & heap.FLAGS
    if flags != heap.PREV_IN_USE:
        raise Fault("HEAP_FAULT_NEXT", block, heap.PREV_IN_USE, flags)
    if size != kept:
        raise Fault("HEAP_FAULT_LENGTH", block, kept, size)
    if not is_top and heap.prev_size(behind) != size:
        raise Fault("HEAP_FAULT_FOOTER", block, size, heap.prev_size(behind))
    looked_at = heap.memory.mask if is_top else heap.IN_USE | heap.PREV_IN_USE
    if heap.head(behind) & looked_at != heap.IN_USE:
        raise Fault("HEAP_FAULT_NEXT", behind, heap.IN_USE, heap.head(behind))
    if not is_top and block != heap.remainder and not linked(heap, block, size):
        raise Fault("HEAP_FAULT_LINK", block, *heap.links(block))


def examine_cached(heap: Heap, block: int) -> None:
    """A block in a quick list: its header, and that of the one behind it."""
    for quick in heap.quick:
        if heap.payload(block) in heap.cached(quick):
            if heap.head(block) & ~heap.PREV_IN_USE != quick.head:
                raise Fault("HEAP_FAULT_NOT_USED", block, quick.head, heap.head(block))
    behind = heap.after(block)
    if not heap.prev_in_use(behind):
        raise Fault("HEAP_FAULT_NEXT", behind, heap.PREV_IN_USE, heap.head(behind))


def check_block(heap: Heap, block: int, fence: int, after_free: bool) -> None:
    """One block in its place."""
    examine_block(heap, block)
    head, room, in_use = heap.head(block), fence - block, heap.in_use(block)
    if heap.size(block) > room:
        raise Fault("HEAP_FAULT_LENGTH", block, room, head)
    known = heap.IN_USE | heap.PREV_IN_USE | (heap.CACHED if in_use else 0)
    if head & heap.FLAGS & ~known:
        raise Fault("HEAP_FAULT_LENGTH", block, heap.IN_USE, head)
    if not after_free and not heap.prev_in_use(block):
        raise Fault("HEAP_FAULT_NEXT", block, heap.PREV_IN_USE, head)
    if not in_use:
        examine_free(heap, block)


def check_segment(heap: Heap, segment: Segment, census: Counter[str]) -> None:
    """All blocks of a segment; how many are to be found in lists goes into the census."""
    block, fence, after_free = heap.first_block(segment.address), heap.fence_of(segment), False
    while block < fence:
        check_block(heap, block, fence, after_free)
        after_free = not heap.in_use(block)
        census["blocks"] += 1
        census["binned"] += after_free and block not in (heap.top, heap.remainder)
        census["remainders"] += after_free and block == heap.remainder
        census["cached"] += bool(heap.head(block) & heap.CACHED)
        block = heap.after(block)
    if heap.head(fence) != heap.IN_USE | (0 if after_free else heap.PREV_IN_USE):
        raise Fault("HEAP_FAULT_NEXT", fence, heap.IN_USE, heap.head(fence))


def spans(heap: Heap, segment: Segment, low: int, high: int) -> bool:
    """Whether low and high are those of a segment and all older ones."""
    first, end = heap.first_block(segment.address) + heap.word, segment.end
    if low != min(segment.low, first) or high != max(segment.high, end):
        return False
    nowhere = heap.memory.mask
    if segment.older:
        return segment.low != nowhere
    return segment.low == nowhere and segment.high == 0


def check_segments(heap: Heap, census: Counter[str]) -> None:
    low, high, at = heap.low, heap.high, heap.segment
    for segment in heap.segments():
        if not segment or not spans(heap, segment, low, high):
            raise Fault("HEAP_FAULT_RANGE", at, heap.low, at)
        check_segment(heap, segment, census)
        census["segments"] += 1
        low, high, at = segment.low, segment.high, segment.older


def check_bin(heap: Heap, number: int, census: Counter[str]) -> None:
    """A bin and its bits in the two bitmaps, and each block in it."""
    payload, bits = heap.bins[number], 8 * heap.word
    word = heap.filled[number // bits]
    bit, summary = word >> number % bits & 1, heap.summary >> number // bits & 1
    if bit != (payload != 0) or summary != (word != 0):
        raise Fault("HEAP_FAULT_BIN", heap.header(payload), bit, int(payload != 0))
    while payload:
        block = heap.header(payload)
        examine_free(heap, block)
        belongs = heap.bin_for(heap.size(block))
        if census["binned"] == 0 or belongs != number:
            raise Fault("HEAP_FAULT_BIN", block, number, belongs)
        census["binned"] -= 1
        payload = heap.links(block)[0]


def check_quick(heap: Heap, number: int, census: Counter[str]) -> None:
    quick = heap.quick[number]
    for ptr in heap.cached(quick):
        block = heap.header(ptr)
        if not heap.in_range(ptr):
            raise Fault("HEAP_FAULT_RANGE", block, heap.low, ptr)
        examine_cached(heap, block)
        if census["cached"] == 0:
            raise Fault("HEAP_FAULT_BIN", block, 0, quick.size)
        census["cached"] -= 1


def check(heap: Heap) -> Counter[str]:
    """As heap_check(): raises the first fault found. Return: what there is, counted."""
    census: Counter[str] = Counter()
    check_segments(heap, census)
    listed = Counter(census)
    for number in range(len(heap.bins)):
        check_bin(heap, number, listed)
    for number in range(len(heap.quick)):
        check_quick(heap, number, listed)
    if heap.remainder_at and not listed["remainders"]:
        raise Fault("HEAP_FAULT_BIN", heap.remainder, 1, 0)
    if listed["binned"] or listed["cached"]:
        raise Fault("HEAP_FAULT_BIN", 0, listed["binned"], listed["cached"])
    return census
