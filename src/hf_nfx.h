/* The normalization forms NFC, NFD, NFKC and NFKD with the stretches that the reference gives. */
#ifndef GYEOT_HF_NFX_H
#define GYEOT_HF_NFX_H

#include "hf_text.h"

/* Writes the normalized form of `in` to the end of `out`. `start` is where the original text of
 * `in` begins. */
gyeot_status gyeot_nfx(const gyeot_text *in, gyeot_text *out, bool compatible, bool compose,
                       uint32_t start);

#endif
