#include "wordpiece.h"

#include "hf_added.h"

gyeot_status gyeot_wordpiece_match(const gyeot_wordpiece *model, gyeot_word word,
                                   bool special_tokens_as_text, gyeot_sink *sink) {
  size_t before = sink->length;
  bool offsets = word.begins != NULL;
  for (size_t at = 0; at < word.length;) {
    /* 1. The longest piece that begins here. */
    uint32_t node = 0;
    if (at != 0) {
      if (model->inner_node < 0) goto unknown;
      node = (uint32_t)model->inner_node;
    }
    int32_t id = -1;
    size_t end = at;
    for (size_t i = at; i < word.length;) {
      const gyeot_trie_edge *edge = gyeot_trie_step(&model->trie, node, word.characters[i++]);
      if (edge == NULL) break;
      node = edge->child;
      if (edge->id < 0) continue;
      if (special_tokens_as_text &&
          gyeot_ids_contain(model->special, model->special_count, edge->id))
        continue;
      id = edge->id;
      end = i;
    }
    /* 2. None: the whole word is unknown, whatever was found before. */
    if (id < 0) goto unknown;
    gyeot_status status = gyeot_sink_push(sink, id, offsets ? word.begins[at] : 0,
                                          offsets ? word.ends[end - 1] : 0);
    if (status != GYEOT_OK) return status;
    at = end;
  }
  return GYEOT_OK;

unknown:
  sink->length = before;
  return gyeot_sink_push(sink, model->unk_id, offsets ? word.begins[0] : 0,
                         offsets ? word.ends[word.length - 1] : 0);
}
