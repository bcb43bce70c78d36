# SPDX-License-Identifier: MIT
"""The floor of page frames: who has them, and the free ones by the buddy lists.

`frames` counts in three ways, as kernel/mm/frame.c has them: its counters, the state of every
frame, and the lists of free blocks. Any other floor may ask whose a frame is.

Where this stops: contents of frames are not looked at; kernel/mm/frame.h never does either.
"""

from collections import Counter
from typing import Iterator, NamedTuple

import gdb

from target import Command, Constants, Memory, enumerators, strings, variable

FILE = "kernel/mm/frame.c"
FRAME = Constants("frame_init")


class Block(NamedTuple):
    """A block of 2^order frames side by side."""

    first: int
    order: int
    state: int
    owner: int


class Frames:
    """The frame allocator's state at this moment."""

    def __init__(self) -> None:
        self.total = int(variable("total", FILE))
        table = variable("frames", FILE)
        if self.total == 0 or int(table) == 0:
            raise gdb.GdbError("the frame allocator is not set up yet")
        self.address = int(table)
        self.entry = table.type.target()
        self.bits: dict[str, tuple[int, int]] = {
            field.name: (field.bitpos, field.bitsize) for field in self.entry.fields() if field.name
        }
        self.states = enumerators("state")
        self.free_owner = enumerators("frame_owner")["FRAME_FREE"]
        self.order_mask = FRAME.ORDER_MASK
        self.max_order = FRAME.FRAME_MAX_ORDER
        self.owner_names = strings("owner_names", FILE)
        self.counts = [int(n) for n in array(variable("counts", FILE))]
        self.zones = [
            (int(zone["limit"]), [int(first) for first in array(zone["lists"])])
            for zone in array(variable("zones", FILE))
        ]
        self.memory = Memory()

    def words(self, frame: int) -> tuple[int, int]:
        """The two words of a frame's state: next and tag, prev or owner."""
        data = self.memory.read(self.address + frame * self.entry.sizeof, self.entry.sizeof)
        return int.from_bytes(data[:4], "little"), int.from_bytes(data[4:], "little")

    def field(self, frame: int, name: str) -> int:
        """Bits of the first word."""
        shift, bits = self.bits[name]
        return self.words(frame)[0] >> shift & ((1 << bits) - 1)

    def block(self, first: int) -> Block:
        """What the state of a block's first frame says."""
        tag, owner = self.field(first, "tag"), self.words(first)[1]
        if tag & ~self.order_mask == self.states["FREE"]:
            owner = self.free_owner
        return Block(first, tag & self.order_mask, tag & ~self.order_mask, owner)

    def block_of(self, frame: int) -> Block | None:
        """The block that a frame lies in; None if no state leads to one."""
        for order in range(self.max_order + 1):
            first = frame & ~((1 << order) - 1)
            if self.field(first, "tag") != self.states["INSIDE"]:
                return self.block(first)
        return None

    def owner_name(self, owner: int) -> str:
        known = owner < len(self.owner_names)
        return self.owner_names[owner] if known else f"an owner that there is not, {owner}"

    def count_by_state(self) -> Counter[int]:
        """Frames by owner, stepping from block to block."""
        n: Counter[int] = Counter()
        at = 0
        while at < self.total:
            block = self.block(at)
            n[block.owner] += 1 << block.order
            at += 1 << block.order
        return n

    def list_of(self, zone: int, order: int) -> Iterator[int]:
        """The free blocks of a list, each looked at before it is believed."""
        limit, lists = self.zones[zone]
        lowest = self.zones[zone - 1][0] if zone > 0 else 0
        wanted = self.states["FREE"] | order
        before, at, left = 0, lists[order], self.total
        while at:
            where = f"the list of order {order} below frame 0x{limit:x} leads to frame {at}"
            if at >= self.total:
                raise gdb.GdbError(f"{where}, beyond the last")
            if not lowest <= at < limit:
                raise gdb.GdbError(f"{where}, of another zone")
            if self.field(at, "tag") != wanted:
                raise gdb.GdbError(f"{where}, which begins no free block of this order")
            if self.words(at)[1] != before or left == 0:
                raise gdb.GdbError(f"{where}, which does not point back")
            yield at
            before, at, left = at, self.field(at, "next"), left - 1

    def count_by_lists(self) -> int:
        return sum(
            1 << order
            for zone in range(len(self.zones))
            for order in range(self.max_order + 1)
            for _ in self.list_of(zone, order)
        )


def array(value: gdb.Value) -> list[gdb.Value]:
    low, high = value.type.range()
    return [value[i] for i in range(low, high + 1)]


def owners(frames: Frames) -> Iterator[str]:
    by_state = frames.count_by_state()
    yield f"  {'owner':13} {'counter':>8}  {'states':>8}"
    for owner, name in enumerate(frames.owner_names):
        count, seen = frames.counts[owner], by_state.pop(owner, 0)
        if count or seen:
            kib = f"{seen * 4:8} KiB"
            yield f"  {name:13} {count:8}  {seen:8}  {kib}{'' if count == seen else '  disagree'}"
    for owner, seen in by_state.items():
        yield f"  {frames.owner_name(owner)}: {seen} frames"


def free_blocks(frames: Frames) -> Iterator[str]:
    orders = range(frames.max_order + 1)
    yield "  order          " + "".join(f"{order:6}" for order in orders)
    for zone, (limit, _) in enumerate(frames.zones):
        blocks = [sum(1 for _ in frames.list_of(zone, order)) for order in orders]
        yield f"  below {limit >> 8:5} MiB" + "".join(f"{n:6}" for n in blocks)


class FramesCommand(Command):
    """Show who has the page frames, and the free blocks of each order.

    The counters and the states of all frames are two sources for the same figures."""

    usage = "frames"

    def lines(self, argument: str) -> Iterator[str]:
        frames = Frames()
        where = f"their states from 0x{frames.address:08x} on"
        yield f"frames of 4 KiB: {frames.total}, {where}"
        yield from owners(frames)
        yield "free blocks of 2^order frames"
        yield from free_blocks(frames)
        yield f"  {frames.count_by_lists()} frames are in these lists"
