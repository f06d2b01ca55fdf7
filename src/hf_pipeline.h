/* What tokenizer.json describes, run in its order: added tokens in the raw text, normalizers, added
 * tokens in the normalized text, pre-tokenizers, model. */
#ifndef GYEOT_HF_PIPELINE_H
#define GYEOT_HF_PIPELINE_H

#include <math.h>

#include "hf_added.h"
#include "hf_normalize.h"
#include "hf_pretokenize.h"
#include "unigram.h"
#include "wordpiece.h"

/* The score of a piece that the search must not use. */
#define GYEOT_NO_SCORE ((double)NAN)

typedef struct gyeot_pipeline {
  gyeot_allocator allocator;
  gyeot_normalizer *normalizers;
  size_t normalizer_count, normalizer_capacity;
  gyeot_pretokenizer *pretokenizers;
  size_t pretokenizer_count, pretokenizer_capacity;

  bool unigram; /* else the WordPiece model of the engine */
  gyeot_piece_trie trie;
  double *scores; /* by id */
  size_t score_count;
  double *text_scores; /* the same without special tokens: NaN, for when they are text */
  double unknown_score;
  int32_t unknown_id;
  bool byte_fallback;
  int32_t byte_ids[256]; /* of the pieces <0x00> ... <0xFF>, -1 when missing */
} gyeot_pipeline;

gyeot_status gyeot_pipeline_new(const gyeot_allocator *allocator, gyeot_pipeline **out);
void gyeot_pipeline_free(gyeot_pipeline *pipeline);

/* Appends a step. A normalizer's memory belongs to the pipeline from then on, also on failure. */
gyeot_status gyeot_pipeline_add_normalizer(gyeot_pipeline *pipeline, gyeot_normalizer step);
gyeot_status gyeot_pipeline_add_pretokenizer(gyeot_pipeline *pipeline, gyeot_pretokenizer step);
void gyeot_normalizer_free(gyeot_normalizer *step, const gyeot_allocator *allocator);

/* Runs the normalizers over a string; the result is in `text`, which lies in scratch blocks of
 * `sink`. */
gyeot_status gyeot_pipeline_normalize(const gyeot_pipeline *pipeline, const uint8_t *bytes,
                                      size_t begin, size_t end, gyeot_sink *sink,
                                      gyeot_text *text);

/* Appends the ids of text[begin, end), a stretch without raw added tokens. */
gyeot_status gyeot_pipeline_encode(const gyeot_pipeline *pipeline, const gyeot_added *added,
                                   const gyeot_wordpiece *wordpiece, const uint8_t *bytes,
                                   size_t begin, size_t end, bool special_tokens_as_text,
                                   gyeot_sink *sink);

#endif
