#include "sentencepiece_normalizer.h"

#include <string.h>

/* SentencePiece looks at this many symbols that match in one place, shortest first. */
enum { SYMBOLS_MAX = 64 };

static const uint8_t SPACE_MARK[] = {0xE2, 0x96, 0x81}; /* ▁ */
static const uint8_t REPLACEMENT[] = {0xEF, 0xBF, 0xBD};

gyeot_status gyeot_spm_normalizer_open(gyeot_spm_normalizer *normalizer,
                                       const gyeot_spm_rules *rules, bool whitespace_as_suffix,
                                       const gyeot_piece_trie *symbols, gyeot_error *error) {
  memset(normalizer, 0, sizeof *normalizer);
  normalizer->add_prefix = rules->add_dummy_prefix && !whitespace_as_suffix;
  normalizer->add_suffix = rules->add_dummy_prefix && whitespace_as_suffix;
  normalizer->remove_extra = rules->remove_extra_whitespaces;
  normalizer->escape = rules->escape_whitespaces;
  if (symbols != NULL && symbols->node_count != 0) {
    normalizer->symbols = symbols;
    for (unsigned byte = 0; byte < 256; byte++) {
      uint8_t text = (uint8_t)byte;
      normalizer->symbol_begins[byte] = gyeot_piece_trie_code(symbols, &text, 1) != 0;
    }
  }
  return gyeot_charsmap_open(&normalizer->map, rules->charsmap, rules->charsmap_size, error);
}

size_t gyeot_spm_symbol(const gyeot_spm_normalizer *normalizer, const uint8_t *text, size_t size) {
  if (size == 0 || !normalizer->symbol_begins[text[0]]) return 0;
  const gyeot_piece_trie *symbols = normalizer->symbols;
  uint32_t node = gyeot_piece_trie_root(symbols);
  size_t longest = 0, found = 0;
  for (size_t at = 0; at < size && found < SYMBOLS_MAX; at++) {
    uint32_t code = gyeot_piece_trie_code(symbols, text + at, 1);
    if (code == 0) break;
    node = gyeot_piece_trie_step(symbols, node, code);
    if (node == GYEOT_TRIE_NONE) break;
    if (gyeot_piece_trie_id(symbols, node) < 0) continue;
    longest = at + 1;
    found++;
  }
  return longest;
}

/* What the start of the text becomes; returns how many of its bytes that takes. */
static inline size_t take(const gyeot_spm_normalizer *normalizer, const uint8_t *text, size_t size,
                          const uint8_t **becomes, size_t *becomes_size) {
  size_t symbol = gyeot_spm_symbol(normalizer, text, size);
  if (symbol != 0) {
    *becomes = text;
    *becomes_size = symbol;
    return symbol;
  }
  size_t valid = gyeot_utf8_valid(text, size);
  if (valid == 0 || gyeot_charsmap_may_begin(&normalizer->map, text, valid)) {
    size_t ruled = gyeot_charsmap_longest(&normalizer->map, text, size, becomes, becomes_size);
    if (ruled != 0) return ruled;
  }
  *becomes = valid == 0 ? REPLACEMENT : text;
  *becomes_size = valid == 0 ? sizeof REPLACEMENT : valid;
  return valid == 0 ? 1 : valid;
}

/* The text under construction and, if wanted, where its bytes come from. */
typedef struct builder {
  gyeot_sink *sink;
  size_t block;
  uint8_t *text;
  uint32_t *origins; /* NULL when not wanted */
  size_t length, capacity;
} builder;

static gyeot_status reserve(builder *to, size_t more) {
  size_t needed = to->length + more;
  if (needed <= to->capacity) return GYEOT_OK;
  if (needed > SIZE_MAX / 8) return GYEOT_ERROR_MEMORY;
  void **text = &to->sink->scratch[to->block].block;
  size_t *bytes = &to->sink->scratch[to->block].capacity;
  if (gyeot_grow(&to->sink->allocator, text, bytes, needed, 1) != GYEOT_OK)
    return GYEOT_ERROR_MEMORY;
  size_t capacity = *bytes;
  if (to->sink->want_offsets) {
    void **origins = &to->sink->scratch[to->block + 1].block;
    size_t *origin_bytes = &to->sink->scratch[to->block + 1].capacity;
    if (gyeot_grow(&to->sink->allocator, origins, origin_bytes, needed * sizeof(uint32_t), 1) !=
        GYEOT_OK)
      return GYEOT_ERROR_MEMORY;
    to->origins = *origins;
    if (*origin_bytes / sizeof(uint32_t) < capacity) capacity = *origin_bytes / sizeof(uint32_t);
  }
  to->text = *text;
  to->capacity = capacity;
  return GYEOT_OK;
}

