#include "sensor_files.h"

// One array and one line in the list per file; a test compares the list with the folders.
// Chart.js is the distribution's (libjs-chart.js), which patches it; a rebuild takes the patch in.
// clang-format off
static const unsigned char pages_index_html[] = {
#embed "../Pages/index.html"
};
static const unsigned char pages_outline_json[] = {
#embed "../Pages/outline.json"
};
static const unsigned char pages_sensors_css[] = {
#embed "../Pages/sensors.css"
};
static const unsigned char pages_sensors_js[] = {
#embed "../Pages/sensors.js"
};
static const unsigned char migrations_0001_registry_sql[] = {
#embed "../Migrations/0001_registry.sql"
};
static const unsigned char migrations_0002_observations_sql[] = {
#embed "../Migrations/0002_observations.sql"
};
static const unsigned char migrations_0003_features_sql[] = {
#embed "../Migrations/0003_features.sql"
};
static const unsigned char migrations_0004_partitions_sql[] = {
#embed "../Migrations/0004_partitions.sql"
};
static const unsigned char libraries_chart_js[] = {
#embed "/usr/share/javascript/chart.js/chart.min.js"
};
// clang-format on

static const embedded_file files[] = {
    {"Pages/index.html", pages_index_html, sizeof pages_index_html},
    {"Pages/outline.json", pages_outline_json, sizeof pages_outline_json},
    {"Pages/sensors.css", pages_sensors_css, sizeof pages_sensors_css},
    {"Pages/sensors.js", pages_sensors_js, sizeof pages_sensors_js},
    {"Migrations/0001_registry.sql", migrations_0001_registry_sql, sizeof migrations_0001_registry_sql},
    {"Migrations/0002_observations.sql", migrations_0002_observations_sql, sizeof migrations_0002_observations_sql},
    {"Migrations/0003_features.sql", migrations_0003_features_sql, sizeof migrations_0003_features_sql},
    {"Migrations/0004_partitions.sql", migrations_0004_partitions_sql, sizeof migrations_0004_partitions_sql},
    {"Libraries/chart.js", libraries_chart_js, sizeof libraries_chart_js},
    {NULL, NULL, 0},
};

const embedded_file *sensor_files(void) { return files; }
