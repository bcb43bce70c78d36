/* SPDX-License-Identifier: MIT */
/* Bytes of terminals become keys, also where a sequence is torn, unknown, or never ends. */
#include "kernel/monitor/keys.h"
#include "tap.h"

#include <string.h>

#define MOST_KEYS 4096
#define ROUNDS	  200000

static struct keys keys;
static uint32_t now = 1000;
static int got[MOST_KEYS];
static int ngot;

static void take(uint8_t byte)
{
	int key = keys_take(&keys, byte, now);

	if (key == KEY_NONE)
		return;
	TAP_MUST(ngot < MOST_KEYS);
	got[ngot++] = key;
}

static void type(const char *bytes)
{
	while (*bytes)
		take((uint8_t)*bytes++);
}

static void begin(void)
{
	memset(&keys, 0, sizeof(keys));
	ngot = 0;
}

/* Whether the bytes are exactly these keys, ended by KEY_NONE. */
static bool are(const char *bytes, const int *expected)
{
	int n = 0;

	begin();
	type(bytes);
	while (expected[n] != KEY_NONE)
		n++;
	return n == ngot && memcmp(got, expected, (size_t)n * sizeof(int)) == 0;
}

#define ARE(bytes, ...) are(bytes, (const int[]){ __VA_ARGS__, KEY_NONE })

static void letters(void)
{
	tap_ok(ARE("ab~[O\x7f", 'a', 'b', '~', '[', 'O', KEY_RUBOUT), "letters are themselves");
	tap_ok(ARE("\x01\x03\x05\b\x0b\x15", KEY_CTRL_A, KEY_CTRL_C, KEY_CTRL_E, KEY_BACKSPACE,
		   KEY_CTRL_K, KEY_CTRL_U),
	       "control characters are");
	tap_ok(ARE("\xc3\xa4", 0xC3, 0xA4), "and bytes of other alphabets");
	tap_ok(ARE("\r", KEY_ENTER) && ARE("\n", KEY_ENTER) && ARE("\r\n", KEY_ENTER),
	       "Enter is CR, LF, or both");
	tap_ok(ARE("\r\r\n\n", KEY_ENTER, KEY_ENTER, KEY_ENTER), "twice CR LF is two of them");
	tap_ok(ARE("\r\033\n", KEY_ENTER, KEY_ENTER),
	       "a torn sequence between CR and LF parts them");
}

static void sequences(void)
{
	tap_ok(ARE("\033[A\033[B\033[C\033[D\033[H\033[F", KEY_UP, KEY_DOWN, KEY_RIGHT, KEY_LEFT,
		   KEY_HOME, KEY_END),
	       "arrows, Home and End");
	tap_ok(ARE("\033OA\033OB\033OC\033OD\033OH\033OF", KEY_UP, KEY_DOWN, KEY_RIGHT, KEY_LEFT,
		   KEY_HOME, KEY_END),
	       "the same as a keypad sends them");
	tap_ok(ARE("\033[1~\033[7~\033[3~\033[4~\033[8~\033[5~\033[6~", KEY_HOME, KEY_HOME,
		   KEY_DELETE, KEY_END, KEY_END, KEY_PAGE_UP, KEY_PAGE_DOWN),
	       "those with a number");
	tap_ok(ARE("\033[1;5C\033[3;2~", KEY_RIGHT, KEY_DELETE),
	       "Ctrl and Shift with them change nothing");
	tap_ok(ARE("\033[2~\033[200~\033[Z\033OP\033[?25hx", 'x'),
	       "unknown ones are none, to their end");
	tap_ok(ARE("\033[4294967299~x", 'x'), "a number that overflows is none of those");
}

static void torn(void)
{
	tap_ok(ARE("\033help", 'h', 'e', 'l', 'p'), "an ESC alone is dropped");
	tap_ok(ARE("\033\033[A", KEY_UP), "an ESC within a sequence begins it anew");
	tap_ok(ARE("\033[\033OB", KEY_DOWN) && ARE("\033O\033[B", KEY_DOWN), "at each place");
	tap_ok(ARE("\033[\rx", KEY_ENTER, 'x') && ARE("\033[3\x03", KEY_CTRL_C) &&
		       ARE("\033O\x7f", KEY_RUBOUT),
	       "a control character ends a sequence, and counts");
	tap_ok(ARE("\033[12\xff", 0xFF), "so does a byte of no terminal");
	begin();
	type("\033[");
	now += KEYS_PATIENCE;
	type("A");
	tap_ok(ngot == 1 && got[0] == KEY_UP, "a sequence may pause");
	begin();
	type("\033[");
	now += KEYS_PATIENCE + 1;
	type("help");
	tap_ok(ngot == 4 && got[0] == 'h', "but not for long: then it is dropped");
	begin();
	now = UINT32_MAX - 5;
	type("\033[");
	now += 10;
	type("A");
	tap_ok(ngot == 1 && got[0] == KEY_UP, "also while the ticks wrap");
}

/* However long it is, a sequence that never ends swallows no more than a few bytes. */
static void endless(void)
{
	begin();
	type("\033[");
	for (int i = 0; i < 100; i++)
		type("1;");
	tap_ok(ngot > 150, "a sequence that never ends is given up");
	begin();
	type("\033[111111111111111");
	tap_ok(ngot == 0, "up to its most bytes it is not");
}

static uint32_t next_random(void)
{
	static uint32_t state = 0x1234567;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

/* After whatever has come, Enter is Enter, and a known sequence behind it is its key. */
static void noise(void)
{
	static const char bytes[] = "\033\033\033[[O019;~ABHx\r\n\x03\x7f\xff";
	bool all = true;

	begin();
	for (int i = 0; i < ROUNDS; i++) {
		ngot = 0;
		for (uint32_t n = next_random() % 8; n > 0; n--)
			take((uint8_t)bytes[next_random() % (sizeof(bytes) - 1)]);
		now += next_random() % 3 * KEYS_PATIENCE;
		take(' '); /* so that no CR stands before */
		now += KEYS_PATIENCE + 1;
		ngot = 0;
		type("\n\033[A");
		all = all && ngot == 2 && got[0] == KEY_ENTER && got[1] == KEY_UP;
	}
	tap_ok(all, "noise is over when a sequence has had its time");
}

int main(void)
{
	letters();
	sequences();
	torn();
	endless();
	noise();
	return tap_end();
}