static inline void put(builder *to, const uint8_t *bytes, size_t size, size_t origin) {
  if (to->origins != NULL)
    for (size_t i = 0; i < size; i++) to->origins[to->length + i] = (uint32_t)origin;
  for (size_t i = 0; i < size; i++) to->text[to->length + i] = bytes[i];
  to->length += size;
}

static inline void put_space(builder *to, bool escape, size_t origin) {
  if (escape)
    put(to, SPACE_MARK, sizeof SPACE_MARK, origin);
  else
    put(to, (const uint8_t *)" ", 1, origin);
}

static bool ends_with_space(const builder *to, bool escape) {
  if (!escape) return to->length >= 1 && to->text[to->length - 1] == ' ';
  return to->length >= sizeof SPACE_MARK &&
         memcmp(to->text + to->length - sizeof SPACE_MARK, SPACE_MARK, sizeof SPACE_MARK) == 0;
}

/* Bytes of a character at the start of text that neither a symbol nor a rule nor a space can begin
 * with, which is most of them; 0 when that is not certain. */
static inline size_t copied_as_is(const gyeot_spm_normalizer *normalizer, const uint8_t *text,
                                  size_t size) {
  if (*text == ' ' || normalizer->symbol_begins[*text]) return 0;
  size_t valid = gyeot_utf8_valid(text, size);
  return valid == 0 || gyeot_charsmap_may_begin(&normalizer->map, text, valid) ? 0 : valid;
}

/* Writes the text from `at` on; `after_space` swallows the spaces that follow a space. */
static gyeot_status rewrite(const gyeot_spm_normalizer *normalizer, const uint8_t *text, size_t at,
                            size_t size, builder *to) {
  bool after_space = normalizer->remove_extra;
  while (at < size) {
    size_t plain = copied_as_is(normalizer, text + at, size - at);
    if (plain != 0 && to->length + plain <= to->capacity) {
      put(to, text + at, plain, at);
      after_space = false;
      at += plain;
      continue;
    }
    const uint8_t *becomes = NULL;
    size_t length = 0;
    size_t taken = take(normalizer, text + at, size - at, &becomes, &length);
    if (to->length + 3 * length > to->capacity) {
      gyeot_status status = reserve(to, 3 * length + (size - at));
      if (status != GYEOT_OK) return status;
    }
    while (after_space && length != 0 && *becomes == ' ') becomes++, length--;
    if (length != 0) {
      for (size_t i = 0; i < length; i++) {
        if (becomes[i] == ' ')
          put_space(to, normalizer->escape, at);
        else
          put(to, becomes + i, 1, at);
      }
      after_space = normalizer->remove_extra && becomes[length - 1] == ' ';
    }
    at += taken;
  }
  return GYEOT_OK;
}

gyeot_status gyeot_spm_normalize(const gyeot_spm_normalizer *normalizer, const uint8_t *text,
                                 size_t size, gyeot_sink *sink, size_t block,
                                 const uint8_t **normalized, size_t *length,
                                 const uint32_t **origins) {
  *normalized = NULL;
  *origins = NULL;
  *length = 0;
  size_t at = 0;
  while (normalizer->remove_extra && at < size) {
    const uint8_t *becomes = NULL;
    size_t becomes_size = 0;
    size_t taken = take(normalizer, text + at, size - at, &becomes, &becomes_size);
    if (becomes_size != 1 || *becomes != ' ') break;
    at += taken;
  }
  if (at == size) return GYEOT_OK;

  builder to = {sink, block, NULL, NULL, 0, 0};
  gyeot_status status = reserve(&to, size + size / 2 + 16);
  if (status != GYEOT_OK) return status;
  if (normalizer->add_prefix) put_space(&to, normalizer->escape, at);
  status = rewrite(normalizer, text, at, size, &to);
  if (status == GYEOT_OK) status = reserve(&to, sizeof SPACE_MARK + 1);
  if (status != GYEOT_OK) return status;

  size_t end = size;
  while (normalizer->remove_extra && ends_with_space(&to, normalizer->escape)) {
    to.length -= normalizer->escape ? sizeof SPACE_MARK : 1;
    if (to.origins != NULL) end = to.origins[to.length];
  }
  if (normalizer->add_suffix) put_space(&to, normalizer->escape, end);
  if (to.origins != NULL) to.origins[to.length] = (uint32_t)end;
  *normalized = to.text;
  *length = to.length;
  *origins = to.origins;
  return GYEOT_OK;
}
