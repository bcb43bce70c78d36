# SPDX-License-Identifier: MIT
"""Fencepost's commands for gdb: (gdb) source tools/gdb/fencepost.py

	fencepost.py   this: it makes the commands known
	printers.py    how structures are printed
	ledger.py      ledger
	views.py       heap, heap block, heap lists, heap check
	check.py       what is wrong with a heap
	heap.py        blocks, and the ways that lead to them
	paging.py      pages
	frame.py       frames
	serial.py      type
	target.py      symbols, constants, memory

As in the kernel, each file knows those below it. `make debug` starts a machine and a gdb that has
read this file; docs/gdb.md shows a session.
"""

import os
import sys

# What is built goes to build/, and Python's own would come to lie beside the sources.
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import frame  # noqa: E402
import ledger  # noqa: E402
import paging  # noqa: E402
import printers  # noqa: E402
import serial  # noqa: E402
import views  # noqa: E402

frame.FramesCommand()
paging.PagesCommand()
views.HeapCommand(prefix=True)
views.BlockCommand()
views.ListsCommand()
views.CheckCommand()
ledger.LedgerCommand()
serial.TypeCommand()
printers.register()
