#include "hf_bert.h"

#include "hf_reorder.h"
#include "unicode.h"

/* Blocks of the sink's scratch memory. */
enum { CHARACTERS, BEGINS, ENDS, MARKS, MARKS_SPARE, MARK_SPANS };

/* One way through a character: clean → split Chinese → decompose, reorder, drop accents →
 * lower-case → split at spaces and punctuation → collect a word → match. */
typedef struct way {
  const gyeot_bert *bert;
  const gyeot_wordpiece *model;
  gyeot_sink *sink;
  bool special_tokens_as_text;
  unsigned watched; /* properties that take a character off the fast path */

  uint32_t *characters, *begins, *ends; /* of the word; no more than longest_word of them */
  size_t length, capacity;
  uint32_t word_begin, word_end;

  gyeot_mark *marks; /* combining marks not yet in order, and the spans they came from */
  uint32_t *mark_spans;
  size_t mark_count, mark_span_count;
  uint32_t last_begin, last_end; /* the span of the last character that was put */
} way;

static gyeot_status grow_word(way *w) {
  size_t wanted = w->capacity == 0 ? 128 : 2 * w->capacity; /* BERT's 100 characters fit at once */
  w->characters = gyeot_sink_scratch(w->sink, CHARACTERS, wanted, sizeof(uint32_t));
  w->begins = gyeot_sink_scratch(w->sink, BEGINS, wanted, sizeof(uint32_t));
  w->ends = gyeot_sink_scratch(w->sink, ENDS, wanted, sizeof(uint32_t));
  if (w->characters == NULL || w->begins == NULL || w->ends == NULL) return GYEOT_ERROR_MEMORY;
  w->capacity = wanted;
  return GYEOT_OK;
}

static inline gyeot_status append(way *w, uint32_t c, uint32_t begin, uint32_t end) {
  if (w->length == 0) w->word_begin = begin;
  w->word_end = end;
  if (w->length < w->model->longest_word) {
    if (w->length == w->capacity) {
      gyeot_status status = grow_word(w);
      if (status != GYEOT_OK) return status;
    }
    w->characters[w->length] = c;
    w->begins[w->length] = begin;
    w->ends[w->length] = end;
  }
  w->length++;
  return GYEOT_OK;
}

static inline gyeot_status end_word(way *w) {
  size_t length = w->length;
  if (length == 0) return GYEOT_OK;
  w->length = 0;
  if (length > w->model->longest_word)
    return gyeot_sink_push(w->sink, w->model->unk_id, w->word_begin, w->word_end);
  gyeot_word word = {w->characters, w->begins, w->ends, length};
  return gyeot_wordpiece_match(w->model, word, w->special_tokens_as_text, w->sink);
}

/* A normalized character: the end of a word, a word of its own, or one more of a word. */
static gyeot_status put_lowered(way *w, uint32_t c, uint32_t begin, uint32_t end) {
  unsigned properties = gyeot_unicode_properties(c);
  if ((properties & (GYEOT_SPACE | GYEOT_PUNCTUATION)) == 0) return append(w, c, begin, end);
  gyeot_status status = end_word(w);
  if (status != GYEOT_OK || properties & GYEOT_SPACE) return status;
  status = append(w, c, begin, end);
  return status == GYEOT_OK ? end_word(w) : status;
}

/* A character that is decomposed already. */
static gyeot_status put(way *w, uint32_t c, uint32_t begin, uint32_t end) {
  w->last_begin = begin;
  w->last_end = end;
  unsigned properties = gyeot_unicode_properties(c);
  if (w->bert->strip_accents && properties & GYEOT_ACCENT) return GYEOT_OK;
  if (!w->bert->lowercase || (properties & GYEOT_UPPER) == 0) return put_lowered(w, c, begin, end);
  uint32_t lower[2];
  size_t count = gyeot_unicode_lower(c, lower);
  gyeot_status status = put_lowered(w, lower[0], begin, end);
  if (status == GYEOT_OK && count == 2) status = put_lowered(w, lower[1], begin, end);
  return status;
}

/* Puts the marks that wait, in canonical order. */
static gyeot_status put_marks(way *w) {
  size_t count = w->mark_count;
  if (count == 0) return GYEOT_OK;
  w->mark_count = w->mark_span_count = 0;
  gyeot_mark *spare = gyeot_sink_scratch(w->sink, MARKS_SPARE, count, sizeof *spare);
  if (spare == NULL) return GYEOT_ERROR_MEMORY;
  gyeot_reorder(w->marks, count, spare);
  const uint32_t *span = w->mark_spans;
  for (size_t i = 0; i < count; i++) {
    if (!w->marks[i].inserted) {
      w->last_begin = span[0];
      w->last_end = span[1];
      span += 2;
    }
    gyeot_status status = put(w, w->marks[i].character, w->last_begin, w->last_end);
    if (status != GYEOT_OK) return status;
  }
  return GYEOT_OK;
}

