# SPDX-License-Identifier: MIT
#
# The test kernels again, with gcov counting in the floors of memory. What is
# tested on the host is counted there (tests/host/coverage.t).

COVERED := $(addprefix kernel/mm/,brk frame inspect kmalloc ledger paging)
COVERED_OBJS := $(COVERED:%=build/coverage/%.o) build/tests/coverage/dump.o
COVERAGE_OBJS := $(filter-out $(COVERED:%=build/%.o),$(TEST_OBJS)) $(COVERED_OBJS)
COVERAGE_BROKEN := panics no_frames few_frames crumbs
COVERAGE_ELFS := build/coverage/test.elf $(COVERAGE_BROKEN:%=build/coverage/%.elf)
LIBGCOV = $(shell $(CC) -m32 -print-file-name=libgcov.a)

build/coverage/%.o: %.c build/flags
	@mkdir -p $(@D)
	@$(call say,CC,$@)
	$(Q)$(CC) $(CFLAGS) $(CPPFLAGS) -O0 -fprofile-arcs -ftest-coverage -fprofile-info-section \
		-MMD -MP -c -o $@ $<

build/coverage/test.elf: $(COVERAGE_OBJS) linker.ld tools/ksyms
	$(call link_kernel,$@,$(COVERAGE_OBJS) $(LIBGCOV),--wrap=machine_exit)

$(COVERAGE_BROKEN:%=build/coverage/%.elf): build/coverage/%.elf: build/tests/broken/%.o $(COVERAGE_OBJS) linker.ld tools/ksyms
	$(call link_kernel,$@,$(COVERAGE_OBJS) $< $(LIBGCOV),--wrap=machine_exit $(broken_flags_$*))
