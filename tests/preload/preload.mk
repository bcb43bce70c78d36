# SPDX-License-Identifier: MIT
# The heap as a shared library that is a program's malloc, and a program that tries it,
# for 64 and for 32 bits.

PRELOAD_CFLAGS := -std=gnu11 -O2 -g -fPIC -shared -fvisibility=hidden -fno-builtin-malloc \
	-Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -I. -pthread
PRELOAD_SRCS := tests/preload/malloc.c kernel/mm/heap.c

build/preload/64/malloc.so: $(PRELOAD_SRCS) kernel/mm/heap.h
	@mkdir -p $(@D)
	@$(call say,HOST,$@)
	$(Q)$(HOSTCC) $(PRELOAD_CFLAGS) -o $@ $(PRELOAD_SRCS)

build/preload/32/malloc.so: $(PRELOAD_SRCS) kernel/mm/heap.h
	@mkdir -p $(@D)
	@$(call say,HOST,$@)
	$(Q)$(HOST32) $(PRELOAD_CFLAGS) -o $@ $(PRELOAD_SRCS)

PROBE_CFLAGS := -std=gnu11 -O2 -g -fno-builtin -Wall -Wextra -Werror -Wshadow \
	-Wstrict-prototypes -Wmissing-prototypes -I. -pthread

build/preload/64/probe: tests/preload/probe.c tests/host/tap.h
	@mkdir -p $(@D)
	@$(call say,HOST,$@)
	$(Q)$(HOSTCC) $(PROBE_CFLAGS) -o $@ $<

build/preload/32/probe: tests/preload/probe.c tests/host/tap.h
	@mkdir -p $(@D)
	@$(call say,HOST,$@)
	$(Q)$(HOST32) $(PROBE_CFLAGS) -o $@ $<

PRELOAD := $(foreach bits,64 32,$(addprefix build/preload/$(bits)/,malloc.so probe))
