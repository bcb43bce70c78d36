# SPDX-License-Identifier: MIT
# The recorded traces (README.md): unpacking those of the tree, and recording them anew.

TRACES := $(wildcard tests/traces/*.fpt.gz)

build/traces/%.fpt: tests/traces/%.fpt.gz
	@mkdir -p $(@D)
	@gzip -dc $< > $@.tmp && mv $@.tmp $@

RECORD_CFLAGS := -std=gnu11 -shared -fPIC -O2 -g -Wall -Wextra -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Werror

build/record.so: tests/traces/record.c
	@mkdir -p $(@D)
	$(HOSTCC) $(RECORD_CFLAGS) -o $@ $<

# $(call record,TRACE,PROGRAM,COMMAND): runs the command, and keeps what PROGRAM asked for in it.
# Some programs sort or hash by address; setarch -R gives them the same addresses in every run.
define record
	@mkdir -p build/recorded
	FENCEPOST_TRACE=build/recorded/$(1).fpt FENCEPOST_PROGRAM=$(2) \
		LD_PRELOAD=$(CURDIR)/build/record.so setarch -R $(3) > /dev/null
	tests/traces/dump.pl build/recorded/$(1).fpt
	gzip -9nc build/recorded/$(1).fpt > tests/traces/$(1).fpt.gz
endef

RECORDINGS := record-cppcheck record-gcc record-gdb record-perl record-sqlite

.PHONY: traces $(RECORDINGS)
traces: ## record the traces anew (needs perl, sqlite3, gcc, cppcheck, gdb)
traces: $(RECORDINGS)

$(RECORDINGS): build/record.so

record-cppcheck:
	$(call record,cppcheck,cppcheck,cppcheck -q --enable=all -Ilibk --output-file=/dev/null \
		libk/printf.c)

record-gcc:
	$(call record,gcc,cc1,gcc -m32 -ffreestanding -O2 -Ilibk -c -o /dev/null libk/printf.c)

record-gdb:
	$(call record,gdb,gdb,gdb -nx -batch -ex 'info functions' -ex 'info types' \
		-ex 'disassemble /s realloc' build/record.so)

# A long manual. Without a seed perl puts hashes in another order, and so the trace, in each run.
POD = $(shell perl -MPod::Man -e 'print $$INC{"Pod/Man.pm"}')
record-perl:
	$(call record,perl,perl,env PERL_HASH_SEED=0 perl -S pod2text $(POD))

record-sqlite:
	$(call record,sqlite,sqlite3,sqlite3 -batch -bail -init /dev/null :memory: \
		< tests/traces/library.sql)
