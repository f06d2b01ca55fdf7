/* The two ways in which SentencePiece walks UTF-8. */
#ifndef GYEOT_UTF8_STEP_H
#define GYEOT_UTF8_STEP_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the character that starts here as its first byte alone tells, at most `left`. A stray
 * continuation byte counts as a character of its own. left must not be 0. */
static inline size_t gyeot_utf8_step(const uint8_t *text, size_t left) {
  size_t length = text[0] < 0xC0 ? 1 : text[0] < 0xE0 ? 2 : text[0] < 0xF0 ? 3 : 4;
  return length < left ? length : left;
}

/* Bytes of the well-formed character that starts here, or 0: overlong forms, surrogates and values
 * past U+10FFFF are not well-formed. left must not be 0. */
static inline size_t gyeot_utf8_valid(const uint8_t *text, size_t left) {
  uint8_t a = text[0];
  if (a < 0x80) return 1;
  if (a < 0xC2 || a > 0xF4) return 0;
  if (left < 2 || (text[1] & 0xC0) != 0x80) return 0;
  if (a < 0xE0) return 2;
  if (left < 3 || (text[2] & 0xC0) != 0x80) return 0;
  if (a < 0xF0) {
    if (a == 0xE0 && text[1] < 0xA0) return 0;
    if (a == 0xED && text[1] > 0x9F) return 0;
    return 3;
  }
  if (left < 4 || (text[3] & 0xC0) != 0x80) return 0;
  if (a == 0xF0 && text[1] < 0x90) return 0;
  if (a == 0xF4 && text[1] > 0x8F) return 0;
  return 4;
}

#endif
