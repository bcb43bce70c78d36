# SPDX-License-Identifier: MIT
# The heap beside other allocators; docs/bench-host.md tells how it is measured.

PEERS ?=
ROUNDS ?= 7

PEERS_SRCS := tests/peers/bench.c tests/peers/workload.c kernel/monitor/trace.c kernel/mm/heap.c
# Calls are to be made as they stand, of malloc and free too.
PEERS_CFLAGS := -std=gnu11 -O2 -g $(addprefix -fno-builtin-,malloc calloc memalign realloc free) \
	-Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -I.
PEERS_FILES := $(foreach bits,64 32,$(addprefix build/peers/$(bits)/,bench unchecked.so)) \
	$(filter %/malloc.so,$(PRELOAD))

build/peers/64/bench: $(PEERS_SRCS) tests/peers/workload.h kernel/mm/heap.h kernel/monitor/trace.h
	@mkdir -p $(@D)
	@$(call say,HOST,$@)
	$(Q)$(HOSTCC) $(PEERS_CFLAGS) -o $@ $(PEERS_SRCS)

build/peers/32/bench: $(PEERS_SRCS) tests/peers/workload.h kernel/mm/heap.h kernel/monitor/trace.h
	@mkdir -p $(@D)
	@$(call say,HOST,$@)
	$(Q)$(HOST32) $(PEERS_CFLAGS) -o $@ $(PEERS_SRCS)

build/peers/64/unchecked.so: $(PRELOAD_SRCS) kernel/mm/heap.h
	@mkdir -p $(@D)
	@$(call say,HOST,$@)
	$(Q)$(HOSTCC) $(PRELOAD_CFLAGS) -DHEAP_CHECKS=0 -o $@ $(PRELOAD_SRCS)

build/peers/32/unchecked.so: $(PRELOAD_SRCS) kernel/mm/heap.h
	@mkdir -p $(@D)
	@$(call say,HOST,$@)
	$(Q)$(HOST32) $(PRELOAD_CFLAGS) -DHEAP_CHECKS=0 -o $@ $(PRELOAD_SRCS)

.PHONY: bench-host
bench-host: $(PEERS_FILES) $(FPT) ## time, space and worst case beside glibc, mimalloc, jemalloc, tcmalloc
	tests/peers/bench.pl --rounds=$(ROUNDS) $(PEERS)
