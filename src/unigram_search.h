/* The search of unigram.c, included there once for each width of SCORE. */

/* The record of the position before one character, and that character. */
typedef struct NAME(record) {
  SCORE score;       /* of the best path that ends here */
  uint32_t from;     /* where that path's last piece begins; NO_PATH: none ends here yet */
  int32_t id;        /* that piece */
  uint32_t at, code; /* the character: byte position and code in the trie */
} NAME(record);

/* Step 1: cuts the text into characters; returns how many there are. */
static size_t NAME(cut)(const gyeot_piece_trie *trie, const uint8_t *text, size_t size,
                        NAME(record) * records) {
  size_t n = 0;
  for (size_t at = 0, length; at < size; at += length, n++) {
    length = gyeot_utf8_step(text + at, size - at);
    records[n].from = NO_PATH;
    records[n].at = (uint32_t)at;
    records[n].code = gyeot_piece_trie_code(trie, text + at, length);
  }
  records[n].from = NO_PATH;
  records[n].at = (uint32_t)size;
  records[n].code = 0; /* no piece goes on past the end */
  return n;
}

/* Without a branch, which would be guessed wrong half of the time. */
static inline void NAME(offer)(NAME(record) * record, SCORE score, uint32_t from, int32_t id) {
  bool better = (record->from == NO_PATH) | (score > record->score);
  record->score = better ? score : record->score;
  record->from = better ? from : record->from;
  record->id = better ? id : record->id;
}

#if REBASE
/* Makes the position `begin` the zero of all scores: those of the positions up to `reach`, the
 * furthest that a path has come to, are the only ones still to be compared. */
static SCORE NAME(rebase)(NAME(record) * records, size_t begin, size_t reach) {
  for (size_t end = begin + 1; end <= reach; end++)
    if (records[end].from != NO_PATH) records[end].score -= records[begin].score;
  return 0;
}
#endif

/* Step 2: the best path to every position. */
static void NAME(search)(const MODEL *model, NAME(record) * records, size_t n) {
  const gyeot_piece_trie *trie = model->trie;
  size_t reach = 0;
  records[0].score = 0;
  for (size_t begin = 0; begin < n; begin++) {
    SCORE here = records[begin].score;
#if REBASE
    if (fabsf(here) > REBASE_PAST) here = NAME(rebase)(records, begin, reach);
#endif
    gyeot_piece_trie_place place = gyeot_piece_trie_start(trie, records[begin].code);
    if (place.id < 0 || isnan(model->scores[place.id])) {
      NAME(offer)(&records[begin + 1], model->unknown_score + here, (uint32_t)begin,
                  model->unknown_id);
      if (begin + 1 > reach) reach = begin + 1;
    }
    for (size_t end = begin + 1;; end++) {
      if (place.id >= 0 && !isnan(model->scores[place.id])) {
        NAME(offer)(&records[end], model->scores[place.id] + here, (uint32_t)begin, place.id);
        if (end > reach) reach = end;
      }
      if (!place.goes_on || records[end].code == 0) break;
      if (!gyeot_piece_trie_next(trie, &place, records[end].code)) break;
    }
  }
}

/* Step 3: from the end back along the pieces, written from the end of the block. */
static gyeot_status NAME(encode)(const MODEL *model, const uint8_t *text, size_t size,
                                 gyeot_sink *sink, size_t block, const gyeot_span **spans,
                                 size_t *count) {
  if (size >= SIZE_MAX / (2 * sizeof(NAME(record)))) return GYEOT_ERROR_MEMORY;
  void **memory = &sink->scratch[block].block;
  size_t *capacity = &sink->scratch[block].capacity;
  /* A short text's bytes are room enough for its characters; a long one's are counted. */
  size_t room = (size < 4096 ? size : count_characters(text, size)) + 1;
  gyeot_status status =
      gyeot_grow(&sink->allocator, memory, capacity, room * sizeof(NAME(record)), 1);
  if (status != GYEOT_OK) return status;
  NAME(record) *records = *memory;
  size_t n = NAME(cut)(model->trie, text, size, records);
  NAME(search)(model, records, n);

  memory = &sink->scratch[block + 1].block;
  capacity = &sink->scratch[block + 1].capacity;
  status = gyeot_grow(&sink->allocator, memory, capacity, n * sizeof(gyeot_span), 1);
  if (status != GYEOT_OK) return status;
  gyeot_span *last = (gyeot_span *)*memory + n, *first = last;
  for (size_t end = n; end > 0; end = records[end].from)
    *--first = (gyeot_span){records[end].id, records[records[end].from].at, records[end].at};
  *spans = first;
  *count = (size_t)(last - first);
  return GYEOT_OK;
}
