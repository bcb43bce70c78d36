/* SPDX-License-Identifier: MIT */
/* A line of text, and a table of commands to choose from. */
#include "kernel/monitor/monitor.h"
#include "kernel/dev/console.h"
#include "kernel/monitor/command.h"
#include "kernel/monitor/edit.h"
#include "kernel/monitor/input.h"
#include "kernel/monitor/words.h"
#include "kernel/x86/exit.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define PROMPT	      "fencepost> "
#define NAME_SIZE     16
#define COLUMN	      25 /* where summaries begin */
#define DEMONSTRATION "help", "mem", "heap", "replay", "heap"

static bool command_help(const struct call *call);
static bool command_quit(const struct call *call);

static const struct command help_commands[] = {
	{ "help", "[COMMAND]", "this list, or all about one command", NULL, 0, 1, false,
	  command_help },
	{ "quit", "", "end the emulator", NULL, 0, 0, false, command_quit },
};
static const struct command_group help_group = COMMAND_GROUP(help_commands);

static const struct command_group *const groups[] = {
	&help_group,	 &machine_commands, &heap_commands,  &handle_commands,	&break_commands,
	&trace_commands, &map_commands,	    &fault_commands, &process_commands, &test_commands,
};

#define GROUPS (sizeof(groups) / sizeof(groups[0]))

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < GROUPS && groups[i]; i++)
		for (size_t j = 0; j < groups[i]->n; j++)
			if (strcmp(groups[i]->commands[j].name, name) == 0)
				return &groups[i]->commands[j];
	return NULL;
}

static void print_usage(const struct command *command)
{
	kprintf("%s%s%s%s", command->gives_handle ? "[NAME =] " : "", command->name,
		*command->usage ? " " : "", command->usage);
}

static bool help_about(const char *name)
{
	const struct command *command = find(name);

	if (!command) {
		kprintf("help: there is no command %s\n", name);
		return false;
	}
	print_usage(command);
	kprintf("\n%s\n%s", command->summary, command->details ? command->details : "");
	return true;
}

static bool command_help(const struct call *call)
{
	if (call->n > 0)
		return help_about(call->argument[0]);
	for (size_t i = 0; i < GROUPS && groups[i]; i++)
		for (size_t j = 0; j < groups[i]->n; j++) {
			const struct command *command = &groups[i]->commands[j];
			int n = kprintf("  %s %s", command->name, command->usage);

			kprintf("%*s%s\n", n < COLUMN ? COLUMN - n : 1, "", command->summary);
		}
	return true;
}

static bool command_quit(const struct call *call)
{
	(void)call;
	machine_exit(EXIT_PASS);
}

bool command_number(const char *text, uint32_t least, uint32_t most, uint32_t *number)
{
	enum words_number result = words_number(text, number);

	if (result == WORDS_NO_NUMBER)
		kprintf("%s is no number; a number is decimal, or behind 0x\n", text);
	else if (result == WORDS_TOO_LARGE || *number > most)
		kprintf("%s is too large: at most %u\n", text, most);
	else if (*number < least)
		kprintf("%s is too small: at least %u\n", text, least);
	else
		return true;
	return false;
}

/* Takes "NAME =" off the front. Return: false if that is wrong, and said. */
static bool take_handle(struct words *words, const char **handle)
{
	size_t equals = 0;

	*handle = NULL;
	while (equals < words->n && strcmp(words->word[equals], "=") != 0)
		equals++;
	if (equals == words->n)
		return true;
	if (equals != 1 || !words_is_name(words->word[0], NAME_SIZE)) {
		kprintf("before '=' stands one name: a letter, then letters, digits or '_', "
			"%u at most\n",
			NAME_SIZE - 1);
		return false;
	}
	if (words->n == 2) {
		kprintf("behind '=' stands a command, as in p = kmalloc 100\n");
		return false;
	}
	*handle = words->word[0];
	words->n -= 2;
	memmove(words->word, words->word + 2, words->n * sizeof(words->word[0]));
	return true;
}

static bool run(const struct command *command, const struct call *call)
{
	if (call->handle && !command->gives_handle) {
		kprintf("%s gives nothing that could be named %s\n", command->name, call->handle);
		return false;
	}
	if (call->n >= command->least && call->n <= command->most)
		return command->run(call);
	kprintf("too %s arguments; usage: ", call->n < command->least ? "few" : "many");
	print_usage(command);
	kprintf("\n");
	return false;
}

bool monitor_execute(char *line)
{
	const struct command *command;
	struct words words;
	struct call call;

	if (!words_split(&words, line)) {
		kprintf("more than %u words; nothing was done\n", WORDS_MOST);
		return false;
	}
	if (words.n == 0)
		return true;
	if (!take_handle(&words, &call.handle))
		return false;
	command = find(words.word[0]);
	if (!command) {
		kprintf("%s: unknown command; try help\n", words.word[0]);
		return false;
	}
	call.n = words.n - 1;
	memcpy(call.argument, words.word + 1, call.n * sizeof(call.argument[0]));
	return run(command, &call);
}

static void put(void *context, const char *text, size_t n)
{
	(void)context;
	console_write(text, n);
}

/* Return: whether there is a line that may be run. What is not all of what was typed may not. */
static bool read_line(struct edit *edit)
{
	enum edit_result result;

	edit_begin(edit);
	do
		result = edit_key(edit, input_key(), put, NULL);
	while (result == EDIT_GOES_ON);
	if (input_lost()) {
		kprintf("input came faster than it could be read, and some is lost; "
			"nothing was done\n");
		return false;
	}
	if (result == EDIT_DONE && edit->refused > 0) {
		kprintf("%zu more characters than fit, or of another alphabet; "
			"nothing was done\n",
			edit->refused);
		return false;
	}
	return result == EDIT_DONE;
}

void monitor_run(void)
{
	static struct edit edit;
	static char line[EDIT_SIZE];

	kprintf("Type help for the list of commands.\n");
	for (;;) {
		kprintf(PROMPT);
		if (!read_line(&edit))
			continue;
		memcpy(line, edit.text, sizeof(line));
		monitor_execute(line);
	}
}

void monitor_demonstrate(void)
{
	static const char *const show[] = { DEMONSTRATION };
	char line[EDIT_SIZE];
	bool content = true;

	for (size_t i = 0; i < sizeof(show) / sizeof(show[0]); i++) {
		kprintf(PROMPT "%s\n", show[i]);
		strlcpy(line, show[i], sizeof(line));
		content &= monitor_execute(line);
	}
	kprintf(PROMPT "quit\n");
	machine_exit(content ? EXIT_PASS : EXIT_FAIL);
}
