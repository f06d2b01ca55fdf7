/* The SentencePiece engine's own entrance, beside gyeot_tokenizer_load_sentencepiece. */
#ifndef GYEOT_SENTENCEPIECE_H
#define GYEOT_SENTENCEPIECE_H

#include "gyeot_tokenizer.h"

/* Loads a model and takes over `bytes` (at least one), which came from the allocator: they live as
 * long as the tokenizer, or are freed at once when this fails. Spares the copy of the file. */
gyeot_status gyeot_sentencepiece_adopt(uint8_t *bytes, size_t size,
                                       const gyeot_sentencepiece_options *options,
                                       const gyeot_allocator *allocator, gyeot_tokenizer **out,
                                       gyeot_error *error);

#endif
