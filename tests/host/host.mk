# SPDX-License-Identifier: MIT
#
# The kernel's own sources as programs of the host, at 32 and 64 bits, with the
# address and undefined-behaviour sanitizers. At 32 bits gcc -m32 makes them where
# it can, else the cross compiler, whose programs bring a loader and libraries of
# their own. (The old kind of path is searched for libraries of libraries too.)

HOST_PROGRAMS := heap_model heap_unit heap_corners memmap_test trace_test ten_lines

HOST_CFLAGS := -std=gnu11 -O1 -g -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -fsanitize=address,undefined -fno-sanitize-recover=all \
	-I. -Itests/host
SYSROOT32 := /usr/i686-linux-gnu
CROSS32 := i686-linux-gnu-gcc -Wl,-dynamic-linker=$(SYSROOT32)/lib/ld-linux.so.2 \
	-Wl,-rpath,$(SYSROOT32)/lib -Wl,--disable-new-dtags
HOST32 = $(shell echo 'int main(void){return 0;}' | $(HOSTCC) -m32 -fsanitize=address -x c \
	-o /dev/null - 2>/dev/null && echo $(HOSTCC) -m32 || echo $(CROSS32))

HOST_SRCS_heap_model := kernel/mm/heap.c tests/host/arena.c
HOST_SRCS_heap_unit := kernel/mm/heap.c tests/host/arena.c
HOST_SRCS_heap_corners := kernel/mm/heap.c tests/host/arena.c
HOST_SRCS_memmap_test := kernel/mm/memmap.c
HOST_SRCS_trace_test := kernel/monitor/trace.c
HOST_SRCS_ten_lines := kernel/mm/heap.c

HOST_TESTS := $(foreach bits,32 64,$(HOST_PROGRAMS:%=build/host/$(bits)/%))
HOST_HEADERS := $(wildcard tests/host/*.h kernel/mm/*.h kernel/monitor/*.h)

.SECONDEXPANSION:
build/host/64/%: tests/host/%.c $$(HOST_SRCS_$$*) $(HOST_HEADERS)
	@mkdir -p $(@D)
	@$(call say,HOST,$@)
	$(Q)$(HOSTCC) $(HOST_CFLAGS) -o $@ $(filter %.c,$^)

build/host/32/%: tests/host/%.c $$(HOST_SRCS_$$*) $(HOST_HEADERS)
	@mkdir -p $(@D)
	@$(call say,HOST,$@)
	$(Q)$(HOST32) $(HOST_CFLAGS) -o $@ $(filter %.c,$^)
