/* Names the wrong kind of file, so that an error can say what arrived instead of what was asked. */
#include <string.h>

#include "tokenizer_engine.h"

static bool starts_with(const uint8_t *bytes, size_t size, const char *text) {
  size_t length = strlen(text);
  return size >= length && memcmp(bytes, text, length) == 0;
}

static bool starts_with_ignoring_case(const uint8_t *bytes, size_t size, const char *lower) {
  size_t length = strlen(lower);
  if (size < length) return false;
  for (size_t i = 0; i < length; i++) {
    uint8_t byte = bytes[i];
    if (byte >= 'A' && byte <= 'Z') byte = (uint8_t)(byte + 32);
    if (byte != (uint8_t)lower[i]) return false;
  }
  return true;
}

/* A SentencePiece model opens with its first piece: field 1, a length, then field 1 again (the
 * piece's text), its length, the text, and field 2 (the score, four bytes). */
static bool looks_like_sentencepiece(const uint8_t *bytes, size_t size) {
  if (size < 8 || bytes[0] != 0x0A || bytes[1] >= 0x80 || bytes[2] != 0x0A) return false;
  size_t text = bytes[3];
  return text < bytes[1] && 4 + text < size && (bytes[4 + text] == 0x15 || bytes[1] == text + 2);
}

static bool looks_like_safetensors(const uint8_t *bytes, size_t size) {
  return size > 10 && bytes[4] == 0 && bytes[5] == 0 && bytes[6] == 0 && bytes[7] == 0 &&
         bytes[8] == '{' && bytes[9] == '"';
}

const char *gyeot_sniff(const uint8_t *bytes, size_t size) {
  if (size == 0) return "an empty file";
  if (starts_with(bytes, size, "version https://git-lfs.github.com/spec/"))
    return "a Git LFS pointer, not the file itself";
  if (starts_with(bytes, size, "\x1F\x8B")) return "a gzip file";
  if (starts_with(bytes, size, "PK\x03\x04")) return "a zip file";
  if (starts_with(bytes, size, "\xFF\xFE") || starts_with(bytes, size, "\xFE\xFF"))
    return "UTF-16 text";
  if (looks_like_sentencepiece(bytes, size)) return "a SentencePiece model";
  if (looks_like_safetensors(bytes, size)) return "a safetensors file";
  if (size > 4 && bytes[0] == 0x08 && bytes[1] < 0x20 && bytes[2] == 0x12) return "an ONNX model";
  size_t at = starts_with(bytes, size, "\xEF\xBB\xBF") ? 3 : 0;
  while (at < size && (bytes[at] == ' ' || (bytes[at] >= '\t' && bytes[at] <= '\r'))) at++;
  if (starts_with_ignoring_case(bytes + at, size - at, "<!doctype") ||
      starts_with_ignoring_case(bytes + at, size - at, "<html") ||
      starts_with_ignoring_case(bytes + at, size - at, "<?xml") ||
      starts_with_ignoring_case(bytes + at, size - at, "<head"))
    return "an HTML page";
  if (at + 1 < size && bytes[at] == '{') {
    for (at++; at < size && (bytes[at] == ' ' || (bytes[at] >= '\t' && bytes[at] <= '\r'));) at++;
    if (at < size && (bytes[at] == '"' || bytes[at] == '}')) return "JSON";
  }
  return NULL;
}
