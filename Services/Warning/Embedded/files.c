#include "warning_files.h"

// One array and one line in the list per file; a test compares the list with the folders.
// clang-format off
static const unsigned char migrations_0001_warnings_sql[] = {
#embed "../Migrations/0001_warnings.sql"
};
static const unsigned char migrations_0002_rules_sql[] = {
#embed "../Migrations/0002_rules.sql"
};
static const unsigned char migrations_0003_foreign_sql[] = {
#embed "../Migrations/0003_foreign.sql"
};
static const unsigned char areas_areas_json[] = {
#embed "../Areas/areas.json"
};
// clang-format on

static const embedded_file files[] = {
    {"Migrations/0001_warnings.sql", migrations_0001_warnings_sql, sizeof migrations_0001_warnings_sql},
    {"Migrations/0002_rules.sql", migrations_0002_rules_sql, sizeof migrations_0002_rules_sql},
    {"Migrations/0003_foreign.sql", migrations_0003_foreign_sql, sizeof migrations_0003_foreign_sql},
    {"Areas/areas.json", areas_areas_json, sizeof areas_areas_json},
    {NULL, NULL, 0},
};

const embedded_file *warning_files(void) { return files; }
