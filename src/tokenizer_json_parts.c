/* Normalizers, pre-tokenizers, post-processors and decoders of tokenizer.json. */
#include <string.h>

#include "tokenizer_json.h"
#include "unicode.h"

typedef gyeot_status reader(gyeot_json_load *load, gyeot_json value);

/* A Sequence: each element of the list `name` in turn. */
static gyeot_status read_each(gyeot_json_load *load, const char *part, gyeot_json value,
                              const char *name, reader *read) {
  gyeot_json list = gyeot_json_member(value, name);
  if (gyeot_json_kind_of(list) != GYEOT_JSON_ARRAY)
    return gyeot_json_refuse(load, part, "a Sequence without its list");
  for (gyeot_json_walk walk = gyeot_json_begin(list); gyeot_json_next(&walk);) {
    gyeot_status status = read(load, walk.value);
    if (status != GYEOT_OK) return status;
  }
  return GYEOT_OK;
}

static bool is_absent(gyeot_json value) { return gyeot_json_kind_of(value) <= GYEOT_JSON_NULL; }

/* The characters of load->text. */
static gyeot_status characters_of(gyeot_json_load *load, uint32_t **out, size_t *length) {
  uint32_t *characters = gyeot_allocate(&load->allocator, load->text.size + 1, sizeof *characters);
  if (characters == NULL) return GYEOT_ERROR_MEMORY;
  const uint8_t *at = load->text.bytes, *end = at + load->text.size;
  size_t count = 0;
  for (size_t step; at < end; at += step) characters[count++] = gyeot_utf8_read(at, end, &step);
  *out = characters;
  *length = count;
  return GYEOT_OK;
}

/* 1. Normalizers. */

static const char normalizer[] = "normalizer";

static gyeot_status add_plain(gyeot_json_load *load, gyeot_normalizer_kind kind) {
  return gyeot_pipeline_add_normalizer(load->engine->pipeline, (gyeot_normalizer){.kind = kind});
}

static gyeot_status read_bert(gyeot_json_load *load, gyeot_json value) {
  gyeot_bert bert;
  gyeot_json_kind strip = gyeot_json_kind_of(gyeot_json_member(value, "strip_accents"));
  gyeot_status status = gyeot_json_flag(load, normalizer, value, "clean_text", &bert.clean);
  if (status == GYEOT_OK)
    status = gyeot_json_flag(load, normalizer, value, "handle_chinese_chars", &bert.split_chinese);
  if (status == GYEOT_OK)
    status = gyeot_json_flag(load, normalizer, value, "lowercase", &bert.lowercase);
  if (status != GYEOT_OK) return status;
  if (strip > GYEOT_JSON_TRUE)
    return gyeot_json_refuse(load, normalizer, "\"strip_accents\" is neither null nor a boolean");
  bert.strip_accents = strip <= GYEOT_JSON_NULL ? bert.lowercase : strip == GYEOT_JSON_TRUE;
  load->engine->bert = bert;
  if (bert.clean) status = add_plain(load, GYEOT_NORMALIZE_CLEAN);
  if (status == GYEOT_OK && bert.split_chinese) status = add_plain(load, GYEOT_NORMALIZE_CHINESE);
  if (status == GYEOT_OK && bert.strip_accents) status = add_plain(load, GYEOT_NORMALIZE_NFD);
  if (status == GYEOT_OK && bert.strip_accents)
    status = add_plain(load, GYEOT_NORMALIZE_DROP_ACCENTS);
  if (status == GYEOT_OK && bert.lowercase) status = add_plain(load, GYEOT_NORMALIZE_LOWERCASE);
  return status;
}

static gyeot_status read_strip(gyeot_json_load *load, gyeot_json value) {
  gyeot_normalizer step = {.kind = GYEOT_NORMALIZE_STRIP};
  gyeot_status status = gyeot_json_flag(load, normalizer, value, "strip_left", &step.left);
  if (status == GYEOT_OK)
    status = gyeot_json_flag(load, normalizer, value, "strip_right", &step.right);
  return status == GYEOT_OK ? gyeot_pipeline_add_normalizer(load->engine->pipeline, step) : status;
}

