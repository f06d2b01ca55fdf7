#include "unigram.h"

#include <math.h>

#define NO_PATH UINT32_MAX

/* SentencePiece 0.2.3 starts to count from zero again when a sum is further from it than this, which
 * keeps floats fine enough in long texts (found by comparing how repeated characters are cut). */
#define REBASE_PAST 100000.0f

static size_t count_characters(const uint8_t *text, size_t size) {
  size_t n = 0;
  for (size_t at = 0; at < size; n++) at += gyeot_utf8_step(text + at, size - at);
  return n;
}

#define SCORE float
#define REBASE 1
#define NAME(name) name##_f32
#define MODEL gyeot_unigram_f32
#include "unigram_search.h"
#undef SCORE
#undef REBASE
#undef NAME
#undef MODEL

#define SCORE double
#define REBASE 0
#define NAME(name) name##_f64
#define MODEL gyeot_unigram_f64
#include "unigram_search.h"
#undef SCORE
#undef REBASE
#undef NAME
#undef MODEL

gyeot_status gyeot_unigram_f32_encode(const gyeot_unigram_f32 *model, const uint8_t *text,
                                      size_t size, gyeot_sink *sink, size_t block,
                                      const gyeot_span **spans, size_t *count) {
  return encode_f32(model, text, size, sink, block, spans, count);
}

gyeot_status gyeot_unigram_f64_encode(const gyeot_unigram_f64 *model, const uint8_t *text,
                                      size_t size, gyeot_sink *sink, size_t block,
                                      const gyeot_span **spans, size_t *count) {
  return encode_f64(model, text, size, sink, block, spans, count);
}
