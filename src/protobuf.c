#include "protobuf.h"

/* protobuf's own limit on nested messages. */
enum { GROUPS_MAX = 100 };

bool gyeot_protobuf_varint(gyeot_protobuf *reader, uint64_t *value) {
  uint64_t read = 0;
  for (unsigned shift = 0; shift < 70 && reader->at < reader->end; shift += 7) {
    uint8_t byte = *reader->at++;
    read |= shift < 64 ? (uint64_t)(byte & 0x7F) << shift : 0;
    if (byte < 0x80) {
      *value = read;
      return true;
    }
  }
  reader->broken = true;
  return false;
}

static bool fixed(gyeot_protobuf *reader, size_t bytes, uint64_t *value) {
  if ((size_t)(reader->end - reader->at) < bytes) return false;
  *value = 0;
  for (size_t i = 0; i < bytes; i++) *value |= (uint64_t)reader->at[i] << (8 * i);
  reader->at += bytes;
  return true;
}

static bool next_within(gyeot_protobuf *reader, gyeot_field *field, int depth);

/* Skips to the end of the group `number`, which may hold groups. */
static bool skip_group(gyeot_protobuf *reader, uint32_t number, int depth) {
  if (depth >= GROUPS_MAX) return false;
  gyeot_field inner;
  while (next_within(reader, &inner, depth + 1))
    if (inner.wire == (gyeot_wire)4) return inner.number == number;
  return false;
}

static bool next_within(gyeot_protobuf *reader, gyeot_field *field, int depth) {
  if (reader->broken || reader->at >= reader->end) return false;
  uint64_t tag;
  if (!gyeot_protobuf_varint(reader, &tag)) return false;
  field->number = (uint32_t)tag >> 3;
  field->wire = (gyeot_wire)(tag & 7);
  field->value = 0;
  field->bytes = NULL;
  bool good = tag <= UINT32_MAX && field->number != 0;
  switch (tag & 7) {
    case 0: good = good && gyeot_protobuf_varint(reader, &field->value); break;
    case 1: good = good && fixed(reader, 8, &field->value); break;
    case 2:
      good = good && gyeot_protobuf_varint(reader, &field->value) &&
             field->value <= (uint64_t)(reader->end - reader->at);
      if (good) {
        field->bytes = reader->at;
        reader->at += field->value;
      }
      break;
    case 3: good = good && skip_group(reader, field->number, depth); break;
    case 4: good = good && depth > 0; break;
    case 5: good = good && fixed(reader, 4, &field->value); break;
    default: good = false; break;
  }
  if (!good) reader->broken = true;
  return good;
}

bool gyeot_protobuf_next(gyeot_protobuf *reader, gyeot_field *field) {
  return next_within(reader, field, 0);
}