static gyeot_status read_replace(gyeot_json_load *load, gyeot_json value) {
  gyeot_normalizer step = {.kind = GYEOT_NORMALIZE_REPLACE};
  gyeot_json pattern = gyeot_json_member(value, "pattern");
  gyeot_json expression = gyeot_json_member(pattern, "Regex");
  if (gyeot_json_is(expression, " {2,}"))
    step.kind = GYEOT_NORMALIZE_REPLACE_SPACES;
  else if (expression.at != NULL)
    return gyeot_json_unsupported(load, "normalizer Replace with the expression", expression);
  gyeot_status status = GYEOT_OK;
  if (step.kind == GYEOT_NORMALIZE_REPLACE) {
    status = gyeot_json_read(load, normalizer, gyeot_json_member(pattern, "String"));
    if (status != GYEOT_OK) return status;
    if (load->text.size == 0)
      return gyeot_json_unsupported(load, "normalizer Replace of the string",
                                    gyeot_json_member(pattern, "String"));
    status = characters_of(load, &step.from, &step.from_length);
  }
  if (status == GYEOT_OK)
    status = gyeot_json_read(load, normalizer, gyeot_json_member(value, "content"));
  if (status == GYEOT_OK) status = characters_of(load, &step.to, &step.to_length);
  if (status == GYEOT_OK) return gyeot_pipeline_add_normalizer(load->engine->pipeline, step);
  gyeot_normalizer_free(&step, &load->allocator);
  return status;
}

static gyeot_status read_prepend(gyeot_json_load *load, gyeot_json value) {
  gyeot_normalizer step = {.kind = GYEOT_NORMALIZE_PREPEND};
  gyeot_status status = gyeot_json_read(load, normalizer, gyeot_json_member(value, "prepend"));
  if (status == GYEOT_OK) status = characters_of(load, &step.to, &step.to_length);
  return status == GYEOT_OK ? gyeot_pipeline_add_normalizer(load->engine->pipeline, step) : status;
}

