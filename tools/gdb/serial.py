# SPDX-License-Identifier: MIT
"""`type LINE`: what a person types on the serial line while gdb has the terminal.

tools/debug gives the machine a pipe for its serial input, and names it in the environment. What is
typed waits there until the machine goes on and the kernel's monitor reads it.

Where this stops: it does not wait for the answer, which comes when the machine goes on.
"""

import os

import gdb

PIPE = "FENCEPOST_SERIAL"


class TypeCommand(gdb.Command):
    """Type a line on the machine's serial line: type LINE

    The kernel's monitor reads it when the machine goes on, as by `continue`."""

    def __init__(self) -> None:
        super().__init__("type", gdb.COMMAND_RUNNING)

    def invoke(self, argument: str, _from_tty: bool) -> None:
        if PIPE not in os.environ:
            raise gdb.GdbError("there is no line to type on: `make debug` makes one")
        try:
            pipe = os.open(os.environ[PIPE], os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            raise gdb.GdbError(f"the machine is gone: {error.strerror}") from None
        try:
            os.write(pipe, argument.encode() + b"\n")
        except OSError as error:
            raise gdb.GdbError(f"the line is full: {error.strerror}") from None
        finally:
            os.close(pipe)
