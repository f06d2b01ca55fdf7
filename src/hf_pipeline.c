#include "hf_pipeline.h"

#include <string.h>

#include "unicode.h"

gyeot_status gyeot_pipeline_new(const gyeot_allocator *allocator, gyeot_pipeline **out) {
  gyeot_pipeline *pipeline = gyeot_allocate(allocator, 1, sizeof *pipeline);
  if (pipeline == NULL) return GYEOT_ERROR_MEMORY;
  memset(pipeline, 0, sizeof *pipeline);
  pipeline->allocator = *allocator;
  for (size_t i = 0; i < 256; i++) pipeline->byte_ids[i] = -1;
  *out = pipeline;
  return GYEOT_OK;
}

void gyeot_normalizer_free(gyeot_normalizer *step, const gyeot_allocator *allocator) {
  gyeot_deallocate(allocator, step->from);
  gyeot_deallocate(allocator, step->to);
  gyeot_deallocate(allocator, step->map);
  gyeot_deallocate(allocator, step->map_bytes);
}

void gyeot_pipeline_free(gyeot_pipeline *pipeline) {
  if (pipeline == NULL) return;
  gyeot_allocator allocator = pipeline->allocator;
  for (size_t i = 0; i < pipeline->normalizer_count; i++)
    gyeot_normalizer_free(&pipeline->normalizers[i], &allocator);
  gyeot_deallocate(&allocator, pipeline->normalizers);
  gyeot_deallocate(&allocator, pipeline->pretokenizers);
  gyeot_piece_trie_free(&pipeline->trie);
  gyeot_deallocate(&allocator, pipeline->scores);
  gyeot_deallocate(&allocator, pipeline->text_scores);
  gyeot_deallocate(&allocator, pipeline);
}

gyeot_status gyeot_pipeline_add_normalizer(gyeot_pipeline *pipeline, gyeot_normalizer step) {
  void *steps = pipeline->normalizers;
  if (gyeot_grow(&pipeline->allocator, &steps, &pipeline->normalizer_capacity,
                 pipeline->normalizer_count + 1, sizeof step) != GYEOT_OK) {
    gyeot_normalizer_free(&step, &pipeline->allocator);
    return GYEOT_ERROR_MEMORY;
  }
  pipeline->normalizers = steps;
  pipeline->normalizers[pipeline->normalizer_count++] = step;
  return GYEOT_OK;
}

gyeot_status gyeot_pipeline_add_pretokenizer(gyeot_pipeline *pipeline, gyeot_pretokenizer step) {
  void *steps = pipeline->pretokenizers;
  if (gyeot_grow(&pipeline->allocator, &steps, &pipeline->pretokenizer_capacity,
                 pipeline->pretokenizer_count + 1, sizeof step) != GYEOT_OK)
    return GYEOT_ERROR_MEMORY;
  pipeline->pretokenizers = steps;
  pipeline->pretokenizers[pipeline->pretokenizer_count++] = step;
  return GYEOT_OK;
}

static gyeot_text text_in(gyeot_sink *sink, size_t block) {
  return (gyeot_text){.sink = sink, .block = block};
}

gyeot_status gyeot_pipeline_normalize(const gyeot_pipeline *pipeline, const uint8_t *bytes,
                                      size_t begin, size_t end, gyeot_sink *sink,
                                      gyeot_text *text) {
  gyeot_text here = text_in(sink, GYEOT_BLOCK_TEXT), other = text_in(sink, GYEOT_BLOCK_SPARE);
  gyeot_status status = gyeot_text_reserve(&here, end - begin);
  for (size_t at = begin; at < end && status == GYEOT_OK;) {
    size_t step;
    uint32_t c = gyeot_utf8_read(bytes + at, bytes + end, &step);
    status = gyeot_text_push(&here, c, (uint32_t)at, (uint32_t)(at + step));
    at += step;
  }
  for (size_t i = 0; i < pipeline->normalizer_count && status == GYEOT_OK; i++) {
    other.length = 0;
    status = gyeot_normalize(&pipeline->normalizers[i], &here, &other, (uint32_t)begin);
    gyeot_text swap = here;
    here = other;
    other = swap;
  }
  *text = here;
  return status;
}

/* What the stages after normalization share. */
typedef struct flow {
  const gyeot_pipeline *pipeline;
  const gyeot_added *added;
  const gyeot_wordpiece *wordpiece;
  bool special_tokens_as_text;
  gyeot_sink *sink;
} flow;

/* A run of unknown characters, or the piece <unk> written out: the whole as a piece if it is one,
 * else its bytes if all of them are pieces, else unknown. */
static gyeot_status push_unknown(const flow *f, const uint8_t *bytes, size_t size, uint32_t begin,
                                 uint32_t end) {
  const gyeot_pipeline *p = f->pipeline;
  int32_t id = gyeot_piece_trie_find(&p->trie, bytes, size);
  if (id >= 0 && f->special_tokens_as_text && gyeot_added_is_special(f->added, id)) id = -1;
  if (id >= 0) return gyeot_sink_push(f->sink, id, begin, end);
  bool all = p->byte_fallback;
  for (size_t i = 0; i < size && all; i++) all = p->byte_ids[bytes[i]] >= 0;
  if (!all) return gyeot_sink_push(f->sink, p->unknown_id, begin, end);
  for (size_t i = 0; i < size; i++) {
    gyeot_status status = gyeot_sink_push(f->sink, p->byte_ids[bytes[i]], begin, end);
    if (status != GYEOT_OK) return status;
  }
  return GYEOT_OK;
}

