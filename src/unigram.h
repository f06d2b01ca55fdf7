/* The unigram model: the segmentation of a text into pieces whose scores add up highest.
 *
 * One best-path record per position between characters, filled from left to right:
 *
 *   position     0      1      2      3
 *   text          ▁      가     다
 *   record       {0}   {▁}  {▁가}  {▁가 | 다 or ▁가다, whichever scores higher}
 *
 * Ties and widths, on which parity depends: a candidate replaces a record only when it is strictly
 * greater, so of equals the one that starts earliest stays; sums are kept in float for SentencePiece
 * (from zero again whenever one has passed 100,000) and in double for Hugging Face; a character that
 * is no piece of its own may also be unknown, with the lowest score of the vocabulary minus 10. */
#ifndef GYEOT_UNIGRAM_H
#define GYEOT_UNIGRAM_H

#include "piece_trie.h"
#include "tokenizer_engine.h"

/* A piece of a segmented text: bytes begin to end. */
typedef struct gyeot_span {
  int32_t id;
  uint32_t begin, end;
} gyeot_span;

/* What the search reads; the caller owns all of it. `scores` is indexed by id; a NaN score takes
 * the piece out of the search. */
typedef struct gyeot_unigram_f32 {
  const gyeot_piece_trie *trie;
  const float *scores;
  float unknown_score;
  int32_t unknown_id;
} gyeot_unigram_f32;

typedef struct gyeot_unigram_f64 {
  const gyeot_piece_trie *trie;
  const double *scores;
  double unknown_score;
  int32_t unknown_id;
} gyeot_unigram_f64;

/* Segments text (up to 4 GiB - 1). The spans cover it without gaps, one for each unknown character,
 * and stand in the sink's scratch block `block + 1` until that is used again; the search itself works
 * in block `block`. (Scratch capacities count bytes, as a sink serves tokenizers of all kinds.) Fails
 * only with GYEOT_ERROR_MEMORY. Time is linear in `size`. */
gyeot_status gyeot_unigram_f32_encode(const gyeot_unigram_f32 *model, const uint8_t *text,
                                      size_t size, gyeot_sink *sink, size_t block,
                                      const gyeot_span **spans, size_t *count);
gyeot_status gyeot_unigram_f64_encode(const gyeot_unigram_f64 *model, const uint8_t *text,
                                      size_t size, gyeot_sink *sink, size_t block,
                                      const gyeot_span **spans, size_t *count);

#endif
