#include "broker_files.h"

// One array and one line in the list per file; a test compares the list with the folders.
static const unsigned char topics[] = {
#embed "../Migrations/0001_topics.sql"
};

static const embedded_file files[] = {
    {"Migrations/0001_topics.sql", topics, sizeof topics},
    {NULL, NULL, 0},
};

const embedded_file *broker_files(void) { return files; }
