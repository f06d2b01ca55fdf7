/* Extended grapheme clusters, as far as they matter to the Precompiled normalizer: pairs of
 * regional indicators are not joined, because no cluster that they begin is short enough for it. */
#ifndef GYEOT_HF_GRAPHEME_H
#define GYEOT_HF_GRAPHEME_H

#include <stddef.h>
#include <stdint.h>

/* Where the cluster that begins at `at` (below `length`) ends. */
size_t gyeot_grapheme_end(const uint32_t *characters, size_t length, size_t at);

#endif
