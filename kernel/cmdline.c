/* SPDX-License-Identifier: MIT */
/* The command line, word by word. */
#include "kernel/cmdline.h"
#include "kernel/dev/console.h"

#include <stdlib.h>
#include <string.h>

struct cmdline cmdline = { .heapmap = "", .modules = "", .only = "" };

/* What follows "name=" in @word, or NULL. */
static const char *value_of(const char *word, const char *name)
{
	size_t n = strlen(name);

	return strncmp(word, name, n) == 0 && word[n] == '=' ? word + n + 1 : NULL;
}

static void parse_seed(const char *value)
{
	char *end;
	unsigned long seed = strtoul(value, &end, 0);

	if (end == value || *end) {
		kprintf("cmdline: seed '%s' is no number, ignored\n", value);
		return;
	}
	cmdline.has_seed = true;
	cmdline.seed = (uint32_t)seed;
}

static void parse_word(const char *word)
{
	const char *value;

	if (strcmp(word, "demo") == 0)
		cmdline.demo = true;
	else if (strcmp(word, "monitor") == 0)
		cmdline.monitor = true;
	else if ((value = value_of(word, "heapmap")))
		cmdline.heapmap = value;
	else if (strcmp(word, "programs") == 0)
		cmdline.programs = true;
	else if ((value = value_of(word, "modules")))
		cmdline.modules = value;
	else if ((value = value_of(word, "only")))
		cmdline.only = value;
	else if ((value = value_of(word, "seed")))
		parse_seed(value);
	else
		kprintf("cmdline: unknown word '%s' ignored\n", word);
}

void cmdline_parse(char *text)
{
	while (*text) {
		char *end = strchr(text, ' ');
		char *next = end ? end + 1 : text + strlen(text);

		if (end)
			*end = '\0';
		if (*text)
			parse_word(text);
		text = next;
	}
}
