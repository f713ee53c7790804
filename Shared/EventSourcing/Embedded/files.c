#include "event_sourcing_files.h"

// One array and one line in the list per file; a test compares the list with the folders.
static const unsigned char journal[] = {
#embed "../Migrations/0001_journal.sql"
};
static const unsigned char subscriptions[] = {
#embed "../Migrations/0002_subscriptions.sql"
};
static const unsigned char shared_appends[] = {
#embed "../Migrations/0003_shared_appends.sql"
};
static const unsigned char after_restore[] = {
#embed "../Migrations/0004_after_restore.sql"
};

static const embedded_file files[] = {
    {"Migrations/0001_journal.sql", journal, sizeof journal},
    {"Migrations/0002_subscriptions.sql", subscriptions, sizeof subscriptions},
    {"Migrations/0003_shared_appends.sql", shared_appends, sizeof shared_appends},
    {"Migrations/0004_after_restore.sql", after_restore, sizeof after_restore},
    {NULL, NULL, 0},
};

const embedded_file *event_sourcing_files(void) { return files; }
