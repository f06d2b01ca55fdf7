/* Inside the reader of tokenizer.json: what its parts share. */
#ifndef GYEOT_TOKENIZER_JSON_H
#define GYEOT_TOKENIZER_JSON_H

#include "hf_engine.h"
#include "json.h"

typedef struct gyeot_json_load {
  gyeot_allocator allocator;
  gyeot_hf_engine *engine;
  gyeot_error *error;
  gyeot_json_text text; /* the last string read */
  int32_t prefix[GYEOT_TEMPLATE_MAX], suffix[GYEOT_TEMPLATE_MAX];
  size_t prefix_length, suffix_length;
  bool bert_normalizer, bert_pretokenizer; /* that and nothing else, so BERT's pass will do */
  bool trims_offsets;                      /* RobertaProcessing with trim_offsets */
} gyeot_json_load;

/* Messages that name the part of the file. */
gyeot_status gyeot_json_refuse(gyeot_json_load *load, const char *part, const char *why);
gyeot_status gyeot_json_unsupported(gyeot_json_load *load, const char *part, gyeot_json type);

/* Reads a string into load->text, NUL-terminated; a field into *out. A missing required field, or a
 * field of the wrong kind, is refused in the name of `part`. */
gyeot_status gyeot_json_read(gyeot_json_load *load, const char *part, gyeot_json value);
gyeot_status gyeot_json_flag(gyeot_json_load *load, const char *part, gyeot_json object,
                             const char *name, bool *out);

gyeot_status gyeot_json_normalizer(gyeot_json_load *load, gyeot_json value);
gyeot_status gyeot_json_pretokenizer(gyeot_json_load *load, gyeot_json value);
gyeot_status gyeot_json_postprocessor(gyeot_json_load *load, gyeot_json value);
gyeot_status gyeot_json_decoder(gyeot_json_load *load, gyeot_json value);
gyeot_status gyeot_json_model(gyeot_json_load *load, gyeot_json value, int32_t *vocabulary_size);

#endif
