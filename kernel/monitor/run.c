/* SPDX-License-Identifier: MIT */
/* The product: what the command line asks for, else the monitor. */
#include "kernel/run.h"
#include "kernel/cmdline.h"
#include "kernel/monitor/heapmap.h"
#include "kernel/monitor/monitor.h"
#include "kernel/monitor/programs.h"
#include "kernel/x86/exit.h"

const bool kernel_under_test = false;

void kernel_run(void)
{
	if (*cmdline.heapmap)
		machine_exit(heapmap_send(cmdline.heapmap) ? EXIT_PASS : EXIT_FAIL);
	if (cmdline.demo)
		monitor_demonstrate();
	if (cmdline.programs)
		programs_run();
	monitor_run();
}
