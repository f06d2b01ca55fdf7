/* vocab.txt: one piece a line, its id the number of the line. */
#include <string.h>

#include "hf_engine.h"
#include "unicode.h"

enum { LONGEST_WORD = 100, MOST_LINES = 1 << 24 };

typedef struct loading {
  gyeot_hf_engine *engine;
  const uint8_t *bytes;
  size_t size;
  gyeot_error *error;
  int32_t distinct; /* pieces, a repeated one counted once */
  int32_t blank;    /* the id of the last blank line, -1: none; the trie holds no empty piece */
} loading;

static size_t without_trailing_space(const uint8_t *line, size_t size) {
  while (size > 0) {
    if (line[size - 1] < 0x80) {
      if ((gyeot_unicode_properties(line[size - 1]) & GYEOT_SPACE) == 0) return size;
      size--;
      continue;
    }
    size_t start = size - 1, step;
    while (start > 0 && (line[start] & 0xC0) == 0x80) start--;
    uint32_t c = gyeot_utf8_read(line + start, line + size, &step);
    if ((gyeot_unicode_properties(c) & GYEOT_SPACE) == 0) return size;
    size = start;
  }
  return 0;
}

static gyeot_status refuse(loading *l, const char *what, const char *detail) {
  const char *seen = gyeot_sniff(l->bytes, l->size);
  if (seen != NULL)
    return gyeot_fail(l->error, GYEOT_ERROR_FORMAT,
                      "this is %s, not a vocab.txt (one token a line)", seen);
  return gyeot_fail(l->error, GYEOT_ERROR_FORMAT,
                    "this is not a vocab.txt (one token a line): %s%s", what, detail);
}

static gyeot_status read_lines(loading *l) {
  gyeot_hf_engine *engine = l->engine;
  const uint8_t *at = l->bytes, *end = l->bytes + l->size;
  for (int32_t id = 0; at < end; id++) {
    const uint8_t *newline = memchr(at, '\n', (size_t)(end - at));
    const uint8_t *stop = newline == NULL ? end : newline;
    size_t size = without_trailing_space(at, (size_t)(stop - at));
    int32_t before = l->blank;
    if (id >= MOST_LINES)
      return gyeot_fail(l->error, GYEOT_ERROR_LIMIT, "the vocabulary has more than %u lines",
                        (unsigned)MOST_LINES);
    gyeot_status status = gyeot_pieces_set(&engine->pieces, id, at, size);
    if (size == 0)
      l->blank = id;
    else if (status == GYEOT_OK)
      status = gyeot_trie_put(&engine->wordpiece.trie, at, size, id, &before);
    if (status != GYEOT_OK) return status;
    /* The last of equal lines has the piece; the id of an earlier one is left without. */
    if (before >= 0)
      gyeot_pieces_forget(&engine->pieces, before);
    else
      l->distinct++;
    at = newline == NULL ? end : newline + 1;
  }
  return GYEOT_OK;
}

static gyeot_status add_token(loading *l, const char *name, unsigned flags, int32_t *next_id) {
  gyeot_added_token token = {.special = true,
                             .lstrip = (flags & GYEOT_TOKEN_LSTRIP) != 0,
                             .rstrip = (flags & GYEOT_TOKEN_RSTRIP) != 0,
                             .single_word = (flags & GYEOT_TOKEN_SINGLE_WORD) != 0};
  return gyeot_hf_engine_add(l->engine, (const uint8_t *)name, strlen(name), token, next_id);
}

/* Whether one of the tokens in `options` is this one. */
static bool is_added(const gyeot_wordpiece_options *options, const char *name) {
  const char *at = options->added_tokens;
  for (size_t i = 0; i < options->added_count; i++, at += strlen(at) + 1)
    if (strcmp(at, name) == 0) return true;
  return false;
}

