#include "hf_text.h"

gyeot_status gyeot_text_reserve(gyeot_text *text, size_t length) {
  if (length <= text->capacity) return GYEOT_OK;
  size_t wanted = 2 * text->capacity > length ? 2 * text->capacity : length;
  if (wanted < 64) wanted = 64;
  uint32_t *arrays[3];
  for (size_t i = 0; i < 3; i++) {
    arrays[i] = gyeot_sink_scratch(text->sink, text->block + i, wanted, sizeof(uint32_t));
    if (arrays[i] == NULL) return GYEOT_ERROR_MEMORY;
  }
  text->characters = arrays[0];
  text->begins = arrays[1];
  text->ends = arrays[2];
  text->capacity = wanted;
  return GYEOT_OK;
}

gyeot_status gyeot_rewrite_put(gyeot_rewrite *rewrite, uint32_t character, int change) {
  const gyeot_text *in = rewrite->in;
  size_t from = rewrite->at;
  if (change > 0) {
    if (from == 0) return gyeot_text_push(rewrite->out, character, rewrite->start, rewrite->start);
    from--;
  } else {
    rewrite->at += 1 + (size_t)-change;
  }
  if (from >= in->length) {
    if (in->length == 0)
      return gyeot_text_push(rewrite->out, character, rewrite->start, rewrite->start);
    from = in->length - 1;
  }
  return gyeot_text_push(rewrite->out, character, in->begins[from], in->ends[from]);
}
