/* SPDX-License-Identifier: MIT */
#include "tests/kernel/program.h"
#include "kernel/mm/layout.h"

#include <string.h>

#define CODE_MAX   (2 * PAGE_SIZE)
#define DATA_AT	   (CODE_MAX + PAGE_SIZE)
#define PT_LOAD	   1U
#define ET_EXEC	   2
#define EM_386	   3
#define MAY_READ   4U
#define MAY_WRITE  2U
#define MAY_RUN	   1U
#define HEADERS	   2
#define CODE_START (PROGRAM_CODE - PROGRAM_TEXT)

USER_CODE(script);

struct program_header {
	uint32_t type, offset, address, physical, file_size, size, flags, align;
};

struct headers {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version, entry, headers_at, sections_at, flags;
	uint16_t header_size, entry_size, nheaders, section_size, nsections, names;
	struct program_header program[HEADERS];
};

static const struct headers headers = {
	.ident = { 0x7F, 'E', 'L', 'F', 1, 1, 1 },
	.type = ET_EXEC,
	.machine = EM_386,
	.version = 1,
	.entry = PROGRAM_CODE,
	.headers_at = 52,
	.header_size = 52,
	.entry_size = sizeof(struct program_header),
	.nheaders = HEADERS,
	.program = { { .type = PT_LOAD,
		       .address = PROGRAM_TEXT,
		       .file_size = CODE_MAX,
		       .size = CODE_MAX,
		       .flags = MAY_READ | MAY_RUN,
		       .align = PAGE_SIZE },
		     { .type = PT_LOAD,
		       .offset = DATA_AT,
		       .address = PROGRAM_DATA,
		       .size = PROGRAM_DATA_SIZE,
		       .flags = MAY_READ | MAY_WRITE,
		       .align = PAGE_SIZE } },
};

static union {
	char bytes[DATA_AT + SCRIPT_SIZE];
	struct headers headers;
} file;
static char long_said[SCRIPT_SIZE + 4 * PAGE_SIZE];

static void catch_output(void *context, const char *text, size_t n)
{
	struct program *program = context;
	size_t room = program->room - 1 - program->length;

	n = n < room ? n : room;
	memcpy(program->said + program->length, text, n);
	program->length += n;
	program->said[program->length] = '\0';
}

static int give_input(void *context)
{
	struct program *program = context;

	if (program->typed && *program->typed)
		return (unsigned char)*program->typed++;
	return program->more ? PROCESS_INPUT_NONE : PROCESS_INPUT_END;
}

static void prepare(struct program *program, const void *bytes, size_t size)
{
	memset(program, 0, sizeof(*program));
	program->said = program->buffer;
	program->room = sizeof(program->buffer);
	program->options = (struct process_options){ .name = "test",
						     .file = bytes,
						     .size = size,
						     .output = catch_output,
						     .input = give_input,
						     .context = program,
						     .end = &program->end };
}

static void catch_much(struct program *program)
{
	program->said = long_said;
	program->room = sizeof(long_said);
	long_said[0] = '\0';
}

void program_make(struct program *program, const void *code, const void *code_end, const void *data,
		  size_t size)
{
	prepare(program, &file, sizeof(file));
	memset(file.bytes, 0, DATA_AT);
	file.headers = headers;
	file.headers.program[1].file_size = size;
	memcpy(file.bytes + CODE_START, code,
	       (size_t)((const char *)code_end - (const char *)code));
	if (size > 0)
		memcpy(file.bytes + DATA_AT, data, size);
}

void program_make_of_file(struct program *program, const void *bytes, size_t size)
{
	prepare(program, bytes, size);
	catch_much(program);
}

bool program_start(struct program *program)
{
	return !process_create(&program->options, &program->process);
}

void program_run_all(void)
{
	while (process_step())
		;
}

enum process_fate program_run(struct program *program, const void *code, const void *code_end)
{
	program_make(program, code, code_end, NULL, 0);
	if (program_start(program))
		program_run_all();
	return program->end.fate;
}

static size_t count_steps(const struct step *steps)
{
	size_t n = 0;

	while (steps[n].call != SCRIPT_END)
		n++;
	return n;
}

void script_make(struct program *program, const struct step *steps)
{
	program_make(program, user_script, user_script_end, steps,
		     (count_steps(steps) + 1) * sizeof(steps[0]));
	catch_much(program);
}

/* The program ends by writing all of its steps. What it has written before is left in @said. */
enum process_fate script_run(struct program *program, struct step *steps)
{
	size_t size = count_steps(steps) * sizeof(steps[0]);

	script_make(program, steps);
	if (program_start(program))
		program_run_all();
	if (program->end.fate == PROCESS_EXITED && program->length >= size) {
		program->length -= size;
		memcpy(steps, program->said + program->length, size);
		program->said[program->length] = '\0';
	}
	return program->end.fate;
}
