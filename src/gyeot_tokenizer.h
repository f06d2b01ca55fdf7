/* Tokenizers: text in, ids out, equal to the reference libraries for every input.
 *
 *   what is loaded                  equals
 *   vocab.txt (WordPiece)           Hugging Face BertTokenizerFast
 *   SentencePiece .model            SentencePiece 0.2.3
 *   tokenizer.json                  Hugging Face tokenizers
 */
#ifndef GYEOT_TOKENIZER_H
#define GYEOT_TOKENIZER_H

#include <stdbool.h>

#include "gyeot_status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gyeot_tokenizer gyeot_tokenizer;

/* How an added token is looked for in the text, as bits. */
enum {
  GYEOT_TOKEN_LSTRIP = 1,     /* it takes the white space before it */
  GYEOT_TOKEN_RSTRIP = 2,     /* it takes the white space behind it */
  GYEOT_TOKEN_SINGLE_WORD = 4 /* only where no word character touches it */
};

/* How a WordPiece vocabulary is used; the fields of tokenizer_config.json. The token names are
 * NUL-terminated UTF-8 and are only read during the load; NULL means BERT's usual name. More
 * special tokens may follow: `added_tokens` holds added_count of them, NUL-terminated, one right
 * behind the other, and `added_flags` the GYEOT_TOKEN_ bits of each. One without a line in the
 * vocabulary gets an id past it, and they come before those of the five named tokens that are not
 * among them. */
typedef struct gyeot_wordpiece_options {
  bool lowercase;              /* do_lower_case */
  int strip_accents;           /* 1 yes, 0 no, -1 as BERT: yes exactly when lowercase */
  bool split_chinese;          /* tokenize_chinese_chars; BERT: true */
  const char *unk_token, *cls_token, *sep_token, *pad_token, *mask_token;
  const char *added_tokens;
  const uint8_t *added_flags;
  size_t added_count;
} gyeot_wordpiece_options;

/* How the ids of a SentencePiece model become the ids of the neural model.
 * {0, -1} keeps SentencePiece's own; XLM-R and E5 use {1, 3}. */
typedef struct gyeot_sentencepiece_options {
  int32_t id_offset; /* added to every id but the unknown's */
  int32_t unk_id;    /* id given for <unk>; -1: the model's own plus id_offset */
} gyeot_sentencepiece_options;

gyeot_status gyeot_tokenizer_load_vocab(const uint8_t *bytes, size_t size,
                                        const gyeot_wordpiece_options *options,
                                        const gyeot_allocator *allocator,
                                        gyeot_tokenizer **out, gyeot_error *error);
gyeot_status gyeot_tokenizer_load_sentencepiece(const uint8_t *bytes, size_t size,
                                                const gyeot_sentencepiece_options *options,
                                                const gyeot_allocator *allocator,
                                                gyeot_tokenizer **out, gyeot_error *error);
gyeot_status gyeot_tokenizer_load_json(const uint8_t *bytes, size_t size,
                                       const gyeot_allocator *allocator,
                                       gyeot_tokenizer **out, gyeot_error *error);
void gyeot_tokenizer_free(gyeot_tokenizer *tokenizer);

/* Replaces the special ids put around a text (vocab.txt and tokenizer.json bring their own;
 * SentencePiece models start with none). At most 8 ids on each side. */
gyeot_status gyeot_tokenizer_set_template(gyeot_tokenizer *tokenizer, const int32_t *prefix,
                                          size_t prefix_length, const int32_t *suffix,
                                          size_t suffix_length);

/* Number of ids: one more than the largest id that encode can return. */
size_t gyeot_tokenizer_size(const gyeot_tokenizer *tokenizer);

/* The max_length of a tokenizer.json's truncation, 0 when it names none. encode does not apply it,
 * nor the file's padding: both are for the caller to decide. */
size_t gyeot_tokenizer_max_length(const gyeot_tokenizer *tokenizer);

/* The piece of an id as UTF-8, owned by the tokenizer, not NUL-terminated; NULL and *size 0 for an
 * id without one. */
const uint8_t *gyeot_tokenizer_piece(const gyeot_tokenizer *tokenizer, int32_t id, size_t *size);

/* The id of a piece or special token, -1 when there is none. */
int32_t gyeot_tokenizer_id(const gyeot_tokenizer *tokenizer, const uint8_t *piece, size_t size);

typedef struct gyeot_encode_options {
  bool add_special_tokens;     /* put the template around */
  bool special_tokens_as_text; /* special tokens in the text are text; for what users type */
  size_t max_length;           /* ids kept, the template counted; 0: no limit */
  bool want_offsets;
} gyeot_encode_options;

/* Where encode writes: arrays and scratch space that grow and are reused from call to call.
 * `offsets` holds, for each id, begin and end as byte positions in the original text (0, 0 for the
 * template), or nothing when not wanted. Valid until the next encode or the free. */
typedef struct gyeot_encoding {
  int32_t *ids;
  uint32_t *offsets; /* [2 * length] */
  size_t length;
  bool truncated;
} gyeot_encoding;

gyeot_status gyeot_encoding_new(const gyeot_allocator *allocator, gyeot_encoding **out);
void gyeot_encoding_free(gyeot_encoding *encoding);

/* Fails only with GYEOT_ERROR_MEMORY or GYEOT_ERROR_ARGUMENT (a max_length that is not 0 and
 * shorter than the template, a text of 4 GiB or more); after a failure `out` is empty and can be
 * used again. Time is linear in `size`. */
gyeot_status gyeot_tokenizer_encode(const gyeot_tokenizer *tokenizer, const uint8_t *text,
                                    size_t size, const gyeot_encode_options *options,
                                    gyeot_encoding *out);

/* The text of ids, written to a buffer from the tokenizer's allocator that the caller gives back
 * with gyeot_text_free. Ids out of range are skipped. */
gyeot_status gyeot_tokenizer_decode(const gyeot_tokenizer *tokenizer, const int32_t *ids,
                                    size_t length, bool skip_special_tokens, uint8_t **out_text,
                                    size_t *out_size);
void gyeot_text_free(const gyeot_tokenizer *tokenizer, uint8_t *text);

#ifdef __cplusplus
}
#endif
#endif