/* Adds the special tokens in the order in which the reference gives ids to missing ones. */
static gyeot_status add_special(loading *l, const gyeot_wordpiece_options *options) {
  const char *const names[] = {options->unk_token, options->sep_token, options->pad_token,
                               options->cls_token, options->mask_token};
  static const char *const usual[] = {"[UNK]", "[SEP]", "[PAD]", "[CLS]", "[MASK]"};
  int32_t next_id = l->distinct;
  const char *added = options->added_tokens;
  for (size_t i = 0; i < options->added_count; i++, added += strlen(added) + 1) {
    gyeot_status status = add_token(l, added, options->added_flags[i], &next_id);
    if (status != GYEOT_OK) return status;
  }
  for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
    const char *name = names[i] != NULL ? names[i] : usual[i];
    const uint8_t *text = (const uint8_t *)name;
    size_t size = strlen(name);
    if (i == 0) {
      l->engine->wordpiece.unk_id = gyeot_trie_get(&l->engine->wordpiece.trie, text, size);
      if (l->engine->wordpiece.unk_id < 0)
        return refuse(l, "it has no line with the unknown token ", name);
    }
    if (is_added(options, name)) continue;
    gyeot_status status = add_token(l, name, 0, &next_id);
    if (status != GYEOT_OK) return status;
  }
  return GYEOT_OK;
}

static gyeot_status fill(loading *l, const gyeot_wordpiece_options *options) {
  gyeot_hf_engine *engine = l->engine;
  if (!gyeot_utf8_is_valid(l->bytes, l->size)) return refuse(l, "it is not UTF-8", "");
  /* Korean vocabularies of 32,000 pieces have about one edge for three characters. */
  size_t characters = 0, lines = 1;
  for (size_t i = 0; i < l->size; i++) {
    characters += (l->bytes[i] & 0xC0) != 0x80;
    lines += l->bytes[i] == '\n';
  }
  gyeot_status status =
      gyeot_trie_init(&engine->wordpiece.trie, &engine->base.allocator, characters / 3);
  if (status == GYEOT_OK && lines < MOST_LINES)
    status = gyeot_pieces_reserve(&engine->pieces, lines + 8, l->size + 64);
  if (status == GYEOT_OK) status = read_lines(l);
  if (status == GYEOT_OK) status = add_special(l, options);
  if (status != GYEOT_OK) return status;
  engine->wordpiece.inner_node =
      gyeot_trie_walk(&engine->wordpiece.trie, (const uint8_t *)"##", 2);
  engine->wordpiece.longest_word = LONGEST_WORD;
  bool strip = options->strip_accents < 0 ? options->lowercase : options->strip_accents != 0;
  engine->bert = (gyeot_bert){true, options->split_chinese, strip, options->lowercase};
  gyeot_decoder decoder = {.kind = GYEOT_DECODE_WORDPIECE, .first = (uint8_t *)"##",
                           .first_size = 2, .flag = true};
  return gyeot_decoders_add(&engine->decoders, &engine->base.allocator, decoder);
}

gyeot_status gyeot_tokenizer_load_vocab(const uint8_t *bytes, size_t size,
                                        const gyeot_wordpiece_options *options,
                                        const gyeot_allocator *allocator,
                                        gyeot_tokenizer **out, gyeot_error *error) {
  if (error != NULL) *error = (gyeot_error){GYEOT_OK, ""};
  if (out == NULL || options == NULL || (bytes == NULL && size != 0))
    return gyeot_fail(error, GYEOT_ERROR_ARGUMENT, "load_vocab needs bytes, options and out");
  gyeot_allocator gate = gyeot_allocator_or_default(allocator);
  loading l = {NULL, bytes, size, error, 0, -1};
  gyeot_status status = gyeot_hf_engine_new(&gate, &l.engine);
  if (status == GYEOT_OK) {
    status = fill(&l, options);
    if (status != GYEOT_OK) gyeot_hf_engine_free(l.engine);
  }
  gyeot_tokenizer *tokenizer = NULL;
  if (status == GYEOT_OK) status = gyeot_tokenizer_wrap(&l.engine->base, &tokenizer);
  if (status == GYEOT_ERROR_MEMORY)
    return gyeot_fail(error, status, "not enough memory for the vocabulary");
  if (status == GYEOT_ERROR_LIMIT && error != NULL && error->status == GYEOT_OK)
    return gyeot_fail(error, status, "the vocabulary is larger than 4 GiB");
  if (status != GYEOT_OK) return status;

  const char *cls = options->cls_token != NULL ? options->cls_token : "[CLS]";
  const char *sep = options->sep_token != NULL ? options->sep_token : "[SEP]";
  int32_t prefix = gyeot_tokenizer_id(tokenizer, (const uint8_t *)cls, strlen(cls));
  int32_t suffix = gyeot_tokenizer_id(tokenizer, (const uint8_t *)sep, strlen(sep));
  gyeot_tokenizer_set_template(tokenizer, &prefix, prefix >= 0, &suffix, suffix >= 0);
  *out = tokenizer;
  return GYEOT_OK;
}
