#include "piece_trie.h"

#include <string.h>

static uint32_t pack(const uint8_t *text, size_t length) {
  uint32_t bytes = 0;
  for (size_t i = 0; i < length; i++) bytes |= (uint32_t)text[i] << (8 * i);
  return bytes;
}

GYEOT_NOINLINE static gyeot_rare_code *rare_slot(gyeot_rare_code *table, size_t capacity,
                                                 uint32_t bytes, uint32_t length) {
  size_t at = (bytes * 0x9E3779B1u + length) >> 7 & (capacity - 1);
  while (table[at].length != 0 && (table[at].bytes != bytes || table[at].length != length))
    at = (at + 1) & (capacity - 1);
  return &table[at];
}

uint32_t gyeot_piece_trie_other_code(const gyeot_piece_trie *trie, const uint8_t *text,
                                     size_t length) {
  uint32_t a = text[0];
  if (length == 2 && a < 0xE0 && (text[1] & 0xC0) == 0x80) {
    uint32_t c = (a & 0x1F) << 6 | (text[1] & 0x3Fu);
    if (c >= 0x80) return c;
  } else if (length == 4 && gyeot_utf8_valid(text, length) == 4) {
    return (a & 0x07) << 18 | (text[1] & 0x3Fu) << 12 | (text[2] & 0x3Fu) << 6 | (text[3] & 0x3Fu);
  }
  if (trie->rare_count == 0) return 0;
  return rare_slot(trie->rare, trie->rare_capacity, pack(text, length), (uint32_t)length)->code;
}

static gyeot_status grow_rare(gyeot_piece_trie *trie) {
  size_t capacity = trie->rare_capacity == 0 ? 16 : 2 * trie->rare_capacity;
  gyeot_rare_code *table = gyeot_allocate(&trie->allocator, capacity, sizeof *table);
  if (table == NULL) return GYEOT_ERROR_MEMORY;
  memset(table, 0, capacity * sizeof *table);
  for (size_t i = 0; i < trie->rare_capacity; i++) {
    gyeot_rare_code *old = &trie->rare[i];
    if (old->length != 0) *rare_slot(table, capacity, old->bytes, old->length) = *old;
  }
  gyeot_deallocate(&trie->allocator, trie->rare);
  trie->rare = table;
  trie->rare_capacity = capacity;
  return GYEOT_OK;
}

/* A code for a character that has none; 0 when out of memory or codes. */
GYEOT_NOINLINE static uint32_t add_code(gyeot_piece_trie *trie, const uint8_t *text,
                                        size_t length) {
  uint32_t code = GYEOT_TRIE_NUL + 1 + (uint32_t)trie->rare_count;
  if (code >> GYEOT_TRIE_CODE_BITS != 0) return 0;
  if (trie->rare_count * 4 >= trie->rare_capacity * 3 && grow_rare(trie) != GYEOT_OK) return 0;
  uint32_t bytes = pack(text, length);
  *rare_slot(trie->rare, trie->rare_capacity, bytes, (uint32_t)length) =
      (gyeot_rare_code){bytes, (uint32_t)length, code};
  trie->rare_count++;
  return code;
}

static bool add_page(gyeot_piece_trie *trie) {
  void *pages = trie->pages;
  if (gyeot_grow(&trie->allocator, &pages, &trie->page_capacity, trie->page_count + 1,
                 256 * sizeof *trie->pages) != GYEOT_OK)
    return false;
  trie->pages = pages;
  memset(trie->pages + 256 * trie->page_count++, 0, 256 * sizeof *trie->pages);
  return true;
}

static unsigned bits_for(uint64_t largest) {
  unsigned bits = 0;
  while (largest >> bits != 0) bits++;
  return bits;
}

/* Pieces on their way into the table, all with the same number of steps to take. They take each step
 * together, with the slots that it needs loaded ahead: one piece after the other would wait for
 * memory at every step, and branches on which piece is done or which node is new would be guessed
 * wrong. Measured in wasm with 250,000 pieces, the whole load: a seventh less than in one batch of
 * mixed lengths with the checks and fills of that time. */
enum { LANES = 32, STEPS = 12 };

typedef struct lanes {
  uint32_t count;
  uint32_t nodes[LANES]; /* where they have come to */
  uint32_t ids[LANES];   /* UINT32_MAX: the piece goes on after these steps */
  uint32_t codes[LANES][STEPS];
} lanes;

typedef struct builder {
  gyeot_piece_trie *trie;
  size_t *duplicate;
  uint64_t loaded; /* written only so that the loads take place */
  uint32_t codes[STEPS];
  lanes lanes[STEPS]; /* [i]: of i + 1 steps */
} builder;

/* Enters the child of a node, if it is not there yet; `slot` is the home of its key. */
static inline uint32_t enter(gyeot_piece_trie *trie, uint32_t node, uint64_t key,
                             uint32_t slot) {
  uint64_t *slots = trie->slots, held;
  while (held = slots[slot], (held != 0) & (held >> trie->value_bits != key))
    if (++slot == trie->capacity) slot = 0;
  slots[slot] = held | key << trie->value_bits; /* a node that is there stays what it is */
  trie->node_count += held == 0;
  slots[node] |= 1;
  return slot;
}

