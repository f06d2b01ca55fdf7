/* Canonical reordering: a run of combining marks sorted by combining class, marks of one class
 * keeping their order. Linear in the run, however long. */
#ifndef GYEOT_HF_REORDER_H
#define GYEOT_HF_REORDER_H

#include <stdbool.h>

#include "alloc.h"

/* `inserted`: the mark is not the first character of a decomposition. Spans of the original text
 * stay in place while marks move: the n-th mark that is not inserted has the n-th span of the run,
 * an inserted one has that of its predecessor. (So it is in the reference.) */
typedef struct gyeot_mark {
  uint32_t character;
  uint8_t class_;
  bool inserted;
} gyeot_mark;

/* `spare` is memory for `count` marks. */
void gyeot_reorder(gyeot_mark *marks, size_t count, gyeot_mark *spare);

#endif
