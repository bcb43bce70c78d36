# SPDX-License-Identifier: MIT
# Work for an interpreter whose every object comes from malloc (PYTHONMALLOC=malloc).
import json
import re
import threading


def primes(most):
    sieve = bytearray([1]) * (most + 1)
    for n in range(2, int(most ** 0.5) + 1):
        if sieve[n]:
            sieve[n * n :: n] = bytes(len(range(n * n, most + 1, n)))
    return [n for n in range(2, most + 1) if sieve[n]]


def words(text):
    counts = {}
    for word in re.findall(r"[a-z_]+", text):
        counts[word] = counts.get(word, 0) + 1
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def grow(results, i):
    rows = [{"n": n, "text": "x" * (n * i % 97), "list": list(range(n % 13))} for n in range(3000)]
    results[i] = json.loads(json.dumps(rows)) == rows


results = {}
threads = [threading.Thread(target=grow, args=(results, i)) for i in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sorted(results.items()))
print(sum(primes(200000)), 3 ** 5000 % (10 ** 40 + 7))
with open("kernel/mm/heap.c") as source:
    for word, count in words(source.read())[:50]:
        print(count, word)
