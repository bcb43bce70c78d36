# SPDX-License-Identifier: MIT
#
# make deps run    everything on a fresh machine: install what is missing, boot
# make deps test   the same for the tests
# make help        all targets and variables

MAKEFLAGS += --no-builtin-rules
SHELL := /bin/sh

ifneq ($(filter deps,$(MAKECMDGOALS)),)

# Compilers are looked for while this file is read, so what `deps` installs is
# only found by a make that starts after it.
REST := $(filter-out deps,$(MAKECMDGOALS))
# What a goal needs, if that is not all of it.
NEEDS_run := run
NEEDS_run-user := run
NEEDS_all := run
NEEDS_debug := debug
NEEDS_gdb-session := debug
NEEDS_bench := run
NEEDS_heapmap := run
NEEDS_lab := run
NEEDS_pictures := run
NEEDS_bench-check := run
NEEDS_bench-baseline := run
NEEDS_bench-host := peers
NEEDS_book := book
NEEDS_book-renew := test
.NOTPARALLEL:
.PHONY: deps $(REST)
deps:
	@tools/deps $(sort $(foreach goal,$(or $(REST),test),$(or $(NEEDS_$(goal)),test)))
$(REST): deps
	@$(MAKE) --no-print-directory $@

else

MEM ?= 128
ACCEL ?= tcg
QEMU ?= qemu-system-i386
SEED ?=
ONLY ?=
HEAP ?=
HOSTCC ?= gcc
CLANG ?= clang
export MEM ACCEL QEMU QEMUFLAGS SEED ONLY CLANG

# Commands are named in a word and shown whole with V=1.
Q := $(if $(V),,@)
say = printf '  %-5s %s\n' $(1) $(2)

find = $(shell command -v $(1) 2>/dev/null)

# As in Linux, CROSS_COMPILE is what stands before "gcc". If it is empty, the
# host's compiler makes 32-bit code, and the cross binutils link it if there are any.
ifeq ($(origin CROSS_COMPILE),undefined)
CROSS_COMPILE := $(firstword $(patsubst %gcc,%,$(notdir \
	$(call find,i686-elf-gcc) $(call find,i686-linux-gnu-gcc))))
endif
ifneq ($(CROSS_COMPILE),)
BINUTILS := $(CROSS_COMPILE)
else
BINUTILS := $(if $(call find,i686-linux-gnu-ld),i686-linux-gnu-)
endif
ifeq ($(origin CC),default)
CC := $(CROSS_COMPILE)gcc
endif
LD := $(BINUTILS)ld
NM := $(BINUTILS)nm
export CC HOSTCC

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef \
	-Wvla -Wpointer-arith -Wcast-align
FREESTANDING := -m32 -march=i686 -ffreestanding -fno-pic -fno-pie -mgeneral-regs-only \
	-fno-stack-protector -fno-asynchronous-unwind-tables -fno-omit-frame-pointer
# No header of the host's: only ours, and those few that come with the compiler.
CPPFLAGS := -nostdinc -I. -Ilibk -isystem $(shell $(CC) -print-file-name=include 2>/dev/null)
CFLAGS := -std=gnu11 -O2 -g $(FREESTANDING) $(WARNINGS)
# The constants of these floors as well, for tools/gdb; the code is the same.
MM_CFLAGS := -g3
LDFLAGS := -m elf_i386 -nostdlib -static -z noexecstack --build-id=sha1 -T linker.ld

