/* Status codes, error details and the allocation gate: what every part of the core shares.
 *
 * Conventions that hold in every header of the core:
 *   - A function that can fail returns a gyeot_status. On failure no out-parameter is written and
 *     the object it worked on is as it was before the call.
 *   - Objects are opaque, made by *_new or *_load_* and given back with *_free; freeing NULL is fine.
 *   - A const object is only read, so one object may serve several threads at once.
 *   - Text is UTF-8 given as pointer and byte count; NUL is data. Malformed UTF-8 is data too: each
 *     bad byte reads as U+FFFD.
 */
#ifndef GYEOT_STATUS_H
#define GYEOT_STATUS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum gyeot_status {
  GYEOT_OK = 0,
  GYEOT_ERROR_MEMORY = 1,      /* the allocator returned NULL */
  GYEOT_ERROR_ARGUMENT = 2,    /* a NULL, a size or an enum out of range, dimensions that disagree */
  GYEOT_ERROR_FORMAT = 3,      /* the bytes are not what they were said to be */
  GYEOT_ERROR_UNSUPPORTED = 4, /* well-formed, but of a kind that the core refuses by name */
  GYEOT_ERROR_LIMIT = 5        /* larger than the documented limit */
} gyeot_status;

/* Details of a failure, filled by functions that read files. The caller owns it; `message` is a
 * NUL-terminated UTF-8 sentence that says what was wrong and where ("" after success). */
typedef struct gyeot_error {
  gyeot_status status;
  char message[256];
} gyeot_error;

/* Stable lower-case name of a status ("format"); "unknown" for a value outside the enum. */
const char *gyeot_status_name(gyeot_status status);

/* The one gate to memory. `reallocate` behaves as C's realloc, except that size 0 frees `block` and
 * returns NULL. A NULL allocator argument anywhere means malloc and free. Objects copy the struct,
 * so it need not outlive the call; `context` must outlive the objects. */
typedef struct gyeot_allocator {
  void *(*reallocate)(void *context, void *block, size_t size);
  void *context;
} gyeot_allocator;

#ifdef __cplusplus
}
#endif
#endif
