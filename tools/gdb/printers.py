# SPDX-License-Identifier: MIT
"""How gdb prints the kernel's structures: flags by their names, lists without their empty places.

`print kernel_heap`, `print *block`, and wherever else such a value is shown; `print/r` shows it
as it is. A printer shows what stands in the words of a value, and looks at nothing beside them but
the header before a block.

Where this stops: of a free block it shows the links even where it is kept in no bin and they mean
nothing, as those of the top; `heap block` tells.
"""

from typing import Iterator, Protocol

import gdb
import gdb.printing

from frame import FILE, FRAME, array
from heap import HEAP
from target import Memory, enumerators, strings
from views import head_in_words

Children = Iterator[tuple[str, gdb.Value]]


class Printer(Protocol):
    """What gdb asks of one: a few words, and what is in the value."""

    def __init__(self, value: gdb.Value) -> None:
        ...

    def to_string(self) -> str:
        ...

    def children(self) -> Children:
        ...


class BlockPrinter:
    """struct heap_block: length and flags, which stand before it, and the links of a free one."""

    def __init__(self, value: gdb.Value) -> None:
        if value.address is None:
            raise gdb.GdbError("a block that lies nowhere")
        self.value = value
        self.head = Memory().word(int(value.address) - HEAP.HEAP_WORD)

    def to_string(self) -> str:
        return head_in_words(self.head)

    def children(self) -> Children:
        if not self.head & HEAP.IN_USE:
            yield "next", self.value["next"]
            yield "prev", self.value["prev"]


class QuickPrinter:
    """struct heap_quick: its length, and the payloads in it, as many as there is room for."""

    def __init__(self, value: gdb.Value) -> None:
        self.value = value
        first, (_, most) = int(value["block"][1].address), value["block"].type.range()
        self.waiting = min(max(0, int(value["next"]) - first) // HEAP.HEAP_WORD, most)

    def to_string(self) -> str:
        return f"length {int(self.value['size'])}, {self.waiting} waiting"

    def children(self) -> Children:
        for i in range(1, self.waiting + 1):
            yield f"block[{i}]", self.value["block"][i]


class HeapPrinter:
    """struct heap: its fields, and of its lists those that are not empty."""

    def __init__(self, value: gdb.Value) -> None:
        self.value = value
        self.quick = [QuickPrinter(quick).waiting > 0 for quick in array(value["quick"])]
        self.bins = [int(first) != 0 for first in array(value["bins"])]

    def to_string(self) -> str:
        return f"heap of {int(self.value['given'])} bytes"

    def children(self) -> Children:
        for field in self.value.type.fields():
            member = self.value[field.name]
            if field.name in ("quick", "bins"):
                for i, shown in enumerate(getattr(self, field.name)):
                    if shown:
                        yield f"{field.name}[{i}]", member[i]
            elif str(field.type) == "uintptr_t":
                yield field.name, member.cast(gdb.lookup_type("void").pointer())
            else:
                yield field.name, member


class FramePrinter:
    """struct frame: its state by name, its order, and the links or the owner."""

    def __init__(self, value: gdb.Value) -> None:
        self.value = value
        tag = int(value["tag"])
        self.order = tag & FRAME.ORDER_MASK
        names = {number: name for name, number in enumerators("state").items()}
        self.state = names.get(tag & ~FRAME.ORDER_MASK, f"state 0x{tag:02x}")
        self.owners = strings("owner_names", FILE)

    def to_string(self) -> str:
        return f"{self.state}, order {self.order}"

    def children(self) -> Children:
        if self.state == "FREE":
            yield "next", self.value["next"]
            yield "prev", self.value["prev"]
        elif self.state != "INSIDE":
            owner = int(self.value["owner"])
            yield "owner", gdb.Value(self.owners[owner] if owner < len(self.owners) else owner)


PRINTERS: dict[str, type[Printer]] = {
    "heap": HeapPrinter,
    "heap_block": BlockPrinter,
    "heap_quick": QuickPrinter,
    "frame": FramePrinter,
}


def fencepost(value: gdb.Value) -> Printer | None:
    """The printer for a value, if it is of ours and can be read; else gdb prints it by itself."""
    kind = value.type.strip_typedefs()
    if kind.code != gdb.TYPE_CODE_STRUCT or kind.tag not in PRINTERS:
        return None
    try:
        value.fetch_lazy()
        return PRINTERS[kind.tag](value)
    except (gdb.error, gdb.GdbError):
        return None


def register() -> None:
    """Make it known to gdb, in place of that of an earlier time."""
    gdb.printing.register_pretty_printer(None, fencepost, replace=True)
