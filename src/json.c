#include "json.h"

#include <math.h>
#include <string.h>

#include "unicode.h"

enum { DEEPEST = 128 };

static const uint8_t *skip_space(const uint8_t *at, const uint8_t *end) {
  while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) at++;
  return at;
}

/* 1. Checking. Each function returns the place after what it read, or NULL. */

static int hex_value(const uint8_t *at, const uint8_t *end) {
  if (end - at < 4) return -1;
  int value = 0;
  for (int i = 0; i < 4; i++) {
    uint8_t c = at[i];
    int digit = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
    if (digit < 0) return -1;
    value = 16 * value + digit;
  }
  return value;
}

static const uint8_t *check_string(const uint8_t *at, const uint8_t *end) {
  for (at++; at < end; at++) {
    if (*at == '"') return at + 1;
    if (*at < 0x20) return NULL;
    if (*at != '\\') continue;
    if (++at == end) return NULL;
    if (*at != 'u') {
      if (memchr("\"\\/bfnrt", *at, 8) == NULL) return NULL;
      continue;
    }
    int unit = hex_value(at + 1, end);
    if (unit < 0 || (unit >= 0xDC00 && unit < 0xE000)) return NULL;
    at += 4;
    if (unit < 0xD800 || unit >= 0xE000) continue;
    if (end - at < 7 || at[1] != '\\' || at[2] != 'u') return NULL;
    int low = hex_value(at + 3, end);
    if (low < 0xDC00 || low >= 0xE000) return NULL;
    at += 6;
  }
  return NULL;
}

static const uint8_t *skip_digits(const uint8_t *at, const uint8_t *end) {
  const uint8_t *begin = at;
  while (at < end && *at >= '0' && *at <= '9') at++;
  return at == begin ? NULL : at;
}

static const uint8_t *check_number(const uint8_t *at, const uint8_t *end) {
  if (*at == '-') at++;
  if (at == end) return NULL;
  if (*at == '0')
    at++;
  else if ((at = skip_digits(at, end)) == NULL)
    return NULL;
  if (at < end && *at == '.' && (at = skip_digits(at + 1, end)) == NULL) return NULL;
  if (at < end && (*at == 'e' || *at == 'E')) {
    at++;
    if (at < end && (*at == '+' || *at == '-')) at++;
    at = skip_digits(at, end);
  }
  return at;
}

static const uint8_t *check_scalar(const uint8_t *at, const uint8_t *end) {
  static const char *const words[] = {"null", "true", "false"};
  if (*at == '"') return check_string(at, end);
  for (size_t i = 0; i < 3; i++) {
    size_t length = strlen(words[i]);
    if ((size_t)(end - at) >= length && memcmp(at, words[i], length) == 0) return at + length;
  }
  return *at == '-' || (*at >= '0' && *at <= '9') ? check_number(at, end) : NULL;
}

/* A key and its colon. */
static const uint8_t *check_key(const uint8_t *at, const uint8_t *end) {
  if (at == end || *at != '"' || (at = check_string(at, end)) == NULL) return NULL;
  at = skip_space(at, end);
  return at < end && *at == ':' ? skip_space(at + 1, end) : NULL;
}

/* Returns NULL when all is well, else the place where it is not. */
static const uint8_t *find_fault(const uint8_t *at, const uint8_t *end) {
  uint8_t closing[DEEPEST];
  size_t depth = 0;
  at = skip_space(at, end);
  for (;;) {
    /* A value begins here. */
    const uint8_t *begin = at;
    if (at == end) return begin;
    if (*at == '[' || *at == '{') {
      if (depth == DEEPEST) return begin;
      uint8_t close = *at == '[' ? ']' : '}';
      at = skip_space(at + 1, end);
      if (at == end) return at;
      if (*at != close) {
        closing[depth++] = close;
        const uint8_t *key = at;
        if (close == '}' && (at = check_key(at, end)) == NULL) return key;
        continue;
      }
      at++;
    } else if ((at = check_scalar(at, end)) == NULL) {
      return begin;
    }
    /* A value has ended: close what ends with it, up to a comma. */
    for (;;) {
      at = skip_space(at, end);
      if (depth == 0) return at == end ? NULL : at;
      if (at == end) return at;
      if (*at == closing[depth - 1]) {
        depth--;
        at++;
        continue;
      }
      if (*at != ',') return at;
      at = skip_space(at + 1, end);
      const uint8_t *key = at;
      if (closing[depth - 1] == '}' && (at = check_key(at, end)) == NULL) return key;
      break;
    }
  }
}

