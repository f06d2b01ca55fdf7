#include "hf_normalize.h"

#include "hf_grapheme.h"
#include "hf_nfx.h"
#include "unicode.h"

static gyeot_status keep(const gyeot_text *in, size_t i, gyeot_text *out) {
  return gyeot_text_push(out, in->characters[i], in->begins[i], in->ends[i]);
}

static bool has(uint32_t c, unsigned property) {
  return (gyeot_unicode_properties(c) & property) != 0;
}

/* 1. One character after the other. */

static bool is_nmt_dropped(uint32_t c) {
  return (c >= 1 && c <= 8) || c == 0xB || (c >= 0xE && c <= 0x1F) || c == 0x7F || c == 0x8F ||
         c == 0x9F;
}

static bool is_nmt_space(uint32_t c) {
  return c == 9 || c == 10 || c == 12 || c == 13 || c == 0x1680 || (c >= 0x200B && c <= 0x200F) ||
         c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xFEFF || c == GYEOT_REPLACEMENT;
}

static gyeot_status normalize_character(gyeot_normalizer_kind kind, uint32_t c, uint32_t begin,
                                        uint32_t end, gyeot_text *out) {
  gyeot_status status = GYEOT_OK;
  switch (kind) {
    case GYEOT_NORMALIZE_CLEAN:
      if (has(c, GYEOT_DROPPED)) return GYEOT_OK;
      if (has(c, GYEOT_SPACE)) c = ' ';
      break;
    case GYEOT_NORMALIZE_CHINESE:
      if (!has(c, GYEOT_CHINESE)) break;
      status = gyeot_text_push(out, ' ', begin, end);
      if (status == GYEOT_OK) status = gyeot_text_push(out, c, begin, end);
      c = ' ';
      break;
    case GYEOT_NORMALIZE_DROP_ACCENTS:
      if (has(c, GYEOT_ACCENT)) return GYEOT_OK;
      break;
    case GYEOT_NORMALIZE_DROP_MARKS:
      if (has(c, GYEOT_MARK)) return GYEOT_OK;
      break;
    case GYEOT_NORMALIZE_LOWERCASE:
      if (has(c, GYEOT_UPPER)) {
        uint32_t lower[2];
        if (gyeot_unicode_lower(c, lower) == 2) {
          status = gyeot_text_push(out, lower[0], begin, end);
          c = lower[1];
        } else {
          c = lower[0];
        }
      }
      break;
    case GYEOT_NORMALIZE_NMT:
      if (is_nmt_dropped(c)) return GYEOT_OK;
      if (is_nmt_space(c)) c = ' ';
      break;
    default: break;
  }
  return status == GYEOT_OK ? gyeot_text_push(out, c, begin, end) : status;
}

/* 2. Strip, Prepend, Replace. */

static gyeot_status strip(const gyeot_normalizer *step, const gyeot_text *in, gyeot_text *out) {
  size_t from = 0, to = in->length;
  if (step->left)
    while (from < to && has(in->characters[from], GYEOT_SPACE)) from++;
  if (step->right)
    while (to > from && has(in->characters[to - 1], GYEOT_SPACE)) to--;
  gyeot_status status = GYEOT_OK;
  for (size_t i = from; i < to && status == GYEOT_OK; i++) status = keep(in, i, out);
  return status;
}

/* What is prepended shares the stretch of the first character; an empty text stays empty. */
static gyeot_status prepend(const gyeot_normalizer *step, const gyeot_text *in, gyeot_text *out) {
  gyeot_status status = GYEOT_OK;
  for (size_t i = 0; i < step->to_length && in->length != 0 && status == GYEOT_OK; i++)
    status = gyeot_text_push(out, step->to[i], in->begins[0], in->ends[0]);
  for (size_t i = 0; i < in->length && status == GYEOT_OK; i++) status = keep(in, i, out);
  return status;
}

/* Length of the match of a Replace at i, 0 when there is none. */
static size_t match_at(const gyeot_normalizer *step, const gyeot_text *in, size_t i) {
  size_t length = 0;
  if (step->kind == GYEOT_NORMALIZE_REPLACE_SPACES) {
    while (i + length < in->length && in->characters[i + length] == ' ') length++;
    return length >= 2 ? length : 0;
  }
  if (step->from_length > in->length - i) return 0;
  while (length < step->from_length && in->characters[i + length] == step->from[length]) length++;
  return length == step->from_length ? length : 0;
}

/* The replacement shares the stretch of the last character of the match. */
static gyeot_status replace(const gyeot_normalizer *step, const gyeot_text *in, gyeot_text *out) {
  gyeot_status status = GYEOT_OK;
  for (size_t i = 0; i < in->length && status == GYEOT_OK;) {
    size_t length = match_at(step, in, i);
    if (length == 0) {
      status = keep(in, i++, out);
      continue;
    }
    i += length;
    for (size_t k = 0; k < step->to_length && status == GYEOT_OK; k++)
      status = gyeot_text_push(out, step->to[k], in->begins[i - 1], in->ends[i - 1]);
  }
  return status;
}