static gyeot_status add_mark(way *w, gyeot_mark mark, uint32_t begin, uint32_t end) {
  w->marks = gyeot_sink_scratch(w->sink, MARKS, w->mark_count + 1, sizeof mark);
  if (w->marks == NULL) return GYEOT_ERROR_MEMORY;
  w->marks[w->mark_count++] = mark;
  if (mark.inserted) return GYEOT_OK;
  w->mark_spans = gyeot_sink_scratch(w->sink, MARK_SPANS, w->mark_span_count + 2, sizeof(uint32_t));
  if (w->mark_spans == NULL) return GYEOT_ERROR_MEMORY;
  w->mark_spans[w->mark_span_count++] = begin;
  w->mark_spans[w->mark_span_count++] = end;
  return GYEOT_OK;
}

static gyeot_status decompose_and_put(way *w, uint32_t c, uint32_t begin, uint32_t end) {
  uint32_t parts[GYEOT_DECOMPOSITION_MAX];
  size_t count = gyeot_unicode_decompose(c, false, parts);
  for (size_t i = 0; i < count; i++) {
    unsigned class_ = 0;
    if (gyeot_unicode_properties(parts[i]) & GYEOT_COMPOSING)
      class_ = gyeot_unicode_class(parts[i]);
    gyeot_status status;
    if (class_ != 0) {
      status = add_mark(w, (gyeot_mark){parts[i], (uint8_t)class_, i > 0}, begin, end);
    } else {
      status = put_marks(w);
      if (status == GYEOT_OK) status = put(w, parts[i], begin, end);
    }
    if (status != GYEOT_OK) return status;
  }
  return GYEOT_OK;
}

static gyeot_status normalize_and_put(way *w, uint32_t c, uint32_t begin, uint32_t end) {
  if (w->bert->strip_accents) {
    if (gyeot_unicode_properties(c) & GYEOT_COMPOSING) return decompose_and_put(w, c, begin, end);
    gyeot_status status = put_marks(w);
    if (status != GYEOT_OK) return status;
  }
  return put(w, c, begin, end);
}

/* A character with one of the watched properties. */
static gyeot_status take(way *w, uint32_t c, unsigned properties, uint32_t begin, uint32_t end) {
  if (w->bert->clean) {
    if (properties & GYEOT_DROPPED) return GYEOT_OK;
    if (properties & GYEOT_SPACE) c = ' ';
  }
  if (!w->bert->split_chinese || (properties & GYEOT_CHINESE) == 0)
    return normalize_and_put(w, c, begin, end);
  gyeot_status status = normalize_and_put(w, ' ', begin, end);
  if (status == GYEOT_OK) status = normalize_and_put(w, c, begin, end);
  if (status == GYEOT_OK) status = normalize_and_put(w, ' ', begin, end);
  return status;
}

/* A Hangul syllable while accents are stripped: its jamo, which nothing later touches. Worth 1.6
 * times the throughput on Korean text. */
static inline gyeot_status append_jamo(way *w, uint32_t c, uint32_t begin, uint32_t end) {
  uint32_t jamo[GYEOT_DECOMPOSITION_MAX];
  size_t count = gyeot_unicode_decompose(c, false, jamo);
  gyeot_status status = GYEOT_OK;
  for (size_t i = 0; i < count && status == GYEOT_OK; i++)
    status = append(w, jamo[i], begin, end);
  return status;
}

gyeot_status gyeot_bert_encode(const gyeot_bert *bert, const gyeot_wordpiece *model,
                               const uint8_t *text, size_t begin, size_t end,
                               bool special_tokens_as_text, gyeot_sink *sink) {
  way w = {.bert = bert, .model = model, .sink = sink,
           .special_tokens_as_text = special_tokens_as_text};
  w.watched = GYEOT_SPACE | GYEOT_PUNCTUATION;
  if (bert->clean) w.watched |= GYEOT_DROPPED;
  if (bert->split_chinese) w.watched |= GYEOT_CHINESE;
  if (bert->lowercase) w.watched |= GYEOT_UPPER;
  if (bert->strip_accents) w.watched |= GYEOT_ACCENT | GYEOT_COMPOSING;
  gyeot_status status = grow_word(&w);
  if (status != GYEOT_OK) return status;

  for (size_t at = begin; at < end;) {
    size_t step;
    uint32_t c = gyeot_utf8_read(text + at, text + end, &step);
    bool hangul = c - 0xAC00 < 11172;
    unsigned properties = hangul ? 0 : gyeot_unicode_properties(c);
    uint32_t from = (uint32_t)at;
    at += step;
    if ((properties & w.watched) == 0) {
      if (w.mark_count != 0) status = put_marks(&w);
      if (status != GYEOT_OK) return status;
      if (hangul && bert->strip_accents)
        status = append_jamo(&w, c, from, (uint32_t)at);
      else
        status = append(&w, c, from, (uint32_t)at);
      w.last_begin = from;
      w.last_end = (uint32_t)at;
    } else {
      status = take(&w, c, properties, from, (uint32_t)at);
    }
    if (status != GYEOT_OK) return status;
  }
  status = put_marks(&w);
  return status == GYEOT_OK ? end_word(&w) : status;
}
