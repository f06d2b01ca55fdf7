/* The normalizers of tokenizer.json, each a rewriting of a text. */
#ifndef GYEOT_HF_NORMALIZE_H
#define GYEOT_HF_NORMALIZE_H

#include "charsmap.h"
#include "hf_text.h"

typedef enum gyeot_normalizer_kind {
  GYEOT_NORMALIZE_CLEAN,        /* BERT's clean_text */
  GYEOT_NORMALIZE_CHINESE,      /* BERT's spaces around Chinese characters */
  GYEOT_NORMALIZE_DROP_ACCENTS, /* Mn, BERT's way */
  GYEOT_NORMALIZE_DROP_MARKS,   /* M, the way of StripAccents */
  GYEOT_NORMALIZE_LOWERCASE,
  GYEOT_NORMALIZE_NFC,
  GYEOT_NORMALIZE_NFD,
  GYEOT_NORMALIZE_NFKC,
  GYEOT_NORMALIZE_NFKD,
  GYEOT_NORMALIZE_NMT,
  GYEOT_NORMALIZE_STRIP,          /* left, right */
  GYEOT_NORMALIZE_PREPEND,        /* to */
  GYEOT_NORMALIZE_REPLACE,        /* from → to */
  GYEOT_NORMALIZE_REPLACE_SPACES, /* two or more spaces → to */
  GYEOT_NORMALIZE_PRECOMPILED     /* map */
} gyeot_normalizer_kind;

typedef struct gyeot_normalizer {
  gyeot_normalizer_kind kind;
  bool left, right;
  uint32_t *from, *to; /* characters, owned */
  size_t from_length, to_length;
  gyeot_charsmap *map; /* owned, like the bytes behind it */
  uint8_t *map_bytes;
} gyeot_normalizer;

/* Writes the normalized form of `in` to `out`, which is empty and lies in other blocks. `start` is
 * the byte position at which the original text of `in` begins. */
gyeot_status gyeot_normalize(const gyeot_normalizer *normalizer, const gyeot_text *in,
                             gyeot_text *out, uint32_t start);

#endif
