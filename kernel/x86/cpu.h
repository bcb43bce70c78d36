/* SPDX-License-Identifier: MIT */
/* Single instructions of the processor that C has no words for. */
#ifndef KERNEL_X86_CPU_H
#define KERNEL_X86_CPU_H

#include <stdint.h>

#define EFLAGS_TF 0x100
#define EFLAGS_IF 0x200UL
#define CR0_MP	  0x00000002UL /* these three: how the floating-point unit is used */
#define CR0_EM	  0x00000004UL
#define CR0_TS	  0x00000008UL
#define CR0_NE	  0x00000020UL /* its errors are exceptions, not interrupts */
#define CR0_WP	  0x00010000UL
#define CR0_PG	  0x80000000UL

#define CR4_OSFXSR     0x200UL /* SSE may be used, and fxsave saves it */
#define CR4_OSXMMEXCPT 0x400UL /* its errors are exceptions of their own */

/* What lgdt and lidt are given. */
struct table_pointer {
	uint16_t limit;
	uint32_t base;
} __attribute__((packed));

static inline void outb(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline void outl(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void irq_enable(void)
{
	__asm__ volatile("sti" : : : "memory");
}

static inline void irq_disable(void)
{
	__asm__ volatile("cli" : : : "memory");
}

/* Interrupts off; the flags as they were, for irq_restore(). Nests. */
static inline unsigned long irq_save(void)
{
	unsigned long flags;

	__asm__ volatile("pushf; pop %0; cli" : "=r"(flags) : : "memory");
	return flags;
}

static inline void irq_restore(unsigned long flags)
{
	if (flags & EFLAGS_IF)
		irq_enable();
}

/* Sleeps until the next interrupt, also if that is pending already. */
static inline void cpu_idle(void)
{
	__asm__ volatile("sti; hlt" : : : "memory");
}

static inline unsigned long read_cr0(void)
{
	unsigned long value;

	__asm__ volatile("mov %%cr0, %0" : "=r"(value));
	return value;
}

static inline void write_cr0(unsigned long value)
{
	__asm__ volatile("mov %0, %%cr0" : : "r"(value) : "memory");
}

static inline unsigned long read_cr2(void)
{
	unsigned long value;

	__asm__ volatile("mov %%cr2, %0" : "=r"(value));
	return value;
}

static inline unsigned long read_cr3(void)
{
	unsigned long value;

	__asm__ volatile("mov %%cr3, %0" : "=r"(value));
	return value;
}

static inline void write_cr3(unsigned long value)
{
	__asm__ volatile("mov %0, %%cr3" : : "r"(value) : "memory");
}

static inline unsigned long read_cr4(void)
{
	unsigned long value;

	__asm__ volatile("mov %%cr4, %0" : "=r"(value));
	return value;
}

static inline void write_cr4(unsigned long value)
{
	__asm__ volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}

/* cpuid's words in eax and edx for a leaf. */
static inline uint64_t cpuid(uint32_t leaf)
{
	uint32_t eax = leaf, ebx, ecx = 0, edx;

	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	return (uint64_t)edx << 32 | eax;
}

/* What the processor can do: a bit for each feature. */
static inline uint32_t cpu_features(void)
{
	return (uint32_t)(cpuid(1) >> 32);
}

#define CPU_FPU	     0x00000001U
#define CPU_SYSENTER 0x00000800U
#define CPU_FXSR     0x01000000U
#define CPU_SSE	     0x02000000U

/* The same for what AMD has begun; 0 if there is none of it. */
static inline uint32_t cpu_extended_features(void)
{
	return (uint32_t)cpuid(0x80000000U) > 0x80000000U ? (uint32_t)(cpuid(0x80000001U) >> 32)
							  : 0;
}

#define CPU_SYSCALL 0x00000800U

static inline uint64_t rdmsr(uint32_t number)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number));
	return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t number, uint64_t value)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(number), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "memory");
}

#define MSR_SYSENTER_CS 0x174U
#define MSR_EFER	0xC0000080U
#define EFER_SYSCALL	0x1U

static inline void tlb_flush_page(uintptr_t address)
{
	__asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

static inline uint64_t rdtsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

#endif
