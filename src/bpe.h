/* SentencePiece's byte-pair encoding: neighbours are merged, best score first, until no pair of
 * neighbours is a piece; then pieces that are not to be used are taken apart again. */
#ifndef GYEOT_BPE_H
#define GYEOT_BPE_H

#include "sentencepiece_model.h"
#include "sentencepiece_normalizer.h"
#include "unigram.h"

/* As gyeot_unigram_f32_encode; uses the scratch blocks from `block` to `block + 3`. Time grows with
 * size * log(size). */
gyeot_status gyeot_bpe_encode(const gyeot_spm_model *model, const gyeot_spm_normalizer *normalizer,
                              const uint8_t *text, size_t size, gyeot_sink *sink, size_t block,
                              const gyeot_span **spans, size_t *count);

#endif
