/* SPDX-License-Identifier: MIT */
/* Running modules as programs, with the second serial port or the console for their files. */
#include "kernel/monitor/programs.h"
#include "kernel/dev/console.h"
#include "kernel/dev/wire.h"
#include "kernel/mm/layout.h"
#include "kernel/x86/exit.h"

#include <string.h>

/* What it writes goes over the wire; what the kernel says of it, when it runs no more, does not. */
static void write_wire(void *context, const char *text, size_t n)
{
	(void)context;
	if (process_current())
		wire_write(text, n);
	else
		console_write(text, n);
}

static int read_wire(void *context)
{
	int c = wire_getc();

	(void)context;
	if (c == WIRE_END)
		return PROCESS_INPUT_END;
	return c == WIRE_NOTHING ? PROCESS_INPUT_NONE : c;
}

/* Where all of a module can be read. */
static bool in_reach(const struct boot_module *module)
{
	return module->base < DIRECT_SIZE && module->length <= DIRECT_SIZE - module->base;
}

bool programs_is_one(const struct boot_module *module)
{
	static const char magic[4] = "\177ELF";

	return in_reach(module) && module->length >= sizeof(magic) &&
	       memcmp(phys_to_virt(module->base), magic, sizeof(magic)) == 0;
}

const char *programs_create(const struct boot_module *module, struct process_options *options,
			    struct process **created)
{
	options->name = module->name;
	options->file = phys_to_virt(module->base);
	options->size = module->length;
	if (!in_reach(module))
		return "lies above 256 MiB";
	if (!options->arguments)
		return "its arguments are too long";
	return process_create(options, created);
}

/* Return: how it ended, as a shell would say. */
static int run(const struct boot_module *module, bool wired)
{
	struct process_end end = { .fate = PROCESS_LIVES };
	struct process_options options = {
		.arguments = module->arguments,
		.output = wired ? write_wire : NULL,
		.input = wired ? read_wire : NULL,
		.end = &end,
	};
	const char *reason = programs_create(module, &options, NULL);

	if (reason) {
		kprintf("programs: %s: %s\n", module->name, reason);
		return PROGRAMS_REFUSED;
	}
	while (process_step())
		;
	return end.status;
}

void programs_run(void)
{
	bool wired = wire_init();
	int status = PROGRAMS_REFUSED;

	if (bootinfo.nmodules == 0)
		kprintf("programs: there is none: no module was loaded\n");
	for (size_t i = 0; i < bootinfo.nmodules; i++)
		status = run(&bootinfo.modules[i], wired);
	kprintf("programs: status %d\n", status);
	machine_exit(EXIT_PASS);
}