gyeot_status gyeot_json_open(const uint8_t *bytes, size_t size, gyeot_json *document,
                             gyeot_error *error) {
  if (!gyeot_utf8_is_valid(bytes, size))
    return gyeot_fail(error, GYEOT_ERROR_FORMAT, "the JSON is not UTF-8");
  const uint8_t *fault = find_fault(bytes, bytes + size);
  if (fault == bytes + size)
    return gyeot_fail(error, GYEOT_ERROR_FORMAT, "the JSON ends too early, after %zu bytes", size);
  if (fault != NULL)
    return gyeot_fail(error, GYEOT_ERROR_FORMAT, "the JSON is broken at byte %zu",
                      (size_t)(fault - bytes));
  *document = (gyeot_json){skip_space(bytes, bytes + size), bytes + size};
  return GYEOT_OK;
}

/* 2. Looking at values of a checked document. */

gyeot_json_kind gyeot_json_kind_of(gyeot_json value) {
  if (value.at == NULL) return GYEOT_JSON_NONE;
  switch (*value.at) {
    case 'n': return GYEOT_JSON_NULL;
    case 'f': return GYEOT_JSON_FALSE;
    case 't': return GYEOT_JSON_TRUE;
    case '"': return GYEOT_JSON_STRING;
    case '[': return GYEOT_JSON_ARRAY;
    case '{': return GYEOT_JSON_OBJECT;
    default: return GYEOT_JSON_NUMBER;
  }
}

static const uint8_t *after_string(const uint8_t *at) {
  for (at++;; at += 2) {
    while (*at != '"' && *at != '\\') at++;
    if (*at == '"') return at + 1;
  }
}

static const uint8_t *after_value(const uint8_t *at, const uint8_t *end) {
  if (*at == '"') return after_string(at);
  if (*at != '[' && *at != '{') {
    while (at < end && memchr(",]} \n\r\t", *at, 7) == NULL) at++;
    return at;
  }
  for (size_t depth = 0;;) {
    switch (*at) {
      case '"': at = after_string(at); continue;
      case '[':
      case '{': depth++; break;
      case ']':
      case '}':
        if (--depth == 0) return at + 1;
        break;
      default: break;
    }
    at++;
  }
}

gyeot_json_walk gyeot_json_begin(gyeot_json value) {
  gyeot_json_walk walk = {{NULL, NULL}, {NULL, NULL}, {NULL, NULL}, false, true};
  gyeot_json_kind kind = gyeot_json_kind_of(value);
  if (kind != GYEOT_JSON_ARRAY && kind != GYEOT_JSON_OBJECT) return walk;
  walk.rest = (gyeot_json){skip_space(value.at + 1, value.end), value.end};
  walk.object = kind == GYEOT_JSON_OBJECT;
  return walk;
}

bool gyeot_json_next(gyeot_json_walk *walk) {
  const uint8_t *at = walk->rest.at, *end = walk->rest.end;
  if (at == NULL) return false;
  if (!walk->first) at = skip_space(after_value(walk->value.at, end), end);
  if (*at == ']' || *at == '}') {
    walk->rest.at = NULL;
    return false;
  }
  if (!walk->first) at = skip_space(at + 1, end); /* the comma */
  walk->first = false;
  if (walk->object) {
    walk->key = (gyeot_json){at, end};
    at = skip_space(after_string(at), end);
    at = skip_space(at + 1, end); /* the colon */
  }
  walk->value = (gyeot_json){at, end};
  return true;
}

gyeot_json gyeot_json_member(gyeot_json value, const char *name) {
  gyeot_json found = {NULL, NULL};
  if (gyeot_json_kind_of(value) != GYEOT_JSON_OBJECT) return found;
  for (gyeot_json_walk walk = gyeot_json_begin(value); gyeot_json_next(&walk);)
    if (gyeot_json_is(walk.key, name)) found = walk.value;
  return found;
}

