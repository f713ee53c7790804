#include "event_sourcing_files.h"

// One array and one line in the list per file; a test compares the list with the folders.
static const unsigned char journal[] = {
#embed "../Migrations/0001_journal.sql"
};

static const embedded_file files[] = {
    {"Migrations/0001_journal.sql", journal, sizeof journal},
    {NULL, NULL, 0},
};

const embedded_file *event_sourcing_files(void) { return files; }
