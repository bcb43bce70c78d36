# SPDX-License-Identifier: MIT
#
# Deliberately broken kernels: the test kernel with one more object. runner.t
# boots most of them to prove that the judge turns red, each time for the right reason.

BROKEN := panic_early triple_fault hang plan_too_short no_tests exit_early failing_test leak \
	guest_error kfree_nothing flipped_byte not_multiboot \
	panics lying_map no_frames few_frames crumbs

broken_flags_panic_early := --wrap=multiboot_read
broken_flags_hang := --wrap=ktest_budget
broken_flags_plan_too_short := --wrap=ktest_select
broken_flags_no_tests := --wrap=ktest_select
broken_flags_kfree_nothing := --wrap=kfree
broken_flags_flipped_byte := --wrap=kmalloc --wrap=kzalloc
broken_flags_no_frames := --wrap=frame_alloc_below
broken_flags_few_frames := --wrap=frame_alloc_below
broken_flags_crumbs := --wrap=multiboot_read
broken_flags_lying_map := --wrap=multiboot_read
broken_flags_not_multiboot := -e start_not_multiboot

# The product, broken.
BROKEN_PRODUCT := build/broken/panic_stays.elf

BROKEN_TESTS := $(BROKEN:%=build/broken/%.elf)
BROKEN_ELFS := $(BROKEN_TESTS) $(BROKEN_PRODUCT)

$(BROKEN_TESTS): build/broken/%.elf: build/tests/broken/%.o $(TEST_OBJS) linker.ld tools/ksyms
	$(call link_kernel,$@,$(TEST_OBJS) $<,$(broken_flags_$*))

$(BROKEN_PRODUCT): build/tests/broken/panic_stays.o $(OBJS) linker.ld tools/ksyms
	$(call link_kernel,$@,$(OBJS) $<,--wrap=kernel_run)