/* Reads one character of a string, or part of one, as bytes; returns the place after it. */
static const uint8_t *read_character(const uint8_t *at, const uint8_t *end, uint8_t out[4],
                                     size_t *size) {
  *size = 1;
  if (*at != '\\') {
    out[0] = *at;
    return at + 1;
  }
  at++;
  switch (*at) {
    case 'b': out[0] = '\b'; return at + 1;
    case 'f': out[0] = '\f'; return at + 1;
    case 'n': out[0] = '\n'; return at + 1;
    case 'r': out[0] = '\r'; return at + 1;
    case 't': out[0] = '\t'; return at + 1;
    case 'u': break;
    default: out[0] = *at; return at + 1;
  }
  uint32_t c = (uint32_t)hex_value(at + 1, end);
  at += 5;
  if (c >= 0xD800 && c < 0xDC00) {
    c = 0x10000 + ((c & 0x3FF) << 10) + ((uint32_t)hex_value(at + 2, end) & 0x3FF);
    at += 6;
  }
  *size = gyeot_utf8_write(c, out);
  return at;
}

bool gyeot_json_is(gyeot_json value, const char *text) {
  if (gyeot_json_kind_of(value) != GYEOT_JSON_STRING) return false;
  const uint8_t *at = value.at + 1;
  size_t left = strlen(text);
  while (*at != '"') {
    uint8_t bytes[4];
    size_t size;
    at = read_character(at, value.end, bytes, &size);
    if (size > left || memcmp(text, bytes, size) != 0) return false;
    text += size;
    left -= size;
  }
  return left == 0;
}

gyeot_status gyeot_json_string(gyeot_json value, const gyeot_allocator *allocator,
                               gyeot_json_text *out) {
  if (gyeot_json_kind_of(value) != GYEOT_JSON_STRING) return GYEOT_ERROR_FORMAT;
  const uint8_t *stop = after_string(value.at) - 1, *at = value.at + 1;
  void *bytes = out->bytes;
  /* An escape is never shorter than what it stands for. */
  if (gyeot_grow(allocator, &bytes, &out->capacity, (size_t)(stop - at) + 4, 1) != GYEOT_OK)
    return GYEOT_ERROR_MEMORY;
  out->bytes = bytes;
  out->size = 0;
  while (at < stop) {
    size_t size;
    at = read_character(at, value.end, out->bytes + out->size, &size);
    out->size += size;
  }
  return GYEOT_OK;
}

/* Numbers of up to 31 decimal places get the one rounding of serde_json. Longer ones, which no
 * tokenizer holds, are scaled in steps. */
static double scale(double number, int exponent) {
  static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10,
                                  1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21,
                                  1e22, 1e23, 1e24, 1e25, 1e26, 1e27, 1e28, 1e29, 1e30, 1e31};
  enum { MOST = 31 };
  for (; exponent < -MOST && number != 0; exponent += MOST) number /= powers[MOST];
  for (; exponent > MOST && number != 0 && !isinf(number); exponent -= MOST) number *= powers[MOST];
  if (number == 0 || isinf(number)) return number;
  return exponent < 0 ? number / powers[-exponent] : number * powers[exponent];
}

bool gyeot_json_double(gyeot_json value, double *out) {
  if (gyeot_json_kind_of(value) != GYEOT_JSON_NUMBER) return false;
  const uint8_t *at = value.at, *end = value.end;
  bool negative = *at == '-', fraction = false, full = false;
  if (negative) at++;
  uint64_t digits = 0;
  int exponent = 0;
  for (; at < end && ((*at >= '0' && *at <= '9') || *at == '.'); at++) {
    if (*at == '.') {
      fraction = true;
      continue;
    }
    unsigned digit = *at - (unsigned)'0';
    if (!full && (digits > UINT64_MAX / 10 || digits * 10 > UINT64_MAX - digit)) full = true;
    if (!full) {
      digits = digits * 10 + digit;
      if (fraction) exponent--;
    } else if (!fraction && exponent < 100000) {
      exponent++;
    }
  }
  if (at < end && (*at == 'e' || *at == 'E')) {
    at++;
    bool down = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) at++;
    int written = 0;
    for (; at < end && *at >= '0' && *at <= '9'; at++)
      if (written < 100000) written = written * 10 + (*at - '0');
    exponent += down ? -written : written;
  }
  double result = scale((double)digits, exponent);
  if (isinf(result)) return false;
  *out = negative ? -result : result;
  return true;
}

bool gyeot_json_integer(gyeot_json value, int32_t *out) {
  if (gyeot_json_kind_of(value) != GYEOT_JSON_NUMBER || *value.at == '-') return false;
  int64_t number = 0;
  const uint8_t *at = value.at;
  for (; at < value.end && *at >= '0' && *at <= '9'; at++) {
    number = number * 10 + (*at - '0');
    if (number > INT32_MAX) return false;
  }
  if (at < value.end && (*at == '.' || *at == 'e' || *at == 'E')) return false;
  *out = (int32_t)number;
  return true;
}
