/* SentencePiece's normaliser: the character map, user-defined symbols that it leaves alone, and the
 * rules for spaces. */
#ifndef GYEOT_SENTENCEPIECE_NORMALIZER_H
#define GYEOT_SENTENCEPIECE_NORMALIZER_H

#include "charsmap.h"
#include "piece_trie.h"
#include "sentencepiece_model.h"
#include "tokenizer_engine.h"

typedef struct gyeot_spm_normalizer {
  gyeot_charsmap map;
  const gyeot_piece_trie *symbols; /* NULL: none */
  bool symbol_begins[256];         /* by first byte */
  bool add_prefix, add_suffix, remove_extra, escape;
} gyeot_spm_normalizer;

/* Sets one up over memory of the model, which must outlive it. */
gyeot_status gyeot_spm_normalizer_open(gyeot_spm_normalizer *normalizer,
                                       const gyeot_spm_rules *rules, bool whitespace_as_suffix,
                                       const gyeot_piece_trie *symbols, gyeot_error *error);

/* Bytes of the longest user-defined symbol at the start of text, or 0. */
size_t gyeot_spm_symbol(const gyeot_spm_normalizer *normalizer, const uint8_t *text, size_t size);

/* The normalised text, in the sink's scratch block `block`, and, when the sink wants offsets, where
 * in the original each of its bytes comes from: origins[length + 1], in block `block + 1`. Fails
 * only with GYEOT_ERROR_MEMORY. */
gyeot_status gyeot_spm_normalize(const gyeot_spm_normalizer *normalizer, const uint8_t *text,
                                 size_t size, gyeot_sink *sink, size_t block,
                                 const uint8_t **normalized, size_t *length,
                                 const uint32_t **origins);

#endif
