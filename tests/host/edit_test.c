/* SPDX-License-Identifier: MIT */
/*
 * The line editor, beside a terminal that shows what it sends, and a model of
 * what a line is: after every key all three agree.
 */
#include "kernel/monitor/edit.h"
#include "kernel/monitor/keys.h"
#include "tap.h"

#include <string.h>

#define WIDTH  80
#define PROMPT 11 /* columns before the line */
#define ROUNDS 300000

/* A terminal's last row. */
static char row[WIDTH + 1];
static size_t column, rows, bells;
static bool sane;

static void put(void *context, const char *text, size_t n)
{
	(void)context;
	for (size_t i = 0; i < n; i++) {
		char c = text[i];

		if (c == '\n') {
			rows++;
		} else if (c == '\a') {
			bells++;
		} else if (c == '\b') {
			sane = sane && column > PROMPT;
			column--;
		} else {
			sane = sane && c >= ' ' && c <= '~' && column < WIDTH - 1;
			row[column++] = c;
		}
	}
}

static struct edit edit;

static void begin(void)
{
	memset(row, ' ', WIDTH);
	column = PROMPT;
	rows = bells = 0;
	sane = true;
	edit_begin(&edit);
}

/* Whether the terminal shows the line, with the cursor in its place. */
static bool shown(void)
{
	return sane && edit.length == strlen(edit.text) && edit.cursor <= edit.length &&
	       column == PROMPT + edit.cursor && rows == 0 &&
	       memcmp(row + PROMPT, edit.text, edit.length) == 0 &&
	       strspn(row + PROMPT + edit.length, " ") == WIDTH - PROMPT - edit.length;
}

static enum edit_result press(int key)
{
	return edit_key(&edit, key, put, NULL);
}

static void type(const char *text)
{
	while (*text)
		press(*text++);
}

static void press_often(int key, int n)
{
	while (n-- > 0)
		press(key);
}

/* Whether a line is as expected, the cursor where '|' stands, and shown. */
static bool is(const char *expected)
{
	size_t cursor = strcspn(expected, "|");

	return shown() && edit.cursor == cursor && strncmp(edit.text, expected, cursor) == 0 &&
	       strcmp(edit.text + cursor, expected + cursor + 1) == 0;
}

static void moving(void)
{
	begin();
	type("dump p");
	tap_ok(is("dump p|") && bells == 0, "what is typed is shown");
	press_often(KEY_LEFT, 2);
	tap_ok(is("dump| p"), "left moves left");
	type("ed");
	tap_ok(is("dumped| p"), "what is typed within goes between");
	press(KEY_HOME);
	tap_ok(is("|dumped p"), "Home");
	press(KEY_LEFT);
	tap_ok(is("|dumped p") && bells == 1, "no further left than that, with a bell");
	press(KEY_RIGHT);
	tap_ok(is("d|umped p"), "right moves right");
	press(KEY_END);
	tap_ok(is("dumped p|"), "End");
	press(KEY_RIGHT);
	tap_ok(is("dumped p|") && bells == 2, "no further right than that");
	press(KEY_CTRL_A);
	tap_ok(is("|dumped p"), "Ctrl-A is Home");
	press(KEY_CTRL_E);
	tap_ok(is("dumped p|"), "Ctrl-E is End");
}

static void taking_out(void)
{
	begin();
	type("abcdef");
	press(KEY_RUBOUT);
	press(KEY_BACKSPACE);
	tap_ok(is("abcd|"), "backspace, by either of its names");
	press_often(KEY_LEFT, 2);
	press(KEY_BACKSPACE);
	tap_ok(is("a|cd"), "backspace within");
	press(KEY_DELETE);
	tap_ok(is("a|d"), "delete");
	press_often(KEY_DELETE, 2);
	tap_ok(is("a|") && bells == 1, "delete at the end only rings");
	press_often(KEY_BACKSPACE, 2);
	tap_ok(is("|") && bells == 2, "and backspace at the start");
	type("abcdef");
	press_often(KEY_LEFT, 2);
	press(KEY_CTRL_K);
	tap_ok(is("abcd|"), "Ctrl-K takes the rest");
	press_often(KEY_LEFT, 2);
	press(KEY_CTRL_U);
	tap_ok(is("|cd"), "Ctrl-U what is before");
	press(KEY_CTRL_U);
	press(KEY_CTRL_K);
	tap_ok(is("|"), "which may be nothing, and all");
}

static void history(void)
{
	memset(&edit, 0, sizeof(edit));
	begin();
	press(KEY_UP);
	tap_ok(is("|") && bells == 1, "without a line before, up only rings");
	type("one");
	tap_ok(press(KEY_ENTER) == EDIT_DONE && strcmp(edit.text, "one") == 0 && rows == 1,
	       "Enter");
	begin();
	type("two");
	press(KEY_LEFT);
	tap_ok(press(KEY_ENTER) == EDIT_DONE && strcmp(edit.text, "two") == 0 &&
		       column == PROMPT + 3,
	       "from within the line as well");
	begin();
	type("tw");
	press(KEY_UP);
	tap_ok(is("two|"), "up: the line before");
	press(KEY_UP);
	tap_ok(is("one|"), "and the one before it");
	press(KEY_UP);
	tap_ok(is("one|") && bells == 1, "and no more");
	press(KEY_DOWN);
	tap_ok(is("two|"), "down again");
	press(KEY_DOWN);
	tap_ok(is("tw|"), "to what was being typed");
	press(KEY_DOWN);
	tap_ok(is("tw|") && bells == 2, "and no further");
	press(KEY_UP);
	press(KEY_UP);
	type("!");
	press(KEY_ENTER);
	begin();
	press(KEY_UP);
	tap_ok(is("one!|"), "a line from before, changed, is a new one");
	press_often(KEY_UP, 2);
	tap_ok(is("one|"), "and stays what it was");
}

