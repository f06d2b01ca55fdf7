#include "hf_decode.h"

#include <string.h>

#include "unicode.h"

void gyeot_decoders_free(gyeot_decoders *decoders, const gyeot_allocator *allocator) {
  for (size_t i = 0; i < decoders->count; i++) {
    gyeot_deallocate(allocator, decoders->steps[i].first);
    gyeot_deallocate(allocator, decoders->steps[i].second);
  }
  gyeot_deallocate(allocator, decoders->steps);
}

static gyeot_status copy(const gyeot_allocator *allocator, uint8_t **text, size_t size) {
  uint8_t *copied = gyeot_allocate(allocator, size + 1, 1);
  if (copied == NULL) return GYEOT_ERROR_MEMORY;
  if (size != 0) memcpy(copied, *text, size);
  *text = copied;
  return GYEOT_OK;
}

gyeot_status gyeot_decoders_add(gyeot_decoders *decoders, const gyeot_allocator *allocator,
                                gyeot_decoder step) {
  void *steps = decoders->steps;
  if (gyeot_grow(allocator, &steps, &decoders->capacity, decoders->count + 1, sizeof step) !=
      GYEOT_OK)
    return GYEOT_ERROR_MEMORY;
  decoders->steps = steps;
  if (copy(allocator, &step.first, step.first_size) != GYEOT_OK) return GYEOT_ERROR_MEMORY;
  if (copy(allocator, &step.second, step.second_size) != GYEOT_OK) {
    gyeot_deallocate(allocator, step.first);
    return GYEOT_ERROR_MEMORY;
  }
  decoders->steps[decoders->count++] = step;
  return GYEOT_OK;
}

void gyeot_strings_free(gyeot_strings *strings, const gyeot_allocator *allocator) {
  gyeot_deallocate(allocator, strings->pool);
  gyeot_deallocate(allocator, strings->ends);
  memset(strings, 0, sizeof *strings);
}

gyeot_status gyeot_strings_write(gyeot_strings *strings, const gyeot_allocator *allocator,
                                 const uint8_t *text, size_t size) {
  void *pool = strings->pool;
  /* One byte more, so that there is a pool even when all is empty. */
  if (gyeot_grow(allocator, &pool, &strings->capacity, strings->size + size + 1, 1) != GYEOT_OK)
    return GYEOT_ERROR_MEMORY;
  strings->pool = pool;
  if (size != 0) memcpy(strings->pool + strings->size, text, size);
  strings->size += size;
  return GYEOT_OK;
}

gyeot_status gyeot_strings_end(gyeot_strings *strings, const gyeot_allocator *allocator) {
  void *ends = strings->ends;
  if (gyeot_grow(allocator, &ends, &strings->ends_capacity, strings->count + 1,
                 sizeof *strings->ends) != GYEOT_OK)
    return GYEOT_ERROR_MEMORY;
  strings->ends = ends;
  strings->ends[strings->count++] = strings->size;
  return GYEOT_OK;
}

static bool begins_with(const uint8_t *text, size_t size, const uint8_t *start, size_t length) {
  return length <= size && (length == 0 || memcmp(text, start, length) == 0);
}

/* Replaces from left to right in the bytes from `begin` on; `to` is not longer than `from`. */
static void shrink_all(gyeot_strings *strings, size_t begin, const char *from, const char *to) {
  size_t from_size = strlen(from), to_size = strlen(to), kept = begin;
  for (size_t at = begin; at < strings->size;) {
    if (begins_with(strings->pool + at, strings->size - at, (const uint8_t *)from, from_size)) {
      memcpy(strings->pool + kept, to, to_size);
      kept += to_size;
      at += from_size;
    } else {
      strings->pool[kept++] = strings->pool[at++];
    }
  }
  strings->size = kept;
}

static void clean_up(gyeot_strings *strings, size_t begin) {
  static const char *const pairs[][2] = {{" .", "."},     {" ?", "?"},           {" !", "!"},
                                         {" ,", ","},     {" ' ", "'"},          {" n't", "n't"},
                                         {" 'm", "'m"},   {" do not", " don't"}, {" 's", "'s"},
                                         {" 've", "'ve"}, {" 're", "'re"}};
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
    shrink_all(strings, begin, pairs[i][0], pairs[i][1]);
}

typedef struct piece {
  const uint8_t *text;
  size_t size, index;
} piece;

typedef struct job {
  const gyeot_decoder *step;
  const gyeot_allocator *allocator;
  gyeot_strings out;
} job;

static gyeot_status write(job *j, const uint8_t *text, size_t size) {
  return gyeot_strings_write(&j->out, j->allocator, text, size);
}

static gyeot_status decode_wordpiece(job *j, piece p) {
  const gyeot_decoder *step = j->step;
  size_t begin = j->out.size;
  gyeot_status status = GYEOT_OK;
  if (p.index != 0) {
    if (begins_with(p.text, p.size, step->first, step->first_size)) {
      p.text += step->first_size;
      p.size -= step->first_size;
    } else {
      status = write(j, (const uint8_t *)" ", 1);
    }
  }
  if (status == GYEOT_OK) status = write(j, p.text, p.size);
  if (status == GYEOT_OK && step->flag) clean_up(&j->out, begin);
  return status;
}

