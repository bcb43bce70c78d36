# SPDX-License-Identifier: MIT
"""The ground that the floors stand on: the kernel's symbols, constants and memory, as gdb has them.

Nothing here calls a function of the kernel, and nothing writes. What is read is what lies in the
machine's memory at the instruction where it stopped, so it may be half-done, or damaged: a floor
looks at a number before it follows it, and what cannot be read is an error in words.

Constants are macros of the kernel's sources. They come from its debug information (-g3 records
them), so that there is one place where each of them is written.

Where this stops: there is one processor, and its memory is seen through the page tables that it
is using. Before these are the kernel's own there is no kernel to look at, and we say so.
"""

import re
from typing import Iterable, Iterator

import gdb

PAGE = 4096  # what is read at a time; no constant of the kernel's


class Unreadable(gdb.GdbError):
    """An address that nothing is mapped at."""

    def __init__(self, address: int) -> None:
        super().__init__(f"0x{address:08x} cannot be read: nothing is mapped there")
        self.address = address


class Memory:
    """The stopped machine's memory. Each page is read once, when it is first asked for."""

    def __init__(self) -> None:
        self.pages: dict[int, bytes] = {}
        self.word_size: int = gdb.lookup_type("size_t").sizeof
        self.mask: int = (1 << 8 * self.word_size) - 1

    def page(self, number: int) -> bytes:
        if number not in self.pages:
            try:
                view = gdb.selected_inferior().read_memory(number * PAGE, PAGE)
            except gdb.MemoryError:
                raise Unreadable(number * PAGE) from None
            self.pages[number] = bytes(view)
        return self.pages[number]

    def read(self, address: int, size: int) -> bytes:
        """The bytes at an address, which may lie in several pages."""
        first, last = address // PAGE, (address + size - 1) // PAGE
        if last * PAGE > self.mask:
            raise Unreadable(last * PAGE & self.mask)
        try:
            data = b"".join(self.page(number) for number in range(first, last + 1))
        except Unreadable as unreadable:
            raise Unreadable(max(address, unreadable.address)) from None
        return data[address % PAGE : address % PAGE + size]

    def word(self, address: int) -> int:
        return int.from_bytes(self.read(address & self.mask, self.word_size), "little")


class Constants:
    """The macros that a function of the kernel sees: Constants("heap_malloc").IN_USE is IN_USE."""

    def __init__(self, function: str) -> None:
        self._function = function
        self._build = ""
        self._texts: dict[str, str] = {}
        self._values: dict[str, int] = {}

    def __getattr__(self, name: str) -> int:
        if name.startswith("__"):
            raise AttributeError(name)
        if self._build != build_id():  # another image since they were looked up
            self._build = build_id()
            self._texts = self._definitions()
            self._values = {}
        if name not in self._values:
            self._values[name] = int(gdb.parse_and_eval(self._expand(name)))
        return self._values[name]

    def _definitions(self) -> dict[str, str]:
        """All macros without parameters; gdb tells of them in lines like those of the source."""
        told = gdb.execute(f"info macros {self._function}", to_string=True)
        return dict(re.findall(r"^#define (\w+) (.*)$", told, re.MULTILINE))

    def _expand(self, name: str) -> str:
        if name not in self._texts:
            raise gdb.GdbError(
                f"{name}: not in the debug information near {self._function}(); "
                "macros are if the kernel is compiled with -g3"
            )

        def replace(match: re.Match[str]) -> str:
            return f"({self._expand(match[0])})" if match[0] in self._texts else match[0]

        return re.sub(r"\b[A-Za-z_]\w*\b", replace, self._texts[name])


def build_id() -> str:
    """The build that gdb has the symbols of; "" without one."""
    name = gdb.current_progspace().filename
    return (gdb.lookup_objfile(name).build_id or "") if name else ""


def enumerators(tag: str) -> dict[str, int]:
    """The names and numbers of an enumeration."""
    return {field.name: field.enumval for field in gdb.lookup_type(f"enum {tag}").fields()}


def offsets(tag: str) -> dict[str, int]:
    """The fields of a structure, and how many bytes behind its start they lie."""
    return {field.name: field.bitpos // 8 for field in gdb.lookup_type(f"struct {tag}").fields()}


def variable(name: str, file: str = "") -> gdb.Value:
    """A variable of the kernel's; with a file, a static one of that."""
    value = gdb.parse_and_eval(f"'{file}'::{name}" if file else name)
    value.fetch_lazy()
    return value


def strings(name: str, file: str = "") -> list[str]:
    """A table of names in words, as the kernel prints them."""
    table = variable(name, file)
    low, high = table.type.range()
    return [table[i].string() if int(table[i]) else "" for i in range(low, high + 1)]


def require_kernel() -> None:
    """There is a machine, it stands still, and it holds the kernel that we have symbols of."""
    if not build_id():
        raise gdb.GdbError("no kernel: gdb has no symbols; `file build/fencepost.elf` reads them")
    if gdb.selected_inferior().pid == 0:
        raise gdb.GdbError("no machine: gdb is not connected to one; `target remote` does that")
    thread = gdb.selected_thread()
    if thread is None or thread.is_running():
        raise gdb.GdbError("the machine is running: Ctrl-C or `interrupt` stops it")
    note = int(gdb.parse_and_eval("&__build_id"))
    try:
        found = bytes(gdb.selected_inferior().read_memory(note + 16, len(build_id()) // 2)).hex()
    except gdb.MemoryError:
        found = ""
    if found != build_id():
        raise gdb.GdbError(
            "the machine does not hold this kernel: "
            "it has not come so far yet, or runs another build"
        )


def address_of(text: str, usage: str) -> int:
    """The address that a person has typed, as any expression."""
    if not text:
        raise gdb.GdbError(f"usage: {usage}")
    try:
        value = gdb.parse_and_eval(text)
        kind = value.type.strip_typedefs().code
        if kind not in (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_PTR):
            raise gdb.GdbError(f"{text}: not an address, but of type {value.type}")
        number = int(value)
    except gdb.error as error:
        raise gdb.GdbError(f"{text}: not an address: {error}") from None
    if not 0 <= number <= Memory().mask:
        raise gdb.GdbError(f"{text}: not an address: beyond the last one, 0x{Memory().mask:x}")
    return number


class Command(gdb.Command):
    """A command that shows lines. What goes wrong is told in words, as by gdb's own commands."""

    usage = ""

    def __init__(self, prefix: bool = False) -> None:
        name = self.usage.split(" ADDRESS")[0]
        super().__init__(name, gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION, prefix)

    def lines(self, argument: str) -> Iterable[str]:
        raise NotImplementedError

    def invoke(self, argument: str, _from_tty: bool) -> None:
        argument = argument.strip()
        try:
            if argument and "ADDRESS" not in self.usage:
                raise gdb.GdbError(f"{argument}: not understood; usage: {self.usage}")
            require_kernel()
            for line in self.lines(argument):
                gdb.write(line.rstrip() + "\n")
        except gdb.error as error:
            raise gdb.GdbError(str(error)) from None


def cut(items: Iterable[str], most: int) -> Iterator[str]:
    """At most so many of them, and how many more there are."""
    listed = list(items)
    yield from listed[:most]
    if len(listed) > most:
        yield f"and {len(listed) - most} more"
