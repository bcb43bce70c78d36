/* SPDX-License-Identifier: MIT */
/* Formatted printing: one pass over the format, each piece handed to a sink. */
#include <printf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define PRECISION_NONE SIZE_MAX

struct spec {
	bool left, zero;
	size_t width, precision;
	unsigned int bytes; /* of the argument */
};

struct sink {
	printf_put *put;
	void *context;
	size_t written;
};

static void emit(struct sink *sink, const char *text, size_t n)
{
	if (n > 0)
		sink->put(sink->context, text, n);
	sink->written += n;
}

static void pad(struct sink *sink, char c, size_t n)
{
	while (n-- > 0)
		emit(sink, &c, 1);
}

/* Text in a field: `sign` stands before any zeros that fill the field. */
static void emit_field(struct sink *sink, const struct spec *spec, const char *sign,
		       const char *text, size_t n)
{
	size_t length = strlen(sign) + n;
	size_t fill = spec->width > length ? spec->width - length : 0;

	if (!spec->left && !spec->zero)
		pad(sink, ' ', fill);
	emit(sink, sign, strlen(sign));
	if (!spec->left && spec->zero)
		pad(sink, '0', fill);
	emit(sink, text, n);
	if (spec->left)
		pad(sink, ' ', fill);
}

/* Divides a 64-bit number by ten without a 64-bit division: there is no libgcc here. */
static unsigned int divide_by_ten(uint64_t *value)
{
	uint32_t high = (uint32_t)(*value >> 32), low = (uint32_t)*value;
	uint32_t quotient_high = high / 10, rest = high % 10, quotient_low;

	__asm__("divl %4" : "=a"(quotient_low), "=d"(rest) : "0"(low), "1"(rest), "rm"(10U) : "cc");
	*value = (uint64_t)quotient_high << 32 | quotient_low;
	return rest;
}

static void emit_decimal(struct sink *sink, const struct spec *spec, uint64_t value, bool negative)
{
	char digits[20];
	size_t n = sizeof(digits);

	do
		digits[--n] = (char)('0' + divide_by_ten(&value));
	while (value > 0);
	emit_field(sink, spec, negative ? "-" : "", digits + n, sizeof(digits) - n);
}

static void emit_hex(struct sink *sink, const struct spec *spec, uint64_t value, const char *prefix,
		     bool upper)
{
	const char *set = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char digits[16];
	size_t n = sizeof(digits);

	do
		digits[--n] = set[value & 15];
	while ((value >>= 4) > 0);
	emit_field(sink, spec, prefix, digits + n, sizeof(digits) - n);
}

static size_t parse_number(const char **fmt)
{
	size_t n = 0;

	while (**fmt >= '0' && **fmt <= '9')
		n = n * 10 + (size_t)(*(*fmt)++ - '0');
	return n;
}

/* A width or a precision, without the sign that it may have as an argument. */
static size_t parse_size(const char **fmt, va_list *args, bool *negative)
{
	int n;

	*negative = false;
	if (**fmt != '*')
		return parse_number(fmt);
	(*fmt)++;
	n = va_arg(*args, int);
	*negative = n < 0;
	return *negative ? -(size_t)n : (size_t)n;
}

static void parse_length(struct spec *spec, const char **fmt)
{
	for (;; (*fmt)++) {
		if (**fmt == 'h')
			spec->bytes = spec->bytes == sizeof(short) ? 1 : sizeof(short);
		else if (**fmt == 'l' && (*fmt)[1] == 'l')
			spec->bytes = sizeof(long long);
		else if (**fmt == 'l' && spec->bytes < sizeof(long))
			spec->bytes = sizeof(long);
		else if (**fmt == 'j')
			spec->bytes = sizeof(intmax_t);
		else if (**fmt != 'l' && **fmt != 'z' && **fmt != 't')
			break;
	}
}

static struct spec parse_spec(const char **fmt, va_list *args)
{
	struct spec spec = { .precision = PRECISION_NONE, .bytes = sizeof(int) };
	bool negative;

