/* A reader of the protobuf wire format: fields in file order, nothing copied. */
#ifndef GYEOT_PROTOBUF_H
#define GYEOT_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum gyeot_wire {
  GYEOT_WIRE_VARINT = 0,
  GYEOT_WIRE_FIXED64 = 1,
  GYEOT_WIRE_BYTES = 2,
  GYEOT_WIRE_GROUP = 3, /* already skipped when it is reported */
  GYEOT_WIRE_FIXED32 = 5
} gyeot_wire;

typedef struct gyeot_protobuf {
  const uint8_t *at, *end;
  bool broken; /* the bytes up to here are not protobuf */
} gyeot_protobuf;

typedef struct gyeot_field {
  uint32_t number;
  gyeot_wire wire;
  uint64_t value;       /* of varint, fixed32 and fixed64 */
  const uint8_t *bytes; /* of bytes: the content, and its size in `value` */
} gyeot_field;

/* Reads the next field. False at the end of the message, or when it is broken. */
bool gyeot_protobuf_next(gyeot_protobuf *reader, gyeot_field *field);

/* Reads a varint (at most ten bytes); false when there is none. */
bool gyeot_protobuf_varint(gyeot_protobuf *reader, uint64_t *value);

/* A reader over a field of wire type bytes. */
static inline gyeot_protobuf gyeot_protobuf_inside(const gyeot_field *field) {
  return (gyeot_protobuf){field->bytes, field->bytes + field->value, false};
}

#endif
