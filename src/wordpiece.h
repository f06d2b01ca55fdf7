/* The WordPiece model: greedy longest match of one word against a vocabulary. */
#ifndef GYEOT_WORDPIECE_H
#define GYEOT_WORDPIECE_H

#include "hf_trie.h"
#include "tokenizer_engine.h"

typedef struct gyeot_wordpiece {
  gyeot_trie trie;
  int64_t inner_node; /* after the prefix of pieces inside a word ("##"); -1 when there are none */
  int32_t unk_id;
  size_t longest_word; /* a word of more characters is unknown */
  /* Ids that text never becomes when special tokens are text, ascending. */
  const int32_t *special;
  size_t special_count;
} gyeot_wordpiece;

/* A word in characters. begins and ends are the byte positions of each character in the original
 * text; both are NULL when offsets are not wanted. */
typedef struct gyeot_word {
  const uint32_t *characters, *begins, *ends;
  size_t length;
} gyeot_word;

/* Appends the ids of one word of at least one character: its pieces, or the unknown token alone. */
gyeot_status gyeot_wordpiece_match(const gyeot_wordpiece *model, gyeot_word word,
                                   bool special_tokens_as_text, gyeot_sink *sink);

#endif
