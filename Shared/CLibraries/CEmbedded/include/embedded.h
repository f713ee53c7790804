// A file that was put into the binary at build time. A folder's Embedded target lists its files with EMBED and ends the list with EMBED_END.
#pragma once
#include <stddef.h>

typedef struct {
  const char *_Nullable name;  // path below the folder, for example "Migrations/0001_journal.sql"; NULL ends a list
  const unsigned char *_Nullable bytes;
  size_t size;
} embedded_file;
