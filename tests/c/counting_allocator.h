/* An allocator that fails when told to, and knows what has not been given back. */
#ifndef COUNTING_ALLOCATOR_H
#define COUNTING_ALLOCATOR_H

#include <stddef.h>
#include <stdlib.h>

#include "gyeot_status.h"

typedef struct counting_allocator {
  size_t calls;   /* requests so far */
  size_t fail_at; /* the request that fails, counted from 1; 0: none */
  size_t blocks;  /* alive */
  size_t bytes, peak;
} counting_allocator;

/* The size stands before each block. */
static inline void *counting_reallocate(void *context, void *block, size_t size) {
  counting_allocator *counts = context;
  size_t *old = block == NULL ? NULL : (size_t *)block - 2;
  if (size == 0) {
    if (old != NULL) {
      counts->blocks--;
      counts->bytes -= *old;
    }
    free(old);
    return NULL;
  }
  if (++counts->calls == counts->fail_at) return NULL;
  size_t before = old == NULL ? 0 : *old;
  size_t *made = realloc(old, size + 2 * sizeof(size_t));
  if (made == NULL) return NULL;
  if (old == NULL) counts->blocks++;
  counts->bytes += size - before;
  if (counts->bytes > counts->peak) counts->peak = counts->bytes;
  *made = size;
  return made + 2;
}

static inline gyeot_allocator counting_gate(counting_allocator *counts) {
  return (gyeot_allocator){counting_reallocate, counts};
}

#endif
