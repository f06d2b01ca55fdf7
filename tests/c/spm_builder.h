/* Writes small SentencePiece models for tests: ModelProto messages, field by field. */
#ifndef SPM_BUILDER_H
#define SPM_BUILDER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { NORMAL = 1, UNKNOWN = 2, CONTROL = 3, USER_DEFINED = 4, UNUSED = 5, BYTE = 6 };
enum { UNIGRAM = 1, BPE = 2, WORD = 3, CHAR = 4 };

typedef struct spm_builder {
  uint8_t bytes[65536];
  size_t size;
} spm_builder;

static inline void spm_varint(spm_builder *to, uint64_t value) {
  do {
    to->bytes[to->size++] = (uint8_t)(value | (value >= 0x80 ? 0x80 : 0));
    value >>= 7;
  } while (value != 0);
}

static inline void spm_bytes(spm_builder *to, uint32_t number, const void *bytes, size_t size) {
  spm_varint(to, number << 3 | 2);
  spm_varint(to, size);
  if (size != 0) memcpy(to->bytes + to->size, bytes, size);
  to->size += size;
}

static inline void spm_piece_bytes(spm_builder *to, const void *text, size_t size, float score,
                                   unsigned type) {
  static spm_builder piece;
  piece.size = 0;
  spm_bytes(&piece, 1, text, size);
  spm_varint(&piece, 2 << 3 | 5);
  memcpy(piece.bytes + piece.size, &score, 4);
  piece.size += 4;
  if (type != NORMAL) {
    spm_varint(&piece, 3 << 3);
    spm_varint(&piece, type);
  }
  spm_bytes(to, 1, piece.bytes, piece.size);
}

static inline void spm_piece(spm_builder *to, const char *text, float score, unsigned type) {
  spm_piece_bytes(to, text, strlen(text), score, type);
}

/* One number of the trainer's (2) or the normaliser's (3) settings. */
static inline void spm_setting(spm_builder *to, uint32_t message, uint32_t number, uint64_t value) {
  spm_builder field;
  field.size = 0;
  spm_varint(&field, number << 3);
  spm_varint(&field, value);
  spm_bytes(to, message, field.bytes, field.size);
}

static inline void spm_kind(spm_builder *to, unsigned kind) { spm_setting(to, 2, 3, kind); }
static inline void spm_suffix(spm_builder *to) { spm_setting(to, 2, 24, 1); }
static inline void spm_byte_fallback(spm_builder *to) { spm_setting(to, 2, 35, 1); }
static inline void spm_dummy_prefix(spm_builder *to, int on) { spm_setting(to, 3, 3, on); }
static inline void spm_remove_extra(spm_builder *to, int on) { spm_setting(to, 3, 4, on); }
static inline void spm_escape(spm_builder *to, int on) { spm_setting(to, 3, 5, on); }

#endif
