/* A text on its way through a pipeline: its characters, and for each the stretch of the original
 * text (byte positions) that it came from. */
#ifndef GYEOT_HF_TEXT_H
#define GYEOT_HF_TEXT_H

#include "tokenizer_engine.h"

/* Scratch blocks of the pipeline; hf_bert.c has the first six to itself. */
enum {
  GYEOT_BLOCK_TEXT = 6,   /* three: characters, begins, ends */
  GYEOT_BLOCK_SPARE = 9,  /* three */
  GYEOT_BLOCK_THIRD = 12, /* three */
  GYEOT_BLOCK_PIECES = 15,
  GYEOT_BLOCK_SPARE_PIECES,
  GYEOT_BLOCK_MARKS,
  GYEOT_BLOCK_MARKS_SPARE,
  GYEOT_BLOCK_WAITING,
  GYEOT_BLOCK_BYTES,
  GYEOT_BLOCK_UNIGRAM /* two */
};

/* The arrays lie in three scratch blocks, from `block` on. */
typedef struct gyeot_text {
  gyeot_sink *sink;
  size_t block;
  uint32_t *characters, *begins, *ends;
  size_t length, capacity;
} gyeot_text;

/* A part of a text that the model sees as one: characters from..to. `origin` is the byte position
 * in the original text at which it begins. */
typedef struct gyeot_part {
  size_t from, to;
  uint32_t origin;
} gyeot_part;

gyeot_status gyeot_text_reserve(gyeot_text *text, size_t length);

static inline gyeot_status gyeot_text_push(gyeot_text *text, uint32_t character, uint32_t begin,
                                           uint32_t end) {
  if (text->length == text->capacity) {
    gyeot_status status = gyeot_text_reserve(text, text->length + 1);
    if (status != GYEOT_OK) return status;
  }
  text->characters[text->length] = character;
  text->begins[text->length] = begin;
  text->ends[text->length] = end;
  text->length++;
  return GYEOT_OK;
}

/* Rewrites `in` to `out` as a sequence of changes, in the terms of the reference: change 0 takes
 * the place of the next character, 1 is inserted and shares the stretch of the one before it, -n
 * takes the place of the next character and swallows n more. Stretches follow from these counts
 * alone, also where the counts do not fit the characters. */
typedef struct gyeot_rewrite {
  const gyeot_text *in;
  gyeot_text *out;
  size_t at;
  uint32_t start; /* where the original text of `in` begins */
} gyeot_rewrite;

gyeot_status gyeot_rewrite_put(gyeot_rewrite *rewrite, uint32_t character, int change);

#endif