static void arrive(gyeot_piece_trie *trie, uint32_t node, uint32_t id, size_t *duplicate) {
  if (gyeot_piece_trie_id(trie, node) >= 0) {
    if (duplicate != NULL) *duplicate = id;
    uint64_t value = (UINT64_C(1) << trie->value_bits) - 1;
    trie->slots[node] &= ~value | 1;
  }
  trie->slots[node] |= (uint64_t)(id + 1) << 1;
}

/* Takes the steps of all pieces that have so many. GYEOT_ERROR_LIMIT: the table is too small. */
GYEOT_NOINLINE static gyeot_status bring_in(builder *with, size_t steps) {
  gyeot_piece_trie *trie = with->trie;
  lanes *on = &with->lanes[steps - 1];
  uint32_t slots[LANES];
  for (size_t step = 0; step < steps; step++) {
    uint64_t loaded = 0;
    for (size_t i = 0; i < on->count; i++) {
      uint64_t key = gyeot_piece_trie_key(on->nodes[i], on->codes[i][step]);
      slots[i] = gyeot_piece_trie_home(trie, key);
      loaded |= trie->slots[slots[i]];
    }
    with->loaded = loaded;
    for (size_t i = 0; i < on->count; i++) {
      uint64_t key = gyeot_piece_trie_key(on->nodes[i], on->codes[i][step]);
      on->nodes[i] = enter(trie, on->nodes[i], key, slots[i]);
    }
    /* Above three quarters the chains of linear probing grow long. */
    if (trie->node_count > trie->capacity / 4 * 3) return GYEOT_ERROR_LIMIT;
  }
  for (size_t i = 0; i < on->count; i++)
    if (on->ids[i] != UINT32_MAX) arrive(trie, on->nodes[i], on->ids[i], with->duplicate);
  on->count = 0;
  return GYEOT_OK;
}

/* Where it is noted to what node a character leads from the root; NULL when out of memory. */
static uint64_t *page_entry(gyeot_piece_trie *trie, uint32_t code) {
  uint16_t *page = &trie->page_of[code >> 8];
  if (*page == 0) {
    if (!add_page(trie)) return NULL;
    *page = (uint16_t)(trie->page_count - 1);
  }
  return &trie->pages[(size_t)*page << 8 | (code & 0xFF)];
}

/* The first step is a matter of the pages; only for a new character does it go by the table. */
GYEOT_NOINLINE static gyeot_status add_piece(builder *with, const uint8_t *text, size_t left,
                                             uint32_t id) {
  gyeot_piece_trie *trie = with->trie;
  uint32_t node = gyeot_piece_trie_root(trie);
  gyeot_status status = GYEOT_OK;
  while (left != 0 && status == GYEOT_OK) {
    bool first = node == gyeot_piece_trie_root(trie);
    uint32_t steps = 0, code;
    do {
      size_t length = gyeot_piece_trie_cut(trie, text, left);
      code = gyeot_piece_trie_code(trie, text, length);
      if (code == 0) code = add_code(trie, text, length);
      if (code == 0) return GYEOT_ERROR_MEMORY;
      with->codes[steps++] = code;
      text += length;
      left -= length;
    } while (left != 0 && steps < STEPS && !first);
    uint64_t *entry = NULL;
    if (first && code < 0x10000) {
      entry = page_entry(trie, code);
      if (entry == NULL) return GYEOT_ERROR_MEMORY;
      if (*entry != 0) {
        node = (uint32_t)(*entry >> 32) - 1;
        if (left == 0) arrive(trie, node, id, with->duplicate);
        continue;
      }
    }
    lanes *on = &with->lanes[steps - 1];
    uint32_t lane = on->count++;
    memcpy(on->codes[lane], with->codes, sizeof with->codes);
    on->nodes[lane] = node;
    on->ids[lane] = left == 0 ? id : UINT32_MAX;
    if (left != 0 || first || on->count == LANES) status = bring_in(with, steps);
    node = on->nodes[lane];
    if (entry != NULL) *entry = (uint64_t)(node + 1) << 32;
  }
  return status;
}

static gyeot_status fill(gyeot_piece_trie *trie, const gyeot_piece_source *source,
                         size_t *duplicate) {
  builder with;
  with.trie = trie;
  with.duplicate = duplicate;
  for (size_t i = 0; i < STEPS; i++) with.lanes[i].count = 0;
  gyeot_status status = GYEOT_OK;
  for (size_t id = 0; id < source->count && status == GYEOT_OK; id++) {
    const uint8_t *text;
    size_t left;
    if (source->piece(source->context, id, &text, &left))
      status = add_piece(&with, text, left, (uint32_t)id);
  }
  for (size_t steps = 1; steps <= STEPS && status == GYEOT_OK; steps++)
    status = bring_in(&with, steps);
  return status;
}

