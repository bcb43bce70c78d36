# SPDX-License-Identifier: MIT
"""The floor of pages: from an address through the tables to a frame, and to whose it is.

	address   [ 31..22 directory entry | 21..12 table entry | 11..0 byte ]

`pages ADDRESS` goes the way that the processor goes, from the directory it is using (CR3), and
shows each entry on it. Tables are read through the direct map, as kernel/mm/paging.c does.

Where this stops: what the processor holds in its translation buffer is not to be seen.
"""

from typing import Iterator, NamedTuple

import gdb

from frame import Frames
from target import Command, Constants, Memory, address_of, variable

PAGING = Constants("paging_init")
ADDRESSES_END = 1 << 32
ENTRY_SIZE = 4  # the processor's, as is the number of entries in a page of them
FLAGS = {"PRESENT": "present", "WRITE": "writable", "USER": "user", "LARGE": "4 MiB"}


class Entry(NamedTuple):
    """One entry of a directory or a table."""

    number: int
    word: int

    def has(self, flag: str) -> bool:
        return bool(self.word & getattr(PAGING, f"ENTRY_{flag}"))

    @property
    def frame(self) -> int:
        return self.word >> PAGING.PAGE_SHIFT

    def __str__(self) -> str:
        words = [word for flag, word in FLAGS.items() if self.has(flag)]
        if not self.has("PRESENT"):
            return f"0x{self.word:08x}: not present"
        return f"0x{self.word:08x}: frame {self.frame}, {', '.join(words)}"


def direct(frame: int) -> int:
    """Where a frame lies in the direct map."""
    physical = frame << PAGING.PAGE_SHIFT
    if physical >= PAGING.DIRECT_SIZE:
        raise gdb.GdbError(f"frame {frame}: no page table, it lies beyond the direct map")
    return physical + PAGING.DIRECT_BASE


def kernel_directory() -> int:
    """The frame of the kernel's own page directory; 0 before there is one."""
    address = int(variable("kernel_space")["dir"])
    return address - PAGING.DIRECT_BASE >> PAGING.PAGE_SHIFT if address else 0


def process_directories() -> list[int]:
    """The frames of the page directories of all processes, as many as there can be."""
    frames: list[int] = []
    space = variable("spaces", "kernel/mm/paging.c")
    while int(space) and len(frames) < PAGING.KERNEL_STACKS:
        frames.append(int(space["dir"]) - PAGING.DIRECT_BASE >> PAGING.PAGE_SHIFT)
        space = space["next"]
    return frames


def current_directory() -> int:
    """The frame of the directory that the processor is using."""
    return int(gdb.parse_and_eval("(unsigned long)$cr3")) >> PAGING.PAGE_SHIFT


class Tables:
    """A page directory and what hangs on it."""

    def __init__(self, frame: int) -> None:
        self.frame = frame
        self.memory = Memory()

    def entries(self, table: int) -> list[Entry]:
        data = self.memory.read(direct(table), PAGING.TABLE_ENTRIES * ENTRY_SIZE)
        words = memoryview(data).cast("I")
        return [Entry(number, word) for number, word in enumerate(words)]

    def directory_entry(self, address: int) -> Entry:
        return self.entries(self.frame)[address >> PAGING.TABLE_SHIFT]

    def table_entry(self, table: int, address: int) -> Entry:
        index = address >> PAGING.PAGE_SHIFT & PAGING.TABLE_ENTRIES - 1
        return self.entries(table)[index]

    def used(self, first: int, behind: int) -> list[Entry]:
        """The entries of the directory that lead to tables with addresses in that span."""
        shift = PAGING.TABLE_SHIFT
        return [
            entry
            for entry in self.entries(self.frame)[first >> shift : (behind - 1 >> shift) + 1]
            if entry.has("PRESENT")
        ]

    def count(self, first: int, behind: int) -> int:
        """Pages mapped from one address up to, not including, another."""
        return sum(
            entry.word & PAGING.ENTRY_PRESENT
            for table in self.used(first, behind)
            for entry in self.entries(table.frame)
            if first
            <= (table.number << PAGING.TABLE_SHIFT) + (entry.number << PAGING.PAGE_SHIFT)
            < behind
        )

    def count_tables(self, behind: int) -> int:
        """The directory and its tables for addresses below that."""
        return 1 + len(self.used(0, behind))


def whose(frame: int) -> str:
    """The owner of a frame, in words."""
    try:
        frames = Frames()
    except gdb.GdbError as error:
        return str(error)
    if frame >= frames.total:
        return f"beyond the last frame that is counted, {frames.total - 1}"
    block = frames.block_of(frame)
    if not block:
        return "in no block that its state leads to"
    size = 1 << block.order
    part = f", in a block of {size} from frame {block.first} on" if size > 1 else ""
    return f"{frames.owner_name(block.owner)}{part}"


class PagesCommand(Command):
    """Translate an address, floor by floor: pages ADDRESS

    Shows the entry of the page directory, that of the page table, the frame and whose it is."""

    usage = "pages ADDRESS"

    def lines(self, argument: str) -> Iterator[str]:
        address = address_of(argument, self.usage)
        tables = Tables(current_directory())
        yield f"address 0x{address:08x}"
        note = "" if tables.frame == kernel_directory() else ", not kernel_space's"
        entry = tables.directory_entry(address)
        yield f"  directory  frame {tables.frame}{note}; entry {entry.number} is {entry}"
        shift = PAGING.TABLE_SHIFT
        if entry.has("PRESENT") and not entry.has("LARGE"):
            table, shift = entry.frame, PAGING.PAGE_SHIFT
            entry = tables.table_entry(table, address)
            yield f"  table      frame {table}; entry {entry.number} is {entry}"
        if not entry.has("PRESENT"):
            yield "  nothing is mapped there"
            return
        byte = address & (1 << shift) - 1
        physical = (entry.frame << PAGING.PAGE_SHIFT) + byte
        frame = physical >> PAGING.PAGE_SHIFT
        yield f"  byte       0x{byte:x}, at physical 0x{physical:08x}"
        yield f"  frame      {frame}: {whose(frame)}"