static gyeot_status decode_replace(job *j, piece p, const uint8_t *to, size_t to_size) {
  const gyeot_decoder *step = j->step;
  gyeot_status status = GYEOT_OK;
  for (size_t at = 0; at < p.size && status == GYEOT_OK;) {
    if (step->first_size != 0 &&
        begins_with(p.text + at, p.size - at, step->first, step->first_size)) {
      status = write(j, to, to_size);
      at += step->first_size;
    } else {
      status = write(j, p.text + at, 1);
      at++;
    }
  }
  return status;
}

static gyeot_status decode_strip(job *j, piece p) {
  const gyeot_decoder *step = j->step;
  size_t length = step->first_size;
  for (size_t i = 0; i < step->begin && begins_with(p.text, p.size, step->first, length); i++) {
    p.text += length;
    p.size -= length;
  }
  for (size_t i = 0; i < step->end && p.size >= length &&
                     memcmp(p.text + p.size - length, step->first, length) == 0;
       i++)
    p.size -= length;
  return write(j, p.text, p.size);
}

static int hex_digit(uint8_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte that a piece <0xEA> stands for, -1 when it is another piece. */
static int byte_of(piece p) {
  if (p.size != 6 || memcmp(p.text, "<0x", 3) != 0 || p.text[5] != '>') return -1;
  int high = hex_digit(p.text[3]), low = hex_digit(p.text[4]);
  return high < 0 || low < 0 ? -1 : 16 * high + low;
}

/* Ends a run of bytes that began at `begin`: text if it is UTF-8, else one U+FFFD a byte. */
static gyeot_status end_bytes(job *j, size_t begin) {
  size_t count = j->out.size - begin;
  if (count == 0) return GYEOT_OK;
  if (!gyeot_utf8_is_valid(j->out.pool + begin, count)) {
    j->out.size = begin;
    for (size_t i = 0; i < count; i++) {
      gyeot_status status = write(j, (const uint8_t *)"\xEF\xBF\xBD", 3);
      if (status != GYEOT_OK) return status;
    }
  }
  return gyeot_strings_end(&j->out, j->allocator);
}

static gyeot_status run_bytes(job *j, const gyeot_strings *in) {
  size_t run = 0, begin = 0;
  for (size_t i = 0; i < in->count; begin = in->ends[i++]) {
    piece p = {in->pool + begin, in->ends[i] - begin, i};
    int byte = byte_of(p);
    gyeot_status status;
    if (byte >= 0) {
      uint8_t one = (uint8_t)byte;
      status = write(j, &one, 1);
    } else {
      status = end_bytes(j, run);
      if (status == GYEOT_OK) status = write(j, p.text, p.size);
      if (status == GYEOT_OK) status = gyeot_strings_end(&j->out, j->allocator);
      run = j->out.size;
    }
    if (status != GYEOT_OK) return status;
  }
  return end_bytes(j, run);
}

static gyeot_status run_piece(job *j, piece p) {
  switch (j->step->kind) {
    case GYEOT_DECODE_WORDPIECE: return decode_wordpiece(j, p);
    case GYEOT_DECODE_METASPACE:
      return decode_replace(j, p, (const uint8_t *)" ", p.index == 0 && j->step->flag ? 0 : 1);
    case GYEOT_DECODE_REPLACE: return decode_replace(j, p, j->step->second, j->step->second_size);
    case GYEOT_DECODE_STRIP: return decode_strip(j, p);
    case GYEOT_DECODE_SPACES: {
      gyeot_status status = p.index == 0 ? GYEOT_OK : write(j, (const uint8_t *)" ", 1);
      return status == GYEOT_OK ? write(j, p.text, p.size) : status;
    }
    case GYEOT_DECODE_FUSE:
    case GYEOT_DECODE_BYTE_FALLBACK: break;
  }
  return write(j, p.text, p.size);
}

static gyeot_status run(job *j, gyeot_strings *in) {
  if (j->step->kind == GYEOT_DECODE_BYTE_FALLBACK) return run_bytes(j, in);
  if (j->step->kind == GYEOT_DECODE_FUSE) {
    gyeot_status status = write(j, in->pool, in->size);
    return status == GYEOT_OK ? gyeot_strings_end(&j->out, j->allocator) : status;
  }
  size_t begin = 0;
  for (size_t i = 0; i < in->count; begin = in->ends[i++]) {
    gyeot_status status = run_piece(j, (piece){in->pool + begin, in->ends[i] - begin, i});
    if (status == GYEOT_OK) status = gyeot_strings_end(&j->out, j->allocator);
    if (status != GYEOT_OK) return status;
  }
  return GYEOT_OK;
}

gyeot_status gyeot_decoders_run(const gyeot_decoders *decoders, const gyeot_allocator *allocator,
                                gyeot_strings *strings) {
  for (size_t i = 0; i < decoders->count; i++) {
    job j = {&decoders->steps[i], allocator, {0}};
    gyeot_status status = run(&j, strings);
    if (status != GYEOT_OK) {
      gyeot_strings_free(&j.out, allocator);
      return status;
    }
    gyeot_strings_free(strings, allocator);
    *strings = j.out;
  }
  return GYEOT_OK;
}
