/* SPDX-License-Identifier: MIT */
/* The map of the kernel's heap, live: alone, or while a trace is replayed. */
#include "boot/bootinfo.h"
#include "kernel/dev/console.h"
#include "kernel/dev/serial.h"
#include "kernel/dev/vga.h"
#include "kernel/mm/brk.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/monitor/command.h"
#include "kernel/monitor/input.h"
#include "kernel/monitor/map.h"
#include "kernel/monitor/replay.h"
#include "kernel/monitor/screen.h"
#include "kernel/x86/cpu.h"

#include <printf.h>
#include <string.h>

#define TICKS_A_PICTURE 40U
#define PICTURES	500U /* of a trace, at first: twenty seconds */
#define MOST_A_PICTURE	(1U << 20)

/* The terminal's other screen, without a cursor; and back. */
#define ENTER "\033[?1049h\033[?25l\033[0m\033[2J"
#define LEAVE "\033[0m\033[?25h\033[?1049l"

/**
 * struct view - what is looked at
 * @from: where the map begins
 * @shift: its scale
 * @whole: both follow the break
 * @name: of the trace under way, NULL if there is none
 * @a_picture: operations of it from one picture to the next
 * @paused: none by themselves
 * @trouble: in words, NULL if there is none
 */
struct view {
	uintptr_t from;
	unsigned int shift;
	bool whole;
	const char *name;
	struct trace trace;
	struct replay replay;
	uint32_t a_picture;
	bool paused;
	const char *trouble;
};

static struct map map;
static struct map_numbers numbers;
static struct screen shown, wanted;

static void send(void *context, const char *text, size_t n)
{
	(void)context;
	for (size_t i = 0; i < n; i++)
		serial_putc(text[i]);
}

static bool see(void *context, const struct heap_piece *piece)
{
	map_add(context, piece);
	return true;
}

/* Return: whether the heap could be followed to its end. */
static bool survey(const struct view *view)
{
	unsigned long flags = irq_save();
	bool followed;

	map_begin(&map, view->from, view->shift);
	followed = heap_walk(&kernel_heap, see, &map);
	map_end(&map);
	heap_stats(&kernel_heap, &numbers.stats);
	irq_restore(flags);
	numbers.end = kernel_brk.end;
	numbers.heap_frames = frame_count(FRAME_HEAP);
	numbers.free_frames = frame_count(FRAME_FREE);
	return followed;
}

static bool at_end(const struct view *view)
{
	return view->replay.operations == view->trace.operations;
}

static void write_title(const struct view *view, char *title, size_t size)
{
	if (!view->name)
		snprintf(title, size, "the kernel's heap");
	else
		snprintf(title, size, "%s: %u of %u operations%s", view->name,
			 view->replay.operations, view->trace.operations,
			 at_end(view)	? ", at its end"
			 : view->paused ? ", paused"
					: "");
}

static void show(struct view *view)
{
	static char title[VGA_COLUMNS], note[VGA_COLUMNS];
	bool followed;

	if (view->whole) {
		view->from = kernel_brk.base;
		view->shift = map_shift_for(kernel_brk.end - kernel_brk.base);
	}
	followed = survey(view);
	write_title(view, title, sizeof(title));
	note[0] = '\0';
	if (!followed)
		snprintf(note, sizeof(note), "the heap cannot be followed further; check says why");
	else if (view->trouble)
		snprintf(note, sizeof(note), "%s", view->trouble);
	else if (view->name)
		snprintf(note, sizeof(note), "%u operations from one picture to the next",
			 view->a_picture);
	numbers.title = title;
	numbers.note = note;
	map_draw(&map, &numbers, &wanted);
	for (unsigned int row = 0; row < VGA_ROWS; row++)
		for (unsigned int column = 0; column < VGA_COLUMNS; column++)
			vga_cell(row, column, wanted.cells[row][column]);
	screen_send(&shown, &wanted, send, NULL);
	shown = wanted;
}

/* Does some operations of the trace, if there is one. */
static void advance(struct view *view, uint32_t n)
{
	struct trace_op op;

	while (n-- > 0 && view->name && !view->trouble && !at_end(view)) {
		view->trouble = trace_next(&view->trace, &op);
		if (!view->trouble)
			view->trouble = replay_operation(&view->replay, &op);
	}
}

