/* SPDX-License-Identifier: MIT */
/* The product: the demonstration if asked for on the command line, else the monitor. */
#include "kernel/run.h"
#include "kernel/cmdline.h"
#include "kernel/monitor/monitor.h"

const bool kernel_under_test = false;

void kernel_run(void)
{
	if (cmdline.demo)
		monitor_demonstrate();
	monitor_run();
}
