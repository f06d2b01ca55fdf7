#include "hf_added.h"

#include <string.h>

#include "unicode.h"

gyeot_status gyeot_added_init(gyeot_added *added, const gyeot_allocator *allocator) {
  memset(added, 0, sizeof *added);
  added->allocator = *allocator;
  gyeot_status status = gyeot_trie_init(&added->raw, allocator, 32);
  if (status != GYEOT_OK) return status;
  status = gyeot_trie_init(&added->normalized, allocator, 1);
  if (status != GYEOT_OK) {
    gyeot_trie_free(&added->raw);
    added->raw.edges = NULL;
  }
  return status;
}

void gyeot_added_free(gyeot_added *added) {
  if (added->raw.edges != NULL) gyeot_trie_free(&added->raw);
  if (added->normalized.edges != NULL) gyeot_trie_free(&added->normalized);
  gyeot_deallocate(&added->allocator, added->tokens);
  gyeot_deallocate(&added->allocator, added->special_ids);
}

gyeot_status gyeot_added_put(gyeot_added *added, const uint8_t *text, size_t size,
                             gyeot_added_token token) {
  if (size == 0) return GYEOT_OK;
  if (added->count == GYEOT_ADDED_MAX) return GYEOT_ERROR_LIMIT;
  void *tokens = added->tokens, *ids = added->special_ids;
  if (gyeot_grow(&added->allocator, &tokens, &added->capacity, added->count + 1,
                 sizeof *added->tokens) != GYEOT_OK)
    return GYEOT_ERROR_MEMORY;
  added->tokens = tokens;
  if (gyeot_grow(&added->allocator, &ids, &added->special_capacity, added->special_count + 1,
                 sizeof *added->special_ids) != GYEOT_OK)
    return GYEOT_ERROR_MEMORY;
  added->special_ids = ids;
  gyeot_trie *trie = token.normalized ? &added->normalized : &added->raw;
  gyeot_status status = gyeot_trie_put(trie, text, size, (int32_t)added->count, NULL);
  if (status != GYEOT_OK) return status;
  for (size_t i = 0; i < added->count; i++)
    if (added->tokens[i].id == token.id) added->tokens[i].overridden = true;
  added->tokens[added->count++] = token;
  if (token.special) {
    size_t at = added->special_count++;
    for (; at > 0 && added->special_ids[at - 1] > token.id; at--)
      added->special_ids[at] = added->special_ids[at - 1];
    added->special_ids[at] = token.id;
  }
  if (token.normalized) {
    added->any_normalized = true;
  } else {
    added->any_raw = true;
    added->first_bytes[text[0] >> 3] |= (uint8_t)(1 << (text[0] & 7));
  }
  return GYEOT_OK;
}

bool gyeot_added_is_special(const gyeot_added *added, int32_t id) {
  return gyeot_ids_contain(added->special_ids, added->special_count, id);
}

static uint32_t read_forward(gyeot_view view, size_t at, size_t *step) {
  if (view.bytes != NULL) return gyeot_utf8_read(view.bytes + at, view.bytes + view.size, step);
  *step = 1;
  return view.characters[at];
}

/* The character that ends at `at`, which is not 0. */
static uint32_t read_backward(gyeot_view view, size_t at, size_t *step) {
  if (view.bytes == NULL) {
    *step = 1;
    return view.characters[at - 1];
  }
  for (size_t back = 1; back <= 4 && back <= at; back++) {
    uint32_t c = gyeot_utf8_read(view.bytes + at - back, view.bytes + at, step);
    if (*step == back && (back > 1 || c < 0x80)) return c;
  }
  *step = 1;
  return GYEOT_REPLACEMENT;
}

/* Index of the longest token that begins at `at`, -1 if none; *end is where it ends. */
static int32_t longest_at(const gyeot_added_search *search, size_t at, size_t *end) {
  int32_t found = -1;
  uint32_t node = 0;
  while (at < search->view.size) {
    size_t step;
    uint32_t c = read_forward(search->view, at, &step);
    const gyeot_trie_edge *edge = gyeot_trie_step(search->trie, node, c);
    if (edge == NULL) break;
    at += step;
    node = edge->child;
    if (edge->id >= 0 && !search->added->tokens[edge->id].overridden) {
      found = edge->id;
      *end = at;
    }
  }
  return found;
}

static bool touches_word(gyeot_view view, size_t begin, size_t end) {
  size_t step;
  if (begin != 0 && gyeot_unicode_is_word(read_backward(view, begin, &step))) return true;
  return end != view.size && gyeot_unicode_is_word(read_forward(view, end, &step));
}

static bool is_space(uint32_t c) { return (gyeot_unicode_properties(c) & GYEOT_SPACE) != 0; }

/* Widens a match over white space, as its token asks. */
static void strip(const gyeot_added_search *search, gyeot_added_match *match) {
  gyeot_view view = search->view;
  size_t step, begin = match->begin;
  if (match->token->lstrip) {
    while (begin > 0 && is_space(read_backward(view, begin, &step))) begin -= step;
    match->begin = begin > search->gap_begin ? begin : search->gap_begin;
  }
  if (match->token->rstrip)
    while (match->end < view.size && is_space(read_forward(view, match->end, &step)))
      match->end += step;
}

void gyeot_added_next(gyeot_added_search *search, gyeot_added_match *match) {
  gyeot_view view = search->view;
  while (search->at < view.size) {
    if (view.bytes != NULL) {
      uint8_t byte = view.bytes[search->at];
      if ((search->added->first_bytes[byte >> 3] >> (byte & 7) & 1) == 0) {
        search->at++;
        continue;
      }
    }
    size_t end = search->at;
    int32_t index = longest_at(search, search->at, &end);
    if (index < 0) {
      search->at++;
      continue;
    }
    /* A match that does not count is passed over as a whole. */
    size_t begin = search->at;
    search->at = end;
    const gyeot_added_token *token = &search->added->tokens[index];
    if (token->special && search->special_tokens_as_text) continue;
    if (token->single_word && touches_word(view, begin, end)) continue;
    *match = (gyeot_added_match){search->gap_begin, begin, begin, end, token};
    strip(search, match);
    match->gap_end = match->begin;
    if (match->gap_end < match->gap_begin) match->gap_end = match->gap_begin;
    search->gap_begin = match->end;
    return;
  }
  *match = (gyeot_added_match){search->gap_begin, view.size, view.size, view.size, NULL};
  if (match->gap_end < match->gap_begin) match->gap_end = match->gap_begin;
  search->at = search->gap_begin = view.size;
}
