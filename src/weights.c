#include "gyeot_weights.h"

#include <stdbool.h>
#include <string.h>

#include "alloc.h"
#include "weights_kernels.h"

enum { HEADER = 16, SEGMENT = 12, CODES = 16, BLOCK = 32 };

typedef enum segment_kind { LITERAL = 0, BLOCKS_IN_COLUMNS = 1, BLOCKS_IN_ROWS = 2 } segment_kind;

/* What is left to read, and where to write. */
typedef struct cursor {
  const uint8_t *at, *end;
  uint8_t *out, *out_end;
} cursor;

static uint32_t u32(const uint8_t *at) {
  return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static gyeot_status broken(gyeot_error *error, const char *what) {
  return gyeot_fail(error, GYEOT_ERROR_FORMAT, "packed weights: %s", what);
}

gyeot_status gyeot_weights_size(const uint8_t *packed, size_t packed_size, size_t *size,
                                gyeot_error *error) {
  if (packed_size < HEADER || memcmp(packed, "GYWT", 4) != 0)
    return broken(error, "the file does not begin as one");
  uint32_t version = u32(packed + 4);
  if (version != 1)
    return gyeot_fail(error, GYEOT_ERROR_UNSUPPORTED,
                      "packed weights: version %u is newer than the one that can be read, 1",
                      (unsigned)version);
  *size = u32(packed + 12);
  return GYEOT_OK;
}

static bool copy_literal(cursor *c, uint32_t bytes) {
  if ((size_t)(c->end - c->at) < bytes || (size_t)(c->out_end - c->out) < bytes) return false;
  if (bytes > 0) memcpy(c->out, c->at, bytes);
  c->at += bytes;
  c->out += bytes;
  return true;
}

static bool unpack_matrix(cursor *c, segment_kind kind, uint32_t rows, uint32_t columns) {
  uint64_t down = kind == BLOCKS_IN_COLUMNS ? ((uint64_t)rows + BLOCK - 1) / BLOCK : rows;
  uint64_t across = kind == BLOCKS_IN_ROWS ? ((uint64_t)columns + BLOCK - 1) / BLOCK : columns;
  uint64_t width = ((uint64_t)columns + 1) / 2;
  /* Each factor is below 2^32, so none of the products overflows. */
  uint64_t left = (uint64_t)(c->end - c->at), room = (uint64_t)(c->out_end - c->out);
  if (rows == 0 || columns == 0 || (uint64_t)rows * columns > room || left < CODES || down * across > left - CODES ||
      rows * width > left - CODES - down * across)
    return false;
  const int8_t *codes = (const int8_t *)c->at;
  const uint8_t *multipliers = c->at + CODES;
  const uint8_t *indices = multipliers + down * across;
  int8_t *out = (int8_t *)c->out;
  for (uint32_t row = 0; row < rows; row++, indices += width, out += columns) {
    if (kind == BLOCKS_IN_COLUMNS)
      gyeot_unpack_each(codes, indices, multipliers + (size_t)(row / BLOCK) * columns, columns, out);
    else
      gyeot_unpack_blocks(codes, indices, multipliers + (size_t)row * across, columns, out);
  }
  c->at = indices;
  c->out = (uint8_t *)out;
  return true;
}

gyeot_status gyeot_weights_unpack(const uint8_t *packed, size_t packed_size, uint8_t *out,
                                  size_t size, gyeot_error *error) {
  size_t whole;
  gyeot_status status = gyeot_weights_size(packed, packed_size, &whole, error);
  if (status != GYEOT_OK) return status;
  if (whole != size) return GYEOT_ERROR_ARGUMENT;
  cursor c = {packed + HEADER, packed + packed_size, out, out + size};
  for (uint32_t left = u32(packed + 8); left > 0; left--) {
    if (c.end - c.at < SEGMENT) return broken(error, "the file is cut short");
    uint32_t kind = u32(c.at), rows = u32(c.at + 4), columns = u32(c.at + 8);
    c.at += SEGMENT;
    bool good = false;
    if (kind == LITERAL) good = columns == 1 && copy_literal(&c, rows);
    else if (kind <= BLOCKS_IN_ROWS) good = unpack_matrix(&c, (segment_kind)kind, rows, columns);
    if (!good) return broken(error, "a segment is unknown, cut short or too large");
  }
  if (c.at != c.end) return broken(error, "there is something behind the last segment");
  if (c.out != c.out_end) return broken(error, "the segments do not make up the whole file");
  return GYEOT_OK;
}