SRCS := $(wildcard boot/*.S boot/*.c kernel/*.c kernel/*/*.S kernel/*/*.c libk/*.c)
TEST_SRCS := $(filter-out kernel/monitor/run.c,$(SRCS)) $(wildcard tests/kernel/*.c tests/kernel/*.S)
# For the checks of the sources: clang gets the flags that gcc gets.
export KERNEL_CFLAGS := $(CFLAGS) $(CPPFLAGS)

OBJS := $(addprefix build/,$(addsuffix .o,$(basename $(SRCS))))
TEST_OBJS := $(addprefix build/,$(addsuffix .o,$(basename $(TEST_SRCS))))

.PHONY: all
all: build/fencepost.elf build/fencepost.iso ## the kernel, and a CD image of it (default)

.PHONY: run
run: build/fencepost.iso build/demo.iso ## boot in QEMU: the monitor, or a demonstration without a terminal
	@tools/run $^

.PHONY: run-user
run-user: build/fencepost.elf ## boot and run a program: PROGRAM=path/to/elf ARGS="..."
	@set -f; tools/run-user $< "$${PROGRAM-}" $${ARGS-}

include tests/traces/traces.mk
include tests/broken/broken.mk
include tests/host/host.mk
include tests/preload/preload.mk
include tests/boot/foreign/foreign.mk
include tests/coverage/coverage.mk
include user/user.mk

FPT := $(patsubst tests/traces/%.gz,build/traces/%,$(TRACES))

.PHONY: debug gdb-session
debug: build/fencepost.elf $(FPT) ## a machine that waits, and a gdb with the project's commands
	@tools/debug $^

gdb-session: build/fencepost.elf $(FPT) ## hold the session in docs/gdb.md anew, and put its output there
	tests/boot/gdb_session.pl write

include tests/bench/bench.mk
include tests/pictures/pictures.mk
include tests/peers/peers.mk

.PHONY: book book-renew
book: ## the book as a site, in build/book
	@$(call say,BOOK,build/book)
	$(Q)tools/book

book-renew: build/fencepost.iso $(FPT) ## hold the book's sessions anew, and put what they say there
	tests/book/renew.pl

IMAGES := build/fencepost.elf build/fencepost.iso build/demo.iso build/test.elf build/test.iso build/bench.elf \
	build/uefi.iso $(BROKEN_ELFS) $(COVERAGE_ELFS) $(FPT)

.PHONY: test
ifneq ($(HEAP),)
test: $(FPT)
	@tests/score/score.pl $(HEAP)
else
test: $(IMAGES) $(HOST_TESTS) $(FOREIGN) $(PRELOAD) $(PEERS_FILES) $(USER_FILES) ## everything a change needs, through prove
	prove -j2 $(PROVEFLAGS) $(wildcard tests/*/*.t) $(HOST_TESTS)
endif

.PHONY: images
images: $(IMAGES) ## all that the tests boot

.PHONY: clean
clean: ## remove build/
	rm -rf build

.PHONY: help
help: ## this list
	@echo 'Targets:'
	@echo '  deps           install what is missing; before other targets, just what they need'
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | sort | \
		while IFS='	' read -r target what; do printf '  %-14s %s\n' "$$target" "$$what"; done
	@echo 'Variables:'
	@echo '  CROSS_COMPILE  what stands before gcc, e.g. i686-elf-; empty for gcc -m32'
	@echo '  HOSTCC         compiler for what runs on the host (gcc)'
	@echo '  CLANG          clang, for the check that the tree compiles with it (clang)'
	@echo '  MEM            RAM in MiB for make run and run-user (128)'
	@echo '  PROGRAM, ARGS  for make run-user: a static program for i386 Linux, and its arguments'
	@echo '  QEMU           the emulator (qemu-system-i386)'
	@echo '  ACCEL          its accelerator (tcg; kvm may be there and not work)'
	@echo '  QEMUFLAGS      more for its command line in make run and debug, e.g. "-display curses"'
	@echo '  TRACE          for make heapmap: a trace in tests/traces, without its suffix'
	@echo '  SEED           order of the tests in the kernel, as printed at their end'
	@echo '  ONLY           run the tests in the kernel whose names contain this'
	@echo '  HEAP           for make test: the file of a heap of your own, to have it judged'
	@echo '  PROVEFLAGS     for prove, e.g. -v'
	@echo '  PEERS          more allocators for make bench-host: paths of shared libraries'
	@echo '  ROUNDS         how often make bench-host times each of them (7)'
	@echo '  V              1 shows commands whole'

