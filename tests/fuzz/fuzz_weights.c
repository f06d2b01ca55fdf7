/* Any bytes as a packed encoder: it fills exactly the size that it names, with the same bytes each
 * time, or is refused with a message. The blocks are of just the size, so that the sanitizers see a
 * step outside of them. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gyeot_weights.h"

/* Larger files than a few segments need would only be slow to clear. */
enum { SIZE_MAX_TRIED = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static gyeot_status unpack(const uint8_t *packed, size_t packed_size, uint8_t *out, size_t size,
                           int fill) {
  gyeot_error error = {GYEOT_OK, ""};
  memset(out, fill, size);
  gyeot_status status = gyeot_weights_unpack(packed, packed_size, out, size, &error);
  if (status != GYEOT_OK && (error.status != status || error.message[0] == '\0')) abort();
  return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  size_t whole;
  gyeot_error error = {GYEOT_OK, ""};
  gyeot_status status = gyeot_weights_size(data, size, &whole, &error);
  if (status != GYEOT_OK) {
    if (error.status != status || error.message[0] == '\0') abort();
    return 0;
  }
  if (whole > SIZE_MAX_TRIED) return 0;
  uint8_t *packed = malloc(size), *second = malloc(whole + 1);
  uint8_t *first = malloc(whole == 0 ? 1 : whole);
  if (packed == NULL || first == NULL || second == NULL) abort();
  memcpy(packed, data, size);
  /* The last byte of `second` is not the unpacker's; builds without sanitizers see it change. */
  second[whole] = 0xA5;
  status = unpack(packed, size, first, whole, 0);
  if (unpack(packed, size, second, whole, 0xFF) != status || second[whole] != 0xA5) abort();
  if (status == GYEOT_OK && memcmp(first, second, whole) != 0) abort();
  if (gyeot_weights_unpack(packed, size, first, whole + 1, NULL) != GYEOT_ERROR_ARGUMENT) abort();
  free(packed);
  free(first);
  free(second);
  return 0;
}
