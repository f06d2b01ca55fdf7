#include "bpe.h"

#include <string.h>

#define NOBODY UINT32_MAX

/* A run of the text; the symbols form a list. One merged into its left neighbour has size 0. */
typedef struct symbol {
  uint32_t at, size;
  uint32_t previous, next;
  uint32_t node; /* in the trie; GYEOT_TRIE_NONE when the run is no piece's beginning */
  bool frozen;   /* a user-defined symbol: is never merged */
} symbol;

/* Two neighbours that make a piece. It is stale when their sizes have changed meanwhile. */
typedef struct pair {
  float score;
  uint32_t left, right;
  uint32_t size;
} pair;

typedef struct work {
  const gyeot_spm_model *model;
  const uint8_t *text;
  gyeot_sink *sink;
  size_t block;
  symbol *symbols;
  pair *heap; /* the best pair first */
  size_t heap_length;
  gyeot_span *spans;
  size_t span_count;
  /* For each unused piece, by rank among them, where it was last put together: the size of its left
   * part, or 0. NULL when the model has none. */
  uint32_t *splits;
} work;

enum { SYMBOLS = 0, SPANS = 1, HEAP = 2, SPLITS = 3 };

static void *block_of(work *w, int which, size_t count, size_t size) {
  void **block = &w->sink->scratch[w->block + (size_t)which].block;
  size_t *capacity = &w->sink->scratch[w->block + (size_t)which].capacity;
  if (count > SIZE_MAX / 4 / size) return NULL;
  if (gyeot_grow(&w->sink->allocator, block, capacity, count * size, 1) != GYEOT_OK) return NULL;
  return *block;
}

/* Higher scores first; of equal ones the leftmost. */
static bool comes_before(const pair *a, const pair *b) {
  return a->score > b->score || (a->score == b->score && a->left < b->left);
}

static gyeot_status push(work *w, pair added) {
  w->heap = block_of(w, HEAP, w->heap_length + 1, sizeof *w->heap);
  if (w->heap == NULL) return GYEOT_ERROR_MEMORY;
  size_t at = w->heap_length++;
  for (size_t parent; at > 0 && comes_before(&added, &w->heap[parent = (at - 1) / 2]); at = parent)
    w->heap[at] = w->heap[parent];
  w->heap[at] = added;
  return GYEOT_OK;
}

static pair pop(work *w) {
  pair best = w->heap[0], moved = w->heap[--w->heap_length];
  size_t at = 0;
  for (size_t child; (child = 2 * at + 1) < w->heap_length; at = child) {
    if (child + 1 < w->heap_length && comes_before(&w->heap[child + 1], &w->heap[child])) child++;
    if (!comes_before(&w->heap[child], &moved)) break;
    w->heap[at] = w->heap[child];
  }
  w->heap[at] = moved;
  return best;
}

static uint32_t walk(const gyeot_piece_trie *trie, uint32_t node, const uint8_t *text, size_t size) {
  for (size_t at = 0, length; at < size && node != GYEOT_TRIE_NONE; at += length) {
    length = gyeot_piece_trie_cut(trie, text + at, size - at);
    uint32_t code = gyeot_piece_trie_code(trie, text + at, length);
    node = code == 0 ? GYEOT_TRIE_NONE : gyeot_piece_trie_step(trie, node, code);
  }
  return node;
}

static int32_t id_of(const work *w, uint32_t node) {
  int32_t id = node == GYEOT_TRIE_NONE ? -1 : gyeot_piece_trie_id(&w->model->trie, node);
  return id < 0 ? w->model->unknown_id : id;
}

static uint32_t unused_rank(const gyeot_spm_model *model, int32_t id) {
  size_t low = 0, high = model->unused_count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (model->unused[middle] < id)
      low = middle + 1;
    else
      high = middle;
  }
  return (uint32_t)low;
}

static gyeot_status offer(work *w, uint32_t left, uint32_t right) {
  if (left == NOBODY || right == NOBODY) return GYEOT_OK;
  const symbol *a = &w->symbols[left], *b = &w->symbols[right];
  if (a->frozen || b->frozen || a->node == GYEOT_TRIE_NONE) return GYEOT_OK;
  uint32_t node = walk(&w->model->trie, a->node, w->text + b->at, b->size);
  int32_t id = node == GYEOT_TRIE_NONE ? -1 : gyeot_piece_trie_id(&w->model->trie, node);
  if (id < 0) return GYEOT_OK;
  if (w->model->types[id] == GYEOT_SPM_UNUSED) w->splits[unused_rank(w->model, id)] = a->size;
  return push(w, (pair){w->model->scores[id], left, right, a->size + b->size});
}

