#include "piece_trie.h"

#include <string.h>

static uint32_t pack(const uint8_t *text, size_t length) {
  uint32_t bytes = 0;
  for (size_t i = 0; i < length; i++) bytes |= (uint32_t)text[i] << (8 * i);
  return bytes;
}

static gyeot_rare_code *rare_slot(gyeot_rare_code *table, size_t capacity, uint32_t bytes,
                                  uint32_t length) {
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

/* The code of a character, a new one if it is not UTF-8 and new; 0 when out of memory or codes. */
static uint32_t add_code(gyeot_piece_trie *trie, const uint8_t *text, size_t length) {
  uint32_t code = gyeot_piece_trie_code(trie, text, length);
  if (code != 0) return code;
  code = GYEOT_TRIE_NUL + 1 + (uint32_t)trie->rare_count;
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

/* A piece on its way into the table. Many are on their way at once, a step each in turn, with the
 * slots that a round needs loaded ahead: one piece after the other waits for memory at every step.
 * Measured with 250,000 pieces: 70 ms one by one, 25 ms so. */
typedef struct walker {
  const uint8_t *text;
  size_t left;
  size_t id;
  uint64_t key, held;
  uint32_t node, slot, length;
} walker;

enum { WALKERS = 64 };

static bool aim(gyeot_piece_trie *trie, walker *w) {
  w->length = (uint32_t)gyeot_piece_trie_cut(trie, w->text, w->left);
  uint32_t code = add_code(trie, w->text, w->length);
  if (code == 0) return false;
  w->key = gyeot_piece_trie_key(w->node, code);
  w->slot = gyeot_piece_trie_home(trie, w->key);
  return true;
}

/* Enters a new node into the small tables. */
static bool note_node(gyeot_piece_trie *trie, const walker *w, uint32_t slot) {
  uint64_t bit = gyeot_piece_trie_hash(w->key) >> trie->filter_shift;
  trie->filter[bit >> 6] |= UINT64_C(1) << (bit & 63);
  if (w->node != gyeot_piece_trie_root(trie)) {
    trie->slots[w->node] |= 1;
    return true;
  }
  uint32_t code = (uint32_t)w->key & ((1u << GYEOT_TRIE_CODE_BITS) - 1);
  if (code >= 0x10000) return true;
  if (trie->page_of[code >> 8] == 0) {
    if (!add_page(trie)) return false;
    trie->page_of[code >> 8] = (uint16_t)(trie->page_count - 1);
  }
  trie->pages[(size_t)trie->page_of[code >> 8] << 8 | (code & 0xFF)] =
      (uint64_t)(slot + 1) << 32;
  return true;
}

typedef enum outcome { DONE, TOO_FULL, OUT_OF_MEMORY } outcome;

static outcome step(gyeot_piece_trie *trie, walker *w) {
  uint32_t slot = w->slot;
  while (trie->slots[slot] != 0 && trie->slots[slot] >> trie->value_bits != w->key)
    if (++slot == trie->capacity) slot = 0;
  if (trie->slots[slot] == 0) {
    /* Above three quarters the chains of linear probing grow long. */
    if (trie->node_count >= trie->capacity / 4 * 3) return TOO_FULL;
    trie->slots[slot] = w->key << trie->value_bits;
    trie->node_count++;
    if (!note_node(trie, w, slot)) return OUT_OF_MEMORY;
  }
  w->node = slot;
  w->text += w->length;
  w->left -= w->length;
  return DONE;
}

static void arrive(gyeot_piece_trie *trie, const walker *w, size_t *duplicate) {
  if (gyeot_piece_trie_id(trie, w->node) >= 0) {
    if (duplicate != NULL) *duplicate = w->id;
    uint64_t value = (UINT64_C(1) << trie->value_bits) - 1;
    trie->slots[w->node] &= ~value | 1;
  }
  trie->slots[w->node] |= (uint64_t)(w->id + 1) << 1;
}

GYEOT_NOINLINE static outcome bring_in(gyeot_piece_trie *trie, walker *walkers, size_t count,
                                       size_t *duplicate) {
  while (count != 0) {
    for (size_t i = 0; i < count; i++)
      if (!aim(trie, &walkers[i])) return OUT_OF_MEMORY;
    /* A loop of its own: the shorter it is, the more loads are under way at once. */
    for (size_t i = 0; i < count; i++) walkers[i].held = trie->slots[walkers[i].slot];
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
      outcome result = step(trie, &walkers[i]);
      if (result != DONE) return result;
      if (walkers[i].left == 0)
        arrive(trie, &walkers[i], duplicate);
      else if (kept++ != i)
        walkers[kept - 1] = walkers[i];
    }
    count = kept;
  }
  return DONE;
}

/* Takes the first step without a visit to the large table, if that node is there already. */
static void take_first_step(const gyeot_piece_trie *trie, walker *w) {
  size_t length = gyeot_piece_trie_cut(trie, w->text, w->left);
  uint32_t code = gyeot_piece_trie_code(trie, w->text, length);
  if (code >= 0x10000) return;
  uint64_t entry = trie->pages[(size_t)trie->page_of[code >> 8] << 8 | (code & 0xFF)];
  if (entry == 0) return;
  w->node = (uint32_t)(entry >> 32) - 1;
  w->text += length;
  w->left -= length;
}

static outcome fill(gyeot_piece_trie *trie, const gyeot_piece_source *source, size_t *duplicate) {
  walker walkers[WALKERS];
  size_t count = 0;
  outcome result = DONE;
  for (size_t id = 0; id < source->count && result == DONE; id++) {
    walker w = {.id = id, .node = gyeot_piece_trie_root(trie)};
    if (!source->piece(source->context, id, &w.text, &w.left) || w.left == 0) continue;
    take_first_step(trie, &w);
    if (w.left == 0) {
      arrive(trie, &w, duplicate);
      continue;
    }
    walkers[count++] = w;
    if (count < WALKERS) continue;
    result = bring_in(trie, walkers, count, duplicate);
    count = 0;
  }
  return result == DONE ? bring_in(trie, walkers, count, duplicate) : result;
}

/* The pages know the slots of the first characters; now that these are final, also what they hold. */
static void complete_pages(gyeot_piece_trie *trie) {
  for (size_t i = 0; i < 256 * trie->page_count; i++)
    if (trie->pages[i] != 0)
      trie->pages[i] |= trie->slots[(trie->pages[i] >> 32) - 1] & ((UINT64_C(1) << trie->value_bits) - 1);
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
  trie->slots = gyeot_allocate(&trie->allocator, trie->capacity, sizeof *trie->slots);
  trie->filter = gyeot_allocate(&trie->allocator, words, sizeof *trie->filter);
  if (trie->slots == NULL || trie->filter == NULL || !add_page(trie)) return GYEOT_ERROR_MEMORY;
  memset(trie->slots, 0, trie->capacity * sizeof *trie->slots);
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
  uint64_t nodes = 2 * pieces + pieces / 20 + 8;
  gyeot_status status = GYEOT_OK;
  for (uint64_t capacity = nodes + nodes / 3 * 2; status == GYEOT_OK; capacity += capacity / 2) {
    if (bits_for(capacity) + GYEOT_TRIE_CODE_BITS + trie->value_bits > 64) {
      status = GYEOT_ERROR_LIMIT;
      break;
    }
    status = make_tables(trie, capacity);
    outcome result = status == GYEOT_OK ? fill(trie, source, duplicate) : OUT_OF_MEMORY;
    if (result == OUT_OF_MEMORY) status = GYEOT_ERROR_MEMORY;
    if (result == DONE) {
      complete_pages(trie);
      return GYEOT_OK;
    }
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
