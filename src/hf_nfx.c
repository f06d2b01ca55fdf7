#include "hf_nfx.h"

#include "hf_reorder.h"
#include "unicode.h"

typedef struct waiting {
  uint32_t character;
  int change;
} waiting;

/* Decomposed characters come in; marks are sorted; then, when composing, they meet the last
 * starter. The order of decisions is that of the Unicode standard's algorithm. */
typedef struct nfx {
  gyeot_rewrite rewrite;
  gyeot_sink *sink;
  bool compose;
  size_t mark_count; /* marks not yet sorted */
  bool has_starter;
  waiting starter;
  unsigned last_class; /* of the last mark that waits behind the starter; 0: none waits */
  size_t waiting_count;
} nfx;

static gyeot_status put_waiting(nfx *n) {
  gyeot_status status = GYEOT_OK;
  if (n->has_starter)
    status = gyeot_rewrite_put(&n->rewrite, n->starter.character, n->starter.change);
  const waiting *marks = n->sink->scratch[GYEOT_BLOCK_WAITING].block;
  for (size_t i = 0; i < n->waiting_count && status == GYEOT_OK; i++)
    status = gyeot_rewrite_put(&n->rewrite, marks[i].character, marks[i].change);
  n->has_starter = false;
  n->waiting_count = 0;
  n->last_class = 0;
  return status;
}

static gyeot_status wait(nfx *n, waiting mark, unsigned class_) {
  waiting *marks =
      gyeot_sink_scratch(n->sink, GYEOT_BLOCK_WAITING, n->waiting_count + 1, sizeof *marks);
  if (marks == NULL) return GYEOT_ERROR_MEMORY;
  marks[n->waiting_count++] = mark;
  n->last_class = class_;
  return GYEOT_OK;
}

/* A character in canonical order. */
static gyeot_status ordered(nfx *n, uint32_t c, unsigned class_, int change) {
  if (!n->compose) return gyeot_rewrite_put(&n->rewrite, c, change);
  if (n->has_starter && (n->last_class == 0 || n->last_class < class_)) {
    uint32_t composite = gyeot_unicode_compose(n->starter.character, c);
    if (composite != 0) {
      n->starter.character = composite;
      n->starter.change += change - 1;
      return GYEOT_OK;
    }
  }
  if (class_ != 0) {
    if (!n->has_starter) return gyeot_rewrite_put(&n->rewrite, c, change);
    return wait(n, (waiting){c, change}, class_);
  }
  gyeot_status status = put_waiting(n);
  n->starter = (waiting){c, change};
  n->has_starter = true;
  return status;
}

static gyeot_status sort_marks(nfx *n) {
  size_t count = n->mark_count;
  if (count == 0) return GYEOT_OK;
  n->mark_count = 0;
  gyeot_mark *marks = n->sink->scratch[GYEOT_BLOCK_MARKS].block;
  gyeot_mark *spare = gyeot_sink_scratch(n->sink, GYEOT_BLOCK_MARKS_SPARE, count, sizeof *spare);
  if (spare == NULL) return GYEOT_ERROR_MEMORY;
  gyeot_reorder(marks, count, spare);
  for (size_t i = 0; i < count; i++) {
    gyeot_status status = ordered(n, marks[i].character, marks[i].class_, marks[i].inserted);
    if (status != GYEOT_OK) return status;
  }
  return GYEOT_OK;
}

static gyeot_status decomposed(nfx *n, uint32_t c, bool inserted) {
  unsigned class_ = 0;
  if (gyeot_unicode_properties(c) & GYEOT_COMPOSING) class_ = gyeot_unicode_class(c);
  if (class_ == 0) {
    gyeot_status status = sort_marks(n);
    return status == GYEOT_OK ? ordered(n, c, 0, inserted) : status;
  }
  gyeot_mark *marks =
      gyeot_sink_scratch(n->sink, GYEOT_BLOCK_MARKS, n->mark_count + 1, sizeof *marks);
  if (marks == NULL) return GYEOT_ERROR_MEMORY;
  marks[n->mark_count++] = (gyeot_mark){c, (uint8_t)class_, inserted};
  return GYEOT_OK;
}

gyeot_status gyeot_nfx(const gyeot_text *in, gyeot_text *out, bool compatible, bool compose,
                       uint32_t start) {
  nfx n = {.rewrite = {in, out, 0, start}, .sink = in->sink, .compose = compose};
  gyeot_status status = GYEOT_OK;
  for (size_t i = 0; i < in->length && status == GYEOT_OK; i++) {
    uint32_t parts[GYEOT_DECOMPOSITION_MAX];
    uint32_t c = in->characters[i];
    size_t count = 1;
    parts[0] = c;
    if (c >= 0x80 && (compatible || gyeot_unicode_properties(c) & GYEOT_COMPOSING))
      count = gyeot_unicode_decompose(c, compatible, parts);
    for (size_t k = 0; k < count && status == GYEOT_OK; k++)
      status = decomposed(&n, parts[k], k > 0);
  }
  if (status == GYEOT_OK) status = sort_marks(&n);
  return status == GYEOT_OK ? put_waiting(&n) : status;
}
