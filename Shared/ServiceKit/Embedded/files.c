#include "service_kit_files.h"

// One array and one line in the list per file; a test compares the list with the folders.
// Leaflet is the distribution's (libjs-leaflet), which patches it; a rebuild takes the patch in.
// clang-format off
static const unsigned char device_keys[] = {
#embed "../Migrations/0001_device_keys.sql"
};
static const unsigned char pages_login_js[] = {
#embed "../Pages/login.js"
};
static const unsigned char libraries_leaflet_js[] = {
#embed "/usr/share/javascript/leaflet/leaflet.min.js"
};
static const unsigned char libraries_leaflet_css[] = {
#embed "/usr/share/javascript/leaflet/leaflet.css"
};
// clang-format on

static const embedded_file files[] = {
    {"Migrations/0001_device_keys.sql", device_keys, sizeof device_keys},
    {"Pages/login.js", pages_login_js, sizeof pages_login_js},
    {"Libraries/leaflet.js", libraries_leaflet_js, sizeof libraries_leaflet_js},
    {"Libraries/leaflet.css", libraries_leaflet_css, sizeof libraries_leaflet_css},
    {NULL, NULL, 0},
};

const embedded_file *service_kit_files(void) { return files; }
