/* Reading JSON without building a tree: a document is checked once, then values are looked at where
 * they stand. Strict as serde_json: UTF-8, no comments, no trailing commas, no lone surrogates, at
 * most 128 levels. */
#ifndef GYEOT_JSON_H
#define GYEOT_JSON_H

#include <stdbool.h>

#include "alloc.h"

/* A place in a checked document where a value begins. `at` NULL: no value. */
typedef struct gyeot_json {
  const uint8_t *at, *end; /* `end` is that of the document */
} gyeot_json;

typedef enum gyeot_json_kind {
  GYEOT_JSON_NONE,
  GYEOT_JSON_NULL,
  GYEOT_JSON_FALSE,
  GYEOT_JSON_TRUE,
  GYEOT_JSON_NUMBER,
  GYEOT_JSON_STRING,
  GYEOT_JSON_ARRAY,
  GYEOT_JSON_OBJECT
} gyeot_json_kind;

/* Checks a whole document. On failure says what is wrong at which byte. */
gyeot_status gyeot_json_open(const uint8_t *bytes, size_t size, gyeot_json *document,
                             gyeot_error *error);

gyeot_json_kind gyeot_json_kind_of(gyeot_json value);

/* Walks the members of an object or the elements of an array (of anything else there are none):
 *   for (gyeot_json_walk walk = gyeot_json_begin(value); gyeot_json_next(&walk);) ... */
typedef struct gyeot_json_walk {
  gyeot_json rest;
  gyeot_json key, value; /* key: none in an array */
  bool object, first;
} gyeot_json_walk;
gyeot_json_walk gyeot_json_begin(gyeot_json value);
bool gyeot_json_next(gyeot_json_walk *walk);

/* The last member of that name; none when it is missing or `value` is no object. */
gyeot_json gyeot_json_member(gyeot_json value, const char *name);

/* True for a string equal to `text`. */
bool gyeot_json_is(gyeot_json value, const char *text);

/* Unescapes a string into *buffer, which grows. False for a value that is no string. */
typedef struct gyeot_json_text {
  uint8_t *bytes;
  size_t size, capacity;
} gyeot_json_text;
gyeot_status gyeot_json_string(gyeot_json value, const gyeot_allocator *allocator,
                               gyeot_json_text *out);

/* A number as serde_json reads it, which is not always the nearest double: the digits as a 64-bit
 * integer, then one multiplication or division by a power of ten. False for another kind of value,
 * or one too large. */
bool gyeot_json_double(gyeot_json value, double *out);

/* A whole number from 0 to 2^31 - 1, written without fraction and exponent. */
bool gyeot_json_integer(gyeot_json value, int32_t *out);

#endif
