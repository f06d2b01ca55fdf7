/* Packed encoders: an ONNX file whose int8 matrices travel in four bits a weight.
 *
 * A packed file is the ONNX file cut into segments, all numbers little-endian:
 *
 *   "GYWT"  u32 version = 1  u32 segments  u32 bytes of the whole file
 *   then for each segment   u32 kind  u32 rows  u32 columns  and its data:
 *
 *   kind 0  literal          `rows` bytes as they are (columns = 1)
 *   kind 1  blocks in columns  an int8 matrix [rows, columns]; 32 rows of a column share a multiplier
 *   kind 2  blocks in rows     the same; 32 columns of a row share one
 *
 *   A matrix is  i8 codes[16]  u8 multipliers[ceil(rows/32)][columns] (kind 1)
 *                                         or [rows][ceil(columns/32)] (kind 2)
 *                u8 indices[rows][ceil(columns/2)], the low four bits first
 *   and its bytes are  (codes[index] * multiplier + 64) >> 7  with multipliers up to 127.
 *
 * `python -m model.fourbit` and `python -m model.export` write such files. */
#ifndef GYEOT_WEIGHTS_H
#define GYEOT_WEIGHTS_H

#include "gyeot_status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Reads the size of the whole file from a packed file's first bytes (16 are enough).
 * Fails with GYEOT_ERROR_FORMAT when they are not a packed file's, GYEOT_ERROR_UNSUPPORTED for a
 * newer version. `error` may be NULL. */
gyeot_status gyeot_weights_size(const uint8_t *packed, size_t packed_size, size_t *size,
                                gyeot_error *error);

/* Unpacks into `out`, the caller's, of exactly the `size` that gyeot_weights_size gave.
 * Fails with GYEOT_ERROR_FORMAT where the file is cut short, has bytes left over, or its segments do
 * not fill `out`; what `out` holds then is of no use. Never reads or writes outside. */
gyeot_status gyeot_weights_unpack(const uint8_t *packed, size_t packed_size, uint8_t *out,
                                  size_t size, gyeot_error *error);

#ifdef __cplusplus
}
#endif
#endif
