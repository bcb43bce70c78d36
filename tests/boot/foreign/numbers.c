/* SPDX-License-Identifier: MIT */
/* Numbers with a point: by the x87, by SSE, and printed. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#define N 4096

typedef float four __attribute__((vector_size(16)));

static four vectors[N];

static float sum_of_vectors(void)
{
	four sum = { 0, 0, 0, 0 };

	for (int i = 0; i < N; i++)
		vectors[i] = (four){ (float)i, 1 / (float)(i + 1), (float)(i % 7), -0.5f };
	for (int round = 0; round < 200; round++)
		for (int i = 0; i < N; i++)
			sum += vectors[i] * vectors[(i * 17 + round) % N];
	return sum[0] / 1e6f + sum[1] + sum[2] + sum[3];
}

static double root_of(double x)
{
	double root = x;

	for (int i = 0; i < 60; i++)
		root = (root + x / root) / 2;
	return root;
}

/* By a series, in the 80 bits of the x87: pi = 16 atan(1/5) - 4 atan(1/239). */
static long double arctan_of_inverse(long double x)
{
	long double power = 1 / x, sum = 0;

	for (int i = 0; i < 40; i++) {
		sum += (i % 2 ? -power : power) / (2 * i + 1);
		power /= x * x;
	}
	return sum;
}

/* Beyond what 64 bits hold, and beyond what 80 do. */
static long double large_power(long double x, int n)
{
	long double power = 1;

	while (n-- > 0)
		power *= x;
	return power;
}

int main(void)
{
	static const char *const texts[] = { "1e400", "-2.5e-320", "0x1.8p3", "nan", "12abc" };
	long double pi = 16 * arctan_of_inverse(5) - 4 * arctan_of_inverse(239);

	printf("%.6f %.3e %g %a\n", 1.0 / 3, 123456.789e100, 1e-5, 0.1);
	printf("%.20Lf %Lg %Lg\n", pi, large_power(pi, 9000), large_power(pi, 99999));
	printf("%.17g %.17g\n", root_of(2), root_of(1e-300));
	printf("%.9g\n", (double)sum_of_vectors());
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		char *end;
		double value = strtod(texts[i], &end);

		printf("%s is %g, left '%s'\n", texts[i], value, end);
	}
	printf("%lld %llu %llx\n", LLONG_MIN / 7, ULLONG_MAX / 10, ULLONG_MAX << 3);
	return (int)(pi * 10);
}
