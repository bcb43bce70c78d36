# SPDX-License-Identifier: MIT
"""The ledger: where all memory is, each figure counted in two ways, and which two disagree.

As kernel/mm/ledger.c: the same figures, the same comparisons in the same order, the same words.
What that counts by calling the floors is counted here by looking at what they have in memory.

Where this stops: in the middle of a call the counters and the lists may rightly disagree.
"""

from typing import Iterator

from frame import Frames
from heap import Figures, count_bins, count_cached, kernel_heap
from paging import ADDRESSES_END, PAGING, Tables, kernel_directory, process_directories
from target import Command, enumerators, variable
from views import under_way


class Ledger:
    """One reading; the fields are those of struct ledger."""

    def __init__(self) -> None:
        frames, heap, tables = Frames(), kernel_heap(), Tables(kernel_directory())
        brk = variable("kernel_brk")
        by_state = frames.count_by_state()
        self.names = frames.owner_names
        self.frames, self.counted = frames.total, frames.counts
        self.by_state = [by_state[owner] for owner in range(len(self.names))]
        self.by_lists = frames.count_by_lists()
        processes, user_end = [Tables(frame) for frame in process_directories()], PAGING.DIRECT_BASE
        self.tables = tables.count_tables(ADDRESSES_END)
        self.tables += sum(process.count_tables(user_end) for process in processes)
        self.user = sum(process.count(0, user_end) for process in processes)
        self.stacks = tables.count(PAGING.KERNEL_STACKS_BASE, PAGING.KERNEL_STACKS_END)
        self.mapped = tables.count(PAGING.HEAP_BASE, PAGING.HEAP_LIMIT)
        self.break_bytes = int(brk["end"]) - int(brk["base"])
        self.heap = Figures(heap)
        self.binned, self.cached = count_bins(heap), count_cached(heap)
        self.granted = int(variable("stats", "kernel/mm/kmalloc.c")["granted"])

    def disagreement(self) -> str:
        """Which two figures disagree, in words; "" if none do."""
        heap, owner = self.heap, enumerators("frame_owner")
        page = 1 << PAGING.PAGE_SHIFT
        comparisons = [
            (
                self.counted,
                self.by_state,
                "frames by owner: the counters and the frames' states",
            ),
            (
                sum(self.by_state),
                self.frames,
                "all frames and the sum of all owners",
            ),
            (
                self.by_lists,
                self.counted[owner["FRAME_FREE"]],
                "free frames: the counter and the buddy lists",
            ),
            (
                self.tables,
                self.counted[owner["FRAME_TABLES"]],
                "page tables: the counter and the page directories",
            ),
            (
                self.user,
                self.counted[owner["FRAME_USER"]],
                "frames of processes: the counter and their page tables",
            ),
            (
                self.stacks,
                self.counted[owner["FRAME_STACK"]],
                "frames of kernel stacks: the counter and the page tables",
            ),
            (
                self.mapped,
                self.counted[owner["FRAME_HEAP"]],
                "heap frames: the counter and the page tables",
            ),
            (
                self.mapped * page,
                -(-self.break_bytes // page) * page,
                "the break and the pages mapped below it",
            ),
            (
                heap.total,
                self.break_bytes,
                "the break and the heap's blocks",
            ),
            (
                heap.total,
                heap.granted
                + heap.headers
                + heap.cached
                + heap.binned
                + heap.top
                + heap.bookkeeping,
                "the heap's blocks and their sum by kind",
            ),
            (heap.binned, self.binned, "free blocks: the walk and the bins"),
            (heap.cached, self.cached, "cached blocks: the walk and the quick lists"),
            (heap.granted, self.granted, "bytes in use: the walk and the counter of kmalloc"),
        ]
        return next((words for one, other, words in comparisons if one != other), "")


class LedgerCommand(Command):
    """Show where all memory is, and whether all counts agree, as the kernel's ledger."""

    usage = "ledger"

    def lines(self, argument: str) -> Iterator[str]:
        ledger = Ledger()
        heap, disagreement = ledger.heap, ledger.disagreement()
        yield from under_way()
        yield f"frames of 4 KiB: {ledger.frames}"
        for name, count in zip(ledger.names, ledger.counted):
            if count:
                yield f"  {name:13} {count:8}  {count * 4:8} KiB"
        yield f"break: {ledger.break_bytes} bytes above its base, {ledger.mapped} pages mapped"
        yield (
            f"heap: {heap.granted} granted in {heap.granted_blocks} blocks, "
            f"{heap.headers} headers, {heap.cached} cached, {heap.binned} binned, "
            f"{heap.top} top, {heap.bookkeeping} bookkeeping"
        )
        if heap.torn:
            yield f"heap: that is not all: {heap.torn}"
        yield f"ledger: {disagreement} disagree" if disagreement else "ledger: all counts agree"