static gyeot_status match_unigram(const flow *f, const gyeot_text *text, gyeot_part part) {
  const gyeot_pipeline *p = f->pipeline;
  uint8_t *bytes =
      gyeot_sink_scratch(f->sink, GYEOT_BLOCK_BYTES, part.to - part.from, 4 * sizeof *bytes);
  if (bytes == NULL) return GYEOT_ERROR_MEMORY;
  size_t size = 0;
  for (size_t i = part.from; i < part.to; i++)
    size += gyeot_utf8_write(text->characters[i], bytes + size);
  gyeot_unigram_f64 model = {&p->trie, f->special_tokens_as_text ? p->text_scores : p->scores,
                             p->unknown_score, p->unknown_id};
  const gyeot_span *spans;
  size_t count;
  gyeot_status status =
      gyeot_unigram_f64_encode(&model, bytes, size, f->sink, GYEOT_BLOCK_UNIGRAM, &spans, &count);
  size_t character = part.from;
  for (size_t i = 0; i < count && status == GYEOT_OK;) {
    size_t last = i;
    bool unknown = spans[i].id == p->unknown_id;
    while (unknown && last + 1 < count && spans[last + 1].id == p->unknown_id) last++;
    size_t begin = character;
    for (size_t at = spans[i].begin; at < spans[last].end; character++)
      at += gyeot_utf8_step(bytes + at, size - at);
    uint32_t from = text->begins[begin], to = text->ends[character - 1];
    if (unknown)
      status = push_unknown(f, bytes + spans[i].begin, spans[last].end - spans[i].begin, from, to);
    else
      status = gyeot_sink_push(f->sink, spans[i].id, from, to);
    i = last + 1;
  }
  return status;
}

static gyeot_status match_wordpiece(const flow *f, const gyeot_text *text, gyeot_part part) {
  size_t length = part.to - part.from;
  if (length > f->wordpiece->longest_word)
    return gyeot_sink_push(f->sink, f->wordpiece->unk_id, text->begins[part.from],
                           text->ends[part.to - 1]);
  gyeot_word word = {text->characters + part.from, text->begins + part.from,
                     text->ends + part.from, length};
  return gyeot_wordpiece_match(f->wordpiece, word, f->special_tokens_as_text, f->sink);
}

/* Pre-tokenizers and model on characters from..to of a normalized text. */
static gyeot_status encode_part(const flow *f, const gyeot_text *text, size_t from, size_t to) {
  if (from == to) return GYEOT_OK;
  const gyeot_pipeline *p = f->pipeline;
  gyeot_parts parts = {.text = *text, .block = GYEOT_BLOCK_PIECES};
  size_t other = text->block == GYEOT_BLOCK_TEXT ? GYEOT_BLOCK_SPARE : GYEOT_BLOCK_TEXT;
  gyeot_parts spare = {.text = text_in(f->sink, other), .block = GYEOT_BLOCK_SPARE_PIECES};
  gyeot_status status = gyeot_parts_add(&parts, from, to, text->begins[from]);
  for (size_t i = 0; i < p->pretokenizer_count && status == GYEOT_OK; i++) {
    status = gyeot_pretokenize(&p->pretokenizers[i], &parts, &spare);
    /* The normalized text itself is needed again after this part. */
    if (spare.text.block == text->block) spare.text = text_in(f->sink, GYEOT_BLOCK_THIRD);
  }
  for (size_t i = 0; i < parts.count && status == GYEOT_OK; i++)
    status = p->unigram ? match_unigram(f, &parts.text, parts.parts[i])
                        : match_wordpiece(f, &parts.text, parts.parts[i]);
  return status;
}

gyeot_status gyeot_pipeline_encode(const gyeot_pipeline *pipeline, const gyeot_added *added,
                                   const gyeot_wordpiece *wordpiece, const uint8_t *bytes,
                                   size_t begin, size_t end, bool special_tokens_as_text,
                                   gyeot_sink *sink) {
  flow f = {pipeline, added, wordpiece, special_tokens_as_text, sink};
  gyeot_text text;
  gyeot_status status = gyeot_pipeline_normalize(pipeline, bytes, begin, end, sink, &text);
  if (status != GYEOT_OK) return status;
  if (!added->any_normalized) return encode_part(&f, &text, 0, text.length);
  gyeot_added_search search = {added, &added->normalized, {NULL, text.characters, text.length},
                               special_tokens_as_text, 0, 0};
  for (;;) {
    gyeot_added_match match;
    gyeot_added_next(&search, &match);
    status = encode_part(&f, &text, match.gap_begin, match.gap_end);
    if (status != GYEOT_OK || match.token == NULL) return status;
    if (match.begin < match.end)
      status = gyeot_sink_push(sink, match.token->id, text.begins[match.begin],
                               text.ends[match.end - 1]);
    if (status != GYEOT_OK) return status;
  }
}