/* 3. Precompiled. The reference looks up whole grapheme clusters of less than 6 bytes, then single
 * characters, and takes the shortest rule that begins the bytes; what else is in them is lost. */

enum { SHORT_CLUSTER = 6 };

/* A change that swallows characters goes with the last character written before; so one character
 * is held back. */
typedef struct precompiled {
  const gyeot_normalizer *step;
  gyeot_rewrite rewrite;
  uint32_t held;
  int held_change;
  bool holds;
} precompiled;

static gyeot_status hold(precompiled *p, uint32_t c, int change) {
  gyeot_status status = GYEOT_OK;
  if (p->holds) status = gyeot_rewrite_put(&p->rewrite, p->held, p->held_change);
  p->held = c;
  p->held_change = change;
  p->holds = true;
  return status;
}

/* True when a rule begins the bytes of `replaced` characters; then its text is written in their
 * place. Of more characters than there were the last ones count as inserted; when there are fewer,
 * the last character written, be it one of before, swallows the rest. */
static bool look_up(precompiled *p, const uint8_t *bytes, size_t size, size_t replaced,
                    gyeot_status *status) {
  const uint8_t *text;
  size_t length, count = 0, step;
  if (gyeot_charsmap_shortest(p->step->map, bytes, size, &text, &length) == 0) return false;
  const uint8_t *end = text + length;
  for (const uint8_t *at = text; at < end; at += step, count++) gyeot_utf8_read(at, end, &step);
  for (size_t i = 0; i < count && *status == GYEOT_OK; i++, text += step)
    *status = hold(p, gyeot_utf8_read(text, end, &step), i >= replaced);
  if (count < replaced && p->holds) p->held_change -= (int)(replaced - count);
  return true;
}

static gyeot_status precompile_cluster(precompiled *p, const uint32_t *characters, size_t length) {
  uint8_t bytes[SHORT_CLUSTER + 4];
  size_t size = 0;
  gyeot_status status = GYEOT_OK;
  for (size_t i = 0; i < length && size < SHORT_CLUSTER; i++)
    size += gyeot_utf8_write(characters[i], bytes + size);
  if (size < SHORT_CLUSTER && look_up(p, bytes, size, length, &status)) return status;
  for (size_t i = 0; i < length && status == GYEOT_OK; i++) {
    size = gyeot_utf8_write(characters[i], bytes);
    if (!gyeot_charsmap_may_begin(p->step->map, bytes, size) ||
        !look_up(p, bytes, size, 1, &status))
      status = hold(p, characters[i], 0);
  }
  return status;
}

static gyeot_status precompile(const gyeot_normalizer *step, const gyeot_text *in, gyeot_text *out,
                               uint32_t start) {
  precompiled p = {.step = step, .rewrite = {in, out, 0, start}};
  gyeot_status status = GYEOT_OK;
  for (size_t at = 0; at < in->length && status == GYEOT_OK;) {
    size_t end = gyeot_grapheme_end(in->characters, in->length, at);
    status = precompile_cluster(&p, in->characters + at, end - at);
    at = end;
  }
  if (status == GYEOT_OK && p.holds) status = gyeot_rewrite_put(&p.rewrite, p.held, p.held_change);
  return status;
}

gyeot_status gyeot_normalize(const gyeot_normalizer *step, const gyeot_text *in, gyeot_text *out,
                             uint32_t start) {
  switch (step->kind) {
    case GYEOT_NORMALIZE_NFC: return gyeot_nfx(in, out, false, true, start);
    case GYEOT_NORMALIZE_NFD: return gyeot_nfx(in, out, false, false, start);
    case GYEOT_NORMALIZE_NFKC: return gyeot_nfx(in, out, true, true, start);
    case GYEOT_NORMALIZE_NFKD: return gyeot_nfx(in, out, true, false, start);
    case GYEOT_NORMALIZE_STRIP: return strip(step, in, out);
    case GYEOT_NORMALIZE_PREPEND: return prepend(step, in, out);
    case GYEOT_NORMALIZE_REPLACE:
    case GYEOT_NORMALIZE_REPLACE_SPACES: return replace(step, in, out);
    case GYEOT_NORMALIZE_PRECOMPILED: return precompile(step, in, out, start);
    default: break;
  }
  gyeot_status status = GYEOT_OK;
  for (size_t i = 0; i < in->length && status == GYEOT_OK; i++)
    status = normalize_character(step->kind, in->characters[i], in->begins[i], in->ends[i], out);
  return status;
}
