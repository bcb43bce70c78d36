/* SPDX-License-Identifier: MIT */
/*
 * Programs that were loaded as modules, run for whoever booted the machine for
 * them: tools/run-user, or a person. They read and write on the second serial
 * port where there is one (kernel/dev/wire.h), else on the console.
 */
#ifndef KERNEL_MONITOR_PROGRAMS_H
#define KERNEL_MONITOR_PROGRAMS_H

#include <stdbool.h>

#include "boot/bootinfo.h"
#include "kernel/proc/process.h"

/* What programs_run() says of a module that cannot be run, as a shell does. */
#define PROGRAMS_REFUSED 126

/* Whether a module looks like a program, sound or not. */
bool programs_is_one(const struct boot_module *module);

/**
 * programs_create() - a process of what was loaded as a module
 * @options: name, file and size are the module's, whatever they are here
 * @created: as in process_create()
 *
 * Return: as process_create().
 */
const char *programs_create(const struct boot_module *module, struct process_options *options,
			    struct process **created);

/**
 * programs_run() - run each module, one after the other, and leave
 *
 * What cannot be run is named on the console with the reason, and so is what
 * did not end by itself. The last line is "programs: status N": that of the
 * last program, or PROGRAMS_REFUSED. Leaves with EXIT_PASS whatever it is.
 */
void __attribute__((noreturn)) programs_run(void);

#endif
