/* From pieces back to text: the decoders of Hugging Face tokenizers. */
#ifndef GYEOT_HF_DECODE_H
#define GYEOT_HF_DECODE_H

#include <stdbool.h>

#include "alloc.h"

typedef enum gyeot_decoder_kind {
  GYEOT_DECODE_WORDPIECE,     /* first: the prefix of inner pieces; flag: clean up */
  GYEOT_DECODE_METASPACE,     /* first: the mark; flag: the first piece's mark was put by us */
  GYEOT_DECODE_REPLACE,       /* first → second */
  GYEOT_DECODE_STRIP,         /* first: one character; begin and end: how many to take off */
  GYEOT_DECODE_FUSE,          /* all pieces become one */
  GYEOT_DECODE_BYTE_FALLBACK, /* <0xEA> is a byte */
  GYEOT_DECODE_SPACES         /* no decoder: spaces between pieces */
} gyeot_decoder_kind;

/* Texts are owned by the list, from its allocator. */
typedef struct gyeot_decoder {
  gyeot_decoder_kind kind;
  uint8_t *first, *second;
  size_t first_size, second_size;
  size_t begin, end;
  bool flag;
} gyeot_decoder;

typedef struct gyeot_decoders {
  gyeot_decoder *steps;
  size_t count, capacity;
} gyeot_decoders;

void gyeot_decoders_free(gyeot_decoders *decoders, const gyeot_allocator *allocator);

/* Appends a step; copies the texts. */
gyeot_status gyeot_decoders_add(gyeot_decoders *decoders, const gyeot_allocator *allocator,
                                gyeot_decoder step);

/* Pieces as one pool and where each ends in it. */
typedef struct gyeot_strings {
  uint8_t *pool;
  size_t size, capacity;
  size_t *ends;
  size_t count, ends_capacity;
} gyeot_strings;

void gyeot_strings_free(gyeot_strings *strings, const gyeot_allocator *allocator);

/* Adds bytes to the piece that is being written; then ends it. */
gyeot_status gyeot_strings_write(gyeot_strings *strings, const gyeot_allocator *allocator,
                                 const uint8_t *text, size_t size);
gyeot_status gyeot_strings_end(gyeot_strings *strings, const gyeot_allocator *allocator);

/* Runs all steps; `strings` holds the result, whose pool is the text. */
gyeot_status gyeot_decoders_run(const gyeot_decoders *decoders, const gyeot_allocator *allocator,
                                gyeot_strings *strings);

#endif
