# SPDX-License-Identifier: MIT
#
# Pictures of the heap, made of what the kernel sends and shows.

TRACE ?=
TRACE_NAMES := $(patsubst tests/traces/%.fpt.gz,%,$(TRACES))

.PHONY: heapmap pictures
heapmap: build/fencepost.elf $(FPT) ## the heap over time, as build/heapmap-NAME.svg, for TRACE=NAME
	@$(if $(filter $(TRACE_NAMES),$(TRACE)),,echo 'make heapmap TRACE=NAME, where NAME is one of: $(TRACE_NAMES)' >&2; exit 2)
	tests/pictures/heapmap.pl $(TRACE) build/heapmap-$(TRACE).svg

pictures: build/fencepost.elf $(FPT) ## make those of the documentation anew
	tests/pictures/heapmap.pl sqlite docs/heapmap-sqlite.svg
	tests/pictures/map.pl sqlite docs/map.png
