#include "sensor_files.h"

// One array and one line in the list per file; a test compares the list with the folders.
static const unsigned char example[] = {
#embed "sensor_files.txt"
};

const embedded_file sensor_files[] = {
    {"sensor_files.txt", example, sizeof example},
    {NULL, NULL, 0},
};
