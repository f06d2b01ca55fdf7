/* The engine behind vocab.txt and tokenizer.json: added tokens, then either BERT's one pass or a
 * pipeline of normalizers, pre-tokenizers and a model. */
#ifndef GYEOT_HF_ENGINE_H
#define GYEOT_HF_ENGINE_H

#include "hf_added.h"
#include "hf_bert.h"
#include "hf_decode.h"
#include "hf_pieces.h"
#include "hf_pipeline.h"
#include "tokenizer_engine.h"
#include "wordpiece.h"

typedef struct gyeot_hf_engine {
  gyeot_engine base;
  gyeot_pieces pieces;
  gyeot_added added;
  gyeot_decoders decoders;
  gyeot_wordpiece wordpiece; /* its trie has edges NULL when the model is another */
  gyeot_bert bert;
  gyeot_pipeline *pipeline; /* NULL: the pass of `bert` */
} gyeot_hf_engine;

/* An engine with nothing in it. */
gyeot_status gyeot_hf_engine_new(const gyeot_allocator *allocator, gyeot_hf_engine **out);
void gyeot_hf_engine_free(gyeot_hf_engine *engine);

/* The id of an added token or a piece of the model, -1 when there is none. */
int32_t gyeot_hf_engine_id(const gyeot_hf_engine *engine, const uint8_t *text, size_t size);

/* Adds a token under the id that it has, or under *next_id, which then grows by one.
 * GYEOT_ERROR_UNSUPPORTED: normalization leaves nothing of it. */
gyeot_status gyeot_hf_engine_add(gyeot_hf_engine *engine, const uint8_t *text, size_t size,
                                 gyeot_added_token token, int32_t *next_id);

#endif