/* The small tables hold what stands in the large one, which is final now. The filter's bits are set
 * from there, in the order of the slots; node by node, in random order, took 3 ms more. */
static void complete(gyeot_piece_trie *trie) {
  uint64_t value = (UINT64_C(1) << trie->value_bits) - 1;
  for (size_t i = 0; i < 256 * trie->page_count; i++)
    if (trie->pages[i] != 0) trie->pages[i] |= trie->slots[(trie->pages[i] >> 32) - 1] & value;
  for (size_t i = 0; i < trie->capacity; i++) {
    uint64_t bit = gyeot_piece_trie_hash(trie->slots[i] >> trie->value_bits) >> trie->filter_shift;
    trie->filter[bit >> 6] |= UINT64_C(1) << (bit & 63);
  }
}

/* Empty tables for about so many nodes. */
static gyeot_status make_tables(gyeot_piece_trie *trie, uint64_t capacity) {
  gyeot_piece_trie_free(trie);
  unsigned bits = 6;
  while (UINT64_C(1) << bits < 2 * capacity) bits++;
  trie->filter_shift = 64 - bits;
  trie->capacity = (uint32_t)capacity;
  trie->node_count = 0;
  memset(trie->page_of, 0, sizeof trie->page_of);
  trie->page_count = trie->page_capacity = 0;
  size_t words = (size_t)1 << (bits - 6);
  /* One more, for the root to have a slot where it is noted that it has children. */
  trie->slots = gyeot_allocate(&trie->allocator, trie->capacity + 1, sizeof *trie->slots);
  trie->filter = gyeot_allocate(&trie->allocator, words, sizeof *trie->filter);
  if (trie->slots == NULL || trie->filter == NULL || !add_page(trie)) return GYEOT_ERROR_MEMORY;
  memset(trie->slots, 0, (trie->capacity + 1) * sizeof *trie->slots);
  memset(trie->filter, 0, words * sizeof *trie->filter);
  return GYEOT_OK;
}

static size_t count_pieces(const gyeot_piece_source *source) {
  const uint8_t *text;
  size_t pieces = 0, size;
  for (size_t id = 0; id < source->count; id++)
    pieces += source->piece(source->context, id, &text, &size);
  return pieces;
}

gyeot_status gyeot_piece_trie_build(gyeot_piece_trie *trie, const gyeot_piece_source *source,
                                    bool bytewise, const gyeot_allocator *allocator,
                                    size_t *duplicate) {
  memset(trie, 0, sizeof *trie);
  trie->bytewise = bytewise;
  trie->allocator = *allocator;
  if (source->count >= INT32_MAX) return GYEOT_ERROR_LIMIT;
  uint64_t pieces = source->expected != 0 ? source->expected : count_pieces(source);
  trie->value_bits = bits_for(source->count) + 1;
  /* Large vocabularies have about two nodes a piece; tables too small are made again, larger. */
  uint64_t nodes = 2 * pieces + pieces / 20 + 8 * LANES;
  gyeot_status status = GYEOT_OK;
  for (uint64_t capacity = nodes + nodes / 3 * 2; status == GYEOT_OK; capacity += capacity / 2) {
    if (bits_for(capacity) + GYEOT_TRIE_CODE_BITS + trie->value_bits > 64) {
      status = GYEOT_ERROR_LIMIT;
      break;
    }
    status = make_tables(trie, capacity);
    if (status != GYEOT_OK) break;
    status = fill(trie, source, duplicate);
    if (status == GYEOT_OK) {
      complete(trie);
      return GYEOT_OK;
    }
    if (status == GYEOT_ERROR_LIMIT) status = GYEOT_OK;
  }
  gyeot_piece_trie_free(trie);
  return status;
}

void gyeot_piece_trie_free(gyeot_piece_trie *trie) {
  gyeot_deallocate(&trie->allocator, trie->slots);
  gyeot_deallocate(&trie->allocator, trie->pages);
  gyeot_deallocate(&trie->allocator, trie->filter);
  gyeot_deallocate(&trie->allocator, trie->rare);
  trie->slots = trie->pages = trie->filter = NULL;
  trie->rare = NULL;
  trie->rare_count = trie->rare_capacity = 0;
}

int32_t gyeot_piece_trie_find(const gyeot_piece_trie *trie, const uint8_t *text, size_t size) {
  uint32_t node = gyeot_piece_trie_root(trie);
  if (size == 0) return -1;
  for (size_t at = 0, length; at < size; at += length) {
    length = gyeot_piece_trie_cut(trie, text + at, size - at);
    uint32_t code = gyeot_piece_trie_code(trie, text + at, length);
    if (code == 0) return -1;
    node = gyeot_piece_trie_step(trie, node, code);
    if (node == GYEOT_TRIE_NONE) return -1;
  }
  return gyeot_piece_trie_id(trie, node);
}
