#include "event_sourcing_files.h"

// One array and one line in the list per file; a test compares the list with the folders.
static const unsigned char example[] = {
#embed "event_sourcing_files.txt"
};

const embedded_file event_sourcing_files[] = {
    {"event_sourcing_files.txt", example, sizeof example},
    {NULL, NULL, 0},
};