static gyeot_status cut(work *w, const gyeot_spm_normalizer *normalizer, size_t size) {
  uint32_t n = 0;
  for (size_t at = 0; at < size; n++) {
    size_t frozen = gyeot_spm_symbol(normalizer, w->text + at, size - at);
    size_t length = frozen != 0 ? frozen : gyeot_utf8_step(w->text + at, size - at);
    uint32_t node = walk(&w->model->trie, gyeot_piece_trie_root(&w->model->trie), w->text + at,
                         length);
    w->symbols[n] = (symbol){(uint32_t)at, (uint32_t)length, n == 0 ? NOBODY : n - 1, n + 1, node,
                             frozen != 0};
    at += length;
  }
  w->symbols[n - 1].next = NOBODY;
  gyeot_status status = GYEOT_OK;
  for (uint32_t i = 1; i < n && status == GYEOT_OK; i++) status = offer(w, i - 1, i);
  return status;
}

static gyeot_status merge(work *w) {
  gyeot_status status = GYEOT_OK;
  while (w->heap_length != 0 && status == GYEOT_OK) {
    pair best = pop(w);
    symbol *left = &w->symbols[best.left], *right = &w->symbols[best.right];
    if (left->size == 0 || right->size == 0 || left->size + right->size != best.size) continue;
    left->node = walk(&w->model->trie, left->node, w->text + right->at, right->size);
    left->size = best.size;
    left->next = right->next;
    if (right->next != NOBODY) w->symbols[right->next].previous = best.left;
    right->size = 0;
    status = offer(w, left->previous, best.left);
    if (status == GYEOT_OK) status = offer(w, best.left, left->next);
  }
  return status;
}

/* Writes the pieces of a run; one that is unused falls into the two parts it was last made of, and
 * so on down. The parts that wait are kept in the heap's block, which is free by now. */
static gyeot_status take_apart(work *w, uint32_t at, uint32_t size) {
  size_t waiting = 0;
  for (;;) {
    const gyeot_piece_trie *trie = &w->model->trie;
    int32_t id = id_of(w, walk(trie, gyeot_piece_trie_root(trie), w->text + at, size));
    uint32_t split = 0;
    if (w->model->types[id] == GYEOT_SPM_UNUSED) {
      split = w->splits[unused_rank(w->model, id)];
      id = w->model->unknown_id; /* when it has no parts */
    }
    if (split != 0) {
      gyeot_span *stack = block_of(w, HEAP, waiting + 1, sizeof *stack);
      if (stack == NULL) return GYEOT_ERROR_MEMORY;
      stack[waiting++] = (gyeot_span){0, at + split, at + size};
      size = split;
      continue;
    }
    w->spans[w->span_count++] = (gyeot_span){id, at, at + size};
    if (waiting == 0) return GYEOT_OK;
    gyeot_span next = ((gyeot_span *)w->sink->scratch[w->block + HEAP].block)[--waiting];
    at = next.begin;
    size = next.end - next.begin;
  }
}

gyeot_status gyeot_bpe_encode(const gyeot_spm_model *model, const gyeot_spm_normalizer *normalizer,
                              const uint8_t *text, size_t size, gyeot_sink *sink, size_t block,
                              const gyeot_span **spans, size_t *count) {
  *count = 0;
  if (size == 0) return GYEOT_OK;
  if (size >= UINT32_MAX) return GYEOT_ERROR_MEMORY;
  work w = {model, text, sink, block, NULL, NULL, 0, NULL, 0, NULL};
  w.symbols = block_of(&w, SYMBOLS, size, sizeof *w.symbols);
  w.spans = block_of(&w, SPANS, size, sizeof *w.spans);
  if (w.symbols == NULL || w.spans == NULL) return GYEOT_ERROR_MEMORY;
  if (model->unused_count != 0) {
    w.splits = block_of(&w, SPLITS, model->unused_count, sizeof *w.splits);
    if (w.splits == NULL) return GYEOT_ERROR_MEMORY;
    memset(w.splits, 0, model->unused_count * sizeof *w.splits);
  }
  gyeot_status status = cut(&w, normalizer, size);
  if (status == GYEOT_OK) status = merge(&w);
  for (uint32_t i = 0; i != NOBODY && status == GYEOT_OK; i = w.symbols[i].next)
    status = take_apart(&w, w.symbols[i].at, w.symbols[i].size);
  *spans = w.spans;
  *count = w.span_count;
  return status;
}