# What is built depends on these too, so they are kept in files that change with them.
TEST_WORDS := $(strip $(if $(SEED),seed=$(SEED)) $(if $(ONLY),only=$(ONLY)))
keep = $(shell mkdir -p build; echo '$(2)' | cmp -s - $(1) || echo '$(2)' > $(1))
$(call keep,build/flags,$(CC) $(CFLAGS) $(MM_CFLAGS) $(CPPFLAGS) $(LD) $(LDFLAGS))
$(call keep,build/flags-user,$(CC) $(USER_CFLAGS) $(USER_CPPFLAGS) $(LD) $(USER_LDFLAGS))
$(call keep,build/words,$(TEST_WORDS))

build/kernel/mm/%.o: CFLAGS += $(MM_CFLAGS)

# Most ways of the heap call nothing that they come back from, and have a register more for it. Who
# reports a violation comes last, so a backtrace leads from there to who called the heap.
build/kernel/mm/heap.o: CFLAGS += -momit-leaf-frame-pointer

build/%.o: %.c build/flags
	@mkdir -p $(@D)
	@$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS) $(CPPFLAGS) -MMD -MP -c -o $@ $<

build/%.o: %.S build/flags
	@mkdir -p $(@D)
	@$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS) $(CPPFLAGS) -MMD -MP -c -o $@ $<

# $(call link_kernel,IMAGE,OBJECTS,FLAGS): links, takes the names of all functions
# from what came out, and links again with the table of names behind the text.
define link_kernel
	@mkdir -p $(dir $(1))
	@$(call say,LD,$(1))
	$(Q)tools/ksyms < /dev/null > $(1).S
	$(Q)$(CC) $(FREESTANDING) -c -o $(1).o $(1).S
	$(Q)$(LD) $(LDFLAGS) $(3) -o $(1).tmp $(2) $(1).o
	$(Q)$(NM) -n $(1).tmp | tools/ksyms > $(1).S
	$(Q)$(CC) $(FREESTANDING) -c -o $(1).o $(1).S
	$(Q)$(LD) $(LDFLAGS) $(3) -o $(1).tmp $(2) $(1).o
	@mv $(1).tmp $(1)
endef

build/fencepost.elf: $(OBJS) linker.ld tools/ksyms
	$(call link_kernel,$@,$(OBJS))

build/tests/kernel/user_files.o: $(addprefix build/user/,hello churn sums brk malloc memory exhaust fault hostile)

build/test.elf: $(TEST_OBJS) linker.ld tools/ksyms
	$(call link_kernel,$@,$(TEST_OBJS))

build/fencepost.iso: build/fencepost.elf $(FPT) $(USER_PROGRAMS) tools/mkiso boot/grub.cfg
	@$(call say,ISO,$@)
	$(Q)tools/mkiso bios $@ $< "" $(FPT) $(USER_PROGRAMS)

build/demo.iso: build/fencepost.elf $(FPT) tools/mkiso boot/grub.cfg
	@$(call say,ISO,$@)
	$(Q)tools/mkiso bios $@ $< demo $(FPT)

build/test.iso: build/test.elf $(FPT) tools/mkiso boot/grub.cfg build/words
	@$(call say,ISO,$@)
	$(Q)tools/mkiso bios $@ $< "$(TEST_WORDS)" $(FPT)

build/uefi.iso: build/test.elf $(FPT) tools/mkiso boot/grub.cfg build/words
	@$(call say,ISO,$@)
	$(Q)tools/mkiso uefi $@ $< "$(TEST_WORDS)" $(FPT)

-include $(shell find build -name '*.d' 2>/dev/null)

.DELETE_ON_ERROR:

endif
