/* Internal side of the allocation gate. */
#ifndef GYEOT_ALLOC_H
#define GYEOT_ALLOC_H

#include "gyeot_status.h"

/* For a loop's body that a load runs many times. A browser starts a WebAssembly function in slow code
 * and changes to fast code only between calls: inlined into its loop, the body would stay slow. */
#if defined(__GNUC__)
#define GYEOT_NOINLINE __attribute__((noinline))
#else
#define GYEOT_NOINLINE
#endif

/* The allocator to store in an object: a copy of `given`, or malloc and free when it is NULL. */
gyeot_allocator gyeot_allocator_or_default(const gyeot_allocator *given);

/* NULL when out of memory, or when count * size overflows. count * size must not be 0. */
void *gyeot_allocate(const gyeot_allocator *allocator, size_t count, size_t size);
void *gyeot_reallocate(const gyeot_allocator *allocator, void *block, size_t count, size_t size);
void gyeot_deallocate(const gyeot_allocator *allocator, void *block);

/* Grows *block (an array of *capacity elements) to hold at least `needed`, doubling. On failure the
 * block and its capacity stay as they were. */
gyeot_status gyeot_grow(const gyeot_allocator *allocator, void **block, size_t *capacity,
                        size_t needed, size_t size);

/* Writes status and a printf-style message to `error` (which may be NULL) and returns the status.
 * Only %s, %d, %u, %zu and %% are understood. */
gyeot_status gyeot_fail(gyeot_error *error, gyeot_status status, const char *format, ...);

#endif
