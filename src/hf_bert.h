/* BertNormalizer, BertPreTokenizer and WordPiece in one pass over the bytes. */
#ifndef GYEOT_HF_BERT_H
#define GYEOT_HF_BERT_H

#include "wordpiece.h"

typedef struct gyeot_bert {
  bool clean, split_chinese, strip_accents, lowercase;
} gyeot_bert;

/* Appends the ids of text[begin, end), a stretch without special tokens. */
gyeot_status gyeot_bert_encode(const gyeot_bert *bert, const gyeot_wordpiece *model,
                               const uint8_t *text, size_t begin, size_t end,
                               bool special_tokens_as_text, gyeot_sink *sink);

#endif
