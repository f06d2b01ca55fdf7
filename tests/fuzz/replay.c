/* Runs a fuzz target over files without libFuzzer, with any compiler: replay FILE_OR_FOLDER... */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t run;

static int replay_file(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) return fprintf(stderr, "%s cannot be read\n", path), 1;
  fseek(file, 0, SEEK_END);
  size_t size = (size_t)ftell(file);
  rewind(file);
  /* Exactly as large as the file, so that a sanitizer sees a read past its end. */
  uint8_t *data = malloc(size == 0 ? 1 : size);
  if (data == NULL || fread(data, 1, size, file) != size) return fclose(file), 1;
  fclose(file);
  LLVMFuzzerTestOneInput(data, size);
  free(data);
  run++;
  return 0;
}

static int replay(const char *path) {
  DIR *folder = opendir(path);
  if (folder == NULL) return replay_file(path);
  int failed = 0;
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
    char inner[4096];
    if (entry->d_name[0] == '.') continue;
    snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
    failed |= replay(inner);
  }
  closedir(folder);
  return failed;
}

int main(int count, char **arguments) {
  int failed = 0;
  for (int i = 1; i < count; i++) failed |= replay(arguments[i]);
  printf("%zu inputs\n", run);
  return failed != 0 || run == 0;
}
