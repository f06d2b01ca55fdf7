/* What the tokenizer tests share: files and golden lines. */
#ifndef TOKENIZER_TESTING_H
#define TOKENIZER_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"
#include "gyeot_tokenizer.h"
#include "json.h"

typedef struct file_bytes {
  uint8_t *bytes;
  size_t size;
} file_bytes;

/* The bytes are followed by a NUL that does not count. */
static inline file_bytes read_test_file(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) fail_msg("cannot open %s; tests run from the repository root", path);
  fseek(file, 0, SEEK_END);
  long size = ftell(file);
  rewind(file);
  file_bytes read = {malloc((size_t)size + 1), (size_t)size};
  assert_int_equal(fread(read.bytes, 1, read.size, file), read.size);
  read.bytes[read.size] = '\0';
  fclose(file);
  return read;
}

/* Compares an encoding's numbers with a JSON array; 0 when equal, else 1, with both printed. */
static inline int differs(const char *what, gyeot_json text, gyeot_json wanted, const int32_t *got,
                          size_t count) {
  size_t at = 0;
  int different = 0;
  for (gyeot_json_walk walk = gyeot_json_begin(wanted); gyeot_json_next(&walk); at++) {
    int32_t number;
    assert_true(gyeot_json_integer(walk.value, &number));
    if (at >= count || number != got[at]) different = 1;
  }
  if (at == count && !different) return 0;
  const uint8_t *stop = memchr(text.at, '\n', (size_t)(text.end - text.at));
  print_error("%s differ: %.*s\n  got", what, (int)(stop - text.at), (const char *)text.at);
  for (size_t i = 0; i < count; i++) print_error(" %d", (int)got[i]);
  print_error("\n");
  return 1;
}

#endif
