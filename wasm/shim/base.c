/* What the JavaScript side needs of the shared base: the layout of gyeot_error stays in C. */
#include "gyeot_status.h"

size_t gyeot_wasm_error_size(void);
const char *gyeot_wasm_error_message(const gyeot_error *error);

size_t gyeot_wasm_error_size(void) {
  return sizeof(gyeot_error);
}

const char *gyeot_wasm_error_message(const gyeot_error *error) {
  return error->message;
}
