# SPDX-License-Identifier: MIT
#
# The kernel's own sources as programs of the host, with the address and the
# undefined-behaviour sanitizers:
#
#	build/host/64/PROGRAM		by gcc, 64 bits
#	build/host/32/PROGRAM		by gcc, 32 bits
#	build/host/clang/PROGRAM	by clang, 64 bits
#	build/host/clang32/PROGRAM	by clang, 32 bits
#	build/host/fast/PROGRAM		optimized and without sanitizers, to do more of it
#
# At 32 bits gcc -m32 makes them where it can, else the cross compiler, whose
# programs bring a loader and libraries of their own. (The old kind of path is
# searched for libraries of libraries too.) Where clang can only compile at 32
# bits and not link, it does that, and the program says that it is skipped.

HOST_PROGRAMS := heap_model heap_unit heap_corners heap_refusal memmap_test trace_test ten_lines \
	keys_test words_test edit_test map_test screen_test elf_test
HOST_BY_GCC := $(HOST_PROGRAMS) heap_sequences
HOST_FAST := heap_model heap_sequences ageing

HOST_CFLAGS := -std=gnu11 -O1 -g -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -fsanitize=address,undefined -fno-sanitize-recover=all \
	-I. -Itests/host
SYSROOT32 := /usr/i686-linux-gnu
CROSS32 := i686-linux-gnu-gcc -Wl,-dynamic-linker=$(SYSROOT32)/lib/ld-linux.so.2 \
	-Wl,-rpath,$(SYSROOT32)/lib -Wl,--disable-new-dtags
HOST32 = $(shell echo 'int main(void){return 0;}' | $(HOSTCC) -m32 -fsanitize=address -x c \
	-o /dev/null - 2>/dev/null && echo $(HOSTCC) -m32 || echo $(CROSS32))

CLANG32 := $(CLANG) -m32
# An offset of 0 to NULL, for a text that is only measured: clang asks for C11 to the letter.
HOST_CLANG_FLAGS_memmap_test := -fno-sanitize=pointer-overflow

HOST_SRCS_heap_model := kernel/mm/heap.c tests/host/arena.c
HOST_SRCS_heap_unit := kernel/mm/heap.c tests/host/arena.c
HOST_SRCS_heap_corners := kernel/mm/heap.c tests/host/arena.c
HOST_SRCS_heap_refusal := kernel/mm/heap.c tests/host/arena.c
HOST_SRCS_heap_sequences := kernel/mm/heap.c
HOST_SRCS_ageing := kernel/mm/heap.c tests/host/arena.c
HOST_SRCS_memmap_test := kernel/mm/memmap.c
HOST_SRCS_trace_test := kernel/monitor/trace.c
HOST_SRCS_keys_test := kernel/monitor/keys.c
HOST_SRCS_words_test := kernel/monitor/words.c
HOST_SRCS_edit_test := kernel/monitor/edit.c
HOST_SRCS_map_test := kernel/monitor/map.c kernel/monitor/screen.c
HOST_SRCS_screen_test := kernel/monitor/screen.c
HOST_SRCS_elf_test := kernel/proc/elf.c
HOST_SRCS_ten_lines := kernel/mm/heap.c

HOST_TESTS := $(foreach bits,32 64,$(HOST_BY_GCC:%=build/host/$(bits)/%)) \
	$(foreach by,clang clang32,$(HOST_PROGRAMS:%=build/host/$(by)/%)) \
	$(HOST_FAST:%=build/host/fast/%)
HOST_HEADERS := $(wildcard tests/host/*.h kernel/mm/*.h kernel/monitor/*.h kernel/proc/*.h)

# What linkers make, for elf_test.
ELF_FILES := $(addprefix build/host/elf/,static bare pie static-pie shared dynamic object amd64)
ELF_FLAGS_static := -static -no-pie
ELF_FLAGS_bare := -nostdlib -static -no-pie -DBARE
ELF_FLAGS_pie := -fPIE -pie
ELF_FLAGS_static-pie := -fPIE -static-pie
ELF_FLAGS_shared := -fPIC -shared
ELF_FLAGS_dynamic := -no-pie
ELF_FLAGS_object := -c
$(foreach by,32 64 clang clang32,build/host/$(by)/elf_test): $(ELF_FILES)

build/host/elf/amd64: tests/host/program.c
	@mkdir -p $(@D)
	@$(call say,HOST,$@)
	$(Q)$(HOSTCC) -static -o $@ $<

build/host/elf/%: tests/host/program.c
	@mkdir -p $(@D)
	@$(call say,HOST,$@)
	$(Q)$(HOST32) -O1 $(ELF_FLAGS_$*) -o $@ $<

.SECONDEXPANSION:
build/host/64/%: tests/host/%.c $$(HOST_SRCS_$$*) $(HOST_HEADERS)
	@mkdir -p $(@D)
	@$(call say,HOST,$@)
	$(Q)$(HOSTCC) $(HOST_CFLAGS) -o $@ $(filter %.c,$^)

build/host/32/%: tests/host/%.c $$(HOST_SRCS_$$*) $(HOST_HEADERS)
	@mkdir -p $(@D)
	@$(call say,HOST,$@)
	$(Q)$(HOST32) $(HOST_CFLAGS) -DMODEL_SEED=2 -o $@ $(filter %.c,$^)

build/host/clang/%: tests/host/%.c $$(HOST_SRCS_$$*) $(HOST_HEADERS)
	@mkdir -p $(@D)
	@$(call say,HOST,$@)
	$(Q)$(CLANG) $(HOST_CFLAGS) $(HOST_CLANG_FLAGS_$*) -DMODEL_SEED=3 -o $@ $(filter %.c,$^)

build/host/clang32/%: tests/host/%.c $$(HOST_SRCS_$$*) $(HOST_HEADERS)
	@mkdir -p $(@D)
	@$(call say,HOST,$@)
	$(Q)if echo 'int main(void){return 0;}' | $(CLANG32) -fsanitize=address -x c -o $@ - 2>/dev/null; then \
		$(CLANG32) $(HOST_CFLAGS) $(HOST_CLANG_FLAGS_$*) -DMODEL_SEED=4 -o $@ $(filter %.c,$^); \
	else \
		$(CLANG32) $(HOST_CFLAGS) -fsyntax-only $(filter %.c,$^) && \
		printf '#!/usr/bin/perl\nprint "1..0 # SKIP %s\\n";\n' \
			'clang links nothing at 32 bits here' >$@ && chmod +x $@; \
	fi

build/host/fast/%: tests/host/%.c $$(HOST_SRCS_$$*) $(HOST_HEADERS)
	@mkdir -p $(@D)
	@$(call say,HOST,$@)
	$(Q)$(HOSTCC) $(filter-out -O1 -fsanitize=% -fno-sanitize%,$(HOST_CFLAGS)) -O2 \
		-DMODEL_SEED=5 -DSEQUENCES_DEPTH=5 -o $@ $(filter %.c,$^)

.PHONY: test-long
test-long: build/host/fast/heap_model build/host/fast/heap_sequences ## a thousand million operations, sequences of six: some minutes
	OPERATIONS=1000000000 DEPTH=6 prove -j2 -v $^

.PHONY: ageing
ageing: build/host/fast/ageing ## a thousand million operations at constant live bytes: the heap does not grow
	OPERATIONS=1000000000 prove -v $<