static int base64_value(uint8_t c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Decodes padded base64 in place; false when it is not that. */
static bool decode_base64(uint8_t *text, size_t *size) {
  size_t length = *size, written = 0;
  if (length % 4 != 0) return false;
  while (length > 0 && *size - length < 2 && text[length - 1] == '=') length--;
  uint32_t bits = 0;
  for (size_t i = 0; i < length; i++) {
    int value = base64_value(text[i]);
    if (value < 0) return false;
    bits = bits << 6 | (uint32_t)value;
    if (i % 4 == 0) continue;
    text[written++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
  }
  *size = written;
  return true;
}

static gyeot_status read_precompiled(gyeot_json_load *load, gyeot_json value) {
  gyeot_status status =
      gyeot_json_read(load, normalizer, gyeot_json_member(value, "precompiled_charsmap"));
  if (status != GYEOT_OK) return status;
  if (!decode_base64(load->text.bytes, &load->text.size) || load->text.size == 0)
    return gyeot_json_refuse(load, normalizer, "\"precompiled_charsmap\" is not base64");
  gyeot_normalizer step = {.kind = GYEOT_NORMALIZE_PRECOMPILED};
  step.map = gyeot_allocate(&load->allocator, 1, sizeof *step.map);
  step.map_bytes = gyeot_allocate(&load->allocator, load->text.size, 1);
  if (step.map == NULL || step.map_bytes == NULL) {
    status = GYEOT_ERROR_MEMORY;
  } else {
    memcpy(step.map_bytes, load->text.bytes, load->text.size);
    status = gyeot_charsmap_open(step.map, step.map_bytes, load->text.size, load->error);
  }
  if (status == GYEOT_OK) return gyeot_pipeline_add_normalizer(load->engine->pipeline, step);
  gyeot_normalizer_free(&step, &load->allocator);
  return status;
}

static gyeot_status read_normalizer(gyeot_json_load *load, gyeot_json value) {
  static const struct {
    const char *name;
    gyeot_normalizer_kind kind;
  } plain[] = {{"NFC", GYEOT_NORMALIZE_NFC},
               {"NFD", GYEOT_NORMALIZE_NFD},
               {"NFKC", GYEOT_NORMALIZE_NFKC},
               {"NFKD", GYEOT_NORMALIZE_NFKD},
               {"Nmt", GYEOT_NORMALIZE_NMT},
               {"Lowercase", GYEOT_NORMALIZE_LOWERCASE},
               {"StripAccents", GYEOT_NORMALIZE_DROP_MARKS}};
  gyeot_json type = gyeot_json_member(value, "type");
  for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
    if (gyeot_json_is(type, plain[i].name)) return add_plain(load, plain[i].kind);
  if (gyeot_json_is(type, "Sequence"))
    return read_each(load, normalizer, value, "normalizers", read_normalizer);
  if (gyeot_json_is(type, "BertNormalizer")) return read_bert(load, value);
  if (gyeot_json_is(type, "Strip")) return read_strip(load, value);
  if (gyeot_json_is(type, "Replace")) return read_replace(load, value);
  if (gyeot_json_is(type, "Prepend")) return read_prepend(load, value);
  if (gyeot_json_is(type, "Precompiled")) return read_precompiled(load, value);
  return gyeot_json_unsupported(load, normalizer, type);
}

gyeot_status gyeot_json_normalizer(gyeot_json_load *load, gyeot_json value) {
  if (is_absent(value)) return GYEOT_OK;
  load->bert_normalizer = gyeot_json_is(gyeot_json_member(value, "type"), "BertNormalizer");
  return read_normalizer(load, value);
}

/* 2. Pre-tokenizers. */

static const char pretokenizer[] = "pre_tokenizer";

static gyeot_status add_pretokenizer(gyeot_json_load *load, gyeot_pretokenizer step) {
  return gyeot_pipeline_add_pretokenizer(load->engine->pipeline, step);
}

/* One character, as `replacement` of Metaspace and `content` of Strip are. */
static gyeot_status read_character(gyeot_json_load *load, const char *part, gyeot_json value,
                                   uint32_t *out) {
  gyeot_status status = gyeot_json_read(load, part, value);
  if (status != GYEOT_OK) return status;
  size_t step = 0;
  if (load->text.size != 0)
    *out = gyeot_utf8_read(load->text.bytes, load->text.bytes + load->text.size, &step);
  if (load->text.size != 0 && step == load->text.size) return GYEOT_OK;
  return gyeot_json_refuse(load, part, "a single character is expected");
}

/* Both forms of Metaspace: prepend_scheme, or add_prefix_space from before there was one. */
static gyeot_status read_prepend_scheme(gyeot_json_load *load, const char *part, gyeot_json value,
                                        gyeot_prepend *out) {
  gyeot_json scheme = gyeot_json_member(value, "prepend_scheme");
  if (scheme.at == NULL || gyeot_json_is(scheme, "always"))
    *out = GYEOT_PREPEND_ALWAYS;
  else if (gyeot_json_is(scheme, "first"))
    *out = GYEOT_PREPEND_FIRST;
  else if (gyeot_json_is(scheme, "never"))
    *out = GYEOT_PREPEND_NEVER;
  else
    return gyeot_json_refuse(load, part, "an unknown \"prepend_scheme\"");
  bool without =
      gyeot_json_kind_of(gyeot_json_member(value, "add_prefix_space")) == GYEOT_JSON_FALSE;
  if (without && *out != GYEOT_PREPEND_NEVER)
    return gyeot_json_refuse(load, part, "\"add_prefix_space\" and \"prepend_scheme\" disagree");
  return GYEOT_OK;
}

static gyeot_status read_metaspace(gyeot_json_load *load, gyeot_json value) {
  gyeot_pretokenizer step = {.kind = GYEOT_SPLIT_METASPACE};
  gyeot_status status =
      read_character(load, pretokenizer, gyeot_json_member(value, "replacement"), &step.mark);
  if (status == GYEOT_OK) status = read_prepend_scheme(load, pretokenizer, value, &step.prepend);
  step.split = gyeot_json_kind_of(gyeot_json_member(value, "split")) != GYEOT_JSON_FALSE;
  return status == GYEOT_OK ? add_pretokenizer(load, step) : status;
}

static gyeot_status read_pretokenizer(gyeot_json_load *load, gyeot_json value) {
  static const struct {
    const char *name;
    gyeot_pretokenizer_kind kind;
  } plain[] = {{"BertPreTokenizer", GYEOT_SPLIT_BERT},
               {"WhitespaceSplit", GYEOT_SPLIT_SPACES},
               {"Whitespace", GYEOT_SPLIT_WORDS}};
  gyeot_json type = gyeot_json_member(value, "type");
  for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
    if (gyeot_json_is(type, plain[i].name))
      return add_pretokenizer(load, (gyeot_pretokenizer){.kind = plain[i].kind});
  if (gyeot_json_is(type, "Sequence"))
    return read_each(load, pretokenizer, value, "pretokenizers", read_pretokenizer);
  if (gyeot_json_is(type, "Metaspace")) return read_metaspace(load, value);
  if (gyeot_json_is(type, "Punctuation")) {
    gyeot_json behavior = gyeot_json_member(value, "behavior");
    if (behavior.at != NULL && !gyeot_json_is(behavior, "Isolated"))
      return gyeot_json_unsupported(load, "pre_tokenizer Punctuation with the behavior", behavior);
    return add_pretokenizer(load, (gyeot_pretokenizer){.kind = GYEOT_SPLIT_PUNCTUATION});
  }
  return gyeot_json_unsupported(load, pretokenizer, type);
}

gyeot_status gyeot_json_pretokenizer(gyeot_json_load *load, gyeot_json value) {
  if (is_absent(value)) return GYEOT_OK;
  load->bert_pretokenizer = gyeot_json_is(gyeot_json_member(value, "type"), "BertPreTokenizer");
  return read_pretokenizer(load, value);
}

/* 3. Post-processors: ids put before and after the text, each of a sequence around the last. */

static const char postprocessor[] = "post_processor";

static gyeot_status put_around(gyeot_json_load *load, int32_t id, bool before) {
  size_t *length = before ? &load->prefix_length : &load->suffix_length;
  int32_t *ids = before ? load->prefix : load->suffix;
  if (*length == GYEOT_TEMPLATE_MAX)
    return gyeot_fail(load->error, GYEOT_ERROR_UNSUPPORTED,
                      "tokenizer.json: the post_processor adds more than %d ids on one side",
                      (int)GYEOT_TEMPLATE_MAX);
  ids[(*length)++] = id;
  return GYEOT_OK;
}

/* "cls" and "sep" of the older processors: ["[CLS]", 101]. */
static gyeot_status read_pair(gyeot_json_load *load, gyeot_json value, const char *name,
                              int32_t *id) {
  gyeot_json_walk walk = gyeot_json_begin(gyeot_json_member(value, name));
  if (gyeot_json_next(&walk) && gyeot_json_next(&walk) && gyeot_json_integer(walk.value, id))
    return GYEOT_OK;
  return gyeot_json_refuse(load, postprocessor, "\"cls\" or \"sep\" is not a token and its id");
}

static gyeot_status put_special(gyeot_json_load *load, gyeot_json tokens, gyeot_json item,
                                bool before) {
  gyeot_status status = gyeot_json_read(load, postprocessor, gyeot_json_member(item, "id"));
  if (status != GYEOT_OK) return status;
  gyeot_json ids = gyeot_json_member(
      gyeot_json_member(tokens, (const char *)load->text.bytes), "ids");
  if (gyeot_json_kind_of(ids) != GYEOT_JSON_ARRAY)
    return gyeot_json_refuse(load, postprocessor, "a special token without its ids");
  for (gyeot_json_walk walk = gyeot_json_begin(ids); gyeot_json_next(&walk);) {
    int32_t id;
    if (!gyeot_json_integer(walk.value, &id))
      return gyeot_json_refuse(load, postprocessor, "an id is not a whole number");
    status = put_around(load, id, before);
    if (status != GYEOT_OK) return status;
  }
  return GYEOT_OK;
}

static gyeot_status read_template(gyeot_json_load *load, gyeot_json value) {
  gyeot_json single = gyeot_json_member(value, "single");
  gyeot_json tokens = gyeot_json_member(value, "special_tokens");
  size_t sequences = 0;
  for (gyeot_json_walk walk = gyeot_json_begin(single); gyeot_json_next(&walk);) {
    gyeot_json special = gyeot_json_member(walk.value, "SpecialToken");
    if (special.at == NULL) {
      gyeot_json sequence = gyeot_json_member(walk.value, "Sequence");
      if (!gyeot_json_is(gyeot_json_member(sequence, "id"), "A"))
        return gyeot_json_refuse(load, postprocessor, "an unknown part of the template \"single\"");
      sequences++;
      continue;
    }
    gyeot_status status = put_special(load, tokens, special, sequences == 0);
    if (status != GYEOT_OK) return status;
  }
  if (sequences == 1) return GYEOT_OK;
  return gyeot_fail(load->error, GYEOT_ERROR_UNSUPPORTED,
                    "tokenizer.json: a post_processor whose template \"single\" does not hold the "
                    "text exactly once is not supported");
}

static gyeot_status read_cls_and_sep(gyeot_json_load *load, gyeot_json value) {
  int32_t cls, sep;
  gyeot_status status = read_pair(load, value, "cls", &cls);
  if (status == GYEOT_OK) status = read_pair(load, value, "sep", &sep);
  if (status == GYEOT_OK) status = put_around(load, cls, true);
  return status == GYEOT_OK ? put_around(load, sep, false) : status;
}

static gyeot_status read_postprocessor(gyeot_json_load *load, gyeot_json value) {
  gyeot_json type = gyeot_json_member(value, "type");
  int32_t inner[GYEOT_TEMPLATE_MAX];
  size_t inner_length = load->prefix_length;
  memcpy(inner, load->prefix, sizeof inner);
  gyeot_status status;
  if (gyeot_json_is(type, "Sequence"))
    return read_each(load, postprocessor, value, "processors", read_postprocessor);
  load->prefix_length = 0;
  if (gyeot_json_is(type, "TemplateProcessing")) {
    status = read_template(load, value);
  } else if (gyeot_json_is(type, "BertProcessing")) {
    status = read_cls_and_sep(load, value);
  } else if (gyeot_json_is(type, "RobertaProcessing")) {
    status = gyeot_json_flag(load, postprocessor, value, "trim_offsets", &load->trims_offsets);
    if (status == GYEOT_OK) status = read_cls_and_sep(load, value);
  } else {
    return gyeot_json_unsupported(load, postprocessor, type);
  }
  for (size_t i = 0; i < inner_length && status == GYEOT_OK; i++)
    status = put_around(load, inner[i], true);
  return status;
}

gyeot_status gyeot_json_postprocessor(gyeot_json_load *load, gyeot_json value) {
  return is_absent(value) ? GYEOT_OK : read_postprocessor(load, value);
}

/* 4. Decoders. */

static const char decoder[] = "decoder";

/* A string of the file as the first or second text of a step, copied by gyeot_decoders_add. */
static gyeot_status add_decoder(gyeot_json_load *load, gyeot_decoder step) {
  return gyeot_decoders_add(&load->engine->decoders, &load->allocator, step);
}

static gyeot_status add_decoder_with_text(gyeot_json_load *load, gyeot_decoder step,
                                          gyeot_json text) {
  gyeot_status status = gyeot_json_read(load, decoder, text);
  step.first = load->text.bytes;
  step.first_size = load->text.size;
  return status == GYEOT_OK ? add_decoder(load, step) : status;
}

static gyeot_status read_metaspace_decoder(gyeot_json_load *load, gyeot_json value) {
  gyeot_decoder step = {.kind = GYEOT_DECODE_METASPACE};
  gyeot_prepend prepend;
  uint32_t mark;
  gyeot_status status =
      read_character(load, decoder, gyeot_json_member(value, "replacement"), &mark);
  if (status == GYEOT_OK) status = read_prepend_scheme(load, decoder, value, &prepend);
  if (status != GYEOT_OK) return status;
  step.flag = prepend != GYEOT_PREPEND_NEVER;
  return add_decoder_with_text(load, step, gyeot_json_member(value, "replacement"));
}

static gyeot_status read_replace_decoder(gyeot_json_load *load, gyeot_json value) {
  gyeot_json pattern = gyeot_json_member(value, "pattern");
  if (gyeot_json_member(pattern, "Regex").at != NULL)
    return gyeot_json_unsupported(load, "decoder Replace with the expression",
                                  gyeot_json_member(pattern, "Regex"));
  gyeot_json_text from = {0};
  gyeot_status status =
      gyeot_json_string(gyeot_json_member(pattern, "String"), &load->allocator, &from);
  if (status == GYEOT_ERROR_FORMAT)
    status = gyeot_json_refuse(load, decoder, "a string is missing");
  if (status == GYEOT_OK)
    status = gyeot_json_read(load, decoder, gyeot_json_member(value, "content"));
  if (status == GYEOT_OK)
    status = add_decoder(load, (gyeot_decoder){.kind = GYEOT_DECODE_REPLACE,
                                               .first = from.bytes,
                                               .first_size = from.size,
                                               .second = load->text.bytes,
                                               .second_size = load->text.size});
  gyeot_deallocate(&load->allocator, from.bytes);
  return status;
}

static gyeot_status read_strip_decoder(gyeot_json_load *load, gyeot_json value) {
  int32_t start, stop;
  uint32_t character;
  gyeot_json content = gyeot_json_member(value, "content");
  if (!gyeot_json_integer(gyeot_json_member(value, "start"), &start) ||
      !gyeot_json_integer(gyeot_json_member(value, "stop"), &stop))
    return gyeot_json_refuse(load, decoder, "\"start\" or \"stop\" is not a whole number");
  gyeot_status status = read_character(load, decoder, content, &character);
  if (status != GYEOT_OK) return status;
  gyeot_decoder step = {.kind = GYEOT_DECODE_STRIP, .begin = (size_t)start, .end = (size_t)stop};
  return add_decoder_with_text(load, step, content);
}

static gyeot_status read_decoder(gyeot_json_load *load, gyeot_json value) {
  gyeot_json type = gyeot_json_member(value, "type");
  if (gyeot_json_is(type, "Sequence"))
    return read_each(load, decoder, value, "decoders", read_decoder);
  if (gyeot_json_is(type, "Metaspace")) return read_metaspace_decoder(load, value);
  if (gyeot_json_is(type, "Replace")) return read_replace_decoder(load, value);
  if (gyeot_json_is(type, "Strip")) return read_strip_decoder(load, value);
  if (gyeot_json_is(type, "Fuse"))
    return add_decoder(load, (gyeot_decoder){.kind = GYEOT_DECODE_FUSE});
  if (gyeot_json_is(type, "ByteFallback"))
    return add_decoder(load, (gyeot_decoder){.kind = GYEOT_DECODE_BYTE_FALLBACK});
  if (gyeot_json_is(type, "WordPiece")) {
    gyeot_decoder step = {.kind = GYEOT_DECODE_WORDPIECE};
    gyeot_status status = gyeot_json_flag(load, decoder, value, "cleanup", &step.flag);
    if (status != GYEOT_OK) return status;
    return add_decoder_with_text(load, step, gyeot_json_member(value, "prefix"));
  }
  return gyeot_json_unsupported(load, decoder, type);
}

gyeot_status gyeot_json_decoder(gyeot_json_load *load, gyeot_json value) {
  if (!is_absent(value)) return read_decoder(load, value);
  return add_decoder(load, (gyeot_decoder){.kind = GYEOT_DECODE_SPACES});
}
