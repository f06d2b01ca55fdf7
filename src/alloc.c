#include "alloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void *default_reallocate(void *context, void *block, size_t size) {
  (void)context;
  if (size == 0) {
    free(block);
    return NULL;
  }
  return realloc(block, size);
}

gyeot_allocator gyeot_allocator_or_default(const gyeot_allocator *given) {
  if (given != NULL) return *given;
  return (gyeot_allocator){default_reallocate, NULL};
}

void *gyeot_reallocate(const gyeot_allocator *allocator, void *block, size_t count, size_t size) {
  if (size != 0 && count > SIZE_MAX / size) return NULL;
  return allocator->reallocate(allocator->context, block, count * size);
}

void *gyeot_allocate(const gyeot_allocator *allocator, size_t count, size_t size) {
  return gyeot_reallocate(allocator, NULL, count, size);
}

void gyeot_deallocate(const gyeot_allocator *allocator, void *block) {
  if (block != NULL) allocator->reallocate(allocator->context, block, 0);
}

gyeot_status gyeot_grow(const gyeot_allocator *allocator, void **block, size_t *capacity,
                        size_t needed, size_t size) {
  if (needed <= *capacity) return GYEOT_OK;
  size_t wanted = *capacity < 8 ? 8 : *capacity;
  while (wanted < needed) {
    if (wanted > SIZE_MAX / 2) return GYEOT_ERROR_MEMORY;
    wanted *= 2;
  }
  void *grown = gyeot_reallocate(allocator, *block, wanted, size);
  if (grown == NULL) return GYEOT_ERROR_MEMORY;
  *block = grown;
  *capacity = wanted;
  return GYEOT_OK;
}

const char *gyeot_status_name(gyeot_status status) {
  switch (status) {
    case GYEOT_OK: return "ok";
    case GYEOT_ERROR_MEMORY: return "memory";
    case GYEOT_ERROR_ARGUMENT: return "argument";
    case GYEOT_ERROR_FORMAT: return "format";
    case GYEOT_ERROR_UNSUPPORTED: return "unsupported";
    case GYEOT_ERROR_LIMIT: return "limit";
  }
  return "unknown";
}

/* A formatter of our own, because vsnprintf would be a third of the wasm module. */
typedef struct message_writer {
  char *out;
  size_t length, capacity;
} message_writer;

static void write_text(message_writer *writer, const char *text) {
  for (; *text != '\0' && writer->length + 1 < writer->capacity; text++)
    writer->out[writer->length++] = *text;
}

static void write_unsigned(message_writer *writer, uint64_t value) {
  char digits[24];
  size_t at = sizeof digits;
  digits[--at] = '\0';
  do digits[--at] = (char)('0' + value % 10);
  while ((value /= 10) != 0);
  write_text(writer, digits + at);
}

static void write_signed(message_writer *writer, int value) {
  if (value < 0) write_text(writer, "-");
  write_unsigned(writer, value < 0 ? 0u - (uint64_t)value : (uint64_t)value);
}

gyeot_status gyeot_fail(gyeot_error *error, gyeot_status status, const char *format, ...) {
  if (error == NULL) return status;
  message_writer writer = {error->message, 0, sizeof error->message};
  va_list arguments;
  va_start(arguments, format);
  for (const char *at = format; *at != '\0'; at++) {
    if (*at != '%') {
      char one[2] = {*at, '\0'};
      write_text(&writer, one);
      continue;
    }
    switch (*++at) {
      case 's': write_text(&writer, va_arg(arguments, const char *)); break;
      case 'd': write_signed(&writer, va_arg(arguments, int)); break;
      case 'u': write_unsigned(&writer, va_arg(arguments, unsigned)); break;
      case 'z': at++; write_unsigned(&writer, va_arg(arguments, size_t)); break;
      default: write_text(&writer, "%"); break;
    }
  }
  va_end(arguments);
  error->message[writer.length] = '\0';
  error->status = status;
  return status;
}
