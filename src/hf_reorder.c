#include "hf_reorder.h"

#include <string.h>

enum { FEW = 24 };

static void insertion_sort(gyeot_mark *marks, size_t count) {
  for (size_t i = 1; i < count; i++) {
    gyeot_mark mark = marks[i];
    size_t at = i;
    for (; at > 0 && marks[at - 1].class_ > mark.class_; at--) marks[at] = marks[at - 1];
    marks[at] = mark;
  }
}

static void counting_sort(gyeot_mark *marks, size_t count, gyeot_mark *spare) {
  size_t starts[257] = {0};
  for (size_t i = 0; i < count; i++) starts[marks[i].class_ + 1]++;
  for (size_t i = 1; i < 257; i++) starts[i] += starts[i - 1];
  for (size_t i = 0; i < count; i++) spare[starts[marks[i].class_]++] = marks[i];
  memcpy(marks, spare, count * sizeof *marks);
}

void gyeot_reorder(gyeot_mark *marks, size_t count, gyeot_mark *spare) {
  if (count <= FEW)
    insertion_sort(marks, count);
  else
    counting_sort(marks, count, spare);
}
