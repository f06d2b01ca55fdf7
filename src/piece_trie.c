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

uint32_t gyeot_piece_trie_rare_code(const gyeot_piece_trie *trie, const uint8_t *text,
                                    size_t length) {
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

static gyeot_status add_page(gyeot_piece_trie *trie) {
  void *pages = trie->pages;
  gyeot_status status =
      gyeot_grow(&trie->allocator, &pages, &trie->page_capacity, trie->page_count + 1,
                 256 * sizeof *trie->pages);
  if (status != GYEOT_OK) return status;
  trie->pages = pages;
  memset(trie->pages + 256 * trie->page_count, 0, 256 * sizeof *trie->pages);
  trie->page_count++;
  return GYEOT_OK;
}

/* Gives the character a code if it has none yet. */
static gyeot_status add_code(gyeot_piece_trie *trie, const uint8_t *text, size_t length) {
  if (gyeot_piece_trie_code(trie, text, length) != 0) return GYEOT_OK;
  size_t valid = gyeot_utf8_valid(text, length);
  bool surrogate = length == 3 && text[0] == 0xED && text[1] >= 0xA0 && text[1] <= 0xBF &&
                   (text[2] & 0xC0) == 0x80;
  if ((valid == 0 && !surrogate) || valid == 4) {
    if (trie->rare_count * 4 >= trie->rare_capacity * 3) {
      gyeot_status status = grow_rare(trie);
      if (status != GYEOT_OK) return status;
    }
    uint32_t bytes = pack(text, length);
    *rare_slot(trie->rare, trie->rare_capacity, bytes, (uint32_t)length) =
        (gyeot_rare_code){bytes, (uint32_t)length, ++trie->code_count};
    trie->rare_count++;
    return GYEOT_OK;
  }
  uint32_t c = text[0];
  if (length == 2) c = (uint32_t)(text[0] & 0x1F) << 6 | (text[1] & 0x3F);
  if (length == 3)
    c = (uint32_t)(text[0] & 0x0F) << 12 | (uint32_t)(text[1] & 0x3F) << 6 | (text[2] & 0x3F);
  if (trie->page_of[c >> 8] == 0) {
    gyeot_status status = add_page(trie);
    if (status != GYEOT_OK) return status;
    trie->page_of[c >> 8] = (uint16_t)(trie->page_count - 1);
  }
  trie->pages[(size_t)trie->page_of[c >> 8] << 8 | (c & 0xFF)] = ++trie->code_count;
  return GYEOT_OK;
}

static unsigned bits_for(uint64_t largest) {
  unsigned bits = 0;
  while (largest >> bits != 0) bits++;
  return bits;
}

/* Pass 1: codes for all characters; returns how many characters the pieces have together. */
static gyeot_status collect_codes(gyeot_piece_trie *trie, const gyeot_piece_source *source,
                                  uint64_t *characters, size_t *pieces) {
  gyeot_status status = add_page(trie);
  *characters = 0;
  *pieces = 0;
  for (size_t id = 0; id < source->count && status == GYEOT_OK; id++) {
    const uint8_t *text;
    size_t size;
    if (!source->piece(source->context, id, &text, &size)) continue;
    ++*pieces;
    for (size_t at = 0, length; at < size && status == GYEOT_OK; at += length) {
      length = gyeot_piece_trie_cut(trie, text + at, size - at);
      status = add_code(trie, text + at, length);
      ++*characters;
    }
  }
  return status;
}

/* Puts one piece in; false when the table has become too full to go on. */
static bool insert(gyeot_piece_trie *trie, const uint8_t *text, size_t size, size_t id,
                   size_t *duplicate) {
  uint32_t node = gyeot_piece_trie_root(trie);
  for (size_t at = 0, length; at < size; at += length) {
    length = gyeot_piece_trie_cut(trie, text + at, size - at);
    uint64_t key =
        (uint64_t)node << trie->code_bits | gyeot_piece_trie_code(trie, text + at, length);
    uint32_t slot = gyeot_piece_trie_home(trie, key);
    while (trie->slots[slot] != 0 && trie->slots[slot] >> trie->value_bits != key)
      if (++slot == trie->capacity) slot = 0;
    if (trie->slots[slot] == 0) {
      /* Above three quarters the chains of linear probing grow long. */
      if (trie->node_count >= trie->capacity / 4 * 3) return false;
      trie->slots[slot] = key << trie->value_bits;
      trie->node_count++;
    }
    if (node != gyeot_piece_trie_root(trie)) trie->slots[node] |= 1;
    node = slot;
  }
  if (size == 0) return true;
  if (gyeot_piece_trie_id(trie, node) >= 0) {
    if (duplicate != NULL) *duplicate = id;
    uint64_t kept = (UINT64_C(1) << trie->value_bits) - 1;
    trie->slots[node] &= ~kept | 1;
  }
  trie->slots[node] |= (uint64_t)(id + 1) << 1;
  return true;
}

/* Pass 2: the table, in a larger one again when the guess was too small. */
static gyeot_status fill(gyeot_piece_trie *trie, const gyeot_piece_source *source,
                         uint64_t capacity, size_t *duplicate) {
  for (;;) {
    trie->code_bits = bits_for(trie->code_count);
    trie->value_bits = bits_for(source->count) + 1;
    if (capacity >= GYEOT_TRIE_NONE ||
        bits_for(capacity) + trie->code_bits + trie->value_bits > 64)
      return GYEOT_ERROR_LIMIT;
    trie->capacity = (uint32_t)capacity;
    trie->node_count = 0;
    trie->slots = gyeot_allocate(&trie->allocator, trie->capacity, sizeof *trie->slots);
    if (trie->slots == NULL) return GYEOT_ERROR_MEMORY;
    memset(trie->slots, 0, trie->capacity * sizeof *trie->slots);
    size_t id = 0;
    for (; id < source->count; id++) {
      const uint8_t *text;
      size_t size;
      if (!source->piece(source->context, id, &text, &size)) continue;
      if (!insert(trie, text, size, id, duplicate)) break;
    }
    if (id == source->count) return GYEOT_OK;
    gyeot_deallocate(&trie->allocator, trie->slots);
    trie->slots = NULL;
    capacity += capacity / 2;
  }
}

gyeot_status gyeot_piece_trie_build(gyeot_piece_trie *trie, const gyeot_piece_source *source,
                                    bool bytewise, const gyeot_allocator *allocator,
                                    size_t *duplicate) {
  memset(trie, 0, sizeof *trie);
  trie->bytewise = bytewise;
  trie->allocator = *allocator;
  if (source->count >= INT32_MAX) return GYEOT_ERROR_LIMIT;
  uint64_t characters;
  size_t pieces;
  gyeot_status status = collect_codes(trie, source, &characters, &pieces);
  if (status == GYEOT_OK) {
    /* Large vocabularies have about two nodes a piece. */
    uint64_t nodes = 2 * (uint64_t)pieces + pieces / 20 + 256;
    if (nodes > characters) nodes = characters;
    status = fill(trie, source, nodes + nodes / 3 * 2 + 8, duplicate);
  }
  if (status != GYEOT_OK) gyeot_piece_trie_free(trie);
  return status;
}

void gyeot_piece_trie_free(gyeot_piece_trie *trie) {
  gyeot_deallocate(&trie->allocator, trie->slots);
  gyeot_deallocate(&trie->allocator, trie->pages);
  gyeot_deallocate(&trie->allocator, trie->rare);
  trie->slots = NULL;
  trie->pages = NULL;
  trie->rare = NULL;
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
