/* SPDX-License-Identifier: MIT */
/* A program of which linkers make all kinds of ELF files, for elf_test.c. */
int main(void);

static int heap[4];

/* With nothing but itself: here a program begins, and it has a note about its heap. */
#ifdef BARE
void _start(void);

__asm__(".pushsection .note.fencepost, \"a\", @note\n"
	".long 10, 4, 1\n"
	".asciz \"Fencepost\"\n"
	".balign 4\n"
	".long heap\n"
	".popsection\n");

void _start(void)
{
	__asm__ volatile("int $0x80" : : "a"(1), "b"(main()));
	__builtin_unreachable();
}
#endif

int main(void)
{
	static int *volatile used = heap;

	return used[3];
}
