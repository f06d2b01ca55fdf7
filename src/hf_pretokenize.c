#include "hf_pretokenize.h"

#include "unicode.h"

gyeot_status gyeot_parts_add(gyeot_parts *parts, size_t from, size_t to, uint32_t origin) {
  if (from == to) return GYEOT_OK;
  gyeot_part *grown =
      gyeot_sink_scratch(parts->text.sink, parts->block, parts->count + 1, sizeof *grown);
  if (grown == NULL) return GYEOT_ERROR_MEMORY;
  parts->parts = grown;
  grown[parts->count++] = (gyeot_part){from, to, origin};
  return GYEOT_OK;
}

/* What a character is to a splitting pre-tokenizer: equal neighbours stay together. */
enum { GONE, ALONE, WORD, OTHER };

static int sort_of(gyeot_pretokenizer_kind kind, uint32_t c) {
  unsigned properties = gyeot_unicode_properties(c);
  bool punctuation = (properties & GYEOT_PUNCTUATION) != 0;
  if (kind == GYEOT_SPLIT_PUNCTUATION) return punctuation ? ALONE : WORD;
  if (properties & GYEOT_SPACE) return GONE;
  if (kind == GYEOT_SPLIT_BERT) return punctuation ? ALONE : WORD;
  if (kind == GYEOT_SPLIT_WORDS) return gyeot_unicode_is_word(c) ? WORD : OTHER;
  return WORD;
}

static gyeot_status split(gyeot_pretokenizer_kind kind, const gyeot_parts *in, gyeot_parts *out) {
  const gyeot_text *text = &in->text;
  gyeot_status status = GYEOT_OK;
  for (size_t p = 0; p < in->count; p++) {
    size_t begin = in->parts[p].from;
    int before = GONE;
    for (size_t i = begin; i < in->parts[p].to && status == GYEOT_OK; i++) {
      int sort = sort_of(kind, text->characters[i]);
      if (sort == before && sort != ALONE) continue;
      if (before != GONE) status = gyeot_parts_add(out, begin, i, text->begins[begin]);
      begin = i;
      before = sort;
    }
    if (status == GYEOT_OK && before != GONE)
      status = gyeot_parts_add(out, begin, in->parts[p].to, text->begins[begin]);
    if (status != GYEOT_OK) return status;
  }
  return status;
}

/* One part with marks for spaces, and one in front where it is wanted. */
static gyeot_status write_marked(const gyeot_pretokenizer *step, const gyeot_text *text,
                                 gyeot_part part, gyeot_text *out) {
  gyeot_status status = GYEOT_OK;
  uint32_t first = text->characters[part.from];
  bool wanted = step->prepend == GYEOT_PREPEND_ALWAYS ||
                (step->prepend == GYEOT_PREPEND_FIRST && part.origin == 0);
  if (wanted && first != step->mark && first != ' ')
    status = gyeot_text_push(out, step->mark, text->begins[part.from], text->ends[part.from]);
  for (size_t i = part.from; i < part.to && status == GYEOT_OK; i++) {
    uint32_t c = text->characters[i];
    status = gyeot_text_push(out, c == ' ' ? step->mark : c, text->begins[i], text->ends[i]);
  }
  return status;
}

static gyeot_status metaspace(const gyeot_pretokenizer *step, const gyeot_parts *in,
                              gyeot_parts *out) {
  gyeot_text *text = &out->text;
  for (size_t p = 0; p < in->count; p++) {
    size_t begin = text->length;
    gyeot_status status = write_marked(step, &in->text, in->parts[p], text);
    uint32_t origin = in->parts[p].origin;
    for (size_t i = begin + 1; step->split && i < text->length && status == GYEOT_OK; i++) {
      if (text->characters[i] != step->mark) continue;
      status = gyeot_parts_add(out, begin, i, origin);
      begin = i;
      origin = text->begins[i];
    }
    if (status == GYEOT_OK) status = gyeot_parts_add(out, begin, text->length, origin);
    if (status != GYEOT_OK) return status;
  }
  return GYEOT_OK;
}

gyeot_status gyeot_pretokenize(const gyeot_pretokenizer *step, gyeot_parts *parts,
                               gyeot_parts *spare) {
  spare->count = 0;
  if (step->kind == GYEOT_SPLIT_METASPACE) {
    spare->text.length = 0;
    gyeot_status status = metaspace(step, parts, spare);
    if (status != GYEOT_OK) return status;
    gyeot_parts other = *parts;
    *parts = *spare;
    *spare = other;
    return GYEOT_OK;
  }
  gyeot_status status = split(step->kind, parts, spare);
  if (status != GYEOT_OK) return status;
  /* The text stays, only the parts change places. */
  gyeot_part *other = parts->parts;
  size_t block = parts->block;
  parts->parts = spare->parts;
  parts->count = spare->count;
  parts->block = spare->block;
  spare->parts = other;
  spare->block = block;
  return GYEOT_OK;
}
