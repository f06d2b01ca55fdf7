/* The pre-tokenizers of tokenizer.json: a text in parts becomes a text in smaller parts. */
#ifndef GYEOT_HF_PRETOKENIZE_H
#define GYEOT_HF_PRETOKENIZE_H

#include "hf_text.h"

typedef enum gyeot_pretokenizer_kind {
  GYEOT_SPLIT_BERT,        /* at white space, and each punctuation mark apart */
  GYEOT_SPLIT_SPACES,      /* WhitespaceSplit: at white space */
  GYEOT_SPLIT_WORDS,       /* Whitespace: \w+|[^\w\s]+ */
  GYEOT_SPLIT_PUNCTUATION, /* each punctuation mark apart */
  GYEOT_SPLIT_METASPACE    /* spaces become marks, and parts begin at marks */
} gyeot_pretokenizer_kind;

typedef enum gyeot_prepend {
  GYEOT_PREPEND_ALWAYS,
  GYEOT_PREPEND_FIRST,
  GYEOT_PREPEND_NEVER
} gyeot_prepend;

typedef struct gyeot_pretokenizer {
  gyeot_pretokenizer_kind kind;
  uint32_t mark;         /* Metaspace: the character that stands for a space */
  gyeot_prepend prepend; /* Metaspace: which parts get a mark when they have none */
  bool split;            /* Metaspace: false only replaces and prepends */
} gyeot_pretokenizer;

/* A text and its parts, in the order of the text; characters outside of all parts are gone. */
typedef struct gyeot_parts {
  gyeot_text text;
  size_t block; /* of `parts` */
  gyeot_part *parts;
  size_t count;
} gyeot_parts;

gyeot_status gyeot_parts_add(gyeot_parts *parts, size_t from, size_t to, uint32_t origin);

/* Works on *parts; *spare lends its memory, and the two may change places. */
gyeot_status gyeot_pretokenize(const gyeot_pretokenizer *step, gyeot_parts *parts,
                               gyeot_parts *spare);

#endif
