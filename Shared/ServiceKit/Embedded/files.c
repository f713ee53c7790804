#include "service_kit_files.h"

// One array and one line in the list per file; a test compares the list with the folder.
static const unsigned char device_keys[] = {
#embed "../Migrations/0001_device_keys.sql"
};

static const embedded_file files[] = {
    {"Migrations/0001_device_keys.sql", device_keys, sizeof device_keys},
    {NULL, NULL, 0},
};

const embedded_file *service_kit_files(void) { return files; }
