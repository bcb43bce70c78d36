# SPDX-License-Identifier: MIT
#
# Programs for programs.t that know nothing of Fencepost: an ordinary compiler
# makes them, with an ordinary C library, whose own malloc runs in them.

FOREIGN := $(patsubst tests/boot/foreign/%.c,build/foreign/%,$(wildcard tests/boot/foreign/*.c))

.PHONY: foreign
foreign: $(FOREIGN)

build/foreign/%: tests/boot/foreign/%.c
	@mkdir -p $(@D)
	@$(call say,HOST,$@)
	$(Q)$(HOST32) -std=gnu11 -O2 -Wall -Wextra -Werror -static -no-pie -o $@ $<