static void what_is_kept(void)
{
	memset(&edit, 0, sizeof(edit));
	begin();
	press(KEY_ENTER);
	begin();
	press(KEY_UP);
	tap_ok(is("|") && bells == 1, "an empty line is not kept");
	for (int i = 0; i < 2; i++) {
		begin();
		type("same");
		press(KEY_ENTER);
	}
	begin();
	press_often(KEY_UP, 2);
	tap_ok(is("same|") && bells == 1, "nor the same line twice");
	for (int i = 0; i < EDIT_HISTORY + 3; i++) {
		begin();
		type("line ");
		press('a' + i);
		press(KEY_ENTER);
	}
	begin();
	press_often(KEY_UP, EDIT_HISTORY + 5);
	tap_ok(is("line d|") && bells == 5, "and no more of them than there is room for");
	begin();
	type("given up");
	press(KEY_LEFT);
	tap_ok(press(KEY_CTRL_C) == EDIT_GIVEN_UP && rows == 1 &&
		       memcmp(row + PROMPT, "given up^C", 10) == 0,
	       "Ctrl-C gives a line up");
	begin();
	press(KEY_UP);
	tap_ok(is("line s|"), "which is not kept");
}

static void refused(void)
{
	memset(&edit, 0, sizeof(edit));
	begin();
	for (int i = 0; i < EDIT_SIZE - 1; i++)
		press('x');
	tap_ok(shown() && edit.length == EDIT_SIZE - 1 && edit.refused == 0 && bells == 0,
	       "a line can be so long");
	press('y');
	press(KEY_HOME);
	press('y');
	tap_ok(shown() && edit.length == EDIT_SIZE - 1 && edit.refused == 2 && bells == 2,
	       "what is more is refused and counted");
	press(KEY_ENTER);
	begin();
	press(KEY_UP);
	tap_ok(is("|") && edit.refused == 0, "such a line is not kept");
	press(0xC3);
	press(0xA4);
	tap_ok(is("|") && edit.refused == 2, "bytes of other alphabets are refused");
	begin();
	press('\t');
	press(2);
	press(0);
	press(KEY_PAGE_UP);
	tap_ok(is("|") && edit.refused == 0 && bells == 4, "keys without a meaning ring");
}

static uint32_t next_random(void)
{
	static uint32_t state = 0x2545F491;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

/* What a line is, in the plainest way. */
static char model[EDIT_SIZE];
static size_t at;

static void model_cut(size_t from, size_t to)
{
	char rest[EDIT_SIZE];

	snprintf(rest, sizeof(rest), "%s", model + to);
	strcpy(model + from, rest);
	at = from;
}

/* Keys that change the line or move in it; not the history's. */
static void model_key(int key)
{
	char rest[EDIT_SIZE];
	size_t n = strlen(model);

	if (key == KEY_LEFT)
		at -= at > 0;
	else if (key == KEY_RIGHT)
		at += at < n;
	else if (key == KEY_HOME || key == KEY_CTRL_A)
		at = 0;
	else if (key == KEY_END || key == KEY_CTRL_E)
		at = n;
	else if ((key == KEY_BACKSPACE || key == KEY_RUBOUT) && at > 0)
		model_cut(at - 1, at);
	else if (key == KEY_DELETE && at < n)
		model_cut(at, at + 1);
	else if (key == KEY_CTRL_U)
		model_cut(0, at);
	else if (key == KEY_CTRL_K)
		model_cut(at, n);
	if (key < ' ' || key > '~' || n == EDIT_SIZE - 1)
		return;
	snprintf(rest, sizeof(rest), "%s", model + at);
	model[at++] = (char)key;
	strcpy(model + at, rest);
}

static int random_key(void)
{
	static const int keys[] = { KEY_LEFT,	KEY_RIGHT,  KEY_HOME,	   KEY_END,
				    KEY_DELETE, KEY_RUBOUT, KEY_BACKSPACE, KEY_CTRL_A,
				    KEY_CTRL_E, KEY_CTRL_U, KEY_CTRL_K,	   KEY_UP,
				    KEY_DOWN,	KEY_ENTER,  KEY_CTRL_C,	   KEY_PAGE_UP };
	uint32_t choice = next_random();

	if (choice % 4)
		return ' ' + (int)(next_random() % 95);
	return choice % 64 ? keys[choice / 4 % 16] : (int)(next_random() % 256);
}

static void noise(void)
{
	bool all = true;

	memset(&edit, 0, sizeof(edit));
	begin();
	for (int i = 0; all && i < ROUNDS; i++) {
		int key = random_key();

		if (press(key) != EDIT_GOES_ON) {
			all = sane && rows == 1 &&
			      (key == KEY_CTRL_C || strcmp(edit.text, model) == 0);
			begin();
		}
		if (key == KEY_UP || key == KEY_DOWN || key == KEY_ENTER || key == KEY_CTRL_C) {
			strcpy(model, edit.text);
			at = edit.cursor;
		} else {
			model_key(key);
		}
		all = all && shown() && strcmp(edit.text, model) == 0 && edit.cursor == at;
		if (!all)
			printf("# key %d in round %d\n", key, i);
	}
	tap_ok(all, "after any keys, line, terminal and model agree");
}

int main(void)
{
	moving();
	taking_out();
	history();
	what_is_kept();
	refused();
	noise();
	return tap_end();
}
