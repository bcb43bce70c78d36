# SPDX-License-Identifier: MIT
#
# Benchmarks inside the kernel: docs/bench.md.

BENCH_OBJS := $(addprefix build/,$(addsuffix .o,$(basename $(wildcard tests/bench/*.[cS]))))

build/tests/bench/programs_file.o: build/user/bench

# memcpy is wrapped so that what a reallocation copies can be counted apart.
build/bench.elf: $(TEST_OBJS) $(BENCH_OBJS) linker.ld tools/ksyms
	$(call link_kernel,$@,$(TEST_OBJS) $(BENCH_OBJS),--wrap=memcpy)

build/bench.json: build/bench.elf $(FPT) $(wildcard tests/bench/*.p[lm])
	tests/bench/bench.pl take $@

.PHONY: lab
lab: build/bench.elf $(FPT) ## boot into the monitor with tests and benchmarks aboard, counting instructions
	@tools/lab $^

.PHONY: bench bench-check bench-baseline
bench: build/bench.elf $(FPT) ## instructions that the heap takes, also in build/bench.json and .md
	tests/bench/bench.pl take build/bench.json
	@tests/bench/bench.pl markdown build/bench.json > build/bench.md
	@tests/bench/bench.pl show build/bench.json

bench-check: build/bench.json ## compare them with tests/bench/baseline.json
	@tests/bench/bench.pl check $< tests/bench/baseline.json

bench-baseline: build/bench.json ## make them the baseline
	cp $< tests/bench/baseline.json
