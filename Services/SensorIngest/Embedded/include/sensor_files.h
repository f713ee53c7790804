#pragma once
#include "embedded.h"

extern const embedded_file sensor_files[];
