/* Added tokens: strings found in the text before the model sees it ("[MASK]", "<mask>"). */
#ifndef GYEOT_HF_ADDED_H
#define GYEOT_HF_ADDED_H

#include <stdbool.h>

#include "hf_pieces.h"
#include "hf_trie.h"

typedef struct gyeot_added_token {
  int32_t id;
  bool special;     /* text that users type never becomes it */
  bool normalized;  /* looked for after normalization, not in the raw text */
  bool single_word; /* only where no word character touches it */
  bool lstrip, rstrip; /* takes the white space before, after it */
  bool overridden;     /* a later token has the same id, and only that one is looked for */
  gyeot_piece_place content; /* as it was added; what decoding gives may be its normalized form */
} gyeot_added_token;

typedef struct gyeot_added {
  gyeot_allocator allocator;
  gyeot_added_token *tokens;
  size_t count, capacity;
  gyeot_trie raw, normalized;   /* strings to indices of `tokens` */
  bool any_raw, any_normalized;
  uint8_t first_bytes[32];      /* of the strings in `raw`, a bit each */
  int32_t *special_ids;         /* ascending */
  size_t special_count, special_capacity;
} gyeot_added;

/* A text to search: UTF-8 bytes, or characters when `bytes` is NULL. */
typedef struct gyeot_view {
  const uint8_t *bytes;
  const uint32_t *characters;
  size_t size;
} gyeot_view;

/* One found token and the stretch of text before it. */
typedef struct gyeot_added_match {
  size_t gap_begin, gap_end; /* what lies between the last match and this one; may be empty */
  size_t begin, end;
  const gyeot_added_token *token; /* NULL: no more tokens, only the last gap */
} gyeot_added_match;

typedef struct gyeot_added_search {
  const gyeot_added *added;
  const gyeot_trie *trie;
  gyeot_view view;
  bool special_tokens_as_text;
  size_t at, gap_begin; /* where to look on, where the last match ended */
} gyeot_added_search;

gyeot_status gyeot_added_init(gyeot_added *added, const gyeot_allocator *allocator);
void gyeot_added_free(gyeot_added *added);

/* `text` is the string as it is looked for: in its normalized form when token.normalized.
 * GYEOT_ERROR_LIMIT: more than GYEOT_ADDED_MAX tokens (a few thousand are the most in use; every
 * new one is compared with all others). */
enum { GYEOT_ADDED_MAX = 1 << 14 };
gyeot_status gyeot_added_put(gyeot_added *added, const uint8_t *text, size_t size,
                             gyeot_added_token token);

/* Whether an id is among `count` ascending ones. */
static inline bool gyeot_ids_contain(const int32_t *ids, size_t count, int32_t id) {
  if (count == 0 || id < ids[0]) return false;
  while (count > 1) {
    size_t half = count / 2;
    if (ids[half] <= id) ids += half;
    count -= half;
  }
  return *ids == id;
}

bool gyeot_added_is_special(const gyeot_added *added, int32_t id);

/* The leftmost match from search->at on, of several that begin there the longest. Matches come in
 * order; after the one with token NULL there is none. */
void gyeot_added_next(gyeot_added_search *search, gyeot_added_match *match);

#endif
