#include "hf_grapheme.h"

#include <stdbool.h>

#include "unicode.h"

typedef enum hangul { NOT_HANGUL, LEAD, VOWEL, TAIL, OPEN_SYLLABLE, SYLLABLE } hangul;

static hangul hangul_of(uint32_t c) {
  if (c < 0x1100 || c > 0xD7FB) return NOT_HANGUL;
  if (c <= 0x115F || (c >= 0xA960 && c <= 0xA97C)) return LEAD;
  if (c <= 0x11A7 || (c >= 0xD7B0 && c <= 0xD7C6)) return VOWEL;
  if (c <= 0x11FF || c >= 0xD7CB) return TAIL;
  if (c < 0xAC00 || c > 0xD7A3) return NOT_HANGUL;
  return (c - 0xAC00) % 28 == 0 ? OPEN_SYLLABLE : SYLLABLE;
}

static bool joins_hangul(hangul before, hangul after) {
  switch (before) {
    case LEAD: return after == LEAD || after == VOWEL || after >= OPEN_SYLLABLE;
    case VOWEL:
    case OPEN_SYLLABLE: return after == VOWEL || after == TAIL;
    case TAIL:
    case SYLLABLE: return after == TAIL;
    case NOT_HANGUL: break;
  }
  return false;
}

size_t gyeot_grapheme_end(const uint32_t *characters, size_t length, size_t at) {
  uint32_t before = characters[at++];
  if (at == length) return at;
  if (before < 0x7F && before >= 0x20 && characters[at] < 0x7F) return at;
  gyeot_cluster_class class_ = gyeot_unicode_cluster_class(before);
  if (class_ == GYEOT_CLUSTER_CONTROL) {
    bool line_end = before == '\r' && characters[at] == '\n';
    return line_end ? at + 1 : at;
  }
  /* picture: 1 after a picture and its extenders, 2 when a joiner follows them;
   * conjunct: 1 after a consonant and its extenders, 2 when a linker is among them. */
  int picture = class_ == GYEOT_CLUSTER_PICTURE, conjunct = class_ == GYEOT_CLUSTER_CONSONANT;
  for (; at < length; at++) {
    uint32_t c = characters[at];
    gyeot_cluster_class next = gyeot_unicode_cluster_class(c);
    switch (next) {
      case GYEOT_CLUSTER_EXTEND:
        if (picture == 2) picture = 0;
        break;
      case GYEOT_CLUSTER_EXTEND_ONLY:
        if (picture == 2) picture = 0;
        conjunct = 0;
        break;
      case GYEOT_CLUSTER_LINKER:
        if (picture == 2) picture = 0;
        if (conjunct != 0) conjunct = 2;
        break;
      case GYEOT_CLUSTER_JOINER: picture = picture == 1 ? 2 : 0; break;
      case GYEOT_CLUSTER_SPACING: picture = conjunct = 0; break;
      case GYEOT_CLUSTER_CONTROL: return at;
      default:
        if (!joins_hangul(hangul_of(before), hangul_of(c)) && class_ != GYEOT_CLUSTER_PREPEND &&
            !(picture == 2 && next == GYEOT_CLUSTER_PICTURE) &&
            !(conjunct == 2 && next == GYEOT_CLUSTER_CONSONANT))
          return at;
        picture = next == GYEOT_CLUSTER_PICTURE;
        conjunct = next == GYEOT_CLUSTER_CONSONANT;
        break;
    }
    before = c;
    class_ = next;
  }
  return at;
}