/* Moves the map by so many cells, and not beyond the heap. */
static void pan(struct view *view, long cells)
{
	size_t size = kernel_brk.end - kernel_brk.base, at = view->from - kernel_brk.base;
	size_t by = (size_t)(cells < 0 ? -cells : cells) << view->shift;

	if (cells < 0)
		at -= by < at ? by : at;
	else if (by < size - at)
		at += by;
	view->from = kernel_brk.base + at;
	view->whole = false;
}

static void zoom(struct view *view, int by)
{
	unsigned int shift = view->shift + (unsigned int)by;

	if (shift >= MAP_LEAST_SHIFT && shift <= MAP_MOST_SHIFT)
		view->shift = shift;
	view->whole = false;
}

/* Keys that choose what is on the map. Return: whether this is one. */
static bool look(struct view *view, int key)
{
	if (key == '+' || key == '=')
		zoom(view, -1);
	else if (key == '-')
		zoom(view, 1);
	else if (key == KEY_UP || key == KEY_DOWN)
		pan(view, key == KEY_UP ? -(long)MAP_COLUMNS : (long)MAP_COLUMNS);
	else if (key == KEY_LEFT || key == KEY_RIGHT)
		pan(view, key == KEY_LEFT ? -1 : 1);
	else if (key == KEY_PAGE_UP || key == KEY_PAGE_DOWN)
		pan(view, key == KEY_PAGE_UP ? -(long)MAP_CELLS : (long)MAP_CELLS);
	else if (key == KEY_HOME)
		pan(view, -(long)((kernel_brk.end - kernel_brk.base) >> view->shift) - 1);
	else if (key == 'w')
		view->whole = true;
	else
		return false;
	return true;
}

/* Keys for the trace. */
static void control(struct view *view, int key)
{
	if (key == ' ')
		view->paused = !view->paused;
	else if (key == 'n')
		advance(view, 1);
	else if (key == 'f' && view->a_picture < MOST_A_PICTURE)
		view->a_picture *= 2;
	else if (key == 's' && view->a_picture > 1)
		view->a_picture /= 2;
}

static void watch(struct view *view)
{
	static uint16_t kept[VGA_ROWS * VGA_COLUMNS];
	int key = KEY_NONE;

	vga_keep(kept);
	vga_show_cursor(false);
	send(NULL, ENTER, strlen(ENTER));
	screen_clear(&shown);
	while (key != 'q' && key != KEY_CTRL_C) {
		show(view);
		key = input_wait(TICKS_A_PICTURE);
		for (; key != KEY_NONE && key != 'q' && key != KEY_CTRL_C; key = input_poll())
			if (!look(view, key))
				control(view, key);
		if (!view->paused)
			advance(view, view->a_picture);
	}
	send(NULL, LEAVE, strlen(LEAVE));
	vga_bring_back(kept);
	vga_show_cursor(true);
}

/* Return: NULL, or in words why not. */
static const char *begin(struct view *view, const struct boot_module *module)
{
	const char *reason = replay_open(&view->trace, module);

	if (!reason)
		reason = replay_begin(&view->replay, &view->trace);
	if (reason)
		return reason;
	view->name = module->name;
	view->a_picture = view->trace.operations / PICTURES + 1;
	return NULL;
}

static bool command_map(const struct call *call)
{
	static struct view view;
	const struct boot_module *module = NULL;
	const char *reason = NULL;

	view = (struct view){ .whole = true };
	if (call->n > 0) {
		module = replay_find(call->argument[0]);
		if (!module)
			return false;
		reason = begin(&view, module);
	}
	if (!reason) {
		watch(&view);
		reason = view.trouble;
	}
	if (view.name)
		replay_end(&view.replay);
	if (reason)
		kprintf("%s: %s\n", module ? module->name : "map", reason);
	return !reason;
}

static const struct command commands[] = {
	{ "map", "[TRACE]", "the heap as a map, live, while a trace is replayed",
	  "Each cell stands for so many bytes of the heap and shows what most of them are.\n"
	  "Zoomed in far enough (+), the header of each block is seen. Without a TRACE it\n"
	  "shows the heap as it is. q leaves; what the trace has not freed is freed then.\n",
	  0, 1, false, command_map },
};

const struct command_group map_commands = COMMAND_GROUP(commands);
