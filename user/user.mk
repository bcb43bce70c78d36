# SPDX-License-Identifier: MIT
#
# Programs in ring 3, and the C library they are linked with:
#
#	build/user/NAME		from user/programs/NAME.c or tests/user/NAME.c
#	build/user/libc.a	from user/, libk/ and the heap of the kernel
#	build/user/glibc/NAME	the same source with the host's C library, to compare
#
# Static and linked at a fixed address, each is an ordinary program of Linux on
# i386 too.

USER_CFLAGS := $(filter-out -mgeneral-regs-only,$(CFLAGS))
USER_CPPFLAGS := -Iuser $(CPPFLAGS)
# A program's main() has no prototype anywhere.
USER_PROGRAM_CFLAGS := -Wno-missing-prototypes
# Text at the usual place, data behind it on pages of its own.
USER_LDFLAGS := -m elf_i386 -nostdlib -static --strip-debug -z noexecstack -z norelro \
	-z noseparate-code -z max-page-size=4096 -Ttext-segment=0x08048000

# For the checks of the sources.
export USER_CFLAGS_ALL := $(USER_CFLAGS) $(USER_CPPFLAGS)

USER_LIBRARY := $(patsubst %,build/user/%.o,$(basename \
	$(filter-out user/start.S libk/stdlib.c,$(wildcard user/*.c user/*.S libk/*.c)) kernel/mm/heap.c))
USER_PROGRAMS := $(patsubst user/programs/%.c,build/user/%,$(wildcard user/programs/*.c))
USER_TESTS := $(patsubst tests/user/%.c,build/user/%,$(wildcard tests/user/*.c))

build/user/user/programs/%.o build/user/tests/user/%.o: USER_CFLAGS += $(USER_PROGRAM_CFLAGS)

# As for the kernel's heap: 3 instructions less for each malloc() and free().
build/user/kernel/mm/heap.o: USER_CFLAGS += -momit-leaf-frame-pointer

build/user/%.o: %.c build/flags-user
	@mkdir -p $(@D)
	@$(call say,CC,$@)
	$(Q)$(CC) $(USER_CFLAGS) $(USER_CPPFLAGS) -MMD -MP -c -o $@ $<

build/user/%.o: %.S build/flags-user
	@mkdir -p $(@D)
	@$(call say,CC,$@)
	$(Q)$(CC) $(USER_CFLAGS) $(USER_CPPFLAGS) -MMD -MP -c -o $@ $<

build/user/libc.a: $(USER_LIBRARY)
	@$(call say,AR,$@)
	$(Q)rm -f $@
	$(Q)$(BINUTILS)ar rcs $@ $^

$(USER_PROGRAMS): build/user/%: build/user/user/start.o build/user/user/programs/%.o build/user/libc.a
	@$(call say,LD,$@)
	$(Q)$(LD) $(USER_LDFLAGS) -o $@ $^

$(USER_TESTS): build/user/%: build/user/user/start.o build/user/tests/user/%.o build/user/libc.a
	@$(call say,LD,$@)
	$(Q)$(LD) $(USER_LDFLAGS) -o $@ $^

build/user/hostile: build/user/tests/user/raw_call.o

# What runs with both must come out the same.
USER_GLIBC := $(addprefix build/user/glibc/,brk churn ends exhaust malloc memory sums text)
USER_GLIBC_CFLAGS := -std=gnu11 -O2 -D_GNU_SOURCE -fno-builtin -Wall -Wextra -Werror -Wshadow -I.

build/user/glibc/%: tests/user/%.c tests/user/check.h
	@mkdir -p $(@D)
	@$(call say,HOST,$@)
	$(Q)$(HOST32) $(USER_GLIBC_CFLAGS) -o $@ $<

build/user/glibc/%: user/programs/%.c
	@mkdir -p $(@D)
	@$(call say,HOST,$@)
	$(Q)$(HOST32) $(USER_GLIBC_CFLAGS) -o $@ $<

USER_FILES := $(USER_PROGRAMS) $(USER_TESTS) $(USER_GLIBC)

.PHONY: user
user: $(USER_PROGRAMS) $(USER_TESTS) ## the programs for ring 3