	for (;; (*fmt)++) {
		if (**fmt == '-')
			spec.left = true;
		else if (**fmt == '0')
			spec.zero = true;
		else
			break;
	}
	spec.width = parse_size(fmt, args, &negative);
	spec.left |= negative;
	if (**fmt == '.') {
		(*fmt)++;
		spec.precision = parse_size(fmt, args, &negative);
		if (negative)
			spec.precision = PRECISION_NONE;
	}
	parse_length(&spec, fmt);
	return spec;
}

static uint64_t unsigned_argument(const struct spec *spec, va_list *args)
{
	uint32_t value;

	if (spec->bytes == 8)
		return va_arg(*args, uint64_t);
	value = va_arg(*args, uint32_t);
	return spec->bytes == 1 ? (uint8_t)value : spec->bytes == 2 ? (uint16_t)value : value;
}

static int64_t signed_argument(const struct spec *spec, va_list *args)
{
	int32_t value;

	if (spec->bytes == 8)
		return va_arg(*args, int64_t);
	value = va_arg(*args, int32_t);
	return spec->bytes == 1 ? (int8_t)value : spec->bytes == 2 ? (int16_t)value : value;
}

static void emit_signed(struct sink *sink, const struct spec *spec, int64_t value)
{
	emit_decimal(sink, spec, value < 0 ? -(uint64_t)value : (uint64_t)value, value < 0);
}

static void emit_string(struct sink *sink, const struct spec *spec, const char *s)
{
	if (!s)
		s = "(null)";
	emit_field(sink, spec, "", s, strnlen(s, spec->precision));
}

static void emit_pointer(struct sink *sink, const void *p)
{
	const struct spec spec = { .zero = true, .width = 2 + 2 * sizeof(p) };

	emit_hex(sink, &spec, (uintptr_t)p, "0x", false);
}

/* False if @conversion is none of ours. */
static bool convert(struct sink *sink, const struct spec *spec, char conversion, va_list *args)
{
	char c;

	switch (conversion) {
	case 'd':
	case 'i':
		emit_signed(sink, spec, signed_argument(spec, args));
		return true;
	case 'u':
		emit_decimal(sink, spec, unsigned_argument(spec, args), false);
		return true;
	case 'x':
	case 'X':
		emit_hex(sink, spec, unsigned_argument(spec, args), "", conversion == 'X');
		return true;
	case 'p':
		emit_pointer(sink, va_arg(*args, void *));
		return true;
	case 'c':
		c = (char)va_arg(*args, int);
		emit_field(sink, spec, "", &c, 1);
		return true;
	case 's':
		emit_string(sink, spec, va_arg(*args, const char *));
		return true;
	case '%':
		emit(sink, "%", 1);
		return true;
	default:
		return false;
	}
}

int vprintf_to(printf_put *put, void *context, const char *fmt, va_list args)
{
	struct sink sink = { .put = put, .context = context };
	va_list copy; /* a va_list parameter may be an array, and then has no address of its own */

	va_copy(copy, args);
	while (*fmt) {
		const char *start = fmt;
		struct spec spec;

		while (*fmt && *fmt != '%')
			fmt++;
		emit(&sink, start, (size_t)(fmt - start));
		if (!*fmt)
			break;
		start = fmt++;
		spec = parse_spec(&fmt, &copy);
		if (*fmt && convert(&sink, &spec, *fmt, &copy))
			fmt++;
		else
			emit(&sink, start, (size_t)(fmt - start));
	}
	va_end(copy);
	return (int)sink.written;
}

struct buffer {
	char *text;
	size_t size, used;
};

static void put_buffer(void *context, const char *text, size_t n)
{
	struct buffer *buffer = context;
	size_t room = buffer->size > buffer->used ? buffer->size - buffer->used : 0;

	memcpy(buffer->text + buffer->used, text, n < room ? n : room);
	buffer->used += n < room ? n : room;
}

int vsnprintf(char *text, size_t size, const char *fmt, va_list args)
{
	struct buffer buffer = { .text = text, .size = size > 0 ? size - 1 : 0 };
	int length = vprintf_to(put_buffer, &buffer, fmt, args);

	if (size > 0)
		text[buffer.used] = '\0';
	return length;
}

int snprintf(char *text, size_t size, const char *fmt, ...)
{
	va_list args;
	int length;

	va_start(args, fmt);
	length = vsnprintf(text, size, fmt, args);
	va_end(args);
	return length;
}
