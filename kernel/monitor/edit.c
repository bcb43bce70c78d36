/* SPDX-License-Identifier: MIT */
/* The line editor. After each key the terminal shows the line, and the cursor is where it is. */
#include "kernel/monitor/edit.h"
#include "kernel/monitor/keys.h"

#include <stdbool.h>
#include <string.h>

/* Where to show it. */
struct view {
	struct edit *edit;
	edit_put *put;
	void *context;
};

static void show(const struct view *view, const char *text, size_t n)
{
	view->put(view->context, text, n);
}

static void repeat(const struct view *view, char c, size_t n)
{
	while (n-- > 0)
		show(view, &c, 1);
}

static void ring(const struct view *view)
{
	show(view, "\a", 1);
}

/* Moves left by going back, and right by showing again what is there. */
static void move_to(const struct view *view, size_t cursor)
{
	struct edit *edit = view->edit;

	if (cursor < edit->cursor)
		repeat(view, '\b', edit->cursor - cursor);
	else
		show(view, edit->text + edit->cursor, cursor - edit->cursor);
	edit->cursor = cursor;
}

/* Shows the line from the cursor on, where @was characters stood, and comes back. */
static void show_rest(const struct view *view, size_t was)
{
	const struct edit *edit = view->edit;
	size_t rest = edit->length - edit->cursor;
	size_t blanks = was > rest ? was - rest : 0;

	show(view, edit->text + edit->cursor, rest);
	repeat(view, ' ', blanks);
	repeat(view, '\b', rest + blanks);
}

/* Takes out @n characters at the cursor. */
static void take_out(const struct view *view, size_t n)
{
	struct edit *edit = view->edit;
	size_t was = edit->length - edit->cursor;
	char *at = edit->text + edit->cursor;

	memmove(at, at + n, was - n + 1);
	edit->length -= n;
	show_rest(view, was);
}

static void insert(const struct view *view, char c)
{
	struct edit *edit = view->edit;
	char *at = edit->text + edit->cursor;

	if (edit->length == EDIT_SIZE - 1) {
		edit->refused++;
		ring(view);
		return;
	}
	memmove(at + 1, at, edit->length - edit->cursor + 1);
	*at = c;
	edit->length++;
	show(view, at, 1);
	edit->cursor++;
	show_rest(view, edit->length - edit->cursor);
}

static void replace(const struct view *view, const char *line)
{
	struct edit *edit = view->edit;
	size_t was = edit->length;

	move_to(view, 0);
	edit->length = strlen(line);
	memcpy(edit->text, line, edit->length + 1);
	show_rest(view, was);
	move_to(view, edit->length);
}

/* The line @back lines ago. */
static char *line_back(struct edit *edit, size_t back)
{
	return back > 0 ? edit->history[(edit->lines - back) % EDIT_HISTORY] : edit->kept;
}

static void go_back(const struct view *view, size_t back)
{
	struct edit *edit = view->edit;

	if (back > edit->lines || back > EDIT_HISTORY) {
		ring(view);
		return;
	}
	if (edit->back == 0)
		memcpy(edit->kept, edit->text, sizeof(edit->kept));
	edit->back = back;
	replace(view, line_back(edit, back));
}

static void remember(struct edit *edit)
{
	if (edit->length == 0 || edit->refused > 0 ||
	    (edit->lines > 0 && strcmp(edit->text, line_back(edit, 1)) == 0))
		return;
	memcpy(edit->history[edit->lines % EDIT_HISTORY], edit->text, sizeof(edit->text));
	edit->lines++;
}

/* A key that moves or takes out. Return: whether it is one. */
static bool edit_within(const struct view *view, int key)
{
	struct edit *edit = view->edit;
	size_t cursor = edit->cursor;

	if (key == KEY_LEFT && cursor > 0)
		move_to(view, cursor - 1);
	else if (key == KEY_RIGHT && cursor < edit->length)
		move_to(view, cursor + 1);
	else if (key == KEY_HOME || key == KEY_CTRL_A)
		move_to(view, 0);
	else if (key == KEY_END || key == KEY_CTRL_E)
		move_to(view, edit->length);
	else if (key == KEY_DELETE && cursor < edit->length)
		take_out(view, 1);
	else if (key == KEY_CTRL_K)
		take_out(view, edit->length - cursor);
	else
		return false;
	return true;
}

/* A key that takes out what is before the cursor. Return: whether it is one. */
static bool edit_before(const struct view *view, int key)
{
	size_t cursor = view->edit->cursor;
	bool one = (key == KEY_BACKSPACE || key == KEY_RUBOUT) && cursor > 0;

	if (!one && key != KEY_CTRL_U)
		return false;
	move_to(view, one ? cursor - 1 : 0);
	take_out(view, one ? 1 : cursor);
	return true;
}

static enum edit_result leave(const struct view *view, bool done)
{
	move_to(view, view->edit->length);
	if (done)
		remember(view->edit);
	show(view, done ? "\n" : "^C\n", done ? 1 : 3);
	return done ? EDIT_DONE : EDIT_GIVEN_UP;
}

void edit_begin(struct edit *edit)
{
	edit->text[0] = edit->kept[0] = '\0';
	edit->length = edit->cursor = edit->refused = edit->back = 0;
}

enum edit_result edit_key(struct edit *edit, int key, edit_put *put, void *context)
{
	const struct view view = { edit, put, context };

	if (key == KEY_ENTER || key == KEY_CTRL_C)
		return leave(&view, key == KEY_ENTER);
	if (edit_within(&view, key) || edit_before(&view, key))
		return EDIT_GOES_ON;
	if (key >= ' ' && key < KEY_RUBOUT) {
		insert(&view, (char)key);
	} else if (key == KEY_UP) {
		go_back(&view, edit->back + 1);
	} else if (key == KEY_DOWN && edit->back > 0) {
		go_back(&view, edit->back - 1);
	} else {
		edit->refused += key > KEY_RUBOUT && key < KEY_UP; /* of another alphabet */
		ring(&view);
	}
	return EDIT_GOES_ON;
}
