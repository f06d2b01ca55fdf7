/* A SentencePiece .model file (a ModelProto message), read and checked.
 *
 * The file's bytes are kept and pointed into: a 250,000-piece model of 5 MB needs 2.2 MB besides,
 * where copying pieces out would take 3.6. */
#ifndef GYEOT_SENTENCEPIECE_MODEL_H
#define GYEOT_SENTENCEPIECE_MODEL_H

#include <stdbool.h>

#include "alloc.h"
#include "piece_trie.h"

typedef enum gyeot_spm_kind {
  GYEOT_SPM_UNIGRAM = 1,
  GYEOT_SPM_BPE = 2,
  GYEOT_SPM_WORD = 3,
  GYEOT_SPM_CHAR = 4
} gyeot_spm_kind;

typedef enum gyeot_spm_type {
  GYEOT_SPM_NORMAL = 1,
  GYEOT_SPM_UNKNOWN = 2,
  GYEOT_SPM_CONTROL = 3,
  GYEOT_SPM_USER_DEFINED = 4,
  GYEOT_SPM_UNUSED = 5,
  GYEOT_SPM_BYTE = 6
} gyeot_spm_type;

/* NormalizerSpec, with its defaults. */
typedef struct gyeot_spm_rules {
  bool present;
  const uint8_t *charsmap; /* in the file's bytes */
  size_t charsmap_size;
  bool add_dummy_prefix, remove_extra_whitespaces, escape_whitespaces;
} gyeot_spm_rules;

typedef struct gyeot_spm_model {
  gyeot_allocator allocator;
  uint8_t *bytes; /* the file, owned */
  size_t size;
  size_t count;
  uint32_t *piece_at; /* where in the file a piece stands: its length as a varint, then its text */
  float *scores;
  uint8_t *types; /* gyeot_spm_type */
  gyeot_spm_kind kind;
  bool byte_fallback, whitespace_as_suffix;
  const uint8_t *unknown_surface; /* what decode writes for <unk>; NULL: the usual " ⁇ " */
  size_t unknown_surface_size;
  gyeot_spm_rules normalizer, denormalizer;
  int32_t unknown_id;
  size_t reserved_end, symbols_end; /* one past the last control, unknown or byte piece, and symbol */
  int32_t byte_ids[256]; /* with byte_fallback */
  int32_t *unused; /* [unused_count]: the ids of the unused pieces, ascending; BPE only */
  size_t unused_count;
  gyeot_piece_trie symbols; /* of the user-defined pieces, over bytes */
  gyeot_piece_trie trie;    /* of the normal, user-defined and unused pieces */
} gyeot_spm_model;

/* Reads a model and takes over `bytes`, which came from the allocator: they are freed with the
 * model, and at once when this fails. Refuses what SentencePiece 0.2.3 refuses. */
gyeot_status gyeot_spm_model_open(gyeot_spm_model *model, uint8_t *bytes, size_t size,
                                  const gyeot_allocator *allocator, gyeot_error *error);
void gyeot_spm_model_close(gyeot_spm_model *model);

/* The text of a piece; id must be below count. */
const uint8_t *gyeot_spm_model_piece(const gyeot_spm_model *model, size_t id, size_t *size);

/* The id of a control, unknown or byte piece, or -1. */
int32_t gyeot_spm_model_reserved(const gyeot_spm_model *model, const uint8_t *text, size_t size);

/* The byte that a piece such as <0xEA> stands for, or -1. */
int gyeot_spm_piece_byte(const uint8_t *text, size_t size);

#endif
